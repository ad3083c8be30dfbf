import { describe, expect, it } from "vitest";
import { awsAtWorst, awsBehaviour, Broker, type BrokerAction, type BrokerOptions } from "../../../src/mqtt/broker.ts";
import { awsLimits } from "../../../src/mqtt/limits.ts";
import { type Packet, PacketType } from "../../../src/mqtt/packets.ts";
import type { Logger } from "../../../src/ports.ts";
import { allowing, bytes, connect, online, Peer, publish, subscribe } from "./peer.ts";

const CONNACK = (returnCode: number) => ({ type: PacketType.CONNACK, sessionPresent: false, returnCode });

function broker(options: Partial<BrokerOptions> = {}): Broker {
  return new Broker({ now: () => 0, ...options });
}

function subscriber(of: Broker, ...filters: [string, 0 | 1][]): Peer {
  const peer = online(of, "subscriber").say(subscribe(1, ...filters));
  peer.heard();
  return peer;
}

describe("broker: what `authorize` is asked", () => {
  it("CONNECT with CleanSession and will topic, PUBLISH with QoS and RETAIN, each filter with its QoS, and each delivery", () => {
    const asked: BrokerAction[] = [];
    const of = broker({ authorize: allowing((action) => asked.push(action) > 0) });
    const will = { topic: "will", payload: bytes(""), qos: 1, retain: true } as const;
    const peer = new Peer(of, "certificate").say(connect("a", { cleanSession: false, will }));
    peer.say(subscribe(1, ["x", 1]), publish("x", "1", { qos: 1, packetId: 1, retain: true }));
    peer.connection.end();
    const who = { clientId: "a", principal: "certificate" };
    expect(asked).toEqual([
      { ...who, type: "connect", cleanSession: false, willTopic: "will" },
      { ...who, type: "subscribe", filter: "x", qos: 1 },
      { ...who, type: "publish", topic: "x", qos: 1, retain: true },
      { ...who, type: "receive", topic: "x" },
      { ...who, type: "publish", topic: "will", qos: 1, retain: true },
    ]);
  });

  it("Receive is asked when a message is sent, not when it comes: what was denied meanwhile stays away", () => {
    let allowed = true;
    const of = broker({ authorize: allowing(({ type }) => type !== "receive" || allowed) });
    online(of, "a", { cleanSession: false }).say(subscribe(1, ["x", 1]), { type: PacketType.DISCONNECT });
    const sender = online(of, "sender").say(publish("x", "while away", { qos: 1, packetId: 1 }));
    allowed = false;
    const back = online(of, "a", { cleanSession: false });
    expect([back.messages(), of.session("a")?.pending]).toEqual([[], 0]);
    allowed = true;
    sender.say(publish("x", "allowed again", { qos: 1, packetId: 2 }));
    expect(back.messages().map(({ text }) => text)).toEqual(["allowed again"]);
  });

  it("Receive is asked for what is sent again and for retained messages too", () => {
    let allowed = true;
    const of = broker({ authorize: allowing(({ type }) => type !== "receive" || allowed) });
    const peer = online(of, "a", { cleanSession: false }).say(subscribe(1, ["x", 1]));
    online(of, "sender").say(publish("x", "1", { qos: 1, packetId: 1, retain: true }));
    expect(peer.messages()).toHaveLength(1);
    allowed = false;
    peer.connection.end();
    const back = new Peer(of).say(connect("a", { cleanSession: false }), subscribe(2, ["x", 1]));
    expect([back.messages(), of.session("a")?.pending]).toEqual([[], 0]);
  });

  it("the principal of the delivery is that of the connection that gets it, not of the one that subscribed", () => {
    const of = broker({ authorize: allowing(({ type, principal }) => type !== "receive" || principal === "good") });
    new Peer(of, "good").say(connect("a", { cleanSession: false }), subscribe(1, ["x", 1]));
    const other = new Peer(of, "bad").say(connect("a", { cleanSession: false }));
    online(of, "sender").say(publish("x", "1"));
    expect(other.messages()).toEqual([]);
  });

  it("the log tells why a will, a filter and a delivery were denied", () => {
    const lines: string[] = [];
    const log: Logger = { enabled: (level) => level === "warn", log: (_level, _tag, line) => void lines.push(line) };
    const of = broker({ log, authorize: allowing(({ type }) => type === "connect") });
    const peer = new Peer(of).say(connect("a", { will: { topic: "w", payload: bytes(""), qos: 0, retain: false } }));
    peer.say(subscribe(1, ["x", 1]));
    peer.connection.end();
    expect(lines).toEqual([
      '"a" may not subscribe to "x": the test says no',
      '"a" may not publish its will to "w": the test says no',
    ]);
  });
});

