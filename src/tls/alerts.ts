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
  too_many_cids_requested: 52,
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
  ech_required: 121,
} as const;

/** The number of an alert (RFC 5246 §7.2). */
export type AlertDescription = (typeof Alert)[keyof typeof Alert];

/** AlertLevel, RFC 5246 §7.2. */
export const AlertLevel = { warning: 1, fatal: 2 } as const;

/**
 * Who most likely has to change something for an alert to go away: who runs the device (its files, its options, its clock), who runs the
 * server, who runs what stands between them, or the authors of this library. `none`: nobody, it is no failure.
 */
export type AlertFault = "device" | "server" | "network" | "library" | "none";

/** A received alert, explained to someone who runs a device. */
export interface AlertAdvice {
  /** What the server says with it, in part of a sentence. */
  readonly meaning: string;
  readonly fault: AlertFault;
  /** What to do, in whole sentences. */
  readonly remedy: string;
}

const REPORT = "Please report it with a log at the level verbose; a packet capture from the server's side helps.";
const NOT_OURS = "No TLS 1.2 server should send it for what we offer: see what stands at this host and port.";

/** What a received alert most likely means for someone who runs a device, who is to blame, and what to do. */
const advice: Readonly<Record<keyof typeof Alert, readonly [meaning: string, fault: AlertFault, remedy: string]>> =
  /* @__PURE__ */ Object.freeze({
    close_notify: ["the server ended the connection in order", "none", "Connect again when there is something to say."],
    unexpected_message: [
      "the server did not expect the last message",
      "network",
      "Look for a proxy or inspection box between device and server that changes the stream, and try without it.",
    ],
    bad_record_mac: [
      "the server could not decrypt a record: the stream was changed on its way, or the keys differ",
      "network",
      "Connect again. If it stays, look at what stands between device and server, and at the device's memory and radio.",
    ],
    decryption_failed: [
      "the server could not decrypt a record, said with an alert of TLS 1.0",
      "server",
      "No TLS 1.2 server should send it (RFC 5246 §7.2.2): update the server, or see what answers in its place.",
    ],
    record_overflow: [
      "the server got a record that is too long for it",
      "network",
      "Look at what stands between device and server: our records keep to the limit of TLS and to what was negotiated.",
    ],
    decompression_failure: [
      "the server tried to decompress, although compression was never offered",
      "server",
      NOT_OURS,
    ],
    handshake_failure: [
      "no common ground: the server may demand a client certificate, or shares no cipher suite, curve or signature scheme with us",
      "device",
      "Give the client certificate and its key, then compare `suites`, `groups` and `signatureSchemes` with what the server allows.",
    ],
    no_certificate: ["no client certificate was sent, said with an alert of SSL 3.0", "server", NOT_OURS],
    bad_certificate: [
      "the server rejects the client certificate: AWS IoT does so for one that is not registered, not active, or revoked",
      "device",
      "See that the certificate is registered and active in this account and region, and that the file is whole.",
    ],
    unsupported_certificate: [
      "the server does not take this kind of client certificate or key",
      "device",
      "Use RSA of 2048 bits or more, P-256 or P-384, signed with SHA-256 or better, for the purpose clientAuth.",
    ],
    certificate_revoked: [
      "the client certificate was revoked",
      "device",
      "Make a new certificate for the device and register it.",
    ],
    certificate_expired: [
      "the client certificate has expired, or is not valid yet by the server's clock",
      "device",
      "Look at the certificate's dates (`thingwire cert FILE`) and have it issued again.",
    ],
    certificate_unknown: [
      "the server rejects the client certificate for a reason that it does not tell",
      "device",
      "See that the certificate is registered and active, and that the server trusts its issuer.",
    ],
    illegal_parameter: [
      "the server found a value of ours out of place",
      "library",
      `Leave out what was set besides the defaults (\`alpn\`, \`groups\`, \`suites\`, a session) one by one. ${REPORT}`,
    ],
    unknown_ca: [
      "the server does not know the authority that issued the client certificate",
      "device",
      "Register the certificate or its CA with the server, and send the intermediate certificates with the leaf.",
    ],
    access_denied: [
      "the client certificate is valid but may not connect here",
      "device",
      "See that the certificate is active and what its policy allows.",
    ],
    decode_error: ["the server could not read a message of ours", "library", REPORT],
    decrypt_error: [
      "the server could not verify our signature or Finished; most often the private key does not belong to the certificate",
      "device",
      "See that key and certificate belong together (`thingwire doctor`); with a `signer`, that it signs with the leaf's key.",
    ],
    too_many_cids_requested: ["an alert of DTLS, which is not spoken here", "server", NOT_OURS],
    export_restriction: ["an alert of TLS 1.0 about export ciphers", "server", NOT_OURS],
    protocol_version: ["the server does not speak TLS 1.2", "server", "Allow TLS 1.2 in the server's security policy."],
    insufficient_security: [
      "the server demands stronger cipher suites than those that we offer",
      "device",
      "Offer more suites (`presets.full()`), or groups and keys of more bits.",
    ],
    internal_error: [
      "something failed on the server that has nothing to do with the protocol",
      "server",
      "Try again later; if it stays, the server's log says more.",
    ],
    inappropriate_fallback: ["the server took the connection for a downgrade to an older version", "server", NOT_OURS],
    user_canceled: [
      "the server's user cancelled the handshake",
      "server",
      "Ask whoever runs the server; connecting again can help.",
    ],
    no_renegotiation: ["the server does not renegotiate, which we never ask for", "server", NOT_OURS],
    missing_extension: [
      "the server misses an extension in what we sent, said with an alert of TLS 1.3",
      "server",
      "Allow TLS 1.2 in the server's security policy. If it does, it demands more than TLS 1.2 can say.",
    ],
    unsupported_extension: [
      "the server found an extension that it did not ask for",
      "server",
      `Servers ignore extensions that they do not know (RFC 5246 §7.4.1.4): update it. ${REPORT}`,
    ],
    certificate_unobtainable: [
      "the server could not fetch a client certificate by its URL, which we never send",
      "server",
      NOT_OURS,
    ],
    unrecognized_name: [
      "the server does not know the name that we asked for (SNI)",
      "device",
      "Check the endpoint's name: AWS IoT wants the account's own, PREFIX-ats.iot.REGION.amazonaws.com.",
    ],
    bad_certificate_status_response: ["an OCSP response is not valid, which we never send", "server", NOT_OURS],
    bad_certificate_hash_value: [
      "the hash of a certificate that was named by URL is wrong, which we never send",
      "server",
      NOT_OURS,
    ],
    unknown_psk_identity: [
      "the server wants a pre-shared key, and does not know ours",
      "server",
      "Let the server accept certificates: pre-shared keys are not supported here.",
    ],
    certificate_required: [
      "the server demands a client certificate and got none",
      "device",
      "Give the client certificate and its key; where they are given, the log at the level debug says why they were not sent.",
    ],
    no_application_protocol: [
      "the server speaks none of the protocols that we offered (ALPN)",
      "device",
      "Offer by ALPN (`alpn`) what the server speaks; port 443 of AWS IoT wants x-amzn-mqtt-ca.",
    ],
    ech_required: ["the server wants encrypted ClientHellos, which TLS 1.2 does not have", "server", NOT_OURS],
  });

/** A number's name in the registry, or `unknown_alert`. */
export function alertName(alert: number): keyof typeof Alert | "unknown_alert" {
  for (const name of Object.keys(Alert) as (keyof typeof Alert)[]) if (Alert[name] === alert) return name;
  return "unknown_alert";
}

/** What a received alert means, whose fault it most likely is, and what to do; for every number. */
export function alertAdvice(alert: number): AlertAdvice {
  const name = alertName(alert);
  if (name !== "unknown_alert") {
    const [meaning, fault, remedy] = advice[name];
    return { meaning, fault, remedy };
  }
  return {
    meaning: "an alert that no specification known here defines",
    fault: "server",
    remedy: "Look into the server's log for what it refused, and see that nothing else answers at this host and port.",
  };
}

/** What a received alert means, in part of a sentence for a person. */
export function alertExplanation(alert: number): string {
  return alertAdvice(alert).meaning;
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
