import { describe, expect, it } from "vitest";
import { isThingwireError } from "../../../src/errors.ts";
import { finish } from "../../../src/task.ts";
import {
  aes128Gcm,
  composeCrypto,
  createCrypto,
  ecdsa,
  rsaPkcs1,
  secp256r1,
  sha256,
} from "../../../src/tls/crypto/index.ts";
import type { AlgorithmName } from "../../../src/tls/crypto/provider.ts";
import { random } from "./support.ts";

const all: AlgorithmName[] = [
  "sha1",
  "sha256",
  "sha384",
  "sha512",
  "aes-128-gcm",
  "aes-256-gcm",
  "chacha20-poly1305",
  "secp256r1",
  "secp384r1",
  "secp521r1",
  "x25519",
  "ecdsa",
  "rsa-pkcs1",
  "rsa-pss",
];

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isThingwireError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("createCrypto", () => {
  it("says what it has", () => {
    const crypto = createCrypto();
    const missing = all.filter((name) => !crypto.supports(name));
    expect(missing).toEqual([]);
  });

  it("takes the arithmetic, and no other", () => {
    expect(createCrypto({ arithmetic: "bigint" }).supports("secp256r1")).toBe(true);
    expect(codeOf(() => createCrypto({ arithmetic: "doubles" as never }))).toBe("USAGE_INVALID_ARGUMENT");
  });
});

describe("composeCrypto", () => {
  const crypto = composeCrypto({
    hashes: [sha256],
    aeads: [aes128Gcm],
    groups: [secp256r1],
    signatures: [ecdsa, rsaPkcs1],
  });

  it("has what it is composed of", () => {
    const there = all.filter((name) => crypto.supports(name));
    expect(there).toEqual(["sha256", "aes-128-gcm", "secp256r1", "ecdsa", "rsa-pkcs1"]);
  });

  it("what supports denies is a mistake of the caller in every method", () => {
    const digest = new Uint8Array(32);
    const key = { type: "ec", curve: "secp384r1", scalar: new Uint8Array(48).fill(1) } as const;
    const point = { type: "ec", curve: "secp384r1", point: new Uint8Array(97) } as const;
    for (const call of [
      () => crypto.hash("sha384"),
      () => crypto.hashUnits("sha512", 3),
      () => crypto.digest("sha1", []),
      () => crypto.hmac("sha384", digest, []),
      () => crypto.prf("sha384", digest, "label", digest, 12),
      () => crypto.aead("aes-256-gcm", digest),
      () => crypto.keyExchange("x25519", random),
      () => crypto.verify({ kind: "rsa-pss", hash: "sha256" }, point, digest, digest),
      () => crypto.verify({ kind: "ecdsa", hash: "sha384" }, point, digest, digest),
      () => crypto.sign({ kind: "rsa-pss", hash: "sha256" }, key, digest, random),
      () => crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, random),
      () => crypto.publicKey(key, random),
      () => crypto.generateKey("secp521r1", random),
    ])
      expect(codeOf(call)).toBe("USAGE_INVALID_ARGUMENT");
    expect(finish(crypto.verify({ kind: "ecdsa", hash: "sha256" }, point, digest, digest))).toBe(false);
  });

  it("a digest of another length than the hash's is a mistake of the caller", () => {
    const key = { type: "ec", curve: "secp256r1", scalar: new Uint8Array(32).fill(1) } as const;
    const ecdsa256 = { kind: "ecdsa", hash: "sha256" } as const;
    expect(codeOf(() => crypto.sign(ecdsa256, key, new Uint8Array(31), random))).toBe("USAGE_INVALID_ARGUMENT");
    const point = { type: "ec", curve: "secp256r1", point: new Uint8Array(65) } as const;
    const long = new Uint8Array(33);
    expect(codeOf(() => crypto.verify(ecdsa256, point, long, long))).toBe("USAGE_INVALID_ARGUMENT");
  });

  it("a key of another length than the cipher's is a mistake of the caller", () => {
    expect(codeOf(() => crypto.aead("aes-128-gcm", new Uint8Array(32)))).toBe("USAGE_INVALID_ARGUMENT");
  });

  it("the public half of a key is computed once, and the caller may do with it what it likes", () => {
    const crypto = createCrypto();
    const key = finish(crypto.generateKey("secp256r1", random));
    if (key.type !== "ec") throw new Error("an EC key was asked for");
    const own = { ...key, scalar: key.scalar.slice() };
    const first = crypto.publicKey(own, random);
    const half = finish(first);
    expect(half).toEqual({ type: "ec", curve: "secp256r1", point: key.point });
    if (half.type === "ec") half.point.fill(0);
    const second = crypto.publicKey(own, random);
    expect(finish(second)).toEqual({ type: "ec", curve: "secp256r1", point: key.point });
    expect([first.spent > 100, second.spent]).toEqual([true, 0]);
    // The same bytes on another curve are another key, and wiped ones none.
    const other = finish(crypto.publicKey({ type: "ec", curve: "secp384r1", scalar: own.scalar }, random));
    expect(other).toMatchObject({ curve: "secp384r1", point: expect.objectContaining({ length: 97 }) });
    // The same array with another key in it, before and after the first one's task is done.
    const next = finish(crypto.generateKey("secp256r1", random));
    if (next.type !== "ec") throw new Error("an EC key was asked for");
    const begun = composeCrypto({ hashes: [sha256], aeads: [], groups: [secp256r1], signatures: [] });
    const late = begun.publicKey(own, random);
    own.scalar.set(next.scalar);
    finish(late);
    for (const provider of [crypto, begun])
      expect(finish(provider.publicKey(own, random))).toEqual({ type: "ec", curve: "secp256r1", point: next.point });
    own.scalar.fill(0);
    expect(() => crypto.publicKey(own, random)).toThrow("not between 1 and the order");
  });

  it("without SHA-256 the public half of a key is computed each time", () => {
    const crypto = composeCrypto({ hashes: [], aeads: [], groups: [secp256r1], signatures: [] });
    const key = finish(crypto.generateKey("secp256r1", random));
    const halves = [crypto.publicKey(key, random), crypto.publicKey(key, random)];
    for (const half of halves)
      expect(finish(half)).toEqual({ type: "ec", curve: "secp256r1", point: key.type === "ec" && key.point });
    expect(halves[1]!.spent).toBeGreaterThan(100);
  });

  it("the first task that needs a table builds it, and tasks that run at the same time share it", () => {
    const compose = () => composeCrypto({ hashes: [sha256], aeads: [], groups: [secp256r1], signatures: [] });
    const first = compose().generateKey("secp256r1", random);
    finish(first);
    const shared = compose();
    const tasks = [1, 2, 3].map(() => shared.generateKey("secp256r1", random));
    let open = tasks.slice();
    while (open.length > 0) open = open.filter((task) => !task.step(100));
    const spent = tasks.reduce((sum, task) => sum + task.spent, 0);
    const later = shared.generateKey("secp256r1", random);
    finish(later);
    // The table once, and three multiplications of nearly one size: inversions differ a little from value to value.
    const table = first.spent - later.spent;
    expect(table).toBeGreaterThan(later.spent);
    expect((spent - 3 * later.spent) / table).toBeCloseTo(1, 0.5);
  });
});
