/**
 * TLS as a transport over any transport: our TLS 1.2 client, pumped.
 *
 * `onWritable` comes first when the peer is verified. `onEnd` comes only for a close_notify of the peer; a stream that stops
 * without one is `TLS_CLOSED_WITHOUT_NOTIFY`. What is written between two turns of the event loop leaves in as few records, and
 * through `reserve` and `commit` it is encoded where it is sealed.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { type ThingwireError, UsageError } from "../errors.ts";
import type { Timers } from "../ports.ts";
import { TlsClient } from "../tls/client.ts";
import { TlsError } from "../tls/errors.ts";
import type { TlsClientOptions, TlsConnectionInfo, TlsEvent } from "../tls/events.ts";
import { TransportError } from "./errors.ts";
import { Pump } from "./pump.ts";
import type { Transport, TransportHandler } from "./transport.ts";

/** Options of {@link tls}: those of the engine, and of the pump. */
export interface TlsTransportOptions extends TlsClientOptions {
  readonly timers: Timers;
  /** Milliseconds from the connection below to Finished; 20,000 by default. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Units of computation between two turns of the event loop; 2,000 by default, which is under a millisecond on a computer and
   * about a tenth of a second on an ESP32. Larger is a little faster in all, smaller leaves shorter gaps.
   */
  readonly sliceUnits?: number | undefined;
  /** The handshake is done and the peer verified: called once, before the first `onWritable`. */
  readonly onSecured?: ((info: TlsConnectionInfo) => void) | undefined;
}

/** A transport that is secured with TLS. */
export interface TlsTransport extends Transport {
  /** What was negotiated, once the peer is verified. */
  readonly info: TlsConnectionInfo | undefined;
}

/**
 * TLS over `lower`, which this transport opens and owns from then on.
 *
 * Errors: those of `tlsErrors`, those of the transport below as they are, and `TRANSPORT_HANDSHAKE_TIMEOUT`.
 *
 * @throws TlsError, UsageError for options that cannot be used (`TLS_IDENTITY_MISMATCH`, …).
 * @example
 * const transport = tls(tcp({ host, port: 8883 }), { serverName: host, trust: amazonTrust, identity, crypto, ...ports });
 */
export function tls(lower: Transport, options: TlsTransportOptions): TlsTransport {
  return new TlsOverTransport(lower, options);
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000;
const DEFAULT_SLICE_UNITS = 2_000;

class TlsOverTransport implements TlsTransport {
  readonly description: string;
  readonly #options: TlsTransportOptions;
  readonly #lower: Transport;
  readonly #engine: TlsClient;
  readonly #pump: Pump<TlsEvent>;
  #handler: TransportHandler | undefined;
  #info: TlsConnectionInfo | undefined;
  #lowerError: ThingwireError | undefined;
  #cancelTimeout: (() => void) | undefined;
  /** `onWritable` is due: at first, and whenever less was taken than was offered. */
  #announce = true;
  #shutdown = false;
  #closed = false;
  /** `onEnd` or `onError` was called, or the owner destroyed the transport. */
  #over = false;

  constructor(lower: Transport, options: TlsTransportOptions) {
    this.description = `tls over ${lower.description}`;
    this.#options = options;
    this.#lower = lower;
    this.#engine = new TlsClient(options);
    this.#pump = new Pump<TlsEvent>({
      engine: this.#engine,
      lower,
      timers: options.timers,
      budget: options.sliceUnits ?? DEFAULT_SLICE_UNITS,
      onConnected: () => this.#onConnected(),
      onEvent: (event) => this.#onEvent(event),
      onSettled: () => this.#onSettled(),
    });
  }

  get info(): TlsConnectionInfo | undefined {
    return this.#info;
  }

  open(handler: TransportHandler): void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the transport was opened before");
    this.#handler = handler;
    const pump = this.#pump;
    this.#lower.open({
      onData: (view) => pump.onData(view),
      onWritable: () => pump.onWritable(),
      onEnd: () => pump.onEnd(),
      onError: (error) => {
        this.#lowerError = error;
        pump.onError(error);
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
    this.#engine.start();
  }

  #onEvent(event: TlsEvent): void {
    switch (event.type) {
      case "output":
        this.#pump.send(event.bytes);
        break;
      case "secured":
        this.#cancelTimeout?.();
        this.#info = event;
        this.#options.onSecured?.(event);
        break;
      case "data":
        this.#handler?.onData(event.bytes);
        break;
      case "sign":
        this.#sign(event);
        break;
      case "closed":
        if (event.cleanly) this.#end();
        else this.#fail(new TlsError("TLS_CLOSED_WITHOUT_NOTIFY", this.#lower.description));
        break;
      case "fatal":
        // Where the transport below failed, its own error says more.
        this.#fail(this.#lowerError ?? event.error);
        break;
      case "warning":
        break;
    }
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
      this.#lower.shutdown();
      return;
    }
    this.#closed = true;
    this.#engine.close();
    this.#pump.wake();
  }

  #sign(event: Extract<TlsEvent, { type: "sign" }>): void {
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

  #end(): void {
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
    this.#cancelTimeout?.();
    const { isBlocked } = this.#pump;
    this.#pump.stop();
    this.#engine.destroy();
    for (let event = this.#engine.nextEvent(); event !== undefined && !isBlocked; event = this.#engine.nextEvent())
      if (event.type === "output") this.#lower.write(event.bytes);
    this.#lower.destroy();
  }
}
