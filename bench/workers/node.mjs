/**
 * Node: OpenSSL in C and assembly, called from JavaScript. Its handshakes go over loopback, whose time (about 0.2 ms) is in its figures.
 */
import * as crypto from "node:crypto";
import { connect } from "node:tls";
import { cbcRecord, withoutCbcPadding } from "./cbc.mjs";
import { readings } from "./fields.mjs";
import { measure } from "./measure.mjs";
import { protections } from "./protections.mjs";

/** What stands before the scalar of a key on X25519 (RFC 8410 §7). */
const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

function handshake({ operation, trust, certificate, privateKey, session }, ports) {
  const port = ports[operation];
  const options = { host: "127.0.0.1", port, servername: "localhost", ca: trust, cert: certificate, key: privateKey };
  // A session of this process's own, where the recording has one.
  let kept;
  const run = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ ...options, maxVersion: "TLSv1.2", session: kept });
      // The server says it once it has verified our Finished.
      socket.on("data", () => {
        resolve(socket.isSessionReused() === (kept !== undefined));
        if (session !== undefined) kept ??= socket.getSession();
        socket.destroy();
      });
      socket.on("error", reject);
    });
  const check = async () => (await run()) && (session === undefined || run());
  return { run, check };
}

/** All that its interface has: neither keyUsage nor a path length nor the key identifiers. */
function readCertificate(der) {
  const certificate = new crypto.X509Certificate(der);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: certificate.serialNumber,
    notBefore: certificate.validFrom,
    notAfter: certificate.validTo,
    spki: certificate.publicKey.export({ format: "der", type: "spki" }),
    extendedKeyUsage: certificate.keyUsage,
    names: certificate.subjectAltName,
    ca: certificate.ca,
  };
}

function written({ subject, issuer, notBefore, notAfter, names, ...rest }) {
  return {
    ...rest,
    subject: subject.split("\n"),
    issuer: issuer.split("\n"),
    notBefore: Date.parse(notBefore),
    notAfter: Date.parse(notAfter),
    dns: names?.split(", ").map((name) => name.replace("DNS:", "")),
  };
}

