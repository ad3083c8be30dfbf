/**
 * Arithmetic modulo a prime behind one small interface, so that the curves are written once and run on BigInt or on limbs.
 *
 * Elements are cells that operations write into, so that an arithmetic on limbs allocates nothing. Reduction is lazy: only the
 * operations with a product reduce. A sum of m reduced elements may be multiplied with one of n where m·n is at most nine; what is
 * subtracted from a product may be a sum of three products, or one reduced element. An output may be the same cell as an input.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import { InverseTask, mod, multiplicationUnits } from "./integers.ts";

/** A prime field with elements `E`. */
export interface Field<E> {
  readonly modulus: bigint;
  /** Cost of a multiplication, in units of work. */
  readonly units: number;
  /**
   * Whether all operations on cells are the same steps for all values: then secrets are not blinded, and multiplied with additions
   * that look at nothing.
   */
  readonly uniform: boolean;
  /** A new cell with zero in it. */
  zero(): E;
  /** A new cell with an integer in it. */
  element(value: bigint): E;
  /** The integer in `[0, modulus)` that a cell stands for. */
  integer(a: E): bigint;
  /** The inverse of an integer modulo any odd number, or `undefined` where there is none. */
  inverse(value: bigint, modulus: bigint): Task<bigint | undefined>;
  copy(out: E, a: E): void;
  /** out = table[index], where `index` is a secret: an arithmetic that can reads the whole table for it. */
  select(out: E, table: readonly E[], index: number): void;
  /** out = a where `second` is 0, b where it is 1, without a branch on it. */
  choose(out: E, a: E, b: E, second: number): void;
  /** out = a where `when` is 0, -a where it is 1, without a branch on it. */
  negateWhen(out: E, a: E, when: number): void;
  /** Whether a reduced element, or the difference of two, is zero. */
  isZero(a: E): boolean;
  add(out: E, a: E, b: E): void;
  subtract(out: E, a: E, b: E): void;
  /** out = a * b */
  multiply(out: E, a: E, b: E): void;
  /** out = a * a */
  square(out: E, a: E): void;
  /** out = a * b - c */
  multiplySubtract(out: E, a: E, b: E, c: E): void;
  /** out = a * a - b */
  squareSubtract(out: E, a: E, b: E): void;
  /** out = a * b - c * d, with one reduction */
  multiplyTwiceSubtract(out: E, a: E, b: E, c: E, d: E): void;
}

/** Makes the field of a prime. */
export type Arithmetic<E> = (modulus: bigint, bits: number) => Field<E>;

/** A cell of the BigInt arithmetic. Reduced values lie in (-modulus, modulus). */
export interface BigIntCell {
  value: bigint;
}

/**
 * The BigInt arithmetic: best on interpreters, and in the first milliseconds of any engine. Plain remainders, since they beat
 * every other reduction in BigInt.
 */
export const bigintArithmetic: Arithmetic<BigIntCell> = (modulus, bits) => new BigIntField(modulus, bits);

class BigIntField implements Field<BigIntCell> {
  readonly modulus: bigint;
  readonly units: number;
  readonly uniform = false;

  constructor(modulus: bigint, bits: number) {
    this.modulus = modulus;
    this.units = multiplicationUnits(bits);
  }

  zero(): BigIntCell {
    return { value: 0n };
  }

  element(value: bigint): BigIntCell {
    return { value };
  }

  integer(a: BigIntCell): bigint {
    return mod(a.value, this.modulus);
  }

  inverse(value: bigint, modulus: bigint): Task<bigint | undefined> {
    return new InverseTask(value, modulus);
  }

  copy(out: BigIntCell, a: BigIntCell): void {
    out.value = a.value;
  }

  select(out: BigIntCell, table: readonly BigIntCell[], index: number): void {
    out.value = table[index]!.value;
  }

  choose(out: BigIntCell, a: BigIntCell, b: BigIntCell, second: number): void {
    const both = [a.value, b.value];
    out.value = both[second]!;
  }

  negateWhen(out: BigIntCell, a: BigIntCell, when: number): void {
    const both = [a.value, -a.value];
    out.value = both[when]!;
  }

  isZero(a: BigIntCell): boolean {
    return a.value % this.modulus === 0n;
  }

  add(out: BigIntCell, a: BigIntCell, b: BigIntCell): void {
    out.value = a.value + b.value;
  }

  subtract(out: BigIntCell, a: BigIntCell, b: BigIntCell): void {
    out.value = a.value - b.value;
  }

  multiply(out: BigIntCell, a: BigIntCell, b: BigIntCell): void {
    out.value = (a.value * b.value) % this.modulus;
  }

  square(out: BigIntCell, a: BigIntCell): void {
    out.value = (a.value * a.value) % this.modulus;
  }

  multiplySubtract(out: BigIntCell, a: BigIntCell, b: BigIntCell, c: BigIntCell): void {
    out.value = (a.value * b.value - c.value) % this.modulus;
  }

  squareSubtract(out: BigIntCell, a: BigIntCell, b: BigIntCell): void {
    out.value = (a.value * a.value - b.value) % this.modulus;
  }

  multiplyTwiceSubtract(out: BigIntCell, a: BigIntCell, b: BigIntCell, c: BigIntCell, d: BigIntCell): void {
    out.value = (a.value * b.value - c.value * d.value) % this.modulus;
  }
}
