/**
 * Which sections of the RFCs are implemented, where, and which are left out and why: two tables of `docs/TLS.md`.
 *
 * @module
 */

/** Section, what it lays down, and the file that does it. */
export const sections: readonly (readonly [section: string, what: string, file: string])[] = [
  ["RFC 5246 §5", "HMAC and the pseudorandom function", "src/tls/crypto/prf.ts"],
  ["RFC 5246 §6.1", "sequence numbers that never wrap", "src/tls/record.ts"],
  ["RFC 5246 §6.2.1", "fragments of records, in and out", "src/tls/deframer.ts"],
  ["RFC 5246 §6.2.3.2", "CBC, MAC then encrypt, in constant work", "src/tls/crypto/cbc-hmac.ts"],
  ["RFC 5246 §6.2.3.3", "AEAD", "src/tls/aead-protection.ts"],
  ["RFC 5246 §6.3", "keys out of the key block", "src/tls/key-schedule.ts"],
  ["RFC 5246 §7.1", "ChangeCipherSpec", "src/tls/connection.ts"],
  ["RFC 5246 §7.2", "alerts, close_notify, fatal and warning", "src/tls/alerts.ts"],
  ["RFC 5246 §7.3", "the order of messages", "src/tls/states.ts"],
  ["RFC 5246 §7.4", "messages of the handshake", "src/tls/messages.ts"],
  ["RFC 5246 §7.4.1.4", "extensions, and what may be answered", "src/tls/extensions.ts"],
  ["RFC 5246 §7.4.2", "the server's chain", "src/tls/verify.ts"],
  ["RFC 5246 §7.4.3", "the signature of the key exchange", "src/tls/verify.ts"],
  ["RFC 5246 §7.4.4, §7.4.6", "the client's certificate, chosen by the request", "src/tls/identity.ts"],
  ["RFC 5246 §7.4.8", "the client's signature, here or by a signer", "src/tls/signing.ts"],
  ["RFC 5246 §7.4.9", "Finished", "src/tls/verify.ts"],
  ["RFC 5246 §8.1", "the master secret", "src/tls/key-schedule.ts"],
  ["RFC 5246 §E.1", "versions in records before they are negotiated", "src/tls/deframer.ts"],
  ["RFC 5246 §F.1.4", "sessions that are resumed by ID", "src/tls/session.ts"],
  ["RFC 5077", "sessions that are resumed by ticket", "src/tls/session.ts"],
  ["RFC 5288 §3", "AES-GCM and its nonces", "src/tls/aead-protection.ts"],
  ["RFC 5289", "suites with SHA-256, SHA-384 and GCM", "src/tls/suites.ts"],
  ["RFC 5705", "exporters of keying material", "src/tls/key-schedule.ts"],
  ["RFC 5746 §3.4", "renegotiation_info in a first handshake", "src/tls/extensions.ts"],
  ["RFC 6066 §3", "server_name", "src/tls/extensions.ts"],
  ["RFC 6066 §4", "max_fragment_length", "src/tls/extensions.ts"],
  ["RFC 7301", "ALPN", "src/tls/extensions.ts"],
  ["RFC 7366", "encrypt-then-MAC", "src/tls/crypto/cbc-etm.ts"],
  ["RFC 7627", "the extended master secret", "src/tls/flight.ts"],
  ["RFC 7748 §5", "X25519", "src/tls/crypto/x25519.ts"],
  ["RFC 7905", "ChaCha20-Poly1305", "src/tls/crypto/chacha20-poly1305.ts"],
  ["RFC 8422", "ECDHE on X25519, P-256, P-384, P-521, with ECDSA and RSA", "src/tls/states.ts"],
  ["RFC 8446 §4.2.3", "RSA-PSS in TLS 1.2", "src/tls/crypto/rsa-pss.ts"],
  ["RFC 8446 §5.5", "as many records under a key as it is good for", "src/tls/record.ts"],
  ["RFC 5280 §4, §6", "certificates and paths", "src/tls/x509/validate.ts"],
  ["RFC 5280 §4.2.1.10", "name constraints", "src/tls/x509/name-constraints.ts"],
  ["RFC 9525 §6", "names of servers", "src/tls/x509/names.ts"],
  ["RFC 6979", "deterministic ECDSA, with randomness added", "src/tls/crypto/rfc6979.ts"],
  ["RFC 8017 §8.1, §8.2", "RSA signatures, blinded and checked", "src/tls/crypto/rsa.ts"],
  ["RFC 8018 §6.2", "encrypted private keys", "src/tls/x509/encrypted-key.ts"],
];

