import { describe, expect, it } from "vitest";
import { element, objectIdentifier, sequence } from "../../../src/tls/x509/der-write.ts";
import {
  authorityInfoAccess,
  certificatePolicies,
  crlLocations,
  describe as describeCertificate,
  parseCertificate,
} from "../../../src/tls/x509/index.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { entity } from "./pki.ts";

const uri = (text: string) => element(0x86, new TextEncoder().encode(text));
const NO_NAMES = { dns: [], ip: [], email: [], uri: [], directory: [], other: [] };

function withExtension(oid: string, value: Uint8Array, critical = false) {
  return parseCertificate(entity({ extensions: { others: [{ oid, critical, value }] } }).der);
}

describe("RFC 5280 §4.2.2.1 authority information access", () => {
  const access = (...descriptions: Uint8Array[]) => withExtension(oids.authorityInfoAccess, sequence(...descriptions));

  it("methods and locations, in order", () => {
    const certificate = access(
      sequence(objectIdentifier("1.3.6.1.5.5.7.48.1"), uri("http://ocsp.example")),
      sequence(objectIdentifier("1.3.6.1.5.5.7.48.2"), uri("http://ca.example/ca.cer")),
    );
    expect(authorityInfoAccess(certificate)).toEqual([
      { method: "1.3.6.1.5.5.7.48.1", location: { ...NO_NAMES, uri: ["http://ocsp.example"] } },
      { method: "1.3.6.1.5.5.7.48.2", location: { ...NO_NAMES, uri: ["http://ca.example/ca.cer"] } },
    ]);
    expect(describeCertificate(certificate)).toContain(
      "Authority Information Access:\n                OCSP - URI:http://ocsp.example\n                CA Issuers - URI:http://ca.example/ca.cer\n",
    );
  });

  it("is empty where there is none, and malformed where it is", () => {
    expect(authorityInfoAccess(parseCertificate(entity({}).der))).toEqual([]);
    const id = objectIdentifier("1.3.6.1.5.5.7.48.1");
    for (const bad of [
      access(),
      access(sequence(id)),
      access(sequence(id, uri("a"), uri("b"))),
      access(id),
      withExtension(oids.authorityInfoAccess, Uint8Array.of(0x30, 0x80)),
    ]) {
      expect(() => authorityInfoAccess(bad)).toThrow(expect.objectContaining({ code: "X509_EXTENSION" }));
      expect(describeCertificate(bad)).toContain("Authority Information Access:\n                30");
    }
    const many = access(...new Array<Uint8Array>(33).fill(sequence(id, uri("a"))));
    expect(() => authorityInfoAccess(many)).toThrow(expect.objectContaining({ code: "X509_LIMIT" }));
  });

  it("§4.2.2.1 critical: not understood, as it must not be", () => {
    expect(withExtension(oids.authorityInfoAccess, sequence(), true).unknownCritical).toEqual([
      oids.authorityInfoAccess,
    ]);
  });
});

describe("RFC 5280 §4.2.1.13 CRL distribution points", () => {
  it("their URIs, escaped", () => {
    const point = (text: string) => sequence(element(0xa0, element(0xa0, uri(text))));
    const certificate = withExtension(
      oids.cRLDistributionPoints,
      sequence(point("http://a.example/1.crl"), point("b\n")),
    );
    expect(crlLocations(certificate)).toEqual(["http://a.example/1.crl", "b\\u{a}"]);
    expect(describeCertificate(certificate)).toContain("URI:http://a.example/1.crl\n                URI:b\\u{a}\n");
    expect(crlLocations(parseCertificate(entity({}).der))).toEqual([]);
  });
});

describe("RFC 5280 §4.2.1.4 certificate policies", () => {
  const policy = (oid: string, ...qualifiers: Uint8Array[]) =>
    sequence(objectIdentifier(oid), ...(qualifiers.length === 0 ? [] : [sequence(...qualifiers)]));
  const qualifier = sequence(objectIdentifier("1.3.6.1.5.5.7.2.1"), element(0x16, new TextEncoder().encode("x")));
  const policies = (...all: Uint8Array[]) => withExtension(oids.certificatePolicies, sequence(...all), true);

  it("are read, critical or not, and shown", () => {
    const certificate = policies(policy("1.2.3"), policy("2.23.140.1.2.1", qualifier, qualifier));
    expect(certificatePolicies(certificate)).toEqual(["1.2.3", "2.23.140.1.2.1"]);
    expect(certificate.unknownCritical).toEqual([]);
    expect(describeCertificate(certificate)).toContain("Policy: 1.2.3\n                Policy: 2.23.140.1.2.1\n");
  });

  it.each<[string, () => unknown, string]>([
    ["an empty list", () => policies(), "X509_EXTENSION"],
    ["a policy twice", () => policies(policy("1.2.3"), policy("1.2.3")), "X509_EXTENSION"],
    ["a policy that is no OID", () => policies(sequence(uri("a"))), "X509_EXTENSION"],
    ["empty qualifiers", () => policies(sequence(objectIdentifier("1.2.3"), sequence())), "X509_EXTENSION"],
    [
      "a qualifier without its value",
      () => policies(policy("1.2.3", sequence(objectIdentifier("1.2.4")))),
      "X509_EXTENSION",
    ],
    [
      "something behind the qualifiers",
      () => policies(sequence(objectIdentifier("1.2.3"), sequence(qualifier), uri("a"))),
      "X509_EXTENSION",
    ],
    ["65 policies", () => policies(...Array.from({ length: 65 }, (_, i) => policy(`1.2.${i}`))), "X509_LIMIT"],
  ])("%s is refused", (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
