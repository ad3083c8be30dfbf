/**
 * Points of a curve y² = x³ - 3x + b in Jacobian coordinates (X/Z², Y/Z³), over any {@link Field}.
 *
 * The formulas are those everyone uses (the Explicit-Formulas Database, "Jacobian coordinates with a4=-3"). The cases they do not
 * cover (equal points, opposite points, infinity) are handled by `add` and `addAffine`, so that callers need not think of them;
 * `addDistinct` and `addDistinctAffine` are for those that have proved that no such case arises, and look at no value.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import type { Field } from "./field.ts";
import { Sliced } from "./sliced.ts";

/** X, Y, Z; Z = 0 is infinity. Cells, which operations write into. */
export interface Jacobian<E> {
  readonly x: E;
  readonly y: E;
  readonly z: E;
}

/** x, y. */
export interface Affine<E> {
  readonly x: E;
  readonly y: E;
}

/** Field multiplications of {@link Points.double}. */
export const DOUBLE_MULTIPLICATIONS = 8;
/** Field multiplications of {@link Points.add}. */
export const ADD_MULTIPLICATIONS = 16;
/** Field multiplications of {@link Points.addAffine}. */
export const ADD_AFFINE_MULTIPLICATIONS = 11;

/** The group law over one field. Owns scratch cells: one operation at a time. Outputs may be inputs. */
export class Points<E> {
  readonly field: Field<E>;
  readonly #one: E;
  readonly #t: readonly E[];

  constructor(field: Field<E>) {
    this.field = field;
    this.#one = field.element(1n);
    this.#t = Array.from({ length: 8 }, () => field.element(0n));
  }

  /** A new point at infinity. */
  infinity(): Jacobian<E> {
    const { field } = this;
    return { x: field.element(1n), y: field.element(1n), z: field.element(0n) };
  }

  isInfinity(p: Jacobian<E>): boolean {
    return this.field.isZero(p.z);
  }

  copy(out: Jacobian<E>, p: Jacobian<E>): void {
    const { field } = this;
    field.copy(out.x, p.x);
    field.copy(out.y, p.y);
    field.copy(out.z, p.z);
  }

  /** The same point with a Z of the caller's choice: a random one hides which values are computed with. */
  lift(out: Jacobian<E>, p: Affine<E>, z: E): void {
    const { field } = this;
    const t = this.#t;
    field.square(t[0]!, z);
    field.multiply(out.x, p.x, t[0]!);
    field.multiply(t[0]!, t[0]!, z);
    field.multiply(out.y, p.y, t[0]!);
    field.copy(out.z, z);
  }

  /** out = 2p. Infinity stays infinity, since Z is a factor of the new Z. */
  double(out: Jacobian<E>, p: Jacobian<E>): void {
    const { field } = this;
    const t = this.#t;
    const a = t[0]!;
    const b = t[1]!;
    const c = t[2]!;
    const d = t[3]!;
    field.square(a, p.z);
    field.subtract(b, p.x, a);
    field.add(a, p.x, a);
    field.multiply(a, a, b);
    field.add(b, a, a);
    field.add(a, a, b); // 3(X - Z²)(X + Z²)
    field.add(b, p.y, p.y); // 2Y
    field.multiply(out.z, b, p.z);
    field.multiply(c, b, p.y); // 2Y²
    field.add(b, c, c); // 4Y²
    field.multiply(d, p.x, b); // 4XY²
    field.add(out.y, d, d);
    field.squareSubtract(out.x, a, out.y);
    field.subtract(d, d, out.x);
    field.multiplyTwiceSubtract(out.y, a, d, b, c); // … - 8Y⁴
  }

