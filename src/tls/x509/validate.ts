/**
 * Path validation: what RFC 5280 §6.1 demands of the certificates of a path whose names and signatures fit already, and what TLS
 * demands of its first one. All reasons are collected, not only the first.
 *
 * Left out on purpose: policies (none is asked for, and critical policy constraints fail as unknown). Revocation is
 * `revocation.ts`.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type Dated, type DateRule, datesText, judgeDates } from "./dates.ts";
import type { CertificateErrorCode, ErrorRows } from "./errors.ts";
import type { NameConstraints } from "./extensions.ts";
import { namesMatch } from "./name.ts";
import { constraintComparisons, constraintViolation } from "./name-constraints.ts";
import { ipAddressText, matchServerName, parseServerName } from "./names.ts";
import { oidName, oids } from "./oids.ts";
import { type Placed, problemOf, type VerificationProblem } from "./problem.ts";
import { type PathPlace, type Profile, secureProfile } from "./profile.ts";
import type { RevocationEvidence } from "./revocation-context.ts";
import { revocationErrors } from "./revocation-errors.ts";
import { isStrongKey } from "./signed.ts";
import { parseSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./spki.ts";
import { anchorConstraints, type TrustAnchor } from "./trust.ts";

/** What is left of a verification that is looked at again: its result, or parts of that. */
export interface VerifiedPath {
  /** Leaf first. */
  readonly path: readonly Certificate[];
  readonly anchor: TrustAnchor | undefined;
  readonly evidence?: readonly RevocationEvidence[] | undefined;
}

/** What a path is held against. */
export interface PathRules {
  readonly purpose: "server" | "client" | "any";
  readonly serverName: string | undefined;
  readonly dates: DateRule;
  readonly maxIntermediates: number;
  readonly profile: Profile;
}

/** Adds a problem of one certificate, or of the anchor. */
type Report = (code: CertificateErrorCode, field: string, rule: string, detail: string, rows?: ErrorRows) => void;

const EXTENSIONS = "tbsCertificate.extensions";

/**
 * All problems of a path.
 *
 * @param path leaf first, each issued by the next.
 * @param anchor issuer of the last one; `undefined` for a path that leads nowhere, whose names are then not held against constraints.
 */
export function validatePath(
  path: readonly Placed[],
  anchor: TrustAnchor | undefined,
  rules: PathRules,
): VerificationProblem[] {
  const problems: VerificationProblem[] = [];
  const reportOf = reporter(path, problems);
  const { dates, profile, purpose } = rules;
  if (dates.kind === "unknown")
    reportOf(0)("X509_TIME_UNKNOWN", "tbsCertificate.validity", "RFC 5280 §6.1.3 a 2", "no time was given");
  path.forEach(({ certificate }, depth) => {
    const report = reportOf(depth);
    const who = certificate.subject.toString();
    checkDates(certificate, who, dates, report);
    checkKey({ publicKey: certificate.publicKey, algorithm: certificate.publicKeyAlgorithm }, who, profile, report);
    checkExtensions(certificate, who, report);
    checkPurpose(certificate, who, purpose, report);
    checkProfile(certificate, who, depth === 0 ? "leaf" : "ca", profile, report);
    if (depth > 0) checkIssuer(certificate, who, countCas(path, depth), report);
  });
  if (anchor !== undefined) {
    checkAnchor(anchor, countCas(path, path.length), rules, reportOf(path.length));
    for (const { below, constraints, issuer } of constrained(path, anchor)) {
      for (let depth = 0; depth < below; depth++) {
        const { certificate } = path[depth]!;
        // A self-issued CA is not held to the constraints, a self-issued leaf is (RFC 5280 §6.1.3 b).
        if (depth > 0 && isSelfIssued(certificate)) continue;
        const violation = constraintViolation(certificate, constraints);
        if (violation !== undefined)
          reportOf(depth)(
            "X509_NAME_CONSTRAINTS",
            `${EXTENSIONS}.nameConstraints`,
            "RFC 5280 §4.2.1.10",
            `${violation} by ${issuer}`,
          );
      }
    }
  }
  if (path.length > 0) checkLeaf(path[0]!.certificate, rules, reportOf(0));
  const intermediates = countCas(path, path.length);
  if (intermediates > rules.maxIntermediates)
    reportOf(path.length - 1)(
      "X509_PATH_LENGTH",
      "chain",
      "maxIntermediates",
      `${intermediates} CAs between the certificate and its trust anchor, ${rules.maxIntermediates} at most`,
    );
  return problems;
}

