/**
 * One transport under one session: carries bytes and credit both ways. Output goes into the transport's own room; input is
 * taken as fast as the session and its subscribers take it, and the transport is paused meanwhile.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import type { ThingwireError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import type { MqttSession } from "./session.ts";

/** Binds a transport to a session. */
export class Connection implements TransportHandler {
  readonly #transport: Transport;
  readonly #session: MqttSession;
  readonly #clock: Clock;
  /** Handles the session's events; false where it has stopped because a subscriber is full. */
  readonly #takeEvents: () => boolean;
  readonly #onEnded: () => void;
  #writable = false;
  #reading = true;
  #running = false;
  #again = false;
  #over = false;
  /** What came and was not taken yet: bounded by what is under way when the transport is paused. */
  #leftover: Uint8Array[] = [];
  /** Tells the session how the stream ended: only once all that came before was fed, because the session drops what follows. */
  #ending: (() => void) | undefined;

  /**
   * @param takeEvents handles the session's events; false where it has stopped because a subscriber is full.
   * @param onEnded after `shutdown`: the peer has ended its side too, or the transport is dead.
   */
  constructor(
    transport: Transport,
    session: MqttSession,
    clock: Clock,
    takeEvents: () => boolean,
    onEnded: () => void,
  ) {
    this.#transport = transport;
    this.#session = session;
    this.#clock = clock;
    this.#takeEvents = takeEvents;
    this.#onEnded = onEnded;
  }

  get description(): string {
    return this.#transport.description;
  }

  open(): void {
    this.#session.connect(this.#clock.now());
    this.#transport.open(this);
  }

  /** Moves all that can move: call it after anything that changes the session. A call from within is done by the outer one. */
  run(): void {
    this.#again = true;
    if (this.#running) return;
    this.#running = true;
    let free = true;
    try {
      while (this.#again && !this.#over) {
        this.#again = false;
        this.#pump();
        free = this.#takeEvents();
        if (free && this.#feedLeftover()) this.#again = true;
      }
    } finally {
      this.#running = false;
    }
    if (this.#over) return;
    this.#pump();
    this.#setReading(free && this.#leftover.length === 0);
  }

  /** Ends our side; `onEnded` comes when the peer does the same. */
  shutdown(): void {
    this.#over = true;
    this.#leftover = [];
    this.#transport.resume();
    this.#transport.shutdown();
  }

  destroy(): void {
    this.#over = true;
    this.#leftover = [];
    this.#transport.destroy();
  }

  onData(view: Uint8Array): void {
    if (this.#over) return;
    const taken = this.#leftover.length === 0 ? this.#session.feed(view) : 0;
    if (taken < view.length) this.#leftover.push(copyOf(view.subarray(taken)));
    this.run();
  }

  onWritable(): void {
    this.#writable = true;
    this.run();
  }

  onEnd(): void {
    if (this.#over) {
      this.#onEnded();
      return;
    }
    this.#ending = () => this.#session.end();
    this.run();
  }

  onError(error: ThingwireError): void {
    if (this.#over) {
      this.#onEnded();
      return;
    }
    this.#ending = () => this.#session.fail(error);
    this.run();
  }

  /** Feeds what was left over, or tells the session of the end behind it. True where something moved. */
  #feedLeftover(): boolean {
    const head = this.#leftover[0];
    if (head === undefined) {
      const ending = this.#ending;
      this.#ending = undefined;
      ending?.();
      return ending !== undefined;
    }
    const taken = this.#session.feed(head);
    if (taken === head.length) this.#leftover.shift();
    else this.#leftover[0] = head.subarray(taken);
    return taken > 0;
  }

  #pump(): void {
    if (!this.#writable || this.#ending !== undefined) return;
    for (let wanted: number; (wanted = this.#session.nextOutputBytes()) > 0; ) {
      const room = this.#transport.reserve(wanted);
      if (room.length === 0) return;
      const written = this.#session.encodeOutput(room, this.#clock.now());
      this.#transport.commit(written);
      if (written === 0) return;
    }
  }

  #setReading(reading: boolean): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#session.setReading(reading, this.#clock.now());
    if (reading) this.#transport.resume();
    else this.#transport.pause();
  }
}
