import { describe, expect, it } from "vitest";
import type { PolicyContext, StatementDocument } from "../../../src/simulator/policy/index.ts";
import { allow, arn, deny, judge, lamp, stranger } from "./policy-cases.ts";

type Row = readonly [
  operator: string,
  key: string,
  values: string | number | boolean | readonly string[],
  holds: boolean,
];

function holds(condition: StatementDocument["Condition"], context: PolicyContext): boolean {
  return judge(allow("iot:Connect", "*", condition), ["iot:Connect", "client/lamp"], context).allowed;
}

function check(rows: readonly Row[], context: PolicyContext, suffix = ""): void {
  for (const [operator, key, values, expected] of rows)
    it(`IAM ${operator} ${key} ${JSON.stringify(values)} is ${expected}${suffix}`, () => {
      expect(holds({ [operator]: { [key]: values } }, context)).toBe(expected);
    });
}

describe("§8: operators", () => {
  const rows: Row[] = [
    ["StringEquals", "iot:ClientId", "lamp", true],
    ["StringEquals", "iot:ClientId", "LAMP", false],
    ["StringEquals", "iot:ClientId", ["x", "lamp"], true],
    ["StringEquals", "iot:ClientId", "l*", false],
    ["StringEquals", "iot:ClientId", "$" + "{iot:Connection.Thing.ThingName}", true],
    ["StringEquals", "iot:Connection.Thing.Attributes[odd]", `a\${*}b`, true],
    ["StringNotEquals", "iot:ClientId", "lamp", false],
    ["StringNotEquals", "iot:ClientId", ["x", "lamp"], false],
    ["StringNotEquals", "iot:ClientId", ["x", "y"], true],
    ["StringEqualsIgnoreCase", "iot:ClientId", "LAMP", true],
    ["StringNotEqualsIgnoreCase", "iot:ClientId", "LAMP", false],
    ["StringLike", "iot:ClientId", "l?m*", true],
    ["StringLike", "iot:ClientId", "m*", false],
    ["StringNotLike", "iot:ClientId", "l*", false],
    ["StringNotLike", "iot:ClientId", "m*", true],
    ["Bool", "iot:Connection.Thing.IsAttached", "true", true],
    ["Bool", "iot:Connection.Thing.IsAttached", true, true],
    ["Bool", "iot:Connection.Thing.IsAttached", ["true"], true],
    ["Bool", "iot:Connection.Thing.IsAttached", "false", false],
    ["IpAddress", "aws:SourceIp", "192.0.2.17", true],
    ["IpAddress", "aws:SourceIp", "192.0.2.0/24", true],
    ["IpAddress", "aws:SourceIp", "192.0.2.0/28", false],
    ["IpAddress", "aws:SourceIp", "192.0.2.16/28", true],
    ["IpAddress", "aws:SourceIp", "0.0.0.0/0", true],
    ["IpAddress", "aws:SourceIp", "2001:db8::/32", false],
    ["IpAddress", "aws:SourceIp", "c000:211::/32", false],
    ["IpAddress", "aws:SourceIp", "192.0.2.0/33", false],
    ["IpAddress", "aws:SourceIp", "nowhere", false],
    ["NotIpAddress", "aws:SourceIp", "192.0.2.0/24", false],
    ["NotIpAddress", "aws:SourceIp", "198.51.100.0/24", true],
    ["NumericEquals", "aws:EpochTime", "1781524800", true],
    ["NumericNotEquals", "aws:EpochTime", 1781524800, false],
    ["NumericLessThan", "aws:EpochTime", "1781524800", false],
    ["NumericLessThanEquals", "aws:EpochTime", "1781524800", true],
    ["NumericGreaterThan", "aws:EpochTime", "1781524799.5", true],
    ["NumericGreaterThanEquals", "aws:EpochTime", "1781524801", false],
    ["NumericLessThan", "iot:ClientId", "5", false],
    ["DateEquals", "aws:CurrentTime", "2026-06-15T12:00:00Z", true],
    ["DateNotEquals", "aws:CurrentTime", "2026-06-15T12:00:00Z", false],
    ["DateLessThan", "aws:CurrentTime", "2026-06-15T12:00:01Z", true],
    ["DateLessThan", "aws:CurrentTime", "2026-06-15", false],
    ["DateLessThanEquals", "aws:CurrentTime", "1781524800", true],
    ["DateGreaterThan", "aws:EpochTime", "2026-06-15T11:59:59Z", true],
    ["DateGreaterThanEquals", "aws:CurrentTime", "2027-01-01T00:00:00Z", false],
    ["DateGreaterThan", "aws:CurrentTime", "yesterday", false],
    ["Null", "iot:Connection.Thing.ThingName", "false", true],
    ["Null", "iot:Connection.Thing.ThingName", "true", false],
    ["Null", "iot:Connection.Thing.Attributes[floor]", "true", true],
    ["Null", "iot:Connection.Thing.Attributes[constructor]", "true", true],
    ["stringequals", "IOT:CLIENTID", "lamp", true],
    ["StringEquals", "iot:CertificateId", "ab".repeat(32), true],
    ["StringEquals", "iot:Certificate.Subject.Organization", "One", true],
    ["StringEquals", "iot:Certificate.Subject.Organization", "Two", false],
    ["ForAllValues:StringEquals", "iot:Certificate.Subject.Organization.List", ["One", "Two"], false],
    ["ForAllValues:StringEquals", "iot:Certificate.Subject.Organization.List", ["One", "Two", "Three"], true],
    ["ForAnyValue:StringEquals", "iot:Certificate.Subject.Organization.List", ["Three"], true],
    ["ForAnyValue:StringNotEquals", "iot:Certificate.Subject.Organization.List", ["One", "Two", "Three"], false],
    ["ForAllValues:StringNotLike", "iot:Certificate.Subject.Organization.List", ["X*"], true],
    ["StringEquals", "iot:Certificate.Subject.Organization.List", "Two", true],
    ["StringNotEquals", "iot:Certificate.Subject.Organization.List", "Two", false],
  ];
  check(rows, lamp);

  it("IAM IpAddress knows IPv6", () => {
    const from = { ...lamp, sourceIp: "2001:db8:0:1::5" };
    expect(holds({ IpAddress: { "aws:SourceIp": "2001:db8::/32" } }, from)).toBe(true);
    expect(holds({ IpAddress: { "aws:SourceIp": "2001:db8::/63" } }, from)).toBe(true);
    expect(holds({ IpAddress: { "aws:SourceIp": "2001:db8::/64" } }, from)).toBe(false);
  });

  it("IAM all operators and all keys must hold", () => {
    const first = { "iot:ClientId": "lamp" };
    expect(holds({ StringEquals: first, Bool: { "iot:Connection.Thing.IsAttached": "true" } }, lamp)).toBe(true);
    expect(holds({ StringEquals: first, Bool: { "iot:Connection.Thing.IsAttached": "false" } }, lamp)).toBe(false);
    expect(holds({ StringEquals: { ...first, "aws:SourceIp": "elsewhere" } }, lamp)).toBe(false);
    expect(holds({}, lamp)).toBe(true);
  });
});