/** Section, what it lays down, and why it is not here. */
export const leftOut: readonly (readonly [section: string, what: string, why: string])[] = [
  [
    "RFC 2246, RFC 4346, RFC 6101",
    "TLS 1.0 and 1.1, SSL 3",
    "RFC 8996 forbids them; with them go the fallbacks that POODLE and BEAST need.",
  ],
  ["RFC 8446", "TLS 1.3", "Not in this version. AWS IoT Core takes TLS 1.2 by all of its policies but one."],
  [
    "RFC 5246 §7.4.1.1, §7.4.1.2",
    "renegotiation",
    "Refused with no_renegotiation: RFC 9325 §3.5, and no use for it with MQTT.",
  ],
  ["RFC 5246 §7.4.7.1", "RSA key transport", "No forward secrecy, and the oracles of Bleichenbacher: RFC 9325 §4.1."],
  [
    "RFC 5246 §7.4.3",
    "finite-field Diffie-Hellman",
    "Logjam and Raccoon; AWS IoT Core has no such suite in its present policies.",
  ],
  ["RFC 5246 §6.2.2, RFC 3749", "compression", "CRIME: RFC 9325 §3.3."],
  ["RFC 5246 §6.2.3.1", "stream ciphers (RC4) and NULL", "RFC 7465, RFC 9325 §4.1."],
  ["RFC 5246 §A.5", "3DES and anonymous suites", "SWEET32; no server's identity."],
  ["RFC 8422 §5.1.2", "compressed points", "RFC 8422 took them out."],
  [
    "RFC 8422 §5.4",
    "explicit curves",
    "RFC 8422 took them out; a curve of the attacker's choice is an attack (CVE-2020-0601).",
  ],
  ["RFC 8422 §5.3", "Ed25519 and Ed448 in certificates", "AWS IoT Core has none."],
  ["RFC 4279, RFC 5489", "pre-shared keys", "AWS IoT Core has none."],
  ["RFC 6655, RFC 7251", "AES-CCM", "AWS IoT Core has none."],
  [
    "RFC 6066 §8, RFC 6961",
    "stapled OCSP",
    "AWS IoT Core does not staple; an answer that was not asked for is refused.",
  ],
  ["RFC 6066 §7", "truncated HMAC", "RFC 9325 §4.6 advises against it."],
  ["RFC 6520", "heartbeat", "No use over TCP; Heartbleed."],
  ["RFC 7250", "raw public keys", "AWS IoT Core has none."],
  ["RFC 8449", "record_size_limit", "Servers on AWS do not answer it; max_fragment_length is asked for instead."],
  ["RFC 7507", "the signalling suite of a fallback", "There is no older version to fall back to."],
  [
    "RFC 7685",
    "padding of the ClientHello",
    "It works around servers that choke on hellos of 256 to 511 bytes, of which none is known any more.",
  ],
  ["RFC 8701", "GREASE", "Values of a server's are refused as any that was not offered; ours would cost bytes."],
  [
    "RFC 5280 §5",
    "revocation lists",
    "A device has neither the memory nor the way to fetch them: keep certificates short-lived, or change the trust store.",
  ],
  [
    "RFC 5280 §6.1.5",
    "certificate policies",
    "No server's name depends on them. A critical policy extension that is not understood is refused.",
  ],
];
