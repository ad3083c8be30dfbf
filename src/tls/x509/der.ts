/**
 * A strict reader of DER (ITU-T X.690 §8, §10): a cursor over the elements of one value, told at each step what must come.
 *
 * Strict means: definite, minimal lengths; single-octet tags; minimal integers; TRUE is FF; unused bits zero and counted rightly; times
 * as RFC 5280 §4.1.2.5 wants them; nothing left over. One tolerance, because old CAs need it and it changes no meaning: a
 * DEFAULT FALSE may be written out. Left out on purpose: high-tag-number form, REAL, and any walk over unknown structure. The
 * reader descends only where its caller says, so no depth is in a peer's hands; {@link MAX_DEPTH} holds callers to that.
 *
 * @module
 */

import { printableBytes, toHex } from "../../bytes.ts";
import { CertificateError, type CertificateErrorCode, type ErrorRows } from "./errors.ts";

/** Universal tags (X.680 §8.4), with the constructed bit where DER sets it. */
export const tags = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  TELETEX_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** Readers inside of readers at most. A certificate needs 9. */
export const MAX_DEPTH = 16;
/** Octets of an OBJECT IDENTIFIER at most; real ones have about ten. */
const MAX_OID_BYTES = 128;

/** The tag of a context-specific element: `[number]` in ASN.1. */
export function contextTag(number: number, constructed: boolean): number {
  return 0x80 | (constructed ? 0x20 : 0) | number;
}

/** One element as it stands: tag octet, contents, and both with the header. Views of the source. */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  readonly der: Uint8Array;
}

/**
 * Reads the elements of `source[start, end)` one after the other. `field` arguments name what is read, for errors; a nested
 * reader's names continue its parent's. A caller that knows the layer's code for a part (`X509_NAME`) gives it with the part.
 *
 * @example
 * const outer = new DerReader(der, "certificate", "X509_MALFORMED");
 * const certificate = outer.sequence("");
 * outer.finish();
 */
export class DerReader {
  readonly source: Uint8Array;
  readonly code: CertificateErrorCode;
  readonly #field: string;
  /** The reader that this one is inside of. Names are joined when an error needs one. */
  readonly #parent: DerReader | undefined;
  /** The rows of codes that are not among the `readingErrors`. */
  readonly #rows: ErrorRows | undefined;
  readonly #end: number;
  readonly #depth: number;
  #at: number;

