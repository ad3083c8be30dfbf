/**
 * How long to wait before the next attempt to connect: exponential with full jitter above a floor, so that many devices that
 * lost one broker do not come back at once. A connection that breaks soon after it was made does not reset it: two devices with
 * one client id would otherwise throw each other out for ever.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import type { Random } from "../ports.ts";

/** How long to wait between attempts to come back. */
export interface BackoffOptions {
  /** The least wait in ms; 1,000 by default. */
  readonly minMs?: number | undefined;
  /** The greatest wait in ms; 128,000 by default. */
  readonly maxMs?: number | undefined;
  /** Milliseconds that a connection must have lasted to reset the wait; 20,000 by default. */
  readonly stableMs?: number | undefined;
}

/** Waiting times between attempts: a random part of a bound that doubles (full jitter), and starts anew after a stable period. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #stableMs: number;
  readonly #random: Random;
  #attempt = 0;
  #connectedAt: number | undefined;

  /** @throws UsageError where the bounds are not 0 < minMs ≤ maxMs. */
  constructor(random: Random, options: BackoffOptions = {}) {
    this.#random = random;
    this.#minMs = options.minMs ?? 1_000;
    this.#maxMs = options.maxMs ?? 128_000;
    this.#stableMs = options.stableMs ?? 20_000;
    if (!(this.#minMs > 0 && this.#minMs <= this.#maxMs && Number.isFinite(this.#maxMs))) {
      throw new UsageError("USAGE_INVALID_ARGUMENT", "reconnect wants 0 < minMs <= maxMs");
    }
  }

  /** The connection is up. */
  connected(now: number): void {
    this.#connectedAt = now;
  }

  /** The connection is gone, or an attempt failed: the milliseconds to wait, `minMs` to min(maxMs, minMs · 2^attempts). */
  next(now: number): number {
    if (this.#connectedAt !== undefined && now - this.#connectedAt >= this.#stableMs) this.#attempt = 0;
    this.#connectedAt = undefined;
    const most = Math.min(this.#maxMs, this.#minMs * 2 ** ++this.#attempt);
    return this.#minMs + (most - this.#minMs) * this.#fraction();
  }

  #fraction(): number {
    const bytes = new Uint8Array(4);
    this.#random.fill(bytes, "backoff");
    return (((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0) / 2 ** 32;
  }
}
