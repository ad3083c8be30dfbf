/**
 * What a mutual ECDSA handshake computes, with noble's primitives and without any TLS, sockets or certificates around them: a lower bound
 * for every TLS client that stands on noble. `cold/noble.mjs` runs it in fresh processes, `replay/noble.mjs` on other engines.
 */
const bytes = (length, value) => new Uint8Array(length).fill(value);
const raw = { prehash: false, lowS: false };

/** One handshake; returns the shared point. `fixture`: our `key`, the `scalar` of ECDHE, the `peer`'s point, a `signature` of `signer` over `digest`. */
export function nobleHandshake({ gcm, p256, hmac, sha256 }, { key, scalar, peer, digest, signer, signature }) {
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
  return shared;
}
