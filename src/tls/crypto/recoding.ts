/**
 * Scalars as digits: a regular recoding for secrets, where every digit counts the same, and a sparse one for public scalars.
 *
 * @module
 */

import { toBytes } from "./integers.ts";

/** A secret scalar cut into digits: it is ±(Σ dᵢ·2^(width·i) - even), with the dᵢ of {@link regularDigits}. */
export interface SecretScalar {
  readonly digits: Uint8Array;
  readonly even: 0 | 1;
  readonly negative: 0 | 1;
}

/**
 * Recodes a scalar in `[1, order)` that is not blinded, by way of the smaller of it and its negative: then the sum stays so far below
 * the order, whichever digit comes next, that an addition never meets equal or opposite points, or infinity, for any scalar at all.
 */
export function plainScalar(scalar: bigint, order: bigint, width: number, bits: number): SecretScalar {
  const both = [scalar, order - scalar];
  const negative = both[0]! > both[1]! ? 1 : 0;
  return { ...recoded(both[negative]!, width, scalarDigits(width, bits)), negative };
}

/** Recodes a scalar of at most `bits` bits that is blinded: additions may meet whatever there is, but nobody can foresee it. */
export function blindedScalar(scalar: bigint, width: number, bits: number): SecretScalar {
  return { ...recoded(scalar, width, scalarDigits(width, bits + 1)), negative: 0 };
}

/** Digits of `width` bits that numbers of `bits` bits are cut into. */
export function scalarDigits(width: number, bits: number): number {
  return Math.ceil(bits / width);
}

function recoded(scalar: bigint, width: number, count: number): Pick<SecretScalar, "digits" | "even"> {
  const even = (1 - Number(scalar & 1n)) as 0 | 1;
  return { digits: regularDigits(scalar + BigInt(even), width, count), even };
}

/**
 * The odd signed digits of an odd scalar, lowest first: scalar = Σ dᵢ·2^(width·i) with dᵢ = 2cᵢ + 1 - 2^width. Returned are the
 * cᵢ, which are just the bits of the scalar above the lowest, `width` at a time, and one bit more at the top: no branch, no carry,
 * and never a digit zero. The scalar must be below 2^(width·count).
 */
export function regularDigits(scalar: bigint, width: number, count: number): Uint8Array {
  const bytes = toBytes(scalar >> 1n, Math.ceil((width * count) / 8) + 1);
  const digits = new Uint8Array(count);
  for (let i = 0; i < count; i++) digits[i] = bitsAt(bytes, width * i, width);
  digits[count - 1]! |= 1 << (width - 1);
  bytes.fill(0);
  return digits;
}

/** Whether the digit is negative, as 1 or 0; `c` of {@link regularDigits}. */
export function digitSign(c: number, width: number): number {
  return 1 - (c >> (width - 1));
}

/** Where the digit's absolute value stands in a table of odd multiples 1, 3, 5, …: branch-free. */
export function digitIndex(c: number, width: number): number {
  return (c ^ -digitSign(c, width)) & ((1 << (width - 1)) - 1);
}

/**
 * The width-`width` non-adjacent form of a public scalar of at most `bits` bits, lowest digit first: digits are zero or odd with
 * an absolute value below 2^(width - 1), and after one that is not zero follow at least `width - 1` zeros.
 */
export function sparseDigits(scalar: bigint, width: number, bits: number): Int8Array {
  const bytes = toBytes(scalar, Math.ceil((bits + width) / 8) + 1);
  const digits = new Int8Array(bits + 1);
  let carry = 0;
  for (let i = 0; i <= bits; ) {
    if (bitsAt(bytes, i, 1) === carry) {
      i++;
      continue;
    }
    const word = bitsAt(bytes, i, width) + carry;
    carry = word >> (width - 1);
    digits[i] = word - (carry << width);
    i += width;
  }
  return digits;
}

/** `width` (at most 8) bits of a big-endian number from bit `position`, counted from the lowest, on. */
function bitsAt(bytes: Uint8Array, position: number, width: number): number {
  const at = bytes.length - 1 - (position >> 3);
  const pair = bytes[at]! | ((bytes[at - 1] ?? 0) << 8);
  return (pair >> (position & 7)) & ((1 << width) - 1);
}
