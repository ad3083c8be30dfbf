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
