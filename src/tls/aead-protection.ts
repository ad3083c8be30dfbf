/**
 * The protection of records with an AEAD cipher (RFC 5246 §6.2.3.3), with the two ways in which TLS 1.2 makes nonces of the sequence
 * number: AES-GCM's (RFC 5288 §3) and ChaCha20-Poly1305's (RFC 7905 §2).
 *
 * Neither draws a nonce, so that none can repeat or be drawn badly.
 *
 * @module
 */

import type { Task } from "../task.ts";
import type { Aead, AeadName } from "./crypto/provider.ts";
import {
  type DirectionKeys,
  HEADER_BYTES,
  MAX_AES_BLOCKS,
  type ProtectionContext,
  RecordCounter,
  type RecordProtection,
} from "./record.ts";

const NONCE_BYTES = 12;
/** The tag of all AEAD ciphers here (RFC 5288 §3, RFC 7905 §2). */
const TAG_BYTES = 16;
/** Bytes in front of an AES-GCM ciphertext that carry the nonce's second part (RFC 5288 §3). */
const EXPLICIT_BYTES = 8;

/** What both share. */
abstract class AeadProtection implements RecordProtection {
  readonly prefixBytes: number;
  readonly leastBytes: number;
  protected readonly nonce: Uint8Array = new Uint8Array(NONCE_BYTES);
  protected readonly counter: RecordCounter;
  readonly #aead: Aead;
  readonly #opening = new Opening();

  constructor(aead: Aead, prefixBytes: number, counter: RecordCounter) {
    this.#aead = aead;
    this.prefixBytes = prefixBytes;
    this.leastBytes = prefixBytes + TAG_BYTES;
    this.counter = counter;
  }

  /** Writes the nonce, and the record's prefix at `buffer[at]` on. The record is counted already. */
  protected abstract nonceForSealing(buffer: Uint8Array, at: number): void;
  protected abstract nonceForOpening(buffer: Uint8Array, at: number): void;

  protectedBytes(length: number): number {
    return this.leastBytes + length;
  }

  seal(buffer: Uint8Array, start: number, length: number): Task<void> {
    this.counter.next(buffer[start]!, length);
    this.nonceForSealing(buffer, start + HEADER_BYTES);
    const text = start + HEADER_BYTES + this.prefixBytes;
    return this.#aead.seal(buffer, text, text + length, this.nonce, this.counter.bytes);
  }

  open(buffer: Uint8Array, start: number, length: number): Task<number | undefined> {
    const textBytes = length - this.leastBytes;
    this.counter.next(buffer[start]!, textBytes);
    this.nonceForOpening(buffer, start + HEADER_BYTES);
    const text = start + HEADER_BYTES + this.prefixBytes;
    const task = this.#aead.open(buffer, text, text + textBytes, this.nonce, this.counter.bytes);
    return this.#opening.restart(task, textBytes);
  }

  wipe(): void {
    this.#aead.wipe();
    this.nonce.fill(0);
    this.counter.stop();
  }
}

/** Salt, then eight bytes that stand in the record: the sequence number in ours, whatever the peer likes in its own (RFC 5288 §3). */
export class ExplicitNonceProtection extends AeadProtection {
  constructor(aead: AeadName, { key, fixedIv }: DirectionKeys, { crypto }: ProtectionContext, sequence = 0) {
    super(crypto.aead(aead, key), EXPLICIT_BYTES, new RecordCounter(MAX_AES_BLOCKS, 1, sequence));
    this.nonce.set(fixedIv);
  }

  protected nonceForSealing(buffer: Uint8Array, at: number): void {
    const { bytes } = this.counter;
    for (let i = 0; i < EXPLICIT_BYTES; i++) this.nonce[4 + i] = buffer[at + i] = bytes[i]!;
  }

  protected nonceForOpening(buffer: Uint8Array, at: number): void {
    for (let i = 0; i < EXPLICIT_BYTES; i++) this.nonce[4 + i] = buffer[at + i]!;
  }
}

/** A fixed vector of twelve bytes with the sequence number added to its end, bit by bit; nothing of it is sent (RFC 7905 §2). */
export class XorNonceProtection extends AeadProtection {
  readonly #fixedIv: Uint8Array;

  constructor(aead: AeadName, { key, fixedIv }: DirectionKeys, { crypto }: ProtectionContext, sequence = 0) {
    // RFC 8446 §5.5: for ChaCha20-Poly1305 the sequence number would end first.
    super(crypto.aead(aead, key), 0, new RecordCounter(Number.POSITIVE_INFINITY, 0, sequence));
    this.#fixedIv = fixedIv.slice();
  }

  protected nonceForSealing(): void {
    const { bytes } = this.counter;
    this.nonce.set(this.#fixedIv);
    for (let i = 0; i < 8; i++) this.nonce[4 + i]! ^= bytes[i]!;
  }

  protected nonceForOpening(): void {
    this.nonceForSealing();
  }

  override wipe(): void {
    super.wipe();
    this.#fixedIv.fill(0);
  }
}

/** An AEAD's task with the text's length as its result. The protection's own, so that nothing is allocated a record. */
class Opening implements Task<number | undefined> {
  #task!: Task<boolean>;
  #textBytes = 0;

  restart(task: Task<boolean>, textBytes: number): this {
    this.#task = task;
    this.#textBytes = textBytes;
    return this;
  }

  step(units: number): boolean {
    return this.#task.step(units);
  }

  get spent(): number {
    return this.#task.spent;
  }

  get result(): number | undefined {
    return this.#task.result ? this.#textBytes : undefined;
  }
}
