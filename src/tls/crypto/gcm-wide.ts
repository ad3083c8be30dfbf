/**
 * AES-GCM for bulk on engines that interpret (NIST SP 800-38D): a kibibyte at a time, in BigInts that are as wide.
 *
 * To an interpreter an operation on a long number is hardly dearer than one on a short one. So AES is computed on all 64 blocks at
 * once, one BigInt for each bit of a byte ("bit slices"), and GHASH on all blocks of one half of the text, then on a quarter, and
 * so on. No table is indexed by a secret byte of the text here, though BigInt still takes longer for longer numbers.
 *
 * Measured for records of 1 and of 16 KiB, against the tables: half the time on XS, 0.8 on quickjs-ng, about the same on QuickJS of
 * 2025 (both in WebAssembly, where digits of a BigInt have 32 bits), several times as long on V8. It takes 5 KiB of constants, 1.5
 * KiB a key, and some 25 KiB while it runs. Tried and left out: ChaCha20 in this form, which takes as long at 1 KiB on QuickJS and
 * longer on XS, since lanes must be cut apart again. SHA-256 has no such form: its blocks wait for each other.
 *
 * Layout: the text is eight runs of eight blocks. Slice b has a byte for each byte of a run, whose bit c is bit b of that byte in
 * run c: what a transposition of eight by eight bits makes of the runs as big-endian numbers. In GHASH each block has a lane of 256
 * bits, the first block the highest one.
 *
 * @module
 */

import type { Aes } from "./aes.ts";
import type { Ghash } from "./ghash.ts";
import { sboxSlices } from "./sbox-slices.ts";

/** Blocks that are computed at once: 1 KiB, which is 1,024 units of work: a slice of a task should have as many. */
export const WIDE_BLOCKS = 64;

const RUNS = 8;
const RUN_BLOCKS = WIDE_BLOCKS / RUNS;
const BLOCK_BITS = 128n;
const RUN_BITS = 1024n;
const WORD_MASK = 0xffffffffn;
const HALF_MASK = 0xffffffffffffffffn;
const BLOCK_MASK = (1n << BLOCK_BITS) - 1n;

/** Constants of the layout: some 5 KiB, shared by all keys of a provider. */
export interface WideLayout {
  /** One for each block of a run: a pattern of a block times this is the pattern of all of them. */
  readonly each: bigint;
  /** Bit j of the numbers of the blocks, from 0 on, in the last byte of a block. */
  readonly numbers: readonly bigint[];
  /** Bytes of a state by their place, for ShiftRows and MixColumns. */
  readonly rows02: bigint;
  readonly rows13From1: bigint;
  readonly rows13Column0: bigint;
  readonly rows23From2: bigint;
  readonly rows012: bigint;
  readonly row3: bigint;
  readonly rows01: bigint;
  readonly rows23: bigint;
  /** Bits of a byte whose number has not bit 0, 1 or 2. */
  readonly bits: readonly bigint[];
  /** The low halves of 1, 2, 4, … lanes. */
  readonly lanes: readonly bigint[];
}

/** What the wide form reads of a key. */
export interface WideKey {
  readonly layout: WideLayout;
  /** For each round, and each bit of a byte, lowest first: that bit of the round key's bytes, as bytes of ones. */
  readonly roundKeys: readonly (readonly bigint[])[];
  /** For H, H², H⁴, …: its digits of four bits, lowest first. */
  readonly powers: readonly Uint8Array[];
  readonly state: Int32Array;
}

export function wideLayout(): WideLayout {
  let each = 0n;
  const numbers = new Array<bigint>(RUNS).fill(0n);
  for (let block = 0; block < RUN_BLOCKS; block++) {
    each = (each << BLOCK_BITS) | 1n;
    for (let bit = 0; bit < RUNS; bit++) {
      let byte = 0;
      for (let run = 0; run < RUNS; run++) byte |= (((run * RUN_BLOCKS + block) >> bit) & 1) << run;
      numbers[bit] = (numbers[bit]! << BLOCK_BITS) | BigInt(byte);
    }
  }
  const bytes = (isIn: (row: number, column: number) => boolean): bigint =>
    patternOf((place) => (isIn(place & 3, place >> 2) ? 255 : 0)) * each;
  const bits = [0x55, 0x33, 0x0f].map((byte) => patternOf(() => byte) * each);
  const lanes: bigint[] = [];
  for (let count = 1, mask = BLOCK_MASK; count < WIDE_BLOCKS; count *= 2) {
    lanes.push(mask);
    mask |= mask << BigInt(256 * count);
  }
  return {
    each,
    numbers,
    rows02: bytes((row) => row % 2 === 0),
    rows13From1: bytes((row, column) => row % 2 === 1 && column > 0),
    rows13Column0: bytes((row, column) => row % 2 === 1 && column === 0),
    rows23From2: bytes((row, column) => row > 1 && column > 1),
    rows012: bytes((row) => row < 3),
    row3: bytes((row) => row === 3),
    rows01: bytes((row) => row < 2),
    rows23: bytes((row) => row > 1),
    bits,
    lanes,
  };
}

