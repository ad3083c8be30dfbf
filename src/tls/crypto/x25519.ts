/**
 * X25519 (RFC 7748 §5) as a group for key exchange (RFC 8422 §5.10, §5.11), on the generic field.
 *
 * Each bit of a scalar takes the same field operations, and coordinates start with a random factor, since BigInt does not take constant
 * time. The scalar is not blinded: a multiple of the order that is right for points of the twist too would be as long as the scalar.
 * Keys serve one handshake. Left out on purpose: limbs for this prime, since AWS IoT does not need the group.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { done, map, type Task } from "../../task.ts";
import { bigintArithmetic, type Field } from "./field.ts";
import type { Group } from "./group.ts";
import { drawResidue, toBytes, toInteger } from "./integers.ts";
import type { KeyExchange } from "./provider.ts";
import { Sliced } from "./sliced.ts";

const PRIME = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffedn;
const BITS = 255;
const BYTES = 32;
/** (486662 - 2) / 4 of the curve's coefficient (RFC 7748 §5). */
const A24 = 121665n;
/** Field multiplications of a bit. */
const STEP_MULTIPLICATIONS = 10;

/** X25519, as a piece of a provider. */
export const x25519: Group = {
  name: "x25519",
  prepare: () => {
    const field = bigintArithmetic(PRIME, BITS);
    return { curve: undefined, keyExchange: (random) => keyExchange(field, random) };
  },
};

/** A key pair; randomness is labelled `"ecdhe"`. */
function keyExchange<E>(field: Field<E>, random: Random): Task<KeyExchange> {
  const scalar = new Uint8Array(BYTES);
  random.fill(scalar, "ecdhe");
  const base = new Uint8Array(BYTES);
  base[0] = 9;
  return map(multiply(field, scalar, base, random), (publicKey) => {
    return new X25519KeyExchange(field, scalar, publicKey!, random);
  });
}

class X25519KeyExchange<E> implements KeyExchange {
  readonly group = "x25519";
  readonly publicKey: Uint8Array;
  readonly #field: Field<E>;
  readonly #random: Random;
  #scalar: Uint8Array | undefined;

  constructor(field: Field<E>, scalar: Uint8Array, publicKey: Uint8Array, random: Random) {
    this.publicKey = publicKey;
    this.#field = field;
    this.#scalar = scalar;
    this.#random = random;
  }

  shared(peer: Uint8Array): Task<Uint8Array | undefined> {
    if (this.#scalar === undefined) throw new UsageError("USAGE_WRONG_STATE", "the key exchange was wiped");
    if (peer.length !== BYTES) return done(undefined);
    return multiply(this.#field, this.#scalar, peer, this.#random);
  }

  wipe(): void {
    wipe(this.#scalar);
    this.#scalar = undefined;
  }
}

/** The function X25519 of RFC 7748 §5, of 32 bytes each; `undefined` where all bytes of the result are zero. */
function multiply<E>(field: Field<E>, scalar: Uint8Array, u: Uint8Array, random: Random): Task<Uint8Array | undefined> {
  const ladder = new LadderTask(field, scalar, u, drawResidue(random, PRIME, BYTES, "blinding"));
  return map(ladder, (x) => (x === 0n ? undefined : toBytes(x, BYTES).reverse()));
}

/** Montgomery's ladder, one bit a step. Zero for the points of low order. */
class LadderTask<E> extends Sliced<bigint> {
  readonly #field: Field<E>;
  /** Clamped. */
  readonly #scalar: Uint8Array;
  readonly #a24: E;
  readonly #x1: E;
  /** The two points of the ladder, x over z, and scratch cells. */
  readonly #x2: E;
  readonly #z2: E;
  readonly #x3: E;
  readonly #z3: E;
  readonly #t: readonly [E, E, E, E];
  #bit = BITS - 1;
  #swapped = 0;
  #inversion: Task<bigint | undefined> | undefined;

  constructor(field: Field<E>, scalar: Uint8Array, u: Uint8Array, blinding: bigint) {
    super();
    const clamped = scalar.slice();
    clamped[0]! &= 0xf8;
    clamped[BYTES - 1] = (clamped[BYTES - 1]! & 0x7f) | 0x40;
    // The highest bit is ignored, and values above the prime are taken modulo it (RFC 7748 §5).
    const masked = u.slice().reverse();
    masked[0]! &= 0x7f;
    this.#field = field;
    this.#scalar = clamped;
    this.#a24 = field.element(A24);
    this.#x1 = field.element(toInteger(masked));
    this.#x2 = field.element(blinding);
    this.#z2 = field.zero();
    this.#x3 = field.zero();
    this.#z3 = field.element(blinding);
    this.#t = [field.zero(), field.zero(), field.zero(), field.zero()];
    field.multiply(this.#x3, this.#x1, this.#z3);
  }

  protected advance(): number {
    const field = this.#field;
    if (this.#bit >= 0) {
      const bit = (this.#scalar[this.#bit >> 3]! >> (this.#bit & 7)) & 1;
      this.#bit--;
      this.#swapWhen(this.#swapped ^ bit);
      this.#swapped = bit;
      this.#double();
      return STEP_MULTIPLICATIONS * field.units;
    }
    if (this.#inversion === undefined) {
      this.#swapWhen(this.#swapped);
      this.#scalar.fill(0);
      this.#inversion = field.inverse(field.integer(this.#z2), field.modulus);
    }
    const units = this.delegate(this.#inversion);
    if (this.delegateDone) {
      field.multiply(this.#x2, this.#x2, field.element(this.#inversion.result ?? 0n));
      this.complete(field.integer(this.#x2));
    }
    return units;
  }

  #swapWhen(swap: number): void {
    const field = this.#field;
    const [x, z] = this.#t;
    field.choose(x, this.#x2, this.#x3, swap);
    field.choose(this.#x3, this.#x3, this.#x2, swap);
    field.copy(this.#x2, x);
    field.choose(z, this.#z2, this.#z3, swap);
    field.choose(this.#z3, this.#z3, this.#z2, swap);
    field.copy(this.#z2, z);
  }

  /** (x2, z2) doubled, (x3, z3) the sum of both (RFC 7748 §5, with its names). */
  #double(): void {
    const field = this.#field;
    const [a, b, c, d] = this.#t;
    field.add(a, this.#x2, this.#z2); // A
    field.subtract(b, this.#x2, this.#z2); // B
    field.add(c, this.#x3, this.#z3);
    field.subtract(d, this.#x3, this.#z3);
    field.multiply(d, d, a); // DA
    field.multiply(c, c, b); // CB
    field.square(a, a); // AA
    field.square(b, b); // BB
    field.multiply(this.#x2, a, b);
    field.subtract(b, a, b); // E
    field.multiply(this.#z2, this.#a24, b);
    field.add(this.#z2, this.#z2, a);
    field.multiply(this.#z2, this.#z2, b);
    field.add(a, d, c);
    field.subtract(b, d, c);
    field.square(this.#x3, a);
    field.square(b, b);
    field.multiply(this.#z3, this.#x1, b);
  }
}
