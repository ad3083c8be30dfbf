/**
 * The MQTT 3.1.1 client's session as a sans-I/O engine (§3, §4): bytes and time in, events and bytes out. One `MqttSession` lives
 * over many network connections, because a session does [MQTT-4.1.0-1]: operations that are not acknowledged are sent again.
 *
 * Left out on purpose: sending QoS 2 (AWS IoT does not speak it), sending again while the connection lives, sending before CONNACK
 * (AWS IoT forbids it), and storing the session across restarts.
 *
 * @module
 */

import { type ThingwireError, UsageError } from "../errors.ts";
import { type Logger, silent } from "../ports.ts";
import { describePacket } from "./describe.ts";
import { packetSize } from "./encode.ts";
import { MqttError, type MqttErrorCode } from "./errors.ts";
import type { MqttPublication, MqttSessionEvent, MqttSessionOptions, MqttSessionState } from "./events.ts";
import { KeepAlive } from "./keep-alive.ts";
import {
  checkConnectLimits,
  checkPublishLimits,
  checkSubscribeLimits,
  checkSubscriptionCount,
  type MqttLimits,
} from "./limits.ts";
import { type Operation, Operations } from "./operations.ts";
import { PacketOutput } from "./packet-output.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  PACKET_NAMES,
  type Packet,
  PacketType,
  type PublishPacket,
  SUBACK_FAILURE,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
} from "./packets.ts";
import { PacketParser } from "./parser.ts";

/** Acknowledgements that may wait for room before we stop to read: the peer does not read either. */
const MAX_URGENT = 1_000;
/** Bytes that `nextOutputBytes` asks for at once, at most, unless one packet is larger: a TLS record. */
const OUTPUT_CHUNK = 16_384;

const REFUSALS: readonly MqttErrorCode[] = [
  "MQTT_REFUSED_PROTOCOL_VERSION",
  "MQTT_REFUSED_IDENTIFIER",
  "MQTT_REFUSED_SERVER_UNAVAILABLE",
  "MQTT_REFUSED_BAD_CREDENTIALS",
  "MQTT_REFUSED_NOT_AUTHORIZED",
];

/**
 * The engine. A turn: `feed` what came; `nextEvent` until it gives nothing; while `nextOutputBytes` is not 0, `encodeOutput` into room of the
 * transport; and `handleTimeout` once `nextTimeout` is reached. Bytes that `feed` did not take are fed again after that.
 *
 * @example
 * session.connect(now);
 * const id = session.publish({ topic: "lamp", payload, qos: 1 });
 * for (let event; (event = session.nextEvent()); ) if (event.type === "published" && event.id === id) done();
 */
export class MqttSession {
  readonly #connect: ConnectPacket;
  readonly #connectTimeoutMs: number;
  readonly #maxPacketBytes: number | undefined;
  readonly #limits: MqttLimits;
  readonly #log: Logger;
  readonly #keepAlive: KeepAlive;

  // The session: survives connections.
  readonly #operations: Operations;
  /** QoS 2 messages that were received and not yet released. */
  readonly #unreleased = new Set<number>();
  readonly #filters = new Set<string>();
  readonly #events: MqttSessionEvent[] = [];

  // The network connection.
  #state: MqttSessionState = "offline";
  #parser: PacketParser | undefined;
  readonly #output = new PacketOutput();
  /** What `#output` holds a part of. */
  #begun: Packet | undefined;
  #begunOperation: Operation | undefined;
  /** CONNECT, acknowledgements and PINGREQ, ahead of everything else. */
  #urgent: Packet[] = [];
  #connectSent = false;
  #connackDeadline: number | undefined;
  #broken: ThingwireError | undefined;

