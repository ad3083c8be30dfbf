import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { chunked } from "../../../src/testing/chunked.ts";
import { TlsError } from "../../../src/tls/errors.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { runs } from "../../runs.ts";
import { Driver, ecIdentity } from "../../unit/tls/client.ts";
import { nullCrypto } from "../../unit/tls/null-crypto.ts";
import { plain } from "../../unit/tls/scripted-server.ts";
import { ServerDriver } from "../../unit/tls/server.ts";

const crypto = nullCrypto();

function server(budget?: () => number): ServerDriver {
  return new ServerDriver({ crypto, random: seededRandom(2), admit: () => undefined }, budget);
}

/** What an honest client sends: its flights, data, a warning, close_notify; and what the server made of it. */
function dialog(cut: (bytes: Uint8Array) => Uint8Array[], budget: () => number) {
  const client = new Driver({ crypto, identity: ecIdentity, random: seededRandom(1) });
  const driver = server(budget);
  const flights: Uint8Array[] = [];
  const output: Uint8Array[] = [];
  const relay = () => {
    for (;;) {
      client.rest();
      const flight = concat(client.output.splice(0));
      if (flight.length === 0) return;
      flights.push(flight);
      for (const piece of cut(flight)) driver.feed(piece);
      const answer = concat(driver.output.splice(0));
      output.push(answer);
      client.feed(answer);
    }
  };
  relay();
  for (const size of [1, 5000, 16_384]) {
    client.client.write(new Uint8Array(size).fill(size));
    relay();
  }
  driver.server.write(new Uint8Array(300).fill(7));
  driver.rest();
  client.feed(concat(driver.output.splice(0)));
  client.client.close();
  relay();
  return {
    flights,
    output: toHex(concat(output)),
    data: toHex(concat(driver.data)),
    events: driver.events.map(({ type }) => type),
    received: toHex(concat(client.data)),
  };
}

const honest = dialog(
  (bytes) => [bytes],
  () => Number.MAX_SAFE_INTEGER,
);

describe("a dialog of a client with the server", () => {
  it("has the events that it should have", () => {
    expect(honest.events).toEqual(["secured", "closed"]);
    expect(honest.data).toHaveLength(2 * (1 + 5000 + 16_384));
    expect(honest.received).toHaveLength(2 * 300);
  });

  it("is the same for any cut and any budget", () => {
    fc.assert(
      fc.property(chunked(), fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (cut, budgets) => {
        let i = 0;
        expect(dialog(cut, () => budgets[i++ % budgets.length]!)).toEqual(honest);
      }),
      runs(20),
    );
  });
});

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

function lastType(records: Uint8Array): number | undefined {
  let type: number | undefined;
  for (let at = 0; at < records.length; at += 5 + ((records[at + 3]! << 8) | records[at + 4]!)) type = records[at];
  return type;
}

/** Feeds flights and an end, and checks what must always hold. Whether the client was admitted. */
function survives(flights: readonly Uint8Array[]): boolean {
  const driver = server();
  for (const flight of flights) driver.feed(flight);
  if (driver.error === undefined) {
    driver.server.end();
    driver.rest();
  }
  const { error } = driver;
  expect(driver.events.at(-1)?.type).toMatch(/^(fatal|closed)$/);
  if (error !== undefined) {
    expect(error).toBeInstanceOf(TlsError);
    expect(error.blame).toBe(error.code === "TLS_CLOSED_WITHOUT_NOTIFY" ? "network" : "peer");
    expect(error.message).toMatch(/^[\x20-\x7e§…]*$/);
    // A client is told, unless it had the last word.
    if (!["TLS_ALERT_RECEIVED", "TLS_CLOSED_WITHOUT_NOTIFY", "TLS_CLOSED_IN_HANDSHAKE"].includes(error.code))
      expect(lastType(concat(driver.output))).toBe(ContentType.alert);
  }
  return driver.secured !== undefined;
}

describe("no bytes of a client do harm to the server", () => {
  it("mutated flights give TlsErrors with blame peer, and a fair share of them gets through Finished", () => {
    let total = 0;
    let through = 0;
    fc.assert(
      fc.property(
        fc.nat({ max: honest.flights.length - 1 }),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (which, mutations) => {
          const flights = honest.flights.map((flight, i) => (i === which ? mutations.reduce(mutate, flight) : flight));
          total++;
          if (survives(flights)) through++;
        },
      ),
      runs(400),
    );
    console.info(`${through} of ${total} mutated dialogs got through Finished`);
    expect(through / total).toBeGreaterThan(0.2);
  });

  it("arbitrary bytes, and arbitrary records, do the same", () => {
    const record = fc
      .tuple(fc.integer({ min: 19, max: 24 }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, body]) => plain(type, body));
    fc.assert(
      fc.property(fc.array(fc.oneof(record, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 }), (parts) => {
        expect(survives([concat(parts)])).toBe(false);
      }),
      runs(300),
    );
  });
});
