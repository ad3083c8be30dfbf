/**
 * The body of one packet out of its bytes (MQTT 3.1.1 chapter 3), strictly, and never beyond the packet's end. Framing and
 * flags are the parser's (`parser.ts`).
 *
 * @module
 */

import { ByteReader, printable, utf8Decode } from "../bytes.ts";
import { MqttError } from "./errors.ts";
import {
  type ConnectPacket,
  PACKET_NAMES,
  type Packet,
  PacketType,
  type PacketType as PacketTypes,
  PROTOCOL_LEVEL,
  type PublishPacket,
  type QoS,
  SUBACK_FAILURE,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
  type Will,
} from "./packets.ts";
import { topicFilterProblem } from "./topic.ts";

/** The error for a malformed packet of the peer. The general statement is [MQTT-4.8.0-1]. */
export function malformed(type: number, problem: string, statement = "MQTT-4.8.0-1"): MqttError {
  const packet = PACKET_NAMES[type]!;
  return new MqttError("MQTT_MALFORMED_PACKET", `${packet}: ${problem} [${statement}]`, { packet, statement });
}

/**
 * Decodes what stands behind the fixed header of a packet whose type and flags are valid, in `bytes` from `start` to `end`.
 * The payload of a PUBLISH and the binary fields of a CONNECT are views.
 *
 * @throws MqttError blaming the peer.
 */
export function decodeBody(type: PacketTypes, flags: number, bytes: Uint8Array, start: number, end: number): Packet {
  switch (type) {
    case PacketType.PUBLISH:
      return decodePublish(flags, bytes, start, end);
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
    case PacketType.UNSUBACK:
      return { type, packetId: packetIdAt(type, bytes, start) } as Packet;
    case PacketType.CONNACK:
      return decodeConnack(bytes, start);
    case PacketType.SUBACK:
      return decodeSuback(bytes, start, end);
    case PacketType.CONNECT:
      return decodeConnect(reader(type, bytes, start, end));
    case PacketType.SUBSCRIBE:
      return decodeSubscribe(reader(type, bytes, start, end));
    case PacketType.UNSUBSCRIBE:
      return decodeUnsubscribe(reader(type, bytes, start, end));
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      return { type };
  }
}

function reader(type: number, bytes: Uint8Array, start: number, end: number): ByteReader {
  return new ByteReader(
    bytes,
    (problem) => {
      throw malformed(type, problem);
    },
    start,
    end,
  );
}

function decodePublish(flags: number, bytes: Uint8Array, start: number, end: number): PublishPacket {
  const type = PacketType.PUBLISH;
  const qos = ((flags >> 1) & 3) as QoS;
  const topicStart = start + 2;
  const topicEnd = end - start < 2 ? end + 1 : topicStart + ((bytes[start]! << 8) | bytes[start + 1]!);
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > end) throw malformed(type, "it ends before its payload");
  if (topicEnd === topicStart) throw malformed(type, "the topic name is empty", "MQTT-4.7.3-1");
  let ascii = true;
  for (let i = topicStart; i < topicEnd; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) ascii = false;
    else if (byte === 0) throw malformed(type, "the topic name has U+0000", "MQTT-1.5.3-2");
    else if (byte === 0x23 || byte === 0x2b) throw malformed(type, "the topic name has a wildcard", "MQTT-3.3.2-2");
  }
  return {
    type,
    dup: (flags & 8) !== 0,
    qos,
    retain: (flags & 1) !== 0,
    topic: ascii ? asciiText(bytes, topicStart, topicEnd) : utf8Text(type, bytes, topicStart, topicEnd),
    packetId: qos === 0 ? 0 : packetIdAt(type, bytes, topicEnd),
    payload: bytes.subarray(payloadStart, end),
  };
}

