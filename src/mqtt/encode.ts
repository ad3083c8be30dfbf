/**
 * Packets into bytes (MQTT 3.1.1 chapters 2 and 3), with everything checked that a sender must not send. The size is known
 * before the first byte is written, so that a packet goes once into room that the layer below owns.
 *
 * @module
 */

import { isWellFormed, utf8EncodeInto, utf8Length } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { MqttError } from "./errors.ts";
import {
  type ConnectPacket,
  MAX_FIELD_BYTES,
  MAX_REMAINING_LENGTH,
  PACKET_NAMES,
  type Packet,
  PacketType,
  PROTOCOL_LEVEL,
  type PublishPacket,
  SUBACK_FAILURE,
} from "./packets.ts";
import { validateTopicFilter, validateTopicName } from "./topic.ts";

/**
 * The bytes that a packet takes, header included. Validates the packet.
 *
 * @throws MqttError `MQTT_INVALID_PACKET`, `MQTT_INVALID_TOPIC`, `MQTT_PACKET_OVER_LIMIT`: the caller is to blame.
 */
export function packetSize(packet: Packet): number {
  const remaining = remainingLength(packet);
  if (remaining > MAX_REMAINING_LENGTH) {
    throw new MqttError("MQTT_PACKET_OVER_LIMIT", `${remaining} bytes`, {
      bytes: remaining,
      limit: MAX_REMAINING_LENGTH,
    });
  }
  return 1 + lengthSize(remaining) + remaining;
}

/**
 * A packet as bytes that the caller owns.
 *
 * @example
 * encode({ type: PacketType.PUBACK, packetId: 1 }); // 40 02 00 01
 * @throws MqttError as {@link packetSize}.
 */
export function encode(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(packetSize(packet));
  writePacket(packet, bytes, 0);
  return bytes;
}

/**
 * Writes a packet at `at` and returns the position behind it.
 *
 * @throws MqttError as {@link packetSize}, and UsageError where the room is smaller than {@link packetSize} says.
 */
export function encodeInto(packet: Packet, bytes: Uint8Array, at: number): number {
  const size = packetSize(packet);
  if (size > bytes.length - at) {
    throw new UsageError("USAGE_INVALID_ARGUMENT", `room for ${bytes.length - at} bytes of a packet of ${size}`);
  }
  return writePacket(packet, bytes, at);
}

/** The same for a packet that {@link packetSize} has checked, into room that suffices. */
export function writePacket(packet: Packet, bytes: Uint8Array, at: number): number {
  switch (packet.type) {
    case PacketType.PUBLISH: {
      const end = writePublishHeader(packet, bytes, at);
      bytes.set(packet.payload, end);
      return end + packet.payload.length;
    }
    case PacketType.CONNECT:
      return writeConnect(packet, bytes, at);
    case PacketType.CONNACK:
      at = writeHeader(0x20, 2, bytes, at);
      bytes[at] = packet.sessionPresent ? 1 : 0;
      bytes[at + 1] = packet.returnCode;
      return at + 2;
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBCOMP:
    case PacketType.UNSUBACK:
      return writeUint16(packet.packetId, bytes, writeHeader(packet.type << 4, 2, bytes, at));
    case PacketType.PUBREL:
      return writeUint16(packet.packetId, bytes, writeHeader(0x62, 2, bytes, at));
    case PacketType.SUBSCRIBE:
      at = writeUint16(packet.packetId, bytes, writeHeader(0x82, unchecked(packet), bytes, at));
      for (const { filter, qos } of packet.subscriptions) {
        at = writeString(filter, bytes, at);
        bytes[at++] = qos;
      }
      return at;
    case PacketType.SUBACK:
      at = writeUint16(packet.packetId, bytes, writeHeader(0x90, unchecked(packet), bytes, at));
      for (const code of packet.returnCodes) bytes[at++] = code;
      return at;
    case PacketType.UNSUBSCRIBE:
      at = writeUint16(packet.packetId, bytes, writeHeader(0xa2, unchecked(packet), bytes, at));
      for (const filter of packet.filters) at = writeString(filter, bytes, at);
      return at;
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      return writeHeader(packet.type << 4, 0, bytes, at);
  }
}

