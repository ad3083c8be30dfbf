import { X509Certificate } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { Broker } from "../../../src/mqtt/broker.ts";
import { MqttClient } from "../../../src/mqtt/client.ts";
import { encode } from "../../../src/mqtt/encode.ts";
import { PacketType } from "../../../src/mqtt/packets.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { ShadowService } from "../../../src/shadow/service.ts";
import { createAuthority, issueServer } from "../../../src/simulator/authority.ts";
import {
  attachShadowService,
  type Cloud,
  examplePolicies,
  simulate,
  type ThingCredentials,
} from "../../../src/simulator/index.ts";
import { endOrderly, serveMqtt } from "../../../src/simulator/serve.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { memoryPair } from "../../../src/transport/memory.ts";

const crypto = createCrypto();
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function start(): Promise<Cloud> {
  const cloud = await simulate({ runtime: nodeRuntime, crypto });
  open.push(cloud);
  return cloud;
}

async function connect(cloud: Cloud, { certificateId }: ThingCredentials, clientId: string): Promise<MqttClient> {
  const client = await MqttClient.connect({
    transport: () => cloud.transport(certificateId),
    runtime: nodeRuntime,
    clientId,
    reconnect: false,
    timeoutMs: 5_000,
  });
  open.push(client);
  return client;
}

/** Listens on topics and gives the next message of one of them, as JSON. */
async function listen(client: MqttClient, ...filters: string[]) {
  const messages = await client.subscribe(filters, { qos: 1 });
  return async () => {
    const { value } = await messages.next();
    return { topic: value!.topic, json: JSON.parse(new TextDecoder().decode(value!.payload)) };
  };
}

