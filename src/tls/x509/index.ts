/**
 * `thingwire/tls/x509`: certificates, keys, PEM, trust anchors and chain verification.
 *
 * @module
 */

export { type Certificate, type KeyUsage, type Name, type NameAttribute, parseCertificate } from "./certificate.ts";
export {
  CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  certificateErrors,
  verificationFlags,
} from "./errors.ts";
export { type TrustAnchor, trustAnchors } from "./trust.ts";
export {
  certificateVerification,
  type VerificationProblem,
  type VerificationResult,
  type VerifyOptions,
  verifyCertificate,
} from "./verify.ts";
