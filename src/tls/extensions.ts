/**
 * The extensions of the hellos: what a client sends, and what a server may answer, from both sides (RFC 6066, RFC 7301, RFC 7627, RFC 5746, RFC 8422).
 *
 * An answer must have been asked for (else alert 110), may come once (47) and must be well-formed (50). supported_groups may not come
 * from a server but is tolerated, because some servers echo it. Left out on purpose: record_size_limit.
 *
 * @module
 */

import { type ByteReader, ByteWriter, NO_BYTES, printableBytes, utf8Decode, utf8Encode } from "../bytes.ts";
import { TlsError } from "./errors.ts";
import { type Extension, messageReader, nonEmpty, readIds, sections } from "./messages.ts";
import type { CipherSuite, NamedGroup, SignatureScheme } from "./suites.ts";
import type { OcspMode } from "./x509/revocation-context.ts";

/** ExtensionType, IANA's registry. */
export const ExtensionType = {
  server_name: 0,
  max_fragment_length: 1,
  status_request: 5,
  supported_groups: 10,
  ec_point_formats: 11,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  encrypt_then_mac: 22,
  extended_master_secret: 23,
  session_ticket: 35,
  supported_versions: 43,
  renegotiation_info: 0xff01,
} as const;

/** Bytes of plaintext in a record that a client may ask for (RFC 6066 §4); on the wire 1 to 4. */
export type MaxFragmentLength = 512 | 1024 | 2048 | 4096;
/** In the order of their numbers on the wire. */
export const maxFragmentLengths: readonly MaxFragmentLength[] = /* @__PURE__ */ Object.freeze([512, 1024, 2048, 4096]);

/** ECPointFormat uncompressed, the only one that is left (RFC 8422 §5.1.2). */
const UNCOMPRESSED = 0;
/** NameType host_name (RFC 6066 §3). */
const HOST_NAME = 0;

/** What the extensions of a ClientHello say. */
export interface ClientOffer {
  /** The name for SNI; `undefined` for an IP address, which must not be sent (RFC 6066 §3). */
  readonly sni: string | undefined;
  readonly groups: readonly NamedGroup[];
  readonly signatureSchemes: readonly SignatureScheme[];
  readonly alpn: readonly string[];
  /** Not asked for where it is `undefined`. */
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** RFC 7366: offered where there is a CBC suite. */
  readonly encryptThenMac: boolean;
  /** A stapled OCSP response is asked for, unless `off` (RFC 6066 §8). */
  readonly ocsp: OcspMode;
  /** Whether tickets are asked for (RFC 5077 §3.2). */
  readonly resumption: boolean;
}

/** What a ServerHello's extensions answered. */
export interface ServerAnswer {
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  /** Whether the server knows RFC 5746. */
  readonly secureRenegotiation: boolean;
  /** RFC 6066 §4; `undefined` where the server does not know it. */
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** RFC 7366 §3: only with a CBC suite. */
  readonly encryptThenMac: boolean;
  /** Whether a NewSessionTicket follows (RFC 5077 §3.2). */
  readonly isTicketPromised: boolean;
  /** Whether a CertificateStatus may follow the Certificate (RFC 6066 §8). */
  readonly mayStaple: boolean;
}

/** The extensions of our ClientHello, in mbedTLS's order. `ticket`: empty to ask for one (RFC 5077 §3.2). */
export function encodeClientExtensions(offer: ClientOffer, ticket: Uint8Array = NO_BYTES): readonly Extension[] {
  const extensions: Extension[] = [];
  const { sni, alpn, maxFragmentLength } = offer;
  const add = (type: number, body: (writer: ByteWriter) => void) => {
    const writer = new ByteWriter();
    body(writer);
    extensions.push({ type, data: writer.finish() });
  };
  if (sni !== undefined)
    add(ExtensionType.server_name, (writer) =>
      writer.prefixed(2, () => writer.uint8(HOST_NAME).prefixed(2, () => writer.bytes(utf8Encode(sni)))),
    );
  if (alpn.length > 0)
    add(ExtensionType.application_layer_protocol_negotiation, (writer) => writer.bytes(encodeProtocols(alpn)));
  add(ExtensionType.supported_groups, (writer) => writeIds(writer, offer.groups));
  add(ExtensionType.signature_algorithms, (writer) => writeIds(writer, offer.signatureSchemes));
  add(ExtensionType.renegotiation_info, (writer) => writer.prefixed(1, () => {}));
  add(ExtensionType.ec_point_formats, (writer) => writer.prefixed(1, () => writer.uint8(UNCOMPRESSED)));
  if (maxFragmentLength !== undefined) extensions.push(maxFragmentExtension(maxFragmentLength));
  if (offer.encryptThenMac) extensions.push({ type: ExtensionType.encrypt_then_mac, data: NO_BYTES });
  extensions.push({ type: ExtensionType.extended_master_secret, data: NO_BYTES });
  // CertificateStatusType ocsp, any responder, no extensions (RFC 6066 §8).
  if (offer.ocsp !== "off") add(ExtensionType.status_request, (writer) => writer.uint8(1).uint32(0));
  if (offer.resumption) extensions.push({ type: ExtensionType.session_ticket, data: ticket });
  return extensions;
}

