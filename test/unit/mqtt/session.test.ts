/** The session engine, statement by statement, on a virtual clock. */
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/bytes.ts";
import { awsLimits, encode, MqttSession, type Packet, PacketType } from "../../../src/mqtt/index.ts";
import { connack, puback, publishQos1, SessionHarness, text } from "./session-harness.ts";

const closedWith = (code: string, statement?: string) => ({
  type: "closed",
  error: statement === undefined ? { code } : { code, data: { statement } },
});

describe("connecting", () => {
  it("[MQTT-3.1.0-1] sends CONNECT first, and nothing else before CONNACK", () => {
    const h = new SessionHarness();
    h.session.publish({ topic: "t", payload: text("early"), qos: 1 });
    h.session.connect(h.now);
    expect(h.sent().map(({ type }) => type)).toEqual([PacketType.CONNECT]);
    expect(h.session.nextOutputBytes()).toBe(0);
    h.receive(connack);
    expect(h.sent().map(({ type }) => type)).toEqual([PacketType.PUBLISH]);
  });

  it("[MQTT-3.1.3-2] [MQTT-3.1.2-6] identifies itself and asks for a clean session by default", () => {
    expect(new SessionHarness().connect()).toMatchObject([{ clientId: "c", cleanSession: true, keepAliveSeconds: 60 }]);
  });

  it("[MQTT-3.1.2-9] [MQTT-3.1.2-19] [MQTT-3.1.2-21] sends will, user name and password where they are given", () => {
    const will = { topic: "w", payload: text("gone"), qos: 1, retain: true } as const;
    const h = new SessionHarness({ will, username: "u", password: text("p") });
    expect(h.connect()).toMatchObject([{ will, username: "u", password: text("p") }]);
  });

  it("[MQTT-3.2.0-1] closes where the first packet is no CONNACK", () => {
    for (const hex of ["d000", "40020001", "300400016161", "9003000100", "b0020001"]) {
      const h = new SessionHarness();
      h.session.connect(h.now);
      h.sent();
      h.receive(hex);
      expect(h.last).toMatchObject(closedWith("MQTT_UNEXPECTED_PACKET", "MQTT-3.2.0-1"));
    }
  });

  it("[MQTT-3.2.0-1] closes where CONNACK comes before CONNECT was written", () => {
    const h = new SessionHarness();
    h.session.connect(h.now);
    h.receive(connack);
    expect(h.last).toMatchObject(closedWith("MQTT_UNEXPECTED_PACKET", "MQTT-3.2.0-1"));
  });

  it.each([
    [1, "MQTT_REFUSED_PROTOCOL_VERSION", -37],
    [2, "MQTT_REFUSED_IDENTIFIER", -38],
    [3, "MQTT_REFUSED_SERVER_UNAVAILABLE", -39],
    [4, "MQTT_REFUSED_BAD_CREDENTIALS", -40],
    [5, "MQTT_REFUSED_NOT_AUTHORIZED", -41],
    [6, "MQTT_REFUSED_UNKNOWN", -36],
    [7, "MQTT_REFUSED_UNKNOWN", -36],
    [255, "MQTT_REFUSED_UNKNOWN", -36],
  ])("§3.2.2.3 [MQTT-3.2.2-5] return code %i is %s, and closes", (returnCode, code, sdk) => {
    const h = new SessionHarness();
    h.session.connect(h.now);
    h.sent();
    h.receive({ type: PacketType.CONNACK, sessionPresent: false, returnCode });
    expect(h.last).toMatchObject({ type: "closed", error: { code, sdk, data: { returnCode } } });
    expect(h.session.state).toBe("offline");
  });

  it("[MQTT-3.2.2-1] closes on session present after a clean session was asked for", () => {
    const h = new SessionHarness();
    h.connect(true);
    expect(h.last).toMatchObject(closedWith("MQTT_PROTOCOL_VIOLATION", "MQTT-3.2.2-1"));
  });

  it("[MQTT-4.8.0-1] closes on a second CONNACK", () => {
    const h = new SessionHarness();
    h.connect();
    h.receive(connack);
    expect(h.last).toMatchObject(closedWith("MQTT_UNEXPECTED_PACKET", "MQTT-4.8.0-1"));
  });

  it("says whether it waited for the transport or for CONNACK", () => {
    const unwritten = new SessionHarness({ connectTimeoutMs: 5_000 });
    unwritten.session.connect(unwritten.now);
    unwritten.advance(4_999);
    expect(unwritten.last).toBeUndefined();
    unwritten.advance(1);
    expect(unwritten.last).toMatchObject({ error: { code: "MQTT_CONNECT_TIMEOUT", data: { phase: "connect" } } });
    const silent = new SessionHarness({ connectTimeoutMs: 5_000 });
    silent.session.connect(silent.now);
    silent.sent();
    silent.advance(5_000);
    expect(silent.last).toMatchObject({ error: { code: "MQTT_CONNACK_TIMEOUT", sdk: -28 } });
  });

  it("tells an end before CONNACK from one after it", () => {
    const before = new SessionHarness();
    before.session.connect(before.now);
    before.sent();
    before.session.end();
    before.takeEvents();
    expect(before.last).toMatchObject({
      error: { code: "MQTT_CLOSED_BEFORE_CONNACK", sdk: -28, data: { phase: "connect" } },
    });
    const after = new SessionHarness();
    after.connect();
    after.session.feed(fromHex("30 05"));
    after.session.end();
    after.takeEvents();
    expect(after.last).toMatchObject({
      error: { code: "MQTT_CONNECTION_LOST", sdk: -13, data: { bytesOfAPacket: 2 } },
    });
  });

  it("delivers what came before the end", () => {
    const h = new SessionHarness();
    h.connect();
    h.session.feed(encode(publishQos1(5)));
    h.session.end();
    expect(h.takeEvents().map(({ type }) => type)).toEqual(["message", "closed"]);
  });

  it("refuses options that no CONNECT can carry", () => {
    expect(() => new MqttSession({ clientId: "", cleanSession: false })).toThrow(/MQTT-3.1.3-7/);
    expect(() => new MqttSession({ clientId: "c", keepAliveSeconds: 1.5 })).toThrow(/keep alive/);
    expect(() => new MqttSession({ clientId: "c", maxInFlight: 0 })).toThrow(/maxInFlight/);
    expect(() => new MqttSession({ clientId: "c", connectTimeoutMs: Number.NaN })).toThrow(/connectTimeoutMs NaN/);
    expect(() => new MqttSession({ clientId: "c", pingTimeoutMs: 0 })).toThrow(/pingTimeoutMs 0/);
  });
});