describe("simulator, in process", () => {
  it("serves two clients over memory transports: QoS 0 and 1, both ways", async () => {
    const cloud = await start();
    const lamp = await cloud.createThing("lamp", { policy: examplePolicies.everything });
    const [a, b] = [await connect(cloud, lamp, "a"), await connect(cloud, lamp, "b")];
    const messages = await b.subscribe("telemetry/+", { qos: 1 });
    await a.publish("telemetry/x", "0", { qos: 0 });
    await a.publish("telemetry/y", "1", { qos: 1 });
    const first = await messages.next();
    const second = await messages.next();
    expect([first.value?.topic, second.value?.topic]).toEqual(["telemetry/x", "telemetry/y"]);
    expect(cloud.broker.connected).toEqual(["a", "b"]);
  });

  it("closes a shadow's round: report, desire, delta, report, no delta left", async () => {
    const cloud = await start();
    const device = await connect(
      cloud,
      await cloud.createThing("lamp", { policy: examplePolicies.everything }),
      "lamp",
    );
    const next = await listen(
      device,
      "$aws/things/lamp/shadow/update/accepted",
      "$aws/things/lamp/shadow/update/delta",
    );
    const report = (reported: unknown) =>
      device.publish("$aws/things/lamp/shadow/update", JSON.stringify({ state: { reported }, clientToken: "t" }));
    await report({ powerOn: false });
    expect(await next()).toMatchObject({
      topic: "$aws/things/lamp/shadow/update/accepted",
      json: { state: { reported: { powerOn: false } }, version: 1, clientToken: "t" },
    });
    await cloud.shadow("lamp").desire({ powerOn: true });
    expect((await next()).topic).toBe("$aws/things/lamp/shadow/update/accepted");
    expect(await next()).toMatchObject({
      topic: "$aws/things/lamp/shadow/update/delta",
      json: { state: { powerOn: true }, version: 2 },
    });
    await report({ powerOn: true });
    expect((await next()).json).toMatchObject({ state: { reported: { powerOn: true } }, version: 3 });
    expect(cloud.shadow("lamp").get()?.state).toEqual({ desired: { powerOn: true }, reported: { powerOn: true } });
    await cloud.shadow("lamp").delete();
    expect(cloud.shadow("lamp").get()).toBeUndefined();
  });

  it("answers named shadows, and the payloads of C with their trailing NUL", async () => {
    const cloud = await start();
    const device = await connect(
      cloud,
      await cloud.createThing("lamp", { policy: examplePolicies.everything }),
      "lamp",
    );
    const next = await listen(device, "$aws/things/lamp/shadow/name/night/+/accepted");
    await device.publish("$aws/things/lamp/shadow/name/night/update", '{"state":{"reported":{"a":1}}}\0', { qos: 1 });
    expect((await next()).json).toMatchObject({ version: 1 });
    await device.publish("$aws/things/lamp/shadow/name/night/get", "", { qos: 1 });
    expect((await next()).json).toMatchObject({ state: { reported: { a: 1 } } });
    expect(cloud.shadow("lamp", "night").get()?.version).toBe(1);
  });

  it("tells the app why the service rejects its wish", async () => {
    const cloud = await start();
    await expect(cloud.shadow("lamp").desire({ list: [null] })).rejects.toThrow("rejects");
  });

  it.each(["deactivate", "revoke"] as const)(
    "%s drops the connection that stands, and refuses the next",
    async (how) => {
      const cloud = await start();
      const lamp = await cloud.createThing("lamp", { policy: examplePolicies.everything });
      const client = await connect(cloud, lamp, "a");
      const closed = new Promise((resolve) => client.on("state", ({ to }) => to === "closed" && resolve(to)));
      cloud.certificates[how](lamp.certificateId);
      expect(await closed).toBe("closed");
      await expect(connect(cloud, lamp, "b")).rejects.toMatchObject({ code: "MQTT_CLOSED_BEFORE_CONNACK" });
      cloud.certificates.activate(lamp.certificateId);
      await connect(cloud, lamp, "b");
    },
  );

  it("knows no other certificates, and refuses names that no thing has", async () => {
    const cloud = await start();
    const other = await (await start()).createThing("lamp", { policy: examplePolicies.everything });
    await expect(connect(cloud, other, "a")).rejects.toMatchObject({ code: "MQTT_CLOSED_BEFORE_CONNACK" });
    await expect(cloud.createThing("a b")).rejects.toMatchObject({ code: "USAGE_INVALID_ARGUMENT" });
    expect(() => cloud.certificates.deactivate("00")).toThrow("no certificate");
  });

  it("close() drops the clients and serves nobody afterwards", async () => {
    const cloud = await start();
    const lamp = await cloud.createThing("lamp", { policy: examplePolicies.everything });
    const client = await connect(cloud, lamp, "a");
    const closed = new Promise((resolve) => client.on("state", ({ to }) => to === "closed" && resolve(to)));
    await cloud.close();
    expect(await closed).toBe("closed");
    await expect(connect(cloud, lamp, "b")).rejects.toMatchObject({ code: "MQTT_CLOSED_BEFORE_CONNACK" });
  });

  it("[MQTT-3.1.2-24] drives the broker's keep-alive and CONNECT timeouts on the injected clock", async () => {
    let now = 0;
    const timers: { at: number; fire: () => void }[] = [];
    const runtime = {
      clock: { now: () => now, wallMs: () => 1_700_000_000_000 },
      timers: {
        set(delayMs: number, fire: () => void) {
          const timer = { at: now + delayMs, fire };
          timers.push(timer);
          return () => void timers.splice(timers.indexOf(timer), 1);
        },
      },
      random: nodeRuntime.random,
    };
    const cloud = await simulate({ runtime, crypto });
    const [client, server] = memoryPair();
    let ended = false;
    const connection = serveMqtt(cloud.broker, server, runtime);
    client.open({
      onData: () => {},
      onWritable: () => {},
      onEnd: () => {
        ended = true;
      },
      onError: () => {},
    });
    expect(timers.map(({ at }) => at)).toEqual([10_000]);
    now = 10_000;
    timers.shift()!.fire();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(connection.closed?.reason).toContain("no CONNECT");
    expect([ended, timers.length]).toEqual([true, 0]);
  });

  it("what a client that has ended does not take any more is given up with it, at once", async () => {
    const broker = new Broker({ now: () => 0 });
    const [client, server] = memoryPair({ capacity: 64 });
    let ends = 0;
    serveMqtt(broker, server, nodeRuntime, {
      end: (transport) => {
        ends++;
        return endOrderly(transport);
      },
    });
    client.open({ onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} });
    client.write(
      encode({
        ...{ type: PacketType.CONNECT, clientId: "c", cleanSession: true, keepAliveSeconds: 0 },
        ...{ will: undefined, username: undefined, password: undefined },
      }),
    );
    client.write(encode({ type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "t", qos: 0 }] }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    client.pause();
    broker.publish({ topic: "t", payload: new Uint8Array(500) });
    client.shutdown();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ends).toBe(1);
  });

  it("a client that is dropped and does not take its last bytes is given up after five seconds", async () => {
    let now = 0;
    const timers: { at: number; fire: () => void }[] = [];
    const runtime = {
      clock: { now: () => now, wallMs: () => 1_700_000_000_000 },
      timers: {
        set(delayMs: number, fire: () => void) {
          const timer = { at: now + delayMs, fire };
          timers.push(timer);
          return () => void timers.splice(timers.indexOf(timer), 1);
        },
      },
      random: nodeRuntime.random,
    };
    const broker = new Broker({ now: () => now });
    const [client, server] = memoryPair({ capacity: 64 });
    const connection = serveMqtt(broker, server, runtime);
    client.open({ onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} });
    client.write(
      encode({
        ...{ type: PacketType.CONNECT, clientId: "c", cleanSession: true, keepAliveSeconds: 0 },
        ...{ will: undefined, username: undefined, password: undefined },
      }),
    );
    client.write(encode({ type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "t", qos: 0 }] }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    client.pause();
    broker.publish({ topic: "t", payload: new Uint8Array(500) });
    connection.close("another connection uses the same client id");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(timers.map(({ at }) => at)).toEqual([5_000]);
    now = 5_000;
    timers.shift()!.fire();
    expect(timers).toHaveLength(0);
    expect(server.write(new Uint8Array(1))).toBe(0);
  });
});

