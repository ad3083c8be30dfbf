/**
 * Whether CRLs say that a certificate is revoked: RFC 5280 §6.3.3, without delta CRLs.
 *
 * A CRL counts where its issuer and its issuing distribution point fit one of the certificate's distribution points (or the certificate's
 * issuer itself), who signed it has a path to the same trust anchor and may sign CRLs, and it is current. Several CRLs may each cover some
 * reasons; a status is known when all are covered, by the newest that do. Each CRL's signature is checked once, each of its entries is looked at once for each
 * certificate. A CRL that is out of date still revokes, but clears nothing.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { chain, done, map, series, type Task } from "../../task.ts";
import type { PublicKey } from "../crypto/provider.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type CertificateList, crlReasons, type RevokedEntry, searchEntries } from "./crl.ts";
import { type Dated, datesText, judgeDates, timeText } from "./dates.ts";
import { ALL_REASONS, type DistributionPoint, distributionPoints, shareName } from "./distribution-points.ts";
import { CertificateError, type CertificateErrorCode } from "./errors.ts";
import { type Name, namesMatch, parseName } from "./name.ts";
import { oidName } from "./oids.ts";
import { type Placed, problemOf, type VerificationProblem } from "./problem.ts";
import type { RevocationContext, RevocationEvidence, RevocationFindings } from "./revocation-context.ts";
import { revocationErrors } from "./revocation-errors.ts";
import { acceptedAlgorithm, isStrongKey, verifyDigest } from "./signed.ts";
import { parseSubjectPublicKeyInfo } from "./spki.ts";

/** CertificateLists that are used at most. */
export const MAX_CRLS = 64;
/** Certificates off the path that are tried as the signer of a CRL, each with a path of its own. */
const MAX_SIGNERS = 4;
/** CRLReason removeFromCRL: a certificate on hold that is good again. */
const REMOVED = 8;

/** Why a CRL does not count. */
interface Finding {
  readonly code: CertificateErrorCode;
  readonly rule: string;
  readonly detail: string;
}

/** Who may have signed a CRL. */
interface Signer {
  readonly key: PublicKey | undefined;
  /** Whether its keyUsage allows it. */
  readonly maySign: boolean;
  /** Where it is not on the path. */
  readonly stranger: Certificate | undefined;
}

/** Whether a signer off the path leads to the same anchor, and is not revoked by these CRLs. */
export type SignerVerification = (certificate: Certificate, crls: readonly CertificateList[]) => Task<boolean>;

/** The CRLs of a verification. What is found out of one holds for all certificates of the path. */
export class CrlStatus {
  readonly #context: RevocationContext;
  readonly #crls: readonly CertificateList[];
  readonly #verifySigner: SignerVerification | undefined;
  readonly #verdicts = new Map<CertificateList, Finding | undefined>();

  constructor(
    context: RevocationContext,
    crls: readonly CertificateList[],
    verifySigner: SignerVerification | undefined,
  ) {
    this.#context = context;
    this.#crls = crls;
    this.#verifySigner = verifySigner;
  }

