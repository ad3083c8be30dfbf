import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import { contextTag, tags } from "../../../src/tls/x509/der.ts";
import { element, nullValue, sequence, smallInteger } from "../../../src/tls/x509/der-write.ts";
import {
  certificateLists,
  certificateVerification,
  parseOcspResponse,
  type RevocationOptions,
  revocationChecks,
  type VerifyOptions,
  verificationFlags,
} from "../../../src/tls/x509/index.ts";
import { encodeExtension } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { ecKey, nodeDouble, rsaKey } from "./node-double.ts";
import * as pki from "./pki.ts";
import { crl, enumerated, ocsp, ocspFailure, singleResponse } from "./revocation-writer.ts";

const { NOW, DAY } = pki;
const root = pki.ca("root");
const middle = pki.ca("middle", root, { serial: 20 });
const leaf = pki.server(middle, { serial: 30 });
const mustStaple = (...features: number[]) => ({
  others: [{ oid: oids.tlsFeature, critical: false, value: sequence(...features.map(smallInteger)) }],
});
const responderOf = (issuer: pki.Entity, more: pki.EntityOptions = {}) =>
  pki.entity({
    name: "responder",
    issuer,
    serial: 50,
    ...more,
    extensions: { keyUsage: ["digitalSignature"], extendedKeyUsage: ["OCSPSigning"], ...more.extensions },
  });
const nocheck = { others: [{ oid: oids["id-pkix-ocsp-nocheck"], critical: false, value: nullValue() }] };
const responder = responderOf(middle);

const check = (
  response: Uint8Array | undefined,
  {
    required = false,
    path = [leaf, middle],
    crls,
    ...more
  }: Partial<VerifyOptions> & Pick<RevocationOptions, "crls"> & { required?: boolean; path?: pki.Entity[] } = {},
) =>
  pki.check(path, pki.anchors(root), {
    ocspResponse: response,
    revocation: revocationChecks({ crls, ocsp: required ? "require" : "request" }),
    ...more,
  });
const right = { issuer: middle, subject: leaf };

