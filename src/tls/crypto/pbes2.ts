/**
 * PBES2 of RFC 8018 §6.2: a key out of a password by PBKDF2 with HMAC, and AES in CBC mode. What opens an encrypted private key.
 *
 * A value that the caller passes to `decryptPrivateKey`: an app that has no encrypted keys does not bundle it. Left out on purpose:
 * encryption, and all ciphers but AES.
 *
 * @module
 */

import { wipe } from "../../bytes.ts";
import type { Task } from "../../task.ts";
import { AesCbc } from "./aes-cbc.ts";
import { tableAes } from "./aes-form.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacKeyUnits, hmacUnits } from "./hmac.ts";
import type { HashName, PasswordDecryption, PasswordEncryption } from "./provider.ts";
import { sha1 } from "./sha1.ts";
import { sha256 } from "./sha256.ts";
import { sha384, sha512 } from "./sha512.ts";
import { Sliced } from "./sliced.ts";
import { writeWord } from "./words.ts";

const BLOCK_BYTES = 16;
/** Cost of an AES block, about, and of making the tables and round keys, in units of work. */
const BLOCK_UNITS = 3;
const TABLE_UNITS = 200;

const hashes: Readonly<Record<HashName, HashAlgorithm>> = /* @__PURE__ */ Object.freeze({
  sha1,
  sha256,
  sha384,
  sha512,
});

/**
 * Decrypts with PBES2. The password is UTF-8 and must not change before the task is done, which wipes all that was derived from it.
 *
 * @example
 * const key = finish(decryptPrivateKey(pem, password, { decryption: pbes2 }));
 */
export const pbes2: PasswordDecryption = (encryption, password, ciphertext) =>
  new Pbes2Task(encryption, password, ciphertext);

class Pbes2Task extends Sliced<Uint8Array | undefined> {
  readonly #encryption: PasswordEncryption;
  readonly #ciphertext: Uint8Array;
  readonly #derivation: Task<Uint8Array>;
  #cipher: AesCbc | undefined;
  #plaintext: Uint8Array | undefined;
  #at = 0;

  constructor(encryption: PasswordEncryption, password: Uint8Array, ciphertext: Uint8Array) {
    super();
    const { hash, salt, iterations, keyBytes } = encryption;
    this.#encryption = encryption;
    this.#ciphertext = ciphertext;
    this.#derivation = new Pbkdf2Task(hashes[hash], password, salt, iterations, keyBytes);
  }

  protected advance(): number {
    const cipher = this.#cipher;
    if (cipher === undefined) {
      const spent = this.delegate(this.#derivation);
      if (!this.delegateDone) return spent;
      const key = this.#derivation.result;
      this.#cipher = new AesCbc(tableAes(), key, "decrypt");
      wipe(key);
      this.#cipher.start(this.#encryption.iv, 0);
      this.#plaintext = new Uint8Array(this.#ciphertext);
      return spent + TABLE_UNITS;
    }
    const plaintext = this.#plaintext!;
    cipher.decrypt(plaintext, this.#at, this.#at + BLOCK_BYTES);
    this.#at += BLOCK_BYTES;
    if (this.#at === plaintext.length) {
      cipher.wipe();
      const bytes = unpaddedBytes(plaintext);
      if (bytes === undefined) wipe(plaintext);
      this.complete(bytes === undefined ? undefined : plaintext.subarray(0, bytes));
    }
    return BLOCK_UNITS;
  }
}

/** How many bytes stand before the padding (RFC 8018 §6.1.1, step 4); `undefined` where that is wrong: most often, the password is. */
function unpaddedBytes(plaintext: Uint8Array): number | undefined {
  const padding = plaintext[plaintext.length - 1]!;
  if (padding === 0 || padding > BLOCK_BYTES) return undefined;
  const bytes = plaintext.length - padding;
  for (let i = bytes; i < plaintext.length; i++) if (plaintext[i] !== padding) return undefined;
  return bytes;
}

/** PBKDF2 with HMAC (RFC 8018 §5.2), an iteration a step. */
export class Pbkdf2Task extends Sliced<Uint8Array> {
  readonly #algorithm: HashAlgorithm;
  readonly #password: Uint8Array;
  readonly #salt: Uint8Array;
  readonly #iterations: number;
  readonly #key: Uint8Array;
  /** The sum of what the iterations gave, and its last term. */
  readonly #sum: Int32Array;
  readonly #term: Int32Array;
  #hmac: Hmac | undefined;
  /** The block of the key that is being computed, from 1, and its iterations so far. */
  #block = 1;
  #iteration = 0;

  constructor(algorithm: HashAlgorithm, password: Uint8Array, salt: Uint8Array, iterations: number, keyBytes: number) {
    super();
    this.#algorithm = algorithm;
    this.#password = password;
    this.#salt = salt;
    this.#iterations = iterations;
    this.#key = new Uint8Array(keyBytes);
    this.#sum = new Int32Array(algorithm.outputBytes / 4);
    this.#term = new Int32Array(algorithm.outputBytes / 4);
  }

  protected advance(): number {
    const algorithm = this.#algorithm;
    if (this.#hmac === undefined) {
      this.#hmac = new Hmac(algorithm, this.#password);
      return hmacKeyUnits(algorithm, this.#password.length);
    }
    const hmac = this.#hmac;
    const isFirst = this.#iteration === 0;
    if (isFirst) {
      const number = new Uint8Array(4);
      writeWord(number, 0, this.#block);
      hmac.compute([this.#salt, number]);
      this.#sum.fill(0);
    } else hmac.computeWords(this.#term);
    for (let i = 0; i < this.#sum.length; i++) {
      this.#term[i] = hmac.words[i]!;
      this.#sum[i]! ^= hmac.words[i]!;
    }
    if (++this.#iteration === this.#iterations) this.#finishBlock(hmac);
    return hmacUnits(algorithm, isFirst ? this.#salt.length + 4 : algorithm.outputBytes);
  }

  #finishBlock(hmac: Hmac): void {
    const key = this.#key;
    const { outputBytes } = this.#algorithm;
    const start = (this.#block - 1) * outputBytes;
    for (let i = 0; i < outputBytes && start + i < key.length; i++)
      key[start + i] = this.#sum[i >> 2]! >> (24 - 8 * (i & 3));
    this.#block++;
    this.#iteration = 0;
    if (start + outputBytes < key.length) return;
    hmac.wipe();
    this.#sum.fill(0);
    this.#term.fill(0);
    this.complete(key);
  }
}
