import { generateKeyPairSync, type KeyObject } from "node:crypto";
import forge from "node-forge";
import { describe, expect, it } from "vitest";
import { printable } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { DerReader } from "../../../src/tls/x509/der.ts";
import {
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
} from "../../../src/tls/x509/der-write.ts";
import {
  CertificateError,
  encodePrivateKey,
  encodeSubjectPublicKeyInfo,
  keyBelongsTo,
  parseCertificateChain,
  parsePem,
  parsePrivateKey,
  parseSubjectPublicKeyInfo,
  requireKeyOf,
  toPem,
  trustAnchors,
} from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, random, rsaKey } from "./node-double.ts";
import { ca, entity, parseCertificate, server } from "./pki.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const p256 = ec("P-256");
const bytes = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" | "spki") =>
  new Uint8Array(key.export({ format: "der", type } as never) as unknown as Buffer);
const text = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" | "spki") =>
  key.export({ format: "pem", type } as never) as string;

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CertificateError) {
      expect(error.blame).toBe("caller");
      return error.code;
    }
    throw error;
  }
  return "none";
}

describe("RFC 5480 §2.1.1 a public key", () => {
  it("on a curve that is given by its parameters is of no known kind, whatever they are (CVE-2020-0601)", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
    expect(parseSubjectPublicKeyInfo(bytes(publicKey, "spki")).publicKey).toBeUndefined();
    expect(parseSubjectPublicKeyInfo(bytes(p256.publicKey, "spki")).publicKey).toMatchObject({ type: "ec" });
  });
});

