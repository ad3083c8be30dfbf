import { describe, expect, it } from "vitest";
import { memoryPair } from "../../../src/transport/memory.ts";
import { pattern, Recorder, transportContract } from "./contract.ts";

transportContract("memory pair", async () => {
  const [client, peer] = memoryPair();
  return { client, peer };
});

transportContract("memory pair, in pieces of 4,000 bytes", async () => {
  const [client, peer] = memoryPair({
    capacity: 40_000,
    toFirst: { pieceBytes: 4_001 },
    toSecond: { pieceBytes: 3_999 },
  });
  return { client, peer };
});

/** A pair whose turns a test runs by hand. */
function stepped(options: Parameters<typeof memoryPair>[0] = {}) {
  const turns: (() => void)[] = [];
  const [a, b] = memoryPair({ ...options, schedule: (turn) => turns.push(turn) });
  const flush = (): void => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
  };
  return { first: new Recorder(a).open(), second: new Recorder(b).open(), flush, turns };
}

describe("memory pair", () => {
  it("nothing happens but in turns of the given schedule", () => {
    const { first, second, flush } = stepped();
    expect(first.log).toEqual([]);
    flush();
    expect(first.transport.write(pattern(5))).toBe(5);
    expect(second.log).toEqual(["writable"]);
    flush();
    expect(second.log).toEqual(["writable", "data"]);
  });

  it("takes no more than its capacity, and says when there is room", () => {
    const { first, second, flush } = stepped({ capacity: 8 });
    flush();
    expect(first.transport.write(pattern(20))).toBe(8);
    expect(first.transport.write(pattern(20))).toBe(0);
    flush();
    expect(first.log).toEqual(["writable", "writable"]);
    expect(first.room).toBe(8);
    expect(second.received).toEqual(pattern(8));
  });

  it("pieceBytes delivers in pieces", () => {
    const { first, second, flush } = stepped({ toSecond: { pieceBytes: 1 } });
    flush();
    first.transport.write(pattern(5));
    flush();
    expect(second.log).toEqual(["writable", "data", "data", "data", "data", "data"]);
  });

  it("endAfter truncates, and it looks like an orderly end", () => {
    const { first, second, flush } = stepped({ toSecond: { endAfter: 3 } });
    flush();
    first.transport.write(pattern(5));
    flush();
    expect(second.received).toEqual(pattern(3));
    expect(second.log.at(-1)).toBe("end");
    expect(first.error).toBeUndefined();
  });

  it("cutAfter breaks both ends", () => {
    const { first, second, flush } = stepped({ toSecond: { cutAfter: 3 } });
    flush();
    first.transport.write(pattern(5));
    flush();
    expect(second.received).toEqual(pattern(3));
    expect(second.error).toMatchObject({ code: "TRANSPORT_RESET", blame: "network", sdk: -13, mbedtls: -0x50 });
    expect(first.error).toMatchObject({ code: "TRANSPORT_RESET" });
  });

  it("stallAfter says nothing any more", () => {
    const { first, second, flush, turns } = stepped({ toSecond: { stallAfter: 3 } });
    flush();
    first.transport.write(pattern(5));
    first.transport.shutdown();
    flush();
    expect(second.received).toEqual(pattern(3));
    expect(second.log).toEqual(["writable", "data"]);
    expect(turns).toEqual([]);
  });

  it("a view that is being read does not move while the other end writes more", () => {
    const { first, second, flush } = stepped({ capacity: 8 });
    flush();
    first.transport.write(pattern(8));
    const seen: number[] = [];
    second.onChunk = (view) => {
      first.transport.write(pattern(8, 200));
      seen.push(...view);
    };
    flush();
    expect(seen.slice(0, 8)).toEqual([...pattern(8)]);
  });

  it("refuses a capacity that is none", () => {
    expect(() => memoryPair({ capacity: 0 })).toThrowError(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
