import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../src/bytes.ts";
import { contextTag, DerReader, tags } from "../../../src/tls/x509/der.ts";
import { element, explicit, objectIdentifier, sequence, set } from "../../../src/tls/x509/der-write.ts";
import { noNames } from "../../../src/tls/x509/extensions.ts";
import { encodeName } from "../../../src/tls/x509/issue.ts";
import { constraintViolation } from "../../../src/tls/x509/name-constraints.ts";
import { entity, parseCertificate } from "./pki.ts";

type Kind = "email" | "dns" | "directory" | "uri" | "ip" | "registered";
const tagOf = { email: 1, dns: 2, uri: 6, ip: 7, registered: 8 } as const;

function generalName(kind: Kind, value: string): Uint8Array {
  if (kind === "directory") return explicit(4, encodeName([["O", value]]));
  const octets = kind === "ip" ? Uint8Array.from(Buffer.from(value, "hex")) : utf8Encode(value);
  return element(contextTag(tagOf[kind], false), octets);
}

/** Whether a certificate with one name breaks one constraint, both read from DER as they would come. */
function breaks(which: "permitted" | "excluded", kind: Kind, constraint: string, name: string, nameKind: Kind = kind) {
  const subtrees = explicit(which === "permitted" ? 0 : 1, sequence(generalName(kind, constraint)));
  const issuer = entity({ extensions: { others: [{ oid: "2.5.29.30", critical: true, value: sequence(subtrees) }] } });
  const san = { oid: "2.5.29.17", critical: true, value: sequence(generalName(nameKind, name)) };
  const leaf = entity({ issuer, name: kind === "directory" ? [["O", name]] : [], extensions: { others: [san] } });
  return constraintViolation(parseCertificate(leaf.der), parseCertificate(issuer.der).nameConstraints!) !== undefined;
}

