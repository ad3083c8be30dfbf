/**
 * One client's session in the broker (MQTT 3.1.1 §3.1.2.4, §4.1): its subscriptions, what waits for it, what it has not acknowledged
 * yet, and the identifiers of the QoS 2 messages that it has not released.
 *
 * Left out on purpose: QoS 2 towards the client (subscriptions are granted QoS 1 at most, as AWS IoT does, [MQTT-3.8.4-6]), and
 * storage beyond the process.
 *
 * @module
 */

/** An application message on its way through the broker. The payload must not change afterwards. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** A message as it goes to one client. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** A message with the identifier under which it is sent. */
export interface Sending {
  readonly delivery: Delivery;
  /** 0 at QoS 0. */
  readonly packetId: number;
}

/** Bounds of one session. */
export interface SessionLimits {
  /** QoS 1 messages that are sent and not acknowledged, at most. */
  readonly maxInFlight: number;
  /** Messages that wait, at most; the oldest is dropped for a new one. */
  readonly maxQueued: number;
}

/** The state that outlives a connection where CleanSession is 0 ([MQTT-3.1.2-4]). */
export class BrokerSession {
  readonly clientId: string;
  readonly clean: boolean;
  /** Topic filter → the QoS that was granted ([MQTT-3.8.4-3]: one entry a filter). */
  readonly subscriptions: Map<string, 0 | 1> = new Map();
  /** Topic filter → the time (of the broker's `now`) from which it gets messages, where the behaviour has a delay. */
  readonly effectiveFrom: Map<string, number> = new Map();
  /** When its connection ended (time of the broker's `now`); `undefined` while there is one. */
  leftAt: number | undefined;
  /** Identifiers of received QoS 2 messages whose PUBREL has not come ([MQTT-4.3.3-2]). */
  readonly unreleased: Set<number> = new Set();
  /** Messages that were dropped because the queue was full. */
  dropped = 0;
  readonly #limits: SessionLimits;
  #waiting: Delivery[] = [];
  /** In the order of sending, so that it is also the order of sending again ([MQTT-4.6.0-1]). */
  readonly #inFlight: Map<number, Delivery> = new Map();
  #lastId = 0;

  constructor(clientId: string, clean: boolean, limits: SessionLimits) {
    this.clientId = clientId;
    this.clean = clean;
    this.#limits = limits;
  }

  /** Messages that wait or are not acknowledged. */
  get pending(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  /** Puts a message behind those that wait. Where the queue is full the oldest goes, so that memory stays bounded. */
  enqueue(delivery: Delivery): void {
    if (this.#waiting.length >= this.#limits.maxQueued) {
      this.#waiting.shift();
      this.dropped++;
    }
    this.#waiting.push(delivery);
  }

  /**
   * Takes the next message that may be sent now, with its packet identifier (0 at QoS 0). `undefined` where none waits, or the
   * next one is QoS 1 and the window is full: order matters more than speed ([MQTT-4.6.0-6]). What `permits` denies is dropped.
   */
  next(permits: (delivery: Delivery) => boolean): Sending | undefined {
    let delivery: Delivery;
    do {
      const first = this.#waiting[0];
      if (first === undefined || (first.qos === 1 && this.#inFlight.size >= this.#limits.maxInFlight)) return undefined;
      this.#waiting.shift();
      delivery = first;
    } while (!permits(delivery));
    if (delivery.qos === 0) return { delivery, packetId: 0 };
    const packetId = this.#freeId();
    this.#inFlight.set(packetId, delivery);
    return { delivery, packetId };
  }

  /** A PUBACK came. False where nothing of that identifier is in flight. */
  acknowledge(packetId: number): boolean {
    return this.#inFlight.delete(packetId);
  }

  /** What must be sent again with its old identifier and DUP set after a reconnection, in the old order ([MQTT-4.4.0-1]). */
  unacknowledged(): readonly Sending[] {
    return Array.from(this.#inFlight, ([packetId, delivery]) => ({ delivery, packetId }));
  }

  /** Puts what is not acknowledged in front of what waits, to be sent as if it were new. */
  startAnew(): void {
    this.#waiting = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
  }

  /** [MQTT-2.3.1-4]: not zero, and not in use. The window is far smaller than the identifiers, so that one is free. */
  #freeId(): number {
    do this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1;
    while (this.#inFlight.has(this.#lastId));
    return this.#lastId;
  }
}
