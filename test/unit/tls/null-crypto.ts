/**
 * A crypto provider that protects nothing: signatures are always valid, records are sealed with nothing, secrets are zeros. With it
 * mutated bytes reach the states that stand behind signatures, tags and Finished. For tests only, of course.
 *
 * @module
 */

import { toHex } from "../../../src/bytes.ts";
import { done, finish, type Task } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { CryptoProvider, PublicKey } from "../../../src/tls/crypto/provider.ts";

/** A provider without any security. */
export function nullCrypto(): CryptoProvider {
  const own = createCrypto();
  // The one thing that is computed, once a key: an identity is checked whenever a client is made.
  const publicKeys = new Map<string, Task<PublicKey>>();
  return {
    supports: (algorithm) => own.supports(algorithm),
    hash: (name) => own.hash(name),
    hashUnits: (name, bytes) => own.hashUnits(name, bytes),
    digest: () => done(new Uint8Array(32)),
    hmac: () => new Uint8Array(32),
    prf: (_name, _secret, _label, _seed, length) => done(new Uint8Array(length)),
    aead: (name, key) => ({
      name,
      keyBytes: key.length,
      nonceBytes: 12,
      tagBytes: 16,
      seal(buffer, _start, end) {
        buffer.fill(0, end, end + 16);
        return done(undefined);
      },
      open: () => done(true),
      wipe() {},
    }),
    // Padding, and a MAC of zeros behind it.
    cbc: (_name, _key, mac) => {
      const macBytes = own.hash(mac).outputBytes;
      const expansion = (bytes: number) => 16 - (bytes % 16) + macBytes;
      return {
        expansion,
        seal(buffer, start, end) {
          const sealedEnd = end + expansion(end - start);
          buffer
            .fill(sealedEnd - macBytes - end - 1, end, sealedEnd - macBytes)
            .fill(0, sealedEnd - macBytes, sealedEnd);
          return done(sealedEnd);
        },
        open(buffer, start, end) {
          const textEnd = end - macBytes - 1 - buffer[end - macBytes - 1]!;
          return done(textEnd < start ? undefined : textEnd - start);
        },
        wipe() {},
      };
    },
    keyExchange: (group) =>
      done({
        group,
        publicKey: new Uint8Array(65).fill(4),
        shared: () => done(new Uint8Array(32)),
        wipe() {},
      }),
    verify: () => done(true),
    sign: () => done(new Uint8Array(70)),
    publicKey(key, random) {
      const name = key.type === "ec" ? toHex(key.scalar) : toHex(key.modulus);
      const known = publicKeys.get(name) ?? done(finish(own.publicKey(key, random)));
      publicKeys.set(name, known);
      return known;
    },
    generateKey: (curve, random) => own.generateKey(curve, random),
  };
}
