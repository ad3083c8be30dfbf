/**
 * What a path's algorithms must be at least, as a value: the secure default (NIST SP 800-131A, RFC 9155) and the shape of others.
 * `profiles.ts` has them by name, so that who needs only the default carries only that.
 *
 * @module
 */

import type { CurveName, HashName } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";

/** A rule that a certificate breaks. */
export interface RuleBreach {
  /** As RFC 5280 names it: `tbsCertificate.serialNumber`. */
  readonly field: string;
  /** `RFC 5280 §4.1.2.2` */
  readonly rule: string;
  /** In words. */
  readonly detail: string;
}

/** Where on its path a certificate stands. */
export type PathPlace = "leaf" | "ca" | "anchor";

/**
 * What certificates are held to. Make your own out of another: `{ ...profiles.secure, minRsaBits: 3072 }`.
 *
 * MD5 is in none: nothing here computes it. SHA-1 is accepted where `hashes` has it, and the crypto provider too.
 */
export interface Profile {
  /** Bits of an RSA modulus at least. */
  readonly minRsaBits: number;
  /** Curves that keys may be on. */
  readonly curves: readonly CurveName[];
  /** Hashes that certificates may be signed with. */
  readonly hashes: readonly HashName[];
  /** What else each certificate of the path must keep. */
  readonly rules?: ((certificate: Certificate, place: PathPlace) => readonly RuleBreach[]) | undefined;
  /** Whether a trust anchor that was made of a certificate is held to all this, and to that certificate's dates; false by default. */
  readonly anchors?: boolean | undefined;
}

/** The default: RSA from 2048 bits, the curves of NIST, SHA-2. */
export const secureProfile: Profile = /* @__PURE__ */ Object.freeze({
  minRsaBits: 2048,
  curves: ["secp256r1", "secp384r1", "secp521r1"],
  hashes: ["sha256", "sha384", "sha512"],
} as const);
