/**
 * Name constraints: RFC 5280 §4.2.1.10, for DNS names, addresses, directory names, mailboxes and URIs.
 *
 * Where a name or a constraint is of a kind that is not understood, or malformed, the name counts as outside. A wildcard counts as excluded
 * where one of the names that it stands for is.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import type { Certificate } from "./certificate.ts";
import type { GeneralNames, NameConstraints } from "./extensions.ts";
import { isWithin, type Name } from "./name.ts";
import { ipAddressText, parseIpAddress } from "./names.ts";
import { oids } from "./oids.ts";

/** Characters of a host name at most (RFC 1035 §2.3.4): what is longer is none, and is not searched again and again. */
const MAX_HOST = 253;

/** Why a certificate breaks a CA's constraints, in words; `undefined` where it keeps them. */
export function constraintViolation(certificate: Certificate, constraints: NameConstraints): string | undefined {
  const names = namesOf(certificate);
  const { permitted, excluded } = constraints;
  return (
    violation("DNS name", names.dns, permitted.dns, excluded.dns, dnsPermitted, dnsExcluded, printable) ??
    violation("IP address", names.ip, permitted.ip, excluded.ip, ipWithin, ipExcluded, ipAddressText) ??
    violation("mailbox", names.email, permitted.email, excluded.email, mailWithin, mailExcluded, printable) ??
    violation("URI", names.uri, permitted.uri, excluded.uri, uriWithin, uriExcluded, printable) ??
    violation("directory name", names.directory, permitted.directory, excluded.directory, isWithin, isWithin, String) ??
    otherViolation(names.other, [...permitted.other, ...excluded.other])
  );
}

/** Comparisons that {@link constraintViolation} makes at most: its callers bound them, for they are in the peer's hands. */
export function constraintComparisons(certificate: Certificate, { permitted, excluded }: NameConstraints): number {
  return countOf(namesOf(certificate)) * (countOf(permitted) + countOf(excluded));
}

/** The names of a certificate that constraints apply to: subjectAltName, the subject, and a mailbox in the subject of an old one. */
function namesOf(certificate: Certificate): GeneralNames {
  const { subject, subjectAltName } = certificate;
  const inSubject = subject.attributes.flat().filter(({ oid }) => oid === oids.emailAddress);
  return {
    dns: subjectAltName?.dns ?? [],
    ip: subjectAltName?.ip ?? [],
    email: subjectAltName?.email ?? inSubject.map(({ value }) => value),
    uri: subjectAltName?.uri ?? [],
    directory: [...(subject.isEmpty ? [] : [subject]), ...(subjectAltName?.directory ?? [])],
    other: subjectAltName?.other ?? [],
  };
}

function countOf(names: GeneralNames): number {
  return (
    names.dns.length +
    names.ip.length +
    names.email.length +
    names.uri.length +
    names.directory.length +
    names.other.length
  );
}

/** For one kind: no name may lie in an excluded subtree, and each in a permitted one where there are any of its kind. */
function violation<T extends string | Uint8Array | Name>(
  kind: string,
  names: readonly T[],
  permitted: readonly T[],
  excluded: readonly T[],
  isPermitted: (name: T, subtree: T) => boolean,
  isExcluded: (name: T, subtree: T) => boolean,
  show: (name: T) => string,
): string | undefined {
  for (const name of names) {
    if (excluded.some((subtree) => isExcluded(name, subtree))) return `the ${kind} ${show(name)} is excluded`;
    if (permitted.length > 0 && !permitted.some((subtree) => isPermitted(name, subtree)))
      return `the ${kind} ${show(name)} is not among those permitted`;
  }
  return undefined;
}

function otherViolation(names: readonly number[], constraints: readonly number[]): string | undefined {
  const kind = names.find((name) => constraints.includes(name));
  return kind === undefined ? undefined : `a name of kind [${kind}] is constrained, which is not supported`;
}

