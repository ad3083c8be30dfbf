/**
 * Private keys: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017 §A.1.2) and SEC1 (RFC 5915), in PEM or DER; and whether one belongs to a
 * certificate.
 *
 * Encrypted keys are `encrypted-key.ts`. Left out on purpose: Ed25519 and DSA, multi-prime RSA, RSA keys without their primes. What is parsed is copied out, so that the input can be wiped.
 *
 * @module
 */

import { copyOf, equal } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { done, map, type Task } from "../../task.ts";
import type { CryptoProvider, CurveName, PrivateKey, PublicKey } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import {
  bitString,
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
  unsignedInteger,
} from "./der-write.ts";
import { fileError } from "./file-errors.ts";
import { keyError, keyErrors } from "./key-errors.ts";
import { oidName, oids } from "./oids.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";
import { bitLength, curveBytes, curveOf, MAX_RSA_BITS } from "./spki.ts";
import { nothingFound, wrongLabel } from "./trust.ts";

type RsaPrivateKey = Extract<PrivateKey, { type: "rsa" }>;
type EcPrivateKey = Extract<PrivateKey, { type: "ec" }>;

/**
 * A private key out of PEM or DER. Certificates and EC PARAMETERS beside it in a PEM text are skipped.
 *
 * @throws CertificateError `X509_WRONG_CONTENT` (a certificate or public key was given), `X509_KEY_ENCRYPTED`,
 *   `X509_KEY_UNSUPPORTED`, `X509_KEY_MALFORMED`, `X509_PEM`.
 */
export function parsePrivateKey(input: string | Uint8Array): PrivateKey {
  const { key, where } = privateKeyBlock(input);
  if (key === undefined) throw keyError("X509_KEY_ENCRYPTED", where.text, where.data);
  return key;
}

/** A private key, or the DER of one that is encrypted; without that, it is by the scheme of RFC 1421. */
type KeyBlock =
  | { readonly key: PrivateKey; readonly where?: undefined }
  | { readonly key?: undefined; readonly encrypted: Uint8Array | undefined; readonly where: Where };

/** What an error says of where a key stands. */
interface Where {
  readonly text: string;
  readonly data?: { readonly line: number };
}

/** What {@link parsePrivateKey} finds, where that may be encrypted. */
export function privateKeyBlock(input: string | Uint8Array): KeyBlock {
  const blocks = pemBlocks(input);
  if (blocks === undefined && input[0] === 0x30) return parseAny(input as Uint8Array);
  if (blocks === undefined || blocks.length === 0) throw nothingFound("private key", input);
  const keys = blocks.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const block = keys[0];
  if (block === undefined)
    throw wrongLabel("private key", blocks.find(({ label }) => label !== "EC PARAMETERS") ?? blocks[0]!);
  if (keys.length > 1)
    throw fileError("X509_WRONG_CONTENT", `${keys.length} private keys, where one is wanted`, {
      line: keys[1]!.line,
    });
  return parseBlock(block);
}

function parseBlock({ label, line, der, headers }: PemBlock): KeyBlock {
  const where = { text: `the ${label} in line ${line}`, data: { line } };
  if (headers.some((header) => header.includes("ENCRYPTED"))) return { encrypted: undefined, where };
  switch (label) {
    case "ENCRYPTED PRIVATE KEY":
      return { encrypted: der, where };
    case "PRIVATE KEY":
      return { key: parsePkcs8(der) };
    case "RSA PRIVATE KEY":
      return { key: parsePkcs1(der) };
    case "EC PRIVATE KEY":
      return { key: parseSec1(der) };
    default:
      throw keyError("X509_KEY_UNSUPPORTED", where.text, where.data);
  }
}

/** The form of a DER key by its first elements: version and what follows it; an encrypted one has no version. */
function parseAny(der: Uint8Array): KeyBlock {
  const reader = privateKeyReader(der);
  const key = reader.sequence("");
  if (key.peek() === tags.SEQUENCE) {
    const first = key.sequence("");
    if (first.peek() === tags.OID && key.peek() === tags.OCTET_STRING)
      return { encrypted: der, where: { text: "an EncryptedPrivateKeyInfo" } };
    throw fileError(
      "X509_WRONG_CONTENT",
      `a private key is wanted, the DER is ${key.peek() === tags.BIT_STRING ? "a public key" : "probably a certificate"}`,
    );
  }
  key.integer("version");
  if (key.peek() === tags.SEQUENCE) return { key: parsePkcs8(der) };
  return { key: key.peek() === tags.OCTET_STRING ? parseSec1(der) : parsePkcs1(der) };
}

