/**
 * A small writer of DER (X.690 §8, §10): each function returns one whole element, so that writing mirrors the ASN.1.
 *
 * @example
 * sequence(objectIdentifier("1.2.840.113549.1.1.1"), nullValue());
 *
 * @module
 */

import { concat, printable, utf8Encode } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { contextTag, tags } from "./der.ts";

/** An element with any tag, around parts that are joined. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = [tag];
  if (length < 0x80) header.push(length);
  else {
    const octets: number[] = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
    header.push(0x80 | octets.length, ...octets);
  }
  return concat([Uint8Array.from(header), ...parts]);
}

/** SEQUENCE of the parts (X.690 §8.9). */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(tags.SEQUENCE, ...parts);
}

/** SET of parts that the caller gives in the order of DER (X.690 §11.6). */
export function set(...parts: readonly Uint8Array[]): Uint8Array {
  return element(tags.SET, ...parts);
}

/** `[number] EXPLICIT`. */
export function explicit(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return element(contextTag(number, true), ...parts);
}

/** BOOLEAN (X.690 §11.1). */
export function booleanValue(value: boolean): Uint8Array {
  return element(tags.BOOLEAN, Uint8Array.of(value ? 0xff : 0));
}

/** An INTEGER out of big-endian octets of a non-negative number; leading zeros may be there. */
export function unsignedInteger(octets: Uint8Array): Uint8Array {
  let start = 0;
  while (start < octets.length && octets[start] === 0) start++;
  const value = octets.subarray(start);
  const padded = value.length === 0 || value[0]! >= 0x80;
  return element(tags.INTEGER, padded ? Uint8Array.of(0) : value.subarray(0, 0), value);
}

/** An INTEGER out of a small non-negative number. */
export function smallInteger(value: number): Uint8Array {
  return unsignedInteger(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
}

/**
 * An OBJECT IDENTIFIER out of its dotted form.
 *
 * @throws UsageError where it is none.
 */
export function objectIdentifier(dotted: string): Uint8Array {
  if (!/^([01]\.[0-3]?[0-9]|2\.[0-9]+)(\.[0-9]+)*$/.test(dotted))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `not an object identifier: ${printable(dotted)}`);
  const arcs = dotted.split(".").map((arc) => BigInt(arc));
  const octets: number[] = [];
  for (const arc of [arcs[0]! * 40n + arcs[1]!, ...arcs.slice(2)]) {
    const base128 = [Number(arc & 127n)];
    for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) base128.unshift(0x80 | Number(rest & 127n));
    octets.push(...base128);
  }
  return element(tags.OID, Uint8Array.from(octets));
}

/** OCTET STRING of the parts, joined (X.690 §8.7). */
export function octetString(...parts: readonly Uint8Array[]): Uint8Array {
  return element(tags.OCTET_STRING, ...parts);
}

/** A BIT STRING; `unused` bits at the end of the last octet do not count and must be zero. */
export function bitString(bytes: Uint8Array, unused = 0): Uint8Array {
  return element(tags.BIT_STRING, Uint8Array.of(unused), bytes);
}

/** NULL (X.690 §8.8). */
export function nullValue(): Uint8Array {
  return element(tags.NULL);
}

/** UTF8String (X.690 §8.23). */
export function utf8String(text: string): Uint8Array {
  return element(tags.UTF8_STRING, utf8Encode(text));
}

/** A `Time` out of milliseconds since 1970: UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(ms: number): Uint8Array {
  const date = new Date(Math.floor(ms / 1000) * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `a certificate's dates lie between 1950 and 9999, not at ${ms} ms`);
  // 2050-01-01T00:00:00.000Z
  const digits = date.toISOString().replace(/[-:T]|\..*$/g, "");
  return year < 2050
    ? element(tags.UTC_TIME, utf8Encode(`${digits.slice(2)}Z`))
    : element(tags.GENERALIZED_TIME, utf8Encode(`${digits}Z`));
}
