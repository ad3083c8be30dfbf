/**
 * GHASH (NIST SP 800-38D §6.4) with a table of 16 multiples of the key, 256 bytes: as `ghash.ts`, but half a byte at a time.
 *
 * @module
 */

import { Ghash } from "./ghash.ts";

/** The small form of {@link Ghash}. */
export class SmallGhash extends Ghash {
  /** @param key - the hash key H: four words. */
  constructor(key: Int32Array) {
    super(key, 16);
  }

  override absorbBlock(w: number, x: number, y: number, z: number): void {
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
    for (let shift = 0; ; shift += 4) {
      let at = ((z >> shift) & 15) << 2;
      d ^= m[at]!;
      e ^= m[at + 1]!;
      f ^= m[at + 2]!;
      g ^= m[at + 3]!;
      at = ((y >> shift) & 15) << 2;
      c ^= m[at]!;
      d ^= m[at + 1]!;
      e ^= m[at + 2]!;
      f ^= m[at + 3]!;
      at = ((x >> shift) & 15) << 2;
      b ^= m[at]!;
      c ^= m[at + 1]!;
      d ^= m[at + 2]!;
      e ^= m[at + 3]!;
      at = ((w >> shift) & 15) << 2;
      a ^= m[at]!;
      b ^= m[at + 1]!;
      c ^= m[at + 2]!;
      d ^= m[at + 3]!;
      if (shift === 28) break;
      h = ((h >> 4) & 0xfffffff) | (g << 28);
      g = ((g >> 4) & 0xfffffff) | (f << 28);
      f = ((f >> 4) & 0xfffffff) | (e << 28);
      e = ((e >> 4) & 0xfffffff) | (d << 28);
      d = ((d >> 4) & 0xfffffff) | (c << 28);
      c = ((c >> 4) & 0xfffffff) | (b << 28);
      b = ((b >> 4) & 0xfffffff) | (a << 28);
      a = (a >> 4) & 0xfffffff;
    }
    // The upper half is folded as in `ghash.ts`. Only the low 4 bits of h are empty here: what of it falls below d is folded again, into e.
    e ^= h << 25;
    state[0] = a ^ e ^ (e >>> 1) ^ (e >>> 2) ^ (e >>> 7);
    state[1] = b ^ (e << 31) ^ (e << 30) ^ (e << 25) ^ f ^ (f >>> 1) ^ (f >>> 2) ^ (f >>> 7);
    state[2] = c ^ (f << 31) ^ (f << 30) ^ (f << 25) ^ g ^ (g >>> 1) ^ (g >>> 2) ^ (g >>> 7);
    state[3] = d ^ (g << 31) ^ (g << 30) ^ (g << 25) ^ h ^ (h >>> 1) ^ (h >>> 2) ^ (h >>> 7);
  }
}
