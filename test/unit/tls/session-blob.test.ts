/**
 * What a session's blob must not hold, each with a right checksum around it, so that the reader alone stands in the way; and what its
 * binding tells apart.
 */
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { type Session, sessionBinding } from "../../../src/tls/session.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { blobOf, crypto, der, ecIdentity, NOW, options, readBlob, rsaIdentity, trust } from "./client.ts";
import { ecServerCertificate } from "./fixtures.ts";

const CHECKSUM_BYTES = 8;
const leaf = parseCertificate(der(ecServerCertificate));
const session: Session = {
  handle: { kind: "id", value: new Uint8Array(32).fill(1) },
  master: new Uint8Array(48).fill(7),
  suite: suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.id,
  group: suites.secp256r1.id,
  signatureScheme: suites.ecdsa_secp256r1_sha256.id,
  maxFragmentLength: undefined,
  createdMs: NOW,
  expiresMs: NOW + 1,
  binding: new Uint8Array(32).fill(3),
  path: [leaf],
  anchor: 0,
  evidence: [{ kind: "ocsp", depth: 0, notBefore: NOW, notAfter: NOW + 1 }],
};

const contentOf = (one: Session): Uint8Array => blobOf(one).slice(0, -CHECKSUM_BYTES);
/** With a right checksum, as `blobOf` makes it. */
const sealed = (content: Uint8Array): Uint8Array =>
  concat([content, finish(crypto.digest("sha256", [content])).subarray(0, CHECKSUM_BYTES)]);
const put = (at: number, value: number, content = contentOf(session)): Uint8Array =>
  content.map((byte, i) => (i === at ? value : byte));

/** Where things stand behind version, kind, and an ID of 32 bytes with its length. */
const FRAGMENTS = 4 + 32 + 6;
const COUNT = FRAGMENTS + 1 + 12 + 32 + 4;
const EVIDENCE = COUNT + 1 + 3 + leaf.der.length;

describe("a blob with a right checksum is no session", () => {
  it.each<[string, Uint8Array]>([
    ["of a later version", put(0, 3)],
    ["of an earlier version", put(0, 1)],
    ["of no version", put(0, 0)],
    ["with a handle of another kind", put(1, 2)],
    ["without a handle", contentOf({ ...session, handle: { kind: "id", value: new Uint8Array(0) } })],
    [
      "RFC 5246 §7.4.1.3 with an ID of 33 bytes",
      contentOf({ ...session, handle: { kind: "id", value: new Uint8Array(33) } }),
    ],
    [
      "with a ticket that no ClientHello of ours would hold",
      contentOf({ ...session, handle: { kind: "ticket", value: new Uint8Array(16_385) } }),
    ],
    ["RFC 6066 §4 with a fifth max_fragment_length", put(FRAGMENTS, 5)],
    ["without a certificate", contentOf({ ...session, path: [] })],
    ["with 33 certificates", contentOf({ ...session, path: Array.from({ length: 33 }, () => leaf) })],
    ["RFC 5246 §8.1 with a master secret of 47 bytes", contentOf(session).slice(0, -1)],
    ["RFC 5246 §8.1 with a master secret of 49 bytes", concat([contentOf(session), Uint8Array.of(0)])],
    ["of nothing", new Uint8Array(0)],
    ["of its version alone", Uint8Array.of(2)],
    ["RFC 6960 with evidence of a third kind", put(EVIDENCE + 1, 2)],
    ["with more evidence than there is", put(EVIDENCE, 2)],
  ])("%s", (_title, content) => {
    expect(readBlob(sealed(content))).toBeUndefined();
  });

  it("while the one that they were made of is one", () => {
    const content = contentOf(session);
    expect([FRAGMENTS, COUNT, EVIDENCE, EVIDENCE + 1].map((at) => content[at])).toEqual([0, 1, 1, 1]);
    expect(readBlob(sealed(content))).toBeDefined();
    expect(readBlob(sealed(put(FRAGMENTS, 4)))?.maxFragmentLength).toBe(4096);
  });
});

describe("the binding of a session", () => {
  const binding = (more: Partial<TlsClientOptions>): string =>
    toHex(finish(sessionBinding(checkOptions(options(more)))));
  const anchor = trust[0]!;
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const named = (subject: string, key: string): Partial<TlsClientOptions> => ({
    trust: [{ subject: bytes(subject), subjectPublicKeyInfo: bytes(key), label: "" }],
  });

  it.each<[string, Partial<TlsClientOptions>, Partial<TlsClientOptions>]>([
    ["the subject of an anchor", named("a", "key"), named("b", "key")],
    ["the key of an anchor", named("a", "key"), named("a", "kez")],
    ["the seam between subject and key", named("ab", "c"), named("a", "bc")],
    ["an anchor that is an end entity", {}, { trust: [{ ...anchor, endEntity: true }] }],
    ["the purposes of an anchor", {}, { trust: [{ ...anchor, extendedKeyUsage: ["1.3.6.1.5.5.7.3.1"] }] }],
    ["what an anchor demands and nobody knows", {}, { trust: [{ ...anchor, unknownCritical: ["1.2.3"] }] }],
    [
      "the order of anchors",
      { trust: [anchor, { ...anchor, pathLength: 0 }] },
      { trust: [{ ...anchor, pathLength: 0 }, anchor] },
    ],
    [
      "RFC 5280 §4.2.1.10 the directory names of an anchor's constraints",
      { trust: [{ ...anchor, nameConstraints: constraints(leaf.subject) }] },
      { trust: [{ ...anchor, nameConstraints: constraints(leaf.issuer) }] },
    ],
    [
      "RFC 5280 §4.2.1.10 permitted from excluded",
      { trust: [{ ...anchor, nameConstraints: constraints(leaf.subject) }] },
      { trust: [{ ...anchor, nameConstraints: swapped(constraints(leaf.subject)) }] },
    ],
    [
      "the seam between two identities",
      {
        identity: [
          ecIdentity,
          { ...ecIdentity, certificates: rsaIdentity.certificates, privateKey: rsaIdentity.privateKey },
        ],
      },
      { identity: { ...ecIdentity, certificates: [...ecIdentity.certificates, ...rsaIdentity.certificates] } },
    ],
    ["the order of identities", { identity: [ecIdentity, rsaIdentity] }, { identity: [rsaIdentity, ecIdentity] }],
  ])("tells apart %s", (_title, one, other) => {
    expect(binding(one)).toBe(binding(one));
    expect(binding(one)).not.toBe(binding(other));
  });

  it("RFC 4343 §3 does not care for capitals in a host name, nor for an anchor's label", () => {
    expect(binding({ serverName: "LocalHost" })).toBe(binding({}));
    expect(binding({ trust: [{ ...anchor, label: "another" }] })).toBe(binding({}));
  });
});

function constraints(name: (typeof leaf)["subject"]) {
  const none = { dns: [], ip: [], email: [], uri: [], directory: [], other: [] };
  return { permitted: { ...none, directory: [name] }, excluded: none };
}

function swapped({ permitted, excluded }: ReturnType<typeof constraints>) {
  return { permitted: excluded, excluded: permitted };
}
