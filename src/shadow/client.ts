/**
 * One shadow for an app: promises over the engine, and an MQTT client (or anything like one) below.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { asThingwireError, type ErrorData, UsageError } from "../errors.ts";
import { Call, checkCallOptions, MAX_DELAY_MS } from "../mqtt/call.ts";
import { asyncDispose } from "../mqtt/dispose.ts";
import { type CallOptions, type Logger, type Runtime, silent } from "../ports.ts";
import { delta } from "./document.ts";
import { ShadowEngine, type ShadowEngineEvent, type ShadowEngineOptions } from "./engine.ts";
import { ShadowError } from "./errors.ts";
import { removal } from "./input.ts";
import { copyJson, type JsonObject } from "./json.ts";
import type { StoredShadow } from "./state.ts";
import type { DeepPartial, ShadowDocument, StateChange } from "./types.ts";

const TAG = "shadow";
const OPERATION_TIMEOUT_MS = 30_000;

/** What a shadow needs of an MQTT client; `MqttClient` is one. */
export interface ShadowChannel {
  /** `"connected"` while requests can be sent, `"closed"` when that is over for good. */
  readonly state: string;
  /** Whether the broker had a session, and with it the subscriptions, when it was last connected. */
  readonly sessionPresent: boolean;
  on(event: "state", listener: (change: { readonly to: string; readonly error?: unknown }) => void): () => void;
  /** Resolves when all filters were granted. Payloads given to `onMessage` are valid during the call only. */
  subscribe(
    filters: readonly string[],
    options: {
      readonly qos: 0 | 1;
      readonly timeoutMs: number;
      readonly onMessage: (message: { readonly topic: string; readonly payload: Uint8Array }) => void;
    },
  ): Promise<{ close(options?: CallOptions): Promise<void> }>;
  publish(
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly timeoutMs: number },
  ): Promise<unknown>;
}

/** Options of {@link ShadowClient}. */
export interface ShadowClientOptions extends Omit<ShadowEngineOptions, "random"> {
  readonly runtime: Runtime;
  /** Of all requests and subscriptions: 1 by default. */
  readonly qos?: 0 | 1 | undefined;
}

/** Options of {@link ShadowClient.report} and {@link ShadowClient.desire}. */
export interface ChangeOptions extends CallOptions {
  /** Sends all that is given (false), and not only what differs from the document. */
  readonly full?: boolean | undefined;
}

/** What a shadow tells, by name of the event. */
export interface ShadowClientEvents<T> {
  /** The document changed, by whomever; `undefined` where there is none. */
  document: ShadowDocument<T> | undefined;
  /** The shadow was deleted, by whomever. */
  deleted: { readonly version: number };
  /** A message that could not be used, a refused value, a handler that failed. */
  warning: Error;
}

/** Does what is desired, and returns what was really done, which is then reported; nothing where it reports by itself. */
export type DeltaHandler<T> = (
  delta: DeepPartial<T>,
  info: { readonly version: number },
) => StateChange<T> | undefined | void | Promise<StateChange<T> | undefined> | Promise<void>;

/** Thrown by an `onDelta` handler to refuse a desired value: see {@link Reject}. */
export class DeltaRejection extends ShadowError {
  readonly path: readonly string[];
  readonly why: string;

  constructor(path: readonly string[], why: string) {
    super("SHADOW_DELTA_REFUSED", `${path.join(".")}: ${why}`, { path, why });
    this.path = path;
    this.why = why;
  }
}

/**
 * What an `onDelta` handler throws to refuse a desired value: the key is removed from `desired`, so that it does not come back
 * with every report. The rest of the delta is then handed out again.
 *
 * @param path Keys joined by dots, or a list of keys where one holds a dot.
 *
 * @example
 * shadow.onDelta((delta) => {
 *   if (delta.color !== undefined) throw Reject("color", "this lamp is white");
 *   …
 * });
 */
export function Reject(path: string | readonly string[], why: string): DeltaRejection {
  return new DeltaRejection(typeof path === "string" ? path.split(".") : path, why);
}

