/**
 * One connection to the broker: the server's side of the protocol (MQTT 3.1.1 chapters 3 and 4) as a synchronous state machine over
 * bytes. Anything that breaks the protocol closes the connection ([MQTT-4.8.0-1]) and publishes the will.
 *
 * @module
 */

import { copyOf, printable } from "../bytes.ts";
import { type Blame, isThingwireError, type ThingwireError } from "../errors.ts";
import type { Logger } from "../ports.ts";
import type { Authorize, BrokerAction, Denial } from "./broker-action.ts";
import type { BrokerBehaviour } from "./broker-behaviour.ts";
import { BrokerOutput } from "./broker-output.ts";
import { type BrokerRouter, type Consumer, isReserved } from "./broker-router.ts";
import type { BrokerSession, Delivery, Publication } from "./broker-session.ts";
import type { Dice } from "./dice.ts";
import { encode } from "./encode.ts";
import { MqttError } from "./errors.ts";
import { checkClientIdLimit, checkPublishLimits, checkSubscribeLimits, nearestKeepAlive } from "./limits.ts";
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
  readonly behaviour: BrokerBehaviour;
  /** Draws for `behaviour.disorder`. */
  readonly disorder: Dice;
  readonly maxPacketBytes: number;
  readonly maxOutputBytes: number;
  readonly maxSubscriptions: number;
  readonly connectTimeoutMs: number;
  readonly assignClientId: () => string;
  readonly log: Logger;
}

/**
 * Why a connection is over, for whoever ends the stream below. The three denials are those of `authorize`; `refused` is a CONNECT that
 * got another code than 0 for another reason; `limit` is a limit of the behaviour or of memory; `closed` is the server's own wish.
 */
export type CloseKind =
  | "denied-connect"
  | "denied-publish"
  | "denied-subscribe"
  | "refused"
  | "limit"
  | "violation"
  | "timeout"
  | "network"
  | "disconnect"
  | "taken-over"
  | "closed";

/** Why a connection is over. `error` is there where the peer broke a rule or the connection failed. */
export interface CloseReason {
  readonly kind: CloseKind;
  /** For people; with the words of {@link Denial} where there was one. */
  readonly reason: string;
  readonly blame: Blame;
  readonly error?: ThingwireError | undefined;
}

const TAG = "broker";

