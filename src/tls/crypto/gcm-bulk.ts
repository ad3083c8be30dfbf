/**
 * The inner loop of AES-GCM for bulk (NIST SP 800-38D §6.5, §7): cipher and GHASH in one pass over whole blocks.
 *
 * The same computation as `Aes.encrypt` and `Ghash.absorbBlock`, written into one function so that a processor overlaps the hash of a
 * block with the cipher of the next one, and unrolled. It is two thirds of their time once it is compiled, and much more until then: see
 * `compiledBulk` in `aes-gcm.ts`.
 *
 * @module
 */

import { type Aes, nextRow } from "./aes.ts";
import type { Ghash } from "./ghash.ts";

/** What the bulk form reads of a key. */
export interface BulkKey {
  /** {@link Aes.table}, whose first 256 words are read. */
  readonly table: Int32Array;
  readonly roundKeys: Int32Array;
  /** {@link Ghash.multiples}, through a view: V8 then computes an address in fewer steps, which is a seventh of the whole time. */
  readonly multiples: DataView;
  readonly state: Int32Array;
}

/** Whether {@link gcmBulk} computes right on this machine: the view reads the tables' words as little-endian ones. */
export const HAS_BULK_FORM = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function bulkKey({ table, roundKeys }: Aes, { multiples, state }: Ghash): BulkKey {
  return { table, roundKeys, multiples: new DataView(multiples.buffer), state };
}

/**
 * Seals or opens the whole blocks of `view[at, end)` in place: `end - at` is a multiple of 16.
 *
 * @param counter - the block of the last counter used: four words, of which the last is counted up.
 */
