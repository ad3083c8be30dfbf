/**
 * A script of what a server does wrong on purpose: each {@link Deviation} is a value that says which of the server's messages it is about
 * and what happens to it. For tests of clients, and for simulators that fail as a real server fails.
 *
 * A message passes two places. Before it is protected it can be altered, dropped, doubled, put behind another one, cut into records or
 * joined with the next message, or sent in the clear, and other records can be put around it. After that, its records can be
 * altered as they stand on the wire, held back, or cut off with the stream. What was really said is what the server's Finished covers, as
 * if it meant it; with `onlyOnWire` it covers the right message, as if someone in between changed it.
 *
 * Fields that only negotiation can change are options of the server: suites, groups, schemes, identity, ALPN, the extended master secret.
 *
 * @example
 * new TlsServer({ ...options, deviations: [
 *   alterFields("ServerHello", (hello) => ({ ...hello, version: 0x0302 })),  // a field
 *   { on: "ServerKeyExchange", times: 0 },                              // dropped
 *   { on: "Certificate", postponeBehind: "ServerHelloDone" },           // out of order
 *   { on: "Certificate", fragments: [1, 100] },                         // a record of 1 byte, then such of 100
 *   { on: "ChangeCipherSpec", delayMs: 5_000 },
 *   { on: "Finished", wire: (record) => record.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) },
 *   { on: "ApplicationData", nth: 1, behind: [alertRecord(2, 48)] },    // unknown_ca behind the second piece of data
 * ] });
 *
 * @module
 */

import type { MessageName } from "./handshake.ts";
import * as messages from "./messages.ts";
import { MESSAGE_HEADER_BYTES } from "./reassembly.ts";
import { ContentType } from "./record.ts";

/** What a server sends, by name: handshake messages, and what goes beside them. */
export type OutgoingName = MessageName | "Alert";

/** A record's content that is put in: sealed, where the connection is by then. */
export interface InsertedRecord {
  readonly type: ContentType;
  readonly bytes: Uint8Array;
}

/**
 * What is done wrong with one message. Several for the same message are joined: one `alter`, `parameters` or `wire` works on what the one before it
 * gave, `before`, `behind` and `header` add up, and of all else the last one counts.
 */
export interface Deviation {
  /** The message that it is about. */
  readonly on: OutgoingName;
  /** Which one of that name, from 0; the first by default. */
  readonly nth?: number | undefined;

  /** Another content; a handshake message comes with its 4-byte header. Empty bytes are not sent. {@link alterFields} makes one for a field. */
  readonly alter?: ((message: Uint8Array) => Uint8Array) | undefined;
  /** Curve and point of a ServerKeyExchange, before they are signed. */
  readonly parameters?: ((right: messages.EcdheParameters) => messages.EcdheParameters) | undefined;
  /** How often it is sent: 0 drops it, 2 doubles it. */
  readonly times?: number | undefined;
  /** It is sent right behind the next message of that name. */
  readonly postponeBehind?: OutgoingName | undefined;
  /** Records around it, out of nowhere. */
  readonly before?: readonly InsertedRecord[] | undefined;
  readonly behind?: readonly InsertedRecord[] | undefined;
  /** Sizes of the records that it is cut into; the last one is repeated. 0 makes an empty record. */
  readonly fragments?: readonly number[] | undefined;
  /** It waits for the next message of its content type and stands in one record with it; where one of another type comes first, it leaves before that. */
  readonly join?: boolean | undefined;
  /** It is sent in the clear, whatever the connection is. */
  readonly plain?: boolean | undefined;
  /** The transcript has the right message, once: a change that the server does not know of. */
  readonly onlyOnWire?: boolean | undefined;

