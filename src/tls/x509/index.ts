/**
 * `thingwire/tls/x509`: certificates, keys, PEM, trust anchors and chain verification.
 *
 * @module
 */

export { amazonTrust } from "./amazon.ts";
export { type Certificate, parseCertificate } from "./certificate.ts";
export {
  type CertificateRequest,
  type CertificateRequestOptions,
  createCertificateRequest,
  parseCertificateRequest,
  verifyCertificateRequest,
} from "./csr.ts";
export { describe, fingerprint, oneLine } from "./describe.ts";
export { type DecryptPrivateKeyOptions, decryptPrivateKey } from "./encrypted-key.ts";
export {
  CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  certificateErrors,
  verificationFlags,
} from "./errors.ts";
export type { BasicConstraints, Extension, GeneralNames, KeyUsage, NameConstraints } from "./extensions.ts";
export { type IssueExtensions, type IssueOptions, issueCertificate, type NameInput } from "./issue.ts";
export { encodePrivateKey, keyBelongsTo, parsePrivateKey, requireKeyOf, samePublicKey } from "./keys.ts";
export type { Name, NameAttribute } from "./name.ts";
export { ipAddressText, matchServerName, parseIpAddress, parseServerName, type ServerName } from "./names.ts";
export { type PemBlock, parsePem, toPem } from "./pem.ts";
export type { VerificationProblem } from "./problem.ts";
export { encodeSubjectPublicKeyInfo, parseSubjectPublicKeyInfo, type SubjectPublicKeyInfo } from "./spki.ts";
export { parseCertificateChain, type TrustAnchor, trustAnchors } from "./trust.ts";
export { certificateVerification, type VerificationResult, type VerifyOptions, verifyCertificate } from "./verify.ts";