/**
 * A shadow of a thing, for the device (`onDelta`, `report`) or for an app (`desire`, `document`). It follows the connection: it
 * subscribes and gets the document at each connect, and what was reported meanwhile is sent then.
 *
 * @example
 * const shadow = new ShadowClient<Lamp>(mqtt, { thingName: "lamp", runtime });
 * shadow.onDelta(async (delta) => { await lamp.apply(delta); return delta; });
 * await shadow.report({ powerOn: true });
 */
export class ShadowClient<T extends object = JsonObject> {
  readonly #channel: ShadowChannel;
  readonly #runtime: Runtime;
  readonly #engine: ShadowEngine;
  readonly #log: Logger;
  readonly #qos: 0 | 1;
  readonly #requestTimeoutMs: number;
  readonly #calls = new Map<number, Call<void>>();
  readonly #settling = new Set<Call<void>>();
  readonly #listeners = new Map<string, Set<(value: never) => void>>();
  readonly #stopListening: () => void;
  #subscription: Promise<{ close(options?: CallOptions): Promise<void> }> | undefined;
  /** Counts connections, so that the answer of an earlier one is not taken for that of this one. */
  #connection = 0;
  #handler: DeltaHandler<T> | undefined;
  #handling = false;
  #news = false;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(channel: ShadowChannel, options: ShadowClientOptions) {
    this.#channel = channel;
    this.#runtime = options.runtime;
    this.#log = options.log ?? silent;
    this.#qos = options.qos ?? 1;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    this.#engine = new ShadowEngine({ ...options, random: options.runtime.random });
    this.#stopListening = channel.on("state", ({ to, error }) => this.#channelState(to, error));
    this.#channelState(channel.state);
  }

  /** A copy of the last known document; `undefined` where there is none or none was seen yet. */
  get document(): ShadowDocument<T> | undefined {
    return documentOf<T>(this.#engine.document);
  }

  /**
   * Sets who does what is desired. It is called once for each change, one call at a time, with all that changed since the call
   * before. What it returns is reported. Where it throws, that is logged, and the whole delta comes again at the next change;
   * `throw Reject(path, why)` refuses a value. Returns what takes the handler off.
   */
  onDelta(handler: DeltaHandler<T>): () => void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "onDelta: there is a handler already");
    this.#handler = handler;
    this.#handleDelta();
    return () => {
      if (this.#handler === handler) this.#handler = undefined;
    };
  }

  /** Calls `listener` at each event of that name; returns what stops it. */
  on<E extends keyof ShadowClientEvents<T>>(event: E, listener: (value: ShadowClientEvents<T>[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Reports a part of the device's state; null removes a key. Sends only what differs from the document, nothing where nothing
   * does. Resolves when the service has accepted it; 30 s by default, while disconnected too, then `SHADOW_TIMEOUT`. Rejects with
   * `SHADOW_REJECTED_…`, `SHADOW_INVALID_STATE`, `SHADOW_TOO_LARGE`, `SHADOW_NOT_SUBSCRIBED`, `SHADOW_CLOSED`, `USAGE_ABORTED`.
   */
  report(change: StateChange<T>, options: ChangeOptions = {}): Promise<void> {
    return this.#operate(options, (deadline) =>
      this.#engine.report(change, this.#now(), { full: options.full, deadline }),
    );
  }

  /** The same for what is desired of the device: for apps. */
  desire(change: StateChange<T>, options: ChangeOptions = {}): Promise<void> {
    return this.#operate(options, (deadline) =>
      this.#engine.desire(change, this.#now(), { full: options.full, deadline }),
    );
  }

  /** Gets the document anew. Rejects with `SHADOW_REJECTED_NOT_FOUND` where there is none, and as {@link report} does. */
  async get(options: CallOptions = {}): Promise<ShadowDocument<T>> {
    await this.#operate(options, (deadline) => this.#engine.get(this.#now(), { deadline }));
    const document = this.document;
    if (document === undefined) throw new ShadowError("SHADOW_REJECTED_NOT_FOUND", "deleted meanwhile");
    return document;
  }

  /** Deletes the shadow, both halves. False where there was none. Rejects as {@link report} does. */
  async delete(options: CallOptions = {}): Promise<boolean> {
    try {
      await this.#operate(options, (deadline) => this.#engine.delete(this.#now(), { deadline }));
      return true;
    } catch (error) {
      if (error instanceof ShadowError && error.code === "SHADOW_REJECTED_NOT_FOUND") return false;
      throw error;
    }
  }

  /**
   * Resolves when nothing is pending and `reported` has all that is desired. 30 s by default, then `SHADOW_TIMEOUT`, whose
   * `data.left` is the difference that was left.
   */
  settled(options: CallOptions = {}): Promise<void> {
    const call = new Call<void>();
    try {
      this.#begin(options);
      if (this.#isSettled()) call.resolve();
      const { timeoutMs = OPERATION_TIMEOUT_MS, signal } = options;
      const timeout = () => new ShadowError("SHADOW_TIMEOUT", "settled()", this.#whatIsLeft());
      call.arm(this.#runtime.timers, { timeoutMs, signal }, timeout, () => this.#settling.delete(call));
      if (!call.settled) this.#settling.add(call);
    } catch (error) {
      call.reject(asThingwireError(error));
    }
    return call.promise;
  }

  /** Ends following the shadow. What is pending fails with `SHADOW_CLOSED`. The connection stays. */
  async close(options: CallOptions = {}): Promise<void> {
    if (this.#closed) return;
    this.#end(new ShadowError("SHADOW_CLOSED"));
    const ended = this.#subscription?.then((subscription) => subscription.close(options));
    // The connection may be gone before us: then the subscriptions are, too.
    const told = ended?.catch((error) => this.#note("debug", `unsubscribing: ${asThingwireError(error).message}`));
    // Without a connection, or before its SUBACK, that may take long.
    if (this.#engine.phase === "live" || this.#engine.phase === "syncing") await told;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  // — operations —

  #operate(options: CallOptions, begin: (deadline: number) => number): Promise<void> {
    const call = new Call<void>();
    try {
      this.#begin(options);
      const id = begin(this.#now() + (options.timeoutMs ?? OPERATION_TIMEOUT_MS));
      this.#calls.set(id, call);
      this.#run();
      // The engine keeps the deadline; only the signal is watched here.
      const { signal } = options;
      call.arm(this.#runtime.timers, { signal }, closedError, () => {
        this.#calls.delete(id);
        this.#engine.cancel(id);
        this.#run();
      });
    } catch (error) {
      call.reject(asThingwireError(error));
    }
    return call.promise;
  }

  #begin(options: CallOptions): void {
    checkCallOptions(options);
    if (this.#closed) throw new ShadowError("SHADOW_CLOSED");
  }

  #isSettled(): boolean {
    return this.#engine.settled && !this.#handling;
  }

  #whatIsLeft(): ErrorData {
    const state = this.#engine.document?.state;
    return {
      phase: this.#engine.phase,
      left: printable(JSON.stringify(delta(state?.desired, state?.reported) ?? {})),
    };
  }

  // — the channel —

  #channelState(to: string, cause?: unknown): void {
    if (this.#closed) return;
    if (to === "connected") {
      this.#connection++;
      this.#engine.connected(this.#channel.sessionPresent, this.#now());
    } else if (to === "closed") this.#end(new ShadowError("SHADOW_CLOSED", "the connection is closed", {}, cause));
    else this.#engine.disconnected(this.#now());
    this.#run();
  }

  #subscribe(filters: readonly string[]): void {
    const connection = this.#connection;
    const before = this.#subscription;
    const subscription = this.#channel.subscribe(filters, {
      qos: this.#qos,
      timeoutMs: this.#requestTimeoutMs,
      onMessage: ({ topic, payload }) => {
        if (this.#closed) return;
        this.#engine.message(topic, payload, this.#now());
        this.#run();
      },
    });
    this.#subscription = subscription;
    // After the new one was asked for, so that no filter is left without a subscription and none is unsubscribed.
    before?.then((old) => old.close()).catch(() => {});
    subscription.then(
      () => {
        if (connection === this.#connection) this.#engine.subscribed(this.#now());
        this.#run();
      },
      (error: unknown) => {
        if (this.#subscription === subscription) this.#subscription = undefined;
        if (connection === this.#connection) this.#engine.subscribeFailed(error, this.#now());
        this.#run();
      },
    );
  }

  /** Carries out what the engine wants, and sets the timer for what it wants later. */
  #run(): void {
    if (this.#closed) return;
    for (let event: ShadowEngineEvent | undefined; (event = this.#engine.nextEvent()); ) this.#handle(event);
    this.#handleDelta();
    if (this.#isSettled()) {
      for (const call of this.#settling) call.resolve();
      this.#settling.clear();
    }
    this.#cancelTimer?.();
    const at = this.#engine.nextTimeout();
    this.#cancelTimer =
      at === undefined
        ? undefined
        : this.#runtime.timers.set(Math.min(Math.max(at - this.#now(), 0), MAX_DELAY_MS), () => {
            this.#cancelTimer = undefined;
            this.#engine.handleTimeout(this.#now());
            this.#run();
          });
  }

  #handle(event: ShadowEngineEvent): void {
    switch (event.type) {
      case "subscribe":
        this.#subscribe(event.filters);
        return;
      case "publish":
        this.#channel
          .publish(event.topic, event.payload, { qos: this.#qos, timeoutMs: this.#requestTimeoutMs })
          // The engine's timeout asks again.
          .catch((error: unknown) => this.#note("debug", `${event.topic}: ${asThingwireError(error).message}`));
        return;
      case "delta":
        this.#news = true;
        return;
      case "done":
        this.#settle(event.id)?.resolve();
        return;
      case "failed":
        this.#settle(event.id)?.reject(event.error);
        return;
      case "document":
        if (this.#listeners.has("document")) this.#emit("document", documentOf<T>(event.document));
        return;
      case "deleted":
        this.#emit("deleted", { version: event.version });
        return;
      case "warning":
        this.#emit("warning", event.error);
    }
  }

  #settle(id: number): Call<void> | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  // — the handler —

  #handleDelta(): void {
    if (!this.#news || this.#handling || this.#handler === undefined || this.#closed) return;
    this.#news = false;
    const taken = this.#engine.takeDelta();
    if (taken === undefined) return;
    this.#handling = true;
    void this.#callHandler(this.#handler, taken.delta, taken.version).then(() => {
      this.#handling = false;
      this.#run();
    });
  }

  async #callHandler(handler: DeltaHandler<T>, delta: JsonObject, version: number): Promise<void> {
    try {
      const done = await handler(delta as DeepPartial<T>, { version });
      // Without a deadline: what was done must be reported, however long that takes.
      if (done !== undefined && !this.#closed) this.#background(this.#engine.report(done, this.#now()));
    } catch (error) {
      this.#engine.redeliver();
      const refused = error instanceof DeltaRejection;
      if (refused && !this.#closed) this.#background(this.#engine.desire(removal(error.path), this.#now()));
      this.#warn(refused ? error : new UsageError("USAGE_INVALID_ARGUMENT", "the onDelta handler failed", {}, error));
    }
  }

  /** Has the outcome of an operation told that nobody awaits. */
  #background(id: number): void {
    const call = new Call<void>();
    call.promise.catch((error: Error) => this.#warn(error));
    this.#calls.set(id, call);
  }

  // — the end, and what is told —

  #end(error: ShadowError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    this.#cancelTimer?.();
    for (const call of [...this.#calls.values(), ...this.#settling]) call.reject(error);
    this.#calls.clear();
    this.#settling.clear();
  }

  #warn(error: Error): void {
    if (this.#closed) return;
    this.#note("warn", error.message);
    this.#emit("warning", error);
  }

  #emit<E extends keyof ShadowClientEvents<T>>(event: E, value: ShadowClientEvents<T>[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as (value: ShadowClientEvents<T>[E]) => void)(value);
      } catch (error) {
        this.#note("error", `a listener of "${event}" failed: ${asThingwireError(error).message}`);
      }
    }
  }

  #note(level: "error" | "warn" | "debug", message: string): void {
    if (this.#log.enabled(level, TAG)) this.#log.log(level, TAG, message);
  }

  #now(): number {
    return this.#runtime.clock.now();
  }
}

function documentOf<T>(stored: StoredShadow | undefined): ShadowDocument<T> | undefined {
  return stored === undefined ? undefined : (copyJson(stored as unknown as JsonObject) as unknown as ShadowDocument<T>);
}

function closedError(): ShadowError {
  return new ShadowError("SHADOW_CLOSED");
}
