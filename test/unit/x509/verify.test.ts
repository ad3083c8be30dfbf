import { beforeAll, describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { booleanValue, element, octetString, sequence } from "../../../src/tls/x509/der-write.ts";
import {
  certificateErrors,
  certificateVerification,
  issueCertificate,
  profiles,
  type TrustAnchor,
  verificationFlags,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, publicOf, random, rsaKey } from "./node-double.ts";
import {
  anchors,
  ca,
  check,
  codes,
  crypto,
  DAY,
  type Entity,
  entity,
  NOW,
  server,
  subjects,
  withAlgorithm,
} from "./pki.ts";

let root: Entity;
let sub: Entity;
let leaf: Entity;
let trust: readonly TrustAnchor[];
beforeAll(() => {
  root = ca("root");
  sub = ca("sub", root);
  leaf = server(sub);
  trust = anchors(root);
});

describe("a chain that is right", () => {
  it("RFC 5280 §6.1 leads from the leaf over the intermediate to the anchor", () => {
    const result = check([leaf, sub], trust);
    expect(codes(result)).toEqual([]);
    expect(subjects(result)).toEqual(["CN = server", "CN = sub"]);
    expect(result.anchor).toBe(trust[0]);
    expect(result.flags).toBe(0);
  });

  it("RFC 4158 §2.4 order, surplus, duplicates and the root itself do not matter", () => {
    const other = ca("other");
    const chain = [leaf, other, root, sub, sub, server(other), leaf];
    expect(subjects(check(chain, [...anchors(other), ...trust]))).toEqual(["CN = server", "CN = sub"]);
  });

  it("ends at the first anchor: a cross-signed root in the chain is not needed", () => {
    const old = ca("old root");
    const crossed = ca("root", old, { key: root.key });
    expect(subjects(check([leaf, sub, crossed], trust))).toEqual(["CN = server", "CN = sub"]);
    expect(subjects(check([leaf, sub, crossed], anchors(old)))).toEqual(["CN = server", "CN = sub", "CN = root"]);
  });

  it("tries every anchor of a name, whatever its key", () => {
    const impostors = [ca("root"), ca("root", undefined, { key: rsaKey() }), ca("root")];
    const all = anchors(...impostors, root);
    const result = check([leaf, sub], all);
    expect(codes(result)).toEqual([]);
    expect(result.anchor).toBe(all[3]);
  });

  it("finds the way back from an expired intermediate to one that is valid", () => {
    const expired = ca("sub", root, { key: sub.key, notBefore: NOW - 3 * DAY, notAfter: NOW - DAY });
    for (const chain of [
      [leaf, expired, sub],
      [leaf, sub, expired],
    ])
      expect(codes(check(chain, trust))).toEqual([]);
    expect(codes(check([leaf, expired], trust))).toEqual(["X509_EXPIRED"]);
  });

  it("backtracks from a branch that leads nowhere", () => {
    const dead = ca("sub", ca("nobody"), { key: sub.key });
    expect(codes(check([leaf, dead, sub], trust))).toEqual([]);
  });

  it("RFC 5280 §6.1 ends in a loop of CAs that sign each other", () => {
    const a = ca("a");
    const b = ca("b", a);
    const aByB = ca("a", b, { key: a.key });
    const result = check([server(a), a, aByB, b], trust);
    expect(codes(result)).toContain("X509_NOT_TRUSTED");
    expect(codes(check([server(a), a, aByB, b], anchors(b)))).toEqual([]);
  });

  it("matches names as RFC 5280 §7.1 does: case and spaces fold, other names do not", () => {
    const key = ecKey();
    const made = ca("Local  CA", undefined, { key });
    const asWritten: Entity = { ...made, name: [["CN", "local ca"]] };
    expect(codes(check([server(asWritten)], anchors(made)))).toEqual([]);
    expect(codes(check([server({ ...made, name: [["CN", "localca"]] })], anchors(made)))).toEqual(["X509_NOT_TRUSTED"]);
  });

  it.each(["secp256r1", "secp384r1", "secp521r1"] as const)("verifies signatures of %s keys", (curve) => {
    const issuer = ca("ec", undefined, { key: ecKey(curve) });
    expect(codes(check([server(issuer)], anchors(issuer)))).toEqual([]);
  });

  it("verifies signatures of RSA keys", () => {
    const issuer = ca("rsa", undefined, { key: rsaKey() });
    expect(codes(check([server(issuer)], anchors(issuer)))).toEqual([]);
  });
});

describe("a chain that is not trusted", () => {
  it("RFC 5280 §6.1.3 a 1: an unlinked leaf with a genuine intermediate is refused", () => {
    const forged = server({ ...sub, key: ecKey() });
    const result = check([forged, sub], trust);
    expect(codes(result)).toEqual(["X509_BAD_SIGNATURE"]);
    expect(result.flags).toBe(verificationFlags.NOT_TRUSTED);
    expect(result.problems[0]).toMatchObject({ index: 0, certificate: "CN = server", rule: "RFC 5280 §6.1.3 a 1" });
  });

  it("RFC 5280 §6.1.3 a 1: an anchor's name without its key is refused", () => {
    expect(codes(check([leaf, ca("sub", { ...root, key: ecKey() }, { key: sub.key })], trust))).toEqual([
      "X509_BAD_SIGNATURE",
    ]);
  });

  it("RFC 5280 §6.1.3 a 4: an issuer that is not there is named", () => {
    const result = check([leaf], trust);
    expect(codes(result)).toEqual(["X509_NOT_TRUSTED"]);
    expect(result.problems[0]!.message).toContain("CN = sub");
    expect(result.anchor).toBeUndefined();
  });

  it("without anchors nothing is trusted", () => {
    expect(codes(check([leaf, sub, root], []))).toEqual(["X509_NOT_TRUSTED"]);
  });

  it("an untrusted self-signed leaf is refused, a trusted one accepted, and one with its name and another key refused", () => {
    const own = server(undefined, { extensions: { keyUsage: ["digitalSignature"] } });
    expect(codes(check([own], trust))).toEqual(["X509_NOT_TRUSTED"]);
    expect(codes(check([own], anchors(own)))).toEqual([]);
    expect(codes(check([server(undefined)], anchors(own)))).toEqual(["X509_NOT_A_CA"]);
  });

  it("a leaf with a trusted key under a foreign issuer is refused", () => {
    const own = server(undefined);
    const byStranger = server(ca("stranger"), { key: own.key });
    expect(codes(check([byStranger], anchors(own)))).toEqual(["X509_NOT_TRUSTED"]);
  });

  it("RFC 5280 §6.1.4 k: a trusted certificate that is no CA vouches for nothing but itself", () => {
    const own = server(undefined);
    expect(codes(check([server(own)], anchors(own)))).toEqual(["X509_NOT_A_CA"]);
    // Whoever has its key cannot make more of it: another certificate for other names, or a CA.
    const renamed = server(undefined, { key: own.key, serial: 2 });
    expect(codes(check([renamed], anchors(own)))).toEqual(["X509_NOT_A_CA"]);
    const raised = ca("server", undefined, { key: own.key });
    expect(codes(check([server(raised), raised], anchors(own)))).toEqual(["X509_NOT_A_CA"]);
    const { certificate: _, ...byKey } = anchors(own)[0]!;
    expect(codes(check([own], [byKey]))).toEqual(["X509_NOT_A_CA"]);
  });

  it("RFC 5246 §7.4.2: an empty chain is refused", () => {
    const result = check([], trust);
    expect(codes(result)).toEqual(["X509_NO_CERTIFICATE"]);
    expect(result.flags).toBe(verificationFlags.MISSING);
  });

  it("a certificate that cannot be read is reported with its place", () => {
    const broken = { ...sub, der: sub.der.subarray(0, 100) };
    const result = check([leaf, broken], trust);
    expect(codes(result)).toEqual(["X509_MALFORMED"]);
    expect(result.problems[0]).toMatchObject({ index: 1, offset: 0 });
  });
});

describe("CAs", () => {
  it.each([
    ["RFC 5280 §6.1.4 k: an intermediate without basicConstraints and keyUsage", {}],
    ["RFC 5280 §6.1.4 k: a leaf used as a CA", { ca: false, keyUsage: ["digitalSignature"] }],
    ["RFC 5280 §6.1.4 n: a CA without keyCertSign", { ca: true, keyUsage: ["cRLSign"] }],
  ] as const)("%s is refused", (_, extensions) => {
    const bad = entity({ name: "bad", issuer: root, extensions });
    const result = check([server(bad), bad], trust);
    expect(new Set(codes(result))).toEqual(new Set(["X509_NOT_A_CA"]));
    expect(result.flags).toBe(verificationFlags.NOT_TRUSTED);
  });

  it("RFC 5280 §4.2.1.3: a CA without keyUsage may sign", () => {
    const free = entity({ name: "free", issuer: root, extensions: { ca: true } });
    expect(codes(check([server(free), free], trust))).toEqual([]);
  });

  it("RFC 5280 §4.2.1.9: keyCertSign without cA is refused, in a leaf too", () => {
    const odd = server(root, { extensions: { keyUsage: ["digitalSignature", "keyCertSign"] } });
    expect(codes(check([odd], trust))).toEqual(["X509_KEY_USAGE"]);
  });

  it("RFC 5280 §4.2.1.9: pathLenConstraint counts CAs below, self-issued ones not", () => {
    const zero = ca("zero", root, { extensions: { pathLength: 0 } });
    expect(codes(check([server(zero), zero], trust))).toEqual([]);
    const below = ca("below", zero);
    expect(codes(check([server(below), below, zero], trust))).toEqual(["X509_PATH_LENGTH"]);
    const renewed = ca("zero", zero);
    expect(codes(check([server(renewed), renewed, zero], trust))).toEqual([]);
    const belowRenewed = ca("below", renewed);
    expect(codes(check([server(belowRenewed), belowRenewed, renewed, zero], trust))).toEqual(["X509_PATH_LENGTH"]);
  });

  it("RFC 5937 §3.2: what the anchor's certificate limits holds: path length and purposes", () => {
    const short = ca("short", undefined, { extensions: { pathLength: 0 } });
    const below = ca("below", short);
    expect(codes(check([server(short)], anchors(short)))).toEqual([]);
    expect(codes(check([server(below), below], anchors(short)))).toEqual(["X509_PATH_LENGTH"]);
    const devices = ca("devices", undefined, { extensions: { extendedKeyUsage: ["clientAuth"] } });
    expect(codes(check([server(devices)], anchors(devices)))).toEqual(["X509_EXTENDED_KEY_USAGE"]);
  });

  it("maxIntermediates is 8 and counts up to it", () => {
    const path = [root];
    for (let i = 0; i < 9; i++) path.unshift(ca(`ca ${i}`, path[0]));
    const [nine, eight] = [path.slice(0, 9), path.slice(1, 9)];
    expect(codes(check([server(eight[0]), ...eight], trust))).toEqual([]);
    expect(codes(check([server(nine[0]), ...nine], trust))).toEqual(["X509_PATH_LENGTH"]);
    expect(codes(check([server(nine[0]), ...nine], trust, { maxIntermediates: 9 }))).toEqual([]);
    expect(codes(check([leaf, sub], trust, { maxIntermediates: 0 }))).toEqual(["X509_PATH_LENGTH"]);
  });
});

describe("validity", () => {
  const dates = { notBefore: NOW, notAfter: NOW + DAY };
  it("RFC 5280 §4.1.2.5: both ends count, fractions of a second do not", () => {
    const exact = server(root, dates);
    const at = (ms: number) => codes(check([exact], trust, { at: ms }));
    expect(at(NOW)).toEqual([]);
    expect(at(NOW + DAY - 1000)).toEqual([]);
    expect(at(NOW - 1)).toEqual(["X509_NOT_YET_VALID"]);
    const long = anchors(ca("root", undefined, { key: root.key, notAfter: NOW + 9 * DAY }));
    const late = (ms: number) => check([exact], long, { at: ms });
    expect(codes(late(NOW + DAY + 999))).toEqual([]);
    expect(codes(late(NOW + DAY + 1000))).toEqual(["X509_EXPIRED"]);
  });

  it("RFC 5280 §4.1.2.5: the dates and the clock stand in the message", () => {
    const result = check([server(root, { notAfter: NOW - 1000 })], trust);
    expect(result.flags).toBe(verificationFlags.EXPIRED);
    expect(result.problems[0]!.message).toContain("notAfter is 2026-01-14T23:59:59Z, now is 2026-01-15T00:00:00Z");
    const early = check([leaf, sub], trust, { at: 0 });
    expect(early.flags).toBe(verificationFlags.FUTURE);
    expect(codes(early)).toEqual(["X509_NOT_YET_VALID", "X509_NOT_YET_VALID"]);
    expect(codes(check([leaf, sub], trust, { at: Number.MAX_VALUE }))).toContain("X509_EXPIRED");
  });

  it("a time that is unknown or no number fails, never passes", () => {
    const result = check([leaf, sub], trust, { at: undefined });
    expect(codes(result)).toEqual(["X509_TIME_UNKNOWN"]);
    expect(result.flags).toBe(verificationFlags.OTHER);
    expect(check([leaf, sub], trust, { at: Number.NaN }).ok).toBe(false);
  });
});

describe("what a certificate is for", () => {
  it("RFC 5280 §4.2.1.12: extendedKeyUsage of the leaf", () => {
    const forClients = server(root, { extensions: { extendedKeyUsage: ["clientAuth"] } });
    expect(codes(check([forClients], trust))).toEqual(["X509_EXTENDED_KEY_USAGE"]);
    expect(check([forClients], trust).flags).toBe(verificationFlags.EXT_KEY_USAGE);
    expect(codes(check([forClients], trust, { purpose: "client" }))).toEqual([]);
    expect(codes(check([leaf, sub], trust, { purpose: "client" }))).toEqual(["X509_EXTENDED_KEY_USAGE"]);
    expect(codes(check([forClients], trust, { purpose: "any" }))).toEqual([]);
    const forAll = server(root, { extensions: { extendedKeyUsage: ["anyExtendedKeyUsage"] } });
    expect(codes(check([forAll], trust))).toEqual([]);
    const unlimited = server(root, { extensions: { extendedKeyUsage: undefined } });
    expect(codes(check([unlimited], trust))).toEqual([]);
  });

  it("RFC 5280 §4.2.1.12: extendedKeyUsage of an intermediate limits what is below", () => {
    const forClients = ca("client CA", root, { extensions: { extendedKeyUsage: ["clientAuth"] } });
    expect(codes(check([server(forClients), forClients], trust))).toEqual(["X509_EXTENDED_KEY_USAGE"]);
    const forBoth = ca("both CA", root, { extensions: { extendedKeyUsage: ["clientAuth", "serverAuth"] } });
    expect(codes(check([server(forBoth), forBoth], trust))).toEqual([]);
  });

  it("RFC 5280 §4.2.1.3: keyUsage of the leaf needs digitalSignature", () => {
    const transport = server(root, { extensions: { keyUsage: ["keyEncipherment"] } });
    expect(codes(check([transport], trust))).toEqual(["X509_KEY_USAGE"]);
    expect(check([transport], trust).flags).toBe(verificationFlags.KEY_USAGE);
    expect(codes(check([server(root, { extensions: { keyUsage: undefined } })], trust))).toEqual([]);
  });

  it("RFC 9525 §6: the server name", () => {
    const result = check([leaf, sub], trust, { serverName: "other.example.com" });
    expect(codes(result)).toEqual(["X509_NAME_MISMATCH"]);
    expect(result.flags).toBe(verificationFlags.CN_MISMATCH);
    expect(result.problems[0]!.message).toContain("the certificate is for thing.example.com");
  });

  it("RFC 9525 §6: a name in the subject or in an intermediate's subjectAltName counts for nothing", () => {
    const byCommonName = server(root, { name: "thing.example.com", extensions: { dnsNames: [] } });
    expect(codes(check([byCommonName], trust))).toEqual(["X509_NAME_MISMATCH"]);
    const named = ca("named", root, { extensions: { dnsNames: ["thing.example.com"] } });
    const nameless = server(named, { extensions: { dnsNames: [] } });
    expect(codes(check([nameless, named], trust))).toEqual(["X509_NAME_MISMATCH"]);
  });

  it("a server without a name to check is a mistake of the caller", () => {
    expect(() => certificateVerification({ purpose: "server", chain: [], trust, at: NOW, crypto })).toThrow(
      /serverName/,
    );
  });
});

describe("extensions", () => {
  it("RFC 5280 §4.2: an unknown critical extension fails, wherever it is; one that is not critical does not", () => {
    const other = (critical: boolean) => [{ oid: "1.3.6.1.4.1.55738.1", critical, value: booleanValue(true) }];
    const result = check([server(root, { extensions: { others: other(true) } })], trust);
    expect(codes(result)).toEqual(["X509_UNKNOWN_CRITICAL_EXTENSION"]);
    expect(result.problems[0]!.message).toContain("1.3.6.1.4.1.55738.1");
    const odd = ca("odd", root, { extensions: { others: other(true) } });
    expect(codes(check([server(odd), odd], trust))).toEqual(["X509_UNKNOWN_CRITICAL_EXTENSION"]);
    expect(codes(check([server(odd)], anchors(odd)))).toEqual(["X509_UNKNOWN_CRITICAL_EXTENSION"]);
    expect(codes(check([leaf, sub, odd], trust))).toEqual([]);
    expect(codes(check([server(root, { extensions: { others: other(false) } })], trust))).toEqual([]);
  });

  it("RFC 5280 §4.1.2.6: an empty subject needs a critical subjectAltName", () => {
    const anonymous = server(root, { name: [] });
    expect(codes(check([anonymous], trust))).toEqual([]);
    expect(
      codes(check([entity({ name: [], issuer: root })], trust, { purpose: "any", serverName: undefined })),
    ).toEqual(["X509_NAME"]);
  });

  it("RFC 5280 §4.2.1.10: name constraints of an intermediate and of an anchor hold for what is below", () => {
    const dns = (name: string) => ({ tag: 0x82, bytes: new TextEncoder().encode(name) });
    const constraints = (kind: 0 | 1, { tag, bytes }: { tag: number; bytes: Uint8Array }) => {
      const subtree = sequence(Uint8Array.of(tag, bytes.length, ...bytes));
      const value = sequence(Uint8Array.of(0xa0 | kind, subtree.length, ...subtree));
      return { others: [{ oid: "2.5.29.30", critical: true, value }] };
    };
    for (const [kind, name, expected] of [
      [0, "example.com", []],
      [0, "thing.example.com", []],
      [0, "example.org", ["X509_NAME_CONSTRAINTS"]],
      [0, "g.example.com", ["X509_NAME_CONSTRAINTS"]],
      [1, "example.org", []],
      [1, "example.com", ["X509_NAME_CONSTRAINTS"]],
    ] as const) {
      const limited = ca("limited", root, { extensions: constraints(kind, dns(name)) });
      expect(codes(check([server(limited), limited], trust)), `${kind} ${name}`).toEqual(expected);
      expect(codes(check([server(limited)], anchors(limited))), `anchor ${kind} ${name}`).toEqual(expected);
    }
    const limited = ca("limited", root, { extensions: constraints(1, dns("foo.example.com")) });
    const wild = server(limited, { extensions: { dnsNames: ["*.example.com"] } });
    expect(codes(check([wild, limited], trust))).toEqual(["X509_NAME_CONSTRAINTS"]);
    const byAddress = constraints(0, { tag: 0x87, bytes: Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0) });
    const net = ca("net", root, { extensions: byAddress });
    for (const [ip, expected] of [
      ["10.1.2.3", []],
      ["11.1.2.3", ["X509_NAME_CONSTRAINTS"]],
      ["::1", ["X509_NAME_CONSTRAINTS"]],
    ] as const) {
      const host = server(net, { extensions: { dnsNames: [], ipAddresses: [ip] } });
      expect(codes(check([host, net], trust, { serverName: ip }))).toEqual(expected);
    }
  });
});

