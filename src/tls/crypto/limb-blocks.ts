/**
 * Blocks of eleven limbs of 24 bits (`limbs.ts`), for integers of several blocks: product, Montgomery's reduction, carries.
 *
 * Unrolled, since a loop would check bounds and move the sums of columns at each step. `columns` holds the 22 columns of a product of
 * two blocks, of which the upper eleven are the lower ones of the next block. How large limbs may be: `rsa-limbs.ts`.
 *
 * @module
 */

import { CARRY, LIMBS, type Limbs, ROUND } from "./limbs.ts";

/** Columns of a product of two blocks, and one that stays empty. */
export const COLUMNS = 2 * LIMBS;

/** Adds the product of two blocks to the columns. */
export function addProduct(columns: Limbs, a: Limbs, b: Limbs): void {
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
  columns[0]! += a0 * b0;
  columns[1]! += a0 * b1 + a1 * b0;
  columns[2]! += a0 * b2 + a1 * b1 + a2 * b0;
  columns[3]! += a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
  columns[4]! += a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0;
  columns[5]! += a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0;
  columns[6]! += a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0;
  columns[7]! += a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0;
  columns[8]! += a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0;
  columns[9]! += a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0;
  columns[10]! +=
    a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1 + a10 * b0;
  columns[11]! += a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2 + a10 * b1;
  columns[12]! += a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2;
  columns[13]! += a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3;
  columns[14]! += a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4;
  columns[15]! += a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5;
  columns[16]! += a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6;
  columns[17]! += a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7;
  columns[18]! += a8 * b10 + a9 * b9 + a10 * b8;
  columns[19]! += a9 * b10 + a10 * b9;
  columns[20]! += a10 * b10;
}

/**
 * Adds to the columns what clears the lower ones: `quotient`, a new block, times the modulus, of which `modulus` is the lowest block.
 * Then moves on to the next block. The lowest limb of the modulus is -1, so that a limb of the quotient is what is left of its column.
 */
export function clearBlock(columns: Limbs, modulus: Limbs, quotient: Limbs): void {
  const n1 = modulus[1]!;
  const n2 = modulus[2]!;
  const n3 = modulus[3]!;
  const n4 = modulus[4]!;
  const n5 = modulus[5]!;
  const n6 = modulus[6]!;
  const n7 = modulus[7]!;
  const n8 = modulus[8]!;
  const n9 = modulus[9]!;
  const n10 = modulus[10]!;
  let column = columns[0]!;
  let carry = column + ROUND - ROUND;
  const q0 = column - carry;
  column = columns[1]! + carry * CARRY + q0 * n1;
  carry = column + ROUND - ROUND;
  const q1 = column - carry;
  column = columns[2]! + q0 * n2 + carry * CARRY + q1 * n1;
  carry = column + ROUND - ROUND;
  const q2 = column - carry;
  column = columns[3]! + q0 * n3 + q1 * n2 + carry * CARRY + q2 * n1;
  carry = column + ROUND - ROUND;
  const q3 = column - carry;
  column = columns[4]! + q0 * n4 + q1 * n3 + q2 * n2 + carry * CARRY + q3 * n1;
  carry = column + ROUND - ROUND;
  const q4 = column - carry;
  column = columns[5]! + q0 * n5 + q1 * n4 + q2 * n3 + q3 * n2 + carry * CARRY + q4 * n1;
  carry = column + ROUND - ROUND;
  const q5 = column - carry;
  column = columns[6]! + q0 * n6 + q1 * n5 + q2 * n4 + q3 * n3 + q4 * n2 + carry * CARRY + q5 * n1;
  carry = column + ROUND - ROUND;
  const q6 = column - carry;
  column = columns[7]! + q0 * n7 + q1 * n6 + q2 * n5 + q3 * n4 + q4 * n3 + q5 * n2 + carry * CARRY + q6 * n1;
  carry = column + ROUND - ROUND;
  const q7 = column - carry;
  column = columns[8]! + q0 * n8 + q1 * n7 + q2 * n6 + q3 * n5 + q4 * n4 + q5 * n3 + q6 * n2 + carry * CARRY + q7 * n1;
  carry = column + ROUND - ROUND;
  const q8 = column - carry;
  column =
    columns[9]! +
    q0 * n9 +
    q1 * n8 +
    q2 * n7 +
    q3 * n6 +
    q4 * n5 +
    q5 * n4 +
    q6 * n3 +
    q7 * n2 +
    carry * CARRY +
    q8 * n1;
  carry = column + ROUND - ROUND;
  const q9 = column - carry;
  column =
    columns[10]! +
    q0 * n10 +
    q1 * n9 +
    q2 * n8 +
    q3 * n7 +
    q4 * n6 +
    q5 * n5 +
    q6 * n4 +
    q7 * n3 +
    q8 * n2 +
    carry * CARRY +
    q9 * n1;
  carry = column + ROUND - ROUND;
  const q10 = column - carry;
  quotient[0] = q0;
  quotient[1] = q1;
  quotient[2] = q2;
  quotient[3] = q3;
  quotient[4] = q4;
  quotient[5] = q5;
  quotient[6] = q6;
  quotient[7] = q7;
  quotient[8] = q8;
  quotient[9] = q9;
  quotient[10] = q10;
  columns[0] =
    columns[11]! +
    q1 * n10 +
    q2 * n9 +
    q3 * n8 +
    q4 * n7 +
    q5 * n6 +
    q6 * n5 +
    q7 * n4 +
    q8 * n3 +
    q9 * n2 +
    q10 * n1 +
    carry * CARRY;
  columns[1] = columns[12]! + q2 * n10 + q3 * n9 + q4 * n8 + q5 * n7 + q6 * n6 + q7 * n5 + q8 * n4 + q9 * n3 + q10 * n2;
  columns[2] = columns[13]! + q3 * n10 + q4 * n9 + q5 * n8 + q6 * n7 + q7 * n6 + q8 * n5 + q9 * n4 + q10 * n3;
  columns[3] = columns[14]! + q4 * n10 + q5 * n9 + q6 * n8 + q7 * n7 + q8 * n6 + q9 * n5 + q10 * n4;
  columns[4] = columns[15]! + q5 * n10 + q6 * n9 + q7 * n8 + q8 * n7 + q9 * n6 + q10 * n5;
  columns[5] = columns[16]! + q6 * n10 + q7 * n9 + q8 * n8 + q9 * n7 + q10 * n6;
  columns[6] = columns[17]! + q7 * n10 + q8 * n9 + q9 * n8 + q10 * n7;
  columns[7] = columns[18]! + q8 * n10 + q9 * n9 + q10 * n8;
  columns[8] = columns[19]! + q9 * n10 + q10 * n9;
  columns[9] = columns[20]! + q10 * n10;
  columns[10] = 0;
  columns[11] = 0;
  columns[12] = 0;
  columns[13] = 0;
  columns[14] = 0;
  columns[15] = 0;
  columns[16] = 0;
  columns[17] = 0;
  columns[18] = 0;
  columns[19] = 0;
  columns[20] = 0;
  columns[21] = 0;
}

