/**
 * AES in Galois/Counter Mode (NIST SP 800-38D), in place and in slices: AES-128-GCM and AES-256-GCM.
 *
 * Only what TLS uses (RFC 5288 §3): nonces of 12 bytes, tags of 16. That a nonce is never used twice with a key is the
 * record layer's to see to.
 *
 * @module
 */

import { type AeadAlgorithm, AeadTask, aeadOf } from "./aead-task.ts";
import { Aes, aesTable, type BlockEncryption } from "./aes.ts";
import { type BulkKey, bulkKey, gcmBulk, HAS_BULK_FORM } from "./gcm-bulk.ts";
import { Ghash } from "./ghash.ts";
import type { Aead, AeadName } from "./provider.ts";
import { readWord, writeWord } from "./words.ts";

/** AES-128-GCM, as a piece of a provider. */
export const aes128Gcm: AeadAlgorithm = {
  name: "aes-128-gcm",
  keyBytes: 16,
  prepare: () => prepareGcm("aes-128-gcm", tableForm()),
};

/** AES-256-GCM, as a piece of a provider. */
export const aes256Gcm: AeadAlgorithm = {
  name: "aes-256-gcm",
  keyBytes: 32,
  prepare: () => prepareGcm("aes-256-gcm", tableForm()),
};

/** Cost of encrypting and hashing one block, in units of work. */
const BLOCK_UNITS = 16;
/**
 * Blocks that a provider computes in the small form before it takes the one for bulk: 1 MiB. Compiling that one costs V8 about as
 * much as it saves in several MiB, so that a program with little traffic never runs it.
 */
const BULK_AFTER = 1 << 16;
/** Blocks at a time from which the form for bulk pays. */
const BULK_BLOCKS = 4;
/**
 * Bytes that the form for bulk gets at a time. Short calls let V8 optimize it as a function: in a long first call it would only optimize the
 * loop, with nothing known of the way into it, and each call after that would begin with a block in slow code.
 */
const BULK_BYTES = 1024;

/** The loop for bulk, and what it reads of a key. */
interface BulkForm<Cipher extends BlockEncryption> {
  readonly run: typeof gcmBulk;
  key(cipher: Cipher, hash: Ghash): BulkKey;
}

/** Cipher and hash in one form, with the tables that all keys of a provider share. */
export interface GcmForm<Cipher extends BlockEncryption> {
  encryption(key: Uint8Array): Cipher;
  ghash(key: Int32Array): Ghash;
  /** `undefined` where the form has none. */
  readonly bulk: BulkForm<Cipher> | undefined;
}

/** With tables for speed: 4 KiB for all keys, and 4 KiB for each. */
function tableForm(): GcmForm<Aes> {
  const table = aesTable();
  return {
    encryption: (key) => new Aes(table, key),
    ghash: (key) => new Ghash(key),
    bulk: HAS_BULK_FORM ? { run: gcmBulk, key: bulkKey } : undefined,
  };
}

/** What the keys of a provider share. */
interface Shared<Cipher extends BlockEncryption> {
  readonly form: GcmForm<Cipher>;
  /** Blocks computed so far, by all keys. */
  blocks: number;
}

/** Makes ciphers out of keys, in one form. */
export function prepareGcm<Cipher extends BlockEncryption>(
  name: AeadName,
  form: GcmForm<Cipher>,
): (key: Uint8Array) => Aead {
  const shared: Shared<Cipher> = { form, blocks: 0 };
  return (key) => aeadOf(name, key, new GcmTask(shared, key));
}

class GcmTask<Cipher extends BlockEncryption> extends AeadTask {
  readonly #shared: Shared<Cipher>;
  readonly #aes: Cipher;
  readonly #ghash: Ghash;
  /** The counter block, and what the cipher makes of it. */
  readonly #counter = new Int32Array(4);
  readonly #stream = new Int32Array(4);
  #bulkKey: BulkKey | undefined;
  /** Of the memory last worked on in bulk: most records stand in one buffer. */
  #view: DataView | undefined;

  constructor(shared: Shared<Cipher>, key: Uint8Array) {
    super(16, BLOCK_UNITS);
    this.#shared = shared;
    this.#aes = shared.form.encryption(key);
    this.#aes.encrypt(this.#stream, this.#stream);
    this.#ghash = shared.form.ghash(this.#stream);
  }

  protected begin(nonce: Uint8Array, aad: Uint8Array): void {
    const counter = this.#counter;
    counter[0] = readWord(nonce, 0);
    counter[1] = readWord(nonce, 4);
    counter[2] = readWord(nonce, 8);
    counter[3] = 1;
    this.#ghash.reset();
    this.#ghash.absorb(aad, 0, aad.length);
  }

  protected advance(buffer: Uint8Array, at: number, end: number, sealing: boolean): void {
    const blocks = (end - at) >> 4;
    const whole = at + 16 * blocks;
    const { form } = this.#shared;
    if (blocks >= BULK_BLOCKS && this.#shared.blocks >= BULK_AFTER && form.bulk !== undefined)
      this.#bulk(form.bulk, buffer, at, whole, sealing);
    else for (; at < whole; at += 16) this.#block(buffer, at, sealing);
    if (whole < end) this.#rest(buffer, whole, end, sealing);
    this.#shared.blocks += blocks;
  }

  protected finish(tag: Int32Array, aadBytes: number, bytes: number): void {
    this.#counter[3] = 1;
    this.#aes.encrypt(this.#counter, tag);
    this.#ghash.finishInto(tag, aadBytes, bytes);
  }

  protected wipeKey(): void {
    this.#aes.wipe();
    this.#ghash.wipe();
    this.#counter.fill(0);
    this.#stream.fill(0);
    this.#bulkKey = undefined;
    this.#view = undefined;
  }

  #bulk(form: BulkForm<Cipher>, buffer: Uint8Array, at: number, end: number, sealing: boolean): void {
    this.#bulkKey ??= form.key(this.#aes, this.#ghash);
    const view = this.#viewOf(buffer);
    const offset = buffer.byteOffset;
    for (; at < end; at += BULK_BYTES) {
      const stop = offset + Math.min(end, at + BULK_BYTES);
      form.run(this.#bulkKey, this.#counter, view, offset + at, stop, sealing);
    }
  }

  #viewOf(buffer: Uint8Array): DataView {
    const view = this.#view;
    if (view !== undefined && view.buffer === buffer.buffer) return view;
    return (this.#view = new DataView(buffer.buffer));
  }

  /** GCTR and GHASH of a whole block. */
  #block(buffer: Uint8Array, at: number, sealing: boolean): void {
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
    if (sealing) this.#ghash.absorbBlock(out0, out1, out2, out3);
    else this.#ghash.absorbBlock(in0, in1, in2, in3);
  }

  /** The same of the last block, which is not whole. */
  #rest(buffer: Uint8Array, at: number, end: number, sealing: boolean): void {
    const stream = this.#stream;
    this.#counter[3]!++;
    this.#aes.encrypt(this.#counter, stream);
    if (!sealing) this.#ghash.absorb(buffer, at, end);
    for (let i = 0; at + i < end; i++) buffer[at + i]! ^= stream[i >> 2]! >> (24 - 8 * (i & 3));
    if (sealing) this.#ghash.absorb(buffer, at, end);
  }
}
