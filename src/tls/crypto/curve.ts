/**
 * A curve of NIST as ECDH and ECDSA need it: encoded points checked, and multiplication of secrets and of public scalars.
 *
 * Every secret scalar takes the same sequence of field operations. On a uniform field that is all: operations and table look-ups are
 * the same whatever the values, and no addition meets a case that its formula does not cover. On BigInt, where neither holds,
 * secrets are blinded besides. The point gets a random Z, so that no intermediate value can be predicted. To a scalar that will be used
 * again, and to an ECDSA nonce, a random multiple of the order is added, so that what leaks of some digits in many signatures adds up to nothing. An
 * ephemeral key of ECDHE goes without: it is random already, and gone before anything could be averaged.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, map, type Task } from "../../task.ts";
import { BigIntPoints } from "./bigint-points.ts";
import { type CurveParameters, GENERATOR_ROW_BITS } from "./curve-parameters.ts";
import { type Arithmetic, bigintArithmetic, type Field } from "./field.ts";
import { drawInteger, drawResidue, mod, toBytes, toInteger } from "./integers.ts";
import { fastShapes, MultiplesTable, Multiplication, type Shape, type Shapes } from "./multiplication.ts";
import { type Jacobian, Points } from "./points.ts";
import { PublicCombinations } from "./public-combination.ts";
import { blindedScalar, plainScalar, type SecretScalar, scalarDigits } from "./recoding.ts";

/** A point that is not infinity, as integers. */
export interface Coordinates {
  readonly x: bigint;
  readonly y: bigint;
}

/** Whether a secret scalar, or one that gives it away, is used again (a key, an ECDSA nonce), or in one key exchange only. */
export type SecretUse = "kept" | "ephemeral";

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
  /** A secret scalar in `[1, order)`, `"kept"` by default, times the generator. Randomness is labelled `"blinding"`. */
  multiplyGenerator(scalar: bigint, random: Random, use?: SecretUse): Task<Coordinates>;
  /** An ephemeral secret scalar in `[1, order)` times a point. */
  multiply(scalar: bigint, point: Coordinates, random: Random): Task<Coordinates>;
  /** Whether the x coordinate of u1·G + u2·point is congruent to r modulo the order. For public values: it is not blinded. */
  combinationHasX(u1: bigint, point: Coordinates, u2: bigint, r: bigint): Task<boolean>;
  /** The inverse of a scalar in `[1, order)` modulo the order. Secret scalars are blinded by the caller. */
  inverse(scalar: bigint): Task<bigint>;
}

/** The group law over a field: {@link Points}, or the same written out for an arithmetic. */
type Law<E> = new (field: Field<E>) => Points<E>;

/** Makes a curve over an arithmetic. Tables are built when they are first needed. */
export function createCurve<E>(
  parameters: CurveParameters,
  arithmetic: Arithmetic<E>,
  law: Law<E> = Points<E>,
  shapes: Shapes = fastShapes,
): Curve {
  return new WeierstrassCurve(parameters, new law(arithmetic(parameters.prime, parameters.bits)), shapes);
}

/** A curve on BigInt. */
export function createBigIntCurve(parameters: CurveParameters, shapes?: Shapes): Curve {
  return createCurve(parameters, bigintArithmetic, BigIntPoints, shapes);
}

class WeierstrassCurve<E> implements Curve {
  readonly parameters: CurveParameters;
  readonly bytes: number;
  readonly #points: Points<E>;
  readonly #shape: Shape;
  readonly #generator: Jacobian<E>;
  readonly #combinations: PublicCombinations<E>;
  /** Shared by all tasks of the provider: whoever needs it first builds it, and others go on where it stands. */
  #generatorTable: MultiplesTable<E> | undefined;

