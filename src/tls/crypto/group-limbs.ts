/**
 * P-256 with the limbs, as pieces of a provider. A module of its own, so that a bundle for an engine that interprets, where BigInt is the
 * faster arithmetic, need not have them.
 *
 * @module
 */

import { createAutoP256 } from "./auto-curve.ts";
import { createCurve } from "./curve.ts";
import { p256 } from "./curve-parameters.ts";
import { curveGroup, type Group, type PreparedGroup } from "./group.ts";
import { type Shapes, smallShapes } from "./multiplication.ts";
import { p256LimbArithmetic } from "./p256-limbs.ts";

/** P-256 that starts on BigInt and moves to limbs when enough was computed that they pay: for Node, Deno, Bun and browsers. */
export const secp256r1Auto: Group = { name: "secp256r1", prepare: () => curveGroup(createAutoP256()) };

/** P-256 on limbs from the first operation on: no computation with a secret takes other steps for another value. */
export const secp256r1Limbs: Group = {
  name: "secp256r1",
  prepare: () => onLimbs(),
};

/** {@link secp256r1Auto} with small tables. */
export const secp256r1AutoSmall: Group = { name: "secp256r1", prepare: () => curveGroup(createAutoP256(smallShapes)) };

/** {@link secp256r1Limbs} with small tables. */
export const secp256r1LimbsSmall: Group = { name: "secp256r1", prepare: () => onLimbs(smallShapes) };

function onLimbs(shapes?: Shapes): PreparedGroup {
  return curveGroup(createCurve(p256, p256LimbArithmetic, undefined, shapes));
}
