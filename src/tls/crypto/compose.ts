/**
 * A crypto provider composed of pieces: what is not named is not in the bundle, and `supports` says so.
 *
 * Tables belong to the provider and are made when they are first needed. One provider may serve many connections.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import type { Random } from "../../ports.ts";
import { done, map, type Task } from "../../task.ts";
import type { AeadAlgorithm } from "./aead-task.ts";
import type { CbcAlgorithm, CbcMaker } from "./cbc-cipher.ts";
import type { Curve } from "./curve.ts";
import { checkedScalar } from "./ecdsa.ts";
import type { Group, PreparedGroup } from "./group.ts";
import { DigestTask, type HashAlgorithm } from "./hash.ts";
import { Hmac } from "./hmac.ts";
import { drawResidue, toBytes } from "./integers.ts";
import { bigIntModular, type RsaArithmetic } from "./modular.ts";
import { PrfTask } from "./prf.ts";
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
  SignatureKind,
} from "./provider.ts";
import type { RsaContext } from "./rsa.ts";
import type { SignatureContext, SignatureMethod } from "./signature.ts";

/** What a provider is composed of. ECDSA signs and verifies on the curves among `groups`. */
export interface CryptoPieces {
  readonly hashes: readonly HashAlgorithm[];
  readonly aeads: readonly AeadAlgorithm[];
  /** For the CBC suites, with the hashes of their MACs among `hashes`; none by default. */
  readonly cbcs?: readonly CbcAlgorithm[] | undefined;
  readonly groups: readonly Group[];
  readonly signatures: readonly SignatureMethod[];
  /** What RSA signs with; BigInt by default. */
  readonly rsaArithmetic?: RsaArithmetic | undefined;
}

/**
 * Makes a provider of the pieces that an app needs.
 *
 * @example
 * composeCrypto({ hashes: [sha256], aeads: [aes128Gcm], groups: [secp256r1], signatures: [ecdsa] });
 */
export function composeCrypto(pieces: CryptoPieces): CryptoProvider {
  return new ComposedCrypto(pieces);
}

/**
 * A public half that was computed, kept by the scalar's array, so that a client that connects again with its key need not. The digest tells
 * whether the array still holds that scalar.
 */
interface PublicHalf {
  readonly digest: Uint8Array;
  readonly key: PublicKey & { readonly type: "ec" };
}

class ComposedCrypto implements CryptoProvider {
  readonly #hashes: ReadonlyMap<HashName, HashAlgorithm>;
  readonly #aeads: ReadonlyMap<AeadName, AeadAlgorithm>;
  readonly #cbcs: ReadonlyMap<CbcName, CbcAlgorithm>;
  readonly #groups: ReadonlyMap<GroupName, Group>;
  readonly #signatures: ReadonlyMap<SignatureKind, SignatureMethod>;
  readonly #preparedAeads = new Map<AeadName, (key: Uint8Array) => Aead>();
  readonly #preparedCbcs = new Map<CbcName, CbcMaker>();
  readonly #preparedGroups = new Map<GroupName, PreparedGroup>();
  readonly #rsa: RsaContext;
  readonly #publicHalves = new WeakMap<Uint8Array, PublicHalf>();

  constructor(pieces: CryptoPieces) {
    this.#hashes = new Map(pieces.hashes.map((piece) => [piece.name, piece.prepare?.() ?? piece]));
    this.#aeads = new Map(pieces.aeads.map((piece) => [piece.name, piece]));
    this.#cbcs = new Map((pieces.cbcs ?? []).map((piece) => [piece.name, piece]));
    this.#groups = new Map(pieces.groups.map((piece) => [piece.name, piece]));
    this.#signatures = new Map(pieces.signatures.map((piece) => [piece.kind, piece]));
    this.#rsa = { blindingPairs: new WeakMap(), arithmetic: pieces.rsaArithmetic?.prepare() ?? bigIntModular };
  }

  supports(algorithm: AlgorithmName): boolean {
    return (
      this.#hashes.has(algorithm as HashName) ||
      this.#aeads.has(algorithm as AeadName) ||
      this.#cbcs.has(algorithm as CbcName) ||
      this.#groups.has(algorithm as GroupName) ||
      this.#signatures.has(algorithm as SignatureKind)
    );
  }

