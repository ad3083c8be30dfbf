/**
 * Randomness for replays: a stream for each purpose, out of a seed and the purpose's name, so that one more draw for one purpose does
 * not shift another. Works in any engine. For tests only: nothing about it is unpredictable.
 *
 * @module
 */

import type { Random } from "../../../src/ports.ts";

/** The same bytes for the same seed and purpose, in order of the draws. */
export function seededRandom(seed: number): Random {
  const states = new Map<string, number>();
  return {
    fill(bytes, purpose) {
      let state = states.get(purpose);
      if (state === undefined) {
        // FNV-1a of the name.
        state = seed ^ 0x811c9dc5;
        for (let i = 0; i < purpose.length; i++) state = Math.imul(state ^ purpose.charCodeAt(i), 0x01000193);
      }
      for (let i = 0; i < bytes.length; i++) {
        // splitmix32.
        state = (state + 0x9e3779b9) | 0;
        let value = state;
        value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
        value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
        bytes[i] = (value ^ (value >>> 15)) >>> 24;
      }
      states.set(purpose, state);
    },
  };
}
