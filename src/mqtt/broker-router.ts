/**
 * What the broker knows beside its connections: sessions, retained messages, subscribers inside the process, and the routing of a
 * message to all of them (MQTT 3.1.1 §3.3.1.3, §3.8.4, §4.5, §4.7).
 *
 * Left out on purpose: a tree of subscriptions. Every message is held against every filter, which is right for a local endpoint
 * with tens of clients and wrong for a server farm.
 *
 * @module
 */

import { BrokerSession, type Delivery, type Publication, type SessionLimits } from "./broker-session.ts";
import { matches } from "./topic.ts";

/** What a client wants to do, for {@link Authorize}. `principal` is what `accept` was given, such as a certificate id. */
export type BrokerAction =
  | { readonly type: "connect"; readonly clientId: string; readonly principal: string | undefined }
  | {
      readonly type: "publish" | "receive";
      readonly clientId: string;
      readonly topic: string;
      readonly principal: string | undefined;
    }
  | {
      readonly type: "subscribe";
      readonly clientId: string;
      readonly filter: string;
      readonly principal: string | undefined;
    };

/** Whether an action is allowed. Must not call the broker. */
export type Authorize = (action: BrokerAction) => boolean;

/** The connection that a session is bound to at present. */
export interface Consumer {
  readonly principal: string | undefined;
  /** Something waits in the session. */
  flush(): void;
  /** Another connection with the same client id takes over ([MQTT-3.1.4-2]). */
  close(reason: string): void;
}

export interface RouterLimits extends SessionLimits {
  /** Sessions, those of clients that are away included. */
  readonly maxSessions: number;
  /** Topics with a retained message. */
  readonly maxRetained: number;
}

/** Receives a message inside the process. May publish; must not throw. */
export type LocalHandler = (publication: Publication) => void;

export class BrokerRouter {
  readonly #limits: RouterLimits;
  readonly #authorize: Authorize;
  readonly #sessions: Map<string, BrokerSession> = new Map();
  readonly #consumers: Map<BrokerSession, Consumer> = new Map();
  readonly #retained: Map<string, Publication> = new Map();
  readonly #locals: Set<{ readonly filter: string; readonly handler: LocalHandler }> = new Set();
  readonly #toRoute: Publication[] = [];
  #routing = false;

  constructor(limits: RouterLimits, authorize: Authorize) {
    this.#limits = limits;
    this.#authorize = authorize;
  }

  /** Ids of the clients that are connected. */
  get connected(): readonly string[] {
    return Array.from(this.#consumers.keys(), (session) => session.clientId);
  }

  session(clientId: string): BrokerSession | undefined {
    return this.#sessions.get(clientId);
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
    if (previous !== undefined) this.#consumers.get(previous)?.close("another connection uses the same client id");
    const kept = this.#sessions.get(clientId);
    if (kept !== undefined && !clean) {
      this.#consumers.set(kept, consumer);
      return { session: kept, present: true };
    }
    if (kept === undefined && this.#sessions.size >= this.#limits.maxSessions && !this.#dropOneAway()) return undefined;
    const session = new BrokerSession(clientId, clean, this.#limits);
    this.#sessions.set(clientId, session);
    this.#consumers.set(session, consumer);
    return { session, present: false };
  }

  /** The session's connection is gone. A clean session ends with it ([MQTT-3.1.2-6]). */
  leave(session: BrokerSession): void {
    this.#consumers.delete(session);
    if (session.clean && this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
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
    const principal = this.#consumers.get(session)?.principal;
    for (const kept of this.#retained.values()) {
      if (!matches(filter, kept.topic)) continue;
      this.#deliver(session, principal, { ...kept, qos: lower(kept.qos, granted), retain: true });
    }
  }

  #routeOne(publication: Publication): void {
    if (publication.retain) this.#retain(publication);
    for (const session of this.#sessions.values()) {
      const granted = grantedQos(session, publication.topic);
      if (granted === undefined) continue;
      const consumer = this.#consumers.get(session);
      const qos = lower(publication.qos, granted);
      // Only QoS 1 is kept for a client that is away ([MQTT-3.1.2-5]).
      if (consumer === undefined && qos === 0) continue;
      this.#deliver(session, consumer?.principal, {
        topic: publication.topic,
        payload: publication.payload,
        qos,
        retain: false,
      });
      consumer?.flush();
    }
    for (const local of this.#locals) if (matches(local.filter, publication.topic)) local.handler(publication);
  }

  #deliver(session: BrokerSession, principal: string | undefined, delivery: Delivery): void {
    const { clientId } = session;
    if (this.#authorize({ type: "receive", clientId, topic: delivery.topic, principal })) session.enqueue(delivery);
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

/** The highest QoS of the matching subscriptions: overlapping ones give one copy at most ([MQTT-3.3.5-1]). */
function grantedQos(session: BrokerSession, topic: string): 0 | 1 | undefined {
  let granted: 0 | 1 | undefined;
  for (const [filter, qos] of session.subscriptions) {
    if (granted === 1) break;
    if ((granted === undefined || qos > granted) && matches(filter, topic)) granted = qos;
  }
  return granted;
}

function lower(published: 0 | 1 | 2, granted: 0 | 1): 0 | 1 {
  return published === 0 ? 0 : granted;
}
