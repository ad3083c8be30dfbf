/**
 * The things of the simulated account: names, types and attributes, for people and for the variables of policies.
 *
 * Left out on purpose: thing groups, the search index, and the things' shadows, which exist without the thing as at AWS IoT.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { isObject, type Json } from "../shadow/json.ts";
import { checkNames } from "../shadow/topics.ts";
import type { CertificateRegistry } from "./certificates.ts";
import { type Ledger, Table } from "./ledger.ts";

/** A thing as the registry knows it. */
export interface RegisteredThing {
  readonly thingName: string;
  readonly typeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The things, by name. */
export class ThingRegistry {
  readonly #table: Table<RegisteredThing>;
  readonly #certificates: CertificateRegistry;

  constructor(ledger: Ledger, certificates: CertificateRegistry) {
    this.#table = new Table("thing", ledger, "thing", isThing);
    this.#certificates = certificates;
  }

  get list(): readonly RegisteredThing[] {
    return this.#table.list;
  }

  find(thingName: string): RegisteredThing | undefined {
    return this.#table.find(thingName);
  }

  /**
   * Registers a thing, or changes its type and attributes.
   *
   * @throws UsageError for a name that no thing can have.
   */
  put(thing: {
    readonly thingName: string;
    readonly typeName?: string | undefined;
    readonly attributes?: Readonly<Record<string, string>> | undefined;
  }): RegisteredThing {
    const { thingName, typeName, attributes = {} } = thing;
    checkNames({ thingName });
    const registered = { thingName, ...(typeName === undefined ? {} : { typeName }), attributes };
    this.#table.set(thingName, registered);
    return registered;
  }

  /**
   * Forgets a thing. Its shadows stay, as at AWS IoT.
   *
   * @throws UsageError where there is none, or certificates are attached to it.
   */
  delete(thingName: string): void {
    this.#table.get(thingName);
    const attached = this.#certificates.list.filter(({ things }) => things.includes(thingName));
    if (attached.length > 0)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `${attached.length} certificate(s) are attached to the thing ${thingName}: detach ${attached[0]!.certificateId} first`,
      );
    this.#table.delete(thingName);
  }

  /** @throws UsageError where there is no such thing. */
  get(thingName: string): RegisteredThing {
    return this.#table.get(thingName);
  }
}

function isThing(value: Json): boolean {
  if (!isObject(value)) return false;
  const { thingName, typeName, attributes } = value as Record<string, Json | undefined>;
  return (
    typeof thingName === "string" &&
    (typeName === undefined || typeof typeName === "string") &&
    isObject(attributes) &&
    Object.values(attributes).every((text) => typeof text === "string")
  );
}
