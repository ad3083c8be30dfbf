/**
 * Drives a sans-I/O engine over a transport: bytes that arrive are fed, computation goes in slices, events are handed on, output
 * is written, and each side's back-pressure reaches the other.
 *
 * A slice is one `work(budget)`; where the engine has more to compute, the next slice waits for the timer of 0 ms, so that other
 * timers and the watchdog get their turn. Nothing runs from within a call of the owner: `wake` waits for the next job.
 *
 * @module
 */

import { copyOf, NO_BYTES } from "../bytes.ts";
import type { ThingwireError } from "../errors.ts";
import type { Timers } from "../ports.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** The part of an engine that is pumped: DESIGN.md §2. */
export interface PumpedEngine<Event> {
  feed(chunk: Uint8Array): number;
  work(units: number): "idle" | "more" | "waiting";
  nextEvent(): Event | undefined;
  end(): void;
  fail(error: ThingwireError): void;
}

/** What a pump drives, and whom it tells. */
export interface PumpOptions<Event> {
  readonly engine: PumpedEngine<Event>;
  readonly lower: Transport;
  readonly timers: Timers;
  /** Units of computation in a slice. */
  readonly budget: number;
  /** The transport below is connected. */
  onConnected(): void;
  onEvent(event: Event): void;
  /** All is done for now, and what was sent has left for the transport below. */
  onSettled(): void;
}

/** The loop between an engine and the transport below it. */
export class Pump<Event> implements TransportHandler {
  readonly #options: PumpOptions<Event>;
  readonly #engine: PumpedEngine<Event>;
  readonly #lower: Transport;
  /** What the engine had no room for. While there is any, the transport below is paused. */
  #unfed: Uint8Array = NO_BYTES;
  /** What the transport below had no room for. */
  #unsent: Uint8Array[] = [];
  #connected = false;
  #paused = false;
  #lowerPaused = false;
  #ended = false;
  #failure: ThingwireError | undefined;
  #running = false;
  #again = false;
  /** A run is due, as a job or behind the timer. */
  #due = false;
  #cancelSlice: (() => void) | undefined;
  #stopped = false;

  constructor(options: PumpOptions<Event>) {
    this.#options = options;
    this.#engine = options.engine;
    this.#lower = options.lower;
  }

  /** Whether the transport below has not taken everything yet. Who sends must wait meanwhile. */
  get isBlocked(): boolean {
    return this.#unsent.length > 0;
  }

  /** Output of the engine, for the transport below. */
  send(bytes: Uint8Array): void {
    let taken = 0;
    if (this.#unsent.length === 0) taken = this.#lower.write(bytes);
    if (taken < bytes.length) this.#unsent.push(copyOf(bytes.subarray(taken)));
  }

  /** Something is to be done: runs as the next job. */
  wake(): void {
    if (this.#running) this.#again = true;
    if (this.#running || this.#due || this.#stopped) return;
    this.#due = true;
    void Promise.resolve().then(() => {
      // A timer or the transport below may have run it meanwhile.
      if (this.#due && this.#cancelSlice === undefined) this.#run();
    });
  }

  pause(): void {
    this.#paused = true;
    this.#steerLower();
  }

  resume(): void {
    this.#paused = false;
    this.#steerLower();
    this.wake();
  }

  /** No more of anything. */
  stop(): void {
    this.#stopped = true;
    this.#cancelSlice?.();
    this.#unsent = [];
    this.#unfed = NO_BYTES;
  }

  onData(view: Uint8Array): void {
    if (this.#stopped) return;
    const taken = this.#unfed.length === 0 && !this.#paused ? this.#engine.feed(view) : 0;
    if (taken < view.length) this.#keep(view.subarray(taken));
    this.#run();
  }

  onWritable(): void {
    if (this.#stopped) return;
    if (!this.#connected) {
      this.#connected = true;
      this.#options.onConnected();
    }
    while (this.#unsent.length > 0) {
      const first = this.#unsent[0]!;
      const taken = this.#lower.write(first);
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        break;
      }
      this.#unsent.shift();
    }
    this.#run();
  }

  onEnd(): void {
    this.#ended = true;
    this.#run();
  }

  onError(error: ThingwireError): void {
    this.#failure = error;
    this.#run();
  }

  #run(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    // A slice that waits for its timer keeps its turn: what arrives meanwhile must not make the computation denser.
    if (this.#stopped || this.#cancelSlice !== undefined) return;
    this.#due = false;
    this.#running = true;
    try {
      do {
        this.#again = false;
        this.#turn();
      } while (this.#again && !this.#stopped && this.#cancelSlice === undefined);
    } finally {
      this.#running = false;
    }
  }

  #turn(): void {
    const state = this.#engine.work(this.#options.budget);
    this.#drain();
    if (this.#stopped) return;
    if (state === "more") {
      this.#yield();
      return;
    }
    if (this.#feedKept() || this.#again) {
      this.#again = true;
      return;
    }
    if (this.#unfed.length === 0 || state === "waiting") this.#passOnTheEnd();
    if (!this.#stopped && !this.#again && !this.isBlocked) this.#options.onSettled();
  }

  #drain(): void {
    for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) {
      this.#options.onEvent(event);
      if (this.#stopped) return;
    }
  }

  /** The end or failure of the transport below, once everything before it was fed. */
  #passOnTheEnd(): void {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      this.#engine.fail(failure);
      // A failed engine does not work any more, but tells.
      this.#drain();
    } else if (this.#ended) {
      this.#ended = false;
      this.#engine.end();
      this.#again = true;
    }
  }

  #yield(): void {
    this.#cancelSlice = this.#options.timers.set(0, () => {
      this.#cancelSlice = undefined;
      this.#run();
    });
  }

  #feedKept(): boolean {
    if (this.#unfed.length === 0 || this.#paused) return false;
    const taken = this.#engine.feed(this.#unfed);
    this.#unfed = this.#unfed.subarray(taken);
    this.#steerLower();
    return taken > 0;
  }

  #keep(view: Uint8Array): void {
    const kept = new Uint8Array(this.#unfed.length + view.length);
    kept.set(this.#unfed);
    kept.set(view, this.#unfed.length);
    this.#unfed = kept;
    this.#steerLower();
  }

  #steerLower(): void {
    const pause = this.#paused || this.#unfed.length > 0;
    if (pause === this.#lowerPaused || this.#stopped) return;
    this.#lowerPaused = pause;
    if (pause) this.#lower.pause();
    else this.#lower.resume();
  }
}
