import { describe, expect, it } from "vitest";
import {
  defaultPolicy,
  evaluate,
  examplePolicies,
  lintPolicy,
  type PolicyAction,
  type PolicyContext,
  parsePolicy,
  type StatementDocument,
} from "../../../src/simulator/policy/index.ts";
import { allow, arn, deny, lamp } from "./policy-cases.ts";

const THING = "$" + "{iot:Connection.Thing.ThingName}";
const CLIENT = "$" + "{iot:ClientId}";
const base = [
  allow("iot:Connect", arn(`client/${THING}`)),
  allow("iot:Subscribe", arn("topicfilter/s")),
  allow("iot:Receive", arn("topic/s")),
];

function lint(...statements: StatementDocument[]) {
  return lintPolicy(parsePolicy("p", { Version: "2012-10-17", Statement: statements }));
}

function codes(...statements: StatementDocument[]): string[] {
  return lint(...statements).map(({ code, statement }) => (statement === undefined ? code : `${statement} ${code}`));
}

describe("§8: mistakes and holes of a policy", () => {
  const rows: readonly [title: string, statements: StatementDocument[], warnings: string[]][] = [
    ["nothing to say", base, []],
    ["everything", [allow("*", "*")], ["1 everything-allowed"]],
    [
      "every action of a thing only",
      [allow("iot:*", "*", { Bool: { "iot:Connection.Thing.IsAttached": "true" } })],
      [],
    ],
    [
      "Allow NotResource",
      [...base, { Effect: "Allow", Action: "iot:Publish", NotResource: arn("topic/a") }],
      ["4 allow-not-resource"],
    ],
    ["+ in a topic", [...base, allow("iot:Publish", arn("topic/a/+"))], ["4 mqtt-wildcard-in-topic"]],
    ["# in a topic", [...base, allow("iot:Publish", arn("topic/a/#"))], ["4 mqtt-wildcard-in-topic"]],
    ["+ in a filter is a filter", [...base, allow("iot:Subscribe", arn("topicfilter/a/+"))], []],
    ["Subscribe on topic/", [...base, allow("iot:Subscribe", arn("topic/a"))], ["4 wrong-resource-type"]],
    ["Publish on topicfilter/", [...base, allow("iot:Publish", arn("topicfilter/a"))], ["4 wrong-resource-type"]],
    ["Receive on topicfilter/", [...base, allow("iot:Receive", arn("topicfilter/a"))], ["4 wrong-resource-type"]],
    ["Connect on topic/", [...base, allow("iot:Connect", arn("topic/a"))], ["4 wrong-resource-type"]],
    [
      "Publish and Subscribe on topic/",
      [...base, allow(["iot:Publish", "iot:Subscribe"], arn("topic/a"))],
      ["4 wrong-resource-type"],
    ],
    [
      "Publish and Subscribe on both",
      [...base, allow(["iot:Publish", "iot:Subscribe"], [arn("topic/a"), arn("topicfilter/a")])],
      [],
    ],
    ["t* can be both", [...base, allow(["iot:Publish", "iot:Subscribe"], arn("t*"))], []],
    [
      "a client id in a filter, and + may connect",
      [allow("iot:Connect", "*"), allow(["iot:Subscribe"], arn(`topicfilter/my/${CLIENT}/t`)), base[2]!],
      ["2 client-id-in-topicfilter"],
    ],
    [
      "a client id in a filter, and only things connect",
      [...base, allow("iot:Subscribe", arn(`topicfilter/my/${CLIENT}/t`))],
      [],
    ],
    ["Deny Subscribe alone", [...base, deny("iot:Subscribe", arn("topicfilter/a/b/*"))], ["4 deny-subscribe-only"]],
    [
      "Deny Subscribe and Receive",
      [...base, deny("iot:Subscribe", arn("topicfilter/a/b/*")), deny("iot:Receive", arn("topic/a/b/*"))],
      [],
    ],
    ["shadow actions for MQTT", [...base, allow("iot:UpdateThingShadow", arn("thing/x"))], ["4 shadow-action-is-http"]],
    [
      "shadow actions besides the topics",
      [...base, allow("iot:UpdateThingShadow", arn("thing/x")), allow("iot:Publish", arn("topic/$aws/things/*"))],
      [],
    ],
    ["no Connect", base.slice(1), ["missing-connect"]],
    ["no Receive", base.slice(0, 2), ["missing-receive"]],
    ["no Subscribe", [base[0]!, base[2]!], ["missing-subscribe"]],
    [
      "a shadow request without its answers",
      [...base, allow("iot:Publish", arn(`topic/$aws/things/${THING}/shadow/get`))],
      ["missing-shadow-answer", "missing-shadow-answer"],
    ],
    [
      "a shadow request with its answers",
      [
        base[0]!,
        allow("iot:Publish", arn(`topic/$aws/things/${THING}/shadow/get`)),
        allow("iot:Subscribe", arn(`topicfilter/$aws/things/${THING}/shadow/get/+`)),
        allow("iot:Receive", arn(`topic/$aws/things/${THING}/shadow/*`)),
      ],
      [],
    ],
    ["an unknown action", [...base, allow("iot:Publsh", "*")], ["4 unknown-action"]],
    ["an unknown variable", [...base, allow("iot:Publish", arn("topic/$" + "{iot:Client}"))], ["4 unknown-variable"]],
    [
      "a variable that is not closed",
      [...base, allow("iot:Publish", arn("topic/$" + "{iot:ClientId"))],
      ["4 variable-not-closed"],
    ],
    ["an unknown key", [...base, allow("iot:Publish", "*", { Bool: { "iot:IsAttached": "true" } })], ["4 unknown-key"]],
    [
      "an ARN operator without an ARN",
      [...base, allow("iot:Connect", "*", { ArnEquals: { "iot:LastWillTopic": "gone" } })],
      ["4 arn-condition-without-arn"],
    ],
  ];
  for (const [title, statements, warnings] of rows) it(title, () => expect(codes(...statements)).toEqual(warnings));

  it("a variable without the version that has variables", () => {
    const policy = parsePolicy("p", { Statement: [...base, allow("iot:Publish", arn(`topic/${CLIENT}`))] });
    expect(lintPolicy(policy).map(({ code }) => code)).toContain("variable-without-version");
  });

  it("a message says what to write", () => {
    const [warning] = lint(...base, allow("iot:Publish", arn("topic/a/+")));
    expect(warning?.message).toContain("write * instead");
  });
});

