import { describe, expect, it } from "vitest";
import {
  evaluate,
  type PolicyAction,
  type PolicyContext,
  parsePolicy,
  type StatementDocument,
} from "../../../src/simulator/policy/index.ts";
import { allow, arn, deny, judge, lamp, stranger } from "./policy-cases.ts";

const THING = "$" + "{iot:Connection.Thing.ThingName}";
const other = allow("iot:Connect", arn("client/lamp"));

describe("§8: the explanation names the statement that decides, or the nearest miss", () => {
  const rows: readonly [
    title: string,
    statements: StatementDocument | StatementDocument[],
    ask: readonly [PolicyAction, string],
    explanation: string,
    context?: PolicyContext,
  ][] = [
    [
      "allowed",
      [other, allow("iot:Publish", "*")],
      ["iot:Publish", "topic/a"],
      "allowed: statement 2 of policy p allows iot:Publish on topic/a",
    ],
    [
      "a Sid is named",
      { ...allow("iot:Publish", "*"), Sid: "Send" },
      ["iot:Publish", "topic/a"],
      "allowed: statement 1 (Send) of policy p allows iot:Publish on topic/a",
    ],
    [
      "denied explicitly",
      [allow("*", "*"), deny("iot:Publish", arn("topic/a"))],
      ["iot:Publish", "topic/a"],
      "denied: statement 2 of policy p denies iot:Publish on topic/a explicitly",
    ],
    ["nothing near", other, ["iot:Publish", "topic/a"], "denied: no statement allows iot:Publish on topic/a"],
    [
      "+ in a topic",
      [other, allow("iot:Publish", arn("topic/sensors/+"))],
      ["iot:Publish", "topic/sensors/1"],
      "denied: no statement allows iot:Publish on topic/sensors/1; statement 2 of policy p would, but `+` is a literal in a resource",
    ],
    [
      "# in a topic",
      allow("iot:Receive", arn("topic/sensors/#")),
      ["iot:Receive", "topic/sensors/1/x"],
      "denied: no statement allows iot:Receive on topic/sensors/1/x; statement 1 of policy p would, but `#` is a literal in a resource",
    ],
    [
      "# besides *",
      allow("iot:Receive", arn("topic/$aws/things/*/shadow/#")),
      ["iot:Receive", "topic/$aws/things/a/shadow/get/accepted"],
      "denied: no statement allows iot:Receive on topic/$aws/things/a/shadow/get/accepted; statement 1 of policy p would, but `#` is a literal in a resource",
    ],
    [
      "+ in a topic that would not match as a wildcard either",
      allow("iot:Publish", arn("topic/sensors/+")),
      ["iot:Publish", "topic/sensors/1/x"],
      "denied: no statement allows iot:Publish on topic/sensors/1/x",
    ],
    [
      "case",
      allow("iot:Connect", arn("client/Lamp")),
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but upper and lower case differ: it names client/Lamp",
    ],
    [
      "of two misses the nearer one, wherever it stands",
      [
        allow("iot:Publish", arn("topic/sensors")),
        allow("iot:Publish", arn("topic/Sensors/1")),
        allow("iot:Publish", arn("topic/sensors/+")),
      ],
      ["iot:Publish", "topic/sensors/1"],
      "denied: no statement allows iot:Publish on topic/sensors/1; statement 3 of policy p would, but `+` is a literal in a resource",
    ],
    [
      "of two misses alike the first",
      [allow("iot:Connect", arn("client/Lamp")), allow("iot:Connect", arn("client/LAMP"))],
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but upper and lower case differ: it names client/Lamp",
    ],
    [
      "wrong type",
      allow("iot:Subscribe", arn("topic/a/*")),
      ["iot:Subscribe", "topicfilter/a/#"],
      "denied: no statement allows iot:Subscribe on topicfilter/a/#; statement 1 of policy p would, but it names topic/…, and iot:Subscribe is asked for topicfilter/…",
    ],
    [
      "region",
      allow("iot:Publish", "arn:aws:iot:eu-west-1:123456789012:topic/a"),
      ["iot:Publish", "topic/a"],
      "denied: no statement allows iot:Publish on topic/a; statement 1 of policy p would, but its resource is in the region eu-west-1, and this is us-east-1",
    ],
    [
      "account",
      allow("iot:Publish", "arn:aws:iot:*:210987654321:topic/a"),
      ["iot:Publish", "topic/a"],
      "denied: no statement allows iot:Publish on topic/a; statement 1 of policy p would, but its resource is in the account 210987654321, and this is 123456789012",
    ],
    [
      "a variable of a thing that is not attached",
      allow("iot:Connect", arn(`client/${THING}`)),
      ["iot:Connect", "client/lamp"],
      `denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but ${THING} has no value: the certificate is not attached to a thing of the name lamp, which is the client id`,
    ],
    [
      "an attribute that the thing lacks",
      allow("iot:Publish", arn("topic/$" + "{iot:Connection.Thing.Attributes[floor]}/x")),
      ["iot:Publish", "topic/1/x"],
      "denied: no statement allows iot:Publish on topic/1/x; statement 1 of policy p would, but $" +
        "{iot:Connection.Thing.Attributes[floor]} has no value for the thing lamp",
      lamp,
    ],
    [
      "a variable in a resource that would not match anyhow",
      allow("iot:Connect", arn(`client/x-${THING}`)),
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp",
    ],
    [
      "a condition",
      allow("iot:Connect", "*", { Bool: { "iot:Connection.Thing.IsAttached": "true" } }),
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but its condition Bool iot:Connection.Thing.IsAttached true does not hold: it is false",
    ],
    [
      "a condition on a key that is not there",
      allow("iot:Connect", "*", { IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"] } }),
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but its condition IpAddress aws:SourceIp 192.0.2.0/24, 10.0.0.0/8 does not hold: the request has none",
    ],
    [
      "a condition on a key of the thing",
      allow("iot:Connect", "*", { StringEquals: { "iot:Connection.Thing.ThingTypeName": "light" } }),
      ["iot:Connect", "client/lamp"],
      "denied: no statement allows iot:Connect on client/lamp; statement 1 of policy p would, but its condition StringEquals iot:Connection.Thing.ThingTypeName light does not hold: the request has none: the certificate is not attached to a thing of the name lamp, which is the client id",
    ],
    [
      "NotResource",
      { Effect: "Allow", Action: "iot:Publish", NotResource: arn("topic/a/*") },
      ["iot:Publish", "topic/a/b"],
      "denied: no statement allows iot:Publish on topic/a/b; statement 1 of policy p would, but its NotResource excepts topic/a/*",
    ],
    [
      "NotResource with a variable that has no value",
      { Effect: "Allow", Action: "iot:Publish", NotResource: arn(`topic/${THING}`) },
      ["iot:Publish", "topic/a"],
      `denied: no statement allows iot:Publish on topic/a; statement 1 of policy p would, but ${THING} has no value: the certificate is not attached to a thing of the name lamp, which is the client id`,
    ],
    [
      "only for another action",
      allow("iot:Publish", arn("topic/a")),
      ["iot:RetainPublish", "topic/a"],
      "denied: no statement allows iot:RetainPublish on topic/a; statement 1 of policy p would, but it is about iot:Publish, not iot:RetainPublish",
    ],
    [
      "the level above only",
      allow("iot:Publish", arn("topic/a")),
      ["iot:Publish", "topic/a/b"],
      "denied: no statement allows iot:Publish on topic/a/b; statement 1 of policy p would, but it names topic/a only; what is below needs /* at the end",
    ],
    [
      "two mistakes in one statement",
      allow("iot:Publish", arn("topic/+"), { StringEquals: { "iot:ClientId": "x" } }),
      ["iot:Publish", "topic/a"],
      "denied: no statement allows iot:Publish on topic/a; statement 1 of policy p would, but `+` is a literal in a resource, and its condition StringEquals iot:ClientId x does not hold: it is lamp",
    ],
    [
      "the nearest of several",
      [
        allow("iot:Subscribe", arn("topic/a")),
        allow("iot:Publish", arn("topic/A")),
        allow("iot:Publish", arn("topic/a"), { Null: { "iot:ClientId": "true" } }),
      ],
      ["iot:Publish", "topic/a"],
      "denied: no statement allows iot:Publish on topic/a; statement 3 of policy p would, but its condition Null iot:ClientId true does not hold: it is lamp",
    ],
  ];
  for (const [title, statements, ask, explanation, context = stranger] of rows)
    it(title, () => expect(judge(statements, ask, context).explanation).toBe(explanation));

  it("names the policy among several", () => {
    const policies = ["one", "two"].map((name) =>
      parsePolicy(name, {
        Version: "2012-10-17",
        Statement: allow("iot:Publish", arn(name === "two" ? "topic/+" : "topic/x")),
      }),
    );
    expect(evaluate(policies, { action: "iot:Publish", resource: "topic/a" }, stranger).explanation).toContain(
      "statement 1 of policy two would, but `+` is a literal",
    );
  });

  it("text of the client is made printable", () => {
    const { explanation } = judge(other, ["iot:Publish", "topic/\u001b[31mred\n"]);
    for (const character of ["\u001b", "\n"]) expect(explanation).not.toContain(character);
  });
});
