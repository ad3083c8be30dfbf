/**
 * Revocation of a path's certificates, by a stapled OCSP response for its leaf and by CRLs for all of it. Nothing is fetched: what is
 * known is what the caller has, or the server sent. It is a value that is passed in: a verification without it carries no code for it.
 *
 * @module
 */

import { toHex } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { done, map, series, type Task } from "../../task.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateList } from "./crl.ts";
import { CrlStatus, MAX_CRLS } from "./crl-status.ts";
import { CertificateError } from "./errors.ts";
import { insideExtension } from "./extensions.ts";
import { ocspFinding } from "./ocsp-status.ts";
import { oids } from "./oids.ts";
import { problemOf, type VerificationProblem } from "./problem.ts";
import type {
  OcspMode,
  RevocationChecks,
  RevocationContext,
  RevocationEvidence,
  RevocationFindings,
} from "./revocation-context.ts";
import { revocationErrors } from "./revocation-errors.ts";

/** What certificates are held against, and how much of it must be known. One of `crls` and `ocsp` at least. */
export interface RevocationOptions {
  /**
   * CRLs, of `certificateLists`, in any order: the newest counts; those of other CAs do no harm. Where they are given, also as an empty list, each
   * certificate of the path below the anchor is looked for.
   */
  readonly crls?: readonly CertificateList[] | undefined;
  /**
   * What becomes of a certificate that the `crls` tell nothing of: with `hard-fail`, the default, it is refused, with `soft-fail` accepted.
   * One that is revoked is always refused.
   */
  readonly mode?: "hard-fail" | "soft-fail" | undefined;
  /**
   * Whether a server is asked to staple an OCSP response for its certificate (RFC 6066 §8); `off` by default. One that comes must be good, and then
   * `crls` need not cover the leaf.
   * With `require` one must come, and with `request` where the certificate demands it (must-staple, RFC 7633).
   */
  readonly ocsp?: OcspMode | undefined;
}

/** TLS's extension number of status_request, as a TLS feature (RFC 7633 §4). */
const STATUS_REQUEST = 5;
/** Features that are read. */
const MAX_FEATURES = 16;

/**
 * Has certificates looked for in CRLs and OCSP responses: for the option `revocation` of a verification.
 *
 * @throws UsageError where nothing is to be looked at, or an option is not usable.
 * @example
 * const revocation = revocationChecks({ crls: certificateLists(await readFile("ca.crl")), ocsp: "request" });
 * new TlsClient({ ...options, verification: { revocation } });
 */
export function revocationChecks({ crls, mode = "hard-fail", ocsp = "off" }: RevocationOptions): RevocationChecks {
  const invalid = (problem: string): never => {
    throw new UsageError("USAGE_INVALID_ARGUMENT", problem);
  };
  if (crls === undefined && ocsp === "off") invalid("there is nothing to look at: give crls, or ocsp");
  if (crls !== undefined && !areLists(crls)) invalid(`crls must be ${MAX_CRLS} or fewer, made by certificateLists`);
  if (!["hard-fail", "soft-fail"].includes(mode)) invalid('mode must be "hard-fail" or "soft-fail"');
  if (!["off", "request", "require"].includes(ocsp)) invalid('ocsp must be "off", "request" or "require"');
  return {
    ocsp,
    get binding() {
      return JSON.stringify([ocsp, mode, crls?.map(({ signature }) => toHex(signature))]);
    },
    findings: (context, ocspResponse) => findingsOf(context, ocspResponse, { crls, mode, ocsp }),
  };
}

function areLists(crls: readonly CertificateList[]): boolean {
  return Array.isArray(crls) && crls.length <= MAX_CRLS && crls.every((list) => list?.tbs instanceof Uint8Array);
}

function findingsOf(
  context: RevocationContext,
  ocspResponse: Uint8Array | undefined,
  { crls, mode, ocsp }: RevocationOptions,
): Task<RevocationFindings> {
  const { path, verifySigner } = context;
  // The signer of a CRL is refused where it is revoked, and needs no CRL of its own.
  const verifyWith =
    verifySigner &&
    ((signer: Certificate, others: readonly CertificateList[]) =>
      verifySigner(signer, revocationChecks({ crls: others, mode: "soft-fail" })));
  const lists = crls === undefined ? undefined : new CrlStatus(context, crls, verifyWith);
  const problems: VerificationProblem[] = [];
  const evidence: RevocationEvidence[] = [];
  const staple = (): Task<void> =>
    map(stapleFinding(context, ocspResponse, ocsp === "require", lists), (found) => {
      if (found === undefined) return;
      if ("code" in found) problems.push(found);
      else evidence.push(found);
    });
  const isStapled = ocsp !== "off" && ocspResponse !== undefined;
  let depth = -1;
  const all = series(() => {
    const at = depth++;
    if (at < 0) return ocsp === "off" ? done(undefined) : staple();
    const placed = path[at];
    if (lists === undefined || placed === undefined) return undefined;
    // A CRL may know more than a response that was stapled, but it need not.
    const mustKnow = mode === "hard-fail" && !(at === 0 && isStapled);
    return map(lists.check(placed, at), (found) => {
      // Where nothing need be known, nothing is lost when it is out of date.
      if (mustKnow) evidence.push(...found.evidence);
      for (const problem of found.problems) if (mustKnow || problem.code === "X509_REVOKED") problems.push(problem);
    });
  });
  return map(all, () => ({ problems, evidence }));
}

/** `undefined` where there is none, and need not be. */
function stapleFinding(
  context: RevocationContext,
  response: Uint8Array | undefined,
  isRequired: boolean,
  crls: CrlStatus | undefined,
): Task<VerificationProblem | RevocationEvidence | undefined> {
  if (response !== undefined) return ocspFinding(context, response, crls);
  const placed = context.path[0]!;
  const mustStaple = demandsStaple(placed.certificate);
  if (!isRequired && !mustStaple) return done(undefined);
  const [rule, detail] = mustStaple
    ? (["RFC 7633 §4.2.2", `${placed.certificate.subject} must be shown with one`] as const)
    : (["RFC 6066 §8", "it is required"] as const);
  return done(problemOf(placed, 0, "X509_OCSP_MISSING", "ocspResponse", rule, detail, revocationErrors));
}

/** Whether a certificate is only good with a stapled OCSP response (RFC 7633). What cannot be read may be such a demand. */
export function demandsStaple({ extensions }: Certificate): boolean {
  try {
    const features = insideExtension(extensions, oids.tlsFeature, "tlsFeature");
    if (features === undefined) return false;
    for (let count = 0; !features.empty && count < MAX_FEATURES; count++)
      if (features.small("feature") === STATUS_REQUEST) return true;
    return !features.empty;
  } catch (error) {
    if (error instanceof CertificateError) return true;
    throw error;
  }
}
