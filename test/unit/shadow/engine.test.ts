import { describe, expect, it } from "vitest";
import { utf8Encode, utf8Length } from "../../../src/bytes.ts";
import { CONFLICTS_BEFORE_FORCE, ShadowEngine } from "../../../src/shadow/engine.ts";
import { Bench, countingRandom } from "./harness.ts";

const operations = (bench: Bench) => bench.sent.map(({ operation }) => operation);

describe("§2.1 (I1) no request leaves before its answers can come", () => {
  it("subscribes first, then gets, then reports", () => {
    const bench = new Bench();
    const id = bench.report({ a: 1 });
    bench.engine.connected(false, 0);
    bench.drain();
    expect(bench.events).toEqual([
      {
        type: "subscribe",
        filters: [
          "$aws/things/lamp/shadow/get/accepted",
          "$aws/things/lamp/shadow/get/rejected",
          "$aws/things/lamp/shadow/delete/accepted",
          "$aws/things/lamp/shadow/delete/rejected",
          "$aws/things/lamp/shadow/update/accepted",
          "$aws/things/lamp/shadow/update/rejected",
          "$aws/things/lamp/shadow/update/delta",
        ],
      },
    ]);
    bench.engine.subscribed(0);
    bench.drain();
    expect(operations(bench)).toEqual(["get"]);
    bench.settle();
    expect(operations(bench)).toEqual(["get", "update"]);
    expect(bench.outcome(id)).toBe("done");
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("with wildcards needs five subscriptions", () => {
    const engine = new ShadowEngine({ thingName: "l", shadowName: "n", random: countingRandom(), wildcards: true });
    engine.connected(false, 0);
    expect(engine.nextEvent()).toMatchObject({
      filters: [
        "$aws/things/l/shadow/name/n/get/+",
        "$aws/things/l/shadow/name/n/delete/+",
        "$aws/things/l/shadow/name/n/update/accepted",
        "$aws/things/l/shadow/name/n/update/rejected",
        "$aws/things/l/shadow/name/n/update/delta",
      ],
    });
  });

  it("skips the subscribing where the broker kept the session, and gets nevertheless", () => {
    const bench = new Bench().connect().disconnect();
    bench.engine.connected(true, 0);
    bench.drain();
    expect(bench.events.filter(({ type }) => type === "subscribe")).toHaveLength(1);
    expect(operations(bench)).toEqual(["get", "get"]);
    const fresh = new Bench();
    fresh.engine.connected(true, 0);
    expect(fresh.drain().events).toMatchObject([{ type: "subscribe" }]);
  });

  it("refused subscriptions fail what waits, and are asked for again later", () => {
    const bench = new Bench();
    const id = bench.report({ a: 1 });
    bench.engine.connected(false, 0);
    bench.drain();
    bench.engine.subscribeFailed(new Error("SUBACK 0x80"), 0);
    bench.drain();
    expect(bench.outcome(id)).toBe("SHADOW_NOT_SUBSCRIBED");
    bench.pass(1000);
    expect(bench.events.filter(({ type }) => type === "subscribe")).toHaveLength(2);
  });
});

describe("deltas", () => {
  it("adopts what was desired while it was away", () => {
    const bench = new Bench().other({ desired: { power: true }, reported: { power: false, lux: 1 } });
    bench.mail = [];
    bench.connect();
    expect(bench.deltas).toEqual([{ power: true }]);
  });

  it("§2.3 accepted and delta race on one version: each order hands the change out once", () => {
    for (const order of [
      ["accepted", "delta"],
      ["delta", "accepted"],
    ]) {
      const bench = new Bench().other({ reported: { power: false } });
      bench.mail = [];
      bench.connect().other({ desired: { power: true } });
      for (const end of order) bench.deliver(`update/${end}`);
      expect(bench.deltas).toEqual([{ power: true }]);
      expect(bench.engine.document).toEqual(bench.stored);
      bench.pass(5000);
      expect(operations(bench)).toEqual(["get"]);
    }
  });

  it("a delta whose accepted was lost is handed out at once, and the document is got", () => {
    const bench = new Bench().other({ reported: { power: false } });
    bench.mail = [];
    bench
      .connect()
      .other({ desired: { power: true } })
      .deliver("update/delta");
    bench.mail = [];
    expect(bench.deltas).toEqual([{ power: true }]);
    bench.pass(999);
    expect(operations(bench)).toEqual(["get"]);
    bench.pass(1).settle();
    expect(operations(bench)).toEqual(["get", "get"]);
    expect(bench.engine.document).toEqual(bench.stored);
    expect(bench.deltas).toEqual([{ power: true }]);
  });

  it("§2.3 a stale delta does nothing, neither late nor twice", () => {
    const bench = new Bench().other({ reported: {} });
    bench.mail = [];
    bench.connect();
    bench.other({ desired: { level: 1 } });
    const stale = bench.mail.find(({ topic }) => topic.endsWith("/delta"))!;
    bench
      .deliver("update/accepted")
      .other({ desired: { level: 2 } })
      .deliver("update/accepted");
    bench.give(stale);
    bench.deliver();
    bench.give(stale);
    expect(bench.deltas).toEqual([{ level: 1 }, { level: 2 }]);
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("(I5) a delta that overtakes the document is not taken back when the document follows", () => {
    const bench = new Bench().other({ reported: {} });
    bench.mail = [];
    bench
      .connect()
      .other({ desired: { level: 1 } })
      .other({ desired: { level: 2 } });
    const [newest] = bench.mail.filter(({ topic }) => topic.endsWith("/delta")).slice(-1);
    bench.give(newest!);
    bench.deliver();
    expect(bench.deltas).toEqual([{ level: 2 }]);
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("(I5) an outstanding delta that comes with every report is handed out once; one that comes back is news", () => {
    const bench = new Bench().other({ desired: { power: true }, reported: { power: false } });
    bench.mail = [];
    bench.connect();
    for (let lux = 0; lux < 5; lux++) {
      bench.report({ lux });
      bench.settle();
    }
    expect(bench.deltas).toEqual([{ power: true }]);
    bench.report({ power: true });
    bench.settle().report({ power: false });
    bench.settle();
    expect(bench.deltas).toEqual([{ power: true }, { power: true }]);
  });

  it("hands out only the leaves that changed, and never what was withdrawn before it was taken", () => {
    const bench = new Bench().other({ desired: { color: { r: 1, g: 1 } } });
    bench.mail = [];
    bench
      .connect()
      .other({ desired: { color: { g: 2 } } })
      .deliver();
    expect(bench.deltas).toEqual([{ color: { r: 1, g: 1 } }, { color: { g: 2 } }]);
    bench.takes = false;
    bench
      .other({ desired: { lock: "open", level: 1 } })
      .deliver()
      .other({ desired: { lock: null } })
      .deliver();
    bench.take();
    expect(bench.deltas[2]).toEqual({ level: 1 });
  });

  it("redeliver: the next occasion brings all that is left", () => {
    const bench = new Bench().other({ desired: { a: 1, b: 1 } });
    bench.mail = [];
    bench.connect();
    bench.engine.redeliver();
    bench.report({ lux: 1 });
    bench.settle();
    expect(bench.deltas).toEqual([
      { a: 1, b: 1 },
      { a: 1, b: 1 },
    ]);
  });

  it("what a receiver does to a delta does not reach the engine's document", () => {
    const bench = new Bench().other({ desired: { a: { b: 1 } } });
    bench.mail = [];
    bench.connect();
    (bench.deltas[0] as { a: { b: number } }).a.b = 7;
    expect(bench.engine.document).toEqual(bench.stored);
  });
});

describe("reports", () => {
  it("(I6) what the document has already sends nothing, and is done", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1, b: { c: 2 } });
    bench.settle();
    const again = bench.report({ a: 1, b: { c: 2 }, gone: null });
    const empty = bench.report({});
    expect(bench.outcome(again)).toBe("done");
    expect(bench.outcome(empty)).toBe("done");
    expect(operations(bench)).toEqual(["get", "update"]);
  });

  it("sends the smallest difference, with the version that it was made for; full sends all", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1, b: { c: 2, d: 3 } });
    bench.settle().report({ a: 1, b: { c: 5, d: 3 } });
    bench.settle().report({ a: 1 }, { full: true });
    bench.settle();
    expect(bench.sent.slice(1).map(({ body }) => ({ ...body, clientToken: "" }))).toEqual([
      { state: { reported: { a: 1, b: { c: 2, d: 3 } } }, clientToken: "" },
      { state: { reported: { b: { c: 5 } } }, version: 1, clientToken: "" },
      { state: { reported: { a: 1 } }, version: 2, clientToken: "" },
    ]);
    expect(Object.keys(bench.sent[2]!.body)).toEqual(["state", "version", "clientToken"]);
  });

  it("(I2) one update is in flight; what comes meanwhile leaves together after it, in order", () => {
    const bench = new Bench().connect();
    const ids = [
      bench.report({ a: 1 }),
      bench.report({ a: 2, b: 1 }),
      bench.report({ b: { c: 1 } }),
      bench.report({ a: 3 }),
    ];
    expect(operations(bench)).toEqual(["get", "update"]);
    bench.settle();
    expect(bench.sent[2]!.body.state).toEqual({ reported: { a: 3, b: { c: 1 } } });
    expect(operations(bench)).toHaveLength(3);
    expect(ids.map((id) => bench.outcome(id))).toEqual(["done", "done", "done", "done"]);
  });

  it("null, then an object in its place, is not merged into what was there", () => {
    const bench = new Bench().connect();
    bench.report({ a: { x: 1 } });
    bench.settle();
    bench.report({ slow: 1 });
    bench.report({ a: null });
    bench.report({ a: { y: 1 } });
    bench.settle();
    expect(bench.stored?.state.reported).toEqual({ a: { y: 1 }, slow: 1 });
  });

  it("(I4) every operation settles once, though every message comes twice", () => {
    const bench = new Bench().connect();
    const ids = [1, 2, 3].map((a) => bench.report({ a }));
    const get = bench.engine.get(bench.now);
    for (let i = 0; i < 10; i++) {
      bench.serve();
      for (const message of bench.mail.splice(0)) {
        bench.give(message);
        bench.give(message);
      }
    }
    expect([...ids, get].map((id) => bench.outcome(id))).toEqual(["done", "done", "done", "done"]);
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("tokens differ, and have at most 64 bytes", () => {
    const bench = new Bench({ tokenPrefix: "é".repeat(24) }).connect();
    for (let a = 0; a < 50; a++) {
      bench.report({ a });
      bench.settle();
    }
    const tokens = bench.sent.map(({ body }) => body.clientToken);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(Math.max(...tokens.map(utf8Length))).toBeLessThanOrEqual(64);
    expect(() => new Bench({ tokenPrefix: "x".repeat(49) })).toThrow(/tokenPrefix/);
    expect(new Bench().connect().sent[0]!.body.clientToken).toBe("0001020304050607-1");
  });

  it("refuses what no shadow can hold before anything is sent", () => {
    const bench = new Bench({ limits: { documentBytes: 100 } }).connect();
    expect(() => bench.report({ a: [null] })).toThrow(/null/);
    const big = bench.report({ a: "x".repeat(200) });
    expect(bench.outcome(big)).toBe("SHADOW_TOO_LARGE");
    expect(operations(bench)).toEqual(["get"]);
  });

  it("a refused update fails only the operation that is to blame", () => {
    const bench = new Bench({ limits: { documentBytes: 30_000 } }).connect();
    bench.report({ slow: 1 });
    const ids = [bench.report({ a: 1 }), bench.report({ big: "x".repeat(9000) }), bench.report({ b: 1 })];
    bench.settle();
    expect(ids.map((id) => bench.outcome(id))).toEqual(["done", "SHADOW_REJECTED_TOO_LARGE", "done"]);
    expect(bench.stored?.state.reported).toEqual({ slow: 1, a: 1, b: 1 });
  });

  it("desire writes the other half, in one update with what is reported", () => {
    const bench = new Bench().connect();
    bench.report({ slow: 1 });
    bench.report({ color: "red" });
    bench.engine.desire({ color: null, mode: "x" }, bench.now);
    bench.settle();
    expect(bench.sent[2]!.body.state).toEqual({ desired: { mode: "x" }, reported: { color: "red" } });
  });

  it("cancel withdraws what was not sent, and leaves the rest", () => {
    const bench = new Bench().connect();
    bench.report({ slow: 1 });
    const id = bench.report({ a: 1 });
    const other = bench.report({ b: 1 });
    expect(bench.engine.cancel(id)).toBe(true);
    expect(bench.engine.cancel(id)).toBe(false);
    bench.settle();
    expect(bench.outcome(id)).toBe("pending");
    expect(bench.outcome(other)).toBe("done");
    expect(bench.stored?.state.reported).toEqual({ slow: 1, b: 1 });
  });
});

describe("conflicts, losses, silence", () => {
  it("§2.4 409: gets, applies the change to the new document, and sends it with the new version", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle().other({ desired: { power: true } });
    const id = bench.report({ a: 2 });
    bench.serve().deliver("update/rejected");
    bench.mail = [];
    bench.settle();
    expect(bench.outcome(id)).toBe("done");
    expect(operations(bench).slice(2)).toEqual(["update", "get", "update"]);
    expect(bench.sent.at(-1)!.body).toMatchObject({ state: { reported: { a: 2 } }, version: 2 });
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("an update that loses again and again goes without a version at last", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle();
    const id = bench.report({ a: 2 });
    for (let i = 0; i < 20 && bench.outcome(id) === "pending"; i++) {
      bench.other({ desired: { i } });
      bench.mail = [];
      bench.serve().deliver();
    }
    expect(bench.outcome(id)).toBe("done");
    const updates = bench.sent.filter(({ operation }) => operation === "update").slice(1);
    expect(updates.map(({ body }) => body.version !== undefined)).toEqual([
      ...Array<boolean>(CONFLICTS_BEFORE_FORCE).fill(true),
      false,
    ]);
  });

  it("unversioned: the last writer wins, without any 409", () => {
    const bench = new Bench({ versioned: false }).connect();
    bench.report({ a: 1 });
    bench.settle().other({ desired: { b: 1 } });
    bench.report({ a: 2 });
    bench.serve();
    expect(bench.stored?.state).toEqual({ desired: { b: 1 }, reported: { a: 2 } });
  });

  it("§2.8 a gap in the versions: one GET after the time that a late message may take, and no report before", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle();
    bench.other({ reported: { a: 5 } });
    bench.mail = [];
    bench.other({ reported: { b: 1 } }).deliver();
    const id = bench.report({ a: 1 });
    expect(operations(bench)).toEqual(["get", "update"]);
    bench.pass(1000).settle();
    expect(operations(bench).slice(2)).toEqual(["get", "update"]);
    expect(bench.outcome(id)).toBe("done");
    expect(bench.stored?.state.reported).toEqual({ a: 1, b: 1 });
  });

  it("messages that change places cost a GET at most and mislead nobody", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle();
    bench.other({ reported: { a: 2 } });
    const early = bench.mail.splice(0);
    bench.other({ reported: { a: 3 } }).deliver();
    for (const message of early) bench.give(message);
    bench.pass(1000).settle();
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("an update without an answer: gets, and sends again only what is missing", () => {
    const bench = new Bench().connect();
    const lostRequest = bench.report({ a: 1 });
    bench.requests = [];
    bench.pass(10_000).settle().pass(2000).settle();
    expect(bench.outcome(lostRequest)).toBe("done");
    expect(operations(bench)).toEqual(["get", "update", "get", "update"]);
    const lostAnswer = bench.report({ a: 2 });
    bench.serve();
    bench.mail = [];
    bench.pass(10_000).settle().pass(2000).settle();
    expect(bench.outcome(lostAnswer)).toBe("done");
    expect(operations(bench).slice(4)).toEqual(["update", "get"]);
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("a GET without an answer is asked again, less and less often", () => {
    const bench = new Bench();
    bench.engine.connected(false, 0);
    bench.engine.subscribed(0);
    bench.drain();
    const times: number[] = [];
    for (let now = 0; now < 400_000; now += 100) {
      const before = bench.sent.length;
      bench.pass(100);
      if (bench.sent.length > before) times.push(bench.now);
    }
    expect(times.length).toBeGreaterThan(5);
    expect(times.length).toBeLessThan(20);
    // Answers that come too late count for nothing, and the next request is answered in time.
    for (bench.settle(); bench.sent.length === times.length + 1; ) bench.pass(100);
    bench.settle();
    expect(bench.engine.phase).toBe("live");
  });

  it("a deadline ends an operation with SHADOW_TIMEOUT, -28 in the C SDK, and withdraws it", () => {
    const bench = new Bench();
    const offline = bench.report({ a: 1 }, { deadline: 4000 });
    bench.pass(3999);
    expect(bench.outcome(offline)).toBe("pending");
    bench.pass(1);
    expect(bench.outcome(offline)).toBe("SHADOW_TIMEOUT");
    expect(bench.events.at(-1)).toMatchObject({ error: { sdk: -28, data: { phase: "disconnected", sent: false } } });
    bench.connect();
    expect(operations(bench)).toEqual(["get"]);
  });

  it("429 and 500: waits, and sends again", () => {
    for (const code of [429, 500]) {
      const bench = new Bench().connect();
      const id = bench.report({ a: 1 });
      const { clientToken } = bench.sent.at(-1)!.body;
      bench.requests = [];
      const payload = utf8Encode(JSON.stringify({ code, message: "x", clientToken }));
      bench.give({ topic: "$aws/things/lamp/shadow/update/rejected", payload });
      expect(operations(bench)).toEqual(["get", "update"]);
      bench.pass(1000).settle();
      expect(operations(bench)).toEqual(["get", "update", "update"]);
      expect(bench.outcome(id)).toBe("done");
    }
  });

  it("403 fails what waits, with the service's words", () => {
    const bench = new Bench();
    const id = bench.report({ a: 1 });
    bench.engine.connected(false, 0);
    bench.engine.subscribed(0);
    bench.drain();
    const { clientToken } = bench.sent[0]!.body;
    const payload = utf8Encode(JSON.stringify({ code: 403, message: "Forbidden", clientToken }));
    bench.give({ topic: "$aws/things/lamp/shadow/get/rejected", payload });
    expect(bench.outcome(id)).toBe("SHADOW_REJECTED_FORBIDDEN");
    expect(bench.events.at(-1)).toMatchObject({ error: { data: { status: 403, message: "Forbidden" } } });
  });

  it("(I7) what was not accepted survives a reconnect, and is sent for the document of then", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle();
    const inFlight = bench.report({ a: 2, b: 1 });
    const waiting = bench.report({ c: 1 });
    bench.disconnect();
    const offline = bench.report({ d: 1 });
    bench.other({ reported: { b: 1, e: 1 }, desired: { power: true } });
    bench.mail = [];
    bench.connect();
    expect([inFlight, waiting, offline].map((id) => bench.outcome(id))).toEqual(["done", "done", "done"]);
    expect(bench.sent.at(-1)!.body.state).toEqual({ reported: { a: 2, c: 1, d: 1 } });
    expect(bench.deltas).toEqual([{ power: true }]);
  });

  it("messages without a connection, of other shadows and of other kinds are left alone", () => {
    const bench = new Bench();
    const { engine } = bench;
    const nothing = new Uint8Array(0);
    expect(engine.message("$aws/things/lamp/shadow/update/delta", nothing, 0)).toBe(true);
    expect(engine.message("$aws/things/lamp/shadow/name/x/update/delta", nothing, 0)).toBe(false);
    expect(engine.message("$aws/things/lamp2/shadow/update/delta", nothing, 0)).toBe(false);
    expect(engine.message("$aws/things/lamp/shadow/update", nothing, 0)).toBe(false);
    expect(engine.message("$aws/things/lamp/shadow/update/documents", nothing, 0)).toBe(false);
  });

  it.each([
    ["not JSON", "update/delta", "{", "SHADOW_INVALID_JSON"],
    ["no object", "update/accepted", "5", "SHADOW_INVALID_JSON"],
    ["nested too deep", "update/delta", "[".repeat(100_000), "SHADOW_INVALID_JSON"],
    ["no version", "update/delta", '{"state":{}}', "SHADOW_INVALID_MESSAGE"],
    ["version a text", "update/accepted", '{"state":{},"version":"1","timestamp":1}', "SHADOW_INVALID_MESSAGE"],
    ["version negative", "update/delta", '{"state":{},"version":-1}', "SHADOW_INVALID_MESSAGE"],
    ["state a text", "update/delta", '{"state":"x","version":1}', "SHADOW_INVALID_MESSAGE"],
    [
      "section a text",
      "update/accepted",
      '{"state":{"desired":5},"version":1,"timestamp":1}',
      "SHADOW_INVALID_MESSAGE",
    ],
    ["no code", "update/rejected", "{}", "SHADOW_INVALID_MESSAGE"],
  ])("a peer's nonsense is a warning with blame peer: %s", (_, topic, text, code) => {
    const bench = new Bench().connect();
    bench.give({ topic: `$aws/things/lamp/shadow/${topic}`, payload: utf8Encode(text) });
    expect(bench.events.at(-1)).toMatchObject({ type: "warning", error: { code, blame: "peer" } });
    bench.report({ a: 1 });
    expect(bench.settle().engine.document).toEqual(bench.stored);
  });
});

describe("delete and what follows", () => {
  it("§2.5 delete, re-creation with a lower or higher version, and deltas of the new shadow", () => {
    for (const pause of [0, 48 * 3600_000]) {
      const bench = new Bench().connect();
      for (let a = 0; a < 5; a++) {
        bench.report({ a });
        bench.settle();
      }
      bench.mail.push(...bench.service.delete({ thingName: "lamp" }));
      bench.deliver();
      expect(bench.events).toContainEqual({ type: "deleted", version: 5 });
      expect(bench.engine.document).toBeUndefined();
      bench
        .pass(pause)
        .other({ desired: { power: true } })
        .deliver()
        .pass(1000)
        .settle();
      expect(bench.stored?.version).toBe(pause === 0 ? 7 : 1);
      expect(bench.deltas).toEqual([{ power: true }]);
      expect(bench.engine.document).toEqual(bench.stored);
    }
  });

  it("after somebody else deleted it, the next report brings all that this device ever reported", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1, b: { c: 1 }, gone: 1 });
    bench.settle().report({ gone: null });
    bench.settle();
    bench.mail.push(...bench.service.delete({ thingName: "lamp" }));
    bench.deliver().report({ a: 2 });
    bench.settle();
    expect(bench.stored?.state.reported).toEqual({ a: 2, b: { c: 1 } });
  });

  it("deleted while its message was lost: 409, then 404, then all anew", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1, b: 1 });
    bench.settle();
    bench.service.delete({ thingName: "lamp" });
    const id = bench.report({ a: 2 });
    bench.settle().pass(5000).settle();
    expect(bench.outcome(id)).toBe("done");
    expect(bench.stored?.state.reported).toEqual({ a: 2, b: 1 });
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("our own delete waits its turn, and forgets what was reported", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    const id = bench.engine.delete(bench.now);
    bench.report({ b: 1 });
    bench.settle().pass(2000).settle();
    expect(bench.outcome(id)).toBe("done");
    expect(operations(bench).slice(0, 4)).toEqual(["get", "update", "delete", "update"]);
    expect(bench.stored?.state.reported).toEqual({ b: 1 });
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("a delete whose answer was lost has happened when the shadow is gone; one of nothing is 404", () => {
    const bench = new Bench().connect();
    const missing = bench.engine.delete(bench.now);
    bench.settle();
    expect(bench.outcome(missing)).toBe("SHADOW_REJECTED_NOT_FOUND");
    bench.report({ a: 1 });
    bench.settle();
    const lost = bench.engine.delete(bench.now);
    bench.serve();
    bench.mail = [];
    bench.pass(10_000).settle().pass(5000).settle();
    expect(bench.outcome(lost)).toBe("done");
    expect(bench.stored).toBeUndefined();
  });

  it("a get that was asked before a delete does not bring the document back", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.settle();
    const id = bench.engine.get(bench.now);
    bench.serve();
    const late = bench.mail.splice(0);
    bench.mail.push(...bench.service.delete({ thingName: "lamp" }));
    bench.deliver();
    for (const message of late) bench.give(message);
    bench.settle();
    expect(bench.outcome(id)).toBe("SHADOW_REJECTED_NOT_FOUND");
    expect(bench.engine.document).toBeUndefined();
  });

  it("a first version whose deletion was heard of before does not come to life", () => {
    const bench = new Bench().connect();
    bench.report({ a: 1 });
    bench.serve();
    const late = bench.mail.splice(0);
    bench.mail.push(...bench.service.delete({ thingName: "lamp" }));
    bench.deliver();
    for (const message of late) bench.give(message);
    bench.settle();
    expect(bench.engine.document).toBeUndefined();
    expect(bench.engine.settled).toBe(true);
  });

  it("what a deleted shadow desired is news when the next one desires it", () => {
    const bench = new Bench()
      .connect()
      .other({ desired: { power: true } })
      .deliver()
      .settle();
    bench.mail.push(...bench.service.delete({ thingName: "lamp" }));
    bench
      .deliver()
      .other({ desired: { power: true } })
      .deliver()
      .settle();
    expect(bench.deltas).toEqual([{ power: true }, { power: true }]);
  });

  it("a deletion that is heard of again after the re-creation does nothing", () => {
    const bench = new Bench()
      .connect()
      .other({ reported: { a: 1 } })
      .deliver()
      .settle();
    const [deletion] = bench.service.delete({ thingName: "lamp" });
    bench.give(deletion!);
    bench
      .other({ reported: { a: 2 } })
      .deliver()
      .settle();
    bench.give(deletion!);
    expect(bench.engine.document).toEqual(bench.stored);
    expect(bench.events.filter(({ type }) => type === "deleted")).toHaveLength(1);
  });

  it("a deletion that is overtaken by the re-creation does not hide it", () => {
    const bench = new Bench()
      .connect()
      .other({ reported: { a: 1 } })
      .deliver()
      .settle();
    const deletion = bench.service.delete({ thingName: "lamp" });
    bench.other({ desired: { power: true } }).deliver();
    for (const message of deletion) bench.give(message);
    bench.settle();
    expect(bench.engine.document).toEqual(bench.stored);
    expect(bench.deltas).toEqual([{ power: true }]);
  });

  it("a delete that found nothing, just before somebody created it, does not hide it", () => {
    const bench = new Bench().connect();
    const id = bench.engine.delete(bench.now);
    bench.serve();
    const late = bench.mail.splice(0);
    bench
      .other({ desired: { power: true } })
      .deliver()
      .settle();
    for (const message of late) bench.give(message);
    bench.settle();
    expect(bench.outcome(id)).toBe("SHADOW_REJECTED_NOT_FOUND");
    expect(bench.engine.document).toEqual(bench.stored);
  });

  it("a 404 that was answered before the shadow was created does not hide it", () => {
    const bench = new Bench();
    bench.engine.connected(false, 0);
    bench.engine.subscribed(0);
    bench.serve();
    const late = bench.mail.splice(0);
    bench.other({ desired: { power: true } }).deliver();
    for (const message of late) bench.give(message);
    bench.settle();
    expect(bench.engine.document).toEqual(bench.stored);
    expect(bench.deltas).toEqual([{ power: true }]);
  });

  it("versions that began anew unseen are found out by a GET", () => {
    const bench = new Bench().connect();
    for (let a = 0; a < 5; a++) {
      bench.report({ a });
      bench.settle();
    }
    bench.service.delete({ thingName: "lamp" });
    bench.pass(48 * 3600_000).other({ desired: { power: true } });
    bench.mail = [];
    bench.disconnect().connect();
    expect(bench.engine.document).toEqual(bench.stored);
    expect(bench.deltas).toEqual([{ power: true }]);
  });
});

describe("settled", () => {
  it("is true only when nothing waits, nothing is under way, and nothing is left to do", () => {
    const bench = new Bench();
    expect(bench.engine.settled).toBe(false);
    bench.connect();
    expect(bench.engine.settled).toBe(true);
    bench.report({ power: false });
    expect(bench.engine.settled).toBe(false);
    bench.settle();
    expect(bench.engine.settled).toBe(true);
    bench.other({ desired: { power: true } }).deliver();
    expect(bench.engine.settled).toBe(false);
    bench.report({ power: true });
    bench.settle();
    expect(bench.engine.settled).toBe(true);
    bench.disconnect();
    expect(bench.engine.settled).toBe(false);
  });
});
