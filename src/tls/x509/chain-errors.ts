/**
 * The codes of chains that are not trusted: what a verification reports of its certificates, beside those that cannot be read (`errors.ts`) and
 * those that are revoked (`revocation-errors.ts`).
 *
 * @module
 */

import { type CertificateErrorRow, verificationFlags } from "./errors.ts";

const flag = verificationFlags;

/** All codes of chains. */
export const chainErrors = {
  X509_NO_CERTIFICATE: {
    meaning: "the peer sent no certificate",
    blame: "peer",
    retry: false,
    hint: "A server always has one; a device needs its own certificate and key: pass them as `identity`.",
    alert: 42,
    mbedtls: -0x7480,
    flag: flag.MISSING,
  },
  X509_EXPIRED: {
    meaning: "the certificate has expired",
    blame: "peer",
    retry: false,
    hint: "Compare the dates in the message. If `now` is wrong, set the device's clock (SNTP) first; otherwise the certificate must be renewed.",
    alert: 45,
    mbedtls: -0x2700,
    flag: flag.EXPIRED,
  },
  X509_NOT_YET_VALID: {
    meaning: "the certificate is not valid yet",
    blame: "peer",
    retry: true,
    hint: "Nearly always the device's clock is behind (it starts in 1970): set it over SNTP before connecting.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.FUTURE,
  },
  X509_TIME_UNKNOWN: {
    meaning: "the time of day is unknown, so the validity of a certificate cannot be checked",
    blame: "caller",
    retry: true,
    hint: "Set the clock (SNTP, an RTC) before connecting, and give a `wallMs` that returns milliseconds since 1970.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_NAME_MISMATCH: {
    meaning: "the certificate is for another name",
    blame: "peer",
    retry: false,
    hint: "Connect to one of the names in the message. Only subjectAltName counts, never the common name; an IP address needs an iPAddress entry.",
    alert: 42,
    mbedtls: -0x2700,
    flag: flag.CN_MISMATCH,
  },
  X509_NOT_TRUSTED: {
    meaning: "no path leads from the certificate to a trust anchor",
    blame: "peer",
    retry: false,
    hint: "The message names the issuer that is missing. Add that CA to `trust` (`--ca FILE`), or have the server send the missing intermediate. AWS endpoints with `-ats` in their name need Amazon's roots, which are the default.",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_BAD_SIGNATURE: {
    meaning: "a certificate is not signed by the issuer that it names",
    blame: "peer",
    retry: false,
    hint: "Either the CA was made anew under its old name, and `trust` holds the old one, or somebody stands in between.",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_NOT_A_CA: {
    meaning: "a certificate was issued by one that is no CA",
    blame: "peer",
    retry: false,
    hint: "The issuer needs basicConstraints with cA, and keyCertSign where it has keyUsage (openssl: `basicConstraints=critical,CA:TRUE`).",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_PATH_LENGTH: {
    meaning: "the chain is longer than one of its CAs allows",
    blame: "peer",
    retry: false,
    hint: "The CA named in the message has a pathLenConstraint that its sub-CAs exceed, or the chain exceeds `maxIntermediates`.",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_NAME_CONSTRAINTS: {
    meaning: "a name in a certificate is outside of what its CA may certify",
    blame: "peer",
    retry: false,
    hint: "The CA named in the message is limited by nameConstraints: the certificate must come from another CA.",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_KEY_USAGE: {
    meaning: "keyUsage does not allow what the certificate is used for",
    blame: "peer",
    retry: false,
    hint: "A certificate for TLS needs digitalSignature, and a CA keyCertSign; without keyUsage everything is allowed.",
    alert: 43,
    mbedtls: -0x2700,
    flag: flag.KEY_USAGE,
  },
  X509_EXTENDED_KEY_USAGE: {
    meaning: "extendedKeyUsage does not allow what the certificate is used for",
    blame: "peer",
    retry: false,
    hint: "A server needs serverAuth, a device clientAuth, in every certificate of the chain that has extendedKeyUsage.",
    alert: 43,
    mbedtls: -0x2700,
    flag: flag.EXT_KEY_USAGE,
  },
  X509_UNKNOWN_CRITICAL_EXTENSION: {
    meaning: "the certificate has a critical extension that is not understood",
    blame: "peer",
    retry: false,
    hint: "The message names it by its OID. What a critical extension demands cannot be ignored (RFC 5280 §4.2).",
    alert: 42,
    mbedtls: -0x2500,
    flag: flag.OTHER,
  },
  X509_WEAK_HASH: {
    meaning: "the certificate is signed with a hash that is not accepted",
    blame: "peer",
    retry: false,
    hint: "MD5 and SHA-1 signatures can be forged. The certificate must be issued again with SHA-256 or better; a `profile` of your own says what is accepted.",
    alert: 46,
    mbedtls: -0x2700,
    flag: flag.BAD_MD,
  },
  X509_UNSUPPORTED_ALGORITHM: {
    meaning: "the certificate's key or signature is of a kind that is not supported",
    blame: "peer",
    retry: false,
    hint: "Supported are RSA (PKCS#1 v1.5; PSS with an rsaEncryption key and a salt as long as the hash) and ECDSA on P-256, P-384 and P-521, with SHA-256, SHA-384 and SHA-512, as far as the crypto provider has them.",
    alert: 43,
    mbedtls: -0x2700,
    flag: flag.BAD_PK,
  },
  X509_WEAK_KEY: {
    meaning: "the certificate's key is too short, or on a curve that is not accepted",
    blame: "peer",
    retry: false,
    hint: "RSA keys need 2048 bits or more; the certificate must be issued again for a stronger key. A `profile` of your own says what is accepted.",
    alert: 43,
    mbedtls: -0x2700,
    flag: flag.BAD_KEY,
  },

  X509_PROFILE: {
    meaning: "the certificate breaks a rule of the profile",
    blame: "peer",
    retry: false,
    hint: "The profile (`profiles.strict`, or one of your own) asks for more than a verification needs. The CA must issue by the rule in the message, or leave the profile out.",
    alert: 42,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
  X509_PIN: {
    meaning: "no key on the path is one of those that are pinned",
    blame: "peer",
    retry: false,
    hint: "The server's keys were changed, or somebody stands in between. Where the change is known to be right, add the SHA-256 of a SubjectPublicKeyInfo of the new path to `pins`.",
    alert: 48,
    mbedtls: -0x2700,
    flag: flag.NOT_TRUSTED,
  },
  X509_VETO: {
    meaning: "the application does not accept the certificate",
    blame: "peer",
    retry: false,
    hint: "The app's own `onCertificate` said so, or threw; the reason stands in the message.",
    alert: 49,
    mbedtls: -0x2700,
    flag: flag.OTHER,
  },
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link chainErrors}. */
export type ChainErrorCode = keyof typeof chainErrors;
