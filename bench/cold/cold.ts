/**
 * The first handshakes of a fresh process, over loopback, with the server in another process: what a short program pays. The figure is
 * the CPU time of the whole process, less that of an empty one.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Fixtures } from "../fixtures.ts";
import { median, type Result } from "../report.ts";

const COUNTS = [1, 2, 5, 20];
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Measures, in processes of the given Node, thingwire, Node's TLS and, where it has no TLS, noble's primitives in the same order. */
export async function benchColdStart(fixtures: Fixtures, processes: number, runtime: string): Promise<Result[]> {
  const bundle = async (name: string): Promise<string> => {
    const outfile = join(fixtures.file("."), `cold-${name}.mjs`);
    await build({
      entryPoints: [here(`${name}.mjs`)],
      outfile,
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
    });
    return outfile;
  };
  const clients = Object.fromEntries(
    await Promise.all(
      (["empty", "thingwire", "node", "noble"] as const).map(async (name) => [name, await bundle(name)] as const),
    ),
  ) as Record<"empty" | "thingwire" | "node" | "noble", string>;
  const port = String(fixtures.ports["handshake-ecdsa-mutual"]);
  const cpu = (script: string, count: number): number =>
    Number(execFileSync(runtime, [script, fixtures.file("."), port, String(count)], { encoding: "utf8" }).trim());
  const results: Result[] = [];
  const names = ["thingwire", "node", "noble"] as const;
  const samples = new Map<string, number[]>();
  for (let i = 0; i < processes; i++) {
    console.error(`cold start ${i + 1} of ${processes}`);
    const empty = cpu(clients.empty, 0);
    for (const name of names)
      for (const count of COUNTS) {
        const key = `${name} ${count}`;
        samples.set(key, [...(samples.get(key) ?? []), cpu(clients[name], count) - empty]);
      }
  }
  for (const count of COUNTS)
    for (const name of names) {
      const values = samples.get(`${name} ${count}`)!;
      results.push({
        group: "cold",
        operation: `handshake-cold-ecdsa-mutual${count === 1 ? "" : `-${count}`}`,
        implementation: name,
        median_us: median(values),
        min_us: Math.min(...values),
        runs: values.length,
      });
    }
  return results;
}