describe("§8: keys that the request does not have", () => {
  const name = "iot:Connection.Thing.ThingName";
  check(
    [
      ["StringEquals", name, "lamp", false],
      ["StringLike", name, "*", false],
      ["StringNotEquals", name, "lamp", true],
      ["StringNotLike", name, "*", true],
      ["StringEqualsIfExists", name, "lamp", true],
      ["StringNotEqualsIfExists", name, "lamp", true],
      ["ForAnyValue:StringEqualsIfExists", name, "lamp", true],
      ["ForAllValues:StringEqualsIfExists", name, "lamp", true],
      ["ForAllValues:StringEquals", name, "lamp", true],
      ["ForAnyValue:StringEquals", name, "lamp", false],
      ["ForAnyValue:StringNotEquals", name, "lamp", false],
      ["IpAddress", "aws:SourceIp", "0.0.0.0/0", false],
      ["NotIpAddress", "aws:SourceIp", "192.0.2.0/24", true],
      ["DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z", false],
      ["Null", name, "true", true],
      ["Null", name, "false", false],
      ["Null", "iot:ConnectAttributes", "true", true],
      ["Bool", "iot:Connection.Thing.IsAttached", "false", true],
      ["StringEquals", "iot:Nothing", "x", false],
      ["StringNotEquals", "iot:Nothing", "x", true],
    ],
    stranger,
    " without a thing",
  );
  it("IAM …IfExists still looks at a key that is there", () => {
    expect(holds({ StringEqualsIfExists: { "iot:ClientId": "other" } }, stranger)).toBe(false);
  });
});

describe("§8: variables without a value in conditions fail closed", () => {
  const condition = (operator: string) => ({
    [operator]: { "iot:ClientId": "$" + "{iot:Connection.Thing.ThingName}" },
  });
  it("an Allow with a negated operator does not hold on it", () => {
    expect(holds(condition("StringNotEquals"), stranger)).toBe(false);
    expect(holds(condition("StringNotLike"), stranger)).toBe(false);
    expect(holds(condition("StringNotEquals"), { ...lamp, clientId: "other" })).toBe(true);
  });
  it("a Deny with a negated operator does", () => {
    const statements = [allow("*", "*"), deny("*", "*", condition("StringNotEquals"))];
    expect(judge(statements, ["iot:Connect", "client/lamp"], stranger).allowed).toBe(false);
    expect(judge(statements, ["iot:Connect", "client/lamp"], lamp).allowed).toBe(true);
  });
  it("a positive operator equals nothing", () => {
    expect(holds(condition("StringEquals"), stranger)).toBe(false);
    expect(holds(condition("StringLike"), stranger)).toBe(false);
  });
});

