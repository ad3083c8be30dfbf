/**
 * The codes of the X.509 layer: certificates that cannot be read, chains that cannot be trusted, PEM that is no use. Those of revocation and of
 * private keys stand in `revocation-errors.ts` and `file-errors.ts`, all together in `error-table.ts`: who needs only some carries only those.
 *
 * A code that `parseCertificate` throws and a code that a verification reports are rows of the same table. `blame` is `peer` where the
 * bytes come from the other side, `caller` where they are the user's own files. The mbedTLS codes are those of 3.6 (`x509.h`,
 * `pem.h`, `pk.h`) without the ASN.1 part that mbedTLS adds to some of them; the alerts are those of RFC 5246 §7.2.2.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../../errors.ts";
import type { FileErrorCode } from "./file-errors.ts";
import type { RevocationErrorCode } from "./revocation-errors.ts";

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

/** The codes of reading certificates and of verifying chains. */
export const chainErrors = {
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
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link chainErrors}. */
export type ChainErrorCode = keyof typeof chainErrors;

/** A code of this layer. */
export type CertificateErrorCode = ChainErrorCode | RevocationErrorCode | FileErrorCode;

/** Rows of some codes. */
export type ErrorRows = Readonly<Partial<Record<CertificateErrorCode, CertificateErrorRow>>>;

/**
 * An unreadable certificate, PEM text or key. `data` has, where they are known: `field` (`tbsCertificate.validity.notAfter`),
 * `offset` (bytes from the start of the DER), `rule` (`RFC 5280 §4.1.2.5`), `line` of a PEM text.
 */
export class CertificateError extends ThingwireError<CertificateErrorCode> {
  /** The alert to send where the bytes came from the peer (RFC 5246 §7.2.2). */
  readonly alert: number | undefined;

  constructor(code: ChainErrorCode, detail?: string, data?: ErrorData, cause?: unknown);
  /** `row`: that of a code which is none of {@link chainErrors}. */
  constructor(
    code: CertificateErrorCode,
    detail: string | undefined,
    data: ErrorData | undefined,
    cause: unknown,
    row: CertificateErrorRow | undefined,
  );
  constructor(
    code: CertificateErrorCode,
    detail?: string,
    data?: ErrorData,
    cause?: unknown,
    row: CertificateErrorRow = chainErrors[code as ChainErrorCode],
  ) {
    super("x509", code, row, detail, data, cause);
    this.name = "CertificateError";
    this.alert = row.alert;
  }
}
