/**
 * The line to the broker for the checks of messages: one connection that is made anew where the broker has closed it, because AWS IoT
 * answers what its policies deny by closing.
 *
 * @module
 */

import { type ThingwireError, UsageError } from "../../errors.ts";
import type { MqttClient } from "../../mqtt/client.ts";
import type { Timers } from "../../ports.ts";
import { connectOnce, type Outcome, type Target } from "./attempt.ts";

const DEFAULT_PAUSE_MS = 1_100;

/** Waits between connections: AWS IoT takes one CONNECT a second and client id. */
export function pause(target: Target): Promise<void> {
  return new Promise((resolve) => target.ports.runtime.timers.set(pauseMs(target), () => resolve()));
}

function pauseMs({ options }: Target): number {
  return options.pauseMs ?? DEFAULT_PAUSE_MS;
}

export class Line {
  readonly #target: Target;
  #client: MqttClient | undefined;
  /** Why the broker closed it, or it broke, since the last `client()`. */
  #lost: ThingwireError | undefined;
  #connectedAt = 0;
  /** How long the latest connection that was lost had lasted, in ms. */
  #lasted = 0;
  #holds = false;
  #onLost: (() => void) | undefined;

  /** @param outcome of the connection that stands. */
  constructor(target: Target, outcome: Outcome) {
    this.#target = target;
    this.#use(outcome.client);
  }

  get timers(): Timers {
    return this.#target.ports.runtime.timers;
  }

  get clientId(): string {
    return this.#target.clientId;
  }

  get timeoutMs(): number {
    return this.#target.timeoutMs;
  }

  /** For a message to come back. */
  get answerTimeoutMs(): number {
    return this.#target.options.answerTimeoutMs ?? this.#target.timeoutMs;
  }

  /** Whether the connection was lost since it was last asked for. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** What the connection was lost by. */
  get lostBy(): ThingwireError | undefined {
    return this.#lost;
  }

  /** Calls `listener`, in place of an earlier one, when the connection is lost. */
  onLost(listener: () => void): void {
    this.#onLost = listener;
  }

  /** A client that is connected; `undefined` where the broker does not accept one any more. */
  async client(): Promise<MqttClient | undefined> {
    if (this.#target.options.signal?.aborted) throw new UsageError("USAGE_ABORTED");
    if (this.#client?.state !== "connected") {
      await pause(this.#target);
      this.#use((await connectOnce(this.#target)).client);
    }
    this.#lost = undefined;
    return this.#client;
  }

  /**
   * Whether a connection is lost although nothing is asked of it, within a time in which the latest one was lost; the ms after which.
   * A connection that has held once is not tried again.
   */
  async dropsIdle(): Promise<number | undefined> {
    if (this.#holds || (await this.client()) === undefined) return undefined;
    const since = this.#target.ports.runtime.clock.now();
    await new Promise<void>((resolve) => {
      if (this.lost) resolve();
      const waitMs = Math.min(Math.max(2 * this.#lasted, pauseMs(this.#target)), this.timeoutMs);
      const cancel = this.timers.set(waitMs, () => resolve());
      this.onLost(() => {
        cancel();
        resolve();
      });
    });
    this.#holds = !this.lost;
    return this.lost ? Math.round(this.#target.ports.runtime.clock.now() - since) : undefined;
  }

  async close(): Promise<void> {
    await this.#client?.close({ timeoutMs: 1_000 });
  }

  #use(client: MqttClient | undefined): void {
    const now = (): number => this.#target.ports.runtime.clock.now();
    this.#client = client;
    this.#connectedAt = now();
    client?.on("state", ({ to, error }) => {
      if (client !== this.#client || to !== "closed" || error === undefined) return;
      this.#lost = error;
      this.#lasted = now() - this.#connectedAt;
      this.#onLost?.();
    });
  }
}
