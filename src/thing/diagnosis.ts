/**
 * From the error of a layer to what it means for a thing: the one place that knows in which phase which error says what.
 *
 * @module
 */

import { isThingwireError, type ThingwireError } from "../errors.ts";
import type { MqttErrorCode } from "../mqtt/errors.ts";
import { Alert } from "../tls/alerts.ts";
import type { TlsErrorCode } from "../tls/errors.ts";
import type { TransportErrorCode } from "../transport/errors.ts";
import { ThingError, type ThingErrorCode } from "./errors.ts";

/** How far a connection came: not to the end of TLS, not to CONNACK, or beyond. */
export type Progress = "handshake" | "connect" | "session";

const byTransportCode: Partial<Record<TransportErrorCode, ThingErrorCode>> = /* @__PURE__ */ Object.freeze({
  TRANSPORT_DNS: "THING_ENDPOINT_NOT_FOUND",
  TRANSPORT_REFUSED: "THING_ENDPOINT_UNREACHABLE",
  TRANSPORT_UNREACHABLE: "THING_ENDPOINT_UNREACHABLE",
  TRANSPORT_TIMEOUT: "THING_ENDPOINT_UNREACHABLE",
  TRANSPORT_HANDSHAKE_TIMEOUT: "THING_HANDSHAKE_TIMEOUT",
});

const byTlsCode: Partial<Record<TlsErrorCode, ThingErrorCode>> = /* @__PURE__ */ Object.freeze({
  TLS_ALERT_RECEIVED: "THING_HANDSHAKE_REFUSED",
  TLS_CERTIFICATE_REJECTED: "THING_SERVER_REJECTED",
  TLS_IDENTITY_UNREADABLE: "THING_CERTIFICATE_UNUSABLE",
  TLS_SIGNER_FAILED: "THING_KEY_UNUSABLE",
});

const byMqttCode: Partial<Record<MqttErrorCode, ThingErrorCode>> = /* @__PURE__ */ Object.freeze({
  MQTT_CONNACK_TIMEOUT: "THING_CONNACK_TIMEOUT",
  MQTT_CONNECT_TIMEOUT: "THING_CONNACK_TIMEOUT",
  MQTT_OPERATION_TIMEOUT: "THING_CONNACK_TIMEOUT",
  MQTT_CLOSED_BEFORE_CONNACK: "THING_CLOSED_AFTER_HANDSHAKE",
  MQTT_REFUSED_PROTOCOL_VERSION: "THING_CONNECT_REFUSED",
  MQTT_REFUSED_IDENTIFIER: "THING_CONNECT_REFUSED",
  MQTT_REFUSED_SERVER_UNAVAILABLE: "THING_CONNECT_REFUSED",
  MQTT_REFUSED_BAD_CREDENTIALS: "THING_CONNECT_REFUSED",
  MQTT_REFUSED_NOT_AUTHORIZED: "THING_CONNECT_REFUSED",
  MQTT_REFUSED_UNKNOWN: "THING_CONNECT_REFUSED",
});

/** How a connection ends that the other side, or somebody on the way, has closed. Any other error of TLS is ours: something was wrong with the bytes. */
const CLOSED_BELOW: readonly TlsErrorCode[] = [
  "TLS_ALERT_RECEIVED",
  "TLS_CLOSED_WITHOUT_NOTIFY",
  "TLS_TRANSPORT_FAILED",
];

/** Rows whose cause says better what to do: it knows the certificate, the name, the return code. */
const HINT_OF_CAUSE: readonly ThingErrorCode[] = [
  "THING_SERVER_REJECTED",
  "THING_HANDSHAKE_FAILED",
  "THING_CONNECT_REFUSED",
  "THING_KEY_UNUSABLE",
  "THING_CERTIFICATE_UNUSABLE",
];

/** Alerts that speak of the device's certificate or key, or of nothing in particular, as AWS IoT's do. The others say more than the row. */
const CERTIFICATE_ALERTS: readonly number[] = [
  Alert.handshake_failure,
  Alert.bad_certificate,
  Alert.unsupported_certificate,
  Alert.certificate_revoked,
  Alert.certificate_expired,
  Alert.certificate_unknown,
  Alert.unknown_ca,
  Alert.access_denied,
  Alert.decrypt_error,
  Alert.internal_error,
  Alert.certificate_required,
];

/**
 * What a failure means, given how far the connection came. Mistakes in the arguments (`USAGE_…`, a client id over the limit) come
 * back as they are, and so does an error that is a `ThingError` already.
 */
export function explainFailure(error: ThingwireError, progress: Progress, endpoint: string): ThingwireError {
  const code = codeFor(error, progress);
  if (code === undefined) return error;
  const root = deepest(error);
  return new ThingError(
    code,
    `${endpoint}: ${root.message}`,
    { endpoint, cause: root.code },
    error,
    isHintOfCauseBetter(code, root) ? root.hint : undefined,
  );
}

function isHintOfCauseBetter(code: ThingErrorCode, root: ThingwireError): boolean {
  if (code === "THING_HANDSHAKE_REFUSED") return !CERTIFICATE_ALERTS.includes(Number(root.data["alert"]));
  if (code === "THING_CONNECT_FAILED") return root.layer === "tls";
  return HINT_OF_CAUSE.includes(code);
}

function codeFor(error: ThingwireError, progress: Progress): ThingErrorCode | undefined {
  if (error.layer === "thing" || error.layer === "usage") return undefined;
  const causes = chain(error);
  const below = causes.find(({ layer }) => layer === "tls" || layer === "transport");
  if (below !== undefined && progress === "handshake") {
    return (
      byTlsCode[below.code as TlsErrorCode] ??
      byTransportCode[below.code as TransportErrorCode] ??
      (below.code === "TRANSPORT_FAILED" ? "THING_ENDPOINT_UNREACHABLE" : "THING_HANDSHAKE_FAILED")
    );
  }
  if (progress === "session") return error.blame === "caller" ? undefined : "THING_SESSION_LOST";
  const mqtt = causes.find(({ layer }) => layer === "mqtt");
  // Without TLS of ours below, an error of the way there can still come up here.
  const early = below === undefined ? undefined : byTransportCode[below.code as TransportErrorCode];
  if (early !== undefined) return early;
  const known = mqtt === undefined ? undefined : byMqttCode[mqtt.code as MqttErrorCode];
  if (known === "THING_CONNACK_TIMEOUT" && progress === "handshake") return "THING_HANDSHAKE_TIMEOUT";
  if (below?.code === "TLS_ALERT_RECEIVED") return "THING_ALERT_AFTER_HANDSHAKE";
  if (below?.layer === "tls" && !CLOSED_BELOW.includes(below.code as TlsErrorCode)) return "THING_CONNECT_FAILED";
  if (known !== undefined) return known;
  if (below !== undefined) return "THING_CLOSED_AFTER_HANDSHAKE";
  return error.blame === "caller" ? undefined : "THING_CONNECT_FAILED";
}

function chain(error: ThingwireError): ThingwireError[] {
  const causes: ThingwireError[] = [];
  for (let at: unknown = error; isThingwireError(at) && causes.length < 16; at = at.cause) causes.push(at);
  return causes;
}

function deepest(error: ThingwireError): ThingwireError {
  return chain(error).at(-1)!;
}
