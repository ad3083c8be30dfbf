/**
 * What a client's session was asked to do and has not done yet (MQTT 3.1.1 §4.1, §4.4): queued, or in flight under a packet
 * identifier until it is acknowledged. Survives network connections.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { packetSize } from "./encode.ts";
import { MqttError } from "./errors.ts";
import { PacketType, type PublishPacket, type SubscribePacket, type UnsubscribePacket } from "./packets.ts";

/** The packets that a caller waits for. */
export type OperationPacket = PublishPacket | SubscribePacket | UnsubscribePacket;

/** One PUBLISH, SUBSCRIBE or UNSUBSCRIBE under way or waiting for its turn. */
export interface Operation {
  readonly id: number;
  /** With the identifier 0 until it is sent. */
  packet: OperationPacket;
  readonly bytes: number;
  /** Given up by the caller: no event any more, but the packet identifier stays taken. */
  cancelled: boolean;
}

/** How much may wait and how much may be under way. */
export interface OperationBounds {
  /** Packets that may wait for an acknowledgement at once. */
  readonly maxInFlight: number;
  /** Operations that are held at most. */
  readonly maxQueued: number;
  /** The bytes of their packets at most. */
  readonly maxQueuedBytes: number;
}

/** A packet identifier is always free. */
const MAX_IN_FLIGHT = 65_534;

/** The queue of operations and the packet identifiers in use [MQTT-2.3.1-2]. */
export class Operations {
  readonly #bounds: OperationBounds;
  #lastId = 0;
  #lastPacketId = 0;
  #held = 0;
  #heldBytes = 0;
  /** What was not sent, or starts anew. */
  #queue: Operation[] = [];
  /** By packet identifier, in the order of sending. */
  readonly #inFlight = new Map<number, Operation>();
  /** In flight since an earlier connection: again, in order, before what is new. */
  #resend: Operation[] = [];

  /** @throws UsageError where a bound is below 1. */
  constructor(bounds: OperationBounds) {
    for (const [name, value] of Object.entries(bounds)) {
      if (!(value >= 1)) throw new UsageError("USAGE_INVALID_ARGUMENT", `${name} ${value}`);
    }
    this.#bounds = { ...bounds, maxInFlight: Math.min(bounds.maxInFlight, MAX_IN_FLIGHT) };
  }

