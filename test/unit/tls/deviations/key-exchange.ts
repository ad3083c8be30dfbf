/**
 * What a server does wrong with its ServerKeyExchange.
 *
 * @module
 */

import { concat } from "../../../../src/bytes.ts";
import { finish } from "../../../../src/task.ts";
import * as suites from "../../../../src/tls/suites.ts";
import { parsePrivateKey } from "../../../../src/tls/x509/keys.ts";
import { crypto, systemRandom } from "../client.ts";
import * as fixtures from "../fixtures.ts";
import type { Script } from "../scripted-server.ts";
import { body, bytes, cut, type Deviation, flip, NONE, put, rsaServer, rsaSuite, without } from "./deviation.ts";

const invalidShare = { code: "TLS_INVALID_KEY_SHARE", alert: 47 } as const;
const badSignature = { code: "TLS_BAD_SIGNATURE", alert: 51 } as const;
const share = (
  title: string,
  group: number,
  publicKey: Uint8Array | ((right: Uint8Array) => Uint8Array),
): Deviation => ({
  title: `RFC 8422 ${title}`,
  script: {
    parameters: (right) => ({
      group,
      publicKey: typeof publicKey === "function" ? publicKey(right.publicKey) : publicKey,
    }),
  },
  ...invalidShare,
});
/** Another signature by the server's own key. */
const signedOtherwise = (
  contents: (parameters: Uint8Array) => Uint8Array[],
  hash: "sha256" | "sha384" = "sha256",
): Script => ({
  keyExchange: (right) => {
    const digest = finish(crypto.digest(hash, contents(right.parameters)));
    const key = parsePrivateKey(fixtures.ecServerKey);
    return { ...right, signature: finish(crypto.sign(suites.ecdsa_secp256r1_sha256, key, digest, systemRandom)) };
  },
});
/** An ECDSA signature as DER says it, right or not. */
const signature = (...values: number[]): Script => ({
  keyExchange: (right) => ({ ...right, signature: bytes(...values) }),
});

