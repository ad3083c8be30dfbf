/**
 * How the endpoint treats clients that AWS IoT would not serve: in which phase each is refused, and with which alert. AWS documents
 * nothing of it but that there are alerts and closed connections, so every row is ASSUMED: from what people report (the alert of an
 * inactive certificate arrives in the handshake, that of a missing policy right behind CONNECT), and else from the RFCs. Each row can
 * be switched.
 *
 * @module
 */

import { Alert } from "../tls/alerts.ts";

/**
 * How a connection ends: with a fatal alert (its number), in the orderly way of TLS (`"close_notify"`), or by the end of the stream
 * below without any alert (`"close"`). In process, above TLS, all three are the end of the stream.
 */
export type Ending = number | "close_notify" | "close";

/**
 * When a client is refused, and how: in the handshake, or after it as the answer to CONNECT. `"admit"` serves it all the same.
 *
 * @example
 * simulate({ treatment: { INACTIVE: { connect: "close" }, noServerName: "admit" } });
 */
export type Treatment =
  | "admit"
  | { readonly handshake: Exclude<Ending, "close_notify"> }
  | { readonly connect: Ending };

/** The conditions of a client or its certificate that are told apart in the handshake. */
export interface Treatments {
  /** No client certificate was sent. It cannot be admitted: nothing says whose connection it would be. */
  readonly noCertificate: Exclude<Treatment, "admit">;
  /** The certificate is registered nowhere, though a CA that is known here issued it. */
  readonly notRegistered: Exclude<Treatment, "admit">;
  /** Neither registered, nor of a CA that is known here. */
  readonly unknownAuthority: Exclude<Treatment, "admit">;
  /** Registered, but its CA is not, or no longer. */
  readonly authorityNotRegistered: Treatment;
  /** It names a CA that is known here, and that CA did not sign it. */
  readonly badSignature: Exclude<Treatment, "admit">;
  readonly expired: Treatment;
  readonly notYetValid: Treatment;
  /** A key, signature algorithm or purpose that AWS IoT does not take (RSA below 2048 bits, SHA-1, …). */
  readonly unsupported: Treatment;
  readonly INACTIVE: Treatment;
  readonly PENDING_ACTIVATION: Treatment;
  readonly REVOKED: Treatment;
  /** ClientHello without SNI. The Developer Guide said that these are refused, and says now that SNI is recommended. */
  readonly noServerName: Treatment;
  /** SNI with a name that is not this endpoint's. */
  readonly wrongServerName: Treatment;
  /** Port 443 without ALPN: AWS IoT takes it for HTTPS, and what is no HTTP ends the connection. */
  readonly noAlpn: Treatment;
  /** ALPN offers only protocols that are not served at the port. */
  readonly unknownAlpn: Treatment;
}

/** How a denial of the policies ends the connection, once the handshake is done. */
export interface DenialEndings {
  /** CONNECT of a certificate without any policy. */
  readonly withoutPolicy: Ending;
  /** CONNECT that the policies deny, of a certificate without any thing. */
  readonly withoutThing: Ending;
  /** CONNECT that the policies deny otherwise. */
  readonly connect: Ending;
  readonly publish: Ending;
  readonly subscribe: Ending;
}

/** What is assumed of AWS IoT. */
export const awsTreatments: Treatments = /* @__PURE__ */ Object.freeze<Treatments>({
  noCertificate: { handshake: Alert.bad_certificate },
  notRegistered: { handshake: Alert.certificate_unknown },
  unknownAuthority: { handshake: Alert.unknown_ca },
  authorityNotRegistered: { handshake: Alert.unknown_ca },
  badSignature: { handshake: Alert.bad_certificate },
  expired: { handshake: Alert.certificate_expired },
  notYetValid: { handshake: Alert.certificate_expired },
  unsupported: { handshake: Alert.unsupported_certificate },
  INACTIVE: { handshake: Alert.certificate_unknown },
  PENDING_ACTIVATION: { handshake: Alert.certificate_unknown },
  REVOKED: { handshake: Alert.certificate_revoked },
  noServerName: { handshake: Alert.handshake_failure },
  wrongServerName: { handshake: Alert.unrecognized_name },
  noAlpn: { connect: "close" },
  unknownAlpn: { handshake: Alert.no_application_protocol },
});

/** What is assumed of AWS IoT. */
export const awsDenialEndings: DenialEndings = /* @__PURE__ */ Object.freeze<DenialEndings>({
  withoutPolicy: Alert.access_denied,
  withoutThing: Alert.access_denied,
  connect: "close",
  publish: "close",
  subscribe: "close",
});
