/**
 * Totality of CRLs and OCSP responses: whatever was changed, there is a result or an error of ours, in bounded work; and what is not signed
 * clears nothing.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish } from "../../../src/task.ts";
import { searchEntries } from "../../../src/tls/x509/crl.ts";
import { element, sequence, smallInteger } from "../../../src/tls/x509/der-write.ts";
import {
  CertificateError,
  type CertificateList,
  certificateLists,
  parseOcspResponse,
  revocationChecks,
} from "../../../src/tls/x509/index.ts";
import { encodeExtension } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { runs } from "../../runs.ts";
import * as pki from "../../unit/x509/pki.ts";
import { crl, ocsp } from "../../unit/x509/revocation-writer.ts";

const root = pki.ca("root");
const leaf = pki.server(root, { serial: 9 });
const responder = pki.entity({ name: "responder", issuer: root, extensions: { extendedKeyUsage: ["OCSPSigning"] } });
const flag = element(0x81, Uint8Array.of(0xff));
const originals = {
  crl: crl({
    issuer: root,
    entries: [
      { serial: 5 },
      { serial: 6, reason: 1 },
      { serial: 9, reason: 4 },
      { serial: 10, extensions: [encodeExtension("1.2.3", false, smallInteger(1))] },
    ],
    extensions: [
      encodeExtension(oids.cRLNumber, false, smallInteger(7)),
      encodeExtension(oids.issuingDistributionPoint, true, sequence(flag)),
    ],
  }),
  ocsp: ocsp({ issuer: root, subject: leaf, responder }),
  revoked: ocsp({ issuer: root, subject: leaf, status: "revoked", reason: 1 }),
};

/** Flips, cuts, repeats and overwrites bytes. */
const mutated = (original: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom("set", "remove", "repeat", "truncate"),
        at: fc.nat(original.length - 1),
        value: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x30, 0x7f, 0x80, 0x84, 0xff)),
        count: fc.integer({ min: 1, max: 8 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((changes) => {
      let bytes = [...original];
      for (const { kind, at, value, count } of changes) {
        if (kind === "set") bytes[at] = value;
        else if (kind === "remove") bytes.splice(at, count);
        else if (kind === "repeat") bytes.splice(at, 0, ...bytes.slice(at, at + count));
        else bytes = bytes.slice(0, at);
      }
      return Uint8Array.from(bytes.map((byte) => byte ?? 0));
    });

/** The value, or `undefined` where it could not be read. Other errors pass. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

describe("totality", () => {
  it("RFC 5280 §5: a changed CRL is unreadable, unused or refused, and never clears the certificate that it revokes", () => {
    fc.assert(
      fc.property(mutated(originals.crl), (bytes) => {
        const lists = attempt((): readonly CertificateList[] => certificateLists(bytes));
        if (lists === undefined) return;
        const task = searchEntries(lists[0]!, Uint8Array.of(9), lists[0]!.issuer);
        finish(task);
        expect(task.spent).toBeLessThan(bytes.length);
        const result = pki.check([leaf], pki.anchors(root), { revocation: revocationChecks({ crls: lists }) });
        expect(result.ok).toBe(false);
        expect(
          pki.check([leaf], pki.anchors(root), { revocation: revocationChecks({ crls: lists, mode: "soft-fail" }) })
            .problems.length,
        ).toBeLessThan(2);
      }),
      runs(300),
    );
  });

  it.each(["ocsp", "revoked"] as const)(
    "RFC 6960 §4.2: a changed response (%s) is never good, unless what changed is not signed",
    (name) => {
      const signed = parseOcspResponse(originals[name]).basic!.tbs;
      fc.assert(
        fc.property(mutated(originals[name]), (response) => {
          attempt(() => parseOcspResponse(response));
          const result = pki.check([leaf], pki.anchors(root), {
            ocspResponse: response,
            revocation: revocationChecks({ ocsp: "require" }),
          });
          expect(result.problems.length).toBeLessThan(2);
          if (!result.ok) return;
          expect(name).toBe("ocsp");
          expect(Buffer.from(parseOcspResponse(response).basic!.tbs).equals(signed)).toBe(true);
        }),
        runs(300),
      );
    },
  );

  it("random bytes are neither", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(attempt(() => certificateLists(bytes))).toBeUndefined();
        const { basic } = attempt(() => parseOcspResponse(bytes)) ?? {};
        expect(basic).toBeUndefined();
      }),
      runs(300),
    );
  });
});
