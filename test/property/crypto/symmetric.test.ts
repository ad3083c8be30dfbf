import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { createCrypto, type HashAlgorithm, sha1, sha256, sha384, sha512 } from "../../../src/tls/crypto/index.ts";
import type { AeadName } from "../../../src/tls/crypto/provider.ts";
import { finishWith } from "../../unit/crypto/support.ts";

const aeads: readonly [AeadName, number][] = [
  ["aes-128-gcm", 16],
  ["aes-256-gcm", 32],
  ["chacha20-poly1305", 32],
];
const bytesOf = (length: number) => new Uint8Array(randomBytes(length));

function sealedByNode(name: AeadName, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array): Buffer {
  const node = createCipheriv(name as "aes-128-gcm", key, nonce, { authTagLength: 16 });
  node.setAAD(aad, { plaintextLength: text.length });
  return Buffer.concat([node.update(text), node.final(), node.getAuthTag()]);
}

describe.each(aeads)("%s against node:crypto", (name, keyBytes) => {
  const crypto = createCrypto();

  it("every length from 0 to 600 and those of records, at odd places of a larger buffer, opened with a budget of 1", () => {
    for (const length of [...Array.from({ length: 601 }, (_, i) => i), 1024, 4095, 4096, 16384]) {
      const [key, nonce, aad, text] = [bytesOf(keyBytes), bytesOf(12), bytesOf(length % 40), bytesOf(length)];
      const expected = sealedByNode(name, key, nonce, aad, text);
      const aead = crypto.aead(name, key);
      // A view that does not start where its memory does.
      const offset = length % 17;
      const buffer = new Uint8Array(length + 60).subarray(7);
      buffer.fill(0xee);
      buffer.set(text, offset);
      finish(aead.seal(buffer, offset, offset + length, nonce, aad));
      const sealed = buffer.slice(offset, offset + length + 16);
      expect(expected.compare(sealed)).toBe(0);
      buffer.fill(0xee, offset, offset + length + 16);
      expect(buffer.every((byte) => byte === 0xee)).toBe(true);
      buffer.set(sealed, offset);
      expect(finishWith(aead.open(buffer, offset, offset + length, nonce, aad), () => 1)).toBe(true);
      expect(Buffer.compare(buffer.subarray(offset, offset + length), text)).toBe(0);
    }
  });

  it("the form for bulk, after a MiB of traffic: the same at every length of blocks, whole and in slices, and in other memory", () => {
    const [key, nonce, aad] = [bytesOf(keyBytes), bytesOf(12), bytesOf(13)];
    const aead = crypto.aead(name, key);
    const traffic = new Uint8Array(16384 + 16);
    for (let i = 0; i < 70; i++) finish(aead.seal(traffic, 0, 16384, nonce, aad));
    for (const length of [...Array.from({ length: 80 }, (_, i) => 100 + i), 4096, 5000, 16384]) {
      const text = bytesOf(length);
      const expected = sealedByNode(name, key, nonce, aad, text);
      const buffer = new Uint8Array(length + 30).subarray(length % 13);
      buffer.set(text);
      finish(aead.seal(buffer, 0, length, nonce, aad));
      expect(expected.compare(buffer.subarray(0, length + 16))).toBe(0);
      const budgets = [300, 1, 2000, 16, 700];
      let turn = 0;
      expect(finishWith(aead.open(buffer, 0, length, nonce, aad), () => budgets[turn++ % budgets.length]!)).toBe(true);
      expect(Buffer.compare(buffer.subarray(0, length), text)).toBe(0);
      buffer.set(expected);
      buffer[length - 1]! ^= 1;
      expect(finish(aead.open(buffer, 0, length, nonce, aad))).toBe(false);
    }
  });

  it("slicing costs nothing: a record in slices of 2000 units spends what it spends at once", () => {
    const aead = crypto.aead(name, bytesOf(keyBytes));
    const buffer = new Uint8Array(16384 + 16);
    const nonce = bytesOf(12);
    const spent = [1, 2000, Number.MAX_SAFE_INTEGER].map((budget) => {
      const task = aead.seal(buffer, 0, 16384, nonce, nonce);
      finishWith(task, () => budget);
      return task.spent;
    });
    expect(new Set(spent).size).toBe(1);
  });
});

describe.each([sha1, sha256, sha384, sha512])("$name against node:crypto", (algorithm: HashAlgorithm) => {
  const crypto = createCrypto();
  const { name } = algorithm;

  it("every length from 0 to 600 and those of records: hash and HMAC", () => {
    const key = bytesOf(algorithm.outputBytes);
    for (const length of [...Array.from({ length: 601 }, (_, i) => i), 4095, 16384]) {
      // A view that does not start where its memory does.
      const text = bytesOf(length + 3).subarray(3);
      const hash = algorithm.create();
      hash.update(text);
      expect(createHash(name).update(text).digest().compare(hash.digest())).toBe(0);
      expect(
        createHmac(name, key)
          .update(text)
          .digest()
          .compare(crypto.hmac(name, key, [text])),
      ).toBe(0);
    }
  });

  it("keys of HMAC of every length up to beyond two blocks", () => {
    const text = bytesOf(50);
    for (let length = 0; length <= 2 * algorithm.blockBytes + 2; length++) {
      const key = bytesOf(length);
      expect(
        createHmac(name, key)
          .update(text)
          .digest()
          .compare(crypto.hmac(name, key, [text])),
      ).toBe(0);
    }
  });

  it("the PRF at every length of secret and seed that moves a block's end, as its definition reads", () => {
    for (let length = 0; length <= 140; length++) {
      const [secret, seed] = [bytesOf(length), bytesOf(140 - length)];
      const input = Buffer.concat([Buffer.from("key expansion"), seed]);
      const mac = (data: Buffer) => createHmac(name, secret).update(data).digest();
      let a = mac(input);
      let expected = mac(Buffer.concat([a, input]));
      while (expected.length < 130) {
        a = mac(a);
        expected = Buffer.concat([expected, mac(Buffer.concat([a, input]))]);
      }
      const output = finish(crypto.prf(name, secret, "key expansion", seed, 130 - (length % 5)));
      expect(expected.subarray(0, output.length).compare(output)).toBe(0);
    }
  });
});
