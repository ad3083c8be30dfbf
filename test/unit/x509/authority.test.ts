import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Random } from "../../../src/ports.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { type IssuingPorts, issueUnder, selfSign } from "../../../src/tls/x509/authority.ts";
import { sequence, unsignedInteger } from "../../../src/tls/x509/der-write.ts";
import { parseCertificate, trustAnchors, verifyCertificate } from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, publicOf, random, rsaKey } from "./node-double.ts";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 15);
const crypto = nodeDouble();

function ports(more: { wallMs?: () => number | undefined; random?: Random } = {}): IssuingPorts {
  return { crypto, random: more.random ?? random, clock: { now: () => 0, wallMs: more.wallMs ?? (() => NOW) } };
}

function device(ca: ReturnType<typeof selfSign>, key: PrivateKey, days: number, on = ports()) {
  const certified = { subject: [["CN", "lamp"]] as const, publicKey: publicOf(key), days };
  return parseCertificate(issueUnder(ca, on, { ...certified, extensions: { extendedKeyUsage: ["clientAuth"] } }));
}

/** The first 160 bits of the SHA-256 of the BIT STRING of a public key. */
function identifier(key: PrivateKey): Uint8Array {
  const bits =
    key.type === "ec" ? key.point! : sequence(unsignedInteger(key.modulus), unsignedInteger(key.publicExponent));
  return new Uint8Array(createHash("sha256").update(bits).digest().subarray(0, 20));
}

describe("a CA and what it issues", () => {
  it.each([
    ["P-256", ecKey(), rsaKey()],
    ["RSA", rsaKey(), ecKey()],
  ])("of %s: a chain, with the key identifiers of RFC 7093 §2", (_, caKey, key) => {
    const ca = selfSign(caKey, ports(), { subject: [["CN", "CA"]], days: 10 });
    const { subjectKeyIdentifier } = parseCertificate(ca.certificate);
    expect(subjectKeyIdentifier).toEqual(identifier(caKey));
    const leaf = device(ca, key, 5);
    expect(leaf.subjectKeyIdentifier).toEqual(identifier(key));
    expect(leaf.authorityKeyIdentifier).toEqual({ keyIdentifier: subjectKeyIdentifier });
    const trust = trustAnchors(ca.certificate);
    expect(verifyCertificate({ purpose: "client", chain: [leaf.der], trust, at: NOW, crypto }).problems).toEqual([]);
  });

  it("nothing is valid longer, or earlier, than its CA", () => {
    const ca = selfSign(ecKey(), ports(), { subject: [["CN", "CA"]], days: 10 });
    const { notBefore, notAfter } = parseCertificate(ca.certificate);
    expect(notAfter).toBe(NOW + 10 * DAY);
    expect(device(ca, ecKey(), 5).notAfter).toBe(NOW + 5 * DAY);
    const early = device(ca, ecKey(), 50, ports({ wallMs: () => NOW - DAY }));
    expect([early.notBefore, early.notAfter]).toEqual([notBefore, notAfter]);
  });

  it("RFC 5280 §4.1.2.2 serial numbers are random, positive and never zero", () => {
    for (const octet of [0x00, 0xff]) {
      const stuck: Random = { fill: (bytes) => void bytes.fill(octet) };
      const ca = selfSign(ecKey(), ports({ random: stuck }), { subject: [["CN", "CA"]], days: 1 });
      const { serialNumber } = parseCertificate(ca.certificate);
      expect([serialNumber.length, serialNumber[0]! >= 0x40 && serialNumber[0]! < 0x80]).toEqual([16, true]);
    }
  });

  it("USAGE_INVALID_ARGUMENT where the time of day is unknown", () => {
    const act = () => selfSign(ecKey(), ports({ wallMs: () => undefined }), { subject: [["CN", "CA"]], days: 1 });
    expect(act).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
