/**
 * `@reclaimprotocol/tls` with its pure JavaScript primitives: the other TLS 1.2 client in TypeScript. It cannot authenticate the client,
 * and needs a socket here, whose time (about 0.2 ms) is in its figures.
 */
import { connect } from "node:net";
import { loadX509FromPem, makeTLSClient, setCryptoImplementation } from "@reclaimprotocol/tls";
import { pureJsCrypto } from "@reclaimprotocol/tls/purejs-crypto";
import { measure } from "./measure.mjs";

setCryptoImplementation(pureJsCrypto);
const silent = { info() {}, debug() {}, trace() {}, warn() {}, error() {} };

await measure("reclaim", async (f) => {
  const handshake = async (type, chain = "") => {
    const operation = `handshake-${type === "ec" ? "ecdsa" : "rsa"}${chain}`;
    const rootCAs = [await loadX509FromPem(Buffer.from(f[`${type}Root`]))];
    const cipherSuites = [`TLS_ECDHE_${type === "ec" ? "ECDSA" : "RSA"}_WITH_AES_128_GCM_SHA256`];
    const run = () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: f.ports[operation] });
        const tls = makeTLSClient({
          host: "localhost",
          verifyServerCertificate: true,
          rootCAs,
          cipherSuites,
          supportedProtocolVersions: ["TLS1_2"],
          namedCurves: ["SECP256R1"],
          logger: silent,
          write: async ({ header, content }) => void socket.write(Buffer.concat([header, content])),
          onHandshake() {
            resolve(true);
            socket.destroy();
          },
          onTlsEnd: (error) => error && reject(error),
        });
        socket.on("error", reject);
        socket.on("connect", () => tls.startHandshake());
        socket.on("data", (data) => tls.handleReceivedBytes(data));
      });
    return [operation, { run, check: run }];
  };
  return Object.fromEntries([
    await handshake("ec"),
    await handshake("rsa"),
    await handshake("ec", "-chain"),
    await handshake("rsa", "-chain"),
  ]);
});
