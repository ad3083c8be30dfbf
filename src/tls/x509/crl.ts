/**
 * Certificate revocation lists: RFC 5280 §5.
 *
 * Reading one costs the same however long it is: its entries stay where they are in the DER, and {@link searchEntries} goes over them
 * once for each certificate that is asked about, in steps, without an object for the usual entry. Whether a list may be believed is
 * `revocation.ts`. Delta CRLs are read, and then not used.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import type { Task } from "../../task.ts";
import { DerReader, isShortestInteger, tags } from "./der.ts";
import {
  type IssuingDistributionPoint,
  type PointName,
  readIssuingDistributionPoint,
  readNames,
} from "./distribution-points.ts";
import { CertificateError } from "./errors.ts";
import { readExtension } from "./extensions.ts";
import { type Name, namesMatch, readName } from "./name.ts";
import { oidName, oids } from "./oids.ts";
import { pemBlocks } from "./pem.ts";
import { revocationErrors } from "./revocation-errors.ts";
import {
  readSignatureAlgorithm,
  readSigned,
  type SignatureAlgorithmIdentifier,
  sameAlgorithm,
} from "./signature-algorithm.ts";
import { nothingFound, wrongLabel } from "./trust.ts";

/** A CRL, read but for its entries. All byte strings are views of what was parsed: it must not change meanwhile. */
export interface CertificateList {
  readonly der: Uint8Array;
  /** The part that is signed: tbsCertList with its header. */
  readonly tbs: Uint8Array;
  readonly version: 1 | 2;
  readonly issuer: Name;
  readonly signatureAlgorithm: SignatureAlgorithmIdentifier;
  readonly signature: Uint8Array;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  /** `undefined` where it is missing, which RFC 5280 §5.1.2.5 does not allow: such a list is never current. */
  readonly nextUpdate: number | undefined;
  /** The octets of the INTEGER cRLNumber, if there is one. */
  readonly crlNumber: Uint8Array | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** OIDs of critical extensions that are not understood, and deltaCRLIndicator in any case: the list cannot be used (RFC 5280 §5.2). */
  readonly unknownCritical: readonly string[];
  /** Where the entries lie in `der`. */
  readonly entries: { readonly start: number; readonly end: number };
}

/** An entry of a CRL. */
export interface RevokedEntry {
  /** Milliseconds since 1970. */
  readonly revocationDate: number;
  /** CRLReason, RFC 5280 §5.3.1; 0 where there is none. */
  readonly reason: number;
}

/** CRLReason by number (RFC 5280 §5.3.1); 7 is not used. */
export const crlReasons = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "",
  "removeFromCRL",
  "privilegeWithdrawn",
  "aACompromise",
] as const;

/** Bytes of a CRL at most. */
const MAX_CRL_BYTES = 16 * 1024 * 1024;
/** Entries that cost as much as a field multiplication. */
const ENTRIES_A_UNIT = 4;

/**
 * The CRLs of a PEM text or of one DER file, or of a list of these.
 *
 * @throws CertificateError `X509_CRL` for one that cannot be read, `X509_WRONG_CONTENT` where there is none or something else beside
 *   them, `X509_PEM`.
 * @example
 * const crls = certificateLists(await readFile("ca.crl"));
 */
export function certificateLists(
  input: string | Uint8Array | readonly (string | Uint8Array)[],
): readonly CertificateList[] {
  const inputs = typeof input === "string" || input instanceof Uint8Array ? [input] : input;
  return inputs.flatMap((one) => {
    const blocks = pemBlocks(one);
    if (blocks === undefined && one[0] === 0x30) return [parseCertificateList(one as Uint8Array)];
    if (blocks === undefined || blocks.length === 0) throw nothingFound("CRL", one);
    return blocks.map((block) => {
      if (block.label !== "X509 CRL") throw wrongLabel("CRL", block);
      return parseCertificateList(block.der);
    });
  });
}

/**
 * Reads one CRL in DER, but for its entries.
 *
 * @throws CertificateError `X509_CRL`, or one of the codes for a part of it (`X509_NAME`, `X509_SIGNATURE_ALGORITHM`).
 */
