/**
 * A socket of Node as a transport: what `tcp` and `nativeTls` share.
 *
 * Node's sockets take everything and tell later; here what waits in Node is bounded. Bytes to be sent are copied once, into a slab
 * that is used again as soon as the system has taken them; bytes received come in one buffer of the socket's own.
 *
 * @module
 */

import type { OnReadOpts, Socket } from "node:net";
import { NO_BYTES } from "../../bytes.ts";
import { type ThingwireError, UsageError } from "../../errors.ts";
import { TransportError, type TransportErrorCode } from "../errors.ts";
import type { Transport, TransportHandler } from "../transport.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_BUFFER_BYTES = 65_536;
const READ_BYTES = 65_536;
const LINGER_MS = 1_000;

/** What TCP and TLS sockets of Node differ in. */
export interface SocketOptions {
  readonly description: string;
  readonly timeoutMs: number | undefined;
  readonly bufferBytes: number | undefined;
  /** The event that says that data may be written. */
  readonly readyEvent: "connect" | "secureConnect";
  /** Makes the socket and starts to connect. */
  connect(onread: OnReadOpts): Socket;
  /** Runs when the socket is ready; an error ends the stream. */
  ready?(socket: Socket): ThingwireError | undefined;
  /** The layer's own meaning of an error; `undefined` leaves it to {@link transportError}. */
  explain?(error: Error, tcpConnected: boolean): ThingwireError | undefined;
}

/** A socket of Node as a transport. */
export class SocketTransport implements Transport {
  readonly description: string;
  readonly #options: SocketOptions;
  readonly #bufferBytes: number;
  #slab: Uint8Array = NO_BYTES;
  #slabAt = 0;
  #socket: Socket | undefined;
  #handler: TransportHandler | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tcpConnected = false;
  #isReady = false;
  #paused = false;
  /** `onWritable` is due: less was taken than was offered. */
  #announce = false;
  #shutdown = false;
  /** `onEnd` or `onError` was called. */
  #told = false;
  readonly #written = (): void => this.#onWritten();

  constructor(options: SocketOptions) {
    this.#options = options;
    this.description = options.description;
    this.#bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
  }

  open(handler: TransportHandler): void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the transport was opened before");
    this.#handler = handler;
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#timer = setTimeout(() => this.#onTimeout(timeoutMs), timeoutMs);
    const socket = this.#options.connect({
      buffer: new Uint8Array(READ_BYTES),
      callback: (length, buffer) => {
        if (!this.#told) this.#handler?.onData(buffer.subarray(0, length));
        return !this.#paused;
      },
    });
    this.#socket = socket;
    socket.on("connect", () => {
      this.#tcpConnected = true;
    });
    socket.on(this.#options.readyEvent, () => this.#onReady(socket));
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#fail(this.#explain(error)));
    socket.on("close", () => this.#fail(new TransportError("TRANSPORT_RESET", this.description)));
    if (this.#paused) socket.pause();
  }

  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  reserve(length: number): Uint8Array {
    const socket = this.#writable();
    if (socket === undefined) return NO_BYTES;
    const waiting = socket.writableLength;
    const room = Math.min(length, Math.max(0, this.#bufferBytes - waiting));
    if (room < length) this.#announce = true;
    if (waiting === 0) this.#slabAt = 0;
    if (this.#slabAt + room > this.#slab.length) {
      // The old slab still belongs to Node, until it is sent.
      this.#slab = new Uint8Array(this.#bufferBytes);
      this.#slabAt = 0;
    }
    return this.#slab.subarray(this.#slabAt, this.#slabAt + room);
  }

  commit(length: number): void {
    const socket = this.#writable();
    if (length === 0 || socket === undefined) return;
    const bytes = this.#slab.subarray(this.#slabAt, this.#slabAt + length);
    this.#slabAt += length;
    socket.write(bytes, this.#written);
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket?.resume();
  }

  shutdown(): void {
    if (this.#shutdown) return;
    this.#shutdown = true;
    this.#socket?.end();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#told = true;
    this.#handler = undefined;
    const socket = this.#socket;
    if (socket === undefined) return;
    if (socket.connecting || socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    // What was accepted before still leaves (an alert, a DISCONNECT), if the peer takes it soon.
    socket.destroySoon();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  #writable(): Socket | undefined {
    return this.#isReady && !this.#shutdown && !this.#told ? this.#socket : undefined;
  }

  #onReady(socket: Socket): void {
    if (this.#told) return;
    clearTimeout(this.#timer);
    const error = this.#options.ready?.(socket);
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#isReady = true;
    this.#handler?.onWritable(this.#bufferBytes);
  }

  #onWritten(): void {
    const room = this.#bufferBytes - (this.#writable()?.writableLength ?? this.#bufferBytes);
    // Half of the room at least, so that a slow network does not mean a call a packet.
    if (!this.#announce || room < this.#bufferBytes / 2) return;
    this.#announce = false;
    this.#handler?.onWritable(room);
  }

  #onEnd(): void {
    if (this.#told) return;
    if (!this.#isReady) {
      this.#fail(new TransportError("TRANSPORT_RESET", `${this.description}, before it was ready`));
      return;
    }
    this.#told = true;
    this.#handler?.onEnd();
  }

  #onTimeout(timeoutMs: number): void {
    const code: TransportErrorCode = this.#tcpConnected ? "TRANSPORT_HANDSHAKE_TIMEOUT" : "TRANSPORT_TIMEOUT";
    this.#fail(new TransportError(code, `${this.description}, ${timeoutMs} ms`, { timeoutMs }));
  }

  #fail(error: ThingwireError): void {
    if (this.#told) return;
    this.#told = true;
    clearTimeout(this.#timer);
    const handler = this.#handler;
    this.#socket?.destroy();
    handler?.onError(error);
  }

  #explain(error: Error): ThingwireError {
    return this.#options.explain?.(error, this.#tcpConnected) ?? transportError(error, this.description);
  }
}

/** The meaning of Node's error codes. Where both address families were tried, the first one's counts. */
export function transportError(error: Error, description: string): TransportError {
  const first = error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as Error) : error;
  const systemCode = String((first as { code?: unknown }).code ?? "");
  const detail = `${description}${systemCode === "" ? `, ${first.message}` : `, ${systemCode}`}`;
  return new TransportError(meaning(systemCode), detail, { systemCode }, error);
}

function meaning(systemCode: string): TransportErrorCode {
  switch (systemCode) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
      return "TRANSPORT_DNS";
    case "ECONNREFUSED":
      return "TRANSPORT_REFUSED";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return "TRANSPORT_UNREACHABLE";
    case "ETIMEDOUT":
    case "ERR_SOCKET_CONNECTION_TIMEOUT":
      return "TRANSPORT_TIMEOUT";
    case "ECONNRESET":
    case "ECONNABORTED":
    case "EPIPE":
      return "TRANSPORT_RESET";
    default:
      return "TRANSPORT_FAILED";
  }
}
