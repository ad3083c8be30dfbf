/**
 * The field of P-256 on eleven limbs of 24 bits in doubles: the arithmetic for a warm compiling engine, where it is three times as fast as
 * BigInt, and for secrets, since no operation here depends on a value.
 *
 * A cell holds x·2^264 modulo the prime (Montgomery's form) as Σ limb[i]·2^(24i), with signed limbs. Reduced cells have limbs of at most
 * 2^23 in absolute value, the last one of at most 2^19. Sums and differences are made limb by limb without a carry; the limbs of two
 * factors may then be so large that the sums of a column's products still are exact, that is below 2^53: factors that are sums of m and n
 * reduced cells, with m·n up to 9. `test/unit/crypto/limb-bounds.test.ts` proves it by running this code and the point formulas on intervals.
 *
 * The prime is 2^256 - 2^224 + 2^192 + 2^96 - 1, that is -1 modulo 2^96: what must be added to clear a column of a product is the
 * column itself times the prime, and since 96 and 192 are multiples of 24 two of its four terms need no shift.
 *
 * The constants are copied into locals first, since V8 would read, check and unbox them again for every column.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import { p256 } from "./curve-parameters.ts";
import type { Arithmetic, Field } from "./field.ts";
import { mod } from "./integers.ts";
import { CARRY, fromLimbs, LIMBS, LIMBS_BITS, type Limbs, newLimbs, ROUND, toLimbs } from "./limbs.ts";
import { UniformInverseTask } from "./safegcd.ts";

/** Cells that are made at a time. */
const SPARE = 64;
const SHIFT8 = 2 ** 8;
const SHIFT16 = 2 ** 16;
/** The prime, limb by limb. */
const PRIME: readonly number[] = [-1, 0, 0, 0, 1, 0, 0, 0, 1, -SHIFT8, SHIFT16];

/** The arithmetic of P-256 on limbs; for no other prime. */
export const p256LimbArithmetic: Arithmetic<Limbs> = () => new P256LimbField();

class P256LimbField implements Field<Limbs> {
  readonly modulus = p256.prime;
  readonly units = 1;
  readonly uniform = true;
  readonly #zero: Limbs = new Float64Array(LIMBS);
  /** One as a number, not as a cell. */
  readonly #plainOne: Limbs = new Float64Array(LIMBS).fill(1, 0, 1);
  readonly #product: Limbs = new Float64Array(LIMBS);
  #spare: Limbs[] = [];

  zero(): Limbs {
    const cell = this.#spare.pop();
    if (cell !== undefined) return cell;
    this.#spare = newLimbs(SPARE);
    return this.zero();
  }

  element(value: bigint): Limbs {
    const cell = this.zero();
    toLimbs(cell, mod(value << LIMBS_BITS, p256.prime));
    return cell;
  }

