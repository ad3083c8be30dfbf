import { describe, expect, it } from "vitest";
import { utf8Decode, utf8Encode } from "../../../src/bytes.ts";
import { shadowErrors } from "../../../src/shadow/errors.ts";
import type { Json, JsonObject } from "../../../src/shadow/json.ts";
import { type ShadowAssumptions, type ShadowPublication, ShadowService } from "../../../src/shadow/service.ts";

const PREFIX = "$aws/things/thing1/shadow";

function setUp(assume?: Partial<ShadowAssumptions>, limits?: { documentBytes?: number; depth?: number }) {
  const clock = { seconds: 1000 };
  const service = new ShadowService({ now: () => clock.seconds, assume, limits });
  const send = (operation: string, payload: Json | string | Uint8Array = "", name = "") => {
    const bytes =
      payload instanceof Uint8Array
        ? payload
        : utf8Encode(typeof payload === "string" ? payload : JSON.stringify(payload));
    return texts(service.handle(`${PREFIX}${name}/${operation}`, bytes)!, name);
  };
  return { clock, service, send };
}

/** Publications as `[topic below the prefix, text]`. */
function texts(publications: readonly ShadowPublication[], name = ""): [string, string][] {
  return publications.map(({ topic, payload }) => {
    expect(topic.startsWith(`${PREFIX}${name}/`)).toBe(true);
    return [topic.slice(PREFIX.length + name.length + 1), utf8Decode(payload)!];
  });
}

interface Message {
  readonly code?: number;
  readonly message?: string;
  readonly clientToken?: string;
  readonly version?: number;
  readonly state?: JsonObject;
  readonly metadata?: JsonObject;
}

const json = (text: string) => JSON.parse(text) as Message;
const last = (results: [string, string][], topic: string) => json(results.find(([name]) => name === topic)![1]);