describe("broker: why a connection is over", () => {
  const authorize = allowing(
    (action) =>
      !(
        action.type === "publish" ? action.topic : action.type === "subscribe" ? action.filter : action.clientId
      ).startsWith("no"),
  );
  it.each<[string, (peer: Peer, of: Broker) => void]>([
    ["denied-connect", (peer) => peer.say(connect("no"))],
    ["denied-publish", (peer) => peer.say(connect("a"), publish("no", "x"))],
    ["denied-subscribe", (peer) => peer.say(connect("a"), subscribe(1, ["no", 0]))],
    ["refused", (peer) => peer.connection.feed(Uint8Array.of(16, 12, 0, 4, 77, 81, 84, 84, 4, 0, 0, 0, 0, 0))],
    ["limit", (peer) => peer.say(connect("a".repeat(129)))],
    ["violation", (peer) => peer.say(connect("a"), connect("a"))],
    ["timeout", (peer) => peer.connection.handleTimeout(10_000)],
    ["network", (peer) => peer.connection.end()],
    ["disconnect", (peer) => peer.say(connect("a"), { type: PacketType.DISCONNECT })],
    ["taken-over", (peer, of) => [peer.say(connect("a")), online(of, "a")]],
    ["closed", (peer) => peer.connection.close("test")],
  ])("%s", (kind, end) => {
    const of = broker({ ...awsBehaviour, authorize });
    const peer = new Peer(of);
    end(peer, of);
    expect(peer.connection.closed?.kind).toBe(kind);
  });
});