export function wideKey(layout: WideLayout, { roundKeys: words }: Aes, { multiples, state }: Ghash): WideKey {
  const roundKeys: bigint[][] = [];
  for (let at = 0; at < words.length; at += 4) {
    // The constant of SubBytes, which `sboxSlices` leaves out, passes through ShiftRows and MixColumns as it is.
    const constant = at === 0 ? 0 : 0x63;
    roundKeys.push(slicesOf((place) => (words[at + (place >> 2)]! >> (24 - 8 * (place & 3))) ^ constant));
  }
  const powers: Uint8Array[] = [];
  // The multiple by x^0 is the key itself.
  let power = fromWords(multiples.subarray(512, 516));
  for (let count = 1; count < WIDE_BLOCKS; count *= 2) {
    const digits = digitsOf(power);
    powers.push(digits);
    power = multiplyLanes(power, digits, BLOCK_MASK);
  }
  return { layout, roundKeys, powers, state };
}

/** Overwrites what can be; BigInts cannot. */
export function wipeWide({ powers }: WideKey): void {
  for (const digits of powers) digits.fill(0);
}

/**
 * Seals or opens the blocks of `view[at, end)` in place: `end - at` is a multiple of that of {@link WIDE_BLOCKS}.
 *
 * @param counter - the block of the last counter used: four words, of which the last is counted up.
 */
export function gcmWide(
  key: WideKey,
  counter: Int32Array,
  view: DataView,
  at: number,
  end: number,
  sealing: boolean,
): void {
  for (; at < end; at += 16 * WIDE_BLOCKS) {
    const runs = keyStream(key, counter);
    counter[3]! += WIDE_BLOCKS;
    absorb(key, addStream(runs, view, at, sealing));
  }
}

/** Adds a stream to the text, and gives the blocks of the ciphertext, which is what is hashed. */
function addStream(runs: readonly bigint[], view: DataView, at: number, sealing: boolean): bigint[] {
  const blocks: bigint[] = [];
  for (const run of runs)
    for (let shift = RUN_BITS - 64n; shift > 0n; shift -= BLOCK_BITS, at += 16) {
      const in0 = view.getBigUint64(at);
      const in1 = view.getBigUint64(at + 8);
      const out0 = in0 ^ ((run >> shift) & HALF_MASK);
      const out1 = in1 ^ ((run >> (shift - 64n)) & HALF_MASK);
      view.setBigUint64(at, out0);
      view.setBigUint64(at + 8, out1);
      blocks.push(sealing ? (out0 << 64n) | out1 : (in0 << 64n) | in1);
    }
  return blocks;
}

/** What AES makes of the next counters: eight runs of blocks. */
function keyStream({ layout, roundKeys }: WideKey, counter: Int32Array): bigint[] {
  const { each } = layout;
  const last = roundKeys.length - 1;
  const constants = slicesOf((place) => (place < 12 ? counter[place >> 2]! >> (24 - 8 * (place & 3)) : 0));
  let s = counterSlices(layout, counter[3]! + 1);
  for (let bit = 0; bit < 8; bit++) s[bit]! ^= (constants[bit]! ^ roundKeys[0]![bit]!) * each;
  for (let round = 1; round <= last; round++) {
    s = sboxSlices(s);
    for (let bit = 0; bit < 8; bit++) s[bit] = shiftRows(layout, s[bit]!);
    if (round < last) s = mixColumns(layout, s);
    for (let bit = 0; bit < 8; bit++) s[bit]! ^= roundKeys[round]![bit]! * each;
  }
  transpose(layout, s);
  return s;
}

/** The slices of blocks with nothing but a counter of 32 bits in the last word: the first one's, and as many more as the number of the block. */
function counterSlices({ each, numbers }: WideLayout, first: number): bigint[] {
  const ones = 255n * each;
  const slices = new Array<bigint>(8).fill(0n);
  let carry = 0n;
  for (let bit = 0; bit < 32; bit++) {
    const number = numbers[bit] ?? 0n;
    const isSet = ((first >> bit) & 1) === 1;
    const sum = isSet ? number ^ carry ^ ones : number ^ carry;
    carry = isSet ? number | carry : number & carry;
    slices[bit & 7]! |= sum << BigInt(bit & 24);
  }
  return slices;
}

/** ShiftRows (FIPS 197 §5.1.2): rows 2 and 3 by two columns, then rows 1 and 3 by one. */
function shiftRows({ rows23From2, rows02, rows13From1, rows13Column0 }: WideLayout, slice: bigint): bigint {
  const changed = ((slice >> 64n) ^ slice) & rows23From2;
  const x = slice ^ changed ^ (changed << 64n);
  return (x & rows02) | ((x & rows13From1) << 32n) | ((x & rows13Column0) >> 96n);
}

