/**
 * Distinguished names: RFC 5280 §4.1.2.4 and §7.1, and the one-line form that openssl prints.
 *
 * Left out on purpose: the whole of RFC 4518's string preparation. Names compare after folding ASCII case and runs of spaces; a name
 * that differs otherwise is another name, which can only make a chain fail.
 *
 * @module
 */

import { equal, printable, toHex, utf8Decode } from "../../bytes.ts";
import { DerReader, tags } from "./der.ts";
import { CertificateError } from "./errors.ts";
import { attributeNames, oidName } from "./oids.ts";

/** One attribute of a name. */
export interface NameAttribute {
  /** The attribute's type, dotted. */
  readonly oid: string;
  /** `CN`, `C`, `O`, …; the standard's name or the OID where there is no short one. */
  readonly name: string;
  /** The text as the certificate has it, not escaped; `#` and the DER in hexadecimal where it is no text. */
  readonly value: string;
}

/** A distinguished name. */
export interface Name {
  /** The DER as it stands in the certificate (a view). */
  readonly der: Uint8Array;
  /** Without any RDN. */
  readonly isEmpty: boolean;
  /** RDNs in order; nearly all have one attribute. */
  readonly attributes: readonly (readonly NameAttribute[])[];
  /** What two names have in common that match (RFC 5280 §7.1), one text an RDN. */
  readonly canonical: readonly string[];
  /** One line, escaped for logs: `C = US, O = Amazon, CN = Amazon Root CA 1`. */
  toString(): string;
}

/** Whether two names match: the same octets, or the same but for case and runs of spaces (RFC 5280 §7.1). */
export function namesMatch(a: Name, b: Name): boolean {
  return equal(a.der, b.der) || (a.canonical.length === b.canonical.length && isWithin(a, b));
}

/** Whether a name lies in the subtree of another: starts with all of its RDNs (RFC 5280 §4.2.1.10). */
export function isWithin(name: Name, subtree: Name): boolean {
  return subtree.canonical.every((rdn, i) => name.canonical[i] === rdn);
}

/** Reads the `Name` that comes next in a reader. All of it is checked; texts are made when somebody asks for them. */
export function readName(reader: DerReader, field: string): Name {
  const start = reader.offset;
  readRdns(reader.sequence(field, "X509_NAME"), undefined, undefined);
  return new ReadName(reader.source.subarray(start, reader.offset));
}

