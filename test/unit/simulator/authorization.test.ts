/** What the policies are told of a client: from the registry, the certificate, the connection and the clock. */
import { afterEach, describe, expect, it } from "vitest";
import type { BrokerAction } from "../../../src/mqtt/broker.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { Authorization } from "../../../src/simulator/authorization.ts";
import { connect as connectPacket, Peer } from "../broker/peer.ts";
import { closeAll, start } from "./account.ts";
import { allow } from "./policy-cases.ts";

afterEach(closeAll);

const NOON = Date.UTC(2026, 5, 15, 12);
const client = { clientId: "lamp", principal: undefined };
const connect: BrokerAction = { ...client, type: "connect", cleanSession: true, willTopic: undefined };
const any = "arn:aws:iot:*:*:client/*";

type Statement = ReturnType<typeof allow>;

/** Whether the thing `lamp`, of the type `light` in the kitchen, may do something at noon from 192.0.2.17. */
async function may(statement: Statement, action: BrokerAction): Promise<boolean> {
  const cloud = await start({});
  const policy = { Version: "2012-10-17", Statement: statement };
  const { certificateId } = await cloud.createThing("lamp", {
    ...{ policy, typeName: "light", attributes: { room: "kitchen" } },
  });
  cloud.things.put({ thingName: "fan" });
  const authorization = new Authorization(cloud.registry, { ...nodeRuntime.clock, wallMs: () => NOON });
  const identity = { certificateId, certificate: { id: certificateId }, sourceIp: "192.0.2.17" };
  return authorization.authorize(action, identity) === true;
}

describe("§8: what a policy can know of a client", () => {
  const thing = (name: string) => `arn:aws:iot:*:*:client/$\{iot:Connection.Thing.${name}}`;
  const persistent = allow("iot:Connect", any, {
    "ForAnyValue:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] },
  });
  const will = allow("iot:Connect", any, { ArnLike: { "iot:LastWillTopic": "arn:aws:iot:*:*:topic/gone" } });
  const until = (time: string) => allow("iot:Connect", any, { DateLessThan: { "aws:CurrentTime": time } });
  const attached = allow("iot:Connect", any, { Bool: { "iot:Connection.Thing.IsAttached": "true" } });
  it.each<[string, Statement, BrokerAction, boolean]>([
    ["the thing's name", allow("iot:Connect", thing("ThingName")), connect, true],
    [
      "no name of a thing where the client id is another",
      allow("iot:Connect", thing("ThingName")),
      { ...connect, clientId: "x" },
      false,
    ],
    [
      "no name of a thing to which the certificate is not attached",
      allow("iot:Connect", thing("ThingName")),
      { ...connect, clientId: "fan" },
      false,
    ],
    ["IsAttached", attached, connect, true],
    ["not IsAttached to a thing of another name", attached, { ...connect, clientId: "fan" }, false],
    ["the thing's type", allow("iot:Connect", thing("ThingTypeName")), connect, false],
    [
      "the thing's type in a condition",
      allow("iot:Connect", any, { StringEquals: { "iot:Connection.Thing.ThingTypeName": "light" } }),
      connect,
      true,
    ],
    [
      "an attribute",
      allow("iot:Connect", any, { StringEquals: { "iot:Connection.Thing.Attributes[room]": "kitchen" } }),
      connect,
      true,
    ],
    ["the address", allow("iot:Connect", any, { IpAddress: { "aws:SourceIp": "192.0.2.0/24" } }), connect, true],
    [
      "another address",
      allow("iot:Connect", any, { IpAddress: { "aws:SourceIp": "198.51.100.0/24" } }),
      connect,
      false,
    ],
    ["the time", until("2026-06-15T12:00:01Z"), connect, true],
    ["a time that is over", until("2026-06-15T12:00:00Z"), connect, false],
    ["a session that is kept", persistent, { ...connect, cleanSession: false }, true],
    ["a session that is not kept", persistent, connect, false],
    ["the topic of the will", will, { ...connect, willTopic: "gone" }, true],
    ["another topic of the will", will, { ...connect, willTopic: "here" }, false],
  ])("%s", async (_what, statement, action, expected) => {
    expect(await may(statement, action)).toBe(expected);
  });
});

it("a client of the broker that did not come in over the cloud may do nothing", async () => {
  const cloud = await start({});
  for (const principal of [undefined, "client-1"]) {
    const peer = new Peer(cloud.broker, principal).say(connectPacket("lamp"));
    expect([peer.heard(), peer.connection.closed?.kind]).toEqual([[], "denied-connect"]);
  }
});
