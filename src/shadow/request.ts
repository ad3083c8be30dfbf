/**
 * Requests to the shadow service: parsing and validation, in the service's order and with its words.
 *
 * @module
 */

import { utf8Length } from "../bytes.ts";
import { decodeJson, endOfText, isObject, type Json, type JsonObject, member, nesting, nullInArray } from "./json.ts";
import { SECTIONS, type StatePatch } from "./state.ts";

/** What the service bounds. */
export interface ShadowLimits {
  /** Non-empty containers nested in one section, the section included. AWS's error text says 6, its quotas page 8. */
  readonly depth: number;
  /** Bytes of JSON of `desired` and `reported` together, after merging. 8192, or what the account's quota was raised to. */
  readonly documentBytes: number;
  /** Bytes of a clientToken in UTF-8. */
  readonly tokenBytes: number;
  /** Bytes of one request: an MQTT payload of AWS IoT. */
  readonly payloadBytes: number;
}

/** AWS's limits. */
export const shadowLimits: ShadowLimits = /* @__PURE__ */ Object.freeze({
  depth: 6,
  documentBytes: 8192,
  tokenBytes: 64,
  payloadBytes: 131_072,
});

/** A refusal: what the service publishes on `…/rejected`. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly clientToken?: string | undefined;
}

/** A valid update. */
export interface UpdateRequest {
  readonly state: StatePatch;
  readonly version?: number | undefined;
  readonly clientToken?: string | undefined;
}

/** A valid get or delete. */
export interface PlainRequest {
  readonly clientToken?: string | undefined;
}

/** Either a valid request or why it is none. */
export type Checked<T> =
  | { readonly request: T; readonly refusal?: undefined }
  | { readonly request?: undefined; readonly refusal: Refusal };

/** Names of the sections in the service's error texts. */
const SECTION_WORDS = { desired: "Desired", reported: "Reported" } as const;

/** The service's text for nulls in arrays is not documented; this one is ours. */
const NULL_IN_ARRAY = "State contains a null value inside an array";

/** The service's text for a document over its limit (code 413). */
export const MESSAGE_TOO_LARGE = "The payload exceeds the maximum size allowed";

/**
 * Checks an update: encoding, JSON, clientToken, `state`, its sections, nulls in arrays, nesting, `version`, in that order.
 * Conflict and size depend on what is stored and are the service's to check.
 */
export function checkUpdate(payload: Uint8Array, limits: ShadowLimits): Checked<UpdateRequest> {
  const { request: envelope, refusal } = checkEnvelope(payload, limits);
  if (envelope === undefined) return { refusal };
  const { document, clientToken } = envelope;
  const refuse = (message: string) => ({ refusal: { code: 400, message, clientToken } });

  const state = member(document, "state");
  if (state === undefined) return refuse("Missing required node: state");
  if (state !== null && !isObject(state)) return refuse("State node must be an object");
  const patch: JsonObject = state ?? {};
  for (const key of Object.keys(patch))
    if (key !== "desired" && key !== "reported") return refuse(`State contains an invalid node: '${key}'`);
  for (const section of SECTIONS) {
    const value = member(patch, section);
    if (value !== undefined && value !== null && !isObject(value))
      return refuse(`${SECTION_WORDS[section]} node must be an object`);
  }
  if (nullInArray(patch) !== undefined) return refuse(NULL_IN_ARRAY);
  for (const section of SECTIONS)
    if (nesting(member(patch, section) ?? null) > limits.depth) return refuse(tooDeep(limits));
  const version = member(document, "version");
  if (version !== undefined && !Number.isInteger(version)) return refuse("Invalid version");
  return { request: { state: state as StatePatch, version: version as number | undefined, clientToken } };
}

/**
 * Checks a get or delete: nothing, or an object of which only `clientToken` counts.
 *
 * @param malformed What becomes of a payload that is no JSON object.
 */
export function checkPlain(
  payload: Uint8Array,
  limits: ShadowLimits,
  malformed: "rejected" | "ignored",
): Checked<PlainRequest> {
  if (endOfText(payload) === 0) return { request: {} };
  const { request: envelope, refusal } = checkEnvelope(payload, limits);
  if (envelope !== undefined) return { request: { clientToken: envelope.clientToken } };
  return malformed === "ignored" ? { request: {} } : { refusal };
}

interface Envelope {
  readonly document: JsonObject;
  readonly clientToken: string | undefined;
}

function checkEnvelope(payload: Uint8Array, limits: ShadowLimits): Checked<Envelope> {
  if (payload.length > limits.payloadBytes) return { refusal: { code: 413, message: MESSAGE_TOO_LARGE } };
  const { value, problem } = decodeJson(payload);
  if (problem === "encoding")
    return { refusal: { code: 415, message: "Unsupported documented encoding; supported encoding is UTF-8" } };
  if (problem === "nesting") return { refusal: { code: 400, message: tooDeep(limits) } };
  if (problem === "syntax" || !isObject(value)) return { refusal: { code: 400, message: "Invalid JSON" } };
  const token: Json | undefined = member(value, "clientToken");
  if (token !== undefined && (typeof token !== "string" || utf8Length(token) > limits.tokenBytes))
    return { refusal: { code: 400, message: "Invalid clientToken" } };
  return { request: { document: value, clientToken: token } };
}

function tooDeep(limits: ShadowLimits): string {
  return `JSON contains too many levels of nesting; maximum is ${limits.depth}`;
}
