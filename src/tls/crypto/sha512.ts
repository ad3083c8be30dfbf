/**
 * SHA-512 and SHA-384 (FIPS 180-4 §6.4, §6.5) on halves of 32 bits: 64-bit words as BigInt would allocate at each step.
 *
 * A word is a pair of an upper half `…h` and a lower half `…l`. Lower halves are added as unsigned numbers, whose sum stays
 * exact in a double, and what is above 32 bits is the carry.
 *
 * @module
 */

import { BlockHash, type HashAlgorithm } from "./hash.ts";
import type { HashName } from "./provider.ts";
import { INITIAL_384, INITIAL_512, ROUND_HIGH, ROUND_LOW } from "./sha2-constants.ts";

/** SHA-384, as a piece of a provider. */
export const sha384: HashAlgorithm = {
  name: "sha384",
  outputBytes: 48,
  blockBytes: 128,
  unitsPerBlock: 128,
  create: () => new Sha512("sha384", 48, INITIAL_384),
};

/** SHA-512, as a piece of a provider. */
export const sha512: HashAlgorithm = {
  name: "sha512",
  outputBytes: 64,
  blockBytes: 128,
  unitsPerBlock: 128,
  create: () => new Sha512("sha512", 64, INITIAL_512),
};

const CARRY = 0x100000000;

class Sha512 extends BlockHash {
  readonly #initial: readonly number[];
  readonly #high = new Int32Array(80);
  readonly #low = new Int32Array(80);

  constructor(name: HashName, outputBytes: number, initial: readonly number[]) {
    super(name, outputBytes, 128, initial);
    this.#initial = initial;
  }

  protected fresh(): BlockHash {
    return new Sha512(this.name, this.outputBytes, this.#initial);
  }

  override wipe(): void {
    super.wipe();
    this.#high.fill(0);
    this.#low.fill(0);
  }

  compress(words: Int32Array, at: number): void {
    const { state } = this;
    const wh = this.#high;
    const wl = this.#low;
    for (let i = 0; i < 16; i++) {
      wh[i] = words[at + 2 * i]!;
      wl[i] = words[at + 2 * i + 1]!;
    }
    for (let i = 16; i < 80; i++) {
      const xh = wh[i - 15]!;
      const xl = wl[i - 15]!;
      const s0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
      const s0l = ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
      const yh = wh[i - 2]!;
      const yl = wl[i - 2]!;
      const s1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
      const s1l = ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
      const low = (s0l >>> 0) + (s1l >>> 0) + (wl[i - 7]! >>> 0) + (wl[i - 16]! >>> 0);
      wh[i] = s0h + s1h + wh[i - 7]! + wh[i - 16]! + ((low / CARRY) | 0);
      wl[i] = low;
    }
    let ah = state[0]!;
    let al = state[1]!;
    let bh = state[2]!;
    let bl = state[3]!;
    let ch = state[4]!;
    let cl = state[5]!;
    let dh = state[6]!;
    let dl = state[7]!;
    let eh = state[8]!;
    let el = state[9]!;
    let fh = state[10]!;
    let fl = state[11]!;
    let gh = state[12]!;
    let gl = state[13]!;
    let hh = state[14]!;
    let hl = state[15]!;
    for (let i = 0; i < 80; i++) {
      const s1h = ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
      const s1l = ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
      const chh = gh ^ (eh & (fh ^ gh));
      const chl = gl ^ (el & (fl ^ gl));
      const t1l = (hl >>> 0) + (s1l >>> 0) + (chl >>> 0) + (ROUND_LOW[i]! >>> 0) + (wl[i]! >>> 0);
      const t1h = (hh + s1h + chh + ROUND_HIGH[i]! + wh[i]! + ((t1l / CARRY) | 0)) | 0;
      const s0h = ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
      const s0l = ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
      const majh = (ah & bh) ^ (ch & (ah ^ bh));
      const majl = (al & bl) ^ (cl & (al ^ bl));
      hh = gh;
      hl = gl;
      gh = fh;
      gl = fl;
      fh = eh;
      fl = el;
      const nextE = (dl >>> 0) + ((t1l | 0) >>> 0);
      eh = (dh + t1h + ((nextE / CARRY) | 0)) | 0;
      el = nextE | 0;
      dh = ch;
      dl = cl;
      ch = bh;
      cl = bl;
      bh = ah;
      bl = al;
      const nextA = ((t1l | 0) >>> 0) + (s0l >>> 0) + (majl >>> 0);
      ah = (t1h + s0h + majh + ((nextA / CARRY) | 0)) | 0;
      al = nextA | 0;
    }
    this.#add(0, ah, al);
    this.#add(2, bh, bl);
    this.#add(4, ch, cl);
    this.#add(6, dh, dl);
    this.#add(8, eh, el);
    this.#add(10, fh, fl);
    this.#add(12, gh, gl);
    this.#add(14, hh, hl);
  }

  #add(at: number, high: number, low: number): void {
    const { state } = this;
    const sum = (state[at + 1]! >>> 0) + (low >>> 0);
    state[at + 1] = sum;
    state[at]! += high + ((sum / CARRY) | 0);
  }
}
