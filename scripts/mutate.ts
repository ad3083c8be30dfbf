/**
 * Mutation testing of the TLS protocol code with Stryker: `npm run mutate -- --seed 5 --size 1000`. Draws windows of lines out of the
 * files below until they hold `size` mutants, has `test/mutation/runner.ts` run the tests on each one, and writes
 * `test/mutation/result.json` and `docs/MUTATION.md`. The same seed with a larger size draws the same windows and more. Ends with 1
 * where a mutant survived that `test/mutation/reasons.ts` gives no reason for, or where less than 85 % were killed.
 *
 * A mutant that reaches over the border of a window (the whole body of a function, mostly) is never drawn: those die easily.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Reason, reasons } from "../test/mutation/reasons.ts";

const FILES =
  "states server-states messages extensions record framer deframer reassembly connection flight server-flight handshake signing settings server-settings session session-offer server-sessions alerts verify boundary traffic aead-protection cbc-protection"
    .split(" ")
    .map((name) => `src/tls/${name}.ts`);
const STRYKER = new URL("../test/mutation/node_modules/@stryker-mutator/", import.meta.url);
/** Ignored by git, by the formatter and by the tests' globs. */
const WORK = ".thingwire/mutation";
const INCREMENTAL = `${WORK}/incremental.json`;
const WINDOW_LINES = 8;
/** As the issue asks. */
const LEAST_SCORE = 0.85;

interface Place {
  readonly line: number;
  readonly column: number;
}

/** A mutant, as Stryker's report has it. */
interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
  readonly status: "Killed" | "Survived" | "NoCoverage" | "Timeout" | "RuntimeError" | "CompileError" | "Ignored";
}

type Report = Record<string, { mutants: Mutant[] }>;

interface Survivor {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly code: string;
  readonly replacement: string;
  readonly reason: string | undefined;
}

interface Window {
  readonly file: string;
  /** From 0. */
  readonly first: number;
  readonly last: number;
  readonly mutants: number;
}

/** All windows of lines, with how many mutants lie in each one. */
async function allWindows(): Promise<Window[]> {
  const { Instrumenter } = await import(new URL("instrumenter/dist/src/index.js", STRYKER).href);
  const silent = new Proxy({}, { get: () => () => false });
  const windows: Window[] = [];
  for (const file of FILES) {
    const content = readFileSync(file, "utf8");
    const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false };
    const { mutants } = await new Instrumenter(silent).instrument([{ name: file, mutate: true, content }], options);
    const counts: number[] = [];
    for (const { location } of mutants as { location: Mutant["location"] }[]) {
      const window = Math.floor(location.start.line / WINDOW_LINES);
      if (Math.floor(location.end.line / WINDOW_LINES) === window) counts[window] = (counts[window] ?? 0) + 1;
    }
    counts.forEach((count, i) => {
      windows.push({ file, first: i * WINDOW_LINES, last: (i + 1) * WINDOW_LINES - 1, mutants: count });
    });
  }
  return windows;
}

/** The first windows in an order out of the seed that hold no more than `size` mutants. An edit elsewhere does not change the order. */
function drawn(windows: readonly Window[], seed: number, size: number): Window[] {
  const digest = ({ file, first }: Window) => createHash("sha256").update(`${seed} ${file} ${first}`).digest("hex");
  const order = windows
    .map((window) => ({ window, place: digest(window) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ window }) => window);
  let sum = 0;
  const end = order.findIndex((window) => (sum += window.mutants) > size);
  return end < 0 ? order : order.slice(0, end);
}

/** Of what an earlier run found out, only that a mutant was killed holds: one that was not may meet other tests now. */
function forgetSurvivors(): void {
  if (!existsSync(INCREMENTAL)) return;
  const report = JSON.parse(readFileSync(INCREMENTAL, "utf8")) as { files: Report };
  for (const file of Object.values(report.files))
    file.mutants = file.mutants.filter(({ status }) => status === "Killed");
  writeFileSync(INCREMENTAL, JSON.stringify(report));
}

/** Runs Stryker and returns its mutants by file. What an earlier run found out and no edit has touched is taken over. */
function stryker(windows: readonly Window[], concurrency: number): Report {
  mkdirSync(WORK, { recursive: true });
  forgetSurvivors();
  const configuration = {
    testRunner: "warm",
    plugins: ["./test/mutation/runner.ts"],
    coverageAnalysis: "perTest",
    mutate: windows.map(({ file, first, last }) => `${file}:${first + 1}-${last + 1}`),
    ignorePatterns: [".thingwire", "bench", "dist", "examples", "coverage"],
    tempDirName: `${WORK}/sandbox`,
    concurrency,
    // A loop that meets the mutant again and again ends by its count; on a busy machine a test that passes may take long.
    timeoutMS: 60_000,
    dryRunTimeoutMinutes: 20,
    ignoreStatic: true,
    incremental: true,
    incrementalFile: INCREMENTAL,
    // The events tell of each mutant while the run goes on.
    reporters: ["json", "progress-append-only", "event-recorder"],
    eventReporter: { baseDir: `${WORK}/events` },
    jsonReporter: { fileName: `${WORK}/report.json` },
    allowConsoleColors: false,
    tsconfigFile: "none",
  };
  writeFileSync(`${WORK}/stryker.json`, JSON.stringify(configuration, null, 2));
  const program = new URL("core/bin/stryker.js", STRYKER).pathname;
  // Stryker's processes load a plugin in TypeScript.
  const env = { ...process.env, NODE_OPTIONS: "--import tsx" };
  const { status } = spawnSync(process.execPath, [program, "run", `${WORK}/stryker.json`], { stdio: "inherit", env });
  if (status !== 0) throw new Error(`Stryker ended with ${status}`);
  return JSON.parse(readFileSync(`${WORK}/report.json`, "utf8")).files;
}

