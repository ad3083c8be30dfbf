/**
 * Forms with small tables: their memory, and that they compute what the others do. (Wycheproof's files and the edges of the curves:
 * `test/vectors/crypto` and `curve.test.ts`.)
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { describe, expect, it } from "vitest";
import { countBytes } from "../../../bench/replay/allocations.ts";
import { toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { Aes, aesSbox, aesTable } from "../../../src/tls/crypto/aes.ts";
import { aes128Gcm } from "../../../src/tls/crypto/aes-gcm.ts";
import { SmallAes, smallAes } from "../../../src/tls/crypto/aes-small.ts";
import { p256 } from "../../../src/tls/crypto/curve-parameters.ts";
import { bigintArithmetic } from "../../../src/tls/crypto/field.ts";
import { Ghash } from "../../../src/tls/crypto/ghash.ts";
import { SmallGhash } from "../../../src/tls/crypto/ghash-small.ts";
import {
  aes128CbcSmall,
  aes128GcmSmall,
  type CryptoProvider,
  createCrypto,
  createSmallCrypto,
} from "../../../src/tls/crypto/index.ts";
import { fastShapes, MultiplesTable, type Shape, smallShapes } from "../../../src/tls/crypto/multiplication.ts";
import { Points } from "../../../src/tls/crypto/points.ts";
import { scalarDigits } from "../../../src/tls/crypto/recoding.ts";
import { random } from "./support.ts";

function bytesOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes, "test");
  return bytes;
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i));
}

describe("AES with an S-box only", () => {
  it("FIPS 197 appendix C: the example vectors, both ways", () => {
    const block = Uint8Array.from({ length: 16 }, (_, i) => 17 * i);
    for (const [length, expected] of [
      [16, "69c4e0d86a7b0430d8cdb78070b4c55a"],
      [24, "dda97ca4864cdfe06eaf70a0ec0d7191"],
      [32, "8ea2b7ca516745bfeafc49904b496089"],
    ] as const) {
      const key = Uint8Array.from({ length }, (_, i) => i);
      const words = wordsOf(block);
      smallAes().encryption(key).encrypt(words, words);
      expect([...words].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")).toBe(expected);
      smallAes().decryption(key).decrypt(words, words);
      expect(words).toEqual(wordsOf(block));
    }
  });

  it("random blocks: as node:crypto, both ways", () => {
    const form = smallAes();
    for (let i = 0; i < 200; i++) {
      const [key, block] = [bytesOf(i % 2 === 0 ? 16 : 32), bytesOf(16)];
      const name = `aes-${8 * key.length}-ecb`;
      const encrypted = new Int32Array(4);
      form.encryption(key).encrypt(wordsOf(block), encrypted);
      const cipher = createCipheriv(name, key, null).setAutoPadding(false);
      expect(encrypted).toEqual(wordsOf(new Uint8Array(cipher.update(block))));
      const decrypted = new Int32Array(4);
      form.decryption(key).decrypt(wordsOf(block), decrypted);
      const decipher = createDecipheriv(name, key, null).setAutoPadding(false);
      expect(decrypted).toEqual(wordsOf(new Uint8Array(decipher.update(block))));
    }
  });

  it("wiping leaves an all-zero key schedule, both ways", () => {
    const block = wordsOf(bytesOf(16));
    const sbox = aesSbox();
    // A zero key schedule: ten rounds and a last one of SubBytes, ShiftRows and MixColumns, the same for every key that was wiped.
    const after = [1, 2].map((seed) => {
      const aes = new SmallAes(sbox, new Uint8Array(16).fill(seed));
      const inverse = smallAes().decryption(new Uint8Array(16).fill(seed));
      aes.wipe();
      inverse.wipe();
      const words = new Int32Array(4);
      aes.encrypt(block, words);
      inverse.decrypt(words, words);
      return words;
    });
    expect(after).toEqual([block, block]);
  });
});

describe("GHASH with a table of 16 multiples", () => {
  it("NIST SP 800-38D §6.4 random keys and data, and the ends of the field: as with one of 256", () => {
    const one = Int32Array.of(1 << 31, 0, 0, 0);
    const highest = Int32Array.of(0, 0, 0, 1);
    const full = new Int32Array(4).fill(-1);
    const keys = [one, highest, full, ...Array.from({ length: 100 }, () => wordsOf(bytesOf(16)))];
    for (const key of keys)
      for (const data of [bytesOf(16), bytesOf(45), new Uint8Array(33).fill(255), new Uint8Array(16).fill(1, 15)]) {
        const states = [new Ghash(key), new SmallGhash(key)].map((hash) => {
          hash.absorb(data, 0, data.length);
          const tag = new Int32Array(4);
          hash.finishInto(tag, 3, data.length);
          return tag;
        });
        expect(states[1]).toEqual(states[0]);
      }
  });
});

describe("a provider with small tables", () => {
  const large = createCrypto();
  const small: CryptoProvider[] = [
    createSmallCrypto(),
    ...(["auto", "bigint", "limbs"] as const).map((arithmetic) => createCrypto({ arithmetic, tables: "small" })),
  ];

  it("has everything that the other has, and takes no other word", () => {
    for (const crypto of small)
      for (const name of ["aes-128-gcm", "aes-256-gcm", "aes-256-cbc", "secp521r1", "x25519", "rsa-pss"] as const)
        expect(crypto.supports(name)).toBe(true);
    expect(() => createCrypto({ tables: "tiny" as never })).toThrow('tables are "large" or "small"');
  });

  it("seals records as the other does, and opens them", () => {
    for (const crypto of small)
      for (const [name, keyBytes] of [
        ["aes-128-gcm", 16],
        ["aes-256-gcm", 32],
      ] as const)
        for (const length of [0, 1, 15, 16, 17, 64, 257, 4096]) {
          const [key, nonce, aad, text] = [bytesOf(keyBytes), bytesOf(12), bytesOf(13), bytesOf(length)];
          const [ours, other] = [crypto, large].map((provider) => {
            const buffer = new Uint8Array(length + 16);
            buffer.set(text);
            finish(provider.aead(name, key).seal(buffer, 0, length, nonce, aad));
            return buffer;
          });
          expect(ours).toEqual(other);
          expect(finish(crypto.aead(name, key).open(ours!, 0, length, nonce, aad))).toBe(true);
          expect(toHex(ours!.subarray(0, length))).toBe(toHex(text));
        }
  });

  it("opens CBC records of the other, in both orders, and the other opens its", () => {
    for (const order of ["mac-then-encrypt", "encrypt-then-mac"] as const)
      for (const [sealer, opener] of [
        [large, small[0]!],
        [small[0]!, large],
      ] as const) {
        const [key, macKey, header, text] = [bytesOf(32), bytesOf(32), bytesOf(13), bytesOf(100)];
        const [seal, open] = [sealer, opener].map((crypto) => crypto.cbc("aes-256-cbc", key, "sha256", macKey, order));
        const buffer = new Uint8Array(16 + 100 + seal!.expansion(100));
        random.fill(buffer, "test");
        buffer.set(text, 16);
        const end = 16 + finish(seal!.seal(buffer, 16, 116, header));
        expect(finish(open!.open(buffer, 16, buffer.length, header)), `${order} ${end}`).toBe(100);
        expect(buffer.subarray(16, 116)).toEqual(text);
      }
  });

  it.each(["secp256r1", "secp384r1", "secp521r1"] as const)("%s: agrees and signs with the other", (curve) => {
    for (const crypto of small) {
      const [ours, theirs] = [crypto, large].map((provider) => finish(provider.keyExchange(curve, random)));
      expect(finish(ours!.shared(theirs!.publicKey))).toEqual(finish(theirs!.shared(ours!.publicKey)));
      const key = finish(crypto.generateKey(curve, random));
      const digest = bytesOf(32);
      const algorithm = { kind: "ecdsa", hash: "sha256" } as const;
      const signature = finish(crypto.sign(algorithm, key, digest, random));
      const publicKey = finish(large.publicKey(key, random));
      for (const provider of [crypto, large])
        expect(finish(provider.verify(algorithm, publicKey, digest, signature))).toBe(true);
      digest[0]! ^= 1;
      expect(finish(crypto.verify(algorithm, publicKey, digest, signature))).toBe(false);
    }
  });
});

describe("bytes of tables (README, docs/ARCHITECTURE.md)", () => {
  /** What making an S-box takes for a moment. */
  const SCRATCH = 512;

  it("AES: 4 KiB for all keys, or 256 bytes; CBC 1.25 KiB for each that opens, or 256 bytes for all", () => {
    expect(countBytes(() => aesTable()) - SCRATCH - 256).toBe(4096);
    expect(countBytes(() => aesSbox()) - SCRATCH).toBe(256);
    expect(countBytes(() => smallAes()) - SCRATCH).toBe(512);
    expect(countBytes(() => aes128CbcSmall.prepare()) - SCRATCH).toBe(512);
  });

  it("GHASH: 4 KiB for each key, or 256 bytes", () => {
    const key = Int32Array.of(1, 2, 3, 4);
    const state = 16;
    expect(countBytes(() => new Ghash(key)) - state).toBe(4096);
    expect(countBytes(() => new SmallGhash(key)) - state).toBe(256);
  });

  it("a key for AES-128-GCM: 4.2 KiB, or 0.5", () => {
    const key = new Uint8Array(16);
    const [fast, small] = [aes128Gcm, aes128GcmSmall].map((algorithm) => {
      const make = algorithm.prepare();
      return countBytes(() => make(key));
    });
    expect([fast, small]).toEqual([4336, 496]);
    // The round keys are in both.
    expect(new Aes(aesTable(), key).roundKeys.byteLength).toBe(176);
  });

  it.each([
    { title: "BigInt", bits: p256.bits + 8 * p256.blindingBytes + 1, of: "blinded", points: [72, 24] },
    { title: "limbs", bits: p256.bits, of: "uniform", points: [128, 24] },
  ] as const)("P-256's generator on $title: $points points", ({ bits, of, points }) => {
    const law = new Points(bigintArithmetic(p256.prime, p256.bits));
    const count = ({ baseWindow, baseStride }: Shape): number => {
      const digits = scalarDigits(baseWindow, bits);
      const table = new MultiplesTable(law, law.at(p256), baseWindow, baseStride, digits);
      return finish(table).reduce((sum, row) => sum + row.x.length, 0);
    };
    expect([fastShapes, smallShapes].map((shapes) => count(shapes[of]))).toEqual(points);
  });
});
