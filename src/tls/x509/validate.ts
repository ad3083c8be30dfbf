/**
 * Path validation: what RFC 5280 §6.1 demands of the certificates of a path whose names and signatures fit already, and what TLS
 * demands of its first one. All reasons are collected, not only the first.
 *
 * Left out on purpose: policies (none is asked for, and critical policy constraints fail as unknown) and revocation.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import type { Certificate } from "./certificate.ts";
import type { NameConstraints } from "./extensions.ts";
import { namesMatch } from "./name.ts";
import { constraintComparisons, constraintViolation } from "./name-constraints.ts";
import { ipAddressText, matchServerName, parseServerName } from "./names.ts";
import { oidName, oids } from "./oids.ts";
import { type Placed, problemOf, type VerificationProblem } from "./problem.ts";
import { bitLength } from "./spki.ts";
import type { TrustAnchor } from "./trust.ts";

/** What a path is held against. */
export interface PathRules {
  readonly purpose: "server" | "client" | "any";
  readonly serverName: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number | undefined;
  readonly maxIntermediates: number;
  readonly minRsaBits: number;
}

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
  if (rules.at === undefined)
    problems.push(
      problemOf(path[0], "X509_TIME_UNKNOWN", "tbsCertificate.validity", "RFC 5280 §6.1.3 a 2", "no time was given"),
    );
  path.forEach((placed, depth) => {
    if (rules.at !== undefined) checkValidity(placed, rules.at, problems);
    checkKey(placed, rules.minRsaBits, problems);
    checkExtensions(placed, problems);
    checkExtendedKeyUsage(placed, rules.purpose, problems);
    if (depth > 0) checkIssuer(placed, path.slice(1, depth), problems);
  });
  if (anchor !== undefined) {
    checkAnchor(path, anchor, rules.purpose, problems);
    for (const { below, constraints, issuer } of constrained(path, anchor))
      checkNames(below, constraints, issuer, problems);
  }
  if (path.length > 0) checkLeaf(path[0]!, rules, problems);
  const intermediates = path.slice(1).filter(({ certificate }) => !isSelfIssued(certificate));
  if (intermediates.length > rules.maxIntermediates)
    problems.push(
      problemOf(
        path[path.length - 1],
        "X509_PATH_LENGTH",
        "chain",
        "maxIntermediates",
        `${intermediates.length} CAs between the certificate and its trust anchor, ${rules.maxIntermediates} at most`,
      ),
    );
  return problems;
}

/** Comparisons of names with constraints that the path needs at most. */
export function pathComparisons(path: readonly Placed[], anchor: TrustAnchor): number {
  let comparisons = 0;
  for (const { below, constraints } of constrained(path, anchor))
    for (const { certificate } of below) comparisons += constraintComparisons(certificate, constraints);
  return comparisons;
}

/** Name constraints of a path and its anchor, with the certificates that they bind. */
interface Constrained {
  readonly below: readonly Placed[];
  readonly constraints: NameConstraints;
  /** For people. */
  readonly issuer: string;
}

function constrained(path: readonly Placed[], anchor: TrustAnchor): Constrained[] {
  const found: Constrained[] = [];
  path.forEach(({ certificate }, depth) => {
    const { nameConstraints: constraints, subject } = certificate;
    if (depth > 0 && constraints !== undefined)
      found.push({ below: path.slice(0, depth), constraints, issuer: subject.toString() });
  });
  if (anchor.nameConstraints !== undefined)
    found.push({ below: path, constraints: anchor.nameConstraints, issuer: "the trust anchor" });
  return found;
}

/** Issued under its own name: a renewal of a CA by itself, which path lengths do not count (RFC 5280 §6.1). */
export function isSelfIssued(certificate: Certificate): boolean {
  return namesMatch(certificate.subject, certificate.issuer);
}

/** Whether a time lies in a certificate's validity, both ends included; fractions of a second do not count (RFC 5280 §4.1.2.5). */
export function isValidAt(certificate: Certificate, at: number): boolean {
  const second = Math.floor(at / 1000) * 1000;
  return second >= certificate.notBefore && second <= certificate.notAfter;
}

