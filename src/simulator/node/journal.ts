/**
 * A ledger in a folder: `journal.jsonl`, one JSON line for each change, `[kind, key, record]` or `[kind, key]` for one that is gone. A line is
 * with the system before the change counts, so that a process that is killed loses nothing it has acknowledged; a line that was cut off
 * in the middle is one that was not. What has become long is written anew, whole, beside the old file, and takes its place.
 *
 * Left out on purpose: `fsync` for each line, though not for a file that is written anew. A crash of the machine, not of the process, can
 * lose the last seconds.
 *
 * @module
 */

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import type { Json } from "../../shadow/json.ts";
import { type Ledger, type RecordKind, recordKinds } from "../ledger.ts";
import { lockFolder } from "./lock.ts";
import { OWNER_ONLY, unusable } from "./write-file.ts";

const NAME = "journal.jsonl";
/** Lines beyond twice those that are needed, before it is written anew; and those until it is tried again where that failed. */
const SLACK_LINES = 1_000;

/** A ledger that holds its folder until it is closed. */
export interface Journal extends Ledger {
  /** Lets go of the folder. */
  close(): void;
}

/**
 * Opens the journal of a folder and locks it.
 *
 * @throws UsageError where the folder is in use, cannot be written, or the journal is damaged elsewhere than at its end.
 */
export function openJournal(folder: string): Journal {
  const unlock = lockFolder(folder);
  try {
    return new FileJournal(join(folder, NAME), unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

class FileJournal implements Journal {
  readonly #file: string;
  readonly #unlock: () => void;
  readonly #tables: Map<RecordKind, Map<string, Json>> = new Map();
  #descriptor: number | undefined;
  #bytes = 0;
  #lines = 0;
  #records = 0;
  #longAt = 0;

  constructor(file: string, unlock: () => void) {
    this.#file = file;
    this.#unlock = unlock;
    for (const kind of recordKinds) this.#tables.set(kind, new Map());
    this.#load();
    try {
      this.#compact();
    } catch (error) {
      throw unusable(file, "written", error);
    }
  }

  read(kind: RecordKind): Iterable<readonly [key: string, value: Json]> {
    return this.#tables.get(kind)!;
  }

  write(kind: RecordKind, key: string, value: Json | undefined): void {
    const line = lineOf(kind, key, value);
    this.#append(new TextEncoder().encode(line));
    this.#lines++;
    this.#apply(kind, key, value);
    if (this.#lines <= this.#longAt) return;
    try {
      this.#compact();
    } catch {
      // The line is kept all the same. The old file goes on.
      this.#longAt = this.#lines + SLACK_LINES;
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#unlock();
  }

  #append(bytes: Uint8Array): void {
    if (this.#descriptor === undefined)
      throw new UsageError("USAGE_WRONG_STATE", `${this.#file} is closed: nothing is kept any more`);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
    } catch (error) {
      // The next line must not stand behind half of this one.
      if (written > 0) this.#cutOff();
      throw unusable(this.#file, "written", error);
    }
    this.#bytes += bytes.length;
  }

  #cutOff(): void {
    try {
      ftruncateSync(this.#descriptor!, this.#bytes);
    } catch {
      this.close();
    }
  }

  #apply(kind: RecordKind, key: string, value: Json | undefined): void {
    const table = this.#tables.get(kind)!;
    this.#records -= table.size;
    if (value === undefined) table.delete(key);
    else table.set(key, value);
    this.#records += table.size;
  }

  /** Reads what is there; the end may be half a line. */
  #load(): void {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw unusable(this.#file, "read", error);
    }
    const lines = text.split("\n");
    // What stands behind the last line break was never acknowledged.
    lines.pop();
    lines.forEach((line, i) => {
      const entry = entryOf(line);
      if (entry === undefined)
        throw new UsageError(
          "USAGE_INVALID_ARGUMENT",
          `line ${i + 1} of ${this.#file} is damaged: repair or remove it, or delete the folder to begin anew`,
          { path: this.#file, line: i + 1 },
        );
      this.#apply(...entry);
    });
  }

  /** Writes what is needed into a new file, which takes the old one's place in one step. */
  #compact(): void {
    const lines: string[] = [];
    for (const [kind, table] of this.#tables) for (const [key, value] of table) lines.push(lineOf(kind, key, value));
    const text = lines.join("");
    const bytes = new TextEncoder().encode(text);
    const old = this.#descriptor;
    this.#descriptor = writeAnew(this.#file, bytes);
    this.#bytes = bytes.length;
    this.#lines = lines.length;
    this.#longAt = 2 * this.#records + SLACK_LINES;
    if (old !== undefined) closeSync(old);
  }
}

/** Puts a new file in the place of an old one and leaves it open at its end; where it fails, the old one stands as it was. */
function writeAnew(file: string, bytes: Uint8Array): number {
  const part = `${file}.part`;
  rmSync(part, { force: true });
  const descriptor = openSync(part, "ax", OWNER_ONLY);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    // Else a crash of the machine could leave the new name without the contents.
    fsyncSync(descriptor);
    renameSync(part, file);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    rmSync(part, { force: true });
    throw error;
  }
}

function lineOf(kind: RecordKind, key: string, value: Json | undefined): string {
  return `${JSON.stringify(value === undefined ? [kind, key] : [kind, key, value])}\n`;
}

function entryOf(line: string): [RecordKind, string, Json | undefined] | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!Array.isArray(entry)) return undefined;
  const [kind, key, value] = entry as unknown[];
  if (!recordKinds.includes(kind as RecordKind) || typeof key !== "string") return undefined;
  return [kind as RecordKind, key, value as Json | undefined];
}