describe("publishing", () => {
  it("[MQTT-4.3.1-1] QoS 0 goes once with QoS 0 and DUP 0, and is done when written", () => {
    const h = new SessionHarness();
    h.connect();
    const id = h.session.publish({ topic: "t", payload: text("x") });
    expect(h.takeEvents()).toEqual([]);
    expect(h.sent()).toMatchObject([{ qos: 0, dup: false, packetId: 0 }]);
    expect(h.takeEvents()).toEqual([{ type: "published", id }]);
  });

  it("[MQTT-4.3.2-1] QoS 1 has an identifier and DUP 0, and is done on its PUBACK", () => {
    const h = new SessionHarness();
    h.connect();
    const id = h.session.publish({ topic: "t", payload: text("x"), qos: 1, retain: true });
    expect(h.sent()).toMatchObject([{ qos: 1, dup: false, retain: true, packetId: 1 }]);
    expect(h.takeEvents()).toEqual([]);
    expect(h.receive(puback(1))).toEqual([{ type: "published", id }]);
    expect(h.session.pending).toBe(0);
  });

  it("[MQTT-2.3.1-2] [MQTT-2.3.1-3] never uses an identifier that is in use, across the wrap at 65,535", () => {
    const h = new SessionHarness({ maxQueued: 70_000, maxQueuedBytes: 10_000_000 });
    h.connect();
    h.session.publish({ topic: "t", payload: text("kept"), qos: 1 });
    expect(h.sent()).toMatchObject([{ packetId: 1 }]);
    for (let expected = 2; expected <= 65_535; expected++) {
      h.session.publish({ topic: "t", payload: text(""), qos: 1 });
      const room = new Uint8Array(16);
      const written = h.session.encodeOutput(room, h.now);
      const packetId = room[written - 2]! * 256 + room[written - 1]!;
      if (packetId !== expected) expect(packetId).toBe(expected);
      h.session.feed(encode(puback(packetId)));
      h.session.nextEvent();
    }
    h.session.publish({ topic: "t", payload: text(""), qos: 1 });
    expect(h.sent()).toMatchObject([{ packetId: 2 }]);
  });

  it("holds back what exceeds the in-flight window, in order", () => {
    const h = new SessionHarness({ maxInFlight: 2 });
    h.connect();
    for (const payload of ["1", "2", "3"]) h.session.publish({ topic: "t", payload: text(payload), qos: 1 });
    h.session.publish({ topic: "t", payload: text("4") });
    expect(h.sent()).toMatchObject([{ payload: text("1") }, { payload: text("2") }]);
    expect(h.session.nextOutputBytes()).toBe(0);
    h.receive(puback(2));
    expect(h.sent()).toMatchObject([{ payload: text("3") }, { payload: text("4") }]);
  });

  it("bounds its queue by count and by bytes", () => {
    const byCount = new SessionHarness({ maxQueued: 2 });
    byCount.session.publish({ topic: "t", payload: text("1") });
    byCount.session.publish({ topic: "t", payload: text("2") });
    expect(() => byCount.session.publish({ topic: "t", payload: text("3") })).toThrow(/queue/);
    const byBytes = new SessionHarness({ maxQueuedBytes: 20 });
    byBytes.session.publish({ topic: "t", payload: new Uint8Array(10) });
    expect(() => byBytes.session.publish({ topic: "t", payload: new Uint8Array(10) })).toThrow(
      expect.objectContaining({ code: "MQTT_QUEUE_FULL" }),
    );
    byBytes.connect();
    byBytes.sent();
    byBytes.session.publish({ topic: "t", payload: new Uint8Array(10) });
  });

  it("refuses QoS 2 to send", () => {
    const h = new SessionHarness();
    expect(() => h.session.publish({ topic: "t", payload: text(""), qos: 2 })).toThrow(
      expect.objectContaining({ code: "MQTT_QOS2_UNSUPPORTED", blame: "caller" }),
    );
  });

  it("[MQTT-2.3.1-6] ignores a PUBACK for an unknown identifier, and closes on one for a SUBSCRIBE", () => {
    const h = new SessionHarness();
    h.connect();
    expect(h.receive(puback(9))).toEqual([]);
    expect(h.session.state).toBe("connected");
    h.session.subscribe([{ filter: "a", qos: 0 }]);
    h.sent();
    h.receive(puback(1));
    expect(h.last).toMatchObject(closedWith("MQTT_PROTOCOL_VIOLATION", "MQTT-2.3.1-6"));
  });

  it("[MQTT-4.8.0-1] closes on PUBREC and PUBCOMP: it never sends QoS 2", () => {
    for (const hex of ["50020001", "70020001"]) {
      const h = new SessionHarness();
      h.connect();
      h.receive(hex);
      expect(h.last).toMatchObject(closedWith("MQTT_UNEXPECTED_PACKET"));
    }
  });
});

