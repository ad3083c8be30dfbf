/**
 * What waits to leave on one connection of the broker. Where the behaviour asks for disorder, some of it is held up for a while, and
 * what comes behind overtakes it.
 *
 * @module
 */

import { concat } from "../bytes.ts";
import type { BrokerBehaviour } from "./broker-behaviour.ts";
import type { Dice } from "./dice.ts";

interface Held {
  /** The time (of the broker's `now`) at which it leaves. */
  readonly until: number;
  readonly bytes: Uint8Array;
  readonly isStillAllowed: () => boolean;
}

export class BrokerOutput {
  readonly #disorder: BrokerBehaviour["disorder"];
  readonly #dice: Dice;
  #ready: Uint8Array[] = [];
  #held: Held[] = [];
  #size = 0;

  constructor(disorder: BrokerBehaviour["disorder"], dice: Dice) {
    this.#disorder = disorder;
    this.#dice = dice;
  }

  /** Bytes that wait, held up or not. */
  get size(): number {
    return this.#size;
  }

  /** When the first packet that is held up may leave. */
  get heldUntil(): number | undefined {
    return this.#held.length === 0 ? undefined : Math.min(...this.#held.map(({ until }) => until));
  }

  push(bytes: Uint8Array): void {
    this.#ready.push(bytes);
    this.#size += bytes.length;
  }

  /** The same for a packet whose place in the order may be lost. Where it is held up, it leaves only if it is allowed then, too. */
  pushUnordered(bytes: Uint8Array, now: number, isStillAllowed: () => boolean): void {
    const disorder = this.#disorder;
    if (disorder === undefined || !this.#dice.happens(disorder.probability)) {
      this.push(bytes);
      return;
    }
    this.#held.push({ until: now + Math.ceil(this.#dice.next() * disorder.holdMs), bytes, isStillAllowed });
    this.#size += bytes.length;
  }

  /** Lets go what was held up until now; false where there is nothing. */
  release(now: number): boolean {
    const due = this.#held.filter(({ until }) => until <= now);
    if (due.length === 0) return false;
    this.#held = this.#held.filter(({ until }) => until > now);
    for (const { bytes, isStillAllowed } of due) {
      if (isStillAllowed()) this.#ready.push(bytes);
      else this.#size -= bytes.length;
    }
    return true;
  }

  /** The bytes that may leave now, or `undefined`. Whoever takes them owns them. */
  take(): Uint8Array | undefined {
    if (this.#ready.length === 0) return undefined;
    const output = this.#ready.length === 1 ? this.#ready[0]! : concat(this.#ready);
    this.#ready = [];
    this.#size -= output.length;
    return output;
  }

  /** Gives up what has not left. */
  clear(): void {
    this.#ready = [];
    this.#held = [];
    this.#size = 0;
  }
}
