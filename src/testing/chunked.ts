/**
 * Bytes in pieces of any sizes, to show that a stream's boundaries change nothing.
 *
 * @module
 */

import * as fc from "fast-check";

/**
 * An arbitrary way to cut bytes: a function that gives the pieces, in order, whole or of arbitrary lengths (empty ones too).
 * The pieces are views.
 *
 * @example
 * fc.property(chunked(), (cut) => cut(bytes).forEach((piece) => parser.feed(piece)));
 */
export function chunked(): fc.Arbitrary<(bytes: Uint8Array) => Uint8Array[]> {
  return fc
    .oneof(
      fc.constant([Number.POSITIVE_INFINITY]),
      fc.constant([1]),
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }).map((sizes) => [...sizes, 7]),
    )
    .map((sizes) => (bytes: Uint8Array) => {
      const pieces: Uint8Array[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length]!;
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      return pieces;
    });
}