describe("§1.2 update is refused, with the service's words and the token", () => {
  const deep = (levels: number): Json => (levels === 0 ? 1 : { k: deep(levels - 1) });
  const rows: [string, string | Uint8Array, number, string, boolean][] = [
    [
      "no UTF-8",
      Uint8Array.of(0x7b, 0xff, 0x7d),
      415,
      "Unsupported documented encoding; supported encoding is UTF-8",
      false,
    ],
    ["no JSON", "{", 400, "Invalid JSON", false],
    ["nothing", "", 400, "Invalid JSON", false],
    ["no object", "[]", 400, "Invalid JSON", false],
    ["null", "null", 400, "Invalid JSON", false],
    ["token no string", '{"clientToken":5,"state":{}}', 400, "Invalid clientToken", false],
    ["token null", '{"clientToken":null,"state":{}}', 400, "Invalid clientToken", false],
    ["token of 65 bytes", `{"clientToken":"${"é".repeat(32)}x","state":{}}`, 400, "Invalid clientToken", false],
    ["no state", '{"clientToken":"t"}', 400, "Missing required node: state", true],
    ["state no object", '{"clientToken":"t","state":[]}', 400, "State node must be an object", true],
    ["state a string", '{"clientToken":"t","state":"x"}', 400, "State node must be an object", true],
    ["another node", '{"clientToken":"t","state":{"delta":{}}}', 400, "State contains an invalid node: 'delta'", true],
    [
      "__proto__ as node",
      '{"clientToken":"t","state":{"__proto__":{}}}',
      400,
      "State contains an invalid node: '__proto__'",
      true,
    ],
    ["desired no object", '{"clientToken":"t","state":{"desired":5}}', 400, "Desired node must be an object", true],
    ["reported an array", '{"clientToken":"t","state":{"reported":[]}}', 400, "Reported node must be an object", true],
    [
      "null in an array",
      '{"clientToken":"t","state":{"desired":{"a":[1,null]}}}',
      400,
      "State contains a null value inside an array",
      true,
    ],
    [
      "7 levels",
      JSON.stringify({ clientToken: "t", state: { desired: deep(7) } }),
      400,
      "JSON contains too many levels of nesting; maximum is 6",
      true,
    ],
    [
      "text nested beyond parsing",
      `{"state":${"[".repeat(5000)}`,
      400,
      "JSON contains too many levels of nesting; maximum is 6",
      false,
    ],
    ["version no integer", '{"clientToken":"t","state":{},"version":1.5}', 400, "Invalid version", true],
    ["version a string", '{"clientToken":"t","state":{},"version":"1"}', 400, "Invalid version", true],
    ["version of the past", '{"clientToken":"t","state":{},"version":0}', 409, "Version conflict", true],
    [
      "too large",
      JSON.stringify({ clientToken: "t", state: { desired: { a: "x".repeat(8192) } } }),
      413,
      "The payload exceeds the maximum size allowed",
      true,
    ],
  ];
  it.each(rows)("%s", (_, payload, code, message, withToken) => {
    const { send, service } = setUp();
    send("update", { state: { desired: { before: 1 } } });
    const stored = JSON.stringify(service.snapshot());
    const token = withToken ? ',"clientToken":"t"' : "";
    expect(send("update", payload)).toEqual([
      ["update/rejected", `{"code":${code},"message":${JSON.stringify(message)}${token}}`],
    ]);
    expect(JSON.stringify(service.snapshot())).toBe(stored);
  });

  it("in the order of the table: each mistake hides the ones behind it", () => {
    const mistakes: [string, JsonObject][] = [
      ["Invalid clientToken", { clientToken: 5 }],
      ["Missing required node: state", {}],
      ["State contains an invalid node: 'x'", { state: { x: 1, desired: 5 } }],
      ["Desired node must be an object", { state: { desired: 5, reported: { a: [null] } } }],
      ["State contains a null value inside an array", { state: { reported: { a: [null] }, desired: deep(7) } }],
      ["JSON contains too many levels of nesting; maximum is 6", { state: { desired: deep(7) }, version: "x" }],
      ["Invalid version", { state: { desired: { a: "x".repeat(9000) } }, version: "x" }],
      ["Version conflict", { state: { desired: { a: "x".repeat(9000) } }, version: 7 }],
    ];
    const { send } = setUp();
    for (const [message, request] of mistakes)
      expect(last(send("update", { ...request }), "update/rejected").message).toBe(message);
  });

  it("depth: 6 keys deep pass in each section, arrays count, empty containers do not", () => {
    const { send } = setUp();
    expect(send("update", { state: { desired: deep(6), reported: deep(6) } })[0]![0]).toBe("update/accepted");
    expect(send("update", { state: { desired: { a: { b: { c: { d: { e: {} } } } } } } })[0]![0]).toBe(
      "update/accepted",
    );
    expect(send("update", { state: { desired: { a: [[[[[[1]]]]]] } } })[0]![0]).toBe("update/rejected");
    const eight = setUp({}, { depth: 8 });
    expect(eight.send("update", { state: { desired: deep(8) } })[0]![0]).toBe("update/accepted");
    expect(last(eight.send("update", { state: { desired: deep(9) } }), "update/rejected").message).toMatch(
      /maximum is 8$/,
    );
  });

  it("size counts both sections after merging, in UTF-8, and neither metadata nor token", () => {
    const { send } = setUp();
    const exactly = { a: `${"é".repeat(2043)}xx` }; // 8 + 4088 bytes
    expect(send("update", { state: { desired: exactly, reported: exactly } })[0]![0]).toBe("update/accepted");
    expect(send("update", { state: { desired: { b: 1 } } })[0]![0]).toBe("update/rejected");
    expect(send("update", { state: { desired: { a: null, b: 1 } } })[0]![0]).toBe("update/accepted");
  });

  it("the token is echoed up to 64 bytes, empty too; other members beside state are ignored", () => {
    const { send } = setUp();
    for (const clientToken of ["", "é".repeat(32), "x".repeat(64)])
      expect(last(send("update", { clientToken, state: {}, junk: [null] }), "update/accepted").clientToken).toBe(
        clientToken,
      );
  });

  it("the trailing NUL of C firmware is tolerated", () => {
    const { send } = setUp();
    expect(send("update", '{"state":{"reported":{"a":1}}}\0')[0]![0]).toBe("update/accepted");
    expect(send("get", "\0")[0]![0]).toBe("get/accepted");
  });

  it("a payload above MQTT's 128 KB is not even read", () => {
    const { send } = setUp();
    expect(last(send("update", new Uint8Array(131_073)), "update/rejected").code).toBe(413);
  });
});

