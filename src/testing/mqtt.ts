/**
 * fast-check arbitraries for MQTT: valid topics and all fourteen control packets. `fast-check` is an optional peer dependency.
 *
 * @module
 */

import * as fc from "fast-check";
import {
  type ConnectPacket,
  type Packet,
  PacketType,
  type PublishPacket,
  type QoS,
  SUBACK_FAILURE,
} from "../mqtt/packets.ts";

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const packetId = (): fc.Arbitrary<number> => fc.integer({ min: 1, max: 65_535 });
const qos = (): fc.Arbitrary<QoS> => fc.constantFrom(0, 1, 2);

/** Well-formed text without U+0000, as MQTT's strings are. Includes what is not ASCII, U+FEFF and astral characters. */
const text = (minLength: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ minLength, maxLength: 24 }),
      fc.string({ minLength, maxLength: 12, unit: "binary" }),
      fc.constantFrom("\ufeffx", "ü/€", "😀"),
    )
    .map((value) => value.replaceAll("\0", "0"));

const topicLevel = (): fc.Arbitrary<string> =>
  fc.oneof(fc.constantFrom("a", "b", "", "$x"), text(0)).map((level) => level.replace(/[/+#]/g, "_"));

const topicName = (): fc.Arbitrary<string> =>
  fc.array(topicLevel(), { minLength: 1, maxLength: 6 }).map((levels) => levels.join("/") || "a");

const topicFilter = (): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 2, arbitrary: topicLevel() }, { weight: 1, arbitrary: fc.constant("+") }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.boolean(),
    )
    .map(([levels, all]) => (all ? [...levels, "#"] : levels).join("/") || "+");

const publish = (): fc.Arbitrary<PublishPacket> =>
  fc
    .record({
      qos: qos(),
      dup: fc.boolean(),
      retain: fc.boolean(),
      topic: topicName(),
      packetId: packetId(),
      payload: bytes(300),
    })
    .map((fields) => ({
      type: PacketType.PUBLISH,
      ...fields,
      dup: fields.dup && fields.qos > 0,
      packetId: fields.qos > 0 ? fields.packetId : 0,
    }));

const connect = (): fc.Arbitrary<ConnectPacket> =>
  fc
    .record({
      clientId: text(0),
      cleanSession: fc.boolean(),
      keepAliveSeconds: fc.integer({ min: 0, max: 65_535 }),
      will: fc.option(fc.record({ topic: topicName(), payload: bytes(40), qos: qos(), retain: fc.boolean() }), {
        nil: undefined,
      }),
      username: fc.option(text(0), { nil: undefined }),
      password: fc.option(bytes(20), { nil: undefined }),
    })
    .map((fields) => ({
      type: PacketType.CONNECT,
      ...fields,
      cleanSession: fields.cleanSession || fields.clientId === "",
      password: fields.username === undefined ? undefined : fields.password,
    }));

/** Packets that a server may send. */
const fromServer = (): fc.Arbitrary<Packet> =>
  fc.oneof(
    fc
      .record({ sessionPresent: fc.boolean(), returnCode: fc.integer({ min: 0, max: 5 }) })
      .map(({ sessionPresent, returnCode }): Packet => {
        return { type: PacketType.CONNACK, sessionPresent: sessionPresent && returnCode === 0, returnCode };
      }),
    { weight: 3, arbitrary: publish() },
    ack(),
    packetId().map((id): Packet => ({ type: PacketType.UNSUBACK, packetId: id })),
    fc.record({
      type: fc.constant(PacketType.SUBACK),
      packetId: packetId(),
      returnCodes: fc.array(fc.constantFrom(0, 1, 2, SUBACK_FAILURE), { minLength: 1, maxLength: 8 }),
    }),
    fc.constant<Packet>({ type: PacketType.PINGRESP }),
  );

/** Packets that a client may send. */
const fromClient = (): fc.Arbitrary<Packet> =>
  fc.oneof(
    connect(),
    { weight: 3, arbitrary: publish() },
    ack(),
    fc.record({
      type: fc.constant(PacketType.SUBSCRIBE),
      packetId: packetId(),
      subscriptions: fc.array(fc.record({ filter: topicFilter(), qos: qos() }), { minLength: 1, maxLength: 8 }),
    }),
    fc.record({
      type: fc.constant(PacketType.UNSUBSCRIBE),
      packetId: packetId(),
      filters: fc.array(topicFilter(), { minLength: 1, maxLength: 8 }),
    }),
    fc.constantFrom<Packet>({ type: PacketType.PINGREQ }, { type: PacketType.DISCONNECT }),
  );

/** PUBACK, PUBREC, PUBREL, PUBCOMP: both sides send them. */
function ack(): fc.Arbitrary<Packet> {
  return fc
    .tuple(fc.constantFrom(PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP), packetId())
    .map(([type, id]) => ({ type, packetId: id }) as Packet);
}

/**
 * Arbitraries of MQTT 3.1.1.
 *
 * @example
 * fc.assert(fc.property(mqttArbitraries.packet(), (packet) => packetSize(packet) === encode(packet).length));
 */
export const mqttArbitraries = {
  /** Any valid packet. */
  packet: (): fc.Arbitrary<Packet> => fc.oneof(fromClient(), fromServer()),
  fromClient,
  fromServer,
  connect,
  publish,
  topicName,
  topicFilter,
} as const;
