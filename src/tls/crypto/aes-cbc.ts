/**
 * AES in Cipher Block Chaining mode (NIST SP 800-38A §6.2), in place, whole blocks only: padding is the protocol's.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { BlockEncryption } from "./aes.ts";
import type { BlockDecryption } from "./aes-decrypt.ts";
import type { AesForm } from "./aes-form.ts";
import { copyWords, readWord, writeWord } from "./words.ts";

/** CBC with one key, for one direction at a time. */
export class AesCbc {
  readonly #aes: BlockEncryption;
  readonly #inverse: BlockDecryption | undefined;
  /** The ciphertext block before, or the initialization vector. */
  readonly #chain = new Int32Array(4);
  readonly #block = new Int32Array(4);
  readonly #next = new Int32Array(4);
  #wiped = false;

  /**
   * @param form - with its tables, shared by all keys of a provider.
   * @param direction - `"decrypt"` can do both; `"encrypt"` saves the tables of the inverse.
   */
  constructor(form: AesForm, key: Uint8Array, direction: "encrypt" | "decrypt") {
    this.#aes = form.encryption(key);
    this.#inverse = direction === "decrypt" ? form.decryption(key) : undefined;
  }

  /** Throws UsageError `USAGE_WRONG_STATE` after {@link wipe}: what is encrypted without a key, anyone can read. */
  checkKey(): void {
    if (this.#wiped) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
  }

  /** Takes the initialization vector of 16 bytes at `bytes[at]`. */
  start(bytes: Uint8Array, at: number): void {
    readBlock(this.#chain, bytes, at);
  }

  /** Encrypts `buffer[at, end)`, a multiple of 16 bytes. */
  encrypt(buffer: Uint8Array, at: number, end: number): void {
    const chain = this.#chain;
    for (; at < end; at += 16) {
      for (let i = 0; i < 4; i++) chain[i]! ^= readWord(buffer, at + 4 * i);
      this.#aes.encrypt(chain, chain);
      for (let i = 0; i < 4; i++) writeWord(buffer, at + 4 * i, chain[i]!);
    }
  }

  /** Decrypts `buffer[at, end)`, a multiple of 16 bytes. */
  decrypt(buffer: Uint8Array, at: number, end: number): void {
    const chain = this.#chain;
    const block = this.#block;
    const next = this.#next;
    for (; at < end; at += 16) {
      readBlock(next, buffer, at);
      this.#inverse!.decrypt(next, block);
      for (let i = 0; i < 4; i++) writeWord(buffer, at + 4 * i, block[i]! ^ chain[i]!);
      copyWords(chain, next);
    }
  }

  wipe(): void {
    this.#aes.wipe();
    this.#inverse?.wipe();
    this.#chain.fill(0);
    this.#block.fill(0);
    this.#wiped = true;
  }
}

function readBlock(block: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 4; i++) block[i] = readWord(bytes, at + 4 * i);
}
