/**
 * AES with an S-box and nothing more: 256 bytes for all keys that encrypt, and 256 for those that decrypt (FIPS 197 §5.1, §5.3). MixColumns
 * is computed, on the four bytes of a column at a time.
 *
 * @module
 */

import { aesSbox, type BlockEncryption, expandKey, nextRow } from "./aes.ts";
import type { BlockDecryption } from "./aes-decrypt.ts";
import type { AesForm } from "./aes-form.ts";

/** The small form of AES, both directions. */
export function smallAes(): AesForm {
  const sbox = aesSbox();
  const inverse = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) inverse[sbox[byte]!] = byte;
  return {
    encryption: (key) => new SmallAes(sbox, key),
    decryption: (key) => new SmallAesDecrypt(sbox, inverse, key),
  };
}

/** AES encryption with one key of 16, 24 or 32 bytes. */
export class SmallAes implements BlockEncryption {
  readonly #sbox: Uint8Array;
  readonly #roundKeys: Int32Array;

  /** @param sbox - {@link aesSbox}, shared by all keys of a provider. */
  constructor(sbox: Uint8Array, key: Uint8Array) {
    this.#sbox = sbox;
    this.#roundKeys = expandWith(sbox, key);
  }

  encrypt(from: Int32Array, to: Int32Array): void {
    const s = this.#sbox;
    const keys = this.#roundKeys;
    const last = keys.length - 4;
    let a = from[0]! ^ keys[0]!;
    let b = from[1]! ^ keys[1]!;
    let c = from[2]! ^ keys[2]!;
    let d = from[3]! ^ keys[3]!;
    for (let k = 4; k < last; k += 4) {
      const w = mixColumn(substitute(s, a, b, c, d)) ^ keys[k]!;
      const x = mixColumn(substitute(s, b, c, d, a)) ^ keys[k + 1]!;
      const y = mixColumn(substitute(s, c, d, a, b)) ^ keys[k + 2]!;
      d = mixColumn(substitute(s, d, a, b, c)) ^ keys[k + 3]!;
      a = w;
      b = x;
      c = y;
    }
    to[0] = keys[last]! ^ substitute(s, a, b, c, d);
    to[1] = keys[last + 1]! ^ substitute(s, b, c, d, a);
    to[2] = keys[last + 2]! ^ substitute(s, c, d, a, b);
    to[3] = keys[last + 3]! ^ substitute(s, d, a, b, c);
  }

  wipe(): void {
    this.#roundKeys.fill(0);
  }
}

/** AES decryption: the steps of encryption backwards, with the same round keys (FIPS 197 §5.3). */
class SmallAesDecrypt implements BlockDecryption {
  readonly #inverse: Uint8Array;
  readonly #roundKeys: Int32Array;

  constructor(sbox: Uint8Array, inverse: Uint8Array, key: Uint8Array) {
    this.#inverse = inverse;
    this.#roundKeys = expandWith(sbox, key);
  }

  decrypt(from: Int32Array, to: Int32Array): void {
    const s = this.#inverse;
    const keys = this.#roundKeys;
    const last = keys.length - 4;
    let a = from[0]! ^ keys[last]!;
    let b = from[1]! ^ keys[last + 1]!;
    let c = from[2]! ^ keys[last + 2]!;
    let d = from[3]! ^ keys[last + 3]!;
    for (let k = last - 4; k > 0; k -= 4) {
      const w = unmixColumn(substitute(s, a, d, c, b) ^ keys[k]!);
      const x = unmixColumn(substitute(s, b, a, d, c) ^ keys[k + 1]!);
      const y = unmixColumn(substitute(s, c, b, a, d) ^ keys[k + 2]!);
      d = unmixColumn(substitute(s, d, c, b, a) ^ keys[k + 3]!);
      a = w;
      b = x;
      c = y;
    }
    to[0] = keys[0]! ^ substitute(s, a, d, c, b);
    to[1] = keys[1]! ^ substitute(s, b, a, d, c);
    to[2] = keys[2]! ^ substitute(s, c, b, a, d);
    to[3] = keys[3]! ^ substitute(s, d, c, b, a);
  }

  wipe(): void {
    this.#roundKeys.fill(0);
  }
}

function expandWith(sbox: Uint8Array, key: Uint8Array): Int32Array {
  return expandKey(key, (word) => substitute(sbox, word, word, word, word));
}

/** What an S-box makes of one byte each of four words. */
function substitute(s: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (s[(a >> 24) & 255]! << 24) | (s[(b >> 16) & 255]! << 16) | (s[(c >> 8) & 255]! << 8) | s[d & 255]!;
}

/** MixColumns (FIPS 197 §5.1.3): each byte becomes 2 times itself, 3 times the next, and the two after. */
function mixColumn(word: number): number {
  const next = (word << 8) | ((word >> 24) & 255);
  const both = word ^ next;
  return doubleBytes(both) ^ next ^ nextRow(nextRow(both));
}

/** The inverse of MixColumns (FIPS 197 §5.3.3): MixColumns of the column plus 4 times the bytes that stand two apart, added. */
function unmixColumn(word: number): number {
  return mixColumn(word ^ doubleBytes(doubleBytes(word ^ nextRow(nextRow(word)))));
}

/** Multiplication by x in GF(2^8) of each of four bytes. */
function doubleBytes(word: number): number {
  return ((word & 0x7f7f7f7f) << 1) ^ (((word >> 7) & 0x01010101) * 0x1b);
}