/** Checks and reads what a server answered to an offer, with the suite that it chose. */
export function readServerExtensions(
  extensions: readonly Extension[],
  offer: ClientOffer,
  suite: CipherSuite,
): ServerAnswer {
  const seen = new Set<number>();
  let alpn: string | undefined;
  let maxFragmentLength: MaxFragmentLength | undefined;
  for (const { type, data } of extensions) {
    if (seen.has(type)) throw new TlsError("TLS_DUPLICATE_EXTENSION", `type ${type}`, { data: { extension: type } });
    seen.add(type);
    switch (type) {
      case ExtensionType.server_name:
        if (offer.sni === undefined) unsolicited(type);
        expectEmpty(data, "server_name");
        break;
      case ExtensionType.application_layer_protocol_negotiation:
        if (offer.alpn.length === 0) unsolicited(type);
        alpn = readAlpn(data, offer.alpn);
        break;
      case ExtensionType.max_fragment_length:
        if (offer.maxFragmentLength === undefined) unsolicited(type);
        maxFragmentLength = readMaxFragmentLength(data);
        if (maxFragmentLength !== offer.maxFragmentLength)
          throw new TlsError(
            "TLS_MAX_FRAGMENT_LENGTH",
            `${maxFragmentLength} bytes, asked for: ${offer.maxFragmentLength}`,
          );
        break;
      case ExtensionType.encrypt_then_mac:
        if (!offer.encryptThenMac) unsolicited(type);
        expectEmpty(data, "encrypt_then_mac");
        if (suite.kind !== "cbc") throw new TlsError("TLS_ENCRYPT_THEN_MAC", suite.name);
        break;
      case ExtensionType.extended_master_secret:
        expectEmpty(data, "extended_master_secret");
        break;
      case ExtensionType.status_request:
        if (offer.ocsp === "off") unsolicited(type);
        expectEmpty(data, "status_request");
        break;
      case ExtensionType.session_ticket:
        if (!offer.resumption) unsolicited(type);
        expectEmpty(data, "session_ticket");
        break;
      case ExtensionType.renegotiation_info:
        readRenegotiationInfo(data);
        break;
      case ExtensionType.ec_point_formats:
        readPointFormats(data);
        break;
      case ExtensionType.supported_groups:
        break;
      default:
        unsolicited(type);
    }
  }
  return {
    alpn,
    extendedMasterSecret: seen.has(ExtensionType.extended_master_secret),
    secureRenegotiation: seen.has(ExtensionType.renegotiation_info),
    maxFragmentLength,
    encryptThenMac: seen.has(ExtensionType.encrypt_then_mac),
    isTicketPromised: seen.has(ExtensionType.session_ticket),
    mayStaple: seen.has(ExtensionType.status_request),
  };
}

/** Extensions that a server only acknowledges: RFC 6066 §3 and §8, RFC 5077 §3.2, RFC 7366 §2, RFC 7627 §5.1. */
function expectEmpty(data: Uint8Array, name: keyof typeof ExtensionType): void {
  if (data.length > 0)
    throw new TlsError("TLS_EXTENSION_NOT_EMPTY", `${name}, ${data.length} bytes`, {
      data: { extension: name },
      rfc: sections[name],
    });
}

/** What a ClientHello's extensions say, as a server reads them. */
export interface ClientExtensions {
  /** The host name of SNI. */
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** `undefined` where the client does not say: any will do (RFC 8422 §4). */
  readonly groups: readonly number[] | undefined;
  /** Empty where the client does not say: then only SHA-1 would be left (RFC 5246 §7.4.1.4.1). */
  readonly signatureSchemes: readonly number[];
  /** `undefined` where the client knows no TLS 1.3. */
  readonly versions: readonly number[] | undefined;
  /** Whether it names its point formats. */
  readonly pointFormats: boolean;
  readonly extendedMasterSecret: boolean;
  readonly secureRenegotiation: boolean;
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  readonly encryptThenMac: boolean;
  /** Whether an OCSP response is asked for. */
  readonly ocsp: boolean;
  /** Empty where one is asked for; `undefined` where the client knows no tickets (RFC 5077 §3.2). */
  readonly ticket: Uint8Array | undefined;
}

