/**
 * Cipher suites, groups and signature schemes as values that the caller passes in: what an app does not name, a bundler drops.
 *
 * They are data, with what protects a suite's records; what computes them is the `CryptoProvider`. All suites here are ECDHE, and
 * so have forward secrecy. RFC 9325 §4.2 recommends those with AES-GCM; what it says of the others stands at each. Left out on purpose:
 * RSA key transport and static DH, which it forbids or advises against (RFC 9325 §4.1), CCM and PSK.
 *
 * @module
 */

import { ExplicitNonceProtection, XorNonceProtection } from "./aead-protection.ts";
import { CbcProtection } from "./cbc-protection.ts";
import type { AeadName, AlgorithmName, CbcName, GroupName, HashName, SignatureAlgorithm } from "./crypto/provider.ts";
import type { DirectionKeys, ProtectionContext, RecordProtection } from "./record.ts";

/** What all suites have. */
interface SuiteBase {
  /** The two bytes on the wire, as one number (IANA "TLS Cipher Suites"). */
  readonly id: number;
  /** IANA's name. */
  readonly name: string;
  /** The kind of key that the server's certificate must hold. */
  readonly authentication: "ecdsa" | "rsa";
  /** The hash of the PRF and of the transcript (RFC 5246 §5). */
  readonly hash: HashName;
  /** Bytes of the encryption key of one direction. */
  readonly keyBytes: number;
  /** Bytes of the nonce that come out of the key block; 0 for CBC. */
  readonly fixedIvBytes: number;
  /** Bytes of the MAC key of one direction; 0 for AEAD ciphers. */
  readonly macKeyBytes: number;
  /** Makes the protection of one direction's records. */
  readonly protect: (keys: DirectionKeys, context: ProtectionContext) => RecordProtection;
}

/** An AEAD cipher: `aead-explicit-nonce` sends a part of each nonce (RFC 5288 §3), `aead-xor-nonce` nothing (RFC 7905 §2). */
export interface AeadSuite extends SuiteBase {
  readonly kind: "aead-explicit-nonce" | "aead-xor-nonce";
  readonly aead: AeadName;
}

/** A block cipher in CBC mode with HMAC (RFC 5246 §6.2.3.2, RFC 7366). */
export interface CbcSuite extends SuiteBase {
  readonly kind: "cbc";
  readonly cipher: CbcName;
  readonly mac: HashName;
}

/** What a connection is protected with. */
export type CipherSuite = AeadSuite | CbcSuite;

/** What a crypto provider must support for a suite. */
export function suiteAlgorithms(suite: CipherSuite): readonly AlgorithmName[] {
  return suite.kind === "cbc" ? [suite.cipher, suite.mac, suite.hash] : [suite.aead, suite.hash];
}

type Authentication = SuiteBase["authentication"];

function gcm(id: number, name: string, authentication: Authentication, bits: 128 | 256, hash: HashName): AeadSuite {
  const aead: AeadName = `aes-${bits}-gcm`;
  return Object.freeze({
    kind: "aead-explicit-nonce",
    id,
    name,
    authentication,
    hash,
    aead,
    keyBytes: bits / 8,
    fixedIvBytes: 4,
    macKeyBytes: 0,
    protect: (keys, context) => new ExplicitNonceProtection(aead, keys, context),
  } satisfies AeadSuite);
}

function chacha(id: number, name: string, authentication: Authentication): AeadSuite {
  const aead: AeadName = "chacha20-poly1305";
  return Object.freeze({
    kind: "aead-xor-nonce",
    id,
    name,
    authentication,
    hash: "sha256",
    aead,
    keyBytes: 32,
    fixedIvBytes: 12,
    macKeyBytes: 0,
    protect: (keys, context) => new XorNonceProtection(aead, keys, context),
  } satisfies AeadSuite);
}

