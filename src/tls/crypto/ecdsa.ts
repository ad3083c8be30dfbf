/**
 * ECDSA (FIPS 186-5 §6.4): verification, and signatures with nonces of RFC 6979 that have randomness added.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, done, map, type Task } from "../../task.ts";
import type { Curve } from "./curve.ts";
import { decodeSignature, encodeSignature } from "./ecdsa-signature.ts";
import type { HashAlgorithm } from "./hash.ts";
import { drawResidue, toBytes, toInteger } from "./integers.ts";
import type { PrivateKey, PublicKey } from "./provider.ts";
import { leftmostBits, NonceTask } from "./rfc6979.ts";
import type { SignatureContext, SignatureMethod } from "./signature.ts";

/** Bytes of randomness that a nonce gets beside key and digest. */
const ADDED_BYTES = 32;

/** ECDSA on those curves that the provider has, as a piece of a provider. */
export const ecdsa: SignatureMethod = { kind: "ecdsa", verify, sign };

function verify(context: SignatureContext, key: PublicKey, digest: Uint8Array, encoded: Uint8Array): Task<boolean> {
  const curve = key.type === "ec" ? context.curve(key.curve) : undefined;
  if (key.type !== "ec" || curve === undefined) return done(false);
  const { order, bits } = curve.parameters;
  const decoded = decodeSignature(encoded, curve.bytes);
  const point = curve.decodePoint(key.point);
  if (decoded === undefined || point === undefined) return done(false);
  const { r, s } = decoded;
  if (r < 1n || r >= order || s < 1n || s >= order) return done(false);
  return chain(curve.inverse(s), (w) => {
    const u1 = (leftmostBits(digest, bits) * w) % order;
    return curve.combinationHasX(u1, point, (r * w) % order, r);
  });
}

function sign(context: SignatureContext, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array> {
  const curve = key.type === "ec" ? context.curve(key.curve) : undefined;
  if (key.type !== "ec" || curve === undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "ECDSA signs with a key on a curve that the provider has");
  const added = new Uint8Array(ADDED_BYTES);
  random.fill(added, "ecdsa");
  const task = signature(curve, context.hash, checkedScalar(curve, key.scalar), digest, added, random);
  wipe(added);
  return task;
}

/** A private scalar in `[1, order)`. */
export function checkedScalar(curve: Curve, scalar: Uint8Array): bigint {
  const value = toInteger(scalar);
  if (scalar.length > curve.bytes || value < 1n || value >= curve.parameters.order)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "the private scalar is not between 1 and the order of the curve");
  return value;
}

/**
 * One signature. `added` is copied; without bytes the signature is the deterministic one of RFC 6979, which tests compare with
 * the RFC's.
 */
export function signature(
  curve: Curve,
  hash: HashAlgorithm,
  scalar: bigint,
  digest: Uint8Array,
  added: Uint8Array,
  random: Random,
): Task<Uint8Array> {
  const { order, bits } = curve.parameters;
  // Scalar, digest and nonce are multiplied by it, since the operations modulo the order take times that depend on the values.
  const blinding = drawResidue(random, order, curve.bytes, "blinding");
  const blindedScalar = (scalar * blinding) % order;
  const blindedDigest = (leftmostBits(digest, bits) * blinding) % order;
  const bytes = toBytes(scalar, curve.bytes);
  const nonceTask = new NonceTask(hash, order, bits, bytes, digest, added);
  wipe(bytes);
  return chain(nonceTask, (nonce) =>
    chain(curve.multiplyGenerator(nonce, random), (product) => {
      const r = product.x % order;
      return map(curve.inverse((nonce * blinding) % order), (inverse) => {
        const s = (((blindedDigest + r * blindedScalar) % order) * inverse) % order;
        // RFC 6979 would go on to the next nonce; with a probability of 2^-255 it is more likely a fault.
        if (r === 0n || s === 0n) throw new UsageError("INTERNAL_BUG", "an ECDSA signature with a zero in it");
        return encodeSignature({ r, s }, curve.bytes);
      });
    }),
  );
}
