import { describe, expect, it } from "vitest";
import type { BrokerAction } from "../../../src/mqtt/broker.ts";
import { connectFacts, evaluate, parsePolicy, policyRequests } from "../../../src/simulator/policy/index.ts";
import { ACCOUNT, allow, arn, type Case, check, deny, judge, lamp, REGION, stranger } from "./policy-cases.ts";

const THING = "$" + "{iot:Connection.Thing.ThingName}";
const CLIENT = "$" + "{iot:ClientId}";
const v = (name: string): string => `$\{${name}}`;
const publish = (topic: string) => ["iot:Publish", `topic/${topic}`] as const;
const subscribe = (filter: string) => ["iot:Subscribe", `topicfilter/${filter}`] as const;
const receive = (topic: string) => ["iot:Receive", `topic/${topic}`] as const;
const connect = (id: string) => ["iot:Connect", `client/${id}`] as const;

describe("§8: default deny, explicit deny", () => {
  check([
    ["§8 nothing is allowed by a statement about something else", allow("iot:Connect", "*"), publish("a"), false],
    ["§8 an Allow allows", allow("iot:Publish", arn("topic/a")), publish("a"), true],
    ["§8 a Deny alone allows nothing else", deny("iot:Publish", arn("topic/b")), publish("a"), false],
    ["§8 a Deny wins behind an Allow", [allow("*", "*"), deny("iot:Publish", arn("topic/a"))], publish("a"), false],
    ["§8 a Deny wins before an Allow", [deny("iot:Publish", arn("topic/a")), allow("*", "*")], publish("a"), false],
    ["§8 a Deny of another action leaves it", [allow("*", "*"), deny("iot:Receive", "*")], publish("a"), true],
    [
      "§8 a Deny of another topic leaves it",
      [allow("*", "*"), deny("iot:Publish", arn("topic/b"))],
      publish("a"),
      true,
    ],
    [
      "§8 a Deny whose condition fails leaves it",
      [allow("*", "*"), deny("*", "*", { StringEquals: { "iot:ClientId": "other" } })],
      publish("a"),
      true,
    ],
  ]);

  it("§8 without any policy all is denied", () => {
    const decision = evaluate([], { action: "iot:Connect", resource: "client/a" }, stranger);
    expect(decision).toEqual({ allowed: false, explanation: "denied: no policy is attached to the certificate" });
  });

  it("§8 several policies are one: a Deny in the last wins over an Allow in the first", () => {
    const policies = [
      parsePolicy("yes", { Version: "2012-10-17", Statement: allow("iot:Publish", "*") }),
      parsePolicy("no", {
        Version: "2012-10-17",
        Statement: [allow("iot:Connect", "*"), deny("iot:Publish", arn("topic/a"))],
      }),
    ];
    expect(evaluate(policies, { action: "iot:Publish", resource: "topic/a" }, stranger)).toMatchObject({
      allowed: false,
      by: { policy: "no", statement: 2 },
    });
    expect(evaluate(policies, { action: "iot:Publish", resource: "topic/b" }, stranger)).toMatchObject({
      allowed: true,
      by: { policy: "yes", statement: 1 },
    });
  });
});

describe("§8: actions", () => {
  check([
    ["§8 Action iot:*", allow("iot:*", "*"), publish("a"), true],
    ["§8 Action *", allow("*", "*"), subscribe("a"), true],
    ["§8 Action iot:P* is a prefix", allow("iot:P*", "*"), publish("a"), true],
    ["§8 Action iot:P* is not iot:Receive", allow("iot:P*", "*"), receive("a"), false],
    ["§8 Action iot:*Publish covers RetainPublish", allow("iot:*Publish", "*"), ["iot:RetainPublish", "topic/a"], true],
    [
      "§8 Action iot:Publish does not cover RetainPublish",
      allow("iot:Publish", "*"),
      ["iot:RetainPublish", "topic/a"],
      false,
    ],
    ["§8 one of several actions", allow(["iot:Connect", "iot:Publish"], "*"), publish("a"), true],
    ["IAM action names have no case", allow("IOT:publish", "*"), publish("a"), true],
    ["§8 an action of another service is none of ours", allow("s3:*", "*"), publish("a"), false],
  ]);
});

