/** What the checks of `verify.ts` prove can be read from the proofs that they give. */
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import * as suites from "../../../src/tls/suites.ts";
import { verifyFinished, verifyPeer } from "../../../src/tls/verify.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { der, options, trust } from "./client.ts";
import { ecServerCertificate } from "./fixtures.ts";

describe("a proof", () => {
  it("RFC 5246 §7.4.9 of Finished is the peer's verify_data; another one gives none", () => {
    const expected = Uint8Array.from({ length: 12 }, (_, i) => i);
    expect(verifyFinished(expected, expected.slice()).verifyData).toEqual(expected);
    for (const received of [expected.map((byte, i) => (i === 11 ? byte ^ 1 : byte)), expected.subarray(1)])
      expect(() => verifyFinished(expected, received)).toThrow(expect.objectContaining({ code: "TLS_BAD_FINISHED" }));
  });

  it("RFC 5280 §6.1 of a chain is its path, the anchor that it leads to, and the key of the leaf", () => {
    const leaf = parseCertificate(der(ecServerCertificate));
    const suite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    const proof = finish(verifyPeer(checkOptions(options()), suite, [leaf.der], undefined));
    expect(proof.path.map((certificate) => certificate.der)).toEqual([leaf.der]);
    expect(proof.anchor).toBe(trust[0]);
    expect(proof.publicKey).toEqual(leaf.publicKey);
  });
});