describe("§1.11 wire samples, byte for byte", () => {
  it("Color: accepted, delta, documents", () => {
    const { send, clock, service } = setUp();
    clock.seconds = 1719855400;
    send("update", { state: { desired: { Color: "green" } } });
    send("update", { state: { reported: { Color: "green" } } });
    send("update", { state: {} });
    send("update", { state: {} });
    expect(service.peek({ thingName: "thing1" })!.version).toBe(4);
    clock.seconds = 1719855498;
    expect(send("update", '{"state":{"desired":{"Color":"red"}},"clientToken":"79737dba"}')).toEqual([
      [
        "update/accepted",
        '{"state":{"desired":{"Color":"red"}},"metadata":{"desired":{"Color":{"timestamp":1719855498}}},"version":5,"timestamp":1719855498,"clientToken":"79737dba"}',
      ],
      [
        "update/delta",
        '{"version":5,"timestamp":1719855498,"state":{"Color":"red"},"metadata":{"Color":{"timestamp":1719855498}},"clientToken":"79737dba"}',
      ],
      [
        "update/documents",
        '{"previous":{"state":{"desired":{"Color":"green"},"reported":{"Color":"green"}},"metadata":{"desired":{"Color":{"timestamp":1719855400}},"reported":{"Color":{"timestamp":1719855400}}},"version":4},' +
          '"current":{"state":{"desired":{"Color":"red"},"reported":{"Color":"green"}},"metadata":{"desired":{"Color":{"timestamp":1719855498}},"reported":{"Color":{"timestamp":1719855400}}},"version":5},"timestamp":1719855498,"clientToken":"79737dba"}',
      ],
    ]);
  });

  it("Status: a reported-only update re-emits the delta with desired's own stamps", () => {
    const { send, clock } = setUp();
    clock.seconds = 1719856710;
    for (let i = 0; i < 8; i++) send("update", { state: { desired: { Status: "Great" } } });
    clock.seconds = 1719857563;
    const results = send("update", '{"state":{"reported":{"Status":"Awful"}},"clientToken":"05ed8956"}');
    expect(results[1]).toEqual([
      "update/delta",
      '{"version":9,"timestamp":1719857563,"state":{"Status":"Great"},"metadata":{"Status":{"timestamp":1719856710}},"clientToken":"05ed8956"}',
    ]);
  });

  it("delete answers with the version that was deleted", () => {
    const { send, clock } = setUp();
    for (let i = 0; i < 13; i++) send("update", { state: {} });
    clock.seconds = 1719858420;
    expect(send("delete", '{"clientToken":"14e3c6d4"}')).toEqual([
      ["delete/accepted", '{"version":13,"timestamp":1719858420,"clientToken":"14e3c6d4"}'],
    ]);
  });

  it("get of nothing, update without state, state null", () => {
    const { send, clock } = setUp();
    expect(send("get", "")).toEqual([
      ["get/rejected", `{"code":404,"message":"No shadow exists with name: 'thing1'"}`],
    ]);
    expect(send("update", '{"clientToken":"myToken"}')).toEqual([
      ["update/rejected", '{"code":400,"message":"Missing required node: state","clientToken":"myToken"}'],
    ]);
    for (let i = 0; i < 17; i++) send("update", { state: { desired: { i } } });
    clock.seconds = 1756452769;
    const results = send("update", '{"state":null}');
    expect(results[0]).toEqual([
      "update/accepted",
      '{"state":null,"metadata":{"timestamp":1756452769},"version":18,"timestamp":1756452769}',
    ]);
    expect(results.map(([topic]) => topic)).toEqual(["update/accepted", "update/documents"]);
    expect(send("get")[0]![1]).toBe('{"state":{},"metadata":{},"version":18,"timestamp":1756452769}');
  });
});

