/**
 * Hash functions as values that a provider is composed of, and what the hashes of the SHA-2 family share: filling blocks,
 * padding, and a digest that leaves the hash running.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import type { Hash, HashName } from "./provider.ts";
import { copyWords, readWords, writeWord } from "./words.ts";

/** A hash function: a piece of a provider. Stateless; `create` makes a running hash. */
export interface HashAlgorithm {
  readonly name: HashName;
  readonly outputBytes: number;
  readonly blockBytes: number;
  /** Cost of compressing one block, in units of work. */
  readonly unitsPerBlock: number;
  create(): RunningHash;
  /** The same with state that belongs to one provider, where it has some. */
  prepare?(): HashAlgorithm;
}

/** A hash with what HMAC and the PRF need to run on words and without allocating. */
export interface RunningHash extends Hash {
  clone(): RunningHash;
  /** Writes the digest at `out[at]` on. Like `digest`, it does not end the hash. */
  digestInto(out: Uint8Array, at: number): void;
  /** The chaining value: big-endian words, of which the first `outputBytes / 4` are the digest after {@link pad}. */
  readonly state: Int32Array;
  /** Compresses the block of big-endian words that starts at `words[at]` into `state`, and nothing else. */
  compress(words: Int32Array, at: number): void;
  /** Goes on from a chaining value that `bytes` bytes in whole blocks have led to. */
  resume(state: Int32Array, bytes: number): void;
  /** Compresses what is left with its padding: `state` is the digest, and the hash ends until it is resumed. */
  pad(): void;
}

/** Units of work of hashing `bytes` bytes and finishing. */
export function digestUnits(algorithm: HashAlgorithm, bytes: number): number {
  // 0x80 and the length need 9 bytes in blocks of 64, 17 in blocks of 128.
  return Math.ceil((bytes + 1 + algorithm.blockBytes / 8) / algorithm.blockBytes) * algorithm.unitsPerBlock;
}

/** The Merkle–Damgård frame of FIPS 180-4: 32-bit words of state, blocks, and the padding of §5.1. */
export abstract class BlockHash implements RunningHash {
  readonly name: HashName;
  readonly outputBytes: number;
  readonly blockBytes: number;
  readonly state: Int32Array;
  readonly #saved: Int32Array;
  /** What came in and does not fill a block yet. */
  readonly #block: Uint8Array;
  /** The block that is compressed. */
  readonly #words: Int32Array;
  #filled = 0;
  #length = 0;

  constructor(name: HashName, outputBytes: number, blockBytes: number, initial: readonly number[]) {
    this.name = name;
    this.outputBytes = outputBytes;
    this.blockBytes = blockBytes;
    this.state = new Int32Array(initial.length);
    for (let i = 0; i < initial.length; i++) this.state[i] = initial[i]!;
    this.#saved = new Int32Array(initial.length);
    this.#block = new Uint8Array(blockBytes);
    this.#words = new Int32Array(blockBytes / 4);
  }

  abstract compress(words: Int32Array, at: number): void;
  protected abstract fresh(): BlockHash;

