/**
 * `npm run bench -- slicing`: what a mutual handshake costs in slices of 2,000 units, as a device computes it between its other work, over
 * what it costs at once. Both take turns in one process, batch by batch; the ratio is that of their medians, and the median over processes.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import type { Fixtures } from "./fixtures.ts";
import { median } from "./report.ts";

/** One kind of handshake. */
export interface SlicingResult {
  readonly operation: string;
  /** Units of each call of `work`. */
  readonly budget: number;
  /** CPU microseconds at once, and in slices. */
  readonly whole_us: number;
  readonly sliced_us: number;
  /** Units of a handshake. */
  readonly units: number;
  /** In slices over at once: the median over processes. */
  readonly ratio: number;
  readonly runs: number;
}

/** A line of the worker. */
interface Line {
  readonly operation: string;
  readonly budget: number;
  readonly units: number;
  readonly whole: readonly number[];
  readonly sliced: readonly number[];
}

/** Runs the bundled `workers/slicing.mjs` in fresh processes. */
export async function measureSlicing(
  { json }: Fixtures,
  worker: string,
  processes: number,
  isQuick = false,
): Promise<readonly SlicingResult[]> {
  const lines: Line[] = [];
  for (let i = 0; i < processes; i++) {
    console.error(`slicing: process ${i + 1} of ${processes}`);
    const output = execFileSync(process.execPath, [worker, json, isQuick ? "0.3" : "1"], { encoding: "utf8" });
    for (const line of output.trim().split("\n")) lines.push(JSON.parse(line) as Line);
  }
  return [...new Set(lines.map(({ operation }) => operation))].map((operation) => {
    const of = lines.filter((line) => line.operation === operation);
    const medians = of.map(({ whole, sliced }) => [median(whole), median(sliced)] as const);
    return {
      operation,
      budget: of[0]!.budget,
      whole_us: median(medians.map(([whole]) => whole)),
      sliced_us: median(medians.map(([, sliced]) => sliced)),
      units: of[0]!.units,
      ratio: median(medians.map(([whole, sliced]) => sliced / whole)),
      runs: of.length,
    };
  });
}

/** A table in Markdown. */
export function slicingTable(results: readonly SlicingResult[]): string {
  return [
    "| handshake, CPU µs (median) | at once | in slices | units a slice | units | in slices ÷ at once |",
    "|---|--:|--:|--:|--:|--:|",
    ...results.map(({ operation, whole_us, sliced_us, budget, units, ratio }) => {
      const cells = [operation, whole_us.toFixed(0), sliced_us.toFixed(0), budget, units, ratio.toFixed(3)];
      return `| ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}
