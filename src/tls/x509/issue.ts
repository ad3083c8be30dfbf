/**
 * Issuing certificates: version 3, signed with SHA-256, for the local endpoint and for tests (RFC 5280 §4.1, §4.2).
 *
 * Left out on purpose: CRLs, policies. It writes what it is told, so that tests can make wrong certificates too; only what cannot be
 * encoded is refused.
 *
 * @module
 */

import { printable, utf8Encode } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, map, type Task } from "../../task.ts";
import type { CryptoProvider, PrivateKey, PublicKey, SignatureAlgorithm } from "../crypto/provider.ts";
import { contextTag, tags } from "./der.ts";
import {
  bitString,
  booleanValue,
  element,
  explicit,
  objectIdentifier,
  octetString,
  sequence,
  set,
  smallInteger,
  time,
  unsignedInteger,
  utf8String,
} from "./der-write.ts";
import { type KeyUsage, keyUsages } from "./extensions.ts";
import { parseIpAddress } from "./names.ts";
import { attributeNames, oids } from "./oids.ts";
import { encodeSha256Algorithm } from "./signature-algorithm.ts";
import { encodeSubjectPublicKeyInfo } from "./spki.ts";

/** A name to write: attributes in order, by short name (`CN`, `O`, `OU`, `C`, `L`, `ST`, `DC`), or DER as it stands in another certificate. */
export type NameInput = readonly (readonly [type: string, value: string])[] | Uint8Array;

/** The extensions to write; what is left out is not there. */
export interface IssueExtensions {
  /** basicConstraints, critical. */
  readonly ca?: boolean | undefined;
  readonly pathLength?: number | undefined;
  /** Critical. */
  readonly keyUsage?: readonly KeyUsage[] | undefined;
  /** `serverAuth`, `clientAuth`, … or OIDs. */
  readonly extendedKeyUsage?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  /** IPv4 and IPv6 addresses as text. */
  readonly ipAddresses?: readonly string[] | undefined;
  readonly subjectKeyIdentifier?: Uint8Array | undefined;
  readonly authorityKeyIdentifier?: Uint8Array | undefined;
  /** Others, with the DER of their value. */
  readonly others?:
    | readonly { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }[]
    | undefined;
}

