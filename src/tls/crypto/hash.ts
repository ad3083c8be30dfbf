/**
 * Hash functions as values that a provider is composed of, and what the hashes of the SHA-2 family share: filling blocks,
 * padding, and a digest that leaves the hash running.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import type { Hash, HashName } from "./provider.ts";

/** A hash function: a piece of a provider. Stateless; `create` makes a running hash. */
export interface HashAlgorithm {
  readonly name: HashName;
  readonly outputBytes: number;
  readonly blockBytes: number;
  /** Cost of compressing one block, in units of work. */
  readonly unitsPerBlock: number;
  create(): RunningHash;
}

/** A hash with what HMAC and the PRF need to run without allocating. */
export interface RunningHash extends Hash {
  clone(): RunningHash;
  /** Goes on from where `other`, a hash of the same function, is. */
  restore(other: RunningHash): void;
  /** Writes the digest at `out[at]` on. Like `digest`, it does not end the hash. */
  digestInto(out: Uint8Array, at: number): void;
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
  protected readonly state: Int32Array;
  readonly #saved: Int32Array;
  readonly #block: Uint8Array;
  readonly #last: Uint8Array;
  #filled = 0;
  #length = 0;

  constructor(name: HashName, outputBytes: number, blockBytes: number, initial: readonly number[]) {
    this.name = name;
    this.outputBytes = outputBytes;
    this.blockBytes = blockBytes;
    this.state = new Int32Array(initial);
    this.#saved = new Int32Array(initial.length);
    this.#block = new Uint8Array(blockBytes);
    this.#last = new Uint8Array(2 * blockBytes);
  }

  /** Compresses `bytes[at, at + blockBytes)` into `state`. */
  protected abstract compress(bytes: Uint8Array, at: number): void;
  protected abstract fresh(): BlockHash;
  /** Overwrites what `compress` left behind. */
  protected abstract wipeSchedule(): void;

  update(bytes: Uint8Array): void {
    const block = this.blockBytes;
    let at = 0;
    this.#length += bytes.length;
    if (this.#filled > 0) {
      at = Math.min(block - this.#filled, bytes.length);
      this.#block.set(bytes.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < block) return;
      this.compress(this.#block, 0);
      this.#filled = 0;
    }
    for (; at + block <= bytes.length; at += block) this.compress(bytes, at);
    if (at < bytes.length) {
      this.#block.set(bytes.subarray(at));
      this.#filled = bytes.length - at;
    }
  }

  digest(): Uint8Array {
    const out = new Uint8Array(this.outputBytes);
    this.digestInto(out, 0);
    return out;
  }

  digestInto(out: Uint8Array, at: number): void {
    const { blockBytes: block, state } = this;
    const last = this.#last;
    const end = this.#filled + 1 + block / 8 <= block ? block : 2 * block;
    this.#saved.set(state);
    last.set(this.#block.subarray(0, this.#filled));
    last[this.#filled] = 0x80;
    last.fill(0, this.#filled + 1, end);
    // The length in bits: a number of bytes below 2^53 fills at most the last eight bytes of the field.
    const high = Math.floor(this.#length / 0x20000000);
    const low = this.#length << 3;
    for (let i = 0; i < 4; i++) {
      last[end - 1 - i] = low >>> (8 * i);
      last[end - 5 - i] = high >>> (8 * i);
    }
    this.compress(last, 0);
    if (end > block) this.compress(last, block);
    for (let i = 0; i < this.outputBytes; i++) out[at + i] = state[i >> 2]! >> (24 - 8 * (i & 3));
    state.set(this.#saved);
  }

  clone(): RunningHash {
    const copy = this.fresh();
    copy.restore(this);
    return copy;
  }

  restore(other: RunningHash): void {
    if (!(other instanceof BlockHash) || other.name !== this.name)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "restore takes a hash of the same function");
    this.state.set(other.state);
    this.#block.set(other.#block);
    this.#filled = other.#filled;
    this.#length = other.#length;
  }

  wipe(): void {
    this.state.fill(0);
    this.#saved.fill(0);
    this.#block.fill(0);
    this.#last.fill(0);
    this.wipeSchedule();
  }
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
