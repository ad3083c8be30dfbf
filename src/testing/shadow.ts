/**
 * Arbitraries for Device Shadow: documents, patches and deltas as a service can store them. For fast-check properties of apps
 * and of this library.
 *
 * @module
 */

import * as fc from "fast-check";
import type { Json, JsonObject, MutableJsonObject } from "../shadow/json.ts";

/** Few keys, so that documents meet; with those that are special to JavaScript or to the shadow's own messages. */
const KEYS = [
  "a",
  "b",
  "c",
  "",
  "__proto__",
  "constructor",
  "state",
  "desired",
  "timestamp",
  "version",
  "delta",
  "7",
  "ключ",
];

function key(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("a", "b", "c") },
    { weight: 2, arbitrary: fc.constantFrom(...KEYS) },
  );
}

/** A scalar of JSON: no null, no `-0`, no number that a text cannot carry. */
function scalar(): fc.Arbitrary<Json> {
  return fc.oneof(
    fc.constantFrom<Json>(0, 1, 2, true, false, "", "on"),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
}

function objectOf(member: fc.Arbitrary<Json>, maxKeys = 4): fc.Arbitrary<JsonObject> {
  return fc.uniqueArray(fc.tuple(key(), member), { selector: ([name]) => name, maxLength: maxKeys }).map((entries) => {
    const object: MutableJsonObject = {};
    // By definition and not by assignment: `__proto__` is a key like any other.
    for (const [name, value] of entries)
      Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
    return object;
  });
}

function value(depth: number, withNull: boolean): fc.Arbitrary<Json> {
  const leaf: fc.Arbitrary<Json> = withNull
    ? fc.oneof({ weight: 3, arbitrary: scalar() }, fc.constant(null))
    : scalar();
  if (depth === 0) return leaf;
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 3, arbitrary: objectOf(value(depth - 1, withNull), 3) },
    { weight: 1, arbitrary: fc.array(value(depth - 1, false), { maxLength: 3 }) },
  );
}

/** A section of a stored document: an object without nulls, nested up to 4 deep, `{}` and arrays included. */
function section(): fc.Arbitrary<JsonObject> {
  return objectOf(value(3, false));
}

/** A patch of a section: the same with nulls that delete, and none inside arrays. */
function patch(): fc.Arbitrary<JsonObject> {
  return objectOf(value(3, true));
}

/** The `state` of an update request: patches of sections, sections that are removed, or null. */
function statePatch(): fc.Arbitrary<JsonObject | null> {
  const half = fc.oneof({ weight: 5, arbitrary: patch() as fc.Arbitrary<JsonObject | null> }, fc.constant(null));
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({ desired: half, reported: half }, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>,
    },
    fc.constant(null),
  );
}

/** Arbitraries for shadow documents: `arbitraries.shadow` of `thingwire/testing`. */
export const shadowArbitraries = /* @__PURE__ */ Object.freeze({ key, scalar, section, patch, statePatch });
