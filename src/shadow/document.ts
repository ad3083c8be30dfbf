/**
 * The algebra of shadow documents: `merge`, `diff` and `delta`. Device and service use the same three functions.
 *
 * Semantics are those of the AWS IoT Device Shadow service: a null deletes its key, arrays are values that are replaced
 * whole, `{}` is kept. The laws that the property tests hold: `merge(a, diff(a, b))` equals `b`; `diff(a, b)` is minimal and
 * `undefined` exactly for equal documents; `delta(d, merge(r, delta(d, r)))` is `undefined`; merging twice is merging once.
 * A stored document never holds a null, so `diff` takes documents without any.
 *
 * Nothing is changed in place, and results share what did not change with the arguments.
 *
 * @module
 */

import { isEmpty, isObject, type JsonObject, type MutableJsonObject, member, sameJson, setMember } from "./json.ts";

/**
 * What becomes of an object in a patch that holds nothing but nulls and meets nothing to delete them from: it is dropped, or
 * stored as `{}`. What AWS does is not known; its own local service drops it.
 */
export type OnlyNulls = "drop" | "empty";

/**
 * Applies a patch: null deletes the key, an object is merged into an object, anything else replaces.
 *
 * @example
 * merge({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } }); // { b: { c: 4, d: 3 } }
 */
export function merge(base: JsonObject, patch: JsonObject | undefined, onlyNulls: OnlyNulls = "drop"): JsonObject {
  if (patch === undefined) return base;
  const merged: MutableJsonObject = { ...base };
  for (const key of Object.keys(patch)) {
    const value = patch[key]!;
    const present = member(base, key);
    if (value === null) delete merged[key];
    else if (!isObject(value)) setMember(merged, key, value);
    else if (isObject(present)) setMember(merged, key, merge(present, value, onlyNulls));
    else {
      const fresh = merge({}, value, onlyNulls);
      if (onlyNulls === "empty" || !isEmpty(fresh) || isEmpty(value)) setMember(merged, key, fresh);
    }
  }
  return merged;
}

/**
 * The smallest patch that makes `to` out of `from`; `undefined` where they are equal. Neither may hold a null.
 *
 * @example
 * diff({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 4, d: 3 } }); // { a: null, b: { c: 4 } }
 */
export function diff(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const patch: MutableJsonObject = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) setMember(patch, key, null);
  collectDifferences(patch, to, from, (wanted, present) => diff(present, wanted));
  return isEmpty(patch) ? undefined : patch;
}

/**
 * What the device still has to do: the part of `desired` that `reported` does not equal, with the path that leads there.
 * `undefined` where nothing is left. Keys that only `reported` has never appear.
 *
 * @example
 * delta({ power: "on", color: { r: 1, g: 2 } }, { power: "on", color: { r: 1, g: 9 }, lux: 3 }); // { color: { g: 2 } }
 */
export function delta(desired: JsonObject | undefined, reported: JsonObject | undefined): JsonObject | undefined {
  const difference: MutableJsonObject = {};
  collectDifferences(difference, desired ?? {}, reported ?? {}, delta);
  return isEmpty(difference) ? undefined : difference;
}

function collectDifferences(
  into: MutableJsonObject,
  wanted: JsonObject,
  present: JsonObject,
  recurse: (wanted: JsonObject, present: JsonObject) => JsonObject | undefined,
): void {
  for (const key of Object.keys(wanted)) {
    const value = wanted[key]!;
    const other = member(present, key);
    if (isObject(value) && isObject(other)) {
      const inner = recurse(value, other);
      if (inner !== undefined) setMember(into, key, inner);
    } else if (other === undefined || !sameJson(value, other)) setMember(into, key, value);
  }
}
