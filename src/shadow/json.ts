/**
 * JSON values as the shadow service knows them: their types, safe access to members, text in both directions, size and depth.
 *
 * Objects are plain objects, and every key is just a key: `__proto__` and `constructor` are read and written as own
 * properties only. Recursion is bounded everywhere: text is scanned for its nesting before `JSON.parse` sees it, and a
 * caller's values are copied to a limited depth, because a stack overflow ends the program on XS.
 *
 * Left out on purpose: lossless numbers. A number is a double: integers beyond 2^53 and more than 17 digits are rounded when
 * parsed, `1.0` becomes `1`, `-0` becomes `0`, and text such as `1e999` is refused. Of two equal keys in a text the last one
 * counts, and keys that look like array indices (`"7"`) come first in key order, as in all JavaScript objects.
 *
 * @module
 */

import { utf8Decode, utf8Encode, utf8Length } from "../bytes.ts";

/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | JsonArray | JsonObject;
/** A JSON array. */
export type JsonArray = readonly Json[];
/** A JSON object. Keys are own properties, `__proto__` included. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A JSON object under construction. */
export type MutableJsonObject = { [key: string]: Json };

/** Deepest nesting of a text that is parsed at all; a shadow document with its metadata needs 11 at most. */
export const MAX_TEXT_NESTING = 32;

/** Whether a value is a JSON object: not an array, not null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a JSON array. (`Array.isArray` does not narrow read-only arrays.) */
export function isArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** The own member of that name: `undefined` for anything that only the prototype has. */
export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets an own member. Assignment would run the setter of `__proto__`. */
export function setMember(object: MutableJsonObject, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** Whether an object has no member. */
export function isEmpty(object: JsonObject): boolean {
  for (const key in object) if (Object.hasOwn(object, key)) return false;
  return true;
}

/** Whether two values are the same: numbers by value, objects whatever the order of their keys, arrays in order. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (isArray(a)) {
    if (!isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameJson(a[i]!, b[i]!)) return false;
    return true;
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (!Object.hasOwn(b, key) || !sameJson(a[key]!, b[key]!)) return false;
  return true;
}

/** How many non-empty containers are nested in a value: 0 for scalars, `{}` and `[]`. */
export function nesting(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  let deepest = -1;
  for (const child of Object.values(value)) deepest = Math.max(deepest, nesting(child));
  return deepest + 1;
}

/** The bytes that a value takes as compact JSON in UTF-8; 0 for `undefined`. */
export function jsonBytes(value: Json | undefined): number {
  return value === undefined ? 0 : utf8Length(JSON.stringify(value));
}

/** A value as compact JSON in UTF-8. */
export function encodeJson(value: Json): Uint8Array {
  return utf8Encode(JSON.stringify(value));
}

/** Why a text was not parsed: `encoding` not UTF-8, `nesting` too deep to look at, `syntax` not JSON or a number out of range. */
export type JsonProblem = "encoding" | "nesting" | "syntax";

/** What {@link decodeJson} returns: exactly one of the two is there. */
export type DecodedJson =
  | { readonly value: Json; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: JsonProblem };

/**
 * Parses bytes as JSON. NUL bytes and white space behind the text are tolerated, since C firmware publishes its strings
 * with their terminator. Never throws.
 */
export function decodeJson(bytes: Uint8Array): DecodedJson {
  const text = utf8Decode(bytes, 0, endOfText(bytes));
  if (text === undefined) return { problem: "encoding" };
  if (textNesting(text) > MAX_TEXT_NESTING) return { problem: "nesting" };
  try {
    const value = JSON.parse(text) as Json;
    return allFinite(value) ? { value } : { problem: "syntax" };
  } catch {
    return { problem: "syntax" };
  }
}

/** Where the text ends when trailing NUL bytes and white space are left out. 0 for a payload without any text. */
export function endOfText(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && isPadding(bytes[end - 1]!)) end--;
  return end;
}

function isPadding(byte: number): boolean {
  return byte === 0 || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The deepest nesting of brackets outside of strings, in one pass and without a stack. */
function textNesting(text: string): number {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++level);
    else if (unit === 0x7d || unit === 0x5d) level--;
  }
  return deepest;
}

// `JSON.parse("1e999")` is Infinity, which `JSON.stringify` would turn into null: a deletion.
function allFinite(value: Json): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(allFinite);
}

/**
 * Where in a value the first null inside an array is, as a path of keys and indices; `undefined` where there is none. Nulls
 * in objects inside an array count, since an array is replaced whole and nothing would take them out.
 */
export function nullInArray(value: Json, path: readonly string[] = [], inside = false): readonly string[] | undefined {
  if (value === null) return inside ? path : undefined;
  if (typeof value !== "object") return undefined;
  const within = inside || isArray(value);
  for (const [key, child] of Object.entries(value)) {
    const found = nullInArray(child, [...path, key], within);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A copy that shares nothing with the value, for handing it to code that may change it. */
export function copyJson<T extends Json>(value: T): T {
  if (isArray(value)) return value.map(copyJson) as readonly Json[] as T;
  if (!isObject(value)) return value;
  const copy: MutableJsonObject = {};
  for (const key of Object.keys(value)) setMember(copy, key, copyJson(value[key]!));
  return copy as JsonObject as T;
}
