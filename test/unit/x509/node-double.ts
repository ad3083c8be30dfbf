/**
 * A crypto provider for the tests of X.509, on node:crypto: an oracle that knows nothing of our primitives. Its tasks take as many
 * steps as real ones, so that budgets mean something. What X.509 does not use is not there.
 */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import { toHex } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import type { Task } from "../../../src/task.ts";
import type {
  CryptoProvider,
  CurveName,
  HashName,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from "../../../src/tls/crypto/provider.ts";
import {
  encodePrivateKey,
  encodeSubjectPublicKeyInfo,
  parsePrivateKey,
  parseSubjectPublicKeyInfo,
} from "../../../src/tls/x509/index.ts";

export const random: Random = { fill: (bytes) => void globalThis.crypto.getRandomValues(bytes) };

/** A task that computes in its last step. */
class Slow<T> implements Task<T> {
  spent = 0;
  #result: { value: T } | undefined;
  readonly #cost: number;
  readonly #compute: () => T;
  constructor(cost: number, compute: () => T) {
    this.#cost = cost;
    this.#compute = compute;
  }
  step(units: number): boolean {
    this.spent = Math.min(this.#cost, this.spent + Math.max(units, 1));
    if (this.spent < this.#cost) return false;
    this.#result ??= { value: this.#compute() };
    return true;
  }
  get result(): T {
    return this.#result!.value;
  }
}

export interface NodeDouble extends CryptoProvider {
  /** Signatures that were verified. */
  verified: number;
}

/** @param without algorithms that this provider denies */
export function nodeDouble(without: readonly string[] = []): NodeDouble {
  // node:crypto signs messages, the provider digests: what was hashed is remembered.
  const messages = new WeakMap<Uint8Array, Uint8Array>();
  const message = (digest: Uint8Array): Uint8Array => {
    const found = messages.get(digest);
    if (found === undefined) throw new Error("this digest was not made here");
    return found;
  };
  const never = (): never => {
    throw new Error("not used by X.509");
  };
  const algorithmOptions = ({ kind, hash }: SignatureAlgorithm) =>
    kind === "rsa-pss" ? { padding: 6, saltLength: { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }[hash] } : {};
  const publicHalf = (key: PrivateKey): PublicKey => {
    const pkcs8 = Buffer.from(encodePrivateKey(key));
    const spki = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
    return parseSubjectPublicKeyInfo(new Uint8Array(spki.export({ format: "der", type: "spki" }))).publicKey!;
  };
  // Reading a key takes node longer than verifying with it.
  const keyObjects = new Map<string, KeyObject>();
  const publicKeyOf = (key: PublicKey): KeyObject => {
    const name = toHex(key.type === "rsa" ? key.modulus : key.point) + (key.type === "rsa" ? toHex(key.exponent) : "");
    const known = keyObjects.get(name);
    if (known !== undefined) return known;
    const made = createPublicKey({ key: Buffer.from(encodeSubjectPublicKeyInfo(key)), format: "der", type: "spki" });
    if (keyObjects.size >= 256) keyObjects.clear();
    keyObjects.set(name, made);
    return made;
  };
  const double: NodeDouble = {
    verified: 0,
    supports: (algorithm) => !without.includes(algorithm),
    hash: never,
    hashUnits: (_, bytes) => bytes / 64,
    digest: (name: HashName, parts) =>
      new Slow(1 + parts.reduce((sum, part) => sum + part.length, 0) / 64, () => {
        const joined = new Uint8Array(Buffer.concat(parts));
        const digest = new Uint8Array(createHash(name).update(joined).digest());
        messages.set(digest, joined);
        return digest;
      }),
    hmac: never,
    prf: never,
    aead: never,
    cbc: never,
    keyExchange: never,
    verify: (algorithm, key, digest, signature) =>
      new Slow(100, () => {
        double.verified++;
        try {
          const keyObject = publicKeyOf(key);
          const signed = message(digest);
          return nodeVerify(algorithm.hash, signed, { key: keyObject, ...algorithmOptions(algorithm) }, signature);
        } catch {
          return false;
        }
      }),
    sign: (algorithm, key, digest) =>
      new Slow(100, () => {
        const pkcs8 = createPrivateKey({ key: Buffer.from(encodePrivateKey(key)), format: "der", type: "pkcs8" });
        return new Uint8Array(
          nodeSign(algorithm.hash, message(digest), { key: pkcs8, ...algorithmOptions(algorithm) }),
        );
      }),
    publicKey: (key) => new Slow(100, () => publicHalf(key)),
    generateKey: (curve: CurveName) => new Slow(100, () => ecKey(curve)),
  };
  return double;
}

/** A new EC key. */
export function ecKey(curve: CurveName = "secp256r1"): PrivateKey & { type: "ec"; point: Uint8Array } {
  const namedCurve = { secp256r1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[curve];
  const { privateKey } = generateKeyPairSync("ec", { namedCurve });
  return parsePrivateKey(new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }))) as PrivateKey & {
    type: "ec";
    point: Uint8Array;
  };
}

/** A new RSA key. */
export function rsaKey(bits = 2048): PrivateKey & { type: "rsa" } {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return parsePrivateKey(new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }))) as PrivateKey & {
    type: "rsa";
  };
}

/** The public half of a key that carries it. */
export function publicOf(key: PrivateKey): PublicKey {
  return key.type === "rsa"
    ? { type: "rsa", modulus: key.modulus, exponent: key.publicExponent }
    : { type: "ec", curve: key.curve, point: key.point! };
}
