/**
 * What a credential file really holds, whatever it was meant to be: PEM blocks or DER by kind, and damage by name.
 *
 * Nothing of a file's text is ever quoted, because any of it can be part of a private key: evidence is kinds, sizes and line numbers.
 *
 * @module
 */

import { utf8Decode } from "../../bytes.ts";
import { isThingwireError } from "../../errors.ts";
import { DerReader, tags } from "../../tls/x509/der.ts";
import { parsePem } from "../../tls/x509/pem.ts";
import type { Cause } from "./causes.ts";

/** What one block, or the whole of a DER file, is. */
export type ItemKind = "certificate" | "private key" | "encrypted private key" | "public key" | "request" | "other";

export interface Item {
  readonly kind: ItemKind;
  /** In words, for `other`; otherwise the kind. */
  readonly name: string;
  /** The label of a PEM block; `undefined` for DER. */
  readonly label?: string;
  readonly der: Uint8Array;
  /** The line of BEGIN in a PEM text. */
  readonly line?: number;
}

/** A file, looked at. */
export interface Contents {
  /** In order; empty where `damage` says why. */
  readonly items: readonly Item[];
  readonly isDer: boolean;
  /** What makes the file unusable, with what was seen. */
  readonly damage?: readonly [cause: Cause, evidence: string];
  /** What other programs stumble over. */
  readonly notes: readonly (readonly [cause: Cause, evidence: string])[];
}

/** Looks at a file. */
export function inspect(bytes: Uint8Array): Contents {
  if (bytes.length === 0) return damaged("DOCTOR_FILE_EMPTY", "0 bytes");
  if (isUtf16(bytes)) return damaged("DOCTOR_FILE_UTF16", "every second byte is zero, or it starts with a UTF-16 mark");
  if (bytes[0] === 0x30) {
    const item = derItem(bytes);
    if (item !== undefined) return { items: [item], isDer: true, notes: [] };
  }
  const text = utf8Decode(bytes);
  if (text === undefined)
    return bytes[0] === 0x30
      ? damaged("DOCTOR_DER_DAMAGED", `${bytes.length} bytes that start as DER and do not end so`)
      : damaged("DOCTOR_FILE_FOREIGN", `${bytes.length} bytes of binary data, neither PEM nor DER`);
  return inspectText(text);
}

function inspectText(text: string): Contents {
  const notes: [Cause, string][] = [];
  if (text.startsWith("\uFEFF")) notes.push(["DOCTOR_FILE_BOM", "it starts with the bytes EF BB BF"]);
  if (/\r(?!\n)/.test(text)) notes.push(["DOCTOR_FILE_LINE_ENDS", "it has carriage returns that no line feed follows"]);
  try {
    const items = parsePem(text).map(({ label, der, line, headers }): Item => {
      const encrypted = headers.some((header) => header.includes("ENCRYPTED"));
      return { ...labelled(label, encrypted), label, der, line };
    });
    if (items.length > 0) return { items, isDer: false, notes };
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    // The message may quote a line of a private key.
    if (isLinesLost(text)) return damaged("DOCTOR_FILE_LINES_LOST", "BEGIN or END does not stand on a line of its own");
    return damaged("DOCTOR_PEM_DAMAGED", `the damage is in or behind line ${error.data["line"]}`);
  }
  if (isLinesLost(text)) return damaged("DOCTOR_FILE_LINES_LOST", "BEGIN does not stand on a line of its own");
  return damaged(...withoutBegin(text));
}

function damaged(cause: Cause, evidence: string): Contents {
  return { items: [], isDer: false, damage: [cause, evidence], notes: [] };
}

/** A mark of UTF-16, or ASCII with a zero beside each character. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const zeros = bytes.subarray(0, 64).filter((byte) => byte === 0).length;
  return bytes.length >= 64 && zeros === 32;
}

/** BEGIN with its dashes, but something else on the same line. */
function isLinesLost(text: string): boolean {
  return /-----BEGIN [A-Z0-9 ]+-----[ \t]*[^\s-]/.test(text);
}

