/**
 * Lists of cipher suites for those who do not want to choose.
 *
 * A bundler keeps the suites of all of them; who counts bytes names suites instead, or keeps to the default, `awsIot`.
 *
 * @module
 */

import type { CipherSuite } from "./suites.ts";
import * as suites from "./suites.ts";

/**
 * In each of them, suites that differ only in the certificate's key stand in the order that the given arithmetic verifies fastest: RSA
 * first where it is `"bigint"`, because on an interpreter an RSA verification (exponent 65537) costs a fraction of one on P-256.
 *
 * - `tiny`: the two AES-128-GCM suites, for devices that count bytes, with `groups: [secp256r1]`. Recommended by RFC 9325 §4.2.
 * - `awsIot`: the four GCM suites that AWS IoT Core accepts, the default. What RFC 9325 §4.2 recommends.
 * - `awsIotAll`: all twelve ECDHE suites of AWS IoT Core, and none that it does not know, as its Device Advisor demands; GCM first. RFC 9325 §4 advises
 *   against CBC without encrypt-then-MAC (RFC 7366), which AWS may not answer: for endpoints behind something that has no GCM.
 * - `full`: all suites of this library: GCM and ChaCha20-Poly1305, then CBC, with SHA-1 last.
 */
export const presets: {
  tiny(options?: PresetOptions): readonly CipherSuite[];
  awsIot(options?: PresetOptions): readonly CipherSuite[];
  awsIotAll(options?: PresetOptions): readonly CipherSuite[];
  full(options?: PresetOptions): readonly CipherSuite[];
} = /* @__PURE__ */ Object.freeze({
  tiny: aes128Gcm,
  awsIot,
  awsIotAll: (options?: PresetOptions) => [...awsIot(options), ...aesCbc(options)],
  full: (options?: PresetOptions) => [
    ...aes128Gcm(options),
    ...chacha20Poly1305(options),
    ...aes256Gcm(options),
    ...aesCbc(options),
  ],
});

/** Options of {@link presets}. */
export interface PresetOptions {
  /** What `createCrypto` was given; `"auto"` by default. */
  readonly arithmetic?: "auto" | "bigint" | "limbs" | undefined;
}

/** `presets.awsIot`, for who wants none of the others in a bundle. */
export function awsIot(options?: PresetOptions): readonly CipherSuite[] {
  return [...aes128Gcm(options), ...aes256Gcm(options)];
}

function aes128Gcm(options?: PresetOptions): CipherSuite[] {
  return fastestFirst(
    options,
    suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  );
}

function aes256Gcm(options?: PresetOptions): CipherSuite[] {
  return fastestFirst(
    options,
    suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suites.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
  );
}

function chacha20Poly1305(options?: PresetOptions): CipherSuite[] {
  return fastestFirst(
    options,
    suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suites.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
  );
}

/** SHA-2 before SHA-1, AES-128 before AES-256. */
function aesCbc(options?: PresetOptions): CipherSuite[] {
  return [
    ...fastestFirst(
      options,
      suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
      suites.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    ),
    ...fastestFirst(
      options,
      suites.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
      suites.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    ),
    ...fastestFirst(options, suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, suites.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
    ...fastestFirst(options, suites.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, suites.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
  ];
}

function fastestFirst(options: PresetOptions = {}, ecdsa: CipherSuite, rsa: CipherSuite): CipherSuite[] {
  return options.arithmetic === "bigint" ? [rsa, ecdsa] : [ecdsa, rsa];
}
