/**
 * What `leak.ts` measures: operations on secrets, each with two classes of input that differ in the secret and in nothing else. Both
 * classes have as many objects, made the same way, so that caches, collector and kept blinding tell nothing of their own.
 *
 * @module
 */

import { createCipheriv, createHmac, generateKeyPairSync, randomFillSync } from "node:crypto";
import { constantTimeEqual } from "../src/bytes.ts";
import type { Random } from "../src/ports.ts";
import { finish } from "../src/task.ts";
import { AesCbc } from "../src/tls/crypto/aes-cbc.ts";
import { tableAes } from "../src/tls/crypto/aes-form.ts";
import { createCurve } from "../src/tls/crypto/curve.ts";
import { p256 } from "../src/tls/crypto/curve-parameters.ts";
import { bigintArithmetic } from "../src/tls/crypto/field.ts";
import { createCrypto } from "../src/tls/crypto/index.ts";
import { toInteger } from "../src/tls/crypto/integers.ts";
import type { CryptoProvider, GroupName, PrivateKey } from "../src/tls/crypto/provider.ts";
import { parsePrivateKey } from "../src/tls/x509/keys.ts";

/** One operation under test. */
export interface Target {
  readonly name: string;
  /** What the first class has, and what the second. */
  readonly classes: readonly [string, string];
  /** A control must leak, or must not: else the run says nothing. */
  readonly control?: "leaks" | "leaks nothing";
  readonly samples: number;
  /** Makes an input of the first or the second class; outside of the measured time. */
  prepare(isFirst: boolean): () => unknown;
}

const random: Random = { fill: (bytes) => void randomFillSync(bytes) };
/** Objects of a class of keys. */
const KEYS = 8;

/** All of them, the controls first. */
export function* leakTargets(): Generator<Target> {
  yield earlyExit();
  yield publicMultiplication();
  yield naiveCbc();
  yield sameClasses();
  yield comparison();
  for (const arithmetic of ["bigint", "limbs"] as const) {
    const crypto = createCrypto({ arithmetic });
    yield ecdh(crypto, arithmetic, "one scalar");
    yield ecdh(crypto, arithmetic, "the scalar 4");
    yield ecdsa(crypto, arithmetic);
    yield rsa(crypto, arithmetic);
  }
  const crypto = createCrypto();
  yield x25519(crypto);
  yield tag(crypto);
  for (const mac of ["sha1", "sha256", "sha384"] as const) yield* cbc(crypto, mac);
}

/** A comparison that stops at the first difference. */
function earlyExit(): Target {
  const secret = new Uint8Array(4096).fill(7);
  return {
    name: "control: comparison with an early exit",
    classes: ["equal", "random"],
    control: "leaks",
    samples: 20_000,
    prepare(isFirst) {
      const other = randomBytes(4096);
      const guess = isFirst ? secret.slice() : other;
      return () => guess.every((byte, i) => byte === secret[i]);
    },
  };
}

/** What is right for verification, done with a secret: steps that follow the bits of the scalar. */
function publicMultiplication(): Target {
  const curve = createCurve(p256, bigintArithmetic);
  return {
    name: "control: P-256 multiplication for public scalars",
    classes: ["the scalar 4", "random scalars"],
    control: "leaks",
    samples: 1_000,
    prepare(isFirst) {
      const other = toInteger(randomBytes(31));
      const scalar = isFirst ? 4n : other;
      return () => finish(curve.combinationHasX(1n, p256, scalar, 1n));
    },
  };
}

/** CBC opened as one would first write it: the padding is cut off, and the MAC is over what is left. */
function naiveCbc(): Target {
  const crypto = createCrypto();
  const [key, macKey] = [randomBytes(16), randomBytes(20)];
  const { seal, padded } = cbcRecords(key);
  const cipher = new AesCbc(tableAes(), key, "decrypt");
  return {
    name: "control: AES-128-CBC opening without precautions",
    classes: ["wrong MAC, padding of 255", "wrong MAC, padding of 0"],
    control: "leaks",
    samples: 5_000,
    prepare(isFirst) {
      const record = seal(padded(isFirst ? 255 : 0));
      return () => {
        cipher.start(record, 0);
        cipher.decrypt(record, 16, record.length);
        const end = record.length - record[record.length - 1]! - 1 - macKey.length;
        return constantTimeEqual(
          crypto.hmac("sha1", macKey, [record.subarray(16, end)]),
          record.subarray(end, end + macKey.length),
        );
      };
    },
  };
}

