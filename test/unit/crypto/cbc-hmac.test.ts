import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { Aes, aesTable } from "../../../src/tls/crypto/aes.ts";
import { AesCbc } from "../../../src/tls/crypto/aes-cbc.ts";
import { AesDecrypt } from "../../../src/tls/crypto/aes-decrypt.ts";
import { tableAes } from "../../../src/tls/crypto/aes-form.ts";
import { CbcHmac } from "../../../src/tls/crypto/cbc-hmac.ts";
import type { HashAlgorithm } from "../../../src/tls/crypto/hash.ts";
import { sha1, sha256, sha384 } from "../../../src/tls/crypto/index.ts";
import { finishWith } from "./support.ts";

const table = aesTable();
const form = tableAes();
const IV = 16;

describe("AES-CBC", () => {
  it("FIPS 197 appendix C: decryption gives the example vectors back, in the middle of nothing else", () => {
    const block = "00112233445566778899aabbccddeeff";
    for (const [key, sealed] of [
      ["000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"],
      ["000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "8ea2b7ca516745bfeafc49904b496089"],
    ] as const) {
      const words = Int32Array.from({ length: 4 }, (_, i) => Number.parseInt(sealed.slice(8 * i, 8 * i + 8), 16));
      new AesDecrypt(new Aes(table, fromHex(key))).decrypt(words, words);
      expect([...words].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")).toBe(block);
    }
  });

  it("NIST SP 800-38A §6.2 as node:crypto, both ways, and in pieces", () => {
    for (const keyBytes of [16, 32]) {
      const key = randomBytes(keyBytes);
      for (let blocks = 1; blocks <= 40; blocks++) {
        const iv = randomBytes(16);
        const text = new Uint8Array(randomBytes(16 * blocks));
        const expected = createCipheriv(`aes-${8 * keyBytes}-cbc`, key, iv)
          .setAutoPadding(false)
          .update(text);
        const buffer = text.slice();
        const half = 16 * (blocks >> 1);
        const encrypt = new AesCbc(form, key, "encrypt");
        encrypt.start(iv, 0);
        encrypt.encrypt(buffer, 0, half);
        encrypt.encrypt(buffer, half, buffer.length);
        expect(toHex(buffer)).toBe(expected.toString("hex"));
        const decrypt = new AesCbc(form, key, "decrypt");
        decrypt.start(iv, 0);
        decrypt.decrypt(buffer, 0, half);
        decrypt.decrypt(buffer, half, buffer.length);
        expect(buffer).toEqual(text);
      }
    }
  });
});

describe.each([
  ["sha1", sha1, 16],
  ["sha256", sha256, 16],
  ["sha384", sha384, 32],
] as const)("RFC 5246 §6.2.3.2 AES-CBC with HMAC-%s", (name, algorithm: HashAlgorithm, keyBytes) => {
  const key = new Uint8Array(randomBytes(keyBytes));
  const macKey = new Uint8Array(randomBytes(algorithm.outputBytes));
  const mac = algorithm.outputBytes;
  const sealer = new CbcHmac(form, algorithm, key, macKey);
  const opener = new CbcHmac(form, algorithm, key, macKey);

  const headerOf = (length: number) => Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 23, 3, 3, length >> 8, length & 255);
  const macOf = (text: Uint8Array) => createHmac(name, macKey).update(headerOf(text.length)).update(text).digest();

  /** Vector and ciphertext of any bytes, as node:crypto makes them. */
  function encrypted(bytes: Uint8Array): Uint8Array {
    const iv = randomBytes(IV);
    const cipher = createCipheriv(`aes-${8 * keyBytes}-cbc`, key, iv).setAutoPadding(false);
    return new Uint8Array(Buffer.concat([iv, cipher.update(bytes)]));
  }

  /** Text, its MAC, and `padding + 1` bytes of the value `padding`. */
  function record(text: Uint8Array, padding: number): Uint8Array {
    return new Uint8Array(Buffer.concat([text, macOf(text), new Uint8Array(padding + 1).fill(padding)]));
  }

  /** The least padding that fills blocks. */
  const least = (length: number) => 15 - ((length + mac) % 16);
  const open = (buffer: Uint8Array) => finish(opener.open(buffer, IV, buffer.length, headerOf(0)));
  const textOf = (length: number) => new Uint8Array(length).map((_, i) => i * 7 + length);

  it("seals every length up to 600 as node:crypto does, and opens it", () => {
    for (let length = 0; length <= 600; length++) {
      const text = textOf(length);
      const expected = encrypted(record(text, least(length)));
      const buffer = new Uint8Array(IV + length + sealer.expansion(length) + 3).fill(0xee);
      buffer.set(expected.subarray(0, IV));
      buffer.set(text, IV);
      const end = finish(sealer.seal(buffer, IV, IV + length, headerOf(length)));
      expect(end).toBe(expected.length);
      expect(toHex(buffer)).toBe(`${toHex(expected)}eeeeee`);
      expect(open(expected)).toBe(length);
      expect(expected.subarray(IV, IV + length)).toEqual(text);
    }
  });

  it("opens every length of padding, at lengths around the blocks of the hash", () => {
    for (const length of [0, 1, 40, 50, 51, 52, 114, 115, 300, 1000])
      for (let padding = least(length); padding < 256; padding += 16)
        expect(open(encrypted(record(textOf(length), padding)))).toBe(length);
  });

  it("RFC 7457 §2.4 a wrong byte of padding or MAC opens to nothing, and the range is wiped", () => {
    for (const length of [0, 20, 55]) {
      for (const padding of [least(length), least(length) + 240 > 255 ? least(length) + 224 : least(length) + 240]) {
        const good = record(textOf(length), padding);
        for (let at = length; at < good.length; at++) {
          const bad = good.slice();
          bad[at]! ^= 1 << (at & 7);
          const buffer = encrypted(bad);
          expect(open(buffer)).toBeUndefined();
          expect(buffer.subarray(IV).every((byte) => byte === 0)).toBe(true);
        }
      }
    }
  });

  it("a padding that is longer than the record, a record that is too short, and one of no whole blocks", () => {
    const bytes = new Uint8Array(16 * Math.ceil((mac + 1) / 16)).fill(255);
    expect(open(encrypted(bytes))).toBeUndefined();
    expect(open(new Uint8Array(IV + (mac & ~15)))).toBeUndefined();
    expect(open(new Uint8Array(IV + 71))).toBeUndefined();
    expect(open(new Uint8Array(IV))).toBeUndefined();
  });

  it("any budget gives the same, and costs the same whatever is wrong and however long the padding is", () => {
    const spent = new Set<number>();
    const blocks = 64;
    const total = 16 * blocks;
    for (const padding of [least(total - mac - 1), 255, 100 - ((100 - least(total - mac - 1)) % 16)]) {
      const length = total - mac - 1 - padding;
      const good = record(textOf(length), padding);
      expect(good.length).toBe(total);
      for (const at of [undefined, 0, length, total - 2, total - 1]) {
        const bytes = good.slice();
        if (at !== undefined) bytes[at]! ^= 1;
        const sealed = encrypted(bytes);
        const task = opener.open(sealed, IV, sealed.length, headerOf(0));
        expect(finishWith(task, () => 1)).toBe(at === undefined ? length : undefined);
        spent.add(task.spent);
      }
    }
    expect(spent.size).toBe(1);
  });

  it("a range without room, and one without a vector, are mistakes of the caller", () => {
    const buffer = new Uint8Array(IV + 16 + mac);
    expect(() => sealer.seal(buffer, IV, IV + 16, headerOf(16))).toThrow("do not lie in the buffer");
    expect(() => sealer.seal(buffer, 0, 1, headerOf(1))).toThrow("do not lie in the buffer");
    expect(() => opener.open(buffer, 0, 16, headerOf(0))).toThrow("do not lie in the buffer");
  });
});
