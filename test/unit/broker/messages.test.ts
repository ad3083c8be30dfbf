import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes.ts";
import { Broker } from "../../../src/mqtt/broker.ts";
import { PacketType } from "../../../src/mqtt/packets.ts";
import { allowing, bytes, connect, online, Peer, publish, subscribe } from "./peer.ts";

function broker(options: Partial<ConstructorParameters<typeof Broker>[0]> = {}): Broker {
  return new Broker({ now: () => 0, ...options });
}

function subscriber(of: Broker, ...filters: [string, 0 | 1 | 2][]): Peer {
  const peer = online(of, "subscriber").say(subscribe(1, ...filters));
  peer.heard();
  return peer;
}

describe("broker: PUBLISH", () => {
  it("[MQTT-4.3.1-1] QoS 0 is delivered and not acknowledged", () => {
    const of = broker();
    const peer = subscriber(of, ["a/b", 0]);
    const sender = online(of, "sender").say(publish("a/b", "x"));
    expect(peer.messages()).toEqual([{ topic: "a/b", text: "x", qos: 0, retain: false, dup: false, packetId: 0 }]);
    expect(sender.heard()).toEqual([]);
  });

  it("[MQTT-4.3.2-2] QoS 1 is acknowledged with the same identifier, again where it comes again", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 1]);
    const sender = online(of, "sender").say(publish("a", "x", { qos: 1, packetId: 7 }));
    expect(sender.heard()).toEqual([{ type: PacketType.PUBACK, packetId: 7 }]);
    sender.say(publish("a", "x", { qos: 1, packetId: 7, dup: true }));
    expect(sender.heard()).toEqual([{ type: PacketType.PUBACK, packetId: 7 }]);
    expect(peer.messages().map(({ text }) => text)).toEqual(["x", "x"]);
  });

  it("[MQTT-4.3.3-2] QoS 2 is delivered once, whatever comes again before PUBREL; then the identifier is new", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 1]);
    const message = publish("a", "x", { qos: 2, packetId: 9 });
    const sender = online(of, "sender").say(message, { ...message, dup: true });
    expect(sender.heard()).toEqual([
      { type: PacketType.PUBREC, packetId: 9 },
      { type: PacketType.PUBREC, packetId: 9 },
    ]);
    expect(peer.messages()).toHaveLength(1);
    sender.say({ type: PacketType.PUBREL, packetId: 9 }, message);
    expect(sender.heard().map(({ type }) => type)).toEqual([PacketType.PUBCOMP, PacketType.PUBREC]);
    expect(peer.messages()).toHaveLength(1);
  });

  it("AWS IoT: QoS 2 gets silence, as PUBLISH and as SUBSCRIBE, where the option says so", () => {
    const of = broker({ qos2: "silence" });
    const peer = online(of, "a").say(
      subscribe(1, ["a", 0]),
      subscribe(2, ["b", 2]),
      publish("a", "x", { qos: 2, packetId: 9 }),
    );
    expect(peer.heard()).toEqual([{ type: PacketType.SUBACK, packetId: 1, returnCodes: [0] }]);
    expect(peer.isOpen).toBe(true);
  });

  it("[MQTT-3.3.1-3] DUP of the sender does not reach the subscriber", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 1]);
    online(of, "sender").say(publish("a", "x", { qos: 1, packetId: 1, dup: true }));
    expect(peer.messages()).toMatchObject([{ dup: false }]);
  });

  it.each([
    [0, 1, 0],
    [1, 0, 0],
    [1, 1, 1],
    [2, 1, 1],
    [1, 2, 1],
  ] as const)(
    "[MQTT-3.8.4-6] published at QoS %d, subscribed at %d: delivered at %d",
    (published, wanted, delivered) => {
      const of = broker();
      const peer = subscriber(of, ["a", wanted]);
      online(of, "sender").say(publish("a", "x", { qos: published, packetId: published === 0 ? 0 : 1 }));
      expect(peer.messages()).toMatchObject([{ qos: delivered }]);
    },
  );

  it("[MQTT-3.3.5-1] overlapping subscriptions give one copy at the highest of their QoS", () => {
    const of = broker();
    const peer = subscriber(of, ["a/#", 0], ["a/+", 1], ["a/b", 0]);
    online(of, "sender").say(publish("a/b", "x", { qos: 1, packetId: 1 }));
    expect(peer.messages()).toMatchObject([{ qos: 1 }]);
  });

  it("[MQTT-4.7.2-1] # and + at the start do not match topics that begin with $", () => {
    const of = broker();
    const peer = subscriber(of, ["#", 0], ["+/things", 0], ["$aws/#", 0]);
    const sender = online(of, "sender").say(publish("$sys/things", "x"));
    expect(peer.messages()).toEqual([]);
    sender.say(publish("$aws/things", "x"));
    expect(peer.messages()).toHaveLength(1);
  });

  it("[MQTT-3.3.5-2] a PUBLISH that is not authorised closes the connection and goes nowhere", () => {
    const of = broker({ authorize: allowing((action) => action.type !== "publish" || action.topic === "mine") });
    const peer = subscriber(of, ["#", 0]);
    const sender = online(of, "sender").say(publish("mine", "x"), publish("other", "y"));
    expect(sender.connection.closed?.reason).toBe('not authorised to publish to "other": the test says no');
    expect(peer.messages().map(({ topic }) => topic)).toEqual(["mine"]);
  });

  it("AWS IoT: a message that a client may not receive is not delivered, silently", () => {
    const of = broker({ authorize: allowing((action) => action.type !== "receive" || action.topic !== "secret") });
    const peer = subscriber(of, ["#", 0]);
    online(of, "sender").say(publish("secret", "x"), publish("open", "y"));
    expect(peer.messages().map(({ topic }) => topic)).toEqual(["open"]);
    expect(peer.isOpen).toBe(true);
  });

  it.each([
    ["MQTT-3.3.1-4", "QoS 3", "36 06 0001 61 0001 78"],
    ["MQTT-3.3.2-2", "a wildcard in the topic name", "30 03 0001 23"],
    ["MQTT-1.5.3-1", "a topic name that is not UTF-8", "30 04 0002 c080"],
    ["MQTT-2.3.1-1", "packet identifier 0", "32 05 0001 61 0000"],
    ["MQTT-2.2.2-2", "wrong flags of PUBREL", "60 02 0001"],
    ["MQTT-4.8.0-1", "a packet that only a server sends", "d0 00"],
    ["MQTT-4.8.0-1", "PUBREC for what was never sent at QoS 2", "50 02 0001"],
  ])("[%s] %s closes the connection", (statement, _what, hex) => {
    const peer = online(broker(), "a");
    peer.connection.feed(fromHex(hex));
    expect(peer.connection.closed?.error?.data["statement"]).toBe(statement);
    expect(peer.connection.closed?.blame).toBe("peer");
  });

  it("a packet above maxPacketBytes closes the connection before its body has come", () => {
    const peer = online(broker({ maxPacketBytes: 100 }), "a");
    peer.connection.feed(fromHex("30 ff ff ff 7f"));
    expect(peer.connection.closed?.error?.code).toBe("MQTT_PACKET_TOO_LARGE");
  });

  it("keeps a payload of its own: the sender's buffer may change", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 1]);
    peer.deaf = true;
    const chunk = fromHex("30 04 0001 61 78");
    const sender = online(of, "sender");
    sender.connection.feed(chunk);
    chunk.fill(0);
    sender.connection.feed(fromHex("30 04 0001 61 79"));
    peer.deaf = false;
    peer.read();
    expect(peer.messages().map(({ text }) => text)).toEqual(["x", "y"]);
  });
});

