/**
 * The files that `thingwire provision` writes: all of them or none, keys for their owner alone, and nothing is written over.
 *
 * @module
 */

import { existsSync, lstatSync } from "node:fs";
import { UsageError } from "../../errors.ts";
import { gitStatus, requireUntracked } from "../../runtime/node-git.ts";
import { OWNER_ONLY, writeWhole } from "../../simulator/node/write-file.ts";

/** A file to write. */
export interface OutputFile {
  readonly path: string;
  readonly contents: string;
  /** Whether it holds a private key. */
  readonly secret: boolean;
}

/**
 * Writes files, secret ones first: a certificate without its key is of no use.
 *
 * @returns what git makes of the secret ones, where somebody should know: a line each.
 * @throws UsageError where one is there already, unless `force`, or cannot be written; ThingError `THING_KEY_TRACKED` for a secret one.
 */
export function writeFiles(files: readonly OutputFile[], force: boolean): readonly string[] {
  const there = files.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (there.length > 0 && !force)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `${there.join(" and ")} ${there.length === 1 ? "is" : "are"} there already: nothing was written; --force writes over them`,
      { path: there },
    );
  // Looked at before the first is written: a new key beside an old certificate would be the end of both.
  const odd = there.find((path) => !lstatSync(path).isFile());
  if (odd !== undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", `${odd} is no regular file: nothing was written`, { path: odd });
  const secrets = files.filter(({ secret }) => secret);
  for (const { path } of secrets) requireUntracked(path, "the key", { ignored: false });
  for (const { path, contents } of secrets) writeWhole(path, contents, OWNER_ONLY);
  for (const { path, contents, secret } of files) if (!secret) writeWhole(path, contents, 0o644);
  return secrets
    .filter(({ path }) => gitStatus(path).state === "untracked")
    .map(({ path }) => `git does not ignore ${path}: add it to .gitignore before the next \`git add\``);
}
