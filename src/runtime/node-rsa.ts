/**
 * RSA key pairs, made by Node: searching primes is no work for a device, so the core does without.
 *
 * @module
 */

import { generateKeyPairSync } from "node:crypto";
import type { PrivateKey } from "../tls/crypto/provider.ts";
import { parsePrivateKey } from "../tls/x509/keys.ts";

/** A new RSA key with the public exponent 65537. Takes some 50 ms to a second for 2048 bits, at once. */
export function generateRsaKey(bits: 2048 | 3072 | 4096 = 2048): PrivateKey {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: bits,
    publicExponent: 0x10001,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const key = parsePrivateKey(privateKey);
  privateKey.fill(0);
  return key;
}
