/**
 * Bytes: what every layer does with `Uint8Array`s, and UTF-8 without `TextEncoder`, which QuickJS and XS do not have.
 *
 * Left out on purpose: base64 (only PEM needs it) and streams. Nothing here logs, allocates globally or knows a protocol.
 *
 * @module
 */

/** The empty byte string. Safe to share, since it has no element to write to. */
export const NO_BYTES: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/**
 * Joins byte strings into a new one.
 *
 * @example
 * concat([fromHex("01"), fromHex("0203")]); // Uint8Array [1, 2, 3]
 */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A copy that nobody else holds. `slice()` would do, but that of a Node Buffer is a view. */
export function copyOf(view: Uint8Array): Uint8Array {
  return new Uint8Array(view);
}

/** Whether two byte strings are the same. For public values: it stops at the first difference. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two byte strings are the same, in time that depends on their lengths only. For MACs, verify_data and secrets. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/** Overwrites secrets with zeros. */
export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}

const HEX = "0123456789abcdef";

/** Lower-case hexadecimal digits, two a byte, without separators. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]! >> 4]! + HEX[bytes[i]! & 15]!;
  return text;
}

/**
 * Bytes out of hexadecimal digits; white space between bytes is ignored.
 *
 * @throws RangeError where the text is not hexadecimal: it is meant for constants and tests, not for a peer's text.
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new RangeError("fromHex: not hexadecimal digits");
  const bytes = new Uint8Array(digits.length / 2);
  // In pieces, since XS finds a character by counting from the start of its string.
  for (let at = 0; at < bytes.length; ) {
    const piece = digits.slice(2 * at, 2 * at + 64);
    for (let i = 0; i < piece.length; i += 2) bytes[at++] = Number.parseInt(piece.slice(i, i + 2), 16);
  }
  return bytes;
}

/** The number of bytes that {@link utf8Encode} makes of a text. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

/** A text as UTF-8 (RFC 3629). A surrogate without its partner becomes U+FFFD; use {@link isWellFormed} where that matters. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  utf8EncodeInto(text, bytes, 0);
  return bytes;
}

/** Writes a text as UTF-8 at `at` and returns the position behind it. The room must suffice: see {@link utf8Length}. */
export function utf8EncodeInto(text: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 63);
      continue;
    }
    if (code >= 0xd800 && code < 0xe000) {
      const low = text.charCodeAt(i + 1);
      if (code < 0xdc00 && isLowSurrogate(low)) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        i++;
        bytes[at++] = 0xf0 | (code >> 18);
        bytes[at++] = 0x80 | ((code >> 12) & 63);
        bytes[at++] = 0x80 | ((code >> 6) & 63);
        bytes[at++] = 0x80 | (code & 63);
        continue;
      }
      code = 0xfffd;
    }
    bytes[at++] = 0xe0 | (code >> 12);
    bytes[at++] = 0x80 | ((code >> 6) & 63);
    bytes[at++] = 0x80 | (code & 63);
  }
  return at;
}

/**
 * Text out of UTF-8, strictly: `undefined` where the bytes are not well-formed (overlong forms, surrogates, above U+10FFFF,
 * cut short). U+FEFF is kept wherever it stands ([MQTT-1.5.3-3]); U+0000 is the caller's to refuse.
 */
