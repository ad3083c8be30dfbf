/**
 * A curve of NIST as ECDH and ECDSA need it: encoded points checked, and multiplication of secrets and of public scalars.
 *
 * Secret scalars are blinded three ways, since neither BigInt nor a table lookup takes constant time: a random multiple of the order
 * is added, the digits are recoded so that every scalar takes the same sequence of field operations, and the point gets a
 * random Z, so that no intermediate value can be predicted. (The handling of equal points in an addition would show for scalars
 * that are small multiples of ±1 modulo the order, some hundred out of 2^256.)
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, map, type Task } from "../../task.ts";
import type { CurveParameters } from "./curve-parameters.ts";
import type { Arithmetic } from "./field.ts";
import { drawInteger, drawResidue, InverseTask, mod, toBytes, toInteger } from "./integers.ts";
import {
  BASE_WIDTH,
  Combination,
  GeneratorMultiplication,
  GeneratorTable,
  Multiplication,
  SPARSE_POINTS,
  WINDOW,
} from "./multiplication.ts";
import { type Affine, type Jacobian, OddMultiples, Points, ToAffine } from "./points.ts";
import { regularDigits } from "./recoding.ts";

/** A point that is not infinity, as integers. */
export interface Coordinates {
  readonly x: bigint;
  readonly y: bigint;
}

/** One curve with its tables; what field arithmetic it runs on does not show. */
export interface Curve {
  readonly parameters: CurveParameters;
  /** Bytes of a coordinate, and of a scalar. */
  readonly bytes: number;
  /**
   * A public key as SEC 1 §2.3.4 encodes it, or `undefined` where it is not one: only the uncompressed form, coordinates below the
   * prime, on the curve. That is full validation (SP 800-56A §5.6.2.3.3), since the order is prime.
   */
  decodePoint(bytes: Uint8Array): Coordinates | undefined;
  /** 04, x, y. */
  encodePoint(point: Coordinates): Uint8Array;
  /** A secret scalar in `[1, order)` times the generator. Randomness is labelled `"blinding"`. */
  multiplyGenerator(scalar: bigint, random: Random): Task<Coordinates>;
  /** A secret scalar in `[1, order)` times a point. */
  multiply(scalar: bigint, point: Coordinates, random: Random): Task<Coordinates>;
  /** Whether the x coordinate of u1·G + u2·point is congruent to r modulo the order. For public values: it is not blinded. */
  combinationHasX(u1: bigint, point: Coordinates, u2: bigint, r: bigint): Task<boolean>;
}

/** Makes a curve over an arithmetic. Tables are built when they are first needed. */
export function createCurve<E>(parameters: CurveParameters, arithmetic: Arithmetic<E>): Curve {
  return new WeierstrassCurve(parameters, arithmetic);
}

class WeierstrassCurve<E> implements Curve {
  readonly parameters: CurveParameters;
  readonly bytes: number;
  readonly #points: Points<E>;
  readonly #generator: Jacobian<E>;
  // Shared by all tasks of the provider: whoever needs a table first builds it, and others go on where it stands.
  #generatorTable: Task<readonly (readonly Affine<E>[])[]> | undefined;
  #generatorMultiples: Task<readonly Affine<E>[]> | undefined;

  constructor(parameters: CurveParameters, arithmetic: Arithmetic<E>) {
    this.parameters = parameters;
    this.bytes = Math.ceil(parameters.bits / 8);
    this.#points = new Points(arithmetic(parameters.prime, parameters.bits));
    this.#generator = this.#jacobian(parameters);
  }

  decodePoint(bytes: Uint8Array): Coordinates | undefined {
    const { prime, b } = this.parameters;
    if (bytes.length !== 1 + 2 * this.bytes || bytes[0] !== 4) return undefined;
    const x = toInteger(bytes.subarray(1, 1 + this.bytes));
    const y = toInteger(bytes.subarray(1 + this.bytes));
    if (x >= prime || y >= prime) return undefined;
    return mod(y * y - (x * x * x - 3n * x + b), prime) === 0n ? { x, y } : undefined;
  }

