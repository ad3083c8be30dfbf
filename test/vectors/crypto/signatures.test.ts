import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { CurveName, HashName, PublicKey, SignatureKind } from "../../../src/tls/crypto/provider.ts";
import { vectorsAvailable } from "../vectors.ts";
import { type Case, type Counts, eachCase, type Group, hex, integer } from "./wycheproof.ts";

const onBigInt = createCrypto({ arithmetic: "bigint" });
const onLimbs = createCrypto({ arithmetic: "limbs" });
const onSmallTables = createCrypto({ arithmetic: "limbs", tables: "small" });

function verify(kind: SignatureKind, hash: HashName, key: PublicKey, test: Case, crypto = onBigInt): boolean {
  const digest = new Uint8Array(createHash(hash).update(hex(test["msg"])).digest());
  return finish(crypto.verify({ kind, hash }, key, digest, hex(test["sig"])));
}

function hashOf(group: Group): HashName {
  return (group["sha"] as string).replace("SHA-", "sha") as HashName;
}

describe.skipIf(!vectorsAvailable())("Wycheproof: signatures", () => {
  it.each<{ file: string } & Counts>([
    { file: "secp256r1_sha256", valid: 174, invalid: 310, acceptable: 0 },
    { file: "secp256r1_sha512", valid: 243, invalid: 311, acceptable: 0 },
    { file: "secp384r1_sha256", valid: 162, invalid: 310, acceptable: 0 },
    { file: "secp384r1_sha384", valid: 194, invalid: 310, acceptable: 0 },
    { file: "secp384r1_sha512", valid: 231, invalid: 311, acceptable: 0 },
    { file: "secp521r1_sha512", valid: 232, invalid: 310, acceptable: 0 },
  ])("FIPS 186-5 §6.4.2 ECDSA $file: exactly the valid signatures verify", ({ file, ...expected }) => {
    const counts = eachCase(`ecdsa_${file}`, (test, group) => {
      const { curve, uncompressed } = group["publicKey"] as { curve: CurveName; uncompressed: string };
      const key: PublicKey = { type: "ec", curve, point: hex(uncompressed) };
      expect(verify("ecdsa", hashOf(group), key, test)).toBe(test.result === "valid");
      if (curve === "secp256r1")
        for (const crypto of [onLimbs, onSmallTables])
          expect(verify("ecdsa", hashOf(group), key, test, crypto)).toBe(test.result === "valid");
    });
    expect(counts).toEqual(expected);
  });

  it.each<{ file: string } & Counts>([
    { file: "2048_sha256", valid: 9, invalid: 249, acceptable: 1 },
    { file: "2048_sha384", valid: 7, invalid: 250, acceptable: 1 },
    { file: "2048_sha512", valid: 8, invalid: 250, acceptable: 1 },
    { file: "3072_sha256", valid: 8, invalid: 250, acceptable: 1 },
    { file: "3072_sha384", valid: 7, invalid: 251, acceptable: 1 },
    { file: "3072_sha512", valid: 8, invalid: 251, acceptable: 1 },
    { file: "4096_sha256", valid: 7, invalid: 250, acceptable: 1 },
    { file: "4096_sha384", valid: 7, invalid: 251, acceptable: 1 },
    { file: "4096_sha512", valid: 7, invalid: 251, acceptable: 1 },
  ])("RFC 8017 §8.2.2 RSA PKCS#1 v1.5 $file: exactly the valid signatures verify", ({ file, ...expected }) => {
    // Acceptable is a DigestInfo without its NULL, which the encoding of RFC 8017 §9.2 does not allow.
    expect(rsa("rsa-pkcs1", `rsa_signature_${file}`)).toEqual(expected);
  });

  it.each<{ file: string } & Counts>([
    { file: "2048_sha256_mgf1_32", valid: 63, invalid: 45, acceptable: 0 },
    { file: "2048_sha384_mgf1_48", valid: 95, invalid: 46, acceptable: 0 },
    { file: "3072_sha256_mgf1_32", valid: 63, invalid: 45, acceptable: 0 },
    { file: "4096_sha256_mgf1_32", valid: 63, invalid: 45, acceptable: 0 },
    { file: "4096_sha384_mgf1_48", valid: 95, invalid: 46, acceptable: 0 },
    { file: "4096_sha512_mgf1_64", valid: 132, invalid: 47, acceptable: 0 },
  ])("RFC 8017 §8.1.2 RSA PSS $file: exactly the valid signatures verify", ({ file, ...expected }) => {
    expect(rsa("rsa-pss", `rsa_pss_${file}`)).toEqual(expected);
  });
});

function rsa(kind: SignatureKind, file: string): Counts {
  return eachCase(file, (test, group) => {
    const { modulus, publicExponent } = group["publicKey"] as { modulus: string; publicExponent: string };
    const key: PublicKey = { type: "rsa", modulus: integer(modulus), exponent: integer(publicExponent) };
    expect(verify(kind, hashOf(group), key, test)).toBe(test.result === "valid");
  });
}
