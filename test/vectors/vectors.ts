/**
 * Where the test vectors of others come from: the folder `THINGWIRE_VECTORS`, or `../shared/vectors` beside the project.
 *
 * Without the folder a suite says so in one line and is skipped; with `CI=true` that is a failure, so that a continuous
 * integration cannot pass by testing nothing.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = resolve(root, process.env["THINGWIRE_VECTORS"] ?? "../shared/vectors");
let told = false;

/**
 * Whether the vectors are there: `describe.skipIf(!vectorsAvailable())`.
 *
 * @throws Error where they are not and `CI=true`.
 */
export function vectorsAvailable(): boolean {
  if (existsSync(folder)) return true;
  const message = "test vectors are absent: set THINGWIRE_VECTORS to their folder; the suite is skipped";
  if (process.env["CI"] === "true") throw new Error(message);
  if (!told) console.warn(message);
  told = true;
  return false;
}

/** The names in a folder of the vectors (`wycheproof`). */
export function vectorFiles(path: string): readonly string[] {
  return readdirSync(resolve(folder, path));
}

/** A file of vectors by its path in the folder (`wycheproof/aes_gcm_test.json.gz`), parsed; `.gz` is unpacked. */
export function loadVectors(path: string): unknown {
  const bytes = readFileSync(resolve(folder, path));
  return JSON.parse((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"));
}
