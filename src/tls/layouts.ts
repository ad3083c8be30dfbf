/**
 * What each message consists of, as data for the trace: fields in the order and with the names of the RFCs, and the tables that name
 * their values, which are the codec's own. That the codec reads the same fields is held by a property (`test/property/tls/trace.test.ts`).
 *
 * Left out on purpose: the inside of certificates and distinguished names, which the log shows at the level debug.
 *
 * @module
 */

import { Alert, AlertLevel } from "./alerts.ts";
import { ExtensionType } from "./extensions.ts";
import { ClientCertificateType, HandshakeType } from "./messages.ts";
import { ContentType, TLS_1_2 } from "./record.ts";
import {
  allSignatureSchemes,
  type CipherSuite,
  type NamedGroup,
  secp256r1,
  secp384r1,
  secp521r1,
  x25519,
} from "./suites.ts";

/** Names that depend on the connection: what it offers. */
export interface TraceNames {
  readonly suites: readonly CipherSuite[];
  readonly groups: readonly NamedGroup[];
}

/** A value's name, where it has one. */
type NameOf = (value: number, names: TraceNames) => string | undefined;

/** A field. A vector's items repeat until its end (RFC 5246 §4.3). */
export type Field =
  | {
      readonly kind: "uint";
      readonly label: string;
      readonly width: 1 | 2 | 3 | 4;
      readonly nameOf?: NameOf;
      /** How numbers are shown: registries of two bytes are in hexadecimal digits. */
      readonly base?: 16;
    }
  | { readonly kind: "bytes"; readonly label: string; readonly length: number | "rest"; readonly isText?: boolean }
  | { readonly kind: "vector"; readonly label: string; readonly width: 1 | 2 | 3; readonly items: Layout }
  /** RFC 5246 §7.4.1.4: nothing at all, or a vector of types and what they carry. */
  | { readonly kind: "extensions"; readonly of: Readonly<Record<number, Layout>> };

/** Fields one behind the other. */
export type Layout = readonly Field[];

function named(table: Readonly<Record<string, number>>): NameOf {
  return (value) => Object.keys(table).find((name) => table[name] === value);
}

function oneOf(list: readonly { readonly id: number; readonly name: string }[]): NameOf {
  return (value) => list.find(({ id }) => id === value)?.name;
}

const uint = (label: string, width: 1 | 2 | 3 | 4, nameOf?: NameOf, base?: 16): Field => ({
  kind: "uint",
  label,
  width,
  ...(nameOf === undefined ? {} : { nameOf }),
  ...(base === undefined ? {} : { base }),
});
const bytes = (label: string, length: number | "rest", isText = false): Field => ({
  kind: "bytes",
  label,
  length,
  isText,
});
const vector = (label: string, width: 1 | 2 | 3, ...items: Field[]): Field => ({ kind: "vector", label, width, items });
const opaque = (label: string, width: 1 | 2 | 3): Field => vector(label, width, bytes("", "rest"));

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3). */
const SCSV = 0x00ff;

const version = (label: string): Field =>
  uint(label, 2, (value) => (value === TLS_1_2 ? "TLS 1.2" : value === 0x0301 ? "TLS 1.0" : undefined), 16);
const suite: Field = uint(
  "cipher_suite",
  2,
  (value, { suites }) =>
    value === SCSV ? "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" : oneOf(suites)(value, { suites, groups: [] }),
  16,
);
const compression: Field = uint("compression_method", 1, (value) => (value === 0 ? "null" : undefined));
const group: Field = uint("named_curve", 2, (value, names) =>
  oneOf([secp256r1, secp384r1, secp521r1, x25519, ...names.groups])(value, names),
);
const scheme: Field = uint("algorithm", 2, oneOf(allSignatureSchemes), 16);
const pointFormats = [
  vector(
    "ec_point_format_list",
    1,
    uint("ECPointFormat", 1, (value) => (value === 0 ? "uncompressed" : undefined)),
  ),
];
const protocols = [vector("protocol_name_list", 2, vector("ProtocolName", 1, bytes("", "rest", true)))];
const renegotiation = [opaque("renegotiated_connection", 1)];
const fragmentLength = [
  uint("MaxFragmentLength", 1, (value) => (value >= 1 && value <= 4 ? `${256 << value} bytes` : undefined)),
];
const ticket = [bytes("ticket", "rest")];

