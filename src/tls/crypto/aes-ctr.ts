/**
 * AES in counter mode (NIST SP 800-38A §6.5), in place and in slices: encryption without authentication, for protocols that have their own.
 *
 * AES-GCM counts only the last word of its block up, and hashes as it goes: it has a loop of its own around the same `Aes.encrypt`.
 * That a counter block is never used twice with a key is the caller's to see to: it gives the whole text away.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import { Aes, aesTable } from "./aes.ts";
import { Sliced } from "./sliced.ts";
import { readWord, readWords, writeWord } from "./words.ts";

const BLOCK_BYTES = 16;
/** Cost of a block, in units of work. */
const BLOCK_UNITS = 8;

/** A key for AES-CTR. */
export class AesCtr {
  readonly #key: Key;

  /**
   * Each key makes a table of 4 KiB for itself.
   *
   * @param key - 16, 24 or 32 bytes.
   * @throws UsageError `USAGE_INVALID_ARGUMENT` for another length.
   */
  constructor(key: Uint8Array) {
    if (key.length !== 16 && key.length !== 24 && key.length !== 32)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "a key of AES has 16, 24 or 32 bytes");
    this.#key = { aes: new Aes(aesTable(), key), wiped: false };
  }

  /**
   * Encrypts or decrypts `buffer[start, end)` in place, which is the same. The result is the counter block after the last one used, to go
   * on with where the range was whole blocks.
   *
   * @param counter - the first counter block: 16 bytes, counted up as one big-endian number, from all ones to zero.
   * @throws UsageError `USAGE_INVALID_ARGUMENT` where block or range are wrong; `USAGE_WRONG_STATE` after {@link wipe}, and so does a task
   * that was not done then.
   */
  apply(buffer: Uint8Array, start: number, end: number, counter: Uint8Array): Task<Uint8Array> {
    checkKey(this.#key);
    if (counter.length !== BLOCK_BYTES)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "a counter block of AES has 16 bytes");
    if (!(start >= 0 && start <= end && end <= buffer.length))
      throw new UsageError("USAGE_INVALID_ARGUMENT", "the range does not lie in the buffer");
    return new CtrTask(this.#key, buffer, start, end, counter);
  }

  wipe(): void {
    this.#key.aes.wipe();
    this.#key.wiped = true;
  }
}

interface Key {
  readonly aes: Aes;
  wiped: boolean;
}

function checkKey({ wiped }: Key): void {
  if (wiped) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
}

class CtrTask extends Sliced<Uint8Array> {
  readonly #key: Key;
  readonly #buffer: Uint8Array;
  readonly #end: number;
  #at: number;
  readonly #counter = new Int32Array(4);
  readonly #stream = new Int32Array(4);

  constructor(key: Key, buffer: Uint8Array, start: number, end: number, counter: Uint8Array) {
    super();
    this.#key = key;
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
    readWords(this.#counter, counter);
  }

  protected advance(): number {
    checkKey(this.#key);
    const at = this.#at;
    const rest = this.#end - at;
    if (rest > 0) {
      this.#key.aes.encrypt(this.#counter, this.#stream);
      this.#count();
      if (rest >= BLOCK_BYTES) this.#addBlock(at);
      else this.#addBytes(at, rest);
      this.#at = Math.min(this.#end, at + BLOCK_BYTES);
    }
    if (this.#at === this.#end) this.#finish();
    return BLOCK_UNITS;
  }

  /** The standard incrementing function over the whole block (NIST SP 800-38A §B.1). */
  #count(): void {
    const counter = this.#counter;
    for (let i = 3; i >= 0; i--) if (++counter[i]! !== 0) return;
  }

  #addBlock(at: number): void {
    const buffer = this.#buffer;
    for (let i = 0; i < 4; i++) writeWord(buffer, at + 4 * i, readWord(buffer, at + 4 * i) ^ this.#stream[i]!);
  }

  #addBytes(at: number, count: number): void {
    for (let i = 0; i < count; i++) this.#buffer[at + i]! ^= this.#stream[i >> 2]! >> (24 - 8 * (i & 3));
  }

  #finish(): void {
    const next = new Uint8Array(BLOCK_BYTES);
    for (let i = 0; i < 4; i++) writeWord(next, 4 * i, this.#counter[i]!);
    this.#stream.fill(0);
    this.complete(next);
  }
}