/** Texts that get mistaken for PEM. */
function withoutBegin(text: string): readonly [Cause, string] {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start === "") return ["DOCTOR_FILE_EMPTY", "nothing but white space"];
  if (/BEGIN /.test(start)) return ["DOCTOR_PEM_DAMAGED", "BEGIN has not five dashes on each side"];
  if (/-----END /.test(start)) return ["DOCTOR_PEM_DAMAGED", "there is an END line and no BEGIN line"];
  if (/^<(!doctype|html|\?xml|error)/i.test(start))
    return ["DOCTOR_FILE_FOREIGN", "HTML or XML: the download gave an error page"];
  if (start.startsWith("{"))
    return ["DOCTOR_FILE_FOREIGN", "JSON: take the fields certificatePem and keyPair.PrivateKey out of it"];
  if (start.startsWith("PuTTY-User-Key")) return ["DOCTOR_FILE_FOREIGN", "a key of PuTTY"];
  if (/^(ssh-|ecdsa-sha2-)/.test(start)) return ["DOCTOR_FILE_FOREIGN", "a public key of SSH"];
  if (/^[A-Za-z0-9+/=\s]+$/.test(start)) return ["DOCTOR_PEM_DAMAGED", "base64 without its BEGIN and END lines"];
  return ["DOCTOR_FILE_FOREIGN", "a text without a BEGIN line"];
}

function labelled(label: string, encrypted: boolean): Pick<Item, "kind" | "name"> {
  switch (label) {
    case "CERTIFICATE":
    case "X509 CERTIFICATE":
      return named("certificate");
    case "CERTIFICATE REQUEST":
    case "NEW CERTIFICATE REQUEST":
      return named("request");
    case "PUBLIC KEY":
    case "RSA PUBLIC KEY":
      return named("public key");
    case "ENCRYPTED PRIVATE KEY":
      return named("encrypted private key");
    default:
      if (label.endsWith("PRIVATE KEY")) return named(encrypted ? "encrypted private key" : "private key");
      // A label that is not one of the known words is not quoted either.
      return { kind: "other", name: KNOWN_LABELS.includes(label) ? label : "an unknown kind of PEM block" };
  }
}

const KNOWN_LABELS: readonly string[] = [
  "EC PARAMETERS",
  "DH PARAMETERS",
  "PKCS7",
  "CMS",
  "X509 CRL",
  "TRUSTED CERTIFICATE",
  "ATTRIBUTE CERTIFICATE",
];

function named(kind: ItemKind): Pick<Item, "kind" | "name"> {
  return { kind, name: kind };
}

/** The kind of a DER by its first elements; `undefined` where it is no DER. */
function derItem(der: Uint8Array): Item | undefined {
  try {
    const reader = new DerReader(der, "file", "X509_MALFORMED");
    const outer = reader.sequence("");
    reader.finish();
    return { ...shapeOf(outer), der };
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    return undefined;
  }
}

function shapeOf(outer: DerReader): Pick<Item, "kind" | "name"> {
  if (outer.peek() === tags.OID) return { kind: "other", name: "a PKCS #7 container" };
  if (outer.peek() === tags.SEQUENCE) {
    const first = outer.sequence("");
    if (outer.peek() === tags.BIT_STRING) return named("public key");
    if (outer.peek() === tags.OCTET_STRING) return named("encrypted private key");
    if (first.peek() !== tags.INTEGER) return named("certificate");
    // A request goes on with a name, which is of sets; a certificate of version 1 with an algorithm, which starts with an OID.
    first.integer("");
    return named(first.peek() === tags.SEQUENCE && first.sequence("").peek() === tags.OID ? "certificate" : "request");
  }
  const version = outer.integer("");
  if (version[0] === 3) return { kind: "other", name: "a PKCS #12 container" };
  if (outer.peek() !== tags.INTEGER) return named("private key");
  outer.integer("");
  if (outer.empty) return named("public key");
  return named("private key");
}