describe("RFC 6960 a stapled response", () => {
  it.each([
    ["of the issuer", ocsp(right)],
    ["that names its signer by key", ocsp({ ...right, byKey: true })],
    ["with SHA-256 in its CertID", ocsp({ ...right, hash: "sha256" })],
    ["of a delegated responder", ocsp({ ...right, responder })],
    ["of a delegated responder by key", ocsp({ ...right, responder, byKey: true })],
    [
      "of a delegated responder with nocheck",
      ocsp({ ...right, responder: responderOf(middle, { extensions: nocheck }) }),
    ],
    [
      "of a delegated responder among other certificates",
      ocsp({ ...right, responder, certificates: [root.der, Uint8Array.of(0x30, 0), responder.der] }),
    ],
    ["without nextUpdate, of an hour ago", ocsp({ ...right, nextUpdate: null })],
    [
      "that speaks of other certificates too",
      ocsp({ ...right, before: [singleResponse({ issuer: middle, subject: middle })] }),
    ],
    [
      "with a nonce, which nobody asked for",
      ocsp({ ...right, responseExtensions: [encodeExtension(oids["id-pkix-ocsp-nonce"], false, smallInteger(1))] }),
    ],
    ["whose clock is four minutes ahead", ocsp({ ...right, thisUpdate: NOW + 240_000 })],
  ])("is good: one %s", (_, response) => {
    const result = check(response, { required: true });
    expect([pki.codes(result), result.flags]).toEqual([[], 0]);
  });

  it("of a root for its own child, with RSA", () => {
    const rsaRoot = pki.ca("rsa root", undefined, { key: rsaKey() });
    const child = pki.server(rsaRoot, { serial: 3 });
    const result = pki.check([child], pki.anchors(rsaRoot), {
      ocspResponse: ocsp({ issuer: rsaRoot, subject: child }),
      revocation: revocationChecks({ ocsp: "require" }),
    });
    expect(pki.codes(result)).toEqual([]);
  });

  const OTHER = verificationFlags.OTHER;
  it.each([
    [
      "of a certificate of the issuer's name under another key",
      ocsp({ ...right, idIssuer: { ...root, name: middle.name } }),
      "X509_OCSP_STATUS",
      "nothing of CN = server",
    ],
    [
      "of a certificate of the issuer's key under another name",
      ocsp({ ...right, idIssuer: { ...middle, name: root.name } }),
      "X509_OCSP_STATUS",
      "nothing of CN = server",
    ],
    [
      "that names another signer",
      ocsp({ ...right, responder: { ...middle, name: root.name }, certificates: [] }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder that the issuer's key certified under another name",
      ocsp({ ...right, responder: responderOf({ ...middle, name: root.name }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "revoked",
      ocsp({ ...right, status: "revoked", reason: 1 }),
      "X509_REVOKED",
      "since 2026-01-14T00:00:00Z, reason keyCompromise",
    ],
    ["revoked without a reason", ocsp({ ...right, status: "revoked" }), "X509_REVOKED", "reason unspecified"],
    ["revoked, though stale", ocsp({ ...right, status: "revoked", nextUpdate: NOW - DAY }), "X509_REVOKED", "reason"],
    [
      "revoked, beside good",
      ocsp({ ...right, status: "revoked", before: [singleResponse(right)] }),
      "X509_REVOKED",
      "reason",
    ],
    ["unknown", ocsp({ ...right, status: "unknown" }), "X509_OCSP_STATUS", "does not know"],
    ["of another certificate", ocsp({ ...right, serial: 31 }), "X509_OCSP_STATUS", "nothing of CN = server"],
    [
      "of another issuer's certificate",
      ocsp({ ...right, idIssuer: root }),
      "X509_OCSP_STATUS",
      "nothing of CN = server",
    ],
    ["tryLater", ocspFailure(3), "X509_OCSP_STATUS", "tryLater"],
    ["unauthorized", ocspFailure(6), "X509_OCSP_STATUS", "unauthorized"],
    [
      "out of date",
      ocsp({ ...right, nextUpdate: NOW - 300_001 - 1000 }),
      "X509_OCSP_EXPIRED",
      "now is 2026-01-15T00:00:00Z",
    ],
    [
      "out of date without nextUpdate",
      ocsp({ ...right, thisUpdate: NOW - DAY - 301_000, nextUpdate: null }),
      "X509_OCSP_EXPIRED",
      "now is",
    ],
    ["of the future", ocsp({ ...right, thisUpdate: NOW + 302_000 }), "X509_OCSP_EXPIRED", "now is"],
    [
      "signed by the root",
      ocsp({ ...right, responder: root, certificates: [] }),
      "X509_OCSP_NOT_TRUSTED",
      "CN = middle",
    ],
    ["signed by the leaf itself", ocsp({ ...right, responder: leaf }), "X509_OCSP_NOT_TRUSTED", "CN = middle"],
    [
      "signed by another key under the issuer's name",
      ocsp({ ...right, responder: { ...middle, key: ecKey() }, certificates: [] }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder whose certificate is missing",
      ocsp({ ...right, responder, certificates: [] }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder without OCSPSigning",
      ocsp({ ...right, responder: responderOf(middle, { extensions: { extendedKeyUsage: ["serverAuth"] } }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder with anyExtendedKeyUsage only",
      ocsp({
        ...right,
        responder: responderOf(middle, { extensions: { extendedKeyUsage: [oids.anyExtendedKeyUsage] } }),
      }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder without digitalSignature",
      ocsp({ ...right, responder: responderOf(middle, { extensions: { keyUsage: ["keyAgreement"] } }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    ["of a responder of another CA", ocsp({ ...right, responder: responderOf(root) }), "X509_OCSP_NOT_TRUSTED", ""],
    [
      "of a responder that only names the issuer",
      ocsp({ ...right, responder: responderOf({ ...middle, key: ecKey() }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder whose certificate has expired",
      ocsp({ ...right, responder: responderOf(middle, { notAfter: NOW - 1000 }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "of a responder with a key of 1024 bits",
      ocsp({ ...right, responder: responderOf(middle, { key: rsaKey(1024) }) }),
      "X509_OCSP_NOT_TRUSTED",
      "",
    ],
    [
      "with a critical extension that is unknown",
      ocsp({ ...right, responseExtensions: [encodeExtension("1.2.3", true, smallInteger(1))] }),
      "X509_OCSP_MALFORMED",
      "1.2.3",
    ],
    [
      "with such in the single response",
      ocsp({ ...right, singleExtensions: [encodeExtension("1.2.3", true, smallInteger(1))] }),
      "X509_OCSP_MALFORMED",
      "1.2.3",
    ],
    [
      "of another type",
      sequence(
        enumerated(0),
        element(0xa0, sequence(element(tags.OID, Uint8Array.of(0x2a)), element(tags.OCTET_STRING))),
      ),
      "X509_OCSP_MALFORMED",
      "id-pkix-ocsp-basic",
    ],
    ["without response bytes", sequence(enumerated(0)), "X509_OCSP_MALFORMED", "responseBytes"],
    ["with a status that does not exist", ocspFailure(4), "X509_OCSP_MALFORMED", "4"],
    ["with a byte behind it", concat([ocsp(right), Uint8Array.of(0)]), "X509_OCSP_MALFORMED", "too many"],
    ["that is no DER", Uint8Array.of(1), "X509_OCSP_MALFORMED", ""],
    ["that is empty", new Uint8Array(0), "X509_OCSP_MALFORMED", ""],
    [
      "above 64 kB",
      sequence(enumerated(3), element(contextTag(0, true), new Uint8Array(66_000))),
      "X509_OCSP_MALFORMED",
      "65536 at most",
    ],
  ])("is no good: one %s", (_, response, code, text) => {
    const result = check(response);
    expect(pki.codes(result)).toEqual([code]);
    expect(result.flags).toBe(code === "X509_REVOKED" ? verificationFlags.REVOKED : OTHER);
    expect(result.problems[0]!.message).toContain(text);
  });

  it("signed with an algorithm that is not known is not trusted", () => {
    const response = ocsp(right);
    const old = Buffer.from("06082a8648ce3d040302", "hex");
    const at = response.length - Buffer.from(response).reverse().indexOf(Buffer.from(old).reverse()) - old.length;
    // ecdsa-with-SHA224: an OID of the same length.
    response.set([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01], at);
    expect(pki.codes(check(response))).toEqual(["X509_OCSP_NOT_TRUSTED"]);
  });

  it("without SHA-1 in the provider, a CertID with SHA-256 is enough", () => {
    const crypto = nodeDouble(["sha1"]);
    expect(pki.codes(check(ocsp({ ...right, hash: "sha256", byKey: true }), { crypto }))).toEqual([]);
    expect(pki.codes(check(ocsp(right), { crypto }))).toEqual(["X509_OCSP_STATUS"]);
  });

  it("RFC 6960 §4.2.2.2.1: a CRL can revoke a responder, unless it has nocheck", () => {
    const crls = certificateLists([crl({ issuer: root }), crl({ issuer: middle, entries: [{ serial: 50 }] })]);
    expect(pki.codes(check(ocsp({ ...right, responder }), { crls }))).toEqual(["X509_OCSP_NOT_TRUSTED"]);
    const exempt = responderOf(middle, { extensions: nocheck });
    expect(pki.codes(check(ocsp({ ...right, responder: exempt }), { crls }))).toEqual([]);
  });

  it("stands for a CRL of the leaf, and not for those of its CAs", () => {
    const crls = certificateLists(crl({ issuer: root }));
    expect(pki.codes(check(ocsp(right), { crls }))).toEqual([]);
    expect(pki.codes(check(undefined, { crls }))).toEqual(["X509_REVOCATION_UNKNOWN"]);
    expect(pki.codes(check(ocsp(right), { crls: [] }))).toEqual(["X509_REVOCATION_UNKNOWN"]);
  });

  it("clears no leaf that a CRL revokes", () => {
    const crls = certificateLists([crl({ issuer: root }), crl({ issuer: middle, entries: [{ serial: 30 }] })]);
    expect(pki.codes(check(ocsp(right), { crls }))).toEqual(["X509_REVOKED"]);
  });

  it("under an unknown time: dates are judged as those of certificates", () => {
    const stale = ocsp({ ...right, thisUpdate: NOW - DAY, nextUpdate: NOW - DAY / 2 });
    expect(pki.codes(check(stale, { at: undefined }))).toEqual(["X509_TIME_UNKNOWN"]);
    expect(pki.codes(check(stale, { at: undefined, unknownTime: "acceptUntilKnown" }))).toEqual([]);
    expect(pki.codes(check(stale, { at: undefined, unknownTime: { floor: NOW } }))).toEqual(["X509_OCSP_EXPIRED"]);
    const future = ocsp({ ...right, thisUpdate: NOW + DAY / 2 });
    expect(pki.codes(check(future, { at: undefined, unknownTime: { floor: NOW } }))).toEqual([]);
  });

  it("any budget gives the same verdict", () => {
    for (const [response, ok] of [
      [ocsp({ ...right, responder }), true],
      [ocsp({ ...right, status: "unknown" }), false],
    ] as const) {
      const task = certificateVerification({
        purpose: "any",
        chain: [leaf.der, middle.der],
        trust: pki.anchors(root),
        at: NOW,
        crypto: pki.crypto,
        ocspResponse: response,
        revocation: revocationChecks({ ocsp: "require" }),
      });
      let steps = 1;
      while (!task.step(1)) steps++;
      expect([task.result.ok, steps > 100]).toEqual([ok, true]);
    }
  });

  it("is no argument without somebody who looks at it", () => {
    const chain = [leaf];
    for (const revocation of [undefined, revocationChecks({ crls: [] })])
      expect(() => pki.check(chain, pki.anchors(root), { ocspResponse: ocsp(right), revocation })).toThrow(
        /revocationChecks/,
      );
    expect(() => revocationChecks({})).toThrow(/nothing to look at/);
    expect(() => revocationChecks({ ocsp: "yes" as "off" })).toThrow(/"off", "request" or "require"/);
  });

  it("is read into its parts", () => {
    const { status, basic } = parseOcspResponse(ocsp({ ...right, responder, status: "revoked", reason: 4 }));
    expect([status, basic!.certificates.length, basic!.responses.length]).toEqual(["successful", 1, 1]);
    expect(basic!.responses[0]).toMatchObject({ status: "revoked", revoked: { reason: 4 }, nextUpdate: NOW + DAY });
    expect(finish(pki.crypto.digest("sha1", [new Uint8Array(0)]))).toHaveLength(20);
  });
});

describe("RFC 7633 must-staple", () => {
  it.each([
    ["status_request", mustStaple(5)],
    ["status_request among others", mustStaple(17, 5)],
    [
      "a feature list that cannot be read",
      { others: [{ oid: oids.tlsFeature, critical: false, value: Uint8Array.of(1) }] },
    ],
    ["too many features", mustStaple(...Array.from({ length: 17 }, (_, i) => i + 100))],
  ])("a certificate with %s needs a response, once it was asked for", (_, extensions) => {
    const demanding = pki.server(middle, { serial: 30, extensions });
    const path = [demanding, middle];
    expect(pki.codes(check(undefined, { path }))).toEqual(["X509_OCSP_MISSING"]);
    expect(pki.codes(check(ocsp({ issuer: middle, subject: demanding }), { path }))).toEqual([]);
    expect(pki.codes(pki.check(path, pki.anchors(root)))).toEqual([]);
  });

  it("others need one where it is required", () => {
    expect(pki.codes(check(undefined))).toEqual([]);
    const missing = check(undefined, { required: true });
    expect([pki.codes(missing), missing.flags]).toEqual([["X509_OCSP_MISSING"], verificationFlags.OTHER]);
    const other = pki.server(middle, { extensions: mustStaple(17) });
    expect(pki.codes(check(undefined, { path: [other, middle] }))).toEqual([]);
  });
});
