/**
 * Certificate signing requests: PKCS#10, RFC 2986, written, read, and checked for the proof that whoever asks has the key.
 *
 * Left out on purpose: attributes but extensionRequest (RFC 2985 §5.4.2), which are skipped: a challengePassword is nobody's business here.
 *
 * @module
 */

import type { Random } from "../../ports.ts";
import { chain, done, type Task } from "../../task.ts";
import type { CryptoProvider, PrivateKey, PublicKey, SignatureAlgorithm } from "../crypto/provider.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { element, objectIdentifier, sequence, set, smallInteger } from "./der-write.ts";
import { CertificateError } from "./errors.ts";
import { type Extensions, noExtensions, readExtensions } from "./extensions.ts";
import { fileError } from "./file-errors.ts";
import { encodeExtensions, encodeName, type IssueExtensions, type NameInput, signWithSha256 } from "./issue.ts";
import { keyError, keyErrors } from "./key-errors.ts";
import { type Name, readName } from "./name.ts";
import { oids } from "./oids.ts";
import { pemBlocks } from "./pem.ts";
import { secureProfile } from "./profile.ts";
import { readSigned } from "./signature-algorithm.ts";
import { acceptedAlgorithm, verifyDigest } from "./signed.ts";
import { encodeSubjectPublicKeyInfo, readSubjectPublicKeyInfo } from "./spki.ts";
import { nothingFound, wrongLabel } from "./trust.ts";

/** What {@link createCertificateRequest} writes and signs with. */
export interface CertificateRequestOptions {
  readonly subject: NameInput;
  /** The key that the certificate shall be for; it signs the request. */
  readonly privateKey: PrivateKey;
  /** Extensions to ask for; most CAs, AWS IoT's among them, decide by themselves. */
  readonly extensions?: IssueExtensions | undefined;
  readonly crypto: CryptoProvider;
  readonly random: Random;
}

/** A request, read. All byte strings are views of what was parsed: it must not change meanwhile. */
export interface CertificateRequest {
  readonly der: Uint8Array;
  /** The part that is signed: certificationRequestInfo with its header. */
  readonly info: Uint8Array;
  /** May be empty. */
  readonly subject: Name;
  readonly subjectPublicKeyInfo: Uint8Array;
  /** `undefined` for a kind of key that is not supported. */
  readonly publicKey: PublicKey | undefined;
  /** For people: `rsaEncryption (2048 bit)`, `id-ecPublicKey (secp256r1)`. */
  readonly publicKeyAlgorithm: string;
  /** The extensions that are asked for. */
  readonly requested: Extensions;
  /** `undefined` for an algorithm that is not supported. */
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  /** For people: `ecdsa-with-SHA256`. */
  readonly signatureAlgorithmName: string;
  /** Whether it was signed with MD5 or SHA-1. */
  readonly weakSignature: boolean;
  readonly signature: Uint8Array;
}

/** Requests above this are refused: one with an RSA key of 8192 bits has about 2.5 kB. */
const MAX_REQUEST_BYTES = 65_536;
/** More attributes than this are refused; real requests have one or two. */
const MAX_ATTRIBUTES = 64;

/**
 * Makes a request and signs it with SHA-256 and its own key; the result is its DER. In PEM its label is `CERTIFICATE REQUEST`.
 *
 * @throws UsageError as `issueCertificate` does.
 * @example
 * const der = finish(createCertificateRequest({ subject: [["CN", "lamp"]], privateKey, crypto, random }));
 * toPem("CERTIFICATE REQUEST", der);
 */
export function createCertificateRequest(options: CertificateRequestOptions): Task<Uint8Array> {
  const { subject, privateKey, crypto, random } = options;
  const anonymous = !(subject instanceof Uint8Array) && subject.length === 0;
  const extensions = encodeExtensions(options.extensions ?? {}, anonymous);
  const attributes =
    extensions === undefined ? [] : [sequence(objectIdentifier(oids.extensionRequest), set(extensions))];
  return chain(crypto.publicKey(privateKey, random), (publicKey) => {
    const info = sequence(
      smallInteger(0),
      encodeName(subject),
      encodeSubjectPublicKeyInfo(publicKey),
      // Implicit, and there even when it is empty (RFC 2986 §4.1).
      element(contextTag(0, true), ...attributes),
    );
    return signWithSha256(info, privateKey, crypto, random);
  });
}