  /** Why a certificate is revoked, or may be; or which CRLs say that it is good. `depth`: its place on the path. */
  check(placed: Placed, depth: number): Task<RevocationFindings> {
    const { certificate } = placed;
    const who = certificate.subject.toString();
    const problem = (code: CertificateErrorCode, field: string, rule: string, detail: string): VerificationProblem =>
      problemOf(placed, depth, code, field, rule, detail, revocationErrors);
    const bad = (...problems: VerificationProblem[]): RevocationFindings => ({ problems, evidence: [] });
    let points: readonly DistributionPoint[];
    try {
      points = distributionPoints(certificate.extensions, certificate.issuer);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      return done(bad(problem(error.code, "tbsCertificate.extensions", "RFC 5280 §4.2.1.13", error.message)));
    }
    // The last step of §6.3.3: a CRL of the issuer's that no distribution point names.
    const own = { names: [{ directory: certificate.issuer }], reasons: ALL_REASONS, crlIssuer: undefined };
    const pairs = [...points, own]
      .flatMap((point) =>
        this.#crls.filter((list) => covers(list, point, certificate)).map((list) => ({ point, list })),
      )
      .sort((a, b) => b.list.thisUpdate - a.list.thisUpdate);
    const findings = new Map<CertificateList, Finding>();
    const evidence: RevocationEvidence[] = [];
    let unknown = ALL_REASONS;
    let revoked: RevokedEntry | undefined;
    let next = 0;
    const all = series(() => {
      const pair = pairs[next++];
      if (pair === undefined || unknown === 0 || revoked !== undefined) return undefined;
      const { point, list } = pair;
      const reasons = point.reasons & (list.issuingDistributionPoint?.reasons ?? ALL_REASONS);
      if ((reasons & unknown) === 0 || findings.has(list)) return done(undefined);
      return map(this.#status(list, certificate), (status) => {
        if (status === undefined) {
          unknown &= ~reasons;
          evidence.push({ kind: "crl", depth, ...datesOf(list) });
        } else if ("code" in status) findings.set(list, status);
        else revoked = status;
      });
    });
    return map(all, () => {
      if (revoked !== undefined)
        return bad(
          problem("X509_REVOKED", "tbsCertificate.serialNumber", "RFC 5280 §6.3.3", revokedText(who, revoked)),
        );
      if (unknown === 0) return { problems: [], evidence };
      const found = [...findings.values()].map(({ code, rule, detail }) => problem(code, "crl", rule, detail));
      if (found.length > 0) return bad(...found);
      const detail = `no CRL of the ${this.#crls.length} given covers ${who}, issued by ${certificate.issuer}`;
      return bad(problem("X509_REVOCATION_UNKNOWN", "crl", "RFC 5280 §6.3.3", detail));
    });
  }

  /** What one CRL says: `undefined` for good. */
  #status(list: CertificateList, certificate: Certificate): Task<RevokedEntry | Finding | undefined> {
    return chain(this.#authenticate(list), (finding): Task<RevokedEntry | Finding | undefined> => {
      if (finding !== undefined) return done(finding);
      return map(searchEntries(list, certificate.serialNumber, certificate.issuer), (found) => {
        if (found instanceof CertificateError)
          return { code: "X509_CRL_UNUSABLE", rule: "RFC 5280 §5.3", detail: `${nameOf(list)}: ${found.message}` };
        if (found !== undefined && found.reason !== REMOVED) return found;
        return this.#outdated(list);
      });
    });
  }

  #outdated(list: CertificateList): Finding | undefined {
    const { dates } = this.#context;
    if (list.nextUpdate === undefined)
      return { code: "X509_CRL_EXPIRED", rule: "RFC 5280 §5.1.2.5", detail: `${nameOf(list)}: it has no nextUpdate` };
    const dated = datesOf(list);
    const verdict = judgeDates(dates, dated);
    if (verdict === undefined) return undefined;
    const [code, field] =
      verdict === "late"
        ? (["X509_CRL_EXPIRED", "nextUpdate"] as const)
        : (["X509_CRL_NOT_YET_VALID", "thisUpdate"] as const);
    return { code, rule: "RFC 5280 §6.3.3 a", detail: `${nameOf(list)}: ${datesText(dates, dated, verdict, field)}` };
  }

  /** Whether a CRL may be used at all, and is signed by one who may: once for each. */
  #authenticate(list: CertificateList): Task<Finding | undefined> {
    if (this.#verdicts.has(list)) return done(this.#verdicts.get(list));
    const keep = (finding: Finding | undefined): Finding | undefined => {
      this.#verdicts.set(list, finding);
      return finding;
    };
    const { crypto, profile } = this.#context;
    const { unknownCritical, signatureAlgorithm } = list;
    if (unknownCritical.length > 0) {
      const detail = `${nameOf(list)} has ${unknownCritical.map(oidName).join(", ")}, which must be understood`;
      return done(keep({ code: "X509_CRL_UNUSABLE", rule: "RFC 5280 §5.2", detail }));
    }
    const algorithm = acceptedAlgorithm(signatureAlgorithm, profile, crypto);
    if (typeof algorithm === "string") {
      const code = algorithm === "weak" ? "X509_CRL_WEAK_HASH" : "X509_CRL_UNSUPPORTED_ALGORITHM";
      const detail = `${nameOf(list)} is signed with ${signatureAlgorithm.name}`;
      return done(keep({ code, rule: "RFC 5280 §5.1.1.2", detail }));
    }
    const signers = this.#signers(list.issuer);
    const notTrusted = (detail: string): Finding => ({
      code: "X509_CRL_NOT_TRUSTED",
      rule: "RFC 5280 §6.3.3 f",
      detail: `${nameOf(list)}: ${detail}`,
    });
    let finding: Finding | undefined = notTrusted("no key of its issuer's signed it");
    let next = 0;
    const search = chain(crypto.digest(algorithm.hash, [list.tbs]), (digest) =>
      series(() => {
        const signer = finding === undefined ? undefined : signers[next++];
        if (signer === undefined) return undefined;
        const { key, maySign, stranger } = signer;
        return chain(verifyDigest(crypto, algorithm, key, digest, list.signature), (isSigned): Task<void> => {
          if (!isSigned) return done(undefined);
          if (!maySign) finding = notTrusted("the keyUsage of its issuer has no cRLSign");
          else if (!isStrongKey(key!, profile))
            finding = { code: "X509_CRL_WEAK_KEY", rule: "NIST SP 800-131A", detail: nameOf(list) };
          else if (stranger === undefined) finding = undefined;
          else
            return map(this.#verifyStranger(stranger, list), (isTrusted) => {
              finding = isTrusted ? undefined : notTrusted("its signer has no valid path to the trust anchor");
            });
          return done(undefined);
        });
      }),
    );
    return map(search, () => keep(finding));
  }

  /** RFC 5280 §6.3.3 f. Its own CRL says nothing of it, so that is left out. */
  #verifyStranger(signer: Certificate, list: CertificateList): Task<boolean> {
    const others = this.#crls.filter((one) => one !== list);
    return this.#verifySigner?.(signer, others) ?? done(false);
  }

  /** The CAs of the path and the anchor, then what else the peer sent, by name. */
  #signers(issuer: Name): readonly Signer[] {
    const { path, anchor, certificates } = this.#context;
    const onPath = path
      .slice(1)
      .filter(({ certificate }) => namesMatch(certificate.subject, issuer))
      .map(({ certificate }) => ({
        key: certificate.publicKey,
        maySign: maySignLists(certificate),
        stranger: undefined,
      }));
    const anchorName = parseName(anchor.subject);
    const root =
      anchorName !== undefined && namesMatch(anchorName, issuer)
        ? [
            {
              key: parseSubjectPublicKeyInfo(anchor.subjectPublicKeyInfo).publicKey,
              maySign: anchor.certificate === undefined || maySignLists(parseCertificate(anchor.certificate)),
              stranger: undefined,
            },
          ]
        : [];
    // Who is no CA of the path must have been made for this: any certificate may have any name.
    const strangers = certificates
      .filter(({ subject }) => namesMatch(subject, issuer))
      .filter((one) => !path.some(({ certificate }) => certificate === one))
      .slice(0, MAX_SIGNERS)
      .map((one) => ({ key: one.publicKey, maySign: one.keyUsage?.includes("cRLSign") === true, stranger: one }));
    return [...onPath, ...root, ...strangers];
  }
}

