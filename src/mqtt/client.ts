/**
 * The MQTT 3.1.1 client: a session over any transport, connected again by itself, with promises that always settle.
 *
 * Left out on purpose: retrying the first attempt (its error is worth more at once), and a store for sessions.
 *
 * @module
 */

import { printable, utf8Encode } from "../bytes.ts";
import { asThingwireError, type ThingwireError, UsageError } from "../errors.ts";
import { type CallOptions, type Logger, type Runtime, silent } from "../ports.ts";
import type { Transport } from "../transport/transport.ts";
import { Alarm } from "./alarm.ts";
import { Backoff } from "./backoff.ts";
import { Call, checkCallOptions, MAX_DELAY_MS } from "./call.ts";
import type {
  MqttClientOptions,
  MqttClientState,
  MqttStateChange,
  PublishOptions,
  SubscribeOptions,
} from "./client-options.ts";
import { Connection } from "./connection.ts";
import { asyncDispose } from "./dispose.ts";
import { MqttError } from "./errors.ts";
import type { MqttSessionEvent } from "./events.ts";
import { type QoS, SUBACK_FAILURE } from "./packets.ts";
import { MqttSession } from "./session.ts";
import { Subscription, type SubscriptionOwner } from "./subscription.ts";
import { TopicRouter, validateTopicFilter } from "./topic.ts";

export type {
  MqttClientOptions,
  MqttClientState,
  MqttStateChange,
  MqttWill,
  PublishOptions,
  SubscribeOptions,
} from "./client-options.ts";

const OPERATION_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** While an acknowledgement is awaited, it may stand behind messages of a full subscriber: so far we read on. */
const OVERFULL = 8;

/**
 * A connected client. `publish`, `subscribe` and `unsubscribe` work while it reconnects too: they wait, until their timeout.
 *
 * @example
 * const client = await MqttClient.connect({ transport: () => tcp({ host, port: 1883 }), runtime, clientId: "lamp" });
 * const commands = await client.subscribe("cmd/lamp/+", { qos: 1 });
 * await client.publish("telemetry/lamp", "42", { qos: 1 });
 * await client.close();
 */
export class MqttClient implements SubscriptionOwner {
  readonly #transport: () => Transport;
  readonly #runtime: Runtime;
  readonly #session: MqttSession;
  readonly #maxFilters: number;
  readonly #log: Logger;
  readonly #backoff: Backoff | undefined;
  readonly #router = new TopicRouter<Subscription>();
  readonly #subscriptions = new Set<Subscription>();
  /** Subscriptions whose SUBACK has come: they are restored after a reconnect, and may hold the reading up. */
  readonly #active = new Set<Subscription>();
  readonly #calls = new Map<number, (event: MqttSessionEvent) => void>();
  readonly #listeners = new Set<(change: MqttStateChange) => void>();
  readonly #connected = new Call<MqttClient>();
  readonly #alarm: Alarm;
  #state: MqttClientState = "connecting";
  #sessionPresent = false;
  /** Why there is no connection at the moment. */
  #loss: ThingwireError | undefined;
  #connection: Connection | undefined;
  #full = false;
  #cancelReconnect: (() => void) | undefined;
  #closing: Call<void> | undefined;

  /**
   * Connects, and resolves on CONNACK. The first attempt is the only one: it rejects with the transport's or TLS's own error, or an
   * `MqttError`. `timeoutMs` is that of the whole call; `connectTimeoutMs` (30 s) holds for every attempt.
   */
  static connect(options: MqttClientOptions): Promise<MqttClient> {
    try {
      checkCallOptions(options);
      return new MqttClient(options).#start(options);
    } catch (error) {
      return Promise.reject(asThingwireError(error));
    }
  }

