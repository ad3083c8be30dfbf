/** What an app can ask of a verification: profiles, pins, a say of its own on each certificate, a device without a clock, limits of anchors. */

import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type CertificateOpinion,
  certificateLists,
  type PathCertificate,
  parseCertificate,
  profiles,
  publicKeyPin,
  recheckValidity,
  revocationChecks,
  type TrustAnchor,
  type VerificationPolicy,
  verificationFlags,
} from "../../../src/tls/x509/index.ts";
import { ecKey, rsaKey } from "./node-double.ts";
import { anchors, ca, check, codes, crypto, DAY, type Entity, NOW, server, withAlgorithm } from "./pki.ts";
import { crl } from "./revocation-writer.ts";

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

const verify = (policy: VerificationPolicy, chain: readonly Entity[] = [leaf, sub]) => check(chain, trust, policy);

describe("profiles", () => {
  it("NIST SP 800-131A: minRsaBits and curves hold for every certificate below the anchor", () => {
    const short = server(root, { key: rsaKey(2048) });
    const long = { ...profiles.secure, minRsaBits: 3072 };
    expect(codes(verify({ profile: long }, [short]))).toEqual(["X509_WEAK_KEY"]);
    expect(codes(verify({ profile: profiles.secure }, [short]))).toEqual([]);
    const p384 = ca("p384", root, { key: ecKey("secp384r1") });
    const only256 = { ...profiles.secure, curves: ["secp256r1"] } as const;
    const result = verify({ profile: only256 }, [server(p384), p384]);
    expect(codes(result)).toEqual(["X509_WEAK_KEY"]);
    expect(result.problems[0]).toMatchObject({ index: 1, depth: 1 });
    expect(result.problems[0]!.message).toContain("id-ecPublicKey (secp384r1), allowed are secp256r1");
    expect(result.flags).toBe(verificationFlags.BAD_KEY);
  });

  it("`anchors` holds the anchor to the profile too, key and dates", () => {
    const p384 = ca("p384", undefined, { key: ecKey("secp384r1"), notAfter: NOW - 1000 });
    const chain = [server(p384)];
    const only256 = { ...profiles.secure, curves: ["secp256r1"] } as const;
    expect(codes(check(chain, anchors(p384), { profile: only256 }))).toEqual([]);
    const all = check(chain, anchors(p384), { profile: { ...only256, anchors: true } });
    expect(codes(all)).toEqual(["X509_EXPIRED", "X509_WEAK_KEY"]);
    expect(all.problems.map(({ depth, index }) => [depth, index])).toEqual([
      [1, -1],
      [1, -1],
    ]);
  });

  it("RFC 9155: a hash that the profile does not have is refused unchecked, and one that it has is checked", () => {
    const only384 = { ...profiles.secure, hashes: ["sha384"] } as const;
    const result = verify({ profile: only384 });
    expect(codes(result)).toEqual(["X509_WEAK_HASH", "X509_WEAK_HASH"]);
    expect(result.flags).toBe(verificationFlags.BAD_MD);
    const sha1 = { ...leaf, der: withAlgorithm(leaf.der, "2a8648ce3d0401") };
    const allowing = { ...profiles.secure, hashes: ["sha1", "sha256"] } as const;
    expect(codes(verify({ profile: allowing }, [sha1, sub]))).toEqual(["X509_BAD_SIGNATURE"]);
    expect(codes(verify({}, [sha1, sub]))).toEqual(["X509_WEAK_HASH"]);
  });

  it("`rules` are asked about each certificate with its place, and name field and rule", () => {
    const seen: string[] = [];
    const profile = {
      ...profiles.secure,
      anchors: true,
      rules: ({ subject }: { readonly subject: unknown }, place: string) => {
        seen.push(`${place} ${subject}`);
        return place === "ca" ? [{ field: "tbsCertificate", rule: "house rule 1", detail: "no CA of ours" }] : [];
      },
    };
    const result = verify({ profile });
    expect(seen).toEqual(["leaf CN = server", "ca CN = sub", "anchor CN = root"]);
    expect(codes(result)).toEqual(["X509_PROFILE"]);
    expect(result.problems[0]).toMatchObject({ index: 1, depth: 1, field: "tbsCertificate", rule: "house rule 1" });
    expect(result.problems[0]!.message).toContain("CN = sub: no CA of ours");
    expect(result.flags).toBe(verificationFlags.OTHER);
  });

  it("RFC 5280 §4.2.1.1, §4.2.1.2 strict: a hierarchy by the book passes, and each breach is named", () => {
    const id = (n: number) => new Uint8Array(20).fill(n);
    const [top, middle] = [
      ca("top", undefined, { extensions: { subjectKeyIdentifier: id(1) } }),
      (more: object) =>
        ca("middle", top, { extensions: { subjectKeyIdentifier: id(2), authorityKeyIdentifier: id(1), ...more } }),
    ];
    const end = (issuer: Entity, more: object = {}, serial = 1) =>
      server(issuer, { serial, extensions: { authorityKeyIdentifier: id(2), ...more } });
    const strict = (chain: readonly Entity[]) => check(chain, anchors(top), { profile: profiles.strict });
    const right = middle({});
    expect(codes(strict([end(right), right]))).toEqual([]);
    for (const [chain, rule] of [
      [[end(right, { authorityKeyIdentifier: undefined }), right], "§4.2.1.1"],
      [[end(right, {}, 0), right], "§4.1.2.2"],
      [[end(right, { ca: false, pathLength: 0 }), right], "§4.2.1.9"],
      [[end(right, { dnsNames: ["thing.example.com", "a_b.example.com"] }), right], "§4.2.1.6"],
      [[end(right, { dnsNames: ["thing.example.com", `${"a.".repeat(150)}b`] }), right], "§4.2.1.6"],
      [[end(middle({ subjectKeyIdentifier: undefined })), middle({ subjectKeyIdentifier: undefined })], "§4.2.1.2"],
      [[end(middle({ keyUsage: undefined })), middle({ keyUsage: undefined })], "§4.2.1.3"],
    ] as const) {
      // A CA that is made twice has two keys.
      const fixed =
        chain[1] === right ? chain : [server(chain[1]!, { extensions: { authorityKeyIdentifier: id(2) } }), chain[1]!];
      const result = strict(fixed);
      expect(codes(result), rule).toEqual(["X509_PROFILE"]);
      expect(result.problems[0]!.rule).toBe(`RFC 5280 ${rule}`);
    }
  });
});

