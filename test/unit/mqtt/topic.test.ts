import { describe, expect, it } from "vitest";
import { matches, TopicRouter, validateTopicFilter, validateTopicName } from "../../../src/mqtt/index.ts";

describe("topic filters", () => {
  it.each(["#", "+", "/", "a", "a/#", "+/a", "a/+/b", "/+", "+/+/#", "$SYS/#", "a//b", " ", "ü/😀"])(
    "%s is valid",
    (filter) => {
      expect(() => validateTopicFilter(filter)).not.toThrow();
    },
  );

  it.each([
    ["", "MQTT-4.7.3-1"],
    ["a#", "MQTT-4.7.1-2"],
    ["#/", "MQTT-4.7.1-2"],
    ["a/#/b", "MQTT-4.7.1-2"],
    ["##", "MQTT-4.7.1-2"],
    ["a+", "MQTT-4.7.1-3"],
    ["+a", "MQTT-4.7.1-3"],
    ["a/b+/c", "MQTT-4.7.1-3"],
    ["++", "MQTT-4.7.1-3"],
    ["a\0", "MQTT-4.7.3-2"],
    ["\ud83d", "MQTT-1.5.3-1"],
    ["ü".repeat(32_768), "MQTT-4.7.3-3"],
  ])("refuses %j", (filter, statement) => {
    expect(() => validateTopicFilter(filter)).toThrow(
      expect.objectContaining({ code: "MQTT_INVALID_TOPIC", data: expect.objectContaining({ statement }) }),
    );
  });

  it("[MQTT-4.7.1-1] refuses wildcards in names", () => {
    for (const name of ["a/+", "#", "a+b"]) expect(() => validateTopicName(name)).toThrow(/MQTT-4.7.1-1/);
    validateTopicName("ü".repeat(32_767));
  });
});

// The examples of MQTT 3.1.1 §4.7 and their neighbours.
const cases: readonly [filter: string, name: string, expected: boolean][] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/tennis/player1/#", "sport/tennis/player2", false],
  ["sport/#", "sport", true],
  ["#", "a", true],
  ["#", "/", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["#", "$SYS/monitor", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["+", "$SYS", false],
  ["$SYS/#", "$SYS/monitor", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["a/+", "a/$b", true],
  ["a", "A", false],
  ["a/b", "a", false],
  ["a", "a/b", false],
  ["a/+/#", "a", false],
  ["a/+/#", "a/b", true],
  ["+/b/#", "a/b/c/d", true],
  ["a//b", "a/x/b", false],
  ["a/+/b", "a//b", true],
];

describe("matching", () => {
  it.each(cases)("[MQTT-4.7.2-1] §4.7 %s and %s: %s", (filter, name, expected) => {
    expect(matches(filter, name)).toBe(expected);
    const router = new TopicRouter<string>();
    router.add(filter, "value");
    expect(router.match(name)).toEqual(expected ? ["value"] : []);
  });
});

describe("TopicRouter", () => {
  it("finds all values, and each of them under each filter", () => {
    const router = new TopicRouter<number>();
    expect(router.add("a/+", 1)).toBe(true);
    expect(router.add("a/+", 1)).toBe(false);
    router.add("a/#", 1);
    router.add("a/b", 2);
    router.add("+/b", 3);
    expect(router.match("a/b").sort()).toEqual([1, 1, 2, 3]);
    expect(router.size).toBe(4);
    expect(router.get("a/+")).toEqual([1]);
    expect(router.get("nothing")).toEqual([]);
  });

  it("forgets what is deleted, and only that", () => {
    const router = new TopicRouter<number>();
    router.add("a", 1);
    router.add("a/b/c", 2);
    expect(router.delete("a/b", 2)).toBe(false);
    expect(router.delete("a/b/c/d", 2)).toBe(false);
    expect(router.delete("a/b/c", 2)).toBe(true);
    expect(router.match("a/b/c")).toEqual([]);
    expect(router.match("a")).toEqual([1]);
    expect(router.size).toBe(1);
  });

  it("walks deep names and filters without recursion", () => {
    const router = new TopicRouter<number>();
    const deep = "+/".repeat(20_000);
    router.add(deep, 1);
    expect(router.match("/".repeat(20_000))).toEqual([1]);
    expect(router.delete(deep, 1)).toBe(true);
  });
});
