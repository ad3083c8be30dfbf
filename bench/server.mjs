/**
 * Node's TLS servers on loopback for the rivals that cannot replay a recording, and for cold starts: one port for each kind of
 * handshake. Prints `{ operation: port }` and ends with its standard input.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";

const file = (name) => readFileSync(join(process.argv[2], name));
const ports = {};
for (const { operation, type, server, isMutual } of JSON.parse(process.argv[3])) {
  const listening = createServer(
    {
      cert: file(server),
      key: file(server.replace(/(-chain)?\.crt$/, ".key")),
      ca: file(`ca-${type}.crt`),
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
      maxVersion: "TLSv1.2",
      ciphers: type === "ec" ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "ECDHE-RSA-AES128-GCM-SHA256",
      ecdhCurve: "prime256v1",
    },
    (socket) => {
      socket.on("error", () => {});
      socket.end("hello");
    },
  );
  listening.on("tlsClientError", (error) => console.error(`${operation}: ${error.message}`));
  await new Promise((resolve) => listening.listen(0, "127.0.0.1", resolve));
  ports[operation] = listening.address().port;
}
console.log(JSON.stringify(ports));
process.stdin.on("end", () => process.exit()).resume();
