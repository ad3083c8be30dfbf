/**
 * The protection of the CBC suites of TLS 1.2 (RFC 5246 §6.2.3.2): HMAC, then padding, then AES-CBC; opened in constant time.
 *
 * What a record decrypts to says how long its padding is, and so where its MAC stands and how much the MAC is over. A time that
 * depends on that is an oracle for plaintext (Vaudenay's attack, Lucky Thirteen: RFC 7457 §2.4). So all of the padding that could be is
 * looked at, the hash runs over as many blocks as the longest text could have, and the MAC is gathered from all places where it could be;
 * which of it counts is chosen by masks. That AES has tables is another matter: `aes.ts`.
 *
 * The other order, of RFC 7366, is in `cbc-etm.ts`.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Task } from "../../task.ts";
import { AesCbc } from "./aes-cbc.ts";
import type { AesForm } from "./aes-form.ts";
import type { HashAlgorithm } from "./hash.ts";
import { Hmac, hmacUnits } from "./hmac.ts";
import type { CbcCipher } from "./provider.ts";
import { Sliced } from "./sliced.ts";
import { readWords, writeWord } from "./words.ts";

/** Bytes of a block of AES. */
export const BLOCK_BYTES = 16;
/** Sequence number, type, version, length (RFC 5246 §6.2.3.1). */
const HEADER_BYTES = 13;
/** Cost of a block of AES, in units of work. */
export const CIPHER_UNITS = 12;
/** Cost of gathering a byte from 256 places. */
const COMPARE_UNITS = 48;
/** Bytes that are ciphered or hashed at a time. */
export const SLICE_BYTES = 256;
/** Padding has at most 255 bytes and the byte that says so. */
const MAX_PADDING = 255;

/** MAC-then-encrypt with one pair of keys. */
export class CbcHmac implements CbcCipher {
  readonly #cipher: AesCbc;
  readonly #hmac: Hmac;
  readonly #algorithm: HashAlgorithm;

  /**
   * @param form - of AES, which many keys may share.
   * @param key - of AES: 16 or 32 bytes.
   */
  constructor(form: AesForm, algorithm: HashAlgorithm, key: Uint8Array, macKey: Uint8Array) {
    this.#algorithm = algorithm;
    this.#cipher = new AesCbc(form, key, "decrypt");
    this.#hmac = new Hmac(algorithm, macKey);
  }

  expansion(bytes: number): number {
    const mac = this.#algorithm.outputBytes;
    return mac + BLOCK_BYTES - ((bytes + mac) % BLOCK_BYTES);
  }