  integer(a: Limbs): bigint {
    const product = this.#product;
    this.multiplySubtract(product, a, this.#plainOne, this.#zero);
    return mod(fromLimbs(product), p256.prime);
  }

  inverse(value: bigint, modulus: bigint): Task<bigint | undefined> {
    return new UniformInverseTask(value, modulus);
  }

  copy(out: Limbs, a: Limbs): void {
    out.set(a);
  }

  /** Reads the whole table, with a factor of one for what was asked for and of zero for all others. */
  select(out: Limbs, table: readonly Limbs[], index: number): void {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    let s8 = 0;
    let s9 = 0;
    let s10 = 0;
    for (let j = 0; j < table.length; j++) {
      const cell = table[j]!;
      const factor = whenEqual(index, j);
      s0 += factor * cell[0]!;
      s1 += factor * cell[1]!;
      s2 += factor * cell[2]!;
      s3 += factor * cell[3]!;
      s4 += factor * cell[4]!;
      s5 += factor * cell[5]!;
      s6 += factor * cell[6]!;
      s7 += factor * cell[7]!;
      s8 += factor * cell[8]!;
      s9 += factor * cell[9]!;
      s10 += factor * cell[10]!;
    }
    out[0] = s0;
    out[1] = s1;
    out[2] = s2;
    out[3] = s3;
    out[4] = s4;
    out[5] = s5;
    out[6] = s6;
    out[7] = s7;
    out[8] = s8;
    out[9] = s9;
    out[10] = s10;
  }

  choose(out: Limbs, a: Limbs, b: Limbs, second: number): void {
    const first = 1 - second;
    for (let i = 0; i < LIMBS; i++) out[i] = first * a[i]! + second * b[i]!;
  }

  negateWhen(out: Limbs, a: Limbs, when: number): void {
    const sign = 1 - 2 * when;
    for (let i = 0; i < LIMBS; i++) out[i] = sign * a[i]!;
  }

  /** A reduced cell is a small multiple of the prime where its limbs are that multiple of the prime's: there is no other form of it. */
  isZero(a: Limbs): boolean {
    const factor = -a[0]!;
    for (let i = 1; i < LIMBS; i++) if (a[i] !== factor * PRIME[i]!) return false;
    return true;
  }

  add(out: Limbs, a: Limbs, b: Limbs): void {
    out[0] = a[0]! + b[0]!;
    out[1] = a[1]! + b[1]!;
    out[2] = a[2]! + b[2]!;
    out[3] = a[3]! + b[3]!;
    out[4] = a[4]! + b[4]!;
    out[5] = a[5]! + b[5]!;
    out[6] = a[6]! + b[6]!;
    out[7] = a[7]! + b[7]!;
    out[8] = a[8]! + b[8]!;
    out[9] = a[9]! + b[9]!;
    out[10] = a[10]! + b[10]!;
  }

  subtract(out: Limbs, a: Limbs, b: Limbs): void {
    out[0] = a[0]! - b[0]!;
    out[1] = a[1]! - b[1]!;
    out[2] = a[2]! - b[2]!;
    out[3] = a[3]! - b[3]!;
    out[4] = a[4]! - b[4]!;
    out[5] = a[5]! - b[5]!;
    out[6] = a[6]! - b[6]!;
    out[7] = a[7]! - b[7]!;
    out[8] = a[8]! - b[8]!;
    out[9] = a[9]! - b[9]!;
    out[10] = a[10]! - b[10]!;
  }

  multiply(out: Limbs, a: Limbs, b: Limbs): void {
    this.multiplySubtract(out, a, b, this.#zero);
  }

  square(out: Limbs, a: Limbs): void {
    this.squareSubtract(out, a, this.#zero);
  }

  multiplyTwiceSubtract(out: Limbs, a: Limbs, b: Limbs, c: Limbs, d: Limbs): void {
    this.multiplySubtract(this.#product, c, d, this.#zero);
    this.multiplySubtract(out, a, b, this.#product);
  }

  // A column: the products, what clears the columns four, eight and nine to ten below, what the one before hands on, in this order,
  // since an addition of the carry at first would chain all others behind it. The lower eleven columns are cleared, the upper are the result.

  multiplySubtract(out: Limbs, a: Limbs, b: Limbs, c: Limbs): void {
    const round = ROUND;
    const carry = CARRY;
    const shift8 = SHIFT8;
    const shift16 = SHIFT16;
    const a0 = a[0]!;
    const a1 = a[1]!;
    const a2 = a[2]!;
    const a3 = a[3]!;
    const a4 = a[4]!;
    const a5 = a[5]!;
    const a6 = a[6]!;
    const a7 = a[7]!;
    const a8 = a[8]!;
    const a9 = a[9]!;
    const a10 = a[10]!;
    const b0 = b[0]!;
    const b1 = b[1]!;
    const b2 = b[2]!;
    const b3 = b[3]!;
    const b4 = b[4]!;
    const b5 = b[5]!;
    const b6 = b[6]!;
    const b7 = b[7]!;
    const b8 = b[8]!;
    const b9 = b[9]!;
    const b10 = b[10]!;
    let t = a0 * b0;
    let h = t + round - round;
    const q0 = t - h;
    t = a0 * b1 + a1 * b0 + h * carry;
    h = t + round - round;
    const q1 = t - h;
    t = a0 * b2 + a1 * b1 + a2 * b0 + h * carry;
    h = t + round - round;
    const q2 = t - h;
    t = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + h * carry;
    h = t + round - round;
    const q3 = t - h;
    t = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + q0 + h * carry;
    h = t + round - round;
    const q4 = t - h;
    t = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + q1 + h * carry;
    h = t + round - round;
    const q5 = t - h;
    t = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + q2 + h * carry;
    h = t + round - round;
    const q6 = t - h;
    t = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + q3 + h * carry;
    h = t + round - round;
    const q7 = t - h;
    t = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + q4 + q0 + h * carry;
    h = t + round - round;
    const q8 = t - h;
    t =
      a0 * b9 +
      a1 * b8 +
      a2 * b7 +
      a3 * b6 +
      a4 * b5 +
      a5 * b4 +
      a6 * b3 +
      a7 * b2 +
      a8 * b1 +
      a9 * b0 +
      q5 +
      q1 -
      q0 * shift8 +
      h * carry;
    h = t + round - round;
    const q9 = t - h;
    t =
      a0 * b10 +
      a1 * b9 +
      a2 * b8 +
      a3 * b7 +
      a4 * b6 +
      a5 * b5 +
      a6 * b4 +
      a7 * b3 +
      a8 * b2 +
      a9 * b1 +
      a10 * b0 +
      q6 +
      q2 -
      q1 * shift8 +
      q0 * shift16 +
      h * carry;
    h = t + round - round;
    const q10 = t - h;
    t =
      a1 * b10 +
      a2 * b9 +
      a3 * b8 +
      a4 * b7 +
      a5 * b6 +
      a6 * b5 +
      a7 * b4 +
      a8 * b3 +
      a9 * b2 +
      a10 * b1 +
      q7 +
      q3 -
      q2 * shift8 +
      q1 * shift16 -
      c[0]! +
      h * carry;
    h = t + round - round;
    out[0] = t - h;
    t =
      a2 * b10 +
      a3 * b9 +
      a4 * b8 +
      a5 * b7 +
      a6 * b6 +
      a7 * b5 +
      a8 * b4 +
      a9 * b3 +
      a10 * b2 +
      q8 +
      q4 -
      q3 * shift8 +
      q2 * shift16 -
      c[1]! +
      h * carry;
    h = t + round - round;
    out[1] = t - h;
    t =
      a3 * b10 +
      a4 * b9 +
      a5 * b8 +
      a6 * b7 +
      a7 * b6 +
      a8 * b5 +
      a9 * b4 +
      a10 * b3 +
      q9 +
      q5 -
      q4 * shift8 +
      q3 * shift16 -
      c[2]! +
      h * carry;
    h = t + round - round;
    out[2] = t - h;
    t =
      a4 * b10 +
      a5 * b9 +
      a6 * b8 +
      a7 * b7 +
      a8 * b6 +
      a9 * b5 +
      a10 * b4 +
      q10 +
      q6 -
      q5 * shift8 +
      q4 * shift16 -
      c[3]! +
      h * carry;
    h = t + round - round;
    out[3] = t - h;
    t =
      a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + q7 - q6 * shift8 + q5 * shift16 - c[4]! + h * carry;
    h = t + round - round;
    out[4] = t - h;
    t = a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + q8 - q7 * shift8 + q6 * shift16 - c[5]! + h * carry;
    h = t + round - round;
    out[5] = t - h;
    t = a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + q9 - q8 * shift8 + q7 * shift16 - c[6]! + h * carry;
    h = t + round - round;
    out[6] = t - h;
    t = a8 * b10 + a9 * b9 + a10 * b8 + q10 - q9 * shift8 + q8 * shift16 - c[7]! + h * carry;
    h = t + round - round;
    out[7] = t - h;
    t = a9 * b10 + a10 * b9 - q10 * shift8 + q9 * shift16 - c[8]! + h * carry;
    h = t + round - round;
    out[8] = t - h;
    t = a10 * b10 + q10 * shift16 - c[9]! + h * carry;
    h = t + round - round;
    out[9] = t - h;
    out[10] = h * carry - c[10]!;
  }

  squareSubtract(out: Limbs, a: Limbs, c: Limbs): void {
    const round = ROUND;
    const carry = CARRY;
    const shift8 = SHIFT8;
    const shift16 = SHIFT16;
    const a0 = a[0]!;
    const a1 = a[1]!;
    const a2 = a[2]!;
    const a3 = a[3]!;
    const a4 = a[4]!;
    const a5 = a[5]!;
    const a6 = a[6]!;
    const a7 = a[7]!;
    const a8 = a[8]!;
    const a9 = a[9]!;
    const a10 = a[10]!;
    const b0 = a0 + a0;
    const b1 = a1 + a1;
    const b2 = a2 + a2;
    const b3 = a3 + a3;
    const b4 = a4 + a4;
    const b5 = a5 + a5;
    const b6 = a6 + a6;
    const b7 = a7 + a7;
    const b8 = a8 + a8;
    const b9 = a9 + a9;
    let t = a0 * a0;
    let h = t + round - round;
    const q0 = t - h;
    t = b0 * a1 + h * carry;
    h = t + round - round;
    const q1 = t - h;
    t = b0 * a2 + a1 * a1 + h * carry;
    h = t + round - round;
    const q2 = t - h;
    t = b0 * a3 + b1 * a2 + h * carry;
    h = t + round - round;
    const q3 = t - h;
    t = b0 * a4 + b1 * a3 + a2 * a2 + q0 + h * carry;
    h = t + round - round;
    const q4 = t - h;
    t = b0 * a5 + b1 * a4 + b2 * a3 + q1 + h * carry;
    h = t + round - round;
    const q5 = t - h;
    t = b0 * a6 + b1 * a5 + b2 * a4 + a3 * a3 + q2 + h * carry;
    h = t + round - round;
    const q6 = t - h;
    t = b0 * a7 + b1 * a6 + b2 * a5 + b3 * a4 + q3 + h * carry;
    h = t + round - round;
    const q7 = t - h;
    t = b0 * a8 + b1 * a7 + b2 * a6 + b3 * a5 + a4 * a4 + q4 + q0 + h * carry;
    h = t + round - round;
    const q8 = t - h;
    t = b0 * a9 + b1 * a8 + b2 * a7 + b3 * a6 + b4 * a5 + q5 + q1 - q0 * shift8 + h * carry;
    h = t + round - round;
    const q9 = t - h;
    t = b0 * a10 + b1 * a9 + b2 * a8 + b3 * a7 + b4 * a6 + a5 * a5 + q6 + q2 - q1 * shift8 + q0 * shift16 + h * carry;
    h = t + round - round;
    const q10 = t - h;
    t = b1 * a10 + b2 * a9 + b3 * a8 + b4 * a7 + b5 * a6 + q7 + q3 - q2 * shift8 + q1 * shift16 - c[0]! + h * carry;
    h = t + round - round;
    out[0] = t - h;
    t = b2 * a10 + b3 * a9 + b4 * a8 + b5 * a7 + a6 * a6 + q8 + q4 - q3 * shift8 + q2 * shift16 - c[1]! + h * carry;
    h = t + round - round;
    out[1] = t - h;
    t = b3 * a10 + b4 * a9 + b5 * a8 + b6 * a7 + q9 + q5 - q4 * shift8 + q3 * shift16 - c[2]! + h * carry;
    h = t + round - round;
    out[2] = t - h;
    t = b4 * a10 + b5 * a9 + b6 * a8 + a7 * a7 + q10 + q6 - q5 * shift8 + q4 * shift16 - c[3]! + h * carry;
    h = t + round - round;
    out[3] = t - h;
    t = b5 * a10 + b6 * a9 + b7 * a8 + q7 - q6 * shift8 + q5 * shift16 - c[4]! + h * carry;
    h = t + round - round;
    out[4] = t - h;
    t = b6 * a10 + b7 * a9 + a8 * a8 + q8 - q7 * shift8 + q6 * shift16 - c[5]! + h * carry;
    h = t + round - round;
    out[5] = t - h;
    t = b7 * a10 + b8 * a9 + q9 - q8 * shift8 + q7 * shift16 - c[6]! + h * carry;
    h = t + round - round;
    out[6] = t - h;
    t = b8 * a10 + a9 * a9 + q10 - q9 * shift8 + q8 * shift16 - c[7]! + h * carry;
    h = t + round - round;
    out[7] = t - h;
    t = b9 * a10 - q10 * shift8 + q9 * shift16 - c[8]! + h * carry;
    h = t + round - round;
    out[8] = t - h;
    t = a10 * a10 + q10 * shift16 - c[9]! + h * carry;
    h = t + round - round;
    out[9] = t - h;
    out[10] = h * carry - c[10]!;
  }
}

/** One where the two small integers are equal, zero elsewhere, without a branch. */
function whenEqual(a: number, b: number): number {
  return ((a ^ b) - 1) >>> 31;
}
