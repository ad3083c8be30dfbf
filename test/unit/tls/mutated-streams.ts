/**
 * What a server sends, mutated by a seed, and what a client makes of it: for `totality.test.ts`, and in great numbers for
 * `mutated-streams.test.ts` of the interop tier.
 *
 * The client has the provider that protects nothing (`null-crypto.ts`), so that mutated messages pass signatures, tags and Finished.
 * Mutations know bytes, records and handshake messages: those of the latter keep the lengths around them right, and so get to what
 * stands in them. A seed always gives the same stream, as long as this file and the server's messages stay as they are.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import { TlsError } from "../../../src/tls/errors.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType, HEADER_BYTES } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { Driver, ecIdentity } from "./client.ts";
import { nullCrypto } from "./null-crypto.ts";
import { inPieces, plain, type Script, ScriptedServer } from "./scripted-server.ts";

const crypto = nullCrypto();
const request = { types: [64], schemes: [0x0403], authorities: [Uint8Array.of(0x30, 0)] };

const TICKET = messages.encodeNewSessionTicket({ lifetimeHint: 9, ticket: new Uint8Array(40).fill(7) });

/** The ServerHello of a server that will send a ticket (RFC 5077 §3.2). */
function promising(hello: messages.ServerHello): messages.ServerHello {
  const promise = { type: ExtensionType.session_ticket, data: new Uint8Array(0) };
  return { ...hello, extensions: [...(hello.extensions ?? []), promise] };
}

/** Handshakes that differ in what is negotiated and in how it is cut. */
const dialogs: readonly (readonly [script: Script, options: Partial<TlsClientOptions>])[] = [
  [{ request }, {}],
  [{ request, framing: (flight) => plain(ContentType.handshake, concat(flight)) }, {}],
  [
    {
      suite: suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
      framing: inPieces(512),
      hello: (hello) => ({
        ...hello,
        extensions: [
          { type: 0, data: new Uint8Array(0) },
          { type: 1, data: Uint8Array.of(1) },
          { type: 16, data: Uint8Array.of(0, 5, 4, 109, 113, 116, 116) },
        ],
      }),
    },
    { maxFragmentLength: 512, alpn: ["mqtt"], suites: [suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256] },
  ],
  [
    { suite: suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, request },
    { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256] },
  ],
  [
    {
      hello: promising,
      last: (_, right) => concat([plain(ContentType.handshake, TICKET), ...right]),
    },
    { resumption: true },
  ],
];

/** A dialog as it is when nobody disturbs it. */
export interface HonestDialog {
  readonly options: Partial<TlsClientOptions>;
  /** The flights of the handshake, and records of every type. */
  readonly flights: readonly Uint8Array[];
  /** An abbreviated handshake: there is no ServerKeyExchange in it. */
  readonly isResumed: boolean;
}

/** Each kind of dialog, recorded, and the last one resumed by its ticket. */
export function honestDialogs(): readonly HonestDialog[] {
  const recorded = dialogs.map(([script, more]) => fullDialog(script, { crypto, identity: ecIdentity, ...more }));
  return [...recorded, abbreviatedDialog(recorded.at(-1)!)];
}

function fullDialog(script: Script, options: Partial<TlsClientOptions>): HonestDialog {
  const server = new ScriptedServer(script, crypto);
  const driver = new Driver({ ...options, random: seededRandom(1) });
  const flights: Uint8Array[] = [];
  for (let bytes = driver.output.shift(); bytes !== undefined; bytes = driver.output.shift()) {
    const answer = server.receive(bytes);
    if (answer.length > 0) flights.push(answer);
    driver.feed(answer);
  }
  flights.push(traffic((type, content) => server.seal(type, content)));
  return { options, flights, isResumed: false };
}

/** The handshake of RFC 5246 §7.3, figure 2, with the session that a full one left. */
function abbreviatedDialog({ options: before, flights }: HonestDialog): HonestDialog {
  const first = new Driver({ ...before, random: seededRandom(1) });
  for (const flight of flights) first.feed(flight);
  const left = first.events.find((event) => event.type === "session");
  if (left?.type !== "session") throw new Error("the full handshake left no session");
  const options = { ...before, session: left.session };
  const server: ScriptedServer = new ScriptedServer(
    {
      hello: (hello) => promising({ ...hello, sessionId: server.clientHello!.sessionId.slice() }),
      flight: ([hello]) => [hello!],
    },
    crypto,
  );
  const hello = server.receive(concat(new Driver({ ...options, random: seededRandom(1) }).output));
  // AES-GCM under the provider that protects nothing: a nonce, the text, a tag.
  const seal = (type: number, content: Uint8Array) =>
    plain(type, concat([new Uint8Array(8), content, new Uint8Array(16)]));
  const flight = concat([
    hello,
    plain(ContentType.handshake, TICKET),
    plain(ContentType.change_cipher_spec, Uint8Array.of(1)),
    seal(ContentType.handshake, messages.encodeFinished(new Uint8Array(12))),
  ]);
  return { options, flights: [flight, traffic(seal)], isResumed: true };
}