/** Two classes that are the same: what the machine itself pretends to be a leak. */
function sameClasses(): Target {
  const crypto = createCrypto();
  return {
    name: "control: SHA-256 of 4 KiB",
    classes: ["random", "random as well"],
    control: "leaks nothing",
    samples: 20_000,
    prepare(isFirst) {
      const [first, second] = [randomBytes(4096), randomBytes(4096)];
      const input = isFirst ? first : second;
      return () => finish(crypto.digest("sha256", [input]));
    },
  };
}

/** What compares Finished messages, PSS hashes and MACs, on the lengths of the control. */
function comparison(): Target {
  const secret = randomBytes(4096);
  return {
    name: "constantTimeEqual of 4 KiB",
    classes: ["wrong in the first byte", "wrong in the last"],
    samples: 50_000,
    prepare(isFirst) {
      const guess = secret.slice();
      guess[isFirst ? 0 : 4095]! ^= 1;
      return () => constantTimeEqual(guess, secret);
    },
  };
}

/** `scalar`: of few bits, where a short loop or a small integer would show, or any. */
function ecdh(crypto: CryptoProvider, arithmetic: string, scalar: "the scalar 4" | "one scalar"): Target {
  const fixed = randomBytes(32);
  // What is drawn is one less than the scalar.
  if (scalar === "the scalar 4") fixed.fill(0).fill(3, 31);
  return {
    name: `P-256 scalar multiplication (ECDH), ${arithmetic}`,
    classes: [scalar, "random scalars"],
    samples: 10_000,
    prepare: agreement(crypto, "secp256r1", fixed),
  };
}

function x25519(crypto: CryptoProvider): Target {
  return {
    name: "X25519, bigint",
    classes: ["the scalar 2^254", "random scalars"],
    samples: 6_000,
    prepare: agreement(crypto, "x25519", new Uint8Array(32)),
  };
}

/** Key agreement with one peer, with the scalar that follows from `fixed`, or a random one. */
function agreement(crypto: CryptoProvider, group: GroupName, fixed: Uint8Array): Target["prepare"] {
  const peer = finish(crypto.keyExchange(group, random)).publicKey;
  const draw = (scalar: Uint8Array): Random => ({
    fill: (bytes, purpose) =>
      purpose === "ecdhe" ? bytes.set(scalar, bytes.length - scalar.length) : random.fill(bytes, purpose),
  });
  return (isFirst) => {
    const other = randomBytes(32);
    const ours = finish(crypto.keyExchange(group, draw(isFirst ? fixed : other)));
    return () => finish(ours.shared(peer));
  };
}

/** Picks a key of one of two classes of as many objects: copies of one key, and keys of their own. */
function keyClasses<K>(fixed: () => K, other: () => K): (isFirst: boolean) => K {
  const [copies, others] = [Array.from({ length: KEYS }, fixed), Array.from({ length: KEYS }, other)];
  return (isFirst) => (isFirst ? copies : others)[Math.floor(Math.random() * KEYS)]!;
}

function ecdsa(crypto: CryptoProvider, arithmetic: string): Target {
  const key = (): Extract<PrivateKey, { type: "ec" }> =>
    finish(crypto.generateKey("secp256r1", random)) as Extract<PrivateKey, { type: "ec" }>;
  const fixed = key();
  const pick = keyClasses<PrivateKey>(() => ({ ...fixed, scalar: fixed.scalar.slice() }), key);
  const digest = randomBytes(32);
  return {
    name: `ECDSA P-256 signing, ${arithmetic}`,
    classes: ["one key", "random keys"],
    samples: 10_000,
    prepare(isFirst) {
      const chosen = pick(isFirst);
      return () => finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, chosen, digest, random));
    },
  };
}

