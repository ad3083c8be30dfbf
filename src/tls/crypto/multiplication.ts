/**
 * Scalar multiplication as tasks, one digit a step: of any point, of the generator with a table, and of two at once.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import {
  ADD_AFFINE_MULTIPLICATIONS,
  ADD_MULTIPLICATIONS,
  type Affine,
  DOUBLE_MULTIPLICATIONS,
  type Jacobian,
  OddMultiples,
  type Points,
  ToAffine,
} from "./points.ts";
import { digitIndex, digitSign, type SecretScalar, sparseDigits } from "./recoding.ts";
import { Sliced } from "./sliced.ts";

/** How scalars are cut up: what is best depends on what memory, table look-ups and long scalars cost in an arithmetic. */
export interface Shape {
  /** Bits of a digit of secret scalars, for points that come from a peer. */
  readonly window: number;
  /** Bits of such a digit for the generator, and the digits that share a row of its table. */
  readonly baseWindow: number;
  readonly baseStride: number;
  /** Bits of a sparse digit of public scalars, for points that come from a peer and for the generator. */
  readonly sparse: number;
  readonly baseSparse: number;
}

/** For blinded scalars: small tables. 72 points of P-256 for the generator, about 5,000 field multiplications to build. */
export const BLINDED: Shape = { window: 5, baseWindow: 4, baseStride: 9, sparse: 5, baseSparse: 5 };

/** For scalars that need no blinding, on an arithmetic that reads a whole row of a table: 128 points of P-256. */
export const UNIFORM: Shape = { window: 4, baseWindow: 4, baseStride: 4, sparse: 5, baseSparse: 7 };

/** Places of public scalars that are computed at a time. */
const DIGITS_AT_ONCE = 4;

/** How many odd multiples sparse digits of a width name. */
export function sparsePoints(width: number): number {
  return 1 << (width - 2);
}

/** A row of a table by coordinates, so that a digit selects out of either. */
export interface Row<E> {
  readonly x: readonly E[];
  readonly y: readonly E[];
}

/** The table for secret multiples of a point, built as a task: row j holds the odd multiples of 2^(width·stride·j) · point. */
export class MultiplesTable<E> extends Sliced<readonly Row<E>[]> {
  /** Bits of a digit, and the digits that share a row. */
  readonly width: number;
  readonly stride: number;
  readonly #points: Points<E>;
  readonly #rows: number;
  readonly #multiples: Jacobian<E>[] = [];
  #row: OddMultiples<E> | undefined;
  readonly #base: Jacobian<E>;
  #doublings = 0;
  #affine: ToAffine<E> | undefined;

