/**
 * PEM: RFC 7468, with its base64. Text between a BEGIN and an END line; what stands outside is explanation and ignored.
 *
 * Tolerated: a byte order mark, CRLF, blank lines, spaces at line ends, lines of any length. Refused: a BEGIN without its END, characters
 * outside of base64, wrong padding. A block that starts with headers (`Proc-Type: 4,ENCRYPTED`) is returned with them, so that an
 * encrypted key can be named.
 *
 * @module
 */

import { printable, utf8Decode } from "../../bytes.ts";
import type { CertificateError } from "./errors.ts";
import { fileError } from "./file-errors.ts";

/** One block. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly label: string;
  readonly der: Uint8Array;
  /** The line of BEGIN, from 1. */
  readonly line: number;
  /** RFC 1421 header lines, which only old encrypted keys have. */
  readonly headers: readonly string[];
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * All blocks of a text, in order; none where there is no BEGIN line.
 *
 * @throws CertificateError `X509_PEM` with the line.
 */
export function parsePem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const label = boundary(lines[i]!, "BEGIN");
    if (label === undefined) continue;
    const begin = i;
    const headers: string[] = [];
    let base64 = "";
    for (i++; i < lines.length && boundary(lines[i]!, "END") === undefined; i++) {
      const line = lines[i]!.trim();
      if (boundary(line, "BEGIN") !== undefined)
        throw fail(i, `a new BEGIN before the END of ${printable(label)} in line ${begin + 1}`);
      if (base64 === "" && line.includes(":")) headers.push(line);
      else if (/[^A-Za-z0-9+/=]/.test(line))
        // The rest of such a line can be a piece of the key.
        throw fail(i, label.endsWith("PRIVATE KEY") ? "no base64" : `no base64: ${printable(line, 40)}`);
      else base64 += line;
    }
    if (i === lines.length) throw fail(begin, `BEGIN ${printable(label)} without its END: the text was cut off`);
    const end = boundary(lines[i]!, "END")!;
    if (end !== label) throw fail(i, `END ${printable(end)} closes BEGIN ${printable(label)} of line ${begin + 1}`);
    const der = base64Decode(base64);
    if (der === undefined)
      throw fail(begin, `the base64 of ${printable(label)} is not whole: characters are missing or too many`);
    blocks.push({ label, der, line: begin + 1, headers });
  }
  return blocks;
}

/** PEM out of DER: lines of 64 characters, a newline at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const base64 = base64Encode(der);
  let text = `-----BEGIN ${label}-----\n`;
  for (let at = 0; at < base64.length; at += 64) text += `${base64.slice(at, at + 64)}\n`;
  return `${text}-----END ${label}-----\n`;
}

/** What a user passed as PEM or DER: the blocks of a PEM text (also as bytes), or `undefined` for DER. */
export function pemBlocks(input: string | Uint8Array): readonly PemBlock[] | undefined {
  if (typeof input === "string") return parsePem(input);
  // DER of everything that is read here starts with a SEQUENCE, which no text does: 0x30 is "0", but a text needs its BEGIN line.
  if (input[0] === 0x30) return undefined;
  const text = utf8Decode(input);
  return text === undefined ? undefined : parsePem(text);
}

function boundary(line: string, word: "BEGIN" | "END"): string | undefined {
  // Most lines are none, and XS takes its time for an expression.
  if (!line.includes("-----")) return undefined;
  return /^-----(BEGIN|END) ([^-]+(?:-[^-]+)*)-----$/.exec(line.trim())?.[1] === word
    ? line.trim().slice(6 + word.length, -5)
    : undefined;
}

function fail(index: number, problem: string): CertificateError {
  return fileError("X509_PEM", `line ${index + 1}: ${problem}`, { line: index + 1 });
}

function base64Encode(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += DIGITS[group >> 18]! + DIGITS[(group >> 12) & 63]!;
    text += left > 1 ? DIGITS[(group >> 6) & 63]! : "=";
    text += left > 2 ? DIGITS[group & 63]! : "=";
  }
  return text;
}

/** `undefined` where the length, the padding or the last bits are wrong (RFC 4648 §3.5), or nothing is there. */
function base64Decode(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, "");
  if (text.length === 0 || text.length % 4 !== 0 || digits.includes("=")) return undefined;
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let group = 0;
  let bits = 0;
  let at = 0;
  // In pieces, since XS finds a character by counting from the start of its string.
  for (let start = 0; start < digits.length; start += 64) {
    const piece = digits.slice(start, start + 64);
    for (let i = 0; i < piece.length; i++) {
      group = ((group << 6) | digitOf(piece.charCodeAt(i))) & 0xffff;
      bits += 6;
      if (bits < 8) continue;
      bits -= 8;
      bytes[at++] = group >> bits;
    }
  }
  return (group & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** The value of a digit of base64, by its code. */
function digitOf(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 43 ? 62 : 63;
}
