import forge from "node-forge";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import {
  bitString,
  element,
  objectIdentifier,
  octetString,
  sequence,
  set,
  smallInteger,
  utf8String,
} from "../../../src/tls/x509/der-write.ts";
import {
  CertificateError,
  createCertificateRequest,
  encodeSubjectPublicKeyInfo,
  type IssueExtensions,
  type NameInput,
  parseCertificateRequest,
  toPem,
  verifyCertificateRequest,
} from "../../../src/tls/x509/index.ts";
import { encodeName, signWithSha256 } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { ecKey, nodeDouble, publicOf, random, rsaKey } from "./node-double.ts";
import { server } from "./pki.ts";

const crypto = nodeDouble();
const p256 = ecKey();
const rsa = rsaKey();
const LAMP: NameInput = [
  ["O", "Example"],
  ["CN", "lamp"],
];

function request(privateKey: typeof p256 | typeof rsa = p256, subject = LAMP, extensions?: IssueExtensions) {
  return finish(createCertificateRequest({ subject, privateKey, extensions, crypto, random }));
}

/** A request of any parts, rightly signed by the P-256 key. */
function signed(...parts: readonly Uint8Array[]): Uint8Array {
  return finish(signWithSha256(sequence(...parts), p256, crypto, random));
}

const version = smallInteger(0);
const name = encodeName(LAMP);
const spki = encodeSubjectPublicKeyInfo(publicOf(p256));
const none = element(0xa0);
const challenge = sequence(objectIdentifier("1.2.840.113549.1.9.7"), set(utf8String("secret")));
const asksForSan = sequence(
  objectIdentifier(oids.extensionRequest),
  set(
    sequence(
      sequence(
        objectIdentifier(oids.subjectAltName),
        octetString(sequence(element(0x82, Uint8Array.from([0x61, 0x2e, 0x62])))),
      ),
    ),
  ),
);

function failure(act: () => unknown): CertificateError {
  try {
    act();
  } catch (error) {
    if (error instanceof CertificateError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("PKCS#10", () => {
  it.each([
    ["P-256", p256, "id-ecPublicKey (secp256r1)", "ecdsa-with-SHA256"],
    ["P-384", ecKey("secp384r1"), "id-ecPublicKey (secp384r1)", "ecdsa-with-SHA256"],
    ["RSA", rsa, "rsaEncryption (2048 bit)", "sha256WithRSAEncryption"],
  ])("RFC 2986 §4 a request of %s goes round, PEM and DER, and proves its key", (_, key, algorithm, signature) => {
    const der = request(key);
    for (const input of [der, toPem("CERTIFICATE REQUEST", der), toPem("NEW CERTIFICATE REQUEST", der)]) {
      const read = parseCertificateRequest(input);
      expect(read.subject.toString()).toBe("O = Example, CN = lamp");
      expect(read.publicKey).toEqual(publicOf(key));
      expect([read.publicKeyAlgorithm, read.signatureAlgorithmName]).toEqual([algorithm, signature]);
      expect(read.requested.extensions).toEqual([]);
      expect(finish(verifyCertificateRequest(read, crypto))).toBe(true);
    }
  });

  it("RFC 2986 §4.1 the attributes are there even when there are none", () => {
    expect(toHex(parseCertificateRequest(request()).info)).toMatch(/a000$/);
  });

  it("node-forge reads and verifies what is written, extensions too", () => {
    const der = request(rsa, LAMP, { dnsNames: ["lamp.example"], extendedKeyUsage: ["clientAuth"] });
    const read = forge.pki.certificationRequestFromPem(toPem("CERTIFICATE REQUEST", der));
    expect(read.verify()).toBe(true);
    expect(read.subject.getField("CN").value).toBe("lamp");
    const { extensions } = read.getAttribute({ name: "extensionRequest" }) as unknown as {
      extensions: { name: string }[];
    };
    expect(extensions.map((extension) => extension.name)).toEqual(["extKeyUsage", "subjectAltName"]);
  });

  it("what node-forge writes is read: extensions are shown, a challengePassword is skipped", () => {
    const keys = forge.pki.rsa.generateKeyPair({ bits: 2048, e: 0x10001 });
    const made = forge.pki.createCertificationRequest();
    made.publicKey = keys.publicKey;
    made.setSubject([{ name: "commonName", value: "forge" }]);
    made.setAttributes([
      { name: "challengePassword", value: "secret" },
      {
        name: "extensionRequest",
        extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "forge.example" }] }],
      },
    ] as never);
    made.sign(keys.privateKey, forge.md.sha384.create());
    const read = parseCertificateRequest(forge.pki.certificationRequestToPem(made));
    expect(read.requested.subjectAltName?.dns).toEqual(["forge.example"]);
    expect(read.signatureAlgorithm).toEqual({ kind: "rsa-pkcs1", hash: "sha384" });
    expect(finish(verifyCertificateRequest(read, crypto))).toBe(true);
  });

  it.each([
    ["an empty subject", [version, encodeName([]), spki, none]],
    ["no attributes at all, as old writers have it", [version, name, spki]],
    ["a challengePassword and an extensionRequest", [version, name, spki, element(0xa0, challenge, asksForSan)]],
  ])("accepts %s", (_, parts) => {
    const read = parseCertificateRequest(signed(...parts));
    expect(finish(verifyCertificateRequest(read, crypto))).toBe(true);
  });

  it.each([
    ["another version", [smallInteger(1), name, spki, none], "version"],
    ["extensionRequest twice", [version, name, spki, element(0xa0, asksForSan, asksForSan)], "twice"],
    [
      "an extensionRequest of two values",
      [
        version,
        name,
        spki,
        element(0xa0, sequence(objectIdentifier(oids.extensionRequest), set(sequence(), sequence()))),
      ],
      "values",
    ],
    ["something behind the attributes", [version, name, spki, none, smallInteger(1)], "certificationRequestInfo"],
    [
      "something behind an attribute's values",
      [version, name, spki, element(0xa0, sequence(objectIdentifier("1.2.3"), set(), set()))],
      "attribute",
    ],
    [
      "65 attributes",
      [version, name, spki, element(0xa0, ...Array.from({ length: 65 }, () => challenge))],
      "more than 64",
    ],
    ["no key", [version, name, none], "subjectPKInfo"],
    [
      "a key that is malformed",
      [
        version,
        name,
        sequence(
          sequence(objectIdentifier(oids["id-ecPublicKey"]), objectIdentifier(oids.secp256r1)),
          bitString(Uint8Array.of(4, 1)),
        ),
        none,
      ],
      "subjectPublicKey",
    ],
  ])("X509_REQUEST for %s", (_, parts, shown) => {
    const error = failure(() => parseCertificateRequest(signed(...parts)));
    expect(error).toMatchObject({ code: "X509_REQUEST", blame: "caller", mbedtls: -0x2180 });
    expect(error.message).toContain(shown);
  });

  const good = request();
  it.each([
    ["X509_REQUEST", "something behind it", Uint8Array.of(...good, 0)],
    ["X509_REQUEST", "the end cut off", good.subarray(0, -1)],
    ["X509_REQUEST", "65537 octets", sequence(new Uint8Array(65_533))],
    ["X509_REQUEST", "a certificate in DER", server(undefined).der],
    ["X509_WRONG_CONTENT", "a certificate", toPem("CERTIFICATE", server(undefined).der)],
    ["X509_WRONG_CONTENT", "two requests", toPem("CERTIFICATE REQUEST", good).repeat(2)],
    ["X509_WRONG_CONTENT", "nothing", ""],
    ["X509_WRONG_CONTENT", "a path", "certs/lamp.csr"],
    ["X509_PEM", "PEM that is cut off", toPem("CERTIFICATE REQUEST", good).slice(0, 100)],
  ])("%s for %s", (code, _, input) => expect(failure(() => parseCertificateRequest(input)).code).toBe(code));
});

