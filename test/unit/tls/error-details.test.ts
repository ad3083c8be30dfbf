/**
 * What an error tells beside its code: each place that throws one says in the message what it saw and what it wanted, and gives the same
 * values as `data`. The server is one of the table of deviations.
 */
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import type { TlsError } from "../../../src/tls/errors.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import type { ClientHello } from "../../../src/tls/messages.ts";
import * as suites from "../../../src/tls/suites.ts";
import { crypto, Driver, ecIdentity } from "./client.ts";
import { deviations } from "./deviations/all.ts";
import { CbcForger } from "./deviations/cbc-forger.ts";
import { type ClientScript, ScriptedClient } from "./scripted-client.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { ServerDriver } from "./server.ts";

/** The error that a row of the table leads to. */
function errorOf(title: string): TlsError {
  const deviation = deviations.find((row) => row.title === title);
  if (deviation === undefined) throw new Error(`no row of the title ${title}`);
  const forger = new CbcForger(crypto);
  const server = new ScriptedServer(deviation.script, forger.crypto);
  const driver = new Driver({ identity: ecIdentity, ...deviation.options });
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
    driver.feed(server.receive(out));
  if (deviation.traffic !== undefined) driver.feed(deviation.traffic(server, { driver, forger }));
  if (deviation.end === true) driver.client.end();
  driver.rest();
  if (driver.error === undefined) throw new Error(`no error of the row ${title}`);
  return driver.error;
}

/** What is known of where it happened is in all of them. */
function valuesOf({ data }: TlsError): Record<string, unknown> {
  const { state: _, phase: __, ...values } = data as Record<string, unknown>;
  return values;
}

const unreadable = (message: string, offset: number) => ({ message, offset });

