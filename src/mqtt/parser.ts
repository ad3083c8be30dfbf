/**
 * Bytes into packets, in chunks of any size (MQTT 3.1.1 chapter 2). Every byte is checked as soon as it can be: type and flags
 * with the first byte, the size with the last byte of the remaining length, before anything is kept of the body.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { decodeBody, malformed } from "./decode.ts";
import { MqttError } from "./errors.ts";
import { MAX_REMAINING_LENGTH, PACKET_NAMES, type Packet, PacketType } from "./packets.ts";

/** Options of {@link PacketParser}. */
export interface PacketParserOptions {
  /** Which side we are: what only our own side sends is refused. */
  readonly role: "client" | "server";
  /** The largest packet that is accepted, in bytes with its header; 262,144 by default. */
  readonly maxPacketBytes?: number | undefined;
  /**
   * Refuse a remaining length in more bytes than it needs. Off by default: no statement of MQTT 3.1.1 forbids it
   * (MQTT 5 does), and no known peer refuses it.
   */
  readonly minimalLength?: boolean | undefined;
}

/** Packet types that only a client sends. */
const CLIENT_ONLY: readonly number[] = [
  PacketType.CONNECT,
  PacketType.SUBSCRIBE,
  PacketType.UNSUBSCRIBE,
  PacketType.PINGREQ,
  PacketType.DISCONNECT,
];

/** Packet types that only a server sends. */
const SERVER_ONLY: readonly number[] = [
  PacketType.CONNACK,
  PacketType.SUBACK,
  PacketType.UNSUBACK,
  PacketType.PINGRESP,
];

const FIRST_CAPACITY = 1024;
/** Buffers above this are given back once they are empty. */
const KEPT_CAPACITY = 65_536;

/**
 * An incremental parser. The bytes are copied on `feed`, once; a payload is a view on them, valid until the next `feed`. After an
 * error the parser is dead, and `next` throws the same error again.
 *
 * @example
 * const parser = new PacketParser({ role: "client" });
 * let taken = 0;
 * while (taken < chunk.length) {
 *   taken += parser.feed(chunk.subarray(taken));
 *   for (let packet; (packet = parser.next()); ) handle(packet);
 * }
 */
export class PacketParser {
  readonly #refused: readonly number[];
  readonly #maxPacketBytes: number;
  readonly #minimalLength: boolean;
  #buffer: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #start = 0;
  #end = 0;
  #error: MqttError | undefined;

  /** @throws UsageError where `maxPacketBytes` is not 2 to 268,435,460. */
  constructor(options: PacketParserOptions) {
    this.#refused = options.role === "client" ? CLIENT_ONLY : SERVER_ONLY;
    this.#maxPacketBytes = options.maxPacketBytes ?? 262_144;
    this.#minimalLength = options.minimalLength ?? false;
    if (!(this.#maxPacketBytes >= 2 && this.#maxPacketBytes <= MAX_REMAINING_LENGTH + 5)) {
      throw new UsageError("USAGE_INVALID_ARGUMENT", `maxPacketBytes ${this.#maxPacketBytes}`);
    }
  }

  /** Bytes that were fed and not yet returned as packets. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /**
   * Copies bytes in and says how many: fewer than given once a packet of the largest size is buffered; call `next` until it
   * gives nothing, then feed the rest. Ends the life of the payloads returned before.
   */
  feed(chunk: Uint8Array): number {
    const limit = Math.max(this.#maxPacketBytes, FIRST_CAPACITY);
    const taken = Math.min(chunk.length, limit - this.buffered);
    this.#makeRoom(taken, limit);
    this.#buffer.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#end);
    this.#end += taken;
    return taken;
  }

  /**
   * The next whole packet, or `undefined` until more bytes are fed.
   *
   * @throws MqttError blaming the peer, with the broken statement in `data.statement`: close the connection [MQTT-4.8.0-1].
   */
  next(): Packet | undefined {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#parse();
    } catch (error) {
      if (error instanceof MqttError) this.#error = error;
      throw error;
    }
  }

  #parse(): Packet | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    if (start === this.#end) return undefined;
    const type = buffer[start]! >> 4;
    const flags = buffer[start]! & 15;
    this.#checkFirstByte(type, flags);

    let at = start + 1;
    let remaining = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift === 28) throw invalidLength("it has more than four bytes", type);
      if (at === this.#end) return undefined;
      const byte = buffer[at++]!;
      remaining |= (byte & 127) << shift;
      if (byte >= 128) continue;
      if (byte === 0 && shift > 0 && this.#minimalLength) throw invalidLength("it has more bytes than it needs", type);
      break;
    }
    const end = at + remaining;
    if (end - start > this.#maxPacketBytes) {
      const data = { packet: PACKET_NAMES[type]!, bytes: end - start, limit: this.#maxPacketBytes };
      throw new MqttError("MQTT_PACKET_TOO_LARGE", `${data.packet} of ${data.bytes} bytes, limit ${data.limit}`, data);
    }
    checkLength(type, remaining);
    if (end > this.#end) return undefined;
    this.#start = end;
    return decodeBody(type as PacketType, flags, buffer, at, end);
  }

  #checkFirstByte(type: number, flags: number): void {
    if (type === 0 || type === 15) throw malformed(type, "a reserved packet type", "MQTT-4.8.0-1");
    if (this.#refused.includes(type)) {
      const packet = PACKET_NAMES[type]!;
      throw new MqttError("MQTT_UNEXPECTED_PACKET", `${packet} [MQTT-4.8.0-1]`, { packet, statement: "MQTT-4.8.0-1" });
    }
    if (type === PacketType.PUBLISH) {
      if ((flags & 6) === 6) throw malformed(type, "QoS 3", "MQTT-3.3.1-4");
      if ((flags & 14) === 8) throw malformed(type, "DUP at QoS 0", "MQTT-3.3.1-2");
      return;
    }
    const wanted =
      type === PacketType.PUBREL || type === PacketType.SUBSCRIBE || type === PacketType.UNSUBSCRIBE ? 2 : 0;
    if (flags !== wanted) throw malformed(type, `reserved flags ${flags}`, "MQTT-2.2.2-2");
  }

  #makeRoom(more: number, limit: number): void {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
      if (this.#buffer.length > KEPT_CAPACITY && more <= KEPT_CAPACITY) this.#buffer = new Uint8Array(FIRST_CAPACITY);
    }
    if (this.#end + more <= this.#buffer.length) return;
    const kept = this.buffered;
    let capacity = this.#buffer.length;
    while (capacity < kept + more) capacity *= 2;
    if (capacity > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(capacity, limit));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = kept;
  }
}

function checkLength(type: number, remaining: number): void {
  switch (type) {
    case PacketType.CONNACK:
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
    case PacketType.UNSUBACK:
      if (remaining !== 2) throw malformed(type, `remaining length ${remaining} instead of 2`);
      return;
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
    case PacketType.DISCONNECT:
      if (remaining !== 0) throw malformed(type, `remaining length ${remaining} instead of 0`);
      return;
    case PacketType.SUBACK:
      if (remaining < 3) throw malformed(type, `remaining length ${remaining}`, "MQTT-3.9.3-1");
      return;
    default:
  }
}

function invalidLength(problem: string, type: number): MqttError {
  return new MqttError("MQTT_INVALID_REMAINING_LENGTH", `${problem} [MQTT-4.8.0-1]`, {
    packet: PACKET_NAMES[type]!,
    statement: "MQTT-4.8.0-1",
  });
}
