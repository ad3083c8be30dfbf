/**
 * The crypto provider with everything that thingwire has. Compose your own with `composeCrypto` to leave pieces out.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { aes128Gcm, aes256Gcm } from "./aes-gcm.ts";
import { aes128Cbc, aes256Cbc } from "./cbc-cipher.ts";
import { chacha20Poly1305 } from "./chacha20-poly1305.ts";
import { composeCrypto } from "./compose.ts";
import { ecdsa } from "./ecdsa.ts";
import { type Group, secp256r1, secp384r1, secp521r1 } from "./group.ts";
import { secp256r1Auto, secp256r1Limbs } from "./group-limbs.ts";
import type { HashAlgorithm } from "./hash.ts";
import type { RsaArithmetic } from "./modular.ts";
import type { CryptoProvider } from "./provider.ts";
import { rsaLimbs, rsaLimbsAuto } from "./rsa-limbs.ts";
import { rsaPkcs1 } from "./rsa-pkcs1.ts";
import { rsaPss } from "./rsa-pss.ts";
import { sha1 } from "./sha1.ts";
import { sha256 } from "./sha256.ts";
import { sha256Auto } from "./sha256-auto.ts";
import { sha384, sha512 } from "./sha512.ts";
import { x25519 } from "./x25519.ts";

/** Options of {@link createCrypto}. */
export interface CryptoOptions {
  /**
   * What P-256 and the private operation of RSA compute with. `"auto"`, the default, starts on BigInt and moves to limbs in doubles when
   * enough was computed that it pays: P-256 after some 25 handshakes of one provider, RSA after 100 signatures. `"bigint"` stays
   * there: for engines that interpret, for which there is {@link createBigIntCrypto} too. `"limbs"` takes them from the start: the
   * first handshake costs some 20 ms more, with an RSA key some 100, which V8 spends on compiling; no operation on a secret takes other
   * steps for another value. RSA keys of more than 2,560 bits sign on BigInt in any case. SHA-256 is written out in full from the start
   * with `"bigint"`, and after 4 MiB otherwise.
   */
  readonly arithmetic?: Arithmetic | undefined;
}

/** P-256 and RSA's private operation by the name of their arithmetic. */
const ARITHMETICS = {
  auto: [secp256r1Auto, rsaLimbsAuto],
  bigint: [secp256r1, undefined],
  limbs: [secp256r1Limbs, rsaLimbs],
} as const satisfies Record<string, readonly [Group, RsaArithmetic | undefined]>;
type Arithmetic = keyof typeof ARITHMETICS;

/**
 * thingwire's own primitives as one provider: SHA-1, SHA-256, SHA-384, SHA-512, AES-128 and AES-256 in GCM and in CBC with HMAC,
 * ChaCha20-Poly1305, P-256, P-384, P-521, X25519, ECDSA, RSA with PKCS#1 v1.5 and PSS.
 *
 * @example
 * const crypto = createCrypto();
 * finish(crypto.digest("sha256", [message]));
 */
export function createCrypto(options: CryptoOptions = {}): CryptoProvider {
  const { arithmetic = "auto" } = options;
  if (!Object.hasOwn(ARITHMETICS, arithmetic))
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'arithmetic is "auto", "bigint" or "limbs"');
  const [p256, rsaArithmetic] = ARITHMETICS[arithmetic];
  return createWith(p256, arithmetic === "bigint" ? sha256 : sha256Auto, rsaArithmetic);
}

/** The same with BigInt alone: a bundle that calls only this one has no limbs in it. For XS and QuickJS. */
export function createBigIntCrypto(): CryptoProvider {
  return createWith(secp256r1, sha256);
}

function createWith(p256: Group, hash: HashAlgorithm, rsaArithmetic?: RsaArithmetic): CryptoProvider {
  return composeCrypto({
    hashes: [sha1, hash, sha384, sha512],
    aeads: [aes128Gcm, aes256Gcm, chacha20Poly1305],
    cbcs: [aes128Cbc, aes256Cbc],
    groups: [p256, secp384r1, secp521r1, x25519],
    signatures: [ecdsa, rsaPkcs1, rsaPss],
    rsaArithmetic,
  });
}
