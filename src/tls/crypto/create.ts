/**
 * The crypto provider with everything that thingwire has. Compose your own with `composeCrypto` to leave pieces out.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { AeadAlgorithm } from "./aead-task.ts";
import { aes128Gcm, aes256Gcm } from "./aes-gcm.ts";
import { aes128GcmWide, aes256GcmWide } from "./aes-gcm-wide.ts";
import { aes128Cbc, aes256Cbc, type CbcAlgorithm } from "./cbc-cipher.ts";
import { chacha20Poly1305 } from "./chacha20-poly1305.ts";
import { composeCrypto } from "./compose.ts";
import { ecdsa } from "./ecdsa.ts";
import { type Group, secp256r1, secp384r1, secp521r1 } from "./group.ts";
import { secp256r1Auto, secp256r1AutoSmall, secp256r1Limbs, secp256r1LimbsSmall } from "./group-limbs.ts";
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
import {
  aes128CbcSmall,
  aes128GcmSmall,
  aes256CbcSmall,
  aes256GcmSmall,
  secp256r1Small,
  secp384r1Small,
  secp521r1Small,
} from "./small.ts";
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
  /**
   * Memory for the tables of AES, GHASH and the curves of NIST: `"large"`, the default, is for speed. `"small"` takes a fifth of it (17 KiB
   * of QuickJS's heap after two handshakes, not 77), two to three times as long for records of 1 KiB, 7 % longer for a first handshake, and
   * 30 % longer for later ones. (`small.ts` says what of it is what.)
   */
  readonly tables?: "large" | "small" | undefined;
}

/** P-256 with large and with small tables, and RSA's private operation, by the name of their arithmetic. */
const ARITHMETICS = {
  auto: [secp256r1Auto, secp256r1AutoSmall, rsaLimbsAuto],
  bigint: [secp256r1, secp256r1Small, undefined],
  limbs: [secp256r1Limbs, secp256r1LimbsSmall, rsaLimbs],
} as const satisfies Record<string, readonly [Group, Group, RsaArithmetic | undefined]>;
type Arithmetic = keyof typeof ARITHMETICS;

/** The pieces that have tables, but for P-256. */
interface TablePieces {
  readonly gcms: readonly AeadAlgorithm[];
  readonly cbcs: readonly CbcAlgorithm[];
  readonly curves: readonly Group[];
}

const LARGE: TablePieces = {
  gcms: [aes128Gcm, aes256Gcm],
  cbcs: [aes128Cbc, aes256Cbc],
  curves: [secp384r1, secp521r1],
};

/** For engines that interpret. */
const INTERPRETED: TablePieces = {
  gcms: [aes128GcmWide, aes256GcmWide],
  cbcs: [aes128Cbc, aes256Cbc],
  curves: [secp384r1, secp521r1],
};

const SMALL: TablePieces = {
  gcms: [aes128GcmSmall, aes256GcmSmall],
  cbcs: [aes128CbcSmall, aes256CbcSmall],
  curves: [secp384r1Small, secp521r1Small],
};

/**
 * thingwire's own primitives as one provider: SHA-1, SHA-256, SHA-384, SHA-512, AES-128 and AES-256 in GCM and in CBC with HMAC,
 * ChaCha20-Poly1305, P-256, P-384, P-521, X25519, ECDSA, RSA with PKCS#1 v1.5 and PSS.
 *
 * @example
 * const crypto = createCrypto();
 * finish(crypto.digest("sha256", [message]));
 */
export function createCrypto(options: CryptoOptions = {}): CryptoProvider {
  const { arithmetic = "auto", tables = "large" } = options;
  if (!Object.hasOwn(ARITHMETICS, arithmetic))
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'arithmetic is "auto", "bigint" or "limbs"');
  if (tables !== "large" && tables !== "small")
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'tables are "large" or "small"');
  const [large, small, rsaArithmetic] = ARITHMETICS[arithmetic];
  const hash = arithmetic === "bigint" ? sha256 : sha256Auto;
  return tables === "large"
    ? createWith(LARGE, large, hash, rsaArithmetic)
    : createWith(SMALL, small, hash, rsaArithmetic);
}

/**
 * The same with BigInt alone, for XS and QuickJS: a bundle that calls only this one has no limbs in it. AES-GCM has a form for an engine that
 * interprets, for 1 KiB or more at a time: twice as fast on XS, and several times as slow on an engine that compiles.
 */
export function createBigIntCrypto(): CryptoProvider {
  return createWith(INTERPRETED, secp256r1, sha256);
}

/** BigInt alone and `tables: "small"`: a bundle that calls only this one has no code for large ones in it. For devices with little memory. */
export function createSmallCrypto(): CryptoProvider {
  return createWith(SMALL, secp256r1Small, sha256);
}

function createWith(
  { gcms, cbcs, curves }: TablePieces,
  p256: Group,
  hash: HashAlgorithm,
  rsaArithmetic?: RsaArithmetic,
): CryptoProvider {
  return composeCrypto({
    hashes: [sha1, hash, sha384, sha512],
    aeads: [...gcms, chacha20Poly1305],
    cbcs,
    groups: [p256, ...curves, x25519],
    signatures: [ecdsa, rsaPkcs1, rsaPss],
    rsaArithmetic,
  });
}