describe("broker: retained messages", () => {
  it("[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8] a new subscription gets the last one with RETAIN set, behind its SUBACK", () => {
    const of = broker();
    online(of, "sender").say(
      publish("a", "old", { retain: true }),
      publish("a", "new", { retain: true, qos: 1, packetId: 1 }),
    );
    const peer = online(of, "late").say(subscribe(5, ["a", 1]));
    const heard = peer.heard();
    expect(heard.map(({ type }) => type)).toEqual([PacketType.SUBACK, PacketType.PUBLISH]);
    expect(heard[1]).toMatchObject({ retain: true, qos: 1, payload: bytes("new") });
  });

  it("[MQTT-3.3.1-9] an established subscription gets it with RETAIN clear", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 0]);
    online(of, "sender").say(publish("a", "x", { retain: true }));
    expect(peer.messages()).toMatchObject([{ retain: false }]);
  });

  it("[MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty one is delivered, removes the old one and is not kept", () => {
    const of = broker();
    const peer = subscriber(of, ["a", 0]);
    online(of, "sender").say(publish("a", "x", { retain: true }), publish("a", "", { retain: true }));
    expect(peer.messages().map(({ text }) => text)).toEqual(["x", ""]);
    expect(
      online(of, "late")
        .say(subscribe(1, ["a", 0]))
        .messages(),
    ).toEqual([]);
  });

  it("[MQTT-3.3.1-12] a message without RETAIN leaves the retained one alone", () => {
    const of = broker();
    online(of, "sender").say(publish("a", "kept", { retain: true }), publish("a", "passing"));
    expect(
      online(of, "late")
        .say(subscribe(1, ["a", 0]))
        .messages(),
    ).toMatchObject([{ text: "kept" }]);
  });

  it("[MQTT-3.1.2.7] retained messages outlive the session of their sender", () => {
    const of = broker();
    online(of, "sender").say(publish("a", "kept", { retain: true }), { type: PacketType.DISCONNECT });
    expect(
      online(of, "late")
        .say(subscribe(1, ["a", 0]))
        .messages(),
    ).toHaveLength(1);
  });

  it("are bounded: a topic too many is not kept, one that is kept can change", () => {
    const of = broker({ maxRetained: 1 });
    online(of, "sender").say(
      publish("a", "1", { retain: true }),
      publish("b", "2", { retain: true }),
      publish("a", "3", { retain: true }),
    );
    expect(
      online(of, "late")
        .say(subscribe(1, ["#", 0]))
        .messages(),
    ).toMatchObject([{ topic: "a", text: "3" }]);
  });
});

