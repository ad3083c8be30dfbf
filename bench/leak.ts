/**
 * `npm run bench -- leak`: does the time of an operation tell about its secret? For each target, a fixed secret and random ones take turns
 * in random order, and Welch's t says whether the two piles of times have the same mean, as dudect does: over the whole piles, and over
 * what is left when their slow tails are cut off. A |t| over 10 is a leak beyond doubt, between 4.5 and 10 perhaps one. The first row is a
 * control that must leak: where it does not, the machine is too noisy for the others to mean anything, and the exit code is 1.
 *
 * A small |t| proves nothing: another processor, another engine or more samples may show what these do not.
 *
 * @module
 */

import { createCipheriv, generateKeyPairSync, randomFillSync } from "node:crypto";
import type { Random } from "../src/ports.ts";
import { finish } from "../src/task.ts";
import { createCrypto } from "../src/tls/crypto/index.ts";
import type { CryptoProvider, PrivateKey } from "../src/tls/crypto/provider.ts";
import { parsePrivateKey } from "../src/tls/x509/keys.ts";

/** One operation under test. */
interface Target {
  readonly name: string;
  readonly samples: number;
  /** Makes an input with the fixed secret or with a random one; outside of the measured time. */
  prepare(isFixed: boolean): () => unknown;
}

const random: Random = { fill: (bytes) => void randomFillSync(bytes) };
const LEAK = 10;
const SUSPICION = 4.5;
/** Shares of the fastest times that are looked at. */
const CROPS = [1, 0.9, 0.75, 0.5];

/** Measures all targets and prints a line for each; the result is the exit code. */
export function leak(isQuick: boolean): number {
  const scale = isQuick ? 0.1 : 1;
  let hasControl = false;
  console.log("| target | samples | largest t | verdict |");
  console.log("|---|--:|--:|---|");
  for (const target of targets()) {
    const samples = Math.round(target.samples * scale);
    const t = largestT(target, samples);
    const isControl = target.name.startsWith("control");
    if (isControl) hasControl = t > LEAK;
    const verdict = t > LEAK ? "leaks" : t > SUSPICION ? "suspicious" : "nothing seen";
    console.log(`| ${target.name} | ${samples} | ${t.toFixed(1)} | ${verdict}${isControl ? ", as it must" : ""} |`);
  }
  if (!hasControl) console.log("\nThe control was not seen to leak: this run says nothing.");
  return hasControl ? 0 : 1;
}

function* targets(): Generator<Target> {
  yield control();
  for (const arithmetic of ["bigint", "limbs"] as const) {
    const crypto = createCrypto({ arithmetic });
    yield scalarMultiplication(crypto, arithmetic);
    yield ecdsa(crypto, arithmetic);
  }
  const crypto = createCrypto();
  yield rsa(crypto);
  yield tag(crypto);
  yield lucky13(crypto, "sha1");
  yield lucky13(crypto, "sha384");
}

/** A comparison that stops at the first difference. */
function control(): Target {
  const secret = new Uint8Array(4096).fill(7);
  return {
    name: "control: comparison with an early exit",
    samples: 20_000,
    prepare(isFixed) {
      const other = randomBytes(4096);
      const guess = isFixed ? secret.slice() : other;
      return () => guess.every((byte, i) => byte === secret[i]);
    },
  };
}

/** RFC 7457 §2.4: a record whose text is as short as it can be, because its padding is long, or whose padding is wrong. Both are refused. */
function lucky13(crypto: CryptoProvider, mac: "sha1" | "sha384"): Target {
  const key = randomBytes(16);
  const macBytes = mac === "sha1" ? 20 : 48;
  const opener = crypto.cbc("aes-128-cbc", key, mac, randomBytes(macBytes), "mac-then-encrypt");
  const header = new Uint8Array(13);
  const seal = (bytes: Uint8Array): Uint8Array => {
    const iv = randomBytes(16);
    const cipher = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
    return new Uint8Array(Buffer.concat([iv, cipher.update(bytes)]));
  };
  return {
    name: `AES-CBC with HMAC-${mac}: long padding or wrong padding`,
    samples: 20_000,
    prepare(isFixed) {
      const bytes = randomBytes(320);
      if (isFixed) bytes.fill(255, 320 - 256);
      const record = seal(bytes);
      return () => finish(opener.open(record, 16, record.length, header));
    },
  };
}

