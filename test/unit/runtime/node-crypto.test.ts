/** What the provider on `node:crypto` refuses, as `createCrypto()` does: the contract is that of `CryptoProvider`. */

import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { isThingwireError } from "../../../src/errors.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { CryptoProvider, KeyExchange } from "../../../src/tls/crypto/provider.ts";
import { emsaPkcs1 } from "../../../src/tls/crypto/rsa-pkcs1.ts";
import { random, rsaKey, rsaPublic } from "../crypto/support.ts";

const digest = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(12);
const pkcs1 = { kind: "rsa-pkcs1", hash: "sha256" } as const;
const key = rsaKey(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);
const small = rsaKey(generateKeyPairSync("rsa", { modulusLength: 768 }).privateKey);
const encoded = emsaPkcs1("sha256", digest, 128)!;

function scalarOf(scalar: Uint8Array) {
  return { type: "ec", curve: "secp256r1", scalar } as const;
}

function wipedExchange(crypto: CryptoProvider, group: "secp256r1" | "x25519"): unknown {
  const exchange: KeyExchange = finish(crypto.keyExchange(group, random));
  exchange.wipe();
  return finish(exchange.shared(exchange.publicKey));
}

function wipedAead(crypto: CryptoProvider): unknown {
  const aead = crypto.aead("aes-128-gcm", new Uint8Array(16));
  aead.wipe();
  return finish(aead.seal(new Uint8Array(40), 0, 5, nonce, digest));
}

const cases: readonly [string, (crypto: CryptoProvider) => unknown, expected: unknown][] = [
  [
    "the exponent 1, for which everyone can sign",
    (c) => finish(c.verify(pkcs1, { type: "rsa", modulus: key.modulus, exponent: Uint8Array.of(1) }, digest, encoded)),
    false,
  ],
  ["a modulus of 768 bits", (c) => finish(c.verify(pkcs1, rsaPublic(small), digest, encoded.subarray(32))), false],
  ["signing with 768 bits", (c) => finish(c.sign(pkcs1, small, digest, random)), "USAGE_INVALID_ARGUMENT"],
  [
    "a digest of another length",
    (c) => finish(c.verify(pkcs1, rsaPublic(key), digest.subarray(1), encoded)),
    "USAGE_INVALID_ARGUMENT",
  ],
  ["the scalar 0", (c) => finish(c.publicKey(scalarOf(new Uint8Array(32)), random)), "USAGE_INVALID_ARGUMENT"],
  [
    "a scalar above the order",
    (c) => finish(c.publicKey(scalarOf(digest.map(() => 255)), random)),
    "USAGE_INVALID_ARGUMENT",
  ],
  ["another hash", (c) => c.hash("md5" as "sha1"), "USAGE_INVALID_ARGUMENT"],
  ["another digest", (c) => c.digest("md5" as "sha1", []), "USAGE_INVALID_ARGUMENT"],
  ["another HMAC", (c) => c.hmac("md5" as "sha1", digest, []), "USAGE_INVALID_ARGUMENT"],
  ["another group", (c) => c.keyExchange("ffdhe2048" as "x25519", random), "USAGE_INVALID_ARGUMENT"],
  ["another curve", (c) => c.generateKey("x25519" as "secp256r1", random), "USAGE_INVALID_ARGUMENT"],
  ["another cipher", (c) => c.aead("aes-128-ccm" as "aes-128-gcm", digest), "USAGE_INVALID_ARGUMENT"],
  ["what every object has", (c) => c.supports("toString" as "sha1"), false],
  [
    "no room for the tag",
    (c) => c.aead("aes-256-gcm", digest).seal(new Uint8Array(20), 0, 5, nonce, digest),
    "USAGE_INVALID_ARGUMENT",
  ],
  [
    "a nonce of eight bytes",
    (c) => c.aead("aes-256-gcm", digest).open(new Uint8Array(40), 0, 5, nonce.subarray(4), digest),
    "USAGE_INVALID_ARGUMENT",
  ],
  ["a cipher that was wiped", wipedAead, "USAGE_WRONG_STATE"],
  ["a key exchange that was wiped", (c) => wipedExchange(c, "secp256r1"), "USAGE_WRONG_STATE"],
  ["a key exchange with X25519 that was wiped", (c) => wipedExchange(c, "x25519"), "USAGE_WRONG_STATE"],
];

function outcome(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return isThingwireError(error) ? error.code : error;
  }
}

describe("nodeCrypto refuses what createCrypto refuses", () => {
  it.each(cases)("%s", (_, action, expected) => {
    expect(outcome(() => action(createCrypto()))).toBe(expected);
    expect(outcome(() => action(nodeCrypto()))).toBe(expected);
  });
});
