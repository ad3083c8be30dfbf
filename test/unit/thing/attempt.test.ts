/** The time limit of CONNACK: from the end of the handshake on, and never longer than the attempt. */
import { describe, expect, it } from "vitest";
import { ThingwireError } from "../../../src/errors.ts";
import { Attempt } from "../../../src/thing/attempt.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import type { Transport } from "../../../src/transport/transport.ts";

/** An attempt over a transport that steps by hand, with what its owner heard and the timers that run. */
function begin() {
  const turns: (() => void)[] = [];
  const run = (): void => {
    for (let turn: (() => void) | undefined; (turn = turns.shift()); ) turn();
  };
  const timers = new Map<() => void, number>();
  const set = (delayMs: number, fire: () => void) => {
    timers.set(fire, delayMs);
    return () => void timers.delete(fire);
  };
  const [near, far] = memoryPair({ schedule: (turn) => turns.push(turn) });
  const heard: string[] = [];
  const attempt = new Attempt(near, { set }, 500);
  attempt.open({
    onData: () => {},
    onWritable: () => heard.push("writable"),
    onEnd: () => heard.push("end"),
    onError: (error) => heard.push(error instanceof ThingwireError ? error.code : "?"),
  });
  far.open({ onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} });
  return { attempt, far, timers, heard, run };
}

describe("the time limit of CONNACK", () => {
  it("starts when the transport can be written to, and ends the attempt", () => {
    const { attempt, timers, heard, run } = begin();
    expect([attempt.progress, timers.size]).toEqual(["handshake", 0]);
    run();
    expect([attempt.progress, [...timers.values()]]).toEqual(["connect", [500]]);
    for (const fire of timers.keys()) fire();
    expect(heard).toEqual(["writable", "MQTT_CONNACK_TIMEOUT"]);
    expect(attempt.write(Uint8Array.of(1))).toBe(0);
  });

  it.each<[string, (attempt: Attempt, far: Transport) => void, string[]]>([
    ["CONNACK", (attempt) => attempt.accepted(), ["writable"]],
    ["the peer's end", (_, far) => far.shutdown(), ["writable", "end"]],
    ["a broken transport", (_, far) => far.destroy(), ["writable", "TRANSPORT_RESET"]],
    ["the end of the attempt", (attempt) => attempt.destroy(), ["writable"]],
  ])("does not outlast %s", (_what, end, expected) => {
    const { attempt, far, timers, heard, run } = begin();
    run();
    end(attempt, far);
    run();
    expect([timers.size, heard]).toEqual([0, expected]);
  });
});