describe("details by certificate", () => {
  it("each certificate of the path and the anchor has its own problems and flags", () => {
    const old = ca("old", root, { notAfter: NOW - DAY / 2 });
    const result = check([server(old, { extensions: { keyUsage: ["cRLSign"] } }), old], trust);
    expect(
      result.certificates.map(({ depth, flags, certificate }) => [depth, flags, String(certificate?.subject)]),
    ).toEqual([
      [0, verificationFlags.KEY_USAGE, "CN = server"],
      [1, verificationFlags.EXPIRED, "CN = old"],
      [2, 0, "undefined"],
    ]);
    expect(result.certificates[2]!.anchor).toBe(trust[0]);
    expect(result.certificates[1]!.problems).toEqual(result.problems.filter(({ depth }) => depth === 1));
    expect(result.problems.find(({ depth }) => depth === 1)!.message).toMatch(
      /certificate 1 of the chain, tbsCertificate.validity.notAfter, RFC 5280 §4.1.2.5/,
    );
  });

  it("a certificate that cannot be read has its index, offset and the rule that it breaks", () => {
    const hex = Buffer.from(leaf.der).toString("hex").replace("0603551d0f0101ff", "0603551d0f010155");
    const result = verify({}, [{ ...leaf, der: new Uint8Array(Buffer.from(hex, "hex")) }, sub]);
    expect(codes(result)).toEqual(["X509_EXTENSION"]);
    expect(result.problems[0]).toMatchObject({ index: 0, depth: -1, rule: "RFC 5280 §4.1" });
    expect(result.problems[0]!.offset).toBeGreaterThan(100);
    expect(result.problems[0]!.message).toMatch(/critical at byte \d+: .*55.* \(certificate 0 of the chain\)/);
  });
});

