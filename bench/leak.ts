/**
 * `npm run bench -- leak`: does the time of an operation tell about its secret? For each target, inputs of two classes take turns in random
 * order, and Welch's t says whether the two piles of times have the same mean, as dudect does: over the whole piles, and over what
 * is left when the slow tail of both together is cut off, since interruptions drown what is looked for. A |t| over 10 is a leak beyond doubt;
 * between 4.5 and 10 perhaps one, to be measured again with more samples, for a leak's t grows with them, and chance's does not.
 *
 * Three controls must leak, and one whose classes are the same must not: else the machine is too noisy for the others to mean anything, and the
 * exit code is 1. A small |t| proves nothing: another processor, another engine or more samples may show what these do not.
 *
 * @module
 */

import { leakTargets, type Target } from "./leak-targets.ts";
import { median } from "./report.ts";

/** What was found of one target. */
export interface LeakResult {
  readonly target: string;
  readonly classes: readonly [string, string];
  readonly samples: number;
  /** Welch's t over all times, and the largest over the crops. Positive: the first class is slower. */
  readonly t: number;
  readonly largest_t: number;
  /** The median of the first class, and by how much of it the second differs. */
  readonly median_us: number;
  readonly difference: number;
  readonly verdict: "leaks" | "suspicious" | "nothing seen";
  readonly control: boolean;
}

export interface LeakReport {
  readonly results: readonly LeakResult[];
  /** Whether the controls were as they must be. */
  readonly sound: boolean;
}

const LEAK = 10;
const SUSPICION = 4.5;
/** Shares of the fastest times that are looked at. */
const CROPS = [1, 0.95, 0.9, 0.75, 0.5];
/** Samples that are thrown away first, as a share of those that count: compilation. */
const WARM_UP = 0.2;
/** Stands for a t where one pile is wholly below the other. */
const APART = 999;

/** Measures the targets, `scale` times as often as they say, and prints a line for each. */
export function measureLeaks(scale: number, wanted?: string): LeakReport {
  console.log("| operation | classes | samples | median, µs | difference | t | largest t | verdict |");
  console.log("|---|---|--:|--:|--:|--:|--:|---|");
  const results: LeakResult[] = [];
  let sound = true;
  for (const target of leakTargets()) {
    if (wanted !== undefined && target.control === undefined && !target.name.includes(wanted)) continue;
    const result = measure(target, Math.round(target.samples * scale));
    results.push(result);
    const asItMust = (target.control === "leaks") === (result.verdict === "leaks");
    if (target.control !== undefined) sound &&= asItMust;
    console.log(lineOf(result, target.control !== undefined && asItMust));
  }
  if (!sound) console.log("\nA control was not as it must be: this run says nothing.");
  return { results, sound };
}

function lineOf(result: LeakResult, asItMust: boolean): string {
  const { target, classes, samples, median_us, difference, t, largest_t, verdict } = result;
  const cells = [target, classes.join(" · "), samples, median_us.toPrecision(3), `${(100 * difference).toFixed(2)} %`];
  return `| ${[...cells, t.toFixed(1), largest_t.toFixed(1), verdict + (asItMust ? ", as it must" : "")].join(" | ")} |`;
}

function measure(target: Target, samples: number): LeakResult {
  const [first, second] = times(target, samples);
  const all = [...first, ...second].sort((a, b) => a - b);
  const ts = CROPS.map((crop) => {
    const limit = all[Math.min(all.length - 1, Math.floor(all.length * crop))]!;
    return welch(
      first.filter((time) => time <= limit),
      second.filter((time) => time <= limit),
    );
  });
  const largest = ts.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  const size = Math.abs(largest);
  return {
    target: target.name,
    classes: target.classes,
    samples,
    t: ts[0]!,
    largest_t: largest,
    median_us: median(first),
    difference: median(second) / median(first) - 1,
    verdict: size > LEAK ? "leaks" : size > SUSPICION ? "suspicious" : "nothing seen",
    control: target.control !== undefined,
  };
}

/** Microseconds of the runs of both classes. */
function times({ prepare }: Target, samples: number): readonly [number[], number[]] {
  const piles: [number[], number[]] = [[], []];
  for (let i = -Math.ceil(samples * WARM_UP); i < samples; i++) {
    const isFirst = Math.random() < 0.5;
    const run = prepare(isFirst);
    const start = process.hrtime.bigint();
    run();
    const time = Number(process.hrtime.bigint() - start) / 1000;
    if (i >= 0) piles[isFirst ? 0 : 1].push(time);
  }
  return piles;
}

/** Welch's t of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
  // Where cutting the tail leaves nothing of one pile, they lie wholly apart.
  if (a.length < 2 || b.length < 2) return APART;
  const [meanA, varianceA] = moments(a);
  const [meanB, varianceB] = moments(b);
  const error = Math.sqrt(varianceA / a.length + varianceB / b.length);
  return error === 0 ? 0 : (meanA - meanB) / error;
}

function moments(values: readonly number[]): readonly [mean: number, variance: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, squares / (values.length - 1)];
}
