/** Whatever the bytes are: a certificate or a `CertificateError`, never anything else; and no mutated chain is accepted. */

import fc from "fast-check";
import { expect, it, describe as suite } from "vitest";
import { equal } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import {
  CertificateError,
  certificateVerification,
  createCertificateRequest,
  describe,
  encodePrivateKey,
  matchServerName,
  oneLine,
  parseCertificate,
  parseCertificateChain,
  parseCertificateRequest,
  parsePem,
  parsePrivateKey,
  toPem,
  trustAnchors,
  verifyCertificate,
  verifyCertificateRequest,
} from "../../../src/tls/x509/index.ts";
import { runs } from "../../runs.ts";
import { ecKey, nodeDouble, random, rsaKey } from "../../unit/x509/node-double.ts";
import { anchors, ca, crypto, NOW, server } from "../../unit/x509/pki.ts";

const root = ca("root", undefined, { key: rsaKey() });
const sub = ca("sub", root, { extensions: { pathLength: 0, extendedKeyUsage: ["serverAuth"] } });
const leaf = server(sub, { extensions: { ipAddresses: ["127.0.0.1"] } });
const trust = anchors(root);

type Edit = { at: number; kind: "set" | "insert" | "delete" | "cut"; value: number; count: number };
const edits = fc.array(
  fc.record({
    at: fc.nat(2000),
    kind: fc.constantFrom("set" as const, "insert" as const, "delete" as const, "cut" as const),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0x30, 0x31, 0x80, 0x84, 0xff, 0xa0, 0xa3, 0x02, 0x03, 0x04, 0x06)),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function mutate(der: Uint8Array, list: readonly Edit[]): Uint8Array {
  let bytes = [...der];
  for (const { at, kind, value, count } of list) {
    const place = bytes.length === 0 ? 0 : at % bytes.length;
    if (kind === "set") bytes[place] = value;
    else if (kind === "insert") bytes.splice(place, 0, ...new Array<number>(count).fill(value));
    else if (kind === "delete") bytes.splice(place, count);
    else bytes = bytes.slice(0, place);
  }
  return Uint8Array.from(bytes);
}

/** The code of a `CertificateError`, or `undefined` where all went well; anything else that is thrown fails the test. */
function outcome(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof CertificateError) return error.code;
    throw error;
  }
}

suite("totality", () => {
  it("mutated and random certificates are read or refused with blame on the peer", () => {
    let read = 0;
    const input = fc.oneof(
      fc.tuple(fc.constantFrom(root.der, sub.der, leaf.der), edits).map(([der, list]) => mutate(der, list)),
      fc.uint8Array({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(input, (der) => {
        try {
          const certificate = parseCertificate(der);
          read++;
          expect(describe(certificate)).toMatch(/^[\x20-\x7e\n…]*$/);
          expect(oneLine(certificate)).toMatch(/^[\x20-\x7e…]*$/);
          matchServerName(certificate, "example.com");
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
          expect(error).toMatchObject({ blame: "peer" });
          expect((error as CertificateError).message).toMatch(/^[\x20-\x7e§…—]*$/);
        }
      }),
      runs(1500),
    );
    expect(read).toBeGreaterThan(10);
  });

  it("RFC 5280 §6.1.3 a 1: no chain with a mutated certificate is accepted", () => {
    fc.assert(
      fc.property(fc.nat(1), edits, (which, list) => {
        const chain = [leaf.der, sub.der];
        const changed = mutate(chain[which]!, list);
        fc.pre(!equal(changed, chain[which]!));
        chain[which] = changed;
        const options = { purpose: "server", serverName: "thing.example.com", chain, trust, at: NOW, crypto } as const;
        expect(verifyCertificate(options).ok).toBe(false);
      }),
      runs(400),
    );
  });

  it("mutated PEM and keys give their own errors only", () => {
    const pem = toPem("CERTIFICATE", leaf.der) + toPem("PRIVATE KEY", encodePrivateKey(ecKey()));
    const text = fc
      .tuple(fc.nat(pem.length), fc.string({ maxLength: 5 }), fc.nat(9))
      .map(([at, insert, cut]) => pem.slice(0, at) + insert + pem.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (input) => {
        for (const act of [parsePem, parsePrivateKey, parseCertificateChain, trustAnchors]) outcome(() => act(input));
      }),
      runs(400),
    );
    const keys = [encodePrivateKey(ecKey()), encodePrivateKey(rsaKey())];
    fc.assert(
      fc.property(
        fc.constantFrom(...keys),
        edits,
        (der, list) => void outcome(() => parsePrivateKey(mutate(der, list))),
      ),
      runs(600),
    );
  });

  it("RFC 2986 §3 a mutated request is refused, or proves nothing", () => {
    const made = [ecKey(), rsaKey()].map((privateKey) => {
      const extensions = { dnsNames: ["a.example"] };
      return finish(createCertificateRequest({ subject: [["CN", "lamp"]], privateKey, extensions, crypto, random }));
    });
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...made), edits, (der, list) => {
        const changed = mutate(der, list);
        fc.pre(!made.some((one) => equal(one, changed)));
        const code = outcome(() => {
          const request = parseCertificateRequest(changed);
          read++;
          expect(finish(verifyCertificateRequest(request, nodeDouble()))).toBe(false);
        });
        if (changed[0] === 0x30) expect([undefined, "X509_REQUEST"]).toContain(code);
      }),
      runs(400),
    );
    expect(read).toBeGreaterThan(10);
  });

  it("huge lengths and deep nesting cost nothing", () => {
    const deep = new Uint8Array(60_000).fill(0x30);
    for (let i = 1; i < deep.length; i += 2) deep[i] = 0x80;
    expect(outcome(() => parseCertificate(deep))).toBe("X509_MALFORMED");
    const huge = Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30);
    expect(outcome(() => parseCertificate(huge))).toBe("X509_MALFORMED");
    expect(outcome(() => parsePrivateKey(huge))).toBe("X509_KEY_MALFORMED");
  });
});

suite("invariance", () => {
  it("the order of a chain behind its leaf, duplicates and the budget change nothing", () => {
    const others = [sub.der, root.der, ca("other").der, ca("sub", ca("nobody")).der];
    const budgets = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.shuffledSubarray([...others, ...others]), budgets, (rest, steps) => {
        const chain = [leaf.der, ...rest];
        const options = {
          purpose: "server",
          serverName: "127.0.0.1",
          chain,
          trust,
          at: NOW,
          crypto: nodeDouble(),
        } as const;
        const task = certificateVerification(options);
        for (let i = 0; !task.step(steps[i % steps.length]!); i++);
        expect(task.result.ok).toBe(rest.includes(sub.der));
        expect(task.result.problems).toEqual(verifyCertificate({ ...options, crypto }).problems);
      }),
      runs(40),
    );
  });
});
