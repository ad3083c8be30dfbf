import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delta, diff, merge } from "../../../src/shadow/document.ts";
import {
  isArray,
  isEmpty,
  isObject,
  type Json,
  type JsonObject,
  member,
  nesting,
  sameJson,
} from "../../../src/shadow/json.ts";
import { applyUpdate, type StatePatch, type StoredShadow, stamp } from "../../../src/shadow/state.ts";
import { shadowArbitraries } from "../../../src/testing/shadow.ts";
import { runs } from "../../runs.ts";

const { section, patch, statePatch } = shadowArbitraries;

/** What `diff(a, b)` must touch: every way to make it smaller breaks it. */
function withoutOneLeaf(object: JsonObject): JsonObject[] {
  const smaller: JsonObject[] = [];
  for (const [key, value] of Object.entries(object)) {
    const rest = Object.entries(object).filter(([other]) => other !== key);
    smaller.push(Object.fromEntries(rest));
    if (isObject(value))
      for (const less of withoutOneLeaf(value))
        if (!isEmpty(less)) smaller.push(Object.fromEntries([...rest, [key, less]]));
  }
  return smaller;
}

function hasNull(value: Json): boolean {
  if (value === null) return true;
  return typeof value === "object" && Object.values(value).some(hasNull);
}

/** The metadata has the shape of the state: `{ timestamp }` exactly where a leaf is. */
function sameShape(state: Json, metadata: Json | undefined): boolean {
  if (isArray(state))
    return (
      isArray(metadata) && metadata.length === state.length && state.every((child, i) => sameShape(child, metadata[i]))
    );
  if (!isObject(metadata)) return false;
  if (!isObject(state)) return Object.keys(metadata).length === 1 && typeof member(metadata, "timestamp") === "number";
  const keys = Object.keys(state);
  return (
    keys.length === Object.keys(metadata).length && keys.every((key) => sameShape(state[key]!, member(metadata, key)))
  );
}

describe("laws of the shadow algebra", () => {
  it("merge(a, diff(a, b)) = b", () => {
    fc.assert(
      fc.property(section(), section(), (a, b) => {
        expect(sameJson(merge(a, diff(a, b)), b)).toBe(true);
      }),
      runs(1000),
    );
  });

  it("diff(a, b) is undefined exactly where a = b", () => {
    fc.assert(
      fc.property(section(), section(), (a, b) => {
        expect(diff(a, a)).toBeUndefined();
        expect(diff(a, b) === undefined).toBe(sameJson(a, b));
      }),
      runs(500),
    );
  });

  it("diff(a, b) is minimal: without any one of its leaves it does not make b", () => {
    fc.assert(
      fc.property(section(), section(), (a, b) => {
        const difference = diff(a, b) ?? {};
        for (const smaller of withoutOneLeaf(difference)) expect(sameJson(merge(a, smaller), b)).toBe(false);
      }),
      runs(300),
    );
  });

  it("delta(d, merge(r, delta(d, r))) = ∅: doing the delta closes it", () => {
    fc.assert(
      fc.property(section(), section(), (desired, reported) => {
        expect(delta(desired, merge(reported, delta(desired, reported)))).toBeUndefined();
      }),
      runs(1000),
    );
  });

  it("delta is empty exactly where reported has all of desired, and never holds what desired does not", () => {
    fc.assert(
      fc.property(section(), section(), (desired, reported) => {
        const left = delta(desired, reported);
        expect(left === undefined).toBe(sameJson(merge(reported, desired), reported));
        expect(sameJson(merge(desired, left), desired)).toBe(true);
      }),
      runs(500),
    );
  });

  it("merge twice is merge once, and leaves no null", () => {
    for (const onlyNulls of ["drop", "empty"] as const)
      fc.assert(
        fc.property(section(), patch(), (base, change) => {
          const once = merge(base, change, onlyNulls);
          expect(sameJson(merge(once, change, onlyNulls), once)).toBe(true);
          expect(hasNull(once)).toBe(false);
        }),
        runs(500),
      );
  });

  it("merge changes neither argument", () => {
    fc.assert(
      fc.property(section(), patch(), (base, change) => {
        const before = JSON.stringify([base, change]);
        merge(base, change);
        expect(JSON.stringify([base, change])).toBe(before);
      }),
      runs(200),
    );
  });

  it("metadata has the shape of the state, also after any updates", () => {
    fc.assert(
      fc.property(fc.array(statePatch(), { maxLength: 6 }), (patches) => {
        let shadow: StoredShadow | undefined;
        patches.forEach((change, i) => {
          shadow = applyUpdate(shadow, change as StatePatch, i + 1, 1000 + i);
          expect(sameShape(shadow.state as JsonObject, shadow.metadata as JsonObject)).toBe(true);
        });
      }),
      runs(500),
    );
    fc.assert(
      fc.property(patch(), (state) => {
        expect(sameShape(state, stamp(state, 7))).toBe(true);
      }),
      runs(200),
    );
  });

  it("only leaves that a patch names are stamped anew", () => {
    fc.assert(
      fc.property(section(), patch(), (base, change) => {
        const before = applyUpdate(undefined, { desired: base }, 1, 1);
        const after = applyUpdate(before, { desired: change }, 2, 2);
        const untouched = (state: JsonObject, meta: JsonObject, by: JsonObject): boolean =>
          Object.keys(state).every((key) => {
            const value = state[key]!;
            const named = member(by, key);
            if (named === undefined) return !JSON.stringify(meta[key]).includes('"timestamp":2');
            return isObject(value) && isObject(named) ? untouched(value, meta[key] as JsonObject, named) : true;
          });
        expect(untouched(after.state.desired ?? {}, after.metadata.desired ?? {}, change)).toBe(true);
      }),
      runs(300),
    );
  });

  it("merging goes no deeper than what was merged", () => {
    fc.assert(
      fc.property(section(), patch(), (base, change) => {
        expect(nesting(merge(base, change))).toBeLessThanOrEqual(Math.max(nesting(base), nesting(change)));
      }),
      runs(200),
    );
  });
});