function checkValidity(placed: Placed, at: number, problems: VerificationProblem[]): void {
  const { certificate } = placed;
  if (isValidAt(certificate, at)) return;
  const early = at < certificate.notBefore;
  const [code, field, limit] = early
    ? (["X509_NOT_YET_VALID", "notBefore", certificate.notBefore] as const)
    : (["X509_EXPIRED", "notAfter", certificate.notAfter] as const);
  const detail = `${certificate.subject.toString()}: ${field} is ${timeText(limit)}, now is ${timeText(at)}`;
  problems.push(problemOf(placed, code, `tbsCertificate.validity.${field}`, "RFC 5280 §4.1.2.5", detail));
}

/** A time for people; what `Date` cannot hold as a number. */
function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(".000Z", "Z") : String(ms);
}

function checkKey(placed: Placed, minRsaBits: number, problems: VerificationProblem[]): void {
  const { publicKey, publicKeyAlgorithm, subject } = placed.certificate;
  const field = "tbsCertificate.subjectPublicKeyInfo";
  const detail = `${subject.toString()} has ${publicKeyAlgorithm}`;
  if (publicKey === undefined)
    problems.push(problemOf(placed, "X509_UNSUPPORTED_ALGORITHM", field, "RFC 5280 §4.1.2.7", detail));
  else if (publicKey.type === "rsa" && bitLength(publicKey.modulus) < minRsaBits)
    problems.push(
      problemOf(placed, "X509_WEAK_KEY", field, "NIST SP 800-131A", `${detail}, ${minRsaBits} bits are the least`),
    );
}

function checkExtensions(placed: Placed, problems: VerificationProblem[]): void {
  const { certificate } = placed;
  for (const oid of certificate.unknownCritical)
    problems.push(
      problemOf(
        placed,
        "X509_UNKNOWN_CRITICAL_EXTENSION",
        "tbsCertificate.extensions",
        "RFC 5280 §4.2",
        `${certificate.subject.toString()} has ${oidName(oid)}`,
      ),
    );
  if (certificate.subject.isEmpty && !certificate.subjectAltNameCritical)
    problems.push(
      problemOf(
        placed,
        "X509_NAME",
        "tbsCertificate.subject",
        "RFC 5280 §4.1.2.6",
        "an empty subject needs a critical subjectAltName",
      ),
    );
  if (certificate.keyUsage?.includes("keyCertSign") && certificate.basicConstraints?.ca !== true)
    problems.push(
      problemOf(
        placed,
        "X509_KEY_USAGE",
        "tbsCertificate.extensions.keyUsage",
        "RFC 5280 §4.2.1.9",
        `${certificate.subject.toString()} has keyCertSign but is no CA`,
      ),
    );
}

/** In every certificate that has it, so that a CA for devices cannot make servers (CA/Browser Forum, mozilla::pkix, Windows). */
function checkExtendedKeyUsage(placed: Placed, purpose: PathRules["purpose"], problems: VerificationProblem[]): void {
  const { extendedKeyUsage, subject } = placed.certificate;
  const misfit = purposeMisfit(extendedKeyUsage, purpose);
  if (misfit !== undefined)
    problems.push(
      problemOf(
        placed,
        "X509_EXTENDED_KEY_USAGE",
        "tbsCertificate.extensions.extKeyUsage",
        "RFC 5280 §4.2.1.12",
        `${subject.toString()} ${misfit}`,
      ),
    );
}

/** Why an extendedKeyUsage does not allow a purpose, in words; `undefined` where it does. */
function purposeMisfit(allowed: readonly string[] | undefined, purpose: PathRules["purpose"]): string | undefined {
  if (purpose === "any" || allowed === undefined) return undefined;
  const wanted = purpose === "server" ? "serverAuth" : "clientAuth";
  if (allowed.includes(oids[wanted]) || allowed.includes(oids.anyExtendedKeyUsage)) return undefined;
  return `is for ${shortList(allowed.map(oidName))}, ${wanted} is wanted`;
}