/** Data, a HelloRequest, a warning and close_notify. */
function traffic(seal: (type: number, content: Uint8Array) => Uint8Array): Uint8Array {
  const { application_data, handshake, alert } = ContentType;
  return concat([
    seal(application_data, new Uint8Array(50)),
    seal(handshake, new Uint8Array(4)),
    seal(alert, Uint8Array.of(1, 90)),
    seal(application_data, new Uint8Array(9)),
    seal(alert, Uint8Array.of(1, 0)),
  ]);
}

/** Numbers out of a seed. */
class Draws {
  readonly #bytes = new Uint8Array(128);
  #at = 0;

  constructor(seed: number) {
    seededRandom(seed).fill(this.#bytes, "mutation");
  }

  /** A whole number below `limit`, which is at most 2^24. */
  below(limit: number): number {
    const at = this.#at;
    this.#at = (at + 3) % (this.#bytes.length - 2);
    return ((this.#bytes[at]! << 16) | (this.#bytes[at + 1]! << 8) | this.#bytes[at + 2]!) % Math.max(limit, 1);
  }
}

type Mutation = (bytes: Uint8Array, draws: Draws) => Uint8Array;

const splice = (bytes: Uint8Array, at: number, remove: number, add: Uint8Array): Uint8Array =>
  concat([bytes.subarray(0, at), add, bytes.subarray(at + remove)]);
const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = value;
  return copy;
};

/** A byte that is likely to matter: the ends of what a length can say, or any. */
const byteOf = (draws: Draws): number => [0, 1, 2, 3, 4, 11, 22, 0x7f, 0x80, 0xff][draws.below(20)] ?? draws.below(256);

/** Of bytes, wherever they stand. */
const mutations: readonly Mutation[] = [
  (bytes, draws) => {
    const at = draws.below(bytes.length);
    return changed(bytes, at, bytes[at]! ^ (1 << draws.below(8)));
  },
  (bytes, draws) => changed(bytes, draws.below(bytes.length), byteOf(draws)),
  (bytes, draws) => splice(bytes, draws.below(bytes.length), 1 + draws.below(4), new Uint8Array(0)),
  (bytes, draws) => splice(bytes, draws.below(bytes.length), 0, Uint8Array.of(byteOf(draws))),
  (bytes, draws) => {
    const at = draws.below(bytes.length);
    return splice(bytes, at, 0, bytes.subarray(at, at + draws.below(300)));
  },
  (bytes, draws) => bytes.subarray(0, draws.below(bytes.length)),
];

/** A stream in its records; what is no whole record any more is the last one. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEADER_BYTES + ((bytes[at + 3] ?? 0) << 8) + (bytes[at + 4] ?? 0);
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

/** Changes the contents of a record, and its length with them. */
function inRecord(record: Uint8Array, draws: Draws): Uint8Array {
  const body = record.subarray(HEADER_BYTES);
  return plain(record[0]!, mutations[draws.below(mutations.length)]!(body, draws));
}

/** Changes the body of a handshake message, and the lengths of message and record with it. */
function inMessage(record: Uint8Array, draws: Draws): Uint8Array {
  const body = record.subarray(HEADER_BYTES);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 4 + ((body[at + 1] ?? 0) << 16) + ((body[at + 2] ?? 0) << 8) + (body[at + 3] ?? 0);
    parts.push(body.subarray(at, end));
    at = end;
  }
  const which = draws.below(parts.length);
  const changedParts = parts.map((one, i) => {
    if (i !== which) return one;
    const inner = mutations[draws.below(mutations.length)]!(one.subarray(4), draws);
    return concat([Uint8Array.of(one[0]!, 0, inner.length >> 8, inner.length & 255), inner]);
  });
  return plain(record[0]!, concat(changedParts));
}

/** Of records: their order, their number, their contents. */
const recordMutations: readonly ((records: Uint8Array[], at: number, draws: Draws) => void)[] = [
  (records, at) => void records.splice(at, 1),
  (records, at) => void records.splice(at, 0, records[at]!),
  (records, at, draws) => {
    const other = draws.below(records.length);
    [records[at], records[other]] = [records[other]!, records[at]!];
  },
  (records, at, draws) => {
    const type = 20 + draws.below(4);
    records.splice(at, 0, plain(type, new Uint8Array(draws.below(5)).fill(byteOf(draws))));
  },
  (records, at, draws) => {
    const record = records[at]!;
    const middle = HEADER_BYTES + draws.below(record.length - HEADER_BYTES);
    const halves = [record.subarray(HEADER_BYTES, middle), record.subarray(middle)];
    records.splice(at, 1, ...halves.map((half) => plain(record[0]!, half)));
  },
  (records, at, draws) => void (records[at] = inRecord(records[at]!, draws)),
  (records, at, draws) => void (records[at] = inMessage(records[at]!, draws)),
  (records, at, draws) => void (records[at] = inMessage(records[at]!, draws)),
];

/** The flights of an honest dialog, one to three times mutated. */
function mutated(flights: readonly Uint8Array[], draws: Draws): readonly Uint8Array[] {
  const result = [...flights];
  for (let count = 1 + draws.below(3); count > 0; count--) {
    const which = draws.below(result.length);
    const flight = result[which]!;
    if (draws.below(3) === 0) {
      result[which] = mutations[draws.below(mutations.length)]!(flight, draws);
      continue;
    }
    const records = recordsOf(flight);
    if (records.length === 0) continue;
    recordMutations[draws.below(recordMutations.length)]!(records, draws.below(records.length), draws);
    result[which] = concat(records);
  }
  return result;
}

/** What became of a stream. */
export interface Survival {
  /** The state that the last byte met: `ExpectServerHello`, …, `ExpectTraffic`. */
  readonly state: string;
  /** Whether it has accepted a ServerKeyExchange. */
  readonly isBehindKeyExchange: boolean;
  /** The code of the error, if there was one. */
  readonly code: string | undefined;
  /** What was computed, in units, and what was fed, in bytes. */
  readonly units: number;
  readonly bytes: number;
  /** What the buffers of records held at most. */
  readonly bufferBytes: number;
}

/** States that in a full handshake only a client reaches which has accepted a ServerKeyExchange. */
const BEHIND_KEY_EXCHANGE: readonly string[] = [
  "ExpectCertificateRequestOrServerHelloDone",
  "ExpectServerHelloDone",
  "ExpectNewSessionTicket",
  "ExpectChangeCipherSpec",
  "ExpectFinished",
  "ExpectTraffic",
];

/** Two records of the largest size, and what is kept of buffers anyway. */
const MAX_BUFFER_BYTES = 2 * (16_384 + 2_048 + HEADER_BYTES + 1_024);
/** Units that a handshake may take under a provider that computes nothing, and units for each byte that is fed. */
const MAX_UNITS = 10_000;
const MAX_UNITS_PER_BYTE = 4;

/** Feeds a client flights and the end of the stream. Throws where anything happens that must not. */
export function survive({ options, isResumed }: HonestDialog, flights: readonly Uint8Array[], piece = 0): Survival {
  const driver = new Driver({ ...options, random: seededRandom(1) });
  const { client } = driver;
  let bytes = 0;
  let bufferBytes = client.bufferBytes;
  for (const flight of flights)
    for (let at = 0; at < flight.length; ) {
      const part = flight.subarray(at, piece === 0 ? flight.length : at + piece);
      driver.feed(part);
      at += part.length;
      bytes += part.length;
      bufferBytes = Math.max(bufferBytes, client.bufferBytes);
    }
  if (driver.error === undefined) {
    client.end();
    driver.rest();
  }
  const { error } = driver;
  const { units } = client.statistics;
  const last = driver.events.at(-1)?.type;
  if (last !== "fatal" && last !== "closed") throw new Error(`the last event is ${last}`);
  if (error !== undefined) {
    if (!(error instanceof TlsError)) throw new Error("no TlsError", { cause: error });
    // The end of the stream is nobody's message: everything else is the peer's.
    const blame = error.code === "TLS_CLOSED_WITHOUT_NOTIFY" ? "network" : "peer";
    if (error.blame !== blame) throw new Error(`blame ${error.blame}`, { cause: error });
    if (!/^[\x20-\x7e§…]*$/.test(error.message)) throw new Error("bytes of the peer in a message", { cause: error });
  }
  if (bufferBytes > MAX_BUFFER_BYTES) throw new Error(`buffers of ${bufferBytes} bytes`);
  if (units > MAX_UNITS + MAX_UNITS_PER_BYTE * bytes) throw new Error(`${units} units for ${bytes} bytes`);
  const state = error?.state ?? "ExpectTraffic";
  const isBehindKeyExchange = !isResumed && BEHIND_KEY_EXCHANGE.includes(state);
  return { state, isBehindKeyExchange, code: error?.code, units, bytes, bufferBytes };
}

/** Makes the stream of a seed, and feeds a client with it, every fourth one in pieces. */
export function surviveSeed(honest: readonly HonestDialog[], seed: number): Survival {
  const draws = new Draws(seed);
  const dialog = honest[draws.below(honest.length)]!;
  const flights = mutated(dialog.flights, draws);
  const piece = draws.below(4) === 0 ? 1 + draws.below(700) : 0;
  const { stackTraceLimit } = Error;
  try {
    // Nobody looks at the stacks of the errors that are expected, and they cost more than the handshakes.
    Error.stackTraceLimit = 0;
    return survive(dialog, flights, piece);
  } catch (error) {
    Error.stackTraceLimit = stackTraceLimit;
    throw new Error(`seed ${seed}: keep it in test/unit/tls/mutated-streams-seeds.json`, { cause: error });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
