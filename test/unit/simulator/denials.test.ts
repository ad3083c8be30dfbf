import { afterEach, describe, expect, it } from "vitest";
import type { Logger } from "../../../src/ports.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import {
  type Cloud,
  type CreateThingOptions,
  examplePolicies,
  type SimulateOptions,
} from "../../../src/simulator/index.ts";
import { closeAll, connect, failure, start } from "./account.ts";

afterEach(closeAll);

const allow = (...statements: readonly [action: string, resource: string][]) => ({
  Version: "2012-10-17",
  Statement: statements.map(([Action, resource]) => ({
    ...{ Effect: "Allow", Action: `iot:${Action}` },
    Resource: `arn:aws:iot:*:*:${resource}`,
  })),
});

async function lamp(options: Partial<SimulateOptions>, policy: CreateThingOptions["policy"]) {
  const cloud = await start(options);
  return { cloud, device: await cloud.createThing("lamp", { policy }) };
}

const explained = (cloud: Cloud) => cloud.explain().map(({ action, resource }) => `${action} ${resource}`);

/** Resolves when the connection is lost. */
function lost(thing: Awaited<ReturnType<typeof connect>>): Promise<string> {
  return new Promise((resolve) => {
    thing.mqtt.on("state", ({ to, error }) => {
      if (to === "closed") resolve((error as { code?: string } | undefined)?.code ?? "closed");
    });
  });
}

describe("the guide's failures: CONNECT that the account does not allow", () => {
  it("no policy attached: the handshake completes, then an alert: -28 with -0x7780 as its cause, phase connect", async () => {
    const { cloud, device } = await lamp({}, false);
    const failed = await failure(connect(cloud, device));
    expect(failed).toMatchObject({ phase: "connect", sdk: -28, mbedtls: -0x7780, alert: 49 });
    expect(failed?.["code"]).toBe("THING_ALERT_AFTER_HANDSHAKE");
    expect(cloud.explain()).toMatchObject([
      {
        action: "iot:Connect",
        resource: "client/lamp",
        explanation: "denied: no policy is attached to the certificate",
      },
    ]);
  });

  it("no thing attached, and a policy that needs one: the same", async () => {
    const { cloud, device } = await lamp({}, examplePolicies["own-topics"]);
    cloud.registry.detachThing("lamp", device.certificateId);
    expect(await failure(connect(cloud, device))).toMatchObject({ code: "THING_ALERT_AFTER_HANDSHAKE", alert: 49 });
  });

  it("a policy that does not allow the client id: closed without an alert: -28, phase connect, another code", async () => {
    const { cloud, device } = await lamp({}, allow(["Connect", "client/other"]));
    const failed = await failure(connect(cloud, device));
    expect(failed).toMatchObject({ phase: "connect", sdk: -28, mbedtls: -0x7280, alert: undefined });
    expect(failed?.["code"]).toBe("THING_CLOSED_AFTER_HANDSHAKE");
    expect(cloud.explain()[0]?.explanation).toContain("iot:Connect on client/lamp");
  });

  it.each([
    [{ connect: 49 as const }, { code: "THING_ALERT_AFTER_HANDSHAKE", alert: 49 }],
    [{ connect: "close_notify" as const }, { code: "THING_CLOSED_AFTER_HANDSHAKE", alert: undefined }],
  ])("switched: %j", async (denials, expected) => {
    const { cloud, device } = await lamp({ denials }, allow(["Connect", "client/other"]));
    expect(await failure(connect(cloud, device))).toMatchObject({ ...expected, sdk: -28 });
  });

  it.each(["connack-5", "connack-7"] as const)(
    "device-shadow.md §1.10: or %s, as an option of the broker",
    async (deniedConnect) => {
      const { cloud, device } = await lamp({ broker: { deniedConnect } }, false);
      expect(await failure(connect(cloud, device))).toMatchObject({ code: "THING_CONNECT_REFUSED", phase: "connect" });
    },
  );
});