  constructor(
    source: Uint8Array,
    field: string,
    code: CertificateErrorCode,
    start = 0,
    end: number = source.length,
    parent?: DerReader,
    rows?: ErrorRows,
  ) {
    this.source = source;
    this.code = code;
    this.#field = field;
    this.#parent = parent;
    this.#rows = parent === undefined ? rows : parent.#rows;
    this.#at = start;
    this.#end = end;
    this.#depth = parent === undefined ? 0 : parent.#depth + 1;
    if (this.#depth > MAX_DEPTH) this.fail("", `nested more than ${MAX_DEPTH} deep`);
  }

  /** Where the next element starts, in bytes from the start of `source`. */
  get offset(): number {
    return this.#at;
  }

  get empty(): boolean {
    return this.#at >= this.#end;
  }

  /** The next element's tag octet; `undefined` at the end. */
  peek(): number | undefined {
    return this.empty ? undefined : this.source[this.#at];
  }

  /** Goes on behind the octets of an element that was checked elsewhere, where just these come next. */
  skip(der: Uint8Array): boolean {
    const start = this.#at;
    if (der.length > this.#end - start) return false;
    for (let i = 0; i < der.length; i++) if (this.source[start + i] !== der[i]) return false;
    this.#at = start + der.length;
    return true;
  }

  /** Any element, or one of the given tag. */
  element(field: string, tag?: number): DerElement {
    const start = this.#at;
    const contentsAt = this.enter(field, tag);
    const end = this.#at;
    return {
      tag: this.source[start]!,
      contents: this.source.subarray(contentsAt, end),
      der: this.source.subarray(start, end),
    };
  }

  /** The contents of the next element, which must have the given tag. */
  contents(field: string, tag: number): Uint8Array {
    const contentsAt = this.enter(field, tag);
    return this.source.subarray(contentsAt, this.#at);
  }

  /** A reader of the contents of the next element, which must have the given tag (an OCTET STRING may carry DER too). */
  inside(field: string, tag: number, code: CertificateErrorCode = this.code): DerReader {
    const contentsAt = this.enter(field, tag);
    return new DerReader(this.source, field, code, contentsAt, this.#at, this);
  }

  sequence(field: string, code?: CertificateErrorCode): DerReader {
    return this.inside(field, tags.SEQUENCE, code);
  }

  /** A reader inside of `[number]`, where that comes next. */
  optional(field: string, number: number, code?: CertificateErrorCode): DerReader | undefined {
    const tag = contextTag(number, true);
    return this.peek() === tag ? this.inside(field, tag, code) : undefined;
  }

  boolean(field: string, tag: number = tags.BOOLEAN): boolean {
    const at = this.#at;
    const contents = this.contents(field, tag);
    if (contents.length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff))
      this.fail(field, `a BOOLEAN is 00 or FF, not ${toHex(contents.subarray(0, 8))}`, at);
    return contents[0] === 0xff;
  }

  /** The octets of an INTEGER, two's complement, minimal (X.690 §8.3.2). */
  integer(field: string, tag: number = tags.INTEGER): Uint8Array {
    const at = this.#at;
    const contents = this.contents(field, tag);
    if (contents.length === 0) this.fail(field, "an INTEGER has no octet", at);
    if (!isShortestInteger(contents, 0, contents.length))
      this.fail(field, "an INTEGER is not in its shortest form", at);
    return contents;
  }

  /** A non-negative INTEGER as big-endian octets without leading zeros; zero is the empty string. */
  unsigned(field: string): Uint8Array {
    const at = this.#at;
    const octets = this.integer(field);
    if (octets[0]! >= 0x80) this.fail(field, "an INTEGER is negative", at);
    return octets[0] === 0 ? octets.subarray(1) : octets;
  }

  /** A non-negative INTEGER of 31 bits at most. */
  small(field: string, tag: number = tags.INTEGER): number {
    const at = this.#at;
    const octets = this.integer(field, tag);
    if (octets.length > 4 || octets[0]! >= 0x80) this.fail(field, "an INTEGER is negative or too large", at);
    let value = 0;
    for (const octet of octets) value = value * 256 + octet;
    return value;
  }

  /** An OBJECT IDENTIFIER in dotted form; arcs of any size, exactly. */
  oid(field: string): string {
    const at = this.#at;
    const contentsAt = this.enter(field, tags.OID);
    const text = readOid(this.source, contentsAt, this.#at);
    if (text === undefined) this.fail(field, "an OBJECT IDENTIFIER is malformed", at);
    return text;
  }

  /** Goes on behind an OBJECT IDENTIFIER that is checked, and not made a text of. */
  skipOid(field: string, tag: number = tags.OID): void {
    const at = this.#at;
    const contentsAt = this.enter(field, tag);
    if (!isOid(this.source, contentsAt, this.#at)) this.fail(field, "an OBJECT IDENTIFIER is malformed", at);
  }

  octetString(field: string): Uint8Array {
    return this.contents(field, tags.OCTET_STRING);
  }

  /** A BIT STRING whose unused bits are zero. */
  bitString(field: string, tag: number = tags.BIT_STRING): { readonly unused: number; readonly bytes: Uint8Array } {
    const at = this.#at;
    const contents = this.contents(field, tag);
    const unused = contents[0] ?? 8;
    const bytes = contents.subarray(1);
    if (unused > 7 || (bytes.length === 0 && unused !== 0))
      this.fail(field, "a BIT STRING counts its unused bits wrongly", at);
    if (bytes.length > 0 && (bytes[bytes.length - 1]! & ((1 << unused) - 1)) !== 0)
      this.fail(field, "a BIT STRING has unused bits set", at);
    return { unused, bytes };
  }

  /** A BIT STRING of whole octets: keys and signatures. */
  octetAligned(field: string): Uint8Array {
    const at = this.#at;
    const { unused, bytes } = this.bitString(field);
    if (unused !== 0) this.fail(field, "a BIT STRING is not a whole number of octets", at);
    return bytes;
  }

  /** A reader of the DER inside of a BIT STRING of whole octets. */
  insideBits(field: string): DerReader {
    const bytes = this.octetAligned(field);
    return new DerReader(this.source, field, this.code, this.#at - bytes.length, this.#at, this);
  }

  null(field: string): void {
    const at = this.#at;
    if (this.contents(field, tags.NULL).length !== 0) this.fail(field, "a NULL has contents", at);
  }

  /** A `Time` (RFC 5280 §4.1.2.5) in milliseconds since 1970. */
  time(field: string): number {
    const at = this.#at;
    const contentsAt = this.enter(field);
    const time = parseTime(this.source, at, contentsAt, this.#at);
    if (time === undefined)
      this.fail(
        field,
        `not a UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ: ${printableBytes(this.source.subarray(contentsAt, this.#at), 20)}`,
        at,
      );
    return time;
  }

  /** Fails where something is left. */
  finish(): void {
    if (!this.empty) this.fail("", `${this.#end - this.#at} byte(s) too many`);
  }

  /** Throws the layer's error for a field of this reader. */
  fail(field: string, problem: string, offset: number = this.#at, code: CertificateErrorCode = this.code): never {
    const path = this.#path(field);
    throw new CertificateError(
      code,
      `${path} at byte ${offset}: ${problem}`,
      { field: path, offset },
      undefined,
      this.#rows?.[code],
    );
  }

  #path(field: string): string {
    const own = this.#parent === undefined ? this.#field : this.#parent.#path(this.#field);
    return field === "" ? own : `${own}.${field}`;
  }

  /** Goes on behind the next element, and returns where its contents start. For lists too long for an object an element. */
  enter(field: string, wanted?: number): number {
    const { source } = this;
    const start = this.#at;
    if (this.#end - start < 2) this.fail(field, this.empty ? "is missing" : "is cut short");
    const tag = source[start]!;
    if (wanted !== undefined && tag !== wanted)
      this.fail(
        field,
        `the tag is ${toHex(source.subarray(start, start + 1))}, not ${wanted.toString(16).padStart(2, "0")}`,
      );
    if ((tag & 0x1f) === 0x1f) this.fail(field, "a tag of several octets");
    let at = start + 1;
    let length = source[at++]!;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) this.fail(field, "an indefinite length, which DER does not have");
      if (octets > 4 || at + octets > this.#end) this.fail(field, "a length is too large");
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + source[at++]!;
      if (length < 0x80 || length < 256 ** (octets - 1)) this.fail(field, "a length is not in its shortest form");
    }
    if (length > this.#end - at) this.fail(field, `a length of ${length} where ${this.#end - at} byte(s) are left`);
    this.#at = at + length;
    return at;
  }
}

/** Whether the contents of an INTEGER have as few octets as they can (X.690 §8.3.2): one at least, the first nine bits not all the same. */
export function isShortestInteger(source: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2) return end > start;
  const isNegative = source[start + 1]! >= 0x80;
  return source[start] !== (isNegative ? 0xff : 0);
}

/** Arcs up to here stay whole numbers in a number when seven bits more come in. */
const MAX_SMALL_ARC = 2 ** 40;

/** An OBJECT IDENTIFIER's contents in dotted form; `undefined` where they are malformed (X.690 §8.19). */
export function oidText(contents: Uint8Array): string | undefined {
  return readOid(contents, 0, contents.length);
}

function readOid(source: Uint8Array, start: number, end: number): string | undefined {
  if (!isOid(source, start, end)) return undefined;
  // Those of X.500, which most are: 2.5.4.n in names, 2.5.29.n of extensions.
  if (end - start === 3 && source[start] === 0x55 && source[start + 1]! < 0x80)
    return `2.5.${source[start + 1]}.${source[start + 2]}`;
  // Characters, of which one text is made: joining texts takes three times as long.
  const units: number[] = [];
  for (let at = start; at < end; ) {
    let arc: number | bigint = 0;
    let octet: number;
    do {
      octet = source[at++]!;
      if (arc < MAX_SMALL_ARC) arc = (arc as number) * 128 + (octet & 0x7f);
      else arc = (BigInt(arc) << 7n) | BigInt(octet & 0x7f);
    } while (octet >= 0x80);
    if (units.length === 0) {
      // The first two arcs stand in one: X * 40 + Y.
      const first = arc < 80 ? (arc < 40 ? 0 : 1) : 2;
      units.push(DIGIT_ZERO + first);
      arc = typeof arc === "number" ? arc - 40 * first : arc - 80n;
    }
    units.push(DOT);
    pushDecimal(units, arc);
  }
  return String.fromCharCode(...units);
}

/** Whether octets are the contents of an OBJECT IDENTIFIER: arcs in their shortest form, the last one complete. */
function isOid(source: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > MAX_OID_BYTES || source[end - 1]! >= 0x80) return false;
  for (let at = start, isFirst = true; at < end; at++) {
    const octet = source[at]!;
    if (isFirst && octet === 0x80) return false; // a leading zero
    isFirst = octet < 0x80;
  }
  return true;
}

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;

function pushDecimal(units: number[], value: number | bigint): void {
  if (value < 10) units.push(DIGIT_ZERO + Number(value));
  else {
    const digits = String(value);
    for (let i = 0; i < digits.length; i++) units.push(digits.charCodeAt(i));
  }
}

/** UTCTime with seconds and Z, or GeneralizedTime without fractions and with Z; the calendar is checked. */
function parseTime(source: Uint8Array, tagAt: number, start: number, end: number): number | undefined {
  const isShort = source[tagAt] === tags.UTC_TIME;
  if (!isShort && source[tagAt] !== tags.GENERALIZED_TIME) return undefined;
  const zoneAt = end - 1;
  if (zoneAt - start !== (isShort ? 12 : 14) || source[zoneAt] !== 0x5a) return undefined;
  for (let i = start; i < zoneAt; i++) if (source[i]! < 0x30 || source[i]! > 0x39) return undefined;
  const first = twoDigits(source, start);
  const year = isShort ? first + (first < 50 ? 2000 : 1900) : first * 100 + twoDigits(source, start + 2);
  const month = twoDigits(source, zoneAt - 10);
  const day = twoDigits(source, zoneAt - 8);
  const hour = twoDigits(source, zoneAt - 6);
  const minute = twoDigits(source, zoneAt - 4);
  const second = twoDigits(source, zoneAt - 2);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59)
    return undefined;
  return (daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1000;
}

function twoDigits(source: Uint8Array, at: number): number {
  return (source[at]! - 0x30) * 10 + source[at + 1]! - 0x30;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days of the proleptic Gregorian calendar. `Date.UTC` would do, but for its own reading of the years 0 to 99. */
function daysSince1970(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1; // years that start in March, so that the leap day is the last
  const months = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  return years * 365 + leapDays + Math.floor((153 * months + 2) / 5) + day - 1 - 719_468;
}
