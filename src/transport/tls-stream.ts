/**
 * A TLS engine as a transport over a transport: what the client's and the server's end share.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { type ThingwireError, UsageError } from "../errors.ts";
import type { Timers } from "../ports.ts";
import { TlsError } from "../tls/errors.ts";
import type { SignRequest, TlsEvent } from "../tls/events.ts";
import { TransportError } from "./errors.ts";
import { Pump, type PumpedEngine } from "./pump.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** Options of both ends. `I` is what is told of the handshake. */
export interface TlsStreamOptions<I> {
  readonly timers: Timers;
  /** Milliseconds from the connection below to Finished; 20,000 by default. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Units of computation between two turns of the event loop; 2,000 by default, which is under a millisecond on a computer and
   * about a tenth of a second on an ESP32. Larger is a little faster in all, smaller leaves shorter gaps.
   */
  readonly sliceUnits?: number | undefined;
  /** The handshake is done and the peer verified: called once, before the first `onWritable`. */
  readonly onSecured?: ((info: I) => void) | undefined;
}

/** The part of an engine that is needed here; see `tls/connection.ts`. */
export interface TlsEngine<I> extends PumpedEngine<TlsEvent<I>> {
  readonly room: number;
  reserve(length: number): Uint8Array;
  commit(length: number): void;
  close(): void;
  destroy(): void;
  resume(id: number, answer: Uint8Array | unknown): void;
}

/** What the two ends do differently. */
export interface TlsEnd {
  readonly description: string;
  /** The transport below is connected. */
  onConnected?(): void;
  /** A client's session to keep. */
  onSession?: ((session: Uint8Array | undefined) => void) | undefined;
  /** The time of a `delay` event is over. */
  endDelay?(): void;
  /**
   * Milliseconds that the transport below is still read, and nothing done with it, when the stream was dropped: our side ends in order, and
   * an alert is not lost to a reset that bytes which nobody read would cause. 0 by default: it is dropped at once.
   */
  readonly lingerMs?: number;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000;
const DEFAULT_SLICE_UNITS = 2_000;

/** The transport; `I` is what is told of the handshake. */
export class TlsStream<I> implements Transport {
  readonly description: string;
  readonly #options: TlsStreamOptions<I>;
  readonly #end: TlsEnd;
  readonly #lower: Transport;
  readonly #engine: TlsEngine<I>;
  readonly #pump: Pump<TlsEvent<I>>;
  #handler: TransportHandler | undefined;
  #info: I | undefined;
  #lowerError: ThingwireError | undefined;
  #cancelTimeout: (() => void) | undefined;
  #cancelDelay: (() => void) | undefined;
  /** `onWritable` is due: at first, and whenever less was taken than was offered. */
  #announce = true;
  #shutdown = false;
  #closed = false;
  /** What the engine has to say waits by its script. */
  #isDelayed = false;
  /** `onEnd` or `onError` was called, or the owner destroyed the transport. */
  #over = false;
  /** The transport below ended or failed. */
  #isBelowOver = false;
  #isReleased = false;

