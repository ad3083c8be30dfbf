/**
 * Writing what must not be found in halves, and keys that nobody else may read, not even for a moment.
 *
 * @module
 */

import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isThingwireError, UsageError } from "../../errors.ts";

/** Permissions of what holds a private key. */
export const OWNER_ONLY = 0o600;

/**
 * Writes a file, and the folders above it, such that a crash leaves the old contents or the new ones. An old file's permissions do not stay.
 *
 * @throws UsageError with the path and the system's reason.
 */
export function writeWhole(file: string, contents: string, mode: number): void {
  // Its name is one that version control ignores: after a crash it may stay, with a key in it.
  const part = `${file}.part.key`;
  try {
    // Renaming would put a plain file in the place of a device, /dev/stdout among them, of a pipe or of a link.
    if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw unusable(file, "written", "it is no regular file");
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    rmSync(part, { force: true });
    try {
      writeFileSync(part, contents, { mode, flag: "wx" });
      renameSync(part, file);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw isThingwireError(error) ? error : unusable(file, "written", error);
  }
}

/** The error for a file or folder that cannot be `written`, `read`, …. */
export function unusable(path: string, verb: string, error: unknown): UsageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UsageError("USAGE_INVALID_ARGUMENT", `${path} cannot be ${verb}: ${reason}`, { path }, error);
}
