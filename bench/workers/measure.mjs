/**
 * Times operations in this process by CPU time, JIT and collector threads included, and prints one JSON line for each.
 *
 * The command line is: the fixtures' file, the operations wanted (comma-separated, or "all"), milliseconds a batch, batches.
 */
import { readFileSync } from "node:fs";

const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));

/** Fixtures as `fixtures.ts` wrote them; values in hexadecimal become bytes. */
function readFixtures(file) {
  const { bytes, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  return { ...rest, ...Object.fromEntries(Object.entries(bytes).map(([name, text]) => [name, hex(text)])) };
}

function cpuMicroseconds() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * Runs an implementation: `operations(fixtures)` gives for each operation's name an object with `run()`, which does it once, and
 * `check()`, whose result (bytes or a truth) the caller compares with the other implementations' before it believes the time.
 */
export async function measure(implementation, operations) {
  const [file, wanted, batchMs, batches] = process.argv.slice(2);
  const table = await operations(readFixtures(file));
  for (const [operation, { run, check }] of Object.entries(table)) {
    if (wanted !== "all" && !wanted.split(",").includes(operation)) continue;
    const result = await check();
    const text = typeof result === "boolean" ? String(result) : Buffer.from(result).toString("hex");
    const isAsync = run() instanceof Promise;
    const loop = async (count) => {
      const start = cpuMicroseconds();
      if (isAsync) for (let i = 0; i < count; i++) await run();
      else for (let i = 0; i < count; i++) run();
      return cpuMicroseconds() - start;
    };
    // Warm-up and calibration in one: batches grow until one takes long enough.
    let count = 1;
    for (let spent = 0, last = 0; last < Number(batchMs) * 1000 || spent < Number(batchMs) * 10_000; spent += last) {
      last = await loop(count);
      if (last < Number(batchMs) * 1000)
        count = Math.ceil(count * Math.min(4, (Number(batchMs) * 1100) / Math.max(last, 1)));
    }
    const samples = [];
    for (let i = 0; i < Number(batches); i++) samples.push((await loop(count)) / count);
    console.log(JSON.stringify({ implementation, operation, check: text, samples }));
  }
}