/**
 * What the dates of a path that was verified say now, and those of what its revocation rests on: empty where all are right. For a `result` whose
 * `validity` is not `checked`, once the time is known, and for one that is used again later.
 *
 * @param at milliseconds since 1970.
 */
export function recheckValidity(
  { path, anchor, evidence = [] }: VerifiedPath,
  at: number,
  profile: Profile = secureProfile,
): readonly VerificationProblem[] {
  const problems: VerificationProblem[] = [];
  const dates = { kind: "checked", at } as const;
  const placed = path.map((certificate, index) => ({ certificate, index }));
  const reportOf = reporter(placed, problems);
  path.forEach((certificate, depth) => {
    checkDates(certificate, certificate.subject.toString(), dates, reportOf(depth));
  });
  if (anchor !== undefined) checkAnchorDates(anchor, dates, profile, reportOf(path.length));
  for (const one of evidence) checkEvidence(one, dates, reportOf(one.depth));
  return problems;
}

/** Reports by the place on a path; the anchor stands behind its last certificate. */
function reporter(path: readonly Placed[], problems: VerificationProblem[]): (depth: number) => Report {
  return (depth) => (code, field, rule, detail, rows) =>
    problems.push(problemOf(path[depth], depth, code, field, rule, detail, rows));
}

/** Comparisons of names with constraints that the path needs at most. */
export function pathComparisons(path: readonly Placed[], anchor: TrustAnchor): number {
  let comparisons = 0;
  for (const { below, constraints } of constrained(path, anchor))
    for (let depth = 0; depth < below; depth++)
      comparisons += constraintComparisons(path[depth]!.certificate, constraints);
  return comparisons;
}

/** Name constraints of a path and its anchor, with the number of certificates that they bind. */
interface Constrained {
  readonly below: number;
  readonly constraints: NameConstraints;
  /** For people. */
  readonly issuer: string;
}

function constrained(path: readonly Placed[], anchor: TrustAnchor): Constrained[] {
  const found: Constrained[] = [];
  path.forEach(({ certificate: { nameConstraints: constraints, subject } }, below) => {
    if (below > 0 && constraints !== undefined) found.push({ below, constraints, issuer: subject.toString() });
  });
  const constraints = anchorConstraints(anchor);
  if (constraints !== undefined) found.push({ below: path.length, constraints, issuer: "the trust anchor" });
  return found;
}

/** Issued under its own name: a renewal of a CA by itself, which path lengths do not count (RFC 5280 §6.1). */
export function isSelfIssued(certificate: Certificate): boolean {
  return namesMatch(certificate.subject, certificate.issuer);
}

/** CA certificates between the leaf and a place of the path, self-issued ones not counted. */
function countCas(path: readonly Placed[], depth: number): number {
  return path.slice(1, depth).filter(({ certificate }) => !isSelfIssued(certificate)).length;
}

function checkDates(dated: Dated, who: string, dates: DateRule, report: Report): void {
  const verdict = judgeDates(dates, dated);
  if (verdict === undefined) return;
  const [code, field] =
    verdict === "late" ? (["X509_EXPIRED", "notAfter"] as const) : (["X509_NOT_YET_VALID", "notBefore"] as const);
  const detail = `${who}: ${datesText(dates, dated, verdict, field)}`;
  report(code, `tbsCertificate.validity.${field}`, "RFC 5280 §4.1.2.5", detail);
}

