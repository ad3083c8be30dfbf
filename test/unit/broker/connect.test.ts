import { describe, expect, it } from "vitest";
import { concat, fromHex } from "../../../src/bytes.ts";
import { Broker } from "../../../src/mqtt/broker.ts";
import { encode } from "../../../src/mqtt/encode.ts";
import { PacketType } from "../../../src/mqtt/packets.ts";
import { allowing, bytes, connect, online, Peer, publish, subscribe } from "./peer.ts";

const will = { topic: "will/topic", payload: bytes("gone"), qos: 1, retain: false } as const;
/** A CONNECT that our encoder refuses to make: an empty client id without CleanSession. */
const EMPTY_ID_KEPT = fromHex("100c 0004 4d515454 04 00 0000 0000");

function broker(options: Partial<ConstructorParameters<typeof Broker>[0]> = {}): Broker {
  return new Broker({ now: () => 0, ...options });
}

function watcher(of: Broker, filter: string): Peer {
  const peer = online(of, "watcher").say(subscribe(1, [filter, 1]));
  peer.heard();
  return peer;
}

describe("broker: CONNECT", () => {
  it("[MQTT-3.1.4-4] [MQTT-3.2.0-1] the first packet is a CONNACK with code 0", () => {
    const peer = new Peer(broker()).say(connect("a"));
    expect(peer.heard()).toEqual([{ type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 }]);
    expect(peer.connection.clientId).toBe("a");
  });

  it.each([
    ["PINGREQ", { type: PacketType.PINGREQ }],
    ["SUBSCRIBE", subscribe(1, ["a", 0])],
    ["PUBLISH", publish("a", "x")],
  ] as const)("[MQTT-3.1.0-1] %s before CONNECT closes without an answer", (_name, packet) => {
    const peer = new Peer(broker()).say(packet);
    expect(peer.connection.closed?.error?.data["statement"]).toBe("MQTT-3.1.0-1");
    expect(peer.heard()).toEqual([]);
  });

  it("[MQTT-3.1.0-2] a second CONNECT closes", () => {
    const peer = online(broker(), "a").say(connect("a"));
    expect(peer.connection.closed?.error?.data["statement"]).toBe("MQTT-3.1.0-2");
  });

  it("[MQTT-3.1.2-1] a wrong protocol name closes without a CONNACK", () => {
    const peer = new Peer(broker());
    peer.connection.feed(fromHex("100d 0004 4d515458 04 02 0000 0001 61"));
    expect(peer.isOpen).toBe(false);
    expect(peer.heard()).toEqual([]);
  });

  it("[MQTT-3.1.2-2] an unknown protocol level gets CONNACK 1 and the connection closes", () => {
    const peer = new Peer(broker());
    peer.connection.feed(fromHex("100d 0004 4d515454 05 02 0000 0001 61"));
    expect(peer.heard()).toEqual([{ type: PacketType.CONNACK, sessionPresent: false, returnCode: 1 }]);
    expect(peer.isOpen).toBe(false);
  });

  it.each([
    ["MQTT-3.1.2-3", "the reserved flag", "100d 0004 4d515454 04 03 0000 0001 61"],
    ["MQTT-3.1.2-13", "will QoS without a will", "100d 0004 4d515454 04 0a 0000 0001 61"],
    ["MQTT-3.1.2-15", "will retain without a will", "100d 0004 4d515454 04 22 0000 0001 61"],
    ["MQTT-3.1.2-22", "a password without a user name", "1010 0004 4d515454 04 42 0000 0001 61 0001 62"],
  ])("[%s] [MQTT-3.1.4-1] %s closes without a CONNACK", (statement, _what, hex) => {
    const peer = new Peer(broker());
    peer.connection.feed(fromHex(hex));
    expect(peer.connection.closed?.error?.data["statement"]).toBe(statement);
    expect(peer.heard()).toEqual([]);
  });

  it("[MQTT-3.1.3-6] an empty client id gets one of its own", () => {
    const of = broker();
    const first = new Peer(of).say(connect(""));
    const second = new Peer(of).say(connect(""));
    expect(first.connection.clientId).not.toBe(second.connection.clientId);
    expect([first.isOpen, second.isOpen]).toEqual([true, true]);
  });

  it("[MQTT-3.1.3-8] an empty client id without CleanSession gets CONNACK 2 and the connection closes", () => {
    const peer = new Peer(broker());
    peer.connection.feed(EMPTY_ID_KEPT);
    expect(peer.heard()).toEqual([{ type: PacketType.CONNACK, sessionPresent: false, returnCode: 2 }]);
    expect(peer.isOpen).toBe(false);
  });

  it("[MQTT-3.1.4-5] what comes behind a refused CONNECT is not processed", () => {
    const of = broker();
    const peer = watcher(of, "#");
    new Peer(of).connection.feed(concat([EMPTY_ID_KEPT, encode(publish("a", "x"))]));
    expect(peer.messages()).toEqual([]);
  });

  it("[MQTT-3.1.4-2] the same client id again: the new connection stays, the old one is closed", () => {
    const of = broker();
    const old = online(of, "a");
    const next = online(of, "a");
    expect(old.connection.closed?.reason).toContain("same client id");
    expect(next.isOpen).toBe(true);
    expect(of.connected).toEqual(["a"]);
  });

  it("closes a client that sends no CONNECT in time, and no other", () => {
    let now = 0;
    const of = broker({ now: () => now, connectTimeoutMs: 5_000 });
    const silent = new Peer(of);
    const quick = online(of, "quick");
    expect(silent.connection.nextTimeout()).toBe(5_000);
    now = 4_999;
    silent.connection.handleTimeout(now);
    expect(silent.isOpen).toBe(true);
    now = 5_000;
    silent.connection.handleTimeout(now);
    expect(silent.connection.closed?.reason).toContain("no CONNECT");
    expect(quick.connection.nextTimeout()).toBeUndefined();
  });

  it("[MQTT-3.2.2-6] a CONNECT that is not authorised closes without a CONNACK, as at AWS IoT", () => {
    const of = broker({
      deniedConnect: "close",
      authorize: allowing((action) => action.type !== "connect" || action.principal === "certificate 1"),
    });
    const wrong = new Peer(of, "certificate 2").say(connect("a"));
    expect(wrong.connection.closed).toMatchObject({
      kind: "denied-connect",
      reason: 'not authorised to connect as "a": the test says no',
    });
    expect(wrong.heard()).toEqual([]);
    expect(new Peer(of, "certificate 1").say(connect("a")).isOpen).toBe(true);
  });

  it("refuses a session too many with CONNACK 3, and gives up that of a client that is away first", () => {
    const of = broker({ maxSessions: 2 });
    online(of, "away", { cleanSession: false }).say({ type: PacketType.DISCONNECT });
    online(of, "b");
    expect(online(of, "c").isOpen).toBe(true);
    const peer = new Peer(of).say(connect("d"));
    expect(peer.heard()).toEqual([{ type: PacketType.CONNACK, sessionPresent: false, returnCode: 3 }]);
    expect(new Peer(of).say(connect("b")).heard()).toEqual([
      { type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 },
    ]);
  });
});

