/**
 * A server that deviates in one thing, and the error and the alert that it must get. Long because it is a table: one entry a deviation.
 *
 * @module
 */

import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import type { TlsErrorCode } from "../../../src/tls/errors.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { trustAnchors } from "../../../src/tls/x509/trust.ts";
import { Driver, der, ecIdentity, NOW, rsaIdentity } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { inPieces, plain, type Script, ScriptedServer } from "./scripted-server.ts";

const { handshake, alert, change_cipher_spec, application_data } = ContentType;
const bytes = (...values: number[]) => Uint8Array.from(values);
const NONE = new Uint8Array(0);
const CCS = plain(change_cipher_spec, bytes(1));

const extend =
  (type: number, data: Uint8Array): NonNullable<Script["hello"]> =>
  (hello) => ({ ...hello, extensions: [...(hello.extensions ?? []), { type, data }] });
const without =
  (index: number): NonNullable<Script["flight"]> =>
  (flight) =>
    flight.filter((_, i) => i !== index);
/** Replaces the body of one message of the flight. */
const body =
  (index: number, change: (body: Uint8Array) => Uint8Array): NonNullable<Script["flight"]> =>
  (flight) =>
    flight.map((message, i) => {
      if (i !== index) return message;
      const changed = change(message.subarray(4));
      return concat([bytes(message[0]!, 0, changed.length >> 8, changed.length & 255), changed]);
    });
const flip = (at: number) => (from: Uint8Array) =>
  from.map((byte, i) => (i === (at + from.length) % from.length ? byte ^ 1 : byte));
const alpn = (...names: string[]) => {
  const list = concat(names.map((name) => concat([bytes(name.length), Buffer.from(name)])));
  return concat([bytes(0, list.length), list]);
};
const REQUEST = { types: [1, 64], schemes: suites.allSignatureSchemes.map(({ id }) => id), authorities: [] };

interface Deviation {
  readonly title: string;
  readonly script?: Script;
  readonly options?: Partial<TlsClientOptions>;
  /** What comes once the client is secured. */
  readonly traffic?: (server: ScriptedServer) => Uint8Array;
  /** The stream ends behind all that. */
  readonly end?: boolean;
  readonly code: TlsErrorCode;
  readonly alert: number | undefined;
  readonly mbedtls?: number;
  readonly problem?: string;
  /** What the message says, where another check would give the same code. */
  readonly detail?: string;
}

const rsaServer: Script = {
  certificates: [der(fixtures.rsaServerCertificate)],
  key: parsePrivateKey(fixtures.rsaServerKey),
};

