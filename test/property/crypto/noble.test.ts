/** The noble libraries as an oracle: other code by other people in the same language, which shares neither OpenSSL's nor our ideas. */

import { cbc, ctr, gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 as nobleX25519 } from "@noble/curves/ed25519.js";
import * as nist from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha1 as nobleSha1 } from "@noble/hashes/legacy.js";
import * as sha2 from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_BYTES, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { AesCbc } from "../../../src/tls/crypto/aes-cbc.ts";
import { tableAes } from "../../../src/tls/crypto/aes-form.ts";
import { createBigIntCurve, createCurve } from "../../../src/tls/crypto/curve.ts";
import { p256, p384, p521 } from "../../../src/tls/crypto/curve-parameters.ts";
import { signature } from "../../../src/tls/crypto/ecdsa.ts";
import { createCrypto, sha256, sha384, sha512 } from "../../../src/tls/crypto/index.ts";
import { toInteger } from "../../../src/tls/crypto/integers.ts";
import { p256LimbArithmetic } from "../../../src/tls/crypto/p256-limbs.ts";
import { runs } from "../../runs.ts";
import { labelled, random } from "../../unit/crypto/support.ts";

const onBigInt = createCrypto({ arithmetic: "bigint" });
const onLimbs = createCrypto({ arithmetic: "limbs" });
const aes = tableAes();
const nobleHashes = { sha1: nobleSha1, sha256: sha2.sha256, sha384: sha2.sha384, sha512: sha2.sha512 };
/** `hash` is what noble makes its nonces with on that curve. */
const p256Row = { name: "secp256r1", theirs: nist.p256, hash: sha256 } as const;
const rows = [
  { ...p256Row, title: "P-256 on BigInt", crypto: onBigInt, curve: createBigIntCurve(p256), count: 8 },
  { ...p256Row, title: "P-256 on limbs", crypto: onLimbs, curve: createCurve(p256, p256LimbArithmetic), count: 8 },
  {
    title: "P-384",
    name: "secp384r1",
    theirs: nist.p384,
    hash: sha384,
    crypto: onBigInt,
    curve: createBigIntCurve(p384),
    count: 3,
  },
  {
    title: "P-521",
    name: "secp521r1",
    theirs: nist.p521,
    hash: sha512,
    crypto: onBigInt,
    curve: createBigIntCurve(p521),
    count: 3,
  },
] as const;
const hashNames = fc.constantFrom("sha1", "sha256", "sha384", "sha512");
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 700 });
const aesKey = fc.oneof(bytes(16), bytes(32));

describe.each(rows)("$title against noble", ({ name, theirs, hash, crypto, curve, count }) => {
  it("SP 800-56A §5.7.1.2 ECDH, both ways", () => {
    fc.assert(
      fc.property(fc.constant(undefined), () => {
        const { secretKey, publicKey } = theirs.keygen();
        const exchange = finish(crypto.keyExchange(name, random));
        const shared = finish(exchange.shared(theirs.Point.fromBytes(publicKey).toBytes(false)))!;
        expect(toHex(shared)).toBe(toHex(theirs.getSharedSecret(secretKey, exchange.publicKey).subarray(1)));
      }),
      runs(count),
    );
  });

  it("RFC 6979 §3.2 the same deterministic signature of any digest by any key, which both verify, and neither when altered", () => {
    const raw = { prehash: false, lowS: false, format: "der" } as const;
    fc.assert(
      fc.property(message, fc.nat(), (text, where) => {
        const { secretKey } = theirs.keygen();
        const point = theirs.getPublicKey(secretKey, false);
        const digest = nobleHashes[hash.name](text);
        const ours = finish(signature(curve, hash, toInteger(secretKey), digest, NO_BYTES, random));
        expect(toHex(ours)).toBe(toHex(theirs.sign(digest, secretKey, raw)));
        const verify = (made: Uint8Array) =>
          finish(crypto.verify({ kind: "ecdsa", hash: hash.name }, { type: "ec", curve: name, point }, digest, made));
        expect(verify(ours)).toBe(true);
        const randomised = finish(
          crypto.sign(
            { kind: "ecdsa", hash: hash.name },
            { type: "ec", curve: name, scalar: secretKey },
            digest,
            random,
          ),
        );
        expect(theirs.verify(randomised, digest, point, raw)).toBe(true);
        const altered = ours.slice();
        altered[where % altered.length]! ^= 1 << (where % 8);
        expect(verify(altered)).toBe(false);
      }),
      runs(count),
    );
  });
});