  constructor(points: Points<E>, point: Jacobian<E>, width: number, stride: number, digits: number) {
    super();
    this.width = width;
    this.stride = stride;
    this.#points = points;
    this.#base = points.infinity();
    points.copy(this.#base, point);
    this.#rows = Math.ceil(digits / stride);
  }

  protected advance(): number {
    const points = this.#points;
    if (this.#affine !== undefined) {
      const units = this.delegate(this.#affine);
      if (this.delegateDone) this.complete(this.#cut(this.#affine.result));
      return units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(this.#base, this.#base);
      return DOUBLE_MULTIPLICATIONS * points.field.units;
    }
    this.#row ??= new OddMultiples(points, this.#base, this.#rowPoints);
    const units = this.delegate(this.#row);
    if (!this.delegateDone) return units;
    this.#multiples.push(...this.#row.result);
    this.#row = undefined;
    if (this.#multiples.length === this.#rows * this.#rowPoints) this.#affine = new ToAffine(points, this.#multiples);
    this.#doublings = this.width * this.stride;
    return units;
  }

  get #rowPoints(): number {
    return 1 << (this.width - 1);
  }

  #cut(multiples: readonly Affine<E>[]): readonly Row<E>[] {
    return Array.from({ length: this.#rows }, (_, j) => {
      const row = multiples.slice(j * this.#rowPoints, (j + 1) * this.#rowPoints);
      return { x: row.map((point) => point.x), y: row.map((point) => point.y) };
    });
  }
}

/**
 * scalar · point for a secret scalar and the table of a point: with one row this is the usual way from digit to digit, with more the rows
 * share the doublings. Z starts from `z`, which is random where the scalar is blinded.
 */
export class Multiplication<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #table: MultiplesTable<E>;
  readonly #scalar: SecretScalar;
  readonly #z: E;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  /** The row, and the digit within each row, from the highest down. */
  #row = 0;
  #within: number;
  #started = false;

  constructor(points: Points<E>, table: MultiplesTable<E>, scalar: SecretScalar, z: E) {
    super();
    this.#points = points;
    this.#table = table;
    this.#scalar = scalar;
    this.#z = z;
    this.#within = table.stride - 1;
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
  }

  protected advance(): number {
    if (!this.#started) {
      const units = this.delegate(this.#table);
      this.#started = this.delegateDone;
      return units;
    }
    const { width } = this.#table;
    const first = this.#within === this.#table.stride - 1;
    let multiplications = ADD_AFFINE_MULTIPLICATIONS;
    if (this.#within >= 0) {
      if (this.#row === 0 && !first) {
        for (let i = 0; i < width; i++) this.#points.double(this.#sum, this.#sum);
        multiplications += width * DOUBLE_MULTIPLICATIONS;
      }
      this.#addDigit(this.#row === 0 && first);
    } else {
      this.#end();
    }
    return multiplications * this.#points.field.units;
  }

  #addDigit(first: boolean): void {
    this.#choose();
    if (first) this.#points.lift(this.#sum, this.#chosen, this.#z);
    else addSecret(this.#points, this.#sum, this.#sum, this.#chosen);
    this.#row++;
    if (this.#row * this.#table.stride + this.#within < this.#scalar.digits.length) return;
    this.#row = 0;
    this.#within--;
  }

  #choose(): void {
    const { field } = this.#points;
    const { width, stride, result } = this.#table;
    const chosen = this.#chosen;
    const row = result[this.#row]!;
    const digit = this.#scalar.digits[this.#row * stride + this.#within]!;
    const index = digitIndex(digit, width);
    field.select(chosen.x, row.x, index);
    field.select(chosen.y, row.y, index);
    field.negateWhen(chosen.y, chosen.y, digitSign(digit, width));
  }

  /** The digits stand for the scalar or for one more, or for its negative: see {@link SecretScalar}. */
  #end(): void {
    const points = this.#points;
    const { field } = points;
    const { digits, even, negative } = this.#scalar;
    const sum = this.#sum;
    const less = this.#chosen;
    const { x, y } = this.#table.result[0]!;
    field.copy(less.x, x[0]!);
    field.negateWhen(less.y, y[0]!, 1);
    addSecret(points, less, sum, less);
    field.choose(sum.x, sum.x, less.x, even);
    field.choose(sum.y, sum.y, less.y, even);
    field.choose(sum.z, sum.z, less.z, even);
    field.negateWhen(sum.y, sum.y, negative);
    digits.fill(0);
    this.complete(sum);
  }
}

/** Additions of a secret multiple meet nothing special on a uniform field, and nothing that can be foreseen where the scalar is blinded. */
function addSecret<E>(points: Points<E>, out: Jacobian<E>, p: Jacobian<E>, q: Affine<E>): void {
  if (points.field.uniform) points.addDistinct(out, p, q);
  else points.addAffine(out, p, q);
}

/** u1 · G + u2 · point for public scalars: the doublings are shared, and most digits are zero. */
export class Combination<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #generatorMultiples: Task<readonly Affine<E>[]>;
  readonly #pointMultiples: OddMultiples<E>;
  readonly #digits1: Int8Array;
  readonly #digits2: Int8Array;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  #prepared = 0;
  #at: number;

  /** @param generatorMultiples - G, 3G, …: as many as digits of `shape.baseSparse` bits name. */
  constructor(
    points: Points<E>,
    generatorMultiples: Task<readonly Affine<E>[]>,
    u1: bigint,
    point: Jacobian<E>,
    u2: bigint,
    bits: number,
    shape: Shape,
  ) {
    super();
    this.#points = points;
    this.#generatorMultiples = generatorMultiples;
    this.#pointMultiples = new OddMultiples(points, point, sparsePoints(shape.sparse));
    this.#digits1 = sparseDigits(u1, shape.baseSparse, bits);
    this.#digits2 = sparseDigits(u2, shape.sparse, bits);
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
    this.#at = bits;
  }

  protected advance(): number {
    if (this.#prepared < 2) {
      const units = this.delegate(this.#prepared === 0 ? this.#generatorMultiples : this.#pointMultiples);
      if (this.delegateDone) this.#prepared++;
      return units;
    }
    const { units } = this.#points.field;
    let multiplications = 0;
    // Some at a time, since a call for each would cost as much as one of the eight multiplications of a doubling.
    for (let i = 0; i < DIGITS_AT_ONCE && this.#at >= 0; i++) multiplications += this.#next();
    if (this.#at < 0) this.complete(this.#sum);
    return multiplications * units;
  }

  /** Doubles the sum and adds the digits of one place; returns the multiplications. */
  #next(): number {
    const points = this.#points;
    let multiplications = DOUBLE_MULTIPLICATIONS;
    points.double(this.#sum, this.#sum);
    const digit1 = this.#digits1[this.#at]!;
    if (digit1 !== 0) {
      this.#choose(this.#generatorMultiples.result[Math.abs(digit1) >> 1]!, digit1);
      points.addAffine(this.#sum, this.#sum, this.#chosen);
      multiplications += ADD_AFFINE_MULTIPLICATIONS;
    }
    const digit2 = this.#digits2[this.#at]!;
    if (digit2 !== 0) {
      const multiple = this.#pointMultiples.result[Math.abs(digit2) >> 1]!;
      this.#choose(multiple, digit2);
      points.field.copy(this.#chosen.z, multiple.z);
      points.add(this.#sum, this.#sum, this.#chosen);
      multiplications += ADD_MULTIPLICATIONS;
    }
    this.#at--;
    return multiplications;
  }

  #choose(multiple: Affine<E>, digit: number): void {
    const { field } = this.#points;
    field.copy(this.#chosen.x, multiple.x);
    field.negateWhen(this.#chosen.y, multiple.y, digit < 0 ? 1 : 0);
  }
}
