import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { done, finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { CryptoProvider } from "../../../src/tls/crypto/provider.ts";
import {
  certificateLists,
  parseCertificate,
  profiles,
  provenSignatures,
  revocationChecks,
} from "../../../src/tls/x509/index.ts";
import { prepare, type Recording, replayPrepared } from "../../fixtures/replay.ts";
import { anchors, ca, check, codes, crypto, DAY, type Entity, NOW, server } from "./pki.ts";
import { crl } from "./revocation-writer.ts";

/** A provider that counts the signatures that it verifies. */
function counting(provider: CryptoProvider): { readonly crypto: CryptoProvider; count: number } {
  const counter = {
    count: 0,
    crypto: new Proxy(provider, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...words: unknown[]): unknown => {
          if (name === "verify") counter.count++;
          return member.apply(target, words);
        };
      },
    }),
  };
  return counter;
}

describe("a memory of signatures", () => {
  const certificate = Uint8Array.from({ length: 40 }, (_, i) => i);
  const key = Uint8Array.from({ length: 20 }, (_, i) => 100 + i);

  it("knows what was right, byte by byte, and nothing that was wrong", () => {
    const proven = provenSignatures();
    expect(finish(proven.check(certificate, key, () => done(false)))).toBe(false);
    expect([proven.size, proven.hits]).toEqual([0, 0]);
    expect(finish(proven.check(certificate, key, () => done(true)))).toBe(true);
    const known = proven.check(certificate.slice(), key.slice(), () => expect.unreachable());
    expect(finish(known)).toBe(true);
    expect([proven.size, proven.hits]).toEqual([1, 1]);
    const changed = (bytes: Uint8Array, at: number) =>
      Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
    const others = [
      ...[...certificate.keys()].map((at) => [changed(certificate, at), key] as const),
      ...[...key.keys()].map((at) => [certificate, changed(key, at)] as const),
      [certificate.subarray(1), key] as const,
      [certificate, key.subarray(1)] as const,
      [certificate.subarray(0, 39), Uint8Array.of(39, ...key)] as const,
    ];
    for (const [one, other] of others) expect(finish(proven.check(one, other, () => done(false)))).toBe(false);
    expect([proven.size, proven.hits]).toEqual([1, 1]);
    proven.clear();
    expect(finish(proven.check(certificate, key, () => done(false)))).toBe(false);
  });

  it("copies what it keeps", () => {
    const proven = provenSignatures();
    const [own, ownKey] = [certificate.slice(), key.slice()];
    finish(proven.check(own, ownKey, () => done(true)));
    own.fill(0);
    ownKey.fill(0);
    expect(finish(proven.check(own, ownKey, () => done(false)))).toBe(false);
    expect(finish(proven.check(certificate, key, () => done(false)))).toBe(true);
  });

  it("keeps the `max` that were met last, each once, and no long ones", () => {
    const proven = provenSignatures({ max: 2 });
    const meet = (byte: number, isRight: boolean) =>
      finish(proven.check(Uint8Array.of(byte), key, () => done(isRight)));
    const together = [1, 2].map(() => proven.check(Uint8Array.of(1), key, () => done(true)));
    together.map(finish);
    expect(proven.size).toBe(1);
    meet(2, true);
    expect(meet(1, false)).toBe(true);
    meet(3, true);
    expect(proven.size).toBe(2);
    expect([meet(1, false), meet(2, false), meet(3, false)]).toEqual([true, false, true]);
    finish(proven.check(new Uint8Array(8193), key, () => done(true)));
    expect([meet(1, false), meet(3, false)]).toEqual([true, true]);
    for (const max of [0, 1.5, 1025, "2"])
      expect(() => provenSignatures({ max: max as number })).toThrow("from 1 to 1,024");
  });
});

