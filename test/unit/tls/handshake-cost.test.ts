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

/** The first handshake of a provider, which builds tables too, the second, which builds those for keys that come again, and the third. */
function costs<E>(arithmetic: Arithmetic<E>): readonly Cost[] {
  const { crypto, counts } = countingCrypto(arithmetic);
  return [1, 2, 3].map(() => {
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
    const [first, second, third] = costs(bigintArithmetic);
    atMost(first!, { multiplications: 16_896, hashBlocks: 105, ...CIPHER, units: 16_833 });
    atMost(second!, { multiplications: 14_250, hashBlocks: 105, ...CIPHER, units: 18_343 });
    atMost(third!, { multiplications: 10_128, hashBlocks: 105, ...CIPHER, units: 13_778 });
  });

  it("on limbs", () => {
    const [first, second, third] = costs(p256LimbArithmetic);
    atMost(first!, { multiplications: 17_179, hashBlocks: 105, ...CIPHER, units: 16_213 });
    atMost(second!, { multiplications: 14_355, hashBlocks: 105, ...CIPHER, units: 18_317 });
    atMost(third!, { multiplications: 9_097, hashBlocks: 105, ...CIPHER, units: 12_753 });
  });
});

function atMost(cost: Cost, limits: Cost): void {
  for (const name of Object.keys(limits) as (keyof Cost)[]) {
    expect(cost[name], name).toBeLessThanOrEqual(limits[name]);
    // A count that fell to nothing is a counter that does not count any more.
    expect(cost[name], name).toBeGreaterThan(limits[name] / 2);
  }
}
