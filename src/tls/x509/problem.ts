/**
 * What a verification found wrong, as values: which certificate, which field, which rule.
 *
 * @module
 */

import type { Certificate } from "./certificate.ts";
import { type ChainErrorCode, chainErrors } from "./chain-errors.ts";
import {
  type CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  type ErrorRows,
  type ReadingErrorCode,
  readingErrors,
} from "./errors.ts";
import type { TrustAnchor } from "./trust.ts";

/** One reason why a chain is not accepted. */
export interface VerificationProblem {
  readonly code: CertificateErrorCode;
  /** The certificate's index in the chain that was given; -1 where it is about none of them. */
  readonly index: number;
  /** Its place on the path: 0 is the leaf, the path's length the anchor; -1 where it is about none of them, or was not read. */
  readonly depth: number;
  /** The certificate's subject in one line; empty where it could not be read. */
  readonly certificate: string;
  /** As RFC 5280 names it: `tbsCertificate.validity.notAfter`. */
  readonly field: string;
  /** Bytes from the start of the certificate, where it could not be read. */
  readonly offset: number | undefined;
  /** `RFC 5280 §4.1.2.5` */
  readonly rule: string;
  /** The bit of `verificationFlags` that stands for it. */
  readonly flag: number;
  /** The alert of TLS that it ends a handshake with (RFC 5246 §7.2.2), where flags alone do not say it. */
  readonly alert: number | undefined;
  /** The code of mbedTLS 3.6 that stands for it. */
  readonly mbedtls: number | undefined;
  /** In words, with the values; field and rule stand at its end. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A certificate with its place in the chain that was given. */
export interface Placed {
  readonly certificate: Certificate;
  readonly index: number;
}

/** A certificate of the path, or the anchor, with what is wrong with it. */
export interface PathCertificate {
  /** 0 is the leaf; the anchor stands behind the last certificate. */
  readonly depth: number;
  /** `undefined` for the anchor. */
  readonly certificate: Certificate | undefined;
  /** The path's anchor, in its own entry only. */
  readonly anchor: TrustAnchor | undefined;
  /** Bits of `verificationFlags`, of this certificate's problems. */
  readonly flags: number;
  readonly problems: readonly VerificationProblem[];
}

/** A problem of one certificate; of the chain as a whole without `placed`. `rows`: where the code stands, if not among the `chainErrors`. */
export function problemOf(
  placed: Placed | undefined,
  depth: number,
  code: CertificateErrorCode,
  field: string,
  rule: string,
  detail: string,
  rows?: ErrorRows,
): VerificationProblem {
  const row = rows?.[code] ?? chainErrors[code as ChainErrorCode] ?? readingErrors[code as ReadingErrorCode];
  const index = placed?.index ?? -1;
  const where = index < 0 ? "" : `certificate ${index} of the chain, `;
  return {
    code,
    index,
    depth,
    certificate: placed?.certificate.subject.toString() ?? "",
    field,
    offset: undefined,
    rule,
    ...severityOf(row),
    message: `${row.meaning}: ${detail} (${where}${field}, ${rule})`,
    hint: row.hint,
  };
}

function severityOf({
  flag = 0,
  alert,
  mbedtls,
}: CertificateErrorRow): Pick<VerificationProblem, "flag" | "alert" | "mbedtls"> {
  return { flag, alert, mbedtls };
}

/** The problem of a certificate that could not be read. Which rule it breaks stands in the error's text, where it is more than DER's. */
export function problemOfError(error: CertificateError, index: number): VerificationProblem {
  const { field, offset } = error.data;
  return {
    code: error.code,
    index,
    depth: -1,
    certificate: "",
    field: typeof field === "string" ? field : "certificate",
    offset: typeof offset === "number" ? offset : undefined,
    rule: /RFC \d+ §[\d.]+\d/.exec(error.message)?.[0] ?? "RFC 5280 §4.1",
    ...severityOf(readingErrors[error.code as ReadingErrorCode]),
    message: `${error.message} (certificate ${index} of the chain)`,
    hint: error.hint,
  };
}

/** mbedTLS's bits of all problems together. */
export function flagsOf(problems: readonly VerificationProblem[]): number {
  let flags = 0;
  for (const { flag } of problems) flags |= flag;
  return flags;
}

/** The certificates of a path and its anchor, each with its own problems. */
export function certificatesOf(
  path: readonly Placed[],
  anchor: TrustAnchor | undefined,
  problems: readonly VerificationProblem[],
): readonly PathCertificate[] {
  const at = (depth: number, certificate: Certificate | undefined, itself?: TrustAnchor): PathCertificate => {
    const own = problems.filter((problem) => problem.depth === depth);
    return { depth, certificate, anchor: itself, flags: flagsOf(own), problems: own };
  };
  const all = path.map(({ certificate }, depth) => at(depth, certificate));
  return anchor === undefined ? all : [...all, at(path.length, undefined, anchor)];
}