  /** Another header for each of its records. Where they are protected, the protection is still that of the right one. */
  readonly header?:
    | {
        readonly type?: number | undefined;
        readonly version?: number | undefined;
        readonly length?: number | undefined;
      }
    | undefined;
  /** Other bytes for each of its records, header included; none drop it, twice as many can double it. */
  readonly wire?: ((record: Uint8Array) => Uint8Array) | undefined;
  /** Milliseconds that it and all behind it wait, by the `delay` event. */
  readonly delayMs?: number | undefined;
  /** It and all behind it wait until the client sends something more. */
  readonly untilClientSpeaks?: boolean | undefined;
  /** The stream ends after that many bytes of its records, without an alert; 0 ends it in front of them. */
  readonly endAfter?: number | undefined;
}

/** The messages that {@link alterFields} takes apart. */
export interface MessageFields {
  readonly ServerHello: messages.ServerHello;
  readonly Certificate: readonly Uint8Array[];
  /** `parameters` are what is sent and signed already; another signature follows from `Deviation.parameters`. */
  readonly ServerKeyExchange: Pick<messages.ServerKeyExchange, "parameters" | "scheme" | "signature">;
  readonly CertificateRequest: messages.CertificateRequest;
  /** The OCSP response. */
  readonly CertificateStatus: Uint8Array;
  /** The verify_data. */
  readonly Finished: Uint8Array;
}

const codecs: {
  readonly [N in keyof MessageFields]: readonly [
    decode: (body: Uint8Array) => MessageFields[N],
    encode: (fields: MessageFields[N]) => Uint8Array,
  ];
} = /* @__PURE__ */ Object.freeze({
  ServerHello: [messages.decodeServerHello, messages.encodeServerHello],
  Certificate: [messages.decodeCertificate, messages.encodeCertificate],
  ServerKeyExchange: [messages.decodeServerKeyExchange, messages.encodeServerKeyExchange],
  CertificateRequest: [messages.decodeCertificateRequest, messages.encodeCertificateRequest],
  CertificateStatus: [messages.decodeCertificateStatus, messages.encodeCertificateStatus],
  Finished: [messages.decodeFinished, messages.encodeFinished],
} as const);

/** What all of them do to a message of that name. */
export function joinDeviations(on: OutgoingName, deviations: readonly Deviation[]): Deviation {
  return deviations.reduce<Deviation>(joinTwo, { on });
}

function joinTwo(first: Deviation, second: Deviation): Deviation {
  const given = Object.fromEntries(Object.entries(second).filter(([, value]) => value !== undefined));
  return {
    ...first,
    ...given,
    alter: inTurn(first.alter, second.alter),
    wire: inTurn(first.wire, second.wire),
    before: [...(first.before ?? []), ...(second.before ?? [])],
    behind: [...(first.behind ?? []), ...(second.behind ?? [])],
    header: { ...first.header, ...second.header },
  };
}

type Change = (bytes: Uint8Array) => Uint8Array;

function inTurn(first: Change | undefined, second: Change | undefined): Change | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (bytes) => second(first(bytes));
}

/** A deviation of a message's fields: `change` gets the right ones. */
export function alterFields<N extends keyof MessageFields>(
  on: N,
  change: (right: MessageFields[N]) => MessageFields[N],
): Deviation {
  const [decode, encode] = codecs[on];
  return { on, alter: (message) => encode(change(decode(message.subarray(MESSAGE_HEADER_BYTES)))) };
}

/** An alert to put in: its level (1 warning, 2 fatal) and description. */
export function alertRecord(level: number, alert: number): InsertedRecord {
  return { type: ContentType.alert, bytes: Uint8Array.of(level, alert) };
}

/** The parameters that a ServerKeyExchange signs, as the script wants them. */
export function deviatingParameters(
  deviations: readonly Deviation[],
  right: messages.EcdheParameters,
): messages.EcdheParameters {
  return deviations.reduce(
    (parameters, { on, parameters: change }) =>
      on === "ServerKeyExchange" && change !== undefined ? change(parameters) : parameters,
    right,
  );
}