describe("§1.3–1.4 what an update does", () => {
  it("accepted echoes the request's sections, nulls included, and stamps them now", () => {
    const { send } = setUp();
    send("update", { state: { reported: { a: 1, c: 2 } } });
    expect(send("update", '{"state":{"reported":{"a":null,"b":[1,[2]]},"desired":null}}')[0]![1]).toBe(
      '{"state":{"reported":{"a":null,"b":[1,[2]]},"desired":null},"metadata":{"reported":{"a":{"timestamp":1000},"b":[{"timestamp":1000},[{"timestamp":1000}]]},"desired":{"timestamp":1000}},"version":2,"timestamp":1000}',
    );
  });

  it("a section that is null or becomes empty is removed; {desired:{}} stores nothing; a first version is 1", () => {
    const { send } = setUp();
    const first = last(send("update", { state: { desired: {} } }), "update/documents");
    expect(first).toEqual({ previous: null, current: { state: {}, metadata: {}, version: 1 }, timestamp: 1000 });
    send("update", { state: { desired: { a: 1 }, reported: { b: 1 } } });
    send("update", { state: { desired: { a: null } } });
    expect(last(send("get"), "get/accepted").state).toEqual({ reported: { b: 1 } });
    send("update", { state: { reported: null } });
    expect(last(send("get"), "get/accepted")).toEqual({ state: {}, metadata: {}, version: 4, timestamp: 1000 });
  });

  it("every accepted update takes a version, a no-op too; only leaves that are named are stamped, also when equal", () => {
    const { send, clock } = setUp();
    send("update", { state: { desired: { a: 1, b: { c: 1, d: 1 } } } });
    clock.seconds = 2000;
    const { current } = last(send("update", { state: { desired: { b: { c: 1 } } } }), "update/documents") as {
      current?: JsonObject;
    };
    expect(current).toEqual({
      state: { desired: { a: 1, b: { c: 1, d: 1 } } },
      metadata: { desired: { a: { timestamp: 1000 }, b: { c: { timestamp: 2000 }, d: { timestamp: 1000 } } } },
      version: 2,
    });
  });

  it("a type change replaces the metadata's shape; a user's {timestamp: 5} is not taken for a stamp", () => {
    const { send, clock } = setUp();
    send("update", { state: { desired: { a: { timestamp: 5 }, b: 1 } } });
    clock.seconds = 2000;
    send("update", { state: { desired: { b: { c: 1 } } } });
    expect(last(send("get"), "get/accepted").metadata).toEqual({
      desired: { a: { timestamp: { timestamp: 1000 } }, b: { c: { timestamp: 2000 } } },
    });
    const results = send("update", { state: { desired: { a: { x: 1 } } } });
    expect(last(results, "update/delta").metadata).toEqual({
      a: { timestamp: { timestamp: 1000 }, x: { timestamp: 2000 } },
      b: { c: { timestamp: 2000 } },
    });
  });

  it("delta holds all that is left, not only what the request touched, and is silent when nothing is", () => {
    const { send } = setUp();
    send("update", { state: { desired: { a: 1, b: [1], c: { d: 1, e: 2 } } } });
    const results = send("update", { state: { reported: { c: { d: 1 } } } });
    expect(last(results, "update/delta").state).toEqual({ a: 1, b: [1], c: { e: 2 } });
    expect(last(results, "update/delta").metadata).toEqual({
      a: { timestamp: 1000 },
      b: [{ timestamp: 1000 }],
      c: { e: { timestamp: 1000 } },
    });
    const closed = send("update", { state: { reported: { a: 1, b: [1], c: { e: 2 } } } });
    expect(closed.map(([topic]) => topic)).toEqual(["update/accepted", "update/documents"]);
  });

  it("§1.12 corner cases: duplicate keys, empty and special keys, 1.0, -0, big integers", () => {
    const { send, service } = setUp();
    send(
      "update",
      '{"state":{"desired":{"a":1,"a":2,"":3,"__proto__":{"x":1},"constructor":4,"one":1.0,"zero":-0,"big":9007199254740993}}}',
    );
    const { state } = service.peek({ thingName: "thing1" })!;
    expect(JSON.stringify(state)).toBe(
      '{"desired":{"a":2,"":3,"__proto__":{"x":1},"constructor":4,"one":1,"zero":0,"big":9007199254740992}}',
    );
    const results = send(
      "update",
      '{"state":{"reported":{"constructor":4,"one":1,"zero":0,"a":2,"":3,"big":9007199254740992}}}',
    );
    expect(JSON.stringify(last(results, "update/delta").state)).toBe('{"__proto__":{"x":1}}');
    send("update", '{"state":{"reported":{"__proto__":{"x":1}}}}');
    expect(last(send("get"), "get/accepted").state).not.toHaveProperty("delta");
  });

  it("user keys named like the shadow's own are plain keys", () => {
    const { send } = setUp();
    const own = { state: { desired: 1 }, desired: { a: 1 }, timestamp: 5, version: 9, delta: 1, clientToken: "x" };
    send("update", { state: { desired: own } });
    const document = last(send("get"), "get/accepted");
    expect(document.state).toEqual({ desired: own, delta: own });
    expect(document.version).toBe(1);
    expect(send("update", { state: { reported: own } }).map(([topic]) => topic)).not.toContain("update/delta");
  });
});

