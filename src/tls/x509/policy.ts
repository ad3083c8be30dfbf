/**
 * How chains are verified, whatever they are for: what an app can ask for beside purpose, trust and time. And what the app itself says
 * to each certificate, as mbedTLS's `f_vrfy`, but so that nothing is forgiven by accident.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { UnknownTime } from "./dates.ts";
import type { CertificateErrorCode } from "./errors.ts";
import { type PublicKeyPin, readPins } from "./pins.ts";
import { certificatesOf, type PathCertificate, type Placed, problemOf, type VerificationProblem } from "./problem.ts";
import { type Profile, secureProfile } from "./profile.ts";
import type { ProvenSignatures } from "./proven-signatures.ts";
import type { RevocationChecks } from "./revocation-context.ts";
import type { TrustAnchor } from "./trust.ts";
import { recheckValidity, type VerifiedPath } from "./validate.ts";

/** What an app says about a certificate: nothing lets things be. An answer that is none of these is a veto. */
export type CertificateOpinion =
  /** It is not accepted, for this reason. */
  | { readonly veto: string }
  /** These of its problems do not count. */
  | { readonly forgive: readonly CertificateErrorCode[] }
  | undefined;

/** How chains are verified, whatever they are for. */
export interface VerificationPolicy {
  /** Algorithms and further rules; `profiles.secure` by default. */
  readonly profile?: Profile | undefined;
  /** CA certificates between leaf and anchor at most, self-issued ones not counted; 8 by default. */
  readonly maxIntermediates?: number | undefined;
  /** Looks up whether certificates are revoked, out of `revocationChecks`; nothing does by default. */
  readonly revocation?: RevocationChecks | undefined;
  /** What to do without the time of day; `reject` by default. */
  readonly unknownTime?: UnknownTime | undefined;
  /** Keys of which one at least must be that of a certificate of the path, or of its anchor. */
  readonly pins?: readonly PublicKeyPin[] | undefined;
  /**
   * Asked about each certificate of the path that was found, from the anchor to the leaf, when all else is checked, whether it has problems or not. What
   * it throws is a veto. It is asked again when a TLS session is to be resumed, and when the time gets known: the problems are then those of dates.
   */
  readonly onCertificate?: ((found: PathCertificate) => CertificateOpinion) | undefined;
  /**
   * Whether `onCertificate` may forgive problems, as mbedTLS's `f_vrfy` may; false by default. What was not proved cannot be forgiven: a path
   * that leads to no anchor, a signature that was not checked, a limit.
   */
  readonly mayForgive?: boolean | undefined;
  /** Remembers signatures of certificates that were right, so that they are not verified again: see `provenSignatures()`. Nothing does by default. */
  readonly provenSignatures?: ProvenSignatures | undefined;
}

/** Checks what a policy says. Throws UsageError. */
export function checkPolicy(policy: VerificationPolicy): void {
  const { profile = secureProfile, maxIntermediates = 0, unknownTime, pins, onCertificate } = policy;
  const isRight =
    maxIntermediates >= 0 &&
    profile.minRsaBits >= 0 &&
    Array.isArray(profile.curves) &&
    Array.isArray(profile.hashes) &&
    (unknownTime === undefined ||
      unknownTime === "reject" ||
      unknownTime === "acceptUntilKnown" ||
      Number.isFinite(unknownTime.floor)) &&
    (onCertificate === undefined || typeof onCertificate === "function") &&
    (policy.provenSignatures === undefined || typeof policy.provenSignatures.check === "function");
  if (!isRight)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      'maxIntermediates is a number from 0, profile one of profiles, unknownTime "reject", "acceptUntilKnown" or { floor: ms }, onCertificate a function, provenSignatures what provenSignatures() gives',
    );
  if (pins !== undefined) readPins(pins);
}

/** Problems that leave something unproved. */
const UNFORGIVABLE: readonly CertificateErrorCode[] = /* @__PURE__ */ Object.freeze([
  "X509_WEAK_HASH",
  "X509_UNSUPPORTED_ALGORITHM",
  "X509_LIMIT",
] as const);

/** A path's problems, with what the app says to each certificate, asked from the anchor to the leaf (`onCertificate`). */
export function withOpinions(
  path: readonly Placed[],
  anchor: TrustAnchor | undefined,
  found: readonly VerificationProblem[],
  { onCertificate, mayForgive }: VerificationPolicy,
): readonly VerificationProblem[] {
  if (onCertificate === undefined) return found;
  let problems = found;
  for (const one of [...certificatesOf(path, anchor, found)].reverse()) {
    const opinion = opinionOf(onCertificate, one);
    if ("veto" in opinion) {
      const placed = path[one.depth];
      problems = [...problems, problemOf(placed, one.depth, "X509_VETO", "certificate", "onCertificate", opinion.veto)];
    } else if (mayForgive)
      problems = problems.filter(
        ({ code, depth }) => depth !== one.depth || UNFORGIVABLE.includes(code) || !opinion.forgive.includes(code),
      );
  }
  return problems;
}

/**
 * What stands against a path that was accepted once, at a time that is known: its dates and those of its evidence, and what the app says now. What
 * else a policy asks for was found out then, and does not change while the policy is the same.
 */
export function recheckPath(
  found: VerifiedPath,
  at: number,
  policy: VerificationPolicy,
): readonly VerificationProblem[] {
  const placed = found.path.map((certificate, index) => ({ certificate, index }));
  return withOpinions(placed, found.anchor, recheckValidity(found, at, policy.profile), policy);
}

/** What an app says to a certificate. Fails closed: an error, a promise, a boolean are vetoes. */
function opinionOf(
  ask: (found: PathCertificate) => CertificateOpinion,
  found: PathCertificate,
): Exclude<CertificateOpinion, undefined> {
  try {
    const opinion: unknown = ask(found) ?? { forgive: [] };
    const { veto, forgive } = opinion as { readonly veto?: unknown; readonly forgive?: unknown };
    if (veto === undefined && Array.isArray(forgive)) return { forgive };
    return { veto: typeof veto === "string" ? printable(veto) : "the answer is neither a veto nor a forgiveness" };
  } catch (error) {
    return { veto: printable(error instanceof Error ? error.message : String(error)) };
  }
}
