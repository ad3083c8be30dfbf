/**
 * Public keys: SubjectPublicKeyInfo, read and written (RFC 5280 §4.1.2.7, RFC 8017 §A.1.1, RFC 5480).
 *
 * A key of another kind, curve or form (Ed25519, DSA, compressed points, an RSA exponent above 31 bits) is no error here: it has a
 * name and no value, so that a chain may carry it where nothing depends on it. Whether a point lies on its curve is the provider's to say.
 *
 * @module
 */

import type { CurveName, PublicKey } from "../crypto/provider.ts";
import { DerReader, tags } from "./der.ts";
import { bitString, nullValue, objectIdentifier, sequence, unsignedInteger } from "./der-write.ts";
import { oidName, oids } from "./oids.ts";

/** RSA moduli above this are not used: verifying with one would only be a way to keep a device busy. */
export const MAX_RSA_BITS = 8192;

/** A public key as far as it is understood. */
export interface SubjectPublicKeyInfo {
  /** `undefined` for a kind that is not supported. */
  readonly publicKey: PublicKey | undefined;
  /** For people: `rsaEncryption (2048 bit)`, `id-ecPublicKey (secp256r1)`, `id-Ed25519`. */
  readonly algorithm: string;
}

/** The octets of one coordinate, and of a private scalar, of each curve. */
export const curveBytes: Readonly<Record<CurveName, number>> = /* @__PURE__ */ Object.freeze({
  secp256r1: 32,
  secp384r1: 48,
  secp521r1: 66,
});

/** The curve of an OID; `undefined` where it is not supported. */
export function curveOf(oid: string): CurveName | undefined {
  const name = oidName(oid);
  return Object.hasOwn(curveBytes, name) ? (name as CurveName) : undefined;
}

/** Bits of a big-endian number without leading zeros. */
export function bitLength(octets: Uint8Array): number {
  return octets.length === 0 ? 0 : octets.length * 8 - Math.clz32(octets[0]!) + 24;
}

/**
 * A DER SubjectPublicKeyInfo, alone.
 *
 * @throws CertificateError `X509_PUBLIC_KEY`
 */
export function parseSubjectPublicKeyInfo(der: Uint8Array): SubjectPublicKeyInfo {
  const reader = new DerReader(der, "subjectPublicKeyInfo", "X509_PUBLIC_KEY");
  const key = readSubjectPublicKeyInfo(reader, "");
  reader.finish();
  return key;
}

/** The bits of the key in a DER SubjectPublicKeyInfo, without its algorithm: what key identifiers are digests of. */
export function publicKeyBits(der: Uint8Array): Uint8Array {
  const info = new DerReader(der, "subjectPublicKeyInfo", "X509_PUBLIC_KEY").sequence("");
  info.enter("algorithm");
  return info.octetAligned("subjectPublicKey");
}

/** The SubjectPublicKeyInfo that comes next in a reader. */
export function readSubjectPublicKeyInfo(reader: DerReader, field: string): SubjectPublicKeyInfo {
  const info = reader.sequence(field, "X509_PUBLIC_KEY");
  const algorithm = info.sequence("algorithm");
  const oid = algorithm.oid("algorithm");
  let key: SubjectPublicKeyInfo;
  if (oid === oids.rsaEncryption) {
    algorithm.null("parameters"); // always there: RFC 3279 §2.3.1
    key = readRsa(info);
  } else if (oid === oids["id-ecPublicKey"] && algorithm.peek() === tags.OID) {
    key = readEc(info, algorithm.oid("parameters"));
  } else {
    if (!algorithm.empty) algorithm.element("parameters");
    info.octetAligned("subjectPublicKey");
    key = { publicKey: undefined, algorithm: oidName(oid) };
  }
  algorithm.finish();
  info.finish();
  return key;
}

function readRsa(info: DerReader): SubjectPublicKeyInfo {
  const bits = info.insideBits("subjectPublicKey");
  const rsa = bits.sequence("");
  const modulus = rsa.unsigned("modulus");
  const exponent = rsa.unsigned("publicExponent");
  rsa.finish();
  bits.finish();
  const algorithm = `rsaEncryption (${bitLength(modulus)} bit)`;
  const usable =
    bitLength(modulus) <= MAX_RSA_BITS &&
    bitLength(exponent) <= 31 &&
    isOdd(modulus) &&
    isOdd(exponent) &&
    bitLength(exponent) > 1;
  return { publicKey: usable ? { type: "rsa", modulus, exponent } : undefined, algorithm };
}

function readEc(info: DerReader, curveOid: string): SubjectPublicKeyInfo {
  const at = info.offset;
  const point = info.octetAligned("subjectPublicKey");
  const algorithm = `id-ecPublicKey (${oidName(curveOid)})`;
  const curve = curveOf(curveOid);
  if (curve === undefined || point[0] !== 4) return { publicKey: undefined, algorithm };
  if (point.length !== 1 + 2 * curveBytes[curve])
    info.fail(
      "subjectPublicKey",
      `a point of ${curve} has ${1 + 2 * curveBytes[curve]} bytes, not ${point.length}`,
      at,
    );
  return { publicKey: { type: "ec", curve, point }, algorithm };
}

function isOdd(octets: Uint8Array): boolean {
  return octets.length > 0 && (octets[octets.length - 1]! & 1) === 1;
}

/** A public key as a DER SubjectPublicKeyInfo. */
export function encodeSubjectPublicKeyInfo(key: PublicKey): Uint8Array {
  return key.type === "rsa"
    ? sequence(
        sequence(objectIdentifier(oids.rsaEncryption), nullValue()),
        bitString(sequence(unsignedInteger(key.modulus), unsignedInteger(key.exponent))),
      )
    : sequence(
        sequence(objectIdentifier(oids["id-ecPublicKey"]), objectIdentifier(oids[key.curve])),
        bitString(key.point),
      );
}
