/**
 * The whole way of a policy: kept, attached, changed and detached in the registry, asked by the broker of a cloud, and held against a second
 * reading of it.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode } from "../../../src/mqtt/encode.ts";
import { type Packet, PacketType, type PublishPacket } from "../../../src/mqtt/packets.ts";
import { PacketParser } from "../../../src/mqtt/parser.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { type Cloud, simulate } from "../../../src/simulator/index.ts";
import type { StatementDocument } from "../../../src/simulator/policy/index.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { runs } from "../../runs.ts";
import { bytes, connect, publish, subscribe } from "../../unit/broker/peer.ts";
import { filterMatches, oracle } from "./policy-oracle.ts";

const ACCOUNT = { region: "us-east-1", accountId: "123456789012" };
const NAMES = ["lamp", "fan"] as const;
const TOPICS = ["a", "a/b", "lamp/x", "fan/x"] as const;
const FILTERS = ["#", "a/#", "a/+", "+/x", "lamp/#", "a"] as const;
const RESOURCES = [
  "topic/*",
  "topic/a/*",
  "topic/$" + "{iot:ClientId}/*",
  "topic/$" + "{iot:Connection.Thing.ThingName}/x",
  "topicfilter/*",
  "topicfilter/a/*",
  "client/$" + "{iot:Connection.Thing.ThingName}",
] as const;

const statement: fc.Arbitrary<StatementDocument> = fc
  .record({
    Effect: fc.constantFrom("Allow", "Allow", "Deny") as fc.Arbitrary<"Allow" | "Deny">,
    Action: fc.constantFrom("iot:*", "iot:Connect", "iot:Publish", "iot:Subscribe", "iot:Receive"),
    Resource: fc
      .array(fc.constantFrom(...RESOURCES), { minLength: 1, maxLength: 2 })
      .map((list) => list.map((text) => `arn:aws:iot:${ACCOUNT.region}:${ACCOUNT.accountId}:${text}`)),
    attached: fc.constantFrom("true", "false", undefined, undefined, undefined),
  })
  .map(({ attached, ...rest }) =>
    attached === undefined ? rest : { ...rest, Condition: { Bool: { "iot:Connection.Thing.IsAttached": attached } } },
  );
const policy = fc
  .tuple(fc.constantFrom(["iot:Connect"], ["iot:*"], ["iot:*"]), fc.array(statement, { maxLength: 3 }))
  .map(([Action, more]) => [{ Effect: "Allow" as const, Action, Resource: "*" }, ...more]);

const who = fc.constantFrom(0, 1);
const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("policy" as const), who, name: fc.constantFrom("p", "q"), policy }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("detach" as const), who, name: fc.constantFrom("p", "q") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("thing" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("status" as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("connect" as const), who }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("subscribe" as const), who, filter: fc.constantFrom(...FILTERS) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("publish" as const), who, topic: fc.constantFrom(...TOPICS) }) },
);

/** All turns of promises that are under way, and those that follow from them. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A device over the cloud's transport, and what the test knows of its account. */
class Device {
  readonly policies = new Map<string, readonly StatementDocument[]>();
  readonly filters = new Set<string>();
  isThing = true;
  isActive = true;
  isOpen = false;
  heard: Packet[] = [];
  #transport: Transport | undefined;

  readonly #cloud: Cloud;
  readonly name: string;
  readonly certificateId: string;

  constructor(cloud: Cloud, name: string, certificateId: string) {
    this.#cloud = cloud;
    this.name = name;
    this.certificateId = certificateId;
  }

  may(action: string, resource: string): boolean {
    const client = { clientId: this.name, thing: this.isThing ? this.name : undefined };
    return oracle([...this.policies.values()].flat(), action, resource, client);
  }

