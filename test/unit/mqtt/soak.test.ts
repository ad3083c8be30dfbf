/** The client against our broker over bad streams: small room, small pieces, cuts at many places. Everything settles; nothing is lost at QoS 1. */
import { describe, expect, it } from "vitest";
import { Broker } from "../../../src/mqtt/broker.ts";
import { MqttClient } from "../../../src/mqtt/index.ts";
import { serveMqtt } from "../../../src/simulator/serve.ts";
import { type MemoryFaults, memoryPair } from "../../../src/transport/memory.ts";
import { VirtualRuntime } from "./client-harness.ts";

/** A client of a broker of ours; the faults of each connection in turn, the last one's for all later ones. */
function connect(runtime: VirtualRuntime, broker: Broker, faults: readonly MemoryFaults[], capacity: number) {
  let attempt = 0;
  return MqttClient.connect({
    clientId: "device",
    cleanSession: false,
    runtime,
    reconnect: { minMs: 100, maxMs: 200 },
    transport: () => {
      const fault = faults[Math.min(attempt++, faults.length - 1)]!;
      const [near, far] = memoryPair({ capacity, toFirst: fault, toSecond: fault });
      serveMqtt(broker, far, runtime);
      return near;
    },
  });
}

describe("client and broker", () => {
  it("a payload of 128 KiB goes both ways through 1,000 bytes of room, beside small messages", async () => {
    const runtime = new VirtualRuntime();
    const client = await connect(runtime, new Broker({ now: () => runtime.clock.now() }), [{}], 1_000);
    const messages = await client.subscribe("big", { qos: 1, maxQueued: 1 });
    const payloads = [131_072, 0, 5, 131_072].map((length, i) => new Uint8Array(length).fill(i + 1));
    const sent = Promise.all(payloads.map((payload) => client.publish("big", payload, { qos: 1 })));
    for (const payload of payloads) expect((await messages.next()).value?.payload).toEqual(payload);
    await sent;
    await client.close();
    expect(runtime.armed).toBe(0);
  });

  it.each([60, 61, 97, 130, 200, 333])(
    "[MQTT-4.4.0-1] cut after %i bytes each way, again and again: all at QoS 1 arrives, in order of its first coming",
    async (cutAfter) => {
      const runtime = new VirtualRuntime();
      const broker = new Broker({ now: () => runtime.clock.now() });
      const seen: number[] = [];
      broker.subscribe("t", ({ payload }) => void seen.push(payload[0]!));
      const cuts = Array.from({ length: 12 }, (_, i) => ({ cutAfter: cutAfter + i, pieceBytes: 1 + (i % 7) }));
      const client = await connect(runtime, broker, [...cuts, {}], 64);
      const back: number[] = [];
      client.subscribe("t", { qos: 1, onMessage: ({ payload }) => void back.push(payload[0]!) }).catch(() => {});
      const sent = Array.from({ length: 40 }, (_, i) => client.publish("t", Uint8Array.of(i), { qos: 1 }));
      const ended = Promise.allSettled(sent);
      await runtime.advance(20_000);
      expect((await ended).filter(({ status }) => status === "rejected")).toEqual([]);
      const order = Array.from({ length: 40 }, (_, i) => i);
      expect([...new Set(seen)]).toEqual(order);
      expect([...new Set(back)]).toEqual(order);
      const closed = client.close();
      await runtime.advance(1);
      await closed;
      await runtime.advance(10_000);
      expect([client.state, runtime.armed, broker.connected]).toEqual(["closed", 0, []]);
    },
  );
});
