/**
 * RSA (RFC 8017 §5): the public operation, and the private one by the Chinese remainder theorem, blinded and checked.
 *
 * Left out on purpose: encryption, multi-prime keys, key generation. How large a key must be is the policy of X.509.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, done, map, type Task } from "../../task.ts";
import {
  bitLength,
  drawInteger,
  drawResidue,
  InverseTask,
  mod,
  multiplicationUnits,
  toBytes,
  toInteger,
} from "./integers.ts";
import { bigIntModular, type ModularArithmetic, type ModularArithmeticMaker } from "./modular.ts";
import type { PrivateKey, PublicKey } from "./provider.ts";
import { Sliced } from "./sliced.ts";

const MIN_BITS = 1024;
const MAX_BITS = 8192;
const MAX_EXPONENT = 1n << 33n;
/** Bits of a digit of private exponents. */
const WINDOW = 5;
/** Bytes of the random multiple that is added to a private exponent. */
const EXPONENT_BLINDING_BYTES = 8;

/** A public key that can be computed with. */
export interface RsaModulus {
  readonly n: bigint;
  readonly e: bigint;
  readonly bits: number;
  /** Bytes of the modulus, and of a signature. */
  readonly bytes: number;
}

/**
 * The key as integers, or `undefined` where it is not usable: moduli odd and of 1024 to 8192 bits, exponents odd, from 3 to 2^33, so
 * that no key of a peer can cost more than a bounded time.
 */
export function rsaModulus(modulus: Uint8Array, exponent: Uint8Array): RsaModulus | undefined {
  const bits = bitLength(modulus);
  const exponentBits = bitLength(exponent);
  if (bits < MIN_BITS || bits > MAX_BITS || exponentBits > 34) return undefined;
  const n = toInteger(modulus);
  const e = toInteger(exponent);
  if ((n & 1n) === 0n || (e & 1n) === 0n || e < 3n || e > MAX_EXPONENT) return undefined;
  return { n, e, bits, bytes: Math.ceil(bits / 8) };
}

/** The integer of a signature, or `undefined` where it has another length than the modulus or is not below it (RFC 8017 §8). */
export function signatureInteger(key: RsaModulus, signature: Uint8Array): bigint | undefined {
  if (signature.length !== key.bytes) return undefined;
  const s = toInteger(signature);
  return s < key.n ? s : undefined;
}

/** The public key of a {@link PublicKey}; `undefined` where it is of another type or not usable. */
export function usablePublicKey(key: PublicKey): RsaModulus | undefined {
  return key.type === "rsa" ? rsaModulus(key.modulus, key.exponent) : undefined;
}

/** base^exponent mod modulus for a public exponent of at least 1, by squaring and multiplying. */
export class PublicPowerTask extends Sliced<bigint> {
  readonly #base: bigint;
  readonly #exponent: number;
  readonly #modulus: bigint;
  readonly #units: number;
  #power: bigint;
  /** The place of the next bit as a power of two: exponents go beyond 32 bits. */
  #bit = 1;
  #multiply = false;

