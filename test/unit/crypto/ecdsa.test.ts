import { createHash, createPublicKey, verify as nodeVerify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fromHex, NO_BYTES, toHex } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { finish, type Task } from "../../../src/task.ts";
import { createBigIntCurve } from "../../../src/tls/crypto/curve.ts";
import { p256, p384, p521 } from "../../../src/tls/crypto/curve-parameters.ts";
import { signature } from "../../../src/tls/crypto/ecdsa.ts";
import { decodeSignature, encodeSignature } from "../../../src/tls/crypto/ecdsa-signature.ts";
import { createBigIntCrypto, createCrypto, sha256, sha384, sha512 } from "../../../src/tls/crypto/index.ts";
import { toInteger } from "../../../src/tls/crypto/integers.ts";
import type { PrivateKey, PublicKey } from "../../../src/tls/crypto/provider.ts";
import { NonceTask } from "../../../src/tls/crypto/rfc6979.ts";
import { ecJwk, labelled, random, replayed } from "./support.ts";

const crypto = createCrypto();
const digestOf = (hash: string, message: string) => new Uint8Array(createHash(hash).update(message).digest());

const x256 = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const x384 = "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5";
const x521 =
  "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538";

describe("RFC 6979", () => {
  it.each([
    {
      section: "A.2.5",
      parameters: p256,
      hash: sha256,
      x: x256,
      message: "sample",
      r: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
      s: "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    },
    {
      section: "A.2.5",
      parameters: p256,
      hash: sha256,
      x: x256,
      message: "test",
      r: "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
      s: "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    },
    {
      section: "A.2.5",
      parameters: p256,
      hash: sha384,
      x: x256,
      message: "sample",
      r: "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
      s: "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
    },
    {
      section: "A.2.5",
      parameters: p256,
      hash: sha512,
      x: x256,
      message: "sample",
      r: "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
      s: "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
    },
    {
      section: "A.2.6",
      parameters: p384,
      hash: sha384,
      x: x384,
      message: "sample",
      r: "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
      s: "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    },
    {
      section: "A.2.7",
      parameters: p521,
      hash: sha512,
      x: x521,
      message: "sample",
      r: "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa",
      s: "00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
    },
  ])("RFC 6979 $section $parameters.name, $hash.name, “$message”", ({ parameters, hash, x, message, r, s }) => {
    const curve = createBigIntCurve(parameters);
    const digest = digestOf(hash.name, message);
    const task = signature(curve, hash, toInteger(fromHex(x)), digest, NO_BYTES, random);
    const expected = { r: BigInt(`0x${r}`), s: BigInt(`0x${s}`) };
    expect(decodeSignature(finish(task), curve.bytes)).toEqual(expected);
  });

  it("RFC 6979 §A.1.2 the detailed example, whose first two candidates are not below the order", () => {
    const order = 0x4000000000000000000020108a2e0cc0d99f8a5efn;
    const x = fromHex("009a4d6792295a7f730fc3f2b49cbc0f62e862272f");
    const nonce = new NonceTask(sha256, order, 163, x, digestOf("sha256", "sample"), NO_BYTES);
    expect(finish(nonce)).toBe(0x23af4074c90a02b3fe61d286d5c87f425e6bdd81bn);
  });

  it("RFC 6979 §3.6 the added randomness changes the signature, and the blinding does not", () => {
    const key: PrivateKey = { type: "ec", curve: "secp256r1", scalar: fromHex(x256) };
    const digest = digestOf("sha256", "sample");
    const sign = (source: typeof random) =>
      toHex(finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, source)));
    expect(sign(random)).not.toBe(sign(random));
    const added = new Uint8Array(32).fill(0x11);
    expect(sign(labelled("ecdsa", added))).toBe(sign(labelled("ecdsa", added)));
    expect(sign(replayed())).toBe(sign(replayed()));
    expect(sign(replayed())).not.toBe(sign(labelled("ecdsa", added)));
  });

  it("a source without randomness still signs with a nonce that depends on the digest", () => {
    const key: PrivateKey = { type: "ec", curve: "secp256r1", scalar: fromHex(x256) };
    const zeros = { fill: (bytes: Uint8Array) => void bytes.fill(0) };
    const rOf = (message: string) =>
      decodeSignature(
        finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digestOf("sha256", message), zeros)),
        32,
      )!.r;
    expect(rOf("a")).not.toBe(rOf("b"));
  });
});

describe("on BigInt a random multiple of the order is added", () => {
  it.each([p256, p384, p521])("$name: to nonces and to keys, not to the scalar of a key exchange", (parameters) => {
    const { name, blindingBytes } = parameters;
    const provider = createBigIntCrypto();
    /** Whether a multiple was drawn. */
    const isLengthened = (compute: (source: Random) => Task<unknown>) => {
      const lengths: number[] = [];
      const fill = (bytes: Uint8Array, purpose: string) => {
        random.fill(bytes, purpose);
        if (purpose === "blinding") lengths.push(bytes.length);
      };
      finish(compute({ fill }));
      return lengths.includes(blindingBytes);
    };
    const key = finish(provider.generateKey(name, random));
    const digest = digestOf("sha256", "sample");
    expect(isLengthened((source) => provider.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, source))).toBe(true);
    expect(isLengthened((source) => provider.publicKey(key, source))).toBe(true);
    expect(isLengthened((source) => provider.generateKey(name, source))).toBe(true);
    expect(isLengthened((source) => provider.keyExchange(name, source))).toBe(false);
  });
});

