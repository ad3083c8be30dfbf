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
 * - `tiny`: one suite, for a device whose server has a P-256 certificate.
 * - `awsIot`: the two suites that AWS IoT recommends (Device Advisor's "Recommended Cipher Suites"), and no other. RSA
 *   certificates come first where the arithmetic is `"bigint"`: on an interpreter an RSA verification (exponent 65537) costs
 *   a fraction of one on P-256, and Amazon Root CA 1, an RSA key, is the root that every device holds.
 * - `full`: all suites of this library, AES-128 before AES-256.
 */
export const presets: {
  tiny(): readonly CipherSuite[];
  awsIot(options?: { readonly arithmetic?: "auto" | "bigint" | "limbs" }): readonly CipherSuite[];
  full(): readonly CipherSuite[];
} = /* @__PURE__ */ Object.freeze({
  tiny: () => [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
  awsIot: (options: { readonly arithmetic?: "auto" | "bigint" | "limbs" } = {}) =>
    options.arithmetic === "bigint"
      ? [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
      : [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
  full: () => [
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
  ],
});