  hash(name: HashName): Hash {
    return known(this.#hashes, name).create();
  }

  hashUnits(name: HashName, bytes: number): number {
    const { blockBytes, unitsPerBlock } = known(this.#hashes, name);
    return Math.ceil(bytes / blockBytes) * unitsPerBlock;
  }

  digest(name: HashName, parts: readonly Uint8Array[]): Task<Uint8Array> {
    return new DigestTask(known(this.#hashes, name), parts);
  }

  hmac(name: HashName, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    const algorithm = known(this.#hashes, name);
    const hmac = new Hmac(algorithm, key);
    const mac = new Uint8Array(algorithm.outputBytes);
    hmac.computeInto(mac, 0, parts);
    hmac.wipe();
    return mac;
  }

  prf(name: HashName, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Task<Uint8Array> {
    return new PrfTask(known(this.#hashes, name), secret, label, seed, length);
  }

  aead(name: AeadName, key: Uint8Array): Aead {
    const algorithm = known(this.#aeads, name);
    if (key.length !== algorithm.keyBytes)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `a key of ${name} has ${algorithm.keyBytes} bytes`);
    let make = this.#preparedAeads.get(name);
    if (make === undefined) this.#preparedAeads.set(name, (make = algorithm.prepare()));
    return make(key);
  }

  cbc(name: CbcName, key: Uint8Array, mac: HashName, macKey: Uint8Array, order: CbcOrder): CbcCipher {
    const algorithm = known(this.#cbcs, name);
    const hash = known(this.#hashes, mac);
    if (key.length !== algorithm.keyBytes || macKey.length !== hash.outputBytes)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        `keys of ${name} with ${mac} have ${algorithm.keyBytes} and ${hash.outputBytes} bytes`,
      );
    let make = this.#preparedCbcs.get(name);
    if (make === undefined) this.#preparedCbcs.set(name, (make = algorithm.prepare()));
    return make(key, hash, macKey, order);
  }

  keyExchange(group: GroupName, random: Random): Task<KeyExchange> {
    known(this.#groups, group);
    return this.#group(group)!.keyExchange(random);
  }

  verify(algorithm: SignatureAlgorithm, key: PublicKey, digest: Uint8Array, signature: Uint8Array): Task<boolean> {
    const method = known(this.#signatures, algorithm.kind);
    return method.verify(this.#context(algorithm.hash, digest), key, digest, signature);
  }

  sign(algorithm: SignatureAlgorithm, key: PrivateKey, digest: Uint8Array, random: Random): Task<Uint8Array> {
    const method = known(this.#signatures, algorithm.kind);
    return method.sign(this.#context(algorithm.hash, digest), key, digest, random);
  }

  publicKey(key: PrivateKey, random: Random): Task<PublicKey> {
    if (key.type === "rsa") return done({ type: "rsa", modulus: key.modulus, exponent: key.publicExponent });
    const curve = this.#curve(key.curve);
    const scalar = checkedScalar(curve, key.scalar);
    const hash = this.#hashes.get("sha256")?.create();
    hash?.update(key.scalar);
    const digest = hash?.digest();
    hash?.wipe();
    const kept = this.#publicHalves.get(key.scalar);
    if (digest !== undefined && kept?.key.curve === key.curve && equal(kept.digest, digest))
      return done({ ...kept.key, point: kept.key.point.slice() });
    return map(curve.multiplyGenerator(scalar, random), (product) => {
      const half = { type: "ec", curve: key.curve, point: curve.encodePoint(product) } as const;
      if (digest !== undefined) this.#publicHalves.set(key.scalar, { digest, key: half });
      return { ...half, point: half.point.slice() };
    });
  }

  generateKey(name: CurveName, random: Random): Task<PrivateKey> {
    const curve = this.#curve(name);
    const scalar = drawResidue(random, curve.parameters.order, curve.bytes, "keygen");
    return map(curve.multiplyGenerator(scalar, random), (point) => ({
      type: "ec",
      curve: name,
      scalar: toBytes(scalar, curve.bytes),
      point: curve.encodePoint(point),
    }));
  }

  #curve(name: CurveName): Curve {
    known(this.#groups, name);
    const { curve } = this.#group(name)!;
    if (curve === undefined) throw new UsageError("USAGE_INVALID_ARGUMENT", `${name} only exchanges keys`);
    return curve;
  }

  #group(name: GroupName): PreparedGroup | undefined {
    let prepared = this.#preparedGroups.get(name);
    if (prepared === undefined) {
      prepared = this.#groups.get(name)?.prepare();
      if (prepared !== undefined) this.#preparedGroups.set(name, prepared);
    }
    return prepared;
  }

  #context(name: HashName, digest: Uint8Array): SignatureContext {
    const hash = known(this.#hashes, name);
    if (digest.length !== hash.outputBytes)
      throw new UsageError("USAGE_INVALID_ARGUMENT", `a digest of ${name} has ${hash.outputBytes} bytes`);
    return { hash, rsa: this.#rsa, curve: (curve) => this.#group(curve)?.curve };
  }
}

function known<Name extends string, Piece>(pieces: ReadonlyMap<Name, Piece>, name: Name): Piece {
  const piece = pieces.get(name);
  if (piece === undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", `this crypto provider has no ${name}`, {
      algorithm: name,
      available: [...pieces.keys()],
    });
  return piece;
}
