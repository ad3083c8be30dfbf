/** Node's TLS server for the cold starts: mutual ECDSA on loopback; prints its port. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";

const file = (name) => readFileSync(join(process.argv[2], name));
const server = createServer(
  {
    cert: file("server-ec.crt"),
    key: file("server-ec.key"),
    ca: file("ca-ec.crt"),
    requestCert: true,
    rejectUnauthorized: true,
    maxVersion: "TLSv1.2",
    ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256",
    ecdhCurve: "prime256v1",
  },
  (socket) => {
    socket.on("error", () => {});
    socket.end("hello");
  },
);
server.on("tlsClientError", (error) => console.error(error.message));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
