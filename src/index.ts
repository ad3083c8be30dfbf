/**
 * `thingwire`: what does not depend on a runtime. A device app imports `thingwire/node` (or its own runtime's entry); parts by
 * themselves are `thingwire/tls`, `/tls/x509`, `/tls/crypto`, `/mqtt`, `/shadow` and `/transport`.
 *
 * @module
 */

export {
  type Blame,
  type ErrorData,
  type ErrorRow,
  isThingwireError,
  type Layer,
  mbedtlsText,
  ThingwireError,
  UsageError,
  type UsageErrorCode,
  usageErrors,
} from "./errors.ts";
export { awsLimits, MqttClient, MqttError, type MqttLimits, type MqttMessage } from "./mqtt/index.ts";
export type {
  AbortSignalLike,
  CallOptions,
  Clock,
  KeyLog,
  Logger,
  LogLevel,
  Random,
  Runtime,
  Store,
  Timers,
} from "./ports.ts";
export { silent } from "./ports.ts";
export { delta, diff, merge, Reject, ShadowClient, ShadowError } from "./shadow/index.ts";
export * from "./thing/index.ts";
export { createCrypto } from "./tls/crypto/index.ts";
export { presets, type Signer, TlsClient, TlsError } from "./tls/index.ts";
export {
  amazonTrust,
  CertificateError,
  describe,
  parseCertificate,
  type TrustAnchor,
  trustAnchors,
} from "./tls/x509/index.ts";
export { memoryPair, type Transport, TransportError, type TransportHandler, tls } from "./transport/index.ts";