describe("RFC 2986 §3 the proof that who asks has the key", () => {
  const verify = (der: Uint8Array, provider = crypto) =>
    finish(verifyCertificateRequest(parseCertificateRequest(der), provider));

  it("a request with another's key, another name or a changed signature proves nothing", () => {
    const foreign = encodeSubjectPublicKeyInfo(publicOf(ecKey()));
    expect(verify(signed(version, name, spki, none))).toBe(true);
    expect(verify(signed(version, name, foreign, none))).toBe(false);
    const renamed = fromHex(toHex(request()).replace(toHex(utf8String("lamp")), toHex(utf8String("damp"))));
    expect(verify(renamed)).toBe(false);
    const changed = request();
    changed[changed.length - 1]! ^= 1;
    expect(verify(changed)).toBe(false);
  });

  it("the kind of signature must be the key's", () => {
    expect(verify(signed(version, name, encodeSubjectPublicKeyInfo(publicOf(rsa)), none))).toBe(false);
  });

  it("SHA-1 proves nothing, and neither does what the provider cannot check", () => {
    const made = forge.pki.createCertificationRequest();
    const keys = forge.pki.rsa.generateKeyPair({ bits: 2048, e: 0x10001 });
    made.publicKey = keys.publicKey;
    made.setSubject([{ name: "commonName", value: "forge" }]);
    made.sign(keys.privateKey, forge.md.sha1.create());
    expect(made.verify()).toBe(true);
    const weak = parseCertificateRequest(forge.pki.certificationRequestToPem(made));
    expect(weak.weakSignature).toBe(true);
    expect(finish(verifyCertificateRequest(weak, crypto))).toBe(false);
    for (const missing of ["secp256r1", "sha256", "ecdsa"])
      expect(verify(request(), nodeDouble([missing]))).toBe(false);
    const ed25519 = sequence(sequence(objectIdentifier(oids["id-Ed25519"])), bitString(new Uint8Array(32)));
    const read = parseCertificateRequest(signed(version, name, ed25519, none));
    expect([read.publicKey, read.publicKeyAlgorithm]).toEqual([undefined, "id-Ed25519"]);
    expect(finish(verifyCertificateRequest(read, crypto))).toBe(false);
  });
});