  encodePoint(point: Coordinates): Uint8Array {
    const encoded = new Uint8Array(1 + 2 * this.bytes);
    encoded[0] = 4;
    encoded.set(toBytes(point.x, this.bytes), 1);
    encoded.set(toBytes(point.y, this.bytes), 1 + this.bytes);
    return encoded;
  }

  multiplyGenerator(scalar: bigint, random: Random): Task<Coordinates> {
    const table = (this.#generatorTable ??= new GeneratorTable(this.#points, this.#generator, this.#count(BASE_WIDTH)));
    const digits = regularDigits(this.#blind(scalar, random), BASE_WIDTH, this.#count(BASE_WIDTH));
    const z = this.#drawZ(random);
    return chain(new GeneratorMultiplication(this.#points, table, digits, z), (product) => this.#coordinates(product));
  }

  multiply(scalar: bigint, point: Coordinates, random: Random): Task<Coordinates> {
    const digits = regularDigits(this.#blind(scalar, random), WINDOW, this.#count(WINDOW));
    const lifted = this.#points.infinity();
    this.#points.lift(lifted, this.#jacobian(point), this.#drawZ(random));
    return chain(new Multiplication(this.#points, lifted, digits), (product) => this.#coordinates(product));
  }

  combinationHasX(u1: bigint, point: Coordinates, u2: bigint, r: bigint): Task<boolean> {
    const { bits } = this.parameters;
    this.#generatorMultiples ??= chain(
      new OddMultiples(this.#points, this.#generator, SPARSE_POINTS),
      (multiples) => new ToAffine(this.#points, multiples),
    );
    const sum = new Combination(this.#points, this.#generatorMultiples, u1, this.#jacobian(point), u2, bits);
    return map(sum, (result) => this.#hasX(result, r));
  }

  /** Digits of a blinded scalar, which has the bits of the order, those of the blinding, and one more. */
  #count(width: number): number {
    return Math.ceil((this.parameters.bits + 8 * this.parameters.blindingBytes + 1) / width);
  }

  /** An odd number that is congruent to the scalar. */
  #blind(scalar: bigint, random: Random): bigint {
    const { order, blindingBytes } = this.parameters;
    const blinded = scalar + drawInteger(random, blindingBytes, "blinding") * order;
    // Both are computed, so that the parity costs no branch.
    const evenOrOdd = [blinded + order, blinded];
    return evenOrOdd[Number(blinded & 1n)]!;
  }

  #drawZ(random: Random): E {
    return this.#points.field.element(drawResidue(random, this.parameters.prime, this.bytes, "blinding"));
  }

  #jacobian(point: Coordinates): Jacobian<E> {
    const { field } = this.#points;
    return { x: field.element(point.x), y: field.element(point.y), z: field.element(1n) };
  }

  /** Z is random for a product of a secret, so that the time of its inversion tells nothing. */
  #coordinates(point: Jacobian<E>): Task<Coordinates> {
    const { field } = this.#points;
    return map(new InverseTask(field.integer(point.z), field.modulus), (inverse) => {
      if (inverse === undefined)
        throw new UsageError("INTERNAL_BUG", "a multiple of a point of prime order is infinity");
      const z = field.element(inverse);
      const power = field.element(0n);
      const x = field.element(0n);
      const y = field.element(0n);
      field.square(power, z);
      field.multiply(x, point.x, power);
      field.multiply(power, power, z);
      field.multiply(y, point.y, power);
      return { x: field.integer(x), y: field.integer(y) };
    });
  }

  /** Compares without an inversion: X = r·Z², where the x coordinate may be r or r + order. */
  #hasX(point: Jacobian<E>, r: bigint): boolean {
    const { field } = this.#points;
    const { order, prime } = this.parameters;
    if (this.#points.isInfinity(point)) return false;
    const square = field.element(0n);
    field.square(square, point.z);
    const difference = field.element(0n);
    field.multiplySubtract(difference, field.element(r), square, point.x);
    if (field.isZero(difference)) return true;
    if (r + order >= prime) return false;
    field.multiplySubtract(difference, field.element(r + order), square, point.x);
    return field.isZero(difference);
  }
}
