/**
 * 32-bit words in big-endian bytes, at any offset: what the ciphers and hashes read and write.
 *
 * @module
 */

/** The signed word at `bytes[at]` on. */
export function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Writes a word at `bytes[at]` on. */
export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >> 24;
  bytes[at + 1] = word >> 16;
  bytes[at + 2] = word >> 8;
  bytes[at + 3] = word;
}

/** Fills `words` with the words at the start of `bytes`. */
export function readWords(words: Int32Array, bytes: Uint8Array): void {
  for (let i = 0; i < words.length; i++) words[i] = readWord(bytes, 4 * i);
}

/** Fills `to` with the first of `from`. For a few words this is faster than `set`. */
export function copyWords(to: Int32Array, from: ArrayLike<number>): void {
  for (let i = 0; i < to.length; i++) to[i] = from[i]!;
}
