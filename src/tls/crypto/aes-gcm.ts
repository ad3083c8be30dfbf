/**
 * AES in Galois/Counter Mode (NIST SP 800-38D), in place and in slices: AES-128-GCM and AES-256-GCM.
 *
 * Only what TLS uses (RFC 5288 §3): nonces of 12 bytes, tags of 16. That a nonce is never used twice with a key is the
 * record layer's to see to.
 *
 * @module
 */

import { constantTimeEqual } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import { Aes, type AesTables, aesTables } from "./aes.ts";
import { Ghash, ghashReduction } from "./ghash.ts";
import type { Aead, AeadName } from "./provider.ts";

/** An authenticated cipher: a piece of a provider. */
export interface AeadAlgorithm {
  readonly name: AeadName;
  readonly keyBytes: number;
  /** Makes what all keys of a provider share; the result makes ciphers out of keys. */
  prepare(): (key: Uint8Array) => Aead;
}

/** AES-128-GCM, as a piece of a provider. */
export const aes128Gcm: AeadAlgorithm = { name: "aes-128-gcm", keyBytes: 16, prepare: () => prepare("aes-128-gcm") };

/** AES-256-GCM, as a piece of a provider. */
export const aes256Gcm: AeadAlgorithm = { name: "aes-256-gcm", keyBytes: 32, prepare: () => prepare("aes-256-gcm") };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Cost of encrypting and hashing one block, in units of work. */
const BLOCK_UNITS = 16;

function prepare(name: AeadName): (key: Uint8Array) => Aead {
  const tables = aesTables();
  const reduction = ghashReduction();
  return (key) => new AesGcm(name, tables, reduction, key);
}

class AesGcm implements Aead {
  readonly name: AeadName;
  readonly keyBytes: number;
  readonly nonceBytes = NONCE_BYTES;
  readonly tagBytes = TAG_BYTES;
  readonly #task: GcmTask;

  constructor(name: AeadName, tables: AesTables, reduction: Int32Array, key: Uint8Array) {
    this.name = name;
    this.keyBytes = key.length;
    this.#task = new GcmTask(tables, reduction, key);
  }

  /** The additional data is hashed at the call, so that its buffer is free at once. */
  seal(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<void> {
    this.#task.restart(true, buffer, start, end, nonce, aad);
    return this.#task as Task<unknown> as Task<void>;
  }

  open(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<boolean> {
    this.#task.restart(false, buffer, start, end, nonce, aad);
    return this.#task;
  }

  wipe(): void {
    this.#task.wipe();
  }
}

/** Sealing (result true) or opening one range; restarted for each. */
class GcmTask implements Task<boolean> {
  readonly #aes: Aes;
  readonly #ghash: Ghash;
  /** The counter block, and what the cipher makes of it. */
  readonly #counter = new Int32Array(4);
  readonly #stream = new Int32Array(4);
  readonly #tag = new Uint8Array(TAG_BYTES);
  #sealing = true;
  #buffer: Uint8Array | undefined;
  #start = 0;
  #at = 0;
  #end = 0;
  #aadBytes = 0;
  #spent = 0;
  #result = false;
  #usable = true;

  constructor(tables: AesTables, reduction: Int32Array, key: Uint8Array) {
    this.#aes = new Aes(tables, key);
    this.#aes.encrypt(this.#stream, this.#stream);
    this.#ghash = new Ghash(reduction, this.#stream);
  }

  get spent(): number {
    return this.#spent;
  }

  get result(): boolean {
    if (this.#buffer !== undefined) throw new UsageError("USAGE_WRONG_STATE", "the result of a task that is not done");
    return this.#result;
  }

  restart(sealing: boolean, buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): void {
    if (!this.#usable) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
    if (nonce.length !== NONCE_BYTES) throw new UsageError("USAGE_INVALID_ARGUMENT", "a GCM nonce has 12 bytes");
    if (!(start >= 0 && start <= end && end + TAG_BYTES <= buffer.length))
      throw new UsageError("USAGE_INVALID_ARGUMENT", "the range and its tag do not lie in the buffer");
    const counter = this.#counter;
    for (let i = 0; i < 3; i++)
      counter[i] = (nonce[4 * i]! << 24) | (nonce[4 * i + 1]! << 16) | (nonce[4 * i + 2]! << 8) | nonce[4 * i + 3]!;
    counter[3] = 1;
    this.#ghash.reset();
    this.#ghash.absorb(aad, 0, aad.length);
    this.#aadBytes = aad.length;
    this.#sealing = sealing;
    this.#buffer = buffer;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#spent = Math.ceil(aad.length / 16) * BLOCK_UNITS;
  }

  step(units: number): boolean {
    const buffer = this.#buffer;
    if (buffer === undefined) return true;
    const limit = this.#spent + units;
    do {
      if (this.#at === this.#end) {
        this.#finish(buffer);
        return true;
      }
      const blocks = Math.max(1, Math.floor((limit - this.#spent) / BLOCK_UNITS));
      const end = Math.min(this.#end, this.#at + 16 * blocks);
      // The hash is over the ciphertext.
      if (!this.#sealing) this.#ghash.absorb(buffer, this.#at, end);
      this.#cipher(buffer, this.#at, end);
      if (this.#sealing) this.#ghash.absorb(buffer, this.#at, end);
      this.#spent += Math.ceil((end - this.#at) / 16) * BLOCK_UNITS;
      this.#at = end;
    } while (this.#spent < limit);
    return false;
  }

  wipe(): void {
    this.#aes.wipe();
    this.#ghash.wipe();
    this.#counter.fill(0);
    this.#stream.fill(0);
    this.#buffer = undefined;
    this.#usable = false;
  }

  /** GCTR: adds the key stream of the next counters to `buffer[at, end)`. */
  #cipher(buffer: Uint8Array, at: number, end: number): void {
    const aes = this.#aes;
    const stream = this.#stream;
    const counter = this.#counter;
    for (; at < end; at += 16) {
      counter[3]!++;
      aes.encrypt(counter, stream);
      if (end - at >= 16) {
        for (let word = 0, to = at; word < 4; word++, to += 4) {
          const x = stream[word]!;
          buffer[to]! ^= x >> 24;
          buffer[to + 1]! ^= x >> 16;
          buffer[to + 2]! ^= x >> 8;
          buffer[to + 3]! ^= x;
        }
      } else for (let i = 0; at + i < end; i++) buffer[at + i]! ^= stream[i >> 2]! >> (24 - 8 * (i & 3));
    }
  }

  #finish(buffer: Uint8Array): void {
    const stream = this.#stream;
    const end = this.#end;
    this.#counter[3] = 1;
    this.#aes.encrypt(this.#counter, stream);
    this.#ghash.finishInto(stream, this.#aadBytes, end - this.#start);
    const tag = this.#tag;
    for (let i = 0; i < TAG_BYTES; i++) tag[i] = stream[i >> 2]! >> (24 - 8 * (i & 3));
    this.#result = true;
    if (this.#sealing) buffer.set(tag, end);
    else {
      this.#result = constantTimeEqual(tag, buffer.subarray(end, end + TAG_BYTES));
      if (!this.#result) buffer.fill(0, this.#start, end);
    }
    tag.fill(0);
    this.#spent += 2 * BLOCK_UNITS;
    // Nothing of the caller's is held on to between records.
    this.#buffer = undefined;
  }
}
