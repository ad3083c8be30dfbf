/**
 * Mutual handshakes at once and in slices, batch by batch in turn. The command line is: the fixtures' file, and how long to measure (1 is
 * some 40 batches of each). Bundled by `run.ts` before it runs.
 */
import { createCrypto } from "../../dist/crypto.js";
import { cpuMicroseconds, readFixtures } from "./measure.mjs";
import { handshake } from "./thingwire-engines.mjs";

const BUDGET = 2000;
const BATCHES = 40;
const BATCH_HANDSHAKES = 25;
/** Before anything is measured: the engine takes seconds to be compiled. */
const WARM_UP_HANDSHAKES = 1500;

const [file, scale] = process.argv.slice(2);
const { recordings } = readFixtures(file);
for (const operation of ["handshake-ecdsa-mutual", "handshake-rsa-mutual"]) {
  const recording = recordings.find((found) => found.operation === operation);
  const crypto = createCrypto();
  const whole = handshake(recording, crypto);
  const sliced = handshake(recording, crypto, { budget: BUDGET });
  const batch = ({ run }) => {
    const start = cpuMicroseconds();
    for (let i = 0; i < BATCH_HANDSHAKES; i++) if (!run()) throw new Error("not secured");
    return (cpuMicroseconds() - start) / BATCH_HANDSHAKES;
  };
  for (let i = 0; i < (WARM_UP_HANDSHAKES * scale) / (2 * BATCH_HANDSHAKES); i++) [whole, sliced].map(batch);
  const samples = { whole: [], sliced: [] };
  for (let i = 0; i < BATCHES * scale; i++) {
    // Who is first takes turns too.
    const isWholeFirst = i % 2 === 0;
    if (isWholeFirst) samples.whole.push(batch(whole));
    samples.sliced.push(batch(sliced));
    if (!isWholeFirst) samples.whole.push(batch(whole));
  }
  console.log(JSON.stringify({ operation, budget: BUDGET, units: sliced.units(), ...samples }));
}
