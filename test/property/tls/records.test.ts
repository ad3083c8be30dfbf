/**
 * Records under every kind of suite: the same whatever the pieces and budgets, and never accepted once a bit was changed.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { chunked } from "../../../src/testing/chunked.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { presets } from "../../../src/tls/presets.ts";
import { ContentType } from "../../../src/tls/record.ts";
import type { CipherSuite } from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { runs } from "../../runs.ts";
import { Driver, ecIdentity } from "../../unit/tls/client.ts";
import { ServerDriver } from "../../unit/tls/server.ts";

const crypto = createCrypto();
const all = presets.full().filter(({ authentication }) => authentication === "ecdsa");

interface Cuts {
  readonly cut: (bytes: Uint8Array) => Uint8Array[];
  readonly budget: () => number;
  readonly maxSendFragment?: number;
}

/** One step of an intruder's: what becomes of the server's bytes in traffic. */
type Change = (bytes: Uint8Array) => Uint8Array;

/** A client's whole life with a server of ours; `change` sees what the server says once it is secured. */
function life(suite: CipherSuite, encryptThenMac: boolean, { cut, budget, maxSendFragment }: Cuts, change?: Change) {
  const client = new Driver({ crypto, suites: [suite], identity: ecIdentity, random: seededRandom(1) }, budget);
  const server = new ServerDriver({
    crypto,
    suites: [suite],
    encryptThenMac,
    maxSendFragment,
    random: seededRandom(2),
    admit: () => undefined,
  });
  const output: Uint8Array[] = [];
  const relay = (through: Change = (bytes) => bytes) => {
    for (;;) {
      server.rest();
      const down = concat(server.output.splice(0));
      for (const piece of cut(through(down))) client.feed(piece);
      client.rest();
      const up = concat(client.output.splice(0));
      output.push(up);
      server.feed(up);
      if (up.length === 0 && down.length === 0) return;
    }
  };
  relay();
  expect(client.isSecured && server.secured?.encryptThenMac === (encryptThenMac && suite.kind === "cbc")).toBe(true);
  for (const size of [1, 16, 300]) {
    client.client.write(new Uint8Array(size).fill(size));
    relay();
  }
  for (const size of [0, 1, 47, 48, 900]) {
    for (let at = 0; at < size && client.error === undefined; relay(change))
      at += server.server.write(new Uint8Array(size - at).fill(size));
  }
  if (client.error === undefined) server.server.close();
  relay(change);
  return {
    output: toHex(concat(output)),
    data: toHex(concat(client.data)),
    events: client.events.map(({ type }) => type),
    received: toHex(concat(server.data)),
    error: client.error,
  };
}

const whole: Cuts = { cut: (bytes) => [bytes], budget: () => Number.MAX_SAFE_INTEGER };
const spoken = all.flatMap((suite) =>
  (suite.kind === "cbc" ? [true, false] : [false]).map((encryptThenMac) => ({
    suite,
    encryptThenMac,
    expected: life(suite, encryptThenMac, whole),
  })),
);
const oneOf = fc.constantFrom(...spoken);

describe("records of every suite", () => {
  it("have the events that they should have", () => {
    for (const { expected } of spoken) {
      expect(expected.events).toEqual(["secured", "closed"]);
      expect(expected.data).toHaveLength(2 * (1 + 47 + 48 + 900));
      expect(expected.received).toHaveLength(2 * (1 + 16 + 300));
    }
  });

  it("are the same for any cut and any budget", () => {
    fc.assert(
      fc.property(
        oneOf,
        chunked(),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        ({ suite, encryptThenMac, expected }, cut, budgets) => {
          let i = 0;
          expect(life(suite, encryptThenMac, { cut, budget: () => budgets[i++ % budgets.length]! })).toEqual(expected);
        },
      ),
      runs(12),
    );
  });

  it("carry the same data in fragments of any length", () => {
    fc.assert(
      fc.property(oneOf, fc.integer({ min: 20, max: 1000 }), ({ suite, encryptThenMac, expected }, maxSendFragment) => {
        const { output, ...same } = life(suite, encryptThenMac, { ...whole, maxSendFragment });
        expect(expected).toMatchObject(same);
        expect(output.length).toBeGreaterThan(0);
      }),
      runs(6),
    );
  });

  it("RFC 5246 §6.2.3 with any byte changed behind the header are refused, and give out nothing of it", () => {
    fc.assert(
      fc.property(
        oneOf,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 0, max: 4 }),
        ({ suite, encryptThenMac, expected }, position, difference, nth) => {
          let passed = 0;
          const { error, data } = life(suite, encryptThenMac, whole, (bytes) => {
            if (bytes.length === 0 || passed++ !== nth) return bytes;
            const at = 5 + Math.floor(position * (bytes.length - 5));
            return bytes.map((byte, i) => (i === at ? byte ^ difference : byte));
          });
          expect(error).toMatchObject({ code: "TLS_BAD_RECORD_MAC", blame: "peer", alert: 20 });
          expect(expected.data.startsWith(data)).toBe(true);
        },
      ),
      runs(25),
    );
  });

  it("cut short, lengthened, repeated or left out are refused", () => {
    fc.assert(
      fc.property(
        oneOf,
        fc.constantFrom("shorter", "longer", "repeated", "left out"),
        fc.integer({ min: 1, max: 64 }),
        ({ suite, encryptThenMac }, how, count) => {
          let passed = 0;
          const { error } = life(suite, encryptThenMac, whole, (bytes) => {
            // The second record, since one that is left out shows in the next.
            if (bytes.length === 0 || passed++ !== 1) return bytes;
            if (how === "repeated") return concat([bytes, bytes]);
            if (how === "left out") return new Uint8Array(0);
            const length = bytes.length - 5 + (how === "shorter" ? -Math.min(count, bytes.length - 5) : count);
            const body = concat([bytes.subarray(5), new Uint8Array(64)]).subarray(0, length);
            return concat([Uint8Array.of(ContentType.application_data, 3, 3, length >> 8, length & 255), body]);
          });
          expect(error).toMatchObject({ code: "TLS_BAD_RECORD_MAC", blame: "peer", alert: 20 });
        },
      ),
      runs(15),
    );
  });
});
