/**
 * HMAC (RFC 2104) with the two chaining values behind the key blocks kept, so that each MAC costs two compressions less.
 *
 * @module
 */

import { digestUnits, type HashAlgorithm, type RunningHash, writeLength } from "./hash.ts";
import { copyWords, writeWord } from "./words.ts";

/** HMAC with one key. `wipe` it when the key is no longer needed. */
export class Hmac {
  readonly #algorithm: HashAlgorithm;
  readonly #hash: RunningHash;
  /** Chaining values behind the inner and the outer key block. */
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;
  /** A digest as the message behind a key block, padded: what the outer hash is over, and often the inner one. */
  readonly #block: Int32Array;

  constructor(algorithm: HashAlgorithm, key: Uint8Array) {
    const { blockBytes, outputBytes } = algorithm;
    const block = new Int32Array(blockBytes / 4);
    if (key.length > blockBytes) {
      const hash = algorithm.create();
      hash.update(key);
      hash.pad();
      for (let i = 0; i < outputBytes / 4; i++) block[i] = hash.state[i]!;
      hash.wipe();
    } else for (let i = 0; i < key.length; i++) block[i >> 2]! |= key[i]! << (24 - 8 * (i & 3));
    const hash = algorithm.create();
    // The initial value, until the inner one is known.
    this.#outer = copyOf(hash.state);
    for (let i = 0; i < block.length; i++) block[i]! ^= 0x36363636;
    hash.compress(block, 0);
    this.#inner = copyOf(hash.state);
    copyWords(hash.state, this.#outer);
    for (let i = 0; i < block.length; i++) block[i]! ^= 0x36363636 ^ 0x5c5c5c5c;
    hash.compress(block, 0);
    copyWords(this.#outer, hash.state);
    block.fill(0);
    block[outputBytes / 4] = 0x80 << 24;
    writeLength(block, block.length, blockBytes + outputBytes);
    this.#algorithm = algorithm;
    this.#hash = hash;
    this.#block = block;
  }

  /** The MAC that was computed last: the first words of it. */
  get words(): Int32Array {
    return this.#hash.state;
  }

  /** Puts {@link running} behind the inner key block: what it is led over is the message. Then {@link end}. */
  begin(): void {
    this.#hash.resume(this.#inner, this.#algorithm.blockBytes);
  }

  /** The hash over the message. */
  get running(): RunningHash {
    return this.#hash;
  }

  /** The MAC of what led to the state of {@link running}, with its padding, into {@link words}. */
  end(): void {
    this.#putDigest(this.#hash.state);
    copyWords(this.#hash.state, this.#outer);
    this.#hash.compress(this.#block, 0);
  }

  /** The MAC of the parts, joined, into {@link words}. */
  compute(parts: readonly Uint8Array[]): void {
    this.begin();
    for (const part of parts) this.#hash.update(part);
    this.#hash.pad();
    this.end();
  }

  /** The MAC of a message in blocks that {@link paddedBlocks} has made, into {@link words}. */
  computePadded(blocks: readonly Int32Array[]): void {
    const hash = this.#hash;
    copyWords(hash.state, this.#inner);
    for (let i = 0; i < blocks.length; i++) hash.compress(blocks[i]!, 0);
    this.end();
  }

  /** The MAC of a message of as many words as a digest has, into {@link words}. `message` may be those. */
  computeWords(message: Int32Array): void {
    this.#putDigest(message);
    copyWords(this.#hash.state, this.#inner);
    this.#hash.compress(this.#block, 0);
    this.end();
  }

  /** Writes the MAC of the parts, joined, at `out[at]` on. `out` may be one of the parts. */
  computeInto(out: Uint8Array, at: number, parts: readonly Uint8Array[]): void {
    this.compute(parts);
    for (let i = 0; i < this.#algorithm.outputBytes; i += 4) writeWord(out, at + i, this.words[i >> 2]!);
  }

  wipe(): void {
    this.#hash.wipe();
    this.#inner.fill(0);
    this.#outer.fill(0);
    this.#block.fill(0);
  }

  #putDigest(words: Int32Array): void {
    for (let i = 0; i < this.#algorithm.outputBytes / 4; i++) this.#block[i] = words[i]!;
  }
}

/**
 * `room` bytes of zeros and the parts, joined, as the blocks of a MAC's message, padded. Blocks of their own, since V8 keeps arrays of 64 bytes in its heap, and
 * larger ones outside, which costs several times as much.
 */
export function paddedBlocks(
  algorithm: HashAlgorithm,
  room: number,
  parts: readonly Uint8Array[],
): readonly Int32Array[] {
  const { blockBytes, unitsPerBlock } = algorithm;
  let bytes = room;
  for (const part of parts) bytes += part.length;
  const blocks: Int32Array[] = [];
  for (let left = digestUnits(algorithm, bytes); left > 0; left -= unitsPerBlock)
    blocks.push(new Int32Array(blockBytes / 4));
  let index = Math.floor(room / blockBytes);
  let at = room % blockBytes;
  for (const part of parts)
    for (let i = 0; i < part.length; i++) {
      blocks[index]![at >> 2]! |= part[i]! << (24 - 8 * (at & 3));
      if (++at === blockBytes) {
        at = 0;
        index++;
      }
    }
  blocks[index]![at >> 2]! |= 0x80 << (24 - 8 * (at & 3));
  writeLength(blocks[blocks.length - 1]!, blockBytes / 4, blockBytes + bytes);
  return blocks;
}

function copyOf(words: Int32Array): Int32Array {
  const copy = new Int32Array(words.length);
  copyWords(copy, words);
  return copy;
}

/** Units of work of one MAC over `bytes` bytes, without the key's set-up. */
export function hmacUnits(algorithm: HashAlgorithm, bytes: number): number {
  return digestUnits(algorithm, bytes) + digestUnits(algorithm, algorithm.outputBytes);
}

/** Units of work of setting up a key. */
export function hmacKeyUnits(algorithm: HashAlgorithm, keyBytes: number): number {
  return 2 * algorithm.unitsPerBlock + (keyBytes > algorithm.blockBytes ? digestUnits(algorithm, keyBytes) : 0);
}
