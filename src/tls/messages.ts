/**
 * The handshake messages of TLS 1.2 as plain objects, an encoder and a decoder beside each other (RFC 5246 §7.4, RFC 8422 §5).
 *
 * Decoders read a body without its header and take exactly all of it; what is malformed is `TLS_DECODE_ERROR`. Whether a value was
 * offered, or makes sense, is for the states to say. Only the ECDHE forms of the key exchange messages exist here. Views of the
 * body are returned, not copies.
 *
 * @module
 */

import { ByteReader, ByteWriter, NO_BYTES } from "../bytes.ts";
import { TlsError } from "./errors.ts";
import { VERIFY_DATA_BYTES } from "./key-schedule.ts";

/** HandshakeType, RFC 5246 §7.4. */
export const HandshakeType = {
  HelloRequest: 0,
  ClientHello: 1,
  ServerHello: 2,
  NewSessionTicket: 4,
  Certificate: 11,
  ServerKeyExchange: 12,
  CertificateRequest: 13,
  ServerHelloDone: 14,
  CertificateVerify: 15,
  ClientKeyExchange: 16,
  Finished: 20,
  CertificateStatus: 22,
} as const;
/** A message's name in RFC 5246 §7.4. */
export type HandshakeName = keyof typeof HandshakeType;

/** CertificateStatusType ocsp (RFC 6066 §8). */
const OCSP_STATUS = 1;

/** A handshake type's name, or its number where it has none. */
export function handshakeName(type: number): HandshakeName | `handshake type ${number}` {
  for (const name of Object.keys(HandshakeType) as HandshakeName[]) if (HandshakeType[name] === type) return name;
  return `handshake type ${type}`;
}

/** A message with its header: type, 24-bit length, body. */
export function frameMessage(name: HandshakeName, body: (writer: ByteWriter) => void): Uint8Array {
  return new ByteWriter(256).uint8(HandshakeType[name]).prefixed(3, body).finish();
}

/** Where a message's or an extension's form is laid down. */
export const sections: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  HelloRequest: "RFC 5246 §7.4.1.1",
  ClientHello: "RFC 5246 §7.4.1.2",
  ServerHello: "RFC 5246 §7.4.1.3",
  NewSessionTicket: "RFC 5077 §3.3",
  Certificate: "RFC 5246 §7.4.2",
  ServerKeyExchange: "RFC 8422 §5.4",
  CertificateRequest: "RFC 5246 §7.4.4",
  ServerHelloDone: "RFC 5246 §7.4.5",
  CertificateVerify: "RFC 5246 §7.4.8",
  ClientKeyExchange: "RFC 8422 §5.7",
  Finished: "RFC 5246 §7.4.9",
  CertificateStatus: "RFC 6066 §8",
  status_request: "RFC 6066 §8",
  server_name: "RFC 6066 §3",
  max_fragment_length: "RFC 6066 §4",
  supported_groups: "RFC 8422 §5.1.1",
  ec_point_formats: "RFC 8422 §5.1.2",
  signature_algorithms: "RFC 5246 §7.4.1.4.1",
  application_layer_protocol_negotiation: "RFC 7301 §3.1",
  encrypt_then_mac: "RFC 7366 §2",
  extended_master_secret: "RFC 7627 §5.1",
  session_ticket: "RFC 5077 §3.2",
  renegotiation_info: "RFC 5746 §3.2",
});

/** A reader whose mistakes are `TLS_DECODE_ERROR`s that name the message and the section that lays down its form. */
export function messageReader(body: Uint8Array, message: string): ByteReader {
  return new ByteReader(body, (problem, offset) => {
    throw new TlsError("TLS_DECODE_ERROR", `${message} at byte ${offset}: ${problem}`, {
      data: { message, offset },
      rfc: sections[message],
    });
  });
}

/** An extension, not interpreted. */
export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** RFC 5246 §7.4.1.4: extensions behind their length. No block at all where the list is `undefined`. */
function writeExtensions(writer: ByteWriter, extensions: readonly Extension[] | undefined): void {
  if (extensions === undefined) return;
  writer.prefixed(2, () => {
    for (const { type, data } of extensions) writer.uint16(type).prefixed(2, () => writer.bytes(data));
  });
}

