/**
 * A part of x509-limbo (C2SP): chains for TLS servers. Where our verdict differs from theirs, the case stands in one of two tables with
 * the reason; whatever is not in the tables must agree. Under `profiles.strict` nothing that they refuse is accepted.
 */

import { describe, expect, it } from "vitest";
import {
  CertificateError,
  type Profile,
  parseCertificateChain,
  profiles,
  type TrustAnchor,
  trustAnchors,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { nodeDouble } from "../../unit/x509/node-double.ts";
import { loadVectors, vectorsAvailable } from "../vectors.ts";

interface Case {
  readonly id: string;
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly expected_peer_name: { readonly value: string };
  readonly validation_time: string | null;
  readonly max_chain_depth: number | null;
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
}

const ANCHOR =
  "an anchor is a name and a key (RFC 5280 §6.1.1 d): dates and form of the certificate around it do not count";
const KEY_IDENTIFIERS =
  "RFC 5280 §4.2.1.1 and §4.2.1.2 oblige CAs; key identifiers only help to build paths, and mbedTLS and openssl need none";
const SIGNING =
  "a TLS leaf with keyUsage needs digitalSignature (RFC 5246 §7.4.2, RFC 5280 §4.2.1.3; mbedTLS demands it too)";

/** They refuse, `profiles.secure` accepts: rules for CAs to keep that no verifier needs for its safety. `profiles.strict` refuses them. */
const lenient: Readonly<Record<string, string>> = {
  "rfc5280::aki::leaf-missing-aki": KEY_IDENTIFIERS,
  "rfc5280::aki::intermediate-missing-aki": KEY_IDENTIFIERS,
  "rfc5280::aki::cross-signed-root-missing-aki": KEY_IDENTIFIERS,
  "rfc5280::ski::root-missing-ski": KEY_IDENTIFIERS,
  "rfc5280::ski::intermediate-missing-ski": KEY_IDENTIFIERS,
  "rfc5280::pc::ica-noncritical-pc":
    "policies are not processed, and an extension that is not critical may be ignored (§4.2)",
  "rfc5280::san::underscore-dns": "hosts with an underscore exist; the name still has to match exactly",
  "rfc5280::serial::zero": "§4.1.2.2 asks verifiers to handle zero and negative serial numbers gracefully",
  "rfc5280::validity::expired-root": ANCHOR,
  "rfc5280::root-non-critical-basic-constraints": ANCHOR,
};

/** They accept, we refuse, whatever the profile. */
const stricter: Readonly<Record<string, string>> = {
  "pathlen::validation-ignores-pathlen-in-leaf": SIGNING,
  "rfc5280::ca-as-leaf": SIGNING,
};

/** They accept, only `profiles.strict` refuses. */
const contradicted: Readonly<Record<string, string>> = {
  "cve::cve-2024-0567":
    "its trusted root is cross-signed and has no authorityKeyIdentifier, for which cross-signed-root-missing-aki must be refused",
};

describe.skipIf(!vectorsAvailable())("x509-limbo", () => {
  const { testcases } = loadVectors("x509/x509-limbo-part.json.gz") as { testcases: readonly Case[] };
  const crypto = nodeDouble();

  function verdict(test: Case, profile: Profile): "SUCCESS" | "FAILURE" {
    let trust: readonly TrustAnchor[];
    try {
      trust = trustAnchors(test.trusted_certs);
    } catch (error) {
      if (error instanceof CertificateError) return "FAILURE";
      throw error;
    }
    const result = verifyCertificate({
      purpose: "server",
      serverName: test.expected_peer_name.value,
      chain: [test.peer_certificate, ...test.untrusted_intermediates].flatMap(parseCertificateChain),
      trust,
      at: test.validation_time === null ? Date.UTC(2026, 0, 1) : Date.parse(test.validation_time),
      crypto,
      profile,
      maxIntermediates: test.max_chain_depth ?? undefined,
    });
    return result.ok ? "SUCCESS" : "FAILURE";
  }

  it("x509-limbo: all 84 cases are there, and the tables name none that is not", () => {
    const ids = testcases.map(({ id }) => id);
    expect(ids).toHaveLength(84);
    expect(ids).toEqual(
      expect.arrayContaining([...Object.keys(lenient), ...Object.keys(stricter), ...Object.keys(contradicted)]),
    );
  });

  describe.each(["secure", "strict"] as const)("profiles.%s", (name) => {
    const differences = name === "strict" ? { ...contradicted, ...stricter } : { ...lenient, ...stricter };

    it.each(testcases.map((test) => [`x509-limbo ${test.id}`, test] as const))("%s", (_, test) => {
      const other = test.expected_result === "SUCCESS" ? "FAILURE" : "SUCCESS";
      expect(verdict(test, profiles[name])).toBe(test.id in differences ? other : test.expected_result);
    });

    it("nothing that they refuse is accepted but what the table names", () => {
      const accepted = testcases.filter(
        (test) => test.expected_result === "FAILURE" && verdict(test, profiles[name]) === "SUCCESS",
      );
      expect(accepted.map(({ id }) => id).sort()).toEqual(name === "strict" ? [] : Object.keys(lenient).sort());
    });
  });
});