  update(bytes: Uint8Array): void {
    const { blockBytes } = this;
    let at = 0;
    this.#length += bytes.length;
    if (this.#filled > 0) {
      at = Math.min(blockBytes - this.#filled, bytes.length);
      this.#block.set(at === bytes.length ? bytes : bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < blockBytes) return;
      readWords(this.#words, this.#block);
      this.compress(this.#words, 0);
      this.#filled = 0;
    }
    if (at + blockBytes <= bytes.length) at = this.#compressBlocks(bytes, at);
    if (at < bytes.length) {
      this.#block.set(at === 0 ? bytes : bytes.subarray(at));
      this.#filled = bytes.length - at;
    }
  }

  digest(): Uint8Array {
    const out = new Uint8Array(this.outputBytes);
    this.digestInto(out, 0);
    return out;
  }

  digestInto(out: Uint8Array, at: number): void {
    const { state } = this;
    copyWords(this.#saved, state);
    this.pad();
    for (let i = 0; i < this.outputBytes; i += 4) writeWord(out, at + i, state[i >> 2]!);
    copyWords(state, this.#saved);
  }

  /** Writes only behind what came in, so that a hash whose state is put back can go on. */
  pad(): void {
    const words = this.#words;
    const block = this.#block;
    block[this.#filled] = 0x80;
    block.fill(0, this.#filled + 1);
    readWords(words, block);
    // The length has 8 bytes in blocks of 64, 16 in blocks of 128.
    if (this.#filled + 1 + this.blockBytes / 8 > this.blockBytes) {
      this.compress(words, 0);
      words.fill(0);
    }
    writeLength(words, words.length, this.#length);
    this.compress(words, 0);
  }

  resume(state: Int32Array, bytes: number): void {
    copyWords(this.state, state);
    this.#filled = 0;
    this.#length = bytes;
  }

  clone(): RunningHash {
    const copy = this.fresh();
    copy.state.set(this.state);
    copy.#block.set(this.#block);
    copy.#filled = this.#filled;
    copy.#length = this.#length;
    return copy;
  }

  wipe(): void {
    this.state.fill(0);
    this.#saved.fill(0);
    this.#block.fill(0);
    this.#words.fill(0);
  }

  /** Compresses the whole blocks of `bytes[at…]`, and returns where they end. */
  #compressBlocks(bytes: Uint8Array, at: number): number {
    const { blockBytes } = this;
    const words = this.#words;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (; at + blockBytes <= bytes.length; at += blockBytes) {
      // Four a turn: half of the loop's cost.
      for (let i = 0, from = at; i < words.length; i += 4, from += 16) {
        words[i] = view.getInt32(from);
        words[i + 1] = view.getInt32(from + 4);
        words[i + 2] = view.getInt32(from + 8);
        words[i + 3] = view.getInt32(from + 12);
      }
      this.compress(words, 0);
    }
    return at;
  }
}

/** Writes the length of a message of `bytes` bytes at the end of its last block, which ends at `words[end]` (FIPS 180-4 §5.1). */
export function writeLength(words: Int32Array, end: number, bytes: number): void {
  // In bits. A number of bytes below 2^53 fills two words at most.
  words[end - 2] = bytes / 0x20000000;
  words[end - 1] = bytes << 3;
}

/** The hash of the parts, joined, in slices: {@link CryptoProvider.digest}. */
export class DigestTask implements Task<Uint8Array> {
  readonly #algorithm: HashAlgorithm;
  readonly #hash: RunningHash;
  readonly #parts: readonly Uint8Array[];
  #part = 0;
  #at = 0;
  #spent = 0;
  #result: Uint8Array | undefined;

  constructor(algorithm: HashAlgorithm, parts: readonly Uint8Array[]) {
    this.#algorithm = algorithm;
    this.#hash = algorithm.create();
    this.#parts = parts;
  }

  get spent(): number {
    return this.#spent;
  }

  get result(): Uint8Array {
    if (this.#result === undefined) throw new UsageError("USAGE_WRONG_STATE", "the result of a task that is not done");
    return this.#result;
  }

  step(units: number): boolean {
    if (this.#result !== undefined) return true;
    const { blockBytes, unitsPerBlock } = this.#algorithm;
    const limit = this.#spent + units;
    do {
      const part = this.#parts[this.#part];
      if (part === undefined) {
        this.#result = this.#hash.digest();
        this.#hash.wipe();
        this.#spent += unitsPerBlock;
        return true;
      }
      // At least a block, so that any budget goes on; the whole part where the budget allows it.
      const blocks = Math.max(1, Math.floor((limit - this.#spent) / unitsPerBlock));
      const end = Math.min(part.length, this.#at + blocks * blockBytes);
      this.#hash.update(part.subarray(this.#at, end));
      this.#spent += Math.ceil((end - this.#at) / blockBytes) * unitsPerBlock;
      this.#at = end;
      if (end === part.length) {
        this.#part++;
        this.#at = 0;
      }
    } while (this.#spent < limit);
    return false;
  }
}
