/**
 * Encrypted private keys: EncryptedPrivateKeyInfo of PKCS#8 (RFC 5958 §3) with PBES2 (RFC 8018 §A.4): PBKDF2 with HMAC-SHA-1, -256, -384 or
 * -512, and AES-128, -192 or -256 in CBC mode. What `openssl pkcs8 -topk8 -v2 aes-256-cbc` writes.
 *
 * Left out on purpose, and refused by name with what to do instead: scrypt, whose memory no small device has; PBES1 and the schemes of
 * PKCS#12, with DES, RC2 and MD5; and the encryption of old PEM files (`Proc-Type: 4,ENCRYPTED`), a single MD5.
 *
 * @module
 */

import { utf8Encode, wipe } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { done, map, type Task } from "../../task.ts";
import type { HashName, PasswordDecryption, PasswordEncryption, PrivateKey } from "../crypto/provider.ts";
import { DerReader, tags } from "./der.ts";
import { encryptionName, encryptionOids } from "./encryption-oids.ts";
import { CertificateError } from "./errors.ts";
import { keyError, keyErrors } from "./key-errors.ts";
import { parsePkcs8, privateKeyBlock } from "./keys.ts";

/** Options of {@link decryptPrivateKey}. */
export interface DecryptPrivateKeyOptions {
  /** What computes it: `pbes2` of `thingwire/tls/crypto`. */
  readonly decryption: PasswordDecryption;
  /** More iterations of PBKDF2 are refused; 1,000,000 by default, about a second on a computer and half an hour on a small device. */
  readonly maxIterations?: number | undefined;
}

const MAX_ITERATIONS = 1_000_000;
/** Octets of a salt at most; real ones have 8 to 64. */
const MAX_SALT_BYTES = 1024;
const BLOCK_BYTES = 16;

const prfs: Readonly<Record<string, HashName>> = /* @__PURE__ */ Object.freeze({
  [encryptionOids.hmacWithSHA1]: "sha1",
  [encryptionOids.hmacWithSHA256]: "sha256",
  [encryptionOids.hmacWithSHA384]: "sha384",
  [encryptionOids.hmacWithSHA512]: "sha512",
});

const keyBytesOf: Readonly<Record<string, PasswordEncryption["keyBytes"]>> = /* @__PURE__ */ Object.freeze({
  [encryptionOids["aes128-CBC-PAD"]]: 16,
  [encryptionOids["aes192-CBC-PAD"]]: 24,
  [encryptionOids["aes256-CBC-PAD"]]: 32,
});

/**
 * A private key out of an encrypted PEM or DER, as a task: PBKDF2 is long on purpose. What is read from the file is checked at once, and
 * what is decrypted when the task is done. A key that is not encrypted is returned as it is.
 *
 * @throws CertificateError `X509_KEY_ENCRYPTION` for a scheme or a count of iterations that is not supported, and all those of
 *   `parsePrivateKey`; from the task's `step` `X509_KEY_PASSWORD` for a wrong password; UsageError.
 * @example
 * const privateKey = finish(decryptPrivateKey(pem, password, { decryption: pbes2 }));
 * new TlsClient({ identity: { certificates, privateKey }, … });
 * connectThing({ privateKey: encodePrivateKey(privateKey), … });
 */
export function decryptPrivateKey(
  input: string | Uint8Array,
  password: string | Uint8Array,
  options: DecryptPrivateKeyOptions,
): Task<PrivateKey> {
  const { decryption, maxIterations = MAX_ITERATIONS } = options;
  if (typeof decryption !== "function" || !(maxIterations >= 1))
    throw new UsageError("USAGE_INVALID_ARGUMENT", "decryption must be pbes2, and maxIterations a number from 1");
  const block = privateKeyBlock(input);
  if (block.key !== undefined) return done(block.key);
  if (block.encrypted === undefined)
    throw keyError(
      "X509_KEY_ENCRYPTION",
      `${block.where.text} has the encryption of old PEM files, Proc-Type: 4,ENCRYPTED`,
      block.where.data,
    );
  const { encryption, ciphertext } = readEncrypted(block.encrypted, maxIterations);
  const secret = typeof password === "string" ? utf8Encode(password) : password;
  return map(decryption(encryption, secret, ciphertext), (plaintext) => {
    try {
      if (plaintext === undefined) throw keyError("X509_KEY_PASSWORD");
      return parsePkcs8(plaintext);
    } catch (error) {
      // One wrong password of 256 leaves a padding that looks right. What it says of the garbage is nobody's business.
      if (error instanceof CertificateError && error.code === "X509_KEY_MALFORMED") throw keyError("X509_KEY_PASSWORD");
      throw error;
    } finally {
      wipe(plaintext);
      if (secret !== password) wipe(secret);
    }
  });
}