  /** Operations that are held, queued or in flight. */
  get held(): number {
    return this.#held;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * Takes an operation and returns its id.
   *
   * @param first ahead of all others, and whatever the bounds.
   * @throws MqttError `MQTT_QUEUE_FULL`, or what {@link packetSize} throws.
   */
  add(packet: OperationPacket, first: boolean): number {
    const bytes = packetSize(needsPacketId(packet) ? { ...packet, packetId: 1 } : packet);
    const { maxQueued, maxQueuedBytes } = this.#bounds;
    if (!first && (this.#held >= maxQueued || this.#heldBytes + bytes > maxQueuedBytes)) {
      throw new MqttError("MQTT_QUEUE_FULL", `${this.#held} operations, ${this.#heldBytes} bytes`, {
        operations: this.#held,
        bytes: this.#heldBytes,
      });
    }
    const operation: Operation = { id: ++this.#lastId, packet, bytes, cancelled: false };
    this.#held++;
    this.#heldBytes += bytes;
    if (first) this.#queue.unshift(operation);
    else this.#queue.push(operation);
    return operation.id;
  }

  /** What is to be sent next; `undefined` where there is nothing, or the in-flight window is full. */
  peek(): Operation | undefined {
    if (this.#resend.length > 0) return this.#resend[0];
    const operation = this.#queue[0];
    if (operation === undefined || !needsPacketId(operation.packet)) return operation;
    return this.#inFlight.size < this.#bounds.maxInFlight ? operation : undefined;
  }

  /** Takes what {@link peek} gave: it is being sent, with a packet identifier if it needs one. */
  begin(): Operation {
    const again = this.#resend.shift();
    if (again !== undefined) return again;
    const operation = this.#queue.shift()!;
    if (needsPacketId(operation.packet)) {
      operation.packet = { ...operation.packet, packetId: this.#allocatePacketId() };
      this.#inFlight.set(operation.packet.packetId, operation);
    }
    return operation;
  }

  /** The bytes that can be sent, counted up to about `enough`. */
  readyBytes(enough: number): number {
    let bytes = 0;
    for (let i = 0; i < this.#resend.length && bytes < enough; i++) bytes += this.#resend[i]!.bytes;
    let window = this.#bounds.maxInFlight - this.#inFlight.size;
    for (let i = 0; i < this.#queue.length && bytes < enough; i++) {
      const { packet, bytes: more } = this.#queue[i]!;
      if (needsPacketId(packet) && window-- <= 0) break;
      bytes += more;
    }
    return bytes;
  }

  /** What is in flight under a packet identifier. */
  get(packetId: number): Operation | undefined {
    return this.#inFlight.get(packetId);
  }

  /** An operation is over: its packet identifier is free again [MQTT-2.3.1-3]. */
  release(operation: Operation): void {
    this.#inFlight.delete(operation.packet.packetId);
    this.#held--;
    this.#heldBytes -= operation.bytes;
    // Acknowledged before its turn came: the server had it from the last connection.
    if (this.#resend.length > 0) this.#resend = this.#resend.filter((other) => other !== operation);
  }

  /** Gives an operation up that is queued or in flight. Returns whether it was sent. */
  cancel(id: number): boolean {
    const queued = this.#queue.findIndex((operation) => operation.id === id);
    if (queued !== -1) {
      this.release(this.#queue.splice(queued, 1)[0]!);
      return false;
    }
    for (const operation of this.#inFlight.values()) {
      if (operation.id !== id) continue;
      operation.cancelled = true;
      // It may be sent again, and from now on the caller may change the payload.
      const { packet } = operation;
      if (packet.type === PacketType.PUBLISH) operation.packet = { ...packet, payload: copyOf(packet.payload) };
    }
    return true;
  }

  /** The server kept the session: unacknowledged PUBLISHes again, with DUP and their identifiers [MQTT-4.4.0-1]. */
  resume(): void {
    const anew: Operation[] = [];
    for (const operation of this.#inFlight.values()) {
      const { packet } = operation;
      if (packet.type === PacketType.PUBLISH) {
        operation.packet = { ...packet, dup: true };
        this.#resend.push(operation);
      } else {
        anew.push(operation);
      }
    }
    this.requeue(anew);
  }

  /** The server has no session: nothing of the old one is used again [MQTT-3.1.2-6]; what is not settled is sent as new. */
  restart(): void {
    this.requeue([...this.#inFlight.values()]);
  }

  /** The connection is over: what was to be sent again waits for the next one. */
  pause(): void {
    this.#resend = [];
  }

  /** Puts operations in front of the queue, as new ones. */
  requeue(operations: readonly Operation[]): void {
    const anew: Operation[] = [];
    for (const operation of operations) {
      if (operation.cancelled) {
        this.release(operation);
        continue;
      }
      const { packet } = operation;
      this.#inFlight.delete(packet.packetId);
      operation.packet =
        packet.type === PacketType.PUBLISH ? { ...packet, packetId: 0, dup: false } : { ...packet, packetId: 0 };
      anew.push(operation);
    }
    this.#queue = [...anew, ...this.#queue];
  }

  /** Takes everything out. */
  clear(): Operation[] {
    const all = [...this.#inFlight.values(), ...this.#queue];
    this.#queue = [];
    this.#resend = [];
    for (const operation of all) this.release(operation);
    return all;
  }

  /** The next identifier that nothing in flight has [MQTT-2.3.1-2]. The window is smaller than the numbers. */
  #allocatePacketId(): number {
    do {
      this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    } while (this.#inFlight.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

/** SUBSCRIBE, UNSUBSCRIBE, and PUBLISH above QoS 0 [MQTT-2.3.1-1]. */
function needsPacketId(packet: OperationPacket): boolean {
  return packet.type !== PacketType.PUBLISH || packet.qos !== 0;
}