/** RFC 5289 §3.1 and RFC 8422: the PRF's hash is that of the MAC, but for SHA-1, which TLS 1.2 has no PRF of (RFC 5246 §5). */
function cbc(
  id: number,
  name: string,
  authentication: Authentication,
  bits: 128 | 256,
  mac: "sha1" | "sha256" | "sha384",
): CbcSuite {
  const cipher: CbcName = `aes-${bits}-cbc`;
  return Object.freeze({
    kind: "cbc",
    id,
    name,
    authentication,
    hash: mac === "sha1" ? "sha256" : mac,
    cipher,
    mac,
    keyBytes: bits / 8,
    fixedIvBytes: 0,
    macKeyBytes: { sha1: 20, sha256: 32, sha384: 48 }[mac],
    protect: (keys, context) => new CbcProtection(cipher, mac, keys, context),
  } satisfies CbcSuite);
}

/** RFC 5289 §3.2, 0xC02B. Recommended by RFC 9325 §4.2. */
export const TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: AeadSuite = /* @__PURE__ */ gcm(
  0xc02b,
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "ecdsa",
  128,
  "sha256",
);

/** RFC 5289 §3.2, 0xC02C. Recommended by RFC 9325 §4.2. */
export const TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: AeadSuite = /* @__PURE__ */ gcm(
  0xc02c,
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "ecdsa",
  256,
  "sha384",
);

/** RFC 5289 §3.2, 0xC02F. Recommended by RFC 9325 §4.2. */
export const TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: AeadSuite = /* @__PURE__ */ gcm(
  0xc02f,
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "rsa",
  128,
  "sha256",
);

/** RFC 5289 §3.2, 0xC030. Recommended by RFC 9325 §4.2. */
export const TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: AeadSuite = /* @__PURE__ */ gcm(
  0xc030,
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "rsa",
  256,
  "sha384",
);

/** RFC 7905 §2, 0xCCA9. Computed in constant time without tables. AWS IoT does not know it in TLS 1.2. */
export const TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: AeadSuite = /* @__PURE__ */ chacha(
  0xcca9,
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "ecdsa",
);

/** RFC 7905 §2, 0xCCA8. Computed in constant time without tables. AWS IoT does not know it in TLS 1.2. */
export const TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: AeadSuite = /* @__PURE__ */ chacha(
  0xcca8,
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  "rsa",
);

/** RFC 5289 §3.1, 0xC023. CBC is not to be used without RFC 7366 (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: CbcSuite = /* @__PURE__ */ cbc(
  0xc023,
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
  "ecdsa",
  128,
  "sha256",
);

/** RFC 5289 §3.1, 0xC024. CBC is not to be used without RFC 7366 (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384: CbcSuite = /* @__PURE__ */ cbc(
  0xc024,
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
  "ecdsa",
  256,
  "sha384",
);

/** RFC 5289 §3.1, 0xC027. CBC is not to be used without RFC 7366 (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: CbcSuite = /* @__PURE__ */ cbc(
  0xc027,
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
  "rsa",
  128,
  "sha256",
);

/** RFC 5289 §3.1, 0xC028. CBC is not to be used without RFC 7366 (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384: CbcSuite = /* @__PURE__ */ cbc(
  0xc028,
  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
  "rsa",
  256,
  "sha384",
);

/** RFC 8422 §6, 0xC009. CBC, and SHA-1 in its HMAC, where it is not broken (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: CbcSuite = /* @__PURE__ */ cbc(
  0xc009,
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  "ecdsa",
  128,
  "sha1",
);

/** RFC 8422 §6, 0xC00A. CBC, and SHA-1 in its HMAC, where it is not broken (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: CbcSuite = /* @__PURE__ */ cbc(
  0xc00a,
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  "ecdsa",
  256,
  "sha1",
);

/** RFC 8422 §6, 0xC013. CBC, and SHA-1 in its HMAC, where it is not broken (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: CbcSuite = /* @__PURE__ */ cbc(
  0xc013,
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  "rsa",
  128,
  "sha1",
);

/** RFC 8422 §6, 0xC014. CBC, and SHA-1 in its HMAC, where it is not broken (RFC 9325 §4); for servers that have nothing better. */
export const TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: CbcSuite = /* @__PURE__ */ cbc(
  0xc014,
  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  "rsa",
  256,
  "sha1",
);

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
 * All groups above, in the order in which they are offered by default: those that cost least first, in units of a handshake's key exchange
 * 4,400, 5,400, 6,300 and 15,700.
 */
export const allGroups: readonly NamedGroup[] = /* @__PURE__ */ Object.freeze([
  secp256r1,
  x25519,
  secp384r1,
  secp521r1,
]);

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
