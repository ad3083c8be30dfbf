import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import type { UsageError } from "../../../src/errors.ts";
import { finish, type Task } from "../../../src/task.ts";
import { p256, p384 } from "../../../src/tls/crypto/curve-parameters.ts";
import { bigintArithmetic } from "../../../src/tls/crypto/field.ts";
import { createBigIntCrypto, createCrypto } from "../../../src/tls/crypto/index.ts";
import { p256LimbArithmetic } from "../../../src/tls/crypto/p256-limbs.ts";
import type { CryptoProvider, PrivateKey, PublicKey } from "../../../src/tls/crypto/provider.ts";
import { UniformInverseTask } from "../../../src/tls/crypto/safegcd.ts";
import { random, replayed } from "./support.ts";

const key: PrivateKey = { type: "ec", curve: "secp256r1", scalar: new Uint8Array(32).fill(7) };
const digest = new Uint8Array(32).fill(9);
const ecdsa = { kind: "ecdsa", hash: "sha256" } as const;

/** One of each operation with P-256, as text. */
function operations(crypto: CryptoProvider, run: <T>(task: Task<T>) => T = finish): string {
  const source = replayed();
  const publicKey: PublicKey = run(crypto.publicKey(key, source));
  const exchange = run(crypto.keyExchange("secp256r1", source));
  const secret = run(exchange.shared((publicKey as Extract<PublicKey, { type: "ec" }>).point));
  const signature = run(crypto.sign(ecdsa, key, digest, source));
  const verified = run(crypto.verify(ecdsa, publicKey, digest, signature));
  return [exchange.publicKey, secret, signature, verified].join(" ");
}

describe("arithmetic", () => {
  const expected = operations(createCrypto({ arithmetic: "bigint" }));

  it("BigInt, limbs and auto give the same, whatever is drawn for blinding", () => {
    expect(operations(createCrypto({ arithmetic: "limbs" }))).toBe(expected);
    expect(operations(createCrypto())).toBe(expected);
    expect(operations(createBigIntCrypto())).toBe(expected);
  });

  it("auto moves to limbs when enough was computed, and tasks that have begun go on", () => {
    const crypto = createCrypto();
    /** Blinding is drawn on BigInt for each multiplication of a secret; on limbs there is none. */
    const blinded = () => {
      let draws = 0;
      const source = {
        fill: (bytes: Uint8Array, purpose: string) => {
          if (purpose === "blinding") draws++;
          random.fill(bytes, purpose);
        },
      };
      const begun = crypto.keyExchange("secp256r1", source);
      return { begun, on: draws > 0 ? "BigInt" : "limbs" };
    };
    const first = blinded();
    expect(first.on).toBe("BigInt");
    first.begun.step(1);
    let handshakes = 0;
    while (blinded().on === "BigInt" && handshakes < 1000) {
      handshakes++;
      expect(operations(crypto)).toBe(expected);
    }
    expect(handshakes).toBeGreaterThan(20);
    expect(handshakes).toBeLessThan(50);
    expect(operations(crypto)).toBe(expected);
    const [one, other] = [finish(first.begun), finish(blinded().begun)];
    expect(finish(one.shared(other.publicKey))).toEqual(finish(other.shared(one.publicKey)));
    // The state is the provider's.
    expect(operations(createCrypto())).toBe(expected);
  });

  it("another one is a mistake of the caller", () => {
    try {
      createCrypto({ arithmetic: "toString" as "auto" });
      expect.unreachable();
    } catch (error) {
      expect((error as UsageError).code).toBe("USAGE_INVALID_ARGUMENT");
    }
  });

  it("a bundle with createBigIntCrypto alone, or with secp256r1, has no limbs in it, and no form of AES-GCM but its own", async () => {
    const bundled = async (code: string): Promise<string> => {
      const resolveDir = new URL("../../../src/tls/crypto/", import.meta.url).pathname;
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir, loader: "ts" },
        bundle: true,
        write: false,
        format: "esm",
        treeShaking: true,
      });
      return outputFiles[0]!.text;
    };
    const limbs = /P256LimbField|UniformInverseTask|newLimbs/;
    expect(await bundled('export { createCrypto } from "./index.ts";')).toMatch(limbs);
    expect(await bundled('export { createBigIntCrypto } from "./index.ts";')).not.toMatch(limbs);
    expect(await bundled('export { composeCrypto, secp256r1 } from "./index.ts";')).not.toMatch(limbs);
    const small = await bundled('export { createSmallCrypto } from "./index.ts";');
    const interpreted = await bundled('export { createBigIntCrypto } from "./index.ts";');
    const own = { aesTable: [true, false], AesDecrypt: [true, false], gcmWide: [true, false], gcmBulk: [false, false] };
    for (const [name, wanted] of Object.entries(own)) {
      const definition = new RegExp(`(function|class|var) ${name}\\b`);
      expect(
        [interpreted, small].map((text) => definition.test(text)),
        name,
      ).toEqual(wanted);
    }
  });
});