function readExtensions(reader: ByteReader): readonly Extension[] | undefined {
  if (reader.remaining === 0) return undefined;
  const block = reader.sub(reader.uint16());
  const extensions: Extension[] = [];
  while (block.remaining > 0) extensions.push({ type: block.uint16(), data: block.bytes(block.uint16()) });
  return extensions;
}

/** RFC 5246 §7.4.1.2. */
export interface ClientHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly compressions: readonly number[];
  readonly extensions: readonly Extension[] | undefined;
}

/** ClientHello (RFC 5246 §7.4.1.2). */
export function encodeClientHello(hello: ClientHello): Uint8Array {
  return frameMessage("ClientHello", (writer) => {
    writer.uint16(hello.version).bytes(hello.random);
    writer.prefixed(1, () => writer.bytes(hello.sessionId));
    writer.prefixed(2, () => {
      for (const suite of hello.suites) writer.uint16(suite);
    });
    writer.prefixed(1, () => {
      for (const compression of hello.compressions) writer.uint8(compression);
    });
    writeExtensions(writer, hello.extensions);
  });
}

/** The other direction of {@link encodeClientHello}. */
export function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = messageReader(body, "ClientHello");
  const version = reader.uint16();
  const random = reader.bytes(32);
  const sessionId = readSessionId(reader);
  const suites = readIds(reader, reader.uint16(), "cipher_suites");
  const compressions = [...nonEmpty(reader, reader.uint8(), "compression_methods").rest()];
  const extensions = readExtensions(reader);
  reader.finish("the extensions");
  return { version, random, sessionId, suites, compressions, extensions };
}

/** RFC 5246 §7.4.1.3. */
export interface ServerHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly compression: number;
  readonly extensions: readonly Extension[] | undefined;
}

/** ServerHello (RFC 5246 §7.4.1.3). */
export function encodeServerHello(hello: ServerHello): Uint8Array {
  return frameMessage("ServerHello", (writer) => {
    writer.uint16(hello.version).bytes(hello.random);
    writer.prefixed(1, () => writer.bytes(hello.sessionId));
    writer.uint16(hello.suite).uint8(hello.compression);
    writeExtensions(writer, hello.extensions);
  });
}

/** The other direction of {@link encodeServerHello}. */
export function decodeServerHello(body: Uint8Array): ServerHello {
  const reader = messageReader(body, "ServerHello");
  const version = reader.uint16();
  const random = reader.bytes(32);
  const sessionId = readSessionId(reader);
  const suite = reader.uint16();
  const compression = reader.uint8();
  const extensions = readExtensions(reader);
  reader.finish("the extensions");
  return { version, random, sessionId, suite, compression, extensions };
}

/** RFC 5246 §7.4.2: certificates in DER, the sender's own first. */
export function encodeCertificate(certificates: readonly Uint8Array[]): Uint8Array {
  return frameMessage("Certificate", (writer) => {
    writer.prefixed(3, () => {
      for (const certificate of certificates) writer.prefixed(3, () => writer.bytes(certificate));
    });
  });
}

/** The chain of a Certificate message in DER (RFC 5246 §7.4.2). */
export function decodeCertificate(body: Uint8Array): readonly Uint8Array[] {
  const reader = messageReader(body, "Certificate");
  const list = reader.sub(reader.uint24());
  reader.finish("certificate_list");
  const certificates: Uint8Array[] = [];
  while (list.remaining > 0) certificates.push(nonEmpty(list, list.uint24(), "ASN.1Cert").rest());
  return certificates;
}

/** NamedCurve among the ECCurveTypes (RFC 8422 §5.4). */
const NAMED_CURVE = 3;

/** What an ECDHE server signs: curve and ephemeral key (RFC 8422 §5.4). */
export interface EcdheParameters {
  readonly group: number;
  readonly publicKey: Uint8Array;
}

