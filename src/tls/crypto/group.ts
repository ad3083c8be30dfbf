/**
 * Groups for key exchange as values that a provider is composed of, and ECDHE on the curves of NIST (RFC 8422 §5.10).
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { done, map, type Task } from "../../task.ts";
import { type Curve, createBigIntCurve } from "./curve.ts";
import { type CurveParameters, p256, p384, p521 } from "./curve-parameters.ts";
import { drawResidue, toBytes, toInteger } from "./integers.ts";
import type { GroupName, KeyExchange } from "./provider.ts";

/** A group: a piece of a provider. */
export interface Group {
  readonly name: GroupName;
  /** Makes the group's arithmetic, whose tables belong to one provider. */
  prepare(): PreparedGroup;
}

/** A group in a provider. */
export interface PreparedGroup {
  /** The curve, for ECDSA; `undefined` for groups that only exchange keys. */
  readonly curve: Curve | undefined;
  keyExchange(random: Random): Task<KeyExchange>;
}

/** P-256 on BigInt, as a piece of a provider. (`group-limbs.ts` has it on limbs.) */
export const secp256r1: Group = { name: "secp256r1", prepare: () => onBigInt(p256) };

/** P-384, as a piece of a provider. */
export const secp384r1: Group = { name: "secp384r1", prepare: () => onBigInt(p384) };

/** P-521, as a piece of a provider. */
export const secp521r1: Group = { name: "secp521r1", prepare: () => onBigInt(p521) };

function onBigInt(parameters: CurveParameters): PreparedGroup {
  return curveGroup(createBigIntCurve(parameters));
}

/** The group of a curve of NIST. */
export function curveGroup(curve: Curve): PreparedGroup {
  return { curve, keyExchange: (random) => ecdhe(curve, random) };
}

/** An ephemeral key pair on a curve of NIST. */
function ecdhe(curve: Curve, random: Random): Task<KeyExchange> {
  const scalar = drawResidue(random, curve.parameters.order, curve.bytes, "ecdhe");
  return map(
    curve.multiplyGenerator(scalar, random, "ephemeral"),
    (point) => new CurveKeyExchange(curve, toBytes(scalar, curve.bytes), curve.encodePoint(point), random),
  );
}

class CurveKeyExchange implements KeyExchange {
  readonly group: GroupName;
  readonly publicKey: Uint8Array;
  readonly #curve: Curve;
  readonly #random: Random;
  #scalar: Uint8Array | undefined;

  constructor(curve: Curve, scalar: Uint8Array, publicKey: Uint8Array, random: Random) {
    this.group = curve.parameters.name;
    this.publicKey = publicKey;
    this.#curve = curve;
    this.#scalar = scalar;
    this.#random = random;
  }

  shared(peer: Uint8Array): Task<Uint8Array | undefined> {
    if (this.#scalar === undefined) throw new UsageError("USAGE_WRONG_STATE", "the key exchange was wiped");
    const point = this.#curve.decodePoint(peer);
    if (point === undefined) return done(undefined);
    const product = this.#curve.multiply(toInteger(this.#scalar), point, this.#random);
    return map(product, ({ x }) => toBytes(x, this.#curve.bytes));
  }

  wipe(): void {
    wipe(this.#scalar);
    this.#scalar = undefined;
  }
}
