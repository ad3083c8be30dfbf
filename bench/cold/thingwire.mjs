/** Mutual handshakes with thingwire over Node's sockets, one after the other, as `thingwire/node` does them. */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createCrypto } from "../../dist/crypto.js";
import { TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsClient } from "../../dist/tls.js";
import { parseCertificateChain, parsePrivateKey, trustAnchors } from "../../dist/x509.js";

const [folder, port, count] = process.argv.slice(2);
const file = (name) => readFileSync(`${folder}/${name}`, "utf8");
const options = {
  serverName: "localhost",
  trust: trustAnchors(file("ca-ec.crt")),
  identity: {
    certificates: parseCertificateChain(file("client-ec.crt")),
    privateKey: parsePrivateKey(file("client-ec.key")),
  },
  suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
  crypto: createCrypto(),
  random: { fill: (bytes) => void randomFillSync(bytes) },
  wallMs: () => Date.now(),
};
for (let i = 0; i < Number(count); i++)
  await new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    const tls = new TlsClient(options);
    let text = "";
    const rest = () => {
      while (tls.work(Number.MAX_SAFE_INTEGER) === "more");
      for (let event = tls.nextEvent(); event !== undefined; event = tls.nextEvent()) {
        if (event.type === "output") socket.write(event.bytes.slice());
        else if (event.type === "data") text += String.fromCharCode(...event.bytes);
        else if (event.type === "fatal") reject(event.error);
        else if (event.type === "closed") {
          socket.end();
          if (text === "hello") resolve();
          else reject(new Error(`got "${text}"`));
        }
      }
    };
    socket.on("error", reject);
    socket.on("connect", () => {
      tls.start();
      rest();
    });
    socket.on("data", (data) => {
      for (let at = 0; at < data.length; ) {
        at += tls.feed(data.subarray(at));
        rest();
      }
    });
  });
const { user, system } = process.cpuUsage();
console.log(user + system);