  private constructor(options: MqttClientOptions) {
    const { will, password, runtime } = options;
    if (typeof options.transport !== "function" || runtime === undefined) {
      const wanted =
        "transport must be a function that makes one, and runtime the ports of this runtime, as nodeRuntime";
      throw new UsageError("USAGE_INVALID_ARGUMENT", wanted);
    }
    this.#transport = options.transport;
    this.#runtime = runtime;
    this.#alarm = new Alarm(runtime, (now) => {
      this.#session.handleTimeout(now);
      this.#connection?.run();
      this.#armTimer();
    });
    this.#log = options.log ?? silent;
    if (options.onState !== undefined) this.#listeners.add(options.onState);
    this.#maxFilters = options.limits?.maxFiltersPerSubscribe ?? 8;
    this.#backoff = options.reconnect === false ? undefined : new Backoff(runtime.random, options.reconnect);
    this.#session = new MqttSession({
      ...options,
      password: password === undefined ? undefined : toBytes(password),
      will:
        will === undefined
          ? undefined
          : { topic: will.topic, payload: toBytes(will.payload), qos: will.qos ?? 0, retain: will.retain ?? false },
    });
  }

  get state(): MqttClientState {
    return this.#state;
  }

  /** Whether the server had a session at the last CONNACK. */
  get sessionPresent(): boolean {
    return this.#sessionPresent;
  }

  /** Calls `listener` at each change of state; returns what stops it. */
  on(_event: "state", listener: (change: MqttStateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Publishes. QoS 0 resolves when it is written, QoS 1 on PUBACK, also over a reconnect. Do not change the payload before.
   * 30 s by default, then `MQTT_OPERATION_TIMEOUT`.
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): Promise<void> {
    const { qos, retain } = options;
    return this.#operate(
      `PUBLISH ${topic}`,
      options,
      () => this.#session.publish({ topic, payload: toBytes(payload), qos, retain }),
      () => undefined,
    );
  }

  /**
   * Subscribes, and resolves on SUBACK. Where one filter is refused it rejects with `MQTT_SUBSCRIBE_REFUSED` and keeps none. Messages of
   * overlapping subscriptions may come once or several times: that is the server's choice. 30 s by default.
   */
  subscribe(filter: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    const { qos = 0, maxQueued = 100, onMessage } = options;
    const filters = typeof filter === "string" ? [filter] : [...new Set(filter)];
    const subscription = new Subscription(this, filters, qos, maxQueued, onMessage);
    return this.#operate(
      `SUBSCRIBE ${filters.join(" ")}`,
      options,
      () => {
        if (!(maxQueued >= 1)) throw new UsageError("USAGE_INVALID_ARGUMENT", `maxQueued ${maxQueued}`);
        filters.forEach(validateTopicFilter);
        const id = this.#session.subscribe(filters.map((name) => ({ filter: name, qos: this.#qosOf(name, qos) })));
        // Before SUBACK, because messages may come ahead of it (§3.8.4).
        this.#subscriptions.add(subscription);
        for (const name of filters) this.#router.add(name, subscription);
        return id;
      },
      (event) => this.#subscribed(subscription, event),
      (sent) => this.#drop(subscription, sent ? filters : []),
    );
  }

  /**
   * Waits until what is under way is settled, sends DISCONNECT, and ends the transport in order; `timeoutMs` (5 s) for all of it, then
   * the transport is dropped. What is unsettled then fails with `MQTT_CLOSED`. Never rejects; calling it again is harmless.
   */
  close(options: CallOptions = {}): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    const closing = new Call<void>();
    this.#closing = closing;
    if (this.#state === "closed") closing.resolve();
    else if (this.#state !== "connected" || options.signal?.aborted) this.#finish();
    else {
      this.#setState("closing");
      const { timeoutMs = CLOSE_TIMEOUT_MS, signal } = options;
      const timeout = (ms: number) => new MqttError("MQTT_OPERATION_TIMEOUT", `close() after ${ms} ms`);
      closing.arm(this.#runtime.timers, { signal, timeoutMs }, timeout, () => this.#finish());
      this.#closeWhenSettled();
    }
    return closing.promise;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- for subscriptions ----

  /** @internal */
  unsubscribe(subscription: Subscription, options: CallOptions): Promise<void> {
    if (!this.#subscriptions.has(subscription)) return Promise.resolve();
    const filters = this.#drop(subscription, []);
    if (filters.length === 0 || this.#closing !== undefined || this.#state === "closed") return Promise.resolve();
    return this.#operate(
      `UNSUBSCRIBE ${filters.join(" ")}`,
      options,
      () => this.#session.unsubscribe(filters),
      () => undefined,
    );
  }

  /** @internal */
  consumed(): void {
    if (this.#full) this.#connection?.run();
  }

  /** @internal */
  failedCallback(error: ThingwireError): void {
    this.#log.log("error", "mqtt", `a callback threw: ${error.message}`, { error });
  }

  // ---- operations ----

  /** One operation of the session as a call: `result` may throw, `giveUp` is told whether it had been sent. */
  #operate<T>(
    what: string,
    options: CallOptions,
    begin: () => number,
    result: (event: MqttSessionEvent) => T,
    giveUp: (sent: boolean) => void = () => {},
  ): Promise<T> {
    const call = new Call<T>();
    try {
      checkCallOptions(options);
      if (this.#closing !== undefined || this.#state === "closed") throw new MqttError("MQTT_CLOSED", printable(what));
      const id = begin();
      this.#calls.set(id, (event) => {
        try {
          if (event.type === "failed") throw event.error;
          call.resolve(result(event));
        } catch (error) {
          call.reject(asThingwireError(error));
        }
      });
      this.#connection?.run();
      const { timeoutMs = OPERATION_TIMEOUT_MS, signal } = options;
      const timeout = (ms: number) => {
        const loss = this.#loss;
        const offline = loss === undefined ? "" : `, not connected: ${loss.message}`;
        return new MqttError("MQTT_OPERATION_TIMEOUT", `${printable(what)} after ${ms} ms${offline}`, {}, loss);
      };
      call.arm(this.#runtime.timers, { signal, timeoutMs }, timeout, () => {
        this.#calls.delete(id);
        giveUp(this.#session.cancel(id));
        this.#connection?.run();
      });
      this.#armTimer();
    } catch (error) {
      call.reject(asThingwireError(error));
    }
    return call.promise;
  }

  #subscribed(subscription: Subscription, event: MqttSessionEvent): Subscription {
    if (event.type !== "subscribed") throw new UsageError("INTERNAL_BUG", `${event.type} for a SUBSCRIBE`);
    const { filters } = subscription;
    const refused = filters.filter((_, i) => event.returnCodes[i] === SUBACK_FAILURE);
    if (refused.length > 0) {
      this.#drop(
        subscription,
        filters.filter((name) => !refused.includes(name)),
      );
      throw refusal(refused);
    }
    subscription.granted = event.returnCodes as readonly QoS[];
    this.#active.add(subscription);
    return subscription;
  }

  /**
   * Ends a subscription here; returns its filters that no other has. UNSUBSCRIBE is sent, unawaited, for those of them that are
   * in `unwanted`: the server may have granted them.
   */
  #drop(subscription: Subscription, unwanted: readonly string[]): string[] {
    this.#subscriptions.delete(subscription);
    this.#active.delete(subscription);
    for (const name of subscription.filters) this.#router.delete(name, subscription);
    subscription.end();
    const unused = subscription.filters.filter((name) => this.#router.get(name).length === 0);
    const sent = unused.filter((name) => unwanted.includes(name));
    if (sent.length > 0) this.#session.unsubscribe(sent, true);
    if (this.#full) this.#connection?.run();
    return unused;
  }

  /** What to ask for: a second SUBSCRIBE replaces the first at the server, so it may not ask for less. */
  #qosOf(filter: string, least: QoS): QoS {
    let most = least;
    for (const { qos } of this.#router.get(filter)) if (qos > most) most = qos;
    return most;
  }

  // ---- the connection ----

  #start(options: CallOptions): Promise<MqttClient> {
    const timeout = (ms: number) =>
      new MqttError("MQTT_CONNECT_TIMEOUT", `connect() after ${ms} ms`, { phase: "connect" });
    const { signal, timeoutMs } = options;
    this.#connected.arm(this.#runtime.timers, { signal, timeoutMs }, timeout, (error) => this.#finish(error));
    this.#open();
    return this.#connected.promise;
  }

  #open(): void {
    try {
      const ended = () => this.#finish();
      const connection = new Connection(
        this.#transport(),
        this.#session,
        this.#runtime.clock,
        () => this.#takeEvents(),
        ended,
      );
      this.#connection = connection;
      this.#log.log("debug", "mqtt", `connecting over ${connection.description}`);
      connection.open();
      this.#armTimer();
    } catch (error) {
      this.#session.fail(asThingwireError(error));
      if (this.#session.state === "offline") this.#lost(asThingwireError(error));
      else this.#takeEvents();
    }
  }

  #takeEvents(): boolean {
    for (;;) {
      this.#full = this.#isFull();
      // A full subscriber holds messages up, but never what is settled already, nor the end of the connection.
      const event = this.#session.nextEvent(!this.#full);
      if (event === undefined) break;
      this.#handle(event);
    }
    this.#closeWhenSettled();
    this.#armTimer();
    return !this.#full;
  }

  #isFull(): boolean {
    // No message can come ahead of CONNACK, and what filled the queue came over an earlier connection.
    if (this.#session.state === "awaitingConnack") return false;
    const limit = this.#session.inFlight > 0 ? OVERFULL : 1;
    for (const subscription of this.#active) if (subscription.fill >= limit) return true;
    return false;
  }

  #handle(event: MqttSessionEvent): void {
    switch (event.type) {
      case "message": {
        const receivers = this.#router.match(event.topic);
        // Several filters of one subscription may match: it still gets the message once.
        for (const subscription of receivers.length > 1 ? new Set(receivers) : receivers) subscription.deliver(event);
        if (receivers.length === 0) this.#log.log("verbose", "mqtt", "no subscription for a message: dropped");
        return;
      }
      case "connected":
        this.#sessionPresent = event.sessionPresent;
        this.#loss = undefined;
        this.#backoff?.connected(this.#runtime.clock.now());
        if (!event.sessionPresent) this.#restoreSubscriptions();
        this.#setState("connected", { sessionPresent: event.sessionPresent });
        this.#connected.resolve(this);
        return;
      case "closed":
        if (event.error === undefined) this.#connection?.shutdown();
        else this.#lost(event.error);
        return;
      default: {
        const settle = this.#calls.get(event.id);
        this.#calls.delete(event.id);
        settle?.(event);
      }
    }
  }

  /** The server has forgotten the session: the subscriptions again, in pieces that the service takes. */
  #restoreSubscriptions(): void {
    const filters = new Set<string>();
    for (const subscription of this.#active) for (const name of subscription.filters) filters.add(name);
    const all = [...filters];
    // The last piece first, because each goes ahead of what is queued.
    for (let at = all.length - (all.length % this.#maxFilters || this.#maxFilters); at >= 0; at -= this.#maxFilters) {
      const piece = all.slice(at, at + this.#maxFilters);
      const id = this.#session.subscribe(
        piece.map((filter) => ({ filter, qos: this.#qosOf(filter, 0) })),
        true,
      );
      this.#calls.set(id, (event) => {
        if (event.type === "subscribed") this.#restored(piece, event.returnCodes);
      });
    }
  }

  #restored(filters: readonly string[], returnCodes: readonly number[]): void {
    const refused = filters.filter((_, i) => returnCodes[i] === SUBACK_FAILURE);
    for (const name of refused) {
      for (const subscription of this.#router.get(name)) {
        subscription.end(refusal([name]));
        this.#drop(
          subscription,
          subscription.filters.filter((other) => other !== name),
        );
      }
    }
  }

  #lost(error: ThingwireError): void {
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#alarm.cancel();
    const first = this.#state === "connecting" && !this.#connected.settled;
    const refused = error instanceof MqttError && !error.retry;
    if (first || refused || this.#closing !== undefined || this.#backoff === undefined) {
      this.#finish(error);
      return;
    }
    this.#loss = error;
    const retryInMs = this.#backoff.next(this.#runtime.clock.now());
    this.#log.log("warn", "mqtt", `connection lost: ${error.message}; next attempt in ${Math.round(retryInMs)} ms`, {
      error,
    });
    this.#cancelReconnect = this.#runtime.timers.set(Math.min(retryInMs, MAX_DELAY_MS), () => {
      this.#cancelReconnect = undefined;
      this.#setState("connecting");
      // A listener may have closed the client.
      if (this.#state === "connecting") this.#open();
    });
    this.#setState("waiting", { error, retryInMs });
  }

  /** The end of this client: everything is settled. */
  #finish(error?: ThingwireError): void {
    if (this.#state === "closed") return;
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#alarm.cancel();
    this.#cancelReconnect?.();
    this.#connected.reject(error ?? new MqttError("MQTT_CLOSED", "while connecting"));
    // Before listeners hear of it: what they do does not change why it ended.
    const cause = this.#closing === undefined ? error : undefined;
    this.#setState("closed", { error });
    const reason =
      cause === undefined
        ? new MqttError("MQTT_CLOSED")
        : new MqttError("MQTT_CONNECTION_LOST", cause.message, {}, cause);
    this.#session.abandon(reason);
    for (let event: MqttSessionEvent | undefined; (event = this.#session.nextEvent(false)); ) {
      if ("id" in event) this.#handle(event);
    }
    for (const subscription of [...this.#subscriptions]) subscription.end(cause);
    this.#subscriptions.clear();
    this.#active.clear();
    this.#closing?.resolve();
  }

  #closeWhenSettled(): void {
    if (this.#state !== "closing" || this.#session.state !== "connected" || this.#session.pending > 0) return;
    this.#session.disconnect();
    this.#connection?.run();
  }

  #setState(to: MqttClientState, more: Omit<MqttStateChange, "from" | "to"> = {}): void {
    const from = this.#state;
    this.#state = to;
    this.#log.log("info", "mqtt", `${from} -> ${to}`);
    for (const listener of [...this.#listeners]) {
      try {
        listener({ from, to, ...more });
      } catch (thrown) {
        this.failedCallback(asThingwireError(thrown));
      }
    }
  }

  #armTimer(): void {
    if (this.#connection !== undefined) this.#alarm.set(this.#session.nextTimeout());
  }
}

function toBytes(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? utf8Encode(value) : value;
}

function refusal(filters: readonly string[]): MqttError {
  return new MqttError("MQTT_SUBSCRIBE_REFUSED", printable(filters.join(", ")), { filters });
}
