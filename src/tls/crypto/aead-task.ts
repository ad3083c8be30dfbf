/**
 * What the AEAD ciphers share: the range that is sealed or opened in place, slices, the tag, and what a caller may not do.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import type { Aead, AeadName } from "./provider.ts";
import { readWord, writeWord } from "./words.ts";

/** An authenticated cipher: a piece of a provider. */
export interface AeadAlgorithm {
  readonly name: AeadName;
  readonly keyBytes: number;
  /** Makes what all keys of a provider share; the result makes ciphers out of keys. */
  prepare(): (key: Uint8Array) => Aead;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A cipher as a provider hands it out. */
export function aeadOf(name: AeadName, key: Uint8Array, task: AeadTask): Aead {
  return {
    name,
    keyBytes: key.length,
    nonceBytes: NONCE_BYTES,
    tagBytes: TAG_BYTES,
    seal(buffer, start, end, nonce, aad) {
      task.restart(true, buffer, start, end, nonce, aad);
      return task as Task<unknown> as Task<void>;
    },
    open(buffer, start, end, nonce, aad) {
      task.restart(false, buffer, start, end, nonce, aad);
      return task;
    },
    wipe: () => task.wipe(),
  };
}

/** Sealing (result true) or opening one range; restarted for each. What a cipher is, its subclass says. */
export abstract class AeadTask implements Task<boolean> {
  /** Bytes of a block of the cipher, and what it costs to encrypt and authenticate one, in units of work. */
  readonly #blockBytes: number;
  readonly #blockUnits: number;
  readonly #tag = new Int32Array(4);
  #sealing = true;
  #buffer: Uint8Array | undefined;
  #start = 0;
  #at = 0;
  #end = 0;
  #aadBytes = 0;
  #spent = 0;
  #result = false;
  #usable = true;
  /** The key was wiped in the middle of sealing: what stands in the buffer is not sealed. */
  #broken = false;

  constructor(blockBytes: number, blockUnits: number) {
    this.#blockBytes = blockBytes;
    this.#blockUnits = blockUnits;
  }

  /** Takes a nonce of 12 bytes and authenticates the additional data, with what fills it up. */
  protected abstract begin(nonce: Uint8Array, aad: Uint8Array): void;
  /** Encrypts or decrypts `buffer[at, end)`, and authenticates its ciphertext: whole blocks, or all that is left. */
  protected abstract advance(buffer: Uint8Array, at: number, end: number, sealing: boolean): void;
  /** Writes the tag: four big-endian words. */
  protected abstract finish(tag: Int32Array, aadBytes: number, bytes: number): void;
  /** Overwrites the key. */
  protected abstract wipeKey(): void;

  get spent(): number {
    return this.#spent;
  }

  get result(): boolean {
    if (this.#buffer !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the result of a task that is not done");
    return this.#result;
  }

  /** The additional data is authenticated at the call, so that its buffer is free at once. */
  restart(sealing: boolean, buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): void {
    if (!this.#usable) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
    if (nonce.length !== NONCE_BYTES) throw new UsageError("USAGE_INVALID_ARGUMENT", "an AEAD nonce has 12 bytes");
    if (!(start >= 0 && start <= end && end + TAG_BYTES <= buffer.length))
      throw new UsageError("USAGE_INVALID_ARGUMENT", "the range and its tag do not lie in the buffer");
    this.begin(nonce, aad);
    this.#aadBytes = aad.length;
    this.#sealing = sealing;
    this.#buffer = buffer;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#spent = Math.ceil(aad.length / this.#blockBytes) * this.#blockUnits;
  }

  step(units: number): boolean {
    const buffer = this.#buffer;
    if (this.#broken) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
    if (buffer === undefined) return true;
    const limit = this.#spent + units;
    do {
      const at = this.#at;
      if (at === this.#end) {
        this.#authenticate(buffer);
        return true;
      }
      // At least a block, so that any budget goes on.
      const allowed = Math.max(1, Math.floor((limit - this.#spent) / this.#blockUnits));
      const end = Math.min(this.#end, at + allowed * this.#blockBytes);
      this.advance(buffer, at, end, this.#sealing);
      this.#at = end;
      this.#spent += Math.ceil((end - at) / this.#blockBytes) * this.#blockUnits;
    } while (this.#spent < limit);
    return false;
  }

  wipe(): void {
    this.wipeKey();
    this.#tag.fill(0);
    this.#broken = this.#sealing && this.#buffer !== undefined;
    // What was opened half way is not to be read.
    if (!this.#sealing) this.#buffer?.fill(0, this.#start, this.#end);
    this.#buffer = undefined;
    // What was not finished is not authentic.
    this.#result = false;
    this.#usable = false;
  }

  /** Writes the tag, or compares it: false, and the range wiped, where it is wrong. */
  #authenticate(buffer: Uint8Array): void {
    const tag = this.#tag;
    const end = this.#end;
    this.finish(tag, this.#aadBytes, end - this.#start);
    this.#result = true;
    if (this.#sealing) for (let word = 0; word < 4; word++) writeWord(buffer, end + 4 * word, tag[word]!);
    else {
      // All of the tag is compared, whatever differs.
      let difference = 0;
      for (let word = 0; word < 4; word++) difference |= tag[word]! ^ readWord(buffer, end + 4 * word);
      this.#result = difference === 0;
      if (!this.#result) buffer.fill(0, this.#start, end);
    }
    // The tag of what was refused would let it pass.
    tag[0] = tag[1] = tag[2] = tag[3] = 0;
    this.#spent += 2 * this.#blockUnits;
    // Nothing of the caller's is held on to between records.
    this.#buffer = undefined;
  }
}
