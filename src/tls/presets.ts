/**
 * Lists of cipher suites for those who do not want to choose.
 *
 * They are functions, so that a bundler keeps only the suites of the presets that are called.
 *
 * @module
 */

import {
  type CipherSuite,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
} from "./suites.ts";

/**
 * - `tiny`: the two AES-128-GCM suites, for devices that count bytes.
 * - `awsIot`: the four GCM suites that AWS IoT Core accepts, and nothing that it does not (Device Advisor demands that), in the order
 *   that the given arithmetic computes fastest. RSA certificates come first where it is `"bigint"`: on an interpreter an RSA
 *   verification (exponent 65537) costs a fraction of one on P-256.
 * - `full`: all suites of this library, AES-128 before AES-256.
 */
export const presets: {
  tiny(options?: PresetOptions): readonly CipherSuite[];
  awsIot(options?: PresetOptions): readonly CipherSuite[];
  full(): readonly CipherSuite[];
} = /* @__PURE__ */ Object.freeze({
  tiny: (options?: PresetOptions) => aes128(options),
  awsIot: (options?: PresetOptions) => [...aes128(options), ...aes256(options)],
  full: () => [...aes128(), ...aes256()],
});

/** Options of {@link presets}. */
export interface PresetOptions {
  /** What `createCrypto` was given; `"auto"` by default. */
  readonly arithmetic?: "auto" | "bigint" | "limbs" | undefined;
}

function aes128(options: PresetOptions = {}): CipherSuite[] {
  return fastestFirst(options, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
}

function aes256(options: PresetOptions = {}): CipherSuite[] {
  return fastestFirst(options, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);
}

function fastestFirst(options: PresetOptions, ecdsa: CipherSuite, rsa: CipherSuite): CipherSuite[] {
  return options.arithmetic === "bigint" ? [rsa, ecdsa] : [ecdsa, rsa];
}
