/**
 * Nonces for ECDSA out of key and digest (RFC 6979 §3.2), with randomness added (§3.6): a weak random source cannot reveal
 * the key, and neither can faults be compared between two signatures of the same message.
 *
 * @module
 */

import { concat, NO_BYTES, wipe } from "../../bytes.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacKeyUnits, hmacUnits } from "./hmac.ts";
import { toBytes, toInteger } from "./integers.ts";
import { Sliced } from "./sliced.ts";

/** bits2int (RFC 6979 §2.3.2): the leftmost `orderBits` bits. */
export function leftmostBits(bytes: Uint8Array, orderBits: number): bigint {
  const excess = 8 * bytes.length - orderBits;
  return excess > 0 ? toInteger(bytes) >> BigInt(excess) : toInteger(bytes);
}

/**
 * A nonce in `[1, order)`, one HMAC a step. `added` is the k' of §3.6; with no bytes it is the deterministic nonce of §3.2.
 */
export class NonceTask extends Sliced<bigint> {
  readonly #algorithm: HashAlgorithm;
  readonly #order: bigint;
  readonly #orderBits: number;
  /** int2octets(x), bits2octets(h1) and k'. */
  readonly #input: Uint8Array;
  readonly #k: Uint8Array;
  readonly #v: Uint8Array;
  /** bits2int wants as many outputs, joined, as the order has bits. */
  readonly #t: Uint8Array;
  #filled = 0;
  #hmac: Hmac | undefined;
  #phase: "seed0" | "seed1" | "generate" = "seed0";

  constructor(
    algorithm: HashAlgorithm,
    order: bigint,
    orderBits: number,
    scalar: Uint8Array,
    digest: Uint8Array,
    added: Uint8Array,
  ) {
    super();
    const bytes = Math.ceil(orderBits / 8);
    this.#algorithm = algorithm;
    this.#order = order;
    this.#orderBits = orderBits;
    this.#input = concat([scalar, toBytes(leftmostBits(digest, orderBits) % order, bytes), added]);
    this.#k = new Uint8Array(algorithm.outputBytes);
    this.#v = new Uint8Array(algorithm.outputBytes).fill(1);
    this.#t = new Uint8Array(bytes);
  }

  protected advance(): number {
    if (this.#phase === "seed0") {
      this.#phase = "seed1";
      return this.#rekey(0, this.#input);
    }
    if (this.#phase === "seed1") {
      this.#phase = "generate";
      return this.#rekey(1, this.#input);
    }
    if (this.#filled === this.#t.length) {
      // The candidate before was not in the range.
      this.#filled = 0;
      return this.#rekey(0, NO_BYTES);
    }
    this.#hmac!.computeInto(this.#v, 0, [this.#v]);
    const wanted = Math.min(this.#v.length, this.#t.length - this.#filled);
    this.#t.set(this.#v.subarray(0, wanted), this.#filled);
    this.#filled += wanted;
    if (this.#filled === this.#t.length) {
      const candidate = leftmostBits(this.#t, this.#orderBits);
      if (candidate >= 1n && candidate < this.#order) this.#finish(candidate);
    }
    return hmacUnits(this.#algorithm, this.#v.length);
  }

  /** K = HMAC_K(V || separator || input), V = HMAC_K(V) */
  #rekey(separator: number, input: Uint8Array): number {
    const algorithm = this.#algorithm;
    const hmac = this.#hmac ?? new Hmac(algorithm, this.#k);
    hmac.computeInto(this.#k, 0, [this.#v, Uint8Array.of(separator), input]);
    hmac.wipe();
    this.#hmac = new Hmac(algorithm, this.#k);
    this.#hmac.computeInto(this.#v, 0, [this.#v]);
    const bytes = this.#v.length + 1 + input.length;
    return hmacKeyUnits(algorithm, this.#k.length) + hmacUnits(algorithm, bytes) + hmacUnits(algorithm, this.#v.length);
  }

  #finish(nonce: bigint): void {
    this.#hmac!.wipe();
    wipe(this.#input, this.#k, this.#v, this.#t);
    this.complete(nonce);
  }
}
