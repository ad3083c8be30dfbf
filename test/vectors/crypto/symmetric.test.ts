import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import { isThingwireError } from "../../../src/errors.ts";
import { finish } from "../../../src/task.ts";
import { AesCbc } from "../../../src/tls/crypto/aes-cbc.ts";
import { tableAes } from "../../../src/tls/crypto/aes-form.ts";
import { smallAes } from "../../../src/tls/crypto/aes-small.ts";
import { createCrypto, createSmallCrypto } from "../../../src/tls/crypto/index.ts";
import { vectorsAvailable } from "../vectors.ts";
import { eachCase, hex } from "./wycheproof.ts";

describe.skipIf(!vectorsAvailable())("Wycheproof: AEAD and MAC", () => {
  const crypto = createCrypto();

  it.each([
    { tables: "large", crypto },
    { tables: "small", crypto: createSmallCrypto() },
  ])("NIST SP 800-38D AES-128-GCM and AES-256-GCM with nonces of 96 bits, $tables tables", ({ crypto }) => {
    const counts = { run: 0, otherNonce: 0, otherKey: 0, forged: 0 };
    const all = eachCase("aes_gcm", (test, group) => {
      const key = hex(test["key"]);
      if (key.length === 24) {
        counts.otherKey++;
        expect(() => crypto.aead("aes-256-gcm", key)).toThrow("a key of aes-256-gcm has 32 bytes");
        return;
      }
      const aead = crypto.aead(key.length === 16 ? "aes-128-gcm" : "aes-256-gcm", key);
      const [nonce, aad, message] = [hex(test["iv"]), hex(test["aad"]), hex(test["msg"])];
      const sealed = new Uint8Array([...hex(test["ct"]), ...hex(test["tag"])]);
      if (nonce.length !== 12) {
        counts.otherNonce++;
        expect(() => aead.seal(sealed, 0, message.length, nonce, aad)).toThrow("an AEAD nonce has 12 bytes");
        return;
      }
      counts.run++;
      expect(group["tagSize"]).toBe(128);
      const buffer = sealed.slice();
      const opened = finish(aead.open(buffer, 0, message.length, nonce, aad));
      expect(opened).toBe(test.result === "valid");
      if (opened) {
        expect(buffer.subarray(0, message.length)).toEqual(message);
        finish(aead.seal(buffer, 0, message.length, nonce, aad));
        expect(buffer).toEqual(sealed);
      } else {
        counts.forged++;
        expect(buffer.subarray(0, message.length).every((byte) => byte === 0)).toBe(true);
      }
    });
    expect(counts).toEqual({ run: 133, otherNonce: 80, otherKey: 103, forged: 54 });
    expect(all).toEqual({ valid: 229, invalid: 87, acceptable: 0 });
  });

  it("RFC 8439 §2.8 ChaCha20-Poly1305 with nonces of 96 bits", () => {
    const counts = { run: 0, otherNonce: 0, forged: 0 };
    const all = eachCase("chacha20_poly1305", (test, group) => {
      const aead = crypto.aead("chacha20-poly1305", hex(test["key"]));
      const [nonce, aad, message] = [hex(test["iv"]), hex(test["aad"]), hex(test["msg"])];
      const sealed = new Uint8Array([...hex(test["ct"]), ...hex(test["tag"])]);
      if (nonce.length !== 12) {
        counts.otherNonce++;
        expect(() => aead.seal(sealed, 0, message.length, nonce, aad)).toThrow("an AEAD nonce has 12 bytes");
        return;
      }
      counts.run++;
      expect(group["tagSize"]).toBe(128);
      const buffer = sealed.slice();
      const opened = finish(aead.open(buffer, 0, message.length, nonce, aad));
      expect(opened).toBe(test.result === "valid");
      if (opened) {
        expect(buffer.subarray(0, message.length)).toEqual(message);
        finish(aead.seal(buffer, 0, message.length, nonce, aad));
        expect(buffer).toEqual(sealed);
      } else {
        counts.forged++;
        expect(buffer.subarray(0, message.length).every((byte) => byte === 0)).toBe(true);
      }
    });
    expect(counts).toEqual({ run: 316, otherNonce: 9, forged: 60 });
    expect(all).toEqual({ valid: 256, invalid: 69, acceptable: 0 });
  });

  it.each([
    { tables: "large", aes: tableAes() },
    { tables: "small", aes: smallAes() },
  ])("NIST SP 800-38A §6.2 AES-CBC, $tables tables; the padding of PKCS #7 is made and judged here", ({ aes }) => {
    const counts = { run: 0, otherKey: 0, badPadding: 0 };
    const all = eachCase("aes_cbc_pkcs5", (test) => {
      const [key, iv, message, ct] = [hex(test["key"]), hex(test["iv"]), hex(test["msg"]), hex(test["ct"])];
      if (key.length === 24) {
        counts.otherKey++;
        return;
      }
      counts.run++;
      const buffer = ct.slice();
      const whole = ct.length - (ct.length % 16);
      const decrypt = new AesCbc(aes, key, "decrypt");
      decrypt.start(iv, 0);
      decrypt.decrypt(buffer, 0, whole);
      const padding = buffer[whole - 1] ?? 0;
      const good =
        whole === ct.length &&
        padding >= 1 &&
        padding <= 16 &&
        buffer.subarray(whole - padding).every((byte) => byte === padding);
      expect(good && toHex(buffer.subarray(0, whole - padding)) === toHex(message)).toBe(test.result === "valid");
      if (test.result !== "valid") {
        counts.badPadding++;
        return;
      }
      const encrypt = new AesCbc(aes, key, "encrypt");
      encrypt.start(iv, 0);
      encrypt.encrypt(buffer, 0, whole);
      expect(buffer).toEqual(ct);
    });
    expect(counts).toEqual({ run: 144, otherKey: 72, badPadding: 96 });
    expect(all).toEqual({ valid: 72, invalid: 144, acceptable: 0 });
  });

  it.each(["sha1", "sha256", "sha384", "sha512"] as const)(
    "RFC 2104 HMAC with %s, tags whole and truncated",
    (name) => {
      const counts = eachCase(`hmac_${name}`, (test) => {
        const tag = hex(test["tag"]);
        const mac = crypto.hmac(name, hex(test["key"]), [hex(test["msg"])]).subarray(0, tag.length);
        expect(Buffer.compare(mac, tag) === 0).toBe(test.result === "valid");
      });
      expect(counts).toEqual({ valid: 66, invalid: name === "sha1" ? 104 : 108, acceptable: 0 });
    },
  );

  it("an algorithm that is not there is a mistake of the caller", () => {
    try {
      crypto.aead("aes-192-gcm" as never, new Uint8Array(24));
      expect.unreachable();
    } catch (error) {
      expect(isThingwireError(error) && error.code).toBe("USAGE_INVALID_ARGUMENT");
    }
  });
});
