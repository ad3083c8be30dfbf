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
  prepare: () => prepareGcm("aes-128-gcm", tableForm(compiledBulk())),
};

/** AES-256-GCM, as a piece of a provider. */
export const aes256Gcm: AeadAlgorithm = {
  name: "aes-256-gcm",
  keyBytes: 32,
  prepare: () => prepareGcm("aes-256-gcm", tableForm(compiledBulk())),
};

/** Cost of encrypting and hashing one block, in units of work. */
const BLOCK_UNITS = 16;

/** A form for bulk: another shape of the same computation, for many blocks. */
export interface BulkForm<Cipher extends BlockEncryption, Key> {
  /** Blocks that a provider computes before it takes this form. */
  readonly after: number;
  /** Blocks at a time from which it pays. */
  readonly least: number;
  /** It gets a multiple of so many blocks at a time, up to `most`. */
  readonly multiple: number;
  readonly most: number;
  /** What it reads of a key. */
  key(cipher: Cipher, hash: Ghash): Key;
  /**
   * Seals or opens the blocks of `view[at, end)` in place.
   *
   * @param counter - the block of the last counter used: four words, of which the last is counted up.
   */
  run(key: Key, counter: Int32Array, view: DataView, at: number, end: number, sealing: boolean): void;
  /** Overwrites what it keeps of a key beside cipher and hash. */
  wipe?(key: Key): void;
}

/** Cipher and hash in one form, with the tables that all keys of a provider share. */
export interface GcmForm<Cipher extends BlockEncryption, Key> {
  encryption(key: Uint8Array): Cipher;
  ghash(key: Int32Array): Ghash;
  /** `undefined` where the form has none. */
  readonly bulk: BulkForm<Cipher, Key> | undefined;
}

/** With tables for speed: 4 KiB for all keys, and 4 KiB for each. */
export function tableForm<Key>(bulk: BulkForm<Aes, Key> | undefined): GcmForm<Aes, Key> {
  const table = aesTable();
  return { encryption: (key) => new Aes(table, key), ghash: (key) => new Ghash(key), bulk };
}

/**
 * The form for bulk of engines that compile. Compiling it costs V8 about as much as it saves in several MiB, so that a program with little
 * traffic never runs it. Short calls let V8 optimize it as a function: in a long first call it would only optimize the loop, with nothing
 * known of the way into it, and each call after that would begin with a block in slow code.
 */
function compiledBulk(): BulkForm<Aes, BulkKey> | undefined {
  if (!HAS_BULK_FORM) return undefined;
  return { after: 1 << 16, least: 4, multiple: 1, most: 64, key: bulkKey, run: gcmBulk };
}

/** What the keys of a provider share. */
interface Shared<Cipher extends BlockEncryption, Key> {
  readonly form: GcmForm<Cipher, Key>;
  /** Blocks computed so far, by all keys. */
  blocks: number;
}

/** Makes ciphers out of keys, in one form. */
export function prepareGcm<Cipher extends BlockEncryption, Key>(
  name: AeadName,
  form: GcmForm<Cipher, Key>,
): (key: Uint8Array) => Aead {
  const shared: Shared<Cipher, Key> = { form, blocks: 0 };
  return (key) => aeadOf(name, key, new GcmTask(shared, key));
}

class GcmTask<Cipher extends BlockEncryption, Key> extends AeadTask {
  readonly #shared: Shared<Cipher, Key>;
  readonly #aes: Cipher;
  readonly #ghash: Ghash;
  /** The counter block, and what the cipher makes of it. */
  readonly #counter = new Int32Array(4);
  readonly #stream = new Int32Array(4);
  #bulkKey: Key | undefined;
  /** Of the memory last worked on in bulk: most records stand in one buffer. */
  #view: DataView | undefined;

  constructor(shared: Shared<Cipher, Key>, key: Uint8Array) {
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
    const { bulk } = this.#shared.form;
    if (bulk !== undefined && blocks >= bulk.least && this.#shared.blocks >= bulk.after) {
      const bulkEnd = at + 16 * (blocks - (blocks % bulk.multiple));
      this.#bulk(bulk, buffer, at, bulkEnd, sealing);
      at = bulkEnd;
    }
    for (; at < whole; at += 16) this.#block(buffer, at, sealing);
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
    if (this.#bulkKey !== undefined) this.#shared.form.bulk?.wipe?.(this.#bulkKey);
    this.#bulkKey = undefined;
    this.#view = undefined;
  }

  #bulk(form: BulkForm<Cipher, Key>, buffer: Uint8Array, at: number, end: number, sealing: boolean): void {
    this.#bulkKey ??= form.key(this.#aes, this.#ghash);
    const view = this.#viewOf(buffer);
    const offset = buffer.byteOffset;
    const most = 16 * form.most;
    for (; at < end; at += most) {
      const stop = offset + Math.min(end, at + most);
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