/** What a denied CONNECT is answered with, where it is answered. 7 is AWS IoT's own. */
const CONNACK_OF_DENIAL = { close: undefined, "connack-5": ConnackCode.notAuthorized, "connack-7": 7 } as const;

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
  readonly #output: BrokerOutput;
  /** The running second in which PUBLISH packets are counted, and how many came. */
  #second = 0;
  #published = 0;
  #closed: CloseReason | undefined;

  constructor(host: ConnectionHost, context: ConnectionContext) {
    this.principal = host.principal;
    this.#host = host;
    this.#context = context;
    this.#parser = new PacketParser({ role: "server", maxPacketBytes: context.maxPacketBytes });
    this.#output = new BrokerOutput(context.behaviour.disorder, context.disorder);
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
    this.#close({
      kind: "network",
      reason: "the connection ended without DISCONNECT",
      blame: "network",
      error,
    });
  }

  /** Drops the client, for a reason that the log shows; its will is published. */
  close(reason: string): void {
    this.#close({ kind: "closed", reason, blame: "caller" });
  }

  /** The router's: another connection has the session now. */
  takenOver(): void {
    this.#close({ kind: "taken-over", reason: "another connection uses the same client id", blame: "caller" });
  }

  /** The bytes for the client that are there, or `undefined`. Whoever takes them owns them. */
  takeOutput(): Uint8Array | undefined {
    const output = this.#output.take();
    if (output === undefined) return undefined;
    if (this.#closed === undefined) this.#fill();
    return output;
  }

  /** The time (of `now`) at which `handleTimeout` is due, or `undefined`. Ask again after every call. */
  nextTimeout(): number | undefined {
    if (this.#closed !== undefined) return undefined;
    const { heldUntil } = this.#output;
    const deadline = this.#deadline();
    return heldUntil === undefined || (deadline !== undefined && deadline < heldUntil) ? deadline : heldUntil;
  }

  /** [MQTT-3.1.2-24]: one and a half times the keep-alive without a packet is a dead connection. */
  handleTimeout(now: number): void {
    if (this.#closed !== undefined) return;
    if (this.#output.release(now)) this.#host.wake();
    const deadline = this.#deadline();
    if (deadline === undefined || now < deadline) return;
    const reason = this.#session === undefined ? "no CONNECT came in time" : "nothing came in 1.5 times the keep-alive";
    this.#close({ kind: "timeout", reason, blame: "network" });
  }

  #deadline(): number | undefined {
    if (this.#session === undefined) return this.#heardAt + this.#context.connectTimeoutMs;
    return this.#keepAliveMs === 0 ? undefined : this.#heardAt + 1.5 * this.#keepAliveMs;
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
        for (const filter of packet.filters) this.#context.router.unsubscribe(this.#session, filter);
        this.#acknowledge({ type: PacketType.UNSUBACK, packetId: packet.packetId });
        return;
      case PacketType.PINGREQ:
        this.#send({ type: PacketType.PINGRESP });
        return;
      case PacketType.DISCONNECT:
        this.#will = undefined;
        this.#close({ kind: "disconnect", reason: "DISCONNECT", blame: "caller" });
    }
  }

  #onConnect(packet: ConnectPacket): void {
    const { router, log, behaviour, now } = this.#context;
    const { will, cleanSession } = packet;
    if (packet.clientId === "" && !cleanSession) {
      this.#refuse(ConnackCode.identifierRejected, "an empty client id without CleanSession [MQTT-3.1.3-8]");
      return;
    }
    const clientId = packet.clientId === "" ? this.#context.assignClientId() : packet.clientId;
    const { limits = {} } = behaviour;
    if (!this.#isWithin(() => checkClientIdLimit(limits, clientId))) return;
    if (will !== undefined && !this.#isWithin(() => checkPublishLimits(limits, will.topic, will.payload.length)))
      return;
    if (!router.mayConnect(clientId, now())) {
      this.#close({ kind: "limit", reason: `"${printable(clientId)}" connects too often`, blame: "peer" });
      return;
    }
    const denial = this.#denial({
      type: "connect",
      clientId,
      principal: this.principal,
      cleanSession,
      willTopic: will?.topic,
    });
    if (denial !== undefined) {
      const returnCode = CONNACK_OF_DENIAL[behaviour.deniedConnect ?? "connack-5"];
      if (returnCode !== undefined)
        this.#output.push(encode({ type: PacketType.CONNACK, sessionPresent: false, returnCode }));
      this.#deny("denied-connect", `connect as "${printable(clientId)}"`, denial);
      return;
    }
    const opened = router.open(clientId, cleanSession, this);
    if (opened === undefined) {
      this.#refuse(ConnackCode.serverUnavailable, "there are too many sessions");
      return;
    }
    const { session, present } = opened;
    this.#session = session;
    this.#keepAliveMs = nearestKeepAlive(limits, packet.keepAliveSeconds) * 1000;
    if (will !== undefined && !(behaviour.willReserved === false && isReserved(will.topic)))
      this.#will = { ...will, payload: copyOf(will.payload) };
    if (log.enabled("info", TAG))
      log.log("info", TAG, `${this.#name()} connected${present ? ", its session goes on" : ""}`);
    // All of it before anyone takes output, which lets new messages in: the old ones come first ([MQTT-4.6.0-1]).
    this.#output.push(encode({ type: PacketType.CONNACK, sessionPresent: present, returnCode: ConnackCode.accepted }));
    if (behaviour.redelivery === "as-new") session.startAnew();
    for (const { delivery, packetId } of session.unacknowledged()) {
      if (this.#mayReceive(delivery.topic, session.clientId)) this.#output.push(publishBytes(delivery, packetId, true));
      else session.acknowledge(packetId);
    }
    this.#fill();
    this.#host.wake();
  }

  #onPublish(packet: PublishPacket, session: BrokerSession): void {
    const { router, behaviour } = this.#context;
    const { topic, qos, retain, packetId, payload } = packet;
    if (qos === 2 && behaviour.qos2 === "silence") return;
    if (!this.#isWithinRate()) return;
    if (!this.#isWithin(() => checkPublishLimits(behaviour.limits ?? {}, topic, payload.length))) return;
    const denial = this.#publishDenial(packet, session.clientId);
    if (denial !== undefined) {
      this.#deny("denied-publish", `publish to "${printable(topic)}"`, denial);
      return;
    }
    if (qos !== 2 || !session.unreleased.has(packetId)) router.route({ topic, payload: copyOf(payload), qos, retain });
    if (qos === 1) this.#acknowledge({ type: PacketType.PUBACK, packetId });
    if (qos === 2) {
      session.unreleased.add(packetId);
      this.#send({ type: PacketType.PUBREC, packetId });
    }
  }

  #onSubscribe(packet: SubscribePacket, session: BrokerSession): void {
    const { router, behaviour, maxSubscriptions } = this.#context;
    const { limits = {} } = behaviour;
    const { subscriptions, packetId } = packet;
    if (behaviour.qos2 === "silence" && subscriptions.some(({ qos }) => qos === 2)) return;
    if (!this.#isWithin(() => checkSubscribeLimits({ ...limits, qos2: true }, subscriptions))) return;
    const { clientId } = session;
    const most = Math.min(maxSubscriptions, limits.maxSubscriptions ?? maxSubscriptions);
    const denials = subscriptions.map(({ filter, qos }) =>
      this.#denial({ type: "subscribe", clientId, principal: this.principal, filter, qos }),
    );
    const denied = denials.findIndex((denial) => denial !== undefined);
    if (denied !== -1) {
      const what = `subscribe to "${printable(subscriptions[denied]!.filter)}"`;
      if (behaviour.deniedSubscribe === "close") {
        this.#deny("denied-subscribe", what, denials[denied]!);
        return;
      }
      this.#warn(`may not ${what}: ${denials[denied]!}`);
    }
    const returnCodes = subscriptions.map(({ filter, qos }, i) => {
      const isNew = !session.subscriptions.has(filter);
      if (denials[i] !== undefined || (isNew && session.subscriptions.size >= most)) return SUBACK_FAILURE;
      const granted = qos === 0 ? 0 : 1;
      router.subscribe(session, filter, granted);
      return granted;
    });
    this.#acknowledge({ type: PacketType.SUBACK, packetId, returnCodes });
    subscriptions.forEach(({ filter }, i) => {
      const granted = returnCodes[i]!;
      if (granted !== SUBACK_FAILURE) router.deliverRetained(session, filter, granted === 0 ? 0 : 1);
    });
    this.flush();
  }

  /** Why `authorize` denies it, or `undefined`. */
  #denial(action: BrokerAction): string | undefined {
    const verdict: true | Denial = this.#context.authorize(action);
    return verdict === true ? undefined : verdict.denied;
  }

  #publishDenial({ topic, qos, retain }: Omit<Publication, "payload">, clientId: string): string | undefined {
    return this.#denial({ type: "publish", clientId, principal: this.principal, topic, qos, retain });
  }

  #mayReceive(topic: string, clientId: string): boolean {
    const denial = this.#denial({ type: "receive", clientId, principal: this.principal, topic });
    if (denial !== undefined) this.#warn(`may not receive "${printable(topic)}": ${denial}`);
    return denial === undefined;
  }

  /** Closes the connection where a check of `limits.ts` throws. */
  #isWithin(check: () => void): boolean {
    try {
      check();
      return true;
    } catch (error) {
      if (!isThingwireError(error) || error.layer !== "mqtt") throw error;
      this.#close({ kind: "limit", reason: error.message, blame: "peer" });
      return false;
    }
  }

  /** Counts a PUBLISH; false where it is one too many in this second, and is discarded. */
  #isWithinRate(): boolean {
    const most = this.#context.behaviour.publishesPerSecond;
    if (most === undefined) return true;
    const second = Math.floor(this.#context.now() / 1_000);
    if (second !== this.#second) this.#published = 0;
    this.#second = second;
    if (++this.#published === most + 1) this.#warn(`publishes more than ${most} times a second: the rest is discarded`);
    return this.#published <= most;
  }

  /** [MQTT-3.2.2-5]: a refusal is answered, and then the connection closes. */
  #refuse(returnCode: number, reason: string): void {
    this.#output.push(encode({ type: PacketType.CONNACK, sessionPresent: false, returnCode }));
    this.#close({ kind: "refused", reason: `CONNECT was refused: ${reason}`, blame: "peer" });
  }

  #deny(kind: CloseKind, what: string, why: string): void {
    this.#close({ kind, reason: `not authorised to ${what}: ${why}`, blame: "peer" });
  }

  #onViolation(error: ThingwireError): void {
    if (error.code === "MQTT_UNSUPPORTED_PROTOCOL_LEVEL" && this.#session === undefined) {
      this.#refuse(ConnackCode.unacceptableProtocolVersion, `${error.message} [MQTT-3.1.2-2]`);
      return;
    }
    this.#close({ kind: "violation", reason: error.message, blame: "peer", error });
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
    if (will !== undefined && session !== undefined) {
      const denial = this.#publishDenial(will, session.clientId);
      if (denial === undefined) router.route(will);
      else this.#warn(`may not publish its will to "${printable(will.topic)}": ${denial}`);
    }
    this.#host.wake();
  }

  #fill(): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    let filled = false;
    while (this.#output.size < this.#context.maxOutputBytes) {
      // Asked at each delivery, not when the message came in: what is denied meanwhile stays away.
      const next = session.next(({ topic }) => this.#mayReceive(topic, session.clientId));
      if (next === undefined) break;
      const { delivery, packetId } = next;
      this.#output.pushUnordered(publishBytes(delivery, packetId, false), this.#context.now(), () => {
        const allowed = this.#mayReceive(delivery.topic, session.clientId);
        if (!allowed) session.acknowledge(packetId);
        return allowed;
      });
      filled = true;
    }
    return filled;
  }

  /** Sends an answer whose place in the order is kept. */
  #send(packet: Packet): void {
    if (this.#closed !== undefined) return;
    this.#output.push(encode(packet));
    this.#sent();
  }

  /** Sends an acknowledgement, which may be overtaken. */
  #acknowledge(packet: Packet): void {
    if (this.#closed !== undefined) return;
    this.#output.pushUnordered(encode(packet), this.#context.now(), () => true);
    this.#sent();
  }

  /** A client that sends and never reads is dropped before its answers fill the memory. */
  #sent(): void {
    if (this.#output.size > 2 * this.#context.maxOutputBytes) {
      this.#output.clear();
      this.#close({ kind: "limit", reason: "the client does not read", blame: "peer" });
      return;
    }
    this.#host.wake();
  }

  #warn(message: string): void {
    const { log } = this.#context;
    if (log.enabled("warn", TAG)) log.log("warn", TAG, `${this.#name()} ${message}`);
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
