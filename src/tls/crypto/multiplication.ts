/**
 * Scalar multiplication as tasks, one point operation a step: of any point, of the generator with a table, and of two at once.
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
  /** Bits of a digit for points that come from a peer. */
  readonly window: number;
  /** Bits of a digit for the generator. */
  readonly baseWidth: number;
  /** Digits of the generator's scalar that share a row of its table, and the doublings between them. */
  readonly baseStride: number;
  /** Bits of a sparse digit of public scalars, for a point of a peer and for the generator. */
  readonly sparse: number;
  readonly baseSparse: number;
}

/** For blinded scalars: a small table, 72 points for P-256, about 5,000 field multiplications to build. */
export const BLINDED: Shape = { window: 5, baseWidth: 4, baseStride: 9, sparse: 5, baseSparse: 5 };

/** For scalars that need no blinding, on an arithmetic that reads whole tables: 128 points for P-256. */
export const UNIFORM: Shape = { window: 4, baseWidth: 4, baseStride: 4, sparse: 5, baseSparse: 7 };

/** The odd multiples that sparse digits of a width name. */
export function sparsePoints(width: number): number {
  return 1 << (width - 2);
}

/** scalar · point for a secret scalar and a point, whose Z is random where the scalar is blinded. */
export class Multiplication<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #point: Jacobian<E>;
  readonly #scalar: SecretScalar;
  readonly #width: number;
  readonly #table: OddMultiples<E>;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  /** The columns of the table, for constant-time selection. */
  #columns: { readonly x: E[]; readonly y: E[]; readonly z: E[] } | undefined;
  #at: number;
  #doublings = 0;

  constructor(points: Points<E>, point: Jacobian<E>, scalar: SecretScalar, width: number) {
    super();
    this.#points = points;
    this.#point = point;
    this.#scalar = scalar;
    this.#width = width;
    this.#table = new OddMultiples(points, point, 1 << (width - 1));
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
    this.#at = scalar.digits.length - 1;
  }

  protected advance(): number {
    const points = this.#points;
    const { field } = points;
    const sum = this.#sum;
    if (this.#columns === undefined) {
      const part = this.delegate(this.#table);
      if (part.done) {
        const rows = this.#table.result;
        this.#columns = { x: rows.map((p) => p.x), y: rows.map((p) => p.y), z: rows.map((p) => p.z) };
        this.#choose(sum);
        this.#next();
      }
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(sum, sum);
      return DOUBLE_MULTIPLICATIONS * field.units;
    }
    if (this.#at >= 0) {
      this.#choose(this.#chosen);
      addSecret(points, sum, sum, this.#chosen);
      this.#next();
    } else {
      this.#correct();
    }
    return ADD_MULTIPLICATIONS * field.units;
  }

  #choose(out: Jacobian<E>): void {
    const { field } = this.#points;
    const columns = this.#columns!;
    const digit = this.#scalar.digits[this.#at]!;
    const index = digitIndex(digit, this.#width);
    field.select(out.x, columns.x, index);
    field.select(out.y, columns.y, index);
    field.select(out.z, columns.z, index);
    field.negateWhen(out.y, out.y, digitSign(digit, this.#width));
  }

  #next(): void {
    if (this.#at-- > 0) this.#doublings = this.#width;
  }

  #correct(): void {
    const points = this.#points;
    const less = this.#chosen;
    points.copy(less, this.#point);
    points.field.negateWhen(less.y, less.y, 1);
    addSecret(points, less, this.#sum, less);
    finishSecret(points, this.#sum, less, this.#scalar);
    this.complete(this.#sum);
  }
}

function addSecret<E>(points: Points<E>, out: Jacobian<E>, p: Jacobian<E>, q: Jacobian<E>): void {
  if (points.field.uniform) points.addDistinct(out, p, q);
  else points.add(out, p, q);
}

function addSecretAffine<E>(points: Points<E>, out: Jacobian<E>, p: Jacobian<E>, q: Affine<E>): void {
  if (points.field.uniform) points.addDistinctAffine(out, p, q);
  else points.addAffine(out, p, q);
}

/** sum = ±sum, or ±`less`, which is one point less, as the scalar was recoded; the digits are wiped. */
function finishSecret<E>(points: Points<E>, sum: Jacobian<E>, less: Jacobian<E>, scalar: SecretScalar): void {
  const { field } = points;
  field.choose(sum.x, sum.x, less.x, scalar.even);
  field.choose(sum.y, sum.y, less.y, scalar.even);
  field.choose(sum.z, sum.z, less.z, scalar.even);
  field.negateWhen(sum.y, sum.y, scalar.negative);
  scalar.digits.fill(0);
}

/**
 * The table for multiples of the generator, built as a task: row j holds the odd multiples of 2^(width·stride·j)·G that a
 * digit can name.
 */
export class GeneratorTable<E> extends Sliced<readonly (readonly Affine<E>[])[]> {
  readonly #points: Points<E>;
  readonly #rows: number;
  readonly #rowPoints: number;
  readonly #doublingsBetween: number;
  readonly #multiples: Jacobian<E>[] = [];
  #row: OddMultiples<E> | undefined;
  #base: Jacobian<E>;
  #doublings = 0;
  #affine: ToAffine<E> | undefined;

  constructor(points: Points<E>, generator: Jacobian<E>, digits: number, { baseWidth, baseStride }: Shape) {
    super();
    this.#points = points;
    this.#base = generator;
    this.#rows = Math.ceil(digits / baseStride);
    this.#rowPoints = 1 << (baseWidth - 1);
    this.#doublingsBetween = baseWidth * baseStride;
  }

  protected advance(): number {
    const points = this.#points;
    if (this.#affine !== undefined) {
      const part = this.delegate(this.#affine);
      if (part.done) this.complete(rowsOf(this.#affine.result, this.#rowPoints));
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(this.#base, this.#base);
      return DOUBLE_MULTIPLICATIONS * points.field.units;
    }
    this.#row ??= new OddMultiples(points, this.#base, this.#rowPoints);
    const part = this.delegate(this.#row);
    if (!part.done) return part.units;
    this.#multiples.push(...this.#row.result);
    this.#row = undefined;
    if (this.#multiples.length === this.#rows * this.#rowPoints) this.#affine = new ToAffine(points, this.#multiples);
    const next = points.infinity();
    points.copy(next, this.#base);
    this.#base = next;
    this.#doublings = this.#doublingsBetween;
    return part.units;
  }
}

function rowsOf<T>(all: readonly T[], points: number): readonly (readonly T[])[] {
  const rows: T[][] = [];
  for (let at = 0; at < all.length; at += points) rows.push(all.slice(at, at + points));
  return rows;
}

/** scalar · generator for a secret scalar, and a Z to start with, random where the scalar is blinded. */
export class GeneratorMultiplication<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #table: Task<readonly (readonly Affine<E>[])[]>;
  readonly #scalar: SecretScalar;
  readonly #shape: Shape;
  readonly #z: E;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  #columns: readonly { readonly x: E[]; readonly y: E[] }[] | undefined;
  /** The digit within each row, from the highest down, and the row. */
  #within: number;
  #row = 0;
  #doublings = 0;

  constructor(
    points: Points<E>,
    table: Task<readonly (readonly Affine<E>[])[]>,
    scalar: SecretScalar,
    shape: Shape,
    z: E,
  ) {
    super();
    this.#points = points;
    this.#table = table;
    this.#scalar = scalar;
    this.#shape = shape;
    this.#z = z;
    this.#within = shape.baseStride - 1;
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
  }

  protected advance(): number {
    const points = this.#points;
    const { field } = points;
    const sum = this.#sum;
    if (this.#columns === undefined) {
      const part = this.delegate(this.#table);
      if (part.done) {
        const rows = this.#table.result;
        this.#columns = rows.map((row) => ({ x: row.map((p) => p.x), y: row.map((p) => p.y) }));
        this.#choose();
        points.lift(sum, this.#chosen, this.#z);
        this.#next();
      }
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(sum, sum);
      return DOUBLE_MULTIPLICATIONS * field.units;
    }
    if (this.#within >= 0) {
      this.#choose();
      addSecretAffine(points, sum, sum, this.#chosen);
      this.#next();
    } else {
      this.#correct();
    }
    return ADD_AFFINE_MULTIPLICATIONS * field.units;
  }

  #choose(): void {
    const { field } = this.#points;
    const { baseWidth, baseStride } = this.#shape;
    const chosen = this.#chosen;
    const column = this.#columns![this.#row]!;
    const digit = this.#scalar.digits[this.#row * baseStride + this.#within]!;
    const index = digitIndex(digit, baseWidth);
    field.select(chosen.x, column.x, index);
    field.select(chosen.y, column.y, index);
    field.negateWhen(chosen.y, chosen.y, digitSign(digit, baseWidth));
  }

  #next(): void {
    const { baseWidth, baseStride } = this.#shape;
    this.#row++;
    if (this.#row * baseStride + this.#within < this.#scalar.digits.length) return;
    this.#row = 0;
    if (this.#within-- > 0) this.#doublings = baseWidth;
  }

  #correct(): void {
    const points = this.#points;
    const generator = this.#table.result[0]![0]!;
    const less = this.#chosen;
    points.field.negateWhen(less.y, generator.y, 1);
    addSecretAffine(points, less, this.#sum, { x: generator.x, y: less.y });
    finishSecret(points, this.#sum, less, this.#scalar);
    this.complete(this.#sum);
  }
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
      const part = this.delegate(this.#prepared === 0 ? this.#generatorMultiples : this.#pointMultiples);
      if (part.done) this.#prepared++;
      return part.units;
    }
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
    if (this.#at-- === 0) this.complete(this.#sum);
    return multiplications * points.field.units;
  }

  #choose(multiple: Affine<E>, digit: number): void {
    const { field } = this.#points;
    field.copy(this.#chosen.x, multiple.x);
    field.negateWhen(this.#chosen.y, multiple.y, digit < 0 ? 1 : 0);
  }
}