describe("receiving", () => {
  it("[MQTT-3.3.4-1] [MQTT-4.3.2-2] answers by QoS: nothing, PUBACK, PUBREC", () => {
    const h = new SessionHarness();
    h.connect();
    h.receive("300400017461");
    expect(h.sent()).toEqual([]);
    h.receive(publishQos1(7));
    expect(h.sent()).toEqual([puback(7)]);
    h.receive({ ...publishQos1(8), qos: 2 } as Packet);
    expect(h.sent()).toEqual([{ type: PacketType.PUBREC, packetId: 8 }]);
    expect(h.events.filter(({ type }) => type === "message")).toHaveLength(3);
  });

  it("[MQTT-4.3.2-2] takes the same identifier after PUBACK as a new message, DUP or not", () => {
    const h = new SessionHarness();
    h.connect();
    h.receive(publishQos1(7, "1"), publishQos1(7, "1", true), publishQos1(7, "2"));
    expect(h.events.filter(({ type }) => type === "message")).toHaveLength(3);
    expect(h.sent()).toEqual([puback(7), puback(7), puback(7)]);
  });

  it("[MQTT-4.6.0-2] [MQTT-4.6.0-3] acknowledges in the order of arrival", () => {
    const h = new SessionHarness();
    h.connect();
    h.receive(publishQos1(3), { ...publishQos1(9), qos: 2 } as Packet, publishQos1(1), publishQos1(2));
    expect(h.sent()).toEqual([puback(3), { type: PacketType.PUBREC, packetId: 9 }, puback(1), puback(2)]);
  });

  it("[MQTT-4.3.3-2] delivers QoS 2 once: PUBREC again for duplicates until PUBREL, then PUBCOMP, then the identifier is new", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    const message = { ...publishQos1(5), qos: 2 } as Packet;
    h.receive(message, { ...message, dup: true } as Packet);
    expect(h.sent()).toEqual([
      { type: PacketType.PUBREC, packetId: 5 },
      { type: PacketType.PUBREC, packetId: 5 },
    ]);
    // The session goes on over a connection.
    h.session.end();
    h.takeEvents();
    h.connect(true);
    h.receive({ ...message, dup: true } as Packet);
    expect(h.events.filter(({ type }) => type === "message")).toHaveLength(1);
    h.sent();
    h.receive({ type: PacketType.PUBREL, packetId: 5 }, { type: PacketType.PUBREL, packetId: 5 }, message);
    expect(h.sent()).toEqual([
      { type: PacketType.PUBCOMP, packetId: 5 },
      { type: PacketType.PUBCOMP, packetId: 5 },
      { type: PacketType.PUBREC, packetId: 5 },
    ]);
    expect(h.events.filter(({ type }) => type === "message")).toHaveLength(2);
  });

  it("[MQTT-3.1.2-6] forgets received QoS 2 identifiers where the server has no session", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    const message = { ...publishQos1(5), qos: 2 } as Packet;
    h.receive(message);
    h.session.end();
    h.takeEvents();
    h.connect(false);
    h.receive(message);
    expect(h.events.filter(({ type }) => type === "message")).toHaveLength(2);
  });

  it("stops to parse where acknowledgements cannot be written, and goes on when they can", () => {
    const h = new SessionHarness();
    h.connect();
    const flood = new Uint8Array(Array.from({ length: 1_200 }, (_, i) => [...encode(publishQos1(i + 1, ""))]).flat());
    h.session.feed(flood);
    expect(h.takeEvents()).toHaveLength(1_000);
    h.sent();
    expect(h.takeEvents()).toHaveLength(200);
  });

  it("[MQTT-4.8.0-1] closes on malformed packets, and sends nothing more", () => {
    const h = new SessionHarness();
    h.connect();
    h.session.publish({ topic: "t", payload: text("x"), qos: 1 });
    h.receive(publishQos1(1), "36 07 0003 612f62 0001");
    expect(h.events.slice(-2)).toMatchObject([
      { type: "message" },
      closedWith("MQTT_MALFORMED_PACKET", "MQTT-3.3.1-4"),
    ]);
    expect(h.bytesOut()).toHaveLength(0);
    expect(h.session.feed(new Uint8Array(10))).toBe(10);
    expect(h.takeEvents()).toEqual([]);
  });
});

