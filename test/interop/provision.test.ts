/**
 * What `thingwire provision` writes, as openssl and node-forge see it; and what openssl writes, as `thingwire provision` takes it.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { terminalOver } from "../../src/cli/terminal.ts";
import { finish } from "../../src/task.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import { parseCertificateRequest, verifyCertificateRequest } from "../../src/tls/x509/index.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-provision-"));
const file = (name: string): string => join(root, name);
const text = (name: string): string => readFileSync(file(name), "utf8");
afterAll(() => rmSync(root, { recursive: true }));

const CODE = "66cdac5d0a9b4f5c8a3a6d5c0c2f3f0b7d1ac9a6f9a1d5f6d9f4a4c8e3b2a190";

/** What openssl says, on both streams, and whether it is content. */
function openssl(...words: string[]): { readonly ok: boolean; readonly says: string } {
  const { status, stdout, stderr } = spawnSync("openssl", words, { encoding: "utf8" });
  return { ok: status === 0, says: stdout + stderr };
}

async function provision(command: string, ...words: string[]): Promise<void> {
  let said = "";
  const output = { write: (line: string) => void (said += line) };
  const args = ["provision", command, "--dir", root, ...words];
  const code = await runCommand(commands, args, terminalOver(output, output, {}), new AbortController().signal);
  if (code !== 0) throw new Error(said);
}

const KEYS = ["p256", "rsa"] as const;