/** RFC 8422 §5.4. */
export interface ServerKeyExchange extends EcdheParameters {
  /** The bytes of ServerECDHParams, over which the signature goes. */
  readonly parameters: Uint8Array;
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** ServerECDHParams, as it is signed. */
export function encodeEcdheParameters({ group, publicKey }: EcdheParameters): Uint8Array {
  return new ByteWriter()
    .uint8(NAMED_CURVE)
    .uint16(group)
    .prefixed(1, (writer) => writer.bytes(publicKey))
    .finish();
}

/** ServerKeyExchange of ECDHE (RFC 8422 §5.4). */
export function encodeServerKeyExchange(
  message: Pick<ServerKeyExchange, "parameters" | "scheme" | "signature">,
): Uint8Array {
  return frameMessage("ServerKeyExchange", (writer) => {
    writer.bytes(message.parameters).uint16(message.scheme);
    writer.prefixed(2, () => writer.bytes(message.signature));
  });
}

/** The other direction of {@link encodeServerKeyExchange}. */
export function decodeServerKeyExchange(body: Uint8Array): ServerKeyExchange {
  const reader = messageReader(body, "ServerKeyExchange");
  const curveType = reader.uint8();
  if (curveType !== NAMED_CURVE)
    throw new TlsError("TLS_UNOFFERED_GROUP", `curve type ${curveType} instead of a named curve`);
  const group = reader.uint16();
  const publicKey = nonEmpty(reader, reader.uint8(), "the ephemeral key").rest();
  const parameters = body.subarray(0, reader.offset);
  const scheme = reader.uint16();
  const signature = reader.bytes(reader.uint16());
  reader.finish("the signature");
  return { group, publicKey, parameters, scheme, signature };
}

/** ClientCertificateType, RFC 5246 §7.4.4 and RFC 8422 §5.5. */
export const ClientCertificateType = { rsa_sign: 1, ecdsa_sign: 64 } as const;

/** RFC 5246 §7.4.4. */
export interface CertificateRequest {
  readonly types: readonly number[];
  readonly schemes: readonly number[];
  /** DER `Name`s of the authorities that the server accepts; empty where any will do. */
  readonly authorities: readonly Uint8Array[];
}

/** CertificateRequest (RFC 5246 §7.4.4). */
export function encodeCertificateRequest(request: CertificateRequest): Uint8Array {
  return frameMessage("CertificateRequest", (writer) => {
    writer.prefixed(1, () => {
      for (const type of request.types) writer.uint8(type);
    });
    writer.prefixed(2, () => {
      for (const scheme of request.schemes) writer.uint16(scheme);
    });
    writer.prefixed(2, () => {
      for (const authority of request.authorities) writer.prefixed(2, () => writer.bytes(authority));
    });
  });
}

/** The other direction of {@link encodeCertificateRequest}. */
export function decodeCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = messageReader(body, "CertificateRequest");
  const types = [...nonEmpty(reader, reader.uint8(), "certificate_types").rest()];
  const schemes = readIds(reader, reader.uint16(), "supported_signature_algorithms");
  const list = reader.sub(reader.uint16());
  reader.finish("certificate_authorities");
  const authorities: Uint8Array[] = [];
  while (list.remaining > 0) authorities.push(nonEmpty(list, list.uint16(), "a DistinguishedName").rest());
  return { types, schemes, authorities };
}

/** RFC 5246 §7.4.5. */
export function encodeServerHelloDone(): Uint8Array {
  return frameMessage("ServerHelloDone", () => {});
}

/** HelloRequest (RFC 5246 §7.4.1.1) and ServerHelloDone (§7.4.5) have no body. */
export function decodeEmpty(body: Uint8Array, message: HandshakeName): void {
  messageReader(body, message).finish("the empty message");
}

/** RFC 5246 §7.4.1.1. */
export function encodeHelloRequest(): Uint8Array {
  return frameMessage("HelloRequest", () => {});
}

/** RFC 8422 §5.7: the client's ephemeral key. */
export function encodeClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return frameMessage("ClientKeyExchange", (writer) => writer.prefixed(1, () => writer.bytes(publicKey)));
}

/** The public value of a ClientKeyExchange (RFC 8422 §5.7). */
export function decodeClientKeyExchange(body: Uint8Array): Uint8Array {
  const reader = messageReader(body, "ClientKeyExchange");
  const publicKey = nonEmpty(reader, reader.uint8(), "the ephemeral key").rest();
  reader.finish("the ephemeral key");
  return publicKey;
}

