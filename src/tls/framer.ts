/**
 * Makes records of what we send, seals them in place, and hands them out in order (RFC 5246 §6.2).
 *
 * One buffer holds several records, one behind the other: those that were handed out, those that are sealed, and those that wait for
 * it. Application data is written into it directly (`reserve`, `commit`), behind room for header and nonce and before room for the tag.
 * It is as large as what is in it, and given back once that was taken.
 *
 * ```
 *   0 …  #taken … #sealed … #end … #buffer.length
 *        handed out  ready     to be sealed
 * ```
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import type { Task } from "../task.ts";
import type { OutgoingName } from "./deviations.ts";
import { ContentType, HEADER_BYTES, MAX_PLAINTEXT, type RecordProtection, TLS_1_2 } from "./record.ts";

/** What the buffer has at least, and all that it keeps between records. */
const KEPT_CAPACITY = 512;
/** All alerts that the engine may ever send while a record is being sealed: answers to HelloRequests, close_notify, one fatal alert. */
const MAX_ALERTS = 6;
const ALERT_BYTES = 2;
/** Of the block ciphers. */
const BLOCK_BYTES = 16;
/** Where the buffer stops to double: about one record of full size. */
const MAX_DOUBLED = MAX_PLAINTEXT + 1024;
/** Less than this is not offered behind other records: it would only make many small ones. */
const MIN_SHARED_ROOM = 1024;

interface PendingRecord {
  readonly start: number;
  readonly end: number;
  readonly plaintextBytes: number;
  readonly protection: RecordProtection | undefined;
}

/** The buffer of what is sent: records are made, sealed and taken in it. */
export class Framer {
  #buffer = new Uint8Array(KEPT_CAPACITY);
  #taken = 0;
  #sealed = 0;
  #end = 0;
  readonly #pending: PendingRecord[] = [];
  #sealing: Task<unknown> | undefined;
  #reserved = 0;
  /** Nothing is handed out before everything up to here is sealed. */
  #heldUntil = 0;
  /** What the records that are added from now on are protected with. */
  protection: RecordProtection | undefined;
  /** Bytes of plaintext in a record at most. */
  maxPlaintext: number = MAX_PLAINTEXT;
  bytes = 0;
  records = 0;

  /** Whether records wait to be sealed. */
  get isBusy(): boolean {
    return this.#pending.length > 0;
  }

