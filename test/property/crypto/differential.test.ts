import {
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import fc from "fast-check";
import forge from "node-forge";
import { describe, expect, it } from "vitest";
import { concat, toHex, utf8Encode } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { AesCbc } from "../../../src/tls/crypto/aes-cbc.ts";
import { tableAes } from "../../../src/tls/crypto/aes-form.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { runs } from "../../runs.ts";
import { ecJwk, nodeCurves, random, rsaKey, rsaPublic } from "../../unit/crypto/support.ts";

const crypto = createCrypto();
/** Curves are held against others on both arithmetics. */
const cryptos = fc.constantFrom(createCrypto({ arithmetic: "bigint" }), createCrypto({ arithmetic: "limbs" }));
const hashNames = fc.constantFrom("sha1", "sha256", "sha384", "sha512");
const curves = fc.constantFrom("secp256r1", "secp256r1", "secp384r1", "secp521r1");
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const message = fc.uint8Array({ maxLength: 700 });

/** A byte string as forge has them. */
const binary = (value: Uint8Array) => Buffer.from(value).toString("latin1");
const fromBinary = (value: string) => new Uint8Array(Buffer.from(value, "latin1"));

describe("against node:crypto", () => {
  it("FIPS 180-4 hashes, in pieces", () => {
    fc.assert(
      fc.property(hashNames, fc.array(message, { maxLength: 5 }), (name, parts) => {
        const hash = crypto.hash(name);
        const node = createHash(name);
        for (const part of parts) {
          hash.update(part);
          node.update(part);
          expect(toHex(hash.digest())).toBe(node.copy().digest("hex"));
        }
        expect(toHex(finish(crypto.digest(name, parts)))).toBe(node.digest("hex"));
      }),
      runs(150),
    );
  });

  it("RFC 2104 HMAC", () => {
    fc.assert(
      fc.property(hashNames, fc.uint8Array({ maxLength: 300 }), message, message, (name, key, a, b) => {
        expect(toHex(crypto.hmac(name, key, [a, b]))).toBe(createHmac(name, key).update(a).update(b).digest("hex"));
      }),
      runs(150),
    );
  });

  it("RFC 5246 §5 the PRF, as its definition reads", () => {
    fc.assert(
      fc.property(hashNames, message, message, fc.integer({ min: 0, max: 200 }), (name, secret, seed, length) => {
        const input = concat([utf8Encode("a label"), seed]);
        const hmac = (data: Uint8Array) => new Uint8Array(createHmac(name, secret).update(data).digest());
        let [a, output] = [input, new Uint8Array(0)];
        while (output.length < length) {
          a = hmac(a);
          output = concat([output, hmac(concat([a, input]))]) as Uint8Array<ArrayBuffer>;
        }
        const ours = finish(crypto.prf(name, secret, "a label", seed, length));
        expect(toHex(ours)).toBe(toHex(output.subarray(0, length)));
      }),
      runs(100),
    );
  });

  it("NIST SP 800-38D AES-GCM", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("aes-128-gcm" as const, "aes-256-gcm" as const),
        bytes(32),
        bytes(12),
        fc.uint8Array({ maxLength: 40 }),
        message,
        (name, material, nonce, aad, plain) => {
          const key = material.subarray(0, name === "aes-128-gcm" ? 16 : 32);
          const node = createCipheriv(name, key, nonce).setAAD(aad);
          const expected = Buffer.concat([node.update(plain), node.final(), node.getAuthTag()]);
          const aead = crypto.aead(name, key);
          const buffer = new Uint8Array(plain.length + 16);
          buffer.set(plain);
          finish(aead.seal(buffer, 0, plain.length, nonce, aad));
          expect(toHex(buffer)).toBe(expected.toString("hex"));
          expect(finish(aead.open(buffer, 0, plain.length, nonce, aad))).toBe(true);
          expect(buffer.subarray(0, plain.length)).toEqual(plain);
        },
      ),
      runs(150),
    );
  });

  it("SP 800-56A §5.7.1.2 ECDH, both ways", () => {
    fc.assert(
      fc.property(cryptos, curves, (crypto, curve) => {
        const node = createECDH(nodeCurves[curve]);
        node.generateKeys();
        const exchange = finish(crypto.keyExchange(curve, random));
        const shared = finish(exchange.shared(new Uint8Array(node.getPublicKey())))!;
        expect(toHex(shared)).toBe(node.computeSecret(exchange.publicKey).toString("hex"));
      }),
      runs(25),
    );
  });

  it("RFC 7748 §6.1 X25519, both ways", () => {
    fc.assert(
      fc.property(fc.constant(undefined), () => {
        const pair = generateKeyPairSync("x25519");
        const exchange = finish(crypto.keyExchange("x25519", random));
        const x = Buffer.from(exchange.publicKey).toString("base64url");
        const ours = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
        const theirs = Buffer.from(pair.publicKey.export({ format: "jwk" }).x!, "base64url");
        const shared = finish(exchange.shared(new Uint8Array(theirs)))!;
        expect(toHex(shared)).toBe(diffieHellman({ privateKey: pair.privateKey, publicKey: ours }).toString("hex"));
        expect(finish(exchange.shared(new Uint8Array(31)))).toBeUndefined();
        expect(finish(exchange.shared(new Uint8Array(32)))).toBeUndefined();
        exchange.wipe();
        expect(() => exchange.shared(new Uint8Array(theirs))).toThrow("wiped");
      }),
      runs(10),
    );
  });

  it("FIPS 186-5 §6.4 ECDSA, both ways, and altered signatures and digests as node:crypto judges them", () => {
    fc.assert(
      fc.property(cryptos, curves, hashNames, message, fc.nat(), (crypto, curve, hash, text, where) => {
        const key = finish(crypto.generateKey(curve, random)) as Extract<PrivateKey, { type: "ec" }>;
        const point = key.point!;
        const nodePublic = createPublicKey({ key: ecJwk(curve, point), format: "jwk" });
        const nodePrivate = createPrivateKey({ key: ecJwk(curve, point, key.scalar), format: "jwk" });
        const digest = new Uint8Array(createHash(hash).update(text).digest());
        const verify = (signature: Uint8Array) =>
          finish(crypto.verify({ kind: "ecdsa", hash }, { type: "ec", curve, point }, digest, signature));
        const ours = finish(crypto.sign({ kind: "ecdsa", hash }, key, digest, random));
        expect(nodeVerify(hash, text, nodePublic, ours)).toBe(true);
        const theirs = new Uint8Array(nodeSign(hash, text, nodePrivate));
        expect(verify(theirs)).toBe(true);
        theirs[where % theirs.length]! ^= 1 << (where % 8);
        expect(verify(theirs)).toBe(false);
      }),
      runs(20),
    );
  });
});

