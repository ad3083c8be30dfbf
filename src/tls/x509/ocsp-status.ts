/**
 * Whether a stapled OCSP response says that a certificate is good: RFC 6960 §3.2, §4.2.2.
 *
 * Who may sign is the certificate's issuer, or a responder that this issuer has certified for OCSPSigning. A CRL can revoke the
 * responder's certificate, unless that has id-pkix-ocsp-nocheck. A response is current from thisUpdate to nextUpdate, or for a day where
 * it has no nextUpdate; clocks may differ by five minutes.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import { chain, done, map, series, type Task } from "../../task.ts";
import type { PublicKey } from "../crypto/provider.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type CrlStatus, revokedText } from "./crl-status.ts";
import { datesText, judgeDates } from "./dates.ts";
import { CertificateError, type CertificateErrorCode } from "./errors.ts";
import { type Name, namesMatch, parseName } from "./name.ts";
import {
  type BasicOcspResponse,
  type CertId,
  type OcspResponse,
  parseOcspResponse,
  type SingleResponse,
} from "./ocsp.ts";
import { oids } from "./oids.ts";
import { problemOf, type VerificationProblem } from "./problem.ts";
import type { RevocationContext, RevocationEvidence } from "./revocation-context.ts";
import { revocationErrors } from "./revocation-errors.ts";
import { acceptedAlgorithm, isStrongKey, verifyDigest } from "./signed.ts";
import { parseSubjectPublicKeyInfo, publicKeyBits } from "./spki.ts";

/** How long a response without nextUpdate is current. */
const DAY_MS = 86_400_000;
/** How far the clocks of responder and device may differ. */
const SKEW_MS = 300_000;

/** A CA or a responder. */
interface Holder {
  readonly name: Name;
  readonly key: PublicKey | undefined;
  readonly subjectPublicKeyInfo: Uint8Array;
}

/** What is wrong with the response for the path's leaf, or with the leaf by it; or how long it says that the leaf is good. */
export function ocspFinding(
  context: RevocationContext,
  response: Uint8Array,
  crls: CrlStatus | undefined,
): Task<VerificationProblem | RevocationEvidence> {
  const { path, anchor, crypto, dates } = context;
  const leaf = path[0]!.certificate;
  const who = leaf.subject.toString();
  const problem = (code: CertificateErrorCode, rule: string, detail: string): VerificationProblem =>
    problemOf(path[0], 0, code, "ocspResponse", rule, detail, revocationErrors);
  let parsed: OcspResponse;
  try {
    parsed = parseOcspResponse(response);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return done(problem("X509_OCSP_MALFORMED", "RFC 6960 §4.2.1", error.message));
  }
  const { status, basic } = parsed;
  if (basic === undefined)
    return done(problem("X509_OCSP_STATUS", "RFC 6960 §2.3", `the responder's answer is ${status}`));
  const above = path[1]?.certificate;
  const issuer: Holder =
    above === undefined
      ? {
          name: parseName(anchor.subject)!,
          key: parseSubjectPublicKeyInfo(anchor.subjectPublicKeyInfo).publicKey,
          subjectPublicKeyInfo: anchor.subjectPublicKeyInfo,
        }
      : holderOf(above);

  const algorithm = acceptedAlgorithm(basic.signatureAlgorithm, context.profile, crypto);
  if (typeof algorithm === "string") {
    const detail = `it is signed with ${basic.signatureAlgorithm.name}`;
    return done(problem("X509_OCSP_NOT_TRUSTED", "RFC 6960 §4.3", detail));
  }
  const isSigned = chain(crypto.digest(algorithm.hash, [basic.tbs]), (digest) =>
    isAuthorized(context, basic, issuer, crls, (key) =>
      isStrongKey(key, context.profile) ? verifyDigest(crypto, algorithm, key, digest, basic.signature) : done(false),
    ),
  );
  return chain(isSigned, (isTrusted): Task<VerificationProblem | RevocationEvidence> => {
    if (!isTrusted) {
      const detail = `neither ${issuer.name} nor a responder that it certified signed it`;
      return done(problem("X509_OCSP_NOT_TRUSTED", "RFC 6960 §4.2.2.2", detail));
    }
    return map(responseFor(context, basic, leaf, issuer), (single) => {
      if (single === undefined)
        return problem("X509_OCSP_STATUS", "RFC 6960 §3.2", `it says nothing of ${who} in a form that is understood`);
      if (single.revoked !== undefined)
        return problem("X509_REVOKED", "RFC 6960 §2.2", revokedText(who, single.revoked));
      const { thisUpdate, nextUpdate = thisUpdate + DAY_MS } = single;
      const dated = { notBefore: thisUpdate - SKEW_MS, notAfter: nextUpdate + SKEW_MS };
      const verdict = judgeDates(dates, dated);
      if (verdict !== undefined) {
        const detail = datesText(
          dates,
          { notBefore: thisUpdate, notAfter: nextUpdate },
          verdict,
          verdict === "late" ? "nextUpdate" : "thisUpdate",
        );
        return problem("X509_OCSP_EXPIRED", "RFC 6960 §4.2.2.1", detail);
      }
      if (single.status === "unknown")
        return problem("X509_OCSP_STATUS", "RFC 6960 §2.2", `the responder does not know ${who}`);
      return { kind: "ocsp", depth: 0, ...dated };
    });
  });
}