describe("§8: resources and wildcards", () => {
  check([
    ["§8 * crosses levels", allow("iot:Publish", arn("topic/a/*")), publish("a/b/c/d"), true],
    ["§8 * is also nothing", allow("iot:Publish", arn("topic/a/*")), publish("a/"), true],
    ["§8 a/* is not a", allow("iot:Publish", arn("topic/a/*")), publish("a"), false],
    ["§8 a* is a, and ab", allow("iot:Publish", arn("topic/a*")), publish("ab/c"), true],
    ["§8 * in the middle", allow("iot:Publish", arn("topic/a/*/z")), publish("a/b/c/z"), true],
    ["§8 * in the middle needs the end", allow("iot:Publish", arn("topic/a/*/z")), publish("a/b/c/y"), false],
    [
      "§8 several * go back no further than the last one",
      allow("iot:Publish", arn("topic/*ab*abc")),
      publish("xabababc"),
      true,
    ],
    ["§8 ? is one character", allow("iot:Publish", arn("topic/a?c")), publish("abc"), true],
    ["§8 ? is a / too", allow("iot:Publish", arn("topic/a?c")), publish("a/c"), true],
    ["§8 ? is not none", allow("iot:Publish", arn("topic/ab?")), publish("ab"), false],
    ["§8 ? is not two", allow("iot:Publish", arn("topic/a?")), publish("abc"), false],
    ["§8 ? is one character beyond the BMP", allow("iot:Publish", arn("topic/a?b")), publish("a\u{1f4a1}b"), true],
    [
      "§8 two ? are not one character beyond the BMP",
      allow("iot:Publish", arn("topic/a??b")),
      publish("a\u{1f4a1}b"),
      false,
    ],
    ["§8 + is a literal", allow("iot:Publish", arn("topic/a/+")), publish("a/b"), false],
    ["§8 # is a literal", allow("iot:Receive", arn("topic/a/#")), receive("a/b"), false],
    ["§8 . is a literal", allow("iot:Publish", arn("topic/a.c")), publish("abc"), false],
    ["§8 [ and ( are literals", allow("iot:Publish", arn("topic/[a](b)")), publish("[a](b)"), true],
    ["§8 case counts", allow("iot:Publish", arn("topic/A")), publish("a"), false],
    ["§8 Resource * is everything", allow("iot:Publish", "*"), publish("$aws/things/x"), true],
    ["§8 one of several resources", allow("iot:Publish", [arn("topic/a"), arn("topic/b")]), publish("b"), true],
    ["§8 a colon in a topic is part of it", allow("iot:Publish", arn("topic/a:b")), publish("a:b"), true],
    ["§8 Publish wants topic/, not topicfilter/", allow("iot:Publish", arn("topicfilter/a")), publish("a"), false],
    ["§8 Receive wants topic/, not topicfilter/", allow("iot:Receive", arn("topicfilter/a")), receive("a"), false],
    ["§8 Subscribe wants topicfilter/, not topic/", allow("iot:Subscribe", arn("topic/a")), subscribe("a"), false],
    ["§8 Connect wants client/", allow("iot:Connect", arn("client/lamp")), connect("lamp"), true],
    ["§8 Connect as another client", allow("iot:Connect", arn("client/lamp")), connect("lamp2"), false],
    ["IAM another region", allow("iot:Publish", `arn:aws:iot:eu-west-1:${ACCOUNT}:topic/a`), publish("a"), false],
    ["IAM another account", allow("iot:Publish", `arn:aws:iot:${REGION}:210987654321:topic/a`), publish("a"), false],
    ["IAM any region and account", allow("iot:Publish", "arn:aws:iot:*:*:topic/a"), publish("a"), true],
    ["IAM part of a region", allow("iot:Publish", "arn:aws:iot:us-*:1234*:topic/a"), publish("a"), true],
    [
      "IAM a * in the region stays in it",
      allow("iot:Publish", `arn:aws:iot:*:topic/a`.replace(":topic", ":*:topic")),
      publish("x:y:topic/a"),
      false,
    ],
    ["IAM arn:aws:iot:* is all of it", allow("iot:Publish", "arn:aws:iot:*"), publish("a"), true],
    [
      "AWS partitions of China and GovCloud",
      allow("iot:Publish", `arn:aws-cn:iot:${REGION}:${ACCOUNT}:topic/a`),
      publish("a"),
      true,
    ],
  ]);

  it("a region and account that are not known are not looked at", () => {
    const policy = parsePolicy("p", {
      Version: "2012-10-17",
      Statement: allow("iot:Publish", "arn:aws:iot:eu-west-1:1:topic/a"),
    });
    expect(evaluate([policy], { action: "iot:Publish", resource: "topic/a" }, stranger).allowed).toBe(true);
  });

  it("bounded: many wildcards against a long topic that does not match take no time", () => {
    const resource = arn(`topic/${"*a".repeat(600)}b`);
    const started = performance.now();
    expect(judge(allow("iot:Publish", resource), publish("a".repeat(5_000))).allowed).toBe(false);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("§8: filters are compared as text", () => {
  const wide = allow("iot:Subscribe", arn("topicfilter/a/*"));
  check([
    ["§8 the wildcards of a filter are characters to *", wide, subscribe("a/#"), true],
    [
      "§8 a filter with + is not the resource without",
      allow("iot:Subscribe", arn("topicfilter/a/b")),
      subscribe("a/+"),
      false,
    ],
    ["§8 a resource with + is that filter", allow("iot:Subscribe", arn("topicfilter/a/+")), subscribe("a/+"), true],
    [
      "§8 a resource with + is no other filter",
      allow("iot:Subscribe", arn("topicfilter/a/+")),
      subscribe("a/b"),
      false,
    ],
    [
      "§8 a resource with # is no other filter",
      allow("iot:Subscribe", arn("topicfilter/a/#")),
      subscribe("a/b"),
      false,
    ],
    [
      "§8 hole: Deny a/restricted/* …",
      [wide, deny("iot:Subscribe", arn("topicfilter/a/restricted/*"))],
      subscribe("a/restricted/x"),
      false,
    ],
    [
      "§8 … still lets a/# through",
      [wide, deny("iot:Subscribe", arn("topicfilter/a/restricted/*"))],
      subscribe("a/#"),
      true,
    ],
    [
      "§8 block: Receive is denied at each delivery",
      [allow("*", "*"), deny("iot:Receive", arn("topic/a/restricted/*"))],
      receive("a/restricted/x"),
      false,
    ],
    [
      "shared subscriptions are filters as text",
      allow("iot:Subscribe", arn("topicfilter/$share/g/a/*")),
      subscribe("$share/g/a/#"),
      true,
    ],
    [
      "§8 hole: the client id + makes a wildcard of its filter",
      allow("iot:Subscribe", arn(`topicfilter/my/${CLIENT}/topic`)),
      subscribe("my/+/topic"),
      true,
      { clientId: "+", isAttached: false },
    ],
  ]);
});

describe("§8: NotResource", () => {
  const except = (effect: "Allow" | "Deny", ...resources: string[]) =>
    ({ Effect: effect, Action: "iot:Publish", NotResource: resources }) as const;
  check([
    ["§8 Allow NotResource allows the rest", except("Allow", arn("topic/a/*")), publish("b"), true],
    ["§8 Allow NotResource excepts", except("Allow", arn("topic/a/*")), publish("a/b"), false],
    ["§8 Allow NotResource with several", except("Allow", arn("topic/a"), arn("topic/b")), publish("b"), false],
    ["§8 Deny NotResource denies the rest", [allow("*", "*"), except("Deny", arn("topic/a/*"))], publish("b"), false],
    ["§8 Deny NotResource excepts", [allow("*", "*"), except("Deny", arn("topic/a/*"))], publish("a/b"), true],
    ["§8 NotResource with a variable", except("Allow", arn(`topic/${CLIENT}/*`)), publish("lamp/x"), false],
    ["§8 unresolved in Allow NotResource: does not apply", except("Allow", arn(`topic/${THING}`)), publish("b"), false],
    [
      "§8 unresolved in Deny NotResource: denies",
      [allow("*", "*"), except("Deny", arn(`topic/${THING}`))],
      publish("b"),
      false,
    ],
  ]);
});

describe("§8: variables", () => {
  const at = (variable: string) => allow("iot:Publish", arn(`topic/x/${v(variable)}`));
  const cases: Case[] = [
    ["§8 iot:ClientId", at("iot:ClientId"), publish("x/lamp"), true],
    ["§8 iot:ClientId is not another's", at("iot:ClientId"), publish("x/other"), false],
    ["§8 iot:ClientId in the middle", allow("iot:Publish", arn(`topic/a${CLIENT}b/*`)), publish("alampb/c"), true],
    ["§8 twice in one resource", allow("iot:Publish", arn(`topic/${CLIENT}/${CLIENT}`)), publish("lamp/lamp"), true],
    [
      "§8 a client id * is no wildcard",
      allow("iot:Publish", arn(`topic/${CLIENT}`)),
      publish("secret"),
      false,
      { clientId: "*", isAttached: false },
    ],
    [
      "§8 a client id ? is no wildcard",
      allow("iot:Publish", arn(`topic/${CLIENT}`)),
      publish("a"),
      false,
      { clientId: "?", isAttached: false },
    ],
    [
      "§8 a client id that looks like a variable is text",
      allow("iot:Publish", arn(`topic/${CLIENT}`)),
      publish("lamp"),
      false,
      { ...lamp, clientId: THING },
    ],
    ["§8 aws:SourceIp", at("aws:SourceIp"), publish("x/192.0.2.17"), true, lamp],
    ["§8 ThingName of an attached thing", at("iot:Connection.Thing.ThingName"), publish("x/lamp"), true, lamp],
    [
      "§8 ThingName without a thing: no match",
      at("iot:Connection.Thing.ThingName"),
      publish("x/lamp"),
      false,
      stranger,
    ],
    [
      "§8 ThingName without a thing: no match as text either",
      at("iot:Connection.Thing.ThingName"),
      publish(`x/${THING}`),
      false,
      stranger,
    ],
    [
      "§8 unresolved in one resource leaves the other",
      allow("iot:Publish", [arn(`topic/${THING}`), arn("topic/b")]),
      publish("b"),
      true,
    ],
    [
      "§8 unresolved in a Deny: does not match",
      [allow("*", "*"), deny("iot:Publish", arn(`topic/${THING}`))],
      publish("lamp"),
      true,
    ],
    ["§8 ThingTypeName", at("iot:Connection.Thing.ThingTypeName"), publish("x/light"), true, lamp],
    ["§8 Attributes[room]", at("iot:Connection.Thing.Attributes[room]"), publish("x/kitchen"), true, lamp],
    [
      "§8 Attributes[] is exact about case",
      at("iot:Connection.Thing.Attributes[Room]"),
      publish("x/kitchen"),
      false,
      lamp,
    ],
    ["§8 Attributes[] that the thing lacks", at("iot:Connection.Thing.Attributes[floor]"), publish("x/"), false, lamp],
    [
      "§8 Attributes[constructor] is no inherited member",
      at("iot:Connection.Thing.Attributes[constructor]"),
      publish("x/a"),
      false,
      lamp,
    ],
    ["§8 IsAttached as a variable", at("iot:Connection.Thing.IsAttached"), publish("x/true"), true, lamp],
    ["§8 Certificate.Subject.CommonName", at("iot:Certificate.Subject.CommonName"), publish("x/lamp-cn"), true, lamp],
    ["§8 Certificate.Issuer.CommonName", at("iot:Certificate.Issuer.CommonName"), publish("x/maker"), true, lamp],
    ["§8 Certificate.SerialNumber", at("iot:Certificate.SerialNumber"), publish("x/10525622389124227206"), true, lamp],
    ["§8 the first of several values", at("iot:Certificate.Subject.Organization"), publish("x/One"), true, lamp],
    ["§8 .1 is the second value", at("iot:Certificate.Subject.Organization.1"), publish("x/Two"), true, lamp],
    ["§8 an index that does not exist", at("iot:Certificate.Subject.Organization.3"), publish("x/Three"), false, lamp],
    [
      "§8 a subject alternative name",
      at("iot:Certificate.Subject.AlternativeName.DNSName"),
      publish("x/a.example"),
      true,
      lamp,
    ],
    ["§8 a value with + is not substituted", at("iot:Certificate.Subject.Title"), publish("x/a+b"), false, lamp],
    [
      "§8 a value of 1025 characters is not substituted",
      at("iot:Certificate.Subject.Pseudonym"),
      publish(`x/${"x".repeat(1025)}`),
      false,
      lamp,
    ],
    [
      "§8 a value of 1024 characters is",
      at("iot:Certificate.Subject.Surname"),
      publish(`x/${"x".repeat(1024)}`),
      true,
      { ...lamp, certificate: { subject: { Surname: "x".repeat(1024) } } },
    ],
    ["§8 no certificate, no value", at("iot:Certificate.Subject.CommonName"), publish("x/lamp-cn"), false, stranger],
    ["an unknown variable has no value", at("iot:Nothing"), publish("x/"), false, lamp],
    ["IAM names of variables have no case", at("iot:clientid"), publish("x/lamp"), true],
    [`§8 \${*} is an asterisk`, allow("iot:Publish", arn(`topic/a\${*}`)), publish("a*"), true],
    [`§8 \${*} is no wildcard`, allow("iot:Publish", arn(`topic/a\${*}`)), publish("ab"), false],
    [`§8 \${?} is a question mark`, allow("iot:Publish", arn(`topic/a\${?}`)), publish("a?"), true],
    [`§8 \${?} is no wildcard`, allow("iot:Publish", arn(`topic/a\${?}`)), publish("ab"), false],
    [`§8 \${$} is a dollar`, allow("iot:Publish", arn(`topic/\${$}aws/x`)), publish("$aws/x"), true],
    [`§8 \${$} escapes a variable`, allow("iot:Publish", arn(`topic/\${$}{iot:ClientId}`)), publish(CLIENT), true],
    ["a $ alone is a dollar", allow("iot:Publish", arn("topic/$aws/x")), publish("$aws/x"), true],
  ];
  for (const value of ["a*b", "a$b", "a+b", "a?b", "a#b"])
    cases.push([
      `§8 Certificate.Subject.CommonName ${value} is not substituted`,
      at("iot:Certificate.Subject.CommonName"),
      publish(`x/${value}`),
      false,
      { ...lamp, certificate: { subject: { CommonName: value } } },
    ]);
  check(cases);

  it("§8 the sixth value of a name is ignored", () => {
    const context = { ...lamp, certificate: { subject: { Organization: ["1", "2", "3", "4", "5", "6"] } } };
    const of = (index: number) =>
      allow("iot:Publish", arn(`topic/${v(`iot:Certificate.Subject.Organization.${index}`)}`));
    expect(judge(of(4), publish("5"), context).allowed).toBe(true);
    expect(judge(of(5), publish("6"), context).allowed).toBe(false);
  });

  it("IAM without the version 2012-10-17 a variable is text", () => {
    for (const Version of [undefined, "2008-10-17"]) {
      const policy = parsePolicy("p", { Version, Statement: allow("iot:Publish", arn(`topic/${CLIENT}`)) });
      expect(evaluate([policy], { action: "iot:Publish", resource: "topic/lamp" }, stranger).allowed).toBe(false);
      expect(evaluate([policy], { action: "iot:Publish", resource: `topic/${CLIENT}` }, stranger).allowed).toBe(true);
    }
  });
});

describe("§8: shadow actions govern HTTP only", () => {
  const http = allow(["iot:GetThingShadow", "iot:UpdateThingShadow"], arn("thing/lamp"));
  check([
    ["§8 UpdateThingShadow on thing/", http, ["iot:UpdateThingShadow", "thing/lamp"], true],
    ["§8 UpdateThingShadow is no Publish on …/update", http, publish("$aws/things/lamp/shadow/update"), false],
    ["§8 GetThingShadow is no Receive on …/get/accepted", http, receive("$aws/things/lamp/shadow/get/accepted"), false],
    [
      "§8 Publish on …/update is no UpdateThingShadow",
      allow("iot:Publish", "*"),
      ["iot:UpdateThingShadow", "thing/lamp"],
      false,
    ],
    [
      "§8 ListNamedShadowsForThing on thing/",
      allow("iot:ListNamedShadowsForThing", arn("thing/*")),
      ["iot:ListNamedShadowsForThing", "thing/lamp"],
      true,
    ],
  ]);
});

describe("what the broker asks becomes requests", () => {
  const client = { clientId: "lamp", principal: undefined };
  const connectAction: BrokerAction = { ...client, type: "connect", cleanSession: false, willTopic: "gone" };

  it("§8 each action has its resource", () => {
    expect(policyRequests(connectAction)).toEqual([{ action: "iot:Connect", resource: "client/lamp" }]);
    expect(policyRequests({ ...client, type: "publish", topic: "a", qos: 0, retain: false })).toEqual([
      { action: "iot:Publish", resource: "topic/a" },
    ]);
    expect(policyRequests({ ...client, type: "subscribe", filter: "a/#", qos: 0 })).toEqual([
      { action: "iot:Subscribe", resource: "topicfilter/a/#" },
    ]);
    expect(policyRequests({ ...client, type: "receive", topic: "a" })).toEqual([
      { action: "iot:Receive", resource: "topic/a" },
    ]);
  });

  it("§8 a retained message needs RetainPublish besides Publish", () => {
    const requests = policyRequests({ ...client, type: "publish", topic: "a", qos: 1, retain: true });
    expect(requests.map(({ action }) => action)).toEqual(["iot:Publish", "iot:RetainPublish"]);
  });

  it("§8 only CONNECT has connect attributes", () => {
    expect(connectFacts(connectAction)).toEqual({ persistent: true, willTopic: "gone" });
    expect(connectFacts({ ...client, type: "receive", topic: "a" })).toBeUndefined();
  });
});
