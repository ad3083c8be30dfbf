/**
 * Node: OpenSSL in C and assembly, called from JavaScript. Its handshakes go over loopback, whose time (about 0.2 ms) is in its figures.
 */
import * as crypto from "node:crypto";
import { connect } from "node:tls";
import { measure } from "./measure.mjs";

function handshake({ operation, trust, certificate, privateKey }, ports) {
  const port = ports[operation];
  const options = { host: "127.0.0.1", port, servername: "localhost", ca: trust, cert: certificate, key: privateKey };
  const run = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ ...options, maxVersion: "TLSv1.2" });
      // The server says it once it has verified our Finished.
      socket.on("data", () => {
        resolve(true);
        socket.destroy();
      });
      socket.on("error", reject);
    });
  return { run, check: run };
}

await measure("node", (f) => {
  const ecPrivate = crypto.createPrivateKey({ key: Buffer.from(f.ecPrivateKey), format: "der", type: "pkcs8" });
  const ecPublic = crypto.createPublicKey(ecPrivate);
  const rsaPrivate = crypto.createPrivateKey({ key: Buffer.from(f.rsaPrivateKey), format: "der", type: "pkcs8" });
  const rsaPublic = crypto.createPublicKey(rsaPrivate);
  const ecdh = crypto.createECDH("prime256v1");
  ecdh.setPrivateKey(f.scalar);
  const fresh = crypto.createECDH("prime256v1");
  const seal = (length) => {
    const plaintext = f.message.subarray(0, length);
    const run = () => {
      const cipher = crypto.createCipheriv("aes-128-gcm", f.gcmKey, f.gcmNonce);
      cipher.setAAD(f.gcmAad);
      const sealed = cipher.update(plaintext);
      cipher.final();
      return Buffer.concat([sealed, cipher.getAuthTag()]);
    };
    return { run, check: run };
  };
  const parse = (der) => ({
    run: () => new crypto.X509Certificate(der),
    check: () => Buffer.from(new crypto.X509Certificate(der).serialNumber, "hex"),
  });
  const prf = (length) => {
    const seed = Buffer.concat([Buffer.from("master secret"), f.prfSeed]);
    const out = [];
    for (let a = seed, bytes = 0; bytes < length; bytes += 32) {
      a = crypto.createHmac("sha256", f.prfSecret).update(a).digest();
      out.push(crypto.createHmac("sha256", f.prfSecret).update(a).update(seed).digest());
    }
    return Buffer.concat(out).subarray(0, length);
  };
  return {
    "p256-keygen": { run: () => fresh.generateKeys(), check: () => ecdh.getPublicKey() },
    "p256-ecdh": { run: () => ecdh.computeSecret(f.peerPoint), check: () => ecdh.computeSecret(f.peerPoint) },
    "ecdsa-p256-sign": {
      run: () => crypto.sign("sha256", f.data, ecPrivate),
      check: () => crypto.verify("sha256", f.data, ecPublic, crypto.sign("sha256", f.data, ecPrivate)),
    },
    "ecdsa-p256-verify": {
      run: () => crypto.verify("sha256", f.data, ecPublic, f.ecSignature),
      check: () => crypto.verify("sha256", f.data, ecPublic, f.ecSignature),
    },
    "rsa2048-verify": {
      run: () => crypto.verify("sha256", f.data, rsaPublic, f.rsaSignature),
      check: () => crypto.verify("sha256", f.data, rsaPublic, f.rsaSignature),
    },
    "rsa2048-sign": {
      run: () => crypto.sign("sha256", f.data, rsaPrivate),
      check: () => crypto.verify("sha256", f.data, rsaPublic, crypto.sign("sha256", f.data, rsaPrivate)),
    },
    "sha256-16384": {
      run: () => crypto.createHash("sha256").update(f.message).digest(),
      check: () => crypto.createHash("sha256").update(f.message).digest(),
    },
    "prf-48": { run: () => prf(48), check: () => prf(48) },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
    "x509-parse-ec": parse(f.ecCertificate),
    "x509-parse-rsa": parse(f.rsaCertificate),
    ...Object.fromEntries(f.recordings.map((recording) => [recording.operation, handshake(recording, f.ports)])),
  };
});