function holderOf({ subject, publicKey, subjectPublicKeyInfo }: Certificate): Holder {
  return { name: subject, key: publicKey, subjectPublicKeyInfo };
}

/** RFC 6960 §4.2.2.2: whether the issuer itself signed, or a responder that it certified for this. */
function isAuthorized(
  context: RevocationContext,
  basic: BasicOcspResponse,
  issuer: Holder,
  crls: CrlStatus | undefined,
  signed: (key: PublicKey) => Task<boolean>,
): Task<boolean> {
  const signedBy = (holder: Holder): Task<boolean> =>
    chain(isResponder(context, basic, holder), (isOne) =>
      isOne && holder.key !== undefined ? signed(holder.key) : done(false),
    );
  let isFound = false;
  const found = (is: boolean): void => {
    isFound ||= is;
  };
  let next = -1;
  const search = series(() => {
    const index = next++;
    if (isFound) return undefined;
    if (index < 0) return map(signedBy(issuer), found);
    const der = basic.certificates[index];
    if (der === undefined) return undefined;
    const responder = readResponder(context, der, issuer);
    if (responder === undefined) return done(undefined);
    const signature = chain(signedBy(holderOf(responder)), (is) =>
      is ? isCertified(context, responder, issuer) : done(false),
    );
    return map(
      chain(signature, (is) => (is ? isNotRevoked(responder, crls) : done(false))),
      found,
    );
  });
  return map(search, () => isFound);
}

/** Whether a response names a holder as who signed it. The signature decides; this only keeps to what was said. */
function isResponder({ crypto }: RevocationContext, { responderId }: BasicOcspResponse, holder: Holder): Task<boolean> {
  if ("name" in responderId) return done(namesMatch(responderId.name, holder.name));
  if (!crypto.supports("sha1")) return done(true);
  return map(crypto.digest("sha1", [publicKeyBits(holder.subjectPublicKeyInfo)]), (hash) =>
    equal(hash, responderId.keyHash),
  );
}

/** A certificate that comes with a response, where it says that its holder may sign such for the issuer. */
function readResponder({ dates }: RevocationContext, der: Uint8Array, issuer: Holder): Certificate | undefined {
  try {
    const certificate = parseCertificate(der);
    const { extendedKeyUsage, keyUsage, unknownCritical } = certificate;
    const isFit =
      namesMatch(certificate.issuer, issuer.name) &&
      extendedKeyUsage?.includes(oids.OCSPSigning) === true &&
      keyUsage?.includes("digitalSignature") !== false &&
      unknownCritical.every((oid) => oid === oids["id-pkix-ocsp-nocheck"]) &&
      judgeDates(dates, certificate) === undefined;
    return isFit ? certificate : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

/** Whether the issuer signed a responder's certificate. */
function isCertified({ crypto, profile }: RevocationContext, responder: Certificate, issuer: Holder): Task<boolean> {
  const { signatureAlgorithm, weakSignature, tbs, signature } = responder;
  const algorithm = acceptedAlgorithm({ algorithm: signatureAlgorithm, weak: weakSignature }, profile, crypto);
  if (typeof algorithm === "string") return done(false);
  return chain(crypto.digest(algorithm.hash, [tbs]), (digest) =>
    verifyDigest(crypto, algorithm, issuer.key, digest, signature),
  );
}

function isNotRevoked(responder: Certificate, crls: CrlStatus | undefined): Task<boolean> {
  const isExempt = responder.extensions.some(({ oid }) => oid === oids["id-pkix-ocsp-nocheck"]);
  if (crls === undefined || isExempt) return done(true);
  return map(crls.check({ certificate: responder, index: -1 }, 0), ({ problems }) =>
    problems.every(({ code }) => code !== "X509_REVOKED"),
  );
}

/** What a response says of a certificate; a revocation, where it says several things. */
function responseFor(
  context: RevocationContext,
  { responses }: BasicOcspResponse,
  certificate: Certificate,
  issuer: Holder,
): Task<SingleResponse | undefined> {
  const ours = responses.filter(({ certId }) => equal(certId.serialNumber, certificate.serialNumber));
  let found: SingleResponse | undefined;
  let next = 0;
  const search = series(() => {
    const single = ours[next++];
    if (single === undefined) return undefined;
    return map(isIdOf(context, single.certId, certificate, issuer), (isOurs) => {
      if (isOurs && (found === undefined || single.status === "revoked")) found = single;
    });
  });
  return map(search, () => found);
}

function isIdOf(
  { crypto }: RevocationContext,
  { hash, issuerNameHash, issuerKeyHash }: CertId,
  certificate: Certificate,
  issuer: Holder,
): Task<boolean> {
  if (hash === undefined || !crypto.supports(hash)) return done(false);
  const nameHash = crypto.digest(hash, [certificate.issuer.der]);
  return chain(nameHash, (ofName) =>
    map(
      crypto.digest(hash, [publicKeyBits(issuer.subjectPublicKeyInfo)]),
      (ofKey) => equal(ofName, issuerNameHash) && equal(ofKey, issuerKeyHash),
    ),
  );
}
