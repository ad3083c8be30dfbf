import { createHash, generateKeyPairSync, generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { mod, toInteger } from "../../../src/tls/crypto/integers.ts";
import { addProduct, COLUMNS, carryOnce, takeBlock } from "../../../src/tls/crypto/limb-blocks.ts";
import { LIMBS } from "../../../src/tls/crypto/limbs.ts";
import type { ModularArithmetic } from "../../../src/tls/crypto/modular.ts";
import type { PrivateKey, SignatureAlgorithm } from "../../../src/tls/crypto/provider.ts";
import { SecretPowerTask } from "../../../src/tls/crypto/rsa.ts";
import { rsaLimbs, rsaLimbsAuto } from "../../../src/tls/crypto/rsa-limbs.ts";
import { runs } from "../../runs.ts";
import { random, rsaKey } from "./support.ts";

const pkcs1: SignatureAlgorithm = { kind: "rsa-pkcs1", hash: "sha256" };
const digest = new Uint8Array(createHash("sha256").update("a message").digest());
const make = rsaLimbs.prepare();

function keyOf(bits: number): Extract<PrivateKey, { type: "rsa" }> {
  return rsaKey(generateKeyPairSync("rsa", { modulusLength: bits }).privateKey);
}

/** Limbs of 24 bits that are all the same, as many as fill so many bits. */
function pattern(limb: bigint, bits: number): bigint {
  let value = 0n;
  for (let i = 0; i < Math.floor(bits / 24); i++) value = (value << 24n) | limb;
  return value;
}

/** The largest and the smallest limbs that there can be, and moduli at the ends of their range. */
function extremes(bits: number): bigint[] {
  const top = 1n << BigInt(bits - 1);
  return [
    top + 1n,
    2n * top - 1n,
    ...[0x7fffffn, 0x800000n, 0x800001n, 0xffffffn].map((limb) => top | pattern(limb, bits - 1) | 1n),
  ];
}

describe("arithmetic modulo a prime of RSA on limbs", () => {
  it.each([512, 1024, 1280, 1290])(
    "numbers of %i bits at the ends of their range multiply as BigInt does, over and over",
    (bits) => {
      for (const modulus of extremes(bits)) {
        const field = make(modulus, bits) as ModularArithmetic<unknown>;
        const values = [0n, 1n, modulus - 1n, modulus, ...extremes(bits).map((value) => value % modulus)];
        for (const a of values) {
          // A few products, of which each takes the place of the one before: as in a power.
          let cell = field.element(a);
          let expected = a;
          for (const b of [values[2]!, values[4]!, values[6]!]) {
            const other = field.element(b);
            cell = field.multiply(field.multiply(cell, other), field.copy(other));
            cell = field.multiply(cell, cell);
            expected = (expected * b * b) % modulus;
            expected = (expected * expected) % modulus;
          }
          expect(field.integer(cell)).toBe(mod(expected, modulus));
          field.wipe();
          make(modulus, bits);
        }
      }
    },
  );

  it("the largest multiple of a modulus leaves room: cells do not grow, however often they are squared", () => {
    // 1 modulo 2^24, so that its multiple is 24 bits longer. With a block less, that would fill all of them.
    const modulus = (1n << 1032n) - (1n << 24n) + 1n;
    const field = make(modulus, 1032) as ModularArithmetic<unknown>;
    for (const value of extremes(1032)) {
      let cell = field.element(value % modulus);
      let expected = value % modulus;
      for (let i = 0; i < 40; i++) {
        cell = field.multiply(cell, cell);
        expected = (expected * expected) % modulus;
      }
      expect(field.integer(cell)).toBe(expected);
    }
    field.wipe();
  });

  it("powers are those of BigInt, whatever base, exponent and modulus are", () => {
    const big = (bits: number) => fc.bigInt(1n, (1n << BigInt(bits)) - 1n);
    fc.assert(
      fc.property(big(1100), big(64), fc.integer({ min: 20, max: 1400 }).chain(big), (base, exponent, modulus) => {
        const odd = modulus * 2n + 1n;
        const bits = odd.toString(2).length;
        expect(finish(new SecretPowerTask(base, exponent, odd, bits, make))).toBe(
          finish(new SecretPowerTask(base, exponent, odd, bits)),
        );
      }),
      runs(60),
    );
  });

  it("columns of five blocks stay exact: 110 products of the largest limbs, and a carry", () => {
    const largest = 2 ** 23 + 2 ** 6;
    for (const sign of [1, -1]) {
      const a = new Float64Array(LIMBS).fill(largest);
      const b = new Float64Array(LIMBS).fill(sign * largest);
      const columns = new Float64Array(COLUMNS);
      for (let i = 0; i < 10; i++) addProduct(columns, a, b);
      for (let k = 0; k < COLUMNS - 1; k++)
        expect(BigInt(columns[k]!)).toBe(BigInt(10 * sign * Math.min(k + 1, COLUMNS - 1 - k)) * BigInt(largest) ** 2n);
      // What a column gets beside products: the carry of one below it. Those of another block would be too many.
      expect(Math.abs(columns[LIMBS - 1]!) + 2 ** 30).toBeLessThan(2 ** 53);
      expect(Math.abs(columns[LIMBS - 1]!) + 22 * largest ** 2).toBeGreaterThan(2 ** 53);
    }
  });

  it("two carries bring the largest columns to limbs that may be multiplied, of the same number", () => {
    for (const sign of [1, -1]) {
      const columns = new Float64Array(COLUMNS).fill(sign * (2 ** 53 - 2 ** 30), 0, LIMBS);
      const limbs = new Float64Array(LIMBS + 1);
      takeBlock(columns, limbs.subarray(0, LIMBS));
      limbs[LIMBS] = columns[0]!;
      carryOnce(limbs);
      let value = 0n;
      for (const limb of limbs.slice().reverse()) value = (value << 24n) + BigInt(limb);
      expect(value).toBe((BigInt(sign * (2 ** 53 - 2 ** 30)) * ((1n << 264n) - 1n)) / 0xffffffn);
      for (let i = 0; i < LIMBS; i++) expect(Math.abs(limbs[i]!)).toBeLessThanOrEqual(2 ** 23 + 2 ** 6);
    }
  });
});

describe("RFC 8017 §8.2 signatures on limbs", () => {
  it.each([1024, 2048, 2560, 3072])("of keys of %i bits are those on BigInt", (bits) => {
    const key = keyOf(bits);
    const limbs = createCrypto({ arithmetic: "limbs" });
    const expected = finish(createCrypto({ arithmetic: "bigint" }).sign(pkcs1, key, digest, random));
    // The second takes a blinding pair that was squared, and cells that were used before.
    for (let i = 0; i < 2; i++) expect(finish(limbs.sign(pkcs1, key, digest, random))).toEqual(expected);
  });

  it("keys with primes of different lengths sign too, and tasks that take turns do not disturb each other", () => {
    const crypto = createCrypto({ arithmetic: "limbs" });
    const keys = [keyOf(1024), keyOf(1536), keyOf(1024)];
    const expected = keys.map((key) => finish(createCrypto().sign(pkcs1, key, digest, random)));
    const tasks = keys.map((key) => crypto.sign(pkcs1, key, digest, random));
    while (tasks.map((task) => task.step(100)).includes(false));
    expect(tasks.map((task) => task.result)).toEqual(expected);
  });

  it("a fault in one half does not leave", () => {
    const key = keyOf(1024);
    const exponent1 = key.exponent1.slice();
    exponent1[exponent1.length - 1]! ^= 2;
    const task = createCrypto({ arithmetic: "limbs" }).sign(pkcs1, { ...key, exponent1 }, digest, random);
    expect(() => finish(task)).toThrow(expect.objectContaining({ code: "INTERNAL_BUG" }));
  });

  it("the automatic choice moves from BigInt to limbs after 100 signatures of a provider", () => {
    const auto = rsaLimbsAuto.prepare();
    const prime = BigInt(generatePrimeSync(512, { bigint: true }));
    const onLimbs = (arithmetic: ModularArithmetic<unknown>) => typeof arithmetic.element(1n) !== "bigint";
    for (let i = 0; i < 200; i++) expect(onLimbs(auto(prime, 512))).toBe(false);
    expect(onLimbs(auto(prime, 512))).toBe(true);
    expect(onLimbs(rsaLimbsAuto.prepare()(prime, 512))).toBe(false);
    // A number that is too long for them.
    expect(onLimbs(auto((1n << 1299n) + 1n, 1300))).toBe(false);
  });

  it("the memory of a few powers is kept for the next ones, however many there were at a time", () => {
    const maker = rsaLimbs.prepare();
    const prime = toInteger(keyOf(1024).prime1);
    const fields = Array.from({ length: 20 }, () => maker(prime, 512));
    for (const field of fields) field.wipe();
    const again = Array.from({ length: 20 }, () => maker(prime, 512));
    expect(again.filter((field) => fields.includes(field))).toHaveLength(4);
    // What was wiped last comes first.
    again[7]!.wipe();
    expect(maker(prime, 512)).toBe(again[7]);
  });

  it("cells are overwritten when a power is done", () => {
    const field = make(toInteger(keyOf(1024).prime1), 512) as ModularArithmetic<{ limbs: Float64Array }>;
    const cell = field.element(12345n);
    expect(cell.limbs.some((limb) => limb !== 0)).toBe(true);
    const { buffer } = cell.limbs;
    field.wipe();
    expect(new Float64Array(buffer).every((limb) => limb === 0)).toBe(true);
  });
});