describe("subscribing", () => {
  it("[MQTT-2.3.1-1] [MQTT-3.8.4-2] gives the codes of the SUBACK with its identifier", () => {
    const h = new SessionHarness();
    h.connect();
    const id = h.session.subscribe([
      { filter: "a", qos: 1 },
      { filter: "b", qos: 0 },
    ]);
    expect(h.sent()).toMatchObject([{ type: PacketType.SUBSCRIBE, packetId: 1 }]);
    const codes = { type: PacketType.SUBACK, packetId: 1, returnCodes: [1, 0x80] } as const;
    expect(h.receive(codes)).toEqual([{ type: "subscribed", id, returnCodes: [1, 0x80] }]);
  });

  it.each([
    ["[MQTT-3.8.4-5] [MQTT-3.9.3-1] fewer codes than filters", "90 03 0001 00", "MQTT-3.8.4-5"],
    ["[MQTT-3.8.4-5] more codes than filters", "90 05 0001 000000", "MQTT-3.8.4-5"],
    ["[MQTT-3.8.4-2] an unknown identifier", "90 04 0002 0000", "MQTT-3.8.4-2"],
    ["[MQTT-2.3.1-7] an UNSUBACK for a SUBSCRIBE", "b0 02 0001", "MQTT-2.3.1-7"],
  ])("closes on %s", (_name, hex, statement) => {
    const h = new SessionHarness();
    h.connect();
    h.session.subscribe([
      { filter: "a", qos: 1 },
      { filter: "b", qos: 0 },
    ]);
    h.sent();
    h.receive(hex);
    expect(h.last).toMatchObject(closedWith("MQTT_PROTOCOL_VIOLATION", statement));
    // Nothing is lost: it is sent again with the next connection.
    h.connect();
    expect(h.sent()).toMatchObject([{ type: PacketType.SUBSCRIBE }]);
  });

  it("[MQTT-3.10.4-4] unsubscribes, and ignores an UNSUBACK that nobody asked for", () => {
    const h = new SessionHarness();
    h.connect();
    const id = h.session.unsubscribe(["a", "b"]);
    expect(h.sent()).toMatchObject([{ type: PacketType.UNSUBSCRIBE, packetId: 1, filters: ["a", "b"] }]);
    expect(h.receive("b0 02 0009", "b0 02 0001")).toEqual([{ type: "unsubscribed", id }]);
  });
});

