/**
 * The CAs that a user has registered with the simulated account, with the proof that AWS IoT asks for: a verification certificate that
 * the CA has signed and whose common name is the account's registration code (AWS IoT Developer Guide, "Register your CA certificate").
 *
 * Left out on purpose: registration in SNI-only mode, which needs no proof, and the limit on CAs of the same name.
 *
 * @module
 */

import { toHex } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { Clock, Random } from "../ports.ts";
import { isObject, type Json } from "../shadow/json.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import { type Certificate, parseCertificate } from "../tls/x509/certificate.ts";
import { toPem } from "../tls/x509/pem.ts";
import { parseCertificateChain, trustAnchors } from "../tls/x509/trust.ts";
import { verifyCertificate } from "../tls/x509/verify.ts";
import { certificateId } from "./authority.ts";
import { isCertificatePem } from "./certificates.ts";
import { type Ledger, Table } from "./ledger.ts";

/** A registered CA. */
export interface RegisteredAuthority {
  /** SHA-256 of the DER, in hexadecimal digits. */
  readonly caCertificateId: string;
  readonly certificatePem: string;
  /** Certificates of one that is INACTIVE are not registered any more; those that are registered go on. */
  readonly status: "ACTIVE" | "INACTIVE";
  /** Whether a certificate of this CA is registered, PENDING_ACTIVATION, when it first connects. */
  readonly autoRegistration: boolean;
}

/** What registering a CA takes. Both certificates in PEM or DER. */
export interface AuthorityRegistration {
  readonly certificate: string | Uint8Array;
  readonly verificationCertificate: string | Uint8Array;
  readonly status?: "ACTIVE" | "INACTIVE" | undefined;
  readonly autoRegistration?: boolean | undefined;
}

interface AuthorityPorts {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}

const ACCOUNT = "account";

/** The registered CAs, by the id of their certificate. A call for one that is not known throws a UsageError. */
export class AuthorityRegistry {
  readonly #table: Table<RegisteredAuthority>;
  readonly #account: Table<{ readonly registrationCode: string }>;
  readonly #ports: AuthorityPorts;

  constructor(ledger: Ledger, ports: AuthorityPorts) {
    this.#table = new Table("authority", ledger, "CA with the id", isAuthority);
    this.#account = new Table("account", ledger, "account", isAccount);
    this.#ports = ports;
  }

  get list(): readonly RegisteredAuthority[] {
    return this.#table.list;
  }

  find(caCertificateId: string): RegisteredAuthority | undefined {
    return this.#table.find(caCertificateId);
  }

  /** The common name that a verification certificate must have: 64 hexadecimal digits, the same as long as the account lives. */
  get registrationCode(): string {
    const known = this.#account.find(ACCOUNT);
    if (known !== undefined) return known.registrationCode;
    const bytes = new Uint8Array(32);
    this.#ports.random.fill(bytes, "registration code");
    const registrationCode = toHex(bytes);
    this.#account.set(ACCOUNT, { registrationCode });
    return registrationCode;
  }

  /**
   * Registers a CA, or registers it again with another status.
   *
   * @throws UsageError where the certificate is no CA's, or the verification certificate is not signed by it, is not valid now, or has
   *   another common name than the registration code; CertificateError where one of them cannot be read.
   */
  register(registration: AuthorityRegistration): RegisteredAuthority {
    const { status = "ACTIVE", autoRegistration = false } = registration;
    const ca = readOne(registration.certificate, "CA certificate");
    if (ca.basicConstraints?.ca !== true)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `${ca.subject.toString()} is no CA: its certificate lacks basicConstraints with CA:TRUE`,
      );
    this.#requireProof(ca, readOne(registration.verificationCertificate, "verification certificate"));
    const caCertificateId = certificateId(ca.der, this.#ports.crypto);
    const certificatePem = toPem("CERTIFICATE", ca.der);
    const authority: RegisteredAuthority = { caCertificateId, certificatePem, status, autoRegistration };
    this.#table.set(caCertificateId, authority);
    return authority;
  }

  setStatus(caCertificateId: string, status: "ACTIVE" | "INACTIVE"): void {
    this.#table.set(caCertificateId, { ...this.#table.get(caCertificateId), status });
  }

  setAutoRegistration(caCertificateId: string, autoRegistration: boolean): void {
    this.#table.set(caCertificateId, { ...this.#table.get(caCertificateId), autoRegistration });
  }

  /** Certificates of the CA that are registered stay so, but do not connect any more. */
  delete(caCertificateId: string): void {
    this.#table.delete(caCertificateId);
  }

  #requireProof(ca: Certificate, verification: Certificate): void {
    const { crypto, clock } = this.#ports;
    const { ok, problems } = verifyCertificate({
      purpose: "any",
      chain: [verification.der],
      trust: trustAnchors(ca.der),
      at: clock.wallMs(),
      crypto,
    });
    if (!ok)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `the CA did not prove that its key is yours: ${problems[0]?.message ?? "the verification certificate is not its own"}`,
      );
    const names = verification.subject.attributes.flat().filter(({ name }) => name === "CN");
    if (names.length === 1 && names[0]!.value === this.registrationCode) return;
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `the verification certificate is for ${verification.subject.toString() || "nobody"}; its common name must be the registration code ${this.registrationCode}`,
    );
  }
}

function readOne(input: string | Uint8Array, what: string): Certificate {
  const [der, ...others] = parseCertificateChain(input);
  if (others.length > 0)
    throw new UsageError("USAGE_INVALID_ARGUMENT", `the ${what} is one certificate, not ${others.length + 1}`);
  return parseCertificate(der!);
}

function isAuthority(value: Json): boolean {
  return (
    isObject(value) &&
    typeof value["caCertificateId"] === "string" &&
    isCertificatePem(value["certificatePem"]) &&
    (value["status"] === "ACTIVE" || value["status"] === "INACTIVE") &&
    typeof value["autoRegistration"] === "boolean"
  );
}

function isAccount(value: Json): boolean {
  return isObject(value) && typeof value["registrationCode"] === "string";
}
