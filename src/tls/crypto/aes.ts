/**
 * The AES block cipher, encryption only (FIPS 197): all that the counter modes need. Four tables of 256 words a provider.
 *
 * Lookups depend on the data, so that who shares a processor's cache with us may learn of the key; a constant-time form costs
 * about four times as much in JavaScript (and interpreters have no caches worth attacking that way).
 *
 * @module
 */

/** The tables that all keys of a provider share. */
export interface AesTables {
  readonly sbox: Uint8Array;
  /** SubBytes and MixColumns of one byte, for each row of a column. */
  readonly t0: Int32Array;
  readonly t1: Int32Array;
  readonly t2: Int32Array;
  readonly t3: Int32Array;
}

/** Computes the tables (FIPS 197 §4.2, §5.1.1): logarithms to the base 3, inverse, affine map. */
export function aesTables(): AesTables {
  const power = new Uint8Array(256);
  const log = new Uint8Array(256);
  for (let i = 0, x = 1; i < 255; i++) {
    power[i] = x;
    log[x] = i;
    x ^= double(x);
  }
  const sbox = new Uint8Array(256);
  const t0 = new Int32Array(256);
  const t1 = new Int32Array(256);
  const t2 = new Int32Array(256);
  const t3 = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    const inverse = i === 0 ? 0 : power[(255 - log[i]!) % 255]!;
    const spread = inverse * 0x101;
    const s = 0x63 ^ inverse ^ ((spread >> 7) ^ (spread >> 6) ^ (spread >> 5) ^ (spread >> 4));
    const out = s & 0xff;
    sbox[i] = out;
    const word = (double(out) << 24) | (out << 16) | (out << 8) | (double(out) ^ out);
    t0[i] = word;
    t1[i] = (word >>> 8) | (word << 24);
    t2[i] = (word >>> 16) | (word << 16);
    t3[i] = (word >>> 24) | (word << 8);
  }
  return { sbox, t0, t1, t2, t3 };
}

function double(x: number): number {
  return ((x << 1) ^ ((x >> 7) * 0x11b)) & 0xff;
}

/** One key of 16 or 32 bytes. `wipe` it when it is no longer needed. */
export class Aes {
  readonly #tables: AesTables;
  readonly #roundKeys: Int32Array;

  constructor(tables: AesTables, key: Uint8Array) {
    this.#tables = tables;
    this.#roundKeys = expandKey(tables.sbox, key);
  }

  /** Encrypts the block of four big-endian words in `from` into `to`, which may be the same. */
  encrypt(from: Int32Array, to: Int32Array): void {
    const { sbox, t0, t1, t2, t3 } = this.#tables;
    const keys = this.#roundKeys;
    const last = keys.length - 4;
    let a = from[0]! ^ keys[0]!;
    let b = from[1]! ^ keys[1]!;
    let c = from[2]! ^ keys[2]!;
    let d = from[3]! ^ keys[3]!;
    let at = 4;
    for (; at < last; at += 4) {
      const w = t0[(a >> 24) & 255]! ^ t1[(b >> 16) & 255]! ^ t2[(c >> 8) & 255]! ^ t3[d & 255]! ^ keys[at]!;
      const x = t0[(b >> 24) & 255]! ^ t1[(c >> 16) & 255]! ^ t2[(d >> 8) & 255]! ^ t3[a & 255]! ^ keys[at + 1]!;
      const y = t0[(c >> 24) & 255]! ^ t1[(d >> 16) & 255]! ^ t2[(a >> 8) & 255]! ^ t3[b & 255]! ^ keys[at + 2]!;
      d = t0[(d >> 24) & 255]! ^ t1[(a >> 16) & 255]! ^ t2[(b >> 8) & 255]! ^ t3[c & 255]! ^ keys[at + 3]!;
      a = w;
      b = x;
      c = y;
    }
    to[0] = keys[at]! ^ substitute(sbox, a, b, c, d);
    to[1] = keys[at + 1]! ^ substitute(sbox, b, c, d, a);
    to[2] = keys[at + 2]! ^ substitute(sbox, c, d, a, b);
    to[3] = keys[at + 3]! ^ substitute(sbox, d, a, b, c);
  }

  wipe(): void {
    this.#roundKeys.fill(0);
  }
}

/** SubBytes of one byte each of four words: the last round's column, which has no MixColumns. */
function substitute(sbox: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (
    (sbox[(a >> 24) & 255]! << 24) | (sbox[(b >> 16) & 255]! << 16) | (sbox[(c >> 8) & 255]! << 8) | sbox[d & 255]!
  );
}

/** KeyExpansion (FIPS 197 §5.2). */
function expandKey(sbox: Uint8Array, key: Uint8Array): Int32Array {
  const words = key.length / 4;
  const keys = new Int32Array(4 * (words + 7));
  for (let i = 0; i < words; i++)
    keys[i] = (key[4 * i]! << 24) | (key[4 * i + 1]! << 16) | (key[4 * i + 2]! << 8) | key[4 * i + 3]!;
  let constant = 1;
  for (let i = words; i < keys.length; i++) {
    let word = keys[i - 1]!;
    if (i % words === 0) {
      word = (word << 8) | (word >>> 24);
      word = substitute(sbox, word, word, word, word) ^ (constant << 24);
      constant = double(constant);
    } else if (words === 8 && i % 8 === 4) word = substitute(sbox, word, word, word, word);
    keys[i] = keys[i - words]! ^ word;
  }
  return keys;
}