describe("ready policies", () => {
  const ask = (document: object, action: PolicyAction, resource: string, context: PolicyContext = lamp): boolean =>
    evaluate(
      [parsePolicy("p", document)],
      { action, resource, region: "us-east-1", accountId: "123456789012" },
      context,
    ).allowed;

  const device: PolicyContext = { ...lamp, certificate: { subject: { CommonName: "lamp" } } };
  const app: PolicyContext = {
    clientId: "lamp-app",
    isAttached: false,
    certificate: { subject: { CommonName: "lamp" } },
  };
  const shadow = "$aws/things/lamp/shadow";
  const needs: readonly [PolicyAction, string][] = [
    ["iot:Publish", "topic/test_topic/esp32"],
    ["iot:Subscribe", "topicfilter/test_topic/esp32"],
    ["iot:Receive", "topic/test_topic/esp32"],
    ["iot:Publish", `topic/${shadow}/update`],
    ["iot:Publish", `topic/${shadow}/get`],
    ["iot:Subscribe", `topicfilter/${shadow}/update/delta`],
    ["iot:Receive", `topic/${shadow}/update/delta`],
    ["iot:Receive", `topic/${shadow}/name/config/get/accepted`],
  ];
  const never: readonly [PolicyAction, string][] = [
    ["iot:Connect", "client/other"],
    ["iot:Publish", "topic/a"],
    ["iot:Publish", "topic/$aws/things/other/shadow/update"],
    ["iot:Subscribe", "topicfilter/#"],
    ["iot:Subscribe", "topicfilter/$aws/things/+/shadow/update/delta"],
    ["iot:Receive", "topic/$aws/things/other/shadow/update/delta"],
    ["iot:RetainPublish", "topic/test_topic/esp32"],
  ];

  it("defaultPolicy is what both examples need", () => {
    expect(lintPolicy(parsePolicy("p", defaultPolicy))).toEqual([]);
    expect(ask(defaultPolicy, "iot:Connect", "client/lamp", device)).toBe(true);
    expect(ask(defaultPolicy, "iot:Connect", "client/lamp-app", app)).toBe(true);
    for (const [action, resource] of needs)
      for (const context of [device, app]) expect(ask(defaultPolicy, action, resource, context), resource).toBe(true);
  });

  it("defaultPolicy is no more than that", () => {
    for (const [action, resource] of never)
      for (const context of [device, app]) expect(ask(defaultPolicy, action, resource, context), resource).toBe(false);
    const detached = { ...device, isAttached: false, thing: undefined };
    expect(ask(defaultPolicy, "iot:Connect", "client/lamp", detached)).toBe(false);
  });

  it("§8 sdk-shadow has 5 Subscribe, 5 Receive, 3 Publish resources, and lacks the answers to get", () => {
    const policy = parsePolicy("p", examplePolicies["sdk-shadow"]);
    expect(policy.statements.map(({ resources }) => resources.length)).toEqual([1, 5, 5, 3]);
    expect(lintPolicy(policy).map(({ code, message }) => [code, /shadow\/(\w+) is/.exec(message)?.[1]])).toEqual([
      ["missing-shadow-answer", "get"],
      ["missing-shadow-answer", "get"],
    ]);
    expect(ask(examplePolicies["sdk-shadow"], "iot:Receive", `topic/${shadow}/update/delta`)).toBe(true);
    expect(ask(examplePolicies["sdk-shadow"], "iot:Receive", `topic/${shadow}/get/accepted`)).toBe(false);
  });

  it("the others are what their names say", () => {
    expect(lintPolicy(parsePolicy("p", examplePolicies["own-topics"]))).toEqual([]);
    expect(lintPolicy(parsePolicy("p", examplePolicies.everything)).map(({ code }) => code)).toEqual([
      "everything-allowed",
    ]);
    expect(lintPolicy(parsePolicy("p", examplePolicies["plus-in-topic"])).map(({ code }) => code)).toEqual([
      "mqtt-wildcard-in-topic",
    ]);
  });
});
