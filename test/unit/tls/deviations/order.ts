/**
 * Every message in every state that does not expect it (RFC 5246 §7.3, §7.4): what "SMACK" and "early CCS" are special cases of.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import * as messages from "../../../../src/tls/messages.ts";
import { ContentType } from "../../../../src/tls/record.ts";
import { plain, type Script, type ScriptedServer } from "../scripted-server.ts";
import { bytes, CCS, type Deviation, message, REQUEST } from "./deviation.ts";

const { handshake, change_cipher_spec, application_data } = ContentType;

/** Messages with contents that would be right, or nearly so. Only HelloRequest and alerts may come at any time. */
const out: readonly (readonly [name: string, type: number, content: Uint8Array])[] = [
  ["ClientHello", handshake, message(1, new Uint8Array(41))],
  ["ServerHello", handshake, message(2, new Uint8Array(38))],
  ["NewSessionTicket", handshake, message(4, bytes(0, 0, 0, 9, 0, 1, 7))],
  ["Certificate", handshake, message(11, bytes(0, 0, 0))],
  ["ServerKeyExchange", handshake, message(12, bytes(3, 0, 23, 1, 4, 4, 3, 0, 0))],
  ["CertificateRequest", handshake, messages.encodeCertificateRequest(REQUEST)],
  ["ServerHelloDone", handshake, messages.encodeServerHelloDone()],
  ["CertificateVerify", handshake, message(15, bytes(4, 3, 0, 0))],
  ["ClientKeyExchange", handshake, message(16, bytes(1, 4))],
  ["Finished", handshake, messages.encodeFinished(new Uint8Array(12))],
  ["CertificateStatus", handshake, message(22, bytes(1, 0, 0, 0))],
  ["KeyUpdate", handshake, message(24, bytes(0))],
  ["ChangeCipherSpec", change_cipher_spec, bytes(1)],
  ["ApplicationData", application_data, bytes(1, 2, 3)],
];

/** A state, what it expects, and how a record comes to it. */
interface Place {
  readonly state: string;
  readonly expects: readonly string[];
  readonly deviate: (type: number, content: Uint8Array) => Pick<Deviation, "script" | "traffic">;
}

const inFlight = (state: string, count: number, expects: readonly string[], script: Script = {}): Place => ({
  state,
  expects,
  deviate: (type, content) => ({
    script: {
      ...script,
      framing: (flight) =>
        concat([...flight.slice(0, count).map((one) => plain(handshake, one)), plain(type, content)]),
    },
  }),
});

/** The first record under the server's keys. */
const sealed = (server: ScriptedServer, type: number, content: Uint8Array) => server.seal(type, content);

const places: readonly Place[] = [
  inFlight("ExpectServerHello", 0, ["ServerHello"]),
  inFlight("ExpectCertificate", 1, ["Certificate"]),
  inFlight("ExpectServerKeyExchange", 2, ["ServerKeyExchange"]),
  inFlight("ExpectCertificateRequestOrServerHelloDone", 3, ["CertificateRequest", "ServerHelloDone"]),
  inFlight("ExpectServerHelloDone", 4, ["ServerHelloDone"], { request: REQUEST }),
  {
    state: "ExpectChangeCipherSpec",
    expects: ["ChangeCipherSpec"],
    deviate: (type, content) => ({ script: { last: () => plain(type, content) } }),
  },
  {
    state: "ExpectFinished",
    expects: ["Finished"],
    // The right Finished is not sealed, or the sequence number would not be the first.
    deviate: (type, content) => ({ script: { instead: (server) => concat([CCS, sealed(server, type, content)]) } }),
  },
  {
    state: "ExpectTraffic",
    expects: ["ApplicationData"],
    deviate: (type, content) => ({ traffic: (server) => sealed(server, type, content) }),
  },
];

export const orderDeviations: readonly Deviation[] = places.flatMap(({ state, expects, deviate }) =>
  out
    .filter(([name]) => !expects.includes(name))
    .map(
      ([name, type, content]): Deviation => ({
        title: `RFC 5246 §7.4 ${name} in ${state}`,
        ...deviate(type, content),
        code: "TLS_UNEXPECTED_MESSAGE",
        alert: 10,
        state,
      }),
    ),
);