/** Everything of a checked PUBLISH before its payload; returns the position behind it. For payloads that are streamed. */
export function writePublishHeader(packet: PublishPacket, bytes: Uint8Array, at: number): number {
  const first = 0x30 | (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0);
  at = writeString(packet.topic, bytes, writeHeader(first, unchecked(packet), bytes, at));
  return packet.qos === 0 ? at : writeUint16(packet.packetId, bytes, at);
}

function remainingLength(packet: Packet): number {
  check(packet);
  return unchecked(packet);
}

function unchecked(packet: Packet): number {
  switch (packet.type) {
    case PacketType.PUBLISH:
      return 2 + utf8Length(packet.topic) + (packet.qos === 0 ? 0 : 2) + packet.payload.length;
    case PacketType.CONNECT: {
      let length = 10 + 2 + utf8Length(packet.clientId);
      if (packet.will !== undefined) length += 4 + utf8Length(packet.will.topic) + packet.will.payload.length;
      if (packet.username !== undefined) length += 2 + utf8Length(packet.username);
      if (packet.password !== undefined) length += 2 + packet.password.length;
      return length;
    }
    case PacketType.SUBSCRIBE: {
      let length = 2;
      for (const { filter } of packet.subscriptions) length += 3 + utf8Length(filter);
      return length;
    }
    case PacketType.UNSUBSCRIBE: {
      let length = 2;
      for (const filter of packet.filters) length += 2 + utf8Length(filter);
      return length;
    }
    case PacketType.SUBACK:
      return 2 + packet.returnCodes.length;
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      return 0;
    default:
      return 2;
  }
}

function check(packet: Packet): void {
  switch (packet.type) {
    case PacketType.CONNECT:
      checkConnect(packet);
      return;
    case PacketType.CONNACK:
      if (!isInteger(packet.returnCode, 0, 255)) fail(packet, "the return code is no byte");
      if (packet.sessionPresent && packet.returnCode !== 0) {
        fail(packet, "session present with a refusal", "MQTT-3.2.2-4");
      }
      return;
    case PacketType.PUBLISH:
      if (packet.qos !== 0 && packet.qos !== 1 && packet.qos !== 2)
        fail(packet, "QoS is not 0, 1 or 2", "MQTT-3.3.1-4");
      validateTopicName(packet.topic);
      if (packet.qos !== 0) checkPacketId(packet, packet.packetId);
      else if (packet.dup) fail(packet, "DUP at QoS 0", "MQTT-3.3.1-2");
      else if (packet.packetId !== 0) fail(packet, "a packet identifier at QoS 0", "MQTT-2.3.1-5");
      return;
    case PacketType.SUBSCRIBE:
      checkPacketId(packet, packet.packetId);
      if (packet.subscriptions.length === 0) fail(packet, "no topic filter", "MQTT-3.8.3-3");
      for (const { filter, qos } of packet.subscriptions) {
        validateTopicFilter(filter);
        if (qos !== 0 && qos !== 1 && qos !== 2) fail(packet, "QoS is not 0, 1 or 2", "MQTT-3-8.3-4");
      }
      return;
    case PacketType.SUBACK:
      checkPacketId(packet, packet.packetId);
      if (packet.returnCodes.length === 0) fail(packet, "no return code", "MQTT-3.9.3-1");
      for (const code of packet.returnCodes) {
        if (!isInteger(code, 0, 2) && code !== SUBACK_FAILURE) fail(packet, "a reserved return code", "MQTT-3.9.3-2");
      }
      return;
    case PacketType.UNSUBSCRIBE:
      checkPacketId(packet, packet.packetId);
      if (packet.filters.length === 0) fail(packet, "no topic filter", "MQTT-3.10.3-2");
      for (const filter of packet.filters) validateTopicFilter(filter);
      return;
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
    case PacketType.UNSUBACK:
      checkPacketId(packet, packet.packetId);
      return;
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      return;
    default:
      throw new MqttError("MQTT_INVALID_PACKET", "unknown packet type", { statement: "MQTT-2.2.2-1" });
  }
}