  constructor(base: bigint, { n, e, bits }: RsaModulus) {
    super();
    this.#base = base % n;
    this.#power = this.#base;
    this.#exponent = Number(e);
    this.#modulus = n;
    this.#units = multiplicationUnits(bits);
    while (this.#bit * 2 <= this.#exponent) this.#bit *= 2;
    this.#bit /= 2;
  }

  protected advance(): number {
    const factor = this.#multiply ? this.#base : this.#power;
    this.#power = (this.#power * factor) % this.#modulus;
    this.#multiply = !this.#multiply && Math.floor(this.#exponent / this.#bit) % 2 === 1;
    if (!this.#multiply) {
      this.#bit /= 2;
      if (this.#bit < 1) this.complete(this.#power);
    }
    return this.#units;
  }
}

/**
 * base^exponent mod modulus for a secret exponent that is not zero and blinded by the caller, with windows of digits 1 to 32: no
 * digit is zero, so that every window costs the same five squarings and one multiplication.
 */
export class SecretPowerTask extends Sliced<bigint> {
  readonly #arithmetic: ModularArithmetic<unknown>;
  readonly #units: number;
  /** base^1, base^2, … */
  readonly #powers: unknown[];
  readonly #digits: Uint8Array;
  #at: number;
  #power: unknown;

  constructor(
    base: bigint,
    exponent: bigint,
    modulus: bigint,
    bits: number,
    arithmetic: ModularArithmeticMaker = bigIntModular,
  ) {
    super();
    this.#arithmetic = arithmetic(modulus, bits);
    this.#units = multiplicationUnits(bits);
    this.#powers = [this.#arithmetic.element(base % modulus)];
    this.#power = this.#arithmetic.element(1n);
    this.#digits = digitsFromOne(exponent, bits + 8 * EXPONENT_BLINDING_BYTES);
    this.#at = this.#digits.length - 1;
  }

  protected advance(): number {
    const arithmetic = this.#arithmetic;
    const powers = this.#powers;
    if (powers.length < 1 << WINDOW) {
      powers.push(arithmetic.multiply(arithmetic.copy(powers[powers.length - 1]), powers[0]));
      return this.#units;
    }
    // A whole digit at a time: a call for each multiplication would cost a tenth of it.
    let power = this.#power;
    for (let i = 0; i < WINDOW; i++) power = arithmetic.multiply(power, power);
    this.#power = arithmetic.multiply(power, powers[this.#digits[this.#at]! - 1]);
    if (this.#at-- === 0) {
      this.#digits.fill(0);
      const result = arithmetic.integer(this.#power);
      arithmetic.wipe();
      this.complete(result);
    }
    return (WINDOW + 1) * this.#units;
  }
}

/** The digits from 1 to 2^WINDOW of an exponent above zero and below 2^bits, lowest first: a digit below one borrows from the next. */
function digitsFromOne(exponent: bigint, bits: number): Uint8Array {
  const bytes = toBytes(exponent, Math.ceil(bits / 8));
  const digits = new Uint8Array(Math.ceil((8 * bytes.length) / WINDOW));
  let pool = 0;
  let pooled = 0;
  let at = bytes.length;
  for (let i = 0; i < digits.length; i++) {
    if (pooled < WINDOW && at > 0) {
      pool |= bytes[--at]! << pooled;
      pooled += 8;
    }
    digits[i] = pool & ((1 << WINDOW) - 1);
    pool >>= WINDOW;
    pooled -= WINDOW;
  }
  wipe(bytes);
  let count = digits.length;
  while (digits[count - 1] === 0) count--;
  let borrow = 0;
  for (let i = 0; i < count; i++) {
    const digit = digits[i]! - borrow;
    borrow = digit < 1 && i < count - 1 ? 1 : 0;
    digits[i] = digit + (borrow << WINDOW);
  }
  return digits.subarray(0, digits[count - 1] === 0 ? count - 1 : count);
}

/** A random factor for the base of a private operation, to the power of the public exponent, and what takes it out of the result. */
export interface BlindingPair {
  readonly blinding: bigint;
  readonly unblinding: bigint;
  /** How often this pair can still be squared before a new factor is drawn. */
  readonly left: number;
}

/** What a provider has for its private operations. */
export interface RsaContext {
  /** The pair for the next operation with each key. They end with the key. */
  readonly blindingPairs: WeakMap<PrivateKey, BlindingPair>;
  /** What the secret powers are computed with. */
  readonly arithmetic: ModularArithmeticMaker;
}

/** Squarings of a pair: an inversion costs as much as some thirty of them. */
const MAX_SQUARINGS = 32;

/** The pair to use now. Its squares are kept for the next time at once, so that two operations at a time share none. */
function takePair(
  key: PrivateKey,
  usable: RsaModulus,
  random: Random,
  { blindingPairs: kept }: RsaContext,
): Task<BlindingPair> {
  const { n } = usable;
  const keep = (pair: BlindingPair): BlindingPair => {
    const { blinding, unblinding, left } = pair;
    if (left === 0) kept.delete(key);
    else
      kept.set(key, { blinding: (blinding * blinding) % n, unblinding: (unblinding * unblinding) % n, left: left - 1 });
    return pair;
  };
  const pair = kept.get(key);
  if (pair !== undefined) return done(keep(pair));
  const factor = drawResidue(random, n, usable.bytes, "blinding");
  return chain(new InverseTask(factor, n), (inverse) =>
    map(new PublicPowerTask(factor, usable), (blinding) => {
      // Without an inverse the factor shares a prime with the modulus, and the check of the result fails.
      if (inverse === undefined) return { blinding, unblinding: 0n, left: 0 };
      return keep({ blinding, unblinding: inverse, left: MAX_SQUARINGS });
    }),
  );
}

/**
 * message^d mod n: the private operation (RFC 8017 §5.2.1). The base is blinded with a random factor, each exponent with a random
 * multiple of the prime minus one, and the result is checked with the public exponent before it leaves, since one
 * faulty signature out of the Chinese remainder theorem gives the key away.
 *
 * @throws UsageError `USAGE_INVALID_ARGUMENT` where the key is not usable; the task, `INTERNAL_BUG` where the check fails.
 */
export function privateOperation(key: PrivateKey, message: bigint, random: Random, context: RsaContext): Task<bigint> {
  const usable = key.type === "rsa" ? rsaModulus(key.modulus, key.publicExponent) : undefined;
  if (key.type !== "rsa" || usable === undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "RSA signs with an RSA key of 1024 to 8192 bits");
  const { n } = usable;
  const p = toInteger(key.prime1);
  const q = toInteger(key.prime2);
  const exponent1 = toInteger(key.exponent1);
  const exponent2 = toInteger(key.exponent2);
  const coefficient = toInteger(key.coefficient);
  if (p * q !== n || exponent1 < 1n || exponent1 >= p || exponent2 < 1n || exponent2 >= q)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "the parts of the RSA key do not belong together");
  const bits = Math.max(bitLength(key.prime1), bitLength(key.prime2));
  const blinded1 = exponent1 + drawExponentBlinding(random) * (p - 1n);
  const blinded2 = exponent2 + drawExponentBlinding(random) * (q - 1n);

  return chain(takePair(key, usable, random, context), ({ blinding, unblinding }) => {
    const base = (message * blinding) % n;
    return chain(new SecretPowerTask(base, blinded1, p, bits, context.arithmetic), (power1) =>
      chain(new SecretPowerTask(base, blinded2, q, bits, context.arithmetic), (power2) => {
        const h = mod((power1 - power2) * coefficient, p);
        const signature = ((power2 + h * q) * unblinding) % n;
        return map(new PublicPowerTask(signature, usable), (check) => {
          if (check === message) return signature;
          context.blindingPairs.delete(key);
          throw new UsageError(
            "INTERNAL_BUG",
            "an RSA signature did not verify: a fault in the computation, or a key whose parts do not belong together",
          );
        });
      }),
    );
  });
}

/** At least 2^63, so that blinded exponents of one prime have the same length within one bit. */
function drawExponentBlinding(random: Random): bigint {
  return drawInteger(random, EXPONENT_BLINDING_BYTES, "blinding") | (1n << BigInt(8 * EXPONENT_BLINDING_BYTES - 1));
}
