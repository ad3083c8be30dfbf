/** Round trips, chunk invariance, totality, and the codec against mqtt-packet both ways. */
import * as fc from "fast-check";
import mqttPacket from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../src/bytes.ts";
import {
  encode,
  encodeInto,
  MqttError,
  matches,
  type Packet,
  PacketParser,
  PacketType,
  packetSize,
  TopicRouter,
} from "../../../src/mqtt/index.ts";
import { arbitraries, chunked } from "../../../src/testing/index.ts";
import { runs } from "../../runs.ts";

const { mqtt } = arbitraries;
type Role = "client" | "server";

/** All packets of a stream, and how it ended. Payloads are copied, because the parser takes them back at the next feed. */
function parse(role: Role, pieces: readonly Uint8Array[]): { packets: Packet[]; error: unknown } {
  const parser = new PacketParser({ role, maxPacketBytes: 4096 });
  const packets: Packet[] = [];
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        // The caller's buffer is its own again after feed.
        const lent = piece.slice(at);
        at += parser.feed(lent);
        lent.fill(0x23);
        for (let packet: Packet | undefined; (packet = parser.next()); ) packets.push(own(packet));
      }
    }
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: undefined };
}

function own(packet: Packet): Packet {
  if (packet.type === PacketType.PUBLISH) return { ...packet, payload: packet.payload.slice() };
  if (packet.type !== PacketType.CONNECT) return packet;
  const { will, password } = packet;
  return {
    ...packet,
    will: will === undefined ? undefined : { ...will, payload: will.payload.slice() },
    password: password?.slice(),
  };
}

const stream = (): fc.Arbitrary<{ role: Role; packets: Packet[] }> =>
  fc.oneof(
    fc.array(mqtt.fromServer(), { maxLength: 8 }).map((packets) => ({ role: "client" as const, packets })),
    fc.array(mqtt.fromClient(), { maxLength: 8 }).map((packets) => ({ role: "server" as const, packets })),
  );

