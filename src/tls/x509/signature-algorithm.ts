/**
 * What is signed, and how: AlgorithmIdentifier read and written (RFC 5280 §4.1.1.2; RFC 4055 for RSA, RFC 5758 for ECDSA).
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import type { HashName, SignatureAlgorithm } from "../crypto/provider.ts";
import { type DerReader, tags } from "./der.ts";
import { nullValue, objectIdentifier, sequence } from "./der-write.ts";
import { oidName, oids } from "./oids.ts";

/** An AlgorithmIdentifier of a signature as far as it is understood. */
export interface SignatureAlgorithmIdentifier {
  readonly oid: string;
  /** For people: `sha256WithRSAEncryption`. */
  readonly name: string;
  /** `undefined` for one that is not supported. */
  readonly algorithm: SignatureAlgorithm | undefined;
  /** Signed with MD5 or SHA-1, of whatever kind. */
  readonly weak: boolean;
  readonly der: Uint8Array;
}

/** The hash and kind in an algorithm's name; RSA-PSS has its hash in the parameters. */
const known: Readonly<Record<string, SignatureAlgorithm>> = /* @__PURE__ */ Object.freeze({
  sha1WithRSAEncryption: { kind: "rsa-pkcs1", hash: "sha1" },
  sha256WithRSAEncryption: { kind: "rsa-pkcs1", hash: "sha256" },
  sha384WithRSAEncryption: { kind: "rsa-pkcs1", hash: "sha384" },
  sha512WithRSAEncryption: { kind: "rsa-pkcs1", hash: "sha512" },
  "ecdsa-with-SHA1": { kind: "ecdsa", hash: "sha1" },
  "ecdsa-with-SHA256": { kind: "ecdsa", hash: "sha256" },
  "ecdsa-with-SHA384": { kind: "ecdsa", hash: "sha384" },
  "ecdsa-with-SHA512": { kind: "ecdsa", hash: "sha512" },
});

/** Salt lengths of RSA-PSS that are as long as the hash, which is all that TLS and the provider know. */
const pssHashes: readonly { readonly hash: HashName; readonly oid: string; readonly bytes: number }[] =
  /* @__PURE__ */ Object.freeze([
    { hash: "sha256", oid: oids["id-sha256"], bytes: 32 },
    { hash: "sha384", oid: oids["id-sha384"], bytes: 48 },
    { hash: "sha512", oid: oids["id-sha512"], bytes: 64 },
  ] as const);

/** The AlgorithmIdentifier that comes next in a reader. */
export function readSignatureAlgorithm(reader: DerReader, field: string): SignatureAlgorithmIdentifier {
  const start = reader.offset;
  const identifier = reader.sequence(field, "X509_SIGNATURE_ALGORITHM");
  const der = reader.source.subarray(start, reader.offset);
  const oid = identifier.oid("algorithm");
  const name = oidName(oid);
  let algorithm = Object.hasOwn(known, name) ? known[name] : undefined;
  if (oid === oids["id-RSASSA-PSS"]) algorithm = readPss(identifier);
  else if (algorithm?.kind === "rsa-pkcs1") {
    if (!identifier.empty) identifier.null("parameters"); // RFC 4055 §5: absent is accepted too
  } else if (algorithm === undefined && !identifier.empty) identifier.element("parameters");
  identifier.finish();
  return { oid, name, algorithm, weak: algorithm?.hash === "sha1" || oid === oids.md5WithRSAEncryption, der };
}

/** What is signed, by whatever name: a certificate, a request, a CRL, an OCSP response (RFC 5280 §4.1.1). */
export interface Signed {
  /** A reader of what is signed. */
  readonly contents: DerReader;
  /** The same with its header: the bytes that the signature is over. */
  readonly tbs: Uint8Array;
  readonly algorithm: SignatureAlgorithmIdentifier;
  /** Where the algorithm starts. */
  readonly algorithmAt: number;
  readonly signature: Uint8Array;
}

/** Reads what is signed, `field`, then signatureAlgorithm, then the signature. */
export function readSigned(reader: DerReader, field: string, signatureField = "signatureValue"): Signed {
  const start = reader.offset;
  const contents = reader.sequence(field);
  const algorithmAt = reader.offset;
  const tbs = reader.source.subarray(start, algorithmAt);
  const algorithm = readSignatureAlgorithm(reader, "signatureAlgorithm");
  return { contents, tbs, algorithm, algorithmAt, signature: reader.octetAligned(signatureField) };
}

/** RSASSA-PSS-params (RFC 4055 §3.1): one hash for message and mask, and a salt as long as it. Anything else is unsupported. */
function readPss(identifier: DerReader): SignatureAlgorithm | undefined {
  if (identifier.peek() !== tags.SEQUENCE) {
    if (!identifier.empty) identifier.element("parameters");
    return undefined; // the default is SHA-1
  }
  const parameters = identifier.sequence("parameters");
  const hash = parameters.optional("hashAlgorithm", 0);
  const mask = parameters.optional("maskGenAlgorithm", 1);
  const saltLength = parameters.optional("saltLength", 2);
  const trailer = parameters.optional("trailerField", 3);
  parameters.finish();
  if (hash === undefined || mask === undefined || saltLength === undefined) return undefined;
  const messageHash = readHash(hash);
  hash.finish();
  const mgf = mask.sequence("");
  const isMgf1 = mgf.oid("algorithm") === oids["id-mgf1"];
  const maskHash = isMgf1 ? readHash(mgf) : undefined;
  if (isMgf1) mgf.finish();
  mask.finish();
  const salt = saltLength.small("");
  saltLength.finish();
  const trailerField = trailer?.small("") ?? 1;
  trailer?.finish();
  const row = pssHashes.find(({ oid }) => oid === messageHash);
  if (row === undefined || maskHash !== messageHash || salt !== row.bytes || trailerField !== 1) return undefined;
  return { kind: "rsa-pss", hash: row.hash };
}

/** The OID of a hash's AlgorithmIdentifier, whose parameters are NULL or absent. */
function readHash(reader: DerReader): string {
  const identifier = reader.sequence("hash");
  const oid = identifier.oid("algorithm");
  if (!identifier.empty) identifier.null("parameters");
  identifier.finish();
  return oid;
}

/** Whether two identifiers are the same with their parameters (RFC 5280 §4.1.1.2: they MUST be). */
export function sameAlgorithm(a: SignatureAlgorithmIdentifier, b: SignatureAlgorithmIdentifier): boolean {
  return equal(a.der, b.der);
}

/** The AlgorithmIdentifier that `issueCertificate` writes: SHA-256 with the issuer's kind of key. */
export function encodeSha256Algorithm(kind: "rsa" | "ec"): Uint8Array {
  return kind === "rsa"
    ? sequence(objectIdentifier(oids.sha256WithRSAEncryption), nullValue())
    : sequence(objectIdentifier(oids["ecdsa-with-SHA256"]));
}
