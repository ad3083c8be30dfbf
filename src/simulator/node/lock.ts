/**
 * A folder's lock, so that two simulators do not write the same journal. It is a file with the number of the process that holds it, and
 * stays behind where that is killed: then the next one sees that the process is gone, and takes it over.
 *
 * @module
 */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { unusable } from "./write-file.ts";

const NAME = "lock";

/**
 * Locks a folder, which is made where it is missing. The result unlocks it.
 *
 * @throws UsageError where another process that lives holds the lock (`data.pid`), or the folder cannot be written.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, NAME);
  const own = identityOf(process.pid);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Bounded: where others take and release it that fast, one of them holds it.
    for (let attempt = 0; attempt < 5; attempt++) {
      if (create(file, own)) return () => release(file, own);
      const holder = read(file);
      if (holder === undefined) continue;
      const pid = Number.parseInt(holder, 10);
      if (holder !== "" && identityOf(pid) === holder)
        throw new UsageError(
          "USAGE_INVALID_ARGUMENT",
          `the folder ${folder} is in use by the simulator with the process number ${pid}: type the command there, or stop it first`,
          { path: folder, pid },
        );
      removeStale(file, holder);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw unusable(`the folder ${folder}`, "locked", error);
  }
  throw new UsageError("USAGE_INVALID_ARGUMENT", `the folder ${folder} is in use by another simulator`);
}

/**
 * What a process is known by: its number, and where Linux tells it the tick in which it started, because numbers are used again. Empty
 * where there is no such process.
 */
function identityOf(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return "";
  }
  return `${pid} ${startOf(pid)}`.trimEnd();
}

/** Field 22 of `/proc/PID/stat` (proc(5)); the name in field 2 may hold spaces and ends at the last parenthesis. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** The file is whole from the moment in which it has its name, so that an empty one is never taken for stale while it is written. */
function create(file: string, own: string): boolean {
  const part = `${file}.${process.pid}.part`;
  try {
    writeFileSync(part, own, { mode: 0o600 });
    linkSync(part, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(part, { force: true });
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** Moves the stale lock away first: of two that find it, one gets it; and what it got is looked at, should it be a new one by now. */
function removeStale(file: string, holder: string): void {
  const away = `${file}.${process.pid}`;
  try {
    renameSync(file, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const got = read(away);
  if (got !== undefined && got !== holder) create(file, got);
  rmSync(away, { force: true });
}

function release(file: string, own: string): void {
  if (read(file) === own) rmSync(file, { force: true });
}
