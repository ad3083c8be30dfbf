/**
 * What the broker knows beside its connections: sessions, retained messages, subscribers inside the process, and the routing of a
 * message to all of them (MQTT 3.1.1 §3.3.1.3, §3.8.4, §4.5, §4.7).
 *
 * Left out on purpose: a tree of subscriptions. Every message is held against every filter, which is right for a local endpoint
 * with tens of clients and wrong for a server farm.
 *
 * @module
 */

import type { BrokerBehaviour } from "./broker-behaviour.ts";
import { BrokerSession, type Delivery, type Publication, type SessionLimits } from "./broker-session.ts";
import { Dice } from "./dice.ts";
import { matches } from "./topic.ts";

/** The connection that a session is bound to at present. */
export interface Consumer {
  /** Something waits in the session. */
  flush(): void;
  /** Another connection with the same client id takes over ([MQTT-3.1.4-2]). */
  takenOver(): void;
}

/** How much a broker keeps. */
export interface RouterLimits extends SessionLimits {
  /** Sessions, those of clients that are away included. */
  readonly maxSessions: number;
  /** Topics with a retained message. */
  readonly maxRetained: number;
}

/** What the router needs to know of the {@link BrokerBehaviour}. */
export type RoutingBehaviour = Pick<
  BrokerBehaviour,
  | "hashMatchesParent"
  | "retainedForWildcards"
  | "retainReserved"
  | "sessionExpiryMs"
  | "subscribeDelayMs"
  | "connectsPerSecond"
  | "duplicates"
>;

/** Receives a message inside the process. May publish; must not throw. */
export type LocalHandler = (publication: Publication) => void;

export class BrokerRouter {
  readonly #limits: RouterLimits;
  readonly #behaviour: RoutingBehaviour;
  readonly #now: () => number;
  readonly #duplicates: Dice;
  readonly #sessions: Map<string, BrokerSession> = new Map();
  readonly #consumers: Map<BrokerSession, Consumer> = new Map();
  readonly #retained: Map<string, Publication> = new Map();
  readonly #locals: Set<{ readonly filter: string; readonly handler: LocalHandler }> = new Set();
  readonly #toRoute: Publication[] = [];
  /** Client id → when it last connected, at most a second ago; only where `connectsPerSecond` asks for it. */
  readonly #connects: Map<string, number[]> = new Map();
  #routing = false;

  constructor(limits: RouterLimits, behaviour: RoutingBehaviour, now: () => number) {
    this.#limits = limits;
    this.#behaviour = behaviour;
    this.#now = now;
    this.#duplicates = new Dice(behaviour.duplicates?.seed ?? 0);
  }

