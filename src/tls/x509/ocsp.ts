/**
 * OCSP responses as servers staple them: RFC 6960 §4.2. Reading only; whether one may be believed is `ocsp-status.ts`.
 *
 * Left out on purpose: requests, for nothing is fetched, and nonces, which a stapled response cannot have asked for.
 *
 * @module
 */

import type { HashName } from "../crypto/provider.ts";
import { type RevokedEntry, readEach, readReason } from "./crl.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { type Name, readName } from "./name.ts";
import { oidName, oids } from "./oids.ts";
import { revocationErrors } from "./revocation-errors.ts";
import { readSigned, type SignatureAlgorithmIdentifier } from "./signature-algorithm.ts";

/** OCSPResponseStatus by number (RFC 6960 §4.2.1); 4 is not used. */
export const ocspResponseStatuses = [
  "successful",
  "malformedRequest",
  "internalError",
  "tryLater",
  "",
  "sigRequired",
  "unauthorized",
] as const;

/** A name of one of {@link ocspResponseStatuses}. */
export type OcspResponseStatus = Exclude<(typeof ocspResponseStatuses)[number], "">;

/** Which certificate a response is about (RFC 6960 §4.1.1). */
export interface CertId {
  /** `undefined` for a hash that is not known. */
  readonly hash: HashName | undefined;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** The octets of the INTEGER. */
  readonly serialNumber: Uint8Array;
}

/** What a response says of one certificate (RFC 6960 §4.2.1). */
export interface SingleResponse {
  readonly certId: CertId;
  readonly status: "good" | "revoked" | "unknown";
  /** Where the status is `revoked`. */
  readonly revoked: RevokedEntry | undefined;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

/** A BasicOCSPResponse (RFC 6960 §4.2.1). All byte strings are views of what was parsed. */
export interface BasicOcspResponse {
  /** The part that is signed: tbsResponseData with its header. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithmIdentifier;
  readonly signature: Uint8Array;
  /** Who signed: a name, or the SHA-1 of a public key's bits. */
  readonly responderId: { readonly name: Name } | { readonly keyHash: Uint8Array };
  /** Milliseconds since 1970. */
  readonly producedAt: number;
  readonly responses: readonly SingleResponse[];
  /** DER, of delegated responders; not read. */
  readonly certificates: readonly Uint8Array[];
}

/** An OCSPResponse. */
export interface OcspResponse {
  readonly status: OcspResponseStatus;
  /** Where the status is `successful`. */
  readonly basic: BasicOcspResponse | undefined;
}

/** Bytes of a response at most; those of the public web have about 2 kB. */
const MAX_OCSP_BYTES = 65_536;
/** Certificates that a response speaks of, at most. */
const MAX_RESPONSES = 64;
/** Certificates of responders in a response, at most. */
const MAX_CERTIFICATES = 4;

const hashes: Readonly<Record<string, HashName>> = /* @__PURE__ */ Object.freeze({
  [oids["id-sha1"]]: "sha1",
  [oids["id-sha256"]]: "sha256",
  [oids["id-sha384"]]: "sha384",
  [oids["id-sha512"]]: "sha512",
});

/**
 * Reads an OCSP response in DER.
 *
 * @throws CertificateError `X509_OCSP_MALFORMED`, or one of the codes for a part of it (`X509_LIMIT`, `X509_NAME`,
 *   `X509_SIGNATURE_ALGORITHM`).
 */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  const outer = new DerReader(der, "ocspResponse", "X509_OCSP_MALFORMED", 0, der.length, undefined, revocationErrors);
  if (der.length > MAX_OCSP_BYTES) outer.fail("", `${der.length} bytes, ${MAX_OCSP_BYTES} at most`, 0, "X509_LIMIT");
  const response = outer.sequence("");
  outer.finish();
  const statusAt = response.offset;
  const number = response.small("responseStatus", tags.ENUMERATED);
  const status =
    ocspResponseStatuses[number] || response.fail("responseStatus", `no status has the number ${number}`, statusAt);
  const optional = response.optional("responseBytes", 0);
  response.finish();
  if (status !== "successful") return { status, basic: undefined };
  const explicit = optional ?? response.fail("responseBytes", "is missing");
  const bytes = explicit.sequence("");
  explicit.finish();
  const typeAt = bytes.offset;
  const type = bytes.oid("responseType");
  if (type !== oids["id-pkix-ocsp-basic"]) bytes.fail("responseType", `${type} is not id-pkix-ocsp-basic`, typeAt);
  const inner = bytes.inside("response", tags.OCTET_STRING);
  bytes.finish();
  const basic = readBasic(inner.sequence(""));
  inner.finish();
  return { status, basic };
}

