/**
 * All codes of the X.509 layer in one table: for documentation, tests, and tools that name any of them. The library itself takes the rows from where
 * they stand.
 *
 * @module
 */

import type { ErrorData } from "../../errors.ts";
import { chainErrors } from "./chain-errors.ts";
import { CertificateError, type CertificateErrorCode, readingErrors } from "./errors.ts";
import { fileErrors } from "./file-errors.ts";
import { keyErrors } from "./key-errors.ts";
import { revocationErrors } from "./revocation-errors.ts";

/** All codes of this layer. */
export const certificateErrors = /* @__PURE__ */ Object.freeze({
  ...readingErrors,
  ...chainErrors,
  ...revocationErrors,
  ...fileErrors,
  ...keyErrors,
} as const);

/** The error of any code. */
export function certificateError(
  code: CertificateErrorCode,
  detail?: string,
  data?: ErrorData,
  cause?: unknown,
): CertificateError {
  return new CertificateError(code, detail, data, cause, certificateErrors[code]);
}