function privateKeyReader(der: Uint8Array): DerReader {
  return new DerReader(der, "privateKey", "X509_KEY_MALFORMED", 0, der.length, undefined, keyErrors);
}

/** PrivateKeyInfo (RFC 5208 §5), OneAsymmetricKey (RFC 5958 §2). */
export function parsePkcs8(der: Uint8Array): PrivateKey {
  const reader = privateKeyReader(der);
  const info = reader.sequence("");
  reader.finish();
  if (info.small("version") > 1) info.fail("version", "neither v1 nor v2");
  const algorithm = info.sequence("privateKeyAlgorithm");
  const oid = algorithm.oid("algorithm");
  if (oid === oids.rsaEncryption) {
    if (!algorithm.empty) algorithm.null("parameters");
    algorithm.finish();
    return parsePkcs1(readPkcs8Key(info));
  }
  if (oid !== oids["id-ecPublicKey"]) throw keyError("X509_KEY_UNSUPPORTED", oidName(oid));
  const curve = readCurve(algorithm);
  algorithm.finish();
  return parseSec1(readPkcs8Key(info), curve);
}

/** The key itself; attributes and a public key beside it (RFC 5958 §2) are skipped. */
function readPkcs8Key(info: DerReader): Uint8Array {
  const octets = info.octetString("privateKey");
  if (info.peek() === contextTag(0, true)) info.element("attributes");
  if (info.peek() === contextTag(1, false)) info.element("publicKey");
  info.finish();
  return octets;
}

/** RSAPrivateKey of two primes (RFC 8017 §A.1.2). */
function parsePkcs1(der: Uint8Array): RsaPrivateKey {
  const reader = privateKeyReader(der);
  const key = reader.sequence("");
  reader.finish();
  if (key.small("version") !== 0) throw keyError("X509_KEY_UNSUPPORTED", "RSA with more than two primes");
  const number = (field: string): Uint8Array => copyOf(key.unsigned(field));
  const rsa: RsaPrivateKey = {
    type: "rsa",
    modulus: number("modulus"),
    publicExponent: number("publicExponent"),
    privateExponent: number("privateExponent"),
    prime1: number("prime1"),
    prime2: number("prime2"),
    exponent1: number("exponent1"),
    exponent2: number("exponent2"),
    coefficient: number("coefficient"),
  };
  key.finish();
  const bits = bitLength(rsa.modulus);
  if (bits > MAX_RSA_BITS) throw keyError("X509_KEY_UNSUPPORTED", `RSA with ${bits} bits`);
  const longest = rsa.modulus.length;
  for (const part of [
    rsa.publicExponent,
    rsa.privateExponent,
    rsa.prime1,
    rsa.prime2,
    rsa.exponent1,
    rsa.exponent2,
    rsa.coefficient,
  ])
    if (part.length === 0 || part.length > longest) key.fail("", "a number is zero or longer than the modulus");
  return rsa;
}

/** ECPrivateKey (RFC 5915 §3). The curve stands inside, or around it in PKCS#8. */
function parseSec1(der: Uint8Array, outer?: CurveName): EcPrivateKey {
  const reader = privateKeyReader(der);
  const key = reader.sequence("");
  reader.finish();
  if (key.small("version") !== 1) key.fail("version", "not ecPrivkeyVer1");
  const octets = key.octetString("privateKey");
  const parameters = key.optional("parameters", 0);
  const inner = parameters === undefined ? undefined : readCurve(parameters);
  const publicKey = key.optional("publicKey", 1);
  const point = publicKey === undefined ? undefined : copyOf(publicKey.octetAligned(""));
  publicKey?.finish();
  key.finish();
  const curve = outer ?? inner;
  if (curve === undefined) return key.fail("parameters", "the curve is not named");
  if (inner !== undefined && inner !== curve) key.fail("parameters", `${inner} inside, ${curve} around it`);
  const bytes = curveBytes[curve];
  // Some writers drop leading zeros, others pad: the number counts.
  const excess = octets.subarray(0, Math.max(octets.length - bytes, 0));
  if (octets.length === 0 || excess.some((octet) => octet !== 0)) key.fail("privateKey", `not a scalar of ${curve}`);
  const scalar = new Uint8Array(bytes);
  scalar.set(octets.subarray(excess.length), bytes - (octets.length - excess.length));
  const usable = point !== undefined && point[0] === 4;
  if (usable && point.length !== 1 + 2 * bytes) key.fail("publicKey", `a point of ${point.length} bytes`);
  return { type: "ec", curve, scalar, point: usable ? point : undefined };
}

