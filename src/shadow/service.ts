/**
 * The service side of AWS IoT Device Shadow, for simulators and tests: a synchronous state machine that takes requests and
 * returns what the service publishes. It owns no connection and no clock.
 *
 * Texts, order of checks, versions, metadata and key order are those that were recorded from AWS; where AWS's behaviour is not
 * known, {@link ShadowAssumptions} holds the switch. Left out on purpose: authorization (the broker's), throttling, and a bound on
 * how many shadows there are (the broker's policies say which names a device may use).
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { delta, type OnlyNulls } from "./document.ts";
import { encodeJson, isObject, type Json, type JsonObject, jsonBytes, type MutableJsonObject } from "./json.ts";
import {
  type Checked,
  checkPlain,
  checkUpdate,
  MESSAGE_TOO_LARGE,
  type Refusal,
  type ShadowLimits,
  shadowLimits,
  type UpdateRequest,
} from "./request.ts";
import { applyUpdate, metadataOfDelta, type StoredShadow, stamp } from "./state.ts";
import { checkNames, parseShadowTopic, type ShadowName, shadowPrefix } from "./topics.ts";

/** What is not known of AWS. */
export interface ShadowAssumptions {
  /** How a 404 names a named shadow: `thing~shadow` was observed, the guide prints the shadow's name alone. */
  readonly missingName: "thing~shadow" | "shadow";
  /** What an update with a version gets for a shadow that does not exist: 409, or 400 unless the version is 1. */
  readonly versionOfMissing: 409 | 400;
  /** Whether get/accepted has `metadata.delta`: transcripts have none, the guide's sample has. */
  readonly deltaMetadataInGet: boolean;
  /** Whether deleting takes a version of its own, so that a shadow deleted at v comes back as v+2; otherwise as v+1. */
  readonly deleteTakesVersion: boolean;
  /** What becomes of a get or delete whose payload is no JSON object, or whose clientToken is not valid. */
  readonly malformedGet: "rejected" | "ignored";
  /** What becomes of a new object that holds nothing but nulls. */
  readonly onlyNulls: OnlyNulls;
}

/** The assumptions that are made unless told otherwise. */
export const shadowAssumptions: ShadowAssumptions = /* @__PURE__ */ Object.freeze({
  missingName: "thing~shadow",
  versionOfMissing: 409,
  deltaMetadataInGet: false,
  deleteTakesVersion: true,
  malformedGet: "rejected",
  onlyNulls: "drop",
});

/** Options of {@link ShadowService}. */
export interface ShadowServiceOptions {
  /** Seconds since 1970: the timestamps in documents and messages. Fractions are cut off. */
  readonly now: () => number;
  readonly limits?: Partial<ShadowLimits> | undefined;
  readonly assume?: Partial<ShadowAssumptions> | undefined;
  /**
   * Keeps what a shadow becomes, before the change counts and is answered. Where it throws, nothing has changed, and the error goes to the
   * caller of `update`, `delete` or `handle`.
   */
  readonly onChange?: ((name: ShadowName, change: ShadowChange) => void) | undefined;
}

/** What a shadow becomes: a document, or what is remembered of a deleted one. */
export type ShadowChange = StoredShadow | Tombstone;

/** A request: which shadow, and the bytes as they were published. */
export interface ShadowRequest extends ShadowName {
  readonly payload?: Uint8Array | undefined;
}

/** A message that the service publishes. */
export interface ShadowPublication {
  readonly topic: string;
  /** JSON in UTF-8. */
  readonly payload: Uint8Array;
}

/** Names of a thing's named shadows. */
export interface ShadowList {
  readonly results: readonly string[];
  /** Pass it to get the names that follow. */
  readonly nextToken?: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** All that a service holds, as plain JSON. */
export interface ShadowSnapshot {
  readonly shadows: readonly (ShadowName & StoredShadow)[];
  readonly tombstones: readonly (ShadowName & Tombstone)[];
}

/** What is remembered of a deleted shadow: its version goes on for 48 hours. */
export interface Tombstone {
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
}

const TOMBSTONE_SECONDS = 48 * 3600;

/**
 * The shadows of all things.
 *
 * @example
 * const service = new ShadowService({ now: () => Math.floor(Date.now() / 1000) });
 * for (const { topic, payload } of service.handle(topic, payload) ?? []) broker.publish(topic, payload);
 */
export class ShadowService {
  readonly #now: () => number;
  readonly #limits: ShadowLimits;
  readonly #assume: ShadowAssumptions;
  readonly #onChange: NonNullable<ShadowServiceOptions["onChange"]>;
  readonly #shadows = new Map<string, ShadowName & StoredShadow>();
  // In the order in which they expire, since all live equally long.
  readonly #tombstones = new Map<string, ShadowName & Tombstone>();

  constructor({ now, limits, assume, onChange = () => {} }: ShadowServiceOptions) {
    this.#now = now;
    this.#onChange = onChange;
    this.#limits = { ...shadowLimits, ...limits };
    this.#assume = { ...shadowAssumptions, ...assume };
  }