describe("RFC 5280 §4.2.1.10", () => {
  it.each([
    // kind, constraint, name, whether the name lies in the subtree
    ["dns", "example.com", "example.com", true],
    ["dns", "example.com", "a.b.EXAMPLE.com", true],
    ["dns", "example.com", "badexample.com", false],
    ["dns", ".example.com", "example.com", false],
    ["dns", ".example.com", "a.example.com", true],
    ["dns", "", "example.com", true],
    ["dns", "example.com", "*.example.com", true],
    ["ip", "0a000000ff000000", "0a010203", true],
    ["ip", "0a000000ff000000", "0b010203", false],
    ["ip", `20010db8${"00".repeat(12)}ffffffff${"00".repeat(12)}`, `20010db8${"11".repeat(12)}`, true],
    ["ip", "00000000000000000000000000000000".repeat(2), "0a010203", false],
    ["email", "user@example.com", "user@EXAMPLE.com", true],
    ["email", "user@example.com", "User@example.com", false],
    ["email", "example.com", "user@example.com", true],
    ["email", "example.com", "user@a.example.com", false],
    ["email", ".example.com", "user@a.example.com", true],
    ["email", ".example.com", "user@example.com", false],
    ["uri", "example.com", "https://user@example.com:8443/x", true],
    ["uri", "example.com", "https://a.example.com/", false],
    ["uri", ".example.com", "https://a.example.com/", true],
    ["directory", "Thing Co", "thing  co", true],
    ["directory", "Thing Co", "Other Co", false],
  ] as const)("%s: is %j the subtree of %j? %s", (kind, constraint, name, inside) => {
    expect(breaks("permitted", kind, constraint, name)).toBe(!inside);
    expect(breaks("excluded", kind, constraint, name)).toBe(inside);
  });

  it.each([
    ["uri", "example.com", "urn:example:thing"],
    ["uri", "example.com", "https://192.0.2.1/"],
    ["uri", "example.com", "https://exa mple.com/"],
    ["email", "example.com", "user@exa mple.com"],
    ["email", "example.com", "example.com"],
    ["email", "example.com", "@example.com"],
    ["dns", "example.com", "foo example.com"],
    ["registered", "\u002a", "\u002a"],
  ] as const)("%s: what cannot be compared is outside of %j and excluded: %j", (kind, constraint, name) => {
    expect(breaks("permitted", kind, constraint, name)).toBe(true);
    expect(breaks("excluded", kind, constraint, name)).toBe(true);
  });

  it.each([
    ["dns", "*.example.com", "thing.example.com"],
    ["dns", "example.com.", "thing.example.com"],
    ["dns", " example.com", "thing.example.com"],
    ["dns", "..example.com", "thing.example.com"],
    ["dns", ".", "thing.example.com"],
    ["email", "@example.com", "user@example.com"],
    ["email", "user@example.com.", "user@example.com"],
    ["email", "example.com.", "user@example.com"],
    ["uri", "https://example.com", "https://example.com/"],
  ] as const)(
    "%s: a constraint that is malformed permits nothing, and excludes everything: %j",
    (kind, constraint, name) => {
      expect(breaks("permitted", kind, constraint, name)).toBe(true);
      expect(breaks("excluded", kind, constraint, name)).toBe(true);
    },
  );

  it("a range by hand that has no mask excludes every address", () => {
    const leaf = parseCertificate(entity({ extensions: { ipAddresses: ["10.1.2.3"] } }).der);
    const excluded = (...range: number[]) =>
      constraintViolation(leaf, { permitted: noNames, excluded: { ...noNames, ip: [Uint8Array.from(range)] } });
    expect(excluded(11, 0, 0, 0)).toBeDefined();
    expect(excluded(11, 0, 0, 0, 255, 0, 0, 0)).toBeUndefined();
  });

  it("an RDN of several attributes is the same in any order", () => {
    const one = entity({ name: [["O", "Thing Co"]] }).name;
    const [first, second] = [
      ["O", "Thing Co"],
      ["OU", "Bad"],
    ] as const;
    const attribute = (pair: readonly [string, string]): Uint8Array =>
      new DerReader(encodeName([pair]), "name", "X509_NAME").sequence("").contents("", tags.SET);
    const rdn = (...pairs: (readonly [string, string])[]) => sequence(element(tags.SET, ...pairs.map(attribute)));
    const base = sequence(explicit(1, sequence(explicit(4, rdn(first, second)))));
    const issuer = entity({ name: one, extensions: { others: [{ oid: "2.5.29.30", critical: true, value: base }] } });
    const constraints = parseCertificate(issuer.der).nameConstraints!;
    for (const name of [rdn(first, second), rdn(second, first)])
      expect(constraintViolation(parseCertificate(entity({ issuer, name }).der), constraints)).toBeDefined();
    expect(
      constraintViolation(parseCertificate(entity({ issuer, name: rdn(first) }).der), constraints),
    ).toBeUndefined();
  });

  it("a wildcard is excluded where one of its names is, and permitted only where all are", () => {
    expect(breaks("excluded", "dns", "foo.example.com", "*.example.com")).toBe(true);
    expect(breaks("excluded", "dns", "a.foo.example.com", "*.example.com")).toBe(false);
    expect(breaks("permitted", "dns", "foo.example.com", "*.example.com")).toBe(true);
  });

  it("names of another kind are not constrained", () => {
    expect(breaks("permitted", "dns", "example.com", "user@example.org", "email")).toBe(false);
    expect(breaks("permitted", "email", "example.com", "example.org", "dns")).toBe(false);
  });

  it("a mailbox in the subject counts where there is no subjectAltName", () => {
    const mailbox = sequence(
      objectIdentifier("1.2.840.113549.1.9.1"),
      element(tags.IA5_STRING, utf8Encode("a@example.org")),
    );
    const subtrees = explicit(0, sequence(generalName("email", "example.com")));
    const issuer = entity({
      extensions: { others: [{ oid: "2.5.29.30", critical: true, value: sequence(subtrees) }] },
    });
    const constraints = parseCertificate(issuer.der).nameConstraints!;
    const leaf = parseCertificate(entity({ issuer, name: sequence(set(mailbox)) }).der);
    expect(constraintViolation(leaf, constraints)).toMatch(/mailbox a@example.org/);
  });
});
