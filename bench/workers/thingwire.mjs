/**
 * thingwire, as users get it: the built bundles. Handshakes are recorded ones, replayed, so that no server's time is in them. Bundled
 * by `run.ts` before it runs.
 */
import { randomFillSync } from "node:crypto";
import { createCrypto } from "../../dist/crypto.js";
import {
  parseCertificate,
  parsePrivateKey,
  parseSubjectPublicKeyInfo,
  provenSignatures,
  trustAnchors,
  verifyCertificate,
} from "../../dist/x509.js";
import { readings } from "./fields.mjs";
import { measure } from "./measure.mjs";
import { protections } from "./protections.mjs";
import { handshake, records } from "./thingwire-engines.mjs";

const random = { fill: (bytes) => void randomFillSync(bytes) };

function finish(task) {
  while (!task.step(Number.MAX_SAFE_INTEGER));
  return task.result;
}

function readCertificate(der) {
  const certificate = parseCertificate(der);
  const { serialNumber, notBefore, notAfter, subjectPublicKeyInfo, keyUsage, extendedKeyUsage } = certificate;
  return {
    subject: certificate.subject.toString(),
    issuer: certificate.issuer.toString(),
    serial: serialNumber,
    notBefore,
    notAfter,
    keyUsage,
    extendedKeyUsage,
    spki: subjectPublicKeyInfo,
    dns: certificate.subjectAltName?.dns,
    ca: certificate.basicConstraints?.ca,
    pathLength: certificate.basicConstraints?.pathLength,
    authorityKey: certificate.authorityKeyIdentifier?.keyIdentifier ?? null,
    subjectKey: certificate.subjectKeyIdentifier ?? null,
  };
}

