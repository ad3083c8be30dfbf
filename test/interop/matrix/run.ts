/**
 * Runs cells of the interop matrix against a server, and writes down what passed.
 *
 * @module
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { TlsClientOptions, TlsConnectionInfo } from "../../../src/tls/events.ts";
import { allGroups, allSignatureSchemes } from "../../../src/tls/suites.ts";
import { type CertificateFiles, identityOf } from "../certificates.ts";
import { type Conversation, converse } from "../conversation.ts";
import type { Peer } from "../peer.ts";
import { type Cell, cells, valuesOf } from "./cells.ts";
import type { MatrixPeer } from "./peers.ts";

/** What `test/interop/matrix-results.json` holds of a peer; `docs/TLS.md` shows it. */
export interface MatrixResult {
  readonly name: string;
  readonly version: string;
  /** When it ran: `2026-11-25`. */
  readonly date: string;
  /** Cells that passed, by factor and value. */
  readonly passed: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Cells that the peer cannot do, by the reason. */
  readonly cannot: Readonly<Record<string, number>>;
  /** Not known of runs from before groups and schemes were dealt out. */
  readonly negotiated?: Negotiated | undefined;
}

/** What came out of the full handshakes that passed: how often a value of the first met one of the second. */
export interface Negotiated {
  readonly suiteAndGroup: Tally;
  readonly serverKeyAndScheme: Tally;
  readonly clientKeyAndScheme: Tally;
}
export type Tally = Record<string, Record<string, number>>;

export const nothingYet = (): Negotiated => ({ suiteAndGroup: {}, serverKeyAndScheme: {}, clientKeyAndScheme: {} });

/** Counts what a full handshake came to. */
export function count(into: Negotiated, { server, client }: Cell, info: TlsConnectionInfo): void {
  const add = (tally: Tally, first: string, second: string): void => {
    tally[first] ??= {};
    tally[first][second] = (tally[first][second] ?? 0) + 1;
  };
  add(into.suiteAndGroup, info.suite.name, info.group.name);
  add(into.serverKeyAndScheme, server, info.signatureScheme.name);
  add(into.clientKeyAndScheme, client, info.clientSignatureScheme!.name);
}

/** Why the peer cannot do a cell; `undefined` where it can. */
export const reasonAgainst = ({ cannot }: MatrixPeer, cell: Cell): string | undefined =>
  cannot.find(({ fits }) => fits(cell))?.reason;

/** What a run in which all went well has to show. */
export function resultOf(
  peer: MatrixPeer,
  { version, date, negotiated }: Pick<MatrixResult, "version" | "date" | "negotiated">,
): MatrixResult {
  const passed: Record<string, Record<string, number>> = {};
  const cannot: Record<string, number> = {};
  for (const cell of cells) {
    const reason = reasonAgainst(peer, cell);
    if (reason !== undefined) cannot[reason] = (cannot[reason] ?? 0) + 1;
    for (const [factor, value] of valuesOf(cell)) {
      passed[factor] ??= {};
      passed[factor][value] = (passed[factor][value] ?? 0) + (reason === undefined ? 1 : 0);
    }
  }
  return { name: peer.name, version, date, passed, cannot, negotiated };
}

/**
 * One cell: a full handshake, data both ways, close_notify both ways; and again with the session that is left, which must be abbreviated as
 * both sides say. Without the extended master secret no session may be left (RFC 7627 §5.3). Resolves to what the full handshake came to.
 */
export async function runCell(
  matrixPeer: MatrixPeer,
  server: Peer,
  files: CertificateFiles,
  cell: Cell,
): Promise<TlsConnectionInfo> {
  const { suite, client, ourRecords, theirRecords, ems, etm, group, scheme } = cell;
  const options: Partial<TlsClientOptions> = {
    identity: identityOf(files, `client-${client}`),
    suites: [suite],
    groups: [group, ...allGroups.filter((other) => other !== group)],
    signatureSchemes: [scheme, ...allSignatureSchemes.filter((other) => other !== scheme)],
    maxSendFragment: ourRecords,
    encryptThenMac: etm,
    resumption: true,
    maxFragmentLength: theirRecords === 512 && !matrixPeer.hasRecordSwitch ? 512 : undefined,
  };
  const speak = async (session: Uint8Array | undefined): Promise<Conversation> => {
    const exchange = matrixPeer.exchange(files, cell, session !== undefined);
    const before = server.output().length;
    const conversation = await converse(server, files, { ...options, session }, exchange);
    const { info, answer, longestRecord } = conversation;
    ok(exchange.isRight(answer), "the answer");
    equal(info.suite, suite);
    equal(info.extendedMasterSecret, ems, "extended master secret");
    equal(info.encryptThenMac, etm && suite.kind === "cbc", "encrypt-then-MAC");
    equal(info.maxFragmentLength, options.maxFragmentLength, "max_fragment_length");
    // s_server's longest line is two bytes short of the longest record.
    if (session !== undefined) ok(longestRecord <= theirRecords, `their longest record, resumed: ${longestRecord}`);
    else if (theirRecords === 512) equal(longestRecord, 512, "their longest record");
    else ok(longestRecord >= 16_382 && longestRecord <= 16_384, `their longest record: ${longestRecord}`);
    const expected = session === undefined ? "full" : "resumed";
    equal(info.resumed, session !== undefined, "resumed, as we say");
    equal(await handshakeOf(matrixPeer, server, before), expected, "as the server says");
    return conversation;
  };
  const first = await speak(undefined);
  if (!ems) {
    equal(first.session, undefined, "the session");
    return first.info;
  }
  ok(first.session, "a session is left");
  const second = await speak(first.session);
  const sent = second.info.statistics.timeline.filter(({ direction }) => direction === "sent");
  const messages = sent.map(({ message }) => message);
  deepEqual(messages, ["ClientHello", "ChangeCipherSpec", "Finished"]);
  return first.info;
}

/** What the server prints comes on another way than its bytes. */
async function handshakeOf(
  matrixPeer: MatrixPeer,
  server: Peer,
  from: number,
): Promise<"full" | "resumed" | undefined> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const said = matrixPeer.handshakeOf(server.output().slice(from));
    if (said !== undefined) return said;
    await sleep(20);
  }
  return undefined;
}
