/**
 * The crypto provider: the one interface through which TLS and X.509 compute, and the shapes of keys.
 *
 * `createCrypto()` returns thingwire's own primitives; a provider of your own can stand on `node:crypto` or a chip. All calls
 * are synchronous; what takes long is a {@link Task}. Tables and caches live in the provider, never in a module.
 *
 * @module
 */

import type { Random } from "../../ports.ts";
import type { Task } from "../../task.ts";

/** Hashes of RFC 5246 §7.4.1.4.1 that certificates and suites use. */
export type HashName = "sha1" | "sha256" | "sha384" | "sha512";
/** AEAD ciphers of RFC 5288 and RFC 7905. */
export type AeadName = "aes-128-gcm" | "aes-256-gcm" | "chacha20-poly1305";
/** Block ciphers in CBC mode (RFC 5246 §6.2.3.2). */
export type CbcName = "aes-128-cbc" | "aes-256-cbc";
/** What a CBC suite computes first: TLS 1.2's own order, and that of RFC 7366. */
export type CbcOrder = "mac-then-encrypt" | "encrypt-then-mac";
/** Named curves as in RFC 8422 §5.1.1. */
export type GroupName = "secp256r1" | "secp384r1" | "secp521r1" | "x25519";
/** Curves that certificates hold keys on. */
export type CurveName = "secp256r1" | "secp384r1" | "secp521r1";
/** Ways to sign: ECDSA, RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 §8). */
export type SignatureKind = "ecdsa" | "rsa-pkcs1" | "rsa-pss";
/** Everything that a provider may have or not. */
export type AlgorithmName = HashName | AeadName | CbcName | GroupName | SignatureKind;

/** How a digest was signed. For RSA-PSS the salt is as long as the hash (RFC 8446 §4.2.3). */
export interface SignatureAlgorithm {
  readonly kind: SignatureKind;
  readonly hash: HashName;
}

/** A running hash. `update` computes at once: slice long input, or use {@link CryptoProvider.digest}. */
export interface Hash {
  readonly name: HashName;
  /** Bytes of a digest. */
  readonly outputBytes: number;
  /** Bytes that are compressed at a time. */
  readonly blockBytes: number;
  update(bytes: Uint8Array): void;
  /** The digest of all that came in. The hash goes on afterwards: ask again after more updates (a TLS transcript does). */
  digest(): Uint8Array;
  clone(): Hash;
  wipe(): void;
}

/** A public key out of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). Integers are big-endian without leading zeros. */
export type PublicKey =
  | { readonly type: "rsa"; readonly modulus: Uint8Array; readonly exponent: Uint8Array }
  /** `point` is uncompressed: 04, x, y. */
  | { readonly type: "ec"; readonly curve: CurveName; readonly point: Uint8Array };

/** A private key (RFC 8017 §A.1.2, RFC 5915). Wipe it when it is no longer needed. */
export type PrivateKey =
  | {
      readonly type: "rsa";
      readonly modulus: Uint8Array;
      readonly publicExponent: Uint8Array;
      readonly privateExponent: Uint8Array;
      readonly prime1: Uint8Array;
      readonly prime2: Uint8Array;
      readonly exponent1: Uint8Array;
      readonly exponent2: Uint8Array;
      readonly coefficient: Uint8Array;
    }
  /** `scalar` is as long as the field; `point` is 04, x, y, computed where the file does not carry it. */
  | {
      readonly type: "ec";
      readonly curve: CurveName;
      readonly scalar: Uint8Array;
      readonly point?: Uint8Array | undefined;
    };

/** How a private key was encrypted with a password: PBES2 of RFC 8018 §6.2 with AES in CBC mode. */
export interface PasswordEncryption {
  /** The hash of PBKDF2's HMAC. */
  readonly hash: HashName;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly keyBytes: 16 | 24 | 32;
  /** 16 bytes. */
  readonly iv: Uint8Array;
}

/**
 * Decrypts what was encrypted with a password, a multiple of 16 bytes, and takes the padding off. `undefined` where the padding is wrong,
 * which most wrong passwords lead to; the others lead to garbage. The plaintext is the caller's to wipe.
 */
export type PasswordDecryption = (
  encryption: PasswordEncryption,
  password: Uint8Array,
  ciphertext: Uint8Array,
) => Task<Uint8Array | undefined>;