describe.each(KEYS)("provision with a CA of type %s", (type) => {
  const ca = ["--ca", file(`${type}/ca.crt`), "--ca-key", file(`${type}/ca.key`)];
  beforeAll(() => provision("ca", "Example CA", "--type", type, "--dir", file(type)));

  it("openssl verify -x509_strict takes device and verification certificates", async () => {
    for (const device of KEYS) await provision("device", `${device}-of-${type}`, "--type", device, ...ca);
    await provision("verification", CODE, ...ca, "--force");
    for (const name of [...KEYS.map((device) => `${device}-of-${type}-certificate.pem.crt`), "verification.crt"]) {
      const verified = openssl("verify", "-x509_strict", "-CAfile", file(`${type}/ca.crt`), file(name));
      expect(verified).toEqual({ ok: true, says: `${file(name)}: OK\n` });
    }
    const purpose = ["-purpose", "sslclient", "-CAfile", file(`${type}/ca.crt`)];
    expect(openssl("verify", ...purpose, file(`p256-of-${type}-certificate.pem.crt`)).ok).toBe(true);
    expect(
      openssl("verify", "-purpose", "sslserver", ...purpose.slice(2), file(`p256-of-${type}-certificate.pem.crt`)).ok,
    ).toBe(false);
  });

  it("openssl x509 -text shows what a device certificate has to have", () => {
    const { says } = openssl("x509", "-in", file(`rsa-of-${type}-certificate.pem.crt`), "-noout", "-text");
    for (const line of [
      "Version: 3 (0x2)",
      "Issuer: CN = Example CA",
      `Subject: CN = rsa-of-${type}`,
      "Public-Key: (2048 bit)",
      "CA:FALSE",
      "Digital Signature",
      "TLS Web Client Authentication",
      type === "rsa" ? "Signature Algorithm: sha256WithRSAEncryption" : "Signature Algorithm: ecdsa-with-SHA256",
    ])
      expect(says).toContain(line);
    const verification = openssl("x509", "-in", file("verification.crt"), "-noout", "-subject").says;
    expect(verification).toBe(`subject=CN = ${CODE}\n`);
    const own = openssl("x509", "-in", file(`${type}/ca.crt`), "-noout", "-text").says;
    for (const line of ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign"]) expect(own).toContain(line);
  });
});

describe.each(KEYS)("keys and requests of type %s", (type) => {
  const name = `csr-${type}`;
  beforeAll(() => provision("csr", name, "--type", type));

  it("RFC 2986 openssl req -verify takes the request", () => {
    const { ok, says } = openssl("req", "-in", file(`${name}.csr`), "-verify", "-noout", "-text");
    expect([ok, says]).toEqual([true, expect.stringContaining("self-signature verify OK")]);
    expect(says).toContain(`Subject: CN = ${name}`);
    expect(says).toContain(type === "rsa" ? "Public-Key: (2048 bit)" : "NIST CURVE: P-256");
  });

  it("openssl pkey -check takes the private key, and derives the public one", () => {
    const { ok, says } = openssl("pkey", "-in", file(`${name}-private.pem.key`), "-check", "-noout");
    expect([ok, says]).toEqual([true, "Key is valid\n"]);
    expect(openssl("pkey", "-in", file(`${name}-private.pem.key`), "-pubout").says).toBe(
      text(`${name}-public.pem.key`),
    );
  });

  it("openssl x509 -req issues a certificate for it", async () => {
    if (!existsSync(file("ca.crt"))) await provision("ca");
    const signed = openssl(
      ...["x509", "-req", "-in", file(`${name}.csr`), "-CA", file("ca.crt"), "-CAkey", file("ca.key")],
      ...["-CAcreateserial", "-days", "30", "-out", file(`${name}.crt`)],
    );
    expect(signed).toEqual({ ok: true, says: expect.stringContaining("self-signature ok") });
    expect(openssl("verify", "-CAfile", file("ca.crt"), file(`${name}.crt`)).ok).toBe(true);
  });
});

describe("node-forge", () => {
  it("verifies a device certificate against its CA, where both have RSA keys", () => {
    const ca = forge.pki.certificateFromPem(text("rsa/ca.crt"));
    const device = forge.pki.certificateFromPem(text("rsa-of-rsa-certificate.pem.crt"));
    expect(ca.verify(device)).toBe(true);
    expect(forge.pki.verifyCertificateChain(forge.pki.createCaStore([ca]), [device])).toBe(true);
    expect(device.getExtension("extKeyUsage")).toMatchObject({ clientAuth: true });
    expect(device.getExtension("authorityKeyIdentifier")).toMatchObject({
      value: expect.stringContaining(
        forge.util.hexToBytes(
          (ca.getExtension("subjectKeyIdentifier") as unknown as { subjectKeyIdentifier: string }).subjectKeyIdentifier,
        ),
      ),
    });
  });

  it("verifies a request", () => {
    expect(forge.pki.certificationRequestFromPem(text("csr-rsa.csr")).verify()).toBe(true);
  });
});

describe("what openssl wrote", () => {
  const KINDS = [
    ["P-256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "-sha256"],
    ["P-384", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "-sha384"],
    ["P-521", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "-sha512"],
    ["RSA", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "-sha256"],
    ["RSA, 3072 bits", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"], "-sha512"],
  ] as const;
  it.each(KINDS)("a request of %s, with attributes, is read and verified; PEM and DER", (_, key, hash) => {
    openssl("genpkey", ...key, "-out", file("foreign.key"));
    const config = [
      "[req]\ndistinguished_name=dn\nattributes=attributes\nreq_extensions=extensions\nprompt=no\n[dn]\nO=Example\nCN=foreign",
      "[attributes]\nchallengePassword=secret-word\n[extensions]\nsubjectAltName=DNS:foreign.example\nkeyUsage=digitalSignature\n",
    ].join("\n");
    writeFileSync(file("foreign.cnf"), config);
    const make = ["req", "-new", "-key", file("foreign.key"), hash, "-config", file("foreign.cnf")];
    openssl(...make, "-out", file("foreign.csr"));
    openssl("req", "-in", file("foreign.csr"), "-outform", "DER", "-out", file("foreign.der"));
    for (const input of [text("foreign.csr"), new Uint8Array(readFileSync(file("foreign.der")))]) {
      const request = parseCertificateRequest(input);
      expect(request.subject.toString()).toBe("O = Example, CN = foreign");
      expect(request.requested).toMatchObject({
        subjectAltName: { dns: ["foreign.example"] },
        keyUsage: ["digitalSignature"],
      });
      expect(finish(verifyCertificateRequest(request, createCrypto()))).toBe(true);
    }
  });

  it("RSASSA-PSS and SHA-1 are told apart: the one proves, the other does not", () => {
    const make = ["req", "-new", "-key", file("csr-rsa-private.pem.key"), "-subj", "/CN=x"];
    const proves = (...words: string[]): boolean => {
      expect(openssl(...make, ...words, "-out", file("x.csr")).ok).toBe(true);
      return finish(verifyCertificateRequest(parseCertificateRequest(text("x.csr")), createCrypto()));
    };
    expect(proves("-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")).toBe(true);
    expect(proves("-sha1")).toBe(false);
  });

  it("a CA of openssl, whose key identifier is made another way, signs devices", async () => {
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", file("their.key"));
    const extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
    openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      file("their.key"),
      "-subj",
      "/O=Ex\u00e4mple/CN=their CA",
      "-utf8",
      "-days",
      "30",
      ...extensions,
      "-out",
      file("their.crt"),
    );
    await provision("device", "theirs", "--ca", file("their.crt"), "--ca-key", file("their.key"), "--chain");
    expect(
      openssl("verify", "-x509_strict", "-CAfile", file("their.crt"), file("theirs-certificate.pem.crt")).says,
    ).toContain(": OK");
    const blocks = text("theirs-certificate.pem.crt").match(/BEGIN CERTIFICATE/g);
    expect(blocks).toHaveLength(2);
  });
});
