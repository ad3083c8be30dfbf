/** CRLs and OCSP responses for tests: right by default, wrong on demand. */

import { concat, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import type { HashName } from "../../../src/tls/crypto/provider.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { contextTag, tags } from "../../../src/tls/x509/der.ts";
import {
  bitString,
  element,
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  time,
  unsignedInteger,
} from "../../../src/tls/x509/der-write.ts";
import { encodeExtension, encodeName, signWithSha256 } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { encodeSha256Algorithm } from "../../../src/tls/x509/signature-algorithm.ts";
import { publicKeyBits } from "../../../src/tls/x509/spki.ts";
import { random } from "./node-double.ts";
import { crypto, DAY, type Entity, NOW } from "./pki.ts";

export interface EntryInput {
  readonly serial: number | Uint8Array;
  readonly date?: number;
  readonly reason?: number;
  /** More extensions of the entry, each made by `encodeExtension`. */
  readonly extensions?: readonly Uint8Array[];
}

export interface CrlInput {
  readonly issuer: Entity;
  readonly entries?: readonly EntryInput[];
  /** The contents of revokedCertificates as they are. */
  readonly rawEntries?: Uint8Array;
  readonly thisUpdate?: number;
  /** `null` leaves it out. */
  readonly nextUpdate?: number | null;
  /** cRLNumber alone by default. */
  readonly extensions?: readonly Uint8Array[];
  /** Without version and extensions. */
  readonly v1?: boolean;
  /** Another key than the issuer's. */
  readonly signer?: Entity;
}

export const enumerated = (value: number): Uint8Array => element(tags.ENUMERATED, Uint8Array.of(value));

export function entry({ serial, date = NOW - DAY, reason, extensions = [] }: EntryInput): Uint8Array {
  const number = typeof serial === "number" ? smallInteger(serial) : unsignedInteger(serial);
  const all = [
    ...(reason === undefined ? [] : [encodeExtension(oids.cRLReasons, false, enumerated(reason))]),
    ...extensions,
  ];
  return sequence(number, time(date), ...(all.length === 0 ? [] : [sequence(...all)]));
}

/** A URI as a distribution point's full name. */
export const fullName = (uri: string): Uint8Array =>
  explicit(0, element(contextTag(0, true), element(contextTag(6, false), utf8Encode(uri))));

export function crl(input: CrlInput): Uint8Array {
  const { issuer, entries = [], v1 = false, nextUpdate = NOW + DAY, signer = issuer } = input;
  const list = input.rawEntries ?? concat(entries.map(entry));
  const extensions = input.extensions ?? [encodeExtension(oids.cRLNumber, false, smallInteger(7))];
  const tbs = sequence(
    ...(v1 ? [] : [smallInteger(1)]),
    encodeSha256Algorithm(signer.key.type),
    encodeName(issuer.name),
    time(input.thisUpdate ?? NOW - DAY),
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(list.length === 0 ? [] : [sequence(list)]),
    ...(v1 || extensions.length === 0 ? [] : [explicit(0, sequence(...extensions))]),
  );
  return finish(signWithSha256(tbs, signer.key, crypto, random));
}

export interface OcspInput {
  readonly issuer: Entity;
  readonly subject: Entity;
  readonly status?: "good" | "revoked" | "unknown";
  readonly reason?: number;
  readonly thisUpdate?: number;
  /** `null` leaves it out. */
  readonly nextUpdate?: number | null;
  readonly hash?: HashName;
  /** Who signs; the issuer by default. Its certificate is sent along where it is another. */
  readonly responder?: Entity;
  readonly byKey?: boolean;
  /** Another certificate's issuer in the CertID. */
  readonly idIssuer?: Entity;
  readonly serial?: number;
  /** Sends this along in place of the responder's certificate. */
  readonly certificates?: readonly Uint8Array[];
  readonly singleExtensions?: readonly Uint8Array[];
  readonly responseExtensions?: readonly Uint8Array[];
  /** SingleResponses before the right one. */
  readonly before?: readonly Uint8Array[];
}

/** GeneralizedTime, which OCSP has everywhere. */
export function generalizedTime(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\..*$/g, "");
  return element(tags.GENERALIZED_TIME, utf8Encode(`${digits}Z`));
}

const hashOids = {
  sha1: oids["id-sha1"],
  sha256: oids["id-sha256"],
  sha384: oids["id-sha384"],
  sha512: oids["id-sha512"],
};

const digest = (hash: HashName, bytes: Uint8Array): Uint8Array => finish(crypto.digest(hash, [bytes]));
const keyBits = ({ der }: Entity): Uint8Array => publicKeyBits(parseCertificate(der).subjectPublicKeyInfo);

export function singleResponse(input: OcspInput): Uint8Array {
  const { issuer, subject, status = "good", hash = "sha1", idIssuer = issuer, nextUpdate = NOW + DAY } = input;
  const { serialNumber } = parseCertificate(subject.der);
  const certId = sequence(
    sequence(objectIdentifier(hashOids[hash]), nullValue()),
    octetString(digest(hash, encodeName(idIssuer.name))),
    octetString(digest(hash, keyBits(idIssuer))),
    input.serial === undefined ? element(tags.INTEGER, serialNumber) : smallInteger(input.serial),
  );
  const revoked = (): Uint8Array =>
    element(
      contextTag(1, true),
      generalizedTime(NOW - DAY),
      ...(input.reason === undefined ? [] : [explicit(0, enumerated(input.reason))]),
    );
  return sequence(
    certId,
    status === "revoked" ? revoked() : element(contextTag(status === "good" ? 0 : 2, false)),
    generalizedTime(input.thisUpdate ?? NOW - 3_600_000),
    ...(nextUpdate === null ? [] : [explicit(0, generalizedTime(nextUpdate))]),
    ...(input.singleExtensions === undefined ? [] : [explicit(1, sequence(...input.singleExtensions))]),
  );
}

export function ocsp(input: OcspInput): Uint8Array {
  const { issuer, responder = issuer, byKey = false, before = [] } = input;
  const id = byKey
    ? explicit(2, octetString(digest("sha1", keyBits(responder))))
    : explicit(1, encodeName(responder.name));
  const data = sequence(
    id,
    generalizedTime(NOW - 3_600_000),
    sequence(...before, singleResponse(input)),
    ...(input.responseExtensions === undefined ? [] : [explicit(1, sequence(...input.responseExtensions))]),
  );
  const certificates = input.certificates ?? (responder === issuer ? [] : [responder.der]);
  const algorithm = { kind: responder.key.type === "rsa" ? "rsa-pkcs1" : "ecdsa", hash: "sha256" } as const;
  const signature = finish(crypto.sign(algorithm, responder.key, digest("sha256", data), random));
  const basic = sequence(
    data,
    encodeSha256Algorithm(responder.key.type),
    bitString(signature),
    ...(certificates.length === 0 ? [] : [explicit(0, sequence(...certificates))]),
  );
  return sequence(
    enumerated(0),
    explicit(0, sequence(objectIdentifier(oids["id-pkix-ocsp-basic"]), octetString(basic))),
  );
}

/** A response that is no success. */
export const ocspFailure = (status: number): Uint8Array => sequence(enumerated(status));
