/**
 * A client that deviates in one thing, and the error and the alert that the server must give it. Long because it is a table: one entry a
 * deviation.
 *
 * @module
 */

import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import type { TlsErrorCode } from "../../../src/tls/errors.ts";
import type { TlsServerOptions } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { admitByTrust } from "../../../src/tls/server.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { trustAnchors } from "../../../src/tls/x509/trust.ts";
import { crypto, der, ecIdentity, NOW, rsaIdentity, trust } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { type ClientScript, ScriptedClient } from "./scripted-client.ts";
import { inPieces, plain } from "./scripted-server.ts";
import { ecServer, rsaServer, ServerDriver } from "./server.ts";

const { handshake, alert, change_cipher_spec, application_data } = ContentType;
const bytes = (...values: number[]) => Uint8Array.from(values);
const NONE = new Uint8Array(0);

const extend =
  (type: number, data: Uint8Array): NonNullable<ClientScript["hello"]> =>
  (hello) => ({
    ...hello,
    extensions: [...(hello.extensions ?? []).filter((one) => one.type !== type), { type, data }],
  });
const without =
  (type: number): NonNullable<ClientScript["hello"]> =>
  (hello) => ({ ...hello, extensions: hello.extensions?.filter((one) => one.type !== type) });
const flip = (at: number) => (from: Uint8Array) =>
  from.map((byte, i) => (i === (at + from.length) % from.length ? byte ^ 1 : byte));
const sealed = (type: number, body: Uint8Array) => (client: ScriptedClient) => client.seal(type, body);

/** As far as it says. */
const withoutP384: typeof crypto = new Proxy(crypto, {
  get(target, property) {
    if (property === "supports") return (name: string) => name !== "secp384r1";
    const value = Reflect.get(target, property);
    return typeof value === "function" ? value.bind(target) : value;
  },
});

interface Deviation {
  readonly title: string;
  readonly script?: ClientScript;
  readonly options?: Partial<TlsServerOptions>;
  /** What comes once the client is admitted. */
  readonly traffic?: (client: ScriptedClient) => Uint8Array;
  /** The stream ends behind all that. */
  readonly end?: boolean;
  readonly code: TlsErrorCode;
  readonly alert: number | undefined;
  readonly mbedtls?: number;
  readonly detail?: string;
}

