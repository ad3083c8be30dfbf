/**
 * What a run of the benchmarks says: the JSON's shape, and tables made of it.
 *
 * @module
 */

import { type SlicingResult, slicingTable } from "./slicing.ts";

/** Groups of operations: a table and a plot each. */
export const groups = ["primitives", "records", "x509", "handshakes", "cold"] as const;
type Group = (typeof groups)[number];

/** One figure: CPU microseconds of one operation of one implementation. */
export interface Result {
  readonly group: Group;
  readonly operation: string;
  readonly implementation: string;
  readonly median_us: number;
  readonly min_us: number;
  /** Processes that were measured. */
  readonly runs: number;
}

/** A run. `results` are of the Node that ran it. */
export interface Report {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  /** YYYY-MM-DD. */
  readonly date: string;
  /** The operations, separated by commas, where not all were measured. */
  readonly only?: string;
  readonly results: readonly Result[];
  /** The same on a newer Node; mbedTLS was measured once more beside it. */
  readonly newer?: { readonly node: string; readonly results: readonly Result[] };
  readonly slicing?: readonly SlicingResult[];
}

/** What each group is called. */
export const titles: Readonly<Record<Group, string>> = {
  primitives: "Primitives",
  records: "Records",
  x509: "Certificates",
  handshakes: "Handshakes, the client's part",
  cold: "The first handshakes of a fresh process, together",
};

/** Implementations as tables and plots have them. */
const implementationOrder = ["thingwire", "mbedtls", "node", "noble", "forge", "peculiar", "reclaim"];

/** The implementations in the results, in order. */
export function implementationsIn(results: readonly Result[]): string[] {
  const found = new Set(results.map(({ implementation }) => implementation));
  return implementationOrder.filter((name) => found.has(name));
}

