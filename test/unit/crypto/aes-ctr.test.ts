import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { AesCtr } from "../../../src/tls/crypto/index.ts";
import { runs } from "../../runs.ts";

const COUNTER = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const TEXT =
  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const VECTORS = [
  [
    "F.5.1, F.5.2: 128 bits",
    "2b7e151628aed2a6abf7158809cf4f3c",
    "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
  ],
  [
    "F.5.3, F.5.4: 192 bits",
    "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
    "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e941e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
  ],
  [
    "F.5.5, F.5.6: 256 bits",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c52b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
  ],
] as const;

describe("NIST SP 800-38A §6.5 AES-CTR", () => {
  it.each(VECTORS)("%s", (_name, key, ciphertext) => {
    const buffer = fromHex(TEXT);
    const cipher = new AesCtr(fromHex(key));
    const next = finish(cipher.apply(buffer, 0, buffer.length, COUNTER));
    expect(toHex(buffer)).toBe(ciphertext);
    expect(toHex(next)).toBe("f0f1f2f3f4f5f6f7f8f9fafbfcfdff03");
    finish(cipher.apply(buffer, 0, buffer.length, COUNTER));
    expect(toHex(buffer)).toBe(TEXT);
  });

  it("is what node:crypto computes, for any key, counter, range and budget, and touches nothing beside the range", () => {
    const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
    const counter = fc.oneof(
      bytes(16),
      fc.nat(16).map((ones) => new Uint8Array(16).fill(255, 16 - ones)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(16, 24, 32).chain(bytes),
        counter,
        fc.uint8Array({ maxLength: 100 }),
        fc.nat(20),
        fc.integer({ min: 1, max: 40 }),
        (key, first, text, start, budget) => {
          const buffer = new Uint8Array(start + text.length + 5).fill(7);
          buffer.set(text, start);
          const expected = buffer.slice();
          const node = createCipheriv(`aes-${8 * key.length}-ctr`, key, first);
          expected.set(node.update(text), start);
          const task = new AesCtr(key).apply(buffer, start, start + text.length, first);
          let spent = 0;
          while (!task.step(budget)) {
            expect(task.spent - spent).toBeLessThan(budget + 8);
            ({ spent } = task);
          }
          expect(buffer).toEqual(expected);
        },
      ),
      runs(300),
    );
  });

  it("goes on with the block that it hands out, over the end of the counter", () => {
    const key = new Uint8Array(16).fill(3);
    const first = new Uint8Array(16).fill(255);
    const whole = new Uint8Array(64);
    finish(new AesCtr(key).apply(whole, 0, 64, first));
    const parts = new Uint8Array(64);
    const cipher = new AesCtr(key);
    const next = finish(cipher.apply(parts, 0, 32, first));
    expect(toHex(next)).toBe("00000000000000000000000000000001");
    finish(cipher.apply(parts, 32, 64, next));
    expect(parts).toEqual(whole);
    expect(toHex(first)).toBe("ff".repeat(16));
    expect(finish(cipher.apply(parts, 5, 5, next))).toEqual(next);
  });

  it("refuses wrong lengths and ranges, and a key that was wiped", () => {
    const wrong = expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" });
    expect(() => new AesCtr(new Uint8Array(15))).toThrow(wrong);
    const cipher = new AesCtr(new Uint8Array(16));
    const buffer = new Uint8Array(8);
    expect(() => cipher.apply(buffer, 0, 8, new Uint8Array(12))).toThrow(wrong);
    for (const [start, end] of [
      [0, 9],
      [-1, 4],
      [5, 4],
      [Number.NaN, 4],
    ] as const)
      expect(() => cipher.apply(buffer, start, end, COUNTER)).toThrow(wrong);
    const begun = cipher.apply(new Uint8Array(48), 0, 48, COUNTER);
    begun.step(1);
    cipher.wipe();
    const wiped = expect.objectContaining({ code: "USAGE_WRONG_STATE" });
    expect(() => cipher.apply(buffer, 0, 8, COUNTER)).toThrow(wiped);
    expect(() => begun.step(1)).toThrow(wiped);
  });
});
