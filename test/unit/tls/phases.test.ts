/** What each phase of a connection costs: the parts are the whole, and nothing depends on how the work is cut. */
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { PhaseStatistics, StatisticsPhase, TlsStatistics } from "../../../src/tls/events.ts";
import { allSignatureSchemes } from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { Driver, ecIdentity } from "./client.ts";
import { ScriptedServer } from "./scripted-server.ts";

const ALL: readonly StatisticsPhase[] = [
  "hello",
  "certificate",
  "keyExchange",
  "keyAgreement",
  "keyDerivation",
  "clientSignature",
  "finished",
  "traffic",
];

/** A handshake and 100 bytes each way, with our own arithmetic, seeded. */
function statistics(budget: number, request = true): TlsStatistics {
  let now = 1000;
  const server = new ScriptedServer(
    request ? { request: { types: [64], schemes: allSignatureSchemes.map(({ id }) => id), authorities: [] } } : {},
  );
  const driver = new Driver(
    {
      crypto: createCrypto({ arithmetic: "bigint" }),
      random: seededRandom(5),
      identity: ecIdentity,
      now: () => now,
    },
    () => budget,
  );
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift()) {
    now += 50;
    driver.feed(server.receive(out));
  }
  expect(driver.isSecured).toBe(true);
  now += 7;
  driver.client.write(new Uint8Array(100));
  driver.rest();
  driver.feed(server.seal(23, new Uint8Array(100)));
  expect(concat(driver.data)).toHaveLength(100);
  return driver.client.statistics;
}

function by(all: readonly PhaseStatistics[], name: StatisticsPhase): PhaseStatistics {
  const found = all.find(({ phase }) => phase === name);
  if (found === undefined) throw new Error(`no phase ${name}`);
  return found;
}

describe("RFC 5246 §7.3 statistics of a connection, phase by phase", () => {
  const whole = statistics(1_000_000);

  it("all phases in their order, and their sums are the totals", () => {
    expect(whole.phases.map(({ phase }) => phase)).toEqual(ALL);
    for (const name of ["units", "bytesSent", "bytesReceived", "recordsSent", "recordsReceived"] as const)
      expect(
        whole.phases.reduce((sum, phase) => sum + phase[name], 0),
        name,
      ).toBe(whole[name]);
    for (const phase of whole.phases)
      for (const value of Object.values(phase)) if (typeof value === "number") expect(value).toBeGreaterThanOrEqual(0);
  });

  it("units are where the work is: each phase has what its arithmetic costs, and the same in each run", () => {
    const units = (name: StatisticsPhase) => by(whole.phases, name).units;
    // One ECDSA verification each; a pair of keys and a shared point; one signature; hashing.
    for (const name of ["certificate", "keyExchange", "keyAgreement"] as const)
      expect(units(name), name).toBeGreaterThan(2000);
    expect(units("clientSignature")).toBeGreaterThan(700);
    for (const name of ["hello", "keyDerivation", "finished"] as const) {
      expect(units(name), name).toBeGreaterThan(5);
      expect(units(name), name).toBeLessThan(2000);
    }
    expect(statistics(1_000_000).phases).toEqual(whole.phases);
  });

  it("the budget does not change what a phase costs, but for the steps themselves", () => {
    const sliced = statistics(200);
    expect(sliced.phases.map(({ phase }) => phase)).toEqual(ALL);
    for (const name of ALL) {
      const [a, b] = [by(whole.phases, name).units, by(sliced.phases, name).units];
      expect(Math.abs(a - b), `${name}: ${a} and ${b}`).toBeLessThanOrEqual(Math.max(8, 0.01 * a));
    }
  });

  it("bytes and records: what came and went, once", () => {
    expect(by(whole.phases, "hello")).toMatchObject({ recordsSent: 1, recordsReceived: 1 });
    // Certificate came in, and so on; our flight leaves after it was made.
    expect(by(whole.phases, "certificate")).toMatchObject({ recordsSent: 0, recordsReceived: 1 });
    expect(by(whole.phases, "keyExchange")).toMatchObject({ recordsSent: 0, recordsReceived: 3 });
    expect(by(whole.phases, "finished")).toMatchObject({ recordsSent: 5, recordsReceived: 2 });
    expect(by(whole.phases, "traffic")).toMatchObject({ recordsSent: 1, recordsReceived: 1 });
    expect(by(whole.phases, "traffic").bytesSent).toBe(5 + 8 + 100 + 16);
  });

  it("milliseconds by the clock that was given, waiting included", () => {
    expect(by(whole.phases, "hello").ms).toBe(50);
    expect(by(whole.phases, "finished").ms).toBe(50);
    expect(by(whole.phases, "traffic").ms).toBe(7);
    expect(whole.phases.reduce((sum, { ms }) => sum + ms, 0)).toBe(107);
  });

  it("without a CertificateRequest nothing is signed", () => {
    expect(statistics(1_000_000, false).phases.map(({ phase }) => phase)).toEqual(
      ALL.filter((name) => name !== "clientSignature"),
    );
  });
});