  seal(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number> {
    this.#cipher.checkKey();
    checkRange(buffer, start, end, this.expansion(end - start));
    return new SealTask(
      this.#cipher,
      this.#hmac,
      this.#algorithm,
      buffer,
      start,
      end,
      header,
      this.expansion(end - start),
    );
  }

  open(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number | undefined> {
    this.#cipher.checkKey();
    checkRange(buffer, start, end, 0);
    return new OpenTask(this.#cipher, this.#hmac, this.#algorithm, buffer, start, end, header);
  }

  wipe(): void {
    this.#cipher.wipe();
    this.#hmac.wipe();
  }
}

/** Throws UsageError where a range, the vector before it and what comes behind it do not lie in the buffer. */
export function checkRange(buffer: Uint8Array, start: number, end: number, behind: number): void {
  if (!(start >= BLOCK_BYTES && start <= end && end + behind <= buffer.length))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      "the range, its vector and what comes behind it do not lie in the buffer",
    );
}

/** The header of a MAC with a length in its last two bytes (RFC 5246 §6.2.3.1). */
export function headerWithLength(header: Uint8Array, length: number): Uint8Array {
  const copy = header.slice(0, HEADER_BYTES);
  copy[HEADER_BYTES - 2] = length >> 8;
  copy[HEADER_BYTES - 1] = length;
  return copy;
}

class SealTask extends Sliced<number> {
  readonly #cipher: AesCbc;
  readonly #hmac: Hmac;
  readonly #algorithm: HashAlgorithm;
  readonly #buffer: Uint8Array;
  readonly #start: number;
  readonly #textEnd: number;
  readonly #end: number;
  readonly #header: Uint8Array;
  #phase: "header" | "text" | "cipher" = "header";
  #at: number;

  constructor(
    cipher: AesCbc,
    hmac: Hmac,
    algorithm: HashAlgorithm,
    buffer: Uint8Array,
    start: number,
    end: number,
    header: Uint8Array,
    expansion: number,
  ) {
    super();
    this.#cipher = cipher;
    this.#hmac = hmac;
    this.#algorithm = algorithm;
    this.#buffer = buffer;
    this.#start = start;
    this.#at = start;
    this.#textEnd = end;
    this.#end = end + expansion;
    this.#header = headerWithLength(header, end - start);
  }

  protected advance(): number {
    this.#cipher.checkKey();
    const { outputBytes, blockBytes, unitsPerBlock } = this.#algorithm;
    if (this.#phase === "header") {
      this.#hmac.begin();
      this.#hmac.running.update(this.#header);
      this.#phase = "text";
      return 1;
    }
    if (this.#phase === "text" && this.#at < this.#textEnd) {
      const end = Math.min(this.#textEnd, this.#at + SLICE_BYTES);
      this.#hmac.running.update(this.#buffer.subarray(this.#at, end));
      const units = Math.ceil((end - this.#at) / blockBytes) * unitsPerBlock;
      this.#at = end;
      return units;
    }
    if (this.#phase !== "cipher") {
      this.#hmac.running.pad();
      this.#hmac.end();
      for (let i = 0; i < outputBytes; i += 4) writeWord(this.#buffer, this.#textEnd + i, this.#hmac.words[i >> 2]!);
      const paddingAt = this.#textEnd + outputBytes;
      this.#buffer.fill(this.#end - paddingAt - 1, paddingAt, this.#end);
      this.#cipher.start(this.#buffer, this.#start - BLOCK_BYTES);
      this.#at = this.#start;
      this.#phase = "cipher";
      return hmacUnits(this.#algorithm, 0);
    }
    const end = Math.min(this.#end, this.#at + SLICE_BYTES);
    this.#cipher.encrypt(this.#buffer, this.#at, end);
    const units = ((end - this.#at) / BLOCK_BYTES) * CIPHER_UNITS;
    this.#at = end;
    if (end === this.#end) this.complete(end);
    return units;
  }
}

class OpenTask extends Sliced<number | undefined> {
  readonly #cipher: AesCbc;
  readonly #hmac: Hmac;
  readonly #algorithm: HashAlgorithm;
  readonly #buffer: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #header: Uint8Array;
  readonly #words: Int32Array;
  readonly #block: Uint8Array;
  /** The inner digest, once the block that ends the message has been passed. */
  readonly #inner: Int32Array;
  #phase: "cipher" | "padding" | "hash" | "compare" = "cipher";
  #at: number;
  /** 0 where padding or MAC is wrong, else -1. */
  #good = 0;
  /** Bytes of the text: not to be branched on before the end. */
  #length = 0;
  /** What the text has at least and at most, whatever the padding is: both follow from the record's length. */
  #least = 0;
  #most = 0;

  constructor(
    cipher: AesCbc,
    hmac: Hmac,
    algorithm: HashAlgorithm,
    buffer: Uint8Array,
    start: number,
    end: number,
    header: Uint8Array,
  ) {
    super();
    this.#cipher = cipher;
    this.#hmac = hmac;
    this.#algorithm = algorithm;
    this.#buffer = buffer;
    this.#start = start;
    this.#at = start;
    this.#end = end;
    this.#header = headerWithLength(header, 0);
    this.#words = new Int32Array(algorithm.blockBytes / 4);
    this.#block = new Uint8Array(algorithm.blockBytes);
    this.#inner = new Int32Array(algorithm.outputBytes / 4);
  }

  protected advance(): number {
    this.#cipher.checkKey();
    if (this.#phase === "cipher") return this.#decrypt();
    if (this.#phase === "padding") return this.#unpad();
    if (this.#phase === "hash") return this.#hash();
    return this.#compare();
  }

  #decrypt(): number {
    const bytes = this.#end - this.#start;
    // Lengths are the attacker's anyway: no need to hide this refusal.
    if (bytes % BLOCK_BYTES !== 0 || bytes < this.#algorithm.outputBytes + 1) {
      this.#buffer.fill(0, this.#start, this.#end);
      this.complete(undefined);
      return 1;
    }
    if (this.#at === this.#start) this.#cipher.start(this.#buffer, this.#start - BLOCK_BYTES);
    const end = Math.min(this.#end, this.#at + SLICE_BYTES);
    this.#cipher.decrypt(this.#buffer, this.#at, end);
    const units = ((end - this.#at) / BLOCK_BYTES) * CIPHER_UNITS;
    this.#at = end;
    if (end === this.#end) this.#phase = "padding";
    return units;
  }

  /** Finds out the text's length. A wrong padding counts as one of length 0 (RFC 5246 §6.2.3.2). */
  #unpad(): number {
    const buffer = this.#buffer;
    const last = this.#end - 1;
    this.#most = last - this.#start - this.#algorithm.outputBytes;
    this.#least = Math.max(0, this.#most - MAX_PADDING);
    const padding = buffer[last]!;
    let good = ~lessThan(this.#most, padding);
    const checked = Math.min(MAX_PADDING, last - this.#start);
    for (let i = 1; i <= checked; i++) good &= ~lessThan(i - 1, padding) | equalTo(buffer[last - i]!, padding);
    this.#good = good;
    this.#length = this.#most - (padding & good);
    this.#header[HEADER_BYTES - 2] = this.#length >> 8;
    this.#header[HEADER_BYTES - 1] = this.#length;
    this.#hmac.begin();
    this.#at = 0;
    this.#phase = "hash";
    return CIPHER_UNITS;
  }

  /** A block of the MAC's message: all that there could be are hashed, and the digest is taken where the message really ends. */
  #hash(): number {
    const { blockBytes, unitsPerBlock } = this.#algorithm;
    const hash = this.#hmac.running;
    const lengthBytes = blockBytes / 8;
    const messageBytes = HEADER_BYTES + this.#length;
    // The block in which 0x80 and the length have their place: the last one.
    const lastBlock = (messageBytes + lengthBytes) >> (blockBytes === 64 ? 6 : 7);
    const index = this.#at;
    const isLast = equalTo(index, lastBlock);
    const from = index * blockBytes;
    for (let i = 0; i < blockBytes; i++) {
      const at = from + i;
      this.#block[i] = (this.#byteAt(at) & lessThan(at, messageBytes)) | (0x80 & equalTo(at, messageBytes));
    }
    readWords(this.#words, this.#block);
    const end = this.#words.length;
    // Bits of key block and message. A record has less than 2^32 of them.
    this.#words[end - 1]! |= ((blockBytes + messageBytes) << 3) & isLast;
    hash.compress(this.#words, 0);
    for (let i = 0; i < this.#inner.length; i++) this.#inner[i]! |= hash.state[i]! & isLast;
    this.#at++;
    const blocks = Math.floor((HEADER_BYTES + this.#most + lengthBytes) / blockBytes) + 1;
    if (this.#at === blocks) {
      for (let i = 0; i < this.#inner.length; i++) hash.state[i] = this.#inner[i]!;
      this.#hmac.end();
      this.#at = 0;
      this.#phase = "compare";
    }
    return 2 * unitsPerBlock;
  }

  /** A byte of header and what was decrypted; zero behind. */
  #byteAt(at: number): number {
    if (at < HEADER_BYTES) return this.#header[at]!;
    const place = this.#start + at - HEADER_BYTES;
    return place < this.#end ? this.#buffer[place]! : 0;
  }

  /** Compares a byte of the MAC, gathered from wherever it may stand. */
  #compare(): number {
    const at = this.#at;
    let byte = 0;
    for (let length = this.#least; length <= this.#most; length++)
      byte |= this.#buffer[this.#start + length + at]! & equalTo(length, this.#length);
    this.#good &= equalTo(byte, (this.#hmac.words[at >> 2]! >> (24 - 8 * (at & 3))) & 255);
    this.#at++;
    if (this.#at === this.#algorithm.outputBytes) this.#finish();
    return COMPARE_UNITS;
  }

  #finish(): void {
    this.#block.fill(0);
    this.#words.fill(0);
    this.#inner.fill(0);
    const good = this.#good !== 0;
    if (!good) this.#buffer.fill(0, this.#start, this.#end);
    this.complete(good ? this.#length : undefined);
  }
}

/** -1 where a < b, else 0, without a branch. For numbers from 0 to 2^31 - 1. */
function lessThan(a: number, b: number): number {
  return (a - b) >> 31;
}

/** -1 where a = b, else 0, without a branch. For integers of 32 bits. */
function equalTo(a: number, b: number): number {
  const difference = a ^ b;
  return ~((difference | -difference) >> 31);
}