describe("broker: SUBSCRIBE and UNSUBSCRIBE", () => {
  it("[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.9.3-1] SUBACK has the identifier and a code a filter, in order", () => {
    const peer = online(broker({ maxSubscriptions: 3 }), "a");
    peer.say(subscribe(77, ["a", 1], ["b", 0], ["c", 2], ["d", 0]));
    expect(peer.heard()).toEqual([{ type: PacketType.SUBACK, packetId: 77, returnCodes: [1, 0, 1, 0x80] }]);
  });

  it("[MQTT-3.8.4-3] the same filter again replaces the subscription, and retained messages come again", () => {
    const of = broker();
    online(of, "sender").say(publish("a", "kept", { retain: true }));
    const peer = online(of, "p").say(subscribe(1, ["a", 0]), subscribe(2, ["a", 1]));
    expect(peer.messages()).toHaveLength(2);
    of.publish({ topic: "a", payload: bytes("x"), qos: 1 });
    expect(peer.messages()).toMatchObject([{ qos: 1 }]);
  });

  it("[MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBSCRIBE compares filters as text and always gets UNSUBACK", () => {
    const of = broker();
    const peer = subscriber(of, ["a/+", 0]);
    peer.say({ type: PacketType.UNSUBSCRIBE, packetId: 3, filters: ["a/b"] });
    expect(peer.heard()).toEqual([{ type: PacketType.UNSUBACK, packetId: 3 }]);
    of.publish({ topic: "a/b", payload: bytes("x") });
    expect(peer.messages()).toHaveLength(1);
    peer.say({ type: PacketType.UNSUBSCRIBE, packetId: 4, filters: ["a/+", "none"] });
    of.publish({ topic: "a/b", payload: bytes("x") });
    expect(peer.heard()).toEqual([{ type: PacketType.UNSUBACK, packetId: 4 }]);
  });

  it("[MQTT-3.10.4-3] what was sent before UNSUBSCRIBE is still delivered to the end", () => {
    const of = broker();
    const peer = online(of, "p", { cleanSession: false }).say(subscribe(1, ["a", 1]));
    of.publish({ topic: "a", payload: bytes("x"), qos: 1 });
    peer.say({ type: PacketType.UNSUBSCRIBE, packetId: 3, filters: ["a"] });
    peer.connection.end();
    const again = new Peer(of).say(connect("p", { cleanSession: false }));
    expect(again.messages()).toMatchObject([{ text: "x", dup: true }]);
  });

  it("a SUBSCRIBE that is not authorised closes the connection, as at AWS IoT", () => {
    const of = broker({
      deniedSubscribe: "close",
      authorize: allowing((action) => action.type !== "subscribe" || action.filter !== "secret/#"),
    });
    const peer = online(of, "a").say(subscribe(1, ["open", 0]), subscribe(2, ["secret/#", 0]));
    expect(peer.heard()).toHaveLength(1);
    expect(peer.connection.closed?.reason).toBe('not authorised to subscribe to "secret/#": the test says no');
  });
});

