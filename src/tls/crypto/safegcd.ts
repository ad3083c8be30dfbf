/**
 * Inverses modulo odd numbers of up to 256 bits in a number of steps that does not depend on the value: the division steps of Bernstein and Yang
 * ("Fast constant-time gcd computation and modular inversion", 2019) in the variant that starts at one half, for which 590 steps are
 * enough. They run on the lowest bits, 24 at a time, as 32-bit integers, and give a matrix with which all limbs are then multiplied.
 *
 * @module
 */

import { mod } from "./integers.ts";
import { CARRY, fromLimbs, LIMBS, type Limbs, newLimbs, ROUND, toLimbs } from "./limbs.ts";
import { Sliced } from "./sliced.ts";

/** Steps that give a matrix: as many as a limb has bits. */
const STEPS = 24;
/** Matrices: 25 · 24 = 600 steps. */
const MATRICES = 25;
/** Matrices that are computed at a time, and the cost of that. */
const AT_ONCE = 5;
const UNITS = 20;

/** The inverse of a value modulo an odd modulus, or `undefined` where there is none. */
export class UniformInverseTask extends Sliced<bigint | undefined> {
  readonly #modulus: bigint;
  readonly #m: Limbs;
  /** -1/modulus modulo 2^24. */
  readonly #factor: number;
  /** The greatest common divisor stays that of f and g; f = d·value and g = e·value modulo the modulus. */
  readonly #f: Limbs;
  readonly #g: Limbs;
  readonly #d: Limbs;
  readonly #e: Limbs;
  /** -(δ + 1/2) of the paper. */
  #zeta = -1;
  #matrices = 0;

  constructor(value: bigint, modulus: bigint) {
    super();
    const [m, f, g, d, e] = newLimbs(5) as [Limbs, Limbs, Limbs, Limbs, Limbs];
    toLimbs(m, modulus);
    f.set(m);
    toLimbs(g, mod(value, modulus));
    e[0] = 1;
    this.#modulus = modulus;
    this.#m = m;
    this.#factor = negativeInverse(m[0]!);
    this.#f = f;
    this.#g = g;
    this.#d = d;
    this.#e = e;
  }

  protected advance(): number {
    for (let i = 0; i < AT_ONCE; i++) this.#divide();
    this.#matrices += AT_ONCE;
    if (this.#matrices === MATRICES) {
      // f is 1 or -1 now, and else a common divisor.
      const f = fromLimbs(this.#f);
      const unit = f === 1n || f === -1n;
      this.complete(unit ? mod(f * fromLimbs(this.#d), this.#modulus) : undefined);
    }
    return UNITS;
  }

  #divide(): void {
    let zeta = this.#zeta;
    let f = lowWord(this.#f);
    let g = lowWord(this.#g);
    let [u, v, q, r] = [1, 0, 0, 1];
    for (let i = 0; i < STEPS; i++) {
      // Where g is odd, f is added to it, or taken away where δ is positive, and then f takes the place of g.
      const negative = zeta >> 31;
      const odd = -(g & 1);
      g = (g + (((f ^ negative) - negative) & odd)) | 0;
      q += ((u ^ negative) - negative) & odd;
      r += ((v ^ negative) - negative) & odd;
      const swap = negative & odd;
      zeta = (zeta ^ swap) - 1;
      f = (f + (g & swap)) | 0;
      u += q & swap;
      v += r & swap;
      g >>= 1;
      u <<= 1;
      v <<= 1;
    }
    this.#zeta = zeta;
    multiplyByMatrix(this.#f, this.#g, u, v, q, r);
    this.#multiplyModulo(u, v, q, r);
  }

  /** (d, e) = (u·d + v·e, q·d + r·e) / 2^24 modulo the modulus: a multiple of it is added that makes the lowest limb zero. */
  #multiplyModulo(u: number, v: number, q: number, r: number): void {
    const round = ROUND;
    const carry = CARRY;
    const d = this.#d;
    const e = this.#e;
    const m = this.#m;
    const multipleD = lowLimb(lowLimb(u * d[0]! + v * e[0]!) * this.#factor);
    const multipleE = lowLimb(lowLimb(q * d[0]! + r * e[0]!) * this.#factor);
    let carryD = (u * d[0]! + v * e[0]! + multipleD * m[0]!) * carry;
    let carryE = (q * d[0]! + r * e[0]! + multipleE * m[0]!) * carry;
    for (let i = 1; i < LIMBS; i++) {
      const nextD = u * d[i]! + v * e[i]! + multipleD * m[i]! + carryD;
      const nextE = q * d[i]! + r * e[i]! + multipleE * m[i]! + carryE;
      const highD = nextD + round - round;
      const highE = nextE + round - round;
      d[i - 1] = nextD - highD;
      e[i - 1] = nextE - highE;
      carryD = highD * carry;
      carryE = highE * carry;
    }
    d[LIMBS - 1] = carryD;
    e[LIMBS - 1] = carryE;
  }
}

/** (f, g) = (u·f + v·g, q·f + r·g) / 2^24; the division leaves nothing. */
function multiplyByMatrix(f: Limbs, g: Limbs, u: number, v: number, q: number, r: number): void {
  const round = ROUND;
  const carry = CARRY;
  let carryF = (u * f[0]! + v * g[0]!) * carry;
  let carryG = (q * f[0]! + r * g[0]!) * carry;
  for (let i = 1; i < LIMBS; i++) {
    const nextF = u * f[i]! + v * g[i]! + carryF;
    const nextG = q * f[i]! + r * g[i]! + carryG;
    const highF = nextF + round - round;
    const highG = nextG + round - round;
    f[i - 1] = nextF - highF;
    g[i - 1] = nextG - highG;
    carryF = highF * carry;
    carryG = highG * carry;
  }
  f[LIMBS - 1] = carryF;
  g[LIMBS - 1] = carryG;
}

/** The number modulo 2^32, as an integer with sign. */
function lowWord(a: Limbs): number {
  return (a[0]! + (a[1]! << STEPS)) | 0;
}

/** What is left of a product after rounding to multiples of 2^24. */
function lowLimb(product: number): number {
  return product - (product + ROUND - ROUND);
}

/** -1/a modulo 2^24 for an odd a, by Newton's iteration, which doubles the bits that are right. */
function negativeInverse(a: number): number {
  let inverse = a;
  for (let bits = 3; bits < STEPS; bits *= 2) inverse = lowLimb(inverse * lowLimb(2 - lowLimb(a * inverse)));
  return -inverse;
}
