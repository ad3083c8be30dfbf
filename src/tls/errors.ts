/**
 * The errors of TLS: one class, and the one table of its codes with the alert that each one sends.
 *
 * A peer's bytes cause no exception but these, with blame `peer`. Alerts follow the RFC that is named in the row; mbedTLS's codes
 * are those that mbedTLS 3.6 returns in the same place, where it notices at all.
 *
 * Longer than 500 lines, because it is one table with a row for each code; the class is what is left.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../errors.ts";
import { Alert, alertAdvice, alertName } from "./alerts.ts";

/** A row of the table of TLS: as everywhere, with the section of the RFC that was broken, and mbedTLS's code always. */
export interface TlsErrorRow extends ErrorRow {
  /** Where the rule stands: `RFC 5246 §7.4.9`. */
  readonly rfc: string;
  readonly mbedtls: number;
}

const WRONG_PEER_HINT =
  "The peer does not follow TLS 1.2. Check that host and port are those of a TLS server, and that nothing between changes the stream.";

/** Every code of the TLS layer. */
export const tlsErrors = {
  TLS_ALERT_RECEIVED: {
    meaning: "the peer ended the connection with a fatal alert",
    rfc: "RFC 5246 §7.2",
    blame: "peer",
    retry: false,
    hint: "The alert says why; see its explanation in the message and in `data`.",
    mbedtls: -0x7780,
  },
  TLS_BAD_FINISHED: {
    meaning: "the peer's Finished does not match the handshake",
    rfc: "RFC 5246 §7.4.9",
    blame: "peer",
    retry: false,
    hint: "Someone changed the handshake on its way, or the peer computes it wrongly. Do not trust this network.",
    alert: Alert.decrypt_error,
    mbedtls: -0x6e00,
  },
  TLS_BAD_RECORD_MAC: {
    meaning: "a record could not be authenticated",
    rfc: "RFC 5246 §6.2.3.3",
    blame: "peer",
    retry: true,
    hint: "Bytes were changed, lost or repeated on their way. Connect again; if it stays, look at what stands between device and server.",
    alert: Alert.bad_record_mac,
    mbedtls: -0x7180,
  },
  TLS_BAD_SIGNATURE: {
    meaning: "the peer's signature is wrong",
    rfc: "RFC 5246 §7.4.3, §7.4.8",
    blame: "peer",
    retry: false,
    hint: "The peer does not hold the key of the certificate that it shows, or someone is in between. Do not trust this network.",
    alert: Alert.decrypt_error,
    mbedtls: -0x4e00,
  },
  TLS_CERTIFICATE_CURVE: {
    meaning: "the key in the server's certificate is on a curve that was not offered",
    rfc: "RFC 8422 §5.3",
    blame: "peer",
    retry: false,
    hint: "Add the curve to `groups`, or give the server a certificate on one of those that are offered.",
    alert: Alert.unsupported_certificate,
    mbedtls: -0x7a00,
  },
  TLS_CERTIFICATE_KEY_TYPE: {
    meaning: "the key in the peer's certificate does not fit",
    rfc: "RFC 5246 §7.4.2",
    blame: "peer",
    retry: false,
    hint: "A server chose a suite for which it has no certificate, a mistake in its configuration; or a client's key is of a kind that is not known here.",
    alert: Alert.handshake_failure,
    mbedtls: -0x6d00,
  },
  TLS_CERTIFICATE_MISSING: {
    meaning: "the server sent no certificate",
    rfc: "RFC 5246 §7.4.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.bad_certificate,
    mbedtls: -0x7a00,
  },
  TLS_CERTIFICATE_REJECTED: {
    meaning: "the peer's certificate was not accepted",
    rfc: "RFC 5280 §6",
    blame: "peer",
    retry: false,
    hint: "See the problems in `data` and `cause`: most often the clock, the trust store or the host name is wrong.",
    alert: Alert.certificate_unknown,
    mbedtls: -0x2700,
  },
  TLS_CLIENT_CERTIFICATE_MISSING: {
    meaning: "the client sent no certificate, and one is demanded",
    rfc: "RFC 5246 §7.4.6",
    blame: "peer",
    retry: false,
    hint: "Give the client a certificate and its private key. One that has them sends none where the server takes no signature of its kind of key.",
    alert: Alert.handshake_failure,
    mbedtls: -0x7480,
  },
  TLS_CLIENT_REFUSED: {
    meaning: "whoever runs the server refuses the client, with the alert that he chose",
    rfc: "RFC 5246 §7.2.2",
    blame: "peer",
    retry: false,
    hint: "`select` or `admit`, which were given to the server, refuse it: what they know of its host name, protocol or certificate says why.",
    alert: Alert.access_denied,
    mbedtls: -0x2700,
  },
  TLS_CLOSED_IN_HANDSHAKE: {
    meaning: "the peer said close_notify before the handshake was over",
    rfc: "RFC 5246 §7.2.1",
    blame: "peer",
    retry: true,
    hint: "The server does not want this connection: check host, port, SNI and ALPN, and whether it is overloaded.",
    mbedtls: -0x7880,
  },
  TLS_CLOSED_WITHOUT_NOTIFY: {
    meaning: "the connection ended without close_notify",
    rfc: "RFC 5246 §7.2.1",
    blame: "network",
    retry: true,
    hint: "The server or something between hung up. In a handshake check that the port speaks TLS, and that a client certificate, where demanded, is given; later on what was received may be incomplete.",
    mbedtls: -0x7280,
  },
  TLS_DECODE_ERROR: {
    meaning: "a message of the peer could not be read",
    rfc: "RFC 5246 §7.2.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.decode_error,
    mbedtls: -0x7300,
  },
  TLS_DUPLICATE_EXTENSION: {
    meaning: "the peer sent an extension twice",
    rfc: "RFC 5246 §7.4.1.4",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_EMPTY_RECORD_FLOOD: {
    meaning: "the peer sent too many empty records in a row",
    rfc: "RFC 5246 §6.2.1",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.unexpected_message,
    mbedtls: -0x7200,
  },
  TLS_ENCRYPT_THEN_MAC: {
    meaning: "the server answered encrypt_then_mac for a suite that is not one of CBC",
    rfc: "RFC 7366 §3",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x7500,
  },
  TLS_EXTENDED_MASTER_SECRET: {
    meaning: "the server does not know the extended master secret, which is demanded",
    rfc: "RFC 7627 §5.2",
    blame: "peer",
    retry: false,
    hint: "Update the server, or go without `requireExtendedMasterSecret` where no keys are exported from the connection.",
    alert: Alert.handshake_failure,
    mbedtls: -0x6e00,
  },
  TLS_EXTENSION_NOT_EMPTY: {
    meaning: "the server's answer to an extension has contents, and must have none",
    rfc: "RFC 6066 §3",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x7500,
  },
  TLS_HELLO_REQUEST_FLOOD: {
    meaning: "the peer asked too often for a renegotiation, which is not supported",
    rfc: "RFC 5246 §7.4.1.1",
    blame: "peer",
    retry: false,
    hint: "Switch renegotiation off on the peer; TLS 1.2 without it is safer (RFC 9325 §3.5).",
    alert: Alert.unexpected_message,
    mbedtls: -0x7700,
  },
  TLS_IDENTITY_UNREADABLE: {
    meaning: "the client certificate cannot be used",
    rfc: "RFC 5246 §7.4.6",
    blame: "caller",
    retry: false,
    hint: "Give the certificate in DER, with an RSA key or one on P-256, P-384 or P-521; see the cause for what is wrong with it.",
    mbedtls: -0x2180,
  },
  TLS_ILLEGAL_ALERT: {
    meaning: "the peer sent an alert of no known level",
    rfc: "RFC 5246 §7.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_ILLEGAL_POINT_FORMATS: {
    meaning: "the peer does not take uncompressed points",
    rfc: "RFC 8422 §5.1.2, §5.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6e00,
  },
  TLS_INTERNAL_ERROR: {
    meaning: "a mistake in thingwire",
    rfc: "RFC 5246 §7.2.2",
    blame: "bug",
    retry: false,
    hint: "Where the cause was thrown by something that you passed (a clock, `keyLog`, a crypto provider), mend that; else please report it with the message, the stack and what led to it.",
    alert: Alert.internal_error,
    mbedtls: -0x6c00,
  },
  TLS_INVALID_KEY_SHARE: {
    meaning: "the peer's ephemeral key is not a valid point",
    rfc: "RFC 8422 §5.10, §5.11",
    blame: "peer",
    retry: false,
    hint: "The peer is broken, or someone tries to learn our key. Do not trust this network.",
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_INVALID_RECORD: {
    meaning: "what the peer sent is not a TLS record",
    rfc: "RFC 5246 §6.2.1",
    blame: "peer",
    retry: false,
    hint: "Check that the port speaks TLS: AWS IoT takes MQTT over TLS on 8883, and on 443 with ALPN.",
    alert: Alert.unexpected_message,
    mbedtls: -0x7200,
  },
  TLS_MAX_FRAGMENT_LENGTH: {
    meaning: "the peer's max_fragment_length is another than was asked for, or none that exists",
    rfc: "RFC 6066 §4",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_MESSAGE_TOO_LONG: {
    meaning: "a handshake message of the peer is longer than is allowed here",
    rfc: "RFC 5246 §7.4",
    blame: "peer",
    retry: false,
    hint: "Raise `maxHandshakeBytes` where the peer's certificate chain is really that long.",
    alert: Alert.illegal_parameter,
    mbedtls: -0x7200,
  },
  TLS_NOTHING_IN_COMMON: {
    meaning: "the client offers no cipher suite with a curve and a signature scheme that this server can use",
    rfc: "RFC 5246 §7.4.1.3",
    blame: "peer",
    retry: false,
    hint: "Compare what the client offers with the server's `suites`, `groups` and `signatureSchemes`, and with the key of its certificate.",
    alert: Alert.handshake_failure,
    mbedtls: -0x6e00,
  },
  TLS_NO_NULL_COMPRESSION: {
    meaning: "the client does not offer to go without compression",
    rfc: "RFC 5246 §7.4.1.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_RANDOM_FAILED: {
    meaning: "the source of randomness failed",
    rfc: "RFC 5246 §D.1",
    blame: "caller",
    retry: true,
    hint: "See the cause. No key is made without good randomness.",
    alert: Alert.internal_error,
    mbedtls: -0x003c,
  },
  TLS_RECORD_OVERFLOW: {
    meaning: "a record is longer than TLS allows",
    rfc: "RFC 5246 §6.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.record_overflow,
    mbedtls: -0x7200,
  },
  TLS_RENEGOTIATION_INFO: {
    meaning: "the peer's renegotiation_info is not empty in a first handshake",
    rfc: "RFC 5746 §3.4",
    blame: "peer",
    retry: false,
    hint: "Someone may be splicing two connections together. Do not trust this network.",
    alert: Alert.handshake_failure,
    mbedtls: -0x6e00,
  },
  TLS_SEQUENCE_EXHAUSTED: {
    meaning: "as many records as the keys are good for were sent or received",
    rfc: "RFC 5246 §6.1",
    blame: "network",
    retry: true,
    hint: "Connect again: new keys are made in each handshake.",
    alert: Alert.internal_error,
    mbedtls: -0x6b80,
  },
  TLS_SERVER_CALLBACK_FAILED: {
    meaning: "`select` or `admit`, which were given to the server, failed or gave what cannot be used",
    rfc: "RFC 5246 §7.2.2",
    blame: "caller",
    retry: false,
    hint: "See the cause; the client was told internal_error.",
    alert: Alert.internal_error,
    mbedtls: -0x3000,
  },
  TLS_SESSION_MISMATCH: {
    meaning: "a session is resumed under other terms than those under which it was made",
    rfc: "RFC 5246 §7.4.1.3",
    blame: "peer",
    retry: true,
    hint: "Forget the session and connect again, with a full handshake. If that happens again the peer is broken, or someone is in between.",
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_SIGNATURE_SCHEME_UNFIT: {
    meaning: "the peer's signature scheme does not fit the key in its certificate",
    rfc: "RFC 5246 §7.4.3, §7.4.8",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_SIGNER_FAILED: {
    meaning: "our signature for the client certificate could not be made",
    rfc: "RFC 5246 §7.4.8",
    blame: "caller",
    retry: true,
    hint: "See the cause: the signer that was passed as `identity.signer`, or the private key, failed.",
    alert: Alert.internal_error,
    mbedtls: -0x7600,
  },
  TLS_TRANSPORT_FAILED: {
    meaning: "the transport below TLS failed",
    rfc: "RFC 5246 §7.2.1",
    blame: "network",
    retry: true,
    hint: "See the cause; check the network and connect again.",
    mbedtls: -0x0050,
  },
  TLS_UNEXPECTED_MESSAGE: {
    meaning: "the peer sent a message out of order",
    rfc: "RFC 5246 §7.4",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.unexpected_message,
    mbedtls: -0x7700,
  },
  TLS_UNOFFERED_ALPN: {
    meaning: "the server chose an application protocol that was not offered",
    rfc: "RFC 7301 §3.1",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6e00,
  },
  TLS_UNOFFERED_COMPRESSION: {
    meaning: "the server chose a compression method, although none was offered",
    rfc: "RFC 5246 §7.4.1.3",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x7080,
  },
  TLS_UNOFFERED_GROUP: {
    meaning: "the server chose a curve that was not offered",
    rfc: "RFC 8422 §5.4",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_UNOFFERED_SIGNATURE_SCHEME: {
    meaning: "the peer signed with a scheme that was not offered",
    rfc: "RFC 5246 §7.4.3, §7.4.8",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_UNOFFERED_SUITE: {
    meaning: "the server chose a cipher suite that was not offered",
    rfc: "RFC 5246 §7.4.1.3",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.illegal_parameter,
    mbedtls: -0x6600,
  },
  TLS_UNSOLICITED_EXTENSION: {
    meaning: "the server sent an extension that was not asked for",
    rfc: "RFC 5246 §7.4.1.4",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.unsupported_extension,
    mbedtls: -0x7500,
  },
  TLS_UNSUPPORTED_VERSION: {
    meaning: "the peer does not speak TLS 1.2",
    rfc: "RFC 5246 §E.1",
    blame: "peer",
    retry: false,
    hint: "Allow TLS 1.2 on the server; on AWS IoT any security policy but TLS13_1_3_2022_10 does.",
    alert: Alert.protocol_version,
    mbedtls: -0x6e80,
  },
  TLS_WARNING_FLOOD: {
    meaning: "the peer sent too many warning alerts",
    rfc: "RFC 5246 §7.2",
    blame: "peer",
    retry: false,
    hint: WRONG_PEER_HINT,
    alert: Alert.unexpected_message,
    mbedtls: -0x7200,
  },
} as const satisfies Record<string, TlsErrorRow>;

/** A key of {@link tlsErrors}. */
export type TlsErrorCode = keyof typeof tlsErrors;

/** What a {@link TlsError} can carry beyond its row. */
export interface TlsErrorDetails {
  readonly data?: ErrorData | undefined;
  readonly cause?: unknown;
  /** The alert, where it differs from the row's. */
  readonly alert?: number | undefined;
  /** mbedTLS's code, where it differs from the row's. */
  readonly mbedtls?: number | undefined;
  /** What the user should do, where more is known than the row says. */
  readonly hint?: string | undefined;
  /** The section of the RFC, where it differs from the row's. */
  readonly rfc?: string | undefined;
}

/** What a connection was at: shaking hands, carrying data, or waiting for the peer's end after its own close_notify. */
export type TlsPhase = "handshake" | "traffic" | "closing";

/**
 * An error of the TLS layer. Once the engine has reported it, `state` and `phase` say where it arose; `data` has them too, beside the
 * values that show it.
 */
export class TlsError extends ThingwireError<TlsErrorCode> {
  /** The alert that goes with it on the wire: sent for it, or, with `TLS_ALERT_RECEIVED`, received. `undefined` where there is none. */
  readonly alert: number | undefined;
  /** Where the rule that was broken stands: `RFC 5246 §7.4.9`. */
  readonly rfc: string;
  /** The engine's state, as `stateName` gives it; `undefined` for an error that no engine has reported. */
  readonly state: string | undefined;
  readonly phase: TlsPhase | undefined;
  readonly #detail: string | undefined;

  constructor(code: TlsErrorCode, detail?: string, details: TlsErrorDetails = {}, state?: string, phase?: TlsPhase) {
    const common: TlsErrorRow = tlsErrors[code];
    const { mbedtls = common.mbedtls, hint = common.hint } = details;
    const data = state === undefined ? details.data : { ...details.data, state, phase };
    super("tls", code, { ...common, hint, mbedtls }, detail, data, details.cause);
    this.name = "TlsError";
    this.alert = details.alert ?? common.alert;
    this.rfc = details.rfc ?? common.rfc;
    this.state = state;
    this.phase = phase;
    this.#detail = detail;
  }

  /** The same error with the engine's state. */
  within(state: string, phase: TlsPhase): TlsError {
    const { data, cause, alert, mbedtls, hint, rfc } = this;
    const located = new TlsError(this.code, this.#detail, { data, cause, alert, mbedtls, hint, rfc }, state, phase);
    // Not by assignment: on XS the property is inherited, and cannot be set.
    const { stack } = this;
    if (stack !== undefined)
      Object.defineProperty(located, "stack", { value: stack, configurable: true, writable: true });
    return located;
  }

  override toJSON(): Record<string, unknown> {
    const { alert, rfc } = this;
    return { ...super.toJSON(), ...(alert === undefined ? {} : { alert: `${alertName(alert)} (${alert})` }), rfc };
  }
}

/** Refusals that are about more than a certificate, which the row is about: what RFC and mbedTLS say of their alerts. */
const refusals: Readonly<Record<number, { readonly rfc: string; readonly mbedtls: number }>> =
  /* @__PURE__ */ Object.freeze({
    [Alert.unrecognized_name]: { rfc: "RFC 6066 §3", mbedtls: -0x7800 },
    [Alert.no_application_protocol]: { rfc: "RFC 7301 §3.2", mbedtls: -0x7580 },
  });

/** The error for a client that whoever runs the server does not want, for its `what`, with the alert that tells it so. */
export function clientRefused(what: string, alert: number): TlsError {
  const name = alertName(alert);
  return new TlsError("TLS_CLIENT_REFUSED", `its ${what}, told with ${name} (${alert})`, {
    alert,
    data: { alert, name },
    ...refusals[alert],
  });
}

/** The error for a fatal alert of the peer. Only a client's gets an explanation: they are for someone who runs a device. */
export function alertReceived(alert: number, role: "client" | "server"): TlsError {
  const name = alertName(alert);
  if (role === "server")
    return new TlsError("TLS_ALERT_RECEIVED", `${name} (${alert})`, { alert, data: { alert, name } });
  const { meaning, fault, remedy } = alertAdvice(alert);
  return new TlsError("TLS_ALERT_RECEIVED", `${name} (${alert}): ${meaning}`, {
    alert,
    hint: remedy,
    data: { alert, name, explanation: meaning, fault },
  });
}
