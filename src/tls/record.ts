/**
 * Records: their limits, and what a protection of records is (RFC 5246 §6.2).
 *
 * The protections themselves are in `aead-protection.ts` and `cbc-protection.ts`; each cipher suite brings its own. Cutting the stream
 * into records is `deframer.ts`, making them `framer.ts`. Left out on purpose: compression, and stream ciphers.
 *
 * @module
 */

import type { Random } from "../ports.ts";
import type { Task } from "../task.ts";
import type { CryptoProvider } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";

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

/** The keys of one direction, cut out of the key block (RFC 5246 §6.3). A protection copies what it keeps. */
export interface DirectionKeys {
  /** Empty where an AEAD needs none. */
  readonly macKey: Uint8Array;
  readonly key: Uint8Array;
  /** The part of the nonce that does not change; empty for CBC. */
  readonly fixedIv: Uint8Array;
}

/** What a protection is made with beside its keys. */
export interface ProtectionContext {
  readonly crypto: CryptoProvider;
  /** For initialization vectors. */
  readonly random: Random;
  /** RFC 7366 was negotiated. */
  readonly encryptThenMac: boolean;
}

/**
 * One direction's keys with their sequence number. Seals and opens records in place, one at a time. In the buffer stand header, prefix
 * (nonce or initialization vector), text, and what follows it (tag, or MAC and padding).
 */
export interface RecordProtection {
  /** Bytes between header and text. */
  readonly prefixBytes: number;
  /** Bytes behind the header of the shortest record that could be opened. */
  readonly leastBytes: number;
  /** Bytes behind the header that a record with a text of `length` bytes has. Never less for a longer text. */
  protectedBytes(length: number): number;
  /** Seals the record that starts at `start`, with header and `length` bytes of text in their places and room behind them. */
  seal(buffer: Uint8Array, start: number, length: number): Task<unknown>;
  /**
   * Opens the record whose header starts at `start` and that has `length` bytes behind it, at least {@link leastBytes}. The result is the
   * length of its text; `undefined` where it cannot be authenticated, whatever is wrong with it.
   */
  open(buffer: Uint8Array, start: number, length: number): Task<number | undefined>;
  /** Forgets the key. Nothing can be sealed or opened afterwards: a wiped key is one that everyone knows. */
  wipe(): void;
}

/**
 * Records that one key may protect. RFC 5246 §6.1 only forbids that the 64-bit number wraps; below 2^53 it stays exact in a number,
 * and no connection gets near.
 */
export const MAX_RECORDS: number = 2 ** 48;
/**
 * Blocks of 16 bytes that one AES key may protect. RFC 9325 §4.4 recommends for TLS 1.2 too that no more than 2^24.5 records of full size (2^10
 * blocks) are encrypted with AES-GCM, which leaves a margin of about 2^-57 (RFC 8446 §5.5). The bound is one of blocks, and so is this
 * count, so that a thing may send short messages for years. In CBC the chance that two blocks of ciphertext are the same, which tells of
 * their texts, is then about 2^69 / 2^129.
 */
export const MAX_AES_BLOCKS: number = 2 ** 34.5;
const BLOCK_BYTES = 16;

/** Counts a key's records and blocks, and writes what is authenticated beside a text (RFC 5246 §6.2.3.1, §6.2.3.3). */
export class RecordCounter {
  /** Sequence number, type, version, length. */
  readonly bytes: Uint8Array = new Uint8Array(13);
  readonly #maxBlocks: number;
  readonly #moreBlocks: number;
  #sequence: number;
  #blocks = 0;

  /**
   * @param maxBlocks - that the key may protect.
   * @param moreBlocks - that a record has at most beside its text's.
   * @param sequence - the number of the first record.
   */
  constructor(maxBlocks: number, moreBlocks: number, sequence: number) {
    this.bytes[9] = TLS_1_2 >> 8;
    this.bytes[10] = TLS_1_2 & 0xff;
    this.#maxBlocks = maxBlocks;
    this.#moreBlocks = moreBlocks;
    this.#sequence = sequence;
  }

  /**
   * Counts a record and writes its {@link bytes}. Throws TlsError `TLS_SEQUENCE_EXHAUSTED` where the key was wiped or is used up; a key
   * that has protected all its blocks is still good for the alert that says so.
   */
  next(type: number, length: number): void {
    this.#blocks += Math.ceil(length / BLOCK_BYTES) + this.#moreBlocks;
    const isUsedUp = this.#blocks > this.#maxBlocks && type !== ContentType.alert;
    if (isUsedUp || this.#sequence >= MAX_RECORDS) throw new TlsError("TLS_SEQUENCE_EXHAUSTED");
    const { bytes } = this;
    let rest = this.#sequence++;
    for (let i = 7; i >= 0; i--) {
      bytes[i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    bytes[8] = type;
    bytes[11] = length >> 8;
    bytes[12] = length;
  }

  /** No record comes after this. */
  stop(): void {
    this.#sequence = MAX_RECORDS;
  }
}
