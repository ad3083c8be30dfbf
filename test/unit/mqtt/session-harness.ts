/** A session on a virtual clock and the server's side of its bytes, for the session tests. */
import { fromHex, toHex } from "../../../src/bytes.ts";
import {
  encode,
  MqttSession,
  type MqttSessionEvent,
  type MqttSessionOptions,
  type Packet,
  PacketParser,
  PacketType,
} from "../../../src/mqtt/index.ts";

export class SessionHarness {
  readonly session: MqttSession;
  now = 1_000_000;
  events: MqttSessionEvent[] = [];
  #server = new PacketParser({ role: "server" });

  constructor(options: Partial<MqttSessionOptions> = {}) {
    this.session = new MqttSession({ clientId: "c", ...options });
  }

  /** A new network connection up to CONNACK; returns the CONNECT that was sent. */
  connect(sessionPresent = false): Packet[] {
    this.#server = new PacketParser({ role: "server" });
    this.session.connect(this.now);
    const sent = this.sent();
    this.receive({ type: PacketType.CONNACK, sessionPresent, returnCode: 0 });
    return sent;
  }

  /** Bytes of the server: a packet, or hexadecimal. */
  receive(...packets: (Packet | string)[]): MqttSessionEvent[] {
    const before = this.events.length;
    for (const packet of packets) {
      const bytes = typeof packet === "string" ? fromHex(packet) : encode(packet);
      for (let at = 0; at < bytes.length; ) {
        at += this.session.feed(bytes.subarray(at));
        this.takeEvents();
      }
    }
    return this.events.slice(before);
  }

  takeEvents(): MqttSessionEvent[] {
    const fresh: MqttSessionEvent[] = [];
    for (let event: MqttSessionEvent | undefined; (event = this.session.nextEvent()); ) {
      fresh.push(event.type === "message" ? { ...event, payload: event.payload.slice() } : event);
    }
    this.events.push(...fresh);
    return fresh;
  }

  /** What the session writes now, through room of the given size. */
  bytesOut(roomBytes = 65_536): Uint8Array {
    const parts: number[] = [];
    while (this.session.nextOutputBytes() > 0) {
      const room = new Uint8Array(roomBytes);
      const written = this.session.encodeOutput(room, this.now);
      if (written === 0) break;
      parts.push(...room.subarray(0, written));
    }
    return new Uint8Array(parts);
  }

  /** The same as packets. */
  sent(roomBytes?: number): Packet[] {
    const bytes = this.bytesOut(roomBytes);
    const packets: Packet[] = [];
    this.#server.feed(bytes);
    for (let packet: Packet | undefined; (packet = this.#server.next()); ) {
      packets.push(packet.type === PacketType.PUBLISH ? { ...packet, payload: packet.payload.slice() } : packet);
    }
    return packets;
  }

  sentHex(): string {
    return toHex(this.bytesOut());
  }

  /** Time goes on; timeouts fire when they are due. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let at = this.session.nextTimeout(); at !== undefined && at <= until; at = this.session.nextTimeout()) {
      this.now = Math.max(at, this.now);
      this.session.handleTimeout(this.now);
      this.takeEvents();
      if (this.session.nextTimeout() === at) break;
    }
    this.now = until;
  }

  get last(): MqttSessionEvent | undefined {
    return this.events[this.events.length - 1];
  }
}

export const text = (value: string): Uint8Array =>
  new Uint8Array([...value].map((character) => character.charCodeAt(0)));

export const connack: Packet = { type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 };

export const puback = (packetId: number): Packet => ({ type: PacketType.PUBACK, packetId });

export const publishQos1 = (packetId: number, payload = "m", dup = false): Packet => ({
  type: PacketType.PUBLISH,
  dup,
  qos: 1,
  retain: false,
  topic: "t",
  packetId,
  payload: text(payload),
});
