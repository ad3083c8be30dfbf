import {
  constants,
  createHash,
  generateKeyPairSync,
  generatePrimeSync,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import { isThingwireError } from "../../../src/errors.ts";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { InverseTask, toBytes, toInteger } from "../../../src/tls/crypto/integers.ts";
import type { PrivateKey, PublicKey, SignatureAlgorithm } from "../../../src/tls/crypto/provider.ts";
import { PublicPowerTask, rsaModulus, SecretPowerTask } from "../../../src/tls/crypto/rsa.ts";
import { random, replayed, rsaKey, rsaPublic } from "./support.ts";

const crypto = createCrypto();
const pkcs1: SignatureAlgorithm = { kind: "rsa-pkcs1", hash: "sha256" };
const pss: SignatureAlgorithm = { kind: "rsa-pss", hash: "sha256" };
const node = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = rsaKey(node.privateKey);
const publicKey = rsaPublic(key);
const message = Buffer.from("a message");
const digest = new Uint8Array(createHash("sha256").update(message).digest());

type RsaKey = Extract<PrivateKey, { type: "rsa" }>;

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isThingwireError(error) ? error.code : String(error);
  }
  return undefined;
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 1]! ^= 2;
  return copy;
}

describe("exponentiation", () => {
  it("public exponents and secret ones give what BigInt gives", () => {
    const [p, n] = [toInteger(key.prime1), toInteger(key.modulus)];
    for (const e of [3n, 5n, 17n, 65537n, 2n ** 32n + 1n, 2n ** 33n - 1n]) {
      let expected = 1n;
      for (let i = e.toString(2).length - 1; i >= 0; i--)
        expected = (expected * expected * ((e >> BigInt(i)) & 1n ? 123456789n : 1n)) % n;
      expect(finish(new PublicPowerTask(123456789n, { n, e, bits: 2048, bytes: 256 }))).toBe(expected);
    }
    for (let e = 1n; e < 70n; e++) expect(finish(new SecretPowerTask(7n, e, p, 1024))).toBe(7n ** e % p);
  });

  it("secret exponents of one length cost the same, whatever their bits are: within the one window that a borrow saves", () => {
    const p = toInteger(key.prime1);
    const top = 1n << 1087n;
    const exponents = [top, top + 1n, 2n * top - 1n, top + (top >> 1n), toInteger(key.exponent1) | top];
    const ones = (1n << 1000n) - 1n;
    exponents.push(top | ones, top | (ones / 31n), top | (ones / 3n));
    const costs = exponents.map((exponent) => {
      const task = new SecretPowerTask(3n, exponent, p, 1024);
      finish(task);
      return task.spent;
    });
    // Five squarings and a multiplication of a window, six units each.
    expect(Math.max(...costs) - Math.min(...costs)).toBeLessThanOrEqual(36);
    expect(Math.min(...costs)).toBeGreaterThan(1024 * 6);
  });

  it("a modulus is odd and has 1024 to 8192 bits, an exponent is odd and from 3 to 2^33", () => {
    const modulus = (bits: number) => new Uint8Array(bits / 8).fill(0xff);
    const three = Uint8Array.of(3);
    expect(rsaModulus(modulus(1024), three)?.bits).toBe(1024);
    expect(rsaModulus(modulus(8192), three)?.bytes).toBe(1024);
    expect(rsaModulus(modulus(1016), three)).toBeUndefined();
    expect(rsaModulus(modulus(8200), three)).toBeUndefined();
    expect(rsaModulus(Uint8Array.of(...modulus(1024), 0xfe), three)).toBeUndefined();
    for (const bad of [[], [0], [1], [2], [4], [1, 0, 1, 0], [2, 0, 0, 0, 1], [9, 1, 1, 1, 1, 1, 1, 1, 1]])
      expect(rsaModulus(modulus(1024), Uint8Array.from(bad))).toBeUndefined();
    expect(rsaModulus(modulus(1024), Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff))).toBeDefined();
  });
});

