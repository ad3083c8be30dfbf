/**
 * The engine's boundary: whatever is thrown inside of it leaves as a `TlsError`.
 *
 * @module
 */

import { isThingwireError } from "../errors.ts";
import { Alert } from "./alerts.ts";
import { TlsError } from "./errors.ts";

/**
 * What was thrown inside of the engine as a `TlsError`: certificates that could not be read become `TLS_CERTIFICATE_REJECTED`, and
 * what nobody expected becomes `TLS_INTERNAL_ERROR`.
 */
export function asTlsError(error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  if (isThingwireError(error) && error.layer === "x509")
    return new TlsError("TLS_CERTIFICATE_REJECTED", error.message, {
      cause: error,
      alert: Alert.bad_certificate,
      mbedtls: error.mbedtls,
      data: { problems: [error.code] },
    });
  return new TlsError("TLS_INTERNAL_ERROR", error instanceof Error ? error.message : String(error), { cause: error });
}
