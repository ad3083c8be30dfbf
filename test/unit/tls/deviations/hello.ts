/**
 * What a server does wrong with its ServerHello and the extensions in it.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import * as suites from "../../../../src/tls/suites.ts";
import { alpn, body, bytes, cut, type Deviation, extend, extensions, NONE, without } from "./deviation.ts";

const decodeError = { code: "TLS_DECODE_ERROR", alert: 50 } as const;
/** RFC 5246 §7.2.2: it can be read, but its length is out of place. */
const notEmpty = { code: "TLS_EXTENSION_NOT_EMPTY", alert: 47, mbedtls: -0x7500 } as const;
const duplicate = { code: "TLS_DUPLICATE_EXTENSION", alert: 47 } as const;
const unsolicited = { code: "TLS_UNSOLICITED_EXTENSION", alert: 110 } as const;
const cbcSuite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
/** Replaces the block of extensions, its length included; it stands behind an empty session_id. */
const block = (...values: number[]) => body(0, (all) => concat([all.subarray(0, 38), bytes(...values)]));

export const helloDeviations: readonly Deviation[] = [
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
    ...notEmpty,
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
    ...notEmpty,
  },
  ...[0x0002, 0x0300, 0x0301, 0x0305, 0x7f1c, 0xfefd].map(
    (version): Deviation => ({
      title: `RFC 5246 §7.4.1.3 the version ${version.toString(16).padStart(4, "0")}`,
      script: { hello: (hello) => ({ ...hello, version }) },
      code: "TLS_UNSUPPORTED_VERSION",
      alert: 70,
    }),
  ),
  ...(
    [
      [0x0003, "an export suite (CVE-2015-0204, FREAK)"],
      [0x0017, "an anonymous suite"],
      [0x0033, "a suite of finite-field Diffie-Hellman (Logjam, Raccoon)"],
      [0x009c, "a suite of RSA key transport (ROBOT)"],
      [0x000a, "3DES (SWEET32)"],
      [0x0005, "RC4"],
      [0xc018, "an anonymous suite of ECDH"],
      [0xc023, "a suite of CBC that is known and not offered"],
      [0x00ff, "the signalling value of renegotiation_info"],
      [0x5600, "the signalling value of a fallback"],
      [0x1301, "a suite of TLS 1.3"],
      [0x0a0a, "a suite of GREASE"],
    ] as const
  ).map(
    ([suite, what]): Deviation => ({
      title: `RFC 5246 §7.4.1.3 ${what}`,
      script: { hello: (hello) => ({ ...hello, suite }) },
      code: "TLS_UNOFFERED_SUITE",
      alert: 47,
    }),
  ),
  {
    title: "RFC 5246 §7.4.1.3 a suite that is known here, but is not among those that were offered",
    options: { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] },
    code: "TLS_UNOFFERED_SUITE",
    alert: 47,
  },
  {
    title: "RFC 3749 §2 compression with DEFLATE in the number 255 (CRIME)",
    script: { hello: (hello) => ({ ...hello, compression: 255 }) },
    code: "TLS_UNOFFERED_COMPRESSION",
    alert: 47,
  },
  ...[0, 1, 2, 33, 34, 35, 36, 39, 41, 43].map(
    (length): Deviation => ({
      title: `RFC 5246 §7.4.1.3 a ServerHello that ends after ${length} bytes`,
      script: { flight: cut(0, length) },
      ...decodeError,
    }),
  ),
  {
    title: "RFC 5246 §7.4.1.3 a session_id that is longer than the message",
    script: { flight: cut(0, 60), hello: (hello) => ({ ...hello, sessionId: new Uint8Array(32) }) },
    ...decodeError,
  },
  {
    title: "RFC 5246 §7.4.1.4 one byte where the extensions' length should be",
    script: { flight: block(0) },
    ...decodeError,
  },
  {
    title: "RFC 5246 §7.4.1.4 extensions that are longer than the message",
    script: { flight: block(0, 5, 0xff, 1, 0, 1) },
    ...decodeError,
  },
  {
    title: "RFC 5246 §7.4.1.4 half the head of an extension",
    script: { flight: block(0, 3, 0xff, 1, 0) },
    ...decodeError,
  },
  {
    title: "RFC 5246 §7.4.1.4 an extension that is longer than all of them",
    script: { flight: block(0, 5, 0xff, 1, 0, 2, 0) },
    ...decodeError,
  },
  {
    title: "RFC 5246 §7.4.1.4 extensions that are shorter than what is in them",
    script: { flight: block(0, 4, 0, 23, 0, 0, 0, 11, 0, 0) },
    ...decodeError,
  },
  ...(
    [
      [5, bytes(), "RFC 6066 §8 status_request"],
      [2, bytes(), "RFC 6066 §5 client_certificate_url"],
      [3, bytes(), "RFC 6066 §6 trusted_ca_keys"],
      [4, bytes(), "RFC 6066 §7 truncated_hmac"],
      [12, bytes(0), "RFC 5054 §2.8.1 srp"],
      [14, bytes(0, 2, 0, 1, 0), "RFC 5764 §4.1.1 use_srtp"],
      [15, bytes(1), "RFC 6520 §2 heartbeat (CVE-2014-0160)"],
      [17, bytes(), "RFC 6961 §2.2 status_request_v2"],
      [18, bytes(0, 0), "RFC 6962 §3.3.1 signed_certificate_timestamp"],
      [20, bytes(0), "RFC 7250 §3 a raw public key of the server"],
      [21, bytes(0), "RFC 7685 §3 padding"],
      [28, bytes(2, 0), "RFC 8449 §4 record_size_limit"],
      [41, bytes(0, 0), "RFC 8446 §4.2.11 pre_shared_key"],
      [43, bytes(3, 4), "RFC 8446 §4.2.1 supported_versions"],
      [51, bytes(0, 23, 0, 0), "RFC 8446 §4.2.8 key_share"],
      [54, bytes(1, 1), "RFC 9146 §3 connection_id"],
      [13172, bytes(4, 109, 113, 116, 116), "NPN"],
      [0x0a0a, bytes(), "RFC 8701 §3 a value of GREASE"],
      [0xffff, bytes(1, 2, 3), "RFC 5246 §7.4.1.4 the last number"],
    ] as const
  ).map(
    ([type, data, what]): Deviation => ({
      title: `${what}, which was not asked for`,
      script: { hello: extend(type, data) },
      ...unsolicited,
    }),
  ),
  {
    title: "RFC 6066 §4 max_fragment_length, which was not asked for",
    script: { hello: extend(1, bytes(1)) },
    ...unsolicited,
  },
  {
    title: "RFC 7366 §2 encrypt_then_mac, which was not asked for, as there are only suites of AEAD",
    script: { hello: extend(22) },
    ...unsolicited,
  },
  {
    title: "RFC 7366 §2 encrypt_then_mac, which was switched off",
    script: { suite: cbcSuite, hello: extend(22) },
    options: { suites: [cbcSuite], encryptThenMac: false },
    ...unsolicited,
  },
  {
    title: "RFC 7627 §5.2 no extended master secret, which is demanded",
    script: { hello: extensions([0xff01, bytes(0)]) },
    options: { requireExtendedMasterSecret: true },
    code: "TLS_EXTENDED_MASTER_SECRET",
    alert: 40,
  },
  {
    title: "RFC 7366 §3 encrypt_then_mac for a suite of AEAD, where one of CBC was offered too",
    script: { hello: extend(22) },
    options: { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, cbcSuite] },
    code: "TLS_ENCRYPT_THEN_MAC",
    alert: 47,
  },
  {
    title: "RFC 7366 §2 encrypt_then_mac with contents",
    script: { suite: cbcSuite, hello: extend(22, bytes(0)) },
    options: { suites: [cbcSuite] },
    ...notEmpty,
  },
  {
    title: "RFC 6066 §4 a longer max_fragment_length than was asked for",
    script: { hello: extend(1, bytes(2)) },
    options: { maxFragmentLength: 512 },
    code: "TLS_MAX_FRAGMENT_LENGTH",
    alert: 47,
    mbedtls: -0x6600,
  },
  {
    title: "RFC 6066 §4 a shorter max_fragment_length than was asked for",
    script: { hello: extend(1, bytes(1)) },
    options: { maxFragmentLength: 4096 },
    code: "TLS_MAX_FRAGMENT_LENGTH",
    alert: 47,
  },
  ...[0, 5, 255].map(
    (code): Deviation => ({
      title: `RFC 6066 §4 max_fragment_length number ${code}`,
      script: { hello: extend(1, bytes(code)) },
      options: { maxFragmentLength: 512 },
      code: "TLS_MAX_FRAGMENT_LENGTH",
      alert: 47,
    }),
  ),
  {
    title: "RFC 6066 §4 an empty max_fragment_length",
    script: { hello: extend(1) },
    options: { maxFragmentLength: 512 },
    ...decodeError,
  },
  {
    title: "RFC 6066 §4 max_fragment_length of two bytes",
    script: { hello: extend(1, bytes(1, 1)) },
    options: { maxFragmentLength: 512 },
    ...decodeError,
  },
  ...(
    [
      [0, NONE, {}, "server_name"],
      [1, bytes(1), { maxFragmentLength: 512 }, "max_fragment_length"],
      [10, bytes(0, 2, 0, 23), {}, "supported_groups, which is tolerated once"],
      [11, bytes(1, 0), {}, "ec_point_formats"],
      [16, alpn("mqtt"), { alpn: ["mqtt"] }, "application_layer_protocol_negotiation"],
      [22, NONE, { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, cbcSuite] }, "encrypt_then_mac"],
      [0xff01, bytes(0), {}, "renegotiation_info"],
    ] as const
  ).map(
    ([type, data, options, name]): Deviation => ({
      title: `RFC 5246 §7.4.1.4 ${name} twice`,
      script: {
        hello: extensions([type, data], [type, data]),
        ...(type === 22 ? { suite: cbcSuite } : {}),
      },
      options,
      ...duplicate,
    }),
  ),
  {
    title: "RFC 5746 §3.4 an empty renegotiation_info",
    script: { hello: extensions([0xff01, NONE]) },
    ...decodeError,
  },
  {
    title: "RFC 5746 §3.4 renegotiation_info with the verify_data of another connection (CVE-2009-3555)",
    script: { hello: extensions([0xff01, concat([bytes(24), new Uint8Array(24)])]) },
    code: "TLS_RENEGOTIATION_INFO",
    alert: 40,
  },
  {
    title: "RFC 8422 §5.1.2 ec_point_formats of no bytes",
    script: { hello: extensions([11, NONE]) },
    ...decodeError,
  },
  {
    title: "RFC 8422 §5.1.2 a list of point formats that is longer than its extension",
    script: { hello: extensions([11, bytes(2, 0)]) },
    ...decodeError,
  },
  {
    title: "RFC 8422 §5.2 only formats that are not known",
    script: { hello: extensions([11, bytes(3, 1, 2, 255)]) },
    code: "TLS_ILLEGAL_POINT_FORMATS",
    alert: 47,
  },
  {
    title: "RFC 6066 §3 server_name, although an address of IPv6 was asked for",
    script: { hello: extend(0) },
    options: { serverName: "::1" },
    ...unsolicited,
  },
  {
    title: "RFC 6066 §3 server_name with the name in it",
    script: { hello: extend(0, concat([bytes(0, 12, 0, 0, 9), Buffer.from("localhost")])) },
    ...notEmpty,
  },
  {
    title: "RFC 7301 §3.1 a protocol that only begins like ours",
    script: { hello: extend(16, alpn("mqt")) },
    options: { alpn: ["mqtt"] },
    code: "TLS_UNOFFERED_ALPN",
    alert: 47,
  },
  {
    title: "RFC 7301 §3.1 a protocol in other letters",
    script: { hello: extend(16, alpn("MQTT")) },
    options: { alpn: ["mqtt"] },
    code: "TLS_UNOFFERED_ALPN",
    alert: 47,
  },
  {
    title: "RFC 7301 §3.1 a protocol that is no text",
    script: { hello: extend(16, bytes(0, 3, 2, 0xff, 0xfe)) },
    options: { alpn: ["mqtt"] },
    code: "TLS_UNOFFERED_ALPN",
    alert: 47,
  },
  {
    title: "RFC 7301 §3.1 a protocol that is longer than its list",
    script: { hello: extend(16, bytes(0, 5, 5, 109, 113, 116, 116)) },
    options: { alpn: ["mqtt"] },
    ...decodeError,
  },
  {
    title: "RFC 7301 §3.1 a list that is longer than its extension",
    script: { hello: extend(16, bytes(0, 9, 4, 109, 113, 116, 116)) },
    options: { alpn: ["mqtt"] },
    ...decodeError,
  },
  {
    title: "RFC 7301 §3.1 ALPN of no bytes",
    script: { hello: extend(16) },
    options: { alpn: ["mqtt"] },
    ...decodeError,
  },
];