describe("algorithms", () => {
  /** A certificate whose signature algorithm was replaced in both places; the signature does not matter. */
  function signedWith(algorithm: string): Entity {
    const hex = Buffer.from(server(root).der).toString("hex");
    return { ...leaf, der: new Uint8Array(Buffer.from(hex.replaceAll("06082a8648ce3d040302", algorithm), "hex")) };
  }

  it("RFC 9155: a SHA-1 signature is refused without being checked", () => {
    const sha1 = server(root);
    const der = withAlgorithm(sha1.der, "2a8648ce3d0401");
    const result = check([{ ...sha1, der }], trust);
    expect(codes(result)).toEqual(["X509_WEAK_HASH"]);
    expect(result.flags).toBe(verificationFlags.BAD_MD);
  });

  it("an unknown signature algorithm is refused", () => {
    const result = check([signedWith("06082a8648ce3d04037f")], trust);
    expect(codes(result)).toEqual(["X509_UNSUPPORTED_ALGORITHM"]);
    expect(result.flags).toBe(verificationFlags.BAD_PK);
  });

  it("RFC 5280 §4.1.1.2: the algorithm inside must be the one outside", () => {
    const { der } = server(root);
    const hex = Buffer.from(der).toString("hex");
    const at = hex.lastIndexOf("06082a8648ce3d040302");
    const other = `${hex.slice(0, at)}06082a8648ce3d040303${hex.slice(at + 20)}`;
    expect(codes(check([{ ...leaf, der: new Uint8Array(Buffer.from(other, "hex")) }], trust))).toEqual([
      "X509_SIGNATURE_ALGORITHM",
    ]);
  });

  it("a provider that lacks the algorithm refuses the chain, and is not asked", () => {
    for (const missing of ["ecdsa", "sha256", "secp256r1"]) {
      const poor = nodeDouble([missing]);
      expect(codes(check([leaf, sub], trust, { crypto: poor }))).toContain("X509_UNSUPPORTED_ALGORITHM");
      expect(poor.verified).toBe(0);
    }
  });

  it("NIST SP 800-131A: RSA keys below 2048 bits are refused, unless the caller asks for less", () => {
    const short = server(root, { key: rsaKey(1024) });
    const result = check([short], trust);
    expect(codes(result)).toEqual(["X509_WEAK_KEY"]);
    expect(result.flags).toBe(verificationFlags.BAD_KEY);
    expect(codes(check([short], trust, { profile: { ...profiles.secure, minRsaBits: 1024 } }))).toEqual([]);
  });

  it("a key of an unknown kind is refused in a leaf", () => {
    const hex = Buffer.from(server(root).der).toString("hex").replace("06082a8648ce3d030107", "06082a8648ce3d03017f");
    const der = new Uint8Array(Buffer.from(hex, "hex"));
    expect(codes(check([{ ...leaf, der }], trust))).toContain("X509_UNSUPPORTED_ALGORITHM");
  });
});