describe("against node-forge", () => {
  it("SHA-1, SHA-256, SHA-384 and SHA-512", () => {
    fc.assert(
      fc.property(hashNames, message, (name, text) => {
        const digest = forge.md[name].create().update(binary(text)).digest().toHex();
        const hash = crypto.hash(name);
        hash.update(text);
        expect(toHex(hash.digest())).toBe(digest);
      }),
      runs(60),
    );
  });

  it("HMAC", () => {
    fc.assert(
      fc.property(hashNames, fc.uint8Array({ minLength: 1, maxLength: 100 }), message, (name, key, text) => {
        const mac = forge.hmac.create();
        // Its types know no more hashes than these two.
        mac.start(name as "sha1" | "sha256", binary(key));
        mac.update(binary(text));
        expect(toHex(crypto.hmac(name, key, [text]))).toBe(mac.digest().toHex());
      }),
      runs(60),
    );
  });

  it("AES-GCM", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(16, 32),
        bytes(32),
        bytes(12),
        message,
        message,
        (size, material, nonce, aad, plain) => {
          const key = material.subarray(0, size);
          const cipher = forge.cipher.createCipher("AES-GCM", binary(key));
          cipher.start({ iv: binary(nonce), additionalData: binary(aad), tagLength: 128 });
          cipher.update(forge.util.createBuffer(binary(plain)));
          cipher.finish();
          const expected = cipher.output.toHex() + cipher.mode.tag.toHex();
          const buffer = new Uint8Array(plain.length + 16);
          buffer.set(plain);
          finish(
            crypto.aead(size === 16 ? "aes-128-gcm" : "aes-256-gcm", key).seal(buffer, 0, plain.length, nonce, aad),
          );
          expect(toHex(buffer)).toBe(expected);
        },
      ),
      runs(40),
    );
  });

  it("AES-CBC, and the counter mode of AES-GCM", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(16, 32),
        bytes(32),
        bytes(16),
        fc.nat(20),
        bytes(320),
        (size, material, iv, blocks, all) => {
          const key = material.subarray(0, size);
          const plain = all.subarray(0, 16 * blocks);
          const forged = (mode: "AES-CBC" | "AES-CTR", vector: Uint8Array) => {
            const cipher = forge.cipher.createCipher(mode, binary(key));
            cipher.start({ iv: binary(vector) });
            cipher.update(forge.util.createBuffer(binary(plain)));
            cipher.finish();
            // Without the padding that follows whole blocks.
            return cipher.output.toHex().slice(0, 2 * plain.length);
          };
          const sealed = plain.slice();
          const cbc = new AesCbc(tableAes(), key, "encrypt");
          cbc.start(iv, 0);
          cbc.encrypt(sealed, 0, sealed.length);
          expect(toHex(sealed)).toBe(forged("AES-CBC", iv));
          const buffer = new Uint8Array(plain.length + 16);
          buffer.set(plain);
          const nonce = iv.subarray(0, 12);
          finish(
            crypto.aead(size === 16 ? "aes-128-gcm" : "aes-256-gcm", key).seal(buffer, 0, plain.length, nonce, iv),
          );
          const counter = new Uint8Array([...nonce, 0, 0, 0, 2]);
          expect(toHex(buffer.subarray(0, plain.length))).toBe(forged("AES-CTR", counter));
        },
      ),
      runs(40),
    );
  });

  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = rsaKey(pair.privateKey);
  const forgeKey = forge.pki.privateKeyFromPem(pair.privateKey.export({ type: "pkcs1", format: "pem" }) as string);
  const forgePublic = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e);

  it("RFC 8017 §8.1 RSA PSS, both ways", () => {
    const pssOf = () =>
      forge.pss.create({
        md: forge.md.sha256.create(),
        mgf: forge.mgf.mgf1.create(forge.md.sha256.create()),
        saltLength: 32,
      });
    fc.assert(
      fc.property(message, fc.nat(), (text, where) => {
        const md = forge.md.sha256.create().update(binary(text));
        const digest = fromBinary(md.digest().getBytes());
        const algorithm = { kind: "rsa-pss", hash: "sha256" } as const;
        const verify = (made: Uint8Array) => finish(crypto.verify(algorithm, rsaPublic(key), digest, made));
        const ours = finish(crypto.sign(algorithm, key, digest, random));
        expect(forgePublic.verify(binary(digest), binary(ours), pssOf())).toBe(true);
        const theirs = fromBinary(forgeKey.sign(md, pssOf()));
        expect(verify(theirs)).toBe(true);
        theirs[where % theirs.length]! ^= 1 << (where % 8);
        expect(verify(theirs)).toBe(false);
      }),
      runs(3),
    );
  });

  it("RFC 8017 §8.2 RSA PKCS#1 v1.5, both ways", () => {
    fc.assert(
      fc.property(message, (text) => {
        const md = forge.md.sha256.create().update(binary(text));
        const digest = fromBinary(md.digest().getBytes());
        const algorithm = { kind: "rsa-pkcs1", hash: "sha256" } as const;
        const ours = finish(crypto.sign(algorithm, key, digest, random));
        const theirs = fromBinary(forgeKey.sign(md));
        expect(toHex(ours)).toBe(toHex(theirs));
        expect(forgePublic.verify(binary(digest), binary(ours))).toBe(true);
        expect(finish(crypto.verify(algorithm, rsaPublic(key), digest, theirs))).toBe(true);
      }),
      runs(5),
    );
  });
});
