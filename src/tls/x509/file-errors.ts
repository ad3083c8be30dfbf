/**
 * The codes of the user's own files: PEM, and what is in it.
 *
 * @module
 */

import type { ErrorData } from "../../errors.ts";
import { CertificateError, type CertificateErrorRow } from "./errors.ts";

/** All codes of files. */
export const fileErrors = {
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

/** A key of {@link fileErrors}. */
export type FileErrorCode = keyof typeof fileErrors;

/** The error of a code. */
export function fileError(code: FileErrorCode, detail?: string, data?: ErrorData, cause?: unknown): CertificateError {
  return new CertificateError(code, detail, data, cause, fileErrors[code]);
}
