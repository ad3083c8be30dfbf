import { describe, expect, it } from "vitest";
import { concat, equal } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { parseCertificateList, searchEntries } from "../../../src/tls/x509/crl.ts";
import { contextTag, DerReader, tags } from "../../../src/tls/x509/der.ts";
import { element, explicit, sequence, smallInteger } from "../../../src/tls/x509/der-write.ts";
import {
  CertificateError,
  certificateLists,
  type RevocationOptions,
  revocationChecks,
  toPem,
  verificationFlags,
} from "../../../src/tls/x509/index.ts";
import { encodeExtension, encodeName } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { encodeSha256Algorithm } from "../../../src/tls/x509/signature-algorithm.ts";
import { rsaKey } from "./node-double.ts";
import * as pki from "./pki.ts";
import { crl, type EntryInput, entry, fullName } from "./revocation-writer.ts";

const { NOW, DAY } = pki;
const root = pki.ca("root");
const middle = pki.ca("middle", root, { serial: 20 });
const leaf = pki.server(middle, { serial: 30 });
const chain = [leaf, middle];
const idp = (...parts: Uint8Array[]): Uint8Array =>
  encodeExtension(oids.issuingDistributionPoint, true, sequence(...parts));
const flag = (number: number): Uint8Array => element(contextTag(number, false), Uint8Array.of(0xff));
const points = (...list: Uint8Array[]) => ({
  others: [{ oid: oids.cRLDistributionPoints, critical: false, value: sequence(...list) }],
});
const reasons = (number: number, ...bits: number[]): Uint8Array => {
  const bytes = new Uint8Array(2);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return element(contextTag(number, false), Uint8Array.of(0), bytes);
};

const check = (lists: readonly Uint8Array[], { mode }: RevocationOptions = {}, path = chain) =>
  pki.check(path, pki.anchors(root), { revocation: revocationChecks({ crls: certificateLists(lists), mode }) });
/** The CRL with another algorithm outside of what is signed. */
const withEnvelope = (der: Uint8Array, algorithm: Uint8Array): Uint8Array => {
  const outer = new DerReader(der, "certificateList", "X509_CRL").sequence("");
  const tbs = outer.element("tbs").der;
  outer.enter("signatureAlgorithm");
  return sequence(tbs, algorithm, outer.element("signature").der);
};
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
  return "none";
};
const rootCrl = crl({ issuer: root });
const middleCrl = crl({ issuer: middle });

describe("RFC 5280 §5.1 a CRL is read", () => {
  it("with its fields, from DER and PEM", () => {
    const der = crl({ issuer: root, entries: [{ serial: 5, reason: 1 }] });
    const [list] = certificateLists(toPem("X509 CRL", der));
    expect(list!.issuer.toString()).toBe("CN = root");
    expect([list!.version, list!.thisUpdate, list!.nextUpdate]).toEqual([2, NOW - DAY, NOW + DAY]);
    expect([...list!.crlNumber!]).toEqual([7]);
    expect(equal(certificateLists(der)[0]!.tbs, list!.tbs)).toBe(true);
    expect(list!.entries.end - list!.entries.start).toBe(entry({ serial: 5, reason: 1 }).length);
  });

  it("of version 1, and without nextUpdate", () => {
    const list = parseCertificateList(crl({ issuer: root, v1: true, nextUpdate: null }));
    expect([list.version, list.nextUpdate, list.crlNumber]).toEqual([1, undefined, undefined]);
  });

  it.each([
    ["no DER", Uint8Array.of(1, 2, 3), "X509_WRONG_CONTENT"],
    ["cut short", rootCrl.subarray(0, rootCrl.length - 1), "X509_CRL"],
    ["with a byte behind it", concat([rootCrl, Uint8Array.of(0)]), "X509_CRL"],
    ["with an empty list of entries", crl({ issuer: root, rawEntries: sequence() }).subarray(0, 40), "X509_CRL"],
    ["with an extension twice", crl({ issuer: root, extensions: [idp(flag(1)), idp(flag(1))] }), "X509_CRL"],
    ["with an empty issuer", crl({ issuer: { ...root, name: [] } }), "X509_CRL"],
    ["that is a certificate in PEM", toPem("CERTIFICATE", root.der), "X509_WRONG_CONTENT"],
    ["whose two algorithms differ", withEnvelope(rootCrl, encodeSha256Algorithm("rsa")), "X509_CRL"],
    ["that is empty", "", "X509_WRONG_CONTENT"],
  ])("not: one %s", (_, input, code) => {
    expect(codeOf(() => certificateLists(input))).toBe(code);
  });
});

