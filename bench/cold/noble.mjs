/**
 * What a mutual ECDSA handshake computes, with noble's primitives and without any TLS, sockets or certificates around them: a lower bound
 * for every TLS client that stands on noble.
 */
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

const count = Number(process.argv[4]);
const bytes = (length, value) => new Uint8Array(length).fill(value);
const raw = { prehash: false, lowS: false };
const key = p256.utils.randomSecretKey();
const peer = p256.getPublicKey(p256.utils.randomSecretKey(), false);
const digest = sha256(bytes(200, 1));
const signer = p256.getPublicKey(key, false);
const signature = p256.sign(digest, key, raw);
for (let i = 0; i < count; i++) {
  const scalar = p256.utils.randomSecretKey();
  p256.getPublicKey(scalar, false);
  const shared = p256.getSharedSecret(scalar, peer);
  // The server's certificate and its ServerKeyExchange.
  for (let n = 0; n < 2; n++) if (!p256.verify(signature, digest, signer, raw)) throw new Error("wrong signature");
  p256.sign(digest, key, raw);
  // Master secret, key block, two Finished: about 22 HMACs, and the transcript.
  for (let n = 0; n < 22; n++) hmac(sha256, shared.subarray(1, 33), bytes(77, n));
  for (let n = 0; n < 3; n++) sha256(bytes(700, n));
  const sealed = gcm(bytes(16, 1), bytes(12, 2), bytes(13, 3)).encrypt(bytes(16, 4));
  gcm(bytes(16, 1), bytes(12, 2), bytes(13, 3)).decrypt(sealed);
}
const { user, system } = process.cpuUsage();
console.log(user + system);