export const keyExchangeDeviations: readonly Deviation[] = [
  {
    title: "RFC 5246 §7.4.3 no ServerKeyExchange (SKIP)",
    script: { flight: without(2) },
    code: "TLS_UNEXPECTED_MESSAGE",
    alert: 10,
  },
  {
    title: "RFC 5246 §7.4.3 a wrong signature",
    script: { keyExchange: (message) => ({ ...message, signature: flip(-1)(message.signature) }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
    mbedtls: -0x4e00,
  },
  {
    title: "RFC 5246 §7.4.3 a wrong RSA signature",
    script: {
      ...rsaServer,
      suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
      keyExchange: (message) => ({ ...message, signature: flip(-1)(message.signature) }),
    },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
    mbedtls: -0x4380,
  },
  {
    title: "RFC 5246 §7.4.3 an empty signature",
    script: { keyExchange: (message) => ({ ...message, signature: NONE }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 a signature of another key",
    script: { key: parsePrivateKey(fixtures.clientOnlyServerKey) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 parameters that were changed after signing",
    script: { keyExchange: (message) => ({ ...message, parameters: flip(-1)(message.parameters) }) },
    code: "TLS_BAD_SIGNATURE",
    alert: 51,
  },
  {
    title: "RFC 5246 §7.4.3 a scheme that was not offered (CVE-2026-25834)",
    options: { signatureSchemes: [suites.ecdsa_secp384r1_sha384] },
    code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 the scheme zero",
    script: { keyExchange: (message) => ({ ...message, scheme: 0 }) },
    code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 an RSA scheme with a P-256 key",
    script: { keyExchange: (message) => ({ ...message, scheme: 0x0401 }) },
    code: "TLS_SIGNATURE_SCHEME_UNFIT",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 a curve that was not offered",
    script: { parameters: (from) => ({ ...from, group: 26 }) },
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 explicit curve parameters",
    script: { flight: body(2, flip(0)) },
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.4 an empty key",
    script: { parameters: (from) => ({ ...from, publicKey: NONE }) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  {
    title: "RFC 8422 §5.11 a point that is not on the curve",
    script: { parameters: (from) => ({ ...from, publicKey: flip(-1)(from.publicKey) }) },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.11 a compressed point",
    script: {
      parameters: (from) => ({
        ...from,
        publicKey: concat([bytes(2 + (from.publicKey[64]! & 1)), from.publicKey.subarray(1, 33)]),
      }),
    },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 8422 §5.11 the point at infinity",
    script: { parameters: (from) => ({ ...from, publicKey: bytes(0) }) },
    code: "TLS_INVALID_KEY_SHARE",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 bytes behind the signature",
    script: { flight: body(2, (all) => concat([all, bytes(0)])) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  ...[0, 1, 3, 4, 40, 69, 70, 71, 72, 73].map(
    (length): Deviation => ({
      title: `RFC 8422 §5.4 a ServerKeyExchange that ends after ${length} bytes`,
      script: { flight: cut(2, length) },
      code: "TLS_DECODE_ERROR",
      alert: 50,
    }),
  ),
  ...[1, 2, 0, 248].map(
    (type): Deviation => ({
      title: `RFC 8422 §5.4 curve type ${type} instead of a named curve`,
      script: { flight: body(2, put(0, type)) },
      code: "TLS_UNOFFERED_GROUP",
      alert: 47,
      detail: "curve type",
    }),
  ),
  ...(
    [
      [0, "zero"],
      [19, "secp192r1"],
      [22, "secp256k1"],
      [30, "x448"],
      [256, "ffdhe2048"],
      [0x11ec, "X25519MLKEM768"],
      [0xff01, "arbitrary_explicit_prime_curves"],
      [0x2a2a, "a value of GREASE"],
    ] as const
  ).map(
    ([group, name]): Deviation => ({
      title: `RFC 8422 §5.4 the group ${name}`,
      script: { parameters: (right) => ({ ...right, group }) },
      code: "TLS_UNOFFERED_GROUP",
      alert: 47,
    }),
  ),
  {
    title: "RFC 8422 §5.4 a group that is known here, but was not offered",
    script: { parameters: (right) => ({ ...right, group: suites.x25519.id }) },
    options: { groups: [suites.secp256r1] },
    code: "TLS_UNOFFERED_GROUP",
    alert: 47,
  },
  ...(
    [
      [0x0101, "rsa_pkcs1_md5 (SLOTH)"],
      [0x0201, "rsa_pkcs1_sha1"],
      [0x0203, "ecdsa_sha1"],
      [0x0202, "dsa_sha1"],
      [0x0003, "ecdsa without a hash"],
      [0x0400, "anonymous"],
      [0x0807, "ed25519"],
      [0x0809, "rsa_pss_pss_sha256"],
      [0x0a0a, "a value of GREASE"],
    ] as const
  ).map(
    ([scheme, name]): Deviation => ({
      title: `RFC 5246 §7.4.3 the scheme ${name} (CVE-2026-25834)`,
      script: { keyExchange: (right) => ({ ...right, scheme }) },
      code: "TLS_UNOFFERED_SIGNATURE_SCHEME",
      alert: 47,
    }),
  ),
  {
    title: "RFC 5246 §7.4.3 a scheme of PSS with a P-256 key",
    script: { keyExchange: (right) => ({ ...right, scheme: 0x0804 }) },
    code: "TLS_SIGNATURE_SCHEME_UNFIT",
    alert: 47,
  },
  {
    title: "RFC 5246 §7.4.3 a scheme of ECDSA with an RSA key",
    script: { ...rsaSuite, keyExchange: (right) => ({ ...right, scheme: 0x0403 }) },
    code: "TLS_SIGNATURE_SCHEME_UNFIT",
    alert: 47,
  },
  {
    title: "RFC 8017 §8.1 a signature of PSS that is called one of PKCS #1",
    script: { ...rsaSuite, keyExchange: (right) => ({ ...right, scheme: 0x0401 }) },
    ...badSignature,
  },
  {
    title: "RFC 8017 §8.2 a signature of PKCS #1 that is called one of PSS",
    script: {
      ...rsaSuite,
      scheme: suites.rsa_pkcs1_sha256,
      keyExchange: (right) => ({ ...right, scheme: 0x0804 }),
    },
    ...badSignature,
  },
  {
    title: "RFC 8017 §8.2.2 an RSA signature that is a byte short",
    script: { ...rsaSuite, keyExchange: (right) => ({ ...right, signature: right.signature.subarray(1) }) },
    ...badSignature,
  },
  {
    title: "RFC 8017 §8.2.2 an RSA signature of zeros",
    script: { ...rsaSuite, keyExchange: (right) => ({ ...right, signature: new Uint8Array(right.signature.length) }) },
    ...badSignature,
  },
  {
    title: "RFC 8017 §5.2.2 an RSA signature that is not less than the modulus",
    script: {
      ...rsaSuite,
      keyExchange: (right) => ({ ...right, signature: right.signature.map(() => 255) }),
    },
    ...badSignature,
  },
  {
    title: "RFC 5246 §7.4.3 a signature with another hash than its scheme says",
    script: { keyExchange: (right) => ({ ...right, scheme: 0x0503 }) },
    ...badSignature,
  },
  {
    title: "RFC 5246 §7.4.3 a signature without the randoms, as another connection's could be used again",
    script: signedOtherwise((parameters) => [parameters]),
    ...badSignature,
  },
  {
    title: "RFC 5246 §7.4.3 a signature over other randoms",
    script: signedOtherwise((parameters) => [new Uint8Array(64), parameters]),
    ...badSignature,
  },
  {
    title: "RFC 5246 §7.4.3 a signature without the parameters",
    script: signedOtherwise(() => [new Uint8Array(64)]),
    ...badSignature,
  },
  { title: "FIPS 186-5 §6.4.2 r and s of zero", script: signature(48, 6, 2, 1, 0, 2, 1, 0), ...badSignature },
  { title: "FIPS 186-5 §6.4.2 s of zero", script: signature(48, 6, 2, 1, 1, 2, 1, 0), ...badSignature },
  { title: "FIPS 186-5 §6.4.2 a negative r", script: signature(48, 6, 2, 1, 255, 2, 1, 1), ...badSignature },
  { title: "RFC 8422 §5.4 an ECDSA signature that is no DER", script: signature(1, 2, 3), ...badSignature },
  {
    title: "RFC 8422 §5.4 a byte behind the DER of an ECDSA signature",
    script: { keyExchange: (right) => ({ ...right, signature: concat([right.signature, bytes(0)]) }) },
    ...badSignature,
  },
  {
    title: "RFC 5246 §7.4.3 a signature that is longer than the message",
    script: { flight: body(2, (all) => all.subarray(0, -1)) },
    code: "TLS_DECODE_ERROR",
    alert: 50,
  },
  share("§5.4 a point of P-256 that is a byte short", 23, (key) => key.subarray(0, 64)),
  share("§5.4 a point of P-256 with a byte behind it", 23, (key) => concat([key, bytes(0)])),
  share("§5.11 a hybrid point", 23, put(0, 6)),
  share("§5.11 a point without its first byte", 23, (key) => key.subarray(1)),
  share("§5.11 coordinates of zero", 23, concat([bytes(4), new Uint8Array(64)])),
  share("§5.11 coordinates that are not less than the prime", 23, concat([bytes(4), new Uint8Array(64).fill(255)])),
  share("§5.11 a point of P-256 that is called one of P-384", 24, (key) => key),
  share("§5.11 a point of P-384 that is not on the curve", 24, concat([bytes(4), new Uint8Array(96).fill(1)])),
  share("§5.11 a point of P-521 that is not on the curve", 25, concat([bytes(4), new Uint8Array(132).fill(1)])),
  share("§5.11 a key of X25519 of zeros: an agreed secret of zeros", 29, new Uint8Array(32)),
  share("§5.11 a key of X25519 of order 2", 29, put(0, 1)(new Uint8Array(32))),
  share("§5.11 a key of X25519 that is a byte short", 29, new Uint8Array(31).fill(9)),
  share("§5.11 a key of X25519 with a byte behind it", 29, new Uint8Array(33).fill(9)),
  share("§5.11 a point of P-256 that is called a key of X25519", 29, (key) => key),
];
