/** The noble libraries: the purest and best audited JavaScript. They have neither RSA nor X.509 nor TLS. */
import { cbc, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { nobleHandshake } from "../noble-handshake.mjs";
import { cbcRecord, withoutCbcPadding } from "./cbc.mjs";
import { measure } from "./measure.mjs";

await measure("noble", (f) => {
  const publicKey = p256.getPublicKey(f.p256Scalar, false);
  const ecdh = (curve, scalar, peer) => {
    const check = () => curve.getSharedSecret(scalar, peer).subarray(1);
    return { run: check, check };
  };
  const signature = () => p256.sign(f.digest, f.ecScalar, { prehash: false, lowS: false, format: "der" });
  const verify = (bytes) => p256.verify(bytes, f.digest, f.ecPoint, { prehash: false, lowS: false, format: "der" });
  const p384Key = { secret: p384.utils.randomSecretKey() };
  p384Key.point = p384.getPublicKey(p384Key.secret, false);
  const raw = { prehash: false, lowS: false, format: "der" };
  const p384Signature = () => p384.sign(f.digest, p384Key.secret, raw);
  const p384Verify = (point, signature) => p384.verify(signature, f.digest, point, raw);
  // The point stands at the end of a SubjectPublicKeyInfo.
  const p384Public = f.p384PublicKey.slice(-97);
  const seal = (length, cipher = () => gcm(f.gcmKey, f.gcmNonce, f.gcmAad)) => {
    const plaintext = f.message.subarray(0, length);
    const run = () => cipher().encrypt(plaintext);
    return { run, check: run };
  };
  const open = (length, cipher = () => gcm(f.gcmKey, f.gcmNonce, f.gcmAad)) => {
    const sealed = cipher().encrypt(f.message.subarray(0, length));
    const run = () => cipher().decrypt(sealed);
    return { run, check: run };
  };
  const chacha = () => chacha20poly1305(f.chachaKey, f.gcmNonce, f.gcmAad);
  const aesCbc = () => cbc(f.gcmKey, f.cbcIv, { disablePadding: true });
  const mac = (header, text) => hmac.create(sha256, f.macKey).update(header).update(text).digest();
  const cbcSeal = (length) => {
    const run = () => aesCbc().encrypt(cbcRecord(f, length, mac));
    return { run, check: run };
  };
  const cbcOpen = (length) => {
    const sealed = aesCbc().encrypt(cbcRecord(f, length, mac));
    const run = () => withoutCbcPadding(f, aesCbc().decrypt(sealed), mac);
    return { run, check: run };
  };
  const nobles = { gcm, p256, hmac, sha256 };
  const handshake = () => {
    const signature = p256.sign(f.digest, f.ecScalar, { prehash: false, lowS: false });
    const fixture = { key: f.ecScalar, scalar: f.p256Scalar, peer: f.p256Peer, digest: f.digest };
    const run = () => nobleHandshake(nobles, { ...fixture, signer: f.ecPoint, signature });
    return { run, check: () => run().length === 33 || run().length === 65 };
  };
  const seed = new Uint8Array([...Buffer.from("master secret"), ...f.prfSeed]);
  const prf = (length) => {
    const out = new Uint8Array(Math.ceil(length / 32) * 32);
    for (let a = seed, at = 0; at < length; at += 32) {
      a = hmac(sha256, f.prfSecret, a);
      out.set(hmac.create(sha256, f.prfSecret).update(a).update(seed).digest(), at);
    }
    return out.subarray(0, length);
  };
  return {
    "p256-keygen": { run: () => p256.getPublicKey(p256.utils.randomSecretKey(), false), check: () => publicKey },
    "p256-ecdh": ecdh(p256, f.p256Scalar, f.p256Peer),
    "p384-ecdh": ecdh(p384, f.p384Scalar, f.p384Peer),
    "p521-ecdh": ecdh(p521, f.p521Scalar, f.p521Peer),
    "x25519-ecdh": {
      run: () => x25519.getSharedSecret(f.x25519Scalar, f.x25519Peer),
      check: () => x25519.getSharedSecret(f.x25519Scalar, f.x25519Peer),
    },
    "ecdsa-p256-sign": { run: signature, check: () => verify(signature()) },
    "ecdsa-p256-verify": { run: () => verify(f.ecSignature), check: () => verify(f.ecSignature) },
    "ecdsa-p384-sign": { run: p384Signature, check: () => p384Verify(p384Key.point, p384Signature()) },
    "ecdsa-p384-verify": {
      run: () => p384Verify(p384Public, f.p384Signature),
      check: () => p384Verify(p384Public, f.p384Signature),
    },
    "sha256-16384": { run: () => sha256(f.message), check: () => sha256(f.message) },
    "sha384-16384": { run: () => sha384(f.message), check: () => sha384(f.message) },
    "prf-48": { run: () => prf(48), check: () => prf(48) },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
    "aes128gcm-open-64": open(64),
    "aes128gcm-open-256": open(256),
    "aes128gcm-open-1024": open(1024),
    "aes128gcm-open-16384": open(16_384),
    "chacha20poly1305-seal-64": seal(64, chacha),
    "chacha20poly1305-seal-16384": seal(16_384, chacha),
    "chacha20poly1305-open-16384": open(16_384, chacha),
    "aes128cbc-sha256-seal-1024": cbcSeal(1024),
    "aes128cbc-sha256-seal-16384": cbcSeal(16_384),
    "aes128cbc-sha256-open-1024": cbcOpen(1024),
    "aes128cbc-sha256-open-16384": cbcOpen(16_384),
    "handshake-ecdsa-mutual": handshake(),
  };
});