describe("keep-alive", () => {
  it("[MQTT-3.1.2-23] sends PINGREQ before the interval is over, only put off by what was sent", () => {
    const h = new SessionHarness({ keepAliveSeconds: 60 });
    h.connect();
    h.advance(50_000);
    h.session.publish({ topic: "t", payload: text("x") });
    h.sent();
    h.advance(30_000);
    h.receive("30 04 0001 74 61"); // what is received puts nothing off
    h.advance(28_999);
    expect(h.sent()).toEqual([]);
    h.advance(1);
    expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
    h.receive("d000");
    h.advance(59_000);
    expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
  });

  it("[MQTT-3.12.4-1] gives a peer up that does not answer PINGREQ, counted from its writing", () => {
    const h = new SessionHarness({ keepAliveSeconds: 60, pingTimeoutMs: 5_000 });
    h.connect();
    h.advance(59_000);
    expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
    h.receive("30 04 0001 74 61");
    h.advance(4_999);
    expect(h.session.state).toBe("connected");
    h.advance(1);
    expect(h.last).toMatchObject({ type: "closed", error: { code: "MQTT_PINGRESP_TIMEOUT", sdk: -13 } });
  });

  it("[MQTT-3.1.2-23] pings on while a long wait for PINGRESP lasts, which one answer ends", () => {
    const h = new SessionHarness({ keepAliveSeconds: 10, pingTimeoutMs: 25_000 });
    h.connect();
    for (let i = 0; i < 3; i++) {
      h.advance(9_000);
      expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
    }
    h.receive("d000");
    h.advance(9_000);
    expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
    h.advance(24_999);
    expect(h.session.state).toBe("offline"); // its PINGREQ was never written for an interval
  });

  it("[MQTT-3.12.4-1] a PINGREQ that follows does not put that wait off", () => {
    const h = new SessionHarness({ keepAliveSeconds: 10, pingTimeoutMs: 25_000 });
    h.connect();
    for (let second = 0; second < 33; second++) {
      h.advance(1_000);
      h.sent();
    }
    expect(h.session.state).toBe("connected");
    h.advance(1_000);
    expect(h.last).toMatchObject({ error: { code: "MQTT_PINGRESP_TIMEOUT" } });
  });

  it("gives a peer up that takes no bytes for a whole interval", () => {
    const h = new SessionHarness({ keepAliveSeconds: 60 });
    h.connect();
    h.advance(59_000 + 59_999);
    expect(h.session.state).toBe("connected");
    h.advance(1);
    expect(h.last).toMatchObject({ type: "closed", error: { code: "MQTT_PINGRESP_TIMEOUT" } });
  });

  it("while it does not read it still pings and expects no answer", () => {
    const h = new SessionHarness({ keepAliveSeconds: 60, pingTimeoutMs: 5_000 });
    h.connect();
    h.session.setReading(false, h.now);
    for (let i = 0; i < 5; i++) {
      h.advance(59_000);
      expect(h.sent()).toEqual([{ type: PacketType.PINGREQ }]);
    }
    h.session.setReading(true, h.now);
    h.advance(4_999);
    expect(h.session.state).toBe("connected");
    h.advance(1);
    expect(h.last).toMatchObject({ error: { code: "MQTT_PINGRESP_TIMEOUT" } });
  });

  it("§3.1.2.10: 0 is off", () => {
    const h = new SessionHarness({ keepAliveSeconds: 0 });
    h.connect();
    expect(h.session.nextTimeout()).toBeUndefined();
  });
});

