/**
 * What a mutual handshake computes, counted: it must not grow unnoticed. Where a change lowers a count, lower the limit with it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Arithmetic, bigintArithmetic } from "../../../src/tls/crypto/field.ts";
import { p256LimbArithmetic } from "../../../src/tls/crypto/p256-limbs.ts";
import { countingCrypto } from "../../fixtures/counting-crypto.ts";
import { type Recording, replay } from "../../fixtures/replay.ts";

const recording = JSON.parse(
  readFileSync(new URL("../../fixtures/handshake.json", import.meta.url), "utf8"),
) as Recording;

interface Cost {
  readonly multiplications: number;
  readonly hashBlocks: number;
  readonly cipherBlocks: number;
  readonly units: number;
}

/** The first handshake of a provider, which builds tables too, and the second. */
function costs<E>(arithmetic: Arithmetic<E>): readonly Cost[] {
  const { crypto, counts } = countingCrypto(arithmetic);
  return [1, 2].map(() => {
    const before = { ...counts };
    const { error, secured, units } = replay(recording, crypto);
    expect(error).toBeUndefined();
    expect(secured).toBeDefined();
    return {
      multiplications: counts.multiplications - before.multiplications,
      hashBlocks: counts.hashBlocks - before.hashBlocks,
      cipherBlocks: counts.cipherBlocks - before.cipherBlocks,
      units,
    };
  });
}

/** Two keys, two Finished, and the data that the recorded server sent behind its own. */
const CIPHER = { cipherBlocks: 8 };

describe("DESIGN §6: the recorded ECDSA mutual handshake computes no more than it did", () => {
  it("on BigInt", () => {
    const [first, second] = costs(bigintArithmetic);
    atMost(first!, { multiplications: 17_762, hashBlocks: 104, ...CIPHER, units: 17_673 });
    atMost(second!, { multiplications: 13_702, hashBlocks: 104, ...CIPHER, units: 17_336 });
  });

  it("on limbs", () => {
    const [first, second] = costs(p256LimbArithmetic);
    atMost(first!, { multiplications: 17_233, hashBlocks: 104, ...CIPHER, units: 16_230 });
    atMost(second!, { multiplications: 11_773, hashBlocks: 104, ...CIPHER, units: 15_402 });
  });
});

function atMost(cost: Cost, limits: Cost): void {
  for (const name of Object.keys(limits) as (keyof Cost)[]) {
    expect(cost[name], name).toBeLessThanOrEqual(limits[name]);
    // A count that fell to nothing is a counter that does not count any more.
    expect(cost[name], name).toBeGreaterThan(limits[name] / 2);
  }
}