/** Takes the lower columns out as limbs that have handed on their carry once, as `carryOnce` says, and moves on to the next block. */
export function takeBlock(columns: Limbs, block: Limbs): void {
  let column = columns[0]!;
  let rounded = column + ROUND - ROUND;
  block[0] = column - rounded;
  let carry = rounded * CARRY;
  column = columns[1]!;
  rounded = column + ROUND - ROUND;
  block[1] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[2]!;
  rounded = column + ROUND - ROUND;
  block[2] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[3]!;
  rounded = column + ROUND - ROUND;
  block[3] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[4]!;
  rounded = column + ROUND - ROUND;
  block[4] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[5]!;
  rounded = column + ROUND - ROUND;
  block[5] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[6]!;
  rounded = column + ROUND - ROUND;
  block[6] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[7]!;
  rounded = column + ROUND - ROUND;
  block[7] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[8]!;
  rounded = column + ROUND - ROUND;
  block[8] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[9]!;
  rounded = column + ROUND - ROUND;
  block[9] = column - rounded + carry;
  carry = rounded * CARRY;
  column = columns[10]!;
  rounded = column + ROUND - ROUND;
  block[10] = column - rounded + carry;
  carry = rounded * CARRY;
  columns[0] = columns[LIMBS]! + carry;
  columns[1] = columns[12]!;
  columns[2] = columns[13]!;
  columns[3] = columns[14]!;
  columns[4] = columns[15]!;
  columns[5] = columns[16]!;
  columns[6] = columns[17]!;
  columns[7] = columns[18]!;
  columns[8] = columns[19]!;
  columns[9] = columns[20]!;
  columns[10] = columns[21]!;
  columns[11] = 0;
  columns[12] = 0;
  columns[13] = 0;
  columns[14] = 0;
  columns[15] = 0;
  columns[16] = 0;
  columns[17] = 0;
  columns[18] = 0;
  columns[19] = 0;
  columns[20] = 0;
  columns[21] = 0;
}

/** Each limb but the last hands its carry to the next, once: of limbs below 2^53, what stays is below 2^30, then below 2^23 + 2^6. */
export function carryOnce(limbs: Limbs): void {
  const last = limbs.length - 1;
  let carry = 0;
  for (let i = 0; i < last; i++) {
    const limb = limbs[i]!;
    const rounded = limb + ROUND - ROUND;
    limbs[i] = limb - rounded + carry;
    carry = rounded * CARRY;
  }
  limbs[last]! += carry;
}