/** The group of an operation, by its name. */
export function groupOf(operation: string): Group {
  if (operation.startsWith("handshake-cold")) return "cold";
  if (operation.startsWith("handshake")) return "handshakes";
  if (operation.startsWith("x509")) return "x509";
  return /^(?:aes|chacha|record)/.test(operation) ? "records" : "primitives";
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What was measured on what, and a table of everything for each Node. */
export function tableOf({ machine, versions, commit, date, results, newer }: Report): string {
  return [
    `Machine: ${machine}. Commit: ${commit}. Date: ${date}.`,
    `Versions: ${Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", ")}.`,
    "",
    resultTable(results),
    certificateSummary(results),
    ...(newer === undefined
      ? []
      : ["", `Node ${newer.node}:`, "", resultTable(newer.results), certificateSummary(newer.results)]),
  ].join("\n");
}

/** A table in Markdown: operations down, implementations across, and how much of mbedTLS's time thingwire takes. */
function resultTable(results: readonly Result[]): string {
  const implementations = implementationsIn(results);
  const find = (operation: string, implementation: string): number | undefined =>
    results.find((row) => row.operation === operation && row.implementation === implementation)?.median_us;
  const lines = [
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

/** What the certificates' rows say of the goals: how many times as long rivals take to read, and how much of a validation is signatures. */
export function certificateSummary(results: readonly Result[]): string {
  const find = (operation: string, implementation: string): number | undefined =>
    results.find((row) => row.operation === operation && row.implementation === implementation)?.median_us;
  const lines: string[] = [];
  for (const { operation, implementation, median_us: ours } of results) {
    if (implementation !== "thingwire") continue;
    if (operation.startsWith("x509-read")) {
      const times = ["forge", "peculiar", "node"].flatMap((rival) => {
        const theirs = find(operation, rival);
        return theirs === undefined ? [] : [`${rival} ${(theirs / ours).toFixed(1)}`];
      });
      if (times.length > 0) lines.push(`- ${operation}: times as long as thingwire: ${times.join(", ")}`);
    }
    const signatures = find(operation.replace("verify", "signatures"), implementation);
    if (operation.startsWith("x509-verify") && signatures !== undefined)
      lines.push(
        `- ${operation}: signatures are ${((100 * signatures) / ours).toFixed(0)} % of thingwire's validation`,
      );
  }
  return lines.length === 0 ? "" : `\n${lines.join("\n")}`;
}

function formatted(value: number | undefined): string {
  if (value === undefined) return "";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** `REPORT.md`, with the name of the plot of each group. */
export function reportOf(report: Report, plots: Readonly<Partial<Record<Group, string>>>): string {
  const { machine, versions, commit, date, only, results, newer, slicing } = report;
  const node = versions["node"];
  const sections = groups
    .filter((group) => results.some((row) => row.group === group))
    .map((group) => {
      const of = (all: readonly Result[]): string => {
        const rows = all.filter((row) => row.group === group);
        return `${resultTable(rows)}${group === "x509" ? `\n${certificateSummary(rows)}` : ""}`;
      };
      const later = newer === undefined ? "" : `\nNode ${newer.node}:\n\n${of(newer.results)}\n`;
      const plotted = plots[group] === undefined ? "" : `\n![${titles[group]}, Node ${node}](${plots[group]})\n`;
      return `## ${titles[group]}\n\nNode ${node}:\n\n${of(results)}\n${later}${plotted}`;
    });
  const sliced = slicing === undefined ? "" : `\n## Slices\n\n${slicingTable(slicing)}\n`;
  return `# Benchmark report

Made by \`npm run bench -- --report\` on ${date}${only === undefined ? "" : ", with `--only` the operations that are here"}; the figures behind it are in [results.json](results.json).

- Machine: ${machine}
- Commit: ${commit}
- Versions: ${Object.entries(versions)
    .map((pair) => pair.join(" "))
    .join(", ")}

${sections.join("\n")}${sliced}
## How it was measured

Every figure is CPU time (user and system, the helper threads of V8 included) of one operation: the median over fresh processes of each
process's median batch. Implementations take turns, round after round. Before a time is believed, results are compared: the same keys,
messages and signatures for all, and every signature, digest, tag, secret and record must come out the same.

- **Handshakes** of thingwire are recorded ones, replayed to the server's Finished; those of mbedTLS run in memory against its own server, of
  which nothing is counted; those of Node and @reclaimprotocol/tls go over loopback to Node's server in another process, with about 0.2 ms of
  sockets in them. noble's row is what a handshake computes, with noble's primitives and without any TLS. \`-mutual\` has a certificate of the
  client, \`-chain\` an intermediate of the server's; \`-resumed\` is abbreviated, with a ticket (RFC 5077).
- **Records**: \`record-write\` and \`record-read\` go through the engines, in memory, as \`mbedtls_ssl_write\` and \`mbedtls_ssl_read\` do;
  the rows named after ciphers are the ciphers alone. noble's and node-forge's cost a key set-up each time, which their interfaces want. CBC
  records of all but thingwire are put together out of primitives, and opened without the precautions against padding oracles.
- **Certificates**: \`x509-parse\` is one made a certificate of, whatever the library does then; \`x509-read\` is one parsed and these fields read:
  subject, issuer, serial number, dates, key, keyUsage, extKeyUsage, DNS names, basicConstraints, key identifiers. Node's interface lacks keyUsage, the
  path length and the identifiers; node-forge has no elliptic curves. \`x509-verify\` parses leaf and intermediate and verifies names, dates and both
  signatures, which @peculiar/x509 leaves to WebCrypto, OpenSSL here; \`x509-signatures\` is two digests and two signatures with parsed keys, nothing else.
- **Cold starts** are whole processes over loopback, less an empty process; noble's row is its primitives alone, without TLS or sockets.
- **Slices**: handshakes at once and in slices take turns in the same process.

## What the figures do not show

A machine like a device: no figure here was taken on an ESP32, and an interpreter behaves differently from V8; \`npm run bench -- replay\`
runs handshakes on QuickJS and XS. Wall time: a busy machine changes it, and CPU time leaves out the waiting that a handshake mostly is.
Memory. Constant time: tables of AES and GHASH are indexed by secrets here as in noble and node-forge, and mbedTLS uses the processor's AES
instructions; [docs/SECURITY.md](../docs/SECURITY.md) says more. Programs that do few handshakes: the warm rows are those of code
that V8 has compiled, which takes it some hundred handshakes; the cold rows are the others. Other peers: thingwire keeps tables of the last few
keys that it has verified signatures with, so that the warm rows of verification and of handshakes are those of a client that meets the same
server and the same CA again; mbedTLS keeps none. Other machines: ratios move by some 10 % from one
processor to the next.
`;
}
