/**
 * The one timer of an engine with time. Most of an engine's timeouts are put off again and again: the timer is set anew only where the
 * next one is earlier, and where it fires too early the engine does nothing.
 *
 * @module
 */

import type { Runtime } from "../ports.ts";
import { MAX_DELAY_MS } from "./call.ts";

/** One timer that is set anew only to fire earlier. */
export class Alarm {
  readonly #runtime: Pick<Runtime, "clock" | "timers">;
  readonly #fire: (now: number) => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** `fire` gets the time; it sees to it that {@link set} is called again. */
  constructor(runtime: Pick<Runtime, "clock" | "timers">, fire: (now: number) => void) {
    this.#runtime = runtime;
    this.#fire = fire;
  }

  /** Fires at that time of the monotonic clock, or earlier. */
  set(at: number | undefined): void {
    if (at === undefined || at >= this.#at) return;
    this.cancel();
    this.#at = at;
    const delay = Math.min(Math.max(at - this.#runtime.clock.now(), 0), MAX_DELAY_MS);
    this.#cancel = this.#runtime.timers.set(delay, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.#fire(this.#runtime.clock.now());
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