const arithmetic = process.env.THINGWIRE_ARITHMETIC;
await measure(process.env.BENCH_NAME ?? "thingwire", (f) => {
  const crypto = createCrypto(arithmetic === undefined ? {} : { arithmetic });
  const ecdsa = { kind: "ecdsa", hash: "sha256" };
  const rsa = { kind: "rsa-pkcs1", hash: "sha256" };
  const ecPrivate = parsePrivateKey(f.ecPrivateKey);
  const rsaPrivate = parsePrivateKey(f.rsaPrivateKey);
  const ecPublic = finish(crypto.publicKey(ecPrivate, random));
  const rsaPublic = finish(crypto.publicKey(rsaPrivate, random));
  // The pair of the fixtures, so that its secret can be compared: a scalar of NIST's curves is what is drawn, modulo n - 1, plus one.
  const pairOf = (group, scalar) => {
    const drawn = BigInt(`0x${Buffer.from(scalar).toString("hex")}`) - 1n;
    const fill = (bytes, purpose) => {
      if (purpose !== "ecdhe") randomFillSync(bytes);
      else if (group === "x25519") bytes.set(scalar);
      else bytes.set(Buffer.from(drawn.toString(16).padStart(2 * bytes.length, "0"), "hex"));
    };
    return finish(crypto.keyExchange(group, { fill }));
  };
  const ecdh = (group, scalar, peer) => {
    const pair = pairOf(group, scalar);
    const run = () => finish(pair.shared(peer));
    return { run, check: run };
  };
  const sign = (algorithm, key, digest) => finish(crypto.sign(algorithm, key, digest, random));
  const verify = (algorithm, key, digest, signature) => finish(crypto.verify(algorithm, key, digest, signature));
  const p384Private = parsePrivateKey(f.p384PrivateKey);
  const p384Own = finish(crypto.publicKey(p384Private, random));
  const publicKeyOf = (spki) => parseSubjectPublicKeyInfo(spki).publicKey;
  const [p384Public, rsa4096] = [f.p384PublicKey, f.rsa4096PublicKey].map(publicKeyOf);
  // In place: what is opened, or sealed for the comparison, is copied there first.
  const aead = (name, key, length) => {
    const cipher = crypto.aead(name, key);
    const buffer = new Uint8Array(length + 16);
    const seal = () => {
      finish(cipher.seal(buffer, 0, length, f.gcmNonce, f.gcmAad));
      return buffer;
    };
    const sealText = () => {
      buffer.set(f.message.subarray(0, length));
      return seal();
    };
    const sealed = sealText().slice();
    const open = () => {
      buffer.set(sealed);
      if (!finish(cipher.open(buffer, 0, length, f.gcmNonce, f.gcmAad))) throw new Error("wrong tag");
      return buffer.subarray(0, length);
    };
    return { seal: { run: seal, check: sealText }, open: { run: open, check: open } };
  };
  const gcm = (length) => aead("aes-128-gcm", f.gcmKey, length);
  const chacha = (length) => aead("chacha20-poly1305", f.chachaKey, length);
  const cbc = (length) => {
    const cipher = crypto.cbc("aes-128-cbc", f.gcmKey, "sha256", f.macKey, "mac-then-encrypt");
    const end = 16 + length + cipher.expansion(length);
    const buffer = new Uint8Array(end);
    buffer.set(f.cbcIv);
    const seal = () => {
      finish(cipher.seal(buffer, 16, 16 + length, f.gcmAad));
      return buffer.subarray(16);
    };
    const sealText = () => {
      buffer.set(f.message.subarray(0, length), 16);
      return seal();
    };
    const sealed = sealText().slice();
    const open = () => {
      buffer.set(sealed, 16);
      if (finish(cipher.open(buffer, 16, end, f.gcmAad)) !== length) throw new Error("wrong MAC");
      return buffer.subarray(16, 16 + length);
    };
    return { seal: { run: seal, check: sealText }, open: { run: open, check: open } };
  };
  const chain = (type) => {
    const trust = trustAnchors(new TextDecoder().decode(f[`${type}Root`]));
    const options = { purpose: "server", chain: [f[`${type}Leaf`], f[`${type}Intermediate`]], trust, crypto };
    const run = () => verifyCertificate({ ...options, serverName: "localhost", at: Date.now() }).ok;
    return { run, check: run };
  };
  // What a validation cannot do without, to tell what it adds: the two signatures, with the digests that they are of.
  const signatures = (type) => {
    const [root] = trustAnchors(new TextDecoder().decode(f[`${type}Root`]));
    const [leaf, intermediate] = [f[`${type}Leaf`], f[`${type}Intermediate`]].map(parseCertificate);
    const rootKey = publicKeyOf(root.subjectPublicKeyInfo);
    const isSigned = ({ tbs, signature, signatureAlgorithm }, key) =>
      verify(signatureAlgorithm, key, finish(crypto.digest(signatureAlgorithm.hash, [tbs])), signature);
    const run = () => isSigned(leaf, intermediate.publicKey) && isSigned(intermediate, rootKey);
    return { run, check: run };
  };
  const parse = (der) => ({
    run: () => parseCertificate(der),
    check: () => parseCertificate(der).serialNumber,
  });
  return {
    "p256-keygen": {
      run: () => finish(crypto.keyExchange("secp256r1", random)),
      check: () => pairOf("secp256r1", f.p256Scalar).publicKey,
    },
    "p256-ecdh": ecdh("secp256r1", f.p256Scalar, f.p256Peer),
    "p384-ecdh": ecdh("secp384r1", f.p384Scalar, f.p384Peer),
    "p521-ecdh": ecdh("secp521r1", f.p521Scalar, f.p521Peer),
    "x25519-ecdh": ecdh("x25519", f.x25519Scalar, f.x25519Peer),
    "ecdsa-p256-sign": {
      run: () => sign(ecdsa, ecPrivate, f.digest),
      check: () => verify(ecdsa, ecPublic, f.digest, sign(ecdsa, ecPrivate, f.digest)),
    },
    "ecdsa-p256-verify": {
      run: () => verify(ecdsa, ecPublic, f.digest, f.ecSignature),
      check: () => verify(ecdsa, ecPublic, f.digest, f.ecSignature),
    },
    "ecdsa-p384-sign": {
      run: () => sign(ecdsa, p384Private, f.digest),
      check: () => verify(ecdsa, p384Own, f.digest, sign(ecdsa, p384Private, f.digest)),
    },
    "ecdsa-p384-verify": {
      run: () => verify(ecdsa, p384Public, f.digest, f.p384Signature),
      check: () => verify(ecdsa, p384Public, f.digest, f.p384Signature),
    },
    "rsa2048-verify": {
      run: () => verify(rsa, rsaPublic, f.digest, f.rsaSignature),
      check: () => verify(rsa, rsaPublic, f.digest, f.rsaSignature),
    },
    "rsa2048-sign": {
      run: () => sign(rsa, rsaPrivate, f.digest),
      check: () => verify(rsa, rsaPublic, f.digest, sign(rsa, rsaPrivate, f.digest)),
    },
    "rsa4096-verify": {
      run: () => verify(rsa, rsa4096, f.digest, f.rsa4096Signature),
      check: () => verify(rsa, rsa4096, f.digest, f.rsa4096Signature),
    },
    "sha256-16384": {
      run: () => finish(crypto.digest("sha256", [f.message])),
      check: () => finish(crypto.digest("sha256", [f.message])),
    },
    "sha384-16384": {
      run: () => finish(crypto.digest("sha384", [f.message])),
      check: () => finish(crypto.digest("sha384", [f.message])),
    },
    "prf-48": {
      run: () => finish(crypto.prf("sha256", f.prfSecret, "master secret", f.prfSeed, 48)),
      check: () => finish(crypto.prf("sha256", f.prfSecret, "master secret", f.prfSeed, 48)),
    },
    ...protections({ gcm, chacha, cbc }),
    "x509-parse-ec": parse(f.ecCertificate),
    "x509-parse-rsa": parse(f.rsaCertificate),
    "x509-verify-ec": chain("ec"),
    "x509-verify-rsa": chain("rsa"),
    "x509-signatures-ec": signatures("ec"),
    "x509-signatures-rsa": signatures("rsa"),
    ...readings(f, readCertificate, ({ subject, issuer, ...rest }) => ({
      subject: subject.split(", "),
      issuer: issuer.split(", "),
      ...rest,
    })),
    ...Object.fromEntries(f.recordings.map((recording) => [recording.operation, handshake(recording, crypto)])),
    // With a memory of the certificates' signatures: an option of thingwire's, so that nothing stands beside it.
    "handshake-ecdsa-mutual-proven": handshake(
      f.recordings.find(({ operation }) => operation === "handshake-ecdsa-mutual"),
      crypto,
      { verification: { provenSignatures: provenSignatures() } },
    ),
    ...records(f, crypto),
  };
});