/** EncryptedPrivateKeyInfo (RFC 5958 §3). */
function readEncrypted(
  der: Uint8Array,
  maxIterations: number,
): { readonly encryption: PasswordEncryption; readonly ciphertext: Uint8Array } {
  const reader = new DerReader(der, "encryptedPrivateKey", "X509_KEY_MALFORMED", 0, der.length, undefined, keyErrors);
  const info = reader.sequence("");
  reader.finish();
  const algorithm = info.sequence("encryptionAlgorithm");
  const scheme = algorithm.oid("algorithm");
  if (scheme !== encryptionOids["id-PBES2"]) throw unsupported(encryptionName(scheme));
  const parameters = algorithm.sequence("parameters");
  algorithm.finish();
  const derivation = readDerivation(parameters.sequence("keyDerivationFunc"), maxIterations);
  const cipher = parameters.sequence("encryptionScheme");
  parameters.finish();
  const cipherOid = cipher.oid("algorithm");
  const keyBytes = keyBytesOf[cipherOid];
  if (keyBytes === undefined) throw unsupported(encryptionName(cipherOid));
  const iv = cipher.octetString("iv");
  if (iv.length !== BLOCK_BYTES) cipher.fail("iv", `${iv.length} bytes`);
  cipher.finish();
  const { keyLength = keyBytes } = derivation;
  if (keyLength !== keyBytes) cipher.fail("keyLength", `${keyLength} bytes for ${encryptionName(cipherOid)}`);
  const ciphertext = info.octetString("encryptedData");
  info.finish();
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0)
    info.fail("encryptedData", `${ciphertext.length} bytes are no whole blocks`);
  return { encryption: { ...derivation, keyBytes, iv }, ciphertext };
}

type Derivation = Pick<PasswordEncryption, "hash" | "salt" | "iterations"> & { readonly keyLength?: number };

/** PBKDF2-params (RFC 8018 §A.2). */
function readDerivation(reader: DerReader, maxIterations: number): Derivation {
  const kdf = reader.oid("algorithm");
  if (kdf !== encryptionOids["id-PBKDF2"]) throw unsupported(encryptionName(kdf));
  const parameters = reader.sequence("parameters");
  reader.finish();
  const salt = parameters.octetString("salt");
  if (salt.length === 0 || salt.length > MAX_SALT_BYTES) parameters.fail("salt", `${salt.length} bytes`);
  const iterations = parameters.small("iterationCount");
  if (iterations === 0) parameters.fail("iterationCount", "is zero");
  if (iterations > maxIterations)
    throw unsupported(`${iterations} iterations of PBKDF2, where \`maxIterations\` allows ${maxIterations}`);
  const keyLength = parameters.peek() === tags.INTEGER ? parameters.small("keyLength") : undefined;
  let hash: HashName | undefined = "sha1";
  if (parameters.peek() === tags.SEQUENCE) {
    const prf = parameters.sequence("prf");
    const oid = prf.oid("algorithm");
    if (!prf.empty) prf.null("parameters");
    prf.finish();
    hash = prfs[oid];
    if (hash === undefined) throw unsupported(`PBKDF2 with ${encryptionName(oid)}`);
  }
  parameters.finish();
  return { hash, salt, iterations, ...(keyLength === undefined ? {} : { keyLength }) };
}

function unsupported(what: string): CertificateError {
  return keyError("X509_KEY_ENCRYPTION", what);
}