function checkConnect(packet: ConnectPacket): void {
  checkString(packet, "client identifier", packet.clientId, "MQTT-3.1.3-4");
  if (packet.clientId === "" && !packet.cleanSession) {
    fail(packet, "an empty client identifier needs a clean session", "MQTT-3.1.3-7");
  }
  if (!isInteger(packet.keepAliveSeconds, 0, 65_535)) fail(packet, "keep alive is not 0 to 65,535 seconds");
  if (packet.will !== undefined) {
    validateTopicName(packet.will.topic);
    checkBinary(packet, "will payload", packet.will.payload);
    const { qos } = packet.will;
    if (qos !== 0 && qos !== 1 && qos !== 2) fail(packet, "will QoS is not 0, 1 or 2", "MQTT-3.1.2-14");
  }
  if (packet.username !== undefined) checkString(packet, "user name", packet.username, "MQTT-3.1.3-11");
  if (packet.password !== undefined) {
    if (packet.username === undefined) fail(packet, "a password without a user name", "MQTT-3.1.2-22");
    checkBinary(packet, "password", packet.password);
  }
}

function checkPacketId(packet: Packet, packetId: number): void {
  if (!isInteger(packetId, 1, 65_535)) fail(packet, "the packet identifier is not 1 to 65,535", "MQTT-2.3.1-1");
}

function checkString(packet: Packet, what: string, text: string, statement: string): void {
  if (!isWellFormed(text)) fail(packet, `the ${what} has half of a surrogate pair`, statement);
  if (text.includes("\0")) fail(packet, `the ${what} has U+0000`, "MQTT-1.5.3-2");
  if (utf8Length(text) > MAX_FIELD_BYTES)
    fail(packet, `the ${what} is longer than ${MAX_FIELD_BYTES} bytes`, statement);
}

function checkBinary(packet: Packet, what: string, bytes: Uint8Array): void {
  if (bytes.length > MAX_FIELD_BYTES) fail(packet, `the ${what} is longer than ${MAX_FIELD_BYTES} bytes`);
}

function fail(packet: Packet, problem: string, statement?: string): never {
  const name = PACKET_NAMES[packet.type];
  throw new MqttError("MQTT_INVALID_PACKET", `${name}: ${problem}${statement === undefined ? "" : ` [${statement}]`}`, {
    packet: name,
    statement,
  });
}

function isInteger(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function writeConnect(packet: ConnectPacket, bytes: Uint8Array, at: number): number {
  const { will, username, password } = packet;
  at = writeString("MQTT", bytes, writeHeader(0x10, unchecked(packet), bytes, at));
  bytes[at++] = PROTOCOL_LEVEL;
  bytes[at++] =
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40) |
    (will === undefined ? 0 : 4 | (will.qos << 3) | (will.retain ? 0x20 : 0)) |
    (packet.cleanSession ? 2 : 0);
  at = writeUint16(packet.keepAliveSeconds, bytes, at);
  at = writeString(packet.clientId, bytes, at);
  if (will !== undefined) at = writeBinary(will.payload, bytes, writeString(will.topic, bytes, at));
  if (username !== undefined) at = writeString(username, bytes, at);
  if (password !== undefined) at = writeBinary(password, bytes, at);
  return at;
}

function writeHeader(first: number, remaining: number, bytes: Uint8Array, at: number): number {
  bytes[at++] = first;
  while (remaining > 127) {
    bytes[at++] = (remaining & 127) | 128;
    remaining >>>= 7;
  }
  bytes[at++] = remaining;
  return at;
}

function lengthSize(remaining: number): number {
  return remaining < 128 ? 1 : remaining < 16_384 ? 2 : remaining < 2_097_152 ? 3 : 4;
}

function writeUint16(value: number, bytes: Uint8Array, at: number): number {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
  return at + 2;
}

function writeString(text: string, bytes: Uint8Array, at: number): number {
  const end = utf8EncodeInto(text, bytes, at + 2);
  writeUint16(end - at - 2, bytes, at);
  return end;
}

function writeBinary(field: Uint8Array, bytes: Uint8Array, at: number): number {
  at = writeUint16(field.length, bytes, at);
  bytes.set(field, at);
  return at + field.length;
}
