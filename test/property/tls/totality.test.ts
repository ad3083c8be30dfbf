/**
 * Whatever the bytes of a server: the client ends with a TlsError of the peer's blame, or in order. The great number of runs is in
 * `test/interop/mutated-streams.test.ts`; here are the seeds that were kept from there, and a sample.
 */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { runs } from "../../runs.ts";
import { honestDialogs, survive, surviveSeed } from "../../unit/tls/mutated-streams.ts";

/** One for each different end that was found, and each that once did harm. */
const kept = JSON.parse(
  readFileSync(new URL("../../unit/tls/mutated-streams-seeds.json", import.meta.url), "utf8"),
) as readonly number[];

describe("RFC 5246 §7.2.2 no bytes of a peer do harm", () => {
  const honest = honestDialogs();

  it("the honest dialogs end in order", () => {
    for (const dialog of honest)
      expect(survive(dialog, dialog.flights)).toMatchObject({ state: "ExpectTraffic", code: undefined });
  });

  it("the streams that were kept end in more than 60 ways, none of them unexpected", () => {
    const ends = kept.map((seed) => surviveSeed(honest, seed)).map(({ state, code }) => `${code} in ${state}`);
    expect(new Set(ends).size).toBeGreaterThan(60);
  });

  it("mutated streams do no harm, and a third of them gets behind ServerKeyExchange", () => {
    const first = 10_000_000;
    const { numRuns } = runs(800);
    let behind = 0;
    for (let seed = first; seed < first + numRuns; seed++) if (surviveSeed(honest, seed).isBehindKeyExchange) behind++;
    expect(behind / numRuns).toBeGreaterThanOrEqual(1 / 3);
  });

  it("arbitrary bytes, and arbitrary records, do no harm", () => {
    const record = fc
      .tuple(fc.integer({ min: 19, max: 24 }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, body]) => concat([Uint8Array.of(type, 3, 3, 0, body.length), body]));
    fc.assert(
      fc.property(
        fc.constantFrom(...honest),
        fc.array(fc.oneof(record, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 }),
        (dialog, parts) => {
          expect(survive(dialog, [concat(parts)]).state).toBe("ExpectServerHello");
        },
      ),
      runs(450),
    );
  });
});
