/**
 * Two transports that are the two ends of one stream in memory: for tests, for simulators, and for running a client against a
 * server of the same process. Deterministic: bytes move only in turns of `schedule`, in the order in which they were written.
 *
 * A direction can be given faults: delivery in small pieces, an end or a cut after so many bytes, a stall.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { TransportError } from "./errors.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** What goes wrong on the way to one end. Bytes are counted from the start of the stream. */
export interface MemoryFaults {
  /** Delivers at most that many bytes at a time, one piece a turn. */
  readonly pieceBytes?: number | undefined;
  /** After that many bytes the receiver sees the peer's orderly end, whatever else was sent: a truncation. */
  readonly endAfter?: number | undefined;
  /** After that many bytes both ends see `TRANSPORT_RESET`. */
  readonly cutAfter?: number | undefined;
  /** After that many bytes nothing more arrives, and nobody is told. */
  readonly stallAfter?: number | undefined;
}

/** Options of {@link memoryPair}. */
export interface MemoryPairOptions {
  /** Bytes that are under way in one direction at most; 65,536 by default. */
  readonly capacity?: number | undefined;
  /** Runs a turn later, never at once. By default as a job of a promise; pass a queue of your own to step by hand. */
  readonly schedule?: ((turn: () => void) => void) | undefined;
  /** Faults on the way to the first end. */
  readonly toFirst?: MemoryFaults | undefined;
  /** Faults on the way to the second end. */
  readonly toSecond?: MemoryFaults | undefined;
}

/**
 * Makes the two ends. Each is connected as soon as it is opened; what is sent to an end that is not open yet waits for it.
 *
 * @example
 * const [device, server] = memoryPair({ toSecond: { pieceBytes: 1 } }); // the server receives byte by byte
 */
export function memoryPair(options: MemoryPairOptions = {}): [Transport, Transport] {
  const capacity = options.capacity ?? 65_536;
  if (!Number.isInteger(capacity) || capacity < 1)
    throw new UsageError("USAGE_INVALID_ARGUMENT", `capacity must be a positive integer, not ${capacity}`);
  const schedule = options.schedule ?? ((turn) => void Promise.resolve().then(turn));
  const toFirst = new Pipe(capacity, options.toFirst ?? {});
  const toSecond = new Pipe(capacity, options.toSecond ?? {});
  const first = new MemoryEnd("memory, first end", toFirst, toSecond, schedule);
  const second = new MemoryEnd("memory, second end", toSecond, toFirst, schedule);
  toFirst.reader = toSecond.writer = first;
  toSecond.reader = toFirst.writer = second;
  return [first, second];
}

/** One direction: the bytes that are under way, and what goes wrong with them. */
class Pipe {
  reader!: MemoryEnd;
  writer!: MemoryEnd;
  readonly #bytes: Uint8Array;
  readonly #faults: MemoryFaults;
  #start = 0;
  #end = 0;
  /** While the receiver reads a view of the bytes, they must not move. */
  #reading = false;
  #delivered = 0;
  /** The writer ended its side. */
  ended = false;

  constructor(capacity: number, faults: MemoryFaults) {
    this.#bytes = new Uint8Array(capacity);
    this.#faults = faults;
  }

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  get room(): number {
    return this.#bytes.length - (this.#reading ? this.#end : this.#end - this.#start);
  }

  reserve(length: number): Uint8Array {
    if (!this.#reading && this.#end + length > this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#bytes.subarray(this.#end, this.#end + length);
  }

  commit(length: number): void {
    this.#end += length;
  }

  /** Hands the next piece to the receiver. False where there is nothing, or where a fault holds it back. */
  deliver(handler: TransportHandler): boolean {
    const { pieceBytes = Number.POSITIVE_INFINITY, stallAfter = Number.POSITIVE_INFINITY } = this.#faults;
    const left = Math.min(stallAfter, this.#limit()) - this.#delivered;
    const length = Math.min(this.#end - this.#start, pieceBytes, left);
    if (length <= 0) return false;
    const view = this.#bytes.subarray(this.#start, this.#start + length);
    this.#delivered += length;
    this.#reading = true;
    try {
      handler.onData(view);
    } finally {
      this.#reading = false;
      this.#start += length;
    }
    return true;
  }

  /** What the receiver sees once it has everything: "end", "cut", or nothing yet. */
  outcome(): "end" | "cut" | undefined {
    if (this.#delivered >= this.#limit()) return this.#delivered === this.#faults.cutAfter ? "cut" : "end";
    return this.ended && this.isEmpty ? "end" : undefined;
  }

  #limit(): number {
    return Math.min(
      this.#faults.cutAfter ?? Number.POSITIVE_INFINITY,
      this.#faults.endAfter ?? Number.POSITIVE_INFINITY,
    );
  }
}

class MemoryEnd implements Transport {
  readonly description: string;
  readonly #in: Pipe;
  readonly #out: Pipe;
  readonly #schedule: (turn: () => void) => void;
  #handler: TransportHandler | undefined;
  #scheduled = false;
  #paused = false;
  /** `onWritable` is due: at first, and whenever less was taken than was offered. */
  #announce = true;
  #broken: TransportError | undefined;
  /** `onEnd` or `onError` was called. */
  #told = false;
  #destroyed = false;

  constructor(description: string, incoming: Pipe, outgoing: Pipe, schedule: (turn: () => void) => void) {
    this.description = description;
    this.#in = incoming;
    this.#out = outgoing;
    this.#schedule = schedule;
  }

  open(handler: TransportHandler): void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the transport was opened before");
    this.#handler = handler;
    this.wake();
  }

  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  reserve(length: number): Uint8Array {
    if (!this.#canWrite()) return NO_BYTES;
    const room = this.#out.reserve(length);
    if (room.length < length) this.#announce = true;
    return room;
  }

  commit(length: number): void {
    if (length === 0 || !this.#canWrite()) return;
    this.#out.commit(length);
    this.#out.reader.wake();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  shutdown(): void {
    this.#out.ended = true;
    this.#out.reader.wake();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    if (!this.#out.ended) this.#in.writer.break("the other end was destroyed");
  }

  /** The stream is broken: told to the owner behind what arrived before. */
  break(detail: string): void {
    this.#broken ??= new TransportError("TRANSPORT_RESET", detail);
    this.wake();
  }

  wake(): void {
    if (this.#scheduled || this.#destroyed || this.#handler === undefined) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#turn(this.#handler!);
    });
  }

  #canWrite(): boolean {
    return this.#handler !== undefined && !this.#out.ended && !this.#destroyed && this.#broken === undefined;
  }

  /** One callback of each kind at most; another turn follows where there is more to do. */
  #turn(handler: TransportHandler): void {
    if (!this.#destroyed && this.#announce && this.#canWrite() && this.#out.room > 0) {
      this.#announce = false;
      handler.onWritable(this.#out.room);
    }
    if (this.#destroyed || this.#paused || this.#told) return;
    if (this.#in.deliver(handler)) {
      this.#in.writer.wake();
      this.wake();
      return;
    }
    const outcome = this.#in.outcome();
    if (outcome === "cut") {
      this.#in.writer.break("the connection was cut");
      this.break("the connection was cut");
    }
    if (outcome === "end") {
      this.#told = true;
      handler.onEnd();
    } else if (this.#broken !== undefined) {
      this.#told = true;
      handler.onError(this.#broken);
    }
  }
}
