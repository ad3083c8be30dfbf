/**
 * What the simulated cloud must not forget, as a port: tables of JSON records by key. Who changes a record writes it here first, so that
 * nothing is acknowledged that is not kept. `thingwire/simulator/node` keeps them in a folder; without one they live in memory.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { Json } from "../shadow/json.ts";

/** The tables: one for each kind of record. */
export const recordKinds = ["account", "thing", "certificate", "authority", "policy", "shadow"] as const;

/** The name of a table. */
export type RecordKind = (typeof recordKinds)[number];

/** Keeps records. */
export interface Ledger {
  /** The records of a table as they were kept, by key. Asked once, at the start. */
  read(kind: RecordKind): Iterable<readonly [key: string, value: Json]>;
  /**
   * Keeps a record, or forgets it where the value is `undefined`. What it has returned from is kept, whatever happens to the process.
   *
   * @throws UsageError where it cannot be kept.
   */
  write(kind: RecordKind, key: string, value: Json | undefined): void;
}

/** Keeps nothing beyond the process: the tables themselves are the memory. */
export const forgetful: Ledger = /* @__PURE__ */ Object.freeze({ read: () => [], write: () => {} });

/** One table of the registry: records that are plain JSON, kept in a ledger before they count. */
export class Table<T extends object> {
  readonly #kind: RecordKind;
  readonly #ledger: Ledger;
  readonly #records: Map<string, T> = new Map();
  /** What a record is called in messages: "thing", "certificate", …. */
  readonly #noun: string;
  readonly #isRecord: (value: Json) => boolean;

  /**
   * @param isRecord Whether it is such a record, in all that is relied on: a damaged folder is told at the start, not in the middle of a
   *   handshake, and what would be damage at the next start is not kept.
   */
  constructor(kind: RecordKind, ledger: Ledger, noun: string, isRecord: (value: Json) => boolean) {
    this.#kind = kind;
    this.#ledger = ledger;
    this.#noun = noun;
    this.#isRecord = isRecord;
    for (const [key, value] of ledger.read(kind)) {
      if (!isRecord(value))
        throw new UsageError("USAGE_INVALID_ARGUMENT", `what was kept of the ${noun} ${printable(key)} is damaged`);
      this.#records.set(key, value as unknown as T);
    }
  }

  /** In the order in which they were made. */
  get list(): readonly T[] {
    return [...this.#records.values()];
  }

  find(key: string): T | undefined {
    return this.#records.get(key);
  }

  /** @throws UsageError where there is none. */
  get(key: string): T {
    const record = this.#records.get(key);
    if (record === undefined)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `there is no ${this.#noun} ${printable(key)}`);
    return record;
  }

  /** @throws UsageError where it is no such record, or cannot be kept. */
  set(key: string, record: T): void {
    if (!this.#isRecord(record as unknown as Json))
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `the ${this.#noun} ${printable(key)} is not kept: a field of it has a value that it cannot have`,
      );
    this.#ledger.write(this.#kind, key, record as unknown as Json);
    this.#records.set(key, record);
  }

  delete(key: string): void {
    this.get(key);
    this.#ledger.write(this.#kind, key, undefined);
    this.#records.delete(key);
  }
}