function survivorOf(file: string, source: readonly string[], mutant: Mutant): Survivor {
  const { start, end } = mutant.location;
  const lines = source.slice(start.line - 1, end.line);
  const text = lines
    .map((line, i) => line.slice(i === 0 ? start.column - 1 : 0, i === lines.length - 1 ? end.column - 1 : undefined))
    .join(" ")
    .replace(/\s+/g, " ");
  const replacement = (mutant.replacement ?? "").replace(/\s+/g, " ");
  const isFor = (reason: Reason) =>
    reason.file === file.slice("src/tls/".length, -".ts".length) &&
    source
      .slice(start.line - 1, end.line)
      .join("\n")
      .includes(reason.line) &&
    (reason.replacement === undefined || reason.replacement === replacement);
  const reason = reasons.find(isFor)?.reason;
  return { file, line: start.line, mutator: mutant.mutatorName, code: text, replacement, reason };
}

const cell = (text: string) => `\`${(text.length > 90 ? `${text.slice(0, 89)}…` : text).replaceAll("|", "\\|")}\``;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "5" },
    size: { type: "string", default: "1000" },
    concurrency: { type: "string", default: "1" },
    /** Nothing but the count of windows and mutants. */
    draw: { type: "boolean", default: false },
  },
});
const windows = drawn(await allWindows(), Number(values.seed), Number(values.size));
const size = windows.reduce((sum, window) => sum + window.mutants, 0);
process.stdout.write(`seed ${values.seed}: ${windows.length} windows of ${WINDOW_LINES} lines, ${size} mutants\n`);
if (!values.draw) {
  const files = stryker(windows, Number(values.concurrency));
  const rows: { file: string; killed: number; timedOut: number; survived: number }[] = [];
  const survivors: Survivor[] = [];
  let notRun = 0;
  // Stryker's report still tells of mutants that an earlier run drew.
  const isDrawn = (file: string, { location: { start, end } }: Mutant) =>
    windows.some((window) => window.file === file && window.first < start.line && end.line <= window.last + 1);
  for (const [file, report] of Object.entries(files).sort()) {
    const mutants = report.mutants.filter((mutant) => isDrawn(file, mutant));
    const source = readFileSync(file, "utf8").split("\n");
    const count = (wanted: Mutant["status"]) => mutants.filter(({ status }) => status === wanted).length;
    const alive = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    rows.push({ file, killed: count("Killed"), timedOut: count("Timeout"), survived: alive.length });
    notRun += count("Ignored");
    survivors.push(...alive.map((mutant) => survivorOf(file, source, mutant)));
  }
  const timedOut = rows.reduce((sum, row) => sum + row.timedOut, 0);
  const killed = rows.reduce((sum, row) => sum + row.killed, timedOut);
  const total = killed + survivors.length;
  const score = killed / total;
  const summary = {
    seed: Number(values.seed),
    windowLines: WINDOW_LINES,
    mutants: total,
    killed,
    timedOut,
    notRun,
    score,
  };
  writeFileSync("test/mutation/result.json", `${JSON.stringify({ ...summary, files: rows, survivors }, null, 2)}\n`);
  const unexplained = survivors.filter(({ reason }) => reason === undefined);
  writeFileSync(
    "docs/MUTATION.md",
    `# Mutation testing of the TLS protocol code

Written by \`npm run mutate -- --seed ${values.seed} --size ${values.size}\` (Stryker 9.6.1, \`scripts/mutate.ts\`); not by hand. Stryker changes one
expression, condition, string or block at a time; a mutant is killed where a test of \`test/mutation/runner.ts\` fails or does not end.
The sample: ${windows.length} windows of ${WINDOW_LINES} lines, drawn with seed ${values.seed}. ${notRun} mutants more in them are of tables at module level: they would need
all tests anew, and \`test/arch\` and \`errors.test.ts\` hold the tables; they are not counted.

**${killed} of ${total} mutants killed: ${(100 * score).toFixed(1)} %** (${timedOut} of them because a test did not end). ${survivors.length} survived, ${unexplained.length} of them without a reason.

| file | killed | timed out | survived |
|---|---|---|---|
${rows.map((row) => `| \`${row.file}\` | ${row.killed} | ${row.timedOut} | ${row.survived} |`).join("\n")}

## Survivors

| place | code | became | why it may |
|---|---|---|---|
${survivors.map((s) => `| ${s.file.slice("src/tls/".length)}:${s.line} | ${cell(s.code)} | ${cell(s.replacement)} | ${s.reason ?? "**no reason yet**"} |`).join("\n")}
`,
  );
  process.stdout.write(`${killed} of ${total} killed (${(100 * score).toFixed(1)} %)\n`);
  for (const { file, line, code, replacement } of unexplained)
    process.stdout.write(`survived: ${file}:${line} ${code} → ${replacement}\n`);
  if (unexplained.length > 0 || score < LEAST_SCORE) process.exitCode = 1;
}