function checkEvidence(evidence: RevocationEvidence, dates: DateRule, report: Report): void {
  const verdict = judgeDates(dates, evidence);
  if (verdict === undefined) return;
  const detail = datesText(dates, evidence, verdict, verdict === "late" ? "its end" : "its beginning");
  const [code, field, rule] =
    evidence.kind === "ocsp"
      ? (["X509_OCSP_EXPIRED", "ocspResponse", "RFC 6960 §4.2.2.1"] as const)
      : ([verdict === "late" ? "X509_CRL_EXPIRED" : "X509_CRL_NOT_YET_VALID", "crl", "RFC 5280 §6.3.3 a"] as const);
  report(code, field, rule, detail, revocationErrors);
}

function checkKey({ publicKey, algorithm }: SubjectPublicKeyInfo, who: string, profile: Profile, report: Report): void {
  const { minRsaBits, curves } = profile;
  const field = "tbsCertificate.subjectPublicKeyInfo";
  const detail = `${who} has ${algorithm}`;
  if (publicKey === undefined) report("X509_UNSUPPORTED_ALGORITHM", field, "RFC 5280 §4.1.2.7", detail);
  else if (!isStrongKey(publicKey, profile))
    report(
      "X509_WEAK_KEY",
      field,
      "NIST SP 800-131A",
      `${detail}, ${publicKey.type === "rsa" ? `${minRsaBits} bits are the least` : `allowed are ${curves.join(", ")}`}`,
    );
}

function checkProfile(
  certificate: Certificate,
  who: string,
  place: PathPlace,
  { rules }: Profile,
  report: Report,
): void {
  for (const { field, rule, detail } of rules?.(certificate, place) ?? [])
    report("X509_PROFILE", field, rule, `${who}: ${detail}`);
}

function checkUnknown(unknownCritical: readonly string[] | undefined, who: string, report: Report): void {
  for (const oid of unknownCritical ?? [])
    report("X509_UNKNOWN_CRITICAL_EXTENSION", EXTENSIONS, "RFC 5280 §4.2", `${who} has ${oidName(oid)}`);
}

function checkExtensions(certificate: Certificate, who: string, report: Report): void {
  checkUnknown(certificate.unknownCritical, who, report);
  if (certificate.subject.isEmpty && !certificate.subjectAltNameCritical)
    report(
      "X509_NAME",
      "tbsCertificate.subject",
      "RFC 5280 §4.1.2.6",
      "an empty subject needs a critical subjectAltName",
    );
  if (certificate.keyUsage?.includes("keyCertSign") && certificate.basicConstraints?.ca !== true)
    report("X509_KEY_USAGE", `${EXTENSIONS}.keyUsage`, "RFC 5280 §4.2.1.9", `${who} has keyCertSign but is no CA`);
}

/** In every certificate that has it, so that a CA for devices cannot make servers (CA/Browser Forum, mozilla::pkix, Windows). */
function checkPurpose(
  { extendedKeyUsage: allowed }: { readonly extendedKeyUsage?: readonly string[] | undefined },
  who: string,
  purpose: PathRules["purpose"],
  report: Report,
): void {
  if (purpose === "any" || allowed === undefined) return;
  const wanted = purpose === "server" ? "serverAuth" : "clientAuth";
  if (allowed.includes(oids[wanted]) || allowed.includes(oids.anyExtendedKeyUsage)) return;
  report(
    "X509_EXTENDED_KEY_USAGE",
    `${EXTENSIONS}.extKeyUsage`,
    "RFC 5280 §4.2.1.12",
    `${who} is for ${shortList(allowed.map(oidName))}, ${wanted} is wanted`,
  );
}