describe("PEM", () => {
  const pem = toPem(
    "TEST",
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  it.each([
    ["as written", pem],
    ["CRLF", pem.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\uFEFF${pem}`],
    ["text around it", `Bag Attributes\n  key: 1\n${pem}\nmore`],
    ["spaces at line ends", pem.replaceAll("\n", " \t\n")],
    ["blank lines", pem.replaceAll("\n", "\n\n")],
    ["one long line", pem.replace(/([A-Za-z0-9+/])\n(?=[A-Za-z0-9+/])/g, "$1")],
    ["no newline at the end", pem.trimEnd()],
  ])("RFC 7468 §2 %s is read", (_, input) => {
    const [block, ...more] = parsePem(input);
    expect(more).toEqual([]);
    expect(block).toMatchObject({ label: "TEST", der: Uint8Array.from({ length: 100 }, (_, i) => i) });
  });

  it.each([
    ["END is missing", pem.replace(/-----END.*/, ""), 1],
    ["END of another label", pem.replace("END TEST", "END REST"), 5],
    ["a second BEGIN inside", pem.replace("-----END", "-----BEGIN TEST-----\n-----END"), 5],
    ["a character outside of base64", pem.replace("AAEC", "AA*C"), 2],
    ["a character missing", pem.replace("AAEC", "AAE"), 1],
    ["the padding missing", pem.replace(/=+\n/, "\n"), 1],
    ["padding in the middle", pem.replace("AAEC", "AA=="), 1],
    ["bits behind the end", pem.replace(/.(==?)\n/, "/$1\n"), 1],
    ["nothing inside", "-----BEGIN TEST-----\n-----END TEST-----\n", 1],
  ])("RFC 7468 §3 %s is refused with its line", (_, input, line) => {
    expect(() => parsePem(input)).toThrow(expect.objectContaining({ code: "X509_PEM", data: { line } }));
  });

  it("a damaged line is quoted, but never one of a private key", () => {
    const damaged = pem.replace("AAEC", "AA*C");
    expect(() => parsePem(damaged)).toThrow(/line 2: no base64: AA\*C/);
    // Headers stand before the base64 only.
    expect(() => parsePem(damaged.replace("AA*C", "AAEC\nA: B"))).toThrow(/line 3: no base64: A: B/);
    expect(() => parsePem(damaged.replaceAll("TEST", "EC PRIVATE KEY"))).toThrow(/line 2: no base64$/);
  });

  it("RFC 4648 §4 base64 is node's", () => {
    for (let length = 1; length < 70; length++) {
      const der = Uint8Array.from({ length }, (_, i) => (i * 73 + length) & 255);
      const body = toPem("X", der).split("\n").slice(1, -2).join("");
      expect(body).toBe(Buffer.from(der).toString("base64"));
      expect(parsePem(toPem("X", der))[0]!.der).toEqual(der);
    }
  });
});

describe("private keys", () => {
  it.each([
    ["RFC 5208 PKCS#8 RSA", "pkcs8"],
    ["RFC 8017 §A.1.2 PKCS#1", "pkcs1"],
  ] as const)("%s, in PEM, PEM bytes and DER", (_, type) => {
    const jwk = rsa.privateKey.export({ format: "jwk" });
    const b64 = (value: string | undefined) => new Uint8Array(Buffer.from(value!, "base64url"));
    const expected = {
      type: "rsa",
      modulus: b64(jwk.n),
      publicExponent: b64(jwk.e),
      privateExponent: b64(jwk.d),
      prime1: b64(jwk.p),
      prime2: b64(jwk.q),
      exponent1: b64(jwk.dp),
      exponent2: b64(jwk.dq),
      coefficient: b64(jwk.qi),
    };
    const pem = text(rsa.privateKey, type);
    for (const input of [pem, new TextEncoder().encode(pem), bytes(rsa.privateKey, type)])
      expect(parsePrivateKey(input)).toEqual(expected);
  });

  it.each(["P-256", "P-384", "P-521"])("RFC 5915 SEC1 and PKCS#8 of %s", (curve) => {
    const { privateKey } = ec(curve);
    const jwk = privateKey.export({ format: "jwk" });
    const scalar = new Uint8Array(Buffer.from(jwk.d!, "base64url"));
    const point = new Uint8Array(
      Buffer.concat([Buffer.of(4), Buffer.from(jwk.x!, "base64url"), Buffer.from(jwk.y!, "base64url")]),
    );
    for (const type of ["sec1", "pkcs8"] as const)
      for (const input of [text(privateKey, type), bytes(privateKey, type)])
        expect(parsePrivateKey(input)).toMatchObject({ type: "ec", scalar, point });
  });

  it("skips EC PARAMETERS and a certificate beside the key", () => {
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const certificate = toPem("CERTIFICATE", server(undefined).der);
    const key = parsePrivateKey(bytes(p256.privateKey, "sec1"));
    expect(parsePrivateKey(parameters + text(p256.privateKey, "sec1"))).toEqual(key);
    expect(parsePrivateKey(certificate + text(p256.privateKey, "pkcs8"))).toEqual(key);
  });

  it("RFC 5958 encodePrivateKey writes what node reads, with the same octets", () => {
    for (const key of [rsa.privateKey, p256.privateKey, ec("P-521").privateKey])
      expect(encodePrivateKey(parsePrivateKey(bytes(key, "pkcs8")))).toEqual(bytes(key, "pkcs8"));
  });

  const encrypted = { format: "pem", cipher: "aes-128-cbc", passphrase: "x" } as const;
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  it.each([
    ["X509_KEY_ENCRYPTED", "PKCS#8, encrypted", p256.privateKey.export({ ...encrypted, type: "pkcs8" }) as string],
    ["X509_KEY_ENCRYPTED", "PKCS#1, encrypted", rsa.privateKey.export({ ...encrypted, type: "pkcs1" }) as string],
    [
      "X509_KEY_ENCRYPTED",
      "PKCS#8, encrypted, DER",
      new Uint8Array(p256.privateKey.export({ ...encrypted, format: "der", type: "pkcs8" }) as Buffer),
    ],
    ["X509_WRONG_CONTENT", "a public key", text(rsa.publicKey, "spki")],
    ["X509_WRONG_CONTENT", "a public key, DER", bytes(rsa.publicKey, "spki")],
    ["X509_WRONG_CONTENT", "a certificate", toPem("CERTIFICATE", server(undefined).der)],
    ["X509_WRONG_CONTENT", "a certificate, DER", server(undefined).der],
    ["X509_WRONG_CONTENT", "nothing", ""],
    ["X509_WRONG_CONTENT", "a path", "certs/client.key"],
    ["X509_WRONG_CONTENT", "bytes that are no text", Uint8Array.of(0xff, 0xfe, 0)],
    ["X509_WRONG_CONTENT", "two keys", text(rsa.privateKey, "pkcs8") + text(p256.privateKey, "pkcs8")],
    ["X509_KEY_UNSUPPORTED", "Ed25519", text(ed25519, "pkcs8")],
    ["X509_KEY_UNSUPPORTED", "secp256k1", text(ec("secp256k1").privateKey, "pkcs8")],
    ["X509_KEY_UNSUPPORTED", "an OpenSSH key", toPem("OPENSSH PRIVATE KEY", Uint8Array.of(1))],
    ["X509_KEY_MALFORMED", "DER that is cut off", bytes(rsa.privateKey, "pkcs8").subarray(0, 500)],
    ["X509_KEY_MALFORMED", "DER with something behind it", Uint8Array.of(...bytes(p256.privateKey, "pkcs8"), 0)],
    ["X509_PEM", "PEM that is cut off", text(rsa.privateKey, "pkcs8").slice(0, 500)],
  ])("%s for %s", (expected, _, input) => expect(code(() => parsePrivateKey(input))).toBe(expected));

  it("a scalar may be shorter or padded, but is never longer than the field", () => {
    const sec1 = (octets: string) =>
      toPem(
        "EC PRIVATE KEY",
        new Uint8Array(
          Buffer.from(
            `30${(octets.length / 2 + 17).toString(16)}02010104${(octets.length / 2).toString(16).padStart(2, "0")}${octets}a00a06082a8648ce3d030107`,
            "hex",
          ),
        ),
      );
    const scalar = Uint8Array.from({ length: 32 }, (_, i) => (i < 31 ? 0 : 5));
    expect(parsePrivateKey(sec1("05"))).toMatchObject({ scalar });
    expect(parsePrivateKey(sec1(`${"00".repeat(33)}05`))).toMatchObject({ scalar });
    expect(code(() => parsePrivateKey(sec1(`01${"00".repeat(32)}`)))).toBe("X509_KEY_MALFORMED");
  });

  it("RFC 5915 §3 numbers and points that cannot be are refused", () => {
    const refused = (der: Uint8Array) => expect(code(() => parsePrivateKey(der))).toBe("X509_KEY_MALFORMED");
    const r = parsePrivateKey(bytes(rsa.privateKey, "pkcs8")) as PrivateKey & { type: "rsa" };
    refused(encodePrivateKey({ ...r, prime1: new Uint8Array(0) }));
    refused(encodePrivateKey({ ...r, exponent1: new Uint8Array(257).fill(1) }));
    const e = parsePrivateKey(bytes(p256.privateKey, "pkcs8")) as PrivateKey & { type: "ec" };
    refused(encodePrivateKey({ ...e, point: new Uint8Array(64).fill(4) }));
    const inner = sequence(smallInteger(1), octetString(e.scalar), explicit(0, objectIdentifier("1.3.132.0.34")));
    const algorithm = sequence(objectIdentifier("1.2.840.10045.2.1"), objectIdentifier("1.2.840.10045.3.1.7"));
    refused(sequence(smallInteger(0), algorithm, octetString(inner)));
  });

  const extra = octetString(Uint8Array.of(1));
  const oid = { ec: objectIdentifier("1.2.840.10045.2.1"), rsa: objectIdentifier("1.2.840.113549.1.1.1") };
  const p384Oid = objectIdentifier("1.3.132.0.34");
  const scalarOf384 = octetString(new Uint8Array(48).fill(1));
  const sec1Of384 = sequence(smallInteger(1), scalarOf384);
  const pkcs1 = bytes(rsa.privateKey, "pkcs1");
  const pkcs8 = (algorithm: Uint8Array, ...rest: Uint8Array[]) => sequence(smallInteger(0), algorithm, ...rest);
  const ecAlgorithm = sequence(oid.ec, p384Oid);
  const rsaAlgorithm = sequence(oid.rsa, nullValue());
  it.each([
    ["nothing, which is right", pkcs8(ecAlgorithm, octetString(sec1Of384)), "none"],
    ["nothing, RSA", pkcs8(rsaAlgorithm, octetString(pkcs1)), "none"],
    [
      "an element behind PrivateKeyInfo's last",
      pkcs8(ecAlgorithm, octetString(sec1Of384), extra),
      "X509_KEY_MALFORMED",
    ],
    [
      "an element in the algorithm",
      pkcs8(sequence(oid.ec, p384Oid, extra), octetString(sec1Of384)),
      "X509_KEY_MALFORMED",
    ],
    ["octets behind ECPrivateKey", pkcs8(ecAlgorithm, octetString(sec1Of384, extra)), "X509_KEY_MALFORMED"],
    [
      "an element in ECPrivateKey",
      pkcs8(ecAlgorithm, octetString(sequence(smallInteger(1), scalarOf384, extra))),
      "X509_KEY_MALFORMED",
    ],
    [
      "an element in RSA's algorithm",
      pkcs8(sequence(oid.rsa, nullValue(), extra), octetString(pkcs1)),
      "X509_KEY_MALFORMED",
    ],
    ["octets behind RSAPrivateKey", pkcs8(rsaAlgorithm, octetString(pkcs1, extra)), "X509_KEY_MALFORMED"],
    [
      "an element in RSAPrivateKey",
      pkcs8(
        rsaAlgorithm,
        octetString(sequence(new DerReader(pkcs1, "", "X509_KEY_MALFORMED").element("").contents, extra)),
      ),
      "X509_KEY_MALFORMED",
    ],
  ])("RFC 5958 §2 nothing is left over in a key: %s", (_, der, expected) => {
    expect(code(() => parsePrivateKey(der))).toBe(expected);
  });

  it("what is parsed is copied out, of a Buffer too, so that the file's bytes can be wiped", () => {
    for (const key of [rsa.privateKey, p256.privateKey]) {
      const file = key.export({ format: "der", type: "pkcs8" }) as Buffer;
      const parsed = parsePrivateKey(file);
      file.fill(0);
      expect(encodePrivateKey(parsed)).toEqual(bytes(key, "pkcs8"));
    }
  });

  it("errors of keys show no octet of the key", () => {
    const der = bytes(p256.privateKey, "pkcs8");
    try {
      parsePrivateKey(der.subarray(0, 60));
    } catch (error) {
      const shown = JSON.stringify(error);
      expect(shown).not.toContain(Buffer.from(der.subarray(36, 44)).toString("hex"));
    }
  });
});

describe("public keys", () => {
  it("RFC 5280 §4.1.2.7 SubjectPublicKeyInfo goes round, as node writes it", () => {
    for (const key of [rsa.publicKey, p256.publicKey, ec("P-384").publicKey, ec("P-521").publicKey]) {
      const der = bytes(key, "spki");
      expect(encodeSubjectPublicKeyInfo(parseSubjectPublicKeyInfo(der).publicKey!)).toEqual(der);
    }
  });

  it("keys of other kinds have a name and no value", () => {
    const named = (key: KeyObject) => parseSubjectPublicKeyInfo(bytes(key, "spki"));
    expect(named(generateKeyPairSync("ed25519").publicKey)).toEqual({ publicKey: undefined, algorithm: "id-Ed25519" });
    expect(named(ec("secp256k1").publicKey)).toEqual({
      publicKey: undefined,
      algorithm: "id-ecPublicKey (1.3.132.0.10)",
    });
  });

  it.each([
    ["an exponent of 1", { exponent: Uint8Array.of(1) }],
    ["an even exponent", { exponent: Uint8Array.of(4) }],
    ["an exponent of 32 bits", { exponent: Uint8Array.of(0x80, 0, 0, 1) }],
    ["an even modulus", { modulus: new Uint8Array(256).fill(0xfe) }],
    ["a modulus of 8200 bits", { modulus: new Uint8Array(1025).fill(0xff) }],
    ["a modulus of 0", { modulus: new Uint8Array(0) }],
  ])("RFC 8017 §3.1 RSA with %s is not used", (_, part) => {
    const base = { type: "rsa", modulus: new Uint8Array(256).fill(0xff), exponent: Uint8Array.of(1, 0, 1) } as const;
    expect(parseSubjectPublicKeyInfo(encodeSubjectPublicKeyInfo(base)).publicKey).toEqual(base);
    expect(parseSubjectPublicKeyInfo(encodeSubjectPublicKeyInfo({ ...base, ...part })).publicKey).toBeUndefined();
  });

  it("RFC 5480 §2.2 a point of the wrong length is malformed, a compressed one not used", () => {
    const spki = bytes(p256.publicKey, "spki");
    const { publicKey } = parseSubjectPublicKeyInfo(spki);
    const ecKeyOf = (point: Uint8Array) =>
      encodeSubjectPublicKeyInfo({ ...(publicKey as { type: "ec"; curve: "secp256r1"; point: Uint8Array }), point });
    expect(() => parseSubjectPublicKeyInfo(ecKeyOf(new Uint8Array(64).fill(4)))).toThrow(/65 bytes/);
    expect(parseSubjectPublicKeyInfo(ecKeyOf(new Uint8Array(33).fill(2))).publicKey).toBeUndefined();
  });
});

describe("key and certificate", () => {
  const crypto = nodeDouble();
  it("belong together by modulus or by the computed point, whatever the file says", () => {
    const [a, b, r] = [ecKey(), ecKey(), rsaKey()];
    const certificate = parseCertificate(ca("a", undefined, { key: a }).der);
    const rsaCertificate = parseCertificate(ca("r", undefined, { key: r }).der);
    const belongs = (c: typeof certificate, key: Parameters<typeof keyBelongsTo>[1]) =>
      finish(keyBelongsTo(c, key, crypto, random));
    expect(belongs(certificate, a)).toBe(true);
    expect(belongs(certificate, { ...a, point: undefined })).toBe(true);
    expect(belongs(certificate, { ...b, point: a.point })).toBe(false);
    expect(belongs(certificate, b)).toBe(false);
    expect(belongs(certificate, ecKey("secp384r1"))).toBe(false);
    expect(belongs(certificate, r)).toBe(false);
    expect(belongs(rsaCertificate, r)).toBe(true);
    expect(belongs(rsaCertificate, { ...r, modulus: r.prime1 })).toBe(false);
    expect(() => finish(requireKeyOf(certificate, b, crypto, random))).toThrow(
      expect.objectContaining({ code: "X509_KEY_MISMATCH" }),
    );
    expect(finish(requireKeyOf(certificate, a, crypto, random))).toBeUndefined();
  });
});

describe("certificates in files", () => {
  it("several in PEM, one in DER, and a list of these", () => {
    const [a, b] = [ca("a").der, ca("b").der];
    const pem = toPem("CERTIFICATE", a) + toPem("CERTIFICATE", b);
    expect(parseCertificateChain(pem)).toEqual([a, b]);
    expect(parseCertificateChain(a)).toEqual([a]);
    expect(trustAnchors([pem, b]).map(({ label }) => label)).toEqual(["CN = a", "CN = b", "CN = b"]);
  });

  it("RFC 5280 §6.1.4 anchors that are no CA vouch for themselves only; roots of version 1 are CAs", () => {
    const anchor = (der: Uint8Array) => trustAnchors(der)[0]!;
    expect(anchor(ca("a").der).endEntity).toBeUndefined();
    expect(anchor(ca("a", undefined, { extensions: { ca: false } }).der).endEntity).toBe(true);
    expect(anchor(ca("a", undefined, { extensions: { keyUsage: ["cRLSign"] } }).der).endEntity).toBe(true);
    // A certificate of version 3 without extensions, and the same without its version field, which makes it version 1.
    const { der } = entity({});
    expect(anchor(der).endEntity).toBe(true);
    const outer = new DerReader(der, "certificate", "X509_MALFORMED").sequence("");
    const tbs = outer.element("tbs").contents.subarray(5);
    const old = sequence(sequence(tbs), outer.element("algorithm").der, outer.element("signature").der);
    expect(parseCertificate(old).version).toBe(1);
    expect(anchor(old).endEntity).toBeUndefined();
    const nameless = entity({ name: [], issuer: ca("a"), extensions: { ca: true } });
    expect(code(() => trustAnchors(nameless.der))).toBe("X509_TRUST");
  });

  it("what is no certificate is named", () => {
    const key = text(rsa.privateKey, "pkcs8");
    expect(code(() => parseCertificateChain(key))).toBe("X509_WRONG_CONTENT");
    expect(() => parseCertificateChain(key)).toThrow(/line 1 begins a PRIVATE KEY/);
    expect(code(() => parseCertificateChain("a\u0007b"))).toBe("X509_WRONG_CONTENT");
    expect(() => parseCertificateChain("a\u0007b")).toThrow(printable("a\u0007b"));
    expect(code(() => parseCertificateChain(""))).toBe("X509_WRONG_CONTENT");
    expect(code(() => trustAnchors(Uint8Array.of(0x30, 0)))).toBe("X509_TRUST");
    expect(code(() => trustAnchors(toPem("CERTIFICATE", Uint8Array.of(0x30, 0))))).toBe("X509_TRUST");
    expect(trustAnchors([])).toEqual([]);
  });

  it("node-forge's keys and certificates are read", () => {
    const keys = forge.pki.rsa.generateKeyPair({ bits: 2048, e: 0x10001 });
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = keys.publicKey;
    certificate.serialNumber = "01ab";
    certificate.validity.notBefore = new Date("2026-01-01T00:00:00Z");
    certificate.validity.notAfter = new Date("2051-01-01T00:00:00Z");
    certificate.setSubject([{ name: "commonName", value: "forge" }]);
    certificate.setIssuer([{ name: "commonName", value: "forge" }]);
    certificate.setExtensions([
      { name: "basicConstraints", cA: true },
      { name: "keyUsage", keyCertSign: true, digitalSignature: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "forge.example" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ]);
    certificate.sign(keys.privateKey, forge.md.sha256.create());
    const parsed = parseCertificate(parseCertificateChain(forge.pki.certificateToPem(certificate))[0]!);
    expect(parsed).toMatchObject({
      version: 3,
      serialNumber: Uint8Array.of(1, 0xab),
      notAfter: Date.UTC(2051, 0, 1),
      basicConstraints: { ca: true },
      keyUsage: ["digitalSignature", "keyCertSign"],
      subjectAltName: { dns: ["forge.example"], ip: [Uint8Array.of(127, 0, 0, 1)] },
      signatureAlgorithm: { kind: "rsa-pkcs1", hash: "sha256" },
    });
    expect(
      finish(keyBelongsTo(parsed, parsePrivateKey(forge.pki.privateKeyToPem(keys.privateKey)), nodeDouble(), random)),
    ).toBe(true);
  });
});
