/**
 * NIST PKITS 1.0.1 with CRLs, which must cover every certificate (hard-fail): sections 4 (basic revocation), 5 (self-issued
 * certificates and their CRLs) and 14 (distribution points, indirect CRLs), the two tests of section 7 about cRLSign, and that of section 15
 * which shows that a delta CRL is not taken for a whole one. All come out as PKITS says, the invalid ones for the reason named here.
 */

import { describe, expect, it } from "vitest";
import {
  CertificateError,
  type CertificateList,
  certificateLists,
  revocationChecks,
  trustAnchors,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { nodeDouble } from "../../unit/x509/node-double.ts";
import { vectorsAvailable } from "../vectors.ts";
import { loadPkits } from "./pkits.ts";

/** Why the ones that must fail do; `X509_REVOKED` where nothing is said. */
const REASONS: Readonly<Record<string, readonly string[]>> = {
  "4.4.1": ["X509_REVOCATION_UNKNOWN"],
  "4.4.4": ["X509_REVOCATION_UNKNOWN"],
  "4.4.5": ["X509_REVOCATION_UNKNOWN"],
  "4.4.6": ["X509_REVOCATION_UNKNOWN"],
  "4.14.3": ["X509_REVOCATION_UNKNOWN"],
  "4.14.8": ["X509_REVOCATION_UNKNOWN"],
  "4.14.9": ["X509_REVOCATION_UNKNOWN"],
  "4.14.11": ["X509_REVOCATION_UNKNOWN"],
  "4.14.12": ["X509_REVOCATION_UNKNOWN"],
  "4.14.14": ["X509_REVOCATION_UNKNOWN"],
  "4.14.17": ["X509_REVOCATION_UNKNOWN"],
  "4.14.26": ["X509_REVOCATION_UNKNOWN"],
  "4.14.27": ["X509_REVOCATION_UNKNOWN"],
  "4.14.35": ["X509_REVOCATION_UNKNOWN"],
  "4.4.8": ["X509_CRL_UNUSABLE"],
  "4.4.9": ["X509_CRL_UNUSABLE"],
  "4.4.10": ["X509_CRL_UNUSABLE"],
  "4.4.11": ["X509_CRL_EXPIRED"],
  "4.4.12": ["X509_CRL_EXPIRED"],
  "4.4.21": ["X509_CRL_NOT_TRUSTED"],
  "4.7.4": ["X509_CRL_NOT_TRUSTED"],
  "4.7.5": ["X509_CRL_NOT_TRUSTED"],
  "4.15.1": ["X509_CRL_UNUSABLE"],
  "4.5.8": ["X509_NOT_A_CA", "X509_NOT_A_CA"],
};

describe.skipIf(!vectorsAvailable())("NIST PKITS 1.0.1 with CRLs", () => {
  const { tests, certificate, crl, titled } = loadPkits();
  const crypto = nodeDouble();
  const chosen = tests.filter(
    ({ id, section }) => [4, 5, 14].includes(section) || /^pkits::4\.(7\.[45]|15\.1):/.test(id),
  );
  /** The CRL of 4.4.4 has a signature that is no whole number of octets: it is refused unread, and then misses. */
  const lists = (name: string): readonly CertificateList[] => {
    try {
      return certificateLists(crl(name));
    } catch (error) {
      if (error instanceof CertificateError && name === "BadCRLSignatureCACRL") return [];
      throw error;
    }
  };

  it("PKITS: the 67 tests of sections 4, 5, 14 and of 4.7.4, 4.7.5, 4.15.1 are there", () => {
    expect(chosen).toHaveLength(67);
  });

  it.each(titled(chosen))("%s", (_, test) => {
    const [root, ...below] = test.chain;
    const result = verifyCertificate({
      purpose: "any",
      chain: below.reverse().map(certificate),
      trust: trustAnchors(certificate(root!)),
      revocation: revocationChecks({ crls: test.crls.flatMap(lists) }),
      at: Date.parse(test.time),
      crypto,
    });
    const number = /\d+\.\d+\.\d+/.exec(test.id)![0];
    const codes = result.problems.map(({ code }) => code);
    expect(result.ok ? "SUCCESS" : "FAILURE").toBe(test.expected);
    if (test.expected === "FAILURE") expect(codes).toEqual(REASONS[number] ?? ["X509_REVOKED"]);
    expect(result.flags === 0).toBe(result.ok);
  });
});
