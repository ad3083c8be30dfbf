/**
 * SHA-1 (FIPS 180-4 §6.1), for HMAC in the CBC suites (RFC 5246 §A.5), and to read what old certificates are signed with. Collisions
 * of SHA-1 can be made: a signature over it proves nothing, and the rules for certificates refuse it (RFC 9155).
 *
 * @module
 */

import { BlockHash, type HashAlgorithm } from "./hash.ts";

/** SHA-1, as a piece of a provider. */
export const sha1: HashAlgorithm = {
  name: "sha1",
  outputBytes: 20,
  blockBytes: 64,
  unitsPerBlock: 24,
  create: () => new Sha1(),
};

/** FIPS 180-4 §5.3.1, as signed words. */
const INITIAL: readonly number[] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];

class Sha1 extends BlockHash {
  readonly #schedule = new Int32Array(80);

  constructor() {
    super("sha1", 20, 64, INITIAL);
  }

  protected fresh(): BlockHash {
    return new Sha1();
  }

  override wipe(): void {
    super.wipe();
    this.#schedule.fill(0);
  }

  compress(words: Int32Array, at: number): void {
    const { state } = this;
    const w = this.#schedule;
    for (let i = 0; i < 16; i++) w[i] = words[at + i]!;
    for (let i = 16; i < 80; i++) {
      const x = w[i - 3]! ^ w[i - 8]! ^ w[i - 14]! ^ w[i - 16]!;
      w[i] = (x << 1) | (x >>> 31);
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    for (let i = 0; i < 80; i++) {
      // Ch, Parity, Maj, Parity with their constants (FIPS 180-4 §4.1.1, §4.2.1).
      let f: number;
      if (i < 20) f = (d ^ (b & (c ^ d))) + 0x5a827999;
      else if (i < 40) f = (b ^ c ^ d) + 0x6ed9eba1;
      else if (i < 60) f = (b ^ ((b ^ c) & (b ^ d))) + 0x8f1bbcdc;
      else f = (b ^ c ^ d) + 0xca62c1d6;
      const t = (((a << 5) | (a >>> 27)) + f + e + w[i]!) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = t;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
  }
}
