/**
 * Cipher suites, groups and signature schemes as values that the caller passes in: what an app does not name, a bundler drops.
 *
 * They are only data; what computes them is the `CryptoProvider`. All suites here are ECDHE with an AEAD (RFC 5289). Left out on
 * purpose: RSA key transport, CBC, static DH, anything without forward secrecy (RFC 9325 §4.1, §4.2).
 *
 * @module
 */

import type { AeadName, GroupName, HashName, SignatureAlgorithm } from "./crypto/provider.ts";

/** What a connection is protected with. */
export interface CipherSuite {
  /** The two bytes on the wire, as one number (IANA "TLS Cipher Suites"). */
  readonly id: number;
  /** IANA's name. */
  readonly name: string;
  /** The kind of key that the server's certificate must hold. */
  readonly authentication: "ecdsa" | "rsa";
  readonly aead: AeadName;
  readonly keyBytes: number;
  /** Bytes of the nonce that come out of the key block (RFC 5288 §3: the salt). */
  readonly fixedIvBytes: number;
  /** The hash of the PRF and of the transcript (RFC 5246 §5). */
  readonly hash: HashName;
}

/** RFC 5289 §3.2, 0xC02B. */
export const TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: CipherSuite = /* @__PURE__ */ Object.freeze({
  id: 0xc02b,
  name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  authentication: "ecdsa",
  aead: "aes-128-gcm",
  keyBytes: 16,
  fixedIvBytes: 4,
  hash: "sha256",
});

/** RFC 5289 §3.2, 0xC02C. */
export const TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: CipherSuite = /* @__PURE__ */ Object.freeze({
  id: 0xc02c,
  name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  authentication: "ecdsa",
  aead: "aes-256-gcm",
  keyBytes: 32,
  fixedIvBytes: 4,
  hash: "sha384",
});

/** RFC 5289 §3.2, 0xC02F. */
export const TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: CipherSuite = /* @__PURE__ */ Object.freeze({
  id: 0xc02f,
  name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  authentication: "rsa",
  aead: "aes-128-gcm",
  keyBytes: 16,
  fixedIvBytes: 4,
  hash: "sha256",
});

/** RFC 5289 §3.2, 0xC030. */
export const TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: CipherSuite = /* @__PURE__ */ Object.freeze({
  id: 0xc030,
  name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  authentication: "rsa",
  aead: "aes-256-gcm",
  keyBytes: 32,
  fixedIvBytes: 4,
  hash: "sha384",
});

/** A curve for the ephemeral keys (RFC 8422 §5.1.1). */
export interface NamedGroup {
  readonly id: number;
  /** The name on the wire's registry, which is also the provider's name for it. */
  readonly name: GroupName;
}

/** P-256, RFC 8422 §5.1.1. */
export const secp256r1: NamedGroup = /* @__PURE__ */ Object.freeze({ id: 23, name: "secp256r1" });
/** P-384, RFC 8422 §5.1.1. */
export const secp384r1: NamedGroup = /* @__PURE__ */ Object.freeze({ id: 24, name: "secp384r1" });
/** P-521, RFC 8422 §5.1.1. */
export const secp521r1: NamedGroup = /* @__PURE__ */ Object.freeze({ id: 25, name: "secp521r1" });
/** RFC 8422 §5.1.1. */
export const x25519: NamedGroup = /* @__PURE__ */ Object.freeze({ id: 29, name: "x25519" });

/**
 * How something was signed. The names are TLS 1.3's (RFC 8446 §4.2.3); in TLS 1.2 the two bytes of an ECDSA scheme mean hash and
 * ECDSA on any curve (RFC 5246 §7.4.1.4.1), and the RSA-PSS code points may be used as well.
 */
export interface SignatureScheme extends SignatureAlgorithm {
  readonly id: number;
  readonly name: string;
  /** The type of key that makes such signatures. */
  readonly key: "ec" | "rsa";
}

/** RFC 8446 §4.2.3; in TLS 1.2 any curve with SHA-256. */
export const ecdsa_secp256r1_sha256: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0403,
  name: "ecdsa_secp256r1_sha256",
  key: "ec",
  kind: "ecdsa",
  hash: "sha256",
});
/** RFC 8446 §4.2.3; in TLS 1.2 any curve with SHA-384. */
export const ecdsa_secp384r1_sha384: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0503,
  name: "ecdsa_secp384r1_sha384",
  key: "ec",
  kind: "ecdsa",
  hash: "sha384",
});
/** RFC 8446 §4.2.3; in TLS 1.2 any curve with SHA-512. */
export const ecdsa_secp521r1_sha512: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0603,
  name: "ecdsa_secp521r1_sha512",
  key: "ec",
  kind: "ecdsa",
  hash: "sha512",
});
/** RFC 5246 §7.4.1.4.1. */
export const rsa_pkcs1_sha256: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0401,
  name: "rsa_pkcs1_sha256",
  key: "rsa",
  kind: "rsa-pkcs1",
  hash: "sha256",
});
/** RFC 5246 §7.4.1.4.1. */
export const rsa_pkcs1_sha384: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0501,
  name: "rsa_pkcs1_sha384",
  key: "rsa",
  kind: "rsa-pkcs1",
  hash: "sha384",
});
/** RFC 5246 §7.4.1.4.1. */
export const rsa_pkcs1_sha512: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0601,
  name: "rsa_pkcs1_sha512",
  key: "rsa",
  kind: "rsa-pkcs1",
  hash: "sha512",
});
/** RFC 8446 §4.2.3, allowed in TLS 1.2. */
export const rsa_pss_rsae_sha256: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0804,
  name: "rsa_pss_rsae_sha256",
  key: "rsa",
  kind: "rsa-pss",
  hash: "sha256",
});
/** RFC 8446 §4.2.3, allowed in TLS 1.2. */
export const rsa_pss_rsae_sha384: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0805,
  name: "rsa_pss_rsae_sha384",
  key: "rsa",
  kind: "rsa-pss",
  hash: "sha384",
});
/** RFC 8446 §4.2.3, allowed in TLS 1.2. */
export const rsa_pss_rsae_sha512: SignatureScheme = /* @__PURE__ */ Object.freeze({
  id: 0x0806,
  name: "rsa_pss_rsae_sha512",
  key: "rsa",
  kind: "rsa-pss",
  hash: "sha512",
});

/** All schemes above, in the order in which they are offered by default: the cheapest sound one of each kind of key first. */
export const allSignatureSchemes: readonly SignatureScheme[] = /* @__PURE__ */ Object.freeze([
  ecdsa_secp256r1_sha256,
  rsa_pss_rsae_sha256,
  rsa_pkcs1_sha256,
  ecdsa_secp384r1_sha384,
  rsa_pss_rsae_sha384,
  rsa_pkcs1_sha384,
  ecdsa_secp521r1_sha512,
  rsa_pss_rsae_sha512,
  rsa_pkcs1_sha512,
]);

/** What is wrong, for a log line or a message: the name where the id is known, its hexadecimal digits where not. */
export function idText(id: number, known: readonly { readonly id: number; readonly name: string }[] = []): string {
  const hex = `0x${id.toString(16).toUpperCase().padStart(4, "0")}`;
  const named = known.find((one) => one.id === id);
  return named === undefined ? hex : `${named.name} (${hex})`;
}