/** RFC 5246 §7.4.8. */
export interface CertificateVerify {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** CertificateVerify (RFC 5246 §7.4.8). */
export function encodeCertificateVerify({ scheme, signature }: CertificateVerify): Uint8Array {
  return frameMessage("CertificateVerify", (writer) =>
    writer.uint16(scheme).prefixed(2, () => writer.bytes(signature)),
  );
}

/** The other direction of {@link encodeCertificateVerify}. */
export function decodeCertificateVerify(body: Uint8Array): CertificateVerify {
  const reader = messageReader(body, "CertificateVerify");
  const scheme = reader.uint16();
  const signature = reader.bytes(reader.uint16());
  reader.finish("the signature");
  return { scheme, signature };
}

/** RFC 5077 §3.3. */
export interface NewSessionTicket {
  /** Seconds for which the server will take the ticket, as far as it can say; 0 where it does not. */
  readonly lifetimeHint: number;
  /** Empty where the server has changed its mind. */
  readonly ticket: Uint8Array;
}

/** NewSessionTicket (RFC 5077 §3.3). */
export function encodeNewSessionTicket({ lifetimeHint, ticket }: NewSessionTicket): Uint8Array {
  return frameMessage("NewSessionTicket", (writer) =>
    writer.uint32(lifetimeHint).prefixed(2, () => writer.bytes(ticket)),
  );
}

/** The other direction of {@link encodeNewSessionTicket}. */
export function decodeNewSessionTicket(body: Uint8Array): NewSessionTicket {
  const reader = messageReader(body, "NewSessionTicket");
  const lifetimeHint = reader.uint32();
  const ticket = reader.bytes(reader.uint16());
  reader.finish("the ticket");
  return { lifetimeHint, ticket };
}

/** CertificateStatus with an OCSP response in DER (RFC 6066 §8). */
export function encodeCertificateStatus(response: Uint8Array): Uint8Array {
  return frameMessage("CertificateStatus", (writer) =>
    writer.uint8(OCSP_STATUS).prefixed(3, () => writer.bytes(response)),
  );
}

/** The other direction of {@link encodeCertificateStatus}. */
export function decodeCertificateStatus(body: Uint8Array): Uint8Array {
  const reader = messageReader(body, "CertificateStatus");
  const type = reader.uint8();
  if (type !== OCSP_STATUS) reader.fail(`status_type ${type} where ocsp (1) was asked for`);
  const response = nonEmpty(reader, reader.uint24(), "the OCSP response").rest();
  reader.finish("the OCSP response");
  return response;
}

/** RFC 5246 §7.4.9. */
export function encodeFinished(verifyData: Uint8Array): Uint8Array {
  return frameMessage("Finished", (writer) => writer.bytes(verifyData));
}

/** verify_data of a Finished message (RFC 5246 §7.4.9). */
export function decodeFinished(body: Uint8Array): Uint8Array {
  const reader = messageReader(body, "Finished");
  const verifyData = reader.bytes(VERIFY_DATA_BYTES);
  reader.finish("verify_data");
  return verifyData;
}

function readSessionId(reader: ByteReader): Uint8Array {
  const length = reader.uint8();
  if (length > 32) reader.fail(`a session_id of ${length} bytes`);
  return length === 0 ? NO_BYTES : reader.bytes(length);
}

/** A list of 16-bit numbers of `length` bytes, which must be even and not zero. */
export function readIds(reader: ByteReader, length: number, what: string): readonly number[] {
  const list = nonEmpty(reader, length, what);
  if (list.remaining % 2 !== 0) list.fail(`${what} of ${list.remaining} bytes`);
  const ids: number[] = [];
  while (list.remaining > 0) ids.push(list.uint16());
  return ids;
}

/** A reader of the next `length` bytes, which must be some. */
export function nonEmpty(reader: ByteReader, length: number, what: string): ByteReader {
  if (length === 0) reader.fail(`${what} is empty`);
  return reader.sub(length);
}
