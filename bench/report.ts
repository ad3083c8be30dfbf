/**
 * What a run of the benchmarks says: the JSON's shape, and tables made of it.
 *
 * @module
 */

/** One figure: CPU microseconds of one operation of one implementation. */
export interface Result {
  readonly group: "primitives" | "handshakes" | "cold";
  readonly operation: string;
  readonly implementation: string;
  readonly median_us: number;
  readonly min_us: number;
  /** Processes that were measured. */
  readonly runs: number;
}

export interface Report {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly results: readonly Result[];
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A table in Markdown: operations down, implementations across, and how much of mbedTLS's time thingwire takes. */
export function tableOf({ machine, versions, commit, results }: Report): string {
  const implementations = [...new Set(results.map(({ implementation }) => implementation))];
  const find = (operation: string, implementation: string): number | undefined =>
    results.find((row) => row.operation === operation && row.implementation === implementation)?.median_us;
  const lines = [
    `Machine: ${machine}. Commit: ${commit}.`,
    `Versions: ${Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", ")}.`,
    "",
    `| CPU time, µs (median) | ${implementations.join(" | ")} | thingwire ÷ mbedtls |`,
    `|---|${implementations.map(() => "--:|").join("")}--:|`,
  ];
  for (const operation of new Set(results.map((row) => row.operation))) {
    const ours = find(operation, "thingwire");
    const theirs = find(operation, "mbedtls");
    const ratio = ours === undefined || theirs === undefined ? "" : (ours / theirs).toFixed(2);
    const cells = implementations.map((implementation) => formatted(find(operation, implementation)));
    lines.push(`| ${operation} | ${cells.join(" | ")} | ${ratio} |`);
  }
  return lines.join("\n");
}

function formatted(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** `REPORT.md`, with the names of its plots. */
export function reportOf(report: Report, plots: readonly string[]): string {
  return `# Benchmark report

Made by \`npm run bench -- --report\`; the figures behind it are in [results.json](results.json).

${tableOf(report)}

${plots.map((file) => `![${file}](${file})`).join("\n\n")}

## How it was measured

Every figure is CPU time (user and system, the helper threads of V8 included) of one operation: the median over fresh processes of each
process's median batch. Implementations take turns, round after round. Before a time is believed, results are compared: the same keys,
messages and signatures for all, and every signature, digest, tag and secret must come out the same. Handshakes of thingwire are recorded
ones, replayed to the server's Finished; those of mbedTLS run in memory against its own server, of which nothing is counted; those of Node
and @reclaimprotocol/tls go over loopback to Node's server in another process, with about 0.2 ms of sockets in them. Cold starts are
whole processes over loopback, less an empty process; noble's row is its primitives alone, without TLS or sockets.

## What the figures do not show

A machine like a device: no figure here was taken on an ESP32, and an interpreter behaves differently from V8. Wall time: a busy machine
changes it, and CPU time leaves out the waiting that a handshake mostly is. Memory. Constant time: tables of AES and GHASH are indexed by
secrets here as in noble and node-forge, and mbedTLS uses the processor's AES instructions. Resumption, which neither AWS IoT nor
this version has. Other engines than the Node named above. Other machines: ratios move by some 10 % from one processor to the next.
`;
}
