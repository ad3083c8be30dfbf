import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../src/bytes.ts";
import { delta, diff, merge } from "../../../src/shadow/document.ts";
import { ShadowError } from "../../../src/shadow/errors.ts";
import { jsonPatch, removal } from "../../../src/shadow/input.ts";
import {
  copyJson,
  decodeJson,
  type JsonObject,
  jsonBytes,
  nesting,
  nullInArray,
  sameJson,
} from "../../../src/shadow/json.ts";

const parse = (text: string) => JSON.parse(text) as JsonObject;

describe("decodeJson", () => {
  it("tolerates NUL bytes and white space behind the text, as C firmware sends", () => {
    expect(decodeJson(utf8Encode('{"a":1}\0')).value).toEqual({ a: 1 });
    expect(decodeJson(utf8Encode('{"a":1} \r\n\0\0')).value).toEqual({ a: 1 });
    expect(decodeJson(utf8Encode('{"a":1}\0{')).problem).toBe("syntax");
  });

  it("tells encoding, nesting and syntax apart, and never throws", () => {
    expect(decodeJson(Uint8Array.of(0x22, 0xff, 0x22)).problem).toBe("encoding");
    expect(decodeJson(utf8Encode("[".repeat(1_000_000))).problem).toBe("nesting");
    expect(decodeJson(utf8Encode(`${"[".repeat(33)}${"]".repeat(33)}`)).problem).toBe("nesting");
    expect(decodeJson(utf8Encode(`${"[".repeat(32)}${"]".repeat(32)}`)).problem).toBeUndefined();
    expect(decodeJson(utf8Encode("")).problem).toBe("syntax");
    expect(decodeJson(utf8Encode("{")).problem).toBe("syntax");
  });

  it("does not count brackets in strings, nor take an escaped quote for the end of one", () => {
    const text = JSON.stringify({ a: `${"[".repeat(99)}"\\${"{".repeat(99)}` });
    expect(decodeJson(utf8Encode(text)).value).toEqual(JSON.parse(text));
  });

  it("refuses numbers beyond doubles, which would turn into null; rounds those beyond 2^53", () => {
    expect(decodeJson(utf8Encode('{"a":1e999}')).problem).toBe("syntax");
    expect(decodeJson(utf8Encode("9007199254740993")).value).toBe(9007199254740992);
  });

  it("takes the last of two equal keys", () => {
    expect(decodeJson(utf8Encode('{"a":1,"a":2}')).value).toEqual({ a: 2 });
  });
});

describe("values", () => {
  it("compares numbers by value, objects in any order, arrays in order", () => {
    expect(sameJson(parse('{"a":1,"b":-0}'), parse('{"b":0,"a":1.0}'))).toBe(true);
    expect(sameJson([1, 2], [2, 1])).toBe(false);
    expect(sameJson([], {})).toBe(false);
    expect(sameJson({ a: 1 }, { b: 1 })).toBe(false);
  });

  it("does not take members of the prototype for keys", () => {
    expect(sameJson({ constructor: 1 }, { a: 1 })).toBe(false);
    expect(delta({ constructor: { name: 1 } }, {})).toEqual({ constructor: { name: 1 } });
    expect(diff({}, { toString: 1 })).toEqual({ toString: 1 });
  });

  it("keeps __proto__ a key like any other, through merge, diff, delta and copy", () => {
    const hostile = parse('{"__proto__":{"polluted":1},"a":{"__proto__":2}}');
    const merged = merge({}, hostile);
    expect(JSON.stringify(merged)).toBe(JSON.stringify(hostile));
    expect(JSON.stringify(copyJson(hostile))).toBe(JSON.stringify(hostile));
    expect(JSON.stringify(delta(hostile, {}))).toBe(JSON.stringify(hostile));
    expect(JSON.stringify(merge(merged, parse('{"__proto__":{"polluted":null,"x":1},"a":null}')))).toBe(
      '{"__proto__":{"x":1}}',
    );
    expect(JSON.stringify(merge(merged, parse('{"__proto__":null}')))).toBe('{"a":{"__proto__":2}}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });

  it("counts non-empty containers as nesting", () => {
    expect(nesting(1)).toBe(0);
    expect(nesting({})).toBe(0);
    expect(nesting({ a: {} })).toBe(1);
    expect(nesting({ a: [[1]] })).toBe(3);
  });

  it("measures bytes of UTF-8, not UTF-16 units", () => {
    expect(jsonBytes({ ключ: "😀" })).toBe(2 + 8 + 2 + 1 + 2 + 4);
    expect(jsonBytes(undefined)).toBe(0);
  });

  it("finds nulls inside arrays, also in objects there, and nowhere else", () => {
    expect(nullInArray({ a: null, b: { c: null } })).toBeUndefined();
    expect(nullInArray({ a: [1, null] })).toEqual(["a", "1"]);
    expect(nullInArray({ a: [{ b: null }] })).toEqual(["a", "0", "b"]);
  });
});

describe("merge", () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ["null deletes, an absent key stores nothing", { a: 1, b: 2 }, { a: null, c: null }, { b: 2 }],
    ["objects recurse", { a: { b: 1, c: 2 } }, { a: { b: 3 } }, { a: { b: 3, c: 2 } }],
    ["arrays replace whole", { a: [1, 2, 3] }, { a: [4] }, { a: [4] }],
    ["types change both ways", { a: 1, b: { c: 1 } }, { a: { d: 1 }, b: 2 }, { a: { d: 1 }, b: 2 }],
    ["{} is kept where it is new", {}, { a: {} }, { a: {} }],
    ["{} takes the place of a scalar", { a: 1 }, { a: {} }, { a: {} }],
    ["{} onto an object changes nothing", { a: { b: 1 } }, { a: {} }, { a: { b: 1 } }],
    ["an object emptied by nulls stays", { a: { b: 1 } }, { a: { b: null } }, { a: {} }],
    [
      "a new subtree of only nulls is not created",
      {},
      { a: { b: { c: null } }, d: { e: null, f: {} } },
      { d: { f: {} } },
    ],
    ["a scalar is not replaced by an object of only nulls", { a: 1 }, { a: { b: null } }, { a: 1 }],
  ])("§1.3 %s", (_, base, patch, result) => {
    expect(merge(base, patch)).toEqual(result);
  });

  it("§14 keeps a new subtree of only nulls as {} where told to", () => {
    expect(merge({}, { a: { b: { c: null } } }, "empty")).toEqual({ a: { b: {} } });
  });
});