describe("broker: sessions", () => {
  const kept = { cleanSession: false } as const;

  it("[MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.2.2-2] a kept session collects QoS 1 while its client is away", () => {
    const of = broker();
    online(of, "p", kept).say(subscribe(1, ["a", 1], ["b", 0]), { type: PacketType.DISCONNECT });
    of.publish({ topic: "a", payload: bytes("1"), qos: 1 });
    of.publish({ topic: "a", payload: bytes("lost"), qos: 0 });
    of.publish({ topic: "b", payload: bytes("lost"), qos: 1 });
    of.publish({ topic: "a", payload: bytes("2"), qos: 1 });
    const again = new Peer(of).say(connect("p", kept));
    const heard = again.heard();
    expect(heard[0]).toEqual({ type: PacketType.CONNACK, sessionPresent: true, returnCode: 0 });
    expect(heard.slice(1)).toMatchObject([
      { payload: bytes("1"), dup: false },
      { payload: bytes("2"), dup: false },
    ]);
  });

  it("[MQTT-3.2.2-3] a session that is not there: Session Present is 0", () => {
    expect(new Peer(broker()).say(connect("p", kept)).heard()).toMatchObject([{ sessionPresent: false }]);
  });

  it("[MQTT-3.1.2-6] [MQTT-3.2.2-1] CleanSession 1 discards the old session", () => {
    const of = broker();
    online(of, "p", kept).say(subscribe(1, ["a", 1]), { type: PacketType.DISCONNECT });
    of.publish({ topic: "a", payload: bytes("x"), qos: 1 });
    const clean = new Peer(of).say(connect("p"));
    expect(clean.heard()).toEqual([{ type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 }]);
    of.publish({ topic: "a", payload: bytes("x"), qos: 1 });
    expect(clean.heard()).toEqual([]);
    clean.connection.end();
    expect(new Peer(of).say(connect("p", kept)).heard()).toMatchObject([{ sessionPresent: false }]);
  });

  it("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] what was not acknowledged comes again with DUP, its identifier, in order", () => {
    const of = broker();
    const first = online(of, "p", kept).say(subscribe(1, ["a", 1]));
    first.heard();
    for (const text of ["1", "2", "3"]) of.publish({ topic: "a", payload: bytes(text), qos: 1 });
    const sent = first.messages();
    first.say({ type: PacketType.PUBACK, packetId: sent[1]!.packetId });
    first.connection.end();
    of.publish({ topic: "a", payload: bytes("4"), qos: 1 });
    const again = new Peer(of).say(connect("p", kept)).messages();
    expect(again.map(({ text, dup }) => [text, dup])).toEqual([
      ["1", true],
      ["3", true],
      ["4", false],
    ]);
    expect(again.slice(0, 2).map(({ packetId }) => packetId)).toEqual([sent[0]!.packetId, sent[2]!.packetId]);
    expect(new Set(again.map(({ packetId }) => packetId)).size).toBe(3);
  });

  it("[MQTT-2.3.1-4] identifiers are never 0 and not used twice at a time, past 65,535 too", () => {
    const of = broker({ maxInFlight: 2 });
    const peer = online(of, "p").say(subscribe(1, ["a", 1]));
    peer.heard();
    of.publish({ topic: "a", payload: bytes("stays"), qos: 1 });
    const [stays] = peer.messages();
    for (let i = 0; i < 65_540; i++) {
      of.publish({ topic: "a", payload: bytes("x"), qos: 1 });
      const [message] = peer.messages();
      if (message === undefined || message.packetId === 0 || message.packetId === stays!.packetId)
        throw new Error(`identifier ${message?.packetId} at message ${i}`);
      peer.say({ type: PacketType.PUBACK, packetId: message.packetId });
    }
  });

  it("sends maxInFlight messages of QoS 1 at a time and the next with each PUBACK", () => {
    const of = broker({ maxInFlight: 2 });
    const peer = online(of, "p").say(subscribe(1, ["a", 1]));
    peer.heard();
    for (const text of ["1", "2", "3"]) of.publish({ topic: "a", payload: bytes(text), qos: 1 });
    const sent = peer.messages();
    expect(sent.map(({ text }) => text)).toEqual(["1", "2"]);
    peer.say({ type: PacketType.PUBACK, packetId: sent[0]!.packetId });
    expect(peer.messages().map(({ text }) => text)).toEqual(["3"]);
    peer.say({ type: PacketType.PUBACK, packetId: 999 });
    expect(peer.isOpen).toBe(true);
  });

  it("keeps maxQueued messages for a client that is away, the newest", () => {
    const of = broker({ maxQueued: 2 });
    online(of, "p", kept).say(subscribe(1, ["a", 1]), { type: PacketType.DISCONNECT });
    for (const text of ["1", "2", "3"]) of.publish({ topic: "a", payload: bytes(text), qos: 1 });
    expect(
      new Peer(of)
        .say(connect("p", kept))
        .messages()
        .map(({ text }) => text),
    ).toEqual(["2", "3"]);
  });

  it("bounds what waits for a client that does not read, and goes on when it reads", () => {
    const of = broker({ maxOutputBytes: 64, maxQueued: 5 });
    const peer = subscriber(of, ["a", 0]);
    peer.deaf = true;
    for (let i = 0; i < 100; i++) of.publish({ topic: "a", payload: bytes(String(i).padStart(20)) });
    peer.deaf = false;
    peer.read();
    const texts = peer.messages().map(({ text }) => Number(text));
    expect(texts.length).toBeLessThan(12);
    expect(texts.slice(-5)).toEqual([95, 96, 97, 98, 99]);
  });

  it("drops a client that asks and never reads", () => {
    const of = broker({ maxOutputBytes: 64 });
    const peer = online(of, "a");
    peer.deaf = true;
    for (let i = 0; i < 100 && peer.isOpen; i++) peer.say({ type: PacketType.PINGREQ });
    expect(peer.connection.closed?.reason).toBe("the client does not read");
  });
});

