/**
 * `thingwire/tls/x509`: certificates, keys, PEM, trust anchors and chain verification.
 *
 * @module
 */

export { amazonTrust } from "./amazon.ts";
export { type Certificate, parseCertificate } from "./certificate.ts";
export { type CertificateList, certificateLists, type RevokedEntry } from "./crl.ts";
export {
  type CertificateRequest,
  type CertificateRequestOptions,
  createCertificateRequest,
  parseCertificateRequest,
  verifyCertificateRequest,
} from "./csr.ts";
export type { UnknownTime } from "./dates.ts";
export { describe, fingerprint, oneLine } from "./describe.ts";
export { type DecryptPrivateKeyOptions, decryptPrivateKey } from "./encrypted-key.ts";
export { certificateErrors } from "./error-table.ts";
export {
  CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  verificationFlags,
} from "./errors.ts";
export type { BasicConstraints, Extension, GeneralNames, KeyUsage, NameConstraints } from "./extensions.ts";
export { type IssueExtensions, type IssueOptions, issueCertificate, type NameInput } from "./issue.ts";
export { encodePrivateKey, keyBelongsTo, parsePrivateKey, requireKeyOf, samePublicKey } from "./keys.ts";
export { type AccessDescription, authorityInfoAccess, certificatePolicies, crlLocations } from "./locations.ts";
export type { Name, NameAttribute } from "./name.ts";
export { ipAddressText, matchServerName, parseIpAddress, parseServerName, type ServerName } from "./names.ts";
export { type OcspResponse, parseOcspResponse, type SingleResponse } from "./ocsp.ts";
export { type PemBlock, parsePem, toPem } from "./pem.ts";
export { type PublicKeyPin, publicKeyPin } from "./pins.ts";
export type { CertificateOpinion, VerificationPolicy } from "./policy.ts";
export type { PathCertificate, VerificationProblem } from "./problem.ts";
export type { PathPlace, Profile, RuleBreach } from "./profile.ts";
export { profiles } from "./profiles.ts";
export { type ProvenSignatures, provenSignatures } from "./proven-signatures.ts";
export { type RevocationOptions, revocationChecks } from "./revocation.ts";
export type {
  OcspMode,
  RevocationChecks,
  RevocationContext,
  RevocationEvidence,
  RevocationFindings,
} from "./revocation-context.ts";
export { encodeSubjectPublicKeyInfo, parseSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./spki.ts";
export { type AnchorConstraints, parseCertificateChain, type TrustAnchor, trustAnchors } from "./trust.ts";
export { recheckValidity } from "./validate.ts";
export {
  certificateVerification,
  type VerificationResult,
  type VerifyOptions,
  verifyCertificate,
} from "./verify.ts";