describe("over connections", () => {
  it("[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] [MQTT-2.3.1-3] sends unacknowledged PUBLISHes again: same identifiers, DUP 1, in order, ahead of what is new", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    for (const payload of ["1", "2", "3"]) h.session.publish({ topic: "t", payload: text(payload), qos: 1 });
    h.session.subscribe([{ filter: "f", qos: 0 }]);
    h.sent();
    h.receive(puback(2));
    h.session.fail(new Error("cut") as never);
    h.takeEvents();
    h.session.publish({ topic: "t", payload: text("new"), qos: 1 });
    h.connect(true);
    expect(h.sent()).toMatchObject([
      { payload: text("1"), packetId: 1, dup: true },
      { payload: text("3"), packetId: 3, dup: true },
      { type: PacketType.SUBSCRIBE, packetId: 5 },
      { payload: text("new"), packetId: 6, dup: false },
    ]);
    expect(h.receive(puback(1), puback(3), puback(6))).toHaveLength(3);
  });

  it.each([true, false])(
    "[MQTT-4.4.0-1] a connection that dies before all was sent again: once on the next (session present %s)",
    (present) => {
      const h = new SessionHarness({ cleanSession: false });
      h.connect();
      for (const payload of ["1", "2"]) h.session.publish({ topic: "t", payload: text(payload), qos: 1 });
      h.sent();
      for (const sessionPresent of [true, present]) {
        h.session.fail(new Error("cut") as never);
        h.takeEvents();
        h.connect(sessionPresent);
      }
      expect(h.sent()).toMatchObject([
        { payload: text("1"), dup: present },
        { payload: text("2"), dup: present },
      ]);
      expect(h.session.nextOutputBytes()).toBe(0);
    },
  );

  it("[MQTT-4.4.0-1] [MQTT-2.3.1-3] a QoS 1 message that was cut goes again with its identifier", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    h.session.publish({ topic: "t", payload: text("a long one"), qos: 1 });
    h.session.encodeOutput(new Uint8Array(5), h.now);
    h.session.fail(new Error("cut") as never);
    h.takeEvents();
    h.connect(true);
    expect(h.sent()).toMatchObject([{ payload: text("a long one"), packetId: 1, dup: true }]);
    expect(h.session.pending).toBe(1);
  });

  it("what was given up while it was in flight is not sent to a server that has no session", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    const id = h.session.publish({ topic: "t", payload: text("given up"), qos: 1 });
    h.sent();
    expect(h.session.cancel(id)).toBe(true);
    h.session.fail(new Error("cut") as never);
    h.takeEvents();
    h.connect(false);
    expect([h.sent(), h.session.pending]).toEqual([[], 0]);
  });

  it("[MQTT-3.14.4-2] [MQTT-4.3.2-2] once DISCONNECT is asked for, a message is neither taken nor acknowledged: it comes again", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    h.session.disconnect();
    expect(h.receive(publishQos1(7))).toEqual([]);
    expect(h.sent()).toEqual([{ type: PacketType.DISCONNECT }]);
  });

  it("[MQTT-2.3.1-2] however large the window, an identifier is free: at most 65,534 in flight", () => {
    const h = new SessionHarness({ maxInFlight: 1e9, maxQueued: 1e9, maxQueuedBytes: 1e9 });
    h.connect();
    for (let i = 1; i <= 65_600; i++) {
      h.session.publish({ topic: "t", payload: text(""), qos: 1 });
      if (i % 100 === 0) while (h.session.nextOutputBytes() > 0) h.session.encodeOutput(new Uint8Array(4096), h.now);
    }
    expect([h.session.inFlight, h.session.pending]).toEqual([65_534, 65_600]);
    h.receive(puback(65_534));
    expect(h.sent()).toMatchObject([{ packetId: 65_535 }]);
    h.receive(puback(3));
    expect(h.sent()).toMatchObject([{ packetId: 3 }]);
  });

  it("[MQTT-4.4.0-1] [MQTT-2.3.1-2] does not send again what the server acknowledges before its turn, nor while its number is another's", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    for (const payload of ["1", "2"]) h.session.publish({ topic: "t", payload: text(payload), qos: 1 });
    h.sent();
    h.session.fail(new Error("cut") as never);
    h.takeEvents();
    h.connect(true);
    expect(h.receive(puback(1))).toMatchObject([{ type: "published" }]);
    expect(h.sent()).toMatchObject([{ payload: text("2"), packetId: 2, dup: true }]);
    expect(h.session.pending).toBe(1);
  });

  it.each([true, false])(
    "[MQTT-3.1.2-6] without a session at the server all starts anew: DUP 0, new identifiers (clean session %s)",
    (cleanSession) => {
      const h = new SessionHarness({ cleanSession });
      h.connect();
      const ids = ["1", "2"].map((payload) => h.session.publish({ topic: "t", payload: text(payload), qos: 1 }));
      h.sent();
      h.session.end();
      h.takeEvents();
      h.connect(false);
      expect(h.sent()).toMatchObject([
        { payload: text("1"), packetId: 3, dup: false },
        { payload: text("2"), packetId: 4, dup: false },
      ]);
      expect(h.receive(puback(3), puback(4))).toEqual(ids.map((id) => ({ type: "published", id })));
    },
  );

  it("[MQTT-3.1.2-4] [MQTT-4.1.0-1] [MQTT-4.1.0-2] keeps its session while it is offline, and a cut QoS 0 message is still to be sent", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    const id = h.session.publish({ topic: "t", payload: text("0123456789") });
    h.session.encodeOutput(new Uint8Array(6), h.now);
    h.session.end();
    h.takeEvents();
    expect(h.session.pending).toBe(1);
    h.connect(true);
    expect(h.sent()).toMatchObject([{ payload: text("0123456789"), dup: false }]);
    expect(h.takeEvents()).toEqual([{ type: "published", id }]);
  });

  it("a cancelled operation is silent, but its identifier stays taken and its message is sent again as it was", () => {
    const h = new SessionHarness({ cleanSession: false });
    h.connect();
    const payload = text("abc");
    const id = h.session.publish({ topic: "t", payload, qos: 1 });
    h.sent();
    expect(h.session.cancel(id)).toBe(true);
    payload.fill(0);
    h.session.end();
    h.takeEvents();
    h.connect(true);
    expect(h.sent()).toMatchObject([{ payload: text("abc"), packetId: 1, dup: true }]);
    expect(h.receive(puback(1))).toEqual([]);
    expect(h.session.pending).toBe(0);
  });

  it("cancels what was not sent yet, and copies what is half sent", () => {
    const h = new SessionHarness();
    h.connect();
    const payload = text("0123456789");
    const half = h.session.publish({ topic: "t", payload });
    const waiting = h.session.publish({ topic: "t", payload });
    const room = new Uint8Array(7);
    expect(h.session.encodeOutput(room, h.now)).toBe(7);
    expect(h.session.cancel(waiting)).toBe(false);
    expect(h.session.cancel(half)).toBe(true);
    payload.fill(0);
    expect(h.bytesOut()).toEqual(text("23456789"));
    expect(h.takeEvents()).toEqual([]);
    expect(h.session.pending).toBe(0);
  });

  it("abandons everything with one error", () => {
    const h = new SessionHarness();
    h.connect();
    const sent = h.session.publish({ topic: "t", payload: text("x"), qos: 1 });
    h.sent();
    const half = h.session.publish({ topic: "t", payload: text("0123456789") });
    h.session.encodeOutput(new Uint8Array(5), h.now);
    const queued = h.session.subscribe([{ filter: "a", qos: 0 }]);
    const error = new Error("over") as never;
    h.session.abandon(error);
    const failed = h.takeEvents();
    expect(failed.map((event) => (event.type === "failed" ? event.id : 0)).sort()).toEqual([sent, half, queued]);
    expect(h.session.pending).toBe(0);
  });
});