describe("device-shadow.md §8: policies and the broker", () => {
  it("a denied PUBLISH closes the connection, and explain() and the log say why", async () => {
    const lines: string[] = [];
    const log: Logger = {
      enabled: (level) => level === "warn",
      log: (level, tag, text) => level === "warn" && lines.push(`${tag} ${text}`),
    };
    const { cloud, device } = await lamp({ log }, allow(["Connect", "client/lamp"], ["Publish", "topic/a/+"]));
    const thing = await connect(cloud, device);
    const end = lost(thing);
    await thing.mqtt.publish("a/b", "x", { qos: 0 });
    expect(await end).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
    expect(explained(cloud)).toEqual(["iot:Publish topic/a/b"]);
    expect(cloud.explain()[0]).toMatchObject({
      ...{ clientId: "lamp", certificateId: device.certificateId, at: expect.any(Number) },
      explanation: expect.stringMatching(/no statement allows iot:Publish on topic\/a\/b.*literal/),
    });
    expect(lines.join("\n")).toContain(
      'broker "lamp" closed: not authorised to publish to "a/b": denied: no statement allows',
    );
  });

  it("retained messages need iot:RetainPublish besides", async () => {
    const { cloud, device } = await lamp({}, allow(["Connect", "client/lamp"], ["Publish", "topic/a"]));
    const thing = await connect(cloud, device);
    await thing.mqtt.publish("a", "x", { qos: 1 });
    const end = lost(thing);
    await thing.mqtt.publish("a", "x", { qos: 0, retain: true });
    await end;
    expect(explained(cloud)).toEqual(["iot:RetainPublish topic/a"]);
  });

  it("a denied SUBSCRIBE closes the connection, or gets 0x80 as an option", async () => {
    const policy = allow(["Connect", "client/lamp"], ["Subscribe", "topic/a"]);
    const { cloud, device } = await lamp({}, policy);
    const thing = await connect(cloud, device);
    const end = lost(thing);
    await expect(thing.mqtt.subscribe("a", { qos: 1 })).rejects.toBeDefined();
    expect(await end).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
    expect(explained(cloud)).toEqual(["iot:Subscribe topicfilter/a"]);
    const other = await lamp({ broker: { deniedSubscribe: "suback" } }, policy);
    const client = await connect(other.cloud, other.device);
    await expect(client.mqtt.subscribe("a", { qos: 1 })).rejects.toMatchObject({ code: "MQTT_SUBSCRIBE_REFUSED" });
    await client.mqtt.publish("x", "x", { qos: 0 });
  });

  it("Receive is asked at each delivery: what is denied in between is silently not delivered, and the connection stands", async () => {
    const open = allow(
      ["Connect", "client/*"],
      ["Publish", "topic/*"],
      ["Subscribe", "topicfilter/*"],
      ["Receive", "topic/*"],
    );
    const { cloud, device } = await lamp({}, open);
    const thing = await connect(cloud, device);
    const messages = await thing.mqtt.subscribe("a/#", { qos: 1 });
    await thing.mqtt.publish("a/1", "1", { qos: 1 });
    expect((await messages.next()).value?.topic).toBe("a/1");
    const deny = { Effect: "Deny", Action: "iot:Receive", Resource: "arn:aws:iot:*:*:topic/a/secret" };
    cloud.policies.put("lamp-policy", { ...open, Statement: [...open.Statement, deny] });
    await thing.mqtt.publish("a/secret", "2", { qos: 1 });
    await thing.mqtt.publish("a/3", "3", { qos: 1 });
    expect((await messages.next()).value?.topic).toBe("a/3");
    expect(cloud.explain()).toMatchObject([
      { action: "iot:Receive", explanation: expect.stringContaining("explicitly") },
    ]);
  });

  it("policies know the address, the thing with type and attributes, and the names of the certificate", async () => {
    const condition = {
      IpAddress: { "aws:SourceIp": "192.0.2.0/24" },
      StringEquals: {
        "iot:Connection.Thing.ThingTypeName": "Bulb",
        "iot:Connection.Thing.Attributes[room]": "hall",
        "iot:Certificate.Subject.CommonName": "lamp",
        "iot:Certificate.Issuer.Organization": "thingwire",
      },
    };
    const policy = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "iot:Connect", Resource: "*", Condition: condition },
    };
    const cloud = await start();
    const device = await cloud.createThing("lamp", { policy, typeName: "Bulb", attributes: { room: "hall" } });
    const from = (sourceIp: string) => ({ dial: () => cloud.connect({ sourceIp }) });
    await (await connect(cloud, device, from("192.0.2.7"))).close();
    expect(await failure(connect(cloud, device, from("198.51.100.7")))).toMatchObject({ phase: "connect" });
    cloud.things.put({ thingName: "lamp", typeName: "Bulb", attributes: { room: "cellar" } });
    expect(await failure(connect(cloud, device, from("192.0.2.7")))).toMatchObject({ phase: "connect" });
  });

  it("the variables of a thing are those of one that is attached to the certificate, and no other's", async () => {
    const policy = {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "iot:Connect",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
          Resource: "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}",
        },
      ],
    };
    const { cloud, device } = await lamp({}, policy);
    cloud.things.put({ thingName: "other" });
    await (await connect(cloud, device)).close();
    expect(await failure(connect(cloud, device, { clientId: "other" }))).toMatchObject({ phase: "connect" });
    cloud.registry.attachThing("other", device.certificateId);
    await (await connect(cloud, device, { clientId: "other" })).close();
  });

  it("remembers a hundred refusals, the newest last", async () => {
    const { cloud, device } = await lamp({}, false);
    for (let i = 0; i < 120; i++)
      await failure(
        new Promise((_, reject) => {
          const transport = cloud.transport(device.certificateId, { sourceIp: `192.0.2.${i}` });
          transport.open({ onData() {}, onWritable() {}, onEnd: () => reject(new Error("over")), onError: reject });
          const id = String(i).padStart(3, "0");
          transport.write(
            Uint8Array.from([0x10, 15, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 3, ...[...id].map((c) => c.charCodeAt(0))]),
          );
        }),
      );
    expect(cloud.explain().map(({ clientId }) => clientId)).toEqual(
      Array.from({ length: 100 }, (_, i) => String(i + 20).padStart(3, "0")),
    );
  });
});