  /** Bytes of application data that can be written now. Only to be asked when there are keys. */
  get room(): number {
    this.#recycle();
    // While a record is being sealed, its bytes cannot move to a larger buffer.
    const capacity =
      this.#sealing === undefined ? this.#recordBytes(MAX_PLAINTEXT) + this.#alertRoom : this.#buffer.length;
    const left = capacity - this.#end - this.#alertRoom;
    let room = left - this.#recordBytes(0);
    if (this.#end > 0 && room < MIN_SHARED_ROOM) return 0;
    // Padding depends on the length, by less than a block.
    if (this.#recordBytes(room) > left) room -= BLOCK_BYTES;
    return Math.min(room, this.maxPlaintext);
  }

  /** Bytes of memory that are held. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Adds a message and returns what the transcript has of it: the message itself, where nobody deviates (`deviating-framer.ts`). */
  addMessage(_name: OutgoingName, type: ContentType, message: Uint8Array): readonly Uint8Array[] {
    this.add(type, message);
    return [message];
  }

  /** Adds a message of handshake, alert or ChangeCipherSpec, in as many records as it needs; an empty one makes an empty record. */
  add(type: ContentType, message: Uint8Array): void {
    this.#recycle();
    // What was reserved is no longer where the next record will be.
    this.#reserved = 0;
    const isAlert = type === ContentType.alert;
    const left = isAlert ? 0 : this.#alertRoom;
    // Many peers take an alert only in one piece.
    const size = isAlert ? Math.max(message.length, 1) : this.maxPlaintext;
    for (let at = 0; at === 0 || at < message.length; at += size) {
      const part = message.subarray(at, at + size);
      this.#ensure(this.#end + this.#recordBytes(part.length) + left);
      this.#buffer.set(part, this.#end + HEADER_BYTES + (this.protection?.prefixBytes ?? 0));
      this.#close(type, part.length);
    }
  }

  /** Room for up to `length` bytes of application data; empty where there is none. Valid until the next call. */
  reserve(length: number): Uint8Array {
    this.#reserved = Math.min(length, this.room);
    if (this.#reserved <= 0) return NO_BYTES;
    this.#ensure(this.#end + this.#recordBytes(this.#reserved) + this.#alertRoom);
    const at = this.#end + HEADER_BYTES + (this.protection?.prefixBytes ?? 0);
    return this.#buffer.subarray(at, at + this.#reserved);
  }

  /** Makes a record of the first `length` bytes of what was reserved. False where less was reserved. */
  commit(length: number): boolean {
    if (length > this.#reserved) return false;
    this.#reserved = 0;
    if (length > 0) this.#close(ContentType.application_data, length);
    return true;
  }

  /** Seals for about `units` units and says how many were spent. Where sealing fails, all that is not sealed yet is dropped. */
  step(units: number): number {
    try {
      return this.#step(units);
    } catch (error) {
      // Nothing may leave without what stood before it; but the alert that tells of the failure, which is added next, must not wait for it.
      this.#buffer.fill(0, this.#sealed, this.#end);
      this.#end = this.#sealed;
      this.#pending.length = this.#reserved = 0;
      this.#sealing = undefined;
      throw error;
    }
  }

  #step(units: number): number {
    let spent = 0;
    while (this.#pending.length > 0 && spent < units) {
      const record = this.#pending[0]!;
      if (record.protection !== undefined) {
        this.#sealing ??= record.protection.seal(this.#buffer, record.start, record.plaintextBytes);
        const before = this.#sealing.spent;
        const isDone = this.#sealing.step(units - spent);
        spent += Math.max(1, this.#sealing.spent - before);
        if (!isDone) continue;
        this.#sealing = undefined;
      }
      this.#sealed = record.end;
      this.records++;
      this.bytes += record.end - record.start;
      this.#pending.shift();
    }
    return spent;
  }

  /**
   * Hands out nothing until {@link release}. A flight leaves in one write: a peer that refuses its first message may close at once, and
   * then a second write would meet a reset connection and fail before the peer's alert is read.
   */
  hold(): void {
    this.#heldUntil = Number.POSITIVE_INFINITY;
  }

  /** What was added so far leaves once all of it is sealed. */
  release(): void {
    this.#heldUntil = this.#end;
  }

  /** Whole records for the peer: a view that is valid until the next call. */
  take(): Uint8Array | undefined {
    if (this.#taken === this.#sealed || this.#sealed < this.#heldUntil) return undefined;
    this.#heldUntil = 0;
    const view = this.#buffer.subarray(this.#taken, this.#sealed);
    this.#taken = this.#sealed;
    return view;
  }

  /** Writes the header at `#end` and puts the record into the queue. */
  #close(type: ContentType, plaintextBytes: number): void {
    const start = this.#end;
    const length = this.#recordBytes(plaintextBytes) - HEADER_BYTES;
    this.#buffer[start] = type;
    this.#buffer[start + 1] = TLS_1_2 >> 8;
    this.#buffer[start + 2] = TLS_1_2 & 0xff;
    this.#buffer[start + 3] = length >> 8;
    this.#buffer[start + 4] = length;
    this.#end = start + HEADER_BYTES + length;
    this.#pending.push({ start, end: this.#end, plaintextBytes, protection: this.protection });
  }

  /** Gives back a buffer that was made for long records, once they were taken and nothing is reserved in it. */
  recycle(): void {
    this.#recycle();
    if (this.#end > 0 || this.#reserved > 0 || this.#buffer.length <= KEPT_CAPACITY) return;
    this.#buffer = new Uint8Array(KEPT_CAPACITY);
  }

  #recycle(): void {
    if (this.#taken === this.#end) this.#taken = this.#sealed = this.#end = 0;
  }

  /** Bytes of a record with so much plaintext that is made now. */
  #recordBytes(plaintextBytes: number): number {
    return HEADER_BYTES + (this.protection?.protectedBytes(plaintextBytes) ?? plaintextBytes);
  }

  /** Room that everything but an alert leaves, because while a record is being sealed the buffer cannot be replaced. */
  get #alertRoom(): number {
    return MAX_ALERTS * this.#recordBytes(ALERT_BYTES);
  }

  #ensure(capacity: number): void {
    if (capacity <= this.#buffer.length) return;
    // Small records are added to one another without moving them each time.
    const grown = new Uint8Array(Math.max(capacity, Math.min(2 * this.#buffer.length, MAX_DOUBLED)));
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
  }
}