/** RFC 5280 §6.3.3 f: a CA without keyUsage may sign all. */
function maySignLists({ keyUsage }: Certificate): boolean {
  return keyUsage?.includes("cRLSign") !== false;
}

/** RFC 5280 §6.3.3 b: whether a CRL is the one that a distribution point of a certificate means. */
function covers(list: CertificateList, point: DistributionPoint, certificate: Certificate): boolean {
  const idp = list.issuingDistributionPoint;
  const isOfIssuer =
    point.crlIssuer === undefined
      ? namesMatch(list.issuer, certificate.issuer)
      : idp?.indirectCRL === true && shareName(point.crlIssuer, [{ directory: list.issuer }]);
  if (!isOfIssuer || idp === undefined) return isOfIssuer;
  const isCa = certificate.basicConstraints?.ca === true;
  if (idp.onlyContainsAttributeCerts || (isCa ? idp.onlyContainsUserCerts : idp.onlyContainsCACerts)) return false;
  return idp.names === undefined || shareName(idp.names, point.names ?? point.crlIssuer ?? []);
}

function datesOf({ thisUpdate, nextUpdate }: CertificateList): Dated {
  return { notBefore: thisUpdate, notAfter: nextUpdate! };
}

/** Since when and why, for people. */
export function revokedText(who: string, { revocationDate, reason }: RevokedEntry): string {
  return `${who} since ${timeText(revocationDate)}, reason ${crlReasons[reason] ?? reason}`;
}

function nameOf({ issuer }: CertificateList): string {
  return `the CRL of ${printable(issuer.toString())}`;
}
