/**
 * AES in CBC mode with HMAC as pieces of a provider, in both orders of encryption and MAC.
 *
 * @module
 */

import { type AesForm, tableAes } from "./aes-form.ts";
import { CbcEtm } from "./cbc-etm.ts";
import { CbcHmac } from "./cbc-hmac.ts";
import type { HashAlgorithm } from "./hash.ts";
import type { CbcCipher, CbcName, CbcOrder } from "./provider.ts";

/** Makes a cipher out of keys. */
export type CbcMaker = (key: Uint8Array, mac: HashAlgorithm, macKey: Uint8Array, order: CbcOrder) => CbcCipher;

/** A block cipher in CBC mode with HMAC: a piece of a provider. */
export interface CbcAlgorithm {
  readonly name: CbcName;
  readonly keyBytes: number;
  /** Makes what all keys of a provider share. */
  prepare(): CbcMaker;
}

/** AES-128 in CBC mode, as a piece of a provider. */
export const aes128Cbc: CbcAlgorithm = { name: "aes-128-cbc", keyBytes: 16, prepare: () => prepareCbc(tableAes()) };

/** AES-256 in CBC mode, as a piece of a provider. */
export const aes256Cbc: CbcAlgorithm = { name: "aes-256-cbc", keyBytes: 32, prepare: () => prepareCbc(tableAes()) };

/** Makes ciphers out of keys, with one form of AES. */
export function prepareCbc(form: AesForm): CbcMaker {
  return (key, mac, macKey, order) =>
    order === "encrypt-then-mac" ? new CbcEtm(form, mac, key, macKey) : new CbcHmac(form, mac, key, macKey);
}