/** A host and all below it; `.host` only what is below, and the empty constraint everything. */
function hostWithin(host: string, constraint: string): boolean {
  if (constraint.length > host.length) return false;
  const base = constraint.toLowerCase();
  const name = host.toLowerCase();
  if (base === "") return true;
  return base.startsWith(".") ? name.endsWith(base) : name === base || name.endsWith(`.${base}`);
}

function dnsPermitted(name: string, constraint: string): boolean {
  return isHost(name.replace(/^\*\./, "")) && hostWithin(name, constraint);
}

function dnsExcluded(name: string, constraint: string): boolean {
  const wildcard = name.startsWith("*.");
  const host = wildcard ? name.slice(2) : name;
  if (!isHost(host) || !isHostConstraint(constraint) || hostWithin(name, constraint)) return true;
  // `*.example.com` stands for `foo.example.com` too.
  return wildcard && constraint.toLowerCase().replace(/^\.?[^.]*\./, "") === host.toLowerCase();
}

function isHost(name: string): boolean {
  return name.length <= MAX_HOST && /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name);
}

/** A host, a host behind a dot, or nothing, which is everything. */
function isHostConstraint(constraint: string): boolean {
  return constraint === "" || isHost(constraint.replace(/^\./, ""));
}

function ipWithin(address: Uint8Array, range: Uint8Array): boolean {
  const { length } = address;
  return range.length === 2 * length && address.every((octet, i) => ((octet ^ range[i]!) & range[length + i]!) === 0);
}

/** A range that somebody wrote by hand may be none. */
function ipExcluded(address: Uint8Array, range: Uint8Array): boolean {
  return (range.length !== 8 && range.length !== 32) || ipWithin(address, range);
}

/** `user@host` is one mailbox, `host` all on it, `.domain` all on hosts below it. */
function mailWithin(mailbox: string, constraint: string): boolean {
  const host = mailHost(mailbox);
  if (host === undefined) return false;
  const wanted = constraint.lastIndexOf("@");
  if (wanted >= 0)
    return (
      mailbox.slice(0, mailbox.lastIndexOf("@")) === constraint.slice(0, wanted) &&
      host === constraint.slice(wanted + 1).toLowerCase()
    );
  return exactOrBelow(host, constraint);
}

function mailExcluded(mailbox: string, constraint: string): boolean {
  const at = constraint.lastIndexOf("@");
  const isUnderstood = at < 0 ? isHostConstraint(constraint) : at > 0 && isHost(constraint.slice(at + 1));
  return !isUnderstood || mailHost(mailbox) === undefined || mailWithin(mailbox, constraint);
}

/** The host of a mailbox; `undefined` for what is none. */
function mailHost(mailbox: string): string | undefined {
  const at = mailbox.lastIndexOf("@");
  const host = mailbox.slice(at + 1).toLowerCase();
  return at < 1 || !isHost(host) ? undefined : host;
}

/** Unlike DNS names, a host in a mailbox or URI is only itself; what is below it needs the dot. */
function exactOrBelow(host: string, constraint: string): boolean {
  if (constraint.length > host.length) return false;
  const base = constraint.toLowerCase();
  return base === "" || (base.startsWith(".") ? host.endsWith(base) : host === base);
}

function uriWithin(uri: string, constraint: string): boolean {
  const host = uriHost(uri);
  return host !== undefined && exactOrBelow(host, constraint);
}

function uriExcluded(uri: string, constraint: string): boolean {
  return !isHostConstraint(constraint) || uriHost(uri) === undefined || uriWithin(uri, constraint);
}

/** The host of a URI's authority (RFC 3986 §3.2); `undefined` without one, and for addresses, which constraints cannot name. */
function uriHost(uri: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  const host = authority
    ?.replace(/^[^@]*@/, "")
    .replace(/:[0-9]*$/, "")
    .toLowerCase();
  return host === undefined || !isHost(host) || parseIpAddress(host) !== undefined ? undefined : host;
}
