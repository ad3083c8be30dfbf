import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { ChaCha20 } from "../../../src/tls/crypto/chacha20.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { Poly1305 } from "../../../src/tls/crypto/poly1305.ts";

const words = (hex: string) => {
  const bytes = fromHex(hex);
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
};
const littleEndian = (state: Int32Array) => {
  const view = new DataView(new ArrayBuffer(4 * state.length));
  for (const [i, word] of state.entries()) view.setInt32(4 * i, word, true);
  return toHex(new Uint8Array(view.buffer));
};
const range = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);

describe("ChaCha20-Poly1305", () => {
  it("RFC 8439 §2.3.2 the block function, with the counter at 1", () => {
    const cipher = new ChaCha20(range(0, 32));
    cipher.start(fromHex("000000090000004a00000000"));
    const out = new Int32Array(16);
    cipher.next(out);
    cipher.next(out);
    expect(littleEndian(out)).toBe(
      "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
    );
  });

  it("RFC 8439 §2.8.2 the example of the AEAD", () => {
    const plain = utf8Encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const aead = createCrypto().aead("chacha20-poly1305", range(0x80, 32));
    const buffer = new Uint8Array(plain.length + 16);
    buffer.set(plain);
    const nonce = fromHex("070000004041424344454647");
    const aad = fromHex("50515253c0c1c2c3c4c5c6c7");
    finish(aead.seal(buffer, 0, plain.length, nonce, aad));
    expect(toHex(buffer)).toBe(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
    );
    expect(finish(aead.open(buffer, 0, plain.length, nonce, aad))).toBe(true);
    expect(buffer.subarray(0, plain.length)).toEqual(plain);
  });

  // Against the definition, in BigInt: r clamped, sum of blocks with their powers of r, plus s, modulo 2^128.
  it("RFC 8439 §2.5 Poly1305 at the edges of its modulus: all ones, all zeros, sums of exactly 2^130 - 5 and around", () => {
    const P = 2n ** 130n - 5n;
    const integer = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    for (const key of [
      "ff".repeat(32),
      `01${"00".repeat(31)}`,
      `02${"00".repeat(31)}`,
      `02${"00".repeat(15)}${"ff".repeat(16)}`,
      "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
      `${"fcffff0f".repeat(4)}${"01".repeat(16)}`,
    ])
      for (const block of [
        "ff".repeat(16),
        "00".repeat(16),
        `fb${"ff".repeat(15)}`,
        `fa${"ff".repeat(15)}`,
        "fe".repeat(16),
      ])
        for (const count of [0, 1, 2, 3, 9]) {
          const bytes = fromHex(block.repeat(count));
          const poly = new Poly1305();
          poly.start(words(key));
          poly.absorb(bytes, 0, bytes.length);
          const tag = new Int32Array(4);
          poly.finish(tag, 0, bytes.length);
          const r = integer(fromHex(key.slice(0, 32))) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
          let sum = 0n;
          const lengths = new Uint8Array(16);
          lengths[8] = bytes.length;
          for (const part of [...Array.from({ length: count }, (_, i) => bytes.subarray(16 * i, 16 * i + 16)), lengths])
            sum = ((sum + integer(part) + 2n ** 128n) * r) % P;
          expect(integer(fromHex(littleEndian(tag)))).toBe((sum + integer(fromHex(key.slice(32)))) % 2n ** 128n);
        }
  });

  it("RFC 8439 §2.5 Poly1305 with r = 1: a sum from 2^130 - 6 on is reduced where it must be", () => {
    for (let over = -1; over <= 5; over++) {
      // Two blocks and that of the lengths, each with its 2^128, add up to 2^130 - 5 + over.
      const block = 2n ** 128n - 5n + BigInt(over) - 32n * 2n ** 64n;
      const bytes = new Uint8Array(32);
      for (let i = 0; i < 16; i++) bytes[i] = Number((block >> BigInt(8 * i)) & 255n);
      const poly = new Poly1305();
      poly.start(words(`01${"00".repeat(31)}`));
      poly.absorb(bytes, 0, 32);
      const tag = new Int32Array(4);
      poly.finish(tag, 0, 32);
      expect(littleEndian(tag)).toBe(over < 0 ? `fa${"ff".repeat(15)}` : `0${over}${"00".repeat(15)}`);
    }
  });
});
