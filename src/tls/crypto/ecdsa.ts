/**
 * ECDSA (FIPS 186-5 §6.4): verification, and signatures with nonces of RFC 6979 that have randomness added.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, done, type Task } from "../../task.ts";
import type { Coordinates, Curve } from "./curve.ts";
import { decodeSignature, encodeSignature } from "./ecdsa-signature.ts";
import type { HashAlgorithm } from "./hash.ts";
import { drawResidue, InverseTask, toBytes, toInteger } from "./integers.ts";
import type { PrivateKey, PublicKey } from "./provider.ts";
import { leftmostBits, NonceTask } from "./rfc6979.ts";
import type { SignatureContext, SignatureMethod } from "./signature.ts";
import { Sliced } from "./sliced.ts";

/** Bytes of randomness that a nonce gets beside key and digest. */
const ADDED_BYTES = 32;

/** ECDSA on those curves that the provider has, as a piece of a provider. */
export const ecdsa: SignatureMethod = { kind: "ecdsa", verify, sign };

function verify(context: SignatureContext, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean> {
  const curve = key.type === "ec" ? context.curve(key.curve) : undefined;
  if (key.type !== "ec" || curve === undefined) return done(false);
  const { order, bits } = curve.parameters;
  const decoded = decodeSignature(signature, curve.bytes);
  const point = curve.decodePoint(key.point);
  if (decoded === undefined || point === undefined) return done(false);
  const { r, s } = decoded;
  if (r < 1n || r >= order || s < 1n || s >= order) return done(false);
  return chain(new InverseTask(s, order), (inverse) => {
    const w = inverse!;
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
  const task = new SignTask(curve, context.hash, checkedScalar(curve, key.scalar), digest, added, random);
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
export class SignTask extends Sliced<Uint8Array> {
  readonly #curve: Curve;
  readonly #random: Random;
  /** The private scalar times the blinding factor, and the digest times it. */
  readonly #blindedScalar: bigint;
  readonly #blindedDigest: bigint;
  readonly #blinding: bigint;
  readonly #nonce: NonceTask;
  #product: Task<Coordinates> | undefined;
  #inversion: InverseTask | undefined;
  #r = 0n;

  constructor(
    curve: Curve,
    hash: HashAlgorithm,
    scalar: bigint,
    digest: Uint8Array,
    added: Uint8Array,
    random: Random,
  ) {
    super();
    const { order, bits } = curve.parameters;
    this.#curve = curve;
    this.#random = random;
    this.#blinding = drawResidue(random, order, curve.bytes, "blinding");
    this.#blindedScalar = (scalar * this.#blinding) % order;
    this.#blindedDigest = (leftmostBits(digest, bits) * this.#blinding) % order;
    const bytes = toBytes(scalar, curve.bytes);
    this.#nonce = new NonceTask(hash, order, bits, bytes, digest, added);
    wipe(bytes);
  }

  protected advance(): number {
    const { order } = this.#curve.parameters;
    if (this.#inversion !== undefined) {
      const part = this.delegate(this.#inversion);
      if (part.done) this.#finish(this.#inversion.result!);
      return part.units;
    }
    if (this.#product !== undefined) {
      const part = this.delegate(this.#product);
      if (part.done) {
        this.#r = this.#product.result.x % order;
        // Blinded, since the inversion takes a time that depends on the value.
        this.#inversion = new InverseTask((this.#nonce.result * this.#blinding) % order, order);
      }
      return part.units;
    }
    const part = this.delegate(this.#nonce);
    if (part.done) this.#product = this.#curve.multiplyGenerator(this.#nonce.result, this.#random);
    return part.units;
  }

  /** s = (digest + r·scalar) / nonce, all with the blinding factor in it until the last multiplication. */
  #finish(inverse: bigint): void {
    const { order } = this.#curve.parameters;
    const r = this.#r;
    const s = (((this.#blindedDigest + r * this.#blindedScalar) % order) * inverse) % order;
    // RFC 6979 would go on to the next nonce; with a probability of 2^-255 it is more likely a fault.
    if (r === 0n || s === 0n) throw new UsageError("INTERNAL_BUG", "an ECDSA signature with a zero in it");
    this.complete(encodeSignature({ r, s }, this.#curve.bytes));
  }
}
