/**
 * A certificate, read: RFC 5280 §4.1 as a plain object of values and views.
 *
 * Reading is strict DER and decides nothing else: whether a certificate is to be trusted is `verify.ts`. Left out on purpose: attribute
 * certificates, and anything that only a CA's own checks need (the character sets of PrintableString, serial numbers above zero).
 *
 * @module
 */

import { toHex } from "../../bytes.ts";
import type { PublicKey, SignatureAlgorithm } from "../crypto/provider.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { type Extensions, noExtensions, readExtensions } from "./extensions.ts";
import { type Name, readName } from "./name.ts";
import { readSignatureAlgorithm, readSigned } from "./signature-algorithm.ts";
import { readSubjectPublicKeyInfo } from "./spki.ts";

/** A parsed certificate. All byte strings are views of what was parsed: it must not change meanwhile. */
export interface Certificate extends Extensions {
  readonly der: Uint8Array;
  /** The part that is signed: tbsCertificate with its header. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** The octets of the INTEGER: two's complement, big-endian. */
  readonly serialNumber: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since 1970, first and last moment included. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subjectPublicKeyInfo: Uint8Array;
  /** `undefined` for a kind of key that is not supported. */
  readonly publicKey: PublicKey | undefined;
  /** For people: `rsaEncryption (2048 bit)`, `id-ecPublicKey (secp256r1)`, `id-Ed25519`. */
  readonly publicKeyAlgorithm: string;
  /** `undefined` for an algorithm that is not supported. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signatureAlgorithmOid: string;
  /** For people: `sha256WithRSAEncryption`; the OID where it has no known name. */
  readonly signatureAlgorithmName: string;
  /** Whether it was signed with MD5 or SHA-1. */
  readonly weakSignature: boolean;
  readonly signature: Uint8Array;
}

/** Certificates above this are refused: the largest of the public web have about 10 kB. */
export const MAX_CERTIFICATE_BYTES = 65_536;
/** RFC 5280 §4.1.2.2: at most 20 octets, and one of padding that DER may need. */
const MAX_SERIAL_BYTES = 21;

/**
 * Reads one certificate in DER.
 *
 * @throws CertificateError `X509_MALFORMED`, or one of the codes for a part of it (`X509_NAME`, `X509_DATE`, `X509_EXTENSION`, …).
 * @example
 * const certificate = parseCertificate(der);
 * certificate.subject.toString(); // "CN = lamp"
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const outer = new DerReader(der, "certificate", "X509_MALFORMED");
  if (der.length > MAX_CERTIFICATE_BYTES)
    outer.fail("", `${der.length} bytes, ${MAX_CERTIFICATE_BYTES} at most`, 0, "X509_LIMIT");
  const certificate = outer.sequence("");
  outer.finish();

  const signed = readSigned(certificate, "tbsCertificate");
  const tbs = signed.contents;
  certificate.finish();

  const version = readVersion(tbs);
  const serialAt = tbs.offset;
  const serialNumber = tbs.integer("serialNumber");
  if (serialNumber.length > MAX_SERIAL_BYTES)
    tbs.fail("serialNumber", "longer than 20 octets (RFC 5280 §4.1.2.2)", serialAt, "X509_SERIAL");
  const { algorithm } = signed;
  if (!tbs.skip(algorithm.der))
    certificate.fail(
      "signatureAlgorithm",
      `${algorithm.name} is not tbsCertificate.signature, ${readSignatureAlgorithm(tbs, "signature").name} (RFC 5280 §4.1.1.2)`,
      signed.algorithmAt,
      "X509_SIGNATURE_ALGORITHM",
    );
  const issuerAt = tbs.offset;
  const issuer = readName(tbs, "issuer");
  if (issuer.isEmpty) tbs.fail("issuer", "an empty name (RFC 5280 §4.1.2.4)", issuerAt, "X509_NAME");
  const validity = tbs.sequence("validity", "X509_DATE");
  const notBefore = validity.time("notBefore");
  const notAfter = validity.time("notAfter");
  validity.finish();
  const subject = readName(tbs, "subject");
  const keyAt = tbs.offset;
  const { publicKey, algorithm: publicKeyAlgorithm } = readSubjectPublicKeyInfo(tbs, "subjectPublicKeyInfo");
  const subjectPublicKeyInfo = der.subarray(keyAt, tbs.offset);
  if (version > 1) {
    skipUniqueId(tbs, 1, "issuerUniqueID");
    skipUniqueId(tbs, 2, "subjectUniqueID");
  }
  const explicit = version === 3 ? tbs.optional("extensions", 3, "X509_EXTENSION") : undefined;
  const extensions = explicit === undefined ? noExtensions() : readExtensions(explicit);
  tbs.finish();

  // Written out: V8 takes thirty times as long to spread the extensions, and makes a dictionary of the result.
  return {
    extensions: extensions.extensions,
    basicConstraints: extensions.basicConstraints,
    keyUsage: extensions.keyUsage,
    extendedKeyUsage: extensions.extendedKeyUsage,
    subjectAltName: extensions.subjectAltName,
    subjectAltNameCritical: extensions.subjectAltNameCritical,
    nameConstraints: extensions.nameConstraints,
    authorityKeyIdentifier: extensions.authorityKeyIdentifier,
    subjectKeyIdentifier: extensions.subjectKeyIdentifier,
    unknownCritical: extensions.unknownCritical,
    der,
    tbs: signed.tbs,
    version,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    subjectPublicKeyInfo,
    publicKey,
    publicKeyAlgorithm,
    signatureAlgorithm: algorithm.algorithm,
    signatureAlgorithmOid: algorithm.oid,
    signatureAlgorithmName: algorithm.name,
    weakSignature: algorithm.weak,
    signature: signed.signature,
  };
}

function skipUniqueId(tbs: DerReader, number: number, field: string): void {
  const tag = contextTag(number, false);
  if (tbs.peek() === tag) tbs.bitString(field, tag);
}

/** The version, 1 where it is absent (RFC 5280 §4.1.2.1). */
function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const at = tbs.offset;
  const explicit = tbs.optional("version", 0, "X509_VERSION");
  if (explicit === undefined) return 1;
  const value = explicit.integer("", tags.INTEGER);
  explicit.finish();
  // Version 1 is the DEFAULT, which DER does not write out.
  if (value.length === 1 && value[0] === 1) return 2;
  if (value.length === 1 && value[0] === 2) return 3;
  return tbs.fail("version", `v3 (2) or v2 (1) expected, not 0x${toHex(value.subarray(0, 8))}`, at, "X509_VERSION");
}
