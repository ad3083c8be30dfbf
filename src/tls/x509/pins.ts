/**
 * Pins: keys of which one must be on the path, by the SHA-256 of their SubjectPublicKeyInfo (RFC 7469 §2.4). They are held against the
 * certificates of the path and the trust anchor, so that a CA can be pinned as well as a server.
 *
 * @module
 */

import { printable, toHex } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { finish } from "../../task.ts";
import type { CryptoProvider } from "../crypto/provider.ts";

/** The SHA-256 of a SubjectPublicKeyInfo: 32 bytes, or 64 hexadecimal digits, with colons or without. */
export type PublicKeyPin = Uint8Array | string;

/**
 * The pin of a certificate's or trust anchor's key, computed at once. The same as
 * `openssl x509 -in FILE -pubkey -noout | openssl pkey -pubin -outform DER | openssl dgst -sha256`.
 */
export function publicKeyPin(owner: { readonly subjectPublicKeyInfo: Uint8Array }, crypto: CryptoProvider): Uint8Array {
  return finish(crypto.digest("sha256", [owner.subjectPublicKeyInfo]));
}

/** Pins in hexadecimal; throws UsageError for what is none, and for an empty list, which nothing could match. */
export function readPins(pins: readonly PublicKeyPin[]): readonly string[] {
  if (pins.length === 0) throw new UsageError("USAGE_INVALID_ARGUMENT", "pins is empty: leave it out to pin nothing");
  return pins.map((pin) => {
    const digits = typeof pin === "string" ? pin.replace(/:/g, "") : toHex(pin);
    if (!/^[0-9a-fA-F]{64}$/.test(digits))
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `a pin is the SHA-256 of a SubjectPublicKeyInfo, 32 bytes or 64 hexadecimal digits, not ${printable(digits, 80)}`,
      );
    return digits.toLowerCase();
  });
}