await measure("node", (f) => {
  const ecPrivate = crypto.createPrivateKey({ key: Buffer.from(f.ecPrivateKey), format: "der", type: "pkcs8" });
  const ecPublic = crypto.createPublicKey(ecPrivate);
  const rsaPrivate = crypto.createPrivateKey({ key: Buffer.from(f.rsaPrivateKey), format: "der", type: "pkcs8" });
  const rsaPublic = crypto.createPublicKey(rsaPrivate);
  const ecdh = (curve, scalar, peer) => {
    const pair = crypto.createECDH(curve);
    pair.setPrivateKey(scalar);
    const run = () => pair.computeSecret(peer);
    return { run, check: run };
  };
  const p256 = crypto.createECDH("prime256v1");
  p256.setPrivateKey(f.p256Scalar);
  const fresh = crypto.createECDH("prime256v1");
  const privateKey = crypto.createPrivateKey({
    key: Buffer.concat([X25519_PKCS8, f.x25519Scalar]),
    format: "der",
    type: "pkcs8",
  });
  const x = Buffer.from(f.x25519Peer).toString("base64url");
  const publicKey = crypto.createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  const x25519 = () => crypto.diffieHellman({ privateKey, publicKey });
  const key384 = {
    private: crypto.createPrivateKey({ key: Buffer.from(f.p384PrivateKey), format: "der", type: "pkcs8" }),
    public: crypto.createPublicKey({ key: Buffer.from(f.p384PublicKey), format: "der", type: "spki" }),
  };
  const rsa4096 = crypto.createPublicKey({ key: Buffer.from(f.rsa4096PublicKey), format: "der", type: "spki" });
  const aead = (name, key, length) => {
    const plaintext = f.message.subarray(0, length);
    const options = { authTagLength: 16 };
    const seal = () => {
      const cipher = crypto.createCipheriv(name, key, f.gcmNonce, options);
      cipher.setAAD(f.gcmAad);
      const sealed = cipher.update(plaintext);
      cipher.final();
      return Buffer.concat([sealed, cipher.getAuthTag()]);
    };
    const sealed = seal();
    const [ciphertext, tag] = [sealed.subarray(0, length), sealed.subarray(length)];
    const open = () => {
      const cipher = crypto.createDecipheriv(name, key, f.gcmNonce, options);
      cipher.setAAD(f.gcmAad);
      cipher.setAuthTag(tag);
      const opened = cipher.update(ciphertext);
      cipher.final();
      return opened;
    };
    return { seal: { run: seal, check: seal }, open: { run: open, check: open } };
  };
  const gcm = (length) => aead("aes-128-gcm", f.gcmKey, length);
  const chacha = (length) => aead("chacha20-poly1305", f.chachaKey, length);
  const mac = (header, text) => crypto.createHmac("sha256", f.macKey).update(header).update(text).digest();
  const cbc = (length) => {
    const pass = (cipher, bytes) => cipher.setAutoPadding(false).update(bytes);
    const seal = () => pass(crypto.createCipheriv("aes-128-cbc", f.gcmKey, f.cbcIv), cbcRecord(f, length, mac));
    const sealed = seal();
    const open = () =>
      withoutCbcPadding(f, pass(crypto.createDecipheriv("aes-128-cbc", f.gcmKey, f.cbcIv), sealed), mac);
    return { seal: { run: seal, check: seal }, open: { run: open, check: open } };
  };
  const chain = (type) => {
    const root = new crypto.X509Certificate(f[`${type}RootDer`]);
    const run = () => {
      const [leaf, intermediate] = [f[`${type}Leaf`], f[`${type}Intermediate`]].map(
        (der) => new crypto.X509Certificate(der),
      );
      const now = Date.now();
      const isIssued = (certificate, issuer) =>
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey) &&
        Date.parse(certificate.validFrom) <= now &&
        now <= Date.parse(certificate.validTo);
      return (
        isIssued(leaf, intermediate) && isIssued(intermediate, root) && leaf.checkHost("localhost") === "localhost"
      );
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
    "p256-keygen": { run: () => fresh.generateKeys(), check: () => p256.getPublicKey() },
    "p256-ecdh": ecdh("prime256v1", f.p256Scalar, f.p256Peer),
    "p384-ecdh": ecdh("secp384r1", f.p384Scalar, f.p384Peer),
    "p521-ecdh": ecdh("secp521r1", f.p521Scalar, f.p521Peer),
    "x25519-ecdh": { run: x25519, check: x25519 },
    "ecdsa-p384-sign": {
      run: () => crypto.sign("sha256", f.data, key384.private),
      check: () =>
        crypto.verify(
          "sha256",
          f.data,
          crypto.createPublicKey(key384.private),
          crypto.sign("sha256", f.data, key384.private),
        ),
    },
    "ecdsa-p384-verify": {
      run: () => crypto.verify("sha256", f.data, key384.public, f.p384Signature),
      check: () => crypto.verify("sha256", f.data, key384.public, f.p384Signature),
    },
    "rsa4096-verify": {
      run: () => crypto.verify("sha256", f.data, rsa4096, f.rsa4096Signature),
      check: () => crypto.verify("sha256", f.data, rsa4096, f.rsa4096Signature),
    },
    "sha384-16384": {
      run: () => crypto.createHash("sha384").update(f.message).digest(),
      check: () => crypto.createHash("sha384").update(f.message).digest(),
    },
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
    ...protections({ gcm, chacha, cbc }),
    "x509-verify-ec": chain("ec"),
    "x509-verify-rsa": chain("rsa"),
    ...readings(f, readCertificate, written),
    "x509-parse-ec": parse(f.ecCertificate),
    "x509-parse-rsa": parse(f.rsaCertificate),
    ...Object.fromEntries(f.recordings.map((recording) => [recording.operation, handshake(recording, f.ports)])),
  };
});
