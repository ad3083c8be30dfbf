import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/cli/doctor/diagnose.ts";
import { nodeDoctorPorts } from "../../../src/cli/doctor/node-ports.ts";
import type { DoctorPorts } from "../../../src/cli/doctor/ports.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { finish } from "../../../src/task.ts";
import { createCertificateRequest } from "../../../src/tls/x509/csr.ts";
import { encodePrivateKey, toPem } from "../../../src/tls/x509/index.ts";
import { ecKey, random, rsaKey } from "../x509/node-double.ts";
import { ca, crypto, DAY, type Entity, entity } from "../x509/pki.ts";
import { accusations, type Files, optionsOf, type Patient, portsOf, secretsOf } from "./doctor-bench.ts";

const now = Date.now();
const valid = { notBefore: now - DAY, notAfter: now + 300 * DAY };
const forClients = { keyUsage: ["digitalSignature"], extendedKeyUsage: ["clientAuth"] } as const;

const authority = ca("our CA", undefined, valid);
const foreignCa = ca("another CA", undefined, valid);
const device = entity({ name: "lamp", issuer: authority, ...valid, extensions: { ca: false, ...forClients } });
const other = entity({ name: "other", issuer: authority, ...valid });
const rsa = entity({ name: "lamp", key: rsaKey(), issuer: authority, ...valid });
const shortRsa = entity({ name: "lamp", key: rsaKey(1024), issuer: authority, ...valid });

function pem(...entities: Entity[]): string {
  return entities.map(({ der }) => toPem("CERTIFICATE", der)).join("");
}

function keyObject({ key }: Entity): KeyObject {
  return createPrivateKey({ key: Buffer.from(encodePrivateKey(key)), format: "der", type: "pkcs8" });
}

function pkcs8(of: Entity): string {
  return toPem("PRIVATE KEY", encodePrivateKey(of.key));
}

function sec1(of: Entity): string {
  return keyObject(of).export({ format: "pem", type: "sec1" }).toString();
}

const certificate = pem(device);
const key = pkcs8(device);
const publicKey = (() => {
  const { publicKey: half } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return half.export({ format: "pem", type: "spki" }).toString();
})();
const request = toPem(
  "CERTIFICATE REQUEST",
  finish(
    createCertificateRequest({
      subject: [["CN", "lamp"]],
      privateKey: device.key,
      crypto,
      random,
    }),
  ),
);

/** The same certificate with the OID of SHA-1 with RSA, in both places; its signature does not matter to a device. */
function withSha1(der: Uint8Array): Uint8Array {
  const patched = Buffer.from(der);
  const oid = Buffer.from("2a864886f70d01010b", "hex");
  for (let at = patched.indexOf(oid); at >= 0; at = patched.indexOf(oid, at + 1)) patched[at + 8] = 5;
  return new Uint8Array(patched);
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

function derOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/-----[^-]+-----|\s/g, ""), "base64"));
}

/** Cuts the last octets off a DER. */
function cut(der: Uint8Array, octets = 40): Uint8Array {
  return der.subarray(0, der.length - octets);
}

function clockAt(ms: number | undefined): Partial<DoctorPorts> {
  return { runtime: { ...nodeRuntime, clock: { ...nodeRuntime.clock, wallMs: () => ms } } };
}

const encrypted = keyObject(device)
  .export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "secret" })
  .toString();
const legacyEncrypted = keyObject(rsa)
  .export({ format: "pem", type: "pkcs1", cipher: "aes-128-cbc", passphrase: "secret" })
  .toString();
const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const rsaByAuthority = entity({ name: "lamp", key: rsa.key, issuer: { ...authority, key: rsa.key }, ...valid });

type Row = readonly [name: string, files: Files, expected: readonly string[], more?: Omit<Patient, "files">];

const pair: Files = { "client.crt": certificate, "client.key": key };