describe("round trips", { timeout: 300_000 }, () => {
  it("what is encoded is parsed back, however it is cut [MQTT-6.0.0-2]", () => {
    fc.assert(
      fc.property(stream(), chunked(), ({ role, packets }, cut) => {
        const bytes = concat(packets.map(encode));
        expect(parse(role, cut(bytes))).toEqual({ packets, error: undefined });
      }),
      runs(150),
    );
  });

  it("packetSize is the length, and encodeInto writes the same bytes anywhere", () => {
    fc.assert(
      fc.property(mqtt.packet(), fc.nat(9), (packet, at) => {
        const bytes = encode(packet);
        const room = new Uint8Array(bytes.length + at + 3);
        expect(encodeInto(packet, room, at)).toBe(at + bytes.length);
        expect(packetSize(packet)).toBe(bytes.length);
        expect(equal(room.subarray(at, at + bytes.length), bytes)).toBe(true);
        expect(room.subarray(at + bytes.length).every((byte) => byte === 0)).toBe(true);
      }),
      runs(200),
    );
  });

  it("gives payloads of their own to two packets in one chunk", () => {
    const publish = (payload: number[]): Packet => ({
      type: PacketType.PUBLISH,
      dup: false,
      qos: 0,
      retain: false,
      topic: "a",
      packetId: 0,
      payload: new Uint8Array(payload),
    });
    const parser = new PacketParser({ role: "client" });
    parser.feed(concat([encode(publish([1, 1])), encode(publish([2, 2]))]));
    const first = parser.next() as { payload: Uint8Array };
    const second = parser.next() as { payload: Uint8Array };
    expect([[...first.payload], [...second.payload]]).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});

describe("totality", { timeout: 300_000 }, () => {
  it("random and mutated bytes give packets or an error that blames the peer, the same however they are cut", () => {
    const mutated = fc
      .tuple(stream(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([{ role, packets }, mutations]) => {
        const bytes = concat(packets.map(encode));
        for (const [at, value] of mutations) if (bytes.length > 0) bytes[at % bytes.length] = value;
        return { role, bytes };
      });
    const random = fc.record({
      role: fc.constantFrom<Role>("client", "server"),
      bytes: fc.uint8Array({ maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.oneof(mutated, random), chunked(), ({ role, bytes }, cut) => {
        const whole = parse(role, [bytes]);
        if (whole.error !== undefined) {
          expect(whole.error).toBeInstanceOf(MqttError);
          expect((whole.error as MqttError).blame).toBe("peer");
        }
        const pieces = parse(role, cut(bytes));
        expect(pieces.packets).toEqual(whole.packets);
        expect((pieces.error as MqttError | undefined)?.message).toBe((whole.error as MqttError | undefined)?.message);
      }),
      runs(600),
    );
  });
});

describe("against mqtt-packet", { timeout: 300_000 }, () => {
  it("it reads what we write", () => {
    fc.assert(
      fc.property(mqtt.packet(), (packet) => {
        const parser = mqttPacket.parser({ protocolVersion: 4 });
        const seen: Record<string, unknown>[] = [];
        const failures: unknown[] = [];
        parser.on("packet", (read) => seen.push(read as unknown as Record<string, unknown>));
        parser.on("error", (error) => failures.push(error));
        parser.parse(Buffer.from(encode(packet)));
        expect(failures).toEqual([]);
        expect(seen).toHaveLength(1);
        expect(seen[0]).toMatchObject(theirs(packet));
      }),
      runs(200),
    );
  });

  it("it writes the same bytes, and we read them", () => {
    fc.assert(
      fc.property(mqtt.packet(), (packet) => {
        const bytes = new Uint8Array(mqttPacket.generate(theirs(packet) as unknown as mqttPacket.Packet));
        expect(bytes).toEqual(encode(packet));
      }),
      runs(200),
    );
  });
});

/** A packet in the words of mqtt-packet. */
function theirs(packet: Packet): Record<string, unknown> {
  switch (packet.type) {
    case PacketType.CONNECT:
      return {
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: packet.cleanSession,
        clientId: packet.clientId,
        keepalive: packet.keepAliveSeconds,
        ...(packet.will === undefined ? {} : { will: { ...packet.will, payload: Buffer.from(packet.will.payload) } }),
        ...(packet.username === undefined ? {} : { username: packet.username }),
        ...(packet.password === undefined ? {} : { password: Buffer.from(packet.password) }),
      };
    case PacketType.CONNACK:
      return { cmd: "connack", sessionPresent: packet.sessionPresent, returnCode: packet.returnCode };
    case PacketType.PUBLISH: {
      const { dup, qos, retain, topic, payload, packetId } = packet;
      return {
        cmd: "publish",
        dup,
        qos,
        retain,
        topic,
        payload: Buffer.from(payload),
        ...(qos === 0 ? {} : { messageId: packetId }),
      };
    }
    case PacketType.SUBSCRIBE:
      return {
        cmd: "subscribe",
        messageId: packet.packetId,
        subscriptions: packet.subscriptions.map(({ filter, qos }) => ({ topic: filter, qos })),
      };
    case PacketType.SUBACK:
      return { cmd: "suback", messageId: packet.packetId, granted: packet.returnCodes };
    case PacketType.UNSUBSCRIBE:
      return { cmd: "unsubscribe", messageId: packet.packetId, unsubscriptions: packet.filters };
    case PacketType.PUBACK:
      return { cmd: "puback", messageId: packet.packetId };
    case PacketType.PUBREC:
      return { cmd: "pubrec", messageId: packet.packetId };
    case PacketType.PUBREL:
      return { cmd: "pubrel", messageId: packet.packetId };
    case PacketType.PUBCOMP:
      return { cmd: "pubcomp", messageId: packet.packetId };
    case PacketType.UNSUBACK:
      return { cmd: "unsuback", messageId: packet.packetId };
    case PacketType.PINGREQ:
      return { cmd: "pingreq" };
    case PacketType.PINGRESP:
      return { cmd: "pingresp" };
    case PacketType.DISCONNECT:
      return { cmd: "disconnect" };
  }
}

describe("topics", { timeout: 300_000 }, () => {
  it("the router finds what matches() finds", () => {
    fc.assert(
      fc.property(fc.array(mqtt.topicFilter(), { maxLength: 12 }), mqtt.topicName(), (filters, name) => {
        const router = new TopicRouter<string>();
        const distinct = [...new Set(filters)];
        for (const filter of distinct) router.add(filter, filter);
        const expected = distinct.filter((filter) => matches(filter, name)).sort();
        expect(router.match(name).sort()).toEqual(expected);
        for (const filter of distinct) expect(router.delete(filter, filter)).toBe(true);
        expect(router.match(name)).toEqual([]);
        expect(router.size).toBe(0);
      }),
      runs(300),
    );
  });
});