/** What the anchor limits: how many CAs are below it (RFC 5937 §3.2), what for, and when; more where the profile wants that. */
function checkAnchor(anchor: TrustAnchor, below: number, rules: PathRules, report: Report): void {
  const { profile, purpose } = rules;
  const who = `the trust anchor ${anchor.label}`;
  checkUnknown(anchor.unknownCritical, who, report);
  checkPurpose(anchor, who, purpose, report);
  checkPathLength(who, anchor.pathLength, below, report);
  checkAnchorDates(anchor, rules.dates, profile, report);
  if (!profile.anchors) return;
  checkKey(parseSubjectPublicKeyInfo(anchor.subjectPublicKeyInfo), who, profile, report);
  if (anchor.certificate !== undefined)
    checkProfile(parseCertificate(anchor.certificate), who, "anchor", profile, report);
}

/** Dates that the anchor was given hold; those of its certificate where the profile wants that. */
function checkAnchorDates(anchor: TrustAnchor, dates: DateRule, { anchors }: Profile, report: Report): void {
  const { notBefore = Number.NEGATIVE_INFINITY, notAfter = Number.POSITIVE_INFINITY, certificate, label } = anchor;
  const who = `the trust anchor ${label}`;
  checkDates({ notBefore, notAfter }, who, dates, report);
  if (anchors && certificate !== undefined) checkDates(parseCertificate(certificate), who, dates, report);
}

function checkPathLength(who: string, allowed: number | undefined, below: number, report: Report): void {
  if (allowed === undefined || below <= allowed) return;
  report(
    "X509_PATH_LENGTH",
    `${EXTENSIONS}.basicConstraints.pathLenConstraint`,
    "RFC 5280 §4.2.1.9",
    `${who} allows ${allowed} CA(s) below, there are ${below}`,
  );
}

/** @param below CA certificates between this one and the leaf. */
function checkIssuer({ basicConstraints, keyUsage }: Certificate, who: string, below: number, report: Report): void {
  if (basicConstraints?.ca !== true)
    report(
      "X509_NOT_A_CA",
      `${EXTENSIONS}.basicConstraints`,
      "RFC 5280 §6.1.4 k",
      `${who} ${basicConstraints === undefined ? "has no basicConstraints" : "has cA FALSE"}`,
    );
  if (keyUsage !== undefined && !keyUsage.includes("keyCertSign"))
    report(
      "X509_NOT_A_CA",
      `${EXTENSIONS}.keyUsage`,
      "RFC 5280 §6.1.4 n",
      `${who} may not sign certificates: its keyUsage is ${keyUsage.join(", ")}`,
    );
  checkPathLength(who, basicConstraints?.pathLength, below, report);
}

function checkLeaf(certificate: Certificate, { purpose, serverName }: PathRules, report: Report): void {
  const { keyUsage } = certificate;
  if (purpose !== "any" && keyUsage?.includes("digitalSignature") === false)
    report(
      "X509_KEY_USAGE",
      `${EXTENSIONS}.keyUsage`,
      "RFC 5280 §4.2.1.3",
      `digitalSignature is missing, there is ${keyUsage.join(", ")}`,
    );
  if (serverName !== undefined && !matchServerName(certificate, serverName))
    report("X509_NAME_MISMATCH", `${EXTENSIONS}.subjectAltName`, "RFC 9525 §6", mismatch(certificate, serverName));
}

/** Names and purposes shown of a certificate in an error; some have hundreds. */
const SHOWN_ITEMS = 8;

function shortList(items: readonly string[]): string {
  const more = items.length > SHOWN_ITEMS ? ` and ${items.length - SHOWN_ITEMS} more` : "";
  return `${items.slice(0, SHOWN_ITEMS).join(", ")}${more}`;
}

function mismatch(certificate: Certificate, serverName: string): string {
  const wanted = printable(serverName);
  if (parseServerName(serverName) === undefined) return `${wanted} is neither a host name nor an IP address`;
  const names = certificate.subjectAltName;
  const all = [...(names?.dns ?? []).map((name) => printable(name, 64)), ...(names?.ip ?? []).map(ipAddressText)];
  if (all.length === 0) return `${wanted} is wanted, the certificate has no DNS name or address in subjectAltName`;
  return `${wanted} is wanted, the certificate is for ${shortList(all)}`;
}
