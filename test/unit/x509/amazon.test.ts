import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes.ts";
import { createCrypto } from "../../../src/tls/crypto/create.ts";
import { amazonRoots } from "../../../src/tls/x509/amazon-roots.ts";
import {
  amazonTrust,
  parseCertificate,
  parseCertificateChain,
  type TrustAnchor,
  trustAnchors,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { NOW } from "./pki.ts";

const pem = readFileSync(new URL("amazon-roots.pem", import.meta.url), "utf8");
const files = [
  "Amazon_Root_CA_1",
  "Amazon_Root_CA_2",
  "Amazon_Root_CA_3",
  "Amazon_Root_CA_4",
  "Starfield_Services_Root_Certificate_Authority_-_G2",
];
/** As Amazon publishes them (amazontrust.com/repository) for its roots 1 to 4 and Starfield Services Root G2. */
const fingerprints = [
  "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
  "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
  "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
  "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
  "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
];

function withoutCertificates(trust: readonly TrustAnchor[]): readonly TrustAnchor[] {
  return trust.map(({ certificate: _, ...anchor }) => anchor);
}

describe("Amazon's roots", () => {
  it("RFC 5280 §6.1.1 d: name and key are those of the certificates with the published fingerprints", () => {
    const certificates = parseCertificateChain(pem);
    expect(certificates.map((der) => createHash("sha256").update(der).digest("hex"))).toEqual(fingerprints);
    expect(amazonRoots.map(({ sha256 }) => sha256)).toEqual(fingerprints);
    expect(amazonTrust.map(({ subject }) => toHex(subject))).toEqual(
      certificates.map((der) => toHex(parseCertificate(der).subject.der)),
    );
    expect(withoutCertificates(trustAnchors(pem))).toEqual(amazonTrust);
  });

  it.skipIf(!existsSync("/usr/share/ca-certificates/mozilla"))("are those of Debian's ca-certificates", () => {
    const found = files.map((file) => readFileSync(`/usr/share/ca-certificates/mozilla/${file}.crt`));
    const anchors = trustAnchors(found.map((file) => new Uint8Array(new X509Certificate(file).raw)));
    expect(withoutCertificates(anchors)).toEqual(amazonTrust);
    expect(amazonRoots.map(({ sha256 }) => sha256)).toEqual(
      found.map((file) => createHash("sha256").update(new X509Certificate(file).raw).digest("hex")),
    );
  });

  it("verify their own certificates with thingwire's own crypto: RSA 2048 and 4096, P-256, P-384", () => {
    const crypto = createCrypto();
    for (const der of parseCertificateChain(pem)) {
      const result = verifyCertificate({ purpose: "any", chain: [der], trust: amazonTrust, at: NOW, crypto });
      // Starfield's root is signed like the others; all five are CAs signed by themselves.
      expect(result.problems).toEqual([]);
    }
  });

  it("are cheap to load and not shared for writing", () => {
    expect(Object.isFrozen(amazonTrust)).toBe(true);
    expect(amazonTrust.map(({ label }) => label.replace(/.*CN = /, ""))).toEqual([
      "Amazon Root CA 1",
      "Amazon Root CA 2",
      "Amazon Root CA 3",
      "Amazon Root CA 4",
      "Starfield Services Root Certificate Authority - G2",
    ]);
  });
});