describe("onCertificate", () => {
  /** The policy that records who was asked, and answers. */
  function asking(answer: (found: PathCertificate) => CertificateOpinion, mayForgive?: boolean) {
    const asked: number[] = [];
    const onCertificate = (found: PathCertificate) => {
      asked.push(found.depth);
      return answer(found);
    };
    return { asked, policy: { onCertificate, mayForgive } };
  }

  it("is asked from the anchor to the leaf, once each, and silence lets things be", () => {
    const { asked, policy } = asking(() => undefined);
    expect(codes(verify(policy))).toEqual([]);
    expect(asked).toEqual([2, 1, 0]);
    expect(codes(verify(policy, [server(root, { notAfter: NOW - 1000 })]))).toEqual(["X509_EXPIRED"]);
  });

  it("may veto any of them", () => {
    for (const depth of [0, 1, 2]) {
      const result = verify(asking((found) => (found.depth === depth ? { veto: "on our list\n" } : undefined)).policy);
      expect(codes(result)).toEqual(["X509_VETO"]);
      expect(result.problems[0]).toMatchObject({ depth, index: depth === 2 ? -1 : depth, rule: "onCertificate" });
      expect(result.problems[0]!.message).toContain("on our list\\u{a}");
      expect(result.certificates[depth]!.flags).toBe(verificationFlags.OTHER);
    }
  });

  it.each<[string, () => unknown]>([
    [
      "an exception",
      () => {
        throw new Error("boom");
      },
    ],
    ["a promise", async () => undefined],
    ["true", () => true],
    ["false", () => false],
    ["an empty object", () => ({})],
    ["a veto that is no text", () => ({ veto: 1, forgive: [] })],
  ])("fails closed: %s is a veto", (_, answer) => {
    expect(codes(verify({ onCertificate: answer as () => undefined, mayForgive: true }))).toContain("X509_VETO");
  });

  it("forgives where mayForgive says so, and only that certificate's", () => {
    const old = ca("old", root, { notAfter: NOW - 1000 });
    const chain = [server(old, { notAfter: NOW - 1000 }), old];
    const forgiving = (depth: number) =>
      asking((found) => (found.depth === depth ? { forgive: ["X509_EXPIRED"] } : undefined), true).policy;
    expect(codes(verify({ ...forgiving(1), mayForgive: false }, chain))).toEqual(["X509_EXPIRED", "X509_EXPIRED"]);
    const one = verify(forgiving(1), chain);
    expect(one.problems.map(({ depth }) => depth)).toEqual([0]);
    const both = verify(asking(() => ({ forgive: ["X509_EXPIRED"] }), true).policy, chain);
    expect(both.ok).toBe(true);
    expect(both.flags).toBe(0);
  });

  it("RFC 5280 §6.3 what is forgiven does not keep revocation from being looked up", () => {
    const old = server(root, { notAfter: NOW - 1000, serial: 9 });
    const forgiving = asking(() => ({ forgive: ["X509_EXPIRED"] }), true).policy;
    const withCrl = (...entries: { serial: number }[]) => ({
      revocation: revocationChecks({ crls: certificateLists(crl({ issuer: root, entries })) }),
    });
    expect(verify({ ...forgiving, ...withCrl() }, [old]).ok).toBe(true);
    const silent = asking(() => undefined, true).policy;
    expect(codes(verify({ ...silent, ...withCrl() }, [old]))).toEqual(["X509_EXPIRED"]);
    expect(codes(verify({ ...forgiving, ...withCrl({ serial: 9 }) }, [old]))).toEqual(["X509_REVOKED"]);
  });

  it("what was not proved is not forgiven: no anchor, a wrong signature, a hash that was not checked, a limit", () => {
    const all = asking(({ problems }) => ({ forgive: problems.map(({ code }) => code) }), true).policy;
    const sha1 = { ...leaf, der: withAlgorithm(leaf.der, "2a8648ce3d0401") };
    for (const chain of [[leaf], [server({ ...sub, key: ecKey() }), sub], [sha1, sub]])
      expect(verify(all, chain).ok).toBe(false);
    expect(codes(verify(all, [sha1, sub]))).toEqual(["X509_WEAK_HASH"]);
    expect(verify({ ...all, pins: [new Uint8Array(32)] }).ok).toBe(false);
  });
});