/** What the extensions of a ClientHello carry; those that are not here carry bytes. */
const clientExtensions: Readonly<Record<number, Layout>> = {
  [ExtensionType.server_name]: [
    vector(
      "server_name_list",
      2,
      uint("name_type", 1, (value) => (value === 0 ? "host_name" : undefined)),
      vector("HostName", 2, bytes("", "rest", true)),
    ),
  ],
  [ExtensionType.max_fragment_length]: fragmentLength,
  [ExtensionType.status_request]: [
    uint("status_type", 1, (value) => (value === 1 ? "ocsp" : undefined)),
    opaque("responder_id_list", 2),
    opaque("request_extensions", 2),
  ],
  [ExtensionType.supported_groups]: [vector("named_curve_list", 2, group)],
  [ExtensionType.ec_point_formats]: pointFormats,
  [ExtensionType.signature_algorithms]: [vector("supported_signature_algorithms", 2, scheme)],
  [ExtensionType.application_layer_protocol_negotiation]: protocols,
  [ExtensionType.session_ticket]: ticket,
  [ExtensionType.supported_versions]: [vector("versions", 1, version("version"))],
  [ExtensionType.renegotiation_info]: renegotiation,
};

/** The same for a ServerHello. */
const serverExtensions: Readonly<Record<number, Layout>> = {
  [ExtensionType.max_fragment_length]: fragmentLength,
  [ExtensionType.ec_point_formats]: pointFormats,
  [ExtensionType.application_layer_protocol_negotiation]: protocols,
  [ExtensionType.renegotiation_info]: renegotiation,
};

/** A handshake message's header (RFC 5246 §7.4). */
export const handshakeHeader: Layout = [uint("msg_type", 1, named(HandshakeType)), uint("length", 3)];

/** A record's header (RFC 5246 §6.2.1). */
export const recordHeader: Layout = [uint("type", 1, named(ContentType)), version("version"), uint("length", 2)];

/** A type of extension (RFC 5246 §7.4.1.4). */
export const extensionType: Field = uint("extension_type", 2, named(ExtensionType));

/** The bodies of handshake messages by name (RFC 5246 §7.4, RFC 8422 §5, RFC 5077 §3.3, RFC 6066 §8); those that are not here are bytes. */
export const messageLayouts: Readonly<Record<string, Layout>> = {
  HelloRequest: [],
  ClientHello: [
    version("client_version"),
    bytes("random", 32),
    opaque("session_id", 1),
    vector("cipher_suites", 2, suite),
    vector("compression_methods", 1, compression),
    { kind: "extensions", of: clientExtensions },
  ],
  ServerHello: [
    version("server_version"),
    bytes("random", 32),
    opaque("session_id", 1),
    suite,
    compression,
    { kind: "extensions", of: serverExtensions },
  ],
  NewSessionTicket: [uint("ticket_lifetime_hint", 4), opaque("ticket", 2)],
  CertificateStatus: [uint("status_type", 1, (value) => (value === 1 ? "ocsp" : undefined)), opaque("OCSPResponse", 3)],
  Certificate: [vector("certificate_list", 3, opaque("ASN.1Cert", 3))],
  ServerKeyExchange: [
    uint("curve_type", 1, (value) => (value === 3 ? "named_curve" : undefined)),
    group,
    opaque("public", 1),
    scheme,
    opaque("signature", 2),
  ],
  CertificateRequest: [
    vector("certificate_types", 1, uint("ClientCertificateType", 1, named(ClientCertificateType))),
    vector("supported_signature_algorithms", 2, scheme),
    vector("certificate_authorities", 2, opaque("DistinguishedName", 2)),
  ],
  ServerHelloDone: [],
  CertificateVerify: [scheme, opaque("signature", 2)],
  ClientKeyExchange: [opaque("ecdh_Yc", 1)],
  Finished: [bytes("verify_data", "rest")],
};

/** RFC 5246 §7.2. */
export const alertLayout: Layout = [uint("level", 1, named(AlertLevel)), uint("description", 1, named(Alert))];

/** RFC 5246 §7.1. */
export const changeCipherSpecLayout: Layout = [
  uint("type", 1, (value) => (value === 1 ? "change_cipher_spec" : undefined)),
];
