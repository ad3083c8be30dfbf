/**
 * u1·G + u2·Q for public scalars, which ECDSA verification is (FIPS 186-5 §6.4.2), with what pays to be kept from one to the next.
 *
 * Who connects again verifies with the same keys: the server's, and its CA's. When a point comes for the second time, a table of it and of
 * 2^h·Q is built, where h is half of a scalar's bits. From then on the doublings are half as many. All of it is public.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import type { Coordinates } from "./curve.ts";
import { Combination, type MultiplesTable, type Shape, sparseRow, sparseTable, type Term } from "./multiplication.ts";
import type { Jacobian, Points } from "./points.ts";
import { sparseDigits } from "./recoding.ts";

interface KnownPoint<E> extends Coordinates {
  /** From the second time on. */
  table: MultiplesTable<E> | undefined;
}

/** The combinations of one provider. Its tables are shared by all tasks: whoever needs one first builds it, and others go on where it stands. */
export class PublicCombinations<E> {
  readonly #points: Points<E>;
  readonly #shape: Shape;
  readonly #bits: number;
  readonly #generator: Jacobian<E>;
  #generatorWhole: MultiplesTable<E> | undefined;
  #generatorHalves: MultiplesTable<E> | undefined;
  /** The last ones used, latest first. */
  readonly #known: KnownPoint<E>[] = [];

  /** @param bits - of scalars */
  constructor(points: Points<E>, shape: Shape, bits: number, generator: Jacobian<E>) {
    this.#points = points;
    this.#shape = shape;
    this.#bits = bits;
    this.#generator = generator;
  }

  /** u1·G + u2·point. */
  combination(u1: bigint, point: Coordinates, u2: bigint): Task<Jacobian<E>> {
    const points = this.#points;
    const bits = this.#bits;
    const { sparse, baseSparse } = this.#shape;
    const table = this.#recall(point);
    if (table === undefined) {
      this.#generatorWhole ??= sparseTable(points, this.#generator, baseSparse, bits, 1);
      return new Combination(points, [
        { rows: this.#generatorWhole, digits: [sparseDigits(u1, baseSparse, bits)] },
        { rows: sparseRow(points, points.at(point), sparse), digits: [sparseDigits(u2, sparse, bits)] },
      ]);
    }
    this.#generatorHalves ??= sparseTable(points, this.#generator, baseSparse, bits, 2);
    const halves = [halvesOf(this.#generatorHalves, u1), halvesOf(table, u2)] as const;
    // The halves of the two are not quite of one length, since a row's distance is a multiple of its digits'.
    const longest = Math.max(...halves.map(({ low }) => low));
    const term = (rows: MultiplesTable<E>, parts: readonly bigint[], width: number): Term<E> => ({
      rows,
      digits: parts.map((part) => sparseDigits(part, width, longest)),
    });
    return new Combination(points, [
      term(this.#generatorHalves, halves[0].parts, baseSparse),
      term(table, halves[1].parts, sparse),
    ]);
  }

  /** The table of a point that comes again; `undefined` where it is new, or too long ago. */
  #recall(point: Coordinates): MultiplesTable<E> | undefined {
    const known = this.#known;
    const index = known.findIndex(({ x, y }) => x === point.x && y === point.y);
    const [found] = index < 0 ? [] : known.splice(index, 1);
    known.unshift(found ?? { x: point.x, y: point.y, table: undefined });
    known.length = Math.min(known.length, this.#shape.knownPoints);
    if (found !== undefined)
      found.table ??= sparseTable(this.#points, this.#points.at(point), this.#shape.sparse, this.#bits, 2);
    return found?.table;
  }
}

/** The part of a scalar for each row of a table of two. */
function halvesOf<E>({ width, stride }: MultiplesTable<E>, scalar: bigint): { low: number; parts: readonly bigint[] } {
  const low = width * stride;
  const shift = BigInt(low);
  return { low, parts: [scalar & ((1n << shift) - 1n), scalar >> shift] };
}