  async connect(): Promise<void> {
    const parser = new PacketParser({ role: "client", maxPacketBytes: 10_000 });
    const old = this.#transport;
    const transport = this.#cloud.transport(this.certificateId);
    const over = (): void => {
      if (this.#transport === transport) this.isOpen = false;
    };
    this.#transport = transport;
    this.isOpen = true;
    this.filters.clear();
    transport.open({
      onData: (view) => {
        for (let taken = 0; taken < view.length; ) {
          taken += parser.feed(view.subarray(taken));
          for (let packet: Packet | undefined; (packet = parser.next()); )
            this.heard.push(
              packet.type === PacketType.PUBLISH ? { ...packet, payload: packet.payload.slice() } : packet,
            );
        }
      },
      onWritable: () => {},
      onEnd: over,
      onError: over,
    });
    await this.say(connect(this.name));
    // A CONNECT that is refused takes over nothing: the connection before it goes on, and this device is done with it.
    if (!this.isOpen) old?.destroy();
    await settle();
  }

  async say(packet: Packet): Promise<void> {
    this.heard = [];
    if (this.isOpen) this.#transport!.write(encode(packet));
    await settle();
  }

  messages(): readonly PublishPacket[] {
    return this.heard.filter((packet): packet is PublishPacket => packet.type === PacketType.PUBLISH);
  }
}

/** A device of this name as at the start: not connected, attached to its thing and to one policy that allows everything. */
function anew(cloud: Cloud, name: string, certificateId: string): Device {
  const { certificates, registry, policies } = cloud;
  if (certificates.get(certificateId).status === "ACTIVE") certificates.deactivate(certificateId);
  certificates.activate(certificateId);
  registry.attachThing(name, certificateId);
  for (const policyName of certificates.get(certificateId).policies) registry.detachPolicy(policyName, certificateId);
  const device = new Device(cloud, name, certificateId);
  const everything: StatementDocument = { Effect: "Allow", Action: "iot:*", Resource: "*" };
  registry.attachPolicy(
    policies.put(`p-${name}`, { Version: "2012-10-17", Statement: [everything] }).name,
    certificateId,
  );
  device.policies.set("p", [everything]);
  return device;
}

describe("policies in a cloud", () => {
  it("§8 nothing that the policies in the registry deny at that moment is accepted or delivered, and all that they allow is", async () => {
    let delivered = 0;
    let withheld = 0;
    const cloud = await simulate({ runtime: nodeRuntime, crypto: nodeCrypto(), account: ACCOUNT });
    const ids = new Map<string, string>();
    for (const name of NAMES) ids.set(name, (await cloud.createThing(name, { policy: false })).certificateId);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const devices = NAMES.map((name) => anew(cloud, name, ids.get(name)!));
        for (const at of steps) {
          const device = devices[at.who]!;
          const { certificateId, name } = device;
          if (at.do === "policy") {
            cloud.policies.put(`${at.name}-${name}`, { Version: "2012-10-17", Statement: at.policy });
            cloud.registry.attachPolicy(`${at.name}-${name}`, certificateId);
            device.policies.set(at.name, at.policy);
          } else if (at.do === "detach") {
            if (device.policies.delete(at.name)) cloud.registry.detachPolicy(`${at.name}-${name}`, certificateId);
          } else if (at.do === "thing") {
            if (device.isThing) cloud.registry.detachThing(name, certificateId);
            else cloud.registry.attachThing(name, certificateId);
            device.isThing = !device.isThing;
          } else if (at.do === "status") {
            if (device.isActive) cloud.certificates.deactivate(certificateId);
            else cloud.certificates.activate(certificateId);
            device.isActive = !device.isActive;
            await settle();
            if (!device.isActive) expect(device.isOpen).toBe(false);
          } else if (at.do === "connect" || !device.isOpen) {
            await device.connect();
            expect(device.isOpen).toBe(device.isActive && device.may("iot:Connect", `client/${name}`));
          } else if (at.do === "subscribe") {
            const may = device.may("iot:Subscribe", `topicfilter/${at.filter}`);
            await device.say(subscribe(1, [at.filter, 0]));
            expect(device.isOpen).toBe(may);
            device.filters.add(at.filter);
          } else {
            const may = device.may("iot:Publish", `topic/${at.topic}`);
            const were = devices.map(({ isOpen }) => isOpen);
            for (const each of devices) each.heard = [];
            await device.say(publish(at.topic, "hello"));
            expect(device.isOpen).toBe(may);
            devices.forEach((each, i) => {
              const matches = [...each.filters].some(
                // At AWS IoT a/# is not for a.
                (filter) => filter !== `${at.topic}/#` && filterMatches(filter, at.topic),
              );
              const due = were[i]! && may && matches && each.may("iot:Receive", `topic/${at.topic}`);
              expect(each.messages().map(({ payload }) => payload)).toEqual(due ? [bytes("hello")] : []);
              if (due) delivered++;
              else if (were[i]!) withheld++;
            });
          }
        }
      }),
      runs(40),
    );
    await cloud.close();
    // So that the property is not about silence.
    expect(delivered).toBeGreaterThan(50);
    expect(withheld).toBeGreaterThan(100);
  });
});