/** What {@link issueCertificate} writes and signs with. */
export interface IssueOptions {
  readonly subject: NameInput;
  /** The subject itself by default: self-signed. */
  readonly issuer?: NameInput | undefined;
  readonly subjectPublicKey: PublicKey;
  readonly issuerKey: PrivateKey;
  /** Big-endian octets of a positive number, 20 at most; random by RFC 5280 §4.1.2.2. */
  readonly serialNumber: Uint8Array;
  /** Milliseconds since 1970; whole seconds are written. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions?: IssueExtensions | undefined;
  readonly crypto: CryptoProvider;
  readonly random: Random;
}

/**
 * Makes and signs a certificate; the result is its DER.
 *
 * @throws UsageError for a name attribute or purpose that is not known, an address that is none, a date outside of 1950 to 9999, a
 *   country or DNS name that is not ASCII.
 * @example
 * const der = finish(issueCertificate({ subject: [["CN", "lamp"]], subjectPublicKey, issuerKey, serialNumber, notBefore, notAfter, crypto, random }));
 */
export function issueCertificate(options: IssueOptions): Task<Uint8Array> {
  const { issuerKey, subject } = options;
  const extensions = encodeExtensions(
    options.extensions ?? {},
    !(subject instanceof Uint8Array) && subject.length === 0,
  );
  const tbs = sequence(
    explicit(0, smallInteger(2)),
    unsignedInteger(options.serialNumber),
    encodeSha256Algorithm(issuerKey.type),
    encodeName(options.issuer ?? subject),
    sequence(time(options.notBefore), time(options.notAfter)),
    encodeName(subject),
    encodeSubjectPublicKeyInfo(options.subjectPublicKey),
    ...(extensions === undefined ? [] : [explicit(3, extensions)]),
  );
  return signWithSha256(tbs, issuerKey, options.crypto, options.random);
}

/** What is signed, its algorithm and the signature: the envelope of certificates (RFC 5280 §4.1) and requests (RFC 2986 §4.2) alike. */
export function signWithSha256(
  tbs: Uint8Array,
  key: PrivateKey,
  crypto: CryptoProvider,
  random: Random,
): Task<Uint8Array> {
  const algorithm: SignatureAlgorithm = { kind: key.type === "rsa" ? "rsa-pkcs1" : "ecdsa", hash: "sha256" };
  const signed = chain(crypto.digest("sha256", [tbs]), (digest) => crypto.sign(algorithm, key, digest, random));
  return map(signed, (signature) => sequence(tbs, encodeSha256Algorithm(key.type), bitString(signature)));
}

/** A DER `Name`. Values are UTF8String, but for countryName and domainComponent, whose types are fixed. */
export function encodeName(name: NameInput): Uint8Array {
  if (name instanceof Uint8Array) return name;
  return sequence(
    ...name.map(([type, value]) => {
      const oid = Object.keys(attributeNames).find((key) => attributeNames[key] === type);
      if (oid === undefined)
        throw new UsageError(
          "USAGE_INVALID_ARGUMENT",
          `a name attribute is one of ${Object.values(attributeNames).join(", ")}, not ${type}`,
        );
      const text =
        type === "C"
          ? element(tags.PRINTABLE_STRING, ascii(value))
          : type === "DC"
            ? element(tags.IA5_STRING, ascii(value))
            : utf8String(value);
      return set(sequence(objectIdentifier(oid), text));
    }),
  );
}

/**
 * The SEQUENCE of the extensions; `undefined` where there are none, because it may not be empty (RFC 5280 §4.1).
 *
 * @param anonymous the subject is empty, which makes subjectAltName critical (RFC 5280 §4.2.1.6).
 */
export function encodeExtensions(extensions: IssueExtensions, anonymous: boolean): Uint8Array | undefined {
  const { ca, pathLength, keyUsage, extendedKeyUsage, dnsNames = [], ipAddresses = [] } = extensions;
  const list: Uint8Array[] = [];
  const add = (oid: string, critical: boolean, value: Uint8Array): void => {
    list.push(encodeExtension(oid, critical, value));
  };
  if (ca !== undefined) {
    const limit = pathLength === undefined ? [] : [smallInteger(pathLength)];
    add(oids.basicConstraints, true, sequence(...(ca ? [booleanValue(true)] : []), ...limit));
  }
  if (keyUsage !== undefined) add(oids.keyUsage, true, encodeKeyUsage(keyUsage));
  if (extendedKeyUsage !== undefined)
    add(oids.extKeyUsage, false, sequence(...extendedKeyUsage.map((purpose) => objectIdentifier(purposeOid(purpose)))));
  if (dnsNames.length + ipAddresses.length > 0)
    add(
      oids.subjectAltName,
      anonymous,
      sequence(
        ...dnsNames.map((name) => element(contextTag(2, false), ascii(name))),
        ...ipAddresses.map((address) => element(contextTag(7, false), ipOctets(address))),
      ),
    );
  if (extensions.subjectKeyIdentifier !== undefined)
    add(oids.subjectKeyIdentifier, false, octetString(extensions.subjectKeyIdentifier));
  if (extensions.authorityKeyIdentifier !== undefined)
    add(oids.authorityKeyIdentifier, false, sequence(element(contextTag(0, false), extensions.authorityKeyIdentifier)));
  for (const { oid, critical, value } of extensions.others ?? []) add(oid, critical, value);
  return list.length === 0 ? undefined : sequence(...list);
}

/** One extension; what is not critical is the DEFAULT, which DER does not write out. */
export function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(oid), ...(critical ? [booleanValue(true)] : []), octetString(value));
}

/** A named bit list: up to the last bit that is set (X.690 §11.2.2). */
function encodeKeyUsage(usage: readonly KeyUsage[]): Uint8Array {
  const bits = usage.map((one) => keyUsages.indexOf(one));
  const last = Math.max(...bits);
  const bytes = new Uint8Array((last >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return bitString(bytes, 7 - (last & 7));
}

/** The octets of a PrintableString or IA5String; a DNS name of other letters is written as its A-label, `xn--…`. */
function ascii(text: string): Uint8Array {
  const octets = utf8Encode(text);
  if (octets.some((octet) => octet >= 0x80))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `not ASCII: ${printable(text)}`);
  return octets;
}

function purposeOid(purpose: string): string {
  return Object.hasOwn(oids, purpose) ? oids[purpose as keyof typeof oids] : purpose;
}

function ipOctets(text: string): Uint8Array {
  const address = parseIpAddress(text);
  if (address === undefined) throw new UsageError("USAGE_INVALID_ARGUMENT", `not an IP address: ${text}`);
  return address;
}
