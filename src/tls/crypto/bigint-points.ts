/**
 * The group law of `points.ts` written out on BigInt: the same formulas without a call for each operation of the field.
 *
 * An engine that interprets, and V8 in its first milliseconds, spends a third of a doubling on such calls. What is stored are cells all
 * the same, so that tables, look-ups and blinding are those of every arithmetic. All coordinates are reduced, so that zero is `0n`.
 *
 * @module
 */

import type { BigIntCell, Field } from "./field.ts";
import { type Affine, type Jacobian, Points } from "./points.ts";

/** {@link Points} for the BigInt arithmetic. */
export class BigIntPoints extends Points<BigIntCell> {
  readonly #modulus: bigint;

  constructor(field: Field<BigIntCell>) {
    super(field);
    this.#modulus = field.modulus;
  }

  override double(out: Jacobian<BigIntCell>, p: Jacobian<BigIntCell>): void {
    const m = this.#modulus;
    const x = p.x.value;
    const y = p.y.value;
    const z = p.z.value;
    const square = (z * z) % m;
    const a = (3n * (x - square) * (x + square)) % m;
    const twice = y + y;
    const c = (twice * y) % m; // 2Y²
    const b = c + c; // 4Y²
    const d = (x * b) % m; // 4XY²
    const newX = (a * a - d - d) % m;
    out.x.value = newX;
    out.y.value = (a * (d - newX) - b * c) % m; // … - 8Y⁴
    out.z.value = (twice * z) % m;
  }

  override add(out: Jacobian<BigIntCell>, p: Jacobian<BigIntCell>, q: Jacobian<BigIntCell>): void {
    const m = this.#modulus;
    const pz = p.z.value;
    const qz = q.z.value;
    if (pz === 0n || qz === 0n) {
      this.copy(out, pz === 0n ? q : p);
      return;
    }
    const squareP = (pz * pz) % m;
    const squareQ = (qz * qz) % m;
    const u = (p.x.value * squareQ) % m;
    const s = (p.y.value * ((squareQ * qz) % m)) % m;
    const h = (q.x.value * squareP - u) % m;
    const r = (q.y.value * ((squareP * pz) % m) - s) % m;
    if (h === 0n) this.meet(out, p, r === 0n);
    else this.#chord(out, (pz * qz) % m, u, s, h, r);
  }

  override addAffine(out: Jacobian<BigIntCell>, p: Jacobian<BigIntCell>, q: Affine<BigIntCell>): void {
    const m = this.#modulus;
    const z = p.z.value;
    if (z === 0n) {
      out.x.value = q.x.value;
      out.y.value = q.y.value;
      out.z.value = 1n;
      return;
    }
    const square = (z * z) % m;
    const u = p.x.value;
    const s = p.y.value;
    const h = (q.x.value * square - u) % m;
    const r = (q.y.value * ((square * z) % m) - s) % m;
    if (h === 0n) this.meet(out, p, r === 0n);
    else this.#chord(out, z, u, s, h, r);
  }

  #chord(out: Jacobian<BigIntCell>, z: bigint, u: bigint, s: bigint, h: bigint, r: bigint): void {
    const m = this.#modulus;
    const square = (h * h) % m;
    const c = (u * square) % m;
    const cube = (square * h) % m;
    const x = (r * r - c - c - cube) % m;
    out.x.value = x;
    out.y.value = (r * (c - x) - s * cube) % m;
    out.z.value = (z * h) % m;
  }
}