  /** @throws MqttError or UsageError where the options are not usable: the caller is to blame. */
  constructor(options: MqttSessionOptions) {
    this.#limits = options.limits ?? {};
    this.#log = options.log ?? silent;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 30_000;
    this.#maxPacketBytes = options.maxPacketBytes;
    this.#operations = new Operations({
      maxInFlight: options.maxInFlight ?? 100,
      maxQueued: options.maxQueued ?? 1_000,
      maxQueuedBytes: options.maxQueuedBytes ?? 1_048_576,
    });
    this.#connect = {
      type: PacketType.CONNECT,
      clientId: options.clientId,
      cleanSession: options.cleanSession ?? true,
      keepAliveSeconds: options.keepAliveSeconds ?? 60,
      will: options.will,
      username: options.username,
      password: options.password,
    };
    packetSize(this.#connect);
    checkConnectLimits(this.#limits, this.#connect.clientId, this.#connect.keepAliveSeconds);
    const { will } = this.#connect;
    if (will !== undefined) {
      checkPublishLimits(this.#limits, will.topic, will.payload.length);
      if (will.qos === 2 && this.#limits.qos2 === false) throw new MqttError("MQTT_QOS2_UNSUPPORTED", "the will");
    }
    for (const name of ["connectTimeoutMs", "pingTimeoutMs"] as const) {
      const ms = options[name];
      if (ms !== undefined && !(ms > 0)) throw new UsageError("USAGE_INVALID_ARGUMENT", `${name} ${ms}`);
    }
    this.#keepAlive = new KeepAlive(this.#connect.keepAliveSeconds, options.pingTimeoutMs);
    new PacketParser({ role: "client", maxPacketBytes: this.#maxPacketBytes });
  }

  get state(): MqttSessionState {
    return this.#state;
  }

  /** Packets that wait for the peer's acknowledgement. */
  get inFlight(): number {
    return this.#operations.inFlight;
  }

  /** Operations that are queued or in flight. */
  get pending(): number {
    return this.#operations.held;
  }

  // ---- operations ----

  /** A network connection begins: CONNECT goes first [MQTT-3.1.0-1]. The time to CONNACK counts from now. */
  connect(now: number): void {
    if (this.#state !== "offline") throw new UsageError("USAGE_WRONG_STATE", `connect() while ${this.#state}`);
    this.#state = "awaitingConnack";
    this.#parser = new PacketParser({ role: "client", maxPacketBytes: this.#maxPacketBytes });
    this.#urgent = [this.#connect];
    this.#connectSent = false;
    this.#broken = undefined;
    this.#connackDeadline = now + this.#connectTimeoutMs;
  }

  /**
   * Queues a PUBLISH and returns its operation id, for `published` or `failed`. Works offline too.
   *
   * @throws MqttError `MQTT_QOS2_UNSUPPORTED`, `MQTT_INVALID_TOPIC`, `MQTT_LIMIT_EXCEEDED`, `MQTT_QUEUE_FULL`.
   */
  publish(publication: MqttPublication): number {
    const { topic, payload, qos = 0, retain = false } = publication;
    if (qos === 2) throw new MqttError("MQTT_QOS2_UNSUPPORTED", "PUBLISH");
    checkPublishLimits(this.#limits, topic, payload.length);
    return this.#operations.add(
      { type: PacketType.PUBLISH, dup: false, qos, retain, topic, packetId: 0, payload },
      false,
    );
  }

  /**
   * Queues a SUBSCRIBE and returns its operation id, for `subscribed` or `failed`.
   *
   * @param first ahead of what is queued, and however full the queue is: to restore subscriptions when the server has lost the
   *   session.
   * @throws MqttError `MQTT_INVALID_TOPIC`, `MQTT_LIMIT_EXCEEDED`, `MQTT_TOO_MANY_SUBSCRIPTIONS`, `MQTT_QUEUE_FULL`, ….
   */
  subscribe(subscriptions: readonly SubscriptionRequest[], first = false): number {
    checkSubscribeLimits(this.#limits, subscriptions);
    const added = subscriptions.filter(({ filter }) => !this.#filters.has(filter)).length;
    checkSubscriptionCount(this.#limits, this.#filters.size + added);
    const id = this.#operations.add({ type: PacketType.SUBSCRIBE, packetId: 0, subscriptions }, first);
    for (const { filter } of subscriptions) this.#filters.add(filter);
    return id;
  }

  /** Queues an UNSUBSCRIBE and returns its operation id, for `unsubscribed` or `failed`; `first` as for `subscribe`. */
  unsubscribe(filters: readonly string[], first = false): number {
    const id = this.#operations.add({ type: PacketType.UNSUBSCRIBE, packetId: 0, filters }, first);
    for (const filter of filters) this.#filters.delete(filter);
    return id;
  }

  /**
   * Gives an operation up: it has no event any more. What was sent keeps its packet identifier until it is acknowledged.
   *
   * @returns whether it was sent, at least in part.
   */
  cancel(id: number): boolean {
    if (this.#begunOperation?.id === id) {
      // From now on the caller may change the payload: what is still to be written of it is copied.
      this.#begunOperation.cancelled = true;
      this.#output.detach();
    }
    return this.#operations.cancel(id);
  }

  /** Fails all operations: the client will not connect again. */
  abandon(error: ThingwireError): void {
    const begun = this.#begunOperation;
    // A half written QoS 0 message is in neither of the session's lists.
    if (begun !== undefined && begun.packet.packetId === 0) {
      this.#begunOperation = undefined;
      this.#settle(begun, { type: "failed", id: begun.id, error });
    }
    for (const { id, cancelled } of this.#operations.clear()) {
      if (!cancelled) this.#events.push({ type: "failed", id, error });
    }
  }

  /** Sends DISCONNECT behind a packet that is begun, and nothing after it [MQTT-3.14.4-2]; then comes `closed`. */
  disconnect(): void {
    if (this.#state !== "connected") throw new UsageError("USAGE_WRONG_STATE", `disconnect() while ${this.#state}`);
    this.#state = "disconnecting";
    this.#urgent.push({ type: PacketType.DISCONNECT });
  }

  // ---- bytes and time in ----

  /** Takes bytes of the peer and says how many; feed the rest once `nextEvent` gives nothing. Offline, bytes are dropped. */
  feed(chunk: Uint8Array): number {
    if (this.#parser === undefined || this.#broken !== undefined) return chunk.length;
    return this.#parser.feed(chunk);
  }

  /** The peer has ended its side in order. What it sent before is still delivered. */
  end(): void {
    if (this.#state === "offline" || this.#broken !== undefined) return;
    const connecting = this.#state === "awaitingConnack";
    const code = connecting ? "MQTT_CLOSED_BEFORE_CONNACK" : "MQTT_CONNECTION_LOST";
    const data = { phase: connecting ? "connect" : "session", bytesOfAPacket: this.#parser?.buffered };
    this.#broken = new MqttError(code, "the peer closed it", data);
  }

  /** The transport broke. What came before is still delivered. */
  fail(error: ThingwireError): void {
    if (this.#state !== "offline") this.#broken ??= error;
  }

  /** Whether bytes of the peer are taken at the moment; while not, no PINGRESP is expected. */
  setReading(reading: boolean, now: number): void {
    this.#keepAlive.setReading(reading, now);
  }

  /** When `handleTimeout` is to be called, on the monotonic clock in ms. */
  nextTimeout(): number | undefined {
    return this.#connackDeadline ?? this.#keepAlive.nextTimeout();
  }

  /** Time has come to `now`. */
  handleTimeout(now: number): void {
    if (this.#connackDeadline !== undefined) {
      if (now < this.#connackDeadline) return;
      const code = this.#connectSent ? "MQTT_CONNACK_TIMEOUT" : "MQTT_CONNECT_TIMEOUT";
      this.#close(new MqttError(code, `${this.#connectTimeoutMs} ms`, { phase: "connect" }));
      return;
    }
    const due = this.#keepAlive.handleTimeout(now);
    if (due === "ping") this.#urgent.push({ type: PacketType.PINGREQ });
    else if (due === "dead") {
      this.#close(new MqttError("MQTT_PINGRESP_TIMEOUT", undefined, { statement: "MQTT-3.12.4-1" }));
    }
  }

  // ---- events and bytes out ----

  /**
   * What happened next; `undefined` until something more comes in, or until output has made room for acknowledgements.
   *
   * @param receive false leaves what the peer sent where it is: then no `message` comes, but what sending, time or a call has
   *   settled does, and so does a connection that is given up.
   */
  nextEvent(receive = true): MqttSessionEvent | undefined {
    while (receive && this.#events.length === 0 && this.#state !== "offline") {
      if (this.#urgent.length >= MAX_URGENT && this.#broken === undefined) return undefined;
      try {
        const packet = this.#parser!.next();
        if (packet !== undefined) this.#receive(packet);
        else if (this.#broken === undefined) return undefined;
        else this.#close(this.#state === "disconnecting" ? undefined : this.#broken);
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        this.#close(error);
      }
    }
    return this.#events.shift();
  }

  /** How many bytes there are to write, as far as one call of `encodeOutput` is worth it; 0 where there is nothing. */
  nextOutputBytes(): number {
    let bytes = this.#output.rest;
    if (this.#state === "offline" || this.#broken !== undefined) return 0;
    for (let i = 0; i < this.#urgent.length && bytes < OUTPUT_CHUNK; i++) bytes += packetSize(this.#urgent[i]!);
    if (this.#state !== "connected") return bytes;
    return bytes + this.#operations.readyBytes(OUTPUT_CHUNK - bytes);
  }

  /**
   * Writes packets into room of the transport, which must be sent; returns the bytes written. A packet that does not fit begins
   * only at the room's start; its rest comes with the next calls.
   *
   * @param now for keep-alive: what is written as a whole counts as sent.
   */
  encodeOutput(room: Uint8Array, now: number): number {
    let at = 0;
    while (at < room.length && this.#state !== "offline" && this.#broken === undefined) {
      if (this.#output.rest > 0) {
        at = this.#output.continue(room, at);
      } else {
        const operation =
          this.#urgent.length === 0 && this.#state === "connected" ? this.#operations.peek() : undefined;
        const packet = this.#urgent[0] ?? operation?.packet;
        if (packet === undefined) break;
        if (at > 0 && (operation?.bytes ?? packetSize(packet)) > room.length - at) break;
        this.#begunOperation = operation === undefined ? undefined : this.#operations.begin();
        this.#begun = this.#begunOperation?.packet ?? this.#urgent.shift()!;
        if (this.#log.enabled("verbose", "mqtt")) this.#log.log("verbose", "mqtt", `> ${describePacket(this.#begun)}`);
        at = this.#output.begin(this.#begun, room, at);
      }
      if (this.#output.rest === 0) this.#sent(now);
    }
    return at;
  }

  /** The begun packet was written to its last byte. */
  #sent(now: number): void {
    const packet = this.#begun!;
    const operation = this.#begunOperation;
    this.#begun = undefined;
    this.#begunOperation = undefined;
    if (packet.type === PacketType.CONNECT) {
      this.#connectSent = true;
      this.#keepAlive.start(now);
    } else if (packet.type === PacketType.PINGREQ) {
      this.#keepAlive.pingreqSent(now);
    } else if (packet.type === PacketType.DISCONNECT) {
      this.#close(undefined);
    } else if (operation !== undefined && packet.type === PacketType.PUBLISH && packet.qos === 0) {
      this.#settle(operation, { type: "published", id: operation.id });
    }
    this.#keepAlive.packetSent(now);
  }

  #receive(packet: Packet): void {
    if (this.#log.enabled("verbose", "mqtt")) this.#log.log("verbose", "mqtt", `< ${describePacket(packet)}`);
    if (this.#state === "awaitingConnack") {
      if (packet.type !== PacketType.CONNACK || !this.#connectSent) throw unexpected(packet, "MQTT-3.2.0-1");
      this.#receiveConnack(packet);
      return;
    }
    switch (packet.type) {
      case PacketType.PUBLISH:
        this.#receivePublish(packet);
        return;
      case PacketType.PUBACK: {
        const operation = this.#acknowledged(packet.packetId, packet, PacketType.PUBLISH, "MQTT-2.3.1-6");
        if (operation !== undefined) this.#settle(operation, { type: "published", id: operation.id });
        return;
      }
      case PacketType.UNSUBACK: {
        const operation = this.#acknowledged(packet.packetId, packet, PacketType.UNSUBSCRIBE, "MQTT-2.3.1-7");
        if (operation !== undefined) this.#settle(operation, { type: "unsubscribed", id: operation.id });
        return;
      }
      case PacketType.SUBACK:
        this.#receiveSuback(packet);
        return;
      case PacketType.PUBREL:
        // Answered also where it is unknown: our PUBCOMP may have been lost with the last connection.
        this.#unreleased.delete(packet.packetId);
        this.#acknowledge({ type: PacketType.PUBCOMP, packetId: packet.packetId });
        return;
      case PacketType.PINGRESP:
        this.#keepAlive.pingrespReceived();
        return;
      default:
        // A second CONNACK, or PUBREC and PUBCOMP, which answer a QoS 2 that we never send.
        throw unexpected(packet, "MQTT-4.8.0-1");
    }
  }

  #receiveConnack({ returnCode, sessionPresent }: ConnackPacket): void {
    this.#log.log("debug", "mqtt", `CONNACK code ${returnCode}, session present ${sessionPresent}`, {
      returnCode,
      sessionPresent,
    });
    if (returnCode !== 0) {
      const code = REFUSALS[returnCode - 1] ?? "MQTT_REFUSED_UNKNOWN";
      throw new MqttError(code, undefined, { returnCode, phase: "connect" });
    }
    if (sessionPresent && this.#connect.cleanSession) {
      throw violation("session present after a clean session was asked for", "MQTT-3.2.2-1");
    }
    this.#state = "connected";
    this.#connackDeadline = undefined;
    if (sessionPresent) {
      this.#operations.resume();
    } else {
      this.#operations.restart();
      this.#unreleased.clear();
    }
    this.#events.push({ type: "connected", sessionPresent });
  }

  #receivePublish({ topic, payload, qos, retain, dup, packetId }: PublishPacket): void {
    if (qos === 1) this.#acknowledge({ type: PacketType.PUBACK, packetId });
    if (qos === 2) {
      this.#acknowledge({ type: PacketType.PUBREC, packetId });
      if (this.#unreleased.has(packetId)) return;
      this.#unreleased.add(packetId);
    }
    if (this.#state === "disconnecting") return;
    this.#events.push({ type: "message", topic, payload, qos, retain, dup });
  }

  #acknowledge(packet: Packet): void {
    if (this.#state === "connected") this.#urgent.push(packet);
  }

  #receiveSuback(packet: SubackPacket): void {
    const operation = this.#acknowledged(packet.packetId, packet, PacketType.SUBSCRIBE, "MQTT-3.8.4-2");
    if (operation === undefined) throw violation(`SUBACK for unknown id ${packet.packetId}`, "MQTT-3.8.4-2");
    const { subscriptions } = operation.packet as SubscribePacket;
    const { returnCodes } = packet;
    if (returnCodes.length !== subscriptions.length) {
      const counts = `SUBACK with ${returnCodes.length} codes for ${subscriptions.length} filters`;
      throw violation(counts, "MQTT-3.8.4-5");
    }
    for (let i = 0; i < subscriptions.length; i++) {
      if (returnCodes[i] === SUBACK_FAILURE) this.#filters.delete(subscriptions[i]!.filter);
    }
    this.#settle(operation, { type: "subscribed", id: operation.id, returnCodes });
  }

  /** What an acknowledgement is for; `undefined` where nothing has that identifier. */
  #acknowledged(packetId: number, packet: Packet, type: PacketType, statement: string): Operation | undefined {
    const operation = this.#operations.get(packetId);
    const name = PACKET_NAMES[packet.type];
    if (operation === undefined) {
      this.#log.log("info", "mqtt", `ignored: ${name} for unknown id ${packetId}`, { packetId });
      return undefined;
    }
    if (operation.packet.type !== type) {
      throw violation(`${name} for the id of a ${PACKET_NAMES[operation.packet.type]}`, statement);
    }
    return operation;
  }

  #settle(operation: Operation, event: MqttSessionEvent): void {
    this.#operations.release(operation);
    if (!operation.cancelled) this.#events.push(event);
  }

  /** The connection ends; the session stays for the next one. */
  #close(error: ThingwireError | undefined): void {
    const begun = this.#begunOperation;
    // A QoS 0 message that was cut can not have been understood: it is still to be sent.
    if (begun !== undefined && begun.packet.packetId === 0) this.#operations.requeue([begun]);
    this.#state = "offline";
    this.#parser = undefined;
    this.#broken = undefined;
    this.#connackDeadline = undefined;
    this.#begun = undefined;
    this.#begunOperation = undefined;
    this.#urgent = [];
    this.#operations.pause();
    this.#output.clear();
    this.#keepAlive.stop();
    this.#events.push({ type: "closed", error });
  }
}

function unexpected(packet: Packet, statement: string): MqttError {
  const name = PACKET_NAMES[packet.type];
  return new MqttError("MQTT_UNEXPECTED_PACKET", `${name} [${statement}]`, { packet: name, statement });
}

function violation(problem: string, statement: string): MqttError {
  return new MqttError("MQTT_PROTOCOL_VIOLATION", `${problem} [${statement}]`, { statement });
}
