/**
 * The protection of the CBC suites with Encrypt-then-MAC (RFC 7366): padding, then AES-CBC, then HMAC over vector and ciphertext.
 *
 * What is not authentic is never decrypted, so that padding is no oracle and nothing here depends on secret lengths.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import { AesCbc } from "./aes-cbc.ts";
import type { AesForm } from "./aes-form.ts";
import { BLOCK_BYTES, CIPHER_UNITS, checkRange, headerWithLength, SLICE_BYTES } from "./cbc-hmac.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacUnits } from "./hmac.ts";
import type { CbcCipher } from "./provider.ts";
import { Sliced } from "./sliced.ts";
import { readWord, writeWord } from "./words.ts";

/** Encrypt-then-MAC with one pair of keys. */
export class CbcEtm implements CbcCipher {
  readonly #keys: Keys;

  /**
   * @param form - of AES, which many keys may share.
   * @param key - of AES: 16 or 32 bytes.
   */
  constructor(form: AesForm, algorithm: HashAlgorithm, key: Uint8Array, macKey: Uint8Array) {
    this.#keys = { algorithm, cipher: new AesCbc(form, key, "decrypt"), hmac: new Hmac(algorithm, macKey) };
  }

  expansion(bytes: number): number {
    return BLOCK_BYTES - (bytes % BLOCK_BYTES) + this.#keys.algorithm.outputBytes;
  }

  seal(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number> {
    this.#keys.cipher.checkKey();
    const expansion = this.expansion(end - start);
    checkRange(buffer, start, end, expansion);
    const macAt = end + expansion - this.#keys.algorithm.outputBytes;
    buffer.fill(macAt - end - 1, end, macAt);
    return new SealTask(this.#keys, buffer, start, macAt, header);
  }

  open(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number | undefined> {
    this.#keys.cipher.checkKey();
    checkRange(buffer, start, end, 0);
    return new OpenTask(this.#keys, buffer, start, end - this.#keys.algorithm.outputBytes, header);
  }

  wipe(): void {
    this.#keys.cipher.wipe();
    this.#keys.hmac.wipe();
  }
}

interface Keys {
  readonly algorithm: HashAlgorithm;
  readonly cipher: AesCbc;
  readonly hmac: Hmac;
}

/** What both directions share: a MAC over the header, vector and ciphertext, and a cipher that goes through it, in slices. */
abstract class EtmTask<T> extends Sliced<T> {
  protected readonly keys: Keys;
  protected readonly buffer: Uint8Array;
  protected readonly start: number;
  /** Where the ciphertext ends and the MAC stands. */
  protected readonly macAt: number;
  readonly #header: Uint8Array;
  #at: number;
  #isStarted = false;

  constructor(keys: Keys, buffer: Uint8Array, start: number, macAt: number, header: Uint8Array) {
    super();
    this.keys = keys;
    this.buffer = buffer;
    this.start = start;
    this.macAt = macAt;
    // RFC 7366 §3: the length of what is sent without the MAC.
    this.#header = headerWithLength(header, BLOCK_BYTES + macAt - start);
    this.#at = start;
  }

  /** Ciphers a slice and returns its units. True in {@link isThrough} at the end. */
  protected cipher(direction: "encrypt" | "decrypt"): number {
    const { cipher } = this.keys;
    if (this.#at === this.start) cipher.start(this.buffer, this.start - BLOCK_BYTES);
    const end = Math.min(this.macAt, this.#at + SLICE_BYTES);
    cipher[direction](this.buffer, this.#at, end);
    const units = ((end - this.#at) / BLOCK_BYTES) * CIPHER_UNITS;
    this.#at = end;
    return units;
  }

  /** Hashes a slice and returns its units; the MAC is in `hmac.words` at the end. */
  protected authenticate(): number {
    const { algorithm, hmac } = this.keys;
    if (!this.#isStarted) {
      this.#isStarted = true;
      hmac.begin();
      hmac.running.update(this.#header);
      this.#at = this.start - BLOCK_BYTES;
    }
    const end = Math.min(this.macAt, this.#at + SLICE_BYTES);
    hmac.running.update(this.buffer.subarray(this.#at, end));
    const units = Math.ceil((end - this.#at) / algorithm.blockBytes) * algorithm.unitsPerBlock;
    this.#at = end;
    if (end < this.macAt) return units;
    hmac.running.pad();
    hmac.end();
    return units + hmacUnits(algorithm, 0);
  }

  protected get isThrough(): boolean {
    return this.#at === this.macAt;
  }

  protected rewind(): void {
    this.#at = this.start;
  }
}

class SealTask extends EtmTask<number> {
  #isEncrypted = false;

  protected advance(): number {
    this.keys.cipher.checkKey();
    if (!this.#isEncrypted) {
      const units = this.cipher("encrypt");
      this.#isEncrypted = this.isThrough;
      return units;
    }
    const units = this.authenticate();
    if (this.isThrough) {
      const { algorithm, hmac } = this.keys;
      for (let i = 0; i < algorithm.outputBytes; i += 4) writeWord(this.buffer, this.macAt + i, hmac.words[i >> 2]!);
      this.complete(this.macAt + algorithm.outputBytes);
    }
    return units;
  }
}

class OpenTask extends EtmTask<number | undefined> {
  #isAuthentic = false;

  protected advance(): number {
    this.keys.cipher.checkKey();
    const bytes = this.macAt - this.start;
    if (bytes < BLOCK_BYTES || bytes % BLOCK_BYTES !== 0) return this.#refuse();
    if (!this.#isAuthentic) {
      const units = this.authenticate();
      if (!this.isThrough) return units;
      if (!this.#isMacRight()) return units + this.#refuse();
      this.#isAuthentic = true;
      this.rewind();
      return units;
    }
    const units = this.cipher("decrypt");
    if (!this.isThrough) return units;
    const padding = this.#paddingBytes();
    if (padding === undefined) return units + this.#refuse();
    this.complete(bytes - padding);
    return units;
  }

  /** All of the MAC is compared, whatever differs. */
  #isMacRight(): boolean {
    const { algorithm, hmac } = this.keys;
    let difference = 0;
    for (let i = 0; i < algorithm.outputBytes; i += 4)
      difference |= hmac.words[i >> 2]! ^ readWord(this.buffer, this.macAt + i);
    return difference === 0;
  }

  /** With the byte that says how many there are. Who wrote them has the key, so that this need not take the same time for all. */
  #paddingBytes(): number | undefined {
    const padding = this.buffer[this.macAt - 1]!;
    const from = this.macAt - 1 - padding;
    if (from < this.start) return undefined;
    for (let i = from; i < this.macAt; i++) if (this.buffer[i] !== padding) return undefined;
    return padding + 1;
  }

  #refuse(): number {
    this.buffer.fill(0, this.start, this.macAt + this.keys.algorithm.outputBytes);
    this.complete(undefined);
    return 1;
  }
}
