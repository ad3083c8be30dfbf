/** The pump between an engine and a transport that do exactly what a test says. */
import { describe, expect, it } from "vitest";
import { type Transport, TransportError } from "../../../src/transport/index.ts";
import { Pump } from "../../../src/transport/pump.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function rig() {
  const log: string[] = [];
  const fed: number[] = [];
  const due: (() => void)[] = [];
  let state: "idle" | "more" | "waiting" = "idle";
  let room = 100;
  let lowerRoom = 100;
  const sent: number[] = [];
  const lower: Transport = {
    description: "test",
    open() {},
    write(view) {
      const taken = Math.min(view.length, lowerRoom);
      lowerRoom -= taken;
      sent.push(...view.subarray(0, taken));
      return taken;
    },
    reserve: () => bytes(),
    commit() {},
    pause: () => void log.push("pause"),
    resume: () => void log.push("resume"),
    shutdown() {},
    destroy() {},
  };
  const pump = new Pump<never>({
    engine: {
      feed(chunk) {
        const taken = Math.min(chunk.length, room);
        room -= taken;
        fed.push(...chunk.subarray(0, taken));
        return taken;
      },
      work() {
        log.push("work");
        return state;
      },
      nextEvent: () => undefined,
      end: () => void log.push("end"),
      fail: () => void log.push("fail"),
    },
    lower,
    timers: {
      set(_, fire) {
        due.push(fire);
        return () => void due.splice(due.indexOf(fire), 1);
      },
    },
    budget: 1,
    onConnected: () => void log.push("connected"),
    onEvent() {},
    onSettled: () => void log.push("settled"),
  });
  return {
    pump,
    log,
    fed,
    due,
    sent,
    set: (more: { state?: typeof state; room?: number; lowerRoom?: number }) => {
      state = more.state ?? state;
      room = more.room ?? room;
      lowerRoom = more.lowerRoom ?? lowerRoom;
    },
    /** How often something was logged since it was last asked. */
    count: (what: string) => log.splice(0).filter((entry) => entry === what).length,
  };
}

describe("the pump", () => {
  it("keeps what the engine has no room for, in order, and pauses the transport below meanwhile", async () => {
    const { pump, log, fed, set } = rig();
    set({ room: 2 });
    pump.onData(bytes(1, 2, 3));
    expect(log).toContain("pause");
    set({ room: 1 });
    // A transport may still deliver what was under way.
    pump.onData(bytes(4));
    expect(fed).toEqual([1, 2, 3]);
    set({ room: 9 });
    pump.wake();
    await Promise.resolve();
    expect(fed).toEqual([1, 2, 3, 4]);
    expect(log).toContain("resume");
  });

  it("feeds nothing while its owner paused, and everything afterwards", async () => {
    const { pump, log, fed } = rig();
    pump.pause();
    pump.onData(bytes(1, 2));
    pump.onEnd();
    await Promise.resolve();
    expect(fed).toEqual([]);
    expect(log).not.toContain("end");
    pump.resume();
    await Promise.resolve();
    expect(fed).toEqual([1, 2]);
    expect(log).toContain("end");
  });

  it("what arrives while a slice waits for its timer does not make the computation denser", () => {
    const { pump, due, set, count } = rig();
    set({ state: "more" });
    pump.onData(bytes(1));
    expect(count("work")).toBe(1);
    for (let i = 0; i < 10; i++) pump.onData(bytes(i));
    expect(count("work")).toBe(0);
    expect(due).toHaveLength(1);
    due.shift()!();
    expect(count("work")).toBe(1);
  });

  it("stop cancels the slice, and nothing runs any more", async () => {
    const { pump, due, fed, set, count } = rig();
    set({ state: "more" });
    pump.onData(bytes(1));
    pump.stop();
    expect(due).toEqual([]);
    count("work");
    pump.onData(bytes(2));
    pump.onWritable();
    pump.onEnd();
    pump.wake();
    await Promise.resolve();
    expect(count("work")).toBe(0);
    expect(fed).toEqual([1]);
  });

  it("an end and a failure reach an engine that waits for somebody, although it takes no more bytes", () => {
    for (const what of ["end", "fail"]) {
      const { pump, log, set } = rig();
      set({ state: "waiting", room: 0 });
      pump.onData(bytes(1));
      if (what === "end") pump.onEnd();
      else pump.onError(new TransportError("TRANSPORT_RESET"));
      expect(log).toContain(what);
    }
  });

  it("what the transport below does not take stays in order, and nothing settles before it has left", () => {
    const { pump, sent, set, count } = rig();
    set({ lowerRoom: 2 });
    pump.send(bytes(1, 2, 3));
    pump.send(bytes(4));
    expect(pump.isBlocked).toBe(true);
    pump.onData(bytes(9));
    expect(count("settled")).toBe(0);
    set({ lowerRoom: 1 });
    pump.onWritable();
    expect(count("settled")).toBe(0);
    set({ lowerRoom: 9 });
    pump.onWritable();
    expect(sent).toEqual([1, 2, 3, 4]);
    expect(pump.isBlocked).toBe(false);
    expect(count("settled")).toBe(1);
  });
});
