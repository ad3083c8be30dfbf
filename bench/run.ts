/**
 * `npm run bench`: every implementation in fresh processes, round after round, so that a slow minute of the machine hits all of them.
 * Results are compared before a time is believed; what is quoted is the median over the processes of each one's median batch. `--report` writes `REPORT.md`, its plots and `results.json`.
 *
 *   npm run bench [-- --quick] [-- --rounds N] [-- --only OPERATION,…] [-- --json FILE] [-- --report]
 *   npm run bench -- leak [--quick]
 *   npm run bench -- replay [--quick] [--rounds N] [--json FILE] [--script FILE]
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { benchColdStart } from "./cold/cold.ts";
import { type Fixtures, makeFixtures } from "./fixtures.ts";
import { leak } from "./leak.ts";
import { plot } from "./plot.ts";
import { benchReplay } from "./replay/replay.ts";
import { median, type Report, type Result, reportOf, tableOf } from "./report.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** One line of a worker. */
interface Measured {
  readonly implementation: string;
  readonly operation: string;
  readonly check: string;
  readonly samples: readonly number[];
}

type Worker = (operations: string, batchMs: number, batches: number) => string;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "all" },
    json: { type: "string" },
    report: { type: "boolean", default: false },
    script: { type: "string" },
  },
});
if (positionals[0] === "leak") process.exit(leak(values.quick));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
if (positionals[0] === "replay") {
  await benchReplay({ ...values, rounds });
  process.exit();
}
const [batchMs, batches] = values.quick ? [8, 3] : [25, 9];

const folder = mkdtempSync(join(tmpdir(), "thingwire-bench-"));
let fixtures: Fixtures | undefined;
try {
  console.error("fixtures, bundles and the program in C …");
  fixtures = await makeFixtures(folder);
  const measured = await measureRounds(await makeWorkers(fixtures));
  const cold = values.only === "all" ? await benchColdStart(fixtures, values.quick ? 3 : 15) : [];
  const report: Report = {
    machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} CPUs, ${process.platform} ${process.arch}`,
    versions: versions(),
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", cwd: here("..") }).trim(),
    results: [...summarise(measured), ...cold],
  };
  console.log(tableOf(report));
  const json = `${JSON.stringify(report, null, 1)}\n`;
  if (values.json !== undefined) writeFileSync(values.json, json);
  if (values.report) {
    const plots = (["primitives", "handshakes", "cold"] as const).map((group) => {
      const results = report.results.filter((row) => row.group === group);
      writeFileSync(here(`${group}.svg`), plot(`CPU time of ${group}`, results));
      return `${group}.svg`;
    });
    writeFileSync(here("results.json"), json);
    writeFileSync(here("REPORT.md"), reportOf(report, plots));
  }
} finally {
  fixtures?.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function makeWorkers({ json, text }: Fixtures): Promise<Record<string, Worker>> {
  const thingwire = join(folder, "thingwire.mjs");
  await build({
    entryPoints: [here("workers/thingwire.mjs")],
    outfile: thingwire,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  const mbedtls = join(folder, "mbedtls");
  const libraries = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];
  execFileSync("cc", ["-O2", "-Wall", "-o", mbedtls, here("mbedtls/bench.c"), ...libraries]);
  const node =
    (script: string): Worker =>
    (operations, ms, count) =>
      execFileSync(process.execPath, [script, json, operations, String(ms), String(count)], { encoding: "utf8" });
  return {
    thingwire: node(thingwire),
    mbedtls: (operations, ms, count) =>
      execFileSync(mbedtls, [text, folder, operations, String(ms), String(count)], { encoding: "utf8" }),
    noble: node(here("workers/noble.mjs")),
    forge: node(here("workers/forge.mjs")),
    reclaim: node(here("workers/reclaim.mjs")),
    node: node(here("workers/node.mjs")),
  };
}

async function measureRounds(workers: Record<string, Worker>): Promise<Measured[]> {
  const lines: Measured[] = [];
  const names = Object.keys(workers);
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length]!;
      console.error(`round ${round + 1} of ${rounds}: ${name}`);
      const output = workers[name]!(values.only, batchMs!, batches!);
      for (const line of output.split("\n").filter((text) => text !== "")) lines.push(JSON.parse(line) as Measured);
    }
  return lines;
}

/** Compares what came out, and makes one figure of each implementation's processes. */
function summarise(lines: readonly Measured[]): Result[] {
  const results: Result[] = [];
  for (const operation of new Set(lines.map((line) => line.operation))) {
    const of = lines.filter((line) => line.operation === operation);
    const [first] = of;
    const other = of.find(({ check }) => check !== first!.check);
    if (other !== undefined || first!.check === "false")
      throw new Error(`${operation}: ${first!.implementation} and ${(other ?? first)!.implementation} differ`);
    for (const implementation of new Set(of.map((line) => line.implementation))) {
      const processes = of.filter((line) => line.implementation === implementation);
      results.push({
        group: operation.startsWith("handshake") ? "handshakes" : "primitives",
        operation,
        implementation,
        median_us: median(processes.map(({ samples }) => median(samples))),
        min_us: Math.min(...processes.flatMap(({ samples }) => samples)),
        runs: processes.length,
      });
    }
  }
  return results;
}

function versions(): Record<string, string> {
  const list = JSON.parse(execFileSync("npm", ["ls", "--json", "--depth=0"], { encoding: "utf8", cwd: here(".") })) as {
    dependencies: Record<string, { version: string }>;
  };
  const rivals = Object.fromEntries(Object.entries(list.dependencies).map(([name, { version }]) => [name, version]));
  const mbedtls = execFileSync(join(folder, "mbedtls"), ["version"], { encoding: "utf8" }).trim();
  return { node: process.version, openssl: process.versions.openssl, mbedtls, ...rivals };
}
