/**
 * DESIGN §6: what the recorded handshakes cost on interpreters must not grow: counts, computrons of XS, heap of QuickJS. The figures stand in
 * `replay-figures.json`; `THINGWIRE_RECORD=1` writes it anew, for a change that lowers them, or raises them for a good reason.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, measure } from "../../bench/replay/replay.ts";
import { replayScript } from "../../bench/replay/scripts.ts";
import type { Recording } from "../fixtures/replay.ts";

const FIGURES = new URL("replay-figures.json", import.meta.url);
/** What a figure may grow by before the test fails. */
const TOLERANCE = 1.02;

type Figures = Record<string, number>;

const recordingOf = (file: string): Recording =>
  JSON.parse(readFileSync(new URL(`../fixtures/${file}`, import.meta.url), "utf8")) as Recording;
const recordings = {
  "ecdsa-mutual": recordingOf("handshake.json"),
  "rsa-mutual": recordingOf("handshake-rsa.json"),
};
const names = Object.keys(recordings) as (keyof typeof recordings)[];
const folder = mkdtempSync(join(tmpdir(), "thingwire-replay-"));
const script = join(folder, "replay.js");
const recorded = JSON.parse(readFileSync(FIGURES, "utf8")) as Record<string, Record<string, Figures>>;
const found: Record<string, Record<string, Figures>> = {};

beforeAll(async () => writeFileSync(script, await replayScript(recordings)));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  if (process.env["THINGWIRE_RECORD"] === "1") writeFileSync(FIGURES, `${JSON.stringify(found, null, 2)}\n`);
});

function figuresOf(engine: Engine): Record<string, Figures> {
  const figures: Record<string, Figures> = {};
  for (const [name, { result, computrons, counts, heap }] of Object.entries(measure(engine, script, 3, names))) {
    const { suite, data } = recordings[name as keyof typeof recordings].expected;
    expect(result, name).toBe(`${suite} ${data}`);
    figures[name] = {
      ...counts!,
      ...(computrons && { coldComputrons: computrons.cold, warmComputrons: computrons.warm }),
      ...(heap && { heapLoaded: heap.loaded, heapGrowth: heap.peak - heap.loaded }),
    };
  }
  return figures;
}

describe.each(["quickjs", "quickjs-ng", "xs"] as const)("on %s", (engine) => {
  beforeAll(() => {
    found[engine] = figuresOf(engine);
  });

  it.each(names)("%s costs no more than it did", (name) => {
    if (process.env["THINGWIRE_RECORD"] === "1") return;
    const limits = recorded[engine]?.[name] ?? {};
    const figures = found[engine]![name]!;
    expect(Object.keys(figures)).toEqual(Object.keys(limits));
    for (const [figure, value] of Object.entries(figures)) {
      expect(value, figure).toBeLessThanOrEqual(limits[figure]! * TOLERANCE);
      // A count that fell to nothing is a counter that does not count any more.
      expect(value, figure).toBeGreaterThan(limits[figure]! / 2);
    }
  });
});

it("the counts are the same on every engine", () => {
  for (const name of names)
    for (const figure of ["multiplications", "hashBlocks", "cipherBlocks", "bytesAllocated", "units"]) {
      const values = Object.values(found).map((engine) => engine[name]![figure]);
      expect(new Set(values).size, `${name}: ${figure}`).toBe(1);
    }
});