  constructor(lower: Transport, options: TlsStreamOptions<I>, engine: TlsEngine<I>, end: TlsEnd) {
    this.description = end.description;
    this.#options = options;
    this.#end = end;
    this.#lower = lower;
    this.#engine = engine;
    this.#pump = new Pump<TlsEvent<I>>({
      engine: this.#engine,
      lower,
      timers: options.timers,
      budget: options.sliceUnits ?? DEFAULT_SLICE_UNITS,
      onConnected: () => this.#onConnected(),
      onEvent: (event) => this.#onEvent(event),
      onSettled: () => this.#onSettled(),
    });
  }

  get info(): I | undefined {
    return this.#info;
  }

  open(handler: TransportHandler): void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the transport was opened before");
    this.#handler = handler;
    const pump = this.#pump;
    this.#lower.open({
      onData: (view) => pump.onData(view),
      onWritable: () => pump.onWritable(),
      onEnd: () => {
        pump.onEnd();
        this.#endLingering();
      },
      onError: (error) => {
        this.#lowerError = error;
        pump.onError(error);
        this.#endLingering();
      },
    });
  }

  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  reserve(length: number): Uint8Array {
    const room = this.#room() > 0 ? this.#engine.reserve(length) : NO_BYTES;
    if (room.length < length) this.#announce = true;
    return room;
  }

  commit(length: number): void {
    if (length === 0 || this.#shutdown || this.#over) return;
    this.#engine.commit(length);
    this.#pump.wake();
  }

  pause(): void {
    this.#pump.pause();
  }

  resume(): void {
    this.#pump.resume();
  }

  shutdown(): void {
    if (this.#shutdown) return;
    this.#shutdown = true;
    this.#pump.wake();
  }

  destroy(): void {
    this.#over = true;
    this.#release();
  }

  /** Bytes that are taken now: none before the peer is verified, and none while the transport below is full. */
  #room(): number {
    return this.#info === undefined || this.#shutdown || this.#over || this.#pump.isBlocked ? 0 : this.#engine.room;
  }

  #onConnected(): void {
    const timeoutMs = this.#options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS;
    this.#cancelTimeout = this.#options.timers.set(timeoutMs, () =>
      this.#fail(
        new TransportError("TRANSPORT_HANDSHAKE_TIMEOUT", `${this.#lower.description}, ${timeoutMs} ms`, { timeoutMs }),
      ),
    );
    this.#end.onConnected?.();
  }

  #onEvent(event: TlsEvent<I>): void {
    switch (event.type) {
      case "output":
        this.#pump.send(event.bytes);
        break;
      case "secured":
        this.#cancelTimeout?.();
        this.#info = event;
        this.#options.onSecured?.(event);
        break;
      case "session":
        this.#end.onSession?.(event.session);
        break;
      case "data":
        this.#handler?.onData(event.bytes);
        break;
      case "sign":
        this.#sign(event);
        break;
      case "closed":
        if (event.cleanly) this.#tellEnd();
        else this.#fail(this.#truncated());
        break;
      case "fatal":
        // Where the transport below failed, its own error says more.
        this.#fail(this.#lowerError ?? event.error);
        break;
      case "delay":
        this.#isDelayed = true;
        this.#cancelDelay = this.#options.timers.set(event.ms, () => {
          this.#isDelayed = false;
          this.#end.endDelay?.();
          this.#pump.wake();
        });
        break;
      case "warning":
        break;
    }
  }

  /** The stream ended without close_notify. In a handshake that is so only where we closed first: else the engine reports it. */
  #truncated(): TlsError {
    const error = new TlsError("TLS_CLOSED_WITHOUT_NOTIFY", this.#lower.description);
    if (this.#info === undefined) return error.within("Closed", "handshake");
    return error.within("ExpectTraffic", this.#shutdown ? "closing" : "traffic");
  }

  #onSettled(): void {
    if (this.#shutdown) {
      this.#close();
      return;
    }
    const room = this.#announce ? this.#room() : 0;
    if (room === 0) return;
    this.#announce = false;
    this.#handler?.onWritable(room);
  }

  /** First close_notify; once it has left, the end of our side below. */
  #close(): void {
    if (this.#closed) {
      if (!this.#isDelayed) this.#lower.shutdown();
      return;
    }
    this.#closed = true;
    this.#engine.close();
    this.#pump.wake();
  }

  #sign(event: SignRequest): void {
    // Where the connection is over meanwhile, neither engine nor pump listens.
    const answer = (value: Uint8Array | Error): void => {
      this.#engine.resume(event.id, value);
      this.#pump.wake();
    };
    const failed = (error: unknown): void => answer(error instanceof Error ? error : new Error(String(error)));
    try {
      const signature = event.signer.sign(event.scheme, event.input);
      if (signature instanceof Uint8Array) answer(signature);
      else signature.then(answer, failed);
    } catch (error) {
      failed(error);
    }
  }

  #tellEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handler?.onEnd();
  }

  #fail(error: ThingwireError): void {
    if (this.#over) return;
    this.#over = true;
    // An alert that explains it stands in the transport below already.
    this.#release();
    this.#handler?.onError(error);
  }

  /** Lets go of keys and of the transport below. What was written before still goes there, where there is room. */
  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cancelTimeout?.();
    this.#cancelDelay?.();
    const { isBlocked } = this.#pump;
    this.#pump.stop();
    this.#engine.destroy();
    if (isBlocked) this.#letGo();
    else this.#sayTheRest();
  }

  /** Writes what the engine still has to say, when its script lets it. */
  #sayTheRest(): void {
    for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) {
      if (event.type === "output") this.#lower.write(event.bytes);
      if (event.type !== "delay" || this.#isBelowOver) continue;
      this.#cancelTimeout = this.#options.timers.set(event.ms, () => {
        this.#end.endDelay?.();
        this.#sayTheRest();
      });
      return;
    }
    this.#letGo();
  }

  #letGo(): void {
    const { lingerMs = 0 } = this.#end;
    if (lingerMs > 0) this.#lower.shutdown();
    if (lingerMs === 0 || this.#isBelowOver) {
      this.#lower.destroy();
      return;
    }
    this.#lower.resume();
    this.#cancelTimeout = this.#options.timers.set(lingerMs, () => this.#lower.destroy());
  }

  /** The peer has read our end, or nothing reaches it any more. */
  #endLingering(): void {
    this.#isBelowOver = true;
    if (!this.#isReleased) return;
    this.#cancelTimeout?.();
    this.#lower.destroy();
  }
}
