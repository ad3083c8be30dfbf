/**
 * What a row of the table of deviations is, and what its rows are made with.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import type { TlsErrorCode } from "../../../../src/tls/errors.ts";
import type { TlsClientOptions } from "../../../../src/tls/events.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import * as suites from "../../../../src/tls/suites.ts";
import { parsePrivateKey } from "../../../../src/tls/x509/keys.ts";
import { type Driver, der } from "../client.ts";
import * as fixtures from "../fixtures.ts";
import { plain, type Script, type ScriptedServer } from "../scripted-server.ts";
import type { CbcForger } from "./cbc-forger.ts";

/** A server that does one thing wrong, and what becomes of it. */
export interface Deviation {
  /** The section that it breaks, or the CVE that it is, and what it does. */
  readonly title: string;
  readonly script?: Script;
  readonly options?: Partial<TlsClientOptions>;
  /** What comes once the client is secured. */
  readonly traffic?: (server: ScriptedServer, at: { driver: Driver; forger: CbcForger }) => Uint8Array;
  /** The stream ends behind all that. */
  readonly end?: boolean;
  readonly code: TlsErrorCode;
  /** What the server sees on the wire as the one fatal alert. */
  readonly alert: number | undefined;
  /** The last handshake message that the server got before; by default ClientHello, and Finished where it is the last flight or the traffic that is wrong. */
  readonly after?: "ClientHello" | "Finished";
  readonly mbedtls?: number;
  /** A problem of the certificate. */
  readonly problem?: string;
  /** What the message says, where another check would give the same code. */
  readonly detail?: string;
  /** The state that refuses it. */
  readonly state?: string;
}

/** The last handshake message that a server gets before the alert. */
export function lastBefore({ after, script, traffic }: Deviation): "ClientHello" | "Finished" {
  const late = [traffic, script?.last, script?.instead, script?.verifyData];
  return after ?? (late.some((one) => one !== undefined) ? "Finished" : "ClientHello");
}

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const NONE = new Uint8Array(0);
export const CCS = plain(ContentType.change_cipher_spec, bytes(1));

/** Adds an extension to the ServerHello. */
export const extend =
  (type: number, data: Uint8Array = NONE): NonNullable<Script["hello"]> =>
  (hello) => ({ ...hello, extensions: [...(hello.extensions ?? []), { type, data }] });

/** The only extensions of the ServerHello. */
export const extensions =
  (...list: [type: number, data: Uint8Array][]): NonNullable<Script["hello"]> =>
  (hello) => ({ ...hello, extensions: list.map(([type, data]) => ({ type, data })) });

export const without =
  (index: number): NonNullable<Script["flight"]> =>
  (flight) =>
    flight.filter((_, i) => i !== index);

/** A handshake message. */
export const message = (type: number, body: Uint8Array = NONE): Uint8Array =>
  concat([bytes(type, body.length >> 16, (body.length >> 8) & 255, body.length & 255), body]);

/** Replaces the body of one message of the flight. */
export const body =
  (index: number, change: (body: Uint8Array) => Uint8Array): NonNullable<Script["flight"]> =>
  (flight) =>
    flight.map((one, i) => (i === index ? message(one[0]!, change(one.subarray(4))) : one));

/** Cuts the body of one message. */
export const cut = (index: number, length: number): NonNullable<Script["flight"]> =>
  body(index, (all) => all.subarray(0, length));

export const flip =
  (at: number) =>
  (from: Uint8Array): Uint8Array =>
    from.map((byte, i) => (i === (at + from.length) % from.length ? byte ^ 1 : byte));

/** Sets the byte at one place. */
export const put =
  (at: number, value: number) =>
  (from: Uint8Array): Uint8Array =>
    from.map((byte, i) => (i === at ? value : byte));

export const alpn = (...names: string[]): Uint8Array => {
  const list = concat(names.map((name) => concat([bytes(name.length), Buffer.from(name)])));
  return concat([bytes(0, list.length), list]);
};

export const REQUEST = { types: [1, 64], schemes: suites.allSignatureSchemes.map(({ id }) => id), authorities: [] };

/** The server with an RSA key; for a suite of RSA. */
export const rsaServer: Script = {
  certificates: [der(fixtures.rsaServerCertificate)],
  key: parsePrivateKey(fixtures.rsaServerKey),
};
export const rsaSuite: Script = { ...rsaServer, suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 };
