/** A client on a virtual clock, over memory transports, against a broker that does what a test says. */
import {
  encode,
  MqttClient,
  type MqttClientOptions,
  type Packet,
  PacketParser,
  PacketType,
} from "../../../src/mqtt/index.ts";
import type { Runtime } from "../../../src/ports.ts";
import { type MemoryPairOptions, memoryPair } from "../../../src/transport/memory.ts";
import type { Transport, TransportHandler } from "../../../src/transport/transport.ts";

/** Lets all that promises have to do happen. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualRuntime implements Runtime {
  #now = 0;
  readonly #due: { at: number; fire: () => void }[] = [];
  readonly clock = { now: () => this.#now, wallMs: () => undefined };
  readonly random = { fill: (bytes: Uint8Array) => void bytes.fill(128) };
  readonly timers = {
    set: (delayMs: number, fire: () => void): (() => void) => {
      const timer = { at: this.#now + delayMs, fire };
      this.#due.push(timer);
      return () => {
        const at = this.#due.indexOf(timer);
        if (at !== -1) this.#due.splice(at, 1);
      };
    },
  };

  /** Timers that are set: what is closed must leave none. */
  get armed(): number {
    return this.#due.length;
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settle();
      this.#due.sort((a, b) => a.at - b.at);
      const next = this.#due[0];
      if (next === undefined || next.at > until) break;
      this.#due.shift();
      this.#now = next.at;
      next.fire();
    }
    this.#now = until;
    await settle();
  }
}

/** One connection at the broker's end. */
export class Peer implements TransportHandler {
  readonly received: Packet[] = [];
  ended = false;
  error: unknown;
  readonly #transport: Transport;
  readonly #parser = new PacketParser({ role: "server" });
  readonly #answer: (packet: Packet, peer: Peer) => void;
  #waiting: Uint8Array[] = [];

  constructor(transport: Transport, answer: (packet: Packet, peer: Peer) => void) {
    this.#transport = transport;
    this.#answer = answer;
    transport.open(this);
  }

  send(...packets: Packet[]): void {
    for (const packet of packets) this.#waiting.push(encode(packet));
    this.onWritable();
  }

  /** Ends in order, behind what was sent. */
  end(): void {
    this.#transport.shutdown();
  }

  destroy(): void {
    this.#transport.destroy();
  }

  types(): number[] {
    return this.received.map(({ type }) => type);
  }

  onData(view: Uint8Array): void {
    for (let at = 0; at < view.length; ) {
      at += this.#parser.feed(view.subarray(at));
      for (let packet: Packet | undefined; (packet = this.#parser.next()); ) {
        const kept = packet.type === PacketType.PUBLISH ? { ...packet, payload: packet.payload.slice() } : packet;
        this.received.push(kept);
        this.#answer(kept, this);
      }
    }
  }

  onWritable(): void {
    for (let head: Uint8Array | undefined; (head = this.#waiting[0]); ) {
      const written = this.#transport.write(head);
      if (written < head.length) {
        this.#waiting[0] = head.subarray(written);
        return;
      }
      this.#waiting.shift();
    }
  }

  onEnd(): void {
    this.ended = true;
    this.#transport.shutdown();
  }

  onError(error: unknown): void {
    this.error = error;
  }
}

/** A broker that behaves; tests take parts of it. */
export function obedient(packet: Packet, peer: Peer): void {
  switch (packet.type) {
    case PacketType.CONNECT:
      peer.send({ type: PacketType.CONNACK, sessionPresent: false, returnCode: 0 });
      return;
    case PacketType.SUBSCRIBE:
      peer.send({
        type: PacketType.SUBACK,
        packetId: packet.packetId,
        returnCodes: packet.subscriptions.map(({ qos }) => qos),
      });
      return;
    case PacketType.UNSUBSCRIBE:
      peer.send({ type: PacketType.UNSUBACK, packetId: packet.packetId });
      return;
    case PacketType.PUBLISH:
      if (packet.qos === 1) peer.send({ type: PacketType.PUBACK, packetId: packet.packetId });
      return;
    case PacketType.PINGREQ:
      peer.send({ type: PacketType.PINGRESP });
      return;
    default:
  }
}

export class Lab {
  readonly runtime = new VirtualRuntime();
  readonly peers: Peer[] = [];
  answer: (packet: Packet, peer: Peer) => void = obedient;
  memory: MemoryPairOptions = {};

  get peer(): Peer {
    return this.peers[this.peers.length - 1]!;
  }

  connect(options: Partial<MqttClientOptions> = {}): Promise<MqttClient> {
    return MqttClient.connect({
      clientId: "c",
      runtime: this.runtime,
      transport: () => {
        const [near, far] = memoryPair(this.memory);
        this.peers.push(new Peer(far, (packet, peer) => this.answer(packet, peer)));
        return near;
      },
      ...options,
    });
  }
}