describe("delta", () => {
  it.each<[string, JsonObject, JsonObject | undefined, JsonObject | undefined]>([
    ["an absent key comes whole, {} too", { a: {}, b: { c: [1] } }, {}, { a: {}, b: { c: [1] } }],
    ["nested differences keep their path", { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 2 } }],
    ["what only reported has never appears", { a: { b: 1 } }, { a: { b: 1, x: 1 }, y: 2 }, undefined],
    ["arrays are compared deeply and copied whole", { a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, { a: [1, { b: 2 }] }],
    ["types differ", { a: {} }, { a: [] }, { a: {} }],
    ["{} is satisfied by any object", { a: {} }, { a: { b: 1 } }, undefined],
    ["without reported all is left", { a: 1 }, undefined, { a: 1 }],
    [
      "keys named like the shadow's own",
      { state: 1, desired: { delta: 2 }, version: 3 },
      { state: 1 },
      { desired: { delta: 2 }, version: 3 },
    ],
  ])("§1.5 %s", (_, desired, reported, result) => {
    expect(delta(desired, reported)).toEqual(result);
  });
});

describe("a caller's state", () => {
  it("is copied as JSON: undefined members are left out, -0 becomes 0", () => {
    const given = { a: undefined, b: null, c: [{ d: -0 }], ["__proto__"]: 1 };
    const patch = jsonPatch(given, 6) as { c: { d: number }[] };
    expect(JSON.stringify(patch)).toBe('{"b":null,"c":[{"d":0}],"__proto__":1}');
    expect(Object.is(patch.c[0]!.d, 0)).toBe(true);
  });

  const self: { self?: unknown } = {};
  self.self = self;
  it.each<[string, unknown]>([
    ["no object", 5],
    ["an array", []],
    ["NaN", { a: Number.NaN }],
    ["a function", { a: () => 1 }],
    ["a bigint", { a: 1n }],
    ["a date", { a: new Date(0) }],
    ["bytes", { a: new Uint8Array(1) }],
    ["null in an array", { a: [null] }],
    ["null in an object in an array", { a: [{ b: null }] }],
    ["undefined in an array", { a: [undefined] }],
    ["7 levels", { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }],
    ["itself", self],
  ])("is refused before anything is sent: %s", (_, value) => {
    expect(() => jsonPatch(value, 6)).toThrow(ShadowError);
    try {
      jsonPatch(value, 6);
    } catch (error) {
      expect(error).toMatchObject({ code: "SHADOW_INVALID_STATE", blame: "caller", sdk: -45 });
    }
  });

  it("may be nested 6 deep, and an empty container deeper does not count", () => {
    const six = { a: { b: { c: { d: { e: { f: {} } } } } } };
    expect(jsonPatch(six, 6)).toEqual(six);
  });

  it("removal builds the patch that removes one path", () => {
    expect(removal(["a", "b"])).toEqual({ a: { b: null } });
    expect(removal([])).toEqual({});
    expect(JSON.stringify(removal(["__proto__", "x"]))).toBe('{"__proto__":{"x":null}}');
  });
});
