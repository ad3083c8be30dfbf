/**
 * P-256 on both arithmetics: on BigInt until so much was computed that the limbs, which an engine first has to compile, have paid.
 *
 * A compiling engine needs some 20 ms to warm up to the limbs, and a BigInt operation costs up to three times as much as one on limbs
 * then. So it changes when the difference has added up to the cost of the change: never much dearer than the better of the two, whatever
 * comes. Long-lived keys thereby sign on limbs, which compute the same for every secret, from then on, and blinded before.
 *
 * @module
 */

import type { Random } from "../../ports.ts";
import type { Task } from "../../task.ts";
import { type Coordinates, type Curve, createBigIntCurve, createCurve, type SecretUse } from "./curve.ts";
import { p256 } from "./curve-parameters.ts";
import type { Shapes } from "./multiplication.ts";
import { p256LimbArithmetic } from "./p256-limbs.ts";

/** Multiplications of the generator, which cost about a third of the others, after which it moves: some 25 handshakes. */
const MOVE_AFTER = 300;
const GENERATOR_WORK = 1;
const POINT_WORK = 3;

/** P-256 that starts on BigInt and moves to limbs between two operations. */
export function createAutoP256(shapes?: Shapes): Curve {
  return new AutoCurve(shapes);
}

class AutoCurve implements Curve {
  readonly parameters = p256;
  readonly bytes: number;
  readonly #bigint: Curve;
  readonly #shapes: Shapes | undefined;
  #limbs: Curve | undefined;
  #work = 0;

  constructor(shapes: Shapes | undefined) {
    this.#shapes = shapes;
    this.#bigint = createBigIntCurve(p256, shapes);
    this.bytes = this.#bigint.bytes;
  }

  decodePoint(bytes: Uint8Array): Coordinates | undefined {
    return this.#bigint.decodePoint(bytes);
  }

  encodePoint(point: Coordinates): Uint8Array {
    return this.#bigint.encodePoint(point);
  }

  multiplyGenerator(scalar: bigint, random: Random, use?: SecretUse): Task<Coordinates> {
    return this.#after(GENERATOR_WORK).multiplyGenerator(scalar, random, use);
  }

  multiply(scalar: bigint, point: Coordinates, random: Random): Task<Coordinates> {
    return this.#after(POINT_WORK).multiply(scalar, point, random);
  }

  combinationHasX(u1: bigint, point: Coordinates, u2: bigint, r: bigint): Task<boolean> {
    return this.#after(POINT_WORK).combinationHasX(u1, point, u2, r);
  }

  inverse(scalar: bigint): Task<bigint> {
    return (this.#limbs ?? this.#bigint).inverse(scalar);
  }

  #after(work: number): Curve {
    if (this.#limbs !== undefined) return this.#limbs;
    this.#work += work;
    if (this.#work <= MOVE_AFTER) return this.#bigint;
    this.#limbs = createCurve(p256, p256LimbArithmetic, undefined, this.#shapes);
    return this.#limbs;
  }
}
