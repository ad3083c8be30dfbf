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
import { digitIndex, digitSign, sparseDigits } from "./recoding.ts";
import { Sliced } from "./sliced.ts";

/** Bits of a digit for points that come from a peer. */
export const WINDOW = 5;
/** Odd multiples that the sparse digits of public scalars name, with {@link WINDOW} bits. */
export const SPARSE_POINTS = 1 << (WINDOW - 2);
/** Bits of a digit for the generator. */
export const BASE_WIDTH = 4;
/** Digits of the generator's scalar that share a row of its table, and the doublings between them. */
export const BASE_STRIDE = 9;
const ROW_POINTS = 1 << (BASE_WIDTH - 1);

/** scalar · point for a secret scalar, given as regular digits (see `recoding.ts`), and a point with a random Z. */
export class Multiplication<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #digits: Uint8Array;
  readonly #table: OddMultiples<E>;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Jacobian<E>;
  /** The columns of the table, for constant-time selection. */
  #columns: { readonly x: E[]; readonly y: E[]; readonly z: E[] } | undefined;
  #at: number;
  #doublings = 0;

  constructor(points: Points<E>, point: Jacobian<E>, digits: Uint8Array) {
    super();
    this.#points = points;
    this.#digits = digits;
    this.#table = new OddMultiples(points, point, 1 << (WINDOW - 1));
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
    this.#at = digits.length - 1;
  }

  protected advance(): number {
    const points = this.#points;
    const { field } = points;
    if (this.#columns === undefined) {
      const part = this.delegate(this.#table);
      if (part.done) {
        const rows = this.#table.result;
        this.#columns = { x: rows.map((p) => p.x), y: rows.map((p) => p.y), z: rows.map((p) => p.z) };
      }
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(this.#sum, this.#sum);
      return DOUBLE_MULTIPLICATIONS * field.units;
    }
    const digit = this.#digits[this.#at]!;
    const index = digitIndex(digit, WINDOW);
    const chosen = this.#chosen;
    field.select(chosen.x, this.#columns.x, index);
    field.select(chosen.y, this.#columns.y, index);
    field.select(chosen.z, this.#columns.z, index);
    field.negateWhen(chosen.y, chosen.y, digitSign(digit, WINDOW));
    points.add(this.#sum, this.#sum, chosen);
    this.#doublings = WINDOW;
    if (this.#at-- === 0) {
      this.#digits.fill(0);
      this.complete(this.#sum);
    }
    return ADD_MULTIPLICATIONS * field.units;
  }
}

/**
 * The table for multiples of the generator, built as a task: row j holds the odd multiples of 2^(width·stride·j)·G that a
 * digit can name. 72 points for P-256, about 5,000 field multiplications.
 */
export class GeneratorTable<E> extends Sliced<readonly (readonly Affine<E>[])[]> {
  readonly #points: Points<E>;
  readonly #rows: number;
  readonly #multiples: Jacobian<E>[] = [];
  #row: OddMultiples<E> | undefined;
  #base: Jacobian<E>;
  #doublings = 0;
  #affine: ToAffine<E> | undefined;

  constructor(points: Points<E>, generator: Jacobian<E>, digits: number) {
    super();
    this.#points = points;
    this.#base = generator;
    this.#rows = Math.ceil(digits / BASE_STRIDE);
  }

  protected advance(): number {
    const points = this.#points;
    if (this.#affine !== undefined) {
      const part = this.delegate(this.#affine);
      if (part.done) this.complete(rowsOf(this.#affine.result));
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(this.#base, this.#base);
      return DOUBLE_MULTIPLICATIONS * points.field.units;
    }
    this.#row ??= new OddMultiples(points, this.#base, ROW_POINTS);
    const part = this.delegate(this.#row);
    if (!part.done) return part.units;
    this.#multiples.push(...this.#row.result);
    this.#row = undefined;
    if (this.#multiples.length === this.#rows * ROW_POINTS) this.#affine = new ToAffine(points, this.#multiples);
    const next = points.infinity();
    points.copy(next, this.#base);
    this.#base = next;
    this.#doublings = BASE_WIDTH * BASE_STRIDE;
    return part.units;
  }
}

function rowsOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  const rows: T[][] = [];
  for (let at = 0; at < all.length; at += ROW_POINTS) rows.push(all.slice(at, at + ROW_POINTS));
  return rows;
}

/** scalar · generator for a secret scalar, given as regular digits, and a random Z to start with. */
export class GeneratorMultiplication<E> extends Sliced<Jacobian<E>> {
  readonly #points: Points<E>;
  readonly #table: Task<readonly (readonly Affine<E>[])[]>;
  readonly #digits: Uint8Array;
  readonly #z: E;
  readonly #sum: Jacobian<E>;
  readonly #chosen: Affine<E>;
  #columns: readonly { readonly x: E[]; readonly y: E[] }[] | undefined;
  /** The digit within each row, from the highest down, and the row. */
  #within = BASE_STRIDE - 1;
  #row = 0;
  #doublings = 0;

  constructor(points: Points<E>, table: Task<readonly (readonly Affine<E>[])[]>, digits: Uint8Array, z: E) {
    super();
    this.#points = points;
    this.#table = table;
    this.#digits = digits;
    this.#z = z;
    this.#sum = points.infinity();
    this.#chosen = points.infinity();
  }

  protected advance(): number {
    const points = this.#points;
    const { field } = points;
    if (this.#columns === undefined) {
      const part = this.delegate(this.#table);
      if (part.done) {
        const rows = this.#table.result;
        this.#columns = rows.map((row) => ({ x: row.map((p) => p.x), y: row.map((p) => p.y) }));
      }
      return part.units;
    }
    if (this.#doublings > 0) {
      this.#doublings--;
      points.double(this.#sum, this.#sum);
      return DOUBLE_MULTIPLICATIONS * field.units;
    }
    const digit = this.#digits[this.#row * BASE_STRIDE + this.#within]!;
    const column = this.#columns[this.#row]!;
    const index = digitIndex(digit, BASE_WIDTH);
    const chosen = this.#chosen;
    field.select(chosen.x, column.x, index);
    field.select(chosen.y, column.y, index);
    field.negateWhen(chosen.y, chosen.y, digitSign(digit, BASE_WIDTH));
    const first = this.#row === 0 && this.#within === BASE_STRIDE - 1;
    if (first) points.lift(this.#sum, chosen, this.#z);
    else points.addAffine(this.#sum, this.#sum, chosen);
    this.#row++;
    if (this.#row * BASE_STRIDE + this.#within >= this.#digits.length) this.#nextWithin();
    return ADD_AFFINE_MULTIPLICATIONS * field.units;
  }

  #nextWithin(): void {
    this.#row = 0;
    this.#doublings = BASE_WIDTH;
    if (this.#within-- > 0) return;
    this.#digits.fill(0);
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

  /** @param generatorMultiples - G, 3G, …: {@link SPARSE_POINTS} of them. */
  constructor(
    points: Points<E>,
    generatorMultiples: Task<readonly Affine<E>[]>,
    u1: bigint,
    point: Jacobian<E>,
    u2: bigint,
    bits: number,
  ) {
    super();
    this.#points = points;
    this.#generatorMultiples = generatorMultiples;
    this.#pointMultiples = new OddMultiples(points, point, SPARSE_POINTS);
    this.#digits1 = sparseDigits(u1, WINDOW, bits);
    this.#digits2 = sparseDigits(u2, WINDOW, bits);
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
