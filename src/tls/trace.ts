/**
 * The trace of the level verbose (mbedTLS's debug level 4): each record and each handshake message as annotated hexadecimal digits.
 *
 * Offset, bytes, and what they mean, by the tables of `layouts.ts`. Whatever the bytes are, it never throws: where they do not fit, it
 * says so and shows the rest. Bounded: long fields are cut, and so are long messages. Records are shown as they are on the wire; what
 * goes through them decrypted, and keys, are never shown.
 *
 * @module
 */

import { printableBytes, toHex } from "../bytes.ts";
import {
  alertLayout,
  changeCipherSpecLayout,
  extensionType,
  type Field,
  handshakeHeader,
  type Layout,
  messageLayouts,
  recordHeader,
  type TraceNames,
} from "./layouts.ts";
import { handshakeName } from "./messages.ts";
import { HEADER_BYTES } from "./record.ts";

/** Bytes in a line, lines of one message, and bytes that are shown of one field and of what a record carries. */
const ROW_BYTES = 16;
const MAX_LINES = 250;
const MAX_FIELD_BYTES = 80;
const MAX_FRAGMENT_BYTES = 32;

/** A handshake message with its header, annotated; each line begins with a line break. */
export function annotatedMessage(message: Uint8Array, names: TraceNames): string {
  const layout = messageLayouts[handshakeName(message[0] ?? -1)];
  const body: Layout = layout ?? [{ kind: "bytes", label: "body", length: "rest" }];
  return new Annotation(message, names).walk([...handshakeHeader, ...body]).text;
}

/** The same for the two bytes of an alert. */
export function annotatedAlert(alert: Uint8Array, names: TraceNames): string {
  return new Annotation(alert, names).walk(alertLayout).text;
}

/** The same for a ChangeCipherSpec. */
export function annotatedChangeCipherSpec(message: Uint8Array, names: TraceNames): string {
  return new Annotation(message, names).walk(changeCipherSpecLayout).text;
}

/** The same for a whole record as it is on the wire: its header, and the beginning of what it carries. */
export function annotatedRecord(record: Uint8Array, isProtected: boolean, names: TraceNames): string {
  const fragment = new Annotation(record.subarray(HEADER_BYTES), names, HEADER_BYTES, MAX_FRAGMENT_BYTES);
  fragment.walk([{ kind: "bytes", label: isProtected ? "protected fragment" : "fragment", length: "rest" }]);
  return new Annotation(record.subarray(0, HEADER_BYTES), names).walk(recordHeader).text + fragment.text;
}

