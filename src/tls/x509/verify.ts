/**
 * Chain verification.
 *
 * @module
 */

import type { Task } from "../../task.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateErrorCode } from "./errors.ts";
import type { TrustAnchor } from "./trust.ts";

export interface VerifyOptions {
  /** What the leaf is used for. `any` checks neither extendedKeyUsage nor the leaf's keyUsage. */
  readonly purpose: "server" | "client" | "any";
  /** DER, leaf first; the rest in any order, surplus and duplicates allowed. */
  readonly chain: readonly Uint8Array[];
  readonly trust: readonly TrustAnchor[];
  /** The DNS name or IP address that the leaf must be for. Needed for the purpose `server`. */
  readonly serverName?: string | undefined;
  /** Milliseconds since 1970; `undefined` where the time is unknown, which fails the verification. */
  readonly at: number | undefined;
  readonly crypto: CryptoProvider;
  /** CA certificates between leaf and anchor at most, self-issued ones not counted; 8 by default. */
  readonly maxIntermediates?: number | undefined;
  /** 2048 by default. */
  readonly minRsaBits?: number | undefined;
}

export interface VerificationProblem {
  readonly code: CertificateErrorCode;
  /** The subject of the certificate, in one line, for people. */
  readonly certificate: string;
  /** Its index in `chain`. */
  readonly index: number;
  readonly field: string;
  readonly rule: string;
  readonly message: string;
  readonly hint: string;
}

export interface VerificationResult {
  readonly ok: boolean;
  /** Leaf first; the last one's issuer is the anchor. Where `ok` is false: as far as it got. */
  readonly path: readonly Certificate[];
  readonly anchor: TrustAnchor | undefined;
  /** Bits of `verificationFlags`, of all problems together; 0 where `ok`. */
  readonly flags: number;
  readonly problems: readonly VerificationProblem[];
}

export declare function certificateVerification(options: VerifyOptions): Task<VerificationResult>;
export declare function verifyCertificate(options: VerifyOptions): VerificationResult;
