/**
 * The AES block cipher, encryption only (FIPS 197): all that the counter modes need. Decryption, for CBC, is `aes-decrypt.ts`.
 *
 * The tables for the four rows of a column stand in one array: one base address to keep, and no rotations, which cost an interpreter as
 * much as a lookup each (`gcm-bulk.ts`, which is only for compilers, rotates entries of the first table instead). In a typed
 * array, although XS reads a plain one a fifth faster: that one would take 16 KiB there.
 *
 * Lookups depend on the data, so that who shares a processor's cache with us may learn of the key; a constant-time form costs
 * about four times as much in JavaScript (and interpreters have no caches worth attacking that way).
 *
 * @module
 */

import { readWord } from "./words.ts";

/** Encrypts blocks with one key. */
export interface BlockEncryption {
  /** Encrypts the block of four big-endian words in `from` into `to`, which may be the same. */
  encrypt(from: Int32Array, to: Int32Array): void;
  /** Overwrites the key. */
  wipe(): void;
}

/** What SubBytes makes of each byte (FIPS 197 §5.1.1). */
export function aesSbox(): Uint8Array {
  // By logarithms to the base 3: inverse, then the affine map.
  const power = new Uint8Array(256);
  const log = new Uint8Array(256);
  for (let i = 0, x = 1; i < 255; i++) {
    power[i] = x;
    log[x] = i;
    x ^= double(x);
  }
  const sbox = new Uint8Array(256);
  for (let i = 0; i < 256; i++) {
    const inverse = i === 0 ? 0 : power[(255 - log[i]!) % 255]!;
    const spread = inverse * 0x101;
    sbox[i] = 0x63 ^ inverse ^ (spread >> 7) ^ (spread >> 6) ^ (spread >> 5) ^ (spread >> 4);
  }
  return sbox;
}

/**
 * What SubBytes and MixColumns make of a byte (FIPS 197 §5.1), 256 words for each row of a column: 2·S, S, S, 3·S from the most significant
 * byte on in the first, rotated right by a byte in each next one.
 */
export function aesTable(): Int32Array {
  const table = new Int32Array(1024);
  const sbox = aesSbox();
  for (let i = 0; i < 256; i++) {
    const s = sbox[i]!;
    let word = (double(s) << 24) | (s << 16) | (s << 8) | (double(s) ^ s);
    for (let row = 0; row < 1024; row += 256) {
      table[row + i] = word;
      word = nextRow(word);
    }
  }
  return table;
}

/** Multiplication by x in GF(2^8) (FIPS 197 §4.2.1). */
export function double(x: number): number {
  return ((x << 1) ^ ((x >> 7) * 0x11b)) & 0xff;
}

/** Rotates a word right by a byte: an entry of the table for the next row. */
export function nextRow(entry: number): number {
  return (entry >>> 8) | (entry << 24);
}

/** SubBytes of one byte each of four words: a column of the last round, which has no MixColumns. */
export function substitute(table: Int32Array, a: number, b: number, c: number, d: number): number {
  return (
    ((table[(a >> 24) & 255]! << 8) & 0xff000000) |
    (table[(b >> 16) & 255]! & 0xff0000) |
    (table[(c >> 8) & 255]! & 0xff00) |
    ((table[d & 255]! >> 8) & 255)
  );
}

/** AES with one key of 16, 24 or 32 bytes. `aes-small.ts` has it without this table. */
export class Aes implements BlockEncryption {
  readonly table: Int32Array;
  /** Four words a round, and four more. */
  readonly roundKeys: Int32Array;

  /** @param table - {@link aesTable}, shared by all keys of a provider. */
  constructor(table: Int32Array, key: Uint8Array) {
    this.table = table;
    this.roundKeys = expandKey(key, (word) => substitute(table, word, word, word, word));
  }

  encrypt(from: Int32Array, to: Int32Array): void {
    const { table: t, roundKeys: keys } = this;
    const last = keys.length - 4;
    let a = from[0]! ^ keys[0]!;
    let b = from[1]! ^ keys[1]!;
    let c = from[2]! ^ keys[2]!;
    let d = from[3]! ^ keys[3]!;
    for (let k = 4; k < last; k += 4) {
      const w =
        t[(a >> 24) & 255]! ^ t[((b >> 16) & 255) | 256]! ^ t[((c >> 8) & 255) | 512]! ^ t[(d & 255) | 768]! ^ keys[k]!;
      const x =
        t[(b >> 24) & 255]! ^
        t[((c >> 16) & 255) | 256]! ^
        t[((d >> 8) & 255) | 512]! ^
        t[(a & 255) | 768]! ^
        keys[k + 1]!;
      const y =
        t[(c >> 24) & 255]! ^
        t[((d >> 16) & 255) | 256]! ^
        t[((a >> 8) & 255) | 512]! ^
        t[(b & 255) | 768]! ^
        keys[k + 2]!;
      d =
        t[(d >> 24) & 255]! ^
        t[((a >> 16) & 255) | 256]! ^
        t[((b >> 8) & 255) | 512]! ^
        t[(c & 255) | 768]! ^
        keys[k + 3]!;
      a = w;
      b = x;
      c = y;
    }
    to[0] = keys[last]! ^ substitute(t, a, b, c, d);
    to[1] = keys[last + 1]! ^ substitute(t, b, c, d, a);
    to[2] = keys[last + 2]! ^ substitute(t, c, d, a, b);
    to[3] = keys[last + 3]! ^ substitute(t, d, a, b, c);
  }

  wipe(): void {
    this.roundKeys.fill(0);
  }
}

/** KeyExpansion (FIPS 197 §5.2): four words a round, and four more. `substituteWord`: SubBytes of a word. */
export function expandKey(key: Uint8Array, substituteWord: (word: number) => number): Int32Array {
  const words = key.length / 4;
  const keys = new Int32Array(4 * (words + 7));
  for (let i = 0; i < words; i++) keys[i] = readWord(key, 4 * i);
  let constant = 1;
  for (let i = words; i < keys.length; i++) {
    let word = keys[i - 1]!;
    if (i % words === 0) {
      word = substituteWord((word << 8) | (word >>> 24)) ^ (constant << 24);
      constant = double(constant);
    } else if (words === 8 && i % 8 === 4) word = substituteWord(word);
    keys[i] = keys[i - words]! ^ word;
  }
  return keys;
}