describe("disconnecting", () => {
  it("[MQTT-3.14.4-1] [MQTT-3.14.4-2] DISCONNECT is the last packet, and then the connection is to be closed", () => {
    const h = new SessionHarness({ keepAliveSeconds: 60 });
    h.connect();
    h.receive(publishQos1(4));
    h.session.disconnect();
    h.session.publish({ topic: "t", payload: text("late") });
    h.advance(59_500);
    expect(h.sent()).toEqual([puback(4), { type: PacketType.DISCONNECT }]);
    expect(h.takeEvents()).toEqual([{ type: "closed", error: undefined }]);
    expect(h.bytesOut()).toHaveLength(0);
    expect(h.session.state).toBe("offline");
  });

  it("refuses what does not fit the state", () => {
    const h = new SessionHarness();
    expect(() => h.session.disconnect()).toThrow(expect.objectContaining({ code: "USAGE_WRONG_STATE" }));
    h.connect();
    expect(() => h.session.connect(h.now)).toThrow(expect.objectContaining({ code: "USAGE_WRONG_STATE" }));
  });
});

describe("output", () => {
  it("fills room with whole packets, and begins one that does not fit only at the room's start", () => {
    const h = new SessionHarness();
    h.connect();
    h.session.publish({ topic: "t", payload: text("1234") }); // 9 bytes
    h.session.publish({ topic: "t", payload: text("5678") });
    expect(h.session.nextOutputBytes()).toBe(18);
    expect(h.session.encodeOutput(new Uint8Array(17), h.now)).toBe(9);
    expect(h.session.encodeOutput(new Uint8Array(5), h.now)).toBe(5);
    expect(h.session.encodeOutput(new Uint8Array(5), h.now)).toBe(4);
    expect(h.session.nextOutputBytes()).toBe(0);
  });

  it("puts acknowledgements ahead of waiting messages, never into a begun one", () => {
    const h = new SessionHarness();
    h.connect();
    h.session.publish({ topic: "t", payload: new Uint8Array(100) });
    h.session.publish({ topic: "t", payload: text("next") });
    h.session.encodeOutput(new Uint8Array(50), h.now);
    h.receive(publishQos1(6));
    const rest = h.bytesOut();
    expect(rest.subarray(0, 55).every((byte) => byte === 0)).toBe(true);
    expect([...rest.subarray(55, 59)]).toEqual([0x40, 2, 0, 6]);
    expect(rest).toHaveLength(55 + 4 + 9);
  });
});

