/**
 * The transport contract: a byte stream with callbacks and credit, without a promise a packet. ECMA-419's IO maps to it one to
 * one, Node's sockets nearly; TLS is a transport over a transport (`tls.ts`).
 *
 * Life: `open(handler)` once; the first `onWritable` says that the stream is connected (for TLS: that the peer is verified);
 * then data both ways; then exactly one of `onEnd` (the peer ended its side in order) and `onError` (anything else: never
 * mistake one for the other, a truncated stream must show). After `destroy()` there are no more callbacks.
 *
 * @module
 */

import type { ThingwireError } from "../errors.ts";

/** What the owner of a transport gives it. Callbacks never come from within `open`, `write`, `commit` or `shutdown`. */
export interface TransportHandler {
  /** Bytes from the peer: a view that is valid during the call only. */
  onData(view: Uint8Array): void;
  /** There is room for `room` bytes. The first call says that the stream is connected. */
  onWritable(room: number): void;
  /** The peer will send no more, and said so in order. */
  onEnd(): void;
  /** The stream is dead. */
  onError(error: ThingwireError): void;
}

/** A byte stream; see the head of this file for its life. */
export interface Transport {
  /** Starts to connect. Called once. */
  open(handler: TransportHandler): void;
  /**
   * Takes as many of the bytes as there is room for and says how many: none before the stream is connected or once it is over.
   * Where it took less than it was given, `onWritable` comes when there is room again.
   */
  write(bytes: Uint8Array): number;
  /**
   * Room of up to `length` bytes in a buffer of the layer below, to write into directly; it may be shorter, and is empty where there
   * is no room. Valid until `commit` or `write`.
   */
  reserve(length: number): Uint8Array;
  /** Sends the first `length` bytes of what was reserved. */
  commit(length: number): void;
  /** Asks for no more `onData` until `resume`; what is under way may still come. */
  pause(): void;
  resume(): void;
  /** Ends our side in order, once what was written has left; the peer may still send. */
  shutdown(): void;
  /** Drops the stream: no callback comes afterwards. What was accepted before may still leave. Safe to call again. */
  destroy(): void;
  /** For log lines: "tcp 127.0.0.1:8883", "tls over tcp …". */
  readonly description: string;
}
