/**
 * The pseudorandom function of TLS 1.2 (RFC 5246 §5): P_hash over label and seed, one HMAC a step.
 *
 * Every second HMAC is over A(i), label and seed: that message stands padded in its blocks, and only A(i) is written into them.
 *
 * @module
 */

import { utf8Encode } from "../../bytes.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacKeyUnits, hmacUnits, paddedBlocks } from "./hmac.ts";
import { Sliced } from "./sliced.ts";
import { writeWord } from "./words.ts";

/** `length` bytes of PRF(secret, label, seed). The secret must not change before the first step. */
export class PrfTask extends Sliced<Uint8Array> {
  readonly #algorithm: HashAlgorithm;
  readonly #secret: Uint8Array;
  /** Label and seed, padded. */
  readonly #input: readonly Int32Array[];
  readonly #inputBytes: number;
  /** A(i), label and seed, padded. A(i) is shorter than a block. */
  readonly #message: readonly Int32Array[];
  readonly #output: Uint8Array;
  #hmac: Hmac | undefined;
  #filled = 0;
  #phase: "key" | "chain" | "output" = "key";

  constructor(algorithm: HashAlgorithm, secret: Uint8Array, label: string, seed: Uint8Array, length: number) {
    super();
    const text = utf8Encode(label);
    this.#algorithm = algorithm;
    this.#secret = secret;
    this.#input = paddedBlocks(algorithm, 0, [text, seed]);
    this.#inputBytes = text.length + seed.length;
    this.#message = paddedBlocks(algorithm, algorithm.outputBytes, [text, seed]);
    this.#output = new Uint8Array(length);
  }

  protected advance(): number {
    const algorithm = this.#algorithm;
    const { outputBytes } = algorithm;
    const hmac = (this.#hmac ??= new Hmac(algorithm, this.#secret));
    if (this.#phase === "key") {
      this.#phase = "chain";
      if (this.#output.length === 0) this.#finish(hmac);
      return hmacKeyUnits(algorithm, this.#secret.length);
    }
    if (this.#phase === "chain") {
      // A(0) is label and seed, A(i) the HMAC of A(i - 1).
      const first = this.#filled === 0;
      const a = this.#message[0]!;
      if (first) hmac.computePadded(this.#input);
      else hmac.computeWords(a);
      for (let i = 0; i < outputBytes / 4; i++) a[i] = hmac.words[i]!;
      this.#phase = "output";
      return hmacUnits(algorithm, first ? this.#inputBytes : outputBytes);
    }
    hmac.computePadded(this.#message);
    this.#take(hmac.words);
    this.#phase = "chain";
    if (this.#filled === this.#output.length) this.#finish(hmac);
    return hmacUnits(algorithm, outputBytes + this.#inputBytes);
  }

  /** Appends a MAC to the output, or as much of it as is wanted. */
  #take(words: Int32Array): void {
    const output = this.#output;
    const from = this.#filled;
    const end = Math.min(output.length, from + this.#algorithm.outputBytes);
    let at = from;
    for (; at + 4 <= end; at += 4) writeWord(output, at, words[(at - from) >> 2]!);
    for (; at < end; at++) output[at] = words[(at - from) >> 2]! >> (24 - 8 * ((at - from) & 3));
    this.#filled = end;
  }

  #finish(hmac: Hmac): void {
    hmac.wipe();
    for (const block of this.#input) block.fill(0);
    for (const block of this.#message) block.fill(0);
    this.complete(this.#output);
  }
}