  /**
   * What follows a message on any topic: the publications that answer it, or `undefined` where the topic is not a request to
   * the shadow service.
   */
  handle(topic: string, payload: Uint8Array): ShadowPublication[] | undefined {
    const parsed = parseShadowTopic(topic);
    if (parsed?.kind !== "request") return undefined;
    const { thingName, shadowName, operation } = parsed;
    return this[operation]({ thingName, shadowName, payload });
  }

  /** Updates a shadow: accepted, then delta where a difference is left, then documents; or rejected alone. */
  update(target: ShadowRequest): ShadowPublication[] {
    const prefix = shadowPrefix(target);
    const { request, refusal } = this.#checkUpdate(target, prefix);
    if (request === undefined) return [rejected(prefix, "update", refusal)];
    const { patch, previous, current, seconds: timestamp } = request;
    const token = clientToken(request.clientToken);
    this.#onChange(nameOnly(target), current);
    this.#tombstones.delete(prefix);
    this.#shadows.set(prefix, { ...nameOnly(target), ...current });

    const accepted = {
      state: patch as Json,
      metadata: stamp(patch as Json, timestamp),
      version: current.version,
      timestamp,
      ...token,
    };
    const publications = [publication(`${prefix}/update/accepted`, accepted)];
    const difference = delta(current.state.desired, current.state.reported);
    if (difference !== undefined) {
      const metadata = metadataOfDelta(current, difference);
      const message = { version: current.version, timestamp, state: difference, metadata, ...token };
      publications.push(publication(`${prefix}/update/delta`, message));
    }
    const documents = {
      previous: previous === undefined ? null : storedJson(previous),
      current: storedJson(current),
      timestamp,
      ...token,
    };
    publications.push(publication(`${prefix}/update/documents`, documents));
    return publications;
  }

  /** Answers with the whole document and what is left to do, or with 404. */
  get(target: ShadowRequest): ShadowPublication[] {
    const prefix = shadowPrefix(target);
    const { request, refusal } = this.#checkPlain(target);
    if (request === undefined) return [rejected(prefix, "get", refusal)];
    const { state, metadata, version } = request.shadow;
    const difference = delta(state.desired, state.reported);
    const withDelta = difference === undefined ? {} : { delta: difference };
    const withDeltaMetadata =
      difference !== undefined && this.#assume.deltaMetadataInGet
        ? { delta: metadataOfDelta(request.shadow, difference) }
        : {};
    return [
      publication(`${prefix}/get/accepted`, {
        state: { ...state, ...withDelta },
        metadata: { ...metadata, ...withDeltaMetadata },
        version,
        timestamp: this.#seconds(),
        ...clientToken(request.clientToken),
      }),
    ];
  }

