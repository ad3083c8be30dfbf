/**
 * Big integers: bytes to BigInt and back without strings, random integers, and the inverse as a task.
 *
 * BigInt is neither constant-time nor can it be wiped: whoever computes with a secret blinds it first.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import type { Random } from "../../ports.ts";
import { Sliced } from "./sliced.ts";

const CHUNK_BYTES = 6;
const CHUNK_BITS = 48n;
const CHUNK_MASK = 0xffffffffffffn;

/** The unsigned integer that big-endian bytes stand for. */
export function toInteger(bytes: Uint8Array): bigint {
  let value = 0n;
  let at = 0;
  for (let size = bytes.length % CHUNK_BYTES || CHUNK_BYTES; at < bytes.length; size = CHUNK_BYTES) {
    let chunk = 0;
    for (let i = 0; i < size; i++) chunk = chunk * 256 + bytes[at++]!;
    value = (value << CHUNK_BITS) | BigInt(chunk);
  }
  return value;
}

/** The lowest `length` bytes of a non-negative integer, big-endian. */
export function toBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = length; at > 0; value >>= CHUNK_BITS) {
    let chunk = Number(value & CHUNK_MASK);
    for (let i = 0; i < CHUNK_BYTES && at > 0; i++) {
      bytes[--at] = chunk;
      chunk = Math.floor(chunk / 256);
    }
  }
  return bytes;
}

/** The residue in `[0, modulus)`, of negative values too. */
export function mod(value: bigint, modulus: bigint): bigint {
  const residue = value % modulus;
  return residue < 0n ? residue + modulus : residue;
}

/** Bits of a public integer that stands in big-endian bytes. */
export function bitLength(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at === bytes.length ? 0 : 8 * (bytes.length - at) - (Math.clz32(bytes[at]!) - 24);
}

/** Units of work of one multiplication modulo a number of that many bits; one for P-256. */
export function multiplicationUnits(bits: number): number {
  return Math.ceil((bits * bits) / 200_000);
}

/** A random integer of `bytes` bytes. */
export function drawInteger(random: Random, bytes: number, purpose: string): bigint {
  const drawn = new Uint8Array(bytes);
  random.fill(drawn, purpose);
  const value = toInteger(drawn);
  wipe(drawn);
  return value;
}

/**
 * A random integer in `[1, modulus)`, from 64 bits more than the modulus has (FIPS 186-5 §A.2.1): the bias is below 2^-64, and
 * the number of bytes drawn is always the same, so that a replayed source of randomness cannot make it loop.
 */
export function drawResidue(random: Random, modulus: bigint, modulusBytes: number, purpose: string): bigint {
  return (drawInteger(random, modulusBytes + 8, purpose) % (modulus - 1n)) + 1n;
}

/**
 * The inverse of a value modulo `modulus` by Euclid's algorithm, or `undefined` where there is none. How long it takes depends on
 * the value, which must therefore be public or blinded.
 */
export class InverseTask extends Sliced<bigint | undefined> {
  readonly #modulus: bigint;
  #r0: bigint;
  #r1: bigint;
  #s0 = 0n;
  #s1 = 1n;

  constructor(value: bigint, modulus: bigint) {
    super();
    this.#modulus = modulus;
    this.#r0 = modulus;
    this.#r1 = mod(value, modulus);
  }

  protected advance(): number {
    let count = 0;
    while (this.#r1 !== 0n && count < 8) {
      const quotient = this.#r0 / this.#r1;
      const remainder = this.#r0 - quotient * this.#r1;
      const s = this.#s0 - quotient * this.#s1;
      this.#r0 = this.#r1;
      this.#r1 = remainder;
      this.#s0 = this.#s1;
      this.#s1 = s;
      count++;
    }
    if (this.#r1 === 0n) this.complete(this.#r0 === 1n ? mod(this.#s0, this.#modulus) : undefined);
    return Math.max(count, 1);
  }
}
