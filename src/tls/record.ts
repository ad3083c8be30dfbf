/**
 * Records: their limits, and the protection of AES-GCM suites (RFC 5246 §6.2, RFC 5288 §3).
 *
 * The explicit nonce is always the sequence number: it can neither repeat nor be drawn badly. Left out on purpose: CBC, compression,
 * and the nonces of RFC 7905, which no suite here uses. Cutting the stream into records is `deframer.ts`, making them `framer.ts`.
 *
 * @module
 */

import type { Task } from "../task.ts";
import type { Aead, CryptoProvider } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import type { CipherSuite } from "./suites.ts";

/** ContentType, RFC 5246 §6.2.1. */
export const ContentType = { change_cipher_spec: 20, alert: 21, handshake: 22, application_data: 23 } as const;
/** What a record carries (RFC 5246 §6.2.1). */
export type ContentType = (typeof ContentType)[keyof typeof ContentType];

/** TLS 1.2 on the wire. */
export const TLS_1_2 = 0x0303;
/** Type, version, length. */
export const HEADER_BYTES = 5;
/** Bytes of plaintext in a record at most (RFC 5246 §6.2.1). */
export const MAX_PLAINTEXT = 0x4000;
/** Bytes that protection may add at most (RFC 5246 §6.2.3). */
export const MAX_EXPANSION = 2048;
/** Bytes in front of an AES-GCM ciphertext that carry the nonce's second part (RFC 5288 §3). */
export const EXPLICIT_NONCE_BYTES = 8;
/** The tag of the AEAD ciphers here (RFC 5288 §3). */
export const TAG_BYTES = 16;
/** What an AES-GCM record is longer than its plaintext, without the header. */
export const GCM_EXPANSION = EXPLICIT_NONCE_BYTES + TAG_BYTES;

/**
 * Records that one key may protect. RFC 5246 §6.1 only forbids that the 64-bit number wraps; below 2^53 it stays exact in a number,
 * and no connection gets near.
 */
const MAX_SEQUENCE = 2 ** 48;

/** One direction's keys with its sequence number. Seals and opens records in place, one at a time. */
export class RecordProtection {
  readonly #aead: Aead;
  /** Salt, then the explicit part. */
  readonly #nonce = new Uint8Array(12);
  /** Sequence number, type, version, length of the plaintext (RFC 5246 §6.2.3.3). */
  readonly #aad = new Uint8Array(13);
  #sequence: number;

  /** Copies what it keeps of `fixedIv`; the provider does so with `key`: wipe both afterwards. */
  constructor(crypto: CryptoProvider, suite: CipherSuite, key: Uint8Array, fixedIv: Uint8Array, sequence = 0) {
    this.#aead = crypto.aead(suite.aead, key);
    this.#nonce.set(fixedIv);
    this.#aad[9] = TLS_1_2 >> 8;
    this.#aad[10] = TLS_1_2 & 0xff;
    this.#sequence = sequence;
  }

  /** Seals the record that starts at `start`, whose `length` bytes of plaintext stand behind header and explicit nonce. */
  seal(buffer: Uint8Array, start: number, length: number): Task<void> {
    this.#next(buffer[start]!, length);
    const at = start + HEADER_BYTES;
    for (let i = 0; i < EXPLICIT_NONCE_BYTES; i++) {
      buffer[at + i] = this.#aad[i]!;
      this.#nonce[4 + i] = this.#aad[i]!;
    }
    const plaintext = at + EXPLICIT_NONCE_BYTES;
    return this.#aead.seal(buffer, plaintext, plaintext + length, this.#nonce, this.#aad);
  }

  /** Opens the record whose header starts at `start` and that has `length` bytes behind it, at least {@link GCM_EXPANSION}. */
  open(buffer: Uint8Array, start: number, length: number): Task<boolean> {
    const plaintextBytes = length - GCM_EXPANSION;
    this.#next(buffer[start]!, plaintextBytes);
    const at = start + HEADER_BYTES;
    for (let i = 0; i < EXPLICIT_NONCE_BYTES; i++) this.#nonce[4 + i] = buffer[at + i]!;
    const plaintext = at + EXPLICIT_NONCE_BYTES;
    return this.#aead.open(buffer, plaintext, plaintext + plaintextBytes, this.#nonce, this.#aad);
  }

  /** Forgets the key. Nothing can be sealed or opened afterwards: a wiped key is one that everyone knows. */
  wipe(): void {
    this.#aead.wipe();
    this.#nonce.fill(0);
    this.#sequence = MAX_SEQUENCE;
  }

  /** Writes the additional data of the next record and counts it. */
  #next(type: number, length: number): void {
    if (this.#sequence >= MAX_SEQUENCE) throw new TlsError("TLS_SEQUENCE_EXHAUSTED");
    const aad = this.#aad;
    let rest = this.#sequence++;
    for (let i = 7; i >= 0; i--) {
      aad[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    aad[8] = type;
    aad[11] = length >> 8;
    aad[12] = length;
  }
}