describe("symmetric algorithms against noble", () => {
  it("RFC 7748 §5 X25519 of any scalar and any bytes of a peer", () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), (scalar, peer) => {
        const exchange = finish(onBigInt.keyExchange("x25519", labelled("ecdhe", scalar)));
        expect(toHex(exchange.publicKey)).toBe(toHex(nobleX25519.getPublicKey(scalar)));
        let expected: Uint8Array | undefined;
        try {
          expected = nobleX25519.getSharedSecret(scalar, peer);
        } catch {
          // A point of low order, which noble refuses with an exception.
        }
        expect(finish(exchange.shared(peer))).toEqual(expected);
      }),
      runs(10),
    );
  });

  it("FIPS 180-4 hashes in pieces, and RFC 2104 HMAC", () => {
    fc.assert(
      fc.property(hashNames, fc.uint8Array({ maxLength: 300 }), message, message, (name, key, a, b) => {
        const hash = onBigInt.hash(name);
        hash.update(a);
        hash.update(b);
        const joined = new Uint8Array([...a, ...b]);
        expect(toHex(hash.digest())).toBe(toHex(nobleHashes[name](joined)));
        expect(toHex(onBigInt.hmac(name, key, [a, b]))).toBe(toHex(hmac(nobleHashes[name], key, joined)));
      }),
      runs(100),
    );
  });

  it("NIST SP 800-38D AES-GCM and RFC 8439 §2.8 ChaCha20-Poly1305", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"),
        bytes(32),
        bytes(12),
        fc.uint8Array({ maxLength: 40 }),
        message,
        (name, material, nonce, aad, plain) => {
          const key = name === "aes-128-gcm" ? material.subarray(0, 16) : material;
          const expected = (name === "chacha20-poly1305" ? chacha20poly1305 : gcm)(key, nonce, aad).encrypt(plain);
          const buffer = new Uint8Array(plain.length + 16);
          buffer.set(plain);
          const aead = onBigInt.aead(name, key);
          finish(aead.seal(buffer, 0, plain.length, nonce, aad));
          expect(toHex(buffer)).toBe(toHex(expected));
          expect(finish(aead.open(buffer, 0, plain.length, nonce, aad))).toBe(true);
          expect(buffer.subarray(0, plain.length)).toEqual(plain);
        },
      ),
      runs(100),
    );
  });

  it("NIST SP 800-38A §6.5 AES-CTR, which is in AES-GCM: its ciphertext is that of counter mode from block 2 on", () => {
    fc.assert(
      fc.property(aesKey, bytes(12), message, (key, nonce, plain) => {
        const buffer = new Uint8Array(plain.length + 16);
        buffer.set(plain);
        finish(
          onBigInt
            .aead(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key)
            .seal(buffer, 0, plain.length, nonce, NO_BYTES),
        );
        const expected = ctr(key, new Uint8Array([...nonce, 0, 0, 0, 2])).encrypt(plain);
        expect(toHex(buffer.subarray(0, plain.length))).toBe(toHex(expected));
      }),
      runs(60),
    );
  });

  it("NIST SP 800-38A §6.2 AES-CBC, both ways and in pieces", () => {
    fc.assert(
      fc.property(
        aesKey,
        bytes(16),
        fc.integer({ min: 0, max: 20 }),
        fc.nat(),
        bytes(320),
        (key, iv, blocks, cut, all) => {
          const plain = all.subarray(0, 16 * blocks);
          const expected = cbc(key, iv, { disablePadding: true }).encrypt(plain);
          const middle = 16 * (cut % (blocks + 1));
          const buffer = plain.slice();
          const sealing = new AesCbc(aes, key, "encrypt");
          sealing.start(iv, 0);
          sealing.encrypt(buffer, 0, middle);
          sealing.encrypt(buffer, middle, buffer.length);
          expect(toHex(buffer)).toBe(toHex(expected));
          const opening = new AesCbc(aes, key, "decrypt");
          opening.start(iv, 0);
          opening.decrypt(buffer, 0, middle);
          opening.decrypt(buffer, middle, buffer.length);
          expect(buffer).toEqual(plain);
        },
      ),
      runs(60),
    );
  });
});
