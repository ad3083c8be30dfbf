/**
 * The extensions of a certificate: RFC 5280 §4.2, those that decide whether a chain is accepted.
 *
 * Read are basicConstraints, keyUsage, extKeyUsage, subjectAltName, nameConstraints, the two key identifiers and certificatePolicies
 * (only whether they are well formed: with no policy asked for, RFC 5280 §6.1 makes nothing of them). Everything else is unknown: ignored,
 * or fatal where it is critical. Left out on purpose: policy mappings and policy constraints (critical, so such a chain fails). What CRL
 * distribution points and authority information access say is read where it is asked for: `locations.ts`.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { asciiDecode, type Name, readName } from "./name.ts";
import { oidName, oids } from "./oids.ts";

/** An extension as it stands. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The contents of extnValue: DER of the extension's own type. */
  readonly value: Uint8Array;
}

/** RFC 5280 §4.2.1.9 */
export interface BasicConstraints {
  readonly ca: boolean;
  /** CA certificates that may follow below, self-issued ones not counted. */
  readonly pathLength: number | undefined;
}

/** The bits of RFC 5280 §4.2.1.3, in order. */
export const keyUsages = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

/** A purpose of a key (RFC 5280 §4.2.1.3). */
export type KeyUsage = (typeof keyUsages)[number];

/** GeneralNames by kind (RFC 5280 §4.2.1.6), as the certificate has them. */
export interface GeneralNames {
  /** dNSName, ASCII. */
  readonly dns: readonly string[];
  /** iPAddress: 4 or 16 bytes; in nameConstraints 8 or 32, address and mask. */
  readonly ip: readonly Uint8Array[];
  /** rfc822Name, ASCII. */
  readonly email: readonly string[];
  /** uniformResourceIdentifier, ASCII. */
  readonly uri: readonly string[];
  readonly directory: readonly Name[];
  /** Tag numbers of names of other kinds: 0 otherName, 3 x400Address, 5 ediPartyName, 8 registeredID. */
  readonly other: readonly number[];
}

/** No name of any kind. */
export const noNames: GeneralNames = /* @__PURE__ */ Object.freeze({
  dns: [],
  ip: [],
  email: [],
  uri: [],
  directory: [],
  other: [],
});

/** RFC 5280 §4.2.1.10 */
export interface NameConstraints {
  readonly permitted: GeneralNames;
  readonly excluded: GeneralNames;
}

/** RFC 5280 §4.2.1.1 */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
}