export function parseCertificateList(der: Uint8Array): CertificateList {
  const outer = new DerReader(der, "certificateList", "X509_CRL", 0, der.length, undefined, revocationErrors);
  if (der.length > MAX_CRL_BYTES) outer.fail("", `${der.length} bytes, ${MAX_CRL_BYTES} at most`, 0, "X509_LIMIT");
  const list = outer.sequence("");
  outer.finish();
  const signed = readSigned(list, "tbsCertList");
  const tbs = signed.contents;
  list.finish();

  const versionAt = tbs.offset;
  const version = tbs.peek() === tags.INTEGER ? tbs.small("version") + 1 : 1;
  // Version 1 is not written out: the field is OPTIONAL and MUST be v2 (RFC 5280 §5.1.2.1).
  if (version !== 2 && tbs.offset !== versionAt) tbs.fail("version", "v2 (1) or nothing expected", versionAt);
  const signatureAlgorithm = readSignatureAlgorithm(tbs, "signature");
  if (!sameAlgorithm(signatureAlgorithm, signed.algorithm))
    list.fail("signatureAlgorithm", "is not tbsCertList.signature (RFC 5280 §5.1.1.2)", signed.algorithmAt);
  const issuerAt = tbs.offset;
  const issuer = readName(tbs, "issuer");
  if (issuer.isEmpty) tbs.fail("issuer", "an empty name (RFC 5280 §5.1.2.3)", issuerAt);
  const thisUpdate = tbs.time("thisUpdate");
  const hasNext = tbs.peek() === tags.UTC_TIME || tbs.peek() === tags.GENERALIZED_TIME;
  const nextUpdate = hasNext ? tbs.time("nextUpdate") : undefined;
  const entries = { start: tbs.offset, end: tbs.offset };
  if (tbs.peek() === tags.SEQUENCE) {
    entries.start = tbs.enter("revokedCertificates", tags.SEQUENCE);
    entries.end = tbs.offset;
    if (entries.start === entries.end) tbs.fail("revokedCertificates", "an empty list (RFC 5280 §5.1.2.6)");
  }
  const explicit = version === 2 ? tbs.optional("crlExtensions", 0) : undefined;
  tbs.finish();

  let crlNumber: Uint8Array | undefined;
  let issuingDistributionPoint: IssuingDistributionPoint | undefined;
  const unknownCritical: string[] = [];
  if (explicit !== undefined)
    readEach(explicit, (oid, critical, value) => {
      if (oid === oids.cRLNumber) crlNumber = value.integer("");
      else if (oid === oids.issuingDistributionPoint)
        issuingDistributionPoint = readIssuingDistributionPoint(value, issuer);
      else {
        // authorityKeyIdentifier helps to find the key, which is tried anyway.
        const isHarmless = oid === oids.authorityKeyIdentifier || (!critical && oid !== oids.deltaCRLIndicator);
        if (!isHarmless) unknownCritical.push(oid);
        return;
      }
      value.finish();
    });
  return {
    ...{ der, tbs: signed.tbs, version: version as 1 | 2, issuer, signatureAlgorithm, signature: signed.signature },
    ...{ thisUpdate, nextUpdate, crlNumber, issuingDistributionPoint, unknownCritical, entries },
  };
}

/** Extensions of a CRL, of an entry or of an OCSP response, each once; `reader` is of what surrounds them. */
export function readEach(reader: DerReader, read: (oid: string, critical: boolean, value: DerReader) => void): void {
  const list = reader.sequence("");
  reader.finish();
  const seen: string[] = [];
  do {
    const at = list.offset;
    const { oid, critical, value } = readExtension(list);
    if (seen.includes(oid) || seen.push(oid) > 32) list.fail(oid, "comes twice, or there are too many", at);
    read(oid, critical, value);
  } while (!list.empty);
}

/**
 * Looks for a certificate among the entries of a CRL, in steps.
 *
 * The task's result is `undefined` where it is not there, and a CertificateError `X509_CRL` where an entry before it is
 * malformed or has a critical extension that is not understood: then the CRL tells nothing of any certificate (RFC 5280 §5.3).
 *
 * @param issuer of the certificate: an indirect CRL has certificates of several.
 */
export function searchEntries(
  list: CertificateList,
  serialNumber: Uint8Array,
  issuer: Name,
): Task<RevokedEntry | CertificateError | undefined> {
  return new EntrySearch(list, serialNumber, issuer);
}

/** What stands behind the date of an entry whose only extension is a reason: its header, OID, and an ENUMERATED of one octet to come. */
const REASON_ONLY: readonly number[] = /* @__PURE__ */ Object.freeze([
  0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01,
]);

