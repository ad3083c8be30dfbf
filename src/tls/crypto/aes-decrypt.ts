/**
 * The AES block cipher, decryption (FIPS 197 §5.3): what CBC needs to open. The equivalent inverse cipher of §5.3.5, whose rounds have
 * the form of those of encryption.
 *
 * @module
 */

import { type Aes, double, nextRow } from "./aes.ts";

/** Decrypts blocks with one key. */
export interface BlockDecryption {
  /** Decrypts the block of four big-endian words in `from` into `to`, which may be the same. */
  decrypt(from: Int32Array, to: Int32Array): void;
  /** Overwrites the key. */
  wipe(): void;
}

/** AES decryption with the key of an {@link Aes}. */
export class AesDecrypt implements BlockDecryption {
  readonly #sbox: Uint8Array;
  /** What the inverses of SubBytes and MixColumns make of a byte in the first row of a column. */
  readonly #table: Int32Array;
  readonly #roundKeys: Int32Array;

  constructor(aes: Aes) {
    this.#sbox = new Uint8Array(256);
    this.#table = new Int32Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const s = (aes.table[byte]! >> 8) & 255;
      this.#sbox[s] = byte;
      this.#table[s] = unmix(byte);
    }
    // The round keys backwards, and through the inverse of MixColumns but for the first and last.
    const { roundKeys: keys } = aes;
    const last = keys.length - 4;
    this.#roundKeys = new Int32Array(keys.length);
    for (let i = 0; i < keys.length; i++) {
      const word = keys[last - (i & ~3) + (i & 3)]!;
      this.#roundKeys[i] = i < 4 || i >= last ? word : unmixColumn(word);
    }
  }

  decrypt(from: Int32Array, to: Int32Array): void {
    const t = this.#table;
    const keys = this.#roundKeys;
    const last = keys.length - 4;
    let a = from[0]! ^ keys[0]!;
    let b = from[1]! ^ keys[1]!;
    let c = from[2]! ^ keys[2]!;
    let d = from[3]! ^ keys[3]!;
    for (let k = 4; k < last; k += 4) {
      const w =
        t[a >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ keys[k]!;
      const x =
        t[b >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ keys[k + 1]!;
      const y =
        t[c >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ keys[k + 2]!;
      d =
        t[d >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ keys[k + 3]!;
      a = w;
      b = x;
      c = y;
    }
    to[0] = keys[last]! ^ this.#substitute(a, d, c, b);
    to[1] = keys[last + 1]! ^ this.#substitute(b, a, d, c);
    to[2] = keys[last + 2]! ^ this.#substitute(c, b, a, d);
    to[3] = keys[last + 3]! ^ this.#substitute(d, c, b, a);
  }

  wipe(): void {
    this.#roundKeys.fill(0);
  }

  /** The inverse of SubBytes of one byte each of four words. */
  #substitute(a: number, b: number, c: number, d: number): number {
    const s = this.#sbox;
    return (s[a >>> 24]! << 24) | (s[(b >> 16) & 255]! << 16) | (s[(c >> 8) & 255]! << 8) | s[d & 255]!;
  }
}

/** The inverse of MixColumns (FIPS 197 §5.3.3) of a column with only its first byte: 14, 9, 13 and 11 times that. */
function unmix(byte: number): number {
  const two = double(byte);
  const four = double(two);
  const eight = double(four);
  return ((eight ^ four ^ two) << 24) | ((eight ^ byte) << 16) | ((eight ^ four ^ byte) << 8) | (eight ^ two ^ byte);
}

function unmixColumn(word: number): number {
  return (
    unmix(word >>> 24) ^
    nextRow(unmix((word >> 16) & 255) ^ nextRow(unmix((word >> 8) & 255) ^ nextRow(unmix(word & 255))))
  );
}
