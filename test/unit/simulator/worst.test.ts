/** The whole stack against AWS IoT at its worst: duplicates, no order, no DUP, subscriptions that take their time, over our own TLS. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { awsAtWorst, awsBehaviour } from "../../../src/mqtt/broker.ts";
import { connectThing, nodeRuntime } from "../../../src/runtime/node.ts";
import { simulate } from "../../../src/simulator/cloud.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe("AWS IoT at its worst", () => {
  it.each([1, 2, 3])("seed %i: the shadow converges, and no acknowledged message is lost", async (seed) => {
    const { disorder, ...worst } = awsAtWorst(seed);
    const cloud = await simulate({
      runtime: nodeRuntime,
      crypto: createCrypto(),
      broker: { ...awsBehaviour, ...worst, disorder: { ...disorder!, probability: 0.4, holdMs: 20 } },
    });
    closers.push(() => cloud.close());
    const { dial, certificate, privateKey, trust } = await cloud.createThing("lamp");
    const thing = await connectThing({
      ...{ endpoint: "localhost", thingName: "lamp", dial, certificate, privateKey, trust },
    });
    closers.push(() => thing.close());

    const shadow = thing.shadow<{ count: number }>();
    shadow.onDelta((delta) => delta);
    await shadow.report({ count: 0 });
    for (let count = 1; count <= 5; count++) {
      await cloud.shadow("lamp").desire({ count });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await shadow.settled({ timeoutMs: 5_000 });
    expect(cloud.shadow("lamp").get()?.state).toEqual({ desired: { count: 5 }, reported: { count: 5 } });

    const got: string[] = [];
    await thing.mqtt.subscribe("test_topic/esp32", {
      qos: 1,
      onMessage: ({ payload }) => void got.push(new TextDecoder().decode(payload)),
    });
    await new Promise((resolve) => setTimeout(resolve, worst.subscribeDelayMs! + 20));
    const sent = Array.from({ length: 30 }, (_, i) => `${i}`);
    await Promise.all(sent.map((text) => thing.mqtt.publish("test_topic/esp32", text, { qos: 1 })));
    await vi.waitFor(() => expect(new Set(got).size).toBe(sent.length), 2_000);
    expect([...new Set(got)].sort((a, b) => Number(a) - Number(b))).toEqual(sent);
    expect(got.length).toBeGreaterThan(sent.length);
    expect([...new Set(got)]).not.toEqual(sent);
  });
});
