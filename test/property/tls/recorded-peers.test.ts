/**
 * Handshakes recorded from the servers of the interop matrix (`scripts/record-peers.ts`): however their bytes are cut and the work is
 * sliced, the client has the same events and sends the same bytes.
 */
import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, fromHex, toHex, utf8Decode } from "../../../src/bytes.ts";
import { chunked } from "../../../src/testing/chunked.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { presets } from "../../../src/tls/presets.ts";
import {
  prepare,
  type RecordedPeer,
  type Replayable,
  type ReplayOptions,
  replayPrepared,
} from "../../fixtures/replay.ts";
import { runs } from "../../runs.ts";

const crypto = createCrypto();
const folder = new URL("../../fixtures/recorded/", import.meta.url);
const recordings = readdirSync(folder).map(
  (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as RecordedPeer,
);
const WITHOUT_SESSION = ["Erlang"];

function outcome(from: Replayable, options: ReplayOptions = {}) {
  const { output, data, events, session, secured, error } = replayPrepared(from, crypto, options);
  expect(error).toBeUndefined();
  return {
    output: toHex(concat(output)),
    data: utf8Decode(concat(data)),
    events,
    session: session === undefined ? undefined : toHex(session),
    resumed: secured?.resumed,
    messages: secured?.statistics.timeline.map(({ direction, message }) => `${direction} ${message}`),
  };
}

function replayables(recording: RecordedPeer): Record<string, Replayable> {
  const prepared = prepare(recording);
  const suites = presets.full().filter(({ name }) => name === recording.suite);
  const full = { ...prepared, settings: { ...prepared.settings, suites, resumption: true } };
  const { session } = replayPrepared(full, crypto);
  if (recording.resumed === undefined) return { full };
  return {
    full,
    resumed: { ...full, settings: { ...full.settings, session }, flights: recording.resumed.map(fromHex) },
  };
}

it("there are recordings of each server with GCM, CBC and ChaCha20, resumed too where it knows the extended master secret", () => {
  const nameOf = ({ description }: RecordedPeer) => description.split(" ")[0]!;
  const kinds = recordings.map((recording) => `${nameOf(recording)} ${/GCM|CBC|CHACHA20/.exec(recording.suite)}`);
  const peers = ["Erlang", "GnuTLS", "JSSE", "NSS", "OpenSSL", "nginx"];
  expect(kinds.sort()).toEqual(peers.flatMap((name) => ["CBC", "CHACHA20", "GCM"].map((kind) => `${name} ${kind}`)));
  const without = recordings.filter(({ resumed }) => resumed === undefined);
  expect(new Set(without.map(nameOf))).toEqual(new Set(WITHOUT_SESSION));
});

describe.each(recordings)("a recording of $description, $suite", (recording) => {
  it.each(Object.entries(replayables(recording)))(
    "RFC 5246 §6.2.1 %s: the same for any cut and budget",
    (kind, from) => {
      const whole = outcome(from);
      expect(whole).toMatchObject({ data: recording.answer, resumed: kind === "resumed" });
      expect(whole.events.filter((event) => event !== "session")).toEqual(["secured", "closed"]);
      expect(whole.messages?.includes("received Certificate")).toBe(kind === "full");

      expect(outcome(from, { cut: (flight) => Array.from(flight, (byte) => Uint8Array.of(byte)) })).toEqual(whole);
      for (const units of [1, 7, 100, 2_000]) expect(outcome(from, { budget: () => units })).toEqual(whole);
      fc.assert(
        fc.property(chunked(), fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1 }), (cut, budgets) => {
          let i = 0;
          expect(outcome(from, { cut, budget: () => budgets[i++ % budgets.length]! })).toEqual(whole);
        }),
        runs(4),
      );
    },
  );
});
