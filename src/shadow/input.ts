/**
 * A caller's state made JSON: copied, checked, and refused where a shadow could not hold it, before anything is sent.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { ShadowError } from "./errors.ts";
import { type Json, type JsonObject, type MutableJsonObject, setMember } from "./json.ts";

/**
 * A copy of a patch as JSON. Members that are `undefined` are left out, null stays and removes its key.
 *
 * @param depth Non-empty containers that may be nested, the patch itself included. It also bounds the recursion, so that a
 *   value that contains itself is refused like any other that is too deep.
 * @throws ShadowError `SHADOW_INVALID_STATE` for what is not plain JSON, too deep, or has a null in an array.
 */
export function jsonPatch(value: unknown, depth: number): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse([], "the state must be an object");
  return copy(value, depth, false, []) as JsonObject;
}

function copy(value: unknown, depth: number, inArray: boolean, path: readonly string[]): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) refuse(path, `${value} is not a number of JSON`);
      return value === 0 ? 0 : value;
    case "object":
      break;
    default:
      return refuse(path, `${typeof value} is not JSON`);
  }
  if (value === null) return inArray ? refuse(path, "an array cannot hold null") : null;
  const nested = depth - 1;
  if (Array.isArray(value)) {
    if (value.length > 0 && nested < 0) refuse(path, "too many levels of nesting");
    return Array.from(value, (element, index) => copy(element, nested, true, [...path, String(index)]));
  }
  const kind = Object.prototype.toString.call(value);
  if (kind !== "[object Object]") refuse(path, `${printable(kind)} is not plain JSON`);
  const object: MutableJsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    if (child === undefined) continue;
    if (nested < 0) refuse(path, "too many levels of nesting");
    setMember(object, key, copy(child, nested, inArray, [...path, key]));
  }
  return object;
}

/** A patch that does nothing but remove the member at a path. */
export function removal(path: readonly string[]): JsonObject {
  let patch: JsonObject | null = null;
  for (let i = path.length - 1; i >= 0; i--) {
    const outer: MutableJsonObject = {};
    setMember(outer, path[i]!, patch);
    patch = outer;
  }
  return patch ?? {};
}

function refuse(path: readonly string[], problem: string): never {
  const where = path.length === 0 ? "" : `${printable(path.join("."))}: `;
  throw new ShadowError("SHADOW_INVALID_STATE", where + problem, { path: path.map((key) => printable(key)) });
}