describe("AWS IoT's limits", () => {
  const h = new SessionHarness({ limits: awsLimits });
  const filters = (count: number) => Array.from({ length: count }, (_, i) => ({ filter: `f${i}`, qos: 0 as const }));

  it.each([
    [
      "a payload of 131,073 bytes",
      () => h.session.publish({ topic: "t", payload: new Uint8Array(131_073) }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    [
      "a topic of 257 bytes",
      () => h.session.publish({ topic: "t".repeat(257), payload: text("") }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    ["8 slashes", () => h.session.publish({ topic: "1/2/3/4/5/6/7/8/9", payload: text("") }), "MQTT_LIMIT_EXCEEDED"],
    ["9 filters in one SUBSCRIBE", () => h.session.subscribe(filters(9)), "MQTT_LIMIT_EXCEEDED"],
    ["QoS 2 in SUBSCRIBE", () => h.session.subscribe([{ filter: "a", qos: 2 }]), "MQTT_QOS2_UNSUPPORTED"],
    [
      "a client id of 129 bytes",
      () => new MqttSession({ clientId: "c".repeat(129), limits: awsLimits }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    [
      "keep-alive 29",
      () => new MqttSession({ clientId: "c", keepAliveSeconds: 29, limits: awsLimits }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    [
      "keep-alive 1201",
      () => new MqttSession({ clientId: "c", keepAliveSeconds: 1201, limits: awsLimits }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    [
      "keep-alive 0",
      () => new MqttSession({ clientId: "c", keepAliveSeconds: 0, limits: awsLimits }),
      "MQTT_LIMIT_EXCEEDED",
    ],
    [
      "a will of QoS 2",
      () =>
        new MqttSession({
          clientId: "c",
          limits: awsLimits,
          will: { topic: "w", payload: text(""), qos: 2, retain: false },
        }),
      "MQTT_QOS2_UNSUPPORTED",
    ],
  ])("refuses %s", (_name, attempt, code) => {
    expect(attempt).toThrow(expect.objectContaining({ code, blame: "caller" }));
  });

  it("counts 50 subscriptions, the same filter once, and forgets what is unsubscribed or refused", () => {
    const counted = new SessionHarness({ limits: awsLimits });
    counted.connect();
    for (let i = 0; i < 50; i++) counted.session.subscribe([{ filter: `f${i}`, qos: 0 }]);
    counted.session.subscribe([{ filter: "f0", qos: 1 }]);
    const one = () => counted.session.subscribe([{ filter: "more", qos: 0 }]);
    expect(one).toThrow(expect.objectContaining({ code: "MQTT_TOO_MANY_SUBSCRIPTIONS", sdk: -34 }));
    counted.session.unsubscribe(["f1"]);
    expect(one).not.toThrow();
    counted.sent();
    counted.receive({ type: PacketType.SUBACK, packetId: 3, returnCodes: [0x80] });
    expect(() => counted.session.subscribe([{ filter: "again", qos: 0 }])).not.toThrow();
  });

  it("takes what is at the limits, and does not count a Basic Ingest prefix", () => {
    h.session.publish({ topic: "1/2/3/4/5/6/7/8", payload: new Uint8Array(131_072) });
    h.session.publish({ topic: "$aws/rules/rule/1/2/3/4/5/6/7/8", payload: text("") });
  });
});