describe("simulator: certificates", () => {
  it("RFC 5280: OpenSSL reads the CA, the server and the device certificate and verifies their signatures", async () => {
    const ports = { crypto, random: nodeRuntime.random, clock: nodeRuntime.clock };
    const authority = createAuthority(ports);
    const ca = new X509Certificate(authority.certificate);
    const server = new X509Certificate(
      issueServer(authority, ports, { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"] }).certificate,
    );
    expect([ca.ca, ca.verify(ca.publicKey), server.ca, server.verify(ca.publicKey)]).toEqual([true, true, false, true]);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.checkHost("localhost")).toBe("localhost");
    expect([server.checkIP("127.0.0.1"), server.checkIP("::1")]).toEqual(["127.0.0.1", "::1"]);
    const cloud = await simulate({ runtime: nodeRuntime, crypto, authority });
    const lamp = await cloud.createThing("lamp", { policy: examplePolicies.everything });
    const device = new X509Certificate(lamp.certificate);
    expect(device.verify(ca.publicKey)).toBe(true);
    expect(device.subject).toContain("CN=lamp");
    expect(device.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(lamp.certificateId);
    expect(parsePrivateKey(lamp.privateKey)).toMatchObject({ type: "ec", curve: "secp256r1" });
  });

  it("USAGE_INVALID_ARGUMENT where the time of day is not known", async () => {
    const clock = { now: () => 0, wallMs: () => undefined };
    await expect(simulate({ runtime: { ...nodeRuntime, clock }, crypto })).rejects.toThrow("time of day");
  });
});

describe("attachShadowService", () => {
  it("serves shadows as one more client of a broker that has none, until it is closed", async () => {
    const cloud = await start();
    // A broker without the service: only things whose shadows are answered by the attached one.
    const broker = new Broker({ now: () => performance.now() });
    const dial = (clientId: string) =>
      MqttClient.connect({
        transport: () => {
          const [client, server] = memoryPair();
          serveMqtt(broker, server, nodeRuntime);
          return client;
        },
        runtime: nodeRuntime,
        clientId,
        reconnect: false,
      });
    const service = new ShadowService({ now: () => 1_700_000_000 });
    const [serving, device] = [await dial("shadow-service"), await dial("lamp")];
    open.push(serving, device);
    const attached = await attachShadowService(serving, service);
    const next = await listen(device, "$aws/things/lamp/shadow/get/+", "$aws/things/lamp/shadow/update/accepted");
    await device.publish("$aws/things/lamp/shadow/get", "", { qos: 1 });
    expect(await next()).toMatchObject({ topic: "$aws/things/lamp/shadow/get/rejected", json: { code: 404 } });
    await device.publish("$aws/things/lamp/shadow/update", '{"state":{"reported":{"a":1}}}', { qos: 1 });
    expect((await next()).json).toMatchObject({ version: 1, timestamp: 1_700_000_000 });
    await attached.close();
    await attached.stopped;
    expect(service.peek({ thingName: "lamp" })?.version).toBe(1);
    expect(cloud.shadow("lamp").get()).toBeUndefined();
  });
});