describe("broker: AWS IoT's deviations, each by itself", () => {
  const denyAll = allowing(() => false);
  it.each([
    [undefined, [CONNACK(5)]],
    ["connack-5", [CONNACK(5)]],
    ["connack-7", [CONNACK(7)]],
    ["close", []],
  ] as const)("[MQTT-3.2.2-5] a denied CONNECT with deniedConnect %s", (deniedConnect, answer) => {
    const peer = new Peer(broker({ authorize: denyAll, deniedConnect })).say(connect("a"));
    expect([peer.heard(), peer.connection.closed?.kind]).toEqual([answer, "denied-connect"]);
  });

  it("[MQTT-3.9.3-1] a denied filter gets 0x80 by default, and the others of the same SUBSCRIBE are granted", () => {
    const authorize = allowing((action) => action.type !== "subscribe" || action.filter !== "no");
    const peer = online(broker({ authorize }), "a").say(subscribe(1, ["x", 1], ["no", 1]));
    expect(peer.heard()).toEqual([{ type: PacketType.SUBACK, packetId: 1, returnCodes: [1, 0x80] }]);
    const closed = online(broker({ authorize, deniedSubscribe: "close" }), "a").say(subscribe(1, ["x", 1], ["no", 1]));
    expect([closed.heard(), closed.isOpen]).toEqual([[], false]);
  });

  it("[MQTT-4.7.1-2] a/# does not match a", () => {
    for (const hashMatchesParent of [true, false]) {
      const of = broker({ hashMatchesParent });
      const peer = subscriber(of, ["a/#", 0]);
      online(of, "sender").say(publish("a", "1"), publish("a/b", "2"));
      expect(peer.messages().map(({ topic }) => topic)).toEqual(hashMatchesParent ? ["a", "a/b"] : ["a/b"]);
    }
  });

  it("[MQTT-3.3.1-6] filters with wildcards get no retained messages", () => {
    for (const retainedForWildcards of [true, false]) {
      const of = broker({ retainedForWildcards });
      online(of, "sender").say(publish("a/b", "kept", { retain: true }));
      const heard = (filter: string): number =>
        online(of, "late")
          .say(subscribe(1, [filter, 0]))
          .messages().length;
      const wild = retainedForWildcards ? 1 : 0;
      expect([heard("a/b"), heard("a/+"), heard("#")]).toEqual([1, wild, wild]);
    }
  });

  it("RETAIN to topics that begin with $ is delivered and not kept", () => {
    for (const retainReserved of [true, false]) {
      const of = broker({ retainReserved });
      const peer = subscriber(of, ["$aws/x", 0]);
      online(of, "sender").say(publish("$aws/x", "1", { retain: true }), publish("x", "2", { retain: true }));
      expect(peer.messages()).toHaveLength(1);
      const late = online(of, "late").say(subscribe(1, ["$aws/x", 0], ["x", 0]));
      expect(late.messages().map(({ topic }) => topic)).toEqual(retainReserved ? ["$aws/x", "x"] : ["x"]);
    }
  });

  it("[MQTT-3.1.2-8] a will to a topic that begins with $ is ignored", () => {
    for (const willReserved of [true, false]) {
      const of = broker({ willReserved });
      const peer = subscriber(of, ["$aws/x", 0], ["x", 0]);
      for (const topic of ["$aws/x", "x"])
        online(of, "a", { will: { topic, payload: bytes(""), qos: 0, retain: false } }).connection.end();
      expect(peer.messages().map(({ topic }) => topic)).toEqual(willReserved ? ["$aws/x", "x"] : ["x"]);
    }
  });

  it("[MQTT-4.4.0-1] redelivery as new: another packet identifier, DUP unset, in order, before what waits", () => {
    const of = broker({ redelivery: "as-new", maxInFlight: 2 });
    const peer = online(of, "a", { cleanSession: false }).say(subscribe(1, ["x", 1]));
    const sender = online(of, "sender");
    for (const text of ["1", "2", "3"]) sender.say(publish("x", text, { qos: 1, packetId: 1 }));
    const before = peer.messages();
    peer.connection.end();
    const after = online(of, "a", { cleanSession: false, keepAliveSeconds: 1 });
    const again = new Peer(of).say(connect("a", { cleanSession: false })).messages();
    expect(after.isOpen).toBe(false);
    expect([...before, ...again].map(({ text, dup, packetId }) => [text, dup, packetId])).toEqual([
      ["1", false, 1],
      ["2", false, 2],
      ["1", false, 5],
      ["2", false, 6],
    ]);
  });

  it("sessionExpiryMs: a kept session ends an hour after its connection at AWS IoT, with its subscriptions and messages", () => {
    for (const [behaviour, away, present] of [
      [awsBehaviour, 3_599_999, true],
      [awsBehaviour, 3_600_000, false],
      [{}, 1e12, true],
    ] as const) {
      let now = 5;
      const of = broker({ now: () => now, ...behaviour });
      const peer = online(of, "a", { cleanSession: false }).say(subscribe(1, ["x", 1]));
      now += 7_200_000;
      const sender = online(of, "sender").say(publish("x", "while here", { qos: 1, packetId: 1 }));
      expect(peer.messages()).toHaveLength(1);
      peer.say({ type: PacketType.PUBACK, packetId: 1 });
      peer.connection.end();
      sender.say(publish("x", "while away", { qos: 1, packetId: 2 }));
      now += away;
      expect(of.session("a") !== undefined).toBe(present);
      const back = new Peer(of).say(connect("a", { cleanSession: false }));
      expect(back.heard().map(({ type }) => type)).toEqual(
        present ? [PacketType.CONNACK, PacketType.PUBLISH] : [PacketType.CONNACK],
      );
      // While it is there again nothing expires.
      now += 7_200_000;
      expect(of.session("a")?.subscriptions.size).toBe(present ? 1 : 0);
    }
  });

  it("sessionExpiryMs: the session that a CONNECT finds has not expired, and the rest is unaware of it", () => {
    let now = 0;
    const of = broker({ now: () => now, sessionExpiryMs: 10 });
    online(of, "a", { cleanSession: false })
      .say(subscribe(1, ["x", 1]))
      .connection.end();
    now = 10;
    online(of, "sender").say(publish("x", "1", { qos: 1, packetId: 1 }));
    const back = new Peer(of).say(connect("a", { cleanSession: false }));
    expect(back.heard()).toEqual([CONNACK(0)]);
  });

  it("subscribeDelayMs: what is published behind the SUBACK of a new subscription may be missed", () => {
    let now = 0;
    const of = broker({ now: () => now, subscribeDelayMs: 100 });
    const sender = online(of, "sender").say(publish("x", "kept", { retain: true }));
    const peer = online(of, "a").say(subscribe(1, ["x", 0]));
    const texts = (): readonly string[] => peer.messages().map(({ text }) => text);
    expect(texts()).toEqual(["kept"]);
    sender.say(publish("x", "missed"));
    now = 99;
    sender.say(publish("x", "missed too"));
    now = 100;
    sender.say(publish("x", "heard"));
    expect(texts()).toEqual(["heard"]);
    // The same filter again is in effect already.
    peer.say(subscribe(2, ["x", 1]));
    sender.say(publish("x", "heard too"));
    expect(texts()).toEqual(["kept", "heard too"]);
    peer.say({ type: PacketType.UNSUBSCRIBE, packetId: 3, filters: ["x"] }, subscribe(4, ["x", 1]));
    sender.say(publish("x", "missed again"));
    expect(texts()).toEqual(["kept"]);
  });

  it.each(["sessionExpiryMs", "subscribeDelayMs"])("%s must be an integer from 0", (name) => {
    expect(() => broker({ [name]: -1 })).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });

  it("[MQTT-3.1.4-2] the same client id: the new connection wins", () => {
    const of = broker(awsBehaviour);
    const old = online(of, "a");
    expect([online(of, "a").isOpen, old.connection.closed?.kind]).toEqual([true, "taken-over"]);
  });

  it("awsBehaviour: every switch is set, and its limits are AWS IoT's quotas", () => {
    expect(awsBehaviour.limits).toBe(awsLimits);
    expect(Object.keys({ ...awsBehaviour, ...awsAtWorst(1) }).sort()).toEqual(
      (
        "connectsPerSecond deniedConnect deniedSubscribe disorder duplicates hashMatchesParent limits publishesPerSecond qos2 " +
        "redelivery retainReserved retainedForWildcards sessionExpiryMs subscribeDelayMs willReserved"
      ).split(" "),
    );
  });
});