describe("RFC 7469 §2.6 pins", () => {
  const hex = (owner: { readonly subjectPublicKeyInfo: Uint8Array }) =>
    createHash("sha256").update(owner.subjectPublicKeyInfo).digest("hex");

  it("one of several is enough, be it of the leaf, a CA or the anchor; bytes and digits in any dress", () => {
    const owners = [parseCertificate(leaf.der), parseCertificate(sub.der), trust[0]!];
    for (const owner of owners) {
      expect(codes(verify({ pins: ["00".repeat(32), hex(owner)] }))).toEqual([]);
      expect(codes(verify({ pins: [publicKeyPin(owner, crypto)] }))).toEqual([]);
      expect(codes(verify({ pins: [hex(owner).toUpperCase().replace(/..\B/g, "$&:")] }))).toEqual([]);
    }
  });

  it("no pin on the path: refused, and what was found is told", () => {
    const result = verify({ pins: [hex(parseCertificate(server(root).der))] });
    expect(codes(result)).toEqual(["X509_PIN"]);
    expect(result.problems[0]).toMatchObject({ index: -1, depth: -1 });
    expect(result.flags).toBe(verificationFlags.NOT_TRUSTED);
    expect(result.problems[0]!.message).toContain("neither that of the anchor CN = root nor one of 2 certificate(s)");
  });

  it("a certificate of the chain that is not on the path does not count", () => {
    const other = ca("other", root);
    expect(codes(verify({ pins: [hex(parseCertificate(other.der))] }, [leaf, sub, other]))).toEqual(["X509_PIN"]);
  });

  it("a path with the pin is looked for where another has none", () => {
    const other = ca("other root");
    const crossed = ca("sub", other, { key: sub.key });
    const both = [...trust, ...anchors(other)];
    for (const [owner, issuer] of [
      [trust[0]!, root],
      [both[1]!, other],
    ] as const) {
      const result = check([leaf, sub, crossed], both, { pins: [hex(owner)] });
      expect(codes(result)).toEqual([]);
      expect(result.anchor!.label).toBe(`CN = ${(issuer.name as [string, string][])[0]![1]}`);
    }
  });

  it.each([[[]], [["00"]], [["zz".repeat(32)]], [[new Uint8Array(20)]]])("pins that are none: %j", (pins) => {
    expect(() => verify({ pins })).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});

describe("RFC 5280 §6.1.3 a 2 a device without a clock", () => {
  const floor = NOW - 10 * DAY;
  const without = (
    unknownTime: VerificationPolicy["unknownTime"],
    chain: readonly Entity[] = [leaf, sub],
    at?: number,
  ) => check(chain, trust, { at, unknownTime });

  it("reject is the default", () => {
    for (const rule of [undefined, "reject"] as const) {
      const result = without(rule);
      expect(codes(result)).toEqual(["X509_TIME_UNKNOWN"]);
      expect(result.validity).toBe("unchecked");
    }
  });

  it("floor: what had expired by then is refused, what is not valid yet is not judged", () => {
    const fresh = without({ floor });
    expect(codes(fresh)).toEqual([]);
    expect(fresh.validity).toBe("floor");
    const old = server(root, { notBefore: floor - 2 * DAY, notAfter: floor - 1000 });
    const result = without({ floor }, [old]);
    expect(codes(result)).toEqual(["X509_EXPIRED"]);
    expect(result.problems[0]!.message).toContain("it is later than 2026-01-05T00:00:00Z");
    expect(codes(without({ floor }, [server(root, { notBefore: floor - DAY, notAfter: floor })]))).toEqual([]);
  });

  it("floor: a clock that stands before it counts as unknown, one behind it as known", () => {
    expect(without({ floor }, [leaf, sub], 0)).toMatchObject({ ok: true, validity: "floor" });
    expect(codes(without({ floor }, [leaf, sub], floor))).toEqual(["X509_NOT_YET_VALID", "X509_NOT_YET_VALID"]);
    expect(without({ floor }, [leaf, sub], NOW)).toMatchObject({ ok: true, validity: "checked" });
    expect(without({ floor }, [leaf, sub], Number.NaN).ok).toBe(false);
  });

  it("acceptUntilKnown: dates are not looked at before the time is known, everything else is", () => {
    const old = server(root, { notAfter: NOW - 1000 });
    expect(without("acceptUntilKnown", [old])).toMatchObject({ ok: true, validity: "unchecked" });
    expect(codes(without("acceptUntilKnown", [old], NOW))).toEqual(["X509_EXPIRED"]);
    expect(codes(without("acceptUntilKnown", [server({ ...root, key: ecKey() })]))).toEqual(["X509_BAD_SIGNATURE"]);
  });

  it("the dates are looked at later", () => {
    const result = without("acceptUntilKnown");
    expect(recheckValidity(result, NOW)).toEqual([]);
    expect(recheckValidity(result, 0).map(({ code, depth }) => [code, depth])).toEqual([
      ["X509_NOT_YET_VALID", 0],
      ["X509_NOT_YET_VALID", 1],
    ]);
    expect(recheckValidity(result, NOW + 9 * DAY).map(({ code }) => code)).toEqual(["X509_EXPIRED", "X509_EXPIRED"]);
    expect(recheckValidity(result, NOW + 9 * DAY, profiles.strict)).toHaveLength(3);
    expect(recheckValidity(result, Number.NaN)).not.toEqual([]);
  });
});

describe("RFC 5937 §3.2 limits of an anchor", () => {
  const limited = (limits: Partial<TrustAnchor>) => check([leaf, sub], [{ ...trust[0]!, ...limits }]);

  it("name constraints by hand; kinds that are left out are not limited", () => {
    expect(codes(limited({ nameConstraints: { permitted: { dns: ["example.com"] } } }))).toEqual([]);
    expect(codes(limited({ nameConstraints: { permitted: { dns: ["example.org"] } } }))).toEqual([
      "X509_NAME_CONSTRAINTS",
    ]);
    expect(codes(limited({ nameConstraints: { excluded: { dns: ["example.com"] } } }))).toEqual([
      "X509_NAME_CONSTRAINTS",
    ]);
    expect(codes(limited({ nameConstraints: { permitted: { ip: [new Uint8Array(8)] } } }))).toEqual([]);
  });

  it("dates by hand, whatever those of its certificate are", () => {
    expect(codes(limited({ notBefore: NOW, notAfter: NOW }))).toEqual([]);
    const late = limited({ notAfter: NOW - 1000 });
    expect(codes(late)).toEqual(["X509_EXPIRED"]);
    expect(late.problems[0]).toMatchObject({ index: -1, depth: 2 });
    expect(codes(limited({ notBefore: NOW + 1000 }))).toEqual(["X509_NOT_YET_VALID"]);
    const { path, anchor } = limited({ notAfter: NOW });
    expect(recheckValidity({ path, anchor }, NOW + 1000).map(({ code }) => code)).toEqual(["X509_EXPIRED"]);
  });

  it("path length and purposes by hand", () => {
    expect(codes(limited({ pathLength: 0 }))).toEqual(["X509_PATH_LENGTH"]);
    expect(codes(limited({ extendedKeyUsage: ["1.3.6.1.5.5.7.3.2"] }))).toEqual(["X509_EXTENDED_KEY_USAGE"]);
  });

  it("name and key alone are enough, under every profile", () => {
    const { subject, subjectPublicKeyInfo } = trust[0]!;
    const bare = [{ subject, subjectPublicKeyInfo, label: "bare" }];
    expect(codes(check([leaf, sub], bare))).toEqual([]);
    expect(codes(check([leaf, sub], bare, { profile: { ...profiles.secure, anchors: true } }))).toEqual([]);
  });
});

describe("a policy that cannot be used is the caller's mistake", () => {
  it.each<[string, object]>([
    ["a profile by name", { profile: "strict" }],
    ["a profile that says nothing of curves", { profile: { minRsaBits: 2048, hashes: [] } }],
    ["a profile that says nothing of hashes", { profile: { minRsaBits: 2048, curves: [] } }],
    ["maxIntermediates", { maxIntermediates: -1 }],
    ["unknownTime", { unknownTime: "accept" }],
    ["a floor that is no number", { unknownTime: { floor: Number.NaN } }],
    ["onCertificate", { onCertificate: true }],
  ])("%s", (_, policy) => {
    expect(() => verify(policy)).toThrow(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