export function gcmBulk(
  { table: t, roundKeys: keys, multiples: m, state }: BulkKey,
  counter: Int32Array,
  view: DataView,
  at: number,
  end: number,
  sealing: boolean,
): void {
  const last = keys.length - 4;
  // In locals, since V8 would check the bounds of each for every block.
  const k3 = keys[3]!;
  const k0 = keys[0]!;
  const k1 = keys[1]!;
  const k2 = keys[2]!;
  const k4 = keys[4]!;
  const k5 = keys[5]!;
  const k6 = keys[6]!;
  const k7 = keys[7]!;
  const k8 = keys[8]!;
  const k9 = keys[9]!;
  const k10 = keys[10]!;
  const k11 = keys[11]!;
  const k12 = keys[12]!;
  const k13 = keys[13]!;
  const k14 = keys[14]!;
  const k15 = keys[15]!;
  const k16 = keys[16]!;
  const k17 = keys[17]!;
  const k18 = keys[18]!;
  const k19 = keys[19]!;
  const k20 = keys[20]!;
  const k21 = keys[21]!;
  const k22 = keys[22]!;
  const k23 = keys[23]!;
  const k24 = keys[24]!;
  const k25 = keys[25]!;
  const k26 = keys[26]!;
  const k27 = keys[27]!;
  const k28 = keys[28]!;
  const k29 = keys[29]!;
  const k30 = keys[30]!;
  const k31 = keys[31]!;
  const k32 = keys[32]!;
  const k33 = keys[33]!;
  const k34 = keys[34]!;
  const k35 = keys[35]!;
  const k36 = keys[36]!;
  const k37 = keys[37]!;
  const k38 = keys[38]!;
  const k39 = keys[39]!;
  let count = counter[3]!;
  let y0 = state[0]!;
  let y1 = state[1]!;
  let y2 = state[2]!;
  let y3 = state[3]!;
  // In 255 of 256 blocks only the last byte of the counter changes: what the other bytes give in rounds 1 and 2 is kept. Its byte
  // enters the first column of round 1, and by that one byte each column of round 2.
  let first = 0;
  let second0 = 0;
  let second1 = 0;
  let second2 = 0;
  let second3 = 0;
  let kept = false;
  for (; at < end; at += 16) {
    count = (count + 1) | 0;
    const z = count ^ k3;
    if (!kept || (count & 255) === 0) {
      kept = true;
      const w = counter[0]! ^ k0;
      const x = counter[1]! ^ k1;
      const y = counter[2]! ^ k2;
      first = t[w >>> 24]! ^ nextRow(t[(x >> 16) & 255]! ^ nextRow(t[(y >> 8) & 255]!)) ^ k4;
      const f = t[x >>> 24]! ^ nextRow(t[(y >> 16) & 255]! ^ nextRow(t[(z >> 8) & 255]! ^ nextRow(t[w & 255]!))) ^ k5;
      const g = t[y >>> 24]! ^ nextRow(t[(z >> 16) & 255]! ^ nextRow(t[(w >> 8) & 255]! ^ nextRow(t[x & 255]!))) ^ k6;
      const h = t[z >>> 24]! ^ nextRow(t[(w >> 16) & 255]! ^ nextRow(t[(x >> 8) & 255]! ^ nextRow(t[y & 255]!))) ^ k7;
      second0 = nextRow(t[(f >> 16) & 255]! ^ nextRow(t[(g >> 8) & 255]! ^ nextRow(t[h & 255]!))) ^ k8;
      second1 = t[f >>> 24]! ^ nextRow(t[(g >> 16) & 255]! ^ nextRow(t[(h >> 8) & 255]!)) ^ k9;
      second2 = t[g >>> 24]! ^ nextRow(t[(h >> 16) & 255]! ^ nextRow(nextRow(t[f & 255]!))) ^ k10;
      second3 = t[h >>> 24]! ^ nextRow(nextRow(t[(f >> 8) & 255]! ^ nextRow(t[g & 255]!))) ^ k11;
    }
    let e = first ^ nextRow(nextRow(nextRow(t[z & 255]!)));
    let a = second0 ^ t[e >>> 24]!;
    let b = second1 ^ nextRow(nextRow(nextRow(t[e & 255]!)));
    let c = second2 ^ nextRow(nextRow(t[(e >> 8) & 255]!));
    let d = second3 ^ nextRow(t[(e >> 16) & 255]!);

    let f = 0;
    let g = 0;
    let h = 0;
    // Rounds 3 to 9, and four more with a key of 256 bits.
    e = t[a >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ k12;
    f = t[b >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ k13;
    g = t[c >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ k14;
    h = t[d >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ k15;
    a = t[e >>> 24]! ^ nextRow(t[(f >> 16) & 255]! ^ nextRow(t[(g >> 8) & 255]! ^ nextRow(t[h & 255]!))) ^ k16;
    b = t[f >>> 24]! ^ nextRow(t[(g >> 16) & 255]! ^ nextRow(t[(h >> 8) & 255]! ^ nextRow(t[e & 255]!))) ^ k17;
    c = t[g >>> 24]! ^ nextRow(t[(h >> 16) & 255]! ^ nextRow(t[(e >> 8) & 255]! ^ nextRow(t[f & 255]!))) ^ k18;
    d = t[h >>> 24]! ^ nextRow(t[(e >> 16) & 255]! ^ nextRow(t[(f >> 8) & 255]! ^ nextRow(t[g & 255]!))) ^ k19;
    e = t[a >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ k20;
    f = t[b >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ k21;
    g = t[c >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ k22;
    h = t[d >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ k23;
    a = t[e >>> 24]! ^ nextRow(t[(f >> 16) & 255]! ^ nextRow(t[(g >> 8) & 255]! ^ nextRow(t[h & 255]!))) ^ k24;
    b = t[f >>> 24]! ^ nextRow(t[(g >> 16) & 255]! ^ nextRow(t[(h >> 8) & 255]! ^ nextRow(t[e & 255]!))) ^ k25;
    c = t[g >>> 24]! ^ nextRow(t[(h >> 16) & 255]! ^ nextRow(t[(e >> 8) & 255]! ^ nextRow(t[f & 255]!))) ^ k26;
    d = t[h >>> 24]! ^ nextRow(t[(e >> 16) & 255]! ^ nextRow(t[(f >> 8) & 255]! ^ nextRow(t[g & 255]!))) ^ k27;
    e = t[a >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ k28;
    f = t[b >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ k29;
    g = t[c >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ k30;
    h = t[d >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ k31;
    a = t[e >>> 24]! ^ nextRow(t[(f >> 16) & 255]! ^ nextRow(t[(g >> 8) & 255]! ^ nextRow(t[h & 255]!))) ^ k32;
    b = t[f >>> 24]! ^ nextRow(t[(g >> 16) & 255]! ^ nextRow(t[(h >> 8) & 255]! ^ nextRow(t[e & 255]!))) ^ k33;
    c = t[g >>> 24]! ^ nextRow(t[(h >> 16) & 255]! ^ nextRow(t[(e >> 8) & 255]! ^ nextRow(t[f & 255]!))) ^ k34;
    d = t[h >>> 24]! ^ nextRow(t[(e >> 16) & 255]! ^ nextRow(t[(f >> 8) & 255]! ^ nextRow(t[g & 255]!))) ^ k35;
    e = t[a >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ k36;
    f = t[b >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ k37;
    g = t[c >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ k38;
    h = t[d >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ k39;
    for (let k = 40; k < last; k += 8) {
      a = t[e >>> 24]! ^ nextRow(t[(f >> 16) & 255]! ^ nextRow(t[(g >> 8) & 255]! ^ nextRow(t[h & 255]!))) ^ keys[k]!;
      b =
        t[f >>> 24]! ^ nextRow(t[(g >> 16) & 255]! ^ nextRow(t[(h >> 8) & 255]! ^ nextRow(t[e & 255]!))) ^ keys[k + 1]!;
      c =
        t[g >>> 24]! ^ nextRow(t[(h >> 16) & 255]! ^ nextRow(t[(e >> 8) & 255]! ^ nextRow(t[f & 255]!))) ^ keys[k + 2]!;
      d =
        t[h >>> 24]! ^ nextRow(t[(e >> 16) & 255]! ^ nextRow(t[(f >> 8) & 255]! ^ nextRow(t[g & 255]!))) ^ keys[k + 3]!;
      e =
        t[a >>> 24]! ^ nextRow(t[(b >> 16) & 255]! ^ nextRow(t[(c >> 8) & 255]! ^ nextRow(t[d & 255]!))) ^ keys[k + 4]!;
      f =
        t[b >>> 24]! ^ nextRow(t[(c >> 16) & 255]! ^ nextRow(t[(d >> 8) & 255]! ^ nextRow(t[a & 255]!))) ^ keys[k + 5]!;
      g =
        t[c >>> 24]! ^ nextRow(t[(d >> 16) & 255]! ^ nextRow(t[(a >> 8) & 255]! ^ nextRow(t[b & 255]!))) ^ keys[k + 6]!;
      h =
        t[d >>> 24]! ^ nextRow(t[(a >> 16) & 255]! ^ nextRow(t[(b >> 8) & 255]! ^ nextRow(t[c & 255]!))) ^ keys[k + 7]!;
    }
    const in0 = view.getInt32(at);
    const in1 = view.getInt32(at + 4);
    const in2 = view.getInt32(at + 8);
    const in3 = view.getInt32(at + 12);
    const out0 =
      in0 ^
      keys[last]! ^
      (((t[e >>> 24]! << 8) & 0xff000000) |
        (t[(f >> 16) & 255]! & 0xff0000) |
        (t[(g >> 8) & 255]! & 0xff00) |
        ((t[h & 255]! >> 8) & 255));
    const out1 =
      in1 ^
      keys[last + 1]! ^
      (((t[f >>> 24]! << 8) & 0xff000000) |
        (t[(g >> 16) & 255]! & 0xff0000) |
        (t[(h >> 8) & 255]! & 0xff00) |
        ((t[e & 255]! >> 8) & 255));
    const out2 =
      in2 ^
      keys[last + 2]! ^
      (((t[g >>> 24]! << 8) & 0xff000000) |
        (t[(h >> 16) & 255]! & 0xff0000) |
        (t[(e >> 8) & 255]! & 0xff00) |
        ((t[f & 255]! >> 8) & 255));
    const out3 =
      in3 ^
      keys[last + 3]! ^
      (((t[h >>> 24]! << 8) & 0xff000000) |
        (t[(e >> 16) & 255]! & 0xff0000) |
        (t[(f >> 8) & 255]! & 0xff00) |
        ((t[g & 255]! >> 8) & 255));
    view.setInt32(at, out0);
    view.setInt32(at + 4, out1);
    view.setInt32(at + 8, out2);
    view.setInt32(at + 12, out3);

    // The hash is over the ciphertext.
    y0 ^= sealing ? out0 : in0;
    y1 ^= sealing ? out1 : in1;
    y2 ^= sealing ? out2 : in2;
    y3 ^= sealing ? out3 : in3;
    a = b = c = d = e = f = g = h = 0;
    // biome-ignore format: a line a byte of the four words shows what repeats
    {
      let n = (y3 << 4) & 4080; d ^= m.getInt32(n, true); e ^= m.getInt32(n | 4, true); f ^= m.getInt32(n | 8, true); g ^= m.getInt32(n | 12, true);
      n = (y2 << 4) & 4080; c ^= m.getInt32(n, true); d ^= m.getInt32(n | 4, true); e ^= m.getInt32(n | 8, true); f ^= m.getInt32(n | 12, true);
      n = (y1 << 4) & 4080; b ^= m.getInt32(n, true); c ^= m.getInt32(n | 4, true); d ^= m.getInt32(n | 8, true); e ^= m.getInt32(n | 12, true);
      n = (y0 << 4) & 4080; a ^= m.getInt32(n, true); b ^= m.getInt32(n | 4, true); c ^= m.getInt32(n | 8, true); d ^= m.getInt32(n | 12, true);
      h = (h >>> 8) | (g << 24); g = (g >>> 8) | (f << 24); f = (f >>> 8) | (e << 24); e = (e >>> 8) | (d << 24);
      d = (d >>> 8) | (c << 24); c = (c >>> 8) | (b << 24); b = (b >>> 8) | (a << 24); a >>>= 8;
      n = (y3 >> 4) & 4080; d ^= m.getInt32(n, true); e ^= m.getInt32(n | 4, true); f ^= m.getInt32(n | 8, true); g ^= m.getInt32(n | 12, true);
      n = (y2 >> 4) & 4080; c ^= m.getInt32(n, true); d ^= m.getInt32(n | 4, true); e ^= m.getInt32(n | 8, true); f ^= m.getInt32(n | 12, true);
      n = (y1 >> 4) & 4080; b ^= m.getInt32(n, true); c ^= m.getInt32(n | 4, true); d ^= m.getInt32(n | 8, true); e ^= m.getInt32(n | 12, true);
      n = (y0 >> 4) & 4080; a ^= m.getInt32(n, true); b ^= m.getInt32(n | 4, true); c ^= m.getInt32(n | 8, true); d ^= m.getInt32(n | 12, true);
      h = (h >>> 8) | (g << 24); g = (g >>> 8) | (f << 24); f = (f >>> 8) | (e << 24); e = (e >>> 8) | (d << 24);
      d = (d >>> 8) | (c << 24); c = (c >>> 8) | (b << 24); b = (b >>> 8) | (a << 24); a >>>= 8;
      n = (y3 >> 12) & 4080; d ^= m.getInt32(n, true); e ^= m.getInt32(n | 4, true); f ^= m.getInt32(n | 8, true); g ^= m.getInt32(n | 12, true);
      n = (y2 >> 12) & 4080; c ^= m.getInt32(n, true); d ^= m.getInt32(n | 4, true); e ^= m.getInt32(n | 8, true); f ^= m.getInt32(n | 12, true);
      n = (y1 >> 12) & 4080; b ^= m.getInt32(n, true); c ^= m.getInt32(n | 4, true); d ^= m.getInt32(n | 8, true); e ^= m.getInt32(n | 12, true);
      n = (y0 >> 12) & 4080; a ^= m.getInt32(n, true); b ^= m.getInt32(n | 4, true); c ^= m.getInt32(n | 8, true); d ^= m.getInt32(n | 12, true);
      h = (h >>> 8) | (g << 24); g = (g >>> 8) | (f << 24); f = (f >>> 8) | (e << 24); e = (e >>> 8) | (d << 24);
      d = (d >>> 8) | (c << 24); c = (c >>> 8) | (b << 24); b = (b >>> 8) | (a << 24); a >>>= 8;
      n = (y3 >>> 20) & 4080; d ^= m.getInt32(n, true); e ^= m.getInt32(n | 4, true); f ^= m.getInt32(n | 8, true); g ^= m.getInt32(n | 12, true);
      n = (y2 >>> 20) & 4080; c ^= m.getInt32(n, true); d ^= m.getInt32(n | 4, true); e ^= m.getInt32(n | 8, true); f ^= m.getInt32(n | 12, true);
      n = (y1 >>> 20) & 4080; b ^= m.getInt32(n, true); c ^= m.getInt32(n | 4, true); d ^= m.getInt32(n | 8, true); e ^= m.getInt32(n | 12, true);
      n = (y0 >>> 20) & 4080; a ^= m.getInt32(n, true); b ^= m.getInt32(n | 4, true); c ^= m.getInt32(n | 8, true); d ^= m.getInt32(n | 12, true);
    }
    y0 = a ^ e ^ (e >>> 1) ^ (e >>> 2) ^ (e >>> 7);
    y1 = b ^ (e << 31) ^ (e << 30) ^ (e << 25) ^ f ^ (f >>> 1) ^ (f >>> 2) ^ (f >>> 7);
    y2 = c ^ (f << 31) ^ (f << 30) ^ (f << 25) ^ g ^ (g >>> 1) ^ (g >>> 2) ^ (g >>> 7);
    y3 = d ^ (g << 31) ^ (g << 30) ^ (g << 25) ^ h ^ (h >>> 1) ^ (h >>> 2) ^ (h >>> 7);
  }
  counter[3] = count;
  state[0] = y0;
  state[1] = y1;
  state[2] = y2;
  state[3] = y3;
}