describe("UpdateCertificate: connections of a certificate that is no longer ACTIVE are dropped", () => {
  it.each<[string, (cloud: Cloud, id: string) => void]>([
    ["INACTIVE", (cloud, id) => cloud.certificates.deactivate(id)],
    ["REVOKED", (cloud, id) => cloud.certificates.revoke(id)],
    ["PENDING_ACTIVATION", (cloud, id) => cloud.certificates.setStatus(id, "PENDING_ACTIVATION")],
  ])("at once: %s", async (_, change) => {
    const { cloud, device } = await lamp({}, examplePolicies.everything);
    const end = lost(await connect(cloud, device));
    change(cloud, device.certificateId);
    expect(await end).toBe("MQTT_CONNECTION_LOST");
  });

  it("after propagationMs, unless it is ACTIVE again by then", async () => {
    const { cloud, device } = await lamp({ propagationMs: 60 }, examplePolicies.everything);
    // The attachment propagates, too.
    await new Promise((resolve) => setTimeout(resolve, 80));
    const thing = await connect(cloud, device);
    const end = lost(thing);
    cloud.certificates.deactivate(device.certificateId);
    cloud.certificates.activate(device.certificateId);
    await new Promise((resolve) => setTimeout(resolve, 90));
    await thing.mqtt.publish("a", "x", { qos: 1 });
    cloud.certificates.deactivate(device.certificateId);
    await thing.mqtt.publish("a", "x", { qos: 1 });
    expect(await end).toBe("MQTT_CONNECTION_LOST");
  });

  it("close() leaves no timer behind", async () => {
    let timers = 0;
    const runtime = {
      ...nodeRuntime,
      timers: {
        set(delayMs: number, fire: () => void) {
          timers++;
          const cancel = nodeRuntime.timers.set(delayMs, () => {
            timers--;
            fire();
          });
          return () => {
            timers--;
            cancel();
          };
        },
      },
    };
    const { cloud, device } = await lamp({ runtime, propagationMs: 60_000 }, false);
    cloud.certificates.deactivate(device.certificateId);
    expect(timers).toBe(1);
    await cloud.close();
    expect(timers).toBe(0);
  });
});
