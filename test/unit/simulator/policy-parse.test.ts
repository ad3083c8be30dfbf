import { describe, expect, it } from "vitest";
import { isThingwireError, type ThingwireError } from "../../../src/errors.ts";
import { evaluate, parsePolicy } from "../../../src/simulator/policy/index.ts";
import { stranger } from "./policy-cases.ts";

const fine = { Effect: "Allow", Action: "iot:Publish", Resource: "*" };
const withStatement = (statement: unknown) => ({ Version: "2012-10-17", Statement: [statement] });

function refusal(document: unknown, name = "p"): ThingwireError {
  try {
    parsePolicy(name, document);
  } catch (error) {
    if (isThingwireError(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("MalformedPolicyException: what is refused, with its place", () => {
  const rows: readonly [title: string, document: unknown, place: string, reason: RegExp][] = [
    ["no JSON", "{", "document", /not JSON/],
    ["JSON nested without end", "[".repeat(10_000), "document", /nested too deep/],
    ["not an object", "[]", "document", /not a JSON object/],
    ["undefined", undefined, "document", /not JSON/],
    ["a function", () => {}, "document", /not JSON/],
    ["another version", { Version: "2020-01-01", Statement: [fine] }, "Version", /2012-10-17/],
    [
      "a version in lower case",
      { version: "2012-10-17", Statement: [fine] },
      "document",
      /unknown member version; it is written Version/,
    ],
    ["an Id that is no text", { Id: 1, Statement: [fine] }, "Id", /not a text/],
    ["no Statement", { Version: "2012-10-17" }, "Statement", /missing/],
    ["no statements", { Version: "2012-10-17", Statement: [] }, "Statement", /empty/],
    ["a statement that is no object", withStatement("x"), "Statement[0]", /not a JSON object/],
    ["no Effect", withStatement({ Action: "*", Resource: "*" }), "Statement[0].Effect", /neither/],
    ["Effect in lower case", withStatement({ ...fine, Effect: "allow" }), "Statement[0].Effect", /neither/],
    ["no Action", withStatement({ Effect: "Allow", Resource: "*" }), "Statement[0].Action", /missing/],
    ["an empty list of actions", withStatement({ ...fine, Action: [] }), "Statement[0].Action", /empty/],
    [
      "an action that is no text",
      withStatement({ ...fine, Action: ["iot:Publish", 1] }),
      "Statement[0].Action[1]",
      /not a text/,
    ],
    [
      "an action without a service",
      withStatement({ ...fine, Action: "Publish" }),
      "Statement[0].Action",
      /write iot:Publish/,
    ],
    [
      "NotAction",
      withStatement({ Effect: "Allow", NotAction: "iot:Publish", Resource: "*" }),
      "Statement[0].NotAction",
      /not an element of AWS IoT policies/,
    ],
    ["Principal", withStatement({ ...fine, Principal: "*" }), "Statement[0].Principal", /not an element/],
    ["NotPrincipal", withStatement({ ...fine, NotPrincipal: "*" }), "Statement[0].NotPrincipal", /not an element/],
    ["an unknown member", withStatement({ ...fine, Resources: "*" }), "Statement[0]", /unknown member Resources/],
    ["no Resource", withStatement({ Effect: "Allow", Action: "*" }), "Statement[0]", /no Resource and no NotResource/],
    ["Resource and NotResource", withStatement({ ...fine, NotResource: "*" }), "Statement[0]", /both/],
    [
      "a resource that is no ARN",
      withStatement({ ...fine, Resource: "topic/a" }),
      "Statement[0].Resource",
      /neither \* nor an ARN/,
    ],
    [
      "an ARN of another service",
      withStatement({ ...fine, Resource: ["arn:aws:s3:::bucket"] }),
      "Statement[0].Resource[0]",
      /neither \* nor an ARN/,
    ],
    [
      "an ARN that ends too early",
      withStatement({ ...fine, Resource: "arn:aws:iot:us-east-1:topic/a" }),
      "Statement[0].Resource",
      /neither/,
    ],
    [
      "an ARN whose last part is not * alone and stands for none behind it",
      withStatement({ ...fine, Resource: "arn:aws:iot:us-*" }),
      "Statement[0].Resource",
      /neither/,
    ],
    [
      "a NotResource that is no ARN",
      withStatement({ Effect: "Deny", Action: "*", NotResource: ["*", "a"] }),
      "Statement[0].NotResource[1]",
      /neither/,
    ],
    ["a Sid with a space", withStatement({ ...fine, Sid: "a b" }), "Statement[0].Sid", /letters and digits/],
    [
      "a Sid twice",
      {
        Statement: [
          { ...fine, Sid: "a" },
          { ...fine, Sid: "a" },
        ],
      },
      "Statement[1].Sid",
      /another statement/,
    ],
    [
      "a Condition that is no object",
      withStatement({ ...fine, Condition: [] }),
      "Statement[0].Condition",
      /not a JSON object/,
    ],
    [
      "an unknown operator",
      withStatement({ ...fine, Condition: { StringIs: { a: "b" } } }),
      "Statement[0].Condition.StringIs",
      /not an operator/,
    ],
    [
      "NullIfExists",
      withStatement({ ...fine, Condition: { NullIfExists: { a: "true" } } }),
      "Statement[0].Condition.NullIfExists",
      /not an operator/,
    ],
    [
      "keys that are no object",
      withStatement({ ...fine, Condition: { Bool: "true" } }),
      "Statement[0].Condition.Bool",
      /keys and values/,
    ],
    [
      "a value that is an object",
      withStatement({ ...fine, Condition: { Bool: { a: {} } } }),
      "Statement[0].Condition.Bool.a",
      /not a text/,
    ],
    ["an empty list of resources", withStatement({ ...fine, Resource: [] }), "Statement[0].Resource", /empty/],
    [
      "2,049 characters",
      withStatement({ ...fine, Resource: `arn:aws:iot:*:*:topic/${"a".repeat(2_000)}` }),
      "document",
      /AWS IoT stores 2048/,
    ],
    ["a single statement", { Statement: { ...fine, Effect: "Maybe" } }, "Statement.Effect", /neither/],
  ];
  for (const [title, document, place, reason] of rows)
    it(title, () => {
      const error = refusal(document);
      expect(error.code).toBe("USAGE_INVALID_ARGUMENT");
      expect(error.data).toMatchObject({ exception: "MalformedPolicyException", place });
      expect(error.message).toMatch(reason);
      expect(error.message).toContain(`policy p is malformed: ${place} `);
    });

  it("names that no policy can have", () => {
    for (const name of ["", "a b", "a/b", "x".repeat(129)])
      expect(refusal(withStatement(fine), name).message).toContain("policy name");
  });

  it("text of others is made printable", () => {
    expect(refusal(withStatement({ ...fine, "\u001b[31m": 1 })).message).not.toContain("\u001b");
  });
});

describe("what is read", () => {
  it("JSON text and the object are the same policy", () => {
    const document = withStatement(fine);
    expect(parsePolicy("p", JSON.stringify(document))).toEqual(parsePolicy("p", document));
  });
  it("white space does not count towards the 2,048 characters", () => {
    expect(parsePolicy("p", JSON.stringify(withStatement(fine), undefined, 1_000)).statements).toHaveLength(1);
    expect(parsePolicy("p", { ...withStatement(fine), Id: " ".repeat(3_000) }).statements).toHaveLength(1);
  });
  it("2,048 characters are stored", () => {
    const base = withStatement({ ...fine, Resource: "arn:aws:iot:*:*:topic/" });
    const rest = 2_048 - JSON.stringify(base).length;
    const resource = (length: number) =>
      withStatement({ ...fine, Resource: `arn:aws:iot:*:*:topic/${"a".repeat(length)}` });
    expect(parsePolicy("p", resource(rest)).statements).toHaveLength(1);
    expect(refusal(resource(rest + 1)).data["place"]).toBe("document");
  });
  it("what the caller does to the object afterwards changes nothing", () => {
    const document = withStatement({ ...fine, Action: ["iot:Publish"] });
    const policy = parsePolicy("p", document);
    document.Statement = [];
    expect(policy.document.Statement).toHaveLength(1);
    expect(evaluate([policy], { action: "iot:Publish", resource: "topic/a" }, stranger).allowed).toBe(true);
  });
  it("a member called __proto__ is just unknown", () => {
    expect(refusal('{"__proto__": {}, "Statement": []}').message).toContain("unknown member __proto__");
  });
});
