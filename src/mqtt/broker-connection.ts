/**
 * One connection to the broker: the server's side of the protocol (MQTT 3.1.1 chapters 3 and 4) as a synchronous state machine over
 * bytes. Anything that breaks the protocol closes the connection ([MQTT-4.8.0-1]) and publishes the will.
 *
 * @module
 */

import { concat, printable } from "../bytes.ts";
import { type Blame, isThingwireError, type ThingwireError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import type { Authorize, BrokerRouter, Consumer } from "./broker-router.ts";
import type { BrokerSession, Delivery, Publication } from "./broker-session.ts";
import { encode } from "./encode.ts";
import { MqttError } from "./errors.ts";
import {
  ConnackCode,
  type ConnectPacket,
  PACKET_NAMES,
  type Packet,
  PacketType,
  type PublishPacket,
  SUBACK_FAILURE,
  type SubscribePacket,
} from "./packets.ts";
import { PacketParser } from "./parser.ts";

/** What the owner of the stream gives the broker for it. */
export interface ConnectionHost {
  /**
   * There is output to take, or the connection is closed. Called from within any call of the broker: take the output, but do
   * not feed.
   */
  wake(): void;
  /** Who the client is below MQTT, such as the id of its certificate; handed to `authorize`. */
  readonly principal?: string | undefined;
}

/** What a connection needs of its broker. */
export interface ConnectionContext {
  readonly router: BrokerRouter;
  readonly now: () => number;
  readonly authorize: Authorize;
  readonly qos2: "handshake" | "silence";
  readonly maxPacketBytes: number;
  readonly maxOutputBytes: number;
  readonly maxSubscriptions: number;
  readonly connectTimeoutMs: number;
  readonly assignClientId: () => string;
  readonly log: Logger;
}

/** Why a connection is over. `error` is there where the peer broke a rule or the connection failed. */
export interface CloseReason {
  readonly reason: string;
  readonly blame: Blame;
  readonly error?: ThingwireError | undefined;
}

const TAG = "broker";

export class BrokerConnection implements Consumer {
  readonly principal: string | undefined;
  readonly #host: ConnectionHost;
  readonly #context: ConnectionContext;
  readonly #parser: PacketParser;
  #session: BrokerSession | undefined;
  #will: Publication | undefined;
  #keepAliveMs = 0;
  /** When the last packet came, or the connection was accepted. */
  #heardAt: number;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #closed: CloseReason | undefined;

  constructor(host: ConnectionHost, context: ConnectionContext) {
    this.principal = host.principal;
    this.#host = host;
    this.#context = context;
    this.#parser = new PacketParser({ role: "server", maxPacketBytes: context.maxPacketBytes });
    this.#heardAt = context.now();
  }

  /** The client's id once its CONNECT was accepted. */
  get clientId(): string | undefined {
    return this.#session?.clientId;
  }

  /** Why the connection is over; `undefined` while it is not. Once set, end the stream when all output has left. */
  get closed(): CloseReason | undefined {
    return this.#closed;
  }

  /** Takes bytes of the client in; they are copied. What comes after the end is ignored ([MQTT-3.1.4-5]). */
  feed(chunk: Uint8Array): void {
    try {
      for (let taken = 0; taken < chunk.length && this.#closed === undefined; ) {
        taken += this.#parser.feed(chunk.subarray(taken));
        for (let packet: Packet | undefined; this.#closed === undefined && (packet = this.#parser.next()); ) {
          this.#heardAt = this.#context.now();
          this.#onPacket(packet);
        }
      }
    } catch (error) {
      if (!isThingwireError(error) || error.blame !== "peer") throw error;
      this.#onViolation(error);
    }
  }

  /** The stream ended or failed: without a DISCONNECT before it, the will is published ([MQTT-3.1.2-8]). */
  end(error?: ThingwireError): void {
    this.#close({ reason: "the connection ended without DISCONNECT", blame: "network", error });
  }

  /** Drops the client, for a reason that the log shows; its will is published. */
  close(reason: string): void {
    this.#close({ reason, blame: "caller" });
  }

  /** The bytes for the client that are there, or `undefined`. Whoever takes them owns them. */
  takeOutput(): Uint8Array | undefined {
    if (this.#output.length === 0) return undefined;
    const output = this.#output.length === 1 ? this.#output[0]! : concat(this.#output);
    this.#output = [];
    this.#outputBytes = 0;
    if (this.#closed === undefined) this.#fill();
    return output;
  }

  /** The time (of `now`) at which `handleTimeout` is due, or `undefined`. Ask again after every call. */
  nextTimeout(): number | undefined {
    if (this.#closed !== undefined) return undefined;
    if (this.#session === undefined) return this.#heardAt + this.#context.connectTimeoutMs;
    return this.#keepAliveMs === 0 ? undefined : this.#heardAt + 1.5 * this.#keepAliveMs;
  }

  /** [MQTT-3.1.2-24]: one and a half times the keep-alive without a packet is a dead connection. */
  handleTimeout(now: number): void {
    const due = this.nextTimeout();
    if (due === undefined || now < due) return;
    const reason = this.#session === undefined ? "no CONNECT came in time" : "nothing came in 1.5 times the keep-alive";
    this.#close({ reason, blame: "network" });
  }

  /** Sends what waits in the session, as far as there is room. */
  flush(): void {
    if (this.#closed === undefined && this.#fill()) this.#host.wake();
  }

  #onPacket(packet: Packet): void {
    const { log } = this.#context;
    if (log.enabled("verbose", TAG)) log.log("verbose", TAG, `${this.#name()} > ${PACKET_NAMES[packet.type]}`);
    if (this.#session === undefined) {
      if (packet.type !== PacketType.CONNECT) throw violation(packet, "it came before CONNECT", "MQTT-3.1.0-1");
      this.#onConnect(packet);
      return;
    }
    switch (packet.type) {
      case PacketType.CONNECT:
        throw violation(packet, "it came a second time", "MQTT-3.1.0-2");
      case PacketType.PUBLISH:
        this.#onPublish(packet, this.#session);
        return;
      case PacketType.PUBACK:
        // An identifier that is not in flight is that of a message acknowledged twice: nothing follows from it.
        if (this.#session.acknowledge(packet.packetId)) this.flush();
        return;
      case PacketType.PUBREL:
        this.#session.unreleased.delete(packet.packetId);
        this.#send({ type: PacketType.PUBCOMP, packetId: packet.packetId });
        return;
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
        throw violation(packet, "nothing was sent at QoS 2", "MQTT-4.8.0-1");
      case PacketType.SUBSCRIBE:
        this.#onSubscribe(packet, this.#session);
        return;
      case PacketType.UNSUBSCRIBE:
        for (const filter of packet.filters) this.#session.subscriptions.delete(filter);
        this.#send({ type: PacketType.UNSUBACK, packetId: packet.packetId });
        return;
      case PacketType.PINGREQ:
        this.#send({ type: PacketType.PINGRESP });
        return;
      case PacketType.DISCONNECT:
        this.#will = undefined;
        this.#close({ reason: "DISCONNECT", blame: "caller" });
    }
  }

  #onConnect(packet: ConnectPacket): void {
    const { router, log } = this.#context;
    if (packet.clientId === "" && !packet.cleanSession) {
      this.#refuse(ConnackCode.identifierRejected, "an empty client id without CleanSession [MQTT-3.1.3-8]");
      return;
    }
    const clientId = packet.clientId === "" ? this.#context.assignClientId() : packet.clientId;
    if (!this.#context.authorize({ type: "connect", clientId, principal: this.principal })) {
      this.#deny(`connect as "${printable(clientId)}"`);
      return;
    }
    const opened = router.open(clientId, packet.cleanSession, this);
    if (opened === undefined) {
      this.#refuse(ConnackCode.serverUnavailable, "there are too many sessions");
      return;
    }
    this.#session = opened.session;
    this.#keepAliveMs = packet.keepAliveSeconds * 1000;
    if (packet.will !== undefined) this.#will = { ...packet.will, payload: packet.will.payload.slice() };
    if (log.enabled("info", TAG))
      log.log("info", TAG, `${this.#name()} connected${opened.present ? ", its session goes on" : ""}`);
    // All of it before anyone takes output, which lets new messages in: the old ones come first ([MQTT-4.6.0-1]).
    this.#push(encode({ type: PacketType.CONNACK, sessionPresent: opened.present, returnCode: ConnackCode.accepted }));
    for (const { delivery, packetId } of opened.session.unacknowledged())
      this.#push(publishBytes(delivery, packetId, true));
    this.#fill();
    this.#host.wake();
  }

  #onPublish(packet: PublishPacket, session: BrokerSession): void {
    const { router, qos2 } = this.#context;
    const { topic, qos, retain, packetId } = packet;
    if (qos === 2 && qos2 === "silence") return;
    if (!this.#mayPublish(topic, session.clientId)) {
      this.#deny(`publish to "${printable(topic)}"`);
      return;
    }
    if (qos !== 2 || !session.unreleased.has(packetId))
      router.route({ topic, payload: packet.payload.slice(), qos, retain });
    if (qos === 1) this.#send({ type: PacketType.PUBACK, packetId });
    if (qos === 2) {
      session.unreleased.add(packetId);
      this.#send({ type: PacketType.PUBREC, packetId });
    }
  }

  #onSubscribe(packet: SubscribePacket, session: BrokerSession): void {
    const { router, authorize, qos2, maxSubscriptions } = this.#context;
    if (qos2 === "silence" && packet.subscriptions.some(({ qos }) => qos === 2)) return;
    const { clientId } = session;
    const returnCodes: number[] = [];
    for (const { filter, qos } of packet.subscriptions) {
      if (!authorize({ type: "subscribe", clientId, filter, principal: this.principal })) {
        this.#deny(`subscribe to "${printable(filter)}"`);
        return;
      }
      if (session.subscriptions.size >= maxSubscriptions && !session.subscriptions.has(filter)) {
        returnCodes.push(SUBACK_FAILURE);
        continue;
      }
      const granted = qos === 0 ? 0 : 1;
      session.subscriptions.set(filter, granted);
      returnCodes.push(granted);
    }
    this.#send({ type: PacketType.SUBACK, packetId: packet.packetId, returnCodes });
    packet.subscriptions.forEach(({ filter }, i) => {
      const granted = returnCodes[i]!;
      if (granted !== SUBACK_FAILURE) router.deliverRetained(session, filter, granted === 0 ? 0 : 1);
    });
    this.flush();
  }

  #mayPublish(topic: string, clientId: string): boolean {
    return this.#context.authorize({ type: "publish", clientId, topic, principal: this.principal });
  }

  /** [MQTT-3.2.2-5]: a refusal is answered, and then the connection closes. */
  #refuse(returnCode: number, reason: string): void {
    this.#push(encode({ type: PacketType.CONNACK, sessionPresent: false, returnCode }));
    this.#close({ reason: `CONNECT was refused: ${reason}`, blame: "peer" });
  }

  #deny(what: string): void {
    this.#close({ reason: `not authorised to ${what}`, blame: "peer" });
  }

  #onViolation(error: ThingwireError): void {
    if (error.code === "MQTT_UNSUPPORTED_PROTOCOL_LEVEL" && this.#session === undefined) {
      this.#refuse(ConnackCode.unacceptableProtocolVersion, `${error.message} [MQTT-3.1.2-2]`);
      return;
    }
    this.#close({ reason: error.message, blame: "peer", error });
  }

  #close(reason: CloseReason): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const { log, router } = this.#context;
    const level = reason.error === undefined && reason.blame !== "peer" ? "info" : "warn";
    if (log.enabled(level, TAG)) log.log(level, TAG, `${this.#name()} closed: ${reason.reason}`);
    const session = this.#session;
    if (session !== undefined) router.leave(session);
    // [MQTT-3.1.2-10]: once, and only of a client that still may publish there.
    const will = this.#will;
    this.#will = undefined;
    if (will !== undefined && session !== undefined && this.#mayPublish(will.topic, session.clientId))
      router.route(will);
    this.#host.wake();
  }

  #fill(): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    let filled = false;
    while (this.#outputBytes < this.#context.maxOutputBytes) {
      const next = session.next();
      if (next === undefined) break;
      this.#push(publishBytes(next.delivery, next.packetId, false));
      filled = true;
    }
    return filled;
  }

  /** Sends an answer. A client that sends and never reads is dropped before its answers fill the memory. */
  #send(packet: Packet): void {
    if (this.#closed !== undefined) return;
    this.#push(encode(packet));
    if (this.#outputBytes > 2 * this.#context.maxOutputBytes) {
      this.#output = [];
      this.#outputBytes = 0;
      this.#close({ reason: "the client does not read", blame: "peer" });
      return;
    }
    this.#host.wake();
  }

  #push(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
  }

  #name(): string {
    return this.#session === undefined ? "a client before CONNECT" : `"${printable(this.#session.clientId)}"`;
  }
}

function publishBytes({ topic, payload, qos, retain }: Delivery, packetId: number, dup: boolean): Uint8Array {
  return encode({ type: PacketType.PUBLISH, dup, qos, retain, topic, packetId, payload });
}

function violation(packet: Packet, problem: string, statement: string): MqttError {
  const name = PACKET_NAMES[packet.type];
  return new MqttError("MQTT_PROTOCOL_VIOLATION", `${name}: ${problem} [${statement}]`, { packet: name, statement });
}
