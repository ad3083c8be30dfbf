/**
 * The codes of the X.509 layer: certificates that cannot be read, chains that cannot be trusted, PEM and keys that are no use.
 *
 * A code that `parseCertificate` throws and a code that a verification reports are rows of one table. `blame` is `peer` where the
 * bytes come from the other side, `caller` where they are the user's own files. The mbedTLS codes are those of 3.6 (`x509.h`,
 * `pem.h`, `pk.h`) without the ASN.1 part that mbedTLS adds to some of them; the alerts are those of RFC 5246 §7.2.2.
 *
 * Longer than 500 lines, because it is one table with a row for each code; the class is what is left.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../../errors.ts";

/** What mbedTLS 3.6 says of a verified chain (`MBEDTLS_X509_BADCERT_…`, `…_BADCRL_…`), with its numbers. */
export const verificationFlags = {
  EXPIRED: 0x1,
  REVOKED: 0x2,
  CN_MISMATCH: 0x4,
  NOT_TRUSTED: 0x8,
  CRL_NOT_TRUSTED: 0x10,
  CRL_EXPIRED: 0x20,
  MISSING: 0x40,
  OTHER: 0x100,
  FUTURE: 0x200,
  CRL_FUTURE: 0x400,
  KEY_USAGE: 0x800,
  EXT_KEY_USAGE: 0x1000,
  BAD_MD: 0x4000,
  BAD_PK: 0x8000,
  BAD_KEY: 0x10000,
  CRL_BAD_MD: 0x20000,
  CRL_BAD_PK: 0x40000,
  CRL_BAD_KEY: 0x80000,
} as const;

/** A row of the X.509 table: as everywhere, plus the bit that a verification sets for it. */
export interface CertificateErrorRow extends ErrorRow {
  /** The bit of {@link verificationFlags} that a verification sets; `undefined` where no verification reports the code. */
  readonly flag?: number;
}

const flag = verificationFlags;
const REISSUE = "The certificate must be issued again; no option of the client makes it acceptable.";