const broken: readonly Row[] = [
  ["no certificate file", { ...pair, "client.crt": undefined }, ["certificate-file DOCTOR_FILE_MISSING"]],
  ["no key file", { ...pair, "client.key": undefined }, ["key-file DOCTOR_FILE_MISSING"]],
  ["a key that may not be read", { ...pair, "client.key": "EACCES" }, ["key-file DOCTOR_FILE_UNREADABLE"]],
  ["a folder for the certificate", { ...pair, "client.crt": "EISDIR" }, ["certificate-file DOCTOR_FILE_IS_FOLDER"]],
  ["a disk image", { ...pair, "client.crt": "EFBIG" }, ["certificate-file DOCTOR_FILE_FOREIGN"]],
  ["an empty key file", { ...pair, "client.key": "" }, ["key-file DOCTOR_FILE_EMPTY"]],
  ["white space only", { ...pair, "client.key": " \n\n" }, ["key-file DOCTOR_FILE_EMPTY"]],
  [
    "UTF-16 of PowerShell",
    { ...pair, "client.crt": new Uint8Array(Buffer.from(`\uFEFF${certificate}`, "utf16le")) },
    ["certificate-file DOCTOR_FILE_UTF16"],
  ],
  [
    "UTF-16 without its mark",
    { ...pair, "client.crt": new Uint8Array(Buffer.from(certificate, "utf16le")) },
    ["certificate-file DOCTOR_FILE_UTF16"],
  ],
  ["a byte order mark", { ...pair, "client.key": `\uFEFF${key}` }, ["key-file DOCTOR_FILE_BOM?"]],
  ["single CR", { ...pair, "client.key": key.replaceAll("\n", "\r") }, ["key-file DOCTOR_FILE_LINE_ENDS?"]],
  [
    "doubled CR",
    { ...pair, "client.crt": certificate.replaceAll("\n", "\r\r\n") },
    ["certificate-file DOCTOR_FILE_LINE_ENDS?"],
  ],
  ["DER for PEM: certificate", { ...pair, "client.crt": device.der }, ["certificate-file DOCTOR_FILE_DER?"]],
  ["DER for PEM: key", { ...pair, "client.key": encodePrivateKey(device.key) }, ["key-file DOCTOR_FILE_DER?"]],
  ["line breaks lost", { ...pair, "client.key": key.replaceAll("\n", " ") }, ["key-file DOCTOR_FILE_LINES_LOST"]],
  [
    "\\n as two characters",
    { ...pair, "client.crt": certificate.replaceAll("\n", "\\n") },
    ["certificate-file DOCTOR_FILE_LINES_LOST"],
  ],
  ["cut off before END", { ...pair, "client.key": key.slice(0, 150) }, ["key-file DOCTOR_PEM_DAMAGED"]],
  [
    "one character too few",
    { ...pair, "client.crt": certificate.replace(/A/, "") },
    ["certificate-file DOCTOR_PEM_DAMAGED"],
  ],
  [
    "a character that is no base64",
    { ...pair, "client.key": key.replace(/\n(.{20})./, "\n$1*") },
    ["key-file DOCTOR_PEM_DAMAGED"],
  ],
  [
    "four dashes",
    { ...pair, "client.crt": certificate.replaceAll("-----", "----") },
    ["certificate-file DOCTOR_PEM_DAMAGED"],
  ],
  ["END without BEGIN", { ...pair, "client.key": key.replace(/^.*\n/, "") }, ["key-file DOCTOR_PEM_DAMAGED"]],
  ["base64 alone", { ...pair, "client.key": key.replace(/-----.*-----\n/g, "") }, ["key-file DOCTOR_PEM_DAMAGED"]],
  [
    "swapped",
    { "client.crt": key, "client.key": certificate },
    ["certificate-file DOCTOR_FILES_SWAPPED", "key-file DOCTOR_FILES_SWAPPED"],
  ],
  [
    "a key for the certificate, and both in the key's file",
    { "client.crt": key, "client.key": certificate + key },
    ["certificate-file DOCTOR_CERTIFICATE_IS_KEY"],
  ],
  ["a key for the certificate", { ...pair, "client.crt": key }, ["certificate-file DOCTOR_CERTIFICATE_IS_KEY"]],
  [
    "a public key for the certificate",
    { ...pair, "client.crt": publicKey },
    ["certificate-file DOCTOR_CERTIFICATE_IS_PUBLIC_KEY"],
  ],
  ["a CSR for the certificate", { ...pair, "client.crt": request }, ["certificate-file DOCTOR_CERTIFICATE_IS_REQUEST"]],
  ["a CSR in DER", { ...pair, "client.crt": derOf(request) }, ["certificate-file DOCTOR_CERTIFICATE_IS_REQUEST"]],
  [
    "PKCS #7",
    { ...pair, "client.crt": certificate.replaceAll("CERTIFICATE", "PKCS7") },
    ["certificate-file DOCTOR_FILE_FOREIGN"],
  ],
  ["PKCS #12", { ...pair, "client.crt": derOf("MAYCAQMwAQUA") }, ["certificate-file DOCTOR_FILE_FOREIGN"]],
  [
    "an error page",
    { ...pair, "client.crt": "<!DOCTYPE html><html><body>403</body></html>" },
    ["certificate-file DOCTOR_FILE_FOREIGN"],
  ],
  [
    "the answer of the aws command",
    { ...pair, "client.crt": JSON.stringify({ certificatePem: certificate }, undefined, 2) },
    ["certificate-file DOCTOR_FILE_LINES_LOST"],
  ],
  [
    "binary data",
    { ...pair, "client.key": new Uint8Array([1, 2, 0xff, 0xfe, 0xfd]) },
    ["key-file DOCTOR_FILE_FOREIGN"],
  ],
  ["DER that is cut short", { ...pair, "client.crt": cut(device.der) }, ["certificate-file DOCTOR_DER_DAMAGED"]],
  [
    "a certificate that is cut short inside",
    { ...pair, "client.crt": toPem("CERTIFICATE", cut(device.der)) },
    ["certificate-file DOCTOR_CERTIFICATE_MALFORMED"],
  ],
  [
    "the CA's certificate for the device's",
    { ...pair, "client.crt": pem(authority) },
    ["certificate-role DOCTOR_CERTIFICATE_IS_CA"],
  ],
  ["a chain upside down", { ...pair, "client.crt": pem(authority, device) }, ["certificate-role DOCTOR_CHAIN_ORDER"]],
  [
    "a chain of strangers",
    { ...pair, "client.crt": pem(device, foreignCa) },
    ["certificate-role DOCTOR_CHAIN_UNLINKED?"],
  ],
  ["the public key for the private", { ...pair, "client.key": publicKey }, ["key-file DOCTOR_KEY_IS_PUBLIC"]],
  ["the public key in DER", { ...pair, "client.key": derOf(publicKey) }, ["key-file DOCTOR_KEY_IS_PUBLIC"]],
  ["the certificate twice", { ...pair, "client.key": certificate }, ["key-file DOCTOR_KEY_IS_CERTIFICATE"]],
  ["a CSR for the key", { ...pair, "client.key": request }, ["key-file DOCTOR_KEY_IS_REQUEST"]],
  ["PKCS #8 with a password", { ...pair, "client.key": encrypted }, ["key-file DOCTOR_KEY_ENCRYPTED"]],
  ["the same in DER", { ...pair, "client.key": derOf(encrypted) }, ["key-file DOCTOR_KEY_ENCRYPTED"]],
  ["an old PEM with a password", { ...pair, "client.key": legacyEncrypted }, ["key-file DOCTOR_KEY_ENCRYPTED"]],
  ["two keys", { ...pair, "client.key": key + pkcs8(other) }, ["key-file DOCTOR_KEY_SEVERAL"]],
  ["an Ed25519 key", { ...pair, "client.key": ed25519 }, ["key-file DOCTOR_KEY_UNSUPPORTED"]],
  [
    "a key of OpenSSH",
    { ...pair, "client.key": toPem("OPENSSH PRIVATE KEY", bytesOf("openssh-key-v1")) },
    ["key-file DOCTOR_KEY_UNSUPPORTED"],
  ],
  [
    "a key that is cut short inside",
    { ...pair, "client.key": toPem("PRIVATE KEY", cut(encodePrivateKey(rsa.key))) },
    ["key-file DOCTOR_KEY_MALFORMED"],
  ],
  [
    "SEC1 in a block that says PKCS #8",
    { ...pair, "client.key": sec1(device).replaceAll("EC PRIVATE KEY", "PRIVATE KEY") },
    ["key-file DOCTOR_KEY_MALFORMED"],
  ],
  ["another certificate's key", { ...pair, "client.key": pkcs8(other) }, ["key-match DOCTOR_KEY_MISMATCH"]],
  ["a key of another kind", { ...pair, "client.key": pkcs8(rsa) }, ["key-match DOCTOR_KEY_MISMATCH"]],
  ["a tracked key", pair, ["key-tracked DOCTOR_KEY_TRACKED"], { ports: { gitState: () => "tracked" } }],
  [
    "a key that git add would take",
    pair,
    ["key-tracked DOCTOR_KEY_UNTRACKED?"],
    { ports: { gitState: () => "untracked" } },
  ],
  ["a key for the CA", { ...pair, "ca.crt": key }, ["ca-file DOCTOR_CA_UNUSABLE"], { options: { ca: "ca.crt" } }],
  ["no CA file", pair, ["ca-file DOCTOR_FILE_MISSING"], { options: { ca: "ca.crt" } }],
  ["expired", pair, ["certificate-dates DOCTOR_CERTIFICATE_EXPIRED"], { ports: clockAt(now + 301 * DAY) }],
  ["not yet valid", pair, ["certificate-dates DOCTOR_CERTIFICATE_NOT_YET_VALID"], { ports: clockAt(now - 2 * DAY) }],
  ["a clock at 1970", pair, ["clock DOCTOR_CLOCK_UNSET"], { ports: clockAt(5_000) }],
  ["no clock", pair, ["clock DOCTOR_CLOCK_UNSET"], { ports: clockAt(undefined) }],
  [
    "SHA-1",
    { "client.crt": toPem("CERTIFICATE", withSha1(rsaByAuthority.der)), "client.key": pkcs8(rsa) },
    ["certificate-algorithms DOCTOR_CERTIFICATE_WEAK_HASH"],
  ],
  [
    "RSA of 1024 bits",
    { "client.crt": pem(shortRsa), "client.key": pkcs8(shortRsa) },
    ["certificate-algorithms DOCTOR_CERTIFICATE_WEAK_KEY"],
  ],
  [
    "a server's certificate",
    (() => {
      const server = entity({
        name: "lamp",
        issuer: authority,
        ...valid,
        extensions: { extendedKeyUsage: ["serverAuth"] },
      });
      return { "client.crt": pem(server), "client.key": pkcs8(server) };
    })(),
    ["certificate-role DOCTOR_CERTIFICATE_NOT_FOR_CLIENTS?"],
  ],
  [
    "a certificate whose key may not sign",
    (() => {
      const agreeing = entity({
        name: "lamp",
        issuer: authority,
        ...valid,
        extensions: { keyUsage: ["keyAgreement"], extendedKeyUsage: ["clientAuth"] },
      });
      return { "client.crt": pem(agreeing), "client.key": pkcs8(agreeing) };
    })(),
    ["certificate-role DOCTOR_CERTIFICATE_NOT_FOR_CLIENTS?"],
  ],
];

