/**
 * The certificates of the simulated account: their status, and what is attached to them. This is what a handshake and the policies ask.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { isArray, isObject, type Json } from "../shadow/json.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import { parseCertificate } from "../tls/x509/certificate.ts";
import { toPem } from "../tls/x509/pem.ts";
import { parseCertificateChain } from "../tls/x509/trust.ts";
import { certificateId } from "./authority.ts";
import { type Ledger, Table } from "./ledger.ts";

/** As AWS IoT names them. Only ACTIVE ones connect. */
export const certificateStatuses = ["ACTIVE", "INACTIVE", "PENDING_ACTIVATION", "REVOKED"] as const;

/** One of {@link certificateStatuses}. */
export type CertificateStatus = (typeof certificateStatuses)[number];

/** A certificate as the registry knows it. */
export interface RegisteredCertificate {
  /** SHA-256 of the DER, in hexadecimal digits. */
  readonly certificateId: string;
  readonly status: CertificateStatus;
  readonly certificatePem: string;
  /** Names of the things that it is attached to. */
  readonly things: readonly string[];
  /** Names of the policies that are attached to it. */
  readonly policies: readonly string[];
}

/** Told after a change: the certificate as it was and as it is; `after` is missing where it was deleted. */
export type CertificateListener = (before: RegisteredCertificate, after: RegisteredCertificate | undefined) => void;

/** The certificates, by id. A call for one that is not known throws a UsageError. */
export class CertificateRegistry {
  readonly #table: Table<RegisteredCertificate>;
  readonly #crypto: CryptoProvider;
  readonly #changed: CertificateListener;

  constructor(ledger: Ledger, crypto: CryptoProvider, changed: CertificateListener) {
    this.#table = new Table("certificate", ledger, "certificate with the id", isRegistered);
    this.#crypto = crypto;
    this.#changed = changed;
  }

  get list(): readonly RegisteredCertificate[] {
    return this.#table.list;
  }

  find(certificateId: string): RegisteredCertificate | undefined {
    return this.#table.find(certificateId);
  }

  /** @throws UsageError where it is not registered. */
  get(certificateId: string): RegisteredCertificate {
    return this.#table.get(certificateId);
  }

  /**
   * Registers a certificate; one that is registered already stays as it is. Whether its CA is known is asked in the handshake.
   *
   * @param der The certificate.
   * @param attached What it is attached to from the start, in one change with it; both must be there.
   * @throws CertificateError where it cannot be read.
   */
  register(
    der: Uint8Array,
    status: CertificateStatus = "ACTIVE",
    attached: Partial<Pick<RegisteredCertificate, "things" | "policies">> = {},
  ): RegisteredCertificate {
    parseCertificate(der);
    const id = certificateId(der, this.#crypto);
    const known = this.#table.find(id);
    if (known !== undefined) return known;
    const certificatePem = toPem("CERTIFICATE", der);
    const registered = { certificateId: id, status, certificatePem, things: [], policies: [], ...attached };
    this.#table.set(id, registered);
    return registered;
  }

  activate(certificateId: string): void {
    this.setStatus(certificateId, "ACTIVE");
  }

  /** The next handshake ends with an alert; connections that stand are dropped, as at AWS IoT. */
  deactivate(certificateId: string): void {
    this.setStatus(certificateId, "INACTIVE");
  }

  /** As {@link deactivate}. */
  revoke(certificateId: string): void {
    this.setStatus(certificateId, "REVOKED");
  }

  setStatus(certificateId: string, status: CertificateStatus): void {
    this.#change(this.get(certificateId), { status });
  }

  /**
   * Forgets a certificate.
   *
   * @throws UsageError where it is active, or something is attached to it, as at AWS IoT.
   */
  delete(certificateId: string): void {
    const certificate = this.get(certificateId);
    const { status, things, policies } = certificate;
    if (status === "ACTIVE")
      throw new UsageError("USAGE_INVALID_ARGUMENT", "an active certificate is not deleted: deactivate it first");
    if (things.length + policies.length > 0)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `it is attached to ${[...things, ...policies].join(", ")}: detach these first`,
      );
    this.#table.delete(certificateId);
    this.#changed(certificate, undefined);
  }

  /** @internal The cloud's, which knows whether the thing exists. */
  setThings(certificateId: string, change: (names: readonly string[]) => readonly string[]): void {
    const certificate = this.get(certificateId);
    this.#change(certificate, { things: change(certificate.things) });
  }

  /** @internal The cloud's, which knows whether the policy exists. */
  setPolicies(certificateId: string, change: (names: readonly string[]) => readonly string[]): void {
    const certificate = this.get(certificateId);
    this.#change(certificate, { policies: change(certificate.policies) });
  }

  #change(before: RegisteredCertificate, change: Partial<RegisteredCertificate>): void {
    const after = { ...before, ...change };
    this.#table.set(before.certificateId, after);
    this.#changed(before, after);
  }
}

function isRegistered(value: Json): boolean {
  if (!isObject(value)) return false;
  const { certificateId, status, certificatePem, things, policies } = value as Record<string, Json | undefined>;
  return (
    typeof certificateId === "string" &&
    isCertificatePem(certificatePem) &&
    certificateStatuses.includes(status as CertificateStatus) &&
    isNames(things) &&
    isNames(policies)
  );
}

function isNames(value: Json | undefined): boolean {
  return isArray(value) && value.every((name) => typeof name === "string");
}

/** @internal Whether it is the text of one certificate. */
export function isCertificatePem(value: Json | undefined): boolean {
  if (typeof value !== "string") return false;
  try {
    const [der, ...others] = parseCertificateChain(value);
    parseCertificate(der!);
    return others.length === 0;
  } catch {
    return false;
  }
}