describe("broker: AWS IoT's quotas", () => {
  const filters = (count: number): Packet =>
    subscribe(1, ...Array.from({ length: count }, (_, i) => [`t/${i}`, 0] as [string, 0]));

  it.each<[string, Packet, boolean]>([
    ["a topic with 7 slashes", publish("1/2/3/4/5/6/7/8", ""), true],
    ["a topic with 8 slashes", publish("1/2/3/4/5/6/7/8/9", ""), false],
    ["Basic Ingest with 7 slashes behind its prefix", publish("$aws/rules/r/1/2/3/4/5/6/7/8", ""), true],
    ["a topic of 256 bytes", publish("a".repeat(256), ""), true],
    ["a topic of 257 bytes", publish("a".repeat(257), ""), false],
    ["a payload of 128 KB", publish("a", "x".repeat(131_072)), true],
    ["a payload of a byte more", publish("a", "x".repeat(131_073)), false],
    ["8 filters in one SUBSCRIBE", filters(8), true],
    ["9 filters in one SUBSCRIBE", filters(9), false],
    ["a filter with 8 slashes", subscribe(1, ["+/2/3/4/5/6/7/8/#", 0]), false],
  ])("%s", (_what, packet, isOpen) => {
    const peer = online(broker(awsBehaviour), "a").say(packet);
    expect(peer.isOpen).toBe(isOpen);
    if (!isOpen) expect(peer.connection.closed).toMatchObject({ kind: "limit", blame: "peer" });
    expect(online(broker(), "a").say(packet).isOpen).toBe(true);
  });

  it.each([
    [128, true],
    [129, false],
  ])("a client id of %i bytes: %s", (length, isOpen) => {
    expect(new Peer(broker(awsBehaviour)).say(connect("a".repeat(length))).isOpen).toBe(isOpen);
  });

  it("a will above the limits closes before CONNACK", () => {
    const will = { topic: "1/2/3/4/5/6/7/8/9", payload: bytes(""), qos: 0, retain: false } as const;
    const peer = new Peer(broker(awsBehaviour)).say(connect("a", { will }));
    expect([peer.heard(), peer.connection.closed?.kind]).toEqual([[], "limit"]);
  });

  it("the 51st subscription of a connection gets 0x80", () => {
    const peer = online(broker(awsBehaviour), "a");
    for (let i = 0; i < 50; i++) peer.say(subscribe(1, [`t/${i}`, 0]));
    peer.heard();
    peer.say(subscribe(2, ["t/50", 0], ["t/49", 1]));
    expect(peer.heard()).toEqual([{ type: PacketType.SUBACK, packetId: 2, returnCodes: [0x80, 1] }]);
  });

  it.each([
    [0, 1_200],
    [1, 30],
    [30, 30],
    [600, 600],
    [1_200, 1_200],
    [1_201, 1_200],
    [65_535, 1_200],
  ])("[MQTT-3.1.2-24] a keep-alive of %i s is one of %i s", (asked, applied) => {
    const peer = online(broker(awsBehaviour), "a", { keepAliveSeconds: asked });
    expect(peer.connection.nextTimeout()).toBe(1_500 * applied);
  });

  it("publishesPerSecond: what comes above is discarded without PUBACK, and the next second counts anew", () => {
    let now = 0;
    const of = broker({ now: () => now, publishesPerSecond: 2 });
    const peer = subscriber(of, ["x", 0]);
    const sender = online(of, "sender");
    const send = (packetId: number): void => void sender.say(publish("x", `${packetId}`, { qos: 1, packetId }));
    for (const id of [1, 2, 3]) send(id);
    now = 1_000;
    send(4);
    expect(sender.heard().map((packet) => "packetId" in packet && packet.packetId)).toEqual([1, 2, 4]);
    expect(peer.messages().map(({ text }) => text)).toEqual(["1", "2", "4"]);
    expect(sender.isOpen).toBe(true);
  });

  it("connectsPerSecond: one more with the same client id is closed, and the connection that is there stays", () => {
    let now = 0;
    const of = broker({ now: () => now, connectsPerSecond: 1 });
    const first = online(of, "a");
    now = 999;
    const early = new Peer(of).say(connect("a"));
    expect([early.heard(), early.connection.closed?.kind, first.isOpen]).toEqual([[], "limit", true]);
    expect(online(of, "b").isOpen).toBe(true);
    now = 1_000;
    expect([online(of, "a").isOpen, first.isOpen]).toEqual([true, false]);
  });

  it.each(["publishesPerSecond", "connectsPerSecond"])("%s must be a positive integer", (name) => {
    expect(() => broker({ [name]: 0 })).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});

describe("broker: duplicates and disorder", () => {
  const texts = Array.from({ length: 60 }, (_, i) => `${i}`);

  it("duplicates come with another packet identifier and DUP unset, at QoS 0 and 1, the same ones with the same seed", () => {
    const run = (seed: number, qos: 0 | 1) => {
      const of = broker({ duplicates: { seed, probability: 0.3 } });
      const peer = subscriber(of, ["x", qos]);
      const sender = online(of, "sender");
      for (const text of texts) sender.say(publish("x", text, { qos, packetId: qos }));
      return peer.messages();
    };
    for (const qos of [0, 1] as const) {
      const messages = run(5, qos);
      expect(messages.length).toBeGreaterThan(65);
      expect([...new Set(messages.map(({ text }) => text))]).toEqual(texts);
      expect(messages.some(({ dup }) => dup)).toBe(false);
      expect(new Set(messages.map(({ packetId }) => packetId)).size).toBe(qos === 0 ? 1 : messages.length);
      expect(run(5, qos)).toEqual(messages);
      expect(run(6, qos)).not.toEqual(messages);
    }
  });

  it("disorder: deliveries and acknowledgements overtake each other, none is lost, and holdMs bounds the wait", () => {
    let now = 0;
    const of = broker({ now: () => now, disorder: { seed: 3, probability: 0.5, holdMs: 100 } });
    const peer = subscriber(of, ["x", 1]);
    peer.connection.handleTimeout((now = 100));
    peer.heard();
    const sender = online(of, "sender");
    texts.forEach((text, i) => {
      now += 10;
      for (const each of [peer, sender]) each.connection.handleTimeout(now);
      sender.say(publish("x", text, { qos: 1, packetId: i + 1 }));
    });
    expect(peer.connection.nextTimeout()).toBeGreaterThan(now);
    expect(peer.connection.nextTimeout()).toBeLessThanOrEqual(now + 100);
    now += 100;
    for (const each of [peer, sender]) each.connection.handleTimeout(now);
    const got = peer.messages().map(({ text }) => text);
    expect(got).not.toEqual(texts);
    expect([...got].sort((a, b) => Number(a) - Number(b))).toEqual(texts);
    const acks = sender.heard().map((packet) => ("packetId" in packet ? packet.packetId : 0));
    expect(acks).not.toEqual(texts.map((_, i) => i + 1));
    expect([...acks].sort((a, b) => a - b)).toEqual(texts.map((_, i) => i + 1));
    expect(peer.connection.nextTimeout()).toBeUndefined();
  });

  it("what is held up and denied meanwhile does not leave", () => {
    let allowed = true;
    const authorize = allowing(({ type }) => type !== "receive" || allowed);
    const of = broker({ authorize, disorder: { seed: 1, probability: 1, holdMs: 100 } });
    const peer = subscriber(of, ["x", 1]);
    online(of, "sender").say(publish("x", "1", { qos: 1, packetId: 1 }));
    allowed = false;
    peer.connection.handleTimeout(100);
    expect([peer.messages(), of.session("subscriber")?.pending, peer.isOpen]).toEqual([[], 0, true]);
  });

  it("CONNACK and PINGRESP are never held up", () => {
    const of = broker({ disorder: { seed: 1, probability: 1, holdMs: 100 } });
    const peer = new Peer(of).say(connect("a"), { type: PacketType.PINGREQ }, subscribe(1, ["x", 0]));
    expect(peer.heard()).toEqual([CONNACK(0), { type: PacketType.PINGRESP }]);
  });
});
