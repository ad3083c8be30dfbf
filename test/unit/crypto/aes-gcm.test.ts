import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { Aes, aesTable } from "../../../src/tls/crypto/aes.ts";
import { Ghash } from "../../../src/tls/crypto/ghash.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";

const crypto = createCrypto();

function encrypt(key: string, block: string): string {
  const words = Int32Array.from({ length: 4 }, (_, i) => Number.parseInt(block.slice(8 * i, 8 * i + 8), 16));
  new Aes(aesTable(), fromHex(key)).encrypt(words, words);
  return [...words].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

describe("AES", () => {
  it("FIPS 197 appendix C: the example vectors of 128 and 256 bits", () => {
    const block = "00112233445566778899aabbccddeeff";
    expect(encrypt("000102030405060708090a0b0c0d0e0f", block)).toBe("69c4e0d86a7b0430d8cdb78070b4c55a");
    expect(encrypt("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", block)).toBe(
      "8ea2b7ca516745bfeafc49904b496089",
    );
  });
});

describe("wiping", () => {
  it("overwrites round keys, multiples of the hash key, and states", () => {
    const aes = new Aes(aesTable(), new Uint8Array(16).fill(1));
    aes.wipe();
    expect(aes.roundKeys.every((word) => word === 0)).toBe(true);
    const ghash = new Ghash(Int32Array.of(1, 2, 3, 4));
    ghash.absorb(new Uint8Array(20).fill(9), 0, 20);
    ghash.wipe();
    expect(ghash.multiples.every((word) => word === 0)).toBe(true);
    expect(ghash.state.every((word) => word === 0)).toBe(true);
  });
});

describe("AES-GCM", () => {
  // The Galois/Counter Mode of Operation (McGrew, Viega), appendix B: test cases 1 to 4 and 13 to 16.
  const key128 = "feffe9928665731c6d6a8f9467308308";
  const nonce = "cafebabefacedbaddecaf888";
  const message =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
  const aad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
  const zeros = "00000000000000000000000000000000";

  it.each([
    { id: 1, key: zeros, nonce: zeros.slice(8), message: "", aad: "", sealed: "58e2fccefa7e3061367f1d57a4e7455a" },
    {
      id: 2,
      key: zeros,
      nonce: zeros.slice(8),
      message: zeros,
      aad: "",
      sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
    },
    {
      id: 3,
      key: key128,
      nonce,
      message,
      aad: "",
      sealed:
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4",
    },
    {
      id: 4,
      key: key128,
      nonce,
      message: message.slice(0, 120),
      aad,
      sealed:
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
    },
    {
      id: 13,
      key: zeros + zeros,
      nonce: zeros.slice(8),
      message: "",
      aad: "",
      sealed: "530f8afbc74536b9a963b4f1c4cb738b",
    },
    {
      id: 16,
      key: key128 + key128,
      nonce,
      message: message.slice(0, 120),
      aad,
      sealed:
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    },
  ])("NIST SP 800-38D: test case $id of the specification of GCM", (test) => {
    const key = fromHex(test.key);
    const aead = crypto.aead(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key);
    const bytes = fromHex(test.message);
    // In the middle of a larger buffer, whose rest must stay as it is.
    const buffer = new Uint8Array(bytes.length + 16 + 10).fill(0xee);
    buffer.set(bytes, 5);
    finish(aead.seal(buffer, 5, 5 + bytes.length, fromHex(test.nonce), fromHex(test.aad)));
    expect(toHex(buffer)).toBe(`eeeeeeeeee${test.sealed}eeeeeeeeee`);
    expect(finish(aead.open(buffer, 5, 5 + bytes.length, fromHex(test.nonce), fromHex(test.aad)))).toBe(true);
    expect(buffer.subarray(5, 5 + bytes.length)).toEqual(bytes);
  });

  it("NIST SP 800-38D §7.2 a changed bit anywhere opens to nothing, and the range is wiped", () => {
    const aead = crypto.aead("aes-128-gcm", fromHex(key128));
    const sealed = new Uint8Array(40 + 16).fill(7);
    finish(aead.seal(sealed, 0, 40, fromHex(nonce), fromHex(aad)));
    for (let bit = 0; bit < 8 * sealed.length; bit += 5) {
      const buffer = sealed.slice();
      buffer[bit >> 3]! ^= 1 << (bit & 7);
      expect(finish(aead.open(buffer, 0, 40, fromHex(nonce), fromHex(aad)))).toBe(false);
      expect(buffer.subarray(0, 40)).toEqual(new Uint8Array(40));
    }
    const other = fromHex(aad);
    other[19]! ^= 1;
    expect(finish(aead.open(sealed.slice(), 0, 40, fromHex(nonce), other))).toBe(false);
    expect(finish(aead.open(sealed, 0, 40, fromHex(nonce), fromHex(aad)))).toBe(true);
  });

  it("one task is restarted: a call drops what the one before had left", () => {
    const aead = crypto.aead("aes-128-gcm", fromHex(key128));
    const dropped = new Uint8Array(116);
    const first = aead.seal(dropped, 0, 100, fromHex(nonce), fromHex(aad));
    expect(first.step(1)).toBe(false);
    const buffer = new Uint8Array(16 + 16);
    const second = aead.seal(buffer, 0, 16, fromHex(nonce), fromHex(aad));
    expect(second).toBe(first);
    finish(second);
    expect(second.spent).toBe(5 * 16);
    expect(finish(aead.open(buffer, 0, 16, fromHex(nonce), fromHex(aad)))).toBe(true);
    expect(buffer.subarray(0, 16)).toEqual(new Uint8Array(16));
  });

  it("a wrong nonce, a range without room for the tag, and a wiped key are mistakes of the caller", () => {
    const aead = crypto.aead("aes-128-gcm", fromHex(key128));
    const buffer = new Uint8Array(32);
    expect(() => aead.seal(buffer, 0, 16, new Uint8Array(8), new Uint8Array(0))).toThrow("12 bytes");
    expect(() => aead.open(buffer, 0, 17, fromHex(nonce), new Uint8Array(0))).toThrow("do not lie in the buffer");
    expect(() => aead.seal(buffer, 8, 7, fromHex(nonce), new Uint8Array(0))).toThrow("do not lie in the buffer");
    aead.wipe();
    expect(() => aead.seal(buffer, 0, 16, fromHex(nonce), new Uint8Array(0))).toThrow("wiped");
  });

  it("a key that is wiped before a record is opened leaves it refused, whatever came before", () => {
    const aead = crypto.aead("aes-128-gcm", fromHex(key128));
    const buffer = new Uint8Array(80);
    finish(aead.seal(buffer, 0, 64, fromHex(nonce), new Uint8Array(0)));
    expect(finish(aead.open(buffer, 0, 64, fromHex(nonce), new Uint8Array(0)))).toBe(true);
    const opening = aead.open(buffer, 0, 64, fromHex(nonce), new Uint8Array(0));
    opening.step(1);
    aead.wipe();
    expect(finish(opening)).toBe(false);
    expect(buffer.subarray(0, 64)).toEqual(new Uint8Array(64));
  });

  it("a key that is wiped before a record is sealed ends the task: what stands there must not be sent", () => {
    const aead = crypto.aead("aes-128-gcm", fromHex(key128));
    const sealing = aead.seal(new Uint8Array(80), 0, 64, fromHex(nonce), new Uint8Array(0));
    sealing.step(1);
    aead.wipe();
    expect(() => sealing.step(1)).toThrow(expect.objectContaining({ code: "USAGE_WRONG_STATE" }));
    const done = crypto.aead("aes-128-gcm", fromHex(key128));
    const sealed = done.seal(new Uint8Array(80), 0, 64, fromHex(nonce), new Uint8Array(0));
    finish(sealed);
    done.wipe();
    expect(sealed.step(1)).toBe(true);
  });
});