describe("broker: clients inside the process", () => {
  it("subscribe() hears clients and publish() reaches them, until it is ended", () => {
    const of = broker();
    const heard: string[] = [];
    const end = of.subscribe("$aws/things/+/shadow/get", ({ topic, payload }) => {
      heard.push(String.fromCharCode(...payload));
      of.publish({ topic: `${topic}/accepted`, payload: bytes("{}") });
    });
    const peer = online(of, "lamp").say(subscribe(1, ["$aws/things/lamp/shadow/get/+", 0]));
    peer.heard();
    peer.say(publish("$aws/things/lamp/shadow/get", "1"));
    expect(peer.messages()).toMatchObject([{ topic: "$aws/things/lamp/shadow/get/accepted", text: "{}" }]);
    end();
    peer.say(publish("$aws/things/lamp/shadow/get", "2"));
    expect(heard).toEqual(["1"]);
  });

  it("[MQTT-4.6.0-6] what a handler publishes comes behind what it hears, for every subscriber", () => {
    const of = broker();
    of.subscribe("ask", () => of.publish({ topic: "answer", payload: bytes("a") }));
    const peer = subscriber(of, ["ask", 0], ["answer", 0]);
    of.subscribe("ask", () => of.publish({ topic: "answer", payload: bytes("b") }));
    of.publish({ topic: "ask", payload: bytes("?") });
    expect(peer.messages().map(({ text }) => text)).toEqual(["?", "a", "b"]);
  });

  it("refuses a wildcard in a topic name and a bad filter", () => {
    const of = broker();
    expect(() => of.publish({ topic: "a/#", payload: bytes("") })).toThrow("wildcard");
    expect(() => of.subscribe("a#", () => {})).toThrow("MQTT-4.7.1-2");
    expect(() => new Broker({ now: () => 0, maxQueued: 0 })).toThrow("maxQueued");
  });
});
