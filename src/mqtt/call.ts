/**
 * One asynchronous call that always settles: by its result, its error, its timeout or its signal, whichever comes first.
 *
 * @module
 */

import { type ThingwireError, UsageError } from "../errors.ts";
import type { AbortSignalLike, CallOptions, Timers } from "../ports.ts";

/** The longest delay that every runtime's timers take. */
export const MAX_DELAY_MS = 2_147_483_647;

/** A promise that settles once, with its timeout and its signal. */
export class Call<T> {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: ThingwireError) => void;
  #settled = false;
  #cancelTimer: (() => void) | undefined;
  #signal: AbortSignalLike | undefined;
  #onAbort: (() => void) | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Starts the timeout and watches the signal, unless the call is settled already: what is done at once costs no timer.
   *
   * @param giveUp is called before the promise is rejected for one of the two.
   */
  arm(
    timers: Timers,
    options: CallOptions,
    timeoutError: (ms: number) => ThingwireError,
    giveUp: (error: ThingwireError) => void,
  ): void {
    if (this.#settled) return;
    const { signal, timeoutMs } = options;
    const stop = (error: ThingwireError) => {
      if (this.#settled) return;
      giveUp(error);
      this.reject(error);
    };
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => stop(aborted(signal));
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    if (timeoutMs !== undefined && timeoutMs <= MAX_DELAY_MS) {
      this.#cancelTimer = timers.set(timeoutMs, () => stop(timeoutError(timeoutMs)));
    }
  }

  resolve(value: T): void {
    if (this.#finish()) this.#resolve(value);
  }

  reject(error: ThingwireError): void {
    if (this.#finish()) this.#reject(error);
  }

  #finish(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimer?.();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/** Throws where the signal has fired before the call began, or the timeout is none. */
export function checkCallOptions({ signal, timeoutMs }: CallOptions): void {
  if (signal?.aborted) throw aborted(signal);
  if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
    throw new UsageError("USAGE_INVALID_ARGUMENT", `timeoutMs ${timeoutMs}`);
  }
}

function aborted(signal: AbortSignalLike): UsageError {
  return new UsageError("USAGE_ABORTED", undefined, {}, signal.reason);
}
