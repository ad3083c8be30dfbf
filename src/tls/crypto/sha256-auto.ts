/**
 * SHA-256 (FIPS 180-4 §6.2) in two shapes: a loop over the rounds for a provider's first blocks, all rounds written out (`sha256.ts`)
 * after them.
 *
 * V8 optimizes on another thread what is called often. For the written-out rounds that takes three times the CPU time that it takes for the
 * loop: the first 2,000 blocks of a process, twenty handshakes, cost 75 ms with them and 41 with the loop. Optimized, the loop takes twice as
 * long as they do, so that it may go on for long before that is lost. On engines that only interpret, the written-out rounds are the
 * faster ones from the first block on: a module of its own, so that a bundle for them need not have the loop.
 *
 * @module
 */

import type { HashAlgorithm } from "./hash.ts";
import { ROUND_HIGH } from "./sha2-constants.ts";
import { Sha256, sha256 } from "./sha256.ts";

/** Blocks of a provider that go through the loop: 4 MiB. */
const WRITTEN_OUT_AFTER = 1 << 16;

/** SHA-256 for engines that compile, as a piece of a provider. */
export const sha256Auto: HashAlgorithm = {
  ...sha256,
  prepare() {
    const shared: Shared = { left: WRITTEN_OUT_AFTER, schedule: new Int32Array(64) };
    return { ...sha256, create: () => new AutoSha256(shared) };
  },
};

/** What the hashes of a provider share. */
interface Shared {
  /** Blocks that still go through the loop. */
  left: number;
  /** The message schedule of the block that was compressed last. */
  readonly schedule: Int32Array;
}

class AutoSha256 extends Sha256 {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    super();
    this.#shared = shared;
  }

  protected override fresh(): Sha256 {
    return new AutoSha256(this.#shared);
  }

  override compress(words: Int32Array, at: number): void {
    const shared = this.#shared;
    if (shared.left === 0) {
      super.compress(words, at);
      return;
    }
    shared.left--;
    compressInLoop(this.state, words, at, shared.schedule);
  }

  override wipe(): void {
    super.wipe();
    this.#shared.schedule.fill(0);
  }
}

/** One block. Sums are cut to 32 bits one by one: a longer one would be a number on V8's heap while it interprets. */
function compressInLoop(state: Int32Array, words: Int32Array, at: number, w: Int32Array): void {
  for (let i = 0; i < 16; i++) w[i] = words[at + i]!;
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const t = (w[i - 16]! + w[i - 7]!) | 0;
    const u = (t + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))) | 0;
    w[i] = u + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    let t = (h + ROUND_HIGH[i]!) | 0;
    t = (t + w[i]!) | 0;
    t = (t + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7)))) | 0;
    t = (t + (g ^ (e & (f ^ g)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t) | 0;
    t = (t + (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10)))) | 0;
    t = (t + ((a & b) ^ (c & (a ^ b)))) | 0;
    d = c;
    c = b;
    b = a;
    a = t;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}
