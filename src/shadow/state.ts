/**
 * One shadow with its metadata and version, and what an update makes of it. The service applies updates with it, and the
 * device's engine keeps its copy of the service's document with it.
 *
 * Metadata is a tree beside the state: `{ timestamp }` for a leaf, an object for an object, an array for an array. It is
 * always walked along the state, which alone says what is a leaf: a user's own object `{ "timestamp": 5 }` looks like a stamp.
 *
 * @module
 */

import { merge, type OnlyNulls } from "./document.ts";
import {
  isArray,
  isEmpty,
  isObject,
  type Json,
  type JsonObject,
  type MutableJsonObject,
  member,
  setMember,
} from "./json.ts";

/** The two halves of a shadow, in the order in which the service writes them. */
export const SECTIONS = ["desired", "reported"] as const;

/** `desired` or `reported`. */
export type Section = (typeof SECTIONS)[number];

/** A section for each of the halves that exist. */
export interface ShadowState {
  readonly desired?: JsonObject;
  readonly reported?: JsonObject;
}

/** What is stored of a shadow. */
export interface StoredShadow {
  readonly state: ShadowState;
  /** Beside `state`, of the same shape, with `{ timestamp: seconds since 1970 }` for each leaf. */
  readonly metadata: ShadowState;
  /** Counts every accepted update; the first is 1. */
  readonly version: number;
}

/** The `state` of an update request: null clears both sections, a section that is null is removed. */
export type StatePatch = { readonly [section in Section]?: JsonObject | null } | null;

/** The metadata of a state in which every leaf was written at `seconds`. Nulls count as leaves, as AWS answers them. */
export function stamp(state: Json, seconds: number): Json {
  if (isArray(state)) return state.map((element) => stamp(element, seconds));
  if (!isObject(state)) return { timestamp: seconds };
  const metadata: MutableJsonObject = {};
  for (const key of Object.keys(state)) setMember(metadata, key, stamp(state[key]!, seconds));
  return metadata;
}

/** The part of a metadata tree that belongs to a part of its state, such as a delta. */
export function project(metadata: JsonObject, part: JsonObject): JsonObject {
  const projected: MutableJsonObject = {};
  for (const key of Object.keys(part)) {
    const stamps = member(metadata, key);
    const value = part[key]!;
    if (stamps === undefined) continue;
    setMember(projected, key, isObject(value) && isObject(stamps) ? project(stamps, value) : stamps);
  }
  return projected;
}

/** A shadow after an update at `seconds`: merged state, stamps renewed where the patch names a leaf, next version. */
export function applyUpdate(
  before: StoredShadow | undefined,
  patch: StatePatch,
  version: number,
  seconds: number,
  onlyNulls: OnlyNulls = "drop",
): StoredShadow {
  const state: { [section in Section]?: JsonObject } = {};
  const metadata: { [section in Section]?: JsonObject } = {};
  if (patch !== null)
    for (const section of SECTIONS) {
      const change = patch[section];
      if (change === null) continue;
      const old = before?.state[section] ?? {};
      const merged = merge(old, change, onlyNulls);
      // A section that holds nothing does not exist, whereas `{}` inside a section does.
      if (isEmpty(merged)) continue;
      const stamps = before?.metadata[section] ?? {};
      state[section] = merged;
      metadata[section] = change === undefined ? stamps : restamp(old, merged, change, stamps, seconds);
    }
  return { state, metadata, version };
}

function restamp(
  before: JsonObject,
  after: JsonObject,
  patch: JsonObject,
  metadata: JsonObject,
  seconds: number,
): JsonObject {
  const stamps: MutableJsonObject = {};
  for (const key of Object.keys(after)) {
    const value = after[key]!;
    const change = member(patch, key);
    const old = member(metadata, key);
    if (isObject(change) && isObject(value)) {
      const present = member(before, key);
      const known = isObject(present) && isObject(old) ? old : {};
      setMember(stamps, key, restamp(isObject(present) ? present : {}, value, change, known, seconds));
    } else if (change === undefined || isObject(change)) {
      // Not named by the patch; or named by an object of only nulls, which did not replace this leaf.
      if (old !== undefined) setMember(stamps, key, old);
    } else setMember(stamps, key, stamp(value, seconds));
  }
  return stamps;
}

/** The delta document of a shadow with the timestamps of `desired`; see `delta` in document.ts for its meaning. */
export function metadataOfDelta(shadow: StoredShadow, difference: JsonObject): JsonObject {
  return project(shadow.metadata.desired ?? {}, difference);
}
