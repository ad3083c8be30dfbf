/**
 * Signatures of certificates, requests, CRLs and OCSP responses: whether their algorithm and key are good enough, and whether they are right.
 *
 * @module
 */

import { done, type Task } from "../../task.ts";
import type { CryptoProvider, PublicKey, SignatureAlgorithm } from "../crypto/provider.ts";
import type { Profile } from "./profile.ts";
import type { SignatureAlgorithmIdentifier } from "./signature-algorithm.ts";
import { bitLength } from "./spki.ts";

/** The algorithm of a signature that is supported and good enough, or what is wrong with it. */
export function acceptedAlgorithm(
  { algorithm, weak }: Pick<SignatureAlgorithmIdentifier, "algorithm" | "weak">,
  profile: Profile,
  crypto: CryptoProvider,
): SignatureAlgorithm | "weak" | "unsupported" {
  if (algorithm === undefined) return weak ? "weak" : "unsupported";
  if (!profile.hashes.includes(algorithm.hash)) return "weak";
  return crypto.supports(algorithm.kind) && crypto.supports(algorithm.hash) ? algorithm : "unsupported";
}

/** Whether a key is as strong as a profile wants it. */
export function isStrongKey(key: PublicKey, { minRsaBits, curves }: Profile): boolean {
  return key.type === "rsa" ? bitLength(key.modulus) >= minRsaBits : curves.includes(key.curve);
}

/** Whether a digest is signed with a key; it is not where the key is of another kind, or of one that the provider does not know. */
export function verifyDigest(
  crypto: CryptoProvider,
  algorithm: SignatureAlgorithm,
  key: PublicKey | undefined,
  digest: Uint8Array,
  signature: Uint8Array,
): Task<boolean> {
  if (key === undefined || (algorithm.kind === "ecdsa") !== (key.type === "ec")) return done(false);
  if (key.type === "ec" && !crypto.supports(key.curve)) return done(false);
  return crypto.verify(algorithm, key, digest, signature);
}