/** A walk over bytes by a layout, and what it found. */
class Annotation {
  readonly #bytes: Uint8Array;
  readonly #names: TraceNames;
  /** The offset that is shown for the first byte. */
  readonly #origin: number;
  readonly #maxFieldBytes: number;
  readonly #lines: string[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, names: TraceNames, origin = 0, maxFieldBytes = MAX_FIELD_BYTES) {
    this.#bytes = bytes;
    this.#names = names;
    this.#origin = origin;
    this.#maxFieldBytes = maxFieldBytes;
  }

  get text(): string {
    return this.#lines.join("");
  }

  /** Shows all bytes; what the layout leaves over is malformed. */
  walk(layout: Layout): this {
    const end = this.#bytes.length;
    if (this.#fields(layout, end, 0) && this.#at < end) this.#malformed(`${end - this.#at} byte(s) too many`, end, 0);
    this.#show(end - this.#at, { kind: "bytes", label: "the rest", length: "rest" }, 0);
    return this;
  }

  /** False where the walk is over: the bytes do not fit, or enough was shown. */
  #fields(layout: Layout, end: number, depth: number): boolean {
    for (const field of layout) {
      if (this.#lines.length >= MAX_LINES) return this.#stop();
      if (!this.#field(field, end, depth)) return false;
    }
    return true;
  }

  #field(field: Field, end: number, depth: number): boolean {
    switch (field.kind) {
      case "uint": {
        const value = this.#uint(field.width, end, depth);
        if (value === undefined) return false;
        this.#line(field.width, `${field.label}: ${valueText(field, value, this.#names)}`, depth);
        return true;
      }
      case "bytes": {
        const length = field.length === "rest" ? end - this.#at : field.length;
        if (!this.#has(length, end, depth)) return false;
        this.#show(length, field, depth);
        return true;
      }
      case "vector":
        return this.#vector(field.label, field.width, field.items, end, depth);
      default:
        return this.#at === end || this.#extensions(field.of, end, depth);
    }
  }

  #vector(label: string, width: 1 | 2 | 3, items: Layout, end: number, depth: number): boolean {
    const length = this.#uint(width, end, depth);
    if (length === undefined) return false;
    this.#line(width, `${label}: ${bytesText(length)}`, depth);
    if (!this.#has(length, end, depth + 1)) return false;
    const until = this.#at + length;
    while (this.#at < until) if (!this.#fields(items, until, depth + 1)) return false;
    return true;
  }

  #extensions(of: Readonly<Record<number, Layout>>, end: number, depth: number): boolean {
    const length = this.#uint(2, end, depth);
    if (length === undefined) return false;
    this.#line(2, `extensions: ${bytesText(length)}`, depth);
    if (!this.#has(length, end, depth + 1)) return false;
    const until = this.#at + length;
    while (this.#at < until) {
      const type = this.#uint(2, until, depth + 1);
      if (type === undefined || !this.#fields([extensionType], until, depth + 1)) return false;
      // Once, not until the end: what an extension carries is one structure.
      const carried = this.#uint(2, until, depth + 2);
      if (carried === undefined) return false;
      this.#line(2, `extension_data: ${bytesText(carried)}`, depth + 2);
      if (!this.#has(carried, until, depth + 3)) return false;
      const last = this.#at + carried;
      if (carried > 0 && !this.#fields(of[type] ?? [{ kind: "bytes", label: "", length: "rest" }], last, depth + 3))
        return false;
      if (this.#at < last) return this.#malformed(`${last - this.#at} byte(s) too many`, last, depth + 3);
    }
    return true;
  }

  /** The number that comes next, which is not taken yet; `undefined`, and the rest shown, where it is cut short. */
  #uint(width: number, end: number, depth: number): number | undefined {
    if (!this.#has(width, end, depth)) return undefined;
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this.#bytes[this.#at + i]!;
    return value;
  }

  #has(length: number, end: number, depth: number): boolean {
    const left = end - this.#at;
    return length <= left || this.#malformed(`${length} byte(s) wanted, ${left} there`, end, depth);
  }

  /** Shows a field of bytes, whole or its beginning. */
  #show(length: number, { label, isText }: Extract<Field, { kind: "bytes" }>, depth: number): void {
    if (length === 0) return;
    const shown = Math.min(length, this.#maxFieldBytes);
    const last = this.#at + length;
    const value = isText === true ? `"${printableBytes(this.#bytes.subarray(this.#at, last), 64)}"` : bytesText(length);
    let text = label === "" ? (isText === true ? value : "") : `${label}: ${value}`;
    for (let left = shown; left > 0; ) {
      const row = Math.min(ROW_BYTES, left);
      left -= row;
      this.#line(row, text, depth);
      text = "";
    }
    if (last > this.#at) {
      this.#lines.push(`\n  ${this.#offset()}  … and ${bytesText(last - this.#at)} more`);
      this.#at = last;
    }
  }

  #malformed(problem: string, end: number, depth: number): false {
    if (this.#at === end) this.#line(0, `malformed, ${problem}`, depth);
    this.#show(end - this.#at, { kind: "bytes", label: `malformed, ${problem}`, length: "rest" }, depth);
    return false;
  }

  #stop(): false {
    this.#lines.push(`\n  ${this.#offset()}  … and ${bytesText(this.#bytes.length - this.#at)} more`);
    this.#at = this.#bytes.length;
    return false;
  }

  /** A line for the next `length` bytes, and takes them. */
  #line(length: number, text: string, depth: number): void {
    const at = this.#at;
    const digits = toHex(this.#bytes.subarray(at, at + length)).replace(/(..)(?=.)/g, "$1 ");
    const line = `  ${this.#offset()}  ${digits.padEnd(3 * ROW_BYTES)} ${"  ".repeat(depth)}${text}`;
    this.#lines.push(`\n${line.trimEnd()}`);
    this.#at = at + length;
  }

  #offset(): string {
    return (this.#origin + this.#at).toString(16).padStart(4, "0");
  }
}

function valueText(
  { nameOf, base, width }: Extract<Field, { kind: "uint" }>,
  value: number,
  names: TraceNames,
): string {
  const number =
    base === 16
      ? `0x${value
          .toString(16)
          .toUpperCase()
          .padStart(2 * width, "0")}`
      : String(value);
  const name = nameOf?.(value, names);
  return name === undefined ? number : `${name} (${number})`;
}

/** A number of bytes in words. */
export function bytesText(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}
