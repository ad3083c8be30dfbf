/**
 * What a server does wrong with its Certificate message, and with the certificates in it.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import { finish } from "../../../../src/task.ts";
import * as suites from "../../../../src/tls/suites.ts";
import { DerReader } from "../../../../src/tls/x509/der.ts";
import { sequence } from "../../../../src/tls/x509/der-write.ts";
import { signWithSha256 } from "../../../../src/tls/x509/issue.ts";
import { parsePrivateKey } from "../../../../src/tls/x509/keys.ts";
import { encodeSubjectPublicKeyInfo } from "../../../../src/tls/x509/spki.ts";
import { trustAnchors } from "../../../../src/tls/x509/trust.ts";
import { publicOf, random } from "../../x509/node-double.ts";
import * as pki from "../../x509/pki.ts";
import { der, NOW } from "../client.ts";
import * as fixtures from "../fixtures.ts";
import { body, bytes, cut, type Deviation, flip, NONE, rsaServer, without } from "./deviation.ts";

const root = pki.ca("root");
const stranger = pki.ca("stranger");
const trusted = pki.ca("intermediate", root);
/** What a client that trusts `root` makes of a chain, at a time at which it is valid. */
const chain = (...chain: readonly { readonly der: Uint8Array }[]): Pick<Deviation, "script" | "options"> => ({
  script: { certificates: chain.map(({ der }) => der) },
  options: { trust: pki.anchors(root), wallMs: () => pki.NOW, serverName: "thing.example.com" },
});
/** Its key is of a kind that is not read; what is signed is right. */
const ed25519 = (() => {
  const right = pki.server(root);
  const tbs = new DerReader(right.der, "certificate", "X509_MALFORMED").sequence("").element("tbs").contents;
  const old = encodeSubjectPublicKeyInfo(publicOf(right.key));
  const at = Buffer.from(tbs).indexOf(old);
  const spki = concat([bytes(0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0), new Uint8Array(32).fill(9)]);
  const changed = sequence(tbs.subarray(0, at), spki, tbs.subarray(at + old.length));
  return { der: finish(signWithSha256(changed, root.key, pki.crypto, random)) };
})();
const rejected = (alert: number, problem: string) => ({ code: "TLS_CERTIFICATE_REJECTED", alert, problem }) as const;
const named = (name: string, dnsNames: readonly string[]): Deviation => ({
  title: `RFC 9525 §6.3 ${name}`,
  ...chain(pki.server(root, { extensions: { dnsNames } })),
  ...rejected(42, "X509_NAME_MISMATCH"),
});

