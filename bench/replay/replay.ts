/**
 * `npm run bench -- replay`: mutual handshakes, recorded from OpenSSL, replayed on interpreters, beside noble's primitives on the same
 * engines. Engines and scripts take turns, each in a process of its own; times are CPU time, medians over the rounds.
 *
 *   npm run bench -- replay [--quick] [--rounds N] [--json FILE] [--script FILE]
 *
 * `--script` writes the script with which any engine replays by itself and prints what it counted.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Recording } from "../../test/fixtures/replay.ts";
import { median } from "../report.ts";
import type { ReplayCounts } from "./handshake.ts";
import { type RecordingName, record, recordingNames } from "./record.ts";
import { nobleScript, PRINT_ALL, replayScript } from "./scripts.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const engines = ["node", "node-jitless", "quickjs", "quickjs-ng", "xs"] as const;
export type Engine = (typeof engines)[number];

/** What `engine.mjs` prints for one handshake. Times are CPU microseconds. */
export interface Measured {
  readonly result: string;
  /** Reading the script. */
  readonly readUs: number;
  /** Running it, and the first handshake. */
  readonly coldUs: number;
  /** The later handshakes, one by one. */
  readonly warmUs: readonly number[];
  /** What XS metered. */
  readonly computrons?: { readonly cold: number; readonly warm: number };
  readonly counts?: ReplayCounts;
  /** Bytes in use when the script had run, and at most in the first handshake; where the engine tells. */
  readonly heap?: { readonly loaded: number; readonly peak: number };
}

export interface ReplayOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly json?: string | undefined;
  readonly script?: string | undefined;
}

/** WebAssembly is optimized at once: otherwise V8 does it between the first handshakes, and what is measured is how far it got. */
const FLAGS: Readonly<Record<Engine, readonly string[]>> = {
  node: [],
  "node-jitless": ["--jitless", "--no-expose-wasm"],
  quickjs: ["--no-liftoff"],
  "quickjs-ng": ["--no-liftoff"],
  xs: [],
};

/** Runs a script on an engine, `count` handshakes of each name after the first. */
export function measure(
  engine: Engine,
  script: string,
  count: number,
  names: readonly string[],
): Record<string, Measured> {
  const words = [here("engine.mjs"), engine, script, String(count), names.join()];
  const output = execFileSync(process.execPath, [...FLAGS[engine], ...words], { encoding: "utf8", maxBuffer: 1 << 24 });
  return JSON.parse(output) as Record<string, Measured>;
}

/** The command. */
export async function benchReplay({ quick, rounds, json, script }: ReplayOptions): Promise<void> {
  if (!existsSync(here("../../test/engines/node_modules")))
    execFileSync("npm", ["--prefix", here("../../test/engines"), "ci", "--silent", "--no-audit", "--no-fund"]);
  const recordings = {} as Record<RecordingName, Recording>;
  for (const name of recordingNames) recordings[name] = await record(name);
  const text = await replayScript(recordings);
  if (script !== undefined) writeFileSync(script, text + PRINT_ALL);
  const folder = mkdtempSync(join(tmpdir(), "thingwire-replay-"));
  try {
    const files = { thingwire: join(folder, "thingwire.js"), noble: join(folder, "noble.js") };
    writeFileSync(files.thingwire, text);
    writeFileSync(files.noble, await nobleScript());
    const found: { engine: Engine; implementation: keyof typeof files; name: string; measured: Measured }[] = [];
    for (let round = 0; round < rounds; round++)
      for (const engine of engines)
        for (const implementation of ["thingwire", "noble"] as const) {
          console.error(`round ${round + 1} of ${rounds}: ${implementation} on ${engine}`);
          const names = implementation === "thingwire" ? recordingNames : (["ecdsa-mutual"] as const);
          // One process each, since on Node that is what a fresh context is.
          for (const name of names) {
            const measured = measure(engine, files[implementation], quick ? 9 : 25, [name])[name]!;
            found.push({ engine, implementation, name, measured });
          }
        }
    const results = engines.flatMap((engine) =>
      (["thingwire", "noble"] as const).flatMap((implementation) =>
        recordingNames.flatMap((name) => {
          const of = found
            .filter((row) => row.engine === engine && row.implementation === implementation && row.name === name)
            .map(({ measured }) => measured);
          return of.length === 0 ? [] : [summarise(engine, implementation, name, of)];
        }),
      ),
    );
    console.log(tableOf(results));
    const report = {
      machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} CPUs, ${process.platform} ${process.arch}`,
      versions: versions(),
      commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", cwd: here(".") }).trim(),
      results,
    };
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One handshake on one engine. */
interface Result {
  readonly group: "replay";
  readonly operation: string;
  readonly engine: Engine;
  readonly implementation: string;
  /** CPU microseconds: of a later handshake, of the first one with running the script, and of reading the script. */
  readonly median_us: number;
  readonly min_us: number;
  readonly cold_us: number;
  readonly read_us: number;
  readonly runs: number;
  readonly computrons?: Measured["computrons"];
  readonly counts?: ReplayCounts;
  readonly heap?: Measured["heap"];
}

function summarise(engine: Engine, implementation: string, name: string, processes: readonly Measured[]): Result {
  const [{ computrons, counts, heap, result }] = processes as [Measured, ...Measured[]];
  if (processes.some((other) => other.result !== result)) throw new Error(`${name} on ${engine}: results differ`);
  return {
    group: "replay",
    operation: `replay-${name}`,
    engine,
    implementation,
    median_us: median(processes.map(({ warmUs }) => median(warmUs))),
    min_us: Math.min(...processes.flatMap(({ warmUs }) => warmUs)),
    cold_us: median(processes.map(({ coldUs }) => coldUs)),
    read_us: median(processes.map(({ readUs }) => readUs)),
    runs: processes.length,
    ...(computrons && { computrons }),
    ...(counts && { counts }),
    ...(heap && { heap }),
  };
}

function tableOf(results: readonly Result[]): string {
  const ms = (us: number): string => (us / 1000).toFixed(1);
  const rows = results.map((row) => {
    const noble = results.find(
      ({ engine, operation, implementation }) =>
        engine === row.engine && operation === row.operation && implementation === "noble",
    );
    const ratio = (of: (result: Result) => number): string =>
      noble === undefined || noble === row ? "" : (of(row) / of(noble)).toFixed(2);
    const { engine, operation, implementation, computrons, heap } = row;
    return [
      ...[engine, operation, implementation, ms(row.read_us), ms(row.cold_us), ms(row.median_us)],
      ...[ratio(({ cold_us, read_us }) => cold_us + read_us), ratio(({ cold_us }) => cold_us)],
      ratio(({ median_us }) => median_us),
      computrons === undefined ? "" : `${computrons.cold} / ${computrons.warm}`,
      heap === undefined ? "" : `${Math.round(heap.loaded / 1024)} / ${Math.round(heap.peak / 1024)}`,
    ];
  });
  const head = ["engine", "operation", "implementation", "read, ms", "cold, ms", "warm, ms"];
  head.push("÷ noble read + cold", "cold", "warm", "computrons cold / warm", "heap KiB loaded / peak");
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const counts = results.flatMap((row) =>
    row.engine === "quickjs" && row.counts !== undefined ? [`${row.operation}: ${JSON.stringify(row.counts)}`] : [],
  );
  return [...lines, "", ...counts].join("\n");
}

function versions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(here("../../test/engines/package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const openssl = execFileSync("openssl", ["version"], { encoding: "utf8" }).trim();
  return { node: process.version, openssl, ...dependencies };
}