/** Bytes that are known to be ASCII as text. In pieces, because engines bound the number of arguments of one call. */
function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += 1024) {
    const piece = bytes.subarray(at, Math.min(at + 1024, end));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

function utf8Text(type: number, bytes: Uint8Array, start: number, end: number): string {
  const text = utf8Decode(bytes, start, end);
  if (text === undefined) throw malformed(type, "a string is not UTF-8", "MQTT-1.5.3-1");
  return text;
}

function packetIdAt(type: number, bytes: Uint8Array, at: number): number {
  const packetId = (bytes[at]! << 8) | bytes[at + 1]!;
  if (packetId === 0) throw malformed(type, "the packet identifier is 0", "MQTT-2.3.1-1");
  return packetId;
}

function decodeConnack(bytes: Uint8Array, start: number): Packet {
  const flags = bytes[start]!;
  const returnCode = bytes[start + 1]!;
  if (flags > 1) throw malformed(PacketType.CONNACK, "reserved acknowledge flags are set", "MQTT-2.2.2-2");
  if (flags === 1 && returnCode !== 0) {
    throw malformed(PacketType.CONNACK, "session present with a refusal", "MQTT-3.2.2-4");
  }
  return { type: PacketType.CONNACK, sessionPresent: flags === 1, returnCode };
}

function decodeSuback(bytes: Uint8Array, start: number, end: number): SubackPacket {
  const type = PacketType.SUBACK;
  const packetId = packetIdAt(type, bytes, start);
  const returnCodes: number[] = [];
  for (let at = start + 2; at < end; at++) {
    const code = bytes[at]!;
    if (code > 2 && code !== SUBACK_FAILURE) throw malformed(type, `return code ${code}`, "MQTT-3.9.3-2");
    returnCodes.push(code);
  }
  if (returnCodes.length === 0) throw malformed(type, "no return code", "MQTT-3.9.3-1");
  return { type, packetId, returnCodes };
}

function decodeConnect(body: ByteReader): ConnectPacket {
  const type = PacketType.CONNECT;
  const name = text(body, type);
  if (name !== "MQTT") throw malformed(type, `the protocol is "${printable(name, 16)}"`, "MQTT-3.1.2-1");
  const protocolLevel = body.uint8();
  if (protocolLevel !== PROTOCOL_LEVEL) {
    throw new MqttError("MQTT_UNSUPPORTED_PROTOCOL_LEVEL", `level ${protocolLevel}`, {
      protocolLevel,
      statement: "MQTT-3.1.2-2",
    });
  }
  const flags = body.uint8();
  const hasWill = (flags & 4) !== 0;
  const willQos = (flags >> 3) & 3;
  if ((flags & 1) !== 0) throw malformed(type, "the reserved connect flag is set", "MQTT-3.1.2-3");
  if (willQos === 3) throw malformed(type, "will QoS 3", "MQTT-3.1.2-14");
  if (!hasWill && willQos !== 0) throw malformed(type, "will QoS without a will", "MQTT-3.1.2-13");
  if (!hasWill && (flags & 0x20) !== 0) throw malformed(type, "will retain without a will", "MQTT-3.1.2-15");
  if ((flags & 0xc0) === 0x40) throw malformed(type, "a password without a user name", "MQTT-3.1.2-22");
  const keepAliveSeconds = body.uint16();
  const clientId = text(body, type);
  let will: Will | undefined;
  if (hasWill) {
    const topic = text(body, type);
    if (topic === "") throw malformed(type, "the will topic is empty", "MQTT-4.7.3-1");
    if (/[#+]/.test(topic)) throw malformed(type, "the will topic has a wildcard", "MQTT-4.7.1-1");
    will = { topic, payload: body.bytes(body.uint16()), qos: willQos as QoS, retain: (flags & 0x20) !== 0 };
  }
  const username = (flags & 0x80) === 0 ? undefined : text(body, type);
  const password = (flags & 0x40) === 0 ? undefined : body.bytes(body.uint16());
  body.finish("the last field");
  return { type, clientId, cleanSession: (flags & 2) !== 0, keepAliveSeconds, will, username, password };
}

function decodeSubscribe(body: ByteReader): SubscribePacket {
  const type = PacketType.SUBSCRIBE;
  const packetId = packetIdAt(type, body.bytes(2), 0);
  const subscriptions: SubscriptionRequest[] = [];
  while (body.remaining > 0) {
    const filter = topicFilter(body, type);
    const qos = body.uint8();
    if (qos > 2) throw malformed(type, `requested QoS byte ${qos}`, "MQTT-3-8.3-4");
    subscriptions.push({ filter, qos: qos as QoS });
  }
  if (subscriptions.length === 0) throw malformed(type, "no topic filter", "MQTT-3.8.3-3");
  return { type, packetId, subscriptions };
}

function decodeUnsubscribe(body: ByteReader): UnsubscribePacket {
  const type = PacketType.UNSUBSCRIBE;
  const packetId = packetIdAt(type, body.bytes(2), 0);
  const filters: string[] = [];
  while (body.remaining > 0) filters.push(topicFilter(body, type));
  if (filters.length === 0) throw malformed(type, "no topic filter", "MQTT-3.10.3-2");
  return { type, packetId, filters };
}

function topicFilter(body: ByteReader, type: number): string {
  const filter = text(body, type);
  const problem = topicFilterProblem(filter);
  if (problem !== undefined) throw malformed(type, `topic filter: ${problem.problem}`, problem.statement);
  return filter;
}

function text(body: ByteReader, type: number): string {
  const length = body.uint16();
  const start = body.offset;
  body.bytes(length);
  const decoded = utf8Text(type, body.source, start, start + length);
  if (decoded.includes("\0")) throw malformed(type, "a string has U+0000", "MQTT-1.5.3-2");
  return decoded;
}