function readBasic(basic: DerReader): BasicOcspResponse {
  const signed = readSigned(basic, "tbsResponseData", "signature");
  const { contents: data, tbs, algorithm: signatureAlgorithm, signature } = signed;
  const certificates: Uint8Array[] = [];
  const explicit = basic.optional("certs", 0);
  if (explicit !== undefined) {
    const list = explicit.sequence("");
    explicit.finish();
    while (!list.empty) {
      if (certificates.length === MAX_CERTIFICATES)
        list.fail("", `more than ${MAX_CERTIFICATES} certificates`, list.offset, "X509_LIMIT");
      certificates.push(list.element("certificate", tags.SEQUENCE).der);
    }
  }
  basic.finish();

  const version = data.optional("version", 0);
  // DER does not write out a default, but some responders do.
  if (version !== undefined && version.small("") !== 0) data.fail("version", "v1 (0) expected");
  version?.finish();
  const responderId = readResponderId(data);
  const producedAt = generalizedTime(data, "producedAt");
  const list = data.sequence("responses");
  const responses: SingleResponse[] = [];
  while (!list.empty) {
    if (responses.length === MAX_RESPONSES) list.fail("", `more than ${MAX_RESPONSES}`, list.offset, "X509_LIMIT");
    responses.push(readSingle(list.sequence("response")));
  }
  readExtensions(data.optional("responseExtensions", 1));
  data.finish();
  return { tbs, signatureAlgorithm, signature, responderId, producedAt, responses, certificates };
}

function readResponderId(data: DerReader): BasicOcspResponse["responderId"] {
  const byName = data.optional("responderID", 1);
  const choice = byName ?? data.inside("responderID", contextTag(2, true));
  const id = byName === undefined ? { keyHash: choice.octetString("byKey") } : { name: readName(choice, "byName") };
  choice.finish();
  return id;
}

function readSingle(single: DerReader): SingleResponse {
  const certId = readCertId(single.sequence("certID"));
  const at = single.offset;
  const tag = single.peek();
  let status: SingleResponse["status"] = "good";
  let revoked: RevokedEntry | undefined;
  if (tag === contextTag(1, true)) {
    status = "revoked";
    const info = single.inside("certStatus", contextTag(1, true));
    const revocationDate = generalizedTime(info, "revocationTime");
    const explicit = info.optional("revocationReason", 0);
    revoked = { revocationDate, reason: explicit === undefined ? 0 : readReason(explicit) };
    explicit?.finish();
    info.finish();
  } else {
    if (tag !== contextTag(0, false) && tag !== contextTag(2, false)) single.fail("certStatus", "is none of the three");
    if (tag === contextTag(2, false)) status = "unknown";
    if (single.element("certStatus").contents.length > 0) single.fail("certStatus", "a NULL has contents", at);
  }
  const thisUpdate = generalizedTime(single, "thisUpdate");
  const next = single.optional("nextUpdate", 0);
  const nextUpdate = next === undefined ? undefined : generalizedTime(next, "");
  next?.finish();
  readExtensions(single.optional("singleExtensions", 1));
  single.finish();
  return { certId, status, revoked, thisUpdate, nextUpdate };
}

function readCertId(id: DerReader): CertId {
  const algorithm = id.sequence("hashAlgorithm");
  const oid = algorithm.oid("algorithm");
  if (!algorithm.empty) algorithm.null("parameters");
  algorithm.finish();
  const issuerNameHash = id.octetString("issuerNameHash");
  const issuerKeyHash = id.octetString("issuerKeyHash");
  const serialNumber = id.integer("serialNumber");
  id.finish();
  return { hash: Object.hasOwn(hashes, oid) ? hashes[oid] : undefined, issuerNameHash, issuerKeyHash, serialNumber };
}

/** No extension changes what a response says, and one that is critical may (RFC 6960 §4.4). */
function readExtensions(explicit: DerReader | undefined): void {
  if (explicit === undefined) return;
  readEach(explicit, (oid, critical, value) => {
    if (critical && oid !== oids["id-pkix-ocsp-nonce"])
      value.fail("", `${oidName(oid)} is critical and not understood`);
  });
}

function generalizedTime(reader: DerReader, field: string): number {
  if (reader.peek() !== tags.GENERALIZED_TIME) reader.fail(field, "is no GeneralizedTime (RFC 6960 §4.2.2.1)");
  return reader.time(field);
}
