/**
 * What a server does wrong with alerts, with renegotiation, and at the end.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import { inPieces, plain } from "../scripted-server.ts";
import { bytes, type Deviation, message, NONE } from "./deviation.ts";

const { handshake, alert, change_cipher_spec, application_data } = ContentType;

export const alertDeviations: readonly Deviation[] = [
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
  ...[0, 3, 255].map(
    (level): Deviation => ({
      title: `RFC 5246 §7.2 an alert of level ${level} in traffic`,
      traffic: (server) => server.seal(alert, bytes(level, 40)),
      code: "TLS_ILLEGAL_ALERT",
      alert: 47,
    }),
  ),
  {
    title: "RFC 5246 §7.2 close_notify of level 0",
    script: { framing: () => plain(alert, bytes(0, 0)) },
    code: "TLS_ILLEGAL_ALERT",
    alert: 47,
  },
  ...[10, 20, 42, 46, 70, 80, 112, 116, 120, 200, 255].map(
    (description): Deviation => ({
      title: `RFC 5246 §7.2.2 the fatal alert ${description}`,
      script: { framing: () => plain(alert, bytes(2, description)) },
      code: "TLS_ALERT_RECEIVED",
      alert: undefined,
      detail: `(${description})`,
    }),
  ),
  {
    title: "RFC 5246 §7.2.2 a fatal alert behind our flight",
    script: { last: () => plain(alert, bytes(2, 42)) },
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2.2 a fatal alert in traffic",
    traffic: (server) => server.seal(alert, bytes(2, 40)),
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2.1 close_notify as a fatal alert in the handshake",
    script: { framing: () => plain(alert, bytes(2, 0)) },
    code: "TLS_CLOSED_IN_HANDSHAKE",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2.1 close_notify behind our flight",
    script: { last: () => plain(alert, bytes(1, 0)) },
    code: "TLS_CLOSED_IN_HANDSHAKE",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2 five warnings of unknown alerts, a byte a record",
    script: {
      framing: () => concat(Array.from({ length: 10 }, (_, i) => plain(alert, bytes(i % 2 === 0 ? 1 : 200)))),
    },
    code: "TLS_WARNING_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.2 five warnings in traffic",
    traffic: (server) => server.seal(alert, bytes(1, 90, 1, 90, 1, 90, 1, 90, 1, 90)),
    code: "TLS_WARNING_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.2 five warnings, with data between them",
    traffic: (server) =>
      concat(
        Array.from({ length: 5 }, () =>
          concat([server.seal(alert, bytes(1, 100)), server.seal(application_data, bytes(1))]),
        ),
      ),
    code: "TLS_WARNING_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 a HelloRequest with contents in the handshake",
    script: { framing: () => plain(handshake, message(0, bytes(1))) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.1 five HelloRequests, a byte a record",
    script: { framing: () => inPieces(1)([new Uint8Array(20)]) },
    code: "TLS_HELLO_REQUEST_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 five HelloRequests, four of them in the handshake",
    script: { framing: (flight) => concat([new Uint8Array(16), ...flight].map((one) => plain(handshake, one))) },
    traffic: (server) => server.seal(handshake, message(0)),
    code: "TLS_HELLO_REQUEST_FLOOD",
    alert: 10,
  },
  {
    title: "CVE-2009-3555 a ServerHello in traffic, as if we had renegotiated",
    traffic: (server) => server.seal(handshake, concat([message(0), message(2, new Uint8Array(38))])),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  ...[1, 2, 3].map(
    (count): Deviation => ({
      title: `RFC 5246 §7.2.1 the end behind ${count} messages of the flight`,
      script: { framing: (flight) => concat(flight.slice(0, count).map((one) => plain(handshake, one))) },
      end: true,
      code: "TLS_CLOSED_WITHOUT_NOTIFY",
      alert: undefined,
    }),
  ),
  {
    title: "RFC 5246 §7.2.1 the end behind our flight",
    script: { last: () => NONE },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
    state: "ExpectChangeCipherSpec",
  },
  {
    title: "RFC 5246 §7.2.1 the end between ChangeCipherSpec and Finished",
    script: { last: (_, [ccs]) => ccs! },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
    state: "ExpectFinished",
  },
  {
    title: "RFC 5246 §7.2.1 the end inside of a message",
    script: { framing: ([hello]) => plain(handshake, hello!.subarray(0, 30)) },
    end: true,
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
  },
];
