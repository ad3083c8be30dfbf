/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8), in place and in slices. In constant time, which the ciphers with tables are not.
 *
 * @module
 */

import { type AeadAlgorithm, AeadTask, aeadOf } from "./aead-task.ts";
import { ChaCha20 } from "./chacha20.ts";
import { Poly1305 } from "./poly1305.ts";

/** ChaCha20-Poly1305, as a piece of a provider. */
export const chacha20Poly1305: AeadAlgorithm = {
  name: "chacha20-poly1305",
  keyBytes: 32,
  prepare: () => (key) => aeadOf("chacha20-poly1305", key, new ChaChaTask(key)),
};

const BLOCK_BYTES = 64;
/** Cost of encrypting and authenticating one block, in units of work. */
const BLOCK_UNITS = 48;

class ChaChaTask extends AeadTask {
  readonly #cipher: ChaCha20;
  readonly #poly = new Poly1305();
  readonly #stream = new Int32Array(BLOCK_BYTES / 4);

  constructor(key: Uint8Array) {
    super(BLOCK_BYTES, BLOCK_UNITS);
    this.#cipher = new ChaCha20(key);
  }

  protected begin(nonce: Uint8Array, aad: Uint8Array): void {
    this.#cipher.start(nonce);
    // Block 0 makes the one-time key (RFC 8439 §2.6).
    this.#cipher.next(this.#stream);
    this.#poly.start(this.#stream);
    this.#poly.absorb(aad, 0, aad.length);
  }

  protected advance(buffer: Uint8Array, at: number, end: number, sealing: boolean): void {
    const stream = this.#stream;
    // The tag is over the ciphertext.
    if (!sealing) this.#poly.absorb(buffer, at, end);
    for (let from = at; from < end; from += BLOCK_BYTES) {
      this.#cipher.next(stream);
      const words = Math.min(16, (end - from) >> 2);
      let to = from;
      for (let i = 0; i < words; i++, to += 4) {
        const word = stream[i]!;
        buffer[to]! ^= word;
        buffer[to + 1]! ^= word >> 8;
        buffer[to + 2]! ^= word >> 16;
        buffer[to + 3]! ^= word >> 24;
      }
      if (words < 16) for (let i = 0; to + i < end; i++) buffer[to + i]! ^= stream[words]! >> (8 * i);
    }
    if (sealing) this.#poly.absorb(buffer, at, end);
  }

  protected finish(tag: Int32Array, aadBytes: number, bytes: number): void {
    this.#poly.finish(tag, aadBytes, bytes);
    // The tag's words are little-endian here.
    for (let i = 0; i < 4; i++) {
      const word = tag[i]!;
      tag[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
    }
    this.#stream.fill(0);
  }

  protected wipeKey(): void {
    this.#cipher.wipe();
    this.#poly.wipe();
    this.#stream.fill(0);
  }
}