/** Checks and reads what a client offers; unknown extensions are ignored (RFC 5246 §7.4.1.4). */
export function readClientExtensions(extensions: readonly Extension[]): ClientExtensions {
  const found = new Map<number, Uint8Array>();
  for (const { type, data } of extensions) {
    if (found.has(type)) throw new TlsError("TLS_DUPLICATE_EXTENSION", `type ${type}`, { data: { extension: type } });
    found.set(type, data);
  }
  const read = <T>(name: keyof typeof ExtensionType, reading: (reader: ByteReader) => T): T | undefined => {
    const data = found.get(ExtensionType[name]);
    if (data === undefined) return undefined;
    const reader = messageReader(data, name);
    const result = reading(reader);
    reader.finish(`the extension ${name}`);
    return result;
  };
  const isKnown = (name: keyof typeof ExtensionType): boolean => read(name, () => true) === true;
  const renegotiation = found.get(ExtensionType.renegotiation_info);
  if (renegotiation !== undefined) readRenegotiationInfo(renegotiation);
  const pointFormats = found.get(ExtensionType.ec_point_formats);
  if (pointFormats !== undefined) readPointFormats(pointFormats);
  const fragments = found.get(ExtensionType.max_fragment_length);
  return {
    serverName: read("server_name", readHostName),
    alpn: read("application_layer_protocol_negotiation", readProtocols) ?? [],
    groups: read("supported_groups", (reader) => readIds(reader, reader.uint16(), "named_group_list")),
    signatureSchemes:
      read("signature_algorithms", (reader) => readIds(reader, reader.uint16(), "supported_signature_algorithms")) ??
      [],
    versions: read("supported_versions", (reader) => readIds(reader, reader.uint8(), "versions")),
    pointFormats: pointFormats !== undefined,
    extendedMasterSecret: isKnown("extended_master_secret"),
    secureRenegotiation: renegotiation !== undefined,
    maxFragmentLength: fragments === undefined ? undefined : readMaxFragmentLength(fragments),
    encryptThenMac: isKnown("encrypt_then_mac"),
    ocsp: read("status_request", readStatusRequest) ?? false,
    ticket: found.get(ExtensionType.session_ticket),
  };
}

/** What a server answers. */
export interface ServerExtensions {
  /** The name of SNI was used (RFC 6066 §3). */
  readonly isNamed: boolean;
  readonly pointFormats: boolean;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  readonly secureRenegotiation: boolean;
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  readonly encryptThenMac: boolean;
  readonly isTicketPromised: boolean;
  /** A CertificateStatus follows. */
  readonly isStapled: boolean;
}

/** The extensions of our ServerHello: only what was asked for (RFC 5246 §7.4.1.4); `undefined` where that is nothing. */
export function encodeServerExtensions(answer: ServerExtensions): readonly Extension[] | undefined {
  const extensions: Extension[] = [];
  const { alpn, maxFragmentLength } = answer;
  if (answer.isNamed) extensions.push({ type: ExtensionType.server_name, data: NO_BYTES });
  if (answer.secureRenegotiation) extensions.push({ type: ExtensionType.renegotiation_info, data: Uint8Array.of(0) });
  if (answer.pointFormats)
    extensions.push({ type: ExtensionType.ec_point_formats, data: Uint8Array.of(1, UNCOMPRESSED) });
  if (alpn !== undefined)
    extensions.push({
      type: ExtensionType.application_layer_protocol_negotiation,
      data: encodeProtocols([alpn]),
    });
  if (maxFragmentLength !== undefined) extensions.push(maxFragmentExtension(maxFragmentLength));
  if (answer.encryptThenMac) extensions.push({ type: ExtensionType.encrypt_then_mac, data: NO_BYTES });
  if (answer.extendedMasterSecret) extensions.push({ type: ExtensionType.extended_master_secret, data: NO_BYTES });
  if (answer.isStapled) extensions.push({ type: ExtensionType.status_request, data: NO_BYTES });
  if (answer.isTicketPromised) extensions.push({ type: ExtensionType.session_ticket, data: NO_BYTES });
  return extensions.length === 0 ? undefined : extensions;
}

