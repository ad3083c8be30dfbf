import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { Aes, aesTable } from "../../../src/tls/crypto/aes.ts";
import { gcmWide, WIDE_BLOCKS, wideKey, wideLayout, wipeWide } from "../../../src/tls/crypto/gcm-wide.ts";
import { Ghash } from "../../../src/tls/crypto/ghash.ts";
import { aes128GcmWide, aes256GcmWide, composeCrypto, createBigIntCrypto } from "../../../src/tls/crypto/index.ts";
import { sboxSlices } from "../../../src/tls/crypto/sbox-slices.ts";
import { runs } from "../../runs.ts";

const WIDE_BYTES = 16 * WIDE_BLOCKS;
const table = aesTable();
const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });

const wordsOf = (block: Uint8Array) => {
  const view = new DataView(block.buffer, block.byteOffset);
  return Int32Array.from({ length: 4 }, (_, i) => view.getInt32(4 * i));
};

describe("SubBytes as a circuit", () => {
  it("FIPS 197 §5.1.1 gives all 256 substitutes, but for the constant 0x63", () => {
    const slices = Array.from({ length: 8 }, (_, bit) => {
      let slice = 0n;
      for (let byte = 0; byte < 256; byte++) slice |= BigInt((byte >> bit) & 1) << BigInt(byte);
      return slice;
    });
    const substituted = sboxSlices(slices);
    for (let byte = 0; byte < 256; byte++) {
      let found = 0;
      for (let bit = 0; bit < 8; bit++) found |= Number((substituted[bit]! >> BigInt(byte)) & 1n) << bit;
      expect(found ^ 0x63).toBe((table[byte]! >> 8) & 255);
    }
  });
});

describe("AES-GCM in the wide form", () => {
  const crypto = composeCrypto({ hashes: [], aeads: [aes128GcmWide, aes256GcmWide], groups: [], signatures: [] });

  it("NIST SP 800-38D seals and opens what node:crypto does, for any key, text and budget", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(16, 32),
        bytes(32),
        bytes(12),
        bytes(0, 40),
        fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constantFrom(1023, 1024, 1025, 1040, 2048, 3088)),
        bytes(64),
        fc.constantFrom(1, 500, 1024, 1025, 3000, 1e9),
        (keyBytes, keyPool, nonce, aad, length, pool, budget) => {
          const key = keyPool.subarray(0, keyBytes);
          const text = Uint8Array.from({ length }, (_, i) => pool[i % 64]! + i);
          const cipher = createCipheriv(`aes-${8 * keyBytes}-gcm` as "aes-128-gcm", key, nonce).setAAD(aad);
          const expected = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
          const aead = crypto.aead(keyBytes === 16 ? "aes-128-gcm" : "aes-256-gcm", key);
          // Not at the start of its memory.
          const buffer = new Uint8Array(length + 16 + 5).subarray(5);
          buffer.set(text);
          const seal = aead.seal(buffer, 0, length, nonce, aad);
          while (!seal.step(budget));
          expect(Buffer.compare(buffer, expected)).toBe(0);
          const forged = buffer.slice();
          const open = aead.open(buffer, 0, length, nonce, aad);
          while (!open.step(budget));
          expect(open.result).toBe(true);
          expect(Buffer.compare(buffer.subarray(0, length), text)).toBe(0);
          forged[forged.length >> 1]! ^= 1;
          expect(finish(aead.open(forged, 0, length, nonce, aad))).toBe(false);
          expect(forged.subarray(0, length).every((byte) => byte === 0)).toBe(true);
          aead.wipe();
        },
      ),
      runs(40),
    );
  });

  it("is what the table form computes, from any counter, which wraps, and any state of the hash", () => {
    fc.assert(
      fc.property(
        bytes(16),
        bytes(16),
        fc.constantFrom(0, 1, 0xff, 0xffff, 0xffffff, 0x7fffffff, 0xffffffff, 0xffffffc0, 0x00ffffc5, 0x12345678),
        bytes(16),
        bytes(2 * WIDE_BYTES),
        fc.boolean(),
        (key, block, last, start, text, sealing) => {
          const aes = new Aes(table, key);
          const hashKey = new Int32Array(4);
          aes.encrypt(hashKey, hashKey);
          const [wide, plain] = [new Ghash(hashKey), new Ghash(hashKey)];
          const [counter, plainCounter] = [wordsOf(block), wordsOf(block)];
          counter[3] = plainCounter[3] = last;
          for (const hash of [wide, plain]) hash.absorb(start, 0, 16);
          const found = text.slice();
          const view = new DataView(found.buffer);
          gcmWide(wideKey(wideLayout(), aes, wide), counter, view, 0, found.length, sealing);
          const expected = text.slice();
          const stream = new Int32Array(4);
          for (let at = 0; at < text.length; at += 16) {
            plainCounter[3]!++;
            aes.encrypt(plainCounter, stream);
            for (let i = 0; i < 16; i++) expected[at + i]! ^= stream[i >> 2]! >> (24 - 8 * (i & 3));
          }
          plain.absorb(sealing ? expected : text, 0, text.length);
          expect(Buffer.compare(found, expected)).toBe(0);
          expect(counter).toEqual(plainCounter);
          expect(wide.state).toEqual(plain.state);
        },
      ),
      runs(30),
    );
  });

  it("is what createBigIntCrypto has", () => {
    const [aead, wide] = [createBigIntCrypto(), crypto].map((provider) =>
      provider.aead("aes-128-gcm", new Uint8Array(16)),
    );
    const [buffer, other] = [new Uint8Array(2064), new Uint8Array(2064)];
    finish(aead!.seal(buffer, 0, 2048, new Uint8Array(12), new Uint8Array(0)));
    finish(wide!.seal(other, 0, 2048, new Uint8Array(12), new Uint8Array(0)));
    expect(buffer).toEqual(other);
  });

  it("takes some 5 KiB for the constants of all keys, and 1.5 KiB for each", () => {
    const layout = wideLayout();
    const lengthOf = (value: unknown): number => {
      if (typeof value === "bigint") return value.toString(16).length / 2;
      if (value instanceof Uint8Array) return value.length;
      return Object.values(value as object).reduce((sum: number, one) => sum + lengthOf(one), 0);
    };
    expect(lengthOf(layout)).toBeLessThan(5000);
    const aes = new Aes(table, new Uint8Array(16).fill(9));
    const key = wideKey(layout, aes, new Ghash(Int32Array.of(1, 2, 3, 4)));
    expect(lengthOf(key.roundKeys) + lengthOf(key.powers)).toBeLessThan(1700);
    wipeWide(key);
    expect(key.powers.every((digits) => digits.every((digit) => digit === 0))).toBe(true);
  });
});
