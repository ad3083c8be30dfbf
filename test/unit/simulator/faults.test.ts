import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { Faults } from "../../../src/simulator/faults.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { runs } from "../../runs.ts";
import { closeAll, connect, failure, start } from "./account.ts";

afterEach(closeAll);

/** A clock and timers that a test moves. */
function virtualTime() {
  let now = 0;
  const timers = new Set<{ at: number; fire: () => void }>();
  return {
    clock: { now: () => now, wallMs: () => now },
    timers: {
      set(delayMs: number, fire: () => void) {
        const timer = { at: now + delayMs, fire };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    count: () => timers.size,
    async pass(ms: number) {
      const until = now + ms;
      await settle();
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.fire();
        await settle();
      }
      now = until;
    },
  };
}

it("a connection that breaks leaves no timer behind, in the handshake and after it", async () => {
  let timers = 0;
  const runtime = {
    ...nodeRuntime,
    timers: {
      set(delayMs: number, fire: () => void) {
        timers++;
        let isOver = false;
        const over = () => {
          if (!isOver) timers--;
          isOver = true;
        };
        const cancel = nodeRuntime.timers.set(delayMs, () => {
          over();
          fire();
        });
        return () => {
          over();
          cancel();
        };
      },
    },
  };
  const cloud = await start({ runtime });
  const lamp = await cloud.createThing("lamp");
  for (const after of [0, 10, 500, 1_500]) {
    cloud.faults.cut({ after });
    expect(await failure(connect(cloud, lamp))).toMatchObject({ phase: "handshake" });
    await settle();
    expect(timers).toBe(0);
  }
  await connect(cloud, lamp);
  expect(timers).toBeGreaterThan(0);
  cloud.faults.drop();
  await settle();
  expect(timers).toBe(0);
});

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** What one end of a stream sees. */
function watch(transport: Transport) {
  const seen = { bytes: [] as number[], ended: false, error: undefined as unknown };
  transport.open({
    onData: (view) => void seen.bytes.push(...view),
    onWritable: () => {},
    onEnd: () => {
      seen.ended = true;
    },
    onError: (error) => {
      seen.error = error;
    },
  });
  return seen;
}

function streams() {
  const time = virtualTime();
  const faults = new Faults(time);
  const [device, below] = memoryPair();
  const cloud = faults.over(below);
  return { time, faults, device, cloud, seenByDevice: watch(device), seenByCloud: watch(cloud) };
}

describe("cloud.faults", () => {
  it("property: cut after n bytes, both directions together: not one byte more arrives, and both ends see it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(40),
        fc.array(fc.record({ up: fc.boolean(), length: fc.integer({ min: 1, max: 20 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        async (after, writes) => {
          const { faults, device, cloud, seenByDevice, seenByCloud } = streams();
          faults.cut({ after });
          for (const { up, length } of writes) {
            (up ? device : cloud).write(new Uint8Array(length));
            await settle();
          }
          const sent = writes.reduce((sum, { length }) => sum + length, 0);
          expect(seenByDevice.bytes.length + seenByCloud.bytes.length).toBe(Math.min(sent, after));
          const isCut = sent > after;
          const code = isCut ? { code: "TRANSPORT_RESET" } : undefined;
          for (const { error } of [seenByDevice, seenByCloud])
            if (code === undefined) expect(error).toBeUndefined();
            else expect(error).toMatchObject(code);
        },
      ),
      runs(60),
    );
  });

  it("one cut is for one connection; clear() and the bytes before do not count", async () => {
    const { faults, device, cloud, seenByDevice, seenByCloud } = streams();
    device.write(new Uint8Array(100));
    await settle();
    faults.cut({ after: 10 });
    cloud.write(new Uint8Array(10));
    await settle();
    expect(seenByDevice.bytes).toHaveLength(10);
    faults.clear();
    device.write(new Uint8Array(100));
    await settle();
    expect([seenByCloud.bytes.length, seenByCloud.error]).toEqual([200, undefined]);
  });

  it("delay: everything arrives that much later, in order, the end too", async () => {
    const { time, faults, device, cloud, seenByDevice, seenByCloud } = streams();
    faults.delay(50);
    device.write(Uint8Array.of(1));
    cloud.write(Uint8Array.of(4));
    await time.pass(20);
    device.write(Uint8Array.of(2));
    device.shutdown();
    cloud.write(Uint8Array.of(5));
    cloud.shutdown();
    await time.pass(29);
    expect([seenByCloud.bytes, seenByDevice.bytes]).toEqual([[], []]);
    await time.pass(1);
    expect([seenByCloud.bytes, seenByDevice.bytes]).toEqual([[1], [4]]);
    faults.delay(0);
    await time.pass(20);
    expect([seenByCloud.bytes, seenByDevice.bytes]).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect([seenByCloud.ended, seenByDevice.ended]).toEqual([true, true]);
    cloud.destroy();
    expect(time.count()).toBe(0);
  });

  it("delay: back-pressure holds; a megabyte both ways arrives whole", async () => {
    const { time, faults, device, cloud, seenByDevice, seenByCloud } = streams();
    faults.delay(5);
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    let [up, down] = [0, 0];
    // While no time passes, neither side can pile up what it likes.
    for (let i = 0; i < 50; i++) {
      up += device.write(bytes.subarray(up));
      down += cloud.write(bytes.subarray(down));
      await settle();
    }
    expect([up, down].filter((sent) => sent > 200_000)).toEqual([]);
    for (let i = 0; i < 400 && (up < bytes.length || down < bytes.length); i++) {
      up += device.write(bytes.subarray(up));
      down += cloud.write(bytes.subarray(down));
      await time.pass(5);
    }
    await time.pass(20);
    expect(Buffer.compare(Buffer.from(seenByCloud.bytes), bytes)).toBe(0);
    expect(Buffer.compare(Buffer.from(seenByDevice.bytes), bytes)).toBe(0);
  });

  it("what was written before destroy() still arrives late", async () => {
    const { time, faults, cloud, seenByDevice } = streams();
    faults.delay(50);
    cloud.write(Uint8Array.of(1));
    cloud.shutdown();
    cloud.destroy();
    await time.pass(60);
    expect([seenByDevice.bytes, seenByDevice.ended, time.count()]).toEqual([[1], true, 0]);
  });

  it("API §6: a handshake is cut at any byte, and the next one passes", async () => {
    const cloud = await start();
    const device = await cloud.createThing("lamp");
    for (const after of [0, 1, 117, 700]) {
      cloud.faults.cut({ after });
      expect(await failure(connect(cloud, device))).toMatchObject({ phase: "handshake" });
      await (await connect(cloud, device)).close();
    }
    cloud.faults.cut({ after: 10, times: 2 });
    expect(await failure(connect(cloud, device))).toBeDefined();
    expect(await failure(connect(cloud, device))).toBeDefined();
    const thing = await connect(cloud, device);
    const lost = new Promise((resolve) => thing.mqtt.on("state", ({ to }) => to === "closed" && resolve(to)));
    cloud.faults.drop();
    expect(await lost).toBe("closed");
  });

  it("USAGE_INVALID_ARGUMENT for what is no number of bytes or milliseconds", async () => {
    const { faults } = streams();
    for (const call of [
      () => faults.cut({ after: -1 }),
      () => faults.cut({ after: 1.5 }),
      () => faults.cut({ after: 1, times: 0 }),
      () => faults.delay(-1),
      () => faults.delay(Number.NaN),
    ])
      expect(call).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