class EntrySearch implements Task<RevokedEntry | CertificateError | undefined> {
  readonly #list: CertificateList;
  readonly #serial: Uint8Array;
  readonly #issuer: Name;
  readonly #entries: DerReader;
  /** An entry is about the issuer that the last one before it named (RFC 5280 §5.3.3). */
  #isOfIssuer: boolean;
  #seen = 0;
  #result: RevokedEntry | CertificateError | undefined;

  constructor(list: CertificateList, serial: Uint8Array, issuer: Name) {
    const { start, end } = list.entries;
    this.#list = list;
    this.#serial = serial;
    this.#issuer = issuer;
    this.#entries = new DerReader(list.der, "revokedCertificates", "X509_CRL", start, end, undefined, revocationErrors);
    this.#isOfIssuer = namesMatch(list.issuer, issuer);
  }

  get spent(): number {
    return Math.ceil(this.#seen / ENTRIES_A_UNIT);
  }

  get result(): RevokedEntry | CertificateError | undefined {
    return this.#result;
  }

  step(units: number): boolean {
    for (let left = Math.max(units, 1) * ENTRIES_A_UNIT; left > 0; left--) {
      if (this.#entries.empty || this.#result !== undefined) return true;
      this.#seen++;
      try {
        this.#next();
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        this.#result = error;
      }
    }
    return false;
  }

  #next(): void {
    const { source } = this.#entries;
    const start = this.#entries.enter("entry", tags.SEQUENCE);
    const end = this.#entries.offset;
    const length = source[start + 1]!;
    const date = start + 2 + length;
    const rest = date + 2 + source[date + 1]!;
    const isUsual =
      source[start] === tags.INTEGER &&
      length < 0x80 &&
      isShortestInteger(source, start + 2, date) &&
      (source[date] === tags.UTC_TIME || source[date] === tags.GENERALIZED_TIME) &&
      (rest === end || (rest + REASON_ONLY.length + 1 === end && this.#hasReasonOnly(rest)));
    if (!isUsual || (this.#isOfIssuer && this.#isSerial(start + 2, length))) this.#read(start, end);
  }

  #hasReasonOnly(at: number): boolean {
    const { source } = this.#entries;
    for (let i = 0; i < REASON_ONLY.length; i++) if (source[at + i] !== REASON_ONLY[i]) return false;
    return this.#list.version === 2;
  }

  #isSerial(at: number, length: number): boolean {
    const serial = this.#serial;
    if (length !== serial.length) return false;
    // From the end, because random serial numbers of one CA start alike.
    for (let i = length - 1; i >= 0; i--) if (this.#entries.source[at + i] !== serial[i]) return false;
    return true;
  }

  /** All of an entry, strictly. */
  #read(start: number, end: number): void {
    const { source, code } = this.#entries;
    const entry = new DerReader(source, "revokedCertificates.entry", code, start, end, undefined, revocationErrors);
    const serial = entry.integer("userCertificate");
    const revocationDate = entry.time("revocationDate");
    let reason = 0;
    if (!entry.empty && this.#list.version === 2)
      readEach(entry, (oid, critical, value) => {
        if (oid === oids.cRLReasons) reason = readReason(value);
        else if (oid === oids.certificateIssuer)
          this.#isOfIssuer = this.#isIssuer(readNames(value.sequence("")), value);
        else if (critical) value.fail("", `${oidName(oid)} is critical and not understood (RFC 5280 §5.3)`, start);
      });
    entry.finish();
    if (this.#isOfIssuer && equal(serial, this.#serial)) this.#result = { revocationDate, reason };
  }

  #isIssuer(names: readonly PointName[], value: DerReader): boolean {
    if (this.#list.issuingDistributionPoint?.indirectCRL !== true)
      value.fail("", "in a CRL that is not indirect (RFC 5280 §5.3.3)");
    return names.some((name) => "directory" in name && namesMatch(name.directory, this.#issuer));
  }
}

/** A CRLReason (RFC 5280 §5.3.1). */
export function readReason(value: DerReader): number {
  const at = value.offset;
  const reason = value.small("", tags.ENUMERATED);
  if (!crlReasons[reason]) value.fail("", `no reason has the number ${reason}`, at);
  return reason;
}
