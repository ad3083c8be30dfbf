/**
 * The policies of the simulated account, by name. What they mean is `policy/`; here they are kept and changed.
 *
 * Left out on purpose: the versions of a policy. A changed one takes the place of the old one.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { isObject, type Json } from "../shadow/json.ts";
import { type Ledger, Table } from "./ledger.ts";
import { type Policy, type PolicyDocument, parsePolicy } from "./policy/index.ts";

/** A policy as text or as the object that it describes. */
export type PolicyInput = string | object;

/** What is kept of one. */
interface StoredPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** The policies, by name. */
export class PolicyRegistry {
  readonly #table: Table<StoredPolicy>;
  /** The same, ready to be asked. */
  readonly #compiled: Map<string, Policy> = new Map();
  readonly #attachedTo: (policyName: string) => readonly string[];
  readonly #changes: (policyName: string) => void;

  /**
   * @param attachedTo The ids of the certificates to which a policy is attached.
   * @param changes Told before a policy changes.
   */
  constructor(
    ledger: Ledger,
    attachedTo: (policyName: string) => readonly string[],
    changes: (policyName: string) => void,
  ) {
    this.#table = new Table("policy", ledger, "policy", isPolicy);
    for (const { name, document } of this.#table.list) this.#compiled.set(name, parsePolicy(name, document));
    this.#attachedTo = attachedTo;
    this.#changes = changes;
  }

  get list(): readonly Policy[] {
    return [...this.#compiled.values()];
  }

  find(policyName: string): Policy | undefined {
    return this.#compiled.get(policyName);
  }

  /** @throws UsageError where there is no such policy. */
  get(policyName: string): Policy {
    this.#table.get(policyName);
    return this.#compiled.get(policyName)!;
  }

  /**
   * Keeps a policy; one of the same name is replaced, with effect on the connections that stand.
   *
   * @throws UsageError for what AWS IoT refuses as malformed.
   */
  put(policyName: string, document: PolicyInput): Policy {
    const policy = parsePolicy(policyName, document);
    this.#changes(policyName);
    this.#table.set(policyName, { name: policyName, document: policy.document });
    this.#compiled.set(policyName, policy);
    return policy;
  }

  /** @throws UsageError where there is none, or it is attached to a certificate. */
  delete(policyName: string): void {
    this.#table.get(policyName);
    const [id, ...others] = this.#attachedTo(policyName);
    if (id !== undefined)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `the policy ${policyName} is attached to ${others.length + 1} certificate(s): detach ${id} first`,
      );
    this.#table.delete(policyName);
    this.#compiled.delete(policyName);
  }
}

function isPolicy(value: Json): boolean {
  return isObject(value) && typeof value["name"] === "string" && isObject(value["document"]);
}
