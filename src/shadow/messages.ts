/**
 * What the service publishes, read with suspicion: on a plain broker anyone can publish to a shadow's topics.
 *
 * @module
 */

import { printable, printableBytes } from "../bytes.ts";
import { merge } from "./document.ts";
import { rejectionCode, ShadowError } from "./errors.ts";
import { decodeJson, isObject, type JsonObject, member, nullInArray } from "./json.ts";
import { SECTIONS, type Section, type ShadowState, type StatePatch, type StoredShadow } from "./state.ts";

/** Reads the members of one message; every mistake is a `ShadowError` with blame `peer`. */
export class ServiceMessage {
  readonly #message: JsonObject;

  /** @throws ShadowError `SHADOW_INVALID_JSON` where the payload is no JSON object. */
  constructor(payload: Uint8Array) {
    const { value, problem } = decodeJson(payload);
    if (!isObject(value))
      throw new ShadowError("SHADOW_INVALID_JSON", problem ?? "not an object", { payload: printableBytes(payload) });
    this.#message = value;
  }

  get clientToken(): string | undefined {
    const token = member(this.#message, "clientToken");
    return typeof token === "string" ? token : undefined;
  }

  get version(): number {
    const version = this.#number("version");
    if (!Number.isSafeInteger(version) || version < 0) this.#lacks("version");
    return version;
  }

  /** Seconds since 1970, by the service's clock. */
  get timestamp(): number {
    return this.#number("timestamp");
  }

  /** The `state` of an accepted update: what was asked for, nulls included. */
  get patch(): StatePatch {
    const state = member(this.#message, "state");
    if (state === null) return null;
    if (!isObject(state)) this.#lacks("state");
    const patch: { [section in Section]?: JsonObject | null } = {};
    for (const section of SECTIONS) {
      const value = member(state, section);
      if (value === undefined) continue;
      if (value !== null && (!isObject(value) || nullInArray(value) !== undefined)) this.#lacks(`state.${section}`);
      patch[section] = value;
    }
    return patch;
  }

  /** The `state` of a delta message: what is left to do. */
  get delta(): JsonObject {
    const state = member(this.#message, "state");
    return isObject(state) ? this.#stored(state) : this.#lacks("state");
  }

  /** The whole document out of get/accepted. */
  get document(): StoredShadow {
    const state = this.#sections("state") ?? this.#lacks("state");
    return { state, metadata: this.#sections("metadata") ?? {}, version: this.version };
  }

  /** The error out of a rejected message. */
  get rejection(): ShadowError {
    const status = this.#number("code");
    const text = member(this.#message, "message");
    const message = typeof text === "string" ? printable(text) : "";
    return new ShadowError(rejectionCode(status), message, { status, message });
  }

  #sections(name: "state" | "metadata"): ShadowState | undefined {
    const tree = member(this.#message, name);
    if (!isObject(tree)) return undefined;
    const sections: { [section in Section]?: JsonObject } = {};
    for (const section of SECTIONS) {
      const value = member(tree, section);
      if (isObject(value)) sections[section] = this.#stored(value);
    }
    return sections;
  }

  /** A document holds no nulls: whoever sends one means a key that is not there, and inside an array it means nothing. */
  #stored(state: JsonObject): JsonObject {
    return nullInArray(state) === undefined ? merge({}, state) : this.#lacks("state");
  }

  #number(name: string): number {
    const value = member(this.#message, name);
    return typeof value === "number" ? value : this.#lacks(name);
  }

  #lacks(name: string): never {
    throw new ShadowError("SHADOW_INVALID_MESSAGE", `no usable ${name}`, { member: name });
  }
}