describe("bounds", () => {
  it("more than 32 certificates are refused unread", () => {
    const result = check(new Array<Entity>(33).fill({ ...leaf, der: new Uint8Array(0) }), trust);
    expect(codes(result)).toEqual(["X509_LIMIT"]);
  });

  it("a bag of CAs that all sign each other ends after 64 signatures", () => {
    const names = Array.from({ length: 6 }, (_, i) => ca(`ca ${i}`));
    const cross = names.flatMap((issuer) =>
      names
        .filter((one) => one !== issuer)
        .map((one) => ca(String((one.name as [string, string][])[0]![1]), issuer, { key: one.key })),
    );
    const counting = nodeDouble();
    const result = check([server(names[0]), ...cross.slice(0, 31)], trust, { crypto: counting });
    expect(result.ok).toBe(false);
    expect(counting.verified).toBeLessThanOrEqual(64);
    const same = Array.from({ length: 31 }, () => ca("same"));
    const many = nodeDouble();
    const pile = [server({ ...same[0]!, key: ecKey() }), ...same];
    expect(check(pile, trust, { crypto: many }).ok).toBe(false);
    expect(many.verified).toBeLessThanOrEqual(64);
  });

  it("names and constraints are compared 65536 times at most, and on paths to an anchor only", () => {
    const names = (word: string, count: number) =>
      Array.from({ length: count }, (_, i) => new TextEncoder().encode(`${word}${i}.example`));
    const dns = (bytes: Uint8Array) => element(0x82, bytes);
    const excluding = (count: number) => {
      const subtrees = element(0xa1, ...names("x", count).map((name) => sequence(dns(name))));
      return { others: [{ oid: "2.5.29.30", critical: true, value: sequence(subtrees) }] };
    };
    const many = (count: number) => ({
      dnsNames: ["thing.example.com", ...names("y", count - 2).map((name) => new TextDecoder().decode(name))],
    });
    // The subject counts as a name too.
    for (const [count, expected] of [
      [256, []],
      [257, ["X509_LIMIT"]],
    ] as const) {
      const limited = ca("limited", root, { extensions: excluding(256) });
      const host = server(limited, { extensions: many(count) });
      expect(codes(check([host, limited], trust)), `${count} names`).toEqual(expected);
      expect(codes(check([host, limited], anchors(ca("other"))))).toEqual(["X509_NOT_TRUSTED"]);
    }
  });

  it("one anchor name with many keys ends after 64 signatures", () => {
    const many = nodeDouble();
    const trust = Array.from({ length: 100 }, () => ({
      ...anchors(root)[0]!,
      subjectPublicKeyInfo: anchors(ca("root"))[0]!.subjectPublicKeyInfo,
    }));
    const result = check([leaf, sub], trust, { crypto: many });
    expect(codes(result)).toContain("X509_LIMIT");
    expect(many.verified).toBeLessThanOrEqual(64);
  });

  it("an anchor that cannot be read is the caller's mistake", () => {
    const bad = { subject: octetString(), subjectPublicKeyInfo: trust[0]!.subjectPublicKeyInfo, label: "bad" };
    expect(() => check([leaf, sub], [bad])).toThrow(expect.objectContaining({ code: "X509_TRUST", blame: "caller" }));
  });

  it.each([1, 2, 7, 50, 1000, Number.MAX_SAFE_INTEGER])("a budget of %d gives the same result", (budget) => {
    const options = { purpose: "server", serverName: "thing.example.com", trust, at: NOW, crypto } as const;
    for (const chain of [[leaf.der, sub.der, root.der], [leaf.der], [server({ ...sub, key: ecKey() }).der, sub.der]]) {
      const task = certificateVerification({ ...options, chain });
      let steps = 0;
      while (!task.step(budget)) steps++;
      const { ok, flags, problems } = verifyCertificate({ ...options, chain });
      expect(task.result).toMatchObject({ ok, flags, problems });
      if (budget === 1) expect(steps).toBeGreaterThan(task.spent / 40);
      expect(task.spent).toBeGreaterThan(30);
    }
  });

  it("reports every reason at once, with a hint and a row of the table for each", () => {
    const bad = server(root, {
      notAfter: NOW - DAY / 2,
      key: rsaKey(1024),
      extensions: { keyUsage: ["cRLSign"], extendedKeyUsage: ["clientAuth"] },
    });
    const result = check([bad], trust, { serverName: "elsewhere" });
    expect(codes(result).sort()).toEqual([
      "X509_EXPIRED",
      "X509_EXTENDED_KEY_USAGE",
      "X509_KEY_USAGE",
      "X509_NAME_MISMATCH",
      "X509_WEAK_KEY",
    ]);
    const { EXPIRED, EXT_KEY_USAGE, KEY_USAGE, CN_MISMATCH, BAD_KEY } = verificationFlags;
    expect(result.flags).toBe(EXPIRED | EXT_KEY_USAGE | KEY_USAGE | CN_MISMATCH | BAD_KEY);
    for (const { code, hint, message } of result.problems) {
      expect(hint).toBe(certificateErrors[code].hint);
      expect(message).not.toContain("\n");
    }
  });
});

it("an issued certificate of version 3 without extensions is a leaf for clients", () => {
  const key = ecKey();
  const der = finish(
    issueCertificate({
      subject: [["CN", "lamp"]],
      issuer: root.name,
      subjectPublicKey: publicOf(key),
      issuerKey: root.key,
      serialNumber: Uint8Array.of(0x80, 1),
      notBefore: NOW,
      notAfter: Date.UTC(2049, 11, 31, 23, 59, 59),
      crypto,
      random,
    }),
  );
  expect(codes(check([{ ...leaf, der }], trust, { purpose: "client", serverName: undefined }))).toEqual([]);
});
