/**
 * HMAC (RFC 2104) with the two states behind the key blocks kept, so that each MAC costs two compressions less.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import { digestUnits, type HashAlgorithm, type RunningHash } from "./hash.ts";

/** HMAC with one key. `wipe` it when the key is no longer needed. */
export class Hmac {
  readonly #algorithm: HashAlgorithm;
  readonly #inner: RunningHash;
  readonly #outer: RunningHash;
  readonly #running: RunningHash;
  readonly #digest: Uint8Array;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    this.#algorithm = algorithm;
    this.#inner = algorithm.create();
    this.#outer = algorithm.create();
    this.#running = algorithm.create();
    this.#digest = new Uint8Array(algorithm.outputBytes);
    const block = new Uint8Array(algorithm.blockBytes);
    if (key.length > block.length) {
      this.#running.update(key);
      this.#running.digestInto(block, 0);
    } else block.set(key);
    for (let i = 0; i < block.length; i++) block[i]! ^= 0x36;
    this.#inner.update(block);
    for (let i = 0; i < block.length; i++) block[i]! ^= 0x36 ^ 0x5c;
    this.#outer.update(block);
    wipe(block);
  }

  /** Writes the MAC of the parts, joined, at `out[at]` on. `out` may be one of the parts. */
  computeInto(out: Uint8Array, at: number, parts: readonly Uint8Array[]): void {
    const running = this.#running;
    running.restore(this.#inner);
    for (const part of parts) running.update(part);
    running.digestInto(this.#digest, 0);
    running.restore(this.#outer);
    running.update(this.#digest);
    running.digestInto(out, at);
  }

  compute(parts: readonly Uint8Array[]): Uint8Array {
    const mac = new Uint8Array(this.#algorithm.outputBytes);
    this.computeInto(mac, 0, parts);
    return mac;
  }

  wipe(): void {
    this.#inner.wipe();
    this.#outer.wipe();
    this.#running.wipe();
    wipe(this.#digest);
  }
}

/** Units of work of one MAC over `bytes` bytes, without the key's set-up. */
export function hmacUnits(algorithm: HashAlgorithm, bytes: number): number {
  return digestUnits(algorithm, bytes) + digestUnits(algorithm, algorithm.outputBytes);
}

/** Units of work of setting up a key. */
export function hmacKeyUnits(algorithm: HashAlgorithm, keyBytes: number): number {
  return 2 * algorithm.unitsPerBlock + (keyBytes > algorithm.blockBytes ? digestUnits(algorithm, keyBytes) : 0);
}