function readCurve(reader: DerReader): CurveName {
  if (reader.peek() !== tags.OID)
    throw keyError("X509_KEY_UNSUPPORTED", "an EC key with parameters instead of a named curve");
  const oid = reader.oid("namedCurve");
  const curve = curveOf(oid);
  if (curve === undefined) throw keyError("X509_KEY_UNSUPPORTED", `the curve ${oidName(oid)}`);
  return curve;
}

/** A private key as PKCS#8 DER (RFC 5208). It is a secret: wipe it after use. */
export function encodePrivateKey(key: PrivateKey): Uint8Array {
  if (key.type === "rsa")
    return sequence(
      smallInteger(0),
      sequence(objectIdentifier(oids.rsaEncryption), nullValue()),
      octetString(
        sequence(
          smallInteger(0),
          ...[
            key.modulus,
            key.publicExponent,
            key.privateExponent,
            key.prime1,
            key.prime2,
            key.exponent1,
            key.exponent2,
            key.coefficient,
          ].map(unsignedInteger),
        ),
      ),
    );
  const point = key.point === undefined ? [] : [explicit(1, bitString(key.point))];
  return sequence(
    smallInteger(0),
    sequence(objectIdentifier(oids["id-ecPublicKey"]), objectIdentifier(oids[key.curve])),
    octetString(sequence(smallInteger(1), octetString(key.scalar), ...point)),
  );
}

/**
 * Whether a private key is that of a certificate. RSA keys are compared by modulus and exponent; for EC keys the public half is computed,
 * so that a point that somebody wrote beside a foreign scalar does not pass.
 */
export function keyBelongsTo(
  certificate: Certificate,
  key: PrivateKey,
  crypto: CryptoProvider,
  random: Random,
): Task<boolean> {
  const { publicKey } = certificate;
  if (publicKey === undefined || publicKey.type !== key.type) return done(false);
  if (key.type === "ec" && publicKey.type === "ec" && publicKey.curve !== key.curve) return done(false);
  return map(publicHalf(key, crypto, random), (own) => samePublicKey(own, publicKey));
}

/**
 * The same, as an error for the user.
 *
 * @throws CertificateError `X509_KEY_MISMATCH` from the task's `step`.
 */
export function requireKeyOf(
  certificate: Certificate,
  key: PrivateKey,
  crypto: CryptoProvider,
  random: Random,
): Task<void> {
  return map(keyBelongsTo(certificate, key, crypto, random), (belongs) => {
    if (belongs) return;
    const kind = key.type === "rsa" ? `rsa (${bitLength(key.modulus)} bit)` : key.curve;
    throw keyError(
      "X509_KEY_MISMATCH",
      `the key is ${kind}, the certificate ${certificate.subject.toString()} has another ${certificate.publicKeyAlgorithm}`,
    );
  });
}

function publicHalf(key: PrivateKey, crypto: CryptoProvider, random: Random): Task<PublicKey> {
  if (key.type === "rsa") return done({ type: "rsa", modulus: key.modulus, exponent: key.publicExponent });
  if (!crypto.supports(key.curve))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `the crypto provider does not support ${key.curve}`);
  return crypto.publicKey({ type: "ec", curve: key.curve, scalar: key.scalar }, random);
}

/** Whether two public keys are the same. */
export function samePublicKey(a: PublicKey, b: PublicKey): boolean {
  if (a.type === "rsa") return b.type === "rsa" && equal(a.modulus, b.modulus) && equal(a.exponent, b.exponent);
  return b.type === "ec" && a.curve === b.curve && equal(a.point, b.point);
}
