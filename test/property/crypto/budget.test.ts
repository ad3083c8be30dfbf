import { createHash, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish, type Task } from "../../../src/task.ts";
import { createCrypto as createCryptoWith } from "../../../src/tls/crypto/index.ts";
import type { CbcOrder, CryptoProvider, KeyExchange, PrivateKey, PublicKey } from "../../../src/tls/crypto/provider.ts";
import { runs } from "../../runs.ts";
import { finishWith, replayed, rsaKey, rsaPublic } from "../../unit/crypto/support.ts";

const digest = new Uint8Array(createHash("sha256").update("message").digest());
const text = new Uint8Array(1500).map((_, i) => i);
const rsa = rsaKey(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey);
/** As large as certificates have them; only ever computed with in large slices, since it is slow. */
const largeRsa = rsaKey(generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey);
const shared = createCryptoWith();
const ec: PrivateKey = { type: "ec", curve: "secp256r1", scalar: new Uint8Array(32).fill(7) };
const ecPublic = finish(shared.publicKey(ec, replayed()));
const peer = (ecPublic as Extract<PublicKey, { type: "ec" }>).point;
const ecdsa = { kind: "ecdsa", hash: "sha256" } as const;
const pkcs1 = { kind: "rsa-pkcs1", hash: "sha256" } as const;
const pss = { kind: "rsa-pss", hash: "sha256" } as const;
const ecdsaSignature = finish(shared.sign(ecdsa, ec, digest, replayed()));
const pkcs1Signature = finish(shared.sign(pkcs1, rsa, digest, replayed()));
const pssSignature = finish(shared.sign(pss, rsa, digest, replayed()));
const sealed = sealedText(shared, finish);

type Run = <T>(task: Task<T>) => T;

function sealedText(crypto: CryptoProvider, run: Run): Uint8Array {
  const buffer = new Uint8Array(text.length + 16);
  buffer.set(text);
  run(crypto.aead("aes-128-gcm", digest.subarray(16)).seal(buffer, 0, text.length, digest.subarray(0, 12), digest));
  return buffer;
}

function cbc(crypto: CryptoProvider, run: Run, order: CbcOrder): unknown {
  const cipher = crypto.cbc("aes-128-cbc", digest.subarray(16), "sha256", digest, order);
  const buffer = new Uint8Array(16 + text.length + cipher.expansion(text.length));
  buffer.set(text, 16);
  const end = run(cipher.seal(buffer, 16, 16 + text.length, digest.subarray(0, 13)));
  const protectedText = buffer.slice();
  return [protectedText, run(cipher.open(buffer, 16, end, digest.subarray(0, 13))), buffer];
}

/** Every operation that is a task, on a fresh provider, so that tables are built in slices too. */
const operations: readonly [string, (crypto: CryptoProvider, run: Run) => unknown][] = [
  ["digest", (crypto, run) => run(crypto.digest("sha384", [text, digest, text]))],
  ["prf", (crypto, run) => run(crypto.prf("sha256", digest, "key expansion", text, 100))],
  ["seal", (crypto, run) => sealedText(crypto, run)],
  [
    "open",
    (crypto, run) => {
      const buffer = sealed.slice();
      const aead = crypto.aead("aes-128-gcm", digest.subarray(16));
      const opened = run(aead.open(buffer, 0, text.length, digest.subarray(0, 12), digest));
      return [opened, buffer];
    },
  ],
  [
    "ChaCha20-Poly1305",
    (crypto, run) => {
      const buffer = new Uint8Array(text.length + 16);
      buffer.set(text);
      const aead = crypto.aead("chacha20-poly1305", digest);
      run(aead.seal(buffer, 0, text.length, digest.subarray(0, 12), digest));
      const opened = buffer.slice();
      return [buffer, run(aead.open(opened, 0, text.length, digest.subarray(0, 12), digest)), opened];
    },
  ],
  ["CBC, then its opening", (crypto, run) => cbc(crypto, run, "mac-then-encrypt")],
  ["CBC with encrypt-then-mac, then its opening", (crypto, run) => cbc(crypto, run, "encrypt-then-mac")],
  [
    "key exchange",
    (crypto, run) => {
      const exchange: KeyExchange = run(crypto.keyExchange("secp256r1", replayed()));
      return [exchange.publicKey, run(exchange.shared(peer))];
    },
  ],
  [
    "key exchange with X25519",
    (crypto, run) => {
      const exchange: KeyExchange = run(crypto.keyExchange("x25519", replayed()));
      return [exchange.publicKey, run(exchange.shared(digest))];
    },
  ],
  [
    "key exchange on P-521",
    (crypto, run) => {
      const exchange: KeyExchange = run(crypto.keyExchange("secp521r1", replayed()));
      return run(exchange.shared(exchange.publicKey));
    },
  ],
  ["generateKey", (crypto, run) => run(crypto.generateKey("secp384r1", replayed()))],
  ["publicKey", (crypto, run) => run(crypto.publicKey(ec, replayed()))],
  ["ECDSA sign", (crypto, run) => run(crypto.sign(ecdsa, ec, digest, replayed()))],
  ["ECDSA verify", (crypto, run) => run(crypto.verify(ecdsa, ecPublic, digest, ecdsaSignature))],
  [
    "ECDSA on P-521",
    (crypto, run) => {
      const key: PrivateKey = { type: "ec", curve: "secp521r1", scalar: new Uint8Array(66).fill(1) };
      const algorithm = { kind: "ecdsa", hash: "sha512" } as const;
      const long = run(crypto.digest("sha512", [text]));
      const signature = run(crypto.sign(algorithm, key, long, replayed()));
      return [signature, run(crypto.verify(algorithm, run(crypto.publicKey(key, replayed())), long, signature))];
    },
  ],
  ["RSA sign", (crypto, run) => run(crypto.sign(pkcs1, rsa, digest, replayed()))],
  ["PSS sign", (crypto, run) => run(crypto.sign(pss, rsa, digest, replayed()))],
  ["RSA verify", (crypto, run) => run(crypto.verify(pkcs1, rsaPublic(rsa), digest, pkcs1Signature))],
  ["PSS verify", (crypto, run) => run(crypto.verify(pss, rsaPublic(rsa), digest, pssSignature))],
];

