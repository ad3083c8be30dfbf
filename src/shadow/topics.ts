/**
 * The reserved topics of a shadow: `$aws/things/{thing}/shadow[/name/{shadow}]/…`, written and read.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";

/** Which shadow: without `shadowName` the thing's classic (unnamed) one. */
export interface ShadowName {
  readonly thingName: string;
  readonly shadowName?: string | undefined;
}

/** What a device may ask of a shadow. */
export type ShadowOperation = "get" | "update" | "delete";

/** What a shadow topic carries. `request` goes to the service, the others come from it. */
export type ShadowMessageKind = "request" | "accepted" | "rejected" | "delta" | "documents";

/** A shadow topic taken apart. */
export interface ShadowTopic extends ShadowName {
  readonly operation: ShadowOperation;
  readonly kind: ShadowMessageKind;
}

/** All eleven topics of one shadow. */
export interface ShadowTopics {
  readonly get: string;
  readonly getAccepted: string;
  readonly getRejected: string;
  readonly update: string;
  readonly updateAccepted: string;
  readonly updateRejected: string;
  readonly updateDelta: string;
  readonly updateDocuments: string;
  readonly delete: string;
  readonly deleteAccepted: string;
  readonly deleteRejected: string;
}

const THING_NAME = /^[a-zA-Z0-9:_-]{1,128}$/;
const SHADOW_NAME = /^[a-zA-Z0-9:_-]{1,64}$/;

/**
 * Whether a thing can have this name: 1 to 128 letters, digits, `:`, `_`, `-`. Case matters: `Lamp` and `lamp` are two things.
 */
export function isThingName(name: string): boolean {
  return typeof name === "string" && THING_NAME.test(name);
}

/** Whether a named shadow can have this name: 1 to 64 letters, digits, `:`, `_`, `-`. */
export function isShadowName(name: string): boolean {
  return typeof name === "string" && SHADOW_NAME.test(name);
}

/** Refuses names that no shadow can have, with `USAGE_INVALID_ARGUMENT`. */
export function checkNames({ thingName, shadowName }: ShadowName): void {
  if (!isThingName(thingName))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `thingName "${printable(String(thingName))}": 1 to 128 letters, digits, ":", "_", "-"`,
    );
  if (shadowName !== undefined && !isShadowName(shadowName))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `shadowName "${printable(String(shadowName))}": 1 to 64 letters, digits, ":", "_", "-"`,
    );
}

/** What all topics of a shadow start with, without the last slash. Throws `USAGE_INVALID_ARGUMENT` for impossible names. */
export function shadowPrefix(name: ShadowName): string {
  checkNames(name);
  const prefix = `$aws/things/${name.thingName}/shadow`;
  return name.shadowName === undefined ? prefix : `${prefix}/name/${name.shadowName}`;
}

/**
 * The topics of a shadow. Throws `USAGE_INVALID_ARGUMENT` for impossible names.
 *
 * @example
 * shadowTopics({ thingName: "lamp" }).updateDelta; // "$aws/things/lamp/shadow/update/delta"
 */
export function shadowTopics(name: ShadowName): ShadowTopics {
  const prefix = shadowPrefix(name);
  return {
    get: `${prefix}/get`,
    getAccepted: `${prefix}/get/accepted`,
    getRejected: `${prefix}/get/rejected`,
    update: `${prefix}/update`,
    updateAccepted: `${prefix}/update/accepted`,
    updateRejected: `${prefix}/update/rejected`,
    updateDelta: `${prefix}/update/delta`,
    updateDocuments: `${prefix}/update/documents`,
    delete: `${prefix}/delete`,
    deleteAccepted: `${prefix}/delete/accepted`,
    deleteRejected: `${prefix}/delete/rejected`,
  };
}

/** Takes a topic apart; `undefined` where it is none of a shadow's. */
export function parseShadowTopic(topic: string): ShadowTopic | undefined {
  const [root, things, thingName, shadow, ...rest] = topic.split("/");
  if (root !== "$aws" || things !== "things" || shadow !== "shadow" || !isThingName(thingName!)) return undefined;
  const named = rest[0] === "name";
  const shadowName = named ? rest[1] : undefined;
  if (named && (shadowName === undefined || !isShadowName(shadowName))) return undefined;
  const [operation, reply, ...more] = named ? rest.slice(2) : rest;
  if (!isOperation(operation) || more.length > 0) return undefined;
  if (reply !== undefined && !isReply(reply, operation)) return undefined;
  return {
    thingName: thingName!,
    ...(shadowName === undefined ? {} : { shadowName }),
    operation,
    kind: reply ?? "request",
  };
}

function isOperation(level: string | undefined): level is ShadowOperation {
  return level === "get" || level === "update" || level === "delete";
}

function isReply(level: string, operation: ShadowOperation): level is Exclude<ShadowMessageKind, "request"> {
  if (level === "accepted" || level === "rejected") return true;
  return operation === "update" && (level === "delta" || level === "documents");
}