describe("inverses in a fixed number of steps", () => {
  it.each([p256.prime, p256.order, 0xffffffn, 3n])("modulo %d", (modulus) => {
    const values = [1n, 2n, 3n, modulus - 1n, modulus - 2n, (modulus + 1n) / 2n, 1n << 255n, (1n << 256n) - 1n];
    for (let i = 0n; i < 200n; i++) values.push((p384.x * (2n * i + 1n)) ** 3n % p256.prime);
    for (const value of values) {
      const task = new UniformInverseTask(value, modulus);
      const inverse = finish(task);
      expect(task.spent).toBe(100);
      expect(inverse).toBe(finish(bigintArithmetic(modulus, 256).inverse(value, modulus)));
    }
  });

  it("there is none of what shares a divisor with the modulus", () => {
    for (const value of [0n, 3n, 5n, 15n]) expect(finish(new UniformInverseTask(value, 15n))).toBeUndefined();
  });
});

describe("cells of limbs", () => {
  const field = p256LimbArithmetic(p256.prime, 256);

  it("integers and back, not reduced ones and negative ones too", () => {
    const { prime } = p256;
    for (const value of [0n, 1n, -1n, prime, prime - 1n, 2n * prime + 5n, 1n << 255n, (1n << 256n) - 1n, 0x800000n])
      expect(field.integer(field.element(value))).toBe(((value % prime) + prime) % prime);
  });

  it("zero in each of its forms is zero, and nothing else", () => {
    const [zero, x, y, out] = [field.element(0n), field.element(p256.x), field.element(p256.y), field.zero()];
    expect(field.isZero(zero)).toBe(true);
    expect(field.isZero(x)).toBe(false);
    for (let i = 0; i < 50; i++) {
      field.multiplySubtract(out, x, y, zero);
      field.multiplySubtract(out, x, y, out);
      expect(field.isZero(out)).toBe(true);
      field.multiplySubtract(out, x, y, zero);
      field.square(y, out);
      expect(field.isZero(y)).toBe(false);
      // The prime itself, and its negative: a product of Montgomery's keeps them apart from zero.
      field.multiplySubtract(out, x, y, field.element(field.integer(y) * field.integer(x)));
      expect(field.isZero(out)).toBe(true);
    }
  });

  it("selects, chooses and negates", () => {
    const table = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((value) => field.element(value));
    const out = field.zero();
    table.forEach((_, i) => {
      field.select(out, table, i);
      expect(field.integer(out)).toBe(BigInt(i + 1));
      field.choose(out, table[0]!, table[i]!, 1);
      expect(field.integer(out)).toBe(BigInt(i + 1));
      field.choose(out, table[i]!, table[0]!, 0);
      field.negateWhen(out, out, 1);
      expect(field.integer(out)).toBe(p256.prime - BigInt(i + 1));
      field.negateWhen(out, out, 0);
      expect(field.integer(out)).toBe(p256.prime - BigInt(i + 1));
    });
  });
});
