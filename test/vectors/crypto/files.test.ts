/** Every file of the vectors is run, or is said here not to be, and why. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { vectorFiles, vectorsAvailable } from "../vectors.ts";

const NOT_BUILT: Readonly<Record<string, string>> = {
  aes_ccm: "no CCM suites: AWS IoT has none",
  ed25519: "no EdDSA: TLS 1.2 servers of AWS IoT have no such certificates",
  hkdf_sha1: "HKDF is of TLS 1.3",
  hkdf_sha256: "HKDF is of TLS 1.3",
  hkdf_sha384: "HKDF is of TLS 1.3",
  hkdf_sha512: "HKDF is of TLS 1.3",
};

describe.skipIf(!vectorsAvailable())("Wycheproof: files", () => {
  const here = new URL(".", import.meta.url);
  const suites = ["ecdh", "signatures", "symmetric", "x25519"]
    .map((name) => readFileSync(new URL(`${name}.test.ts`, here), "utf8"))
    .join();
  /** Suites name a file whole, or what stands behind its algorithm in a row of a table, or make the name of a curve's or hash's. */
  function isNamed(file: string): boolean {
    const row = /^(?:ecdsa|rsa_signature|rsa_pss|hmac|ecdh)_(.+?)(?:_ecpoint)?$/.exec(file);
    return suites.includes(`"${file}"`) || (row !== null && suites.includes(`"${row[1]}"`));
  }

  it("all are run but those of what is not built", () => {
    const files = vectorFiles("wycheproof")
      .filter((name) => name.endsWith("_test.json.gz"))
      .map((name) => name.replace("_test.json.gz", ""));
    expect(files.length).toBeGreaterThan(30);
    expect(files.filter((file) => !isNamed(file)).sort()).toEqual(Object.keys(NOT_BUILT).sort());
  });
});
