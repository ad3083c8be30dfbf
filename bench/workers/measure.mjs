/**
 * Times operations in this process by CPU time, JIT and collector threads included, and prints one JSON line for each.
 *
 * The command line is: the fixtures' file, the operations wanted (comma-separated, or "all"), milliseconds a batch, batches.
 */
import { readFileSync } from "node:fs";

const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));

/** Fixtures as `fixtures.ts` wrote them; values in hexadecimal become bytes. */
export function readFixtures(file) {
  const { bytes, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  return { ...rest, ...Object.fromEntries(Object.entries(bytes).map(([name, text]) => [name, hex(text)])) };
}

/** Batches of which the fastest is compared with the fastest of as many before. */
const WARM_UP_WINDOW = 16;
/** The warm-up takes at most so many times what is measured, or so many microseconds. */
const WARM_UP_AT_MOST = 20;
const WARM_UP_MICROSECONDS = 1_000_000;

export function cpuMicroseconds() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * Runs an implementation: `operations(fixtures)` gives for each operation's name an object with `run()`, which does it once, and
 * `check()`, whose result (bytes or a truth) the caller compares with the other implementations' before it believes the time. Where not all
 * of the work counts, `timed(count)` stands in `run`'s place: it does it that often and returns the microseconds that count. `warmUp`:
 * microseconds of warm-up at least, for what changes its code on the way.
 */
export async function measure(implementation, operations) {
  const [file, wanted] = process.argv.slice(2);
  const batchTime = 1000 * Number(process.argv[4]); // in microseconds, as all times here
  const batches = Number(process.argv[5]);
  const table = await operations(readFixtures(file));
  for (const [operation, { run, check, timed, warmUp = 0 }] of Object.entries(table)) {
    if (wanted !== "all" && !wanted.split(",").includes(operation)) continue;
    const result = await check();
    const text = typeof result === "boolean" ? String(result) : Buffer.from(result).toString("hex");
    const isAsync = run?.() instanceof Promise;
    const loop = async (count) => {
      if (timed !== undefined) return timed(count);
      const start = cpuMicroseconds();
      if (isAsync) for (let i = 0; i < count; i++) await run();
      else for (let i = 0; i < count; i++) run();
      return cpuMicroseconds() - start;
    };
    // Warm-up and calibration in one: batches grow until one takes long enough, and go on until they get no faster. A handshake
    // takes seconds to be compiled, which a C program does not have, and a short program never sees: that is what the cold starts are for.
    let count = 1;
    let fastestBefore = Number.POSITIVE_INFINITY;
    let window = [];
    const atMost = Math.max(WARM_UP_MICROSECONDS, WARM_UP_AT_MOST * batchTime * batches);
    for (let spent = 0; spent < atMost; ) {
      const last = await loop(count);
      spent += last;
      if (last < batchTime) {
        count = Math.ceil(count * Math.min(4, (1.1 * batchTime) / Math.max(last, 1)));
        continue;
      }
      window.push(last / count);
      if (window.length < WARM_UP_WINDOW) continue;
      const fastest = Math.min(...window);
      if (spent > warmUp && fastest > 0.98 * fastestBefore) break;
      fastestBefore = fastest;
      window = [];
    }
    const samples = [];
    for (let i = 0; i < batches; i++) samples.push((await loop(count)) / count);
    console.log(JSON.stringify({ implementation, operation, check: text, samples }));
  }
}
