import type { Authorize, Broker, BrokerAction, BrokerConnection } from "../../../src/mqtt/broker.ts";
import { encode } from "../../../src/mqtt/encode.ts";
import { type ConnectPacket, type Packet, PacketType, type PublishPacket } from "../../../src/mqtt/packets.ts";
import { PacketParser } from "../../../src/mqtt/parser.ts";

/** A client that says exactly what a test tells it to, and keeps what it hears. */
export class Peer {
  readonly connection: BrokerConnection;
  readonly #parser = new PacketParser({ role: "client", maxPacketBytes: 1 << 24 });
  readonly #heard: Packet[] = [];
  /** While true, output stays in the broker, as that of a client that does not read. */
  deaf = false;

  constructor(broker: Broker, principal?: string) {
    this.connection = broker.accept({ wake: () => this.read(), principal });
  }

  read(): void {
    if (this.deaf || this.connection === undefined) return;
    for (let bytes: Uint8Array | undefined; (bytes = this.connection.takeOutput()); ) {
      for (let taken = 0; taken < bytes.length; ) {
        taken += this.#parser.feed(bytes.subarray(taken));
        for (let packet: Packet | undefined; (packet = this.#parser.next()); )
          this.#heard.push(
            packet.type === PacketType.PUBLISH ? { ...packet, payload: packet.payload.slice() } : packet,
          );
      }
    }
  }

  say(...packets: Packet[]): this {
    for (const packet of packets) this.connection.feed(encode(packet));
    return this;
  }

  /** What came since the last call. */
  heard(): Packet[] {
    return this.#heard.splice(0);
  }

  /** The topics, payloads, … of the PUBLISH packets that came since the last call. */
  messages(): { topic: string; text: string; qos: number; retain: boolean; dup: boolean; packetId: number }[] {
    return this.heard()
      .filter((packet): packet is PublishPacket => packet.type === PacketType.PUBLISH)
      .map(({ topic, payload, qos, retain, dup, packetId }) => ({
        topic,
        text: String.fromCharCode(...payload),
        qos,
        retain,
        dup,
        packetId,
      }));
  }

  get isOpen(): boolean {
    return this.connection.closed === undefined;
  }
}

export function connect(clientId: string, more: Partial<ConnectPacket> = {}): ConnectPacket {
  return {
    type: PacketType.CONNECT,
    clientId,
    cleanSession: true,
    keepAliveSeconds: 0,
    will: undefined,
    username: undefined,
    password: undefined,
    ...more,
  };
}

export function publish(topic: string, text: string, more: Partial<PublishPacket> = {}): PublishPacket {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: bytes(text),
    qos: 0,
    dup: false,
    retain: false,
    packetId: 0,
    ...more,
  };
}

export function subscribe(packetId: number, ...filters: [string, 0 | 1 | 2][]): Packet {
  return {
    type: PacketType.SUBSCRIBE,
    packetId,
    subscriptions: filters.map(([filter, qos]) => ({ filter, qos })),
  };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A client that is connected, its CONNACK taken. */
export function online(broker: Broker, clientId: string, more: Partial<ConnectPacket> = {}): Peer {
  const peer = new Peer(broker).say(connect(clientId, more));
  peer.heard();
  return peer;
}

/** Allows what the predicate says, and denies the rest for a reason that a test can find again. */
export function allowing(predicate: (action: BrokerAction) => boolean): Authorize {
  return (action) => predicate(action) || { denied: "the test says no" };
}
