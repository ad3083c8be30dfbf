/**
 * What a verification and whoever looks up revocation know of each other: types only, so that who looks up none carries no code for it.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";
import type { DateRule } from "./dates.ts";
import type { Placed, VerificationProblem } from "./problem.ts";
import type { Profile } from "./profile.ts";
import type { TrustAnchor } from "./trust.ts";

/** Whether a stapled OCSP response (RFC 6066 §8) is asked for, and whether it must come. */
export type OcspMode = "off" | "request" | "require";

/** Looks up whether certificates are revoked; `revocationChecks` makes one. */
export interface RevocationChecks {
  readonly ocsp: OcspMode;
  /** What it holds certificates against, in a text: a TLS session is resumed only where that has not changed. */
  readonly binding: string;
  /** Why certificates of a path are revoked, or may be; nothing where all is well. `ocspResponse`: what was stapled, in DER. */
  problems(context: RevocationContext, ocspResponse: Uint8Array | undefined): Task<readonly VerificationProblem[]>;
}

/** A verified path, and what its revocation is judged with. */
export interface RevocationContext {
  /** Leaf first. */
  readonly path: readonly Placed[];
  readonly anchor: TrustAnchor;
  /** All that the peer sent. */
  readonly certificates: readonly Certificate[];
  readonly dates: DateRule;
  readonly profile: Profile;
  readonly crypto: CryptoProvider;
  /**
   * Whether a certificate that is not on the path, as the signer of a CRL may be, leads to the same anchor. `undefined` while such a one is
   * verified itself: its CRLs must come from its own path.
   */
  readonly verifySigner: ((certificate: Certificate, revocation: RevocationChecks) => Task<boolean>) | undefined;
}