describe.each([pkcs1, pss])("RFC 8017 §8 $kind", (algorithm) => {
  const padding = algorithm.kind === "rsa-pss" ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;

  it("signs for node:crypto and verifies what it signs, with 2048 and 3072 bits", () => {
    for (const pair of [node, generateKeyPairSync("rsa", { modulusLength: 3072 })]) {
      const ours = rsaKey(pair.privateKey);
      const signature = finish(crypto.sign(algorithm, ours, digest, random));
      expect(nodeVerify("sha256", message, { key: pair.publicKey, padding, saltLength: 32 }, signature)).toBe(true);
      const theirs = nodeSign("sha256", message, { key: pair.privateKey, padding, saltLength: 32 });
      expect(finish(crypto.verify(algorithm, rsaPublic(ours), digest, theirs))).toBe(true);
      theirs[100]! ^= 1;
      expect(finish(crypto.verify(algorithm, rsaPublic(ours), digest, theirs))).toBe(false);
    }
  });

  it("moduli whose bits are no multiple of eight", () => {
    for (const modulusLength of [1025, 1031]) {
      const pair = generateKeyPairSync("rsa", { modulusLength });
      const ours = rsaKey(pair.privateKey);
      const signature = finish(crypto.sign(algorithm, ours, digest, random));
      expect(nodeVerify("sha256", message, { key: pair.publicKey, padding, saltLength: 32 }, signature)).toBe(true);
      expect(finish(crypto.verify(algorithm, rsaPublic(ours), digest, signature))).toBe(true);
    }
  });

  it("RFC 8017 §8.1.2, §8.2.2 a signature of another length, or not below the modulus, is false", () => {
    const signature = finish(crypto.sign(algorithm, key, digest, random));
    const verify = (bytes: Uint8Array, publicPart: PublicKey = publicKey) =>
      finish(crypto.verify(algorithm, publicPart, digest, bytes));
    expect(verify(signature)).toBe(true);
    expect(verify(Uint8Array.of(0, ...signature))).toBe(false);
    expect(verify(signature.subarray(1))).toBe(false);
    expect(verify(new Uint8Array(256))).toBe(false);
    expect(verify(toBytes(toInteger(signature) + toInteger(key.modulus), 257))).toBe(false);
    expect(verify(key.modulus)).toBe(false);
    expect(verify(signature, { type: "rsa", modulus: key.modulus, exponent: Uint8Array.of(1) })).toBe(false);
    expect(verify(signature, { type: "ec", curve: "secp256r1", point: new Uint8Array(65) })).toBe(false);
  });

  it("a fault in the computation gives an error and no signature", () => {
    for (const part of ["exponent1", "exponent2", "coefficient"] as const) {
      const task = crypto.sign(algorithm, { ...key, [part]: flipped(key[part]) }, digest, random);
      expect(codeOf(() => finish(task))).toBe("INTERNAL_BUG");
      expect(codeOf(() => task.result)).toBeDefined();
    }
  });

  it("a key whose parts do not belong together, or that is another one, is a mistake of the caller", () => {
    const sign = (other: PrivateKey) => codeOf(() => crypto.sign(algorithm, other, digest, random));
    const wrong: RsaKey[] = [
      { ...key, prime1: flipped(key.prime1) },
      { ...key, modulus: flipped(key.modulus) },
      { ...key, exponent1: key.modulus },
      { ...key, modulus: key.prime1 },
      { ...key, prime1: Uint8Array.of(1), prime2: key.modulus, exponent1: new Uint8Array(0) },
      { ...key, prime1: key.modulus, prime2: Uint8Array.of(1), exponent2: new Uint8Array(0) },
    ];
    for (const other of wrong) {
      const task = codeOf(() => finish(crypto.sign(algorithm, other, digest, random)));
      expect(task).toBe("USAGE_INVALID_ARGUMENT");
    }
    expect(sign({ type: "ec", curve: "secp256r1", scalar: new Uint8Array(32).fill(1) })).toBe("USAGE_INVALID_ARGUMENT");
  });

  it("the blinding does not change the signature", () => {
    const sign = () => {
      const source = replayed();
      return finish(
        crypto.sign(algorithm, key, digest, {
          fill: (bytes, purpose) => (purpose === "blinding" ? random : source).fill(bytes, purpose),
        }),
      );
    };
    expect(sign()).toEqual(sign());
  });
});

describe("RSA keys", () => {
  it("RFC 8017 §8.2.2 a digest of another hash does not verify", () => {
    const signature = nodeSign("sha256", message, node.privateKey);
    const other = new Uint8Array(createHash("sha512").update(message).digest());
    expect(finish(crypto.verify({ kind: "rsa-pkcs1", hash: "sha512" }, publicKey, other, signature))).toBe(false);
  });

  it("RFC 8017 §9.1.2 a PSS salt of another length than the hash does not verify", () => {
    for (const saltLength of [0, 20, 31, 33, 222]) {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const signature = nodeSign("sha256", message, { key: node.privateKey, padding, saltLength });
      expect(finish(crypto.verify(pss, publicKey, digest, signature))).toBe(false);
    }
  });

  it("the public half of a private key", () => {
    expect(finish(crypto.publicKey(key, random))).toEqual(publicKey);
  });

  it("8192 bits verify in a time that is worth no attack", () => {
    const modulus = new Uint8Array(1024).fill(0xff);
    const task = crypto.verify(
      pkcs1,
      { type: "rsa", modulus, exponent: Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff) },
      digest,
      new Uint8Array(1024).fill(0x7f),
    );
    expect(finish(task)).toBe(false);
    expect(task.spent).toBeLessThan(30_000);
  });
});

