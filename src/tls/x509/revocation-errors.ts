/**
 * The codes of revocation: certificates that are revoked or may be, CRLs and OCSP responses that say nothing of use. Apart from the others, so that
 * who looks up no revocation carries no text for it.
 *
 * @module
 */

import { type CertificateErrorRow, verificationFlags } from "./errors.ts";

const flag = verificationFlags;

/** All codes of revocation. */
export const revocationErrors = {
  X509_REVOKED: {
    meaning: "the certificate is revoked",
    blame: "peer",
    retry: false,
    hint: "Its CA has withdrawn it; the message has date and reason. It must be replaced; where the reason is keyCompromise, somebody else may hold the key.",
    alert: 44,
    mbedtls: -0x2700,
    flag: flag.REVOKED,
  },
  X509_REVOCATION_UNKNOWN: {
    meaning: "it cannot be found out whether the certificate is revoked",
    blame: "caller",
    retry: true,
    hint: 'None of the `crls` covers it. Give the current CRL of the issuer named in the message, or accept certificates of unknown status with `mode: "soft-fail"`.',
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_CRL_NOT_TRUSTED: {
    meaning: "a CRL is not signed by one who may issue it",
    blame: "caller",
    retry: true,
    hint: "Fetch the CRL again. Its issuer must be the certificate's own, or be named by it, with cRLSign in keyUsage and a path to the same trust anchor.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_NOT_TRUSTED,
  },
  X509_CRL_EXPIRED: {
    meaning: "a CRL is out of date",
    blame: "caller",
    retry: true,
    hint: "Fetch the current CRL before its nextUpdate. If `now` in the message is wrong, set the device's clock (SNTP).",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_EXPIRED,
  },
  X509_CRL_NOT_YET_VALID: {
    meaning: "a CRL is not valid yet",
    blame: "caller",
    retry: true,
    hint: "Nearly always the device's clock is behind: set it over SNTP before connecting.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_FUTURE,
  },
  X509_CRL_WEAK_HASH: {
    meaning: "a CRL is signed with a broken hash",
    blame: "caller",
    retry: false,
    hint: "MD5 and SHA-1 signatures can be forged. The CA must sign its CRL with SHA-256 or better.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_BAD_MD,
  },
  X509_CRL_UNSUPPORTED_ALGORITHM: {
    meaning: "a CRL is signed in a way that is not supported",
    blame: "caller",
    retry: false,
    hint: "Supported are RSA and ECDSA on P-256, P-384 and P-521, with SHA-256, SHA-384 and SHA-512, as far as the crypto provider has them.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_BAD_PK,
  },
  X509_CRL_WEAK_KEY: {
    meaning: "a CRL is signed with a key that is too short",
    blame: "caller",
    retry: false,
    hint: "RSA keys need 2048 bits or more; the CA must sign its CRL with a stronger key.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.CRL_BAD_KEY,
  },
  X509_CRL_UNUSABLE: {
    meaning: "a CRL cannot be used",
    blame: "caller",
    retry: false,
    hint: "The message says why: delta CRLs are not supported, and what a critical extension demands cannot be ignored (RFC 5280 §5.2). Use the CA's complete CRL.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_OCSP_MISSING: {
    meaning: "the server stapled no OCSP response where one must be",
    blame: "peer",
    retry: true,
    hint: 'The certificate demands it (must-staple, RFC 7633) or `ocsp` is "require". The server\'s operator must turn OCSP stapling on; a server that was just started may need some seconds for its first response.',
    alert: 113,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_OCSP_MALFORMED: {
    meaning: "the OCSP response cannot be read",
    blame: "peer",
    retry: true,
    hint: "The message names the field. `openssl ocsp -respin FILE -text -noverify` shows what the server has; its operator must fetch a new one.",
    alert: 113,
    mbedtls: -0x2180,
    flag: flag.OTHER,
  },
  X509_OCSP_NOT_TRUSTED: {
    meaning: "the OCSP response is not signed by one who may",
    blame: "peer",
    retry: true,
    hint: "It must be signed by the certificate's issuer, or by a responder that the issuer has certified for OCSPSigning (RFC 6960 §4.2.2.2), with SHA-256 or better.",
    alert: 113,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_OCSP_EXPIRED: {
    meaning: "the OCSP response is out of date, or not valid yet",
    blame: "peer",
    retry: true,
    hint: "Compare the dates in the message. If `now` is wrong, set the device's clock (SNTP); otherwise the server staples an old response and must fetch a new one.",
    alert: 113,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_OCSP_STATUS: {
    meaning: "the OCSP response does not say that the certificate is good",
    blame: "peer",
    retry: true,
    hint: "The message has what it says: an error of the responder's, the status unknown, or other certificates' status. The server's operator must fetch a response for this certificate.",
    alert: 113,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_CRL: {
    meaning: "a certificate revocation list cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is a CRL (RFC 5280 §5) in PEM or DER; CAs publish them as DER at the address in the certificate's CRL distribution points. `openssl crl -in FILE -noout -text` tells whether the file is whole.",
    mbedtls: -0x2180,
  },
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link revocationErrors}. */
export type RevocationErrorCode = keyof typeof revocationErrors;
