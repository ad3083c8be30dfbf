/**
 * What a server does wrong with ChangeCipherSpec and Finished.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import * as messages from "../../../../src/tls/messages.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import { plain, type ScriptedServer } from "../scripted-server.ts";
import { bytes, CCS, type Deviation, flip, message, NONE } from "./deviation.ts";

const { handshake, alert, change_cipher_spec, application_data } = ContentType;

const sealedFinished = (server: ScriptedServer, verifyData: Uint8Array) =>
  server.seal(handshake, messages.encodeFinished(verifyData));

export const finishedDeviations: readonly Deviation[] = [
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
  {
    title: "CVE-2014-0224 ChangeCipherSpec behind ServerHelloDone, before the server has our key",
    script: { behindFlight: () => CCS },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
    after: "Finished",
  },
  ...[1, 2, 3].map(
    (count): Deviation => ({
      title: `CVE-2014-0224 ChangeCipherSpec behind ${count} messages of the flight`,
      script: {
        framing: (flight) => concat([...flight.slice(0, count).map((one) => plain(handshake, one)), CCS]),
      },
      code: "TLS_UNEXPECTED_MESSAGE",
      alert: 10,
    }),
  ),
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec in the record of another type",
    script: { last: () => plain(handshake, bytes(1)) },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec of the value 0",
    script: { last: () => plain(change_cipher_spec, bytes(0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec twice, the second in the clear",
    script: { instead: () => concat([CCS, CCS]) },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §7.4.9 no Finished, but data",
    script: { instead: (server) => concat([CCS, server.seal(application_data, bytes(1))]) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.9 an empty Finished",
    script: { verifyData: () => NONE },
    code: "TLS_DECODE_ERROR",
    alert: 50,
    state: "ExpectFinished",
  },
  {
    title: "RFC 5246 §7.4.9 a Finished of 13 bytes, the right ones in front",
    script: { verifyData: (right) => concat([right, bytes(0)]) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.9 a Finished of 36 bytes, as SSL 3 has it",
    script: { verifyData: () => new Uint8Array(36) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.9 a Finished of zeros",
    script: { verifyData: (right) => right.map(() => 0) },
    code: "TLS_BAD_FINISHED",
    alert: 51,
    state: "ExpectFinished",
  },
  {
    title: "RFC 5246 §7.4.9 a Finished that is wrong in its first byte",
    script: { verifyData: flip(0) },
    code: "TLS_BAD_FINISHED",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.9 a second Finished",
    traffic: (server) => sealedFinished(server, new Uint8Array(12)),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5077 §3.3 a ticket in traffic",
    traffic: (server) => server.seal(handshake, message(4, bytes(0, 0, 0, 9, 0, 0))),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
];
