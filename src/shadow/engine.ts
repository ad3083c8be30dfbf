/**
 * The device's side of one shadow as a sans-I/O state machine: it keeps a copy of the service's document, hands out each
 * desired change once, and carries local changes into the service.
 *
 * States: disconnected → subscribing (no request may leave before its answers can come) → syncing (a GET is the only source of
 * truth after a connect, a conflict, a timeout or a lost message) → live. Changes wait in a queue as patches, are applied to
 * the document of the moment and leave as its smallest difference; so they survive reconnects and conflicts, and a change that
 * is already there sends nothing.
 *
 * Decisions: one update or delete is in flight at a time, and what is reported meanwhile leaves together in the next one (AWS
 * does not promise to keep messages in order, and meters each); updates carry the version they were made for, unless that lost
 * {@link CONFLICTS_BEFORE_FORCE} times in a row; a delta is derived from the document whenever that is complete, and taken out
 * of delta messages when those are ahead of it; update/accepted alone never makes a delta message stale.
 *
 * Longer than 500 lines, because the states share all of their fields; what can be told apart is in messages.ts, state.ts, document.ts.
 *
 * @module
 */

import { printable, toHex, utf8Length } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { type Logger, type Random, silent } from "../ports.ts";
import { delta, diff, merge } from "./document.ts";
import { ShadowError } from "./errors.ts";
import { jsonPatch } from "./input.ts";
import { copyJson, encodeJson, isEmpty, type JsonObject, jsonBytes, type MutableJsonObject } from "./json.ts";
import { ServiceMessage } from "./messages.ts";
import { type ShadowLimits, shadowLimits } from "./request.ts";
import { applyUpdate, project, SECTIONS, type Section, type StoredShadow } from "./state.ts";
import { parseShadowTopic, type ShadowName, type ShadowTopics, shadowPrefix, shadowTopics } from "./topics.ts";

/** After so many conflicts in a row an update goes without a version, so that a busy app cannot starve the device. */
export const CONFLICTS_BEFORE_FORCE = 3;

const TAG = "shadow";

/** Options of {@link ShadowEngine}. */
export interface ShadowEngineOptions extends ShadowName {
  /** For clientTokens and the jitter of waiting times. */
  readonly random: Random;
  /** What clientTokens start with, at most 48 bytes; 16 random hexadecimal digits unless given. Must differ between processes. */
  readonly tokenPrefix?: string | undefined;
  /** Whether updates carry the version of the document they were made for (true). False: the last writer wins. */
  readonly versioned?: boolean | undefined;
  /** Whether to subscribe to `get/+` and `delete/+` (false): 5 subscriptions instead of 7, but policies must allow the wildcards. */
  readonly wildcards?: boolean | undefined;
  /** Milliseconds until a request without an answer is asked again (10,000). */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds that a missing message may be late before the document is got again (1,000). */
  readonly graceMs?: number | undefined;
  /** Waiting between failed requests: doubled from `minMs` (1,000) to `maxMs` (60,000), with jitter. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number } | undefined;
  readonly limits?: Partial<Pick<ShadowLimits, "depth" | "documentBytes">> | undefined;
  readonly log?: Logger | undefined;
}

/** What an engine wants from the outside, or tells it. */
export type ShadowEngineEvent =
  /** Subscribe to these and then call `subscribed` or `subscribeFailed`. */
  | { readonly type: "subscribe"; readonly filters: readonly string[] }
  | { readonly type: "publish"; readonly topic: string; readonly payload: Uint8Array }
  /** Something is newly desired: `takeDelta` tells what. */
  | { readonly type: "delta"; readonly version: number }
  /** The copy of the document changed; `undefined` where there is no shadow. */
  | { readonly type: "document"; readonly document: StoredShadow | undefined }
  /** The shadow was deleted, by whomever. */
  | { readonly type: "deleted"; readonly version: number }
  | { readonly type: "done"; readonly id: number }
  | { readonly type: "failed"; readonly id: number; readonly error: ShadowError }
  /** A message that could not be used, or a failure that no operation waits for. */
  | { readonly type: "warning"; readonly error: ShadowError };

/** Where an engine stands; `live` means that its copy of the document is complete. */
export type ShadowPhase = "disconnected" | "subscribing" | "syncing" | "live";

interface Operation {
  readonly id: number;
  readonly kind: "get" | "delete" | "patch";
  readonly patch: { readonly [section in Section]?: JsonObject };
  /** Sent as it is, not as a difference. */
  readonly full: boolean;
  readonly deadline: number;
  /** Sent on its own, because something that it was sent with was refused. */
  alone: boolean;
  /** Whether it was ever sent. */
  sent: boolean;
}

interface InFlight {
  readonly kind: "get" | "delete" | "patch";
  readonly token: string;
  readonly deadline: number;
  operations: readonly Operation[];
  /** The version of the document when it was sent. */
  readonly version: number;
  /** The highest version that was heard of since. */
  heard: number;
}

/**
 * One shadow of one thing, seen from the device (or from an app: both use the same messages). Times are milliseconds of a
 * monotonic clock, passed in.
 *
 * @example
 * const engine = new ShadowEngine({ thingName: "lamp", random });
 * engine.connected(false, now);
 * for (let event; (event = engine.nextEvent()); ) …; // subscribe, then engine.subscribed(now): publish, …
 */
export class ShadowEngine {
  readonly topics: ShadowTopics;
  readonly #prefix: string;
  readonly #filters: readonly string[];
  readonly #random: Random;
  readonly #tokenPrefix: string;
  readonly #versioned: boolean;
  readonly #requestTimeoutMs: number;
  readonly #graceMs: number;
  readonly #backoff: { readonly minMs: number; readonly maxMs: number };
  readonly #depth: number;
  readonly #documentBytes: number;
  readonly #log: Logger;