export const certificateDeviations: readonly Deviation[] = [
  {
    title: "RFC 5246 §7.4.2 no Certificate",
    script: { flight: without(1) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  { title: "RFC 5246 §7.4.2 an empty list", script: { certificates: [] }, code: "TLS_CERTIFICATE_MISSING", alert: 42 },
  {
    title: "RFC 5246 §7.4.2 an empty certificate",
    script: { certificates: [NONE] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.2 a list longer than its message",
    script: { flight: body(1, flip(2)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5280 §4.1 a certificate that is no DER",
    script: { certificates: [bytes(1, 2, 3)] },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 42,
    mbedtls: -0x2180,
    problem: "X509_MALFORMED",
  },
  {
    title: "RFC 5246 §7.4.2 an RSA certificate for an ECDSA suite",
    script: { certificates: rsaServer.certificates! },
    code: "TLS_CERTIFICATE_KEY_TYPE",
    alert: 40,
    mbedtls: -0x6d00,
  },
  {
    title: "RFC 8410 §4 a key of Ed25519, which no suite here can use",
    ...chain(ed25519),
    ...rejected(43, "X509_UNSUPPORTED_ALGORITHM"),
  },
  {
    title: "RFC 8422 §5.3 a key on a curve that was not offered",
    script: { certificates: [der(fixtures.p384ServerCertificate)] },
    options: { groups: [suites.secp256r1] },
    code: "TLS_CERTIFICATE_CURVE",
    alert: 43,
  },
  {
    title: "RFC 5280 §6.1.3 an expired certificate",
    options: { wallMs: () => NOW + 200 * 365 * 86_400_000 },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 45,
    mbedtls: -0x2700,
    problem: "X509_EXPIRED",
  },
  {
    title: "RFC 5280 §6.1.3 a certificate that is not valid yet",
    options: { wallMs: () => 0 },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 46,
    problem: "X509_NOT_YET_VALID",
  },
  {
    title: "RFC 5280 §6.1.3 an unknown time of day",
    options: { wallMs: () => undefined },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 46,
    problem: "X509_TIME_UNKNOWN",
  },
  {
    title: "RFC 5280 §6.1 an unknown CA",
    options: { trust: trustAnchors(fixtures.otherCertificate) },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 48,
    problem: "X509_NOT_TRUSTED",
  },
  {
    title: "RFC 9525 §6 another name",
    options: { serverName: "example.org" },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 42,
    problem: "X509_NAME_MISMATCH",
  },
  {
    title: "RFC 5280 §4.2.1.12 a certificate for clients only",
    script: {
      certificates: [der(fixtures.clientOnlyServerCertificate)],
      key: parsePrivateKey(fixtures.clientOnlyServerKey),
    },
    code: "TLS_CERTIFICATE_REJECTED",
    alert: 43,
    problem: "X509_EXTENDED_KEY_USAGE",
  },
  ...[0, 1, 2].map(
    (length): Deviation => ({
      title: `RFC 5246 §7.4.2 a Certificate that ends after ${length} bytes`,
      script: { flight: cut(1, length) },
      code: "TLS_DECODE_ERROR",
      alert: 50,
    }),
  ),
  {
    title: "RFC 5246 §7.4.2 bytes behind the list",
    script: { flight: body(1, (all) => concat([all, bytes(0)])) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.2 a certificate that is longer than the list",
    script: { flight: body(1, flip(5)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.2 half the length of a second certificate",
    script: { flight: body(1, () => bytes(0, 0, 6, 0, 0, 1, 0, 0, 0)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4.2 an empty certificate behind the right one",
    script: { certificates: [der(fixtures.ecServerCertificate), NONE] },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 5246 §7.4 a chain that is longer than the client allows",
    script: { certificates: [der(fixtures.ecServerCertificate), new Uint8Array(1024)] },
    options: { maxHandshakeBytes: 1024 },
    code: "TLS_MESSAGE_TOO_LONG",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4 16,777,215 bytes announced",
    script: { flight: ([hello]) => [hello!, bytes(11, 255, 255, 255)] },
    code: "TLS_MESSAGE_TOO_LONG",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.2 the CA in front of the server's certificate",
    script: { certificates: [der(fixtures.caCertificate), der(fixtures.ecServerCertificate)] },
    ...rejected(42, "X509_NAME_MISMATCH"),
  },
  {
    title: "RFC 5280 §4.1 a certificate with a byte behind it",
    script: { certificates: [concat([der(fixtures.ecServerCertificate), bytes(0)])] },
    ...rejected(42, "X509_MALFORMED"),
    mbedtls: -0x2180,
  },
  {
    title: "RFC 5280 §4.1 a certificate cut short",
    script: { certificates: [der(fixtures.ecServerCertificate).subarray(0, -1)] },
    ...rejected(42, "X509_MALFORMED"),
    mbedtls: -0x2180,
  },
  {
    title: "RFC 5280 §6.1.3 a certificate whose signature was changed",
    script: { certificates: [flip(-1)(der(fixtures.ecServerCertificate))] },
    ...rejected(48, "X509_BAD_SIGNATURE"),
  },
  {
    title: "RFC 5280 §6.1 an unlinked certificate in front of a right CA",
    ...chain(pki.server(stranger), trusted),
    ...rejected(48, "X509_NOT_TRUSTED"),
  },
  {
    title: "RFC 5280 §6.1 a certificate that names the right CA and was signed by another one",
    ...chain(pki.server({ ...root, key: stranger.key })),
    ...rejected(48, "X509_BAD_SIGNATURE"),
  },
  {
    title: "RFC 5280 §6.1 a certificate that is signed by itself",
    ...chain(pki.server(undefined)),
    ...rejected(48, "X509_NOT_TRUSTED"),
  },
  {
    title: "RFC 5280 §6.1 the CA that is missing in between",
    ...chain(pki.server(trusted)),
    ...rejected(48, "X509_NOT_TRUSTED"),
  },
  {
    title: "RFC 5280 §4.2.1.9 a server's certificate as a CA (CVE-2026-33896)",
    ...(() => {
      const leaf = pki.server(root);
      return chain(pki.server(leaf), leaf);
    })(),
    ...rejected(48, "X509_NOT_A_CA"),
  },
  {
    title: "RFC 5280 §4.2.1.3 a CA without the usage keyCertSign",
    ...(() => {
      const weak = pki.ca("weak", root, { extensions: { keyUsage: ["digitalSignature"] } });
      return chain(pki.server(weak), weak);
    })(),
    ...rejected(48, "X509_NOT_A_CA"),
  },
  {
    title: "RFC 5280 §4.2.1.9 a CA below one that allows none",
    ...(() => {
      const last = pki.ca("last", root, { extensions: { pathLength: 0 } });
      const below = pki.ca("below", last);
      return chain(pki.server(below), below, last);
    })(),
    ...rejected(48, "X509_PATH_LENGTH"),
  },
  {
    title: "RFC 9525 §6.3 the name only in the CA's certificate",
    ...(() => {
      const authority = pki.ca("named", root, { extensions: { dnsNames: ["thing.example.com"] } });
      return chain(pki.server(authority, { extensions: { dnsNames: ["other.example.com"] } }), authority);
    })(),
    ...rejected(42, "X509_NAME_MISMATCH"),
  },
  {
    title: "RFC 9525 §6.3 the name only as common name",
    ...chain(pki.server(root, { name: "thing.example.com", extensions: { dnsNames: undefined } as never })),
    ...rejected(42, "X509_NAME_MISMATCH"),
  },
  named("a name that ends at a zero byte (CVE-2009-2408)", ["thing.example.com\0.evil.org"]),
  named("a wildcard in the second label", ["thing.*.com"]),
  named("a wildcard for a whole domain", ["*.com"]),
  named("a wildcard of part of a label", ["th*g.example.com"]),
  named("a wildcard that would take two labels", ["*.com", "*"]),
  named("the domain alone", ["example.com"]),
  named("the name with another one in front", ["a.thing.example.com"]),
  {
    title: "RFC 9525 §6.4 a wildcard for an address",
    ...chain(pki.server(root, { extensions: { dnsNames: ["*.0.0.1", "127.0.0.1"] } })),
    options: { ...chain().options, serverName: "127.0.0.1" },
    ...rejected(42, "X509_NAME_MISMATCH"),
  },
  {
    title: "RFC 5280 §4.2.1.3 a key that may not sign",
    ...chain(pki.server(root, { extensions: { keyUsage: ["keyAgreement"] } })),
    ...rejected(43, "X509_KEY_USAGE"),
  },
  {
    title: "RFC 5280 §4.2 a critical extension that nobody knows",
    ...chain(
      pki.server(root, {
        extensions: { others: [{ oid: "1.2.3.4", critical: true, value: Uint8Array.of(5, 0) }] },
      }),
    ),
    ...rejected(42, "X509_UNKNOWN_CRITICAL_EXTENSION"),
    mbedtls: -0x2500,
  },
  {
    title: "RFC 5280 §6.1.3 a CA that has expired",
    ...(() => {
      const old = pki.ca("old", root, { notBefore: pki.NOW - 9 * pki.DAY, notAfter: pki.NOW - pki.DAY });
      return chain(pki.server(old), old);
    })(),
    ...rejected(45, "X509_EXPIRED"),
  },
  {
    title: "RFC 8422 §5.3 an ECDSA certificate for an RSA suite",
    script: { suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, scheme: suites.ecdsa_secp256r1_sha256 },
    code: "TLS_CERTIFICATE_KEY_TYPE",
    alert: 40,
  },
];