  /** out = p + q. */
  add(out: Jacobian<E>, p: Jacobian<E>, q: Jacobian<E>): void {
    const { field } = this;
    if (field.isZero(p.z) || field.isZero(q.z)) {
      this.copy(out, field.isZero(p.z) ? q : p);
      return;
    }
    this.#compare(p, q);
    if (field.isZero(this.#t[6]!)) this.#meet(out, p);
    else this.#chordOf(out, p, q);
  }

  /** out = p + q where neither is infinity and they are neither equal nor opposite; else the new Z is zero. */
  addDistinct(out: Jacobian<E>, p: Jacobian<E>, q: Jacobian<E>): void {
    this.#compare(p, q);
    this.#chordOf(out, p, q);
  }

  /** out = p + q for a q in affine coordinates: cheaper. */
  addAffine(out: Jacobian<E>, p: Jacobian<E>, q: Affine<E>): void {
    const { field } = this;
    if (field.isZero(p.z)) {
      field.copy(out.x, q.x);
      field.copy(out.y, q.y);
      field.copy(out.z, this.#one);
      return;
    }
    this.#compareAffine(p, q);
    if (field.isZero(this.#t[6]!)) this.#meet(out, p);
    else this.#chord(out, p.z, p.x, p.y);
  }

  /** As {@link addDistinct}, for a q in affine coordinates. */
  addDistinctAffine(out: Jacobian<E>, p: Jacobian<E>, q: Affine<E>): void {
    this.#compareAffine(p, q);
    this.#chord(out, p.z, p.x, p.y);
  }

  /** Brings p and q to one denominator: u and s are p's x and y (cells 4 and 5), h and r are q's less p's (cells 6 and 7). */
  #compare(p: Jacobian<E>, q: Jacobian<E>): void {
    const { field } = this;
    const t = this.#t;
    const a = t[0]!;
    const b = t[1]!;
    field.square(a, q.z);
    field.multiply(t[4]!, p.x, a);
    field.multiply(a, a, q.z);
    field.multiply(t[5]!, p.y, a);
    field.square(b, p.z);
    field.multiplySubtract(t[6]!, q.x, b, t[4]!);
    field.multiply(b, b, p.z);
    field.multiplySubtract(t[7]!, q.y, b, t[5]!);
  }

  #compareAffine(p: Jacobian<E>, q: Affine<E>): void {
    const { field } = this;
    const t = this.#t;
    const b = t[1]!;
    field.square(b, p.z);
    field.multiplySubtract(t[6]!, q.x, b, p.x);
    field.multiply(b, b, p.z);
    field.multiplySubtract(t[7]!, q.y, b, p.y);
  }

  /** The same x: the points are equal (then it is a doubling) or opposite. */
  #meet(out: Jacobian<E>, p: Jacobian<E>): void {
    if (this.field.isZero(this.#t[7]!)) this.double(out, p);
    else this.copy(out, this.infinity());
  }

  #chordOf(out: Jacobian<E>, p: Jacobian<E>, q: Jacobian<E>): void {
    const t = this.#t;
    this.field.multiply(t[0]!, p.z, q.z);
    this.#chord(out, t[0]!, t[4]!, t[5]!);
  }

  /** The third point of a chord: Z = z·h, X = r² - h³ - 2uh², Y = r(uh² - X) - sh³. */
  #chord(out: Jacobian<E>, z: E, u: E, s: E): void {
    const { field } = this;
    const t = this.#t;
    const b = t[1]!;
    const c = t[2]!;
    const d = t[3]!;
    const h = t[6]!;
    const r = t[7]!;
    field.square(b, h);
    field.multiply(c, u, b); // uh²
    field.multiply(b, b, h); // h³
    field.add(d, c, c);
    field.add(d, d, b);
    field.multiply(out.z, z, h);
    field.squareSubtract(out.x, r, d);
    field.subtract(d, c, out.x);
    field.multiplyTwiceSubtract(out.y, r, d, s, b);
  }
}

/** p, 3p, 5p, … as a task: `count` points. */
export class OddMultiples<E> extends Sliced<readonly Jacobian<E>[]> {
  readonly #points: Points<E>;
  readonly #twice: Jacobian<E>;
  readonly #multiples: Jacobian<E>[];
  readonly #count: number;
  #doubled = false;

  constructor(points: Points<E>, point: Jacobian<E>, count: number) {
    super();
    this.#points = points;
    this.#twice = points.infinity();
    this.#multiples = [point];
    this.#count = count;
  }

  protected advance(): number {
    const points = this.#points;
    const multiples = this.#multiples;
    if (!this.#doubled) {
      points.double(this.#twice, multiples[0]!);
      this.#doubled = true;
      return DOUBLE_MULTIPLICATIONS * points.field.units;
    }
    const next = points.infinity();
    points.add(next, multiples[multiples.length - 1]!, this.#twice);
    multiples.push(next);
    if (multiples.length === this.#count) this.complete(multiples);
    return ADD_MULTIPLICATIONS * points.field.units;
  }
}

/** The affine coordinates of points that are not infinity, as a task, with one inversion for all. For public points. */
export class ToAffine<E> extends Sliced<readonly Affine<E>[]> {
  readonly #points: Points<E>;
  readonly #from: readonly Jacobian<E>[];
  /** Products of the first Zs. */
  readonly #products: E[] = [];
  readonly #to: Affine<E>[] = [];
  #inversion: Task<bigint | undefined> | undefined;
  #inverse: E | undefined;

  constructor(points: Points<E>, from: readonly Jacobian<E>[]) {
    super();
    this.#points = points;
    this.#from = from;
  }

  protected advance(): number {
    const { field } = this.#points;
    const from = this.#from;
    const products = this.#products;
    const done = products.length;
    if (done < from.length) {
      const product = field.element(1n);
      field.multiply(product, done === 0 ? product : products[done - 1]!, from[done]!.z);
      products.push(product);
      return field.units;
    }
    if (this.#inverse === undefined) {
      this.#inversion ??= field.inverse(field.integer(products[done - 1]!), field.modulus);
      const part = this.delegate(this.#inversion);
      if (part.done) this.#inverse = field.element(this.#inversion.result!);
      return part.units;
    }
    // From the last to the first: the inverse of the product of the first i, times the product of the first i - 1.
    const i = from.length - 1 - this.#to.length;
    const { x, y, z } = from[i]!;
    const inverse = field.element(1n);
    const power = field.element(0n);
    const affine = { x: field.element(0n), y: field.element(0n) };
    field.multiply(inverse, this.#inverse, i === 0 ? inverse : products[i - 1]!);
    field.multiply(this.#inverse, this.#inverse, z);
    field.square(power, inverse);
    field.multiply(affine.x, x, power);
    field.multiply(power, power, inverse);
    field.multiply(affine.y, y, power);
    this.#to.push(affine);
    if (i === 0) this.complete(this.#to.reverse());
    return 6 * field.units;
  }
}
