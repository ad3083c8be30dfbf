/**
 * The pieces of a provider that have tables, in forms with small ones, for who has kilobytes rather than megabytes. A module of its own,
 * so that a bundle has the one form or the other.
 *
 * | bytes | large | small |
 * |---|--:|--:|
 * | AES, for all keys | 4,096 | 256 |
 * | AES of CBC records, more for each key that opens | 1,280 | 0 (256 for all) |
 * | GHASH, for each key | 4,096 | 256 |
 * | P-256's generator, on BigInt: 64 a point | 72 points | 24 points |
 * | the same on limbs: 176 a point | 128 points | 24 points |
 * | verification on P-256, BigInt; on limbs | up to 120 points; 192 | 8 points |
 *
 * Small ones take, times as long: AES-128-GCM on a warm Node 1.5 for 64 bytes, 2.7 for 1 KiB, 3 for 16 KiB, and on QuickJS and XS 2
 * (4 on XS from 1 KiB on, against `aes128GcmWide`); a key for it half; a mutual ECDSA handshake 1.07 the first time, and 1.3 once
 * large tables are there; one with RSA 0.99 and 1.07. Not governed: what one operation has for its own time, such as RSA's 32
 * powers.
 *
 * @module
 */

import type { AeadAlgorithm } from "./aead-task.ts";
import { aesSbox } from "./aes.ts";
import { type GcmForm, prepareGcm } from "./aes-gcm.ts";
import { SmallAes, smallAes } from "./aes-small.ts";
import { type CbcAlgorithm, prepareCbc } from "./cbc-cipher.ts";
import { createBigIntCurve } from "./curve.ts";
import { type CurveParameters, p256, p384, p521 } from "./curve-parameters.ts";
import { SmallGhash } from "./ghash-small.ts";
import { curveGroup, type Group } from "./group.ts";
import { smallShapes } from "./multiplication.ts";

/** AES-128-GCM with small tables, as a piece of a provider. */
export const aes128GcmSmall: AeadAlgorithm = {
  name: "aes-128-gcm",
  keyBytes: 16,
  prepare: () => prepareGcm("aes-128-gcm", smallForm()),
};

/** AES-256-GCM with small tables, as a piece of a provider. */
export const aes256GcmSmall: AeadAlgorithm = {
  name: "aes-256-gcm",
  keyBytes: 32,
  prepare: () => prepareGcm("aes-256-gcm", smallForm()),
};

/** AES-128 in CBC mode with small tables, as a piece of a provider. */
export const aes128CbcSmall: CbcAlgorithm = {
  name: "aes-128-cbc",
  keyBytes: 16,
  prepare: () => prepareCbc(smallAes()),
};

/** AES-256 in CBC mode with small tables, as a piece of a provider. */
export const aes256CbcSmall: CbcAlgorithm = {
  name: "aes-256-cbc",
  keyBytes: 32,
  prepare: () => prepareCbc(smallAes()),
};

/** P-256 on BigInt with small tables, as a piece of a provider. */
export const secp256r1Small: Group = { name: "secp256r1", prepare: () => onBigInt(p256) };

/** P-384 with small tables, as a piece of a provider. */
export const secp384r1Small: Group = { name: "secp384r1", prepare: () => onBigInt(p384) };

/** P-521 with small tables, as a piece of a provider. */
export const secp521r1Small: Group = { name: "secp521r1", prepare: () => onBigInt(p521) };

function smallForm(): GcmForm<SmallAes, never> {
  const sbox = aesSbox();
  return { encryption: (key) => new SmallAes(sbox, key), ghash: (key) => new SmallGhash(key), bulk: undefined };
}

function onBigInt(parameters: CurveParameters) {
  return curveGroup(createBigIntCurve(parameters, smallShapes));
}
