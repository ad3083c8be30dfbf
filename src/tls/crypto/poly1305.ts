/**
 * The one-time authenticator Poly1305 (RFC 8439 §2.5): numbers modulo 2^130 - 5 in six limbs of 22 bits, held in doubles.
 *
 * A product of limbs has at most 22 + 27 bits with the factor that the reduction brings, and six of them 52: all sums are exact.
 * No branch and no index depends on a secret.
 *
 * @module
 */

import { readLittleWord } from "./chacha20.ts";

const LIMB = 0x400000;
const INVERSE = 1 / LIMB;
const MASK = LIMB - 1;

/** Poly1305, running: set a key, absorb, finish. */
export class Poly1305 {
  /** r, and r times 20: 2^132 is 20 modulo 2^130 - 5. */
  readonly #r = new Float64Array(6);
  readonly #r20 = new Float64Array(6);
  /** The half of the key that is added at the end. */
  readonly #s = new Int32Array(4);
  readonly #h = new Float64Array(6);
  /** A last block that is not whole. */
  readonly #block = new Uint8Array(16);

  /** Starts with a one-time key of eight little-endian words: r, which is clamped here, and s. */
  start(key: Int32Array): void {
    // RFC 8439 §2.5: the top four bits of each word, and the low two of all but the first, are cleared.
    const w = key[0]! & 0x0fffffff;
    const x = key[1]! & 0x0ffffffc;
    const y = key[2]! & 0x0ffffffc;
    const z = key[3]! & 0x0ffffffc;
    const r = this.#r;
    r[0] = w & MASK;
    r[1] = ((w >> 22) | (x << 10)) & MASK;
    r[2] = ((x >> 12) | (y << 20)) & MASK;
    r[3] = (y >> 2) & MASK;
    r[4] = ((y >> 24) | (z << 8)) & MASK;
    r[5] = z >> 14;
    for (let i = 0; i < 6; i++) this.#r20[i] = 20 * r[i]!;
    for (let i = 0; i < 4; i++) this.#s[i] = key[4 + i]!;
    this.#h.fill(0);
  }

  /** Absorbs `bytes[at, end)`, filled up with zeros to whole blocks as the AEAD wants it (RFC 8439 §2.8). */
  absorb(bytes: Uint8Array, at: number, end: number): void {
    for (; at + 16 <= end; at += 16) this.#absorbBlock(bytes, at);
    if (at === end) return;
    this.#block.set(bytes.subarray(at, end));
    this.#block.fill(0, end - at);
    this.#absorbBlock(this.#block, 0);
  }

  /** Absorbs the block of the lengths (RFC 8439 §2.8) and writes the tag: four little-endian words. */
  finish(tag: Int32Array, aadBytes: number, bytes: number): void {
    const block = this.#block.fill(0);
    for (let i = 0; i < 4; i++) {
      block[i] = aadBytes >> (8 * i);
      block[8 + i] = bytes >> (8 * i);
    }
    this.#absorbBlock(block, 0);
    const h = this.#h;
    // A second round of carries makes the limbs the only ones of a number below 2^130 + a little.
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < 5; i++) {
        const carry = Math.floor(h[i]! * INVERSE);
        h[i]! -= carry * LIMB;
        h[i + 1]! += carry;
      }
      const over = Math.floor(h[5]! / 0x100000);
      h[5]! -= over * 0x100000;
      h[0]! += 5 * over;
    }
    // h + 5 reaches 2^130 exactly where h is not reduced yet.
    let carry = 5;
    for (let i = 0; i < 5; i++) carry = Math.floor((h[i]! + carry) * INVERSE);
    const excess = Math.floor((h[5]! + carry) / 0x100000);
    carry = 5 * excess;
    for (let i = 0; i < 6; i++) {
      const sum = h[i]! + carry;
      carry = Math.floor(sum * INVERSE);
      h[i] = sum - carry * LIMB;
    }
    // Modulo 2^128, so that what is above is left out.
    const [a, b, c, d, e, f] = [h[0]!, h[1]!, h[2]!, h[3]!, h[4]!, h[5]!];
    const words = [a | (b << 22), (b >> 10) | (c << 12), (c >> 20) | (d << 2) | (e << 24), (e >> 8) | (f << 14)];
    carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum = (words[i]! >>> 0) + (this.#s[i]! >>> 0) + carry;
      tag[i] = sum;
      carry = Math.floor(sum / 0x100000000);
    }
    this.wipe();
  }

  wipe(): void {
    this.#r.fill(0);
    this.#r20.fill(0);
    this.#s.fill(0);
    this.#h.fill(0);
    this.#block.fill(0);
  }

  /** h = (h + block + 2^128) r */
  #absorbBlock(bytes: Uint8Array, at: number): void {
    const h = this.#h;
    const r = this.#r;
    const q = this.#r20;
    const w = readLittleWord(bytes, at);
    const x = readLittleWord(bytes, at + 4);
    const y = readLittleWord(bytes, at + 8);
    const z = readLittleWord(bytes, at + 12);
    const a = h[0]! + (w & MASK);
    const b = h[1]! + (((w >>> 22) | (x << 10)) & MASK);
    const c = h[2]! + (((x >>> 12) | (y << 20)) & MASK);
    const d = h[3]! + ((y >>> 2) & MASK);
    const e = h[4]! + (((y >>> 24) | (z << 8)) & MASK);
    const f = h[5]! + ((z >>> 14) | 0x40000);
    const r0 = r[0]!;
    const r1 = r[1]!;
    const r2 = r[2]!;
    const r3 = r[3]!;
    const r4 = r[4]!;
    const r5 = r[5]!;
    const q1 = q[1]!;
    const q2 = q[2]!;
    const q3 = q[3]!;
    const q4 = q[4]!;
    const q5 = q[5]!;
    let sum = a * r0 + b * q5 + c * q4 + d * q3 + e * q2 + f * q1;
    let carry = Math.floor(sum * INVERSE);
    const low = sum - carry * LIMB;
    sum = a * r1 + b * r0 + c * q5 + d * q4 + e * q3 + f * q2 + carry;
    carry = Math.floor(sum * INVERSE);
    const next = sum - carry * LIMB;
    sum = a * r2 + b * r1 + c * r0 + d * q5 + e * q4 + f * q3 + carry;
    carry = Math.floor(sum * INVERSE);
    h[2] = sum - carry * LIMB;
    sum = a * r3 + b * r2 + c * r1 + d * r0 + e * q5 + f * q4 + carry;
    carry = Math.floor(sum * INVERSE);
    h[3] = sum - carry * LIMB;
    sum = a * r4 + b * r3 + c * r2 + d * r1 + e * r0 + f * q5 + carry;
    carry = Math.floor(sum * INVERSE);
    h[4] = sum - carry * LIMB;
    sum = a * r5 + b * r4 + c * r3 + d * r2 + e * r1 + f * r0 + carry;
    carry = Math.floor(sum * INVERSE);
    h[5] = sum - carry * LIMB;
    // What is above 2^132 comes back 20 times, and leaves the limbs below 2^22 but for a carry that the next product has room for.
    sum = low + 20 * carry;
    carry = Math.floor(sum * INVERSE);
    h[0] = sum - carry * LIMB;
    h[1] = next + carry;
  }
}
