/**
 * Scalar multiplication as tasks, one digit a step: of any point, of the generator with a table, and of two at once.
 *
 * @module
 */

import { map, type Task } from "../../task.ts";
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
import { digitIndex, digitSign, type SecretScalar } from "./recoding.ts";
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
  /** Public keys that are remembered, with a table for each that comes again. */
  readonly knownPoints: number;
}

/** The shapes for a field that is not uniform, whose scalars are blinded, and for one that is, which reads a whole row of a table. */
export interface Shapes {
  readonly blinded: Shape;
  readonly uniform: Shape;
}

/**
 * For speed. P-256 has 72 points of the generator on BigInt, about 5,000 field multiplications to build, or 128 on limbs; for
 * verification 24 and 96 more, and 16 for each key that comes again: those of two chains with an intermediate.
 */
export const fastShapes: Shapes = {
  blinded: { window: 5, baseWindow: 4, baseStride: 9, sparse: 5, baseSparse: 5, knownPoints: 6 },
  uniform: { window: 4, baseWindow: 4, baseStride: 4, sparse: 5, baseSparse: 7, knownPoints: 6 },
};

/** For little memory: 24 points of P-256's generator, and 8 for verification. */
export const smallShapes: Shapes = {
  blinded: { window: 4, baseWindow: 4, baseStride: 27, sparse: 4, baseSparse: 5, knownPoints: 0 },
  uniform: { window: 4, baseWindow: 4, baseStride: 22, sparse: 4, baseSparse: 5, knownPoints: 0 },
};

/** Places of public scalars that are computed at a time. */
const PLACES_AT_ONCE = 4;

/** A row of a table by coordinates, so that a digit selects out of either. */
export interface Row<E> {
  readonly x: readonly E[];
  readonly y: readonly E[];
  /** `undefined` where all are one. */
  readonly z: readonly E[] | undefined;
}

/** The table for multiples of a point, built as a task: row j holds the odd multiples of 2^(width·stride·j) · point. */
export class MultiplesTable<E> extends Sliced<readonly Row<E>[]> {
  /** Bits of a digit, and the digits that share a row. */
  readonly width: number;
  readonly stride: number;
  readonly #points: Points<E>;
  readonly #rows: number;
  readonly #starts: readonly Jacobian<E>[];
  readonly #multiples: Jacobian<E>[] = [];
  #row: OddMultiples<E> | undefined;
  readonly #base: Jacobian<E>;
  #doublings = 0;
  #affine: ToAffine<E> | undefined;

  /** @param starts - what row 1, 2, … begin with, as far as that is known. */
  constructor(
    points: Points<E>,
    point: Jacobian<E>,
    width: number,
    stride: number,
    digits: number,
    starts: readonly Jacobian<E>[] = [],
  ) {
    super();
    this.width = width;
    this.stride = stride;
    this.#points = points;
    this.#base = points.infinity();
    points.copy(this.#base, point);
    this.#rows = Math.ceil(digits / stride);
    this.#starts = starts;
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
    const row = this.#multiples.length / this.#rowPoints;
    const start = this.#starts[row - 1];
    if (row === this.#rows) this.#affine = new ToAffine(points, this.#multiples);
    else if (start !== undefined) points.copy(this.#base, start);
    else this.#doublings = this.width * this.stride;
    return units;
  }

  get #rowPoints(): number {
    return 1 << (this.width - 1);
  }

  #cut(multiples: readonly Affine<E>[]): readonly Row<E>[] {
    return Array.from({ length: this.#rows }, (_, j) => {
      const row = multiples.slice(j * this.#rowPoints, (j + 1) * this.#rowPoints);
      return { x: row.map((point) => point.x), y: row.map((point) => point.y), z: undefined };
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

/** A point times a public scalar, as a term of a {@link Combination}: a row of odd multiples for each part that the scalar is cut into. */
export interface Term<E> {
  readonly rows: Task<readonly Row<E>[]>;
  /** The digits of the parts, all of one length. */
  readonly digits: readonly Int8Array[];
}

/** A table of a point for public scalars of `bits` bits in `parts` parts, with digits of `sparse` bits. */
export function sparseTable<E>(
  points: Points<E>,
  point: Jacobian<E>,
  sparse: number,
  bits: number,
  parts: number,
): MultiplesTable<E> {
  // As many odd multiples as regular digits have that are a bit shorter.
  const width = sparse - 1;
  const stride = Math.ceil(bits / (parts * width));
  return new MultiplesTable(points, point, width, stride, parts * stride);
}

/** The odd multiples of a point that digits of `sparse` bits name, for a scalar in one part that is used once. */
export function sparseRow<E>(points: Points<E>, point: Jacobian<E>, sparse: number): Task<readonly Row<E>[]> {
  return map(new OddMultiples(points, point, 1 << (sparse - 2)), (multiples) => [
    { x: multiples.map(({ x }) => x), y: multiples.map(({ y }) => y), z: multiples.map(({ z }) => z) },
  ]);
}

/** The sum of terms with public scalars: they share the doublings, and most digits are zero. */
export class Combination<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #terms: readonly Term<E>[];
  readonly #rows: Row<E>[] = [];
  readonly #digits: readonly Int8Array[];
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  #prepared = 0;
  #at: number;

  constructor(points: Points<E>, terms: readonly Term<E>[]) {
    super();
    this.#points = points;
    this.#terms = terms;
    this.#digits = terms.flatMap((term) => term.digits);
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
    this.#at = this.#digits[0]!.length - 1;
  }

  protected advance(): number {
    const term = this.#terms[this.#prepared];
    if (term !== undefined) {
      const units = this.delegate(term.rows);
      if (!this.delegateDone) return units;
      this.#rows.push(...term.rows.result);
      this.#prepared++;
      return units;
    }
    const { units } = this.#points.field;
    let multiplications = 0;
    // Some at a time, since a call for each would cost as much as one of the eight multiplications of a doubling.
    for (let i = 0; i < PLACES_AT_ONCE && this.#at >= 0; i++) multiplications += this.#next();
    if (this.#at < 0) this.complete(this.#sum);
    return multiplications * units;
  }

  /** Doubles the sum and adds the digits of one place; returns the multiplications. */
  #next(): number {
    const points = this.#points;
    const sum = this.#sum;
    let multiplications = DOUBLE_MULTIPLICATIONS;
    points.double(sum, sum);
    for (let j = 0; j < this.#rows.length; j++) {
      const digit = this.#digits[j]![this.#at]!;
      if (digit === 0) continue;
      const { field } = points;
      const chosen = this.#chosen;
      const { x, y, z } = this.#rows[j]!;
      const index = Math.abs(digit) >> 1;
      field.copy(chosen.x, x[index]!);
      field.negateWhen(chosen.y, y[index]!, digit < 0 ? 1 : 0);
      if (z === undefined) {
        points.addAffine(sum, sum, chosen);
        multiplications += ADD_AFFINE_MULTIPLICATIONS;
      } else {
        field.copy(chosen.z, z[index]!);
        points.add(sum, sum, chosen);
        multiplications += ADD_MULTIPLICATIONS;
      }
    }
    this.#at--;
    return multiplications;
  }
}