function encodeProtocols(protocols: readonly string[]): Uint8Array {
  const writer = new ByteWriter();
  writer.prefixed(2, () => {
    for (const protocol of protocols) writer.prefixed(1, () => writer.bytes(utf8Encode(protocol)));
  });
  return writer.finish();
}

/** RFC 6066 §3: a list of names, one of each type; only host names are known. */
function readHostName(reader: ByteReader): string | undefined {
  const list = nonEmpty(reader, reader.uint16(), "server_name_list");
  let hostName: string | undefined;
  while (list.remaining > 0) {
    const type = list.uint8();
    const name = nonEmpty(list, list.uint16(), "a name").rest();
    if (type !== HOST_NAME) continue;
    if (hostName !== undefined) list.fail("two host names");
    hostName = utf8Decode(name) ?? list.fail("a host name that is no text");
  }
  return hostName;
}

/** RFC 6066 §8: whether it is OCSP that is asked for; which responders and extensions the client would like does not matter. */
function readStatusRequest(reader: ByteReader): boolean {
  if (reader.uint8() !== 1) {
    reader.rest();
    return false;
  }
  reader.bytes(reader.uint16());
  reader.bytes(reader.uint16());
  return true;
}

/** RFC 7301 §3.1: names of 1 to 255 bytes. One that is no text is none that could be chosen. */
function readProtocols(reader: ByteReader): readonly string[] {
  const list = nonEmpty(reader, reader.uint16(), "protocol_name_list");
  const protocols: string[] = [];
  while (list.remaining > 0) {
    const protocol = utf8Decode(nonEmpty(list, list.uint8(), "a protocol name").rest());
    if (protocol !== undefined) protocols.push(protocol);
  }
  return protocols;
}

/** RFC 7301 §3.1: exactly one name, and one of ours. */
function readAlpn(data: Uint8Array, offered: readonly string[]): string {
  const reader = messageReader(data, "application_layer_protocol_negotiation");
  const list = reader.sub(reader.uint16());
  reader.finish("protocol_name_list");
  const length = list.uint8();
  if (length === 0) list.fail("an empty protocol name");
  const name = list.bytes(length);
  list.finish("the one protocol name");
  const protocol = utf8Decode(name);
  if (protocol !== undefined && offered.includes(protocol)) return protocol;
  const shown = printableBytes(name);
  throw new TlsError("TLS_UNOFFERED_ALPN", `"${shown}", offered: ${offered.join(", ")}`, {
    data: { chosen: shown, offered },
  });
}

function maxFragmentExtension(length: MaxFragmentLength): Extension {
  return {
    type: ExtensionType.max_fragment_length,
    data: Uint8Array.of(1 + maxFragmentLengths.indexOf(length)),
  };
}

/** RFC 6066 §4: one of four numbers. */
function readMaxFragmentLength(data: Uint8Array): MaxFragmentLength {
  const reader = messageReader(data, "max_fragment_length");
  const code = reader.uint8();
  reader.finish("max_fragment_length");
  const length = maxFragmentLengths[code - 1];
  if (length === undefined) throw new TlsError("TLS_MAX_FRAGMENT_LENGTH", `number ${code}`);
  return length;
}

/** RFC 5746 §3.4: empty in a first handshake. */
function readRenegotiationInfo(data: Uint8Array): void {
  const reader = messageReader(data, "renegotiation_info");
  const info = reader.bytes(reader.uint8());
  reader.finish("renegotiated_connection");
  if (info.length > 0) throw new TlsError("TLS_RENEGOTIATION_INFO", `${info.length} bytes`);
}

/** RFC 8422 §5.2: a list that contains the uncompressed format. */
function readPointFormats(data: Uint8Array): void {
  const reader = messageReader(data, "ec_point_formats");
  const formats = reader.bytes(reader.uint8());
  reader.finish("ec_point_format_list");
  if (formats.length === 0) reader.fail("an empty list");
  if (!formats.includes(UNCOMPRESSED)) throw new TlsError("TLS_ILLEGAL_POINT_FORMATS", `only ${formats.join(", ")}`);
}

function writeIds(writer: ByteWriter, list: readonly { readonly id: number }[]): void {
  writer.prefixed(2, () => {
    for (const { id } of list) writer.uint16(id);
  });
}

function unsolicited(type: number): never {
  throw new TlsError("TLS_UNSOLICITED_EXTENSION", `type ${type}`, { data: { extension: type } });
}
