/**
 * Arithmetic modulo one odd number, for powers with a secret exponent: what RSA's private operation computes with, and its form on BigInt.
 * `rsa-limbs.ts` has the other.
 *
 * @module
 */

/** Arithmetic modulo one number. A cell holds a residue in the arithmetic's own form. */
export interface ModularArithmetic<Cell> {
  /** A cell with a number from 0 up to the modulus. */
  element(value: bigint): Cell;
  copy(a: Cell): Cell;
  /** The product, which may have taken the place of `a`. */
  multiply(a: Cell, b: Cell): Cell;
  /** The residue. */
  integer(a: Cell): bigint;
  /** Overwrites all cells, where the arithmetic can. */
  wipe(): void;
}

/** Makes the arithmetic modulo an odd number of at most `bits` bits. */
export type ModularArithmeticMaker = (modulus: bigint, bits: number) => ModularArithmetic<unknown>;

/** What computes RSA's secret powers: a piece of a provider. */
export interface RsaArithmetic {
  /** For the keys of one provider. The result is called for each power. */
  prepare(): ModularArithmeticMaker;
}

/** On BigInt: for every engine, and the faster form for one that interprets. */
export const bigIntModular: ModularArithmeticMaker = (modulus) => new BigIntModular(modulus);

class BigIntModular implements ModularArithmetic<bigint> {
  readonly #modulus: bigint;

  constructor(modulus: bigint) {
    this.#modulus = modulus;
  }

  element(value: bigint): bigint {
    return value;
  }

  copy(a: bigint): bigint {
    return a;
  }

  multiply(a: bigint, b: bigint): bigint {
    return (a * b) % this.#modulus;
  }

  integer(a: bigint): bigint {
    return a;
  }

  wipe(): void {
    // A BigInt cannot be overwritten.
  }
}