export function utf8Decode(bytes: Uint8Array, start = 0, end: number = bytes.length): string | undefined {
  let text = "";
  let units: number[] = [];
  let at = start;
  while (at < end) {
    const first = bytes[at++]!;
    if (first < 0x80) {
      units.push(first);
    } else {
      const more =
        first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
      if (more === 0 || at + more > end) return undefined;
      let code = first & (0x3f >> more);
      for (let i = 0; i < more; i++) {
        const next = bytes[at++]!;
        if ((next & 0xc0) !== 0x80) return undefined;
        code = (code << 6) | (next & 63);
      }
      if (more === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return undefined;
      if (more === 3 && (code < 0x10000 || code > 0x10ffff)) return undefined;
      if (code >= 0x10000) units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      else units.push(code);
    }
    // In pieces, because engines bound the number of arguments of one call.
    if (units.length >= 1024) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

/** Whether a text has no surrogate without its partner, so that UTF-8 can carry it unchanged ([MQTT-1.5.3-1]). */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit >= 0xe000) continue;
    if (unit >= 0xdc00 || !isLowSurrogate(text.charCodeAt(i + 1))) return false;
    i++;
  }
  return true;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Printable ASCII without the backslash: nearly every text. */
const PLAIN = /^[ -[\]-~]*$/;

/**
 * A peer's text made safe for a log or a message: control characters, quotes and what is not ASCII are escaped, and what is
 * longer than `limit` characters is cut.
 *
 * @example
 * printable("a\nb"); // "a\\u{a}b"
 */
export function printable(text: string, limit = 120): string {
  if (text.length <= limit && PLAIN.test(text)) return text;
  let safe = "";
  let count = 0;
  for (const character of text) {
    if (++count > limit) return `${safe}…`;
    const code = character.codePointAt(0)!;
    safe += code >= 0x20 && code < 0x7f && character !== "\\" ? character : `\\u{${code.toString(16)}}`;
  }
  return safe;
}

/** The same for bytes that may or may not be text. */
export function printableBytes(bytes: Uint8Array, limit = 120): string {
  const shown = bytes.length > limit ? bytes.subarray(0, limit) : bytes;
  const text = utf8Decode(shown);
  const safe = text === undefined ? `0x${toHex(shown)}` : printable(text, limit);
  return shown.length < bytes.length ? `${safe}…` : safe;
}

/**
 * A cursor over bytes that never reads past its end. What a short read or trailing bytes mean is the caller's to say: the
 * reader calls `fail`, which must throw the layer's error.
 *
 * @example
 * const reader = new ByteReader(fromHex("0003616263"), (problem) => { throw new RangeError(problem); });
 * reader.bytes(reader.uint16()); // "abc"
 */
export class ByteReader {
  readonly source: Uint8Array;
  readonly end: number;
  #at: number;
  readonly #fail: (problem: string, offset: number) => never;

  constructor(
    source: Uint8Array,
    fail: (problem: string, offset: number) => never,
    start = 0,
    end: number = source.length,
  ) {
    this.source = source;
    this.end = end;
    this.#at = start;
    this.#fail = fail;
  }

  /** Where the next read starts, as an offset into `source`. */
  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.end - this.#at;
  }

  uint8(): number {
    return this.source[this.#take(1)]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.source[at]! << 8) | this.source[at + 1]!;
  }

  uint24(): number {
    const at = this.#take(3);
    return (this.source[at]! << 16) | (this.source[at + 1]! << 8) | this.source[at + 2]!;
  }

  uint32(): number {
    const at = this.#take(4);
    return (
      this.source[at]! * 0x1000000 + ((this.source[at + 1]! << 16) | (this.source[at + 2]! << 8) | this.source[at + 3]!)
    );
  }

  /** A view of the next `length` bytes; copy it to keep it. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.source.subarray(at, at + length);
  }

  /** A reader of the next `length` bytes only, so that a length inside cannot lie beyond its field. */
  sub(length: number): ByteReader {
    const at = this.#take(length);
    return new ByteReader(this.source, this.#fail, at, at + length);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** Fails where bytes are left. */
  finish(what: string): void {
    if (this.remaining > 0) this.#fail(`${this.remaining} byte(s) left behind ${what}`, this.#at);
  }

  /** Fails at the present offset. */
  fail(problem: string): never {
    return this.#fail(problem, this.#at);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.end - at) this.#fail(`${length} byte(s) wanted, ${this.end - at} there`, at);
    this.#at = at + length;
    return at;
  }
}

/**
 * A growing buffer with big-endian integers and length prefixes, which are filled in when what they count is written.
 *
 * @example
 * new ByteWriter().uint8(1).prefixed(2, (w) => w.bytes(fromHex("aabb"))).finish(); // 01 0002 aabb
 */
export class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#buffer = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    this.#room(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.uint8(value >> 8).uint8(value);
  }

  uint24(value: number): this {
    return this.uint8(value >> 16).uint16(value);
  }

  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value);
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Writes what `body` writes behind its length in `width` bytes (1 to 3). */
  prefixed(width: 1 | 2 | 3, body: (writer: this) => void): this {
    const at = this.#length;
    for (let i = 0; i < width; i++) this.uint8(0);
    body(this);
    const length = this.#length - at - width;
    if (length >= 2 ** (8 * width))
      throw new RangeError(`a field of ${length} bytes does not fit its ${width}-byte length`);
    for (let i = 0; i < width; i++) this.#buffer[at + i] = length >> (8 * (width - 1 - i));
    return this;
  }

  /** What was written, as a copy that the caller owns. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** Overwrites what was written. Outgrown buffers are not reached: write a secret last. */
  wipe(): void {
    wipe(this.#buffer);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
