/**
 * GHASH, the universal hash of GCM (NIST SP 800-38D §6.4), with a table of 256 multiples of the key (Shoup's method).
 *
 * Blocks are elements of GF(2^128) whose first bit is the coefficient of x^0, held as four big-endian words. A product is
 * eight bits at a time: shift by a byte, fold what fell out, add a multiple out of the table.
 *
 * @module
 */

/** What each byte that is shifted out adds to the upper half of the first word: one table a provider. */
export function ghashReduction(): Int32Array {
  const reduction = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let i = 0; i < 8; i++) {
      // x^128 = 1 + x + x^2 + x^7, whose bits are e1 at the left end.
      high = (high >>> 1) ^ (-(low & 1) & 0xe1000000);
      low >>>= 1;
    }
    reduction[byte] = high;
  }
  return reduction;
}

/** GHASH with one key, running: absorb bytes, then take the state. */
export class Ghash {
  readonly #reduction: Int32Array;
  /** Four words for each byte value: the byte as a polynomial times the key. */
  readonly #multiples = new Int32Array(1024);
  readonly #state = new Int32Array(4);

  /** @param key - the hash key H: four words. */
  constructor(reduction: Int32Array, key: Int32Array) {
    this.#reduction = reduction;
    const multiples = this.#multiples;
    let a = key[0]!;
    let b = key[1]!;
    let c = key[2]!;
    let d = key[3]!;
    // 0x80 is x^0; each lower bit is one power of x more.
    for (let bit = 0x80; bit > 0; bit >>= 1) {
      multiples[4 * bit] = a;
      multiples[4 * bit + 1] = b;
      multiples[4 * bit + 2] = c;
      multiples[4 * bit + 3] = d;
      const out = -(d & 1) & 0xe1000000;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ out;
    }
    for (let high = 2; high < 256; high <<= 1) {
      for (let low = 1; low < high; low++) {
        const at = 4 * (high + low);
        multiples[at] = multiples[4 * high]! ^ multiples[4 * low]!;
        multiples[at + 1] = multiples[4 * high + 1]! ^ multiples[4 * low + 1]!;
        multiples[at + 2] = multiples[4 * high + 2]! ^ multiples[4 * low + 2]!;
        multiples[at + 3] = multiples[4 * high + 3]! ^ multiples[4 * low + 3]!;
      }
    }
  }

  reset(): void {
    this.#state.fill(0);
  }

  /** Absorbs `bytes[at, end)`, filled up with zeros to whole blocks. */
  absorb(bytes: Uint8Array, at: number, end: number): void {
    const state = this.#state;
    for (; at + 16 <= end; at += 16) {
      state[0]! ^= (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      state[1]! ^= (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
      state[2]! ^= (bytes[at + 8]! << 24) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!;
      state[3]! ^= (bytes[at + 12]! << 24) | (bytes[at + 13]! << 16) | (bytes[at + 14]! << 8) | bytes[at + 15]!;
      this.#multiply();
    }
    if (at === end) return;
    for (let i = 0; at + i < end; i++) state[i >> 2]! ^= bytes[at + i]! << (24 - 8 * (i & 3));
    this.#multiply();
  }

  /** Absorbs the block of the lengths in bytes of additional data and ciphertext, and adds the state to `block`. */
  finishInto(block: Int32Array, aadBytes: number, bytes: number): void {
    const state = this.#state;
    state[0]! ^= aadBytes / 0x20000000;
    state[1]! ^= aadBytes << 3;
    state[2]! ^= bytes / 0x20000000;
    state[3]! ^= bytes << 3;
    this.#multiply();
    for (let i = 0; i < 4; i++) block[i]! ^= state[i]!;
  }

  wipe(): void {
    this.#multiples.fill(0);
    this.#state.fill(0);
  }

  #multiply(): void {
    const multiples = this.#multiples;
    const reduction = this.#reduction;
    const state = this.#state;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    // Horner from the highest powers of x, which are the last byte.
    for (let word = 3; word >= 0; word--) {
      const x = state[word]!;
      for (let shift = 0; shift < 32; shift += 8) {
        const out = reduction[d & 255]!;
        const at = ((x >> shift) & 255) << 2;
        d = ((d >>> 8) | (c << 24)) ^ multiples[at + 3]!;
        c = ((c >>> 8) | (b << 24)) ^ multiples[at + 2]!;
        b = ((b >>> 8) | (a << 24)) ^ multiples[at + 1]!;
        a = (a >>> 8) ^ out ^ multiples[at]!;
      }
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
  }
}
