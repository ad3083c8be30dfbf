/**
 * Points of a curve y² = x³ - 3x + b in Jacobian coordinates (X/Z², Y/Z³), over any {@link Field}.
 *
 * The formulas are those everyone uses (the Explicit-Formulas Database, "Jacobian coordinates with a4=-3"). The cases they do not
 * cover (equal points, opposite points, infinity) are handled by `add` and `addAffine`, so that callers need not think of them;
 * `addDistinct` is for those that have proved that no such case arises, and looks at no value.
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
/** Points that {@link ToAffine} works on at a time. */
const POINTS_AT_ONCE = 8;

/** The group law over one field. Owns scratch cells: one operation at a time. Outputs may be inputs. */
export class Points<E> {
  readonly field: Field<E>;
  readonly #one: E;
  readonly #t: readonly E[];

  constructor(field: Field<E>) {
    this.field = field;
    this.#one = field.element(1n);
    this.#t = Array.from({ length: 8 }, () => field.zero());
  }

  /** A new point at infinity. */
  infinity(): Jacobian<E> {
    const { field } = this;
    const point = { x: field.zero(), y: field.zero(), z: field.zero() };
    field.copy(point.x, this.#one);
    field.copy(point.y, this.#one);
    return point;
  }

  /** A new point with these coordinates. */
  at({ x, y }: Affine<bigint>): Jacobian<E> {
    const { field } = this;
    return { x: field.element(x), y: field.element(y), z: field.element(1n) };
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
    const t = this.#t;
    const a = t[0]!;
    const b = t[1]!;
    const u = t[4]!;
    const s = t[5]!;
    field.square(a, q.z);
    field.multiply(u, p.x, a);
    field.multiply(a, a, q.z);
    field.multiply(s, p.y, a);
    field.square(b, p.z);
    field.multiplySubtract(t[6]!, q.x, b, u);
    field.multiply(b, b, p.z);
    field.multiplySubtract(t[7]!, q.y, b, s);
    if (field.isZero(t[6]!)) {
      this.meet(out, p, field.isZero(t[7]!));
      return;
    }
    field.multiply(a, p.z, q.z);
    this.#chord(out, a, u, s);
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
    if (field.isZero(this.#t[6]!)) this.meet(out, p, field.isZero(this.#t[7]!));
    else this.#chord(out, p.z, p.x, p.y);
  }

  /** out = p + q where p is not infinity, nor equal or opposite to q; else the new Z is zero. Looks at no value. */
  addDistinct(out: Jacobian<E>, p: Jacobian<E>, q: Affine<E>): void {
    this.#compareAffine(p, q);
    this.#chord(out, p.z, p.x, p.y);
  }

  /** h and r (cells 6 and 7): what q's x and y have more than p's, over p's denominators. */
  #compareAffine(p: Jacobian<E>, q: Affine<E>): void {
    const { field } = this;
    const t = this.#t;
    const b = t[1]!;
    field.square(b, p.z);
    field.multiplySubtract(t[6]!, q.x, b, p.x);
    field.multiply(b, b, p.z);
    field.multiplySubtract(t[7]!, q.y, b, p.y);
  }

  /** p and a point of the same x: they are equal, and it is a doubling, or opposite. */
  protected meet(out: Jacobian<E>, p: Jacobian<E>, equal: boolean): void {
    if (equal) this.double(out, p);
    else this.copy(out, this.infinity());
  }

  /** The third point of a chord, with h and r in cells 6 and 7: Z = z·h, X = r² - h³ - 2uh², Y = r(uh² - X) - sh³. */
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

/** p, 3p, 5p, … as a task: `count` new points. */
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
    const first = points.infinity();
    points.copy(first, point);
    this.#multiples = [first];
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

/**
 * The affine coordinates of points that are not infinity, as a task, with one inversion for all. The points give up their cells:
 * their x and y are overwritten.
 */
export class ToAffine<E> extends Sliced<readonly Affine<E>[]> {
  readonly #points: Points<E>;
  readonly #from: readonly Jacobian<E>[];
  /** Products of the first Zs. */
  readonly #products: E[] = [];
  #inversion: Task<bigint | undefined> | undefined;
  /** The inverse of the product of the first `#left` Zs. */
  #inverse: E | undefined;
  #left: number;
  readonly #power: E;

  constructor(points: Points<E>, from: readonly Jacobian<E>[]) {
    super();
    this.#points = points;
    this.#from = from;
    this.#left = from.length;
    this.#power = points.field.zero();
  }

  protected advance(): number {
    const { field } = this.#points;
    if (this.#products.length < this.#from.length) return this.#multiply() * field.units;
    if (this.#inverse === undefined) {
      this.#inversion ??= field.inverse(field.integer(this.#products[this.#from.length - 1]!), field.modulus);
      const units = this.delegate(this.#inversion);
      if (this.delegateDone) this.#inverse = field.element(this.#inversion.result!);
      return units;
    }
    return this.#divide(this.#inverse) * field.units;
  }

  /** Makes the products of some points; returns the multiplications. */
  #multiply(): number {
    const { field } = this.#points;
    const from = this.#from;
    const products = this.#products;
    const end = Math.min(products.length + POINTS_AT_ONCE, from.length);
    for (let i = products.length; i < end; i++) {
      const product = field.zero();
      if (i === 0) field.copy(product, from[0]!.z);
      else field.multiply(product, products[i - 1]!, from[i]!.z);
      products.push(product);
    }
    return POINTS_AT_ONCE;
  }

  /** Divides the coordinates of some points by their Zs, from the last one down. */
  #divide(inverse: E): number {
    const { field } = this.#points;
    const products = this.#products;
    const power = this.#power;
    for (let i = 0; i < POINTS_AT_ONCE && this.#left > 0; i++) {
      const { x, y, z } = this.#from[--this.#left]!;
      const own = products[this.#left]!;
      if (this.#left === 0) field.copy(own, inverse);
      else field.multiply(own, inverse, products[this.#left - 1]!);
      field.multiply(inverse, inverse, z);
      field.square(power, own);
      field.multiply(x, x, power);
      field.multiply(power, power, own);
      field.multiply(y, y, power);
    }
    if (this.#left === 0) this.complete(this.#from);
    return 6 * POINTS_AT_ONCE;
  }
}