/** All codes of this layer. */
export const certificateErrors = {
  // ——— a certificate that cannot be read ———
  X509_MALFORMED: {
    meaning: "the certificate is not valid DER",
    blame: "peer",
    retry: false,
    hint: "The bytes are damaged, cut short or no certificate. Fetch it again and look at it with `thingwire cert FILE`.",
    alert: 42,
    mbedtls: -0x2180,
    flag: flag.OTHER,
  },
  X509_LIMIT: {
    meaning: "the certificate or chain is beyond what is accepted",
    blame: "peer",
    retry: false,
    hint: "The message names the limit. A real chain stays far below it; ask the peer's operator what it sends.",
    alert: 42,
    mbedtls: -0x2880,
    flag: flag.OTHER,
  },
  X509_VERSION: {
    meaning: "the certificate's version is unknown or does not fit its contents",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 43,
    mbedtls: -0x2580,
    flag: flag.OTHER,
  },
  X509_SERIAL: {
    meaning: "the certificate's serial number is not usable",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x2280,
    flag: flag.OTHER,
  },
  X509_NAME: {
    meaning: "a name in the certificate is malformed",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x2380,
    flag: flag.OTHER,
  },
  X509_DATE: {
    meaning: "a date in the certificate is malformed",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x2400,
    flag: flag.OTHER,
  },
  X509_PUBLIC_KEY: {
    meaning: "the public key is malformed",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x3d00,
    flag: flag.OTHER,
  },
  X509_SIGNATURE_ALGORITHM: {
    meaning: "the signature algorithm is malformed, or differs between the signed part and its envelope",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x2680,
    flag: flag.OTHER,
  },
  X509_EXTENSION: {
    meaning: "an extension of the certificate is malformed",
    blame: "peer",
    retry: false,
    hint: REISSUE,
    alert: 42,
    mbedtls: -0x2500,
    flag: flag.OTHER,
  },

  // ——— a chain that is not trusted ———
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

  // ——— whether a certificate is revoked ———
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

  // ——— the user's own files ———
  X509_PEM: {
    meaning: "the PEM text cannot be read",
    blame: "caller",
    retry: false,
    hint: "The message names the line. Copy the file again, with its BEGIN and END lines and nothing cut off.",
    mbedtls: -0x1100,
  },
  X509_WRONG_CONTENT: {
    meaning: "the file holds something else than what is needed here",
    blame: "caller",
    retry: false,
    hint: "The message says what was found. AWS names them *-certificate.pem.crt, *-private.pem.key and *-public.pem.key: they are easily swapped.",
    mbedtls: -0x1080,
  },
  X509_TRUST: {
    meaning: "a trust anchor cannot be read",
    blame: "caller",
    retry: false,
    hint: "`trust` takes CA certificates, PEM (several in one text) or DER. See the cause for what is wrong with this one.",
    mbedtls: -0x2780,
  },
  X509_CRL: {
    meaning: "a certificate revocation list cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is a CRL (RFC 5280 §5) in PEM or DER; CAs publish them as DER at the address in the certificate's CRL distribution points. `openssl crl -in FILE -noout -text` tells whether the file is whole.",
    mbedtls: -0x2180,
  },
  X509_REQUEST: {
    meaning: "the certificate signing request cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is PKCS#10, in PEM or DER. The message says where it is wrong: make it again: `thingwire provision csr NAME`.",
    mbedtls: -0x2180,
  },
  X509_REQUEST_SIGNATURE: {
    meaning: "the certificate signing request is not signed by its own key",
    blame: "caller",
    retry: false,
    hint: "Whoever asks for a certificate must prove that the key is theirs. The request was changed, or signed with a broken or unknown algorithm: make it again.",
  },
  X509_KEY_MALFORMED: {
    meaning: "the private key cannot be read",
    blame: "caller",
    retry: false,
    hint: "Expected is PKCS#8, PKCS#1 (RSA) or SEC1 (EC), in PEM or DER. `openssl pkey -in FILE -check -noout` tells whether the file is whole.",
    mbedtls: -0x3d00,
  },
  X509_KEY_ENCRYPTED: {
    meaning: "the private key is encrypted",
    blame: "caller",
    retry: false,
    hint: "Decrypt it once (`openssl pkey -in FILE -out device.key`): a device could only keep the password beside the key. An app that asks a person for it calls `decryptPrivateKey`.",
    mbedtls: -0x3c00,
  },
  X509_KEY_ENCRYPTION: {
    meaning: "the private key is encrypted in a way that is not supported",
    blame: "caller",
    retry: false,
    hint: "Encrypt it anew with AES and PBKDF2: `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in FILE -out device.key`.",
    mbedtls: -0x3980,
  },
  X509_KEY_PASSWORD: {
    meaning: "the password does not open the private key",
    blame: "caller",
    retry: false,
    hint: "Check the password; `openssl pkey -in FILE -noout` asks for it and tells whether it is right. A damaged file looks the same.",
    mbedtls: -0x3b80,
  },
  X509_KEY_UNSUPPORTED: {
    meaning: "the private key is of a kind that is not supported",
    blame: "caller",
    retry: false,
    hint: "Use RSA (2048 bits or more), P-256, P-384 or P-521. AWS IoT accepts no other kind either.",
    mbedtls: -0x3c80,
  },
  X509_KEY_MISMATCH: {
    meaning: "the private key does not belong to the certificate",
    blame: "caller",
    retry: false,
    hint: "Take certificate and key of the same download: the two names start with the same certificate id.",
  },
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link certificateErrors}. */
export type CertificateErrorCode = keyof typeof certificateErrors;

/**
 * An unreadable certificate, PEM text or key. `data` has, where they are known: `field` (`tbsCertificate.validity.notAfter`),
 * `offset` (bytes from the start of the DER), `rule` (`RFC 5280 §4.1.2.5`), `line` of a PEM text.
 */
export class CertificateError extends ThingwireError<CertificateErrorCode> {
  /** The alert to send where the bytes came from the peer (RFC 5246 §7.2.2). */
  readonly alert: number | undefined;

  constructor(code: CertificateErrorCode, detail?: string, data?: ErrorData, cause?: unknown) {
    const row: CertificateErrorRow = certificateErrors[code];
    super("x509", code, row, detail, data, cause);
    this.name = "CertificateError";
    this.alert = row.alert;
  }
}
