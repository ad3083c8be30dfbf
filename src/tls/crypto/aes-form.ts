/**
 * AES in one form or another, for what needs both directions: CBC. The counter modes name the form that they encrypt with.
 *
 * @module
 */

import { Aes, aesTable, type BlockEncryption } from "./aes.ts";
import { AesDecrypt, type BlockDecryption } from "./aes-decrypt.ts";

/** AES with the tables that all its keys share. Keys have 16, 24 or 32 bytes. */
export interface AesForm {
  encryption(key: Uint8Array): BlockEncryption;
  decryption(key: Uint8Array): BlockDecryption;
}

/** The form with tables for whole rounds: 4 KiB for all keys, and 1.25 KiB for each that decrypts. */
export function tableAes(): AesForm {
  const table = aesTable();
  return {
    encryption: (key) => new Aes(table, key),
    decryption(key) {
      const aes = new Aes(table, key);
      const inverse = new AesDecrypt(aes);
      aes.wipe();
      return inverse;
    },
  };
}
