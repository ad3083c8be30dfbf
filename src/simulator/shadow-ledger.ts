/**
 * Shadows in a ledger: one record for each name, a document or what is remembered of a deleted one.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { isObject, type Json, type JsonObject } from "../shadow/json.ts";
import type { ShadowChange, ShadowSnapshot } from "../shadow/service.ts";
import { type ShadowName, shadowPrefix } from "../shadow/topics.ts";
import type { Ledger } from "./ledger.ts";

/** Keeps what a shadow becomes. Thrown errors are those of the ledger. */
export function keepShadow(ledger: Ledger, name: ShadowName, change: ShadowChange): void {
  ledger.write("shadow", shadowPrefix(name), { ...name, ...change } as unknown as Json);
}

/** What was kept, for `ShadowService.restore`, which checks it. Deleted shadows whose time is over are forgotten. */
export function keptShadows(ledger: Ledger, nowSeconds: number): ShadowSnapshot {
  const shadows: JsonObject[] = [];
  const tombstones: JsonObject[] = [];
  for (const [key, value] of ledger.read("shadow")) {
    if (!isObject(value))
      throw new UsageError("USAGE_INVALID_ARGUMENT", `what was kept of the shadow ${printable(key)} is damaged`);
    const record: JsonObject = value;
    const expires = record["expires"];
    if ("state" in record) shadows.push(record);
    else if (typeof expires === "number" && expires <= nowSeconds) ledger.write("shadow", key, undefined);
    else tombstones.push(record);
  }
  return { shadows, tombstones } as unknown as ShadowSnapshot;
}
