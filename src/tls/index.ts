/**
 * `thingwire/tls`: the TLS 1.2 client engine, sans-I/O, and the values that are passed to it.
 *
 * @module
 */

export { Alert, type AlertDescription, AlertLevel, alertExplanation, alertName } from "./alerts.ts";
export { TlsClient } from "./client.ts";
export { logLevelOfMbedtls } from "./debug.ts";
export { TlsError, type TlsErrorCode, tlsErrors } from "./errors.ts";
export type {
  HandshakeStep,
  Identity,
  Signer,
  TlsClientOptions,
  TlsConnectionInfo,
  TlsEvent,
  TlsStatistics,
  WorkState,
} from "./events.ts";
export { presets } from "./presets.ts";
export * from "./suites.ts";