/** MixColumns (FIPS 197 §5.1.3): 2 times a byte and the next, and the next, and the two after. */
function mixColumns({ rows012, row3, rows01, rows23 }: WideLayout, slices: readonly bigint[]): bigint[] {
  const both: bigint[] = [];
  const rest: bigint[] = [];
  for (const slice of slices) {
    const next = ((slice << 8n) & rows012) | ((slice >> 24n) & row3);
    const sum = slice ^ next;
    both.push(sum);
    rest.push(next ^ ((sum << 16n) & rows01) ^ ((sum >> 16n) & rows23));
  }
  const high = both[7]!;
  return [
    rest[0]! ^ high,
    rest[1]! ^ both[0]! ^ high,
    rest[2]! ^ both[1]!,
    rest[3]! ^ both[2]! ^ high,
    rest[4]! ^ both[3]! ^ high,
    rest[5]! ^ both[4]!,
    rest[6]! ^ both[5]!,
    rest[7]! ^ both[6]!,
  ];
}

/** Slices to runs, or back: bit c of each byte in number b changes places with bit b in number c. */
function transpose({ bits }: WideLayout, numbers: bigint[]): void {
  for (let level = 0; level < 3; level++) {
    const distance = 1 << level;
    const shift = BigInt(distance);
    const mask = bits[level]!;
    for (let i = 0; i < 8; i++) {
      if ((i & distance) !== 0) continue;
      const changed = ((numbers[i]! >> shift) ^ numbers[i + distance]!) & mask;
      numbers[i + distance]! ^= changed;
      numbers[i]! ^= changed << shift;
    }
  }
}

/**
 * Adds the state to the first block, and takes Σ blockᵢ·H^(n - i) for the new one: the upper half of the lanes times a power, and the
 * lower half, until one is left.
 */
function absorb({ layout, powers, state }: WideKey, blocks: bigint[]): void {
  blocks[0]! ^= fromWords(state);
  let parts = blocks;
  for (let bits = 256n; parts.length > 1; bits *= 2n) {
    const joined: bigint[] = [];
    for (let i = 0; i < parts.length; i += 2) joined.push((parts[i]! << bits) | parts[i + 1]!);
    parts = joined;
  }
  let sum = parts[0]!;
  for (let level = powers.length - 1; level >= 0; level--) {
    const bits = BigInt(256 << level);
    const upper = multiplyLanes(sum >> bits, powers[level]!, layout.lanes[level]!);
    sum = upper ^ (sum & ((1n << bits) - 1n));
  }
  sum = multiplyLanes(sum, powers[0]!, BLOCK_MASK);
  for (let i = 3; i >= 0; i--, sum >>= 32n) state[i] = Number(sum & WORD_MASK);
}

/**
 * Each lane times a constant, given by its digits, in the field of GHASH. The first bit of a block, the highest of its number, is
 * the coefficient of x^0; so the product of the numbers, as polynomials, is that of the blocks once it is shifted by one.
 */
function multiplyLanes(lanes: bigint, digits: Uint8Array, mask: bigint): bigint {
  const multiples = [0n, lanes];
  for (let i = 2; i < 16; i += 2) {
    const even = multiples[i >> 1]! << 1n;
    multiples.push(even, even ^ lanes);
  }
  let product = 0n;
  for (let i = digits.length - 1; i >= 0; i--) product = (product << 4n) ^ multiples[digits[i]!]!;
  product <<= 1n;
  // x^128 = 1 + x + x^2 + x^7, and what falls out of a lane that way is folded once more.
  const low = product & mask;
  const folded = low ^ (((low << 127n) ^ (low << 126n) ^ (low << 121n)) & mask);
  return ((product >> 128n) ^ folded ^ (folded >> 1n) ^ (folded >> 2n) ^ (folded >> 7n)) & mask;
}

/** For each bit of a byte, lowest first: that bit of the sixteen bytes of a block, as bytes of ones. */
function slicesOf(byteAt: (place: number) => number): bigint[] {
  const slices: bigint[] = [];
  for (let bit = 0; bit < 8; bit++) slices.push(patternOf((place) => ((byteAt(place) >> bit) & 1) * 255));
  return slices;
}

/** Sixteen bytes as one number, the first the highest. */
function patternOf(byteAt: (place: number) => number): bigint {
  let pattern = 0n;
  for (let word = 0; word < 16; word += 4) {
    const [a, b, c, d] = [byteAt(word), byteAt(word + 1), byteAt(word + 2), byteAt(word + 3)];
    pattern = (pattern << 32n) | BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  }
  return pattern;
}

function fromWords(words: Int32Array): bigint {
  let value = 0n;
  for (let i = 0; i < 4; i++) value = (value << 32n) | BigInt(words[i]! >>> 0);
  return value;
}

/** The 32 digits of four bits of a block, lowest first. */
function digitsOf(value: bigint): Uint8Array {
  const digits = new Uint8Array(32);
  let rest = value;
  for (let i = 0; i < 32; i++, rest >>= 4n) digits[i] = Number(rest & 15n);
  return digits;
}