  /** Deletes a shadow and answers with the version that it had, or with 404. */
  delete(target: ShadowRequest): ShadowPublication[] {
    const prefix = shadowPrefix(target);
    const { request, refusal } = this.#checkPlain(target);
    if (request === undefined) return [rejected(prefix, "delete", refusal)];
    const timestamp = this.#seconds();
    const { version } = request.shadow;
    const tombstone: Tombstone = {
      version: version + (this.#assume.deleteTakesVersion ? 1 : 0),
      expires: timestamp + TOMBSTONE_SECONDS,
    };
    this.#onChange(nameOnly(target), tombstone);
    this.#shadows.delete(prefix);
    this.#bury(prefix, nameOnly(target), tombstone, timestamp);
    return [publication(`${prefix}/delete/accepted`, { version, timestamp, ...clientToken(request.clientToken) })];
  }

  /**
   * The names of a thing's named shadows in alphabetical order; none for a thing that is not known. Only HTTP has this
   * operation.
   *
   * @param options.pageSize 1 to 100; 25 unless told otherwise.
   * @param options.nextToken As it came with the page before.
   */
  list({
    thingName,
    pageSize = 25,
    nextToken = "",
  }: {
    readonly thingName: string;
    readonly pageSize?: number | undefined;
    readonly nextToken?: string | undefined;
  }): ShadowList {
    checkNames({ thingName });
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 100)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `pageSize ${pageSize}: 1 to 100`);
    const names: string[] = [];
    for (const shadow of this.#shadows.values())
      if (shadow.thingName === thingName && shadow.shadowName !== undefined && shadow.shadowName > nextToken)
        names.push(shadow.shadowName);
    const results = names.sort().slice(0, pageSize);
    const more = names.length > results.length ? { nextToken: results[results.length - 1]! } : {};
    return { results, ...more, timestamp: this.#seconds() };
  }

  /** What is stored of a shadow, without any request. */
  peek(name: ShadowName): StoredShadow | undefined {
    const shadow = this.#shadows.get(shadowPrefix(name));
    return shadow && { state: shadow.state, metadata: shadow.metadata, version: shadow.version };
  }

  /** All that is stored, as plain JSON, for {@link ShadowService.restore}. */
  snapshot(): ShadowSnapshot {
    return { shadows: [...this.#shadows.values()], tombstones: [...this.#tombstones.values()] };
  }

  /** Puts a snapshot in the place of all that is stored. Throws `USAGE_INVALID_ARGUMENT`, and changes nothing, where it is none. */
  restore(snapshot: ShadowSnapshot): void {
    for (const shadow of snapshot.shadows) {
      checkNames(shadow);
      const { state, metadata, version } = shadow;
      if (!isSections(state) || !isSections(metadata) || !(Number.isInteger(version) && version > 0))
        throw new UsageError("USAGE_INVALID_ARGUMENT", `snapshot: the shadow of "${printable(shadow.thingName)}"`);
    }
    for (const tombstone of snapshot.tombstones) {
      checkNames(tombstone);
      if (!Number.isInteger(tombstone.version) || !Number.isFinite(tombstone.expires))
        throw new UsageError("USAGE_INVALID_ARGUMENT", `snapshot: tombstone of "${printable(tombstone.thingName)}"`);
    }
    this.#shadows.clear();
    this.#tombstones.clear();
    for (const shadow of snapshot.shadows) this.#shadows.set(shadowPrefix(shadow), shadow);
    const inOrder = [...snapshot.tombstones].sort((a, b) => a.expires - b.expires);
    for (const tombstone of inOrder) this.#tombstones.set(shadowPrefix(tombstone), tombstone);
  }

  #seconds(): number {
    return Math.floor(this.#now());
  }

  #checkUpdate(target: ShadowRequest, prefix: string): Checked<CheckedUpdate> {
    const { request, refusal } = checkUpdate(target.payload ?? new Uint8Array(0), this.#limits);
    if (request === undefined) return { refusal };
    const refuse = (code: number, message: string) => ({
      refusal: { code, message, clientToken: request.clientToken },
    });
    const previous = this.#shadows.get(prefix);
    if (request.version !== undefined && request.version !== (previous?.version ?? 0)) {
      if (previous !== undefined || this.#assume.versionOfMissing === 409) return refuse(409, "Version conflict");
      if (request.version !== 1) return refuse(400, "Invalid version");
    }
    const seconds = this.#seconds();
    const version = (previous?.version ?? this.#versionOfTombstone(prefix, seconds)) + 1;
    const current = applyUpdate(previous, request.state, version, seconds, this.#assume.onlyNulls);
    if (jsonBytes(current.state.desired) + jsonBytes(current.state.reported) > this.#limits.documentBytes)
      return refuse(413, MESSAGE_TOO_LARGE);
    return { request: { clientToken: request.clientToken, patch: request.state, previous, current, seconds } };
  }

  #checkPlain(target: ShadowRequest): Checked<{ clientToken: string | undefined; shadow: StoredShadow }> {
    const payload = target.payload ?? new Uint8Array(0);
    const { request, refusal } = checkPlain(payload, this.#limits, this.#assume.malformedGet);
    if (request === undefined) return { refusal };
    const shadow = this.peek(target);
    if (shadow !== undefined) return { request: { clientToken: request.clientToken, shadow } };
    const message = `No shadow exists with name: '${this.#nameInError(target)}'`;
    return { refusal: { code: 404, message, clientToken: request.clientToken } };
  }

  #nameInError({ thingName, shadowName }: ShadowName): string {
    if (shadowName === undefined) return thingName;
    return this.#assume.missingName === "shadow" ? shadowName : `${thingName}~${shadowName}`;
  }

  #versionOfTombstone(prefix: string, seconds: number): number {
    const tombstone = this.#tombstones.get(prefix);
    return tombstone !== undefined && tombstone.expires > seconds ? tombstone.version : 0;
  }

  #bury(prefix: string, name: ShadowName, tombstone: Tombstone, seconds: number): void {
    for (const [key, { expires }] of this.#tombstones) {
      if (expires > seconds) break;
      this.#tombstones.delete(key);
    }
    this.#tombstones.set(prefix, { ...name, ...tombstone });
  }
}

interface CheckedUpdate {
  readonly clientToken: string | undefined;
  readonly patch: UpdateRequest["state"];
  readonly previous: StoredShadow | undefined;
  readonly current: StoredShadow;
  readonly seconds: number;
}

/** Whether it is an object with sections, where there are any, that are objects. */
function isSections(value: unknown): boolean {
  if (!isObject(value as Json)) return false;
  return Object.values(value as JsonObject).every((section) => isObject(section));
}

function nameOnly({ thingName, shadowName }: ShadowName): ShadowName {
  return shadowName === undefined ? { thingName } : { thingName, shadowName };
}

function clientToken(token: string | undefined): MutableJsonObject {
  return token === undefined ? {} : { clientToken: token };
}

function storedJson({ state, metadata, version }: StoredShadow): Json {
  return { state: { ...state }, metadata: { ...metadata }, version };
}

function rejected(prefix: string, operation: "get" | "update" | "delete", refusal: Refusal): ShadowPublication {
  const { code, message } = refusal;
  return publication(`${prefix}/${operation}/rejected`, { code, message, ...clientToken(refusal.clientToken) });
}

function publication(topic: string, message: Json): ShadowPublication {
  return { topic, payload: encodeJson(message) };
}
