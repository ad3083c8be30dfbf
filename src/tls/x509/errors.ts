/**
 * The class of errors of the X.509 layer, and the codes of certificates that cannot be read. Those of chains that are not trusted, of revocation, of
 * files and of private keys stand in `chain-errors.ts`, `revocation-errors.ts`, `file-errors.ts` and `key-errors.ts`, all together in `error-table.ts`:
 * who needs only some carries only those.
 *
 * A code that `parseCertificate` throws and a code that a verification reports are rows of the same table. `blame` is `peer` where the
 * bytes come from the other side, `caller` where they are the user's own files. The mbedTLS codes are those of 3.6 (`x509.h`,
 * `pem.h`, `pk.h`) without the ASN.1 part that mbedTLS adds to some of them; the alerts are those of RFC 5246 §7.2.2.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../../errors.ts";
import type { ChainErrorCode } from "./chain-errors.ts";
import type { FileErrorCode } from "./file-errors.ts";
import type { KeyErrorCode } from "./key-errors.ts";
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

/** The codes of reading certificates. */
export const readingErrors = {
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
} as const satisfies Record<string, CertificateErrorRow>;

/** A key of {@link readingErrors}. */
export type ReadingErrorCode = keyof typeof readingErrors;

/** A code of this layer. */
export type CertificateErrorCode =
  | ReadingErrorCode
  | ChainErrorCode
  | RevocationErrorCode
  | FileErrorCode
  | KeyErrorCode;

/** Rows of some codes. */
export type ErrorRows = Readonly<Partial<Record<CertificateErrorCode, CertificateErrorRow>>>;

/**
 * An unreadable certificate, PEM text or key. `data` has, where they are known: `field` (`tbsCertificate.validity.notAfter`),
 * `offset` (bytes from the start of the DER), `rule` (`RFC 5280 §4.1.2.5`), `line` of a PEM text.
 */
export class CertificateError extends ThingwireError<CertificateErrorCode> {
  /** The alert to send where the bytes came from the peer (RFC 5246 §7.2.2). */
  readonly alert: number | undefined;

  constructor(code: ReadingErrorCode, detail?: string, data?: ErrorData, cause?: unknown);
  /** `row`: that of a code which is none of {@link readingErrors}. */
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
    row: CertificateErrorRow = readingErrors[code as ReadingErrorCode],
  ) {
    super("x509", code, row, detail, data, cause);
    this.name = "CertificateError";
    this.alert = row.alert;
  }
}