/** An ephemeral key pair of one handshake. */
export interface KeyExchange {
  readonly group: GroupName;
  /** As it goes on the wire: 04, x, y for the curves of NIST, 32 bytes for X25519. */
  readonly publicKey: Uint8Array;
  /**
   * The shared secret (x coordinate as long as the field), or `undefined` where the peer's value is not a valid public key: wrong
   * length or form, not on the curve, infinity, or an all-zero X25519 result (RFC 8422 §5.10, §5.11).
   */
  shared(peer: Uint8Array): Task<Uint8Array | undefined>;
  wipe(): void;
}

/**
 * Authenticated encryption of records with one key, in place. The task that `seal` and `open` return is the Aead's own and is
 * restarted at each call, so that nothing is allocated a record: finish or drop it before the next call.
 */
export interface Aead {
  readonly name: AeadName;
  readonly keyBytes: number;
  readonly nonceBytes: number;
  readonly tagBytes: number;
  /** Encrypts `buffer[start, end)` in place and writes the tag at `end`, where there must be room for it. */
  seal(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<void>;
  /** Decrypts `buffer[start, end)` in place; the tag stands at `end`. False, and the range wiped, where the tag is wrong. */
  open(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<boolean>;
  /** Overwrites the key. Calls throw `USAGE_WRONG_STATE` then, and so does sealing that was not done; what was not opened is refused. */
  wipe(): void;
}

/**
 * The protection of records with a block cipher in CBC mode and HMAC, with one pair of keys, in place. One record at a time.
 *
 * `header` is what the MAC is over before all else: sequence number, type, version, and two bytes of a length, which are not read: each order
 * has its own length there (RFC 5246 §6.2.3.1, RFC 7366 §3).
 */
export interface CbcCipher {
  /** Bytes that MAC and padding add to a text of `bytes` bytes. */
  expansion(bytes: number): number;
  /**
   * Protects `buffer[start, end)`; the initialization vector stands in the 16 bytes before it, fresh and unpredictable. There must be
   * room for {@link expansion} behind it. The result is where what is sent ends.
   */
  seal(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number>;
  /**
   * Opens `buffer[start, end)`; the initialization vector stands in the 16 bytes before it. The result is the length of the text, or
   * `undefined`, and the range wiped, where padding or MAC is wrong: which of them, nobody learns.
   */
  open(buffer: Uint8Array, start: number, end: number, header: Uint8Array): Task<number | undefined>;
  /** Overwrites the keys. Calls throw `USAGE_WRONG_STATE` then, and so do tasks that were not done. */
  wipe(): void;
}

/** What a provider computes. Each method throws `USAGE_INVALID_ARGUMENT` for an algorithm that `supports` denies. */
export interface CryptoProvider {
  supports(algorithm: AlgorithmName): boolean;
  hash(name: HashName): Hash;
  /** Units of work of hashing that many bytes: what an engine counts for `Hash.update`. */
  hashUnits(name: HashName, bytes: number): number;
  /** The hash of the parts, joined. The parts must not change meanwhile. */
  digest(name: HashName, parts: readonly Uint8Array[]): Task<Uint8Array>;
  hmac(name: HashName, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** The PRF of TLS 1.2 (RFC 5246 §5): `length` bytes of P_hash(secret, label + seed). */
  prf(name: HashName, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Task<Uint8Array>;
  aead(name: AeadName, key: Uint8Array): Aead;
  /** A block cipher in CBC mode with HMAC by `mac`, whose key is as long as its digest. */
  cbc(name: CbcName, key: Uint8Array, mac: HashName, macKey: Uint8Array, order: CbcOrder): CbcCipher;
  /** Draws a key pair, with randomness labelled `"ecdhe"`, and makes its public key. */
  keyExchange(group: GroupName, random: Random): Task<KeyExchange>;
  /** Whether a signature over a digest is right. Malformed signatures and unusable keys are false, never an exception. */
  verify(algorithm: SignatureAlgorithm, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean>;
  /**
   * Signs a digest: DER for ECDSA (RFC 3279 §2.2.3), as long as the modulus for RSA. Randomness is labelled `"ecdsa"` (what a nonce
   * gets beside key and digest), `"pss"` (the salt), or `"blinding"`, which does not change the signature.
   */
  sign(algorithm: SignatureAlgorithm, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array>;
  /** The public half of a private key. */
  publicKey(key: PrivateKey, random: Random): Task<PublicKey>;
  /** A new key pair (P-256, P-384, P-521), with randomness labelled `"keygen"`. */
  generateKey(curve: CurveName, random: Random): Task<PrivateKey>;
}
