/**
 * The line to the broker for the checks of messages: one connection that is made anew where the broker has closed it, because AWS IoT
 * answers what its policies deny by closing.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { MqttClient } from "../../mqtt/client.ts";
import type { Timers } from "../../ports.ts";
import { connectOnce, type Outcome, type Target } from "./attempt.ts";

const DEFAULT_PAUSE_MS = 1_100;

/** Waits between connections: AWS IoT takes one CONNECT a second and client id. */
export function pause(target: Target): Promise<void> {
  const { ports, options } = target;
  return new Promise((resolve) => ports.runtime.timers.set(options.pauseMs ?? DEFAULT_PAUSE_MS, () => resolve()));
}

export class Line {
  readonly #target: Target;
  #client: MqttClient | undefined;
  /** The broker closed it, or it broke, since the last `client()`. */
  #lost = false;
  #onLost: (() => void) | undefined;

  /** @param outcome of the connection that stands. */
  constructor(target: Target, outcome: Outcome) {
    this.#target = target;
    this.#use(outcome.client);
  }

  get timers(): Timers {
    return this.#target.ports.runtime.timers;
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
    this.#lost = false;
    return this.#client;
  }

  async close(): Promise<void> {
    await this.#client?.close({ timeoutMs: 1_000 });
  }

  #use(client: MqttClient | undefined): void {
    this.#client = client;
    client?.on("state", ({ to, error }) => {
      if (client !== this.#client || to !== "closed" || error === undefined) return;
      this.#lost = true;
      this.#onLost?.();
    });
  }
}
