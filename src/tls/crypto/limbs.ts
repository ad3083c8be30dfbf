/**
 * Numbers of 264 bits as eleven signed limbs of 24 bits in doubles: Σ limb[i]·2^(24i). A product of two limbs has 48 bits, so that some
 * dozens can be added before a double, which is exact below 2^53, must hand on a carry.
 *
 * @module
 */

/** A number, or a cell of a field. */
export type Limbs = Float64Array;

/** Limbs of a number. */
export const LIMBS = 11;
/** Bits of {@link LIMBS} limbs. */
export const LIMBS_BITS = 264n;
/** Added and taken away again, it rounds to the nearest multiple of 2^24, since doubles from 2^76 to 2^77 are such multiples. */
export const ROUND = 1.5 * 2 ** 76;
/** What a limb hands to the next, where one unit is worth 2^24. */
export const CARRY = 2 ** -24;

const LAST = LIMBS - 1;
const RADIX = 2 ** 24;
const PAIR_BITS = 48n;
const PAIR_MASK = 0xffffffffffffn;

/** New numbers, all zero. They share their memory, since an engine takes ten times as long to find some for each. */
export function newLimbs(count: number): Limbs[] {
  const bytes = LIMBS * Float64Array.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(count * bytes);
  const numbers: Limbs[] = [];
  for (let i = 0; i < count; i++) numbers.push(new Float64Array(memory, i * bytes, LIMBS));
  return numbers;
}

/** Writes the limbs of a number below 2^263, all but the last between -2^23 and 2^23. */
export function toLimbs(limbs: Limbs, value: bigint): void {
  let rest = value;
  let carry = 0;
  for (let i = 0; i < LAST; i += 2) {
    const pair = Number(rest & PAIR_MASK);
    rest >>= PAIR_BITS;
    const high = Math.floor(pair * CARRY);
    const low = pair - high * RADIX + carry;
    carry = (low + ROUND - ROUND) * CARRY;
    limbs[i] = low - carry * RADIX;
    const next = high + carry;
    carry = (next + ROUND - ROUND) * CARRY;
    limbs[i + 1] = next - carry * RADIX;
  }
  limbs[LAST] = Number(rest) + carry;
}

/** The number, negative ones too. Limbs may have up to 28 bits. */
export function fromLimbs(limbs: Limbs): bigint {
  let value = BigInt(limbs[LAST]!);
  for (let i = LAST - 2; i >= 0; i -= 2) value = (value << PAIR_BITS) + BigInt(limbs[i + 1]! * RADIX + limbs[i]!);
  return value;
}
