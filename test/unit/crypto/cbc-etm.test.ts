import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { aes128Cbc, composeCrypto, createCrypto, sha1, sha256, sha384 } from "../../../src/tls/crypto/index.ts";
import { finishWith } from "./support.ts";

const crypto = createCrypto();
const IV = 16;
const HEADER = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 23, 3, 3);
const refuse = expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" });

describe.each([
  ["sha1", 20, 16],
  ["sha256", 32, 16],
  ["sha384", 48, 32],
] as const)("RFC 7366 §3 AES-CBC, then HMAC-%s", (mac, macBytes, keyBytes) => {
  const key = new Uint8Array(randomBytes(keyBytes));
  const macKey = new Uint8Array(randomBytes(macBytes));
  const cipher = crypto.cbc(keyBytes === 16 ? "aes-128-cbc" : "aes-256-cbc", key, mac, macKey, "encrypt-then-mac");

  /** Vector, ciphertext and MAC of any bytes, as node:crypto makes them. */
  function made(bytes: Uint8Array, iv: Uint8Array = randomBytes(IV)): Uint8Array {
    const body = createCipheriv(`aes-${8 * keyBytes}-cbc`, key, iv)
      .setAutoPadding(false)
      .update(bytes);
    const sent = concat([iv, body]);
    const length = Uint8Array.of(sent.length >> 8, sent.length);
    const tag = createHmac(mac, macKey).update(HEADER).update(length).update(sent).digest();
    return concat([sent, tag]);
  }

  const padded = (text: Uint8Array, padding: number) => concat([text, new Uint8Array(padding + 1).fill(padding)]);
  const textOf = (length: number) => new Uint8Array(length).map((_, i) => i * 7 + length);
  const header = () => concat([HEADER, Uint8Array.of(0xaa, 0xaa)]);
  const open = (record: Uint8Array) => finish(cipher.open(record, IV, record.length, header()));

  it("seals every length up to 600 as node:crypto does, and opens it, whatever the budget", () => {
    for (let length = 0; length <= 600; length += length < 300 ? 1 : 37) {
      const text = textOf(length);
      const expected = made(padded(text, 15 - (length % 16)));
      expect(cipher.expansion(length)).toBe(expected.length - IV - length);
      const buffer = new Uint8Array(expected.length + 3).fill(0xee);
      buffer.set(expected.subarray(0, IV));
      buffer.set(text, IV);
      expect(finishWith(cipher.seal(buffer, IV, IV + length, header()), () => 1)).toBe(expected.length);
      expect(toHex(buffer)).toBe(`${toHex(expected)}eeeeee`);
      expect(finishWith(cipher.open(expected, IV, expected.length, header()), () => 1)).toBe(length);
      expect(expected.subarray(IV, IV + length)).toEqual(text);
    }
  });

  it("opens every length of padding", () => {
    for (let padding = 0; padding < 256; padding++) {
      const length = 32 + (15 - (padding % 16));
      expect(open(made(padded(textOf(length), padding)))).toBe(length);
    }
  });

  it("what is not authentic is wiped and never decrypted: it costs only its MAC", () => {
    const right = made(padded(textOf(100), 11));
    const task = cipher.open(right.slice(), IV, right.length, header());
    expect(finish(task)).toBe(100);
    for (const at of [0, IV, right.length - macBytes - 1, right.length - macBytes, right.length - 1]) {
      const wrong = right.slice();
      wrong[at]! ^= 0x10;
      const refused = cipher.open(wrong, IV, wrong.length, header());
      expect(finish(refused)).toBeUndefined();
      expect(refused.spent).toBeLessThan(task.spent);
      expect(wrong.subarray(IV).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("padding that is wrong under a right MAC, and records that are too short or of no whole blocks", () => {
    const wrong = padded(textOf(40), 7);
    wrong[41]! ^= 1;
    for (const bytes of [wrong, new Uint8Array(16).fill(16), new Uint8Array(32).fill(255)]) {
      const record = made(bytes);
      expect(open(record)).toBeUndefined();
      expect(record.subarray(IV).every((byte) => byte === 0)).toBe(true);
    }
    expect(open(made(new Uint8Array(0)))).toBeUndefined();
    // The padding would begin in the vector, which goes on as it does.
    expect(open(made(new Uint8Array(16).fill(16), new Uint8Array(16).fill(16)))).toBeUndefined();
    for (let length = 0; length < macBytes + 32; length++)
      if (length !== macBytes + 16) {
        // What stands behind a record is another's.
        const buffer = new Uint8Array(IV + length + 80).fill(7);
        expect(finish(cipher.open(buffer, IV, IV + length, header()))).toBeUndefined();
        expect(buffer.subarray(IV, IV + length).every((byte) => byte === 0)).toBe(true);
        expect(buffer.subarray(IV + length).every((byte) => byte === 7)).toBe(true);
      }
  });

  it("a range without room, and one without a vector, are mistakes of the caller", () => {
    const buffer = new Uint8Array(IV + 16 + macBytes);
    expect(() => cipher.seal(buffer, IV, IV + 16, header())).toThrow(refuse);
    expect(() => cipher.seal(buffer, 0, 1, header())).toThrow(refuse);
    expect(() => cipher.open(buffer, 0, 16, header())).toThrow(refuse);
    expect(() => cipher.open(buffer, IV, buffer.length + 1, header())).toThrow(refuse);
  });
});

describe("a provider with CBC", () => {
  const aes = new Uint8Array(16);

  it("computes what it is composed of, and says so", () => {
    const small = composeCrypto({
      hashes: [sha1, sha256, sha384],
      aeads: [],
      cbcs: [aes128Cbc],
      groups: [],
      signatures: [],
    });
    expect([small.supports("aes-128-cbc"), small.supports("aes-256-cbc")]).toEqual([true, false]);
    expect(() => small.cbc("aes-256-cbc", new Uint8Array(32), "sha1", new Uint8Array(20), "mac-then-encrypt")).toThrow(
      refuse,
    );
    const none = composeCrypto({ hashes: [sha1], aeads: [], groups: [], signatures: [] });
    expect(none.supports("aes-128-cbc")).toBe(false);
    expect(() => none.cbc("aes-128-cbc", aes, "sha1", new Uint8Array(20), "mac-then-encrypt")).toThrow(refuse);
  });

  it.each(["mac-then-encrypt", "encrypt-then-mac"] as const)("%s: nothing goes on without the keys", (order) => {
    const wiped = expect.objectContaining({ code: "USAGE_WRONG_STATE" });
    const small = composeCrypto({ hashes: [sha1], aeads: [], cbcs: [aes128Cbc], groups: [], signatures: [] });
    const cipher = small.cbc("aes-128-cbc", aes, "sha1", new Uint8Array(20), order);
    const header = new Uint8Array(13);
    const sealed = new Uint8Array(IV + 1000 + cipher.expansion(1000));
    finish(cipher.seal(sealed, IV, IV + 1000, header));
    const begun = [
      cipher.seal(new Uint8Array(sealed.length), IV, IV + 1000, header),
      cipher.open(sealed, IV, sealed.length, header),
    ];
    for (const task of begun) task.step(1);
    cipher.wipe();
    for (const task of begun) expect(() => task.step(1)).toThrow(wiped);
    expect(() => cipher.seal(sealed, IV, IV + 1000, header)).toThrow(wiped);
    expect(() => cipher.open(sealed, IV, sealed.length, header)).toThrow(wiped);
  });

  it("takes keys of the right lengths only", () => {
    for (const [keyBytes, macBytes] of [
      [15, 20],
      [32, 20],
      [16, 19],
      [16, 32],
    ] as const)
      expect(() =>
        crypto.cbc("aes-128-cbc", new Uint8Array(keyBytes), "sha1", new Uint8Array(macBytes), "encrypt-then-mac"),
      ).toThrow(refuse);
  });
});
