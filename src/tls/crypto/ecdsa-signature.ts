/**
 * The encoding of ECDSA signatures: SEQUENCE { r INTEGER, s INTEGER } in DER (RFC 3279 §2.2.3).
 *
 * Strict: one encoding for each signature, so that none can be changed without breaking it.
 *
 * @module
 */

import { toBytes, toInteger } from "./integers.ts";

/** The two integers of a signature (FIPS 186-5 §6.4). */
export interface EcdsaSignature {
  readonly r: bigint;
  readonly s: bigint;
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * Reads a signature; `undefined` where it is not exactly DER: lengths minimal, integers positive and minimal, nothing behind.
 *
 * @param bytes - the length of the order in bytes: an integer of more is not read, so that no time goes into it.
 */
export function decodeSignature(signature: Uint8Array, bytes: number): EcdsaSignature | undefined {
  const sequence = element(signature, 0, signature.length, SEQUENCE);
  if (sequence === undefined || sequence.end !== signature.length) return undefined;
  const first = element(signature, sequence.start, sequence.end, INTEGER);
  if (first === undefined) return undefined;
  const second = element(signature, first.end, sequence.end, INTEGER);
  if (second === undefined || second.end !== sequence.end) return undefined;
  const r = positive(signature.subarray(first.start, first.end), bytes);
  const s = positive(signature.subarray(second.start, second.end), bytes);
  return r === undefined || s === undefined ? undefined : { r, s };
}

/** Writes a signature. */
export function encodeSignature({ r, s }: EcdsaSignature, bytes: number): Uint8Array {
  const first = integerBytes(r, bytes);
  const second = integerBytes(s, bytes);
  const length = 4 + first.length + second.length;
  const header = length < 0x80 ? [SEQUENCE, length] : [SEQUENCE, 0x81, length];
  const out = new Uint8Array(header.length + length);
  out.set(header);
  out.set([INTEGER, first.length], header.length);
  out.set(first, header.length + 2);
  out.set([INTEGER, second.length], header.length + 2 + first.length);
  out.set(second, header.length + 4 + first.length);
  return out;
}

/** Where the contents of the element at `at` lie. Lengths of up to 255 bytes suffice for the largest curve. */
function element(
  bytes: Uint8Array,
  at: number,
  end: number,
  tag: number,
): { readonly start: number; readonly end: number } | undefined {
  if (end - at < 2 || bytes[at] !== tag) return undefined;
  let length = bytes[at + 1]!;
  let start = at + 2;
  if (length === 0x81) {
    if (start >= end) return undefined;
    length = bytes[start++]!;
    if (length < 0x80) return undefined;
  } else if (length >= 0x80) return undefined;
  return length > end - start ? undefined : { start, end: start + length };
}

function positive(contents: Uint8Array, bytes: number): bigint | undefined {
  if (contents.length === 0 || contents.length > bytes + 1 || contents[0]! >= 0x80) return undefined;
  if (contents[0] === 0 && (contents.length === 1 || contents[1]! < 0x80)) return undefined;
  return toInteger(contents);
}

function integerBytes(value: bigint, bytes: number): Uint8Array {
  const padded = toBytes(value, bytes + 1);
  let at = 0;
  while (at < bytes && padded[at] === 0 && padded[at + 1]! < 0x80) at++;
  return padded.subarray(at);
}
