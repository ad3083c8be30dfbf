/**
 * AES in Galois/Counter Mode (NIST SP 800-38D), in place and in slices: AES-128-GCM and AES-256-GCM.
 *
 * Only what TLS uses (RFC 5288 §3): nonces of 12 bytes, tags of 16. That a nonce is never used twice with a key is the
 * record layer's to see to.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import { Aes, aesTable } from "./aes.ts";
import { gcmBulk } from "./gcm-bulk.ts";
import { Ghash } from "./ghash.ts";
import type { Aead, AeadName } from "./provider.ts";
import { readWord, writeWord } from "./words.ts";

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
/**
 * Blocks that a provider computes in the small form before it takes the one for bulk: 1 MiB. Compiling that one costs V8 about as
 * much as it saves in several MiB, so that a program with little traffic never runs it.
 */
const BULK_AFTER = 1 << 16;
/** Blocks at a time from which the form for bulk pays. */
const BULK_BLOCKS = 8;

/** What the keys of a provider share. */
interface Shared {
  readonly table: Int32Array;
  /** Blocks computed so far, by all keys. */
  blocks: number;
}

function prepare(name: AeadName): (key: Uint8Array) => Aead {
  const shared: Shared = { table: aesTable(), blocks: 0 };
  return (key) => new AesGcm(name, shared, key);
}

class AesGcm implements Aead {
  readonly name: AeadName;
  readonly keyBytes: number;
  readonly nonceBytes = NONCE_BYTES;
  readonly tagBytes = TAG_BYTES;
  readonly #task: GcmTask;

  constructor(name: AeadName, shared: Shared, key: Uint8Array) {
    this.name = name;
    this.keyBytes = key.length;
    this.#task = new GcmTask(shared, key);
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
  readonly #shared: Shared;
  readonly #aes: Aes;
  readonly #ghash: Ghash;
  /** The counter block, and what the cipher makes of it. */
  readonly #counter = new Int32Array(4);
  readonly #stream = new Int32Array(4);
  /** Of the buffer last worked on in bulk: most records stand in one and the same. */
  #view: DataView | undefined;
  #sealing = true;
  #buffer: Uint8Array | undefined;
  #start = 0;
  #at = 0;
  #end = 0;
  #aadBytes = 0;
  #spent = 0;
  #result = false;
  #usable = true;

  constructor(shared: Shared, key: Uint8Array) {
    this.#shared = shared;
    this.#aes = new Aes(shared.table, key);
    this.#aes.encrypt(this.#stream, this.#stream);
    this.#ghash = new Ghash(this.#stream);
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
    for (let i = 0; i < 3; i++) counter[i] = readWord(nonce, 4 * i);
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
      this.#advance(buffer, Math.min(this.#end, this.#at + 16 * blocks));
    } while (this.#spent < limit);
    return false;
  }

  wipe(): void {
    this.#aes.wipe();
    this.#ghash.wipe();
    this.#counter.fill(0);
    this.#stream.fill(0);
    this.#buffer = undefined;
    this.#view = undefined;
    this.#usable = false;
  }

  /** Ciphers and hashes up to `end`: whole blocks, or all that is left. */
  #advance(buffer: Uint8Array, end: number): void {
    const blocks = (end - this.#at) >> 4;
    if (blocks >= BULK_BLOCKS && this.#shared.blocks >= BULK_AFTER) {
      const view = this.#viewOf(buffer);
      const from = buffer.byteOffset + this.#at;
      gcmBulk(this.#aes, this.#ghash, this.#counter, view, from, from + 16 * blocks, this.#sealing);
      this.#at += 16 * blocks;
    } else for (let i = 0; i < blocks; i++, this.#at += 16) this.#block(buffer, this.#at);
    let units = blocks * BLOCK_UNITS;
    if (this.#at < end) {
      this.#rest(buffer, this.#at, end);
      this.#at = end;
      units += BLOCK_UNITS;
    }
    this.#shared.blocks += blocks;
    this.#spent += units;
  }

  #viewOf(buffer: Uint8Array): DataView {
    const view = this.#view;
    if (view !== undefined && view.buffer === buffer.buffer) return view;
    return (this.#view = new DataView(buffer.buffer));
  }

  /** Ciphers and hashes a whole block. */
  #block(buffer: Uint8Array, at: number): void {
    const stream = this.#stream;
    this.#counter[3]!++;
    this.#aes.encrypt(this.#counter, stream);
    const in0 = readWord(buffer, at);
    const in1 = readWord(buffer, at + 4);
    const in2 = readWord(buffer, at + 8);
    const in3 = readWord(buffer, at + 12);
    const out0 = in0 ^ stream[0]!;
    const out1 = in1 ^ stream[1]!;
    const out2 = in2 ^ stream[2]!;
    const out3 = in3 ^ stream[3]!;
    writeWord(buffer, at, out0);
    writeWord(buffer, at + 4, out1);
    writeWord(buffer, at + 8, out2);
    writeWord(buffer, at + 12, out3);
    // The hash is over the ciphertext.
    if (this.#sealing) this.#ghash.absorbBlock(out0, out1, out2, out3);
    else this.#ghash.absorbBlock(in0, in1, in2, in3);
  }

  /** Ciphers and hashes the last block, which is not whole. */
  #rest(buffer: Uint8Array, at: number, end: number): void {
    const stream = this.#stream;
    this.#counter[3]!++;
    this.#aes.encrypt(this.#counter, stream);
    if (!this.#sealing) this.#ghash.absorb(buffer, at, end);
    for (let i = 0; at + i < end; i++) buffer[at + i]! ^= stream[i >> 2]! >> (24 - 8 * (i & 3));
    if (this.#sealing) this.#ghash.absorb(buffer, at, end);
  }

  #finish(buffer: Uint8Array): void {
    const stream = this.#stream;
    const end = this.#end;
    this.#counter[3] = 1;
    this.#aes.encrypt(this.#counter, stream);
    this.#ghash.finishInto(stream, this.#aadBytes, end - this.#start);
    this.#result = true;
    if (this.#sealing) for (let word = 0; word < 4; word++) writeWord(buffer, end + 4 * word, stream[word]!);
    else {
      // All of the tag is compared, whatever differs.
      let difference = 0;
      for (let word = 0; word < 4; word++) difference |= stream[word]! ^ readWord(buffer, end + 4 * word);
      this.#result = difference === 0;
      if (!this.#result) buffer.fill(0, this.#start, end);
    }
    // The key stream of the tag, which would forge others under this nonce.
    stream.fill(0);
    this.#spent += 2 * BLOCK_UNITS;
    // Nothing of the caller's is held on to between records, but the view for bulk.
    this.#buffer = undefined;
  }
}