describe("§8: iot:ConnectAttributes and iot:LastWillTopic", () => {
  const as = (persistent: boolean, willTopic?: string): PolicyContext => ({
    ...lamp,
    connect: { persistent, willTopic },
  });
  const attributes = (operator: string, ...values: string[]) => ({ [operator]: { "iot:ConnectAttributes": values } });
  const table: readonly [
    title: string,
    condition: StatementDocument["Condition"],
    clean: boolean,
    persistent: boolean,
    will: boolean,
    both: boolean,
  ][] = [
    [
      "ForAllValues:StringEquals PersistentConnect",
      attributes("ForAllValues:StringEquals", "PersistentConnect"),
      true,
      true,
      false,
      false,
    ],
    [
      "ForAllValues:StringEquals LastWill",
      attributes("ForAllValues:StringEquals", "LastWill"),
      true,
      false,
      true,
      false,
    ],
    [
      "ForAllValues:StringEquals both",
      attributes("ForAllValues:StringEquals", "PersistentConnect", "LastWill"),
      true,
      true,
      true,
      true,
    ],
    [
      "ForAllValues:StringNotEquals PersistentConnect",
      attributes("ForAllValues:StringNotEquals", "PersistentConnect"),
      true,
      false,
      true,
      false,
    ],
    [
      "ForAnyValue:StringEquals PersistentConnect",
      attributes("ForAnyValue:StringEquals", "PersistentConnect"),
      false,
      true,
      false,
      true,
    ],
    [
      "ForAllValues:StringEquals nothing: default features only",
      attributes("ForAllValues:StringEquals"),
      true,
      false,
      false,
      false,
    ],
    ["ForAnyValue:StringEquals nothing", attributes("ForAnyValue:StringEquals"), false, false, false, false],
    ["StringEquals LastWill", attributes("StringEquals", "LastWill"), false, false, true, true],
    ["Null true", { Null: { "iot:ConnectAttributes": "true" } }, true, false, false, false],
  ];
  for (const [title, condition, clean, persistent, will, both] of table)
    it(`§8 ${title}`, () => {
      expect(
        [as(false), as(true), as(false, "gone"), as(true, "gone")].map((context) => holds(condition, context)),
      ).toEqual([clean, persistent, will, both]);
    });

  it("§8 Deny on ForAnyValue PersistentConnect", () => {
    const statements = [
      allow("iot:Connect", "*"),
      deny("iot:Connect", "*", attributes("ForAnyValue:StringEquals", "PersistentConnect")),
    ];
    expect(judge(statements, ["iot:Connect", "client/lamp"], as(true)).allowed).toBe(false);
    expect(judge(statements, ["iot:Connect", "client/lamp"], as(false, "gone")).allowed).toBe(true);
  });

  it("§8 the guide's policy for clients that must keep their session and have a will", () => {
    const statements = [
      allow("iot:Connect", "*", attributes("ForAllValues:StringEquals", "PersistentConnect", "LastWill")),
      deny("iot:Connect", "*", attributes("ForAllValues:StringEquals", "PersistentConnect")),
      deny("iot:Connect", "*", attributes("ForAllValues:StringEquals", "LastWill")),
      deny("iot:Connect", "*", attributes("ForAllValues:StringEquals")),
    ];
    const contexts = [as(false), as(true), as(false, "gone"), as(true, "gone")];
    expect(contexts.map((context) => judge(statements, ["iot:Connect", "client/lamp"], context).allowed)).toEqual([
      ...[false, false, false, true],
    ]);
  });

  const will = (operator: string, value: string) => ({ [operator]: { "iot:LastWillTopic": value } });
  it("§8 ArnEquals iot:LastWillTopic", () => {
    expect(holds(will("ArnEquals", arn("topic/gone")), as(false, "gone"))).toBe(true);
    expect(holds(will("ArnEquals", arn("topic/gone")), as(false, "other"))).toBe(false);
    expect(holds(will("ArnEquals", arn("topic/gone")), as(false))).toBe(false);
    expect(holds(will("ArnEquals", arn("topic/$" + "{iot:ClientId}/*")), as(false, "lamp/gone"))).toBe(true);
    expect(holds(will("ArnLike", "arn:aws:iot:*:*:topic/g?ne"), as(false, "gone"))).toBe(true);
    expect(holds(will("ArnEquals", "arn:aws:iot:eu-west-1:123456789012:topic/gone"), as(false, "gone"))).toBe(false);
    expect(holds(will("ArnEquals", "gone"), as(false, "gone"))).toBe(false);
    expect(holds(will("ArnNotEquals", arn("topic/gone")), as(false, "gone"))).toBe(false);
    expect(holds(will("ArnNotLike", arn("topic/gone")), as(false, "other"))).toBe(true);
    expect(holds(will("ArnNotEquals", arn("topic/gone")), as(false))).toBe(true);
    expect(holds(will("StringEquals", arn("topic/gone")), as(false, "gone"))).toBe(true);
  });

  it("§8 other actions have neither", () => {
    const publishing = allow("iot:Publish", "*", attributes("ForAnyValue:StringEquals", "LastWill"));
    expect(judge(publishing, ["iot:Publish", "topic/a"], lamp).allowed).toBe(false);
  });
});
