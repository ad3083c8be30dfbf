/**
 * GHASH, the universal hash of GCM (NIST SP 800-38D §6.4), with a table of 256 multiples of the key.
 *
 * Blocks are elements of GF(2^128) whose first bit is the coefficient of x^0, held as four big-endian words. A product is a sum of
 * multiples of the key, one a byte. The bytes at the same place of the four words go together: their multiples are added where
 * whole words apart, into eight words, and only between the four places is anything shifted. The upper half is folded
 * once at the end. (`x >> 8` and a mask, since XS is slow at `>>>`.) So a product costs 3 shifts of a long number where Shoup's method costs 16, and has no chain of dependent lookups.
 *
 * @module
 */

import { readWord } from "./words.ts";

/** GHASH with one key, running: absorb bytes, then take the state. */
export class Ghash {
  /** Four words for each byte value: the byte as a polynomial times the key. */
  readonly multiples: Int32Array;
  readonly state = new Int32Array(4);

  /**
   * @param key - the hash key H: four words.
   * @param entries - multiples of it: those of all bytes, or of what a subclass absorbs at a time.
   */
  constructor(key: Int32Array, entries = 256) {
    const m = new Int32Array(4 * entries);
    this.multiples = m;
    let a = key[0]!;
    let b = key[1]!;
    let c = key[2]!;
    let d = key[3]!;
    // The highest bit is x^0; each lower bit is one power of x more.
    for (let bit = entries >> 1; bit > 0; bit >>= 1) {
      m[4 * bit] = a;
      m[4 * bit + 1] = b;
      m[4 * bit + 2] = c;
      m[4 * bit + 3] = d;
      // x^128 = 1 + x + x^2 + x^7, whose bits are e1 at the left end.
      const out = -(d & 1) & 0xe1000000;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ out;
    }
    for (let high = 8; high < m.length; high <<= 1) {
      const [p, q, r, s] = [m[high]!, m[high + 1]!, m[high + 2]!, m[high + 3]!];
      for (let low = 4; low < high; low += 4) {
        m[high + low] = p ^ m[low]!;
        m[high + low + 1] = q ^ m[low + 1]!;
        m[high + low + 2] = r ^ m[low + 2]!;
        m[high + low + 3] = s ^ m[low + 3]!;
      }
    }
  }

  reset(): void {
    const { state } = this;
    state[0] = state[1] = state[2] = state[3] = 0;
  }

  /** Absorbs `bytes[at, end)`, filled up with zeros to whole blocks. */
  absorb(bytes: Uint8Array, at: number, end: number): void {
    for (; at + 16 <= end; at += 16)
      this.absorbBlock(readWord(bytes, at), readWord(bytes, at + 4), readWord(bytes, at + 8), readWord(bytes, at + 12));
    if (at === end) return;
    const { state } = this;
    for (let i = 0; at + i < end; i++) state[i >> 2]! ^= bytes[at + i]! << (24 - 8 * (i & 3));
    this.absorbBlock(0, 0, 0, 0);
  }

  /** Absorbs the block of the lengths in bytes of additional data and ciphertext, and adds the state to `block`. */
  finishInto(block: Int32Array, aadBytes: number, bytes: number): void {
    this.absorbBlock(aadBytes / 0x20000000, aadBytes << 3, bytes / 0x20000000, bytes << 3);
    for (let i = 0; i < 4; i++) block[i]! ^= this.state[i]!;
  }

  wipe(): void {
    this.multiples.fill(0);
    this.state.fill(0);
  }

  /** Absorbs a block of four words: adds it to the state, and multiplies that by the key. */
  absorbBlock(w: number, x: number, y: number, z: number): void {
    const { multiples: m, state } = this;
    w ^= state[0]!;
    x ^= state[1]!;
    y ^= state[2]!;
    z ^= state[3]!;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let e = 0;
    let f = 0;
    let g = 0;
    let h = 0;
    // Horner from the highest powers of x, which are the last bytes of the words.
    for (let shift = 0; ; shift += 8) {
      let at = ((z >> shift) & 255) << 2;
      d ^= m[at]!;
      e ^= m[at + 1]!;
      f ^= m[at + 2]!;
      g ^= m[at + 3]!;
      at = ((y >> shift) & 255) << 2;
      c ^= m[at]!;
      d ^= m[at + 1]!;
      e ^= m[at + 2]!;
      f ^= m[at + 3]!;
      at = ((x >> shift) & 255) << 2;
      b ^= m[at]!;
      c ^= m[at + 1]!;
      d ^= m[at + 2]!;
      e ^= m[at + 3]!;
      at = ((w >> shift) & 255) << 2;
      a ^= m[at]!;
      b ^= m[at + 1]!;
      c ^= m[at + 2]!;
      d ^= m[at + 3]!;
      if (shift === 24) break;
      h = ((h >> 8) & 0xffffff) | (g << 24);
      g = ((g >> 8) & 0xffffff) | (f << 24);
      f = ((f >> 8) & 0xffffff) | (e << 24);
      e = ((e >> 8) & 0xffffff) | (d << 24);
      d = ((d >> 8) & 0xffffff) | (c << 24);
      c = ((c >> 8) & 0xffffff) | (b << 24);
      b = ((b >> 8) & 0xffffff) | (a << 24);
      a = (a >> 8) & 0xffffff;
    }
    // x^128 = 1 + x + x^2 + x^7. The low byte of h is empty, so that nothing of it falls below d.
    state[0] = a ^ e ^ (e >>> 1) ^ (e >>> 2) ^ (e >>> 7);
    state[1] = b ^ (e << 31) ^ (e << 30) ^ (e << 25) ^ f ^ (f >>> 1) ^ (f >>> 2) ^ (f >>> 7);
    state[2] = c ^ (f << 31) ^ (f << 30) ^ (f << 25) ^ g ^ (g >>> 1) ^ (g >>> 2) ^ (g >>> 7);
    state[3] = d ^ (g << 31) ^ (g << 30) ^ (g << 25) ^ h ^ (h >>> 1) ^ (h >>> 2) ^ (h >>> 7);
  }
}