const deviations: Deviation[] = [
  // ——— records ———
  {
    title: "RFC 5246 §6.2.1 an unknown content type",
    script: { framing: () => plain(99, bytes(1)) },
    code: "TLS_INVALID_RECORD",
    alert: 10,
    mbedtls: -0x7200,
  },
  {
    title: "RFC 5246 §6.2.1 plain HTTP instead of TLS",
    script: { framing: () => Buffer.from("HTTP/1.1 400 Bad Request") },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.1 a record of SSL 2",
    script: { framing: ([hello]) => plain(handshake, hello!, 0x0200) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §6.2.1 a record of TLS 1.1 behind the ServerHello",
    script: { framing: ([hello, rest]) => concat([plain(handshake, hello!), plain(handshake, rest!, 0x0302)]) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §6.2.1 2^14 + 1 bytes in the clear",
    script: { framing: () => plain(handshake, new Uint8Array(0x4001)) },
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.3 2^14 + 2049 bytes of ciphertext",
    traffic: () => plain(application_data, new Uint8Array(0x4000 + 2049)),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.1 2^14 + 1 bytes of plaintext, sealed",
    traffic: (server) => server.seal(application_data, new Uint8Array(0x4001)),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.1 an empty handshake record",
    script: { framing: () => plain(handshake, NONE) },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.1 an empty alert record",
    script: { framing: () => plain(alert, NONE) },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.1 33 empty data records in a row",
    traffic: (server) => concat(Array.from({ length: 33 }, () => server.seal(application_data, NONE))),
    code: "TLS_EMPTY_RECORD_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.3.3 a wrong tag",
    traffic: (server) => flip(-1)(server.seal(application_data, bytes(1, 2, 3))),
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
    mbedtls: -0x7180,
  },
  {
    title: "RFC 5246 §6.2.3.3 a changed type",
    traffic: (server) => flip(0)(server.seal(application_data, bytes(1, 2, 3))),
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §6.2.3.3 a record that is repeated",
    traffic: (server) => {
      const record = server.seal(application_data, bytes(1));
      return concat([record, record]);
    },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §6.2.3.3 a record that is left out",
    traffic: (server) => {
      server.seal(application_data, bytes(1));
      return server.seal(application_data, bytes(2));
    },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5288 §3 a record too short for nonce and tag",
    traffic: () => plain(application_data, new Uint8Array(23)),
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §6.2.3 data in the clear behind the handshake",
    traffic: () => plain(application_data, new Uint8Array(40)),
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  // ——— ServerHello ———
  {
    title: "RFC 5246 §7.4 no ServerHello",
    script: { flight: without(0) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    mbedtls: -0x7700,
  },
  {
    title: "RFC 5246 §7.4 two ServerHellos",
    script: { flight: ([hello, ...rest]) => [hello!, hello!, ...rest] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4 an unknown handshake type",
    script: { flight: () => [bytes(99, 0, 0, 0)] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.3 TLS 1.1",
    script: { hello: (hello) => ({ ...hello, version: 0x0302 }) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
    mbedtls: -0x6e80,
  },
  {
    title: "RFC 5246 §7.4.1.3 TLS 1.3 by its number",
    script: { hello: (hello) => ({ ...hello, version: 0x0304 }) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §7.4.1.3 a suite that was not offered",
    script: { hello: (hello) => ({ ...hello, suite: 0xcca9 }) },
    code: "TLS_UNOFFERED_SUITE",
    alert: 47,
    mbedtls: -0x6600,
  },
  {
    title: "RFC 5246 §7.4.1.3 the suite NULL",
    script: { hello: (hello) => ({ ...hello, suite: 0 }) },
    code: "TLS_UNOFFERED_SUITE",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.1.3 compression",
    script: { hello: (hello) => ({ ...hello, compression: 1 }) },
    code: "TLS_UNOFFERED_COMPRESSION",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.1.3 a session_id of 33 bytes",
    script: { hello: (hello) => ({ ...hello, sessionId: new Uint8Array(33) }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
    mbedtls: -0x7300,
  },
  {
    title: "RFC 5246 §7.4.1.3 a ServerHello cut short",
    script: { flight: body(0, (all) => all.subarray(0, 37)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.3 bytes behind the extensions",
    script: { flight: body(0, (all) => concat([all, bytes(0)])) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.4 an extension that was not asked for (session_ticket)",
    script: { hello: extend(35, NONE) },
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
    mbedtls: -0x7500,
  },
  {
    title: "RFC 5246 §7.4.1.4 an unknown extension",
    script: { hello: extend(0x1234, NONE) },
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
  },
  {
    title: "RFC 5246 §7.4.1.4.1 signature_algorithms of a server",
    script: { hello: extend(13, bytes(0, 2, 4, 3)) },
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
  },
  {
    title: "RFC 5246 §7.4.1.4 an extension twice",
    script: { hello: extend(23, NONE) },
    code: "TLS_DUPLICATE_EXTENSION",
    alert: 47,
  },
  {
    title: "RFC 6066 §3 server_name with contents",
    script: { hello: extend(0, bytes(0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 6066 §3 server_name, although an address was asked for",
    script: { hello: extend(0, NONE) },
    options: { serverName: "127.0.0.1" },
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
  },
  {
    title: "RFC 7301 §3.1 ALPN, although none was offered",
    script: { hello: extend(16, alpn("mqtt")) },
    code: "TLS_UNSOLICITED_EXTENSION",
    alert: 110,
  },
  {
    title: "RFC 7301 §3.1 a protocol that was not offered",
    script: { hello: extend(16, alpn("h2")) },
    options: { alpn: ["mqtt"] },
    code: "TLS_UNOFFERED_ALPN",
    alert: 47,
    mbedtls: -0x6e00,
  },
  {
    title: "RFC 7301 §3.1 two protocols",
    script: { hello: extend(16, alpn("mqtt", "mqtt")) },
    options: { alpn: ["mqtt"] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 7301 §3.1 an empty protocol list",
    script: { hello: extend(16, bytes(0, 0)) },
    options: { alpn: ["mqtt"] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5746 §3.4 renegotiation_info with contents",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 0xff01, data: bytes(1, 7) }] }) },
    code: "TLS_RENEGOTIATION_INFO",
    alert: 40,
    mbedtls: -0x6e00,
  },
  {
    title: "RFC 7301 §3.1 an empty protocol name",
    script: { hello: extend(16, alpn("")) },
    options: { alpn: ["mqtt"] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 7301 §3.1 bytes behind the protocol list",
    script: { hello: extend(16, concat([alpn("mqtt"), bytes(0)])) },
    options: { alpn: ["mqtt"] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5746 §3.4 bytes behind renegotiation_info",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 0xff01, data: bytes(0, 0) }] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 8422 §5.1.2 an empty list of point formats",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 11, data: bytes(0) }] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 8422 §5.1.2 bytes behind the list of point formats",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 11, data: bytes(1, 0, 0) }] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5746 §3.4 a malformed renegotiation_info",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 0xff01, data: bytes(2, 7) }] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 8422 §5.2 no uncompressed points",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 11, data: bytes(1, 1) }] }) },
    code: "TLS_ILLEGAL_POINT_FORMATS",
    alert: 47,
  },
  {
    title: "RFC 7627 §5.1 extended_master_secret with contents",
    script: { hello: (hello) => ({ ...hello, extensions: [{ type: 23, data: bytes(0) }] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  // ——— Certificate ———
  {
    title: "RFC 5246 §7.4.2 no Certificate",
    script: { flight: without(1) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  { title: "RFC 5246 §7.4.2 an empty list", script: { certificates: [] }, code: "TLS_CERTIFICATE_MISSING", alert: 42 },
  {
    title: "RFC 5246 §7.4.2 an empty certificate",
    script: { certificates: [NONE] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.2 a list longer than its message",
    script: { flight: body(1, flip(2)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5280 §4.1 a certificate that is no DER",
    script: { certificates: [bytes(1, 2, 3)] },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 42,
    problem: "X509_MALFORMED",
  },
  {
    title: "RFC 5246 §7.4.2 an RSA certificate for an ECDSA suite",
    script: { certificates: rsaServer.certificates! },
    code: "TLS_CERTIFICATE_KEY_TYPE",
    alert: 40,
    mbedtls: -0x6d00,
  },
  {
    title: "RFC 8422 §5.3 a key on a curve that was not offered",
    script: { certificates: [der(fixtures.p384ServerCertificate)] },
    options: { groups: [suites.secp256r1] },
    code: "TLS_CERTIFICATE_CURVE",
    alert: 43,
  },
  {
    title: "RFC 5280 §6.1.3 an expired certificate",
    options: { wallMs: () => NOW + 200 * 365 * 86_400_000 },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 45,
    mbedtls: -0x2700,
    problem: "X509_EXPIRED",
  },
  {
    title: "RFC 5280 §6.1.3 a certificate that is not valid yet",
    options: { wallMs: () => 0 },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 46,
    problem: "X509_NOT_YET_VALID",
  },
  {
    title: "RFC 5280 §6.1.3 an unknown time of day",
    options: { wallMs: () => undefined },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 46,
    problem: "X509_TIME_UNKNOWN",
  },
  {
    title: "RFC 5280 §6.1 an unknown CA",
    options: { trust: trustAnchors(fixtures.otherCertificate) },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 48,
    problem: "X509_NOT_TRUSTED",
  },
  {
    title: "RFC 9525 §6 another name",
    options: { serverName: "example.org" },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 42,
    problem: "X509_NAME_MISMATCH",
  },
  {
    title: "RFC 5280 §4.2.1.12 a certificate for clients only",
    script: {
      certificates: [der(fixtures.clientOnlyServerCertificate)],
      key: parsePrivateKey(fixtures.clientOnlyServerKey),
    },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 43,
    problem: "X509_EXTENDED_KEY_USAGE",
  },
  // ——— ServerKeyExchange ———
  {
    title: "RFC 5246 §7.4.3 no ServerKeyExchange (SKIP)",
    script: { flight: without(2) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.3 a wrong signature",
    script: { keyExchange: (message) => ({ ...message, signature: flip(-1)(message.signature) }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
    mbedtls: -0x4e00,
  },
  {
    title: "RFC 5246 §7.4.3 a wrong RSA signature",
    script: {
      ...rsaServer,
      suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
      keyExchange: (message) => ({ ...message, signature: flip(-1)(message.signature) }),
    },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
    mbedtls: -0x4380,
  },
  {
    title: "RFC 5246 §7.4.3 an empty signature",
    script: { keyExchange: (message) => ({ ...message, signature: NONE }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 a signature of another key",
    script: { key: parsePrivateKey(fixtures.clientOnlyServerKey) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 parameters that were changed after signing",
    script: { keyExchange: (message) => ({ ...message, parameters: flip(-1)(message.parameters) }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 a scheme that was not offered (CVE-2026-25834)",
    options: { signatureSchemes: [suites.ecdsa_secp384r1_sha384] },
    code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 the scheme zero",
    script: { keyExchange: (message) => ({ ...message, scheme: 0 }) },
    code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 an RSA scheme with a P-256 key",
    script: { keyExchange: (message) => ({ ...message, scheme: 0x0401 }) },
    code: "TLS_SIGNATURE_SCHEME_UNFIT",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 a curve that was not offered",
    script: { parameters: (from) => ({ ...from, group: 26 }) },
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 explicit curve parameters",
    script: { flight: body(2, flip(0)) },
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 an empty key",
    script: { parameters: (from) => ({ ...from, publicKey: NONE }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 8422 §5.11 a point that is not on the curve",
    script: { parameters: (from) => ({ ...from, publicKey: flip(-1)(from.publicKey) }) },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.11 a compressed point",
    script: {
      parameters: (from) => ({
        ...from,
        publicKey: concat([bytes(2 + (from.publicKey[64]! & 1)), from.publicKey.subarray(1, 33)]),
      }),
    },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.11 the point at infinity",
    script: { parameters: (from) => ({ ...from, publicKey: bytes(0) }) },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 bytes behind the signature",
    script: { flight: body(2, (all) => concat([all, bytes(0)])) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  // ——— CertificateRequest, ServerHelloDone ———
  {
    title: "RFC 5246 §7.4.4 a request before the key exchange",
    script: { request: REQUEST, flight: ([a, b, c, d, e]) => [a!, b!, d!, c!, e!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.4 two requests",
    script: { request: REQUEST, flight: ([a, b, c, d, e]) => [a!, b!, c!, d!, d!, e!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.4 a request without types",
    script: { request: { ...REQUEST, types: [] } },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.4 a request without schemes",
    script: { request: { ...REQUEST, schemes: [] } },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.4 half a scheme",
    script: { request: REQUEST, flight: body(3, () => bytes(1, 64, 0, 3, 4, 3, 4, 0, 0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
    detail: "supported_signature_algorithms of 3 bytes",
  },
  {
    title: "RFC 5246 §7.4.4 an empty authority",
    script: { request: { ...REQUEST, authorities: [NONE] } },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.5 ServerHelloDone with contents",
    script: { flight: body(3, () => bytes(0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4 a message behind ServerHelloDone",
    script: { behindFlight: () => plain(handshake, bytes(11, 0, 0, 3, 0, 0, 0)) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4 a message longer than is allowed",
    script: { flight: ([hello]) => [hello!, bytes(11, 1, 0, 1)] },
    code: "TLS_MESSAGE_TOO_LONG",
    alert: 47,
  },
  // ——— ChangeCipherSpec, Finished ———
  {
    title: "CVE-2014-0224 ChangeCipherSpec before the key exchange",
    script: { framing: ([hello]) => concat([plain(handshake, hello!), CCS]) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec instead of the ServerHello",
    script: { framing: () => CCS },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec inside of a message",
    script: { last: (_, [ccs, finished]) => concat([plain(handshake, bytes(20, 0)), ccs!, finished!]) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec inside of an alert",
    script: { last: (_, [ccs, finished]) => concat([plain(alert, bytes(1)), ccs!, finished!]) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec of two bytes",
    script: { last: () => plain(change_cipher_spec, bytes(1, 1)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec of the value 2",
    script: { last: () => plain(change_cipher_spec, bytes(2)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec twice",
    script: { last: (server, [ccs]) => concat([ccs!, server.seal(change_cipher_spec, bytes(1))]) },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §7.4.9 Finished without ChangeCipherSpec",
    script: { last: () => plain(handshake, messages.encodeFinished(new Uint8Array(12))) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.9 a wrong Finished",
    script: { verifyData: flip(-1) },
    code: "TLS_BAD_FINISHED",
    alert: 51,
    mbedtls: -0x6e00,
  },
  {
    title: "RFC 5246 §7.4.9 a Finished of 11 bytes",
    script: { verifyData: (data) => data.subarray(1) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.9 a Finished in the clear behind ChangeCipherSpec",
    script: { last: (_, [ccs]) => concat([ccs!, plain(handshake, messages.encodeFinished(new Uint8Array(12)))]) },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5077 §3.3 a ticket that nobody asked for",
    script: {
      last: (_, [ccs, finished]) => concat([plain(handshake, bytes(4, 0, 0, 6, 0, 0, 0, 9, 0, 0)), ccs!, finished!]),
    },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.9 data before Finished",
    script: { last: () => plain(application_data, bytes(1)) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  // ——— alerts, renegotiation, the end ———
  {
    title: "RFC 5246 §7.2.2 a fatal alert",
    script: { framing: () => plain(alert, bytes(2, 40)) },
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
    mbedtls: -0x7780,
  },
  {
    title: "RFC 5246 §7.2.2 a fatal alert in two records",
    script: { framing: () => concat([plain(alert, bytes(2)), plain(alert, bytes(48))]) },
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2 an alert of level 3",
    script: { framing: () => plain(alert, bytes(3, 40)) },
    code: "TLS_ILLEGAL_ALERT",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.2 five warnings",
    script: { framing: () => plain(alert, bytes(1, 112, 1, 112, 1, 112, 1, 112, 1, 112)) },
    code: "TLS_WARNING_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.2.1 close_notify in the handshake",
    script: { framing: () => plain(alert, bytes(1, 0)) },
    code: "TLS_CLOSED_IN_HANDSHAKE",
    alert: undefined,
    mbedtls: -0x7880,
  },
  {
    title: "RFC 5246 §7.4.1.1 five HelloRequests in the handshake",
    script: { framing: () => plain(handshake, new Uint8Array(20)) },
    code: "TLS_HELLO_REQUEST_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 five HelloRequests afterwards",
    traffic: (server) => concat(Array.from({ length: 5 }, () => server.seal(handshake, bytes(0, 0, 0, 0)))),
    code: "TLS_HELLO_REQUEST_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 a HelloRequest with contents",
    traffic: (server) => server.seal(handshake, bytes(0, 0, 0, 1, 0)),
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4 a ServerHello in traffic",
    traffic: (server) => server.seal(handshake, bytes(2, 0, 0, 0)),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec in traffic",
    traffic: (server) => server.seal(change_cipher_spec, bytes(1)),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.2.1 the end in the handshake",
    script: { framing: ([hello]) => plain(handshake, hello!) },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
    mbedtls: -0x7280,
  },
  {
    title: "RFC 5246 §7.2.1 the end inside of a record",
    script: { framing: ([hello]) => plain(handshake, hello!).subarray(0, 20) },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
  },
];

/** Client and server talk until nothing is left to say. */
function talk(driver: Driver, server: ScriptedServer): void {
  for (let bytes = driver.output.shift(); bytes !== undefined; bytes = driver.output.shift())
    driver.feed(server.receive(bytes));
}

describe("a server that deviates", () => {
  for (const deviation of deviations)
    it(`${deviation.title}: ${deviation.code}, alert ${deviation.alert ?? "none"}`, () => {
      const server = new ScriptedServer(deviation.script);
      const driver = new Driver({ identity: ecIdentity, ...deviation.options });
      talk(driver, server);
      if (deviation.traffic !== undefined) {
        expect(driver.error).toBeUndefined();
        expect(driver.isSecured).toBe(true);
        driver.feed(deviation.traffic(server));
      }
      if (deviation.end === true) {
        driver.client.end();
        driver.rest();
      }
      const { error } = driver;
      expect(error).toMatchObject({
        code: deviation.code,
        blame: expect.stringMatching(/peer|network/),
        data: {
          state: expect.stringMatching(/^Expect/),
          phase: deviation.traffic === undefined ? "handshake" : "traffic",
          ...(deviation.problem === undefined ? {} : { problems: expect.arrayContaining([deviation.problem]) }),
        },
        ...(deviation.mbedtls === undefined ? {} : { mbedtls: deviation.mbedtls }),
      });
      if (deviation.detail !== undefined) expect(error?.message).toContain(deviation.detail);
      talk(driver, server);
      const fatal = server.alerts.filter(([level]) => level === 2).map(([, description]) => description);
      expect(fatal).toEqual(deviation.alert === undefined ? [] : [deviation.alert]);
      expect(driver.isSecured).toBe(deviation.traffic !== undefined);
      expect(driver.client.stateName).toBe("Dead");
      expect(() => driver.client.feed(bytes(0))).toThrow(error);
      expect(driver.client.nextEvent()).toBeUndefined();
    });
});

describe("a server that does nothing wrong", () => {
  const right: [title: string, script: Script, options?: Partial<TlsClientOptions>][] = [
    ["ECDSA", {}],
    ["RSA", { ...rsaServer, suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 }],
    [
      "RSA with PKCS #1",
      { ...rsaServer, suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, scheme: suites.rsa_pkcs1_sha256 },
    ],
    ["SHA-384 in the signature", { scheme: suites.ecdsa_secp384r1_sha384 }],
    [
      "no extensions at all, and so no extended master secret",
      { hello: (hello) => ({ ...hello, extensions: undefined }) },
    ],
    ["an echo of supported_groups is tolerated", { hello: extend(10, bytes(0, 2, 0, 23)) }],
    ["an empty server_name answer", { hello: extend(0, NONE) }],
    ["a session_id that will not be used", { hello: (hello) => ({ ...hello, sessionId: new Uint8Array(32).fill(5) }) }],
    [
      "a warning of unrecognized_name (RFC 6066 §3)",
      {
        framing: (flight) =>
          concat([plain(alert, bytes(1, 112)), ...flight.map((message) => plain(handshake, message))]),
      },
    ],
    [
      "a HelloRequest in the handshake is ignored",
      {
        framing: (flight) =>
          concat([plain(handshake, bytes(0, 0, 0, 0)), ...flight.map((message) => plain(handshake, message))]),
      },
    ],
    ["all messages in one record", { framing: (flight) => plain(handshake, concat(flight)) }],
    ["one byte a record", { framing: inPieces(1) }],
    ["three bytes a record", { framing: inPieces(3) }],
    [
      "a record of TLS 1.0 around the ServerHello",
      {
        framing: ([hello, ...rest]) =>
          concat([plain(handshake, hello!, 0x0301), ...rest.map((message) => plain(handshake, message))]),
      },
    ],
    ["a request for a certificate", { request: REQUEST }, { identity: ecIdentity }],
    ["a request for RSA only: an empty list", { request: { ...REQUEST, types: [1] } }, { identity: ecIdentity }],
    [
      "a request with schemes that we do not have: an empty list",
      { request: { ...REQUEST, schemes: [0x0201, 0x0203, 0x0809, 0x1234] } },
      { identity: ecIdentity },
    ],
    [
      "an RSA key and a request with SHA-1 and ECDSA only: an empty list",
      { request: { ...REQUEST, schemes: [0x0201, 0x0403] } },
      { identity: rsaIdentity },
    ],
    ["a request with SHA-512 only", { request: { ...REQUEST, schemes: [0x0603] } }, { identity: ecIdentity }],
  ];
  for (const [title, script, options] of right)
    it(title, () => {
      const server = new ScriptedServer(script);
      const driver = new Driver(options);
      talk(driver, server);
      expect(driver.error).toBeUndefined();
      expect(driver.isSecured).toBe(true);
      driver.client.write(bytes(1, 2, 3));
      driver.rest();
      server.receive(driver.output.at(-1)!);
      expect(concat(server.data)).toEqual(bytes(1, 2, 3));
      driver.feed(server.seal(application_data, bytes(4, 5)));
      expect(concat(driver.data)).toEqual(bytes(4, 5));
      const asked = script.request;
      const signed = asked?.types.includes(64) === true && !title.endsWith("an empty list");
      expect(server.certificateVerify?.scheme).toBe(
        signed ? (asked?.schemes.length === 1 ? 0x0603 : 0x0403) : undefined,
      );
      expect(server.received.filter((name) => name === "Certificate")).toHaveLength(asked === undefined ? 0 : 1);
    });

  it("RFC 5246 §7.2.1 close_notify is answered and ends the connection cleanly", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.feed(server.seal(alert, bytes(1, 0)));
    server.receive(driver.output.at(-1)!);
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
    expect(driver.client.write(bytes(1))).toBe(0);
  });

  it("RFC 5246 §7.2.1 close_notify that crosses ours is not answered again, and neither is a HelloRequest", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.client.close();
    driver.rest();
    driver.feed(server.seal(application_data, bytes(1)));
    driver.feed(server.seal(handshake, bytes(0, 0, 0, 0)));
    driver.feed(server.seal(alert, bytes(1, 0)));
    talk(driver, server);
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
    expect(concat(driver.data)).toEqual(bytes(1));
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
  });

  it("RFC 5246 §6.2.1 empty data records count in a row only", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    for (let i = 0; i < 3; i++) {
      for (let k = 0; k < 32; k++) driver.feed(server.seal(application_data, NONE));
      driver.feed(server.seal(application_data, bytes(i)));
    }
    expect(driver.error).toBeUndefined();
    expect(concat(driver.data)).toEqual(bytes(0, 1, 2));
  });

  it("RFC 5246 §7.4.1.1 a HelloRequest in the handshake gets no answer", () => {
    const server = new ScriptedServer({
      framing: (flight) => plain(handshake, concat([bytes(0, 0, 0, 0), ...flight, bytes(0, 0, 0, 0)])),
    });
    const driver = new Driver();
    talk(driver, server);
    expect(driver.isSecured).toBe(true);
    expect(server.alerts).toEqual([]);
  });

  it("RFC 5246 §7.2.2 a HelloRequest in traffic gets the warning no_renegotiation", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.feed(server.seal(handshake, bytes(0, 0, 0, 0)));
    server.receive(driver.output.at(-1)!);
    expect(server.alerts).toEqual([[1, Alert.no_renegotiation]]);
    expect(driver.error).toBeUndefined();
  });

  it("RFC 5246 §7.2.1 close() in the handshake says close_notify and gives up", () => {
    const driver = new Driver();
    driver.client.close();
    driver.rest();
    expect(driver.output.at(-1)).toEqual(plain(alert, bytes(1, 0)));
    expect(driver.events).toEqual([{ type: "closed", cleanly: false }]);
    expect(driver.client.stateName).toBe("Closed");
  });

  it("what was written before close() still leaves, and what comes after it is refused", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.client.write(bytes(9));
    driver.client.close();
    expect(() => driver.client.write(bytes(1))).toThrow(/after close/);
    driver.rest();
    server.receive(driver.output.at(-1)!);
    expect(concat(server.data)).toEqual(bytes(9));
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
  });
});