const rows: readonly [title: string, detail: string, values?: Record<string, unknown>][] = [
  ["RFC 5246 §6.2.1 an empty ChangeCipherSpec record", "an empty record of type 20"],
  ["RFC 5246 §6.2.1 a record of SSL 2", "a record of version 0x0200", { version: "0x0200" }],
  ["RFC 5246 §6.2.1 2^14 + 1 bytes in the clear", "16385 bytes, 16384 allowed", { length: 16_385, most: 16_384 }],
  [
    "RFC 5246 §6.2.1 2^14 + 1 bytes of plaintext, sealed",
    "16385 bytes of plaintext, 16384 allowed",
    { length: 16_385, most: 16_384 },
  ],
  ["RFC 5288 §3 a record too short for nonce and tag", "23 bytes are too few for nonce and tag", { length: 23 }],
  [
    "RFC 5246 §7.4 16,777,215 bytes announced",
    "type 11 announces 16777215 bytes, 65536 allowed",
    { type: 11, length: 16_777_215, allowed: 65_536 },
  ],
  ["RFC 5246 §7.1 ChangeCipherSpec of the value 0", "a malformed ChangeCipherSpec"],
  ["RFC 5246 §7.1 ChangeCipherSpec inside of a message", "ChangeCipherSpec inside of another message"],
  ["RFC 5246 §7.2 an alert of level 0 in traffic", "level 0", { level: 0, alert: 40 }],
  [
    "RFC 5246 §7.4.1.1 a HelloRequest with contents in the handshake",
    "HelloRequest at byte 0: 1 byte(s) left behind the empty message",
    unreadable("HelloRequest", 0),
  ],
  [
    "RFC 5246 §7.4 an unknown handshake type",
    "handshake type 99 in ExpectServerHello",
    { expected: ["ServerHello"], got: "handshake type 99" },
  ],
  ["RFC 5246 §7.4.1.3 TLS 1.1", "the server chose 0x0302", { version: "0x0302" }],
  ["RFC 5246 §7.4.1.3 a suite that was not offered", "0xCCA9", { chosen: "0xCCA9" }],
  ["RFC 3749 §2 compression with DEFLATE in the number 255 (CRIME)", "method 255"],
  [
    "RFC 5246 §7.4.1.3 a ServerHello cut short",
    "ServerHello at byte 37: 1 byte(s) wanted, 0 there",
    unreadable("ServerHello", 37),
  ],
  [
    "RFC 5246 §7.4.1.3 a session_id of 33 bytes",
    "ServerHello at byte 35: a session_id of 33 bytes",
    unreadable("ServerHello", 35),
  ],
  [
    "RFC 5246 §7.4.1.3 bytes behind the extensions",
    "ServerHello at byte 55: 1 byte(s) left behind the extensions",
    unreadable("ServerHello", 55),
  ],
  ["RFC 5246 §7.4.1.4 an extension twice", "type 23", { extension: 23 }],
  ["NPN, which was not asked for", "type 13172", { extension: 13_172 }],
  [
    "RFC 7366 §3 encrypt_then_mac for a suite of AEAD, where one of CBC was offered too",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  ],
  ["RFC 6066 §3 server_name with contents", "server_name, 1 bytes", { extension: "server_name" }],
  ["RFC 7366 §2 encrypt_then_mac with contents", "encrypt_then_mac, 1 bytes", { extension: "encrypt_then_mac" }],
  [
    "RFC 7627 §5.1 extended_master_secret with contents",
    "extended_master_secret, 1 bytes",
    { extension: "extended_master_secret" },
  ],
  ["RFC 6066 §8 a status_request that is not empty", "status_request, 1 bytes", { extension: "status_request" }],
  ["RFC 6066 §4 a longer max_fragment_length than was asked for", "1024 bytes, asked for: 512"],
  ["RFC 6066 §4 max_fragment_length number 0", "number 0"],
  [
    "RFC 6066 §4 max_fragment_length of two bytes",
    "max_fragment_length at byte 1: 1 byte(s) left behind max_fragment_length",
    unreadable("max_fragment_length", 1),
  ],
  ["RFC 5746 §3.4 renegotiation_info with contents", "1 bytes"],
  [
    "RFC 5746 §3.4 bytes behind renegotiation_info",
    "renegotiation_info at byte 1: 1 byte(s) left behind renegotiated_connection",
    unreadable("renegotiation_info", 1),
  ],
  ["RFC 8422 §5.2 only formats that are not known", "only 1, 2, 255"],
  [
    "RFC 8422 §5.1.2 an empty list of point formats",
    "ec_point_formats at byte 1: an empty list",
    unreadable("ec_point_formats", 1),
  ],
  [
    "RFC 8422 §5.1.2 bytes behind the list of point formats",
    "ec_point_formats at byte 2: 1 byte(s) left behind ec_point_format_list",
    unreadable("ec_point_formats", 2),
  ],
  ["RFC 7301 §3.1 a protocol in other letters", '"MQTT", offered: mqtt', { chosen: "MQTT", offered: ["mqtt"] }],
  [
    "RFC 7301 §3.1 an empty protocol name",
    "application_layer_protocol_negotiation at byte 3: an empty protocol name",
    unreadable("application_layer_protocol_negotiation", 3),
  ],
  [
    "RFC 7301 §3.1 bytes behind the protocol list",
    "application_layer_protocol_negotiation at byte 7: 1 byte(s) left behind protocol_name_list",
    unreadable("application_layer_protocol_negotiation", 7),
  ],
  [
    "RFC 7301 §3.1 two protocols",
    "application_layer_protocol_negotiation at byte 7: 5 byte(s) left behind the one protocol name",
    unreadable("application_layer_protocol_negotiation", 7),
  ],
  [
    "RFC 5246 §7.4.2 bytes behind the list",
    "Certificate at byte 503: 1 byte(s) left behind certificate_list",
    unreadable("Certificate", 503),
  ],
  [
    "RFC 5246 §7.4.2 an empty certificate behind the right one",
    "Certificate at byte 506: ASN.1Cert is empty",
    unreadable("Certificate", 506),
  ],
  ["RFC 5246 §7.4.2 an RSA certificate for an ECDSA suite", "RSA 2048 bit for TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
  ["RFC 8422 §5.3 a key on a curve that was not offered", "secp384r1"],
  ["RFC 8422 §5.4 a curve that was not offered", "0x001A"],
  ["RFC 8422 §5.4 curve type 0 instead of a named curve", "curve type 0 instead of a named curve"],
  ["RFC 8422 §5.4 a point of P-256 that is a byte short", "secp256r1"],
  [
    "RFC 8422 §5.4 an empty key",
    "ServerKeyExchange at byte 4: the ephemeral key is empty",
    unreadable("ServerKeyExchange", 4),
  ],
  ["RFC 5246 §7.4.3 a scheme that was not offered (CVE-2026-25834)", "ecdsa_secp256r1_sha256 (0x0403)"],
  ["RFC 5246 §7.4.3 an RSA scheme with a P-256 key", "rsa_pkcs1_sha256 with a key of type secp256r1"],
  ["RFC 5246 §7.4.3 a wrong RSA signature", "rsa_pss_rsae_sha256"],
  [
    "RFC 5246 §7.4.4 a request without types",
    "CertificateRequest at byte 1: certificate_types is empty",
    unreadable("CertificateRequest", 1),
  ],
  [
    "RFC 5246 §7.4.4 half a scheme",
    "CertificateRequest at byte 4: supported_signature_algorithms of 3 bytes",
    unreadable("CertificateRequest", 4),
  ],
  [
    "RFC 5246 §7.4.4 an empty authority",
    "CertificateRequest at byte 27: a DistinguishedName is empty",
    unreadable("CertificateRequest", 27),
  ],
  [
    "RFC 5246 §7.4.5 ServerHelloDone with contents",
    "ServerHelloDone at byte 0: 1 byte(s) left behind the empty message",
    unreadable("ServerHelloDone", 0),
  ],
  [
    "RFC 5246 §7.4.9 a Finished of 13 bytes, the right ones in front",
    "Finished at byte 12: 1 byte(s) left behind verify_data",
    unreadable("Finished", 12),
  ],
  [
    "RFC 5246 §7.4.9 no Finished, but data",
    "ApplicationData in ExpectFinished",
    { expected: ["Finished"], got: "ApplicationData" },
  ],
];

const bytes = (...values: number[]) => Uint8Array.from(values);

/** Replaces an extension of the ClientHello. */
const extend =
  (type: number, ...data: number[]) =>
  (hello: ClientHello): ClientHello => ({
    ...hello,
    extensions: [...hello.extensions!.filter((one) => one.type !== type), { type, data: bytes(...data) }],
  });

/** A message of less than 255 bytes with one more. */
const longer = (message: Uint8Array): Uint8Array =>
  concat([message.subarray(0, 3), bytes(message[3]! + 1), message.subarray(4), bytes(0)]);

/** What a server says of a client's mistakes. */
const toServer: readonly {
  readonly title: string;
  readonly hello?: ClientScript["hello"];
  readonly script?: ClientScript;
  readonly detail: string;
  readonly values?: Record<string, unknown>;
}[] = [
  {
    title: "RFC 5246 §E.1 TLS 1.1",
    hello: (hello) => ({ ...hello, version: 0x0302 }),
    detail: "the client offers 0x0302",
    values: { version: "0x0302" },
  },
  {
    title: "RFC 8446 §4.2.1 only versions that are not ours",
    hello: extend(ExtensionType.supported_versions, 4, 3, 4, 3, 1),
    detail: "the client offers 0x0304, 0x0301",
    values: { version: "0x0304, 0x0301" },
  },
  {
    title: "RFC 5246 §7.4.1.2 only compression",
    hello: (hello) => ({ ...hello, compressions: [1, 64] }),
    detail: "only 1, 64",
  },
  {
    title: "RFC 5246 §7.4.1.2 no suites",
    hello: (hello) => ({ ...hello, suites: [] }),
    detail: "ClientHello at byte 37: cipher_suites is empty",
    values: unreadable("ClientHello", 37),
  },
  {
    title: "RFC 5246 §7.4.1.2 no compressions",
    hello: (hello) => ({ ...hello, compressions: [] }),
    detail: "ClientHello at byte 40: compression_methods is empty",
    values: unreadable("ClientHello", 40),
  },
  {
    title: "RFC 5246 §7.4.1.4 an extension twice",
    hello: (hello) => ({ ...hello, extensions: [...hello.extensions!, { type: 10, data: bytes(0, 2, 0, 23) }] }),
    detail: "type 10",
    values: { extension: 10 },
  },
  {
    title: "RFC 5246 §7.4.1.3 no suite of ours",
    hello: (hello) => ({ ...hello, suites: [0x1301] }),
    detail: "no cipher suite for an ECDSA certificate",
  },
  {
    title: "RFC 8422 §5.3 no curve for the certificate",
    hello: extend(ExtensionType.supported_groups, 0, 2, 0, 29),
    detail: "no curve for a certificate on secp256r1",
  },
  {
    title: "RFC 8422 §5.3 another curve than the certificate's",
    hello: extend(ExtensionType.supported_groups, 0, 2, 0, 24),
    detail: "no curve for a certificate on secp256r1",
  },
  {
    title: "RFC 5246 §7.4.1.4.1 no scheme for the key",
    hello: extend(ExtensionType.signature_algorithms, 0, 2, 4, 1),
    detail: "no signature scheme",
  },
  {
    title: "RFC 8422 §5.1.1 no groups",
    hello: extend(ExtensionType.supported_groups, 0, 0),
    detail: "supported_groups at byte 2: named_group_list is empty",
    values: unreadable("supported_groups", 2),
  },
  {
    title: "RFC 5246 §7.4.1.4.1 half a scheme",
    hello: extend(ExtensionType.signature_algorithms, 0, 1, 4),
    detail: "signature_algorithms at byte 2: supported_signature_algorithms of 1 bytes",
    values: unreadable("signature_algorithms", 2),
  },
  {
    title: "RFC 8446 §4.2.1 no versions",
    hello: extend(ExtensionType.supported_versions, 0),
    detail: "supported_versions at byte 1: versions is empty",
    values: unreadable("supported_versions", 1),
  },
  {
    title: "RFC 8446 §4.2.1 bytes behind the versions",
    hello: extend(ExtensionType.supported_versions, 2, 3, 3, 0),
    detail: "supported_versions at byte 3: 1 byte(s) left behind the extension supported_versions",
    values: unreadable("supported_versions", 3),
  },
  {
    title: "RFC 6066 §3 an empty list of names",
    hello: extend(ExtensionType.server_name, 0, 0),
    detail: "server_name at byte 2: server_name_list is empty",
    values: unreadable("server_name", 2),
  },
  {
    title: "RFC 6066 §3 an empty name",
    hello: extend(ExtensionType.server_name, 0, 3, 0, 0, 0),
    detail: "server_name at byte 5: a name is empty",
    values: unreadable("server_name", 5),
  },
  {
    title: "RFC 6066 §3 two host names",
    hello: extend(ExtensionType.server_name, 0, 8, 0, 0, 1, 97, 0, 0, 1, 98),
    detail: "server_name at byte 10: two host names",
    values: unreadable("server_name", 10),
  },
  {
    title: "RFC 6066 §3 a host name that is no text",
    hello: extend(ExtensionType.server_name, 0, 4, 0, 0, 1, 255),
    detail: "server_name at byte 6: a host name that is no text",
    values: unreadable("server_name", 6),
  },
  {
    title: "RFC 6066 §4 a fifth max_fragment_length",
    hello: extend(ExtensionType.max_fragment_length, 5),
    detail: "number 5",
  },
  {
    title: "RFC 6066 §4 bytes behind max_fragment_length",
    hello: extend(ExtensionType.max_fragment_length, 1, 0),
    detail: "max_fragment_length at byte 1: 1 byte(s) left behind max_fragment_length",
    values: unreadable("max_fragment_length", 1),
  },
  {
    title: "RFC 7301 §3.1 no protocols",
    hello: extend(ExtensionType.application_layer_protocol_negotiation, 0, 0),
    detail: "application_layer_protocol_negotiation at byte 2: protocol_name_list is empty",
    values: unreadable("application_layer_protocol_negotiation", 2),
  },
  {
    title: "RFC 7301 §3.1 an empty protocol",
    hello: extend(ExtensionType.application_layer_protocol_negotiation, 0, 1, 0),
    detail: "application_layer_protocol_negotiation at byte 3: a protocol name is empty",
    values: unreadable("application_layer_protocol_negotiation", 3),
  },
  {
    title: "RFC 8422 §5.7 an empty key",
    script: { publicKey: () => bytes() },
    detail: "ClientKeyExchange at byte 1: the ephemeral key is empty",
    values: unreadable("ClientKeyExchange", 1),
  },
  {
    title: "RFC 8422 §5.7 bytes behind the key",
    script: { flight: (flight) => flight.map((one) => (one[0] === 16 ? longer(one) : one)) },
    detail: "ClientKeyExchange at byte 66: 1 byte(s) left behind the ephemeral key",
    values: unreadable("ClientKeyExchange", 66),
  },
  {
    title: "RFC 8422 §5.10 a key that is no point",
    script: { publicKey: () => new Uint8Array(65).fill(4) },
    detail: "secp256r1",
  },
  {
    title: "RFC 5246 §7.4.8 a scheme for another kind of key",
    script: { certificateVerify: (right) => ({ ...right, scheme: suites.rsa_pkcs1_sha256.id }) },
    detail: "rsa_pkcs1_sha256 with a key of type secp256r1",
  },
  {
    title: "RFC 5246 §7.4.8 a scheme that was not asked for",
    script: { certificateVerify: (right) => ({ ...right, scheme: 0x0203 }) },
    detail: "0x0203",
  },
];

describe("an error says what came and what was wanted", () => {
  it.each(rows)("%s: %s", (title, detail, values = {}) => {
    const error = errorOf(title);
    expect(error.message).toMatch(/^.+: /);
    expect(error.message.slice(error.message.indexOf(": ") + 2)).toBe(detail);
    expect(valuesOf(error)).toEqual(values);
  });

  it.each(toServer)("$title: $detail", ({ hello, script, detail, values = {} }) => {
    const client = new ScriptedClient(hello === undefined ? script : { hello });
    const driver = new ServerDriver({ groups: [suites.secp256r1] });
    for (let sent = client.start(); sent.length > 0; sent = client.receive(concat(driver.output.splice(0))))
      driver.feed(sent);
    const error = driver.error!;
    expect(error.message.slice(error.message.indexOf(": ") + 2)).toBe(detail);
    expect(valuesOf(error)).toEqual(values);
  });

  it("RFC 5246 §6.2.1 what is no TLS is shown, up to 16 bytes of it", () => {
    const error = errorOf("RFC 5246 §6.2.1 plain HTTP instead of TLS");
    expect(valuesOf(error)).toEqual({ first: expect.stringMatching(/^HTTP\/1\.[01] .{7}$/) });
    expect(error.message).toContain(`type 72; the bytes are "${valuesOf(error)["first"]}"`);
  });

  it("RFC 5246 §7.4.3 of bytes behind a signature, whose length is another each time", () => {
    const { message } = errorOf("RFC 5246 §7.4.3 bytes behind the signature");
    expect(message).toMatch(/: ServerKeyExchange at byte \d+: 1 byte\(s\) left behind the signature$/);
  });

  it("RFC 5246 §7.2.1 of a stream that was cut, how much of it came", () => {
    const { data } = errorOf("RFC 5246 §7.2.1 the end in the handshake");
    expect(data).toMatchObject({ bytesReceived: 64 });
  });

  it("RFC 5280 §6.1 of a certificate that was refused, mbedTLS's flags, each problem with its hint, and whose it is", () => {
    const error = errorOf("RFC 5246 §7.4.2 the CA in front of the server's certificate");
    expect(error.message).toMatch(/: keyUsage .+; the certificate is for another name/);
    const hints = valuesOf(error)["hints"] as string[];
    expect(valuesOf(error)).toEqual({
      flags: "0x804",
      problems: ["X509_KEY_USAGE", "X509_NAME_MISMATCH"],
      hints: [expect.stringContaining("digitalSignature"), expect.stringContaining("subjectAltName")],
      certificate: "CN = thingwire test CA",
    });
    expect(error.hint).toBe(hints[0]);
  });
});