const p384 = entity({ name: "lamp", key: ecKey("secp384r1"), issuer: authority, ...valid });
const p521 = entity({ name: "lamp", key: ecKey("secp521r1"), issuer: authority, ...valid });
const selfSigned = entity({ name: "lamp", ...valid });
const selfSignedCa = entity({ name: "lamp", ...valid, extensions: { ca: true } });

const healthy: readonly (readonly [string, Files, Omit<Patient, "files">?])[] = [
  ["P-256, PKCS #8", pair],
  [
    "P-256, SEC1 with EC PARAMETERS",
    {
      ...pair,
      "client.key": `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1(device)}`,
    },
  ],
  [
    "RSA, PKCS #1",
    { "client.crt": pem(rsa), "client.key": keyObject(rsa).export({ format: "pem", type: "pkcs1" }).toString() },
  ],
  ["P-384", { "client.crt": pem(p384), "client.key": pkcs8(p384) }],
  ["P-521", { "client.crt": pem(p521), "client.key": pkcs8(p521) }],
  ["CRLF", { "client.crt": certificate.replaceAll("\n", "\r\n"), "client.key": key.replaceAll("\n", "\r\n") }],
  ["a chain", { ...pair, "client.crt": pem(device, authority) }],
  ["text around PEM", { ...pair, "client.key": `Bag Attributes\n    friendlyName: lamp\n${key}` }],
  ["no newline at the end, blank lines", { ...pair, "client.crt": `\n\n${certificate.trimEnd()}` }],
  ["self-signed", { "client.crt": pem(selfSigned), "client.key": pkcs8(selfSigned) }],
  ["self-signed as openssl makes it", { "client.crt": pem(selfSignedCa), "client.key": pkcs8(selfSignedCa) }],
  ["its last second", pair, { ports: clockAt(Math.floor((now + 300 * DAY) / 1000) * 1000) }],
  ["git ignores the key", pair, { ports: { gitState: () => "ignored" } }],
  ["a CA file with two", { ...pair, "ca.crt": pem(authority, foreignCa) }, { options: { ca: "ca.crt" } }],
];

