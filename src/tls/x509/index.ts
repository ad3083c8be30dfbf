/**
 * `thingwire/tls/x509`: certificates, keys, PEM, trust anchors and chain verification.
 *
 * @module
 */

export { type Certificate, parseCertificate } from "./certificate.ts";
export {
  CertificateError,
  type CertificateErrorCode,
  type CertificateErrorRow,
  certificateErrors,
  verificationFlags,
} from "./errors.ts";
export type { Extension, GeneralNames, KeyUsage, NameConstraints } from "./extensions.ts";
export type { Name, NameAttribute } from "./name.ts";
export { type TrustAnchor, trustAnchors } from "./trust.ts";
export {
  certificateVerification,
  type VerificationProblem,
  type VerificationResult,
  type VerifyOptions,
  verifyCertificate,
} from "./verify.ts";