describe("RFC 5280 §6.3.3 revocation by CRLs", () => {
  it("a chain whose CRLs do not name it is good", () => {
    const result = check([
      rootCrl,
      crl({ issuer: middle, entries: [{ serial: 29 }, { serial: 31 }, { serial: 300 }] }),
    ]);
    expect([pki.codes(result), result.flags]).toEqual([[], 0]);
  });

  it.each([
    ["the leaf", [rootCrl, crl({ issuer: middle, entries: [{ serial: 30 }] })], 0, "unspecified"],
    [
      "the leaf, with a reason",
      [rootCrl, crl({ issuer: middle, entries: [{ serial: 9 }, { serial: 30, reason: 4 }] })],
      0,
      "superseded",
    ],
    [
      "the leaf on hold",
      [rootCrl, crl({ issuer: middle, entries: [{ serial: 30, reason: 6 }] })],
      0,
      "certificateHold",
    ],
    [
      "the leaf by a list of version 1",
      [rootCrl, crl({ issuer: middle, v1: true, entries: [{ serial: 30 }] })],
      0,
      "unspecified",
    ],
    [
      "the leaf by a list that is out of date",
      [rootCrl, crl({ issuer: middle, entries: [{ serial: 30 }], nextUpdate: NOW - 1 })],
      0,
      "unspecified",
    ],
    ["the intermediate", [crl({ issuer: root, entries: [{ serial: 20, reason: 2 }] }), middleCrl], 1, "cACompromise"],
  ])("%s is revoked: flag REVOKED, with reason and date", (_, lists, depth, reason) => {
    for (const mode of ["hard-fail", "soft-fail"] as const) {
      const result = check(lists, { mode });
      expect([pki.codes(result), result.flags]).toEqual([["X509_REVOKED"], verificationFlags.REVOKED]);
      expect(result.problems[0]!.depth).toBe(depth);
      expect(result.problems[0]!.message).toContain(`since 2026-01-14T00:00:00Z, reason ${reason}`);
    }
  });

  it("the newest of several CRLs counts, in whatever order they are", () => {
    const clear = crl({ issuer: middle, thisUpdate: NOW - 2 * DAY });
    const revoking = crl({ issuer: middle, thisUpdate: NOW - DAY, entries: [{ serial: 30 }] });
    const onHold = crl({ issuer: middle, thisUpdate: NOW - 3 * DAY, entries: [{ serial: 30, reason: 6 }] });
    for (const [one, other, wanted] of [
      [clear, revoking, ["X509_REVOKED"]],
      [onHold, clear, []],
    ] as const) {
      expect(pki.codes(check([rootCrl, one, other]))).toEqual(wanted);
      expect(pki.codes(check([other, one, rootCrl]))).toEqual(wanted);
    }
  });

  it("X.690 §8.3.2: a serial number that is not in its shortest form is no other number", () => {
    const padded = entry({ serial: 30 }).slice(2 + 3);
    const rawEntries = sequence(element(tags.INTEGER, Uint8Array.of(0, 30)), padded);
    expect(pki.codes(check([rootCrl, crl({ issuer: middle, rawEntries })]))).toEqual(["X509_CRL_UNUSABLE"]);
  });

  it("removeFromCRL is no revocation", () => {
    expect(pki.codes(check([rootCrl, crl({ issuer: middle, entries: [{ serial: 30, reason: 8 }] })]))).toEqual([]);
  });

  const unknown = encodeExtension("1.2.3.4", true, smallInteger(1));
  it.each([
    ["no CRL at all", [], "X509_REVOCATION_UNKNOWN", verificationFlags.OTHER],
    ["no CRL of the leaf's issuer", [rootCrl], "X509_REVOCATION_UNKNOWN", verificationFlags.OTHER],
    ["out of date", [rootCrl, crl({ issuer: middle, nextUpdate: NOW - 1000 })], "X509_CRL_EXPIRED", 0x20],
    ["without nextUpdate", [rootCrl, crl({ issuer: middle, nextUpdate: null })], "X509_CRL_EXPIRED", 0x20],
    ["of the future", [rootCrl, crl({ issuer: middle, thisUpdate: NOW + 1000 })], "X509_CRL_NOT_YET_VALID", 0x400],
    ["signed by another key", [rootCrl, crl({ issuer: middle, signer: root })], "X509_CRL_NOT_TRUSTED", 0x10],
    [
      "a delta, said to be not critical (RFC 5280 §5.2.4)",
      [rootCrl, crl({ issuer: middle, extensions: [encodeExtension(oids.deltaCRLIndicator, false, smallInteger(3))] })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "with an unknown critical extension",
      [rootCrl, crl({ issuer: middle, extensions: [unknown] })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "that is a delta",
      [rootCrl, crl({ issuer: middle, extensions: [encodeExtension(oids.deltaCRLIndicator, true, smallInteger(1))] })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "with an entry with an unknown critical extension",
      [rootCrl, crl({ issuer: middle, entries: [{ serial: 1, extensions: [unknown] }] })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "with an entry that is malformed",
      [rootCrl, crl({ issuer: middle, rawEntries: sequence(smallInteger(1), smallInteger(2)) })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "with an entry that is cut short",
      [rootCrl, crl({ issuer: middle, rawEntries: Uint8Array.of(0x30) })],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "with a certificateIssuer though it is not indirect",
      [
        rootCrl,
        crl({
          issuer: middle,
          entries: [
            {
              serial: 1,
              extensions: [
                encodeExtension(
                  oids.certificateIssuer,
                  true,
                  sequence(element(contextTag(4, true), encodeName(root.name))),
                ),
              ],
            },
          ],
        }),
      ],
      "X509_CRL_UNUSABLE",
      verificationFlags.OTHER,
    ],
    [
      "for CAs only",
      [rootCrl, crl({ issuer: middle, extensions: [idp(flag(2))] })],
      "X509_REVOCATION_UNKNOWN",
      verificationFlags.OTHER,
    ],
    [
      "for attribute certificates only",
      [rootCrl, crl({ issuer: middle, extensions: [idp(flag(5))] })],
      "X509_REVOCATION_UNKNOWN",
      verificationFlags.OTHER,
    ],
    [
      "for some reasons only",
      [rootCrl, crl({ issuer: middle, extensions: [idp(reasons(3, 1, 2))] })],
      "X509_REVOCATION_UNKNOWN",
      verificationFlags.OTHER,
    ],
    [
      "of another distribution point",
      [rootCrl, crl({ issuer: middle, extensions: [idp(fullName("http://a/"))] })],
      "X509_REVOCATION_UNKNOWN",
      verificationFlags.OTHER,
    ],
  ])("a CRL %s clears nothing under hard-fail, and harms nothing under soft-fail", (_, lists, code, flags) => {
    const hard = check(lists);
    // Without any CRL the intermediate's status is not known either.
    expect([...new Set(pki.codes(hard))]).toEqual([code]);
    expect(hard.flags).toBe(flags);
    expect(pki.codes(check(lists, { mode: "soft-fail" }))).toEqual([]);
  });

  it("a list for users covers the leaf, one for CAs the intermediate", () => {
    const users = crl({ issuer: middle, extensions: [idp(flag(1))] });
    const authorities = crl({ issuer: root, extensions: [idp(flag(2))] });
    expect(pki.codes(check([users, authorities]))).toEqual([]);
    expect(pki.codes(check([users, crl({ issuer: root, extensions: [idp(flag(1))] })]))).toEqual([
      "X509_REVOCATION_UNKNOWN",
    ]);
  });

  it("lists for some reasons each cover the leaf together, and any of them can revoke it", () => {
    const some = (bits: number[], entries: readonly EntryInput[] = []) =>
      crl({ issuer: middle, entries, extensions: [idp(reasons(3, ...bits))] });
    const first = some([1, 2, 3]);
    expect(pki.codes(check([rootCrl, first, some([4, 5, 6, 7, 8])]))).toEqual([]);
    expect(pki.codes(check([rootCrl, first, some([4, 5, 6, 7])]))).toEqual(["X509_REVOCATION_UNKNOWN"]);
    expect(pki.codes(check([rootCrl, first, some([4, 5, 6, 7, 8], [{ serial: 30, reason: 5 }])]))).toEqual([
      "X509_REVOKED",
    ]);
  });

  it("distribution points match by URI, and by a name relative to the issuer", () => {
    const named = crl({ issuer: middle, extensions: [idp(fullName("http://crl.example/a"))] });
    const other = crl({
      issuer: middle,
      extensions: [idp(fullName("http://crl.example/b"))],
      entries: [{ serial: 31 }],
    });
    const withPoint = (point: Uint8Array) => pki.server(middle, { serial: 31, extensions: points(point) });
    const a = withPoint(sequence(fullName("http://crl.example/a")));
    expect(pki.codes(check([rootCrl, named, other], {}, [a, middle]))).toEqual([]);
    const b = withPoint(sequence(fullName("http://crl.example/b")));
    expect(pki.codes(check([rootCrl, named, other], {}, [b, middle]))).toEqual(["X509_REVOKED"]);
    const rdn = Buffer.from(encodeName([["CN", "part 1"]])).subarray(2 + 2);
    const relative = sequence(explicit(0, element(contextTag(1, true), rdn)));
    const full = explicit(
      0,
      element(
        contextTag(0, true),
        element(
          contextTag(4, true),
          encodeName([
            ["CN", "middle"],
            ["CN", "part 1"],
          ]),
        ),
      ),
    );
    const c = withPoint(relative);
    expect(pki.codes(check([rootCrl, crl({ issuer: middle, extensions: [idp(full)] })], {}, [c, middle]))).toEqual([]);
    expect(pki.codes(check([rootCrl, named], {}, [c, middle]))).toEqual(["X509_REVOCATION_UNKNOWN"]);
  });

  it("a malformed extension of distribution points is a problem of its certificate", () => {
    const broken = pki.server(middle, { serial: 31, extensions: points() });
    expect(pki.codes(check([rootCrl, middleCrl], {}, [broken, middle]))).toEqual(["X509_EXTENSION"]);
  });

  it("keyUsage without cRLSign does not sign CRLs, in a trust anchor's certificate neither", () => {
    const muteRoot = pki.ca("mute root", undefined, { extensions: { keyUsage: ["keyCertSign"] } });
    const revocation = revocationChecks({ crls: certificateLists(crl({ issuer: muteRoot })) });
    const below = [pki.server(muteRoot)];
    expect(pki.codes(pki.check(below, pki.anchors(muteRoot), { revocation }))).toEqual(["X509_CRL_NOT_TRUSTED"]);
    const bare = pki.anchors(muteRoot).map(({ subject, subjectPublicKeyInfo, label }) => ({
      subject,
      subjectPublicKeyInfo,
      label,
    }));
    expect(pki.codes(pki.check(below, bare, { revocation }))).toEqual([]);

    const mute = pki.ca("mute", root, { serial: 21, extensions: { keyUsage: ["keyCertSign"] } });
    const result = check([rootCrl, crl({ issuer: mute })], {}, [pki.server(mute), mute]);
    expect([pki.codes(result), result.flags]).toEqual([["X509_CRL_NOT_TRUSTED"], verificationFlags.CRL_NOT_TRUSTED]);
    expect(result.problems[0]!.message).toContain("cRLSign");
  });

  describe("an indirect CRL of another issuer", () => {
    const crlIssuer = pki.entity({
      name: "crl issuer",
      issuer: root,
      serial: 40,
      extensions: { keyUsage: ["cRLSign"] },
    });
    const named = element(contextTag(2, true), element(contextTag(4, true), encodeName(crlIssuer.name)));
    const subject = pki.server(middle, { serial: 31, extensions: points(sequence(named)) });
    const certificateIssuer = (name: pki.Entity): Uint8Array =>
      encodeExtension(oids.certificateIssuer, true, sequence(element(contextTag(4, true), encodeName(name.name))));
    const list = (entries: readonly EntryInput[], more: Partial<Parameters<typeof crl>[0]> = {}) =>
      crl({ issuer: crlIssuer, entries, extensions: [idp(flag(4))], ...more });
    const path = [subject, middle, crlIssuer];

    it("counts where the certificate names its issuer, whose path leads to the same anchor", () => {
      expect(pki.codes(check([rootCrl, list([])], {}, path))).toEqual([]);
      expect(pki.codes(check([rootCrl, list([])], {}, [subject, middle]))).toEqual(["X509_CRL_NOT_TRUSTED"]);
    });

    it("revokes by serial number and certificateIssuer, which holds for the entries behind it", () => {
      const mine = certificateIssuer(middle);
      expect(pki.codes(check([rootCrl, list([{ serial: 31 }])], {}, path))).toEqual([]);
      expect(pki.codes(check([rootCrl, list([{ serial: 31, extensions: [mine] }])], {}, path))).toEqual([
        "X509_REVOKED",
      ]);
      expect(
        pki.codes(
          check(
            [
              rootCrl,
              list([
                { serial: 1, extensions: [mine] },
                { serial: 31, reason: 1 },
              ]),
            ],
            {},
            path,
          ),
        ),
      ).toEqual(["X509_REVOKED"]);
      const others = certificateIssuer(root);
      expect(
        pki.codes(
          check(
            [
              rootCrl,
              list([
                { serial: 1, extensions: [mine] },
                { serial: 31, extensions: [others] },
              ]),
            ],
            {},
            path,
          ),
        ),
      ).toEqual([]);
    });

    it("does not count where it is not indirect, or its issuer is revoked or no CRL issuer", () => {
      expect(pki.codes(check([rootCrl, list([], { extensions: [] })], {}, path))).toEqual(["X509_REVOCATION_UNKNOWN"]);
      const direct = list([], { extensions: [idp()] });
      expect(pki.codes(check([rootCrl, direct], {}, path))).toEqual(["X509_REVOCATION_UNKNOWN"]);
      const revoking = crl({ issuer: root, entries: [{ serial: 40 }] });
      expect(pki.codes(check([revoking, list([])], {}, path))).toEqual(["X509_CRL_NOT_TRUSTED"]);
      const liar = pki.entity({ name: "crl issuer", issuer: root, serial: 41, key: crlIssuer.key });
      expect(pki.codes(check([rootCrl, list([])], {}, [subject, middle, liar]))).toEqual(["X509_CRL_NOT_TRUSTED"]);
      const stranger = pki.entity({ name: "crl issuer", key: crlIssuer.key, extensions: { keyUsage: ["cRLSign"] } });
      expect(pki.codes(check([rootCrl, list([])], {}, [subject, middle, stranger]))).toEqual(["X509_CRL_NOT_TRUSTED"]);
    });
  });

  it("another path is taken where one has a revoked CA", () => {
    const renewed = pki.ca("middle", root, { key: middle.key, serial: 22 });
    const revoking = crl({ issuer: root, entries: [{ serial: 20 }] });
    const result = check([revoking, middleCrl], {}, [leaf, middle, renewed]);
    expect([pki.codes(result), result.path.map(({ serialNumber }) => serialNumber[0])]).toEqual([[], [30, 22]]);
  });

  it("algorithms are held to the profile: CRL_BAD_MD, CRL_BAD_PK, CRL_BAD_KEY", () => {
    const weak = pki.ca("weak", undefined, { key: rsaKey(1024) });
    const subject = pki.server(weak, { serial: 5 });
    const verdict = (list: Uint8Array) => {
      const result = pki.check([subject], pki.anchors(weak), {
        revocation: revocationChecks({ crls: certificateLists(list) }),
      });
      return [pki.codes(result), result.flags];
    };
    const list = crl({ issuer: weak });
    expect(verdict(list)).toEqual([["X509_CRL_WEAK_KEY"], verificationFlags.CRL_BAD_KEY]);
    const sha1 = pki.withAlgorithm(middleCrl, "2a8648ce3d0401");
    const other = pki.withAlgorithm(middleCrl, "2b6570");
    for (const [der, code, flag] of [
      [sha1, "X509_CRL_WEAK_HASH", verificationFlags.CRL_BAD_MD],
      [other, "X509_CRL_UNSUPPORTED_ALGORITHM", verificationFlags.CRL_BAD_PK],
    ] as const) {
      const result = check([rootCrl, der]);
      expect([pki.codes(result), result.flags]).toEqual([[code], flag]);
    }
  });

  it("any budget gives the same verdict", () => {
    const entries = Array.from({ length: 500 }, (_, i) => ({ serial: 1000 + i }));
    const lists = certificateLists([rootCrl, crl({ issuer: middle, entries: [...entries, { serial: 30 }] })]);
    expect(pki.codes(check([]))).toHaveLength(2);
    const task = searchEntries(lists[1]!, Uint8Array.of(30), lists[1]!.issuer);
    let steps = 0;
    while (!task.step(1)) steps++;
    expect(steps).toBeGreaterThan(100);
    expect(task.result).toEqual({ revocationDate: NOW - DAY, reason: 0 });
    expect(task.spent).toBe(Math.ceil(501 / 4));
  });

  it("a list of 1 MB is searched without an object for the usual entry, and in steps", () => {
    const serial = new Uint8Array(16).fill(0x5a);
    // SEQUENCE and INTEGER have headers of two bytes; the number stands in the serial's last two.
    const pair = [entry({ serial, reason: 1 }), entry({ serial })];
    const rawEntries = new Uint8Array(12_500 * (pair[0]!.length + pair[1]!.length));
    for (let i = 0, at = 0; at < rawEntries.length; i++) {
      rawEntries.set(pair[i & 1]!, at);
      rawEntries.set([i >> 8, i], at + 4 + 14);
      at += pair[i & 1]!.length;
    }
    const list = parseCertificateList(crl({ issuer: middle, rawEntries }));
    expect(list.der.length).toBeGreaterThan(1_000_000);
    const find = (wanted: Uint8Array) => finish(searchEntries(list, wanted, list.issuer));
    const serialOf = (i: number): Uint8Array => Uint8Array.of(...serial.subarray(0, 14), i >> 8, i);
    const missing = Uint8Array.of(1, ...serial.subarray(1));
    find(missing);
    const before = process.memoryUsage();
    expect(find(missing)).toBeUndefined();
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(4_000_000);
    expect(find(serialOf(24_999))).toEqual({ revocationDate: NOW - DAY, reason: 0 });
    expect(find(serialOf(24_998))).toEqual({ revocationDate: NOW - DAY, reason: 1 });
  });
});