/** Without a name for the endpoint nothing is dialled: only files are judged. */
async function accusedOf(patient: Patient) {
  const ports = portsOf(patient);
  const report = await diagnose(optionsOf(patient), { ...ports, lookup: async () => ({ problem: "ENOTFOUND" }) });
  return { report, found: accusations(report).filter((accusation) => accusation !== "dns DOCTOR_DNS_NOT_FOUND") };
}

describe("doctor: every broken file is named, and nothing else", () => {
  for (const [name, files, expected, more] of broken)
    it(name, async () => {
      const { report, found } = await accusedOf({ files, ...more });
      expect(found).toEqual(expected);
      const text = JSON.stringify(report);
      for (const secret of secretsOf(files)) expect(text).not.toContain(secret);
      for (const result of report.results.filter(({ code }) => code !== undefined)) {
        expect(result.fix, result.code).toMatch(/[.]$/);
        expect(result.evidence).not.toBe("");
      }
    });

  for (const [name, files, more] of healthy)
    it(`healthy: ${name}`, async () => {
      const { report, found } = await accusedOf({ files, ...more });
      expect(found).toEqual([]);
      const text = JSON.stringify(report);
      for (const secret of secretsOf(files)) expect(text).not.toContain(secret);
    });
});

it("doctor: a file that is far too big for a key is not read", () => {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    const file = join(folder, "image");
    writeFileSync(file, "");
    truncateSync(file, 2 ** 32);
    expect(nodeDoctorPorts().readFile(file)).toEqual({ problem: "EFBIG" });
    expect(nodeDoctorPorts().readFile(folder)).toEqual({ problem: "EISDIR" });
    expect(nodeDoctorPorts().readFile(join(folder, "none"))).toEqual({ problem: "ENOENT" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("doctor: the key itself counts, not a link to it", () => {
  it.each([
    ["tracked.key", "tracked"],
    ["link to tracked.key", "tracked"],
    ["tracked link to outside.key", "outside"],
  ] as const)("%s: %s", (name, state) => {
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    try {
      const at = (path: string): string => join(folder, path);
      const git = (...words: string[]) => execFileSync("git", words, { cwd: at("repository"), stdio: "ignore" });
      mkdirSync(at("repository"));
      writeFileSync(at("repository/tracked.key"), "key");
      writeFileSync(at("outside.key"), "key");
      symlinkSync(at("repository/tracked.key"), at("link to tracked.key"));
      symlinkSync(at("outside.key"), at("repository/tracked link to outside.key"));
      git("init", "--quiet");
      git("add", ".");
      const path = name === "link to tracked.key" ? name : `repository/${name}`;
      expect(nodeDoctorPorts().gitState(at(path))).toBe(state);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
