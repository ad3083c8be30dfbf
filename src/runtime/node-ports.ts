/**
 * Node's clocks, timers and random source, as ports.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import type { Random, Runtime, Timers } from "../ports.ts";

/** Node's timers fire at once where the delay does not fit 31 bits. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** A delay of 0 runs in the next turn of the event loop, without the millisecond that `setTimeout` adds. */
export const nodeTimers: Timers = {
  set(delayMs, fire) {
    if (delayMs <= 0) {
      const immediate = setImmediate(fire);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fire, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

/** `crypto.randomFillSync`: the system's source. */
export const nodeRandom: Random = {
  fill(bytes) {
    randomFillSync(bytes);
  },
};

/** All that a client needs of Node. */
export const nodeRuntime: Runtime = {
  clock: { now: () => performance.now(), wallMs: () => Date.now() },
  timers: nodeTimers,
  random: nodeRandom,
};
