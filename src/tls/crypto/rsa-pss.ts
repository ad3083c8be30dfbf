/**
 * RSASSA-PSS (RFC 8017 §8.1) as TLS uses it (RFC 8446 §4.2.3): MGF1 with the hash of the digest, and a salt as long as it.
 *
 * @module
 */

import { constantTimeEqual } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { chain, done, map, type Task } from "../../task.ts";
import { digestUnits, type HashAlgorithm } from "./hash.ts";
import { bitLength, toBytes, toInteger } from "./integers.ts";
import type { PrivateKey, PublicKey } from "./provider.ts";
import { PublicPowerTask, privateOperation, signatureInteger, usablePublicKey } from "./rsa.ts";
import type { SignatureContext, SignatureMethod } from "./signature.ts";
import { Sliced } from "./sliced.ts";

/** RSASSA-PSS, as a piece of a provider. The salt is drawn with the label `"pss"`. */
export const rsaPss: SignatureMethod = { kind: "rsa-pss", verify, sign };

const TRAILER = 0xbc;

function verify({ hash }: SignatureContext, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean> {
  const usable = usablePublicKey(key);
  const integer = usable && signatureInteger(usable, signature);
  if (usable === undefined || integer === undefined) return done(false);
  const bits = usable.bits - 1;
  return chain(new PublicPowerTask(integer, usable), (message) => {
    // A representative above the encoding's length is refused before bytes are made of it.
    if (message >> BigInt(8 * Math.ceil(bits / 8)) !== 0n) return done(false);
    return verifyEncoding(hash, digest, toBytes(message, Math.ceil(bits / 8)), bits);
  });
}

function sign({ hash, rsa }: SignatureContext, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array> {
  const bits = key.type === "rsa" ? bitLength(key.modulus) - 1 : 0;
  const length = Math.ceil(bits / 8);
  const dataLength = length - hash.outputBytes - 1;
  if (dataLength < hash.outputBytes + 1)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      "RSA signs with an RSA key that has room for the digest and the salt",
    );
  const salt = new Uint8Array(hash.outputBytes);
  random.fill(salt, "pss");
  // EMSA-PSS-ENCODE (RFC 8017 §9.1.1): masked 00 … 00 01 salt, H, bc.
  const encoded = new Uint8Array(length);
  const data = encoded.subarray(0, dataLength);
  data[dataLength - salt.length - 1] = 1;
  data.set(salt, dataLength - salt.length);
  const h = saltedHash(hash, digest, salt);
  encoded.set(h, dataLength);
  encoded[length - 1] = TRAILER;
  return chain(new MaskTask(hash, h, data), () => {
    data[0]! &= topMask(bits);
    return map(privateOperation(key, toInteger(encoded), random, rsa), (signature) =>
      toBytes(signature, Math.ceil((bits + 1) / 8)),
    );
  });
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2). */
function verifyEncoding(hash: HashAlgorithm, digest: Uint8Array, encoded: Uint8Array, bits: number): Task<boolean> {
  const saltBytes = hash.outputBytes;
  const dataLength = encoded.length - hash.outputBytes - 1;
  if (dataLength < saltBytes + 1 || encoded[encoded.length - 1] !== TRAILER) return done(false);
  const data = encoded.subarray(0, dataLength);
  const h = encoded.subarray(dataLength, encoded.length - 1);
  if ((data[0]! & ~topMask(bits)) !== 0) return done(false);
  return map(new MaskTask(hash, h, data), () => {
    data[0]! &= topMask(bits);
    const one = dataLength - saltBytes - 1;
    for (let i = 0; i < one; i++) if (data[i] !== 0) return false;
    return data[one] === 1 && constantTimeEqual(h, saltedHash(hash, digest, data.subarray(one + 1)));
  });
}

/** The bits of the first byte that belong to an encoding of that many bits. */
function topMask(bits: number): number {
  return 0xff >> (8 * Math.ceil(bits / 8) - bits);
}

/** Hash(eight zeros || digest || salt). */
function saltedHash(algorithm: HashAlgorithm, digest: Uint8Array, salt: Uint8Array): Uint8Array {
  const hash = algorithm.create();
  hash.update(new Uint8Array(8));
  hash.update(digest);
  hash.update(salt);
  return hash.digest();
}

/** Adds MGF1(seed) to `data` in place (RFC 8017 §B.2.1), one hash a step. */
class MaskTask extends Sliced<void> {
  readonly #algorithm: HashAlgorithm;
  readonly #seed: Uint8Array;
  readonly #data: Uint8Array;
  readonly #input: Uint8Array;
  readonly #mask: Uint8Array;
  #counter = 0;

  constructor(algorithm: HashAlgorithm, seed: Uint8Array, data: Uint8Array) {
    super();
    this.#algorithm = algorithm;
    this.#seed = seed;
    this.#data = data;
    this.#input = new Uint8Array(seed.length + 4);
    this.#mask = new Uint8Array(algorithm.outputBytes);
  }

  protected advance(): number {
    const data = this.#data;
    const mask = this.#mask;
    const input = this.#input;
    input.set(this.#seed);
    // A modulus of 8192 bits takes less than 64 blocks of mask: one byte of the counter is enough.
    input[input.length - 1] = this.#counter;
    const hash = this.#algorithm.create();
    hash.update(input);
    hash.digestInto(mask, 0);
    const at = this.#counter++ * mask.length;
    for (let i = 0; i < mask.length && at + i < data.length; i++) data[at + i]! ^= mask[i]!;
    if (at + mask.length >= data.length) this.complete(undefined);
    return digestUnits(this.#algorithm, input.length);
  }
}
