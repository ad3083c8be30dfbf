/**
 * Recorded handshakes as one script for any engine: `scripts.ts` bundles it with the recordings in it. It needs nothing but the language, and
 * leaves `names` and two functions in `globalThis`: `handshake(name)` replays one, `count(name)` does the same and says what it took.
 * Credentials are read before the first handshake and kept, as an app does.
 */

import type { CryptoProvider } from "thingwire/tls/crypto";
import { createBigIntCrypto } from "thingwire/tls/crypto";
import { toHex } from "../../src/bytes.ts";
import { bigintArithmetic } from "../../src/tls/crypto/field.ts";
import { countingCrypto } from "../../test/fixtures/counting-crypto.ts";
import {
  prepare,
  type Recording,
  type Replayable,
  type ReplayOptions,
  replayPrepared,
} from "../../test/fixtures/replay.ts";
import { countBytes } from "./allocations.ts";

declare const recordings: Readonly<Record<string, Recording>>;

/** What `count` says, as JSON. All but the units is zero for what the handshake does not compute. */
export interface ReplayCounts {
  /** Products in the field of P-256. */
  readonly multiplications: number;
  /** Compressions of SHA-256. */
  readonly hashBlocks: number;
  /** Blocks of AES, those of key set-ups and tags among them. */
  readonly cipherBlocks: number;
  /** Bytes of new typed arrays and their buffers. */
  readonly bytesAllocated: number;
  /** Units of work, as the engine counts them against its budget. */
  readonly units: number;
}

const globals = globalThis as unknown as {
  names: readonly string[];
  handshake: (name: string) => string;
  count: (name: string) => string;
  /** What an engine may have to note how much of its heap is in use. */
  sampleHeap?: () => void;
};

const crypto = createBigIntCrypto();
const prepared = new Map<string, Replayable>();

function run(name: string, provider: CryptoProvider, options?: ReplayOptions): { result: string; units: number } {
  const recording = recordings[name]!;
  let from = prepared.get(name);
  if (from === undefined) prepared.set(name, (from = prepare(recording)));
  const { secured, error, data, units } = replayPrepared(from, provider, options);
  if (secured === undefined) throw new Error(`${name}: ${error?.message ?? "the handshake did not end"}`);
  const received = data.map(toHex).join("");
  if (received !== recording.expected.data) throw new Error(`${name}: the server's data came out as ${received}`);
  return { result: `${secured.suite.name} ${received}`, units };
}

globals.names = Object.keys(recordings);
globals.handshake = (name) => run(name, crypto).result;
globals.count = (name) => {
  const { crypto: counting, counts } = countingCrypto(bigintArithmetic);
  const sampling: ReplayOptions = {
    budget: () => {
      globals.sampleHeap?.();
      return 500;
    },
  };
  let units = 0;
  const bytesAllocated = countBytes(() => {
    units = run(name, counting, sampling).units;
  });
  const { multiplications, hashBlocks, cipherBlocks } = counts;
  return JSON.stringify({ multiplications, hashBlocks, cipherBlocks, bytesAllocated, units } satisfies ReplayCounts);
};
