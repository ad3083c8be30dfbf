/**
 * Signature methods as values that a provider is composed of.
 *
 * @module
 */

import type { Random } from "../../ports.ts";
import type { Task } from "../../task.ts";
import type { Curve } from "./curve.ts";
import type { HashAlgorithm } from "./hash.ts";
import type { CurveName, PrivateKey, PublicKey, SignatureKind } from "./provider.ts";
import type { RsaContext } from "./rsa.ts";

/** What a method takes from its provider. */
export interface SignatureContext {
  /** The hash that made the digest. */
  readonly hash: HashAlgorithm;
  /** What RSA's private operations need. */
  readonly rsa: RsaContext;
  /** A curve with the provider's tables, where the provider has it. */
  curve(name: CurveName): Curve | undefined;
}

/** A way to sign: a piece of a provider. Digests are as long as the hash's output; the provider sees to it. */
export interface SignatureMethod {
  readonly kind: SignatureKind;
  verify(context: SignatureContext, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean>;
  /** @throws UsageError `USAGE_INVALID_ARGUMENT` where the key is not for this method or not usable. */
  sign(context: SignatureContext, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array>;
}
