/**
 * What a server does wrong with records (RFC 5246 §6.2), in the clear and under each kind of suite.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import * as suites from "../../../../src/tls/suites.ts";
import { inPieces, plain } from "../scripted-server.ts";
import { bytes, type Deviation, extend, flip, NONE, put } from "./deviation.ts";

const { handshake, alert, change_cipher_spec, application_data } = ContentType;

const cbcSuite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
/** MAC-then-encrypt, with the vector's, MAC's and padding's length known. */
const cbc = { script: { suite: cbcSuite }, options: { suites: [cbcSuite] } };
const etm = { script: { suite: cbcSuite, hello: extend(22) }, options: { suites: [cbcSuite] } };
const chachaSuite = suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
const chacha = { script: { suite: chachaSuite }, options: { suites: [chachaSuite] } };
const badMac = { code: "TLS_BAD_RECORD_MAC", alert: 20 } as const;
/** Text of two blocks: with a MAC of two blocks it takes a whole block of padding. */
const TEXT = new Uint8Array(32).fill(7);
const padding = (length: number, value = length - 1) => new Uint8Array(length).fill(value);
/** Short records were agreed on. */
const short = { script: { hello: extend(1, bytes(1)) }, options: { maxFragmentLength: 512 } } as const;

export const recordDeviations: readonly Deviation[] = [
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
  ...[0, 19, 24, 25, 255].map(
    (type): Deviation => ({
      title: `RFC 5246 §6.2.1 content type ${type}${type === 24 ? ", a heartbeat (CVE-2014-0160)" : ""}`,
      script: { framing: () => plain(type, bytes(1, 0, 1)) },
      code: "TLS_INVALID_RECORD",
      alert: 10,
    }),
  ),
  {
    title: "RFC 6520 a heartbeat in traffic (CVE-2014-0160)",
    traffic: (server) => server.seal(24, bytes(1, 0x40, 0)),
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  ...[0x0100, 0x0204, 0x0400, 0xfefd].map(
    (version): Deviation => ({
      title: `RFC 5246 §E.1 a first record of version ${version.toString(16)}`,
      script: { framing: ([hello]) => plain(handshake, hello!, version) },
      code: "TLS_UNSUPPORTED_VERSION",
      alert: 70,
    }),
  ),
  ...[0x0300, 0x0301, 0x0304].map(
    (version): Deviation => ({
      title: `RFC 5246 §6.2.1 a record of version ${version.toString(16)} behind the ServerHello`,
      script: { framing: ([hello, rest]) => concat([plain(handshake, hello!), plain(handshake, rest!, version)]) },
      code: "TLS_UNSUPPORTED_VERSION",
      alert: 70,
    }),
  ),
  {
    title: "RFC 5246 §6.2.1 a record of version 0302 in traffic",
    traffic: (server) => put(2, 2)(server.seal(application_data, bytes(1))),
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §6.2.1 65,535 bytes announced, and none sent",
    script: { framing: () => bytes(22, 3, 3, 255, 255) },
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.3 2^14 + 2049 bytes announced in traffic, and none sent",
    traffic: () => bytes(23, 3, 3, 0x48, 1),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.1 an empty ChangeCipherSpec record",
    script: { last: () => plain(change_cipher_spec, NONE) },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  ...([handshake, alert, change_cipher_spec] as const).map(
    (type): Deviation => ({
      title: `RFC 5246 §6.2.1 an empty sealed record of type ${type}`,
      traffic: (server) => server.seal(type, NONE),
      code: "TLS_INVALID_RECORD",
      alert: 10,
    }),
  ),
  {
    title: "RFC 5246 §6.2.1 33 empty data records behind one with data",
    traffic: (server) =>
      concat([
        server.seal(application_data, bytes(1)),
        ...Array.from({ length: 33 }, () => server.seal(application_data, NONE)),
      ]),
    code: "TLS_EMPTY_RECORD_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.3.3 two records in the wrong order",
    traffic: (server) => {
      const first = server.seal(application_data, bytes(1));
      return concat([server.seal(application_data, bytes(2)), first]);
    },
    ...badMac,
  },
  {
    title: "RFC 5246 §6.3 our own record sent back",
    traffic: (_, { driver }) => {
      driver.client.write(bytes(1, 2, 3));
      driver.rest();
      return driver.output.at(-1)!;
    },
    ...badMac,
  },
  {
    title: "RFC 5288 §3 another explicit nonce",
    traffic: (server) => flip(5)(server.seal(application_data, bytes(1, 2, 3))),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.3 a changed ciphertext",
    traffic: (server) => flip(13)(server.seal(application_data, bytes(1, 2, 3))),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.3 a record without the last byte of its tag",
    traffic: (server) => plain(application_data, server.seal(application_data, bytes(1, 2, 3)).subarray(5, -1)),
    ...badMac,
  },
  {
    title: "RFC 5246 §7.2.2 an alert in the clear in traffic",
    traffic: () => plain(alert, bytes(2, 40)),
    ...badMac,
  },
  {
    title: "RFC 5246 §7.2.2 a padded alert in the clear in traffic",
    traffic: () => plain(alert, new Uint8Array(40).fill(2)),
    ...badMac,
  },
  // ——— CBC ———
  {
    title: "RFC 5246 §6.2.3.2 CBC: a wrong MAC in front of right padding",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, padding(16), flip(0)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a MAC that is wrong in its last byte",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, padding(16), flip(-1)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: any padding but its last byte (CVE-2014-8730, POODLE of TLS)",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, put(0, 9)(padding(16))),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a wrong padding of a block, with a byte in its middle that differs",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, put(240, 9)(padding(256))),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: padding that is longer than the record (Vaudenay)",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, padding(16, 255)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: padding that leaves no room for a MAC",
    ...cbc,
    traffic: (_, { forger }) => plain(application_data, forger.encrypted(padding(80))),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: no padding at all",
    ...cbc,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT.fill(7), NONE, put(31, 200)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a changed vector",
    ...cbc,
    traffic: (server) => flip(5)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a changed ciphertext",
    ...cbc,
    traffic: (server) => flip(-1)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a length that is no multiple of the block",
    ...cbc,
    traffic: (server) =>
      plain(application_data, concat([server.seal(application_data, TEXT).subarray(5), NONE, bytes(0)])),
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.3.2 CBC: a record of a vector and one block",
    ...cbc,
    traffic: () => plain(application_data, new Uint8Array(32)),
    ...badMac,
  },
  ...[0, 16 + 48 - 1].map(
    (length): Deviation => ({
      title: `RFC 5246 §6.2.3.2 CBC: a record of ${length} bytes, less than vector, MAC and padding take`,
      ...cbc,
      traffic: () => plain(application_data, new Uint8Array(length)),
      ...badMac,
    }),
  ),
  {
    title: "RFC 5246 §6.2.3.2 CBC: a record that is repeated",
    ...cbc,
    traffic: (server) => {
      const record = server.seal(application_data, TEXT);
      return concat([record, record]);
    },
    ...badMac,
  },
  {
    title: "RFC 5246 §6.2.1 CBC: 2^14 + 1 bytes of plaintext",
    ...cbc,
    traffic: (server) => server.seal(application_data, new Uint8Array(0x4001)),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 7366 §3 a record of MAC-then-encrypt, although the other order was agreed on",
    ...etm,
    traffic: (_, { forger }) => forger.macThenEncrypt(TEXT, padding(16)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a record of encrypt-then-MAC, although it was not agreed on",
    ...cbc,
    traffic: (_, { forger }) => forger.encryptThenMac(TEXT, padding(16)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 right MAC, and padding that is wrong but for its last byte",
    ...etm,
    traffic: (_, { forger }) => forger.encryptThenMac(TEXT, put(0, 9)(padding(16))),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 right MAC, and padding that is longer than the text",
    ...etm,
    traffic: (_, { forger }) => forger.encryptThenMac(TEXT, padding(16, 99)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a wrong MAC",
    ...etm,
    traffic: (server) => flip(-1)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a changed vector",
    ...etm,
    traffic: (server) => flip(5)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a changed ciphertext",
    ...etm,
    traffic: (server) => flip(30)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a length that is no multiple of the block",
    ...etm,
    traffic: (server) => plain(application_data, server.seal(application_data, TEXT).subarray(5, -1)),
    ...badMac,
  },
  {
    title: "RFC 7366 §3 a record too short for vector, block and MAC",
    ...etm,
    traffic: () => plain(application_data, new Uint8Array(48)),
    ...badMac,
  },
  // ——— ChaCha20-Poly1305 ———
  {
    title: "RFC 7905 §2 ChaCha20: a wrong tag",
    ...chacha,
    traffic: (server) => flip(-1)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 7905 §2 ChaCha20: a changed ciphertext",
    ...chacha,
    traffic: (server) => flip(5)(server.seal(application_data, TEXT)),
    ...badMac,
  },
  {
    title: "RFC 7905 §2 ChaCha20: a record that is repeated",
    ...chacha,
    traffic: (server) => {
      const record = server.seal(application_data, TEXT);
      return concat([record, record]);
    },
    ...badMac,
  },
  {
    title: "RFC 7905 §2 ChaCha20: a record that is left out",
    ...chacha,
    traffic: (server) => {
      server.seal(application_data, TEXT);
      return server.seal(application_data, TEXT);
    },
    ...badMac,
  },
  {
    title: "RFC 7905 §2 ChaCha20: an explicit nonce in front",
    ...chacha,
    traffic: (server) =>
      plain(application_data, concat([new Uint8Array(8), server.seal(application_data, TEXT).subarray(5)])),
    ...badMac,
  },
  {
    title: "RFC 7905 §2 ChaCha20: a record too short for a tag",
    ...chacha,
    traffic: () => plain(application_data, new Uint8Array(15)),
    ...badMac,
  },
  // ——— max_fragment_length ———
  {
    title: "RFC 6066 §4 513 bytes in the clear, although 512 were agreed on",
    ...short,
    script: {
      ...short.script,
      framing: ([hello, certificate]) =>
        concat([
          plain(handshake, hello!),
          plain(handshake, concat([certificate!, new Uint8Array(513)]).subarray(0, 513)),
        ]),
    },
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 6066 §4 513 bytes of sealed data, although 512 were agreed on",
    script: { ...short.script, framing: inPieces(512) },
    options: short.options,
    traffic: (server) => server.seal(application_data, new Uint8Array(513)),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 6066 §4 more announced than 512 bytes and any protection, and none sent",
    script: { ...short.script, framing: inPieces(512) },
    options: short.options,
    traffic: () => bytes(23, 3, 3, (512 + 2049) >> 8, (512 + 2049) & 255),
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
];
