/**
 * RSASSA-PKCS1-v1_5 (RFC 8017 §8.2). Verification builds the one encoding that is right and compares: nothing of the peer's
 * padding is ever parsed, which is where implementations go wrong.
 *
 * @module
 */

import { concat, fromHex } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { done, map, type Task } from "../../task.ts";
import { bitLength, toBytes, toInteger } from "./integers.ts";
import type { HashName, PrivateKey, PublicKey } from "./provider.ts";
import { PublicPowerTask, privateOperation, signatureInteger, usablePublicKey } from "./rsa.ts";
import type { SignatureContext, SignatureMethod } from "./signature.ts";

/** RSASSA-PKCS1-v1_5, as a piece of a provider. */
export const rsaPkcs1: SignatureMethod = { kind: "rsa-pkcs1", verify, sign };

/** The DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: Record<HashName, string> = {
  sha1: "3021300906052b0e03021a05000414",
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
};

function verify({ hash }: SignatureContext, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean> {
  const usable = usablePublicKey(key);
  const integer = usable && signatureInteger(usable, signature);
  const expected = usable && emsaPkcs1(hash.name, digest, usable.bytes);
  if (usable === undefined || integer === undefined || expected === undefined) return done(false);
  return map(new PublicPowerTask(integer, usable), (message) => message === toInteger(expected));
}

function sign({ hash, rsa }: SignatureContext, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array> {
  const bytes = key.type === "rsa" ? Math.ceil(bitLength(key.modulus) / 8) : 0;
  const encoded = emsaPkcs1(hash.name, digest, bytes);
  if (encoded === undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "RSA signs with an RSA key that has room for the digest");
  return map(privateOperation(key, toInteger(encoded), random, rsa), (signature) => toBytes(signature, bytes));
}

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2): 00 01 ff … ff 00 DigestInfo, `bytes` long; `undefined` where it does not fit. */
export function emsaPkcs1(hash: HashName, digest: Uint8Array, bytes: number): Uint8Array | undefined {
  const info = concat([fromHex(DIGEST_INFO[hash]), digest]);
  if (bytes < info.length + 11) return undefined;
  const encoded = new Uint8Array(bytes).fill(0xff);
  encoded[0] = 0;
  encoded[1] = 1;
  encoded[bytes - info.length - 1] = 0;
  encoded.set(info, bytes - info.length);
  return encoded;
}
