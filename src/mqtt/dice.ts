/**
 * Chance that can be repeated: for faults that a seed brings back. Never for secrets.
 *
 * @module
 */

/** A generator of numbers that a seed determines. */
export class Dice {
  #state: number;

  /** The same seed gives the same throws; any number, of which 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 up to, but not including, 1: a Weyl sequence through two rounds of mixing (32 bits). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 0x1_0000_0000;
  }

  /** True with that probability, 0 to 1. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }
}
