import { describe, expect, it } from "vitest";
import { isThingwireError } from "../../../src/errors.ts";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { vectorsAvailable } from "../vectors.ts";
import { eachCase, hex } from "./wycheproof.ts";

describe.skipIf(!vectorsAvailable())("Wycheproof: AEAD and MAC", () => {
  const crypto = createCrypto();

  it("NIST SP 800-38D AES-128-GCM and AES-256-GCM with nonces of 96 bits", () => {
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

  it.each(["sha256", "sha384", "sha512"] as const)("RFC 2104 HMAC with %s, tags whole and truncated", (name) => {
    const counts = eachCase(`hmac_${name}`, (test) => {
      const tag = hex(test["tag"]);
      const mac = crypto.hmac(name, hex(test["key"]), [hex(test["msg"])]).subarray(0, tag.length);
      expect(Buffer.compare(mac, tag) === 0).toBe(test.result === "valid");
    });
    expect(counts).toEqual({ valid: 66, invalid: 108, acceptable: 0 });
  });

  it("an algorithm that is not there is a mistake of the caller", () => {
    try {
      crypto.aead("chacha20-poly1305", new Uint8Array(32));
      expect.unreachable();
    } catch (error) {
      expect(isThingwireError(error) && error.code).toBe("USAGE_INVALID_ARGUMENT");
    }
  });
});