function scalarMultiplication(crypto: CryptoProvider, arithmetic: string): Target {
  const peer = finish(crypto.keyExchange("secp256r1", random)).publicKey;
  const pair = (scalar: Uint8Array) =>
    finish(
      crypto.keyExchange("secp256r1", {
        fill: (bytes, purpose) =>
          purpose === "ecdhe" ? bytes.set(scalar, bytes.length - 32) : random.fill(bytes, purpose),
      }),
    );
  // As few bits as possible, where a short loop or a small integer would show.
  const fixed = new Uint8Array(32);
  fixed[31] = 3;
  return {
    name: `P-256 ECDH, ${arithmetic}`,
    samples: 4_000,
    prepare(isFixed) {
      const other = randomBytes(32);
      const ours = pair(isFixed ? fixed : other);
      return () => finish(ours.shared(peer));
    },
  };
}

function ecdsa(crypto: CryptoProvider, arithmetic: string): Target {
  const key = (): PrivateKey => finish(crypto.generateKey("secp256r1", random));
  const keys = [key(), ...Array.from({ length: 15 }, key)];
  const digest = randomBytes(32);
  return {
    name: `ECDSA P-256 sign, ${arithmetic}`,
    samples: 6_000,
    prepare(isFixed) {
      const chosen = keys[isFixed ? 0 : 1 + Math.floor(Math.random() * 15)]!;
      return () => finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, chosen, digest, random));
    },
  };
}

function rsa(crypto: CryptoProvider): Target {
  const keys = Array.from({ length: 9 }, () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    return parsePrivateKey(privateKey.export({ format: "der", type: "pkcs8" }));
  });
  const digest = randomBytes(32);
  return {
    name: "RSA-2048 sign",
    samples: 1_500,
    prepare(isFixed) {
      const chosen = keys[isFixed ? 0 : 1 + Math.floor(Math.random() * (keys.length - 1))]!;
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
    name: "AES-128-GCM open: tag comparison",
    samples: 100_000,
    prepare(isFixed) {
      // The same work for both, so that caches and collector do not tell them apart.
      const nearly = sealed.slice();
      nearly[nearly.length - 1]! ^= 1;
      const far = sealed.slice();
      far.set(randomBytes(16), length);
      const buffer = isFixed ? nearly : far;
      return () => finish(aead.open(buffer, 0, length, nonce, aad));
    },
  };
}

function largestT({ prepare }: Target, samples: number): number {
  const fixed: number[] = [];
  const others: number[] = [];
  const warmUp = Math.ceil(samples / 5);
  for (let i = -warmUp; i < samples; i++) {
    const isFixed = Math.random() < 0.5;
    const run = prepare(isFixed);
    const start = process.hrtime.bigint();
    run();
    const time = Number(process.hrtime.bigint() - start);
    if (i >= 0) (isFixed ? fixed : others).push(time);
  }
  const all = [...fixed, ...others].sort((a, b) => a - b);
  return Math.max(
    ...CROPS.map((crop) => {
      const limit = all[Math.min(all.length - 1, Math.floor(all.length * crop))]!;
      return Math.abs(
        welch(
          fixed.filter((time) => time <= limit),
          others.filter((time) => time <= limit),
        ),
      );
    }),
  );
}

/** Welch's t of two samples. */
function welch(a: readonly number[], b: readonly number[]): number {
  // Where cutting the tail leaves nothing of one pile, they lie wholly apart.
  if (a.length < 2 || b.length < 2) return Number.POSITIVE_INFINITY;
  const [meanA, varianceA] = moments(a);
  const [meanB, varianceB] = moments(b);
  const error = Math.sqrt(varianceA / a.length + varianceB / b.length);
  return error === 0 ? 0 : (meanA - meanB) / error;
}

function moments(values: readonly number[]): readonly [mean: number, variance: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, squares / (values.length - 1)];
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes, "test");
  return bytes;
}
