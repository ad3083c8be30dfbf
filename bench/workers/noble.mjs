/** The noble libraries: the purest and best audited JavaScript. They have neither RSA nor X.509 nor TLS. */
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { measure } from "./measure.mjs";

await measure("noble", (f) => {
  const publicKey = p256.getPublicKey(f.scalar, false);
  const signature = () => p256.sign(f.digest, f.ecScalar, { prehash: false, lowS: false, format: "der" });
  const verify = (bytes) => p256.verify(bytes, f.digest, f.ecPoint, { prehash: false, lowS: false, format: "der" });
  const seal = (length) => {
    const plaintext = f.message.subarray(0, length);
    const run = () => gcm(f.gcmKey, f.gcmNonce, f.gcmAad).encrypt(plaintext);
    return { run, check: run };
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
    "p256-ecdh": {
      run: () => p256.getSharedSecret(f.scalar, f.peerPoint),
      check: () => p256.getSharedSecret(f.scalar, f.peerPoint).subarray(1, 33),
    },
    "ecdsa-p256-sign": { run: signature, check: () => verify(signature()) },
    "ecdsa-p256-verify": { run: () => verify(f.ecSignature), check: () => verify(f.ecSignature) },
    "sha256-16384": { run: () => sha256(f.message), check: () => sha256(f.message) },
    "prf-48": { run: () => prf(48), check: () => prf(48) },
    "aes128gcm-seal-64": seal(64),
    "aes128gcm-seal-256": seal(256),
    "aes128gcm-seal-1024": seal(1024),
    "aes128gcm-seal-16384": seal(16_384),
  };
});
