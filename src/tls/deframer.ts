/**
 * Cuts the peer's byte stream into records (RFC 5246 §6.2.1), whatever pieces it comes in.
 *
 * One buffer, as large as the record that comes in announces, in which it is also opened in place; given back once it was used.
 * Header fields are checked as soon as they are there. Knows no keys and no message.
 *
 * @module
 */

import { printableBytes, toHex } from "../bytes.ts";
import { TlsError } from "./errors.ts";
import { ContentType, HEADER_BYTES, MAX_EXPANSION, MAX_PLAINTEXT, TLS_1_2 } from "./record.ts";

/** What the buffer has at least, and all that it keeps between records. */
const KEPT_CAPACITY = 1024;

/** A whole record in the buffer. */
export interface RawRecord {
  readonly type: number;
  /** Where its header starts in {@link Deframer.buffer}. */
  readonly start: number;
  /** Bytes behind the header. */
  readonly length: number;
}

/** Cuts the stream into records, each in a buffer that is as large as it announced. */
export class Deframer {
  #buffer = new Uint8Array(KEPT_CAPACITY);
  #start = 0;
  #end = 0;
  /** While true nothing in the buffer moves, because someone holds views of it. */
  pinned = false;
  /** Bytes that a record has at least behind its header once records are protected, which makes them longer; 0 before. */
  leastBytes = 0;
  /** Bytes of plaintext in a record at most (RFC 5246 §6.2.1, RFC 6066 §4). */
  maxPlaintext: number = MAX_PLAINTEXT;
  /** Whether the version was negotiated, after which records must carry it (before, only its major part counts: RFC 5246 §E.1). */
  isVersionKnown = false;

  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Copies in as much as there is room for and says how much that was. */
  feed(chunk: Uint8Array): number {
    if (!this.pinned && this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    let taken = 0;
    for (;;) {
      const part = Math.min(chunk.length - taken, this.#buffer.length - this.#end);
      this.#buffer.set(chunk.subarray(taken, taken + part), this.#end);
      this.#end += part;
      taken += part;
      if (taken === chunk.length || this.pinned || !this.#grow()) return taken;
    }
  }

  /** The next record, once all of it is there. It stays the next one until {@link consume}. */
  next(): RawRecord | undefined {
    const buffer = this.#buffer;
    const start = this.#start;
    const there = this.#end - start;
    if (there === 0) return undefined;
    const type = buffer[start]!;
    if (type < ContentType.change_cipher_spec || type > ContentType.application_data) this.#notTls(`type ${type}`);
    if (there < HEADER_BYTES) return undefined;
    const version = (buffer[start + 1]! << 8) | buffer[start + 2]!;
    if (this.isVersionKnown ? version !== TLS_1_2 : version >> 8 !== TLS_1_2 >> 8) {
      const shown = `0x${toHex(buffer.subarray(start + 1, start + 3))}`;
      throw new TlsError("TLS_UNSUPPORTED_VERSION", `a record of version ${shown}`, { data: { version: shown } });
    }
    const length = (buffer[start + 3]! << 8) | buffer[start + 4]!;
    const most = this.#mostBytes;
    if (length > most)
      throw new TlsError("TLS_RECORD_OVERFLOW", `${length} bytes, ${most} allowed`, { data: { length, most } });
    if (length < this.leastBytes)
      throw new TlsError("TLS_BAD_RECORD_MAC", `${length} bytes are too few for nonce and tag`, { data: { length } });
    return there < HEADER_BYTES + length ? undefined : { type, start, length };
  }

  /** Goes on behind a record. */
  consume(record: RawRecord): void {
    this.#start = record.start + HEADER_BYTES + record.length;
  }

  /** Gives back a buffer that was made for a long record, but for the beginning of the next one. Not while someone holds views of it. */
  release(): void {
    const left = this.#buffer.subarray(this.#start, this.#end);
    if (this.#buffer.length <= KEPT_CAPACITY || left.length > KEPT_CAPACITY) return;
    this.#buffer = new Uint8Array(KEPT_CAPACITY);
    this.#buffer.set(left);
    this.#start = 0;
    this.#end = left.length;
  }

  /** What a record may have behind its header. */
  get #mostBytes(): number {
    return this.maxPlaintext + (this.leastBytes > 0 ? MAX_EXPANSION : 0);
  }

  /** Makes room for all of the record that the full buffer begins with; false where there is enough already. */
  #grow(): boolean {
    const length = (this.#buffer[3]! << 8) | this.#buffer[4]!;
    // A length beyond all limits is refused by next(); room for it is not made.
    const needed = HEADER_BYTES + Math.min(length, this.#mostBytes);
    if (needed <= this.#buffer.length) return false;
    const grown = new Uint8Array(needed);
    grown.set(this.#buffer);
    this.#buffer.fill(0);
    this.#buffer = grown;
    return true;
  }

  #notTls(what: string): never {
    const first = printableBytes(this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + 16)));
    throw new TlsError("TLS_INVALID_RECORD", `${what}; the bytes are "${first}"`, { data: { first } });
  }
}