describe("blinding", () => {
  const isExponent = (length: number) => length < 100;

  it("the base is multiplied by what was drawn: a factor that shares a prime with the modulus leaves no signature", () => {
    const drawn = toBytes(toInteger(key.prime1) - 1n, key.modulus.length + 8);
    const source = (bytes: Uint8Array): void =>
      void (isExponent(bytes.length) ? random.fill(bytes, "") : bytes.set(drawn));
    expect(codeOf(() => finish(createCrypto().sign(pkcs1, key, digest, { fill: source })))).toBe("INTERNAL_BUG");
  });

  it("the pair is kept and squared, another key has another, and a new factor is drawn in time", () => {
    const fresh = createCrypto();
    const drawn: number[] = [];
    const source = {
      fill: (bytes: Uint8Array) => {
        if (!isExponent(bytes.length)) drawn.push(signed);
        random.fill(bytes, "");
      },
    };
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const [one, other] = [rsaKey(small.privateKey), rsaKey(small.privateKey)];
    const expected = toHex(new Uint8Array(nodeSign("sha256", message, small.privateKey)));
    let signed = 0;
    for (; signed < 70; signed++) expect(toHex(finish(fresh.sign(pkcs1, one, digest, source)))).toBe(expected);
    expect(drawn).toEqual([0, 33, 66]);
    finish(fresh.sign(pkcs1, other, digest, source));
    expect(drawn).toEqual([0, 33, 66, 70]);
    // Two at a time, of which neither waits for the other.
    const tasks = [fresh.sign(pss, one, digest, random), fresh.sign(pkcs1, one, digest, random)];
    for (const task of tasks) task.step(1);
    expect(toHex(finish(tasks[1]!))).toBe(expected);
    expect(finish(fresh.verify(pss, rsaPublic(one), digest, finish(tasks[0]!)))).toBe(true);
  });

  it("a pair that was there when a check failed is not used again", () => {
    const faulty = { ...key, exponent1: flipped(key.exponent1) };
    const fresh = createCrypto();
    let drawn = 0;
    const fill = (bytes: Uint8Array) => {
      if (!isExponent(bytes.length)) drawn++;
      random.fill(bytes, "");
    };
    for (let time = 1; time <= 2; time++) {
      expect(codeOf(() => finish(fresh.sign(pkcs1, faulty, digest, { fill })))).toBe("INTERNAL_BUG");
      expect(drawn).toBe(time);
    }
  });

  it("exponents are as long with the least multiple as with the largest", () => {
    const [least, largest] = [0, 255].map((octet) => {
      const fill = (bytes: Uint8Array) => void bytes.fill(isExponent(bytes.length) ? octet : 1);
      const task = createCrypto().sign(pkcs1, key, digest, { fill });
      finish(task);
      return task.spent;
    });
    // One window of each exponent, of six units a multiplication, and what rounding adds.
    expect(Math.abs(largest! - least!)).toBeLessThanOrEqual(2 * 2 * 36);
  });

  it("the exponents get multiples of the primes less one: where a factor is no prime, another multiple leaves no signature", () => {
    // With p of two primes, an exponent modulo lcm(a - 1, b - 1) is right, and p - 1 is no period.
    const prime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true });
    const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));
    const inverse = (a: bigint, n: bigint): bigint => finish(new InverseTask(a, n))!;
    const e = 65537n;
    let [a, b, q] = [0n, 0n, 0n];
    do [a, b, q] = [prime(512), prime(512), prime(1024)];
    while ([a, b, q].some((value) => value % e === 1n) || (a * b * q).toString(2).length !== 2048);
    const p = a * b;
    const [periodP, periodQ] = [((a - 1n) * (b - 1n)) / gcd(a - 1n, b - 1n), q - 1n];
    const bytes = (value: bigint, length = 128): Uint8Array => toBytes(value, length);
    const [d1, d2] = [inverse(e, periodP), inverse(e, periodQ)];
    const composite: RsaKey = {
      type: "rsa",
      modulus: bytes(p * q, 256),
      publicExponent: bytes(e, 3),
      privateExponent: bytes(d1, 256),
      prime1: bytes(p),
      prime2: bytes(q),
      exponent1: bytes(d1),
      exponent2: bytes(d2),
      coefficient: bytes(inverse(q, p)),
    };
    const swapped = {
      ...composite,
      prime1: bytes(q),
      prime2: bytes(p),
      exponent1: bytes(d2),
      exponent2: bytes(d1),
      coefficient: bytes(inverse(p, q)),
    };
    for (const either of [composite, swapped])
      expect(codeOf(() => finish(crypto.sign(pkcs1, either, digest, random)))).toBe("INTERNAL_BUG");
    // The exponents themselves are right.
    const power = (exponent: bigint): bigint => finish(new SecretPowerTask(12345n, exponent, p, 1024));
    expect(power(d1 + periodP)).toBe(power(d1));
  });
});