describe("broker: keep-alive and will", () => {
  it("[MQTT-3.1.2-24] nothing in 1.5 times the keep-alive closes; any packet postpones it", () => {
    let now = 0;
    const of = broker({ now: () => now });
    const peer = online(of, "a", { keepAliveSeconds: 10 });
    expect(peer.connection.nextTimeout()).toBe(15_000);
    now = 14_000;
    peer.say({ type: PacketType.PINGREQ });
    now = 28_999;
    peer.connection.handleTimeout(now);
    expect(peer.isOpen).toBe(true);
    now = 29_000;
    peer.connection.handleTimeout(now);
    expect(peer.connection.closed?.reason).toContain("keep-alive");
  });

  it("[MQTT-3.12.4-1] PINGREQ gets PINGRESP", () => {
    expect(online(broker(), "a").say({ type: PacketType.PINGREQ }).heard()).toEqual([{ type: PacketType.PINGRESP }]);
  });

  it.each([
    ["the stream ends", (peer: Peer) => peer.connection.end()],
    ["the client breaks the protocol", (peer: Peer) => peer.say(connect("a"))],
    ["the broker drops it", (peer: Peer) => peer.connection.close("test")],
  ])("[MQTT-3.1.2-8] the will is published once when %s", (_how, end) => {
    const of = broker();
    const peer = watcher(of, "will/#");
    const dying = online(of, "a", { will });
    end(dying);
    dying.connection.end();
    expect(peer.messages()).toMatchObject([{ topic: "will/topic", text: "gone", qos: 1, retain: false }]);
  });

  it("[MQTT-3.1.2-8] the will is published when another connection takes over", () => {
    const of = broker();
    const peer = watcher(of, "will/#");
    online(of, "a", { will });
    online(of, "a");
    expect(peer.messages()).toHaveLength(1);
  });

  it("[MQTT-3.14.4-3] [MQTT-3.1.2-10] DISCONNECT discards the will", () => {
    const of = broker();
    const peer = watcher(of, "will/#");
    const leaving = online(of, "a", { will }).say({ type: PacketType.DISCONNECT });
    expect(leaving.isOpen).toBe(false);
    leaving.connection.end();
    expect(peer.messages()).toEqual([]);
  });

  it("[MQTT-3.1.2-12] without a will nothing is published", () => {
    const of = broker();
    const peer = watcher(of, "#");
    online(of, "a").connection.end();
    expect(peer.messages()).toEqual([]);
  });

  it.each([
    ["MQTT-3.1.2-16", false, 0],
    ["MQTT-3.1.2-17", true, 1],
  ])("[%s] a will with retain %s", (_id, retain, kept) => {
    const of = broker();
    online(of, "a", { will: { ...will, retain } }).connection.end();
    const late = online(of, "late").say(subscribe(1, ["will/topic", 0]));
    expect(late.messages()).toHaveLength(kept);
  });

  it("a will to a topic that is not authorised is dropped", () => {
    const of = broker({ authorize: allowing((action) => action.type !== "publish" || action.topic !== "will/topic") });
    const peer = watcher(of, "will/#");
    online(of, "a", { will }).connection.end();
    expect(peer.messages()).toEqual([]);
  });
});
