/**
 * Binds the policies to the broker's questions, and remembers the latest refusals with their reasons: AWS IoT tells the device nothing,
 * the simulator tells whoever asks.
 *
 * @module
 */

import type { BrokerAction, Denial } from "../mqtt/broker.ts";
import type { Clock } from "../ports.ts";
import {
  connectFacts,
  evaluate,
  type PolicyAction,
  type PolicyCertificate,
  type PolicyContext,
  policyRequests,
} from "./policy/index.ts";
import type { Registry } from "./registry.ts";

/** A refusal, for people. */
export interface Explanation {
  /** Milliseconds since 1970, where the time is known. */
  readonly at: number | undefined;
  /** What was refused: an action of the policies, or the handshake itself. */
  readonly action: PolicyAction | "handshake";
  /** `topic/a/b`, `client/lamp`, …; the server's name for a handshake. */
  readonly resource: string;
  readonly clientId: string | undefined;
  readonly certificateId: string | undefined;
  /** Why, in one line: which statement denies, or which came nearest. */
  readonly explanation: string;
}

/** Who a client of the broker is. */
export interface ClientIdentity {
  readonly certificateId: string;
  readonly certificate: PolicyCertificate;
  readonly sourceIp: string | undefined;
}

/** Refusals that are remembered. */
const KEPT = 100;

/** Asks the policies that are in force. */
export class Authorization {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #account: { readonly region?: string; readonly accountId?: string };
  #explanations: Explanation[] = [];

  constructor(
    registry: Registry,
    clock: Clock,
    account: { readonly region?: string; readonly accountId?: string } = {},
  ) {
    this.#registry = registry;
    this.#clock = clock;
    this.#account = account;
  }

  /** The latest refusals, the newest last. */
  get explanations(): readonly Explanation[] {
    return this.#explanations;
  }

  /** Whether the policies allow an action; all requests that it consists of must be. */
  authorize(action: BrokerAction, identity: ClientIdentity): true | Denial {
    const { certificateId } = identity;
    const policies = this.#registry.policiesInForce(certificateId);
    const context = this.#context(action, identity);
    for (const request of policyRequests(action)) {
      const { allowed, explanation } = evaluate(policies, { ...request, ...this.#account }, context);
      if (allowed) continue;
      const { clientId } = action;
      this.remember({ action: request.action, resource: request.resource, clientId, certificateId, explanation });
      return { denied: explanation };
    }
    return true;
  }

  remember(refusal: Omit<Explanation, "at">): void {
    const explanation = { at: this.#clock.wallMs(), ...refusal };
    this.#explanations = [...this.#explanations.slice(-KEPT + 1), explanation];
  }

  #context(action: BrokerAction, { certificateId, certificate, sourceIp }: ClientIdentity): PolicyContext {
    const { clientId } = action;
    const isAttached = this.#registry.certificates.find(certificateId)?.things.includes(clientId) === true;
    const thing = isAttached ? this.#registry.things.find(clientId) : undefined;
    return {
      clientId,
      sourceIp,
      isAttached,
      thing: thing && { name: thing.thingName, typeName: thing.typeName, attributes: thing.attributes },
      certificate,
      connect: connectFacts(action),
      nowMs: this.#clock.wallMs(),
    };
  }
}
