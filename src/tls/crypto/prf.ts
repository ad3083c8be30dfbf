/**
 * The pseudorandom function of TLS 1.2 (RFC 5246 §5): P_hash over label and seed, one HMAC a step.
 *
 * @module
 */

import { concat, utf8Encode, wipe } from "../../bytes.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacKeyUnits, hmacUnits } from "./hmac.ts";
import { Sliced } from "./sliced.ts";

/** `length` bytes of PRF(secret, label, seed). The secret must not change before the first step. */
export class PrfTask extends Sliced<Uint8Array> {
  readonly #algorithm: HashAlgorithm;
  readonly #secret: Uint8Array;
  /** Label and seed. */
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  /** A(i) of RFC 5246 §5. */
  readonly #a: Uint8Array;
  readonly #block: Uint8Array;
  #hmac: Hmac | undefined;
  #filled = 0;
  #phase: "key" | "chain" | "output" = "key";

  constructor(algorithm: HashAlgorithm, secret: Uint8Array, label: string, seed: Uint8Array, length: number) {
    super();
    this.#algorithm = algorithm;
    this.#secret = secret;
    this.#input = concat([utf8Encode(label), seed]);
    this.#output = new Uint8Array(length);
    this.#a = new Uint8Array(algorithm.outputBytes);
    this.#block = new Uint8Array(algorithm.outputBytes);
  }

  protected advance(): number {
    const algorithm = this.#algorithm;
    const hmac = (this.#hmac ??= new Hmac(algorithm, this.#secret));
    if (this.#phase === "key") {
      this.#phase = "chain";
      if (this.#output.length === 0) this.#finish(hmac);
      return hmacKeyUnits(algorithm, this.#secret.length);
    }
    if (this.#phase === "chain") {
      // A(0) is the seed, A(i) the HMAC of A(i - 1).
      const previous = this.#filled === 0 ? this.#input : this.#a;
      hmac.computeInto(this.#a, 0, [previous]);
      this.#phase = "output";
      return hmacUnits(algorithm, previous.length);
    }
    hmac.computeInto(this.#block, 0, [this.#a, this.#input]);
    const wanted = Math.min(this.#block.length, this.#output.length - this.#filled);
    this.#output.set(this.#block.subarray(0, wanted), this.#filled);
    this.#filled += wanted;
    this.#phase = "chain";
    if (this.#filled === this.#output.length) this.#finish(hmac);
    return hmacUnits(algorithm, this.#a.length + this.#input.length);
  }

  #finish(hmac: Hmac): void {
    hmac.wipe();
    wipe(this.#a, this.#block);
    this.complete(this.#output);
  }
}
