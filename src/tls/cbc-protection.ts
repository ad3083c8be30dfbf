/**
 * The protection of records with a block cipher in CBC mode (RFC 5246 §6.2.3.2), in both orders of encryption and MAC (RFC 7366).
 *
 * The initialization vector is drawn anew for each record. The order that TLS 1.2 was made with is opened in constant work
 * (`crypto/cbc-hmac.ts`), but RFC 7366 is what should be negotiated, and no CBC at all what should be configured (RFC 9325 §4).
 *
 * @module
 */

import type { Random } from "../ports.ts";
import type { Task } from "../task.ts";
import type { CbcCipher, CbcName, HashName } from "./crypto/provider.ts";
import {
  type DirectionKeys,
  HEADER_BYTES,
  MAX_AES_BLOCKS,
  type ProtectionContext,
  RecordCounter,
  type RecordProtection,
} from "./record.ts";

/** Bytes of the initialization vector: a block of AES. */
const IV_BYTES = 16;

/** AES in CBC mode with HMAC. */
export class CbcProtection implements RecordProtection {
  readonly prefixBytes: number = IV_BYTES;
  readonly leastBytes: number;
  readonly #cipher: CbcCipher;
  readonly #random: Random;
  readonly #counter: RecordCounter;

  constructor(cipher: CbcName, mac: HashName, keys: DirectionKeys, context: ProtectionContext, sequence = 0) {
    const { crypto, random, encryptThenMac } = context;
    this.#cipher = crypto.cbc(
      cipher,
      keys.key,
      mac,
      keys.macKey,
      encryptThenMac ? "encrypt-then-mac" : "mac-then-encrypt",
    );
    this.#random = random;
    this.leastBytes = this.protectedBytes(0);
    this.#counter = new RecordCounter(MAX_AES_BLOCKS, Math.ceil(this.leastBytes / IV_BYTES), sequence);
  }

  protectedBytes(length: number): number {
    return IV_BYTES + length + this.#cipher.expansion(length);
  }

  seal(buffer: Uint8Array, start: number, length: number): Task<number> {
    const text = start + HEADER_BYTES + IV_BYTES;
    // First what can fail: a record that is not made must not count, or the peer could not read the alert behind it.
    this.#random.fill(buffer.subarray(text - IV_BYTES, text), "cbc_iv");
    this.#counter.next(buffer[start]!, length);
    return this.#cipher.seal(buffer, text, text + length, this.#counter.bytes);
  }

  open(buffer: Uint8Array, start: number, length: number): Task<number | undefined> {
    this.#counter.next(buffer[start]!, length - IV_BYTES);
    const text = start + HEADER_BYTES + IV_BYTES;
    return this.#cipher.open(buffer, text, text + length - IV_BYTES, this.#counter.bytes);
  }

  wipe(): void {
    this.#cipher.wipe();
    this.#counter.stop();
  }
}
