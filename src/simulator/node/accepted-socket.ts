/**
 * A socket that a Node server has accepted, as a transport: connected from the start.
 *
 * @module
 */

import type { Socket } from "node:net";
import { NO_BYTES } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { transportError } from "../../transport/node/socket.ts";
import type { Transport, TransportHandler } from "../../transport/transport.ts";

/** Bytes that wait in Node for a client that reads slowly, at most. */
const BUFFER_BYTES = 65_536;
/** Milliseconds that they have to leave after `destroy`. */
const LINGER_MS = 1_000;

/** The transport over an accepted `net.Socket` or `tls.TLSSocket`; `description` is for log lines. */
export function acceptedSocket(socket: Socket, description: string): Transport {
  return new AcceptedSocket(socket, description);
}

class AcceptedSocket implements Transport {
  readonly description: string;
  readonly #socket: Socket;
  #reserved: Uint8Array = NO_BYTES;
  #handler: TransportHandler | undefined;
  /** `onEnd` or `onError` was called, or is no longer wanted. */
  #told = false;

  constructor(socket: Socket, description: string) {
    this.#socket = socket;
    this.description = description;
  }

  open(handler: TransportHandler): void {
    if (this.#handler !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the transport was opened before");
    this.#handler = handler;
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      if (!this.#told) handler.onData(chunk);
    });
    socket.on("drain", () => {
      if (!this.#told) handler.onWritable(this.#room());
    });
    socket.on("end", () => this.#tell(() => handler.onEnd()));
    socket.on("error", (error) => this.#tell(() => handler.onError(transportError(error, this.description))));
    socket.on("close", () =>
      this.#tell(() => handler.onError(transportError(new Error("the socket was closed"), this.description))),
    );
    queueMicrotask(() => {
      if (!this.#told) handler.onWritable(this.#room());
    });
  }

  write(bytes: Uint8Array): number {
    const room = this.reserve(bytes.length);
    room.set(bytes.subarray(0, room.length));
    this.commit(room.length);
    return room.length;
  }

  /** A buffer of its own each time: Node keeps what it is given until it has left. */
  reserve(length: number): Uint8Array {
    this.#reserved = new Uint8Array(Math.min(length, this.#room()));
    return this.#reserved;
  }

  commit(length: number): void {
    if (length > 0) this.#socket.write(this.#reserved.subarray(0, length));
    this.#reserved = NO_BYTES;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  shutdown(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#told = true;
    const socket = this.#socket;
    // What was accepted before still leaves, if the client takes it soon.
    socket.destroySoon();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  #room(): number {
    return this.#socket.writable ? Math.max(0, BUFFER_BYTES - this.#socket.writableLength) : 0;
  }

  #tell(call: () => void): void {
    if (this.#told) return;
    this.#told = true;
    call();
  }
}