/**
 * Reads one request, PEM or DER. Whether its signature is right is {@link verifyCertificateRequest}'s to say.
 *
 * @throws CertificateError `X509_WRONG_CONTENT` where something else was given, or several; `X509_PEM`; `X509_REQUEST`.
 */
export function parseCertificateRequest(input: string | Uint8Array): CertificateRequest {
  const der = requestDer(input);
  try {
    return readRequest(der);
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code === "X509_REQUEST") throw error;
    // A name, key or extension in it, with the code that it has in certificates.
    throw keyError("X509_REQUEST", error.message, error.data, error);
  }
}

function requestDer(input: string | Uint8Array): Uint8Array {
  const wanted = "certificate signing request";
  const blocks = pemBlocks(input);
  if (blocks === undefined && input[0] === 0x30) return input as Uint8Array;
  if (blocks === undefined || blocks.length === 0) throw nothingFound(wanted, input);
  const other = blocks.find(({ label }) => label !== "CERTIFICATE REQUEST" && label !== "NEW CERTIFICATE REQUEST");
  if (other !== undefined) throw wrongLabel(wanted, other);
  if (blocks.length > 1)
    throw fileError("X509_WRONG_CONTENT", `${blocks.length} requests, where one is wanted`, {
      line: blocks[1]!.line,
    });
  return blocks[0]!.der;
}

function readRequest(der: Uint8Array): CertificateRequest {
  const outer = new DerReader(der, "certificationRequest", "X509_REQUEST", 0, der.length, undefined, keyErrors);
  if (der.length > MAX_REQUEST_BYTES) outer.fail("", `${der.length} bytes, ${MAX_REQUEST_BYTES} at most`, 0);
  const request = outer.sequence("");
  outer.finish();

  const signed = readSigned(request, "certificationRequestInfo", "signature");
  const { contents: info, signature } = signed;
  const { algorithm, name, weak } = signed.algorithm;
  request.finish();

  const versionAt = info.offset;
  if (info.small("version") !== 0) info.fail("version", "v1 (0) is the only one", versionAt);
  const subject = readName(info, "subject");
  const keyAt = info.offset;
  const key = readSubjectPublicKeyInfo(info, "subjectPKInfo");
  const subjectPublicKeyInfo = der.subarray(keyAt, info.offset);
  // Some old writers leave the empty list out.
  const attributes = info.optional("attributes", 0);
  const requested = attributes === undefined ? noExtensions() : readAttributes(attributes);
  info.finish();

  return {
    der,
    info: signed.tbs,
    subject,
    subjectPublicKeyInfo,
    publicKey: key.publicKey,
    publicKeyAlgorithm: key.algorithm,
    requested,
    signatureAlgorithm: algorithm,
    signatureAlgorithmName: name,
    weakSignature: weak,
    signature,
  };
}

/** SET OF Attribute, of which only extensionRequest is looked into. */
function readAttributes(attributes: DerReader): Extensions {
  let requested: Extensions | undefined;
  for (let count = 1; !attributes.empty; count++) {
    const at = attributes.offset;
    if (count > MAX_ATTRIBUTES) attributes.fail("", `more than ${MAX_ATTRIBUTES}`, at);
    const attribute = attributes.sequence("attribute");
    const oid = attribute.oid("type");
    const values = attribute.inside("values", tags.SET);
    attribute.finish();
    if (oid !== oids.extensionRequest) continue;
    if (requested !== undefined) attributes.fail("extensionRequest", "comes twice", at);
    requested = readExtensions(values);
  }
  return requested ?? noExtensions();
}

/**
 * Whether a request is signed by the key that it asks a certificate for (RFC 2986 §3). False also where key or algorithm is not
 * supported, or the signature is made with MD5 or SHA-1.
 */
export function verifyCertificateRequest(request: CertificateRequest, crypto: CryptoProvider): Task<boolean> {
  const { publicKey, signatureAlgorithm, weakSignature, signature, info } = request;
  const algorithm = acceptedAlgorithm({ algorithm: signatureAlgorithm, weak: weakSignature }, secureProfile, crypto);
  if (typeof algorithm === "string") return done(false);
  return chain(crypto.digest(algorithm.hash, [info]), (digest) =>
    verifyDigest(crypto, algorithm, publicKey, digest, signature),
  );
}
