/**
 * The whole stack against AWS IoT at its worst: duplicates, no order, no DUP, subscriptions that take their time, over our own TLS. All of
 * it, device and cloud, is on one virtual clock: a lost answer's ten seconds take no time, and the same seed gives the same again.
 */
import { describe, expect, it } from "vitest";
import { awsAtWorst, awsBehaviour } from "../../../src/mqtt/broker.ts";
import type { Runtime } from "../../../src/ports.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { simulate } from "../../../src/simulator/cloud.ts";
import { connectThing } from "../../../src/thing/connect.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { VirtualRuntime } from "../mqtt/client-harness.ts";

const TOPIC = "test_topic/esp32";
const crypto = nodeCrypto();

/** A device and a cloud at one time, in which everything happens only as `until` lets time pass. */
function virtualTime(seed: number) {
  const time = new VirtualRuntime();
  const clock = { now: time.clock.now, wallMs: () => Date.UTC(2026, 0, 1) + time.clock.now() };
  const runtime: Runtime = { clock, timers: time.timers, random: seededRandom(seed) };
  const until = async <T>(promise: Promise<T>): Promise<T> => {
    let isOver = false;
    const settled = promise.finally(() => {
      isOver = true;
    });
    settled.catch(() => {});
    for (let steps = 0; !isOver && steps < 60_000; steps++) await time.advance(1);
    if (!isOver) throw new Error("a minute has passed, and nothing came of it");
    return await settled;
  };
  return { runtime, until, advance: (ms: number) => time.advance(ms), armed: () => time.armed };
}

/** One life of a lamp, and what it and the app side saw of it, with the times. */
async function life(seed: number) {
  const { runtime, until, advance, armed } = virtualTime(seed);
  const { disorder, ...worst } = awsAtWorst(seed);
  const cloud = await simulate({
    ...{ runtime, crypto },
    broker: { ...awsBehaviour, ...worst, disorder: { ...disorder!, probability: 0.4, holdMs: 20 } },
  });
  const trace: string[] = [];
  const note = (what: string) => void trace.push(`${runtime.clock.now()} ${what}`);
  const thing = await until(
    connectThing(await cloud.createThing("lamp"), {
      ...{ runtime, crypto: () => crypto, tcp: () => expect.unreachable("it dials the cloud") },
    }),
  );

  const shadow = thing.shadow<{ count: number }>();
  shadow.onDelta((delta) => {
    note(`delta ${JSON.stringify(delta)}`);
    return delta;
  });
  await until(shadow.report({ count: 0 }));
  note("reported");
  for (let count = 1; count <= 5; count++) {
    await cloud.shadow("lamp").desire({ count });
    await advance(5);
  }
  await until(shadow.settled({ timeoutMs: 30_000 }));
  note("settled");

  const got: string[] = [];
  const subscribed = thing.mqtt.subscribe(TOPIC, {
    qos: 1,
    onMessage: ({ payload }) => {
      got.push(new TextDecoder().decode(payload));
      note(`message ${got.at(-1)}`);
    },
  });
  await until(subscribed);
  await advance(worst.subscribeDelayMs! + 20);
  const sent = Array.from({ length: 30 }, (_, i) => `${i}`);
  await until(Promise.all(sent.map((text) => thing.mqtt.publish(TOPIC, text, { qos: 1 }))));
  await advance(2_000);
  const { state } = cloud.shadow("lamp").get()!;
  await until(thing.close());
  await until(cloud.close());
  await advance(10_000);
  return { trace, state, got, sent, armed: armed() };
}

describe("AWS IoT at its worst", () => {
  it.each([1, 2, 3, 4, 5, 6])("seed %i: the shadow converges, and no acknowledged message is lost", async (seed) => {
    const { state, got, sent, armed } = await life(seed);
    expect(state).toEqual({ desired: { count: 5 }, reported: { count: 5 } });
    const first = [...new Set(got)];
    expect([...first].sort((a, b) => Number(a) - Number(b))).toEqual(sent);
    expect(got.length).toBeGreaterThan(sent.length);
    expect(first).not.toEqual(sent);
    // No timer is left of either side.
    expect(armed).toBe(0);
  });

  it("the same seed gives the same again, moment by moment, and another one something else", async () => {
    const { trace } = await life(7);
    expect((await life(7)).trace).toEqual(trace);
    expect((await life(8)).trace).not.toEqual(trace);
  });
});