describe("a chain that comes again", () => {
  const root = ca("root");
  const sub = ca("sub", root);
  const leaf = server(sub, { serial: 7 });
  const trust = anchors(root);

  /** The chain was verified once with what comes back. */
  function met() {
    const counter = counting(crypto);
    const proven = provenSignatures();
    const verify = (chain: readonly Entity[], more: Parameters<typeof check>[2] = {}) =>
      check(chain, more.trust ?? trust, { crypto: counter.crypto, provenSignatures: proven, ...more });
    expect(codes(verify([leaf, sub]))).toEqual([]);
    expect(counter.count).toBe(2);
    return { counter, proven, verify };
  }

  it("is verified without a signature", () => {
    const { counter, proven, verify } = met();
    const result = verify([leaf, sub]);
    expect(codes(result)).toEqual([]);
    expect([result.path.length, counter.count, proven.hits, proven.size]).toEqual([2, 2, 2, 2]);
  });

  it("a changed byte in what is signed, in the algorithms or in the signature is found", () => {
    const { counter, proven, verify } = met();
    const { tbs, signature } = parseCertificate(leaf.der);
    const places = [...Array(leaf.der.length).keys()].filter((at) => at % 9 === 0);
    places.push(leaf.der.length - signature.length, leaf.der.length - 1, 4 + tbs.length + 8);
    for (const at of places) {
      const der = leaf.der.slice();
      der[at]! ^= 1;
      expect(verify([{ ...leaf, der }, sub]).ok, `byte ${at}`).toBe(false);
    }
    expect(counter.count).toBeGreaterThan(2);
    expect(proven.size).toBe(2);
  });

  it("an issuer of the same name with another key is asked anew", () => {
    const { verify } = met();
    expect(codes(verify([leaf, ca("sub", root)]))).toContain("X509_BAD_SIGNATURE");
    expect(codes(verify([leaf, sub], { trust: anchors(ca("root")) }))).toContain("X509_BAD_SIGNATURE");
  });

  it("something else in its place is a mistake of the caller", () => {
    for (const other of [true, {}, new Map()])
      expect(() => check([leaf, sub], trust, { provenSignatures: other as never })).toThrow("provenSignatures");
  });

  it("all else is looked at each time: dates, name, revocation, strength, pins, the app", () => {
    const { counter, verify } = met();
    const refusals = [
      ["X509_EXPIRED", { at: NOW + 2 * DAY }],
      ["X509_TIME_UNKNOWN", { at: undefined }],
      ["X509_NAME_MISMATCH", { serverName: "other.example.com" }],
      ["X509_WEAK_HASH", { profile: { ...profiles.secure, hashes: ["sha384"] } }],
      ["X509_PIN", { pins: ["00".repeat(32)] }],
      ["X509_VETO", { onCertificate: () => ({ veto: "no" }) }],
    ] as const;
    for (const [code, more] of refusals) expect(codes(verify([leaf, sub], more)), code).toContain(code);
    expect(counter.count).toBe(2);
    const lists = certificateLists([crl({ issuer: root }), crl({ issuer: sub, entries: [{ serial: 7 }] })]);
    expect(codes(verify([leaf, sub], { revocation: revocationChecks({ crls: lists }) }))).toContain("X509_REVOKED");
  });
});

describe("handshakes with one server", () => {
  it("RFC 5246 §7.4.2 verify its certificates once, and each its own key exchange", () => {
    const text = readFileSync(new URL("../../fixtures/handshake.json", import.meta.url), "utf8");
    const from = prepare(JSON.parse(text) as Recording);
    const counts = (verification: object) => {
      const counter = counting(createCrypto());
      return [1, 2, 3].map(() => {
        const before = counter.count;
        const { secured } = replayPrepared({ ...from, settings: { ...from.settings, verification } }, counter.crypto);
        expect(secured).toBeDefined();
        return counter.count - before;
      });
    };
    const [first, ...later] = counts({ provenSignatures: provenSignatures() });
    expect(counts({})).toEqual([first, first, first]);
    expect(first).toBeGreaterThan(1);
    expect(later).toEqual([1, 1]);
  });
});
