/**
 * mbedTLS's debug levels as levels of the logger port.
 *
 * @module
 */

import type { LogLevel } from "../ports.ts";

/**
 * The level of the logger for a debug level of mbedTLS (`mbedtls_debug_set_threshold`): 0 is silence, 1 error, 2 state change,
 * 3 informational, 4 verbose. What is above 4 counts as 4.
 */
export function logLevelOfMbedtls(level: number): LogLevel | undefined {
  if (!(level >= 1)) return undefined;
  return level < 2 ? "error" : level < 3 ? "info" : level < 4 ? "debug" : "verbose";
}
