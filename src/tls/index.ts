/**
 * `thingwire/tls`: the TLS 1.2 client engine, sans-I/O, a server engine for tests and simulators, and the values that are passed to them.
 *
 * @module
 */

export {
  Alert,
  type AlertAdvice,
  type AlertDescription,
  type AlertFault,
  AlertLevel,
  alertAdvice,
  alertExplanation,
  alertName,
} from "./alerts.ts";
export { TlsClient } from "./client.ts";
export { logLevelOfMbedtls } from "./debug.ts";
export {
  alertRecord,
  alterFields,
  type Deviation,
  type InsertedRecord,
  type MessageFields,
  type OutgoingName,
} from "./deviations.ts";
export { TlsError, type TlsErrorCode, type TlsErrorRow, type TlsPhase, tlsErrors } from "./errors.ts";
export type {
  ClientRequest,
  ClientSelection,
  CommonTlsOptions,
  HandshakeStep,
  Identity,
  PhaseStatistics,
  Signer,
  SignRequest,
  StatisticsPhase,
  TlsClientOptions,
  TlsConnectionInfo,
  TlsEvent,
  TlsServerConnectionInfo,
  TlsServerOptions,
  TlsStatistics,
  WorkState,
} from "./events.ts";
export type { MaxFragmentLength } from "./extensions.ts";
export { type PresetOptions, presets } from "./presets.ts";
export type { DirectionKeys, ProtectionContext, RecordProtection } from "./record.ts";
export { admitByTrust, TlsServer } from "./server.ts";
export { type ServerResumption, SessionCache } from "./server-sessions.ts";
export * from "./suites.ts";
