/**
 * Joins fragments of handshake messages and splits records that hold several (RFC 5246 §6.2.1, §7.4), in any way.
 *
 * Each message becomes an array of its own, header included, that is kept by whoever needs parts of it. Memory is bounded by
 * `maxBytes`, which is checked when the header is there.
 *
 * @module
 */

import { TlsError } from "./errors.ts";

/** Type and length. */
export const MESSAGE_HEADER_BYTES = 4;

/** Joins handshake messages out of the records that carry them. */
export class HandshakeReassembly {
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(MESSAGE_HEADER_BYTES);
  #message: Uint8Array | undefined;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a part of a message is held. */
  get isPartial(): boolean {
    return this.#filled > 0;
  }

  /** Reads from `bytes[start, end)` up to the end of a message and returns how far it got; then ask {@link take}. */
  add(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.#message === undefined && at < end) {
      this.#header[this.#filled++] = bytes[at++]!;
      if (this.#filled < MESSAGE_HEADER_BYTES) continue;
      const [type, high, middle, low] = this.#header as unknown as [number, number, number, number];
      const length = (high << 16) | (middle << 8) | low;
      if (length > this.#maxBytes)
        throw new TlsError(
          "TLS_MESSAGE_TOO_LONG",
          `type ${type} announces ${length} bytes, ${this.#maxBytes} allowed`,
          {
            data: { type, length, allowed: this.#maxBytes },
          },
        );
      this.#message = new Uint8Array(MESSAGE_HEADER_BYTES + length);
      this.#message.set(this.#header);
    }
    if (this.#message === undefined) return at;
    const part = Math.min(end - at, this.#message.length - this.#filled);
    this.#message.set(bytes.subarray(at, at + part), this.#filled);
    this.#filled += part;
    return at + part;
  }

  /** The message, once it is whole. */
  take(): Uint8Array | undefined {
    const message = this.#message;
    if (message === undefined || this.#filled < message.length) return undefined;
    this.#message = undefined;
    this.#filled = 0;
    return message;
  }
}
