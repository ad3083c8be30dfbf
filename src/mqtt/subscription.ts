/**
 * What `subscribe` gives: the messages of some topic filters as an async iterable with a bounded queue, or to a callback.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import { asThingwireError, type ThingwireError } from "../errors.ts";
import type { CallOptions } from "../ports.ts";
import { asyncDispose } from "./dispose.ts";
import type { MqttMessage } from "./events.ts";
import type { QoS } from "./packets.ts";

/** What a subscription needs of its client. */
export interface SubscriptionOwner {
  unsubscribe(subscription: Subscription, options: CallOptions): Promise<void>;
  /** The queue has room again. */
  consumed(): void;
  /** The callback threw. */
  failedCallback(error: ThingwireError): void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<MqttMessage, undefined>) => void;
  readonly reject: (error: ThingwireError) => void;
}

/**
 * The messages that match, in the order of arrival. Leaving a `for await` loop unsubscribes. When the queue is full the client
 * stops to read from the network until messages are taken; keep-alive goes on.
 *
 * @example
 * for await (const { topic, payload } of await client.subscribe("cmd/+", { qos: 1 })) { … }
 */
export class Subscription implements AsyncIterableIterator<MqttMessage, undefined> {
  readonly filters: readonly string[];
  /** What was asked for. */
  readonly qos: QoS;
  /** What the server granted, one a filter. */
  granted: readonly QoS[] = [];
  readonly #owner: SubscriptionOwner;
  readonly #maxQueued: number;
  readonly #onMessage: ((message: MqttMessage) => void) | undefined;
  #queue: MqttMessage[] = [];
  #waiters: Waiter[] = [];
  #ended = false;
  #error: ThingwireError | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    owner: SubscriptionOwner,
    filters: readonly string[],
    qos: QoS,
    maxQueued: number,
    onMessage: ((message: MqttMessage) => void) | undefined,
  ) {
    this.#owner = owner;
    this.filters = filters;
    this.qos = qos;
    this.#maxQueued = maxQueued;
    this.#onMessage = onMessage;
  }

  /** Messages that wait to be taken. */
  get queued(): number {
    return this.#queue.length;
  }

  /** How full the queue is: 1 is full. */
  get fill(): number {
    return this.#queue.length / this.#maxQueued;
  }

  /** The next message; `done` after `unsubscribe` or the client's `close`; rejects where the client died. */
  next(): Promise<IteratorResult<MqttMessage, undefined>> {
    const message = this.#queue.shift();
    if (message !== undefined) {
      this.#owner.consumed();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Ends the iteration, and with it the subscription. */
  async return(): Promise<IteratorResult<MqttMessage, undefined>> {
    this.#queue = [];
    await this.unsubscribe();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Sends UNSUBSCRIBE for the filters that no other subscription has; resolves on UNSUBACK. What is queued can still be read. Again,
   * it gives the same promise. 30 s by default.
   */
  unsubscribe(options: CallOptions = {}): Promise<void> {
    this.#closing ??= this.#owner.unsubscribe(this, options);
    return this.#closing;
  }

  /** The same as {@link unsubscribe}. */
  close(options: CallOptions = {}): Promise<void> {
    return this.unsubscribe(options);
  }

  [asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }

  /** The client's: a message has come. Its payload is a view that a queue may not keep. */
  deliver(message: MqttMessage): void {
    if (this.#ended) return;
    if (this.#onMessage !== undefined) {
      try {
        this.#onMessage(message);
      } catch (error) {
        this.#owner.failedCallback(asThingwireError(error));
      }
      return;
    }
    const { topic, payload, qos, retain, dup } = message;
    const kept = { topic, payload: copyOf(payload), qos, retain, dup };
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#queue.push(kept);
    else waiter.resolve({ done: false, value: kept });
  }

  /** The client's: no more messages come. */
  end(error?: ThingwireError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const { resolve, reject } of this.#waiters) {
      if (error === undefined) resolve({ done: true, value: undefined });
      else reject(error);
    }
    this.#waiters = [];
  }
}
