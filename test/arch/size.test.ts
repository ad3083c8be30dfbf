import { describe, expect, it } from "vitest";
import { entries, sizeOf } from "../../scripts/size.ts";

describe("what thingwire/tls/x509 weighs in a bundle, without crypto", () => {
  it.each(entries)("$title: at most $most bytes gzipped", async ({ imports, most }) => {
    const { gzipped } = await sizeOf(imports);
    expect(gzipped).toBeLessThanOrEqual(most);
    // So that the bound follows what is saved.
    expect(gzipped).toBeGreaterThan(most * 0.9);
  });

  it("a verification carries nothing of CRLs, OCSP, private keys, requests, issuing and describing", async () => {
    const { concepts } = await sizeOf("parseCertificate, verifyCertificate, trustAnchors");
    expect(concepts.map(([concept]) => concept)).not.toContain("CRLs and OCSP");
    expect(Object.fromEntries(concepts)["the rest"]).toBeLessThan(1500); // bytes.ts, and nothing else
  });
});