  constructor(parameters: CurveParameters, points: Points<E>, shapes: Shapes) {
    this.parameters = parameters;
    this.bytes = Math.ceil(parameters.bits / 8);
    this.#points = points;
    this.#shape = this.#points.field.uniform ? shapes.uniform : shapes.blinded;
    this.#generator = points.at(parameters);
    this.#combinations = new PublicCombinations(points, this.#shape, parameters.bits, this.#generator);
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

  multiplyGenerator(scalar: bigint, random: Random, use: SecretUse = "kept"): Task<Coordinates> {
    const { baseWindow, baseStride } = this.#shape;
    const { bits, blindingBytes } = this.parameters;
    const recoded = this.#recode(scalar, baseWindow, random, use);
    if (this.#generatorTable === undefined) {
      const { uniform } = this.#points.field;
      const digits = scalarDigits(baseWindow, uniform ? bits : bits + 8 * blindingBytes + 1);
      const starts = this.#knownRows(baseWindow * baseStride);
      this.#generatorTable = new MultiplesTable(this.#points, this.#generator, baseWindow, baseStride, digits, starts);
    }
    return this.#product(this.#generatorTable, recoded, random);
  }

  multiply(scalar: bigint, point: Coordinates, random: Random): Task<Coordinates> {
    const { window } = this.#shape;
    const recoded = this.#recode(scalar, window, random, "ephemeral");
    const digits = recoded.digits.length;
    const table = new MultiplesTable(this.#points, this.#points.at(point), window, digits, digits);
    return this.#product(table, recoded, random);
  }

  /** The multiples of the generator by powers of 2^bits, as far as they stand in the source. */
  #knownRows(bits: number): Jacobian<E>[] {
    const { generatorRows = [] } = this.parameters;
    const step = bits / GENERATOR_ROW_BITS;
    if (!Number.isInteger(step)) return [];
    return generatorRows.filter((_, i) => (i + 1) % step === 0).map((point) => this.#points.at(point));
  }

  #product(table: MultiplesTable<E>, scalar: SecretScalar, random: Random): Task<Coordinates> {
    const product = new Multiplication(this.#points, table, scalar, this.#drawZ(random));
    return chain(product, (result) => this.#coordinates(result));
  }

  combinationHasX(u1: bigint, point: Coordinates, u2: bigint, r: bigint): Task<boolean> {
    return map(this.#combinations.combination(u1, point, u2), (sum) => this.#hasX(sum, r));
  }

  inverse(scalar: bigint): Task<bigint> {
    // The order is prime.
    return map(this.#points.field.inverse(scalar, this.parameters.order), (inverse) => inverse!);
  }

  #recode(scalar: bigint, width: number, random: Random, use: SecretUse): SecretScalar {
    const { bits, order, blindingBytes } = this.parameters;
    if (use === "ephemeral" || this.#points.field.uniform) return plainScalar(scalar, order, width, bits);
    const blinded = scalar + drawInteger(random, blindingBytes, "blinding") * order;
    return blindedScalar(blinded, width, bits + 8 * blindingBytes);
  }

  #drawZ(random: Random): E {
    const { field } = this.#points;
    const { prime } = this.parameters;
    return field.element(field.uniform ? 1n : drawResidue(random, prime, this.bytes, "blinding"));
  }

  /** Z is random where the inversion is not uniform, so that its time tells nothing. */
  #coordinates(point: Jacobian<E>): Task<Coordinates> {
    const { field } = this.#points;
    return map(field.inverse(field.integer(point.z), field.modulus), (inverse) => {
      if (inverse === undefined)
        throw new UsageError("INTERNAL_BUG", "a multiple of a point of prime order is infinity");
      const z = field.element(inverse);
      const power = field.zero();
      const x = field.zero();
      const y = field.zero();
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
    const square = field.zero();
    field.square(square, point.z);
    const difference = field.zero();
    field.multiplySubtract(difference, field.element(r), square, point.x);
    if (field.isZero(difference)) return true;
    if (r + order >= prime) return false;
    field.multiplySubtract(difference, field.element(r + order), square, point.x);
    return field.isZero(difference);
  }
}
