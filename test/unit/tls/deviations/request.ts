/**
 * What a server does wrong with CertificateRequest and ServerHelloDone.
 *
 * @module
 */

import * as messages from "../../../../src/tls/messages.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import { plain } from "../scripted-server.ts";
import { body, bytes, type Deviation, message, NONE, REQUEST } from "./deviation.ts";

const { handshake } = ContentType;

const decodeError = { code: "TLS_DECODE_ERROR", alert: 50 } as const;
/** A CertificateRequest of those bytes. */
const request = (title: string, ...values: number[]): Deviation => ({
  title: `RFC 5246 §7.4.4 ${title}`,
  script: { request: REQUEST, flight: body(3, () => bytes(...values)) },
  ...decodeError,
});

export const requestDeviations: readonly Deviation[] = [
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
    after: "Finished",
  },
  {
    title: "RFC 5246 §7.4 a message longer than is allowed",
    script: { flight: ([hello]) => [hello!, bytes(11, 1, 0, 1)] },
    code: "TLS_MESSAGE_TOO_LONG",
    alert: 47,
  },
  request("an empty request"),
  request("types that are longer than the message", 9, 64),
  request("no schemes' length", 1, 64),
  request("half the schemes' length", 1, 64, 0),
  request("schemes that are longer than the message", 1, 64, 0, 4, 4, 3),
  request("no authorities' length", 1, 64, 0, 2, 4, 3),
  request("authorities that are longer than the message", 1, 64, 0, 2, 4, 3, 0, 1),
  request("half the length of an authority", 1, 64, 0, 2, 4, 3, 0, 1, 0),
  request("an authority that is longer than the list", 1, 64, 0, 2, 4, 3, 0, 3, 0, 2, 48),
  request("bytes behind the authorities", 1, 64, 0, 2, 4, 3, 0, 0, 0),
  request("a request of TLS 1.1, without schemes", 1, 64, 0, 0),
  {
    title: "RFC 5246 §7.4.4 a request before the Certificate",
    script: { request: REQUEST, flight: ([a, b, c, d, e]) => [a!, d!, b!, c!, e!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    state: "ExpectCertificate",
  },
  {
    title: "RFC 5246 §7.4.4 a request behind ServerHelloDone",
    script: { behindFlight: () => plain(handshake, messages.encodeCertificateRequest(REQUEST)) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    after: "Finished",
    state: "ExpectChangeCipherSpec",
  },
  {
    title: "RFC 5246 §7.4.5 two ServerHelloDones",
    script: { behindFlight: () => plain(handshake, messages.encodeServerHelloDone()) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    after: "Finished",
  },
  {
    title: "RFC 5246 §7.4.5 ServerHelloDone right behind the ServerHello (SKIP)",
    script: { flight: ([hello, , , done]) => [hello!, done!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    state: "ExpectCertificate",
  },
  {
    title: "RFC 5246 §7.4.5 ServerHelloDone with contents behind a request",
    script: { request: REQUEST, flight: body(4, () => bytes(0)) },
    ...decodeError,
  },
  {
    title: "RFC 6066 §8 a CertificateStatus, which was not asked for",
    script: { flight: ([a, b, ...rest]) => [a!, b!, message(22, bytes(1, 0, 0, 0)), ...rest] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
];
