/**
 * What a verification and whoever looks up revocation know of each other: types only, so that who looks up none carries no code for it.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";
import type { Dated, DateRule } from "./dates.ts";
import type { Placed, VerificationProblem } from "./problem.ts";
import type { Profile } from "./profile.ts";
import type { TrustAnchor } from "./trust.ts";

/** Whether a stapled OCSP response (RFC 6066 §8) is asked for, and whether it must come. */
export type OcspMode = "off" | "request" | "require";

/** What says for a while that a certificate is not revoked. */
export interface RevocationEvidence extends Dated {
  /** `ocsp` was stapled. Its dates have five minutes more at each end, by which clocks may differ. */
  readonly kind: "crl" | "ocsp";
  /** The certificate's place on the path. */
  readonly depth: number;
}

/** What is found of the revocation of a path. */
export interface RevocationFindings {
  /** Why certificates are revoked, or may be; empty where all is well. */
  readonly problems: readonly VerificationProblem[];
  /** What it rests on: when one of these is out of date, the same path would not be accepted any more. */
  readonly evidence: readonly RevocationEvidence[];
}

/** Looks up whether certificates are revoked; `revocationChecks` makes one. */
export interface RevocationChecks {
  readonly ocsp: OcspMode;
  /** What it holds certificates against, in a text: a TLS session is resumed only where that has not changed. */
  readonly binding: string;
  /** Looks up the certificates of a path. `ocspResponse`: what was stapled, in DER. */
  findings(context: RevocationContext, ocspResponse: Uint8Array | undefined): Task<RevocationFindings>;
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