/** A name in DER by itself; `undefined` where it is malformed. */
export function parseName(der: Uint8Array): Name | undefined {
  try {
    const reader = new DerReader(der, "name", "X509_NAME");
    const name = readName(reader, "");
    reader.finish();
    return name;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

class ReadName implements Name {
  readonly der: Uint8Array;
  #attributes: readonly (readonly NameAttribute[])[] | undefined;
  #canonical: readonly string[] | undefined;
  #line: string | undefined;

  constructor(der: Uint8Array) {
    this.der = der;
  }

  get isEmpty(): boolean {
    return this.der.length === 2;
  }

  get attributes(): readonly (readonly NameAttribute[])[] {
    if (this.#attributes === undefined) {
      const attributes: NameAttribute[][] = [];
      readRdns(this.#rdns(), attributes, undefined);
      this.#attributes = attributes;
    }
    return this.#attributes;
  }

  get canonical(): readonly string[] {
    if (this.#canonical === undefined) {
      const canonical: string[] = [];
      readRdns(this.#rdns(), undefined, canonical);
      this.#canonical = canonical;
    }
    return this.#canonical;
  }

  toString(): string {
    return (this.#line ??= oneLine(this.attributes));
  }

  #rdns(): DerReader {
    return new DerReader(this.der, "name", "X509_NAME").sequence("");
  }
}

/** Checks what a name consists of, and makes of it what is wanted: attributes, or texts that are compared. */
function readRdns(rdns: DerReader, attributes: NameAttribute[][] | undefined, canonical: string[] | undefined): void {
  while (!rdns.empty) {
    const set = rdns.inside("rdn", tags.SET);
    const rdn: NameAttribute[] = [];
    const parts: string[] = [];
    do {
      const pair: DerReader = set.sequence("attribute");
      if (attributes === undefined && canonical === undefined) {
        checkAttribute(pair);
        continue;
      }
      const oid = pair.oid("type");
      const at = pair.offset;
      const start = pair.enter("value");
      const text = valueText(pair.source, at, start, pair.offset)!;
      if (attributes !== undefined) rdn.push({ oid, name: attributeNames[oid] ?? oidName(oid), value: text });
      // The kind keeps a text that looks like hexadecimal apart from a value that is shown as such.
      else parts.push(JSON.stringify(isText(pair.source[at]!) ? [oid, "text", fold(text)] : [oid, "der", text]));
    } while (!set.empty);
    if (attributes !== undefined) attributes.push(rdn);
    // A SET has no order, and not all that is written keeps that of DER.
    else canonical?.push(parts.sort().join());
  }
}

function checkAttribute(pair: DerReader): void {
  pair.skipOid("type");
  const at = pair.offset;
  const start = pair.enter("value");
  pair.finish();
  if (isSurelyText(pair.source, at, start, pair.offset)) return;
  if (valueText(pair.source, at, start, pair.offset) === undefined)
    pair.fail("value", "it does not fit its string type", at);
}

/** Tags from here on are of no type by themselves; unique identifiers and dates have one, though no text. */
const CLASSES = 0x40;

/** The text of a value whose tag is at `at` and whose contents are `source[start, end)`; in hexadecimal where it is of no string type. */
function valueText(source: Uint8Array, at: number, start: number, end: number): string | undefined {
  const tag = source[at]!;
  if (isText(tag)) return stringText(tag, source, start, end);
  return tag < CLASSES ? `#${toHex(source.subarray(at, end))}` : undefined;
}

/** RDNs that are shown of a name; real ones have about five. */
const SHOWN_RDNS = 16;
/** Attributes that are shown of an RDN. */
const SHOWN_ATTRIBUTES = 4;

/** openssl's one-line form; empty names are the empty text. Control characters and what is not ASCII are escaped. */
function oneLine(attributes: readonly (readonly NameAttribute[])[]): string {
  const rdns = attributes
    .slice(0, SHOWN_RDNS)
    .map((rdn) => cut(rdn.slice(0, SHOWN_ATTRIBUTES).map(attributeText), rdn.length, " + "));
  return cut(rdns, attributes.length, ", ");
}

function cut(shown: readonly string[], count: number, separator: string): string {
  return shown.join(separator) + (count > shown.length ? `${separator}…` : "");
}

/** Quoted where the value could be taken for the start of another attribute, as openssl does. */
function attributeText({ name, value }: NameAttribute): string {
  const text = printable(value);
  return `${name} = ${/[,+"<>;]|^[# ]| $/.test(value) ? `"${text.replace(/"/g, '\\"')}"` : text}`;
}

/** ASCII case folded, spaces trimmed and joined (RFC 4518 §2.6.1 for the ASCII part). */
function fold(text: string): string {
  return text
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .replace(/ {2,}/g, " ")
    .replace(/^ | $/g, "");
}

function isText(tag: number): boolean {
  return (
    tag === tags.UTF8_STRING ||
    tag === tags.PRINTABLE_STRING ||
    tag === tags.IA5_STRING ||
    tag === tags.TELETEX_STRING ||
    tag === tags.BMP_STRING ||
    tag === tags.UNIVERSAL_STRING
  );
}

/** Whether there is nothing to find out about a value: octets of ASCII are text in each type with an octet a character. */
function isSurelyText(source: Uint8Array, tagAt: number, start: number, end: number): boolean {
  const tag = source[tagAt]!;
  if (!isText(tag)) return tag < CLASSES;
  if (tag === tags.BMP_STRING || tag === tags.UNIVERSAL_STRING) return false;
  for (let i = start; i < end; i++) if (source[i]! >= 0x80) return false;
  return true;
}

/** The text of ASCII; `undefined` where an octet is above 7F. */
export function asciiDecode(source: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  // Certificates have hundreds of short ones: an array of the right size is much of their cost saved.
  const isShort = length <= SHORT_TEXT;
  const units = new Array<number>(isShort ? length : 0);
  for (let i = 0; i < length; i++) {
    const octet = source[start + i]!;
    if (octet >= 0x80) return undefined;
    if (isShort) units[i] = octet;
  }
  return isShort ? String.fromCharCode(...units) : utf8Decode(source, start, end);
}

/** Characters that are made a text of in one call: engines bound the number of arguments. */
const SHORT_TEXT = 256;

/** The text of a string type. TeletexString is read as Latin-1, as everybody does. `undefined` where the octets do not fit. */
function stringText(tag: number, source: Uint8Array, start: number, end: number): string | undefined {
  if (tag === tags.UTF8_STRING) return utf8Decode(source, start, end);
  if (tag === tags.PRINTABLE_STRING || tag === tags.IA5_STRING) return asciiDecode(source, start, end);
  const width = tag === tags.BMP_STRING ? 2 : tag === tags.UNIVERSAL_STRING ? 4 : 1;
  if ((end - start) % width !== 0) return undefined;
  let text = "";
  for (let at = start; at < end; at += width) {
    let code = 0;
    for (let i = 0; i < width; i++) code = code * 256 + source[at + i]!;
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}
