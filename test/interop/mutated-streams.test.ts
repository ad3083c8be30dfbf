/**
 * What a server could send, mutated 100,000 times, a million times in the deep tier: no exception but a TlsError with the peer's blame, no
 * more work and memory than the bound. Here because it takes longer than the fast tier may.
 */
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { honestDialogs, surviveSeed } from "../unit/tls/mutated-streams.ts";

const COUNT = process.env["THINGWIRE_DEEP"] === "1" ? 1_000_000 : 100_000;
/** Between two of these, what runs the tests gets its turn. */
const BLOCK = 5_000;

it(
  `RFC 5246 §7.2.2 ${COUNT.toLocaleString("en")} mutated streams of a server: a third gets behind ServerKeyExchange, and none does harm`,
  async () => {
    const honest = honestDialogs();
    const outcomes = new Map<string, number>();
    let behind = 0;
    let units = 0;
    let bufferBytes = 0;
    const startedMs = performance.now();
    for (let seed = 0; seed < COUNT; seed++) {
      if (seed % BLOCK === 0) await setImmediate();
      const survival = surviveSeed(honest, seed);
      if (survival.isBehindKeyExchange) behind++;
      units = Math.max(units, survival.units);
      bufferBytes = Math.max(bufferBytes, survival.bufferBytes);
      const outcome = `${survival.code ?? "closed"} in ${survival.state}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    console.info(
      `${COUNT} mutated streams in ${seconds.toFixed(0)} s: ${((100 * behind) / COUNT).toFixed(1)} % behind ServerKeyExchange, ` +
        `${outcomes.size} different ends, at most ${units} units and ${bufferBytes} bytes of buffers`,
    );
    expect(behind / COUNT).toBeGreaterThanOrEqual(1 / 3);
    expect(outcomes.size).toBeGreaterThan(60);
  },
  // Many times as long as it takes on an idle core: the machine may be busy.
  COUNT * 6,
);