/** All that is read from a certificate's extensions; `undefined` is absent. */
export interface Extensions {
  /** All of them, in order. */
  readonly extensions: readonly Extension[];
  readonly basicConstraints: BasicConstraints | undefined;
  readonly keyUsage: readonly KeyUsage[] | undefined;
  /** OIDs, dotted. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectAltName: GeneralNames | undefined;
  readonly subjectAltNameCritical: boolean;
  readonly nameConstraints: NameConstraints | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  /** OIDs of critical extensions that are not understood: a chain with one fails (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
}

/** More extensions than this are refused; real certificates have about ten. */
const MAX_EXTENSIONS = 64;
/** More names in one extension than this are refused: each is compared with each constraint. The most seen in the wild is about 1000. */
const MAX_NAMES = 2048;

/** More policies than this are refused; real certificates have about three. */
const MAX_POLICIES = 64;

type Draft = { -readonly [Key in keyof Extensions]: Extensions[Key] };

/** What a certificate without extensions has. */
export function noExtensions(): Extensions {
  return emptyDraft([], []);
}

function emptyDraft(extensions: Extension[], unknownCritical: string[]): Draft {
  return {
    extensions,
    basicConstraints: undefined,
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    subjectAltName: undefined,
    subjectAltNameCritical: false,
    nameConstraints: undefined,
    authorityKeyIdentifier: undefined,
    subjectKeyIdentifier: undefined,
    unknownCritical,
  };
}

/** The extensions in a reader of what surrounds them (`[3] EXPLICIT`). */
export function readExtensions(explicit: DerReader): Extensions {
  const list = explicit.sequence("");
  explicit.finish();
  if (list.empty) list.fail("", "an empty list"); // SIZE (1..MAX)
  const extensions: Extension[] = [];
  const unknownCritical: string[] = [];
  const read = emptyDraft(extensions, unknownCritical);
  while (!list.empty) {
    const at = list.offset;
    const { oid, critical, value } = readExtension(list);
    if (isAmong(extensions, oid)) list.fail(oid, "comes twice (RFC 5280 §4.2)", at);
    if (extensions.length >= MAX_EXTENSIONS) list.fail("", `more than ${MAX_EXTENSIONS}`, at, "X509_LIMIT");
    extensions.push({ oid, critical, value: value.source.subarray(value.offset, list.offset) });
    if (readKnown(oid, critical, value, read)) value.finish();
    else if (critical) unknownCritical.push(oid);
  }
  return read;
}

function isAmong(extensions: readonly Extension[], oid: string): boolean {
  for (let i = 0; i < extensions.length; i++) if (extensions[i]!.oid === oid) return true;
  return false;
}

/** The extension that comes next in a list, with a reader inside of its value, which ends where the list goes on. */
export function readExtension(list: DerReader): {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: DerReader;
} {
  const extension = list.sequence("extension");
  const oid = extension.oid("extnID");
  const critical = extension.peek() === tags.BOOLEAN && extension.boolean("critical");
  const value = extension.inside(oidName(oid), tags.OCTET_STRING);
  extension.finish();
  return { oid, critical, value };
}

/** A reader inside of an extension whose value is one SEQUENCE; `undefined` where a certificate does not have it. */
export function insideExtension(extensions: readonly Extension[], oid: string, field: string): DerReader | undefined {
  const extension = extensions.find((one) => one.oid === oid);
  if (extension === undefined) return undefined;
  const reader = new DerReader(extension.value, field, "X509_EXTENSION");
  const contents = reader.sequence("");
  reader.finish();
  return contents;
}

/** Reads an extension that is understood into the draft; false where it is not. */
function readKnown(oid: string, critical: boolean, value: DerReader, read: Draft): boolean {
  switch (oid) {
    case oids.basicConstraints:
      read.basicConstraints = readBasicConstraints(value);
      return true;
    case oids.keyUsage:
      read.keyUsage = readKeyUsage(value);
      return true;
    case oids.extKeyUsage:
      read.extendedKeyUsage = readExtendedKeyUsage(value);
      return true;
    case oids.subjectAltName:
      read.subjectAltName = readGeneralNames(value.sequence(""), false);
      read.subjectAltNameCritical = critical;
      return true;
    case oids.nameConstraints:
      read.nameConstraints = readNameConstraints(value);
      return true;
    case oids.authorityKeyIdentifier:
      if (critical) value.fail("", "must not be critical (RFC 5280 §4.2.1.1)");
      read.authorityKeyIdentifier = readAuthorityKeyIdentifier(value);
      return true;
    case oids.subjectKeyIdentifier:
      if (critical) value.fail("", "must not be critical (RFC 5280 §4.2.1.2)");
      read.subjectKeyIdentifier = value.octetString("");
      return true;
    case oids.certificatePolicies:
      checkPolicies(value.sequence(""));
      return true;
    default:
      return false;
  }
}

/** Nothing is made of policies, but they may be critical: so they are read to the end (RFC 5280 §4.2.1.4). */
function checkPolicies(list: DerReader): void {
  const seen: Uint8Array[] = [];
  do {
    if (seen.length >= MAX_POLICIES) list.fail("", `more than ${MAX_POLICIES} policies`, list.offset, "X509_LIMIT");
    const at = list.offset;
    const policy = list.sequence("policyInformation");
    const identifierAt = policy.offset;
    policy.skipOid("policyIdentifier");
    const identifier = list.source.subarray(identifierAt, policy.offset);
    if (seen.some((one) => equal(one, identifier)))
      list.fail("policyIdentifier", "comes twice (RFC 5280 §4.2.1.4)", at);
    seen.push(identifier);
    if (policy.empty) continue;
    const qualifiers = policy.sequence("policyQualifiers");
    policy.finish();
    do {
      const qualifier: DerReader = qualifiers.sequence("policyQualifierInfo");
      qualifier.skipOid("policyQualifierId");
      qualifier.enter("qualifier");
      qualifier.finish();
    } while (!qualifiers.empty);
  } while (!list.empty);
}

function readBasicConstraints(value: DerReader): BasicConstraints {
  const constraints = value.sequence("");
  const ca = constraints.peek() === tags.BOOLEAN && constraints.boolean("cA");
  const pathLength = constraints.empty ? undefined : constraints.small("pathLenConstraint");
  constraints.finish();
  return { ca, pathLength };
}

function readKeyUsage(value: DerReader): readonly KeyUsage[] {
  const at = value.offset;
  const { bytes } = value.bitString("");
  // Zero bits at the end are not DER for a named bit list (X.690 §11.2.2), but roots of the public web have them.
  if (bytes.every((octet) => octet === 0)) value.fail("", "no bit is set (RFC 5280 §4.2.1.3)", at);
  const usages: KeyUsage[] = [];
  for (let bit = 0; bit < keyUsages.length; bit++)
    if (((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) usages.push(keyUsages[bit]!);
  return usages;
}

function readExtendedKeyUsage(value: DerReader): readonly string[] {
  const list = value.sequence("");
  const purposes: string[] = [];
  do purposes.push(list.oid("KeyPurposeId"));
  while (!list.empty);
  return purposes;
}

function readAuthorityKeyIdentifier(value: DerReader): AuthorityKeyIdentifier {
  const identifier = value.sequence("");
  const first =
    identifier.peek() === contextTag(0, false) ? identifier.contents("keyIdentifier", contextTag(0, false)) : undefined;
  // authorityCertIssuer and authorityCertSerialNumber lead to nothing that the name does not.
  const issuer = identifier.optional("authorityCertIssuer", 1);
  if (issuer !== undefined) readGeneralNames(issuer, false);
  const serialTag = contextTag(2, false);
  if (identifier.peek() === serialTag) identifier.integer("authorityCertSerialNumber", serialTag);
  identifier.finish();
  return { keyIdentifier: first };
}

function readNameConstraints(value: DerReader): NameConstraints {
  const constraints = value.sequence("");
  if (constraints.empty) constraints.fail("", "an empty list");
  const permitted = constraints.optional("permittedSubtrees", 0);
  const excluded = constraints.optional("excludedSubtrees", 1);
  constraints.finish();
  return {
    permitted: permitted === undefined ? noNames : readGeneralNames(permitted, true),
    excluded: excluded === undefined ? noNames : readGeneralNames(excluded, true),
  };
}

/** GeneralNames, or the bases of GeneralSubtrees, whose minimum is always 0 and maximum absent (RFC 5280 §4.2.1.10). */
export function readGeneralNames(list: DerReader, subtrees: boolean): GeneralNames {
  const dns: string[] = [];
  const ip: Uint8Array[] = [];
  const email: string[] = [];
  const uri: string[] = [];
  const directory: Name[] = [];
  const other: number[] = [];
  if (list.empty) list.fail("", "an empty list"); // SIZE (1..MAX)
  for (let count = 1; !list.empty; count++) {
    if (count > MAX_NAMES) list.fail("", `more than ${MAX_NAMES} names`, list.offset, "X509_LIMIT");
    const names = subtrees ? list.sequence("subtree") : list;
    const tag = names.peek() ?? 0;
    if (tag === contextTag(1, false)) email.push(ascii(names, "rfc822Name"));
    else if (tag === contextTag(2, false)) dns.push(ascii(names, "dNSName"));
    else if (tag === contextTag(6, false)) uri.push(ascii(names, "uniformResourceIdentifier"));
    else if (tag === contextTag(7, false)) ip.push(address(names, subtrees ? 2 : 1));
    else if (tag === contextTag(4, true)) {
      const choice = names.inside("directoryName", tag);
      directory.push(readName(choice, ""));
      choice.finish();
    } else if (tag === contextTag(0, true)) {
      const choice = names.inside("otherName", tag);
      choice.skipOid("type-id");
      const explicit = choice.inside("value", tag);
      explicit.enter("");
      explicit.finish();
      choice.finish();
      other.push(0);
    } else if (tag === contextTag(8, false)) {
      names.skipOid("registeredID", tag);
      other.push(8);
    } else if (tag === contextTag(3, true) || tag === contextTag(5, true)) {
      names.enter("other");
      other.push(tag & 0x1f);
    } else names.fail("", "no GeneralName");
    if (subtrees) names.finish();
  }
  return { dns, ip, email, uri, directory, other };
}

function ascii(names: DerReader, field: string): string {
  const at = names.offset;
  const start = names.enter(field);
  const text = asciiDecode(names.source, start, names.offset);
  if (text === undefined) names.fail(field, "an IA5String has an octet above 7F", at);
  return text;
}

function address(names: DerReader, copies: number): Uint8Array {
  const at = names.offset;
  const { contents } = names.element("iPAddress");
  if (contents.length !== 4 * copies && contents.length !== 16 * copies)
    names.fail("iPAddress", `an address of ${contents.length} bytes`, at);
  return contents;
}