  readonly #events: ShadowEngineEvent[] = [];
  #phase: ShadowPhase = "disconnected";
  #wasSubscribed = false;
  #now = 0;
  #counter = 0;

  /** The copy of the service's document; complete only while live and not behind. */
  #document: StoredShadow | undefined;
  /** The highest version heard of; above the document's where messages are missing. */
  #heard = 0;
  /** What is left to do, and the version that says so: the watermark below which deltas are stale. */
  #outstanding: JsonObject = {};
  #deltaVersion = 0;
  /** The part of it that was taken by the receiver. */
  #taken: JsonObject = {};
  /** What this device reported: the whole of it is reported again after somebody deleted the shadow. */
  #own: JsonObject = {};

  #queue: Operation[] = [];
  #gets: Operation[] = [];
  #change: InFlight | undefined;
  #get: InFlight | undefined;

  /** When to subscribe or GET (again); `undefined` where there is no need. */
  #retryAt: number | undefined;
  /** No request leaves before. */
  #notBefore = 0;
  #failures = 0;
  #conflicts = 0;

  constructor(options: ShadowEngineOptions) {
    this.topics = shadowTopics(options);
    this.#prefix = shadowPrefix(options);
    this.#random = options.random;
    this.#tokenPrefix = options.tokenPrefix ?? randomPrefix(options.random);
    if (utf8Length(this.#tokenPrefix) > 48)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "tokenPrefix: at most 48 bytes");
    this.#versioned = options.versioned ?? true;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
    this.#graceMs = options.graceMs ?? 1_000;
    this.#backoff = options.backoff ?? { minMs: 1_000, maxMs: 60_000 };
    this.#depth = options.limits?.depth ?? shadowLimits.depth;
    this.#documentBytes = options.limits?.documentBytes ?? shadowLimits.documentBytes;
    this.#log = options.log ?? silent;
    const { topics } = this;
    this.#filters = [
      ...(options.wildcards === true
        ? [`${topics.get}/+`, `${topics.delete}/+`]
        : [topics.getAccepted, topics.getRejected, topics.deleteAccepted, topics.deleteRejected]),
      topics.updateAccepted,
      topics.updateRejected,
      topics.updateDelta,
    ];
  }

  get phase(): ShadowPhase {
    return this.#phase;
  }

  /** The last known document of the service: `undefined` where there is none, or none was seen yet. Not to be changed. */
  get document(): StoredShadow | undefined {
    return this.#document;
  }

  /** Whether the document is known and complete, nothing waits or is under way, and `reported` has all that is desired. */
  get settled(): boolean {
    const idle = this.#queue.length === 0 && this.#change === undefined;
    return this.#isCurrent() && idle && this.#difference() === undefined;
  }

  /** The next thing to do or to know; call it after every other call until it returns `undefined`. */
  nextEvent(): ShadowEngineEvent | undefined {
    return this.#events.shift();
  }

  /** When `handleTimeout` must be called, in the milliseconds of the clock that is passed in; `undefined` for never. */
  nextTimeout(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const operation of this.#operations()) next = Math.min(next, operation.deadline);
    if (this.#phase !== "disconnected") {
      next = Math.min(next, this.#get?.deadline ?? next, this.#change?.deadline ?? next);
      if (this.#get === undefined) next = Math.min(next, this.#retryAt ?? next);
      if (this.#notBefore > this.#now && this.#queue.length + this.#gets.length > 0)
        next = Math.min(next, this.#notBefore);
    }
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** The connection stands. `sessionPresent`: the broker still has the subscriptions. */
  connected(sessionPresent: boolean, now: number): void {
    this.disconnected(now);
    if (sessionPresent && this.#wasSubscribed) this.#sync(now);
    else {
      this.#phase = "subscribing";
      this.#retryAt = now;
    }
    this.#pump(now);
  }

  /** The connection is gone. What was not accepted waits for the next one. */
  disconnected(now: number): void {
    this.#phase = "disconnected";
    this.#retryAt = undefined;
    this.#requeue(this.#get);
    this.#requeue(this.#change);
    this.#get = this.#change = undefined;
    this.#pump(now);
  }

  /** All filters of the `subscribe` event were granted. */
  subscribed(now: number): void {
    if (this.#phase !== "subscribing") return;
    this.#wasSubscribed = true;
    this.#failures = 0;
    this.#sync(now);
    this.#pump(now);
  }

  /** The filters were refused. Operations that wait fail, and the engine asks again later. */
  subscribeFailed(cause: unknown, now: number): void {
    if (this.#phase !== "subscribing") return;
    this.#failAll(new ShadowError("SHADOW_NOT_SUBSCRIBED", undefined, {}, cause));
    this.#retryAt = this.#backOff(now);
    this.#pump(now);
  }

  /**
   * Merges a patch into `reported`: what differs from the document is sent as soon as that is known, together with what else
   * waits. Returns the operation's id, which comes back in exactly one `done` or `failed`.
   *
   * @param options.full Sends the patch as it is, even where the document has the same values already.
   * @param options.deadline Milliseconds of the same clock; then it fails with `SHADOW_TIMEOUT` and is not tried again.
   * @throws ShadowError `SHADOW_INVALID_STATE` for what no shadow can hold.
   */
  report(
    patch: unknown,
    now: number,
    options: { full?: boolean | undefined; deadline?: number | undefined } = {},
  ): number {
    return this.#enqueue("patch", { reported: jsonPatch(patch, this.#depth) }, now, options);
  }

  /** The same for `desired`: what an app does, and what a device does to refuse a desired value. */
  desire(
    patch: unknown,
    now: number,
    options: { full?: boolean | undefined; deadline?: number | undefined } = {},
  ): number {
    return this.#enqueue("patch", { desired: jsonPatch(patch, this.#depth) }, now, options);
  }

  /** Gets the document anew. Fails with `SHADOW_REJECTED_NOT_FOUND` where there is no shadow. */
  get(now: number, options: { deadline?: number | undefined } = {}): number {
    return this.#enqueue("get", {}, now, options);
  }

  /** Deletes the shadow, after what was reported before. Forgets what this device reported. */
  delete(now: number, options: { deadline?: number | undefined } = {}): number {
    return this.#enqueue("delete", {}, now, options);
  }

  /** Gives an operation up. No event follows for it; what was sent already may still be applied. True where it was pending. */
  cancel(id: number): boolean {
    const found = this.#operations().some((operation) => operation.id === id);
    if (found) this.#drop((operation) => operation.id === id);
    return found;
  }

  /**
   * What is desired, not reported, and was not taken before; `undefined` where that is nothing. Each leaf comes once a change, in
   * the order of versions; what was withdrawn meanwhile never comes. A device that reports something else instead is not asked
   * again before the difference has been closed or the desired value changes. The receiver may keep and change it.
   */
  takeDelta(): { readonly delta: JsonObject; readonly version: number } | undefined {
    const news = delta(this.#outstanding, this.#taken);
    this.#taken = this.#outstanding;
    return news === undefined ? undefined : { delta: copyJson(news), version: this.#deltaVersion };
  }

  /** Forgets what was taken, since its receiver failed: the next `delta` event is about all that is left to do. */
  redeliver(): void {
    this.#taken = {};
  }

  /** Takes time on: deadlines, retries, late messages. */
  handleTimeout(now: number): void {
    for (const operation of this.#operations()) {
      if (operation.deadline > now) continue;
      this.#drop((other) => other === operation);
      this.#fail(operation, new ShadowError("SHADOW_TIMEOUT", undefined, { phase: this.#phase, sent: operation.sent }));
    }
    const get = this.#get;
    if (get !== undefined && get.deadline <= now) {
      this.#note("warn", `${get.kind} ${get.token} timed out`);
      this.#getFailed(get, now);
    }
    const change = this.#change;
    if (change !== undefined && change.deadline <= now) {
      this.#note("warn", `${change.kind} ${change.token} timed out`);
      this.#change = undefined;
      this.#requeue(change);
      // Applied or not: only the document tells.
      this.#notBefore = this.#backOff(now);
      this.#sync(now);
    }
    this.#pump(now);
  }

  /** Takes a message in. False where its topic is none of this shadow's answers. Never throws for what it holds. */
  message(topic: string, payload: Uint8Array, now: number): boolean {
    const parsed = topic.startsWith(this.#prefix) ? parseShadowTopic(topic) : undefined;
    if (parsed === undefined || shadowPrefix(parsed) !== this.#prefix) return false;
    if (parsed.kind === "request" || parsed.kind === "documents") return false;
    if (this.#phase === "disconnected") return true;
    try {
      const message = new ServiceMessage(payload);
      if (parsed.kind === "delta") this.#onDelta(message, now);
      else if (parsed.kind === "rejected") this.#onRejected(message, now);
      else if (parsed.operation === "get") this.#onDocument(message, now);
      else if (parsed.operation === "update") this.#onAccepted(message, now);
      else this.#onDeleted(message, now);
    } catch (error) {
      if (!(error instanceof ShadowError)) throw error;
      this.#note("warn", `${printable(topic)}: ${error.message}`);
      this.#events.push({ type: "warning", error });
    }
    this.#pump(now);
    return true;
  }

  // — what the service says —

  #onDocument(message: ServiceMessage, now: number): void {
    const { document, clientToken } = message;
    const get = this.#get;
    if (get === undefined || get.token !== clientToken) {
      // Somebody else's GET shows no more than that a version exists.
      this.#hear(document.version);
      if (this.#phase === "live" && document.version > this.#version()) this.#missing(document.version, now);
      return;
    }
    this.#get = undefined;
    if (document.version < get.heard) {
      this.#requeue(get);
      this.#retryAt = now;
      return;
    }
    this.#failures = 0;
    this.#heard = document.version;
    this.#retryAt = undefined;
    this.#phase = "live";
    // Below what was seen before: deleted meanwhile and begun anew.
    if (document.version < this.#deltaVersion) this.#deltaVersion = 0;
    this.#adopt(document);
    for (const operation of get.operations) this.#done(operation);
  }

  #onAccepted(message: ServiceMessage, now: number): void {
    const { version, patch, timestamp, clientToken } = message;
    const own = this.#change?.kind === "patch" && this.#change.token === clientToken ? this.#change : undefined;
    this.#hear(version);
    if (own !== undefined) {
      this.#change = undefined;
      this.#failures = this.#conflicts = 0;
      for (const operation of own.operations) this.#done(operation);
    }
    if (this.#phase !== "live") return;
    const expected = this.#version() + 1;
    // Our own first version makes a document out of nothing, unless it was deleted before we heard of it.
    if (version === expected && (this.#document !== undefined || own?.heard === version)) {
      this.#heard = Math.max(this.#heard, version);
      if (this.#heard === version) this.#retryAt = undefined;
      this.#adopt(applyUpdate(this.#document, patch, version, timestamp));
    } else if (version >= expected) this.#missing(version, now);
    // An answer to our own update cannot be older than the document it was made for, unless versions began anew.
    else if (own !== undefined && version <= own.version) this.#sync(now);
  }

  #onDelta(message: ServiceMessage, now: number): void {
    const { version, delta: difference } = message;
    this.#hear(version);
    if (this.#phase !== "live" || version <= this.#version()) return;
    if (this.#document !== undefined) this.#offer(difference, version);
    this.#missing(version, now);
  }

  #onDeleted(message: ServiceMessage, now: number): void {
    const { version, clientToken } = message;
    const own = this.#change?.kind === "delete" && this.#change.token === clientToken ? this.#change : undefined;
    // A delete takes a version of its own.
    this.#hear(version + 1);
    if (own !== undefined) {
      this.#change = undefined;
      this.#failures = 0;
      this.#own = {};
      for (const operation of own.operations) this.#done(operation);
    }
    if (this.#phase !== "live" || this.#version() > version) return;
    this.#events.push({ type: "deleted", version });
    this.#gone(version);
    if (this.#heard > 0) this.#missing(this.#heard, now);
  }

  #onRejected(message: ServiceMessage, now: number): void {
    const { rejection, clientToken } = message;
    if (clientToken === undefined) return;
    const get = this.#get;
    if (get?.token === clientToken) {
      if (rejection.code === "SHADOW_REJECTED_NOT_FOUND") this.#notFound(get, rejection, now);
      else if (rejection.retry) this.#getFailed(get, now);
      else {
        for (const operation of get.operations) this.#fail(operation, rejection);
        get.operations = [];
        this.#getFailed(get, now);
        // Without a document nothing else can leave.
        if (this.#phase === "syncing") this.#failAll(rejection);
      }
    }
    const change = this.#change;
    if (change?.token !== clientToken) return;
    this.#note("warn", `${change.kind} ${change.token}: ${rejection.message}`);
    this.#change = undefined;
    if (rejection.code === "SHADOW_REJECTED_CONFLICT") {
      this.#conflicts++;
      this.#requeue(change);
      this.#sync(now);
    } else if (rejection.retry) {
      this.#requeue(change);
      this.#notBefore = this.#backOff(now);
    } else {
      if (change.kind === "delete" && rejection.code === "SHADOW_REJECTED_NOT_FOUND") {
        if (change.heard > 0) this.#sync(now);
        else this.#gone();
      }
      this.#refused(change.operations, rejection);
    }
  }

  #notFound(get: InFlight, rejection: ShadowError, now: number): void {
    this.#get = undefined;
    if (get.heard > 0) {
      // Heard of since: created meanwhile, or a message of the past. The next answer tells.
      this.#requeue(get);
      this.#retryAt = now;
      return;
    }
    this.#failures = 0;
    this.#phase = "live";
    this.#gone();
    for (const operation of get.operations) this.#fail(operation, rejection);
  }

  // — the document —

  #version(): number {
    return this.#document?.version ?? 0;
  }

  #difference(): JsonObject | undefined {
    return delta(this.#document?.state.desired, this.#document?.state.reported);
  }

  #isCurrent(): boolean {
    return this.#phase === "live" && this.#heard <= this.#version();
  }

  #adopt(document: StoredShadow): void {
    this.#document = document;
    this.#events.push({ type: "document", document });
    this.#offer(this.#difference() ?? {}, document.version);
  }

  /** There is no shadow, or none of that version and below: messages of the one that followed may have come first. */
  #gone(version: number = Number.POSITIVE_INFINITY): void {
    const known = this.#document !== undefined;
    this.#document = undefined;
    if (this.#deltaVersion <= version) {
      this.#deltaVersion = 0;
      this.#outstanding = this.#taken = {};
    }
    if (this.#heard <= version) this.#heard = 0;
    this.#retryAt = undefined;
    if (known) this.#events.push({ type: "document", document: undefined });
  }

  /** Notes what is left to do. What it lacks was done or withdrawn, and is news when it comes back. */
  #offer(difference: JsonObject, version: number): void {
    if (version < this.#deltaVersion) return;
    this.#deltaVersion = version;
    this.#outstanding = difference;
    this.#taken = project(this.#taken, difference);
    if (delta(difference, this.#taken) !== undefined) this.#events.push({ type: "delta", version });
  }

  #hear(version: number): void {
    for (const request of [this.#get, this.#change])
      if (request !== undefined) request.heard = Math.max(request.heard, version);
  }

  /** A version exists that the document lacks: its message may be on the way, and otherwise a GET brings it. */
  #missing(version: number, now: number): void {
    this.#heard = Math.max(this.#heard, version);
    // Without a document there is nothing that a late message could complete.
    this.#retryAt ??= this.#document === undefined ? now : now + this.#graceMs;
  }

  #sync(now: number): void {
    this.#phase = "syncing";
    this.#retryAt = now;
  }

  // — requests —

  #pump(now: number): void {
    this.#now = now;
    if (this.#phase === "disconnected") return;
    if (this.#phase === "subscribing") {
      if (this.#retryAt === undefined || this.#retryAt > now) return;
      this.#retryAt = undefined;
      this.#events.push({ type: "subscribe", filters: this.#filters });
      return;
    }
    const wanted = this.#gets.length > 0 && this.#notBefore <= now;
    const due = this.#retryAt !== undefined && this.#retryAt <= now;
    if (this.#get === undefined && (wanted || due)) {
      const operations = this.#gets;
      this.#gets = [];
      this.#retryAt = undefined;
      this.#get = this.#send("get", this.topics.get, {}, operations, now);
    }
    while (this.#isCurrent() && this.#change === undefined && this.#notBefore <= now && this.#queue.length > 0)
      this.#sendNext(now);
  }

  /** Sends the next change, with all that wait behind it and can go along; or settles it where there is nothing to send. */
  #sendNext(now: number): void {
    const first = this.#queue[0]!;
    const single = first.kind === "delete" || first.full || first.alone;
    let count = 1;
    while (!single && count < this.#queue.length && joins(this.#queue[count]!)) count++;
    const operations = this.#queue.splice(0, count);
    if (first.kind === "delete") {
      // Asked before, without an answer; and now there is no shadow: that was the answer.
      if (first.sent && this.#document === undefined) {
        this.#own = {};
        this.#done(first);
      } else this.#change = this.#send("delete", this.topics.delete, {}, operations, now);
      return;
    }
    const state = this.#changes(operations);
    if (isEmpty(state)) {
      for (const operation of operations) this.#done(operation);
      return;
    }
    let bytes = 0;
    for (const section of SECTIONS)
      bytes += jsonBytes(merge(this.#document?.state[section] ?? {}, state[section] as JsonObject | undefined));
    if (bytes > this.#documentBytes) {
      const data = { bytes, limit: this.#documentBytes };
      this.#refused(operations, new ShadowError("SHADOW_TOO_LARGE", `${bytes} of ${this.#documentBytes} bytes`, data));
      return;
    }
    const versioned = this.#versioned && this.#document !== undefined && this.#conflicts < CONFLICTS_BEFORE_FORCE;
    const body = versioned ? { state, version: this.#version() } : { state };
    this.#change = this.#send("patch", this.topics.update, body, operations, now);
  }

  /** The `state` of the update that brings the operations into the service's document. */
  #changes(operations: readonly Operation[]): JsonObject {
    const state: MutableJsonObject = {};
    for (const section of SECTIONS) {
      const present = this.#document?.state[section] ?? {};
      // Where the shadow is gone, all that this device ever reported is missing.
      let wanted = this.#document === undefined && section === "reported" ? this.#own : present;
      const full = operations[0]!.full ? operations[0]!.patch[section] : undefined;
      for (const operation of operations) wanted = merge(wanted, operation.patch[section]);
      const touched = operations.some((operation) => operation.patch[section] !== undefined);
      const patch = touched ? (full ?? diff(present, wanted)) : undefined;
      if (patch !== undefined && !isEmpty(patch)) state[section] = patch;
    }
    return state;
  }

  #send(
    kind: InFlight["kind"],
    topic: string,
    body: JsonObject,
    operations: readonly Operation[],
    now: number,
  ): InFlight {
    const token = `${this.#tokenPrefix}-${(++this.#counter).toString(36)}`;
    for (const operation of operations) operation.sent = true;
    this.#note("debug", `${kind} ${token}`);
    this.#events.push({ type: "publish", topic, payload: encodeJson({ ...body, clientToken: token }) });
    const deadline = now + this.#requestTimeoutMs;
    return { kind, token, deadline, operations, version: this.#version(), heard: 0 };
  }

  #getFailed(get: InFlight, now: number): void {
    this.#get = undefined;
    this.#requeue(get);
    this.#notBefore = this.#backOff(now);
    if (!this.#isCurrent()) this.#retryAt = this.#notBefore;
  }

  /** Several operations in one update share its fate only until it is known which of them was the wrong one. */
  #refused(operations: readonly Operation[], error: ShadowError): void {
    if (operations.length === 1) this.#fail(operations[0]!, error);
    else {
      for (const operation of operations) operation.alone = true;
      this.#queue.unshift(...operations);
    }
  }

  #requeue(request: InFlight | undefined): void {
    if (request === undefined) return;
    if (request.kind === "get") this.#gets.unshift(...request.operations);
    else this.#queue.unshift(...request.operations);
  }

  #backOff(now: number): number {
    const byte = new Uint8Array(1);
    this.#random.fill(byte, "shadow_jitter");
    const { minMs, maxMs } = this.#backoff;
    const delay = Math.min(maxMs, minMs * 2 ** Math.min(this.#failures++, 30));
    return now + Math.ceil(delay * (0.5 + byte[0]! / 510));
  }

  // — operations —

  #enqueue(
    kind: Operation["kind"],
    patch: Operation["patch"],
    now: number,
    {
      full = false,
      deadline = Number.POSITIVE_INFINITY,
    }: { full?: boolean | undefined; deadline?: number | undefined },
  ): number {
    const operation: Operation = { id: ++this.#counter, kind, patch, full, deadline, alone: false, sent: false };
    (kind === "get" ? this.#gets : this.#queue).push(operation);
    this.#pump(now);
    return operation.id;
  }

  #operations(): Operation[] {
    return [...this.#queue, ...this.#gets, ...(this.#get?.operations ?? []), ...(this.#change?.operations ?? [])];
  }

  #drop(dropped: (operation: Operation) => boolean): void {
    const stays = (operation: Operation) => !dropped(operation);
    this.#queue = this.#queue.filter(stays);
    this.#gets = this.#gets.filter(stays);
    if (this.#get !== undefined) this.#get.operations = this.#get.operations.filter(stays);
    if (this.#change !== undefined) this.#change.operations = this.#change.operations.filter(stays);
  }

  #done(operation: Operation): void {
    this.#own = merge(this.#own, operation.patch.reported);
    this.#events.push({ type: "done", id: operation.id });
  }

  #fail(operation: Operation, error: ShadowError): void {
    this.#events.push({ type: "failed", id: operation.id, error });
  }

  #failAll(error: ShadowError): void {
    const operations = this.#operations();
    this.#drop(() => true);
    for (const operation of operations) this.#fail(operation, error);
    if (operations.length === 0) this.#events.push({ type: "warning", error });
  }

  #note(level: "warn" | "debug", message: string): void {
    if (this.#log.enabled(level, TAG)) this.#log.log(level, TAG, message, { shadow: this.#prefix });
  }
}

function joins(operation: Operation): boolean {
  return operation.kind === "patch" && !operation.full && !operation.alone;
}

function randomPrefix(random: Random): string {
  const bytes = new Uint8Array(8);
  random.fill(bytes, "shadow_token");
  return toHex(bytes);
}
