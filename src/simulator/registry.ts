/**
 * Which certificates the simulator knows, and whether they may connect: the part of AWS IoT's registry that a handshake asks.
 *
 * @module
 */

import { UsageError } from "../errors.ts";

/** As AWS IoT names them. Only ACTIVE ones connect. */
export type CertificateStatus = "ACTIVE" | "INACTIVE" | "REVOKED";

/** A certificate as the registry knows it. */
export interface RegisteredCertificate {
  /** SHA-256 of the DER, in hexadecimal digits. */
  readonly certificateId: string;
  readonly thingName: string;
  readonly status: CertificateStatus;
}

/** The certificates that the simulated cloud knows, by id. */
export class CertificateRegistry {
  readonly #certificates: Map<string, RegisteredCertificate> = new Map();

  get list(): readonly RegisteredCertificate[] {
    return [...this.#certificates.values()];
  }

  register(certificate: RegisteredCertificate): void {
    this.#certificates.set(certificate.certificateId, certificate);
  }

  find(certificateId: string): RegisteredCertificate | undefined {
    return this.#certificates.get(certificateId);
  }

  /** Connections that stand go on: as at AWS IoT, the next one is refused. */
  deactivate(certificateId: string): void {
    this.#set(certificateId, "INACTIVE");
  }

  activate(certificateId: string): void {
    this.#set(certificateId, "ACTIVE");
  }

  revoke(certificateId: string): void {
    this.#set(certificateId, "REVOKED");
  }

  #set(certificateId: string, status: CertificateStatus): void {
    const certificate = this.#certificates.get(certificateId);
    if (certificate === undefined)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `there is no certificate with the id ${certificateId}`);
    this.register({ ...certificate, status });
  }
}
