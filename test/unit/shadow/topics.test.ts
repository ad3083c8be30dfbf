import { describe, expect, it } from "vitest";
import { isShadowName, isThingName, parseShadowTopic, shadowTopics } from "../../../src/shadow/topics.ts";

describe("§1.7 topics", () => {
  it("builds the eleven topics, classic and named, which parse back", () => {
    for (const name of [{ thingName: "lamp" }, { thingName: "A:b_c-9", shadowName: "name" }]) {
      const topics = Object.values(shadowTopics(name));
      expect(new Set(topics).size).toBe(11);
      for (const topic of topics) {
        const parsed = parseShadowTopic(topic)!;
        expect(parsed).toMatchObject(name);
        const tail = parsed.kind === "request" ? parsed.operation : `${parsed.operation}/${parsed.kind}`;
        expect(topic.endsWith(`/${tail}`)).toBe(true);
      }
    }
    expect(shadowTopics({ thingName: "T", shadowName: "S" }).updateAccepted).toBe(
      "$aws/things/T/shadow/name/S/update/accepted",
    );
  });

  it("takes nothing else for a shadow topic", () => {
    for (const topic of [
      "",
      "$aws",
      "$aws/things/T",
      "$aws/things/T/shadow",
      "$aws/things/T/shadow/name",
      "$aws/things/T/shadow/name/S",
      "$aws/things/T/shadow/S/update",
      "$aws/things/T/shadow/update/",
      "$aws/things/T/shadow/update/request",
      "$aws/things/T/shadow/get/delta",
      "$aws/things/T/shadow/delete/documents",
      "$aws/things/T/shadow/update/accepted/x",
      "$aws/things/T/shadow/name/S/update/accepted/x",
      "$aws/things//shadow/update",
      "$aws/things/a b/shadow/update",
      "$aws/things/T/shadow/name//update",
      "$aws/things/T/jobs/get",
      "aws/things/T/shadow/update",
    ])
      expect(parseShadowTopic(topic), topic).toBeUndefined();
  });

  it("§1.1 checks names: 128 and 64 letters, digits, : _ -", () => {
    expect(isThingName("x".repeat(128))).toBe(true);
    expect(isThingName("x".repeat(129))).toBe(false);
    expect(isShadowName("x".repeat(64))).toBe(true);
    expect(isShadowName("x".repeat(65))).toBe(false);
    for (const bad of ["", "a/b", "a+", "ä", "a\n"]) expect(isThingName(bad)).toBe(false);
    expect(() => shadowTopics({ thingName: "a/b" })).toThrow(/thingName/);
    expect(() => shadowTopics({ thingName: "a", shadowName: "" })).toThrow(/shadowName/);
  });
});
