/**
 * A byte stream with the faults of a network: it may be cut at any byte, and what is sent may arrive later. Bytes keep their order.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import type { ThingwireError } from "../errors.ts";
import { Alarm } from "../mqtt/alarm.ts";
import type { Runtime } from "../ports.ts";
import { TransportError } from "../transport/errors.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";

/** Bytes that a delayed direction holds before the sender has to wait. */
const HELD_BYTES = 65_536;

/** What a connection asks about its faults. */
export interface FaultPlan {
  /** Bytes that may still pass, of those that passed since the fault was set. */
  left(passed: number): number;
  /** The connection was cut for it. */
  spent(): void;
  delayMs(): number;
  /** The connection is over. */
  over(): void;
}

/** Bytes that arrive later; none stand for the end of the stream. */
interface Held {
  readonly due: number;
  bytes: Uint8Array;
}

export class FaultyTransport implements Transport {
  readonly description: string;
  /** Bytes that passed since the last fault was set, both ways. */
  passed = 0;
  readonly #lower: Transport;
  readonly #plan: FaultPlan;
  readonly #clock: Runtime["clock"];
  readonly #alarm: Alarm;
  #incoming: Held[] = [];
  #outgoing: Held[] = [];
  /** What `reserve` gave out while there is a delay. */
  #reserved: Uint8Array = NO_BYTES;
  #handler: TransportHandler | undefined;
  /** The owner paused; we may besides, while too much is held. */
  #paused = false;
  #announce = false;
  /** The owner's wishes, which wait for what is held. */
  #shutdown: "no" | "wanted" | "done" = "no";
  #destroyed = false;
  #over = false;

  constructor(lower: Transport, runtime: Pick<Runtime, "clock" | "timers">, plan: FaultPlan) {
    this.description = lower.description;
    this.#lower = lower;
    this.#plan = plan;
    this.#clock = runtime.clock;
    this.#alarm = new Alarm(runtime, (now) => this.#deliver(now));
  }

  open(handler: TransportHandler): void {
    this.#handler = handler;
    this.#lower.open({
      onData: (view) => this.#receive(view),
      onWritable: (room) => {
        this.#send(this.#clock.now());
        if (this.#outgoing.length > 0 || this.#isEnding || this.#over) this.#announce = true;
        else handler.onWritable(room);
      },
      onEnd: () => this.#arrive(NO_BYTES),
      onError: (error) => this.#fail(error),
    });
  }

  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  reserve(length: number): Uint8Array {
    const held = heldBytes(this.#outgoing);
    if (this.#over || this.#isEnding) this.#reserved = NO_BYTES;
    else if (this.#isDirect) this.#reserved = this.#lower.reserve(length);
    else this.#reserved = new Uint8Array(Math.min(length, Math.max(0, HELD_BYTES - held)));
    if (this.#reserved.length < length) this.#announce = true;
    return this.#reserved;
  }

  commit(length: number): void {
    if (length === 0 || this.#over || this.#isEnding) return;
    const allowed = this.#pass(length);
    if (this.#isDirect) this.#lower.commit(allowed);
    else if (allowed > 0) this.#hold(this.#outgoing, this.#reserved.subarray(0, allowed));
    this.#reserved = NO_BYTES;
    // No callback comes from within a call.
    if (allowed < length) void Promise.resolve().then(() => this.cut());
  }

  pause(): void {
    this.#paused = true;
    this.#lower.pause();
  }

  resume(): void {
    this.#paused = false;
    if (heldBytes(this.#incoming) < HELD_BYTES) this.#lower.resume();
  }

  shutdown(): void {
    if (this.#shutdown === "no") this.#shutdown = "wanted";
    this.#send(this.#clock.now());
  }

  destroy(): void {
    this.#handler = undefined;
    this.#destroyed = true;
    this.#send(this.#clock.now());
  }

  /** The network fails: both ends see a broken connection, behind what arrived before. */
  cut(): void {
    if (this.#over) return;
    this.#lower.destroy();
    this.#fail(new TransportError("TRANSPORT_RESET", "the connection was cut"));
  }

  get #isEnding(): boolean {
    return this.#shutdown !== "no" || this.#destroyed;
  }

  get #isDirect(): boolean {
    return this.#outgoing.length === 0 && this.#plan.delayMs() === 0;
  }

  /** Counts bytes, and says how many of them pass. */
  #pass(length: number): number {
    const allowed = Math.min(length, Math.max(0, this.#plan.left(this.passed)));
    this.passed += length;
    if (allowed < length) this.#plan.spent();
    return allowed;
  }

  #receive(view: Uint8Array): void {
    if (this.#over) return;
    const allowed = this.#pass(view.length);
    if (allowed > 0) this.#arrive(view.subarray(0, allowed));
    if (allowed < view.length) this.cut();
  }

  #arrive(bytes: Uint8Array): void {
    if (this.#incoming.length === 0 && this.#plan.delayMs() === 0) {
      this.#hand(bytes);
      return;
    }
    this.#hold(this.#incoming, bytes.slice());
    if (heldBytes(this.#incoming) >= HELD_BYTES) this.#lower.pause();
  }

  #hold(queue: Held[], bytes: Uint8Array): void {
    queue.push({ due: this.#clock.now() + this.#plan.delayMs(), bytes });
    this.#arm();
  }

  #deliver(now: number): void {
    while (!this.#over && this.#incoming.length > 0 && this.#incoming[0]!.due <= now)
      this.#hand(this.#incoming.shift()!.bytes);
    if (!this.#over && !this.#paused && heldBytes(this.#incoming) < HELD_BYTES) this.#lower.resume();
    this.#send(now);
    if (!this.#over && this.#announce && this.#outgoing.length === 0 && !this.#isEnding) {
      this.#announce = false;
      this.#handler?.onWritable(HELD_BYTES);
    }
    this.#arm();
  }

  #hand(bytes: Uint8Array): void {
    if (bytes.length === 0) this.#handler?.onEnd();
    else this.#handler?.onData(bytes);
  }

  /** Sends what is due, as far as there is room below; then ends, where that was asked for. */
  #send(now: number): void {
    while (!this.#over && this.#outgoing.length > 0 && this.#outgoing[0]!.due <= now) {
      const first = this.#outgoing[0]!;
      first.bytes = first.bytes.subarray(this.#lower.write(first.bytes));
      if (first.bytes.length > 0) {
        // What is not taken any more is given up with the connection.
        if (this.#destroyed) this.#outgoing = [];
        break;
      }
      this.#outgoing.shift();
    }
    if (this.#over || this.#outgoing.length > 0) return;
    if (this.#shutdown === "wanted") {
      this.#shutdown = "done";
      this.#lower.shutdown();
    }
    if (!this.#destroyed) return;
    this.#finish();
    this.#lower.destroy();
  }

  #arm(): void {
    if (this.#over) return;
    this.#alarm.set(this.#incoming[0]?.due);
    this.#alarm.set(this.#outgoing[0]?.due);
  }

  #fail(error: ThingwireError): void {
    if (this.#over) return;
    this.#finish();
    this.#handler?.onError(error);
  }

  #finish(): void {
    this.#over = true;
    this.#incoming = [];
    this.#outgoing = [];
    this.#alarm.cancel();
    this.#plan.over();
  }
}

function heldBytes(queue: readonly Held[]): number {
  let sum = 0;
  for (const { bytes } of queue) sum += bytes.length;
  return sum;
}