const onLimbs = operations
  .filter(([title]) => ["key exchange", "ECDSA sign", "ECDSA verify", "RSA sign"].includes(title))
  .map(([title, operation]) => [`${title}, on limbs`, operation, "limbs"] as const);

describe.each([...operations.map(([title, operation]) => [title, operation, "auto"] as const), ...onLimbs])(
  "any budget gives the same result: %s",
  (_, operation, arithmetic) => {
    const createCrypto = () => createCryptoWith({ arithmetic });
    const expected = operation(createCrypto(), finish);

    it("a budget of 1, and of 0", () => {
      expect(operation(createCrypto(), (task) => finishWith(task, () => 1))).toEqual(expected);
      expect(operation(createCrypto(), (task) => finishWith(task, () => 0))).toEqual(expected);
    });

    it("any budgets", () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 20 }), (budgets) => {
          let turn = 0;
          const next = () => budgets[turn++ % budgets.length]!;
          expect(operation(createCrypto(), (task) => finishWith(task, next))).toEqual(expected);
        }),
        runs(6),
      );
    });

    it("one step goes little beyond its budget, and what is spent does not depend on the budget", () => {
      const small = spentWith(createCrypto(), operation, 1);
      expect(small.total).toBe(spentWith(createCrypto(), operation, Number.MAX_SAFE_INTEGER).total);
      expect(small.total).toBeGreaterThan(0);
      // The largest indivisible operations: two HMACs of a nonce, and a few HMAC blocks over a long seed.
      expect(small.largest).toBeLessThan(1200);
    });
  },
);

/** What an operation spends in all, and in its largest step. */
function spentWith(crypto: CryptoProvider, operation: (crypto: CryptoProvider, run: Run) => unknown, budget: number) {
  let total = 0;
  let largest = 0;
  operation(crypto, (task) => {
    let before = task.spent;
    const note = () => {
      largest = Math.max(largest, task.spent - before);
      before = task.spent;
    };
    const result = finishWith(task, () => {
      note();
      return budget;
    });
    note();
    total += task.spent;
    return result;
  });
  return { total, largest };
}

describe("RSA with 4096 bits, the largest that certificates have", () => {
  const digest384 = new Uint8Array(createHash("sha384").update("message").digest());
  const publicKey = rsaPublic(largeRsa);

  it.each(["rsa-pkcs1", "rsa-pss"] as const)("%s: steps are as small as those of other keys", (kind) => {
    const algorithm = { kind, hash: "sha384" } as const;
    let signature = new Uint8Array(0);
    const signing = spentWith(
      shared,
      (crypto, run) => void (signature = run(crypto.sign(algorithm, largeRsa, digest384, replayed())) as never),
      1,
    );
    const verifying = spentWith(
      shared,
      (crypto, run) => expect(run(crypto.verify(algorithm, publicKey, digest384, signature))).toBe(true),
      1,
    );
    expect(signing.largest).toBeLessThan(1200);
    expect(verifying.largest).toBeLessThan(1200);
    // As many steps as a device wants to look after its watchdog between.
    expect(signing.total / signing.largest).toBeGreaterThan(100);
    expect(verifying.total).toBeLessThan(5000);
  });
});
