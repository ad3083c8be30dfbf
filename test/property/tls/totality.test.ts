import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { TlsError } from "../../../src/tls/errors.ts";
import { ContentType } from "../../../src/tls/record.ts";
import type { CipherSuite } from "../../../src/tls/suites.ts";
import * as suites from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { runs } from "../../runs.ts";
import { Driver, ecIdentity } from "../../unit/tls/client.ts";
import { nullCrypto } from "../../unit/tls/null-crypto.ts";
import { ScriptedServer } from "../../unit/tls/scripted-server.ts";

const crypto = nullCrypto();
const request = { types: [64], schemes: [0x0403], authorities: [new Uint8Array([0x30, 0])] };

function client(suite: CipherSuite): Driver {
  return new Driver({ crypto, suites: [suite], identity: ecIdentity, random: seededRandom(1) });
}

/** What an honest server sends: its two flights, and then records of every type. */
function honestFlights(suite: CipherSuite): readonly Uint8Array[] {
  const server = new ScriptedServer({ request, suite }, crypto);
  const driver = client(suite);
  const flights: Uint8Array[] = [];
  for (let bytes = driver.output.shift(); bytes !== undefined; bytes = driver.output.shift()) {
    const answer = server.receive(bytes);
    if (answer.length > 0) flights.push(answer);
    driver.feed(answer);
  }
  flights.push(
    concat([
      server.seal(ContentType.application_data, new Uint8Array(50)),
      server.seal(ContentType.handshake, new Uint8Array(4)),
      server.seal(ContentType.alert, Uint8Array.of(1, 90)),
      server.seal(ContentType.application_data, new Uint8Array(9)),
      server.seal(ContentType.alert, Uint8Array.of(1, 0)),
    ]),
  );
  return flights;
}

type Mutation = readonly [kind: "flip" | "set" | "drop" | "insert" | "repeat" | "cut", at: number, value: number];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(
  fc.constantFrom("flip", "set", "drop", "insert", "repeat", "cut"),
  fc.double({ min: 0, max: 0.999, noNaN: true }),
  fc.integer({ min: 0, max: 255 }),
);

function mutate(bytes: Uint8Array, [kind, position, value]: Mutation): Uint8Array {
  const at = Math.floor(position * bytes.length);
  const before = bytes.subarray(0, at);
  if (kind === "flip") return bytes.map((byte, i) => (i === at ? byte ^ (1 << (value & 7)) : byte));
  if (kind === "set") return bytes.map((byte, i) => (i === at ? value : byte));
  if (kind === "drop") return concat([before, bytes.subarray(at + 1)]);
  if (kind === "insert") return concat([before, Uint8Array.of(value), bytes.subarray(at)]);
  if (kind === "repeat") return concat([before, bytes.subarray(at, at + value), bytes.subarray(at)]);
  return before;
}

/** Feeds flights and an end, and checks what must always hold. Whether the peer was accepted. */
function survives(suite: CipherSuite, flights: readonly Uint8Array[]): boolean {
  const driver = client(suite);
  for (const flight of flights) driver.feed(flight);
  if (driver.error === undefined) {
    driver.client.end();
    driver.rest();
  }
  const { error } = driver;
  const last = driver.events.at(-1);
  expect(last?.type).toMatch(/^(fatal|closed)$/);
  if (error !== undefined) {
    expect(error).toBeInstanceOf(TlsError);
    // The end of the stream is nobody's message: everything else is the peer's.
    expect(error.blame).toBe(error.code === "TLS_CLOSED_WITHOUT_NOTIFY" ? "network" : "peer");
    expect(error.message).toMatch(/^[\x20-\x7e§…]*$/);
  }
  return driver.isSecured;
}

describe.each([
  [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 600],
  [suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 100],
  [suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 200],
] as const)("no bytes of a peer do harm: $name", (suite, count) => {
  const honest = honestFlights(suite);

  it("the honest dialog ends in order", () => {
    expect(survives(suite, honest)).toBe(true);
  });

  it("mutated flights give TlsErrors with blame peer, and a fair share of them gets through Finished", () => {
    let total = 0;
    let through = 0;
    fc.assert(
      fc.property(
        fc.nat({ max: honest.length - 1 }),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (which, mutations) => {
          const flights = honest.map((flight, i) => (i === which ? mutations.reduce(mutate, flight) : flight));
          total++;
          if (survives(suite, flights)) through++;
        },
      ),
      runs(count),
    );
    console.info(`${through} of ${total} mutated dialogs got through Finished`);
    expect(through / total).toBeGreaterThan(0.2);
  });

  it("arbitrary bytes, and arbitrary records, do the same", () => {
    const record = fc
      .tuple(fc.integer({ min: 19, max: 24 }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, body]) => concat([Uint8Array.of(type, 3, 3, 0, body.length), body]));
    fc.assert(
      fc.property(fc.array(fc.oneof(record, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 }), (parts) => {
        expect(survives(suite, [concat(parts)])).toBe(false);
      }),
      runs(count / 2),
    );
  });
});