/** What the anchor's certificate limits: how many CAs are below it (RFC 5937 §3.2), and what for. */
function checkAnchor(
  path: readonly Placed[],
  anchor: TrustAnchor,
  purpose: PathRules["purpose"],
  problems: VerificationProblem[],
): void {
  for (const oid of anchor.unknownCritical ?? [])
    problems.push(
      problemOf(
        undefined,
        "X509_UNKNOWN_CRITICAL_EXTENSION",
        "tbsCertificate.extensions",
        "RFC 5280 §4.2",
        `the trust anchor ${anchor.label} has ${oidName(oid)}`,
      ),
    );
  const misfit = purposeMisfit(anchor.extendedKeyUsage, purpose);
  if (misfit !== undefined)
    problems.push(
      problemOf(
        undefined,
        "X509_EXTENDED_KEY_USAGE",
        "tbsCertificate.extensions.extKeyUsage",
        "RFC 5280 §4.2.1.12",
        `the trust anchor ${anchor.label} ${misfit}`,
      ),
    );
  checkPathLength(undefined, `the trust anchor ${anchor.label}`, anchor.pathLength, path.slice(1), problems);
}

function checkPathLength(
  placed: Placed | undefined,
  issuer: string,
  allowed: number | undefined,
  below: readonly Placed[],
  problems: VerificationProblem[],
): void {
  const counted = below.filter(({ certificate }) => !isSelfIssued(certificate)).length;
  if (allowed === undefined || counted <= allowed) return;
  problems.push(
    problemOf(
      placed,
      "X509_PATH_LENGTH",
      "tbsCertificate.extensions.basicConstraints.pathLenConstraint",
      "RFC 5280 §4.2.1.9",
      `${issuer} allows ${allowed} CA(s) below, there are ${counted}`,
    ),
  );
}

/** @param below the CA certificates between this one and the leaf. */
function checkIssuer(placed: Placed, below: readonly Placed[], problems: VerificationProblem[]): void {
  const { basicConstraints, keyUsage, subject } = placed.certificate;
  if (basicConstraints?.ca !== true)
    problems.push(
      problemOf(
        placed,
        "X509_NOT_A_CA",
        "tbsCertificate.extensions.basicConstraints",
        "RFC 5280 §6.1.4 k",
        `${subject.toString()} ${basicConstraints === undefined ? "has no basicConstraints" : "has cA FALSE"}`,
      ),
    );
  if (keyUsage !== undefined && !keyUsage.includes("keyCertSign"))
    problems.push(
      problemOf(
        placed,
        "X509_NOT_A_CA",
        "tbsCertificate.extensions.keyUsage",
        "RFC 5280 §6.1.4 n",
        `${subject.toString()} may not sign certificates: its keyUsage is ${keyUsage.join(", ")}`,
      ),
    );
  checkPathLength(placed, subject.toString(), basicConstraints?.pathLength, below, problems);
}

/** A self-issued CA is not held to the constraints, a self-issued leaf is (RFC 5280 §6.1.3 b). */
function checkNames(
  below: readonly Placed[],
  constraints: NameConstraints,
  issuer: string,
  problems: VerificationProblem[],
): void {
  below.forEach((placed, depth) => {
    if (depth > 0 && isSelfIssued(placed.certificate)) return;
    const violation = constraintViolation(placed.certificate, constraints);
    if (violation === undefined) return;
    problems.push(
      problemOf(
        placed,
        "X509_NAME_CONSTRAINTS",
        "tbsCertificate.extensions.nameConstraints",
        "RFC 5280 §4.2.1.10",
        `${violation} by ${issuer}`,
      ),
    );
  });
}

function checkLeaf(placed: Placed, rules: PathRules, problems: VerificationProblem[]): void {
  const { certificate } = placed;
  if (rules.purpose !== "any" && certificate.keyUsage?.includes("digitalSignature") === false)
    problems.push(
      problemOf(
        placed,
        "X509_KEY_USAGE",
        "tbsCertificate.extensions.keyUsage",
        "RFC 5280 §4.2.1.3",
        `digitalSignature is missing, there is ${certificate.keyUsage.join(", ")}`,
      ),
    );
  if (rules.serverName !== undefined && !matchServerName(certificate, rules.serverName))
    problems.push(
      problemOf(
        placed,
        "X509_NAME_MISMATCH",
        "tbsCertificate.extensions.subjectAltName",
        "RFC 9525 §6",
        mismatch(certificate, rules.serverName),
      ),
    );
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