const deviations: Deviation[] = [
  // ——— records ———
  {
    title: "RFC 5246 §6.2.1 HTTP instead of TLS",
    script: { first: () => Buffer.from("GET / HTTP/1.1\r\n") },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "RFC 5246 §E.2 a ClientHello of SSL 2",
    script: { first: () => bytes(0x80, 46, 1, 3, 1, 0, 21) },
    code: "TLS_INVALID_RECORD",
    alert: 10,
  },
  {
    title: "RFC 5246 §6.2.1 2^14 + 1 bytes in the clear",
    script: { first: () => plain(handshake, new Uint8Array(0x4001)) },
    code: "TLS_RECORD_OVERFLOW",
    alert: 22,
  },
  {
    title: "RFC 5246 §6.2.1 a record of TLS 1.1 behind the ClientHello",
    script: { records: ([first, ...rest]) => [plain(handshake, first!.subarray(5), 0x0302), ...rest] },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §6.2.3.3 a wrong tag of Finished",
    script: { records: (records) => [...records.slice(0, -1), flip(-1)(records.at(-1)!)] },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §6.2.3.3 a wrong tag of data",
    traffic: (client) => flip(-1)(client.seal(application_data, bytes(1))),
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "RFC 5246 §6.2.3.3 Finished in the clear",
    script: {
      records: (records) => [...records.slice(0, -1), plain(handshake, messages.encodeFinished(new Uint8Array(12)))],
    },
    code: "TLS_BAD_RECORD_MAC",
    alert: 20,
  },
  {
    title: "a handshake message of 2^24 - 1 bytes",
    script: { first: () => plain(handshake, bytes(1, 255, 255, 255)) },
    code: "TLS_MESSAGE_TOO_LONG",
    alert: 47,
  },
  // ——— ClientHello ———
  {
    title: "RFC 5246 §7.4 no ClientHello",
    script: { first: () => plain(handshake, messages.encodeClientKeyExchange(bytes(4))) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 a HelloRequest of a client",
    script: { first: () => plain(handshake, messages.encodeHelloRequest()) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4 two ClientHellos in the handshake",
    script: { first: (hello) => concat([plain(handshake, hello), plain(handshake, hello)]) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec first",
    script: { first: () => plain(change_cipher_spec, bytes(1)) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §10 data first",
    script: { first: () => plain(application_data, bytes(1)) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §E.1 TLS 1.1",
    script: { hello: (hello) => ({ ...hello, version: 0x0302 }) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §E.1 SSL 3.0",
    script: { hello: (hello) => ({ ...hello, version: 0x0300 }) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 8446 §4.2.1 supported_versions without TLS 1.2",
    script: { hello: extend(43, bytes(2, 3, 4)) },
    code: "TLS_UNSUPPORTED_VERSION",
    alert: 70,
  },
  {
    title: "RFC 5246 §7.4.1.2 only compression",
    script: { hello: (hello) => ({ ...hello, compressions: [1] }) },
    code: "TLS_NO_NULL_COMPRESSION",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.1.2 no cipher suites",
    script: { hello: (hello) => ({ ...hello, suites: [] }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.2 a session_id of 33 bytes",
    script: { hello: (hello) => ({ ...hello, sessionId: new Uint8Array(33) }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.2 a ClientHello cut short",
    script: { first: () => plain(handshake, bytes(1, 0, 0, 2, 3, 3)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.3 no suite of ours",
    script: { hello: (hello) => ({ ...hello, suites: [0x1301, 0x009c] }) },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "suite",
  },
  {
    title: "RFC 5246 §7.4.2 only suites for another kind of certificate",
    script: {},
    options: { select: () => ({ identity: rsaServer }) },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "RSA",
  },
  {
    title: "RFC 8422 §5.1.1 no group of ours",
    script: { hello: extend(10, bytes(0, 2, 0, 23)) },
    options: { groups: [suites.secp384r1] },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "group",
  },
  {
    title: "RFC 8422 §5.3 the certificate's curve is not supported",
    script: { hello: extend(10, bytes(0, 2, 0, 29)) },
    options: { groups: [suites.x25519] },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "secp256r1",
  },
  {
    title: "RFC 5246 §7.4.1.4.1 no signature_algorithms, which means SHA-1",
    script: { hello: without(13) },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "signature scheme",
  },
  {
    title: "RFC 5246 §7.4.1.4.1 no scheme for our key",
    script: { hello: extend(13, bytes(0, 2, 4, 1)) },
    code: "TLS_NOTHING_IN_COMMON",
    alert: 40,
    detail: "signature scheme",
  },
  {
    title: "RFC 5246 §7.4.1.4.1 an odd list of schemes",
    script: { hello: extend(13, bytes(0, 1, 4)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.1.4 an extension twice",
    script: { hello: (hello) => ({ ...hello, extensions: [...hello.extensions!, hello.extensions![0]!] }) },
    code: "TLS_DUPLICATE_EXTENSION",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.1.2 no uncompressed points",
    script: { hello: extend(11, bytes(1, 1)) },
    code: "TLS_ILLEGAL_POINT_FORMATS",
    alert: 47,
  },
  {
    title: "RFC 5746 §3.6 renegotiation_info with contents",
    script: { hello: extend(ExtensionType.renegotiation_info, bytes(1, 7)) },
    code: "TLS_RENEGOTIATION_INFO",
    alert: 40,
  },
  {
    title: "RFC 6066 §3 an empty list of names",
    script: { hello: extend(0, bytes(0, 0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 6066 §3 two host names",
    script: { hello: extend(0, bytes(0, 8, 0, 0, 1, 97, 0, 0, 1, 98)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 6066 §3 a host name that is no text",
    script: { hello: extend(0, bytes(0, 4, 0, 0, 1, 255)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 7301 §3.1 an empty protocol name",
    script: { hello: extend(16, bytes(0, 1, 0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 7301 §3.1 bytes behind the protocols",
    script: { hello: extend(16, bytes(0, 2, 1, 97, 0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 7627 §5.1 extended_master_secret with contents",
    script: { hello: extend(23, bytes(0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 6066 §3 select refuses by unrecognized_name",
    options: { select: ({ serverName }) => ({ alert: serverName === "localhost" ? Alert.unrecognized_name : 80 }) },
    code: "TLS_CLIENT_REFUSED",
    alert: 112,
    mbedtls: -0x7800,
    detail: "localhost",
  },
  {
    title: "RFC 7301 §3.2 select refuses by no_application_protocol",
    script: { hello: extend(16, bytes(0, 3, 2, 104, 50)) },
    options: { select: ({ alpn }) => ({ alert: alpn.includes("h2") ? Alert.no_application_protocol : 80 }) },
    code: "TLS_CLIENT_REFUSED",
    alert: 120,
    mbedtls: -0x7580,
    detail: "h2",
  },
  {
    title: "select throws",
    options: {
      select: () => {
        throw new Error("out of order");
      },
    },
    code: "TLS_SERVER_CALLBACK_FAILED",
    alert: 80,
    detail: "out of order",
  },
  // ——— the client's flight ———
  {
    title: "RFC 5246 §7.4.6 an empty list where a certificate is demanded",
    script: { certificates: [] },
    code: "TLS_CLIENT_CERTIFICATE_MISSING",
    alert: 40,
  },
  {
    title: "RFC 5246 §7.4.6 no Certificate message, although it was asked for",
    script: { flight: ([, ...rest]) => rest },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.6 a Certificate that was not asked for",
    script: { flight: (flight) => [messages.encodeCertificate(ecIdentity.certificates), ...flight] },
    options: { clientCertificate: "none" },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.2 a certificate that is none",
    script: { certificates: [bytes(1, 2, 3)] },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 42,
  },
  {
    title: "RFC 5246 §7.4.2 a certificate on a curve that the crypto provider lacks",
    script: { certificates: [der(fixtures.p384ServerCertificate)] },
    options: { crypto: withoutP384 },
    code: "TLS_CERTIFICATE_KEY_TYPE",
    alert: 43,
  },
  {
    title: "RFC 5246 §7.4.2 an empty certificate",
    script: { certificates: [NONE] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.2.2 a certificate that admit does not know",
    options: { admit: () => Alert.access_denied },
    code: "TLS_CLIENT_REFUSED",
    mbedtls: -0x2700,
    alert: 49,
  },
  {
    title: "RFC 5246 §7.2.2 a certificate of a CA that is not trusted",
    options: { admit: admitByTrust({ trust: trustAnchors(fixtures.otherCertificate), crypto, wallMs: () => NOW }) },
    code: "TLS_CLIENT_REFUSED",
    alert: 48,
  },
  {
    title: "RFC 5246 §7.2.2 a certificate that has expired",
    options: { admit: admitByTrust({ trust, crypto, wallMs: () => Date.UTC(2200, 0) }) },
    code: "TLS_CLIENT_REFUSED",
    alert: 45,
  },
  {
    title: "RFC 5280 §4.2.1.12 a server's certificate",
    script: { certificates: [der(fixtures.ecServerCertificate)], key: parsePrivateKey(fixtures.ecServerKey) },
    code: "TLS_CLIENT_REFUSED",
    alert: 43,
  },
  {
    title: "RFC 8422 §5.10 a key that is not on the curve",
    script: { publicKey: flip(40) },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  { title: "RFC 8422 §5.7 an empty key", script: { publicKey: () => NONE }, code: "TLS_DECODE_ERROR", alert: 50 },
  {
    title: "RFC 5246 §7.4.8 a signature of another key",
    script: {
      key: rsaIdentity.privateKey!,
      scheme: suites.rsa_pkcs1_sha256,
      certificateVerify: ({ signature }) => ({ scheme: 0x0403, signature }),
    },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.8 a changed signature",
    script: { certificateVerify: ({ scheme, signature }) => ({ scheme, signature: flip(-1)(signature) }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.8 a scheme that was not asked for",
    script: { scheme: suites.ecdsa_secp384r1_sha384 },
    options: { signatureSchemes: [suites.ecdsa_secp256r1_sha256] },
    code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.8 a scheme for another kind of key",
    script: { certificateVerify: ({ signature }) => ({ scheme: 0x0401, signature }) },
    code: "TLS_SIGNATURE_SCHEME_UNFIT",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.8 no CertificateVerify",
    script: { flight: ([certificate, exchange]) => [certificate!, exchange!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
    detail: "ChangeCipherSpec in ExpectCertificateVerify",
  },
  {
    title: "RFC 5246 §7.4.8 CertificateVerify without a certificate",
    script: {
      certificates: [],
      flight: (flight) => [...flight, messages.encodeCertificateVerify({ scheme: 0x0403, signature: bytes(1) })],
    },
    options: { clientCertificate: "request" },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.9 Finished without ChangeCipherSpec",
    script: { records: (records) => records.filter((_, i) => i !== records.length - 2) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec before CertificateVerify (CVE-2014-0224)",
    script: { records: (records) => [...records.slice(0, 2), records[3]!, records[2]!, records[4]!] },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  { title: "RFC 5246 §7.4.9 a wrong Finished", script: { verifyData: flip(0) }, code: "TLS_BAD_FINISHED", alert: 51 },
  {
    title: "RFC 5246 §7.4.9 Finished of 11 bytes",
    script: { verifyData: (data) => data.subarray(1) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  // ——— alerts and ends ———
  {
    title: "RFC 5246 §7.2.2 a fatal alert in the handshake",
    script: { first: (hello) => concat([plain(handshake, hello), plain(alert, bytes(2, 48))]) },
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
    detail: "unknown_ca (48)",
  },
  {
    title: "RFC 5246 §7.2.1 close_notify in the handshake",
    script: { first: (hello) => concat([plain(handshake, hello), plain(alert, bytes(1, 0))]) },
    code: "TLS_CLOSED_IN_HANDSHAKE",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2 an alert of no level",
    script: { first: (hello) => concat([plain(handshake, hello), plain(alert, bytes(3, 48))]) },
    code: "TLS_ILLEGAL_ALERT",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.2.1 the end of the stream in the handshake",
    end: true,
    script: { records: () => [] },
    code: "TLS_CLOSED_WITHOUT_NOTIFY",
    alert: undefined,
  },
  {
    title: "RFC 5246 §7.2 five warnings",
    traffic: (client) => concat(Array.from({ length: 5 }, () => client.seal(alert, bytes(1, 90)))),
    code: "TLS_WARNING_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.1.1 five renegotiations",
    traffic: (client) => concat(Array.from({ length: 5 }, () => client.seal(handshake, bytes(1, 0, 0, 0)))),
    code: "TLS_HELLO_REQUEST_FLOOD",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4 a handshake message in traffic",
    traffic: sealed(handshake, messages.encodeClientKeyExchange(bytes(4))),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.1 ChangeCipherSpec in traffic",
    traffic: sealed(change_cipher_spec, bytes(1)),
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.2.2 a fatal alert in traffic",
    traffic: sealed(alert, bytes(2, 80)),
    code: "TLS_ALERT_RECEIVED",
    alert: undefined,
  },
];

/** Joins a scripted client and the server until neither has more to say. */
function dialog(client: ScriptedClient, options: Partial<TlsServerOptions> = {}): ServerDriver {
  const driver = new ServerDriver(options);
  relay(client, driver, client.start());
  return driver;
}

function relay(client: ScriptedClient, driver: ServerDriver, first: Uint8Array): void {
  for (let bytes = first; bytes.length > 0; ) {
    driver.feed(bytes);
    bytes = client.receive(concat(driver.output.splice(0)));
  }
}

describe("a client that deviates gets the alert of the RFC", () => {
  it("and one that does not is admitted", () => {
    const client = new ScriptedClient();
    const driver = dialog(client);
    expect(driver.error).toBeUndefined();
    expect(driver.secured).toMatchObject({ serverName: "localhost", extendedMasterSecret: true });
    expect(client.received).toEqual([
      "ServerHello",
      "Certificate",
      "ServerKeyExchange",
      "CertificateRequest",
      "ServerHelloDone",
      "Finished",
    ]);
    expect(client.alerts).toEqual([]);
  });

  it.each(deviations)("$title: $code", (deviation) => {
    const { script, options, traffic, end, code, alert: expected, mbedtls, detail = "" } = deviation;
    const client = new ScriptedClient(script);
    const driver = dialog(client, options);
    if (traffic !== undefined) {
      expect(driver.secured).toBeDefined();
      relay(client, driver, traffic(client));
    } else expect(driver.secured).toBeUndefined();
    if (end === true) {
      driver.server.end();
      driver.rest();
    }
    expect(driver.error).toMatchObject({
      code,
      blame: expect.stringMatching(code === "TLS_SERVER_CALLBACK_FAILED" ? "caller" : "peer|network"),
    });
    expect(driver.error?.message).toContain(detail);
    if (mbedtls !== undefined) expect(driver.error?.mbedtls).toBe(mbedtls);
    const fatal = client.alerts.filter(([level]) => level === 2).map(([, sent]) => sent);
    expect(fatal).toEqual(expected === undefined ? [] : [expected]);
    expect(driver.events.at(-1)?.type).toBe("fatal");
  });
});

describe("what a server must put up with", () => {
  const admitted: readonly (readonly [title: string, script: ClientScript, options?: Partial<TlsServerOptions>])[] = [
    ["RFC 5246 §7.4.1.4 unknown extensions, GREASE among them", { hello: extend(0x1a1a, bytes(0)) }],
    [
      "RFC 5246 §7.4.1.2 unknown suites and compressions",
      { hello: (hello) => ({ ...hello, suites: [0x1a1a, ...hello.suites], compressions: [1, 0] }) },
    ],
    ["RFC 5246 §E.1 a version beyond TLS 1.2", { hello: (hello) => ({ ...hello, version: 0x0304 }) }],
    ["RFC 8446 §4.2.1 TLS 1.3 and TLS 1.2", { hello: extend(43, bytes(4, 3, 4, 3, 3)) }],
    ["RFC 5246 §E.1 a first record of TLS 1.0", { first: (hello) => plain(handshake, hello, 0x0301) }],
    ["RFC 8422 §4 no groups named", { hello: without(10) }],
    ["RFC 8422 §5.1.2 no point formats named", { hello: without(11) }],
    ["RFC 7627 §5.3 no extended master secret", { hello: without(23) }],
    ["RFC 6066 §3 no server_name", { hello: without(0) }],
    ["RFC 6066 §3 a name of another type", { hello: extend(0, bytes(0, 4, 9, 0, 1, 255)) }],
    ["RFC 7301 §3.1 a protocol name that is no text", { hello: extend(16, bytes(0, 2, 1, 255)) }],
    [
      "RFC 5246 §7.4.1.2 a session to resume",
      { hello: (hello) => ({ ...hello, sessionId: new Uint8Array(32).fill(1) }) },
    ],
    ["RFC 5077 §3.2 a ticket asked for", { hello: extend(35, NONE) }],
    ["RFC 5246 §6.2.1 a ClientHello byte by byte", { first: (hello) => inPieces(1)([hello]) }],
    [
      "RFC 5246 §7.4.2 a chain with its CA",
      { certificates: [...ecIdentity.certificates, der(fixtures.caCertificate)] },
    ],
    ["RFC 5246 §7.4.8 CertificateVerify with SHA-384", { scheme: suites.ecdsa_secp384r1_sha384 }],
    ["RFC 5246 §7.4.8 CertificateVerify with SHA-512", { scheme: suites.ecdsa_secp521r1_sha512 }],
    ["RFC 5246 §7.4.6 no certificate, where none is demanded", { certificates: [] }, { clientCertificate: "request" }],
    ["RFC 5246 §7.4.4 a server that asks for none", {}, { clientCertificate: "none" }],
    [
      "RFC 5246 §7.2.2 a warning in the handshake",
      { first: (hello) => concat([plain(handshake, hello), plain(alert, bytes(1, 90))]) },
    ],
  ];
  it.each(admitted.map(([title, script, options]) => ({ title, script, options })))("$title", ({ script, options }) => {
    const client = new ScriptedClient(script);
    const driver = dialog(client, options);
    expect(driver.error).toBeUndefined();
    relay(client, driver, client.seal(application_data, bytes(1, 2)));
    expect(concat(driver.data)).toEqual(bytes(1, 2));
    driver.server.write(bytes(3));
    driver.rest();
    client.receive(concat(driver.output));
    expect(client.data).toEqual([bytes(3)]);
  });

  it("RFC 5746 §3.6 the signalling suite is answered as the extension is", () => {
    const answers = (hello: NonNullable<ClientScript["hello"]>) => {
      const client = new ScriptedClient({ hello });
      dialog(client);
      return client.serverHello?.extensions?.find(({ type }) => type === 0xff01)?.data;
    };
    expect(answers(without(0xff01))).toBeUndefined();
    expect(answers((hello) => without(0xff01)({ ...hello, suites: [...hello.suites, 0x00ff] }))).toEqual(bytes(0));
    expect(answers((hello) => hello)).toEqual(bytes(0));
  });

  it("RFC 5246 §7.4.1.4 nothing is answered that was not asked for", () => {
    const client = new ScriptedClient({
      hello: (hello) => ({ ...hello, extensions: hello.extensions?.filter(({ type }) => type === 10 || type === 13) }),
    });
    dialog(client);
    expect(client.serverHello).toMatchObject({ extensions: undefined });
  });

  it("RFC 5246 §7.4.1.4 each extension that was asked for is answered, in the form of its RFC", () => {
    const asked = [extend(16, bytes(0, 5, 4, 109, 113, 116, 116)), extend(1, bytes(2)), extend(22, NONE)];
    const client = new ScriptedClient({
      hello: (hello) => asked.reduce((before, one) => one(before), hello),
    });
    dialog(client, { select: () => ({ identity: ecServer, alpn: "mqtt" }) });
    // encrypt_then_mac is for suites of CBC only (RFC 7366 §3).
    expect(client.serverHello?.extensions).toEqual([
      { type: 0, data: NONE },
      { type: 0xff01, data: bytes(0) },
      { type: 11, data: bytes(1, 0) },
      { type: 16, data: bytes(0, 5, 4, 109, 113, 116, 116) },
      { type: 1, data: bytes(2) },
      { type: 23, data: NONE },
    ]);
  });

  it("RFC 5246 §7.2.2 a renegotiation is refused with a warning, and data go on", () => {
    const client = new ScriptedClient();
    const driver = dialog(client);
    relay(client, driver, client.seal(handshake, new ScriptedClient().start().subarray(5)));
    relay(client, driver, client.seal(application_data, bytes(1)));
    expect(client.alerts).toEqual([[1, Alert.no_renegotiation]]);
    expect(driver.data).toEqual([bytes(1)]);
  });

  it("RFC 5246 §7.2.1 close_notify is answered", () => {
    const client = new ScriptedClient();
    const driver = dialog(client);
    relay(client, driver, client.seal(alert, bytes(1, 0)));
    expect(client.alerts).toEqual([[1, 0]]);
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
  });

  it("an empty list of certificates is told to admit, where one was asked for", () => {
    const seen: number[] = [];
    const admit = (certificates: readonly unknown[]) => {
      seen.push(certificates.length);
      return Alert.certificate_required;
    };
    const client = new ScriptedClient({ certificates: [] });
    expect(dialog(client, { clientCertificate: "request", admit }).error).toMatchObject({ code: "TLS_CLIENT_REFUSED" });
    expect(client.alerts).toEqual([[2, 116]]);
    dialog(new ScriptedClient(), { clientCertificate: "none", admit });
    expect(seen).toEqual([0]);
  });

  it("RFC 5246 §7.4.8 admit is asked only about who proved to hold the key", () => {
    const seen: string[] = [];
    const admit = (certificates: readonly { readonly subject: unknown }[]) => {
      seen.push(String(certificates[0]?.subject));
      return undefined;
    };
    dialog(
      new ScriptedClient({
        certificateVerify: ({ scheme, signature }) => ({ scheme, signature: flip(-1)(signature) }),
      }),
      { admit },
    );
    expect(seen).toEqual([]);
    dialog(new ScriptedClient(), { admit });
    expect(seen).toHaveLength(1);
  });
});
