/**
 * The crypto provider with everything that thingwire has. Compose your own with `composeCrypto` to leave pieces out.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { aes128Gcm, aes256Gcm } from "./aes-gcm.ts";
import { composeCrypto } from "./compose.ts";
import { ecdsa } from "./ecdsa.ts";
import { secp256r1, secp384r1, secp521r1 } from "./group.ts";
import type { CryptoProvider } from "./provider.ts";
import { rsaPkcs1 } from "./rsa-pkcs1.ts";
import { rsaPss } from "./rsa-pss.ts";
import { sha256 } from "./sha256.ts";
import { sha384, sha512 } from "./sha512.ts";

/** Options of {@link createCrypto}. */
export interface CryptoOptions {
  /**
   * What the curves compute with: `"auto"`, the default, leaves it to thingwire; `"bigint"` is what it takes today in any case.
   */
  readonly arithmetic?: "auto" | "bigint" | undefined;
}

/**
 * thingwire's own primitives as one provider: SHA-256, SHA-384, SHA-512, AES-128-GCM, AES-256-GCM, P-256, P-384, P-521, ECDSA, RSA
 * with PKCS#1 v1.5 and PSS.
 *
 * @example
 * const crypto = createCrypto();
 * finish(crypto.digest("sha256", [message]));
 */
export function createCrypto(options: CryptoOptions = {}): CryptoProvider {
  const { arithmetic = "auto" } = options;
  if (arithmetic !== "auto" && arithmetic !== "bigint")
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'arithmetic is "auto" or "bigint"');
  return composeCrypto({
    hashes: [sha256, sha384, sha512],
    aeads: [aes128Gcm, aes256Gcm],
    groups: [secp256r1, secp384r1, secp521r1],
    signatures: [ecdsa, rsaPkcs1, rsaPss],
  });
}
