/**
 * What a server does wrong where it was asked for a stapled OCSP response (RFC 6066 §8).
 *
 * @module
 */

import { encodeCertificateStatus } from "../../../../src/tls/messages.ts";
import { revocationChecks } from "../../../../src/tls/x509/revocation.ts";
import * as pki from "../../x509/pki.ts";
import { type OcspInput, ocsp, ocspFailure } from "../../x509/revocation-writer.ts";
import { bytes, type Deviation, extend, message, NONE } from "./deviation.ts";

const root = pki.ca("root");
const leaf = pki.server(root, { serial: 9 });
const demanding = pki.server(root, {
  extensions: { others: [{ oid: "1.3.6.1.5.5.7.1.24", critical: false, value: bytes(0x30, 3, 2, 1, 5) }] },
});
const right: OcspInput = { issuer: root, subject: leaf };

const asking = (ocsp: "request" | "require") => ({ verification: { revocation: revocationChecks({ ocsp }) } });

/** A server that answers status_request, and sends these messages behind its Certificate. */
const answering = (
  messages: readonly Uint8Array[],
  { ocsp: mode = "request", subject = leaf }: { ocsp?: "request" | "require"; subject?: pki.Entity } = {},
): Pick<Deviation, "script" | "options"> => ({
  script: {
    certificates: [subject.der],
    key: subject.key,
    hello: extend(5),
    flight: ([hello, certificate, ...rest]) => [hello!, certificate!, ...messages, ...rest],
  },
  options: { trust: pki.anchors(root), wallMs: () => pki.NOW, serverName: "thing.example.com", ...asking(mode) },
});
const stapled = (response: Uint8Array) => answering([encodeCertificateStatus(response)]);
const silent = (mode: "request" | "require", subject = leaf): Pick<Deviation, "script" | "options"> => ({
  script: { certificates: [subject.der], key: subject.key },
  options: { ...answering([]).options, ...asking(mode) },
});
const rejected = (problem: string, alert = 113) => ({ code: "TLS_CERTIFICATE_REJECTED", alert, problem }) as const;
const unexpected = (detail: string) => ({ code: "TLS_UNEXPECTED_MESSAGE", alert: 10, detail }) as const;

export const statusDeviations: readonly Deviation[] = [
  {
    title: "RFC 6066 §8 CertificateStatus twice",
    ...answering([encodeCertificateStatus(ocsp(right)), encodeCertificateStatus(ocsp(right))]),
    ...unexpected("CertificateStatus in ExpectServerKeyExchange"),
  },
  {
    title: "RFC 6066 §8 CertificateStatus in front of Certificate",
    ...answering([]),
    script: {
      ...answering([]).script,
      flight: ([hello, ...rest]) => [hello!, encodeCertificateStatus(ocsp(right)), ...rest],
    },
    ...unexpected("CertificateStatus in ExpectCertificate"),
  },
  {
    title: "RFC 6066 §8 CertificateStatus behind ServerKeyExchange",
    ...answering([]),
    script: {
      ...answering([]).script,
      flight: ([hello, certificate, exchange, ...rest]) => [
        hello!,
        certificate!,
        exchange!,
        encodeCertificateStatus(ocsp(right)),
        ...rest,
      ],
    },
    ...unexpected("CertificateStatus in ExpectCertificateRequestOrServerHelloDone"),
  },
  {
    title: "RFC 6066 §8 CertificateStatus without status_request in the ServerHello",
    ...stapled(ocsp(right)),
    script: { ...stapled(ocsp(right)).script, hello: (hello) => hello },
    ...unexpected("CertificateStatus in ExpectServerKeyExchange"),
  },
  {
    title: "RFC 6066 §8 neither CertificateStatus nor ServerKeyExchange",
    ...answering([message(14)]),
    ...unexpected("ServerHelloDone in ExpectCertificateStatusOrServerKeyExchange"),
  },
  {
    title: "RFC 6066 §8 a status_request that is not empty",
    ...answering([]),
    script: { ...answering([]).script, hello: extend(5, bytes(1)) },
    code: "TLS_EXTENSION_NOT_EMPTY",
    alert: 47,
  },
  {
    title: "RFC 6066 §8 a status that is no OCSP",
    ...answering([message(22, bytes(2, 0, 0, 1, 0))]),
    code: "TLS_DECODE_ERROR",
    alert: 50,
    detail: "status_type 2",
  },
  {
    title: "RFC 6066 §8 an empty OCSP response",
    ...answering([message(22, bytes(1, 0, 0, 0))]),
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 6066 §8 a status with a byte behind it",
    ...answering([message(22, bytes(1, 0, 0, 1, 0, 0))]),
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  { title: "RFC 6066 §8 an empty status", ...answering([message(22, NONE)]), code: "TLS_DECODE_ERROR", alert: 50 },
  {
    title: "RFC 6960 §4.2.1 an OCSP response that is no DER",
    ...stapled(bytes(1, 2, 3)),
    ...rejected("X509_OCSP_MALFORMED"),
  },
  { title: "RFC 6960 §2.3 an OCSP error", ...stapled(ocspFailure(3)), ...rejected("X509_OCSP_STATUS") },
  {
    title: "RFC 6960 §2.2 an OCSP response with the status unknown",
    ...stapled(ocsp({ ...right, status: "unknown" })),
    ...rejected("X509_OCSP_STATUS"),
  },
  {
    title: "RFC 6960 §2.2 an OCSP response with the status revoked",
    ...stapled(ocsp({ ...right, status: "revoked" })),
    ...rejected("X509_REVOKED", 44),
  },
  {
    title: "RFC 6960 §3.2 an OCSP response for another certificate",
    ...stapled(ocsp({ ...right, subject: demanding })),
    ...rejected("X509_OCSP_STATUS"),
  },
  {
    title: "RFC 6960 §4.2.2.1 an OCSP response of yesterday",
    ...stapled(ocsp({ ...right, thisUpdate: pki.NOW - 2 * pki.DAY, nextUpdate: pki.NOW - pki.DAY })),
    ...rejected("X509_OCSP_EXPIRED"),
  },
  {
    title: "RFC 6960 §4.2.2.2 an OCSP response that the server signed itself",
    ...stapled(ocsp({ ...right, responder: leaf })),
    ...rejected("X509_OCSP_NOT_TRUSTED"),
  },
  {
    title: "RFC 6066 §8 no CertificateStatus though it was announced and required",
    ...answering([], { ocsp: "require" }),
    ...rejected("X509_OCSP_MISSING"),
  },
  {
    title: "RFC 6066 §8 no OCSP response where it is required",
    ...silent("require"),
    ...rejected("X509_OCSP_MISSING"),
  },
  {
    title: "RFC 7633 §4.2.2 no OCSP response for a certificate that must be stapled",
    ...silent("request", demanding),
    ...rejected("X509_OCSP_MISSING"),
  },
];