describe("§1.6 get, delete, list", () => {
  it("get answers with the delta, without its metadata, and echoes the token", () => {
    const { send } = setUp();
    send("update", { state: { reported: { a: 1 }, desired: { a: 2 } } });
    expect(send("get", '{"clientToken":"t"}')[0]![1]).toBe(
      '{"state":{"desired":{"a":2},"reported":{"a":1},"delta":{"a":2}},"metadata":{"desired":{"a":{"timestamp":1000}},"reported":{"a":{"timestamp":1000}}},"version":1,"timestamp":1000,"clientToken":"t"}',
    );
    const asGuide = setUp({ deltaMetadataInGet: true });
    asGuide.send("update", { state: { desired: { a: 2 } } });
    expect(last(asGuide.send("get"), "get/accepted").metadata).toEqual({
      desired: { a: { timestamp: 1000 } },
      delta: { a: { timestamp: 1000 } },
    });
  });

  it("a shadow deleted at v comes back as v+2 within 48 hours, and as 1 after", () => {
    const { send, clock } = setUp();
    const version = () => last(send("update", { state: {} }), "update/accepted").version;
    expect([version(), version(), version()]).toEqual([1, 2, 3]);
    expect(last(send("delete"), "delete/accepted").version).toBe(3);
    expect(last(send("update", { state: {}, version: 3 }), "update/rejected").code).toBe(409);
    expect(version()).toBe(5);
    send("delete");
    clock.seconds += 48 * 3600 - 1;
    expect(version()).toBe(7);
    send("delete");
    clock.seconds += 48 * 3600;
    expect(version()).toBe(1);
    const plain = setUp({ deleteTakesVersion: false });
    plain.send("update", { state: {} });
    plain.send("delete");
    expect(last(plain.send("update", { state: {} }), "update/accepted").version).toBe(2);
  });

  it("tombstones do not pile up", () => {
    const { service, clock } = setUp();
    for (let i = 0; i < 50; i++) {
      const thingName = `t${i}`;
      service.update({ thingName, payload: utf8Encode('{"state":{}}') });
      service.delete({ thingName });
      clock.seconds += 24 * 3600;
    }
    expect(service.snapshot().tombstones.length).toBeLessThanOrEqual(3);
  });

  it("404 of delete echoes the token; a named shadow is named thing~shadow, or alone as the guide prints it", () => {
    const { send } = setUp();
    expect(send("delete", '{"clientToken":"t"}')).toEqual([
      ["delete/rejected", `{"code":404,"message":"No shadow exists with name: 'thing1'","clientToken":"t"}`],
    ]);
    expect(last(send("get", "", "/name/night"), "get/rejected").message).toBe(
      "No shadow exists with name: 'thing1~night'",
    );
    const guide = setUp({ missingName: "shadow" });
    expect(last(guide.send("get", "", "/name/night"), "get/rejected").message).toBe(
      "No shadow exists with name: 'night'",
    );
  });

  it("§14 a malformed get is refused, or taken for an empty one", () => {
    const { send } = setUp();
    expect(send("get", "nonsense")[0]![1]).toBe('{"code":400,"message":"Invalid JSON"}');
    expect(send("delete", '{"clientToken":5}')[0]![1]).toBe('{"code":400,"message":"Invalid clientToken"}');
    const lenient = setUp({ malformedGet: "ignored" });
    expect(last(lenient.send("get", "nonsense"), "get/rejected").code).toBe(404);
  });

  it("§14 an update with a version of a shadow that does not exist", () => {
    const { send } = setUp();
    expect(last(send("update", { state: {}, version: 1 }), "update/rejected").code).toBe(409);
    expect(send("update", { state: {}, version: 0 })[0]![0]).toBe("update/accepted");
    const local = setUp({ versionOfMissing: 400 });
    expect(local.send("update", { state: {}, version: 2 })[0]![1]).toBe('{"code":400,"message":"Invalid version"}');
    expect(local.send("update", { state: {}, version: 1 })[0]![0]).toBe("update/accepted");
  });

  it("§14 a new subtree of only nulls as {}", () => {
    const { send } = setUp({ onlyNulls: "empty" });
    send("update", { state: { desired: { a: { b: null } } } });
    expect(last(send("get"), "get/accepted").state).toMatchObject({ desired: { a: {} } });
  });

  it("lists named shadows only, in pages, and none for an unknown thing", () => {
    const { service, send } = setUp();
    send("update", { state: {} });
    for (const name of ["c", "a", "b"]) send("update", { state: {} }, `/name/${name}`);
    expect(service.list({ thingName: "thing1" })).toEqual({ results: ["a", "b", "c"], timestamp: 1000 });
    const page = service.list({ thingName: "thing1", pageSize: 2 });
    expect(page).toEqual({ results: ["a", "b"], nextToken: "b", timestamp: 1000 });
    expect(service.list({ thingName: "thing1", nextToken: page.nextToken })).toEqual({
      results: ["c"],
      timestamp: 1000,
    });
    expect(service.list({ thingName: "Thing1" }).results).toEqual([]);
    expect(() => service.list({ thingName: "thing1", pageSize: 101 })).toThrow(/pageSize/);
  });

  it("handles requests only; classic and named shadows and things of another case are apart", () => {
    const { service, send } = setUp();
    expect(service.handle(`${PREFIX}/update/accepted`, new Uint8Array(0))).toBeUndefined();
    expect(service.handle("telemetry", new Uint8Array(0))).toBeUndefined();
    send("update", { state: {} });
    expect(service.peek({ thingName: "Thing1" })).toBeUndefined();
    expect(service.peek({ thingName: "thing1", shadowName: "x" })).toBeUndefined();
    expect(() => service.update({ thingName: "a b" })).toThrow(/thingName/);
  });

  it("snapshot and restore keep shadows and tombstones, as plain JSON; nonsense changes nothing", () => {
    const { service, send } = setUp();
    send("update", { state: { desired: { a: 1 } } });
    send("update", { state: {} }, "/name/n");
    send("delete", "", "/name/n");
    const snapshot = JSON.parse(JSON.stringify(service.snapshot()));
    const again = setUp();
    again.service.restore(snapshot);
    expect(again.service.snapshot()).toEqual(snapshot);
    expect(last(again.send("update", { state: {} }, "/name/n"), "update/accepted").version).toBe(3);
    expect(() => again.service.restore({ shadows: [{ thingName: "x" } as never], tombstones: [] })).toThrow(/snapshot/);
    expect(again.service.peek({ thingName: "thing1" })).toBeDefined();
  });
});

describe("the table of errors", () => {
  it("gives every code a meaning and a hint of its own", () => {
    for (const [code, row] of Object.entries(shadowErrors)) {
      expect(code).toMatch(/^SHADOW_[A-Z_]+$/);
      expect(row.meaning.length).toBeGreaterThan(10);
      expect(row.hint.length).toBeGreaterThan(10);
    }
    expect(new Set(Object.values(shadowErrors).map(({ meaning }) => meaning)).size).toBe(
      Object.keys(shadowErrors).length,
    );
  });
});
