/**
 * Alerts (RFC 5246 §7.2): the one table of their numbers, names and what a received one means for the user, and the one place
 * where it is decided which alert a rejected certificate gets.
 *
 * For messages the alert is that of the RFC and stands in the row of the error (`errors.ts`); for certificates it is what mbedTLS
 * sends, by the priority of its verification flags. Left out on purpose: alerts of SSL 3.0 and TLS 1.3, which have no use here but
 * are known by name.
 *
 * @module
 */

/** AlertDescription, RFC 5246 §7.2 and IANA's registry. The names are the registry's. */
export const Alert = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  decryption_failed: 21,
  record_overflow: 22,
  decompression_failure: 30,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  export_restriction: 60,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  inappropriate_fallback: 86,
  user_canceled: 90,
  no_renegotiation: 100,
  missing_extension: 109,
  unsupported_extension: 110,
  certificate_unobtainable: 111,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  bad_certificate_hash_value: 114,
  unknown_psk_identity: 115,
  certificate_required: 116,
  no_application_protocol: 120,
} as const;

/** The number of an alert (RFC 5246 §7.2). */
export type AlertDescription = (typeof Alert)[keyof typeof Alert];

/** AlertLevel, RFC 5246 §7.2. */
export const AlertLevel = { warning: 1, fatal: 2 } as const;

/** What a received alert most likely means for someone who runs a device, and what to look at. */
const explanations: Readonly<Record<keyof typeof Alert, string>> = /* @__PURE__ */ Object.freeze({
  close_notify: "the server ended the connection in order",
  unexpected_message:
    "the server did not expect the last message; often something between device and server changes the stream",
  bad_record_mac: "the server could not decrypt a record; the stream was changed or keys differ",
  decryption_failed: "the server could not decrypt a record; an alert of TLS 1.0, which no TLS 1.2 server should send",
  record_overflow: "the server got a record that is too long for it",
  decompression_failure: "the server tried to decompress, although compression was not offered",
  handshake_failure:
    "no common ground: the server may demand a client certificate, or shares no cipher suite, curve or signature scheme with us",
  no_certificate: "an alert of SSL 3.0",
  bad_certificate:
    "the server rejects the client certificate: AWS IoT does so for one that is not registered, not active, or revoked",
  unsupported_certificate: "the server does not take this kind of client certificate or key",
  certificate_revoked: "the client certificate was revoked",
  certificate_expired: "the client certificate has expired, or is not valid yet by the server's clock",
  certificate_unknown:
    "the server rejects the client certificate for a reason that it does not tell; check that it is registered and active",
  illegal_parameter: "the server found a value of ours out of place",
  unknown_ca:
    "the server does not know the authority that issued the client certificate; register the certificate or its CA",
  access_denied: "the client certificate is valid but may not connect here; check that it is active and its policy",
  decode_error: "the server could not read a message of ours",
  decrypt_error:
    "the server could not verify our signature or Finished; most often the private key does not belong to the certificate",
  export_restriction: "an alert of TLS 1.0",
  protocol_version: "the server does not speak TLS 1.2; allow it in the server's security policy",
  insufficient_security: "the server demands stronger cipher suites than those that we offer",
  internal_error: "something failed on the server; try again later",
  inappropriate_fallback: "the server took the connection for a downgrade",
  user_canceled: "the server's user cancelled the handshake",
  no_renegotiation: "the server does not renegotiate",
  missing_extension: "the server misses an extension",
  unsupported_extension: "the server found an extension that it did not ask for",
  certificate_unobtainable: "the server could not fetch the client certificate",
  unrecognized_name: "the server does not know the name that we asked for (SNI); check the endpoint's name",
  bad_certificate_status_response: "an OCSP response is not valid",
  bad_certificate_hash_value: "the hash of a certificate that was named by URL is wrong",
  unknown_psk_identity: "the server does not know the pre-shared key's identity",
  certificate_required: "the server demands a client certificate and got none",
  no_application_protocol:
    "the server speaks none of the protocols that we offered (ALPN); port 443 of AWS IoT wants x-amzn-mqtt-ca",
});

/** A number's name in the registry, or `unknown_alert`. */
export function alertName(alert: number): keyof typeof Alert | "unknown_alert" {
  for (const name of Object.keys(Alert) as (keyof typeof Alert)[]) if (Alert[name] === alert) return name;
  return "unknown_alert";
}

/** What a received alert means, in one sentence for a person. */
export function alertExplanation(alert: number): string {
  const name = alertName(alert);
  return name === "unknown_alert" ? "an alert that no specification known here defines" : explanations[name];
}

/** mbedTLS's verification flags (`MBEDTLS_X509_BADCERT_…`) in its order of priority, with the alert that each one gets. */
const alertsOfFlags: readonly (readonly [flags: number, alert: AlertDescription])[] = /* @__PURE__ */ Object.freeze([
  [0x100, Alert.access_denied], // OTHER
  [0x4, Alert.bad_certificate], // CN_MISMATCH
  [0x800 | 0x1000 | 0x8000 | 0x10000, Alert.unsupported_certificate], // KEY_USAGE, EXT_KEY_USAGE, BAD_PK, BAD_KEY
  [0x1, Alert.certificate_expired], // EXPIRED
  [0x2, Alert.certificate_revoked], // REVOKED
  [0x8, Alert.unknown_ca], // NOT_TRUSTED
]);

/** The alert for a certificate chain that was rejected with these flags of mbedTLS; 46 for all that have none of their own. */
export function alertForCertificateFlags(flags: number): AlertDescription {
  for (const [mask, alert] of alertsOfFlags) if ((flags & mask) !== 0) return alert;
  return Alert.certificate_unknown;
}