function rsa(crypto: CryptoProvider, arithmetic: string): Target {
  const generate = (): Uint8Array =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "der", type: "pkcs8" });
  const fixed = generate();
  const pick = keyClasses(
    () => parsePrivateKey(fixed),
    () => parsePrivateKey(generate()),
  );
  const digest = randomBytes(32);
  return {
    name: `RSA-2048 signing, ${arithmetic}`,
    classes: ["one key", "random keys"],
    samples: 3_000,
    prepare(isFirst) {
      const chosen = pick(isFirst);
      return () => finish(crypto.sign({ kind: "rsa-pkcs1", hash: "sha256" }, chosen, digest, random));
    },
  };
}

/** A tag that is right but for its last byte, and random ones. */
function tag(crypto: CryptoProvider): Target {
  const aead = crypto.aead("aes-128-gcm", randomBytes(16));
  const nonce = randomBytes(12);
  const aad = randomBytes(13);
  const length = 32;
  const sealed = new Uint8Array(length + 16);
  finish(aead.seal(sealed, 0, length, nonce, aad));
  return {
    name: "AES-128-GCM opening: tag comparison",
    classes: ["wrong in the last byte", "random"],
    samples: 100_000,
    prepare(isFirst) {
      // The same work for both, so that caches and collector do not tell them apart.
      const nearly = sealed.slice();
      nearly[nearly.length - 1]! ^= 1;
      const far = sealed.slice();
      far.set(randomBytes(16), length);
      const buffer = isFirst ? nearly : far;
      return () => finish(aead.open(buffer, 0, length, nonce, aad));
    },
  };
}

/**
 * RFC 7457 §2.4: records of one length that are all refused. What must not show is why (a wrong padding, or a right one and a wrong MAC), nor
 * how long the padding is. That a record is refused at all shows, as it shows on the wire.
 */
function* cbc(crypto: CryptoProvider, mac: "sha1" | "sha256" | "sha384"): Generator<Target> {
  const key = randomBytes(16);
  const macKey = randomBytes({ sha1: 20, sha256: 32, sha384: 48 }[mac]);
  const opener = crypto.cbc("aes-128-cbc", key, mac, macKey, "mac-then-encrypt");
  const header = new Uint8Array(13);
  const { seal, padded } = cbcRecords(key);
  // The MAC over the text that a padding of 15 leaves; one byte of the padding is wrong.
  const wrongPadding = (): Uint8Array => {
    const bytes = padded(15);
    const end = bytes.length - 16 - macKey.length;
    bytes.set(createHmac(mac, macKey).update(bytes.subarray(0, end)).digest(), end);
    bytes[bytes.length - 16]! ^= 1;
    return bytes;
  };
  const row = (classes: Target["classes"], make: (isFirst: boolean) => Uint8Array): Target => ({
    name: `AES-128-CBC opening with HMAC of ${mac}`,
    classes,
    samples: 20_000,
    prepare(isFirst) {
      const record = seal(make(isFirst));
      return () => finish(opener.open(record, 16, record.length, header));
    },
  });
  yield row(["wrong MAC", "wrong padding"], (isFirst) => {
    const [wrong, right] = [wrongPadding(), padded(15)];
    return isFirst ? right : wrong;
  });
  yield row(["wrong MAC, padding of 255", "wrong MAC, padding of 0"], (isFirst) => padded(isFirst ? 255 : 0));
  yield row(["wrong MAC, padding of 255", "wrong padding"], (isFirst) => {
    const [wrong, right] = [wrongPadding(), padded(255)];
    return isFirst ? right : wrong;
  });
}

/** Records of one length: random texts and MACs with a right padding of so many bytes, encrypted behind a vector. */
function cbcRecords(key: Uint8Array) {
  return {
    padded(padding: number): Uint8Array {
      const bytes = randomBytes(512);
      bytes.fill(padding, bytes.length - padding - 1);
      return bytes;
    },
    seal(bytes: Uint8Array): Uint8Array {
      const iv = randomBytes(16);
      const cipher = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
      return new Uint8Array(Buffer.concat([iv, cipher.update(bytes)]));
    },
  };
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes, "test");
  return bytes;
}
