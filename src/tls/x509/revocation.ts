/**
 * Revocation of a path's certificates, by a stapled OCSP response for its leaf and by CRLs for all of it. Nothing is fetched: what is
 * known is what the caller has, or the server sent.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { done, map, series, type Task } from "../../task.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateList } from "./crl.ts";
import { CrlStatus, MAX_CRLS, type RevocationContext } from "./crl-status.ts";
import { DerReader } from "./der.ts";
import { CertificateError } from "./errors.ts";
import { ocspProblem } from "./ocsp-status.ts";
import { oids } from "./oids.ts";
import { problemOf, type VerificationProblem } from "./problem.ts";

/** What is known of revocation, and how much of it must be. */
export interface RevocationOptions {
  /**
   * CRLs, of `certificateLists`, in any order; those of other CAs do no harm. Where they are given, also as an empty list, each
   * certificate of the path below the anchor is looked for.
   */
  readonly crls?: readonly CertificateList[] | undefined;
  /**
   * What becomes of a certificate whose status cannot be found out: with `hard-fail`, the default, it is refused, with `soft-fail`
   * accepted. One that is revoked is always refused.
   */
  readonly revocation?: "hard-fail" | "soft-fail" | undefined;
  /** An OCSP response for the leaf was asked for. */
  readonly ocsp?: OcspStaple | undefined;
}

/** What came of asking for an OCSP response. */
export interface OcspStaple {
  /** DER, as it was stapled; `undefined` where none was. One that is there must be good. */
  readonly response: Uint8Array | undefined;
  /** Whether there must be one; a leaf that says so itself (must-staple, RFC 7633) needs one anyway. */
  readonly required: boolean;
}

/** TLS's extension number of status_request, as a TLS feature (RFC 7633 §4). */
const STATUS_REQUEST = 5;
/** Features that are read. */
const MAX_FEATURES = 16;

/** Checks the options. Throws UsageError. */
export function checkRevocationOptions({ crls = [], revocation = "hard-fail" }: RevocationOptions): void {
  if (!Array.isArray(crls) || crls.length > MAX_CRLS || crls.some((list) => !(list?.tbs instanceof Uint8Array)))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `crls must be ${MAX_CRLS} or fewer, made by certificateLists`);
  if (revocation !== "hard-fail" && revocation !== "soft-fail")
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'revocation must be "hard-fail" or "soft-fail"');
}

/** Why certificates of a path are revoked, or may be; nothing where all is well. */
export function revocationProblems(
  context: RevocationContext,
  { crls, revocation, ocsp }: RevocationOptions,
): Task<readonly VerificationProblem[]> {
  const { path } = context;
  const lists = crls === undefined ? undefined : new CrlStatus(context, crls);
  const problems: VerificationProblem[] = [];
  let isLeafKnown = false;
  const staple = (): Task<void> =>
    map(stapleProblem(context, ocsp, lists), (problem) => {
      isLeafKnown = ocsp?.response !== undefined;
      if (problem !== undefined) problems.push(problem);
    });
  let depth = -1;
  const all = series(() => {
    const at = depth++;
    if (at < 0) return staple();
    const placed = path[at];
    if (lists === undefined || placed === undefined) return undefined;
    if (at === 0 && isLeafKnown) return done(undefined);
    return map(lists.check(placed, at), (found) => {
      for (const problem of found)
        if (revocation !== "soft-fail" || problem.code === "X509_REVOKED") problems.push(problem);
    });
  });
  return map(all, () => problems);
}

function stapleProblem(
  context: RevocationContext,
  ocsp: OcspStaple | undefined,
  crls: CrlStatus | undefined,
): Task<VerificationProblem | undefined> {
  if (ocsp === undefined) return done(undefined);
  if (ocsp.response !== undefined) return ocspProblem(context, ocsp.response, crls);
  const placed = context.path[0]!;
  const mustStaple = demandsStaple(placed.certificate);
  if (!ocsp.required && !mustStaple) return done(undefined);
  const [rule, detail] = mustStaple
    ? (["RFC 7633 §4.2.2", `${placed.certificate.subject} must be shown with one`] as const)
    : (["RFC 6066 §8", "it is required"] as const);
  return done(problemOf(placed, 0, "X509_OCSP_MISSING", "ocspResponse", rule, detail));
}

/** Whether a certificate is only good with a stapled OCSP response (RFC 7633). What cannot be read may be such a demand. */
export function demandsStaple({ extensions }: Certificate): boolean {
  const feature = extensions.find(({ oid }) => oid === oids.tlsFeature);
  if (feature === undefined) return false;
  try {
    const reader = new DerReader(feature.value, "tlsFeature", "X509_EXTENSION");
    const features = reader.sequence("");
    reader.finish();
    for (let count = 0; !features.empty && count < MAX_FEATURES; count++)
      if (features.small("feature") === STATUS_REQUEST) return true;
    return !features.empty;
  } catch (error) {
    if (error instanceof CertificateError) return true;
    throw error;
  }
}
