/**
 * A crypto provider on `node:crypto`: for servers and desktops that prefer OpenSSL's primitives to thingwire's own.
 *
 * Hashes, HMAC, the PRF's HMACs, AES-GCM, ECDHE and RSASSA-PKCS1-v1_5 are node's. ECDSA and RSA-PSS are thingwire's own
 * (`createCrypto()`), because node's `sign` and `verify` hash by themselves and take no digest, which is what a TLS engine has; so are the
 * CBC suites, because node cannot compute a MAC whose length must not show. All
 * randomness comes from the `Random` that is passed, so that a replay stays a replay; what node draws by itself (blinding inside
 * of OpenSSL) shows in no output. Tasks are done when they are returned: a budget slices nothing here.
 *
 * @module
 */

import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
} from "node:crypto";
import { concat, equal, utf8Encode } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { Random } from "../ports.ts";
import { done, type Task } from "../task.ts";
import { createCrypto } from "../tls/crypto/index.ts";
import type {
  Aead,
  AeadName,
  AlgorithmName,
  CbcCipher,
  CbcName,
  CbcOrder,
  CryptoProvider,
  CurveName,
  GroupName,
  Hash,
  HashName,
  KeyExchange,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from "../tls/crypto/provider.ts";
import { rsaModulus, usablePublicKey } from "../tls/crypto/rsa.ts";
import { emsaPkcs1 } from "../tls/crypto/rsa-pkcs1.ts";

const hashes: Readonly<Record<HashName, { readonly outputBytes: number; readonly blockBytes: number }>> = {
  sha1: { outputBytes: 20, blockBytes: 64 },
  sha256: { outputBytes: 32, blockBytes: 64 },
  sha384: { outputBytes: 48, blockBytes: 128 },
  sha512: { outputBytes: 64, blockBytes: 128 },
};

const aeadKeyBytes: Readonly<Record<AeadName, number>> = {
  "aes-128-gcm": 16,
  "aes-256-gcm": 32,
  "chacha20-poly1305": 32,
};

/** OpenSSL's names, and bytes and used bits of a scalar. */
const curves: Readonly<Record<CurveName, { readonly name: string; readonly bytes: number; readonly topMask: number }>> =
  {
    secp256r1: { name: "prime256v1", bytes: 32, topMask: 0xff },
    secp384r1: { name: "secp384r1", bytes: 48, topMask: 0xff },
    secp521r1: { name: "secp521r1", bytes: 66, topMask: 0x01 },
  };

/** Bytes that node hashes in about the time of one unit. */
const BYTES_PER_UNIT = 1024;

/** PKCS#8 in front of the 32 bytes of an X25519 key (RFC 8410 §7). */
const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
/** SubjectPublicKeyInfo in front of the 32 bytes of an X25519 public key (RFC 8410 §4). */
const X25519_SPKI = Buffer.from("302a300506032b656e032100", "hex");

/**
 * A provider on `node:crypto`.
 *
 * @example
 * const tls = new TlsClient({ crypto: nodeCrypto(), … });
 */
export function nodeCrypto(): CryptoProvider {
  return new NodeCrypto();
}

class NodeCrypto implements CryptoProvider {
  readonly #own = createCrypto();

  supports(algorithm: AlgorithmName): boolean {
    return (
      Object.hasOwn(hashes, algorithm) ||
      Object.hasOwn(aeadKeyBytes, algorithm) ||
      Object.hasOwn(curves, algorithm) ||
      algorithm === "x25519" ||
      algorithm === "rsa-pkcs1" ||
      this.#own.supports(algorithm)
    );
  }

  hash(name: HashName): Hash {
    checkName(hashes, name);
    return new NodeHash(name, createHash(name));
  }

  hashUnits(name: HashName, bytes: number): number {
    checkName(hashes, name);
    return Math.ceil(bytes / BYTES_PER_UNIT);
  }

  digest(name: HashName, parts: readonly Uint8Array[]): Task<Uint8Array> {
    checkName(hashes, name);
    const hash = createHash(name);
    for (const part of parts) hash.update(part);
    return done(new Uint8Array(hash.digest()));
  }

  hmac(name: HashName, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    checkName(hashes, name);
    const hmac = createHmac(name, key);
    for (const part of parts) hmac.update(part);
    return new Uint8Array(hmac.digest());
  }

  prf(name: HashName, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Task<Uint8Array> {
    const input = concat([utf8Encode(label), seed]);
    const output = new Uint8Array(length);
    let a = input;
    for (let at = 0; at < length; ) {
      a = this.hmac(name, secret, [a]);
      const block = this.hmac(name, secret, [a, input]).subarray(0, length - at);
      output.set(block, at);
      at += block.length;
    }
    return done(output);
  }

  aead(name: AeadName, key: Uint8Array): Aead {
    checkName(aeadKeyBytes, name);
    if (key.length !== aeadKeyBytes[name]) throw invalid(`a key of ${key.length} bytes for ${name}`);
    return new NodeAead(name, key.slice());
  }

  cbc(name: CbcName, key: Uint8Array, mac: HashName, macKey: Uint8Array, order: CbcOrder): CbcCipher {
    return this.#own.cbc(name, key, mac, macKey, order);
  }

  keyExchange(group: GroupName, random: Random): Task<KeyExchange> {
    if (group === "x25519") return done(x25519Exchange(random));
    checkName(curves, group);
    return done(curveExchange(group, random));
  }

  verify(algorithm: SignatureAlgorithm, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean> {
    if (algorithm.kind !== "rsa-pkcs1") return this.#own.verify(algorithm, key, digest, signature);
    checkDigest(algorithm.hash, digest);
    // OpenSSL computes with keys that are none, such as one with the exponent 1, for which everyone can sign.
    const usable = usablePublicKey(key);
    const expected = usable && emsaPkcs1(algorithm.hash, digest, usable.bytes);
    if (key.type !== "rsa" || expected?.length !== signature.length) return done(false);
    try {
      const object = createPublicKey({ key: rsaJwk(key.modulus, key.exponent), format: "jwk" });
      // Without padding, so that the whole encoded message is compared and nothing is parsed (RFC 8017 §8.2.2).
      const encoded = publicDecrypt({ key: object, padding: constants.RSA_NO_PADDING }, signature);
      return done(equal(encoded, expected));
    } catch {
      return done(false);
    }
  }

  sign(algorithm: SignatureAlgorithm, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array> {
    if (algorithm.kind !== "rsa-pkcs1") return this.#own.sign(algorithm, key, digest, random);
    checkDigest(algorithm.hash, digest);
    const usable = key.type === "rsa" ? rsaModulus(key.modulus, key.publicExponent) : undefined;
    const encoded = usable && emsaPkcs1(algorithm.hash, digest, usable.bytes);
    if (key.type !== "rsa" || encoded === undefined)
      throw invalid("RSA signs with an RSA key of 1024 to 8192 bits that has room for the digest");
    const object = createPrivateKey({
      key: {
        ...rsaJwk(key.modulus, key.publicExponent),
        d: base64url(key.privateExponent),
        p: base64url(key.prime1),
        q: base64url(key.prime2),
        dp: base64url(key.exponent1),
        dq: base64url(key.exponent2),
        qi: base64url(key.coefficient),
      },
      format: "jwk",
    });
    return done(new Uint8Array(privateEncrypt({ key: object, padding: constants.RSA_NO_PADDING }, encoded)));
  }

  publicKey(key: PrivateKey, _random: Random): Task<PublicKey> {
    if (key.type === "rsa") return done({ type: "rsa", modulus: key.modulus, exponent: key.publicExponent });
    checkName(curves, key.curve);
    const ecdh = createECDH(curves[key.curve].name);
    try {
      ecdh.setPrivateKey(key.scalar);
    } catch {
      throw invalid("the private scalar is not between 1 and the order of the curve");
    }
    return done({ type: "ec", curve: key.curve, point: new Uint8Array(ecdh.getPublicKey()) });
  }

  generateKey(curve: CurveName, random: Random): Task<PrivateKey> {
    checkName(curves, curve);
    const { ecdh, scalar } = drawKey(curve, random, "keygen");
    return done({ type: "ec", curve, scalar, point: new Uint8Array(ecdh.getPublicKey()) });
  }
}

class NodeHash implements Hash {
  readonly name: HashName;
  readonly outputBytes: number;
  readonly blockBytes: number;
  #hash: ReturnType<typeof createHash>;

  constructor(name: HashName, hash: ReturnType<typeof createHash>) {
    this.name = name;
    this.outputBytes = hashes[name].outputBytes;
    this.blockBytes = hashes[name].blockBytes;
    this.#hash = hash;
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Uint8Array {
    return new Uint8Array(this.#hash.copy().digest());
  }

  clone(): Hash {
    return new NodeHash(this.name, this.#hash.copy());
  }

  wipe(): void {
    this.#hash = createHash(this.name);
  }
}

class NodeAead implements Aead {
  readonly name: AeadName;
  readonly keyBytes: number;
  readonly nonceBytes = 12;
  readonly tagBytes = 16;
  readonly #key: Uint8Array;
  #wiped = false;

  constructor(name: AeadName, key: Uint8Array) {
    this.name = name;
    this.keyBytes = key.length;
    this.#key = key;
  }

  seal(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<void> {
    this.#check(buffer, start, end, nonce);
    const cipher = createCipheriv(this.#cipher(), this.#key, nonce, { authTagLength: 16 });
    cipher.setAAD(aad, { plaintextLength: end - start });
    buffer.set(cipher.update(buffer.subarray(start, end)), start);
    cipher.final();
    buffer.set(cipher.getAuthTag(), end);
    return done(undefined);
  }

  open(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array, aad: Uint8Array): Task<boolean> {
    this.#check(buffer, start, end, nonce);
    const decipher = createDecipheriv(this.#cipher(), this.#key, nonce, { authTagLength: 16 });
    decipher.setAAD(aad, { plaintextLength: end - start });
    decipher.setAuthTag(buffer.subarray(end, end + 16));
    const plaintext = decipher.update(buffer.subarray(start, end));
    try {
      decipher.final();
    } catch {
      buffer.fill(0, start, end);
      return done(false);
    }
    buffer.set(plaintext, start);
    return done(true);
  }

  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  #check(buffer: Uint8Array, start: number, end: number, nonce: Uint8Array): void {
    if (this.#wiped) throw new UsageError("USAGE_WRONG_STATE", "the cipher's key was wiped");
    if (nonce.length !== this.nonceBytes) throw invalid("an AEAD nonce has 12 bytes");
    if (!(start >= 0 && start <= end && end + this.tagBytes <= buffer.length))
      throw invalid("the range and its tag do not lie in the buffer");
  }

  /** The three are AEAD ciphers of one interface; the types of node know only literals. */
  #cipher(): "aes-128-gcm" {
    return this.name as "aes-128-gcm";
  }
}

function curveExchange(group: CurveName, random: Random): KeyExchange {
  const { ecdh, scalar } = drawKey(group, random, "ecdhe");
  const length = 1 + 2 * curves[group].bytes;
  let wiped = false;
  return {
    group,
    publicKey: new Uint8Array(ecdh.getPublicKey()),
    shared(peer) {
      if (wiped) throw wipedExchange();
      // Only the uncompressed form is TLS's (RFC 8422 §5.4.1); OpenSSL takes others as well, and checks that the point is on the curve.
      if (peer.length !== length || peer[0] !== 4) return done(undefined);
      try {
        return done(new Uint8Array(ecdh.computeSecret(peer)));
      } catch {
        return done(undefined);
      }
    },
    wipe() {
      scalar.fill(0);
      wiped = true;
    },
  };
}

function x25519Exchange(random: Random): KeyExchange {
  const scalar = new Uint8Array(32);
  random.fill(scalar, "ecdhe");
  const privateKey = createPrivateKey({ key: Buffer.concat([X25519_PKCS8, scalar]), format: "der", type: "pkcs8" });
  const spki: Uint8Array = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  let wiped = false;
  return {
    group: "x25519",
    publicKey: new Uint8Array(spki.subarray(-32)),
    shared(peer) {
      if (wiped) throw wipedExchange();
      if (peer.length !== 32) return done(undefined);
      try {
        const publicKey: KeyObject = createPublicKey({
          key: Buffer.concat([X25519_SPKI, peer]),
          format: "der",
          type: "spki",
        });
        const secret = new Uint8Array(diffieHellman({ privateKey, publicKey }));
        return done(secret.some((byte) => byte !== 0) ? secret : undefined);
      } catch {
        return done(undefined);
      }
    },
    wipe() {
      scalar.fill(0);
      wiped = true;
    },
  };
}

/** Draws scalars until one is a private key: not zero, below the order. */
function drawKey(curve: CurveName, random: Random, purpose: string) {
  const { name, bytes, topMask } = curves[curve];
  const ecdh = createECDH(name);
  const scalar = new Uint8Array(bytes);
  for (let attempt = 0; attempt < 64; attempt++) {
    random.fill(scalar, purpose);
    scalar[0]! &= topMask;
    try {
      ecdh.setPrivateKey(scalar);
      return { ecdh, scalar };
    } catch {
      // Not below the order: draw again.
    }
  }
  throw invalid("random gives no usable scalars");
}

/** Throws for an algorithm that is not there. */
function checkName(table: object, name: string): void {
  if (!Object.hasOwn(table, name)) throw invalid(`this crypto provider has no ${name}`);
}

function checkDigest(hash: HashName, digest: Uint8Array): void {
  checkName(hashes, hash);
  if (digest.length !== hashes[hash].outputBytes)
    throw invalid(`a digest of ${hash} has ${hashes[hash].outputBytes} bytes`);
}

function wipedExchange(): UsageError {
  return new UsageError("USAGE_WRONG_STATE", "the key exchange was wiped");
}

function rsaJwk(modulus: Uint8Array, exponent: Uint8Array) {
  return { kty: "RSA", n: base64url(modulus), e: base64url(exponent) };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

function invalid(problem: string): UsageError {
  return new UsageError("USAGE_INVALID_ARGUMENT", problem);
}
