/**
 * The registry of the simulated account: things, certificates, policies and CAs, and what is attached to what. It needs no broker: the
 * commands that change a folder while no simulator runs use it alone.
 *
 * @module
 */

import type { Clock, Random } from "../ports.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import { AuthorityRegistry } from "./authorities.ts";
import { certificateId } from "./authority.ts";
import { CertificateRegistry, type CertificateStatus, type RegisteredCertificate } from "./certificates.ts";
import type { Ledger } from "./ledger.ts";
import { PolicyRegistry } from "./policies.ts";
import type { Policy } from "./policy/index.ts";
import { ThingRegistry } from "./things.ts";

/** What the registry needs. */
export interface RegistryOptions {
  readonly ledger: Ledger;
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
  /** Milliseconds until a change of policies takes effect on what a certificate may do; minutes at AWS IoT, 0 by default. */
  readonly propagationMs?: number | undefined;
  /** Told when a certificate is no longer ACTIVE. */
  readonly deactivated?: ((certificateId: string) => void) | undefined;
}

/** A change that has not reached the policies' readers yet. */
interface PendingChange {
  readonly certificateId: string;
  readonly until: number;
  /** What was in force before it. */
  readonly before: readonly Policy[];
}

/** Things, certificates, policies and CAs. Calls that name what is not there throw a UsageError. */
export class Registry {
  readonly certificates: CertificateRegistry;
  readonly things: ThingRegistry;
  readonly policies: PolicyRegistry;
  readonly authorities: AuthorityRegistry;
  readonly #crypto: CryptoProvider;
  readonly #clock: Clock;
  readonly #propagationMs: number;
  #pending: PendingChange[] = [];

  constructor({ ledger, crypto, random, clock, propagationMs = 0, deactivated }: RegistryOptions) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#propagationMs = propagationMs;
    this.certificates = new CertificateRegistry(ledger, crypto, (before, after) => {
      if (before.status === "ACTIVE" && after?.status !== "ACTIVE") deactivated?.(before.certificateId);
    });
    this.things = new ThingRegistry(ledger, this.certificates);
    this.policies = new PolicyRegistry(
      ledger,
      (name) => this.#holders(name).map(({ certificateId }) => certificateId),
      (name) => {
        for (const holder of this.#holders(name)) this.#rememberPolicies(holder);
      },
    );
    this.authorities = new AuthorityRegistry(ledger, { crypto, random, clock });
  }

  /**
   * Registers a certificate together with what it is attached to, in one change: of a process that is killed in between nothing is left by
   * halves. One that is registered already is attached besides.
   */
  adopt(
    der: Uint8Array,
    status: CertificateStatus | undefined,
    attached: Pick<RegisteredCertificate, "things" | "policies">,
  ): RegisteredCertificate {
    for (const name of attached.things) this.things.get(name);
    for (const name of attached.policies) this.policies.get(name);
    const id = certificateId(der, this.#crypto);
    if (this.certificates.find(id) === undefined) {
      const registered = this.certificates.register(der, status, attached);
      this.#rememberPolicies({ ...registered, policies: [] });
      return registered;
    }
    for (const name of attached.things) this.attachThing(name, id);
    for (const name of attached.policies) this.attachPolicy(name, id);
    return this.certificates.get(id);
  }

  attachThing(thingName: string, certificateId: string): void {
    this.things.get(thingName);
    this.certificates.setThings(certificateId, (names) => withName(names, thingName));
  }

  detachThing(thingName: string, certificateId: string): void {
    this.certificates.setThings(certificateId, (names) => names.filter((name) => name !== thingName));
  }

  attachPolicy(policyName: string, certificateId: string): void {
    this.policies.get(policyName);
    this.#rememberPolicies(this.certificates.get(certificateId));
    this.certificates.setPolicies(certificateId, (names) => withName(names, policyName));
  }

  detachPolicy(policyName: string, certificateId: string): void {
    this.#rememberPolicies(this.certificates.get(certificateId));
    this.certificates.setPolicies(certificateId, (names) => names.filter((name) => name !== policyName));
  }

  /** The policies that are in force for a certificate now: a change counts once it has propagated. */
  policiesInForce(certificateId: string): readonly Policy[] {
    const now = this.#clock.now();
    this.#pending = this.#pending.filter(({ until }) => until > now);
    const oldest = this.#pending.find((change) => change.certificateId === certificateId);
    if (oldest !== undefined) return oldest.before;
    const certificate = this.certificates.find(certificateId);
    return certificate === undefined ? [] : this.#policiesOf(certificate);
  }

  #rememberPolicies(certificate: RegisteredCertificate): void {
    if (this.#propagationMs === 0) return;
    const { certificateId } = certificate;
    const until = this.#clock.now() + this.#propagationMs;
    this.#pending.push({ certificateId, until, before: this.#policiesOf(certificate) });
  }

  #policiesOf({ policies }: RegisteredCertificate): readonly Policy[] {
    // Someone may have taken one out of a folder by hand.
    return policies.flatMap((name) => this.policies.find(name) ?? []);
  }

  #holders(policyName: string): readonly RegisteredCertificate[] {
    return this.certificates.list.filter(({ policies }) => policies.includes(policyName));
  }
}

function withName(names: readonly string[], name: string): readonly string[] {
  return names.includes(name) ? names : [...names, name];
}