  /** Ids of the clients that are connected. */
  get connected(): readonly string[] {
    return Array.from(this.#consumers.keys(), (session) => session.clientId);
  }

  /** The session of a client; one that has expired is dropped here. */
  session(clientId: string): BrokerSession | undefined {
    const session = this.#sessions.get(clientId);
    if (session === undefined || !this.#isExpired(session)) return session;
    this.#sessions.delete(clientId);
    return undefined;
  }

  /**
   * Binds a connection to its client's session; one that holds it already is closed first. `undefined` where there are too many
   * sessions and none of a client that is away can be given up.
   */
  open(
    clientId: string,
    clean: boolean,
    consumer: Consumer,
  ): { readonly session: BrokerSession; readonly present: boolean } | undefined {
    const previous = this.#sessions.get(clientId);
    if (previous !== undefined) this.#consumers.get(previous)?.takenOver();
    const kept = this.session(clientId);
    if (kept !== undefined && !clean) {
      kept.leftAt = undefined;
      this.#consumers.set(kept, consumer);
      return { session: kept, present: true };
    }
    if (kept === undefined && this.#sessions.size >= this.#limits.maxSessions && !this.#dropOneAway()) return undefined;
    const session = new BrokerSession(clientId, clean, this.#limits);
    this.#sessions.set(clientId, session);
    this.#consumers.set(session, consumer);
    return { session, present: false };
  }

  /** Counts a CONNECT, and says whether the client id may connect again so soon. */
  mayConnect(clientId: string, now: number): boolean {
    const most = this.#behaviour.connectsPerSecond;
    if (most === undefined) return true;
    for (const [id, times] of this.#connects) if (times[times.length - 1]! <= now - 1_000) this.#connects.delete(id);
    const recent = (this.#connects.get(clientId) ?? []).filter((at) => at > now - 1_000);
    if (recent.length >= most) return false;
    // Bounded as the sessions are: whoever comes when there are too many is not counted.
    if (this.#connects.size < this.#limits.maxSessions) this.#connects.set(clientId, [...recent, now]);
    return true;
  }

  /** The session's connection is gone. A clean session ends with it ([MQTT-3.1.2-6]). */
  leave(session: BrokerSession): void {
    this.#consumers.delete(session);
    session.leftAt = this.#now();
    if (session.clean && this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
  }

  /** Sets a subscription of a session, new or not ([MQTT-3.8.4-3]). */
  subscribe(session: BrokerSession, filter: string, granted: 0 | 1): void {
    const delay = this.#behaviour.subscribeDelayMs ?? 0;
    if (delay > 0 && !session.subscriptions.has(filter)) session.effectiveFrom.set(filter, this.#now() + delay);
    session.subscriptions.set(filter, granted);
  }

  unsubscribe(session: BrokerSession, filter: string): void {
    session.subscriptions.delete(filter);
    session.effectiveFrom.delete(filter);
  }

  /** Subscribes inside the process; the result ends it. */
  addLocal(filter: string, handler: LocalHandler): () => void {
    const entry = { filter, handler };
    this.#locals.add(entry);
    return () => {
      this.#locals.delete(entry);
    };
  }

  /**
   * Takes ownership of a message and hands it to all whose subscriptions match ([MQTT-4.5.0-1]). What a handler publishes
   * meanwhile comes behind it, so that every subscriber sees one order and the stack stays flat.
   */
  route(publication: Publication): void {
    this.#toRoute.push(publication);
    if (this.#routing) return;
    this.#routing = true;
    for (let next: Publication | undefined; (next = this.#toRoute.shift()) !== undefined; ) this.#routeOne(next);
    this.#routing = false;
  }

  /** Puts the retained messages that match a new subscription into the session ([MQTT-3.3.1-6], [MQTT-3.3.1-8]). */
  deliverRetained(session: BrokerSession, filter: string, granted: 0 | 1): void {
    if (this.#behaviour.retainedForWildcards === false && /[+#]/.test(filter)) return;
    for (const kept of this.#retained.values()) {
      if (!this.#matches(filter, kept.topic)) continue;
      this.#deliver(session, { ...kept, qos: lower(kept.qos, granted), retain: true });
    }
  }

  #routeOne(publication: Publication): void {
    const retain = publication.retain && !(this.#behaviour.retainReserved === false && isReserved(publication.topic));
    if (retain) this.#retain(publication);
    for (const session of this.#sessions.values()) {
      if (this.#isExpired(session)) continue;
      const granted = this.#grantedQos(session, publication.topic);
      if (granted === undefined) continue;
      const consumer = this.#consumers.get(session);
      const qos = lower(publication.qos, granted);
      // Only QoS 1 is kept for a client that is away ([MQTT-3.1.2-5]).
      if (consumer === undefined && qos === 0) continue;
      this.#deliver(session, { topic: publication.topic, payload: publication.payload, qos, retain: false });
      consumer?.flush();
    }
    for (const local of this.#locals) if (matches(local.filter, publication.topic)) local.handler(publication);
  }

  #deliver(session: BrokerSession, delivery: Delivery): void {
    session.enqueue(delivery);
    if (this.#duplicates.happens(this.#behaviour.duplicates?.probability ?? 0)) session.enqueue(delivery);
  }

  /** The highest QoS of the matching subscriptions: overlapping ones give one copy at most ([MQTT-3.3.5-1]). */
  #grantedQos(session: BrokerSession, topic: string): 0 | 1 | undefined {
    let granted: 0 | 1 | undefined;
    for (const [filter, qos] of session.subscriptions) {
      if (granted === 1) break;
      if ((session.effectiveFrom.get(filter) ?? Number.NEGATIVE_INFINITY) > this.#now()) continue;
      if ((granted === undefined || qos > granted) && this.#matches(filter, topic)) granted = qos;
    }
    return granted;
  }

  #isExpired({ leftAt }: BrokerSession): boolean {
    const { sessionExpiryMs } = this.#behaviour;
    return leftAt !== undefined && sessionExpiryMs !== undefined && this.#now() >= leftAt + sessionExpiryMs;
  }

  #matches(filter: string, topic: string): boolean {
    return matches(filter, topic, this.#behaviour.hashMatchesParent);
  }

  #retain(publication: Publication): void {
    this.#retained.delete(publication.topic);
    if (publication.payload.length === 0 || this.#retained.size >= this.#limits.maxRetained) return;
    this.#retained.set(publication.topic, publication);
  }

  #dropOneAway(): boolean {
    for (const [clientId, session] of this.#sessions) {
      if (this.#consumers.has(session)) continue;
      this.#sessions.delete(clientId);
      return true;
    }
    return false;
  }
}

/** Whether a topic is one of the server's own ([MQTT-4.7.2-1]). */
export function isReserved(topic: string): boolean {
  return topic.startsWith("$");
}

function lower(published: 0 | 1 | 2, granted: 0 | 1): 0 | 1 {
  return published === 0 ? 0 : granted;
}
