/**
 * What a verification found wrong, as values: which certificate, which field, which rule.
 *
 * @module
 */

import type { Certificate } from "./certificate.ts";
import {
  type CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  certificateErrors,
} from "./errors.ts";

/** One reason why a chain is not accepted. */
export interface VerificationProblem {
  readonly code: CertificateErrorCode;
  /** The certificate's index in the chain that was given; -1 where it is about none of them. */
  readonly index: number;
  /** The certificate's subject in one line; empty where it could not be read. */
  readonly certificate: string;
  /** As RFC 5280 names it: `tbsCertificate.validity.notAfter`. */
  readonly field: string;
  /** Bytes from the start of the certificate, where it could not be read. */
  readonly offset: number | undefined;
  /** `RFC 5280 §4.1.2.5` */
  readonly rule: string;
  /** In words, with the values. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A certificate with its place in the chain that was given. */
export interface Placed {
  readonly certificate: Certificate;
  readonly index: number;
}

/** A problem of one certificate. */
export function problemOf(
  placed: Placed | undefined,
  code: CertificateErrorCode,
  field: string,
  rule: string,
  detail: string,
): VerificationProblem {
  const row: CertificateErrorRow = certificateErrors[code];
  const certificate = placed?.certificate.subject.toString() ?? "";
  return {
    code,
    index: placed?.index ?? -1,
    certificate,
    field,
    offset: undefined,
    rule,
    message: `${row.meaning}: ${detail}`,
    hint: row.hint,
  };
}

/** The problem of a certificate that could not be read. */
export function problemOfError(error: CertificateError, index: number): VerificationProblem {
  const { field, offset } = error.data;
  return {
    code: error.code,
    index,
    certificate: "",
    field: typeof field === "string" ? field : "certificate",
    offset: typeof offset === "number" ? offset : undefined,
    rule: "RFC 5280 §4.1",
    message: error.message,
    hint: error.hint,
  };
}

/** mbedTLS's bits of all problems together. */
export function flagsOf(problems: readonly VerificationProblem[]): number {
  let flags = 0;
  for (const { code } of problems) flags |= (certificateErrors[code] as CertificateErrorRow).flag ?? 0;
  return flags;
}