describe("RFC 3279 §2.2.3 the encoding of signatures", () => {
  const small = fromHex("3006020101020102");

  it("is read and written as DER", () => {
    expect(decodeSignature(small, 32)).toEqual({ r: 1n, s: 2n });
    for (const value of [1n, 0x7fn, 0x80n, 0xffn, 0x100n, 2n ** 255n, 2n ** 256n - 1n]) {
      const encoded = encodeSignature({ r: value, s: 1n }, 32);
      expect(decodeSignature(encoded, 32)).toEqual({ r: value, s: 1n });
    }
    const long = encodeSignature({ r: 2n ** 520n, s: 2n ** 520n }, 66);
    expect(toHex(long.subarray(0, 3))).toBe("308188");
    expect(decodeSignature(long, 66)).toEqual({ r: 2n ** 520n, s: 2n ** 520n });
  });

  it.each([
    ["nothing", ""],
    ["bytes behind", "300602010102010200"],
    ["bytes behind in the sequence", "30080201010201020500"],
    ["another tag", "3106020101020102"],
    ["a length that is too long", "3007020101020102"],
    ["a length in the long form without need", "308106020101020102"],
    ["an indefinite length", "30800201010201020000"],
    ["a length in two bytes", "30820006020101020102"],
    ["an integer with a leading zero", "300702020001020102"],
    ["a negative integer", "3006020181020102"],
    ["an integer without bytes", "300502000201 02"],
    ["a zero in two bytes", "300702020000020102"],
    ["a sequence of one", "3003020101"],
    ["an integer that leaves the sequence", "300602010102 0202"],
    ["another type", "3006020101030102"],
  ])("refuses %s", (_, encoded) => {
    expect(decodeSignature(fromHex(encoded), 32)).toBeUndefined();
  });

  it("refuses integers that are longer than the order, without reading them", () => {
    const long = encodeSignature({ r: 2n ** 272n, s: 1n }, 40);
    expect(decodeSignature(long, 32)).toBeUndefined();
  });
});

describe("FIPS 186-5 §6.4 signatures", () => {
  const key: PrivateKey = { type: "ec", curve: "secp256r1", scalar: fromHex(x256) };
  const publicKey = finish(crypto.publicKey(key, random)) as Extract<PublicKey, { type: "ec" }>;
  const digest = digestOf("sha256", "sample");
  const verify = (publicPart: PublicKey, signature: Uint8Array) =>
    finish(crypto.verify({ kind: "ecdsa", hash: "sha256" }, publicPart, digest, signature));
  const { order } = p256;

  it("r and s must lie between 1 and the order", () => {
    const good = finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, random));
    const { r, s } = decodeSignature(good, 32)!;
    expect(verify(publicKey, good)).toBe(true);
    expect(verify(publicKey, encodeSignature({ r, s: order - s }, 32))).toBe(true); // as malleable as ECDSA is
    for (const bad of [
      { r: 0n, s },
      { r, s: 0n },
      { r: 0n, s: 0n },
      { r: order, s },
      { r, s: order },
      { r: r + order, s },
      { r, s: s + order },
      { r: s, s: r },
    ])
      expect(verify(publicKey, encodeSignature(bad, 33))).toBe(false);
  });

  it("an unusable key is false, not an exception", () => {
    const signature = finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, key, digest, random));
    const point = publicKey.point.slice();
    point[5]! ^= 1;
    expect(verify({ ...publicKey, point }, signature)).toBe(false);
    expect(verify({ ...publicKey, curve: "secp384r1" }, signature)).toBe(false);
    expect(verify({ type: "rsa", modulus: point, exponent: Uint8Array.of(3) }, signature)).toBe(false);
  });

  it("a private scalar of zero, of the order, or too long is a mistake of the caller", () => {
    for (const scalar of [
      new Uint8Array(32),
      fromHex(order.toString(16)),
      new Uint8Array(33).fill(0, 0, 32).fill(1, 32),
    ])
      expect(() => crypto.sign({ kind: "ecdsa", hash: "sha256" }, { ...key, scalar }, digest, random)).toThrow(
        "between 1 and the order",
      );
  });

  it.each(["secp256r1", "secp384r1", "secp521r1"] as const)("a generated key on %s signs for node:crypto", (curve) => {
    const generated = finish(crypto.generateKey(curve, random));
    if (generated.type !== "ec") throw new TypeError("not a curve's key");
    expect(finish(crypto.publicKey(generated, random))).toEqual({ type: "ec", curve, point: generated.point });
    const signature = finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, generated, digest, random));
    const node = createPublicKey({ key: ecJwk(curve, generated.point!), format: "jwk" });
    expect(nodeVerify("sha256", Buffer.from("sample"), node, signature)).toBe(true);
  });
});
