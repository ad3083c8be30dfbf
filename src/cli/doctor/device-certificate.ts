/**
 * The device's certificate itself: its dates, and what AWS IoT demands of keys, signatures and chains (AWS IoT Developer Guide, "X.509 client
 * certificates": SHA-256, -384 or -512 with RSA or ECDSA; RSA of 2048 bits or more, P-256, P-384, P-521).
 *
 * Left out on purpose: revocation, which only the server knows, and what an issuer may not sign: the server sees the whole chain.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import type { Certificate } from "../../tls/x509/certificate.ts";
import { isValidAt } from "../../tls/x509/dates.ts";
import { namesMatch } from "../../tls/x509/name.ts";
import { oids } from "../../tls/x509/oids.ts";
import { bitLength } from "../../tls/x509/spki.ts";
import { isSelfIssued } from "../../tls/x509/validate.ts";
import type { Findings } from "./report.ts";

const DAY_MS = 86_400_000;
const MIN_RSA_BITS = 2048;
/** 2024: before it this program did not exist, so that a clock that says so was never set. */
const EARLIEST_MS = 1_704_067_200_000;

/** Whether the clock can be right at all. */
export function checkClock(wallMs: number | undefined, findings: Findings): void {
  if (wallMs !== undefined && wallMs >= EARLIEST_MS) findings.ok("clock", timeText(wallMs));
  else
    findings.found(
      "clock",
      "DOCTOR_CLOCK_UNSET",
      wallMs === undefined ? "no time is known" : `it says ${timeText(wallMs)}`,
    );
}

/** Checks what can be seen of the certificate without asking anyone. */
export function checkCertificate(
  certificates: readonly Certificate[],
  wallMs: number | undefined,
  findings: Findings,
): void {
  const leaf = certificates[0]!;
  checkDates(leaf, wallMs, findings);
  checkAlgorithms(leaf, findings);
  checkRole(certificates, findings);
}

function checkDates(leaf: Certificate, wallMs: number | undefined, findings: Findings): void {
  const check = "certificate-dates";
  if (wallMs === undefined || findings.failed("clock")) {
    findings.skip(check, "the time is not known");
    return;
  }
  const evidence = `valid from ${timeText(leaf.notBefore)} to ${timeText(leaf.notAfter)}, now is ${timeText(wallMs)}`;
  if (isValidAt(leaf, wallMs)) {
    const days = Math.floor((leaf.notAfter - wallMs) / DAY_MS);
    findings.ok(check, `${evidence}: ${days} days left`);
  } else if (wallMs < leaf.notBefore) findings.found(check, "DOCTOR_CERTIFICATE_NOT_YET_VALID", evidence);
  else findings.found(check, "DOCTOR_CERTIFICATE_EXPIRED", evidence);
}

function checkAlgorithms(leaf: Certificate, findings: Findings): void {
  const check = "certificate-algorithms";
  const { publicKey, publicKeyAlgorithm, signatureAlgorithmName, weakSignature } = leaf;
  const evidence = `${publicKeyAlgorithm}, signed with ${signatureAlgorithmName}`;
  const weakKey = publicKey?.type === "rsa" && bitLength(publicKey.modulus) < MIN_RSA_BITS;
  if (weakSignature) findings.found(check, "DOCTOR_CERTIFICATE_WEAK_HASH", evidence);
  if (weakKey) findings.found(check, "DOCTOR_CERTIFICATE_WEAK_KEY", evidence);
  if (publicKey === undefined) findings.found(check, "DOCTOR_CERTIFICATE_KEY_UNSUPPORTED", evidence);
  if (!weakSignature && !weakKey && publicKey !== undefined) findings.ok(check, evidence);
}

function checkRole(certificates: readonly Certificate[], findings: Findings): void {
  const check = "certificate-role";
  if (findings.failed(check)) return;
  const leaf = certificates[0]!;
  const { extendedKeyUsage, keyUsage } = leaf;
  const purposes = extendedKeyUsage?.some((oid) => oid === oids.clientAuth || oid === oids.anyExtendedKeyUsage) ?? true;
  if (!purposes || keyUsage?.includes("digitalSignature") === false) {
    const usage = `extendedKeyUsage ${purposes ? "fits" : "lacks clientAuth"}, keyUsage ${keyUsage?.join(", ") ?? "none"}`;
    findings.found(check, "DOCTOR_CERTIFICATE_NOT_FOR_CLIENTS", usage);
  } else if (!certificates.every((one, i) => i === 0 || namesMatch(certificates[i - 1]!.issuer, one.subject)))
    findings.found(check, "DOCTOR_CHAIN_UNLINKED", certificates.map(({ subject }) => subject.toString()).join("; "));
  else findings.ok(check, isSelfIssued(leaf) ? "self-signed" : `issued by ${leaf.issuer.toString()}`);
}

/** The common name of a certificate's subject. */
export function commonName({ subject }: Certificate): string | undefined {
  for (const set of subject.attributes) for (const { name, value } of set) if (name === "CN") return printable(value);
  return undefined;
}

/** A time as people read it, to the second, in UTC. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
