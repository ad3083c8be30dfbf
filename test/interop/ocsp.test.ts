/**
 * Revocation with what others make: OCSP responses of `openssl ocsp`, stapled by OpenSSL's `s_server` and by GnuTLS's `gnutls-serv`, and
 * CRLs of `openssl ca`.
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TlsClientOptions } from "../../src/tls/events.ts";
import { certificateLists, type OcspMode, parseOcspResponse, revocationChecks } from "../../src/tls/x509/index.ts";
import { type CertificateFiles, makeCertificates } from "./certificates.ts";
import { converse } from "./conversation.ts";
import { type Peer, startPeer } from "./peer.ts";

let files: CertificateFiles;
const SERVER = "server-p256";

/** A line of openssl's index of certificates: status, end, revocation, serial number, file, subject. */
const indexLine = (status: "V" | "R", serial: string): string =>
  `${status}\t391231235959Z\t${status === "R" ? "260101000000Z,keyCompromise" : ""}\t${serial}\tunknown\t/O=interop/CN=${SERVER}\n`;

/** An OCSP response for the server's certificate, in a file. */
function respond(name: string, status: "V" | "R", responder: string, ...more: string[]): string {
  const { file, openssl } = files;
  const serial = openssl("x509", "-in", file(`${SERVER}.crt`), "-noout", "-serial")
    .trim()
    .split("=")[1]!;
  writeFileSync(file("index.txt"), indexLine(status, serial));
  const request = ["-issuer", file("ca.crt"), ...more, "-cert", file(`${SERVER}.crt`), "-no_nonce"];
  openssl("ocsp", ...request, "-reqout", file("request.der"));
  const signer = ["-rsigner", file(`${responder}.crt`), "-rkey", file(`${responder}.key`)];
  const index = ["-index", file("index.txt"), "-CA", file("ca.crt"), "-ndays", "1"];
  openssl("ocsp", ...index, ...signer, "-reqin", file("request.der"), "-respout", file(name));
  return file(name);
}

beforeAll(() => {
  files = makeCertificates();
  files.issue(
    "responder",
    "rsa",
    "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n",
  );
  files.issue("pretender", "p256", "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n");
});
afterAll(() => files.remove());

async function against(peer: Peer, options: Partial<TlsClientOptions>) {
  try {
    return await converse(peer, files, options);
  } finally {
    await peer.stop();
  }
}
const openssl = (...more: string[]): Promise<Peer> =>
  startPeer("openssl", (port) => [
    ...["s_server", "-accept", `127.0.0.1:${port}`, "-tls1_2", "-rev"],
    ...["-cert", files.file(`${SERVER}.crt`), "-key", files.file(`${SERVER}.key`), ...more],
  ]);
const asking = (ocsp: OcspMode) => ({ verification: { revocation: revocationChecks({ ocsp }) } });
const rejected = (alert: number, problem: string) => ({
  code: "TLS_CERTIFICATE_REJECTED",
  alert,
  data: expect.objectContaining({ problems: [problem] }),
});

describe("RFC 6066 §8 OpenSSL's s_server -status_file", () => {
  it.each([
    ["of the CA", "ca", []],
    ["of a delegated responder with RSA", "responder", []],
    ["with SHA-256 in its CertID", "responder", ["-sha256"]],
  ] as const)("a good response %s is taken", async (_, responder, more) => {
    const file = respond("good.der", "V", responder, ...more);
    // openssl's `-sha256` stands in front of the certificate that it is for.
    expect(parseOcspResponse(new Uint8Array(readFileSync(file))).basic!.responses[0]!.status).toBe("good");
    const { info } = await against(await openssl("-status_file", file), asking("require"));
    expect(info.statistics.timeline.map(({ message }) => message)).toContain("CertificateStatus");
  });

  it("a revoked certificate is alert 44", async () => {
    const file = respond("revoked.der", "R", "ca");
    const peer = await openssl("-status_file", file);
    await expect(converse(peer, files, asking("request"))).rejects.toMatchObject(rejected(44, "X509_REVOKED"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(peer.output()).toMatch(/alert certificate revoked/);
    await peer.stop();
  });

  it("a response of who may not sign is alert 113, as OpenSSL's client finds too", async () => {
    const file = respond("pretender.der", "V", "pretender");
    const peer = await openssl("-status_file", file);
    await expect(converse(peer, files, asking("request"))).rejects.toMatchObject(
      rejected(113, "X509_OCSP_NOT_TRUSTED"),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(peer.output()).toMatch(/bad certificate status response/);
    await peer.stop();
    const verify = [
      "-issuer",
      files.file("ca.crt"),
      "-cert",
      files.file(`${SERVER}.crt`),
      "-CAfile",
      files.file("ca.crt"),
    ];
    expect(() => execFileSync("openssl", ["ocsp", "-respin", file, ...verify], { stdio: "pipe" })).toThrow(
      /Response Verify Failure|missing ocspsigning/i,
    );
  });

  it("without a response: accepted where one is asked for, alert 113 where it is required", async () => {
    await against(await openssl(), asking("request"));
    await expect(against(await openssl(), asking("require"))).rejects.toMatchObject(rejected(113, "X509_OCSP_MISSING"));
  });
});

describe("RFC 6066 §8 GnuTLS's gnutls-serv --ocsp-response", () => {
  it("a good response is taken", async () => {
    const file = respond("gnutls.der", "V", "responder");
    const peer = await startPeer("gnutls-serv", (port) => [
      ...["--echo", "--port", String(port), "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "--disable-client-cert"],
      ...["--x509certfile", files.file(`${SERVER}.crt`), "--x509keyfile", files.file(`${SERVER}.key`)],
      ...["--ocsp-response", file],
    ]);
    const { info } = await against(peer, asking("require"));
    expect(info.statistics.timeline.map(({ message }) => message)).toContain("CertificateStatus");
  });
});

describe("RFC 5280 §5 CRLs of openssl ca", () => {
  function makeCrl(status: "V" | "R"): Uint8Array {
    const { file, openssl: run } = files;
    const serial = run("x509", "-in", file(`${SERVER}.crt`), "-noout", "-serial")
      .trim()
      .split("=")[1]!;
    writeFileSync(file("ca-index.txt"), indexLine(status, serial));
    writeFileSync(file("crlnumber"), "1001\n");
    writeFileSync(
      file("ca.cnf"),
      `[ca]\ndefault_ca = main\n[main]\ndatabase = ${file("ca-index.txt")}\ncrlnumber = ${file("crlnumber")}\ndefault_md = sha256\ncrl_extensions = ext\n[ext]\nauthorityKeyIdentifier = keyid\n`,
    );
    const ca = ["-config", file("ca.cnf"), "-cert", file("ca.crt"), "-keyfile", file("ca.key")];
    run("ca", "-gencrl", ...ca, "-crldays", "1", "-out", file("ca.crl"));
    return new Uint8Array(readFileSync(file("ca.crl")));
  }

  it("clear a server, and revoke it with alert 44", async () => {
    const crls = (status: "V" | "R") => certificateLists(Buffer.from(makeCrl(status)).toString("latin1"));
    await against(await openssl(), { verification: { revocation: revocationChecks({ crls: crls("V") }) } });
    const peer = await openssl();
    await expect(
      converse(peer, files, { verification: { revocation: revocationChecks({ crls: crls("R") }) } }),
    ).rejects.toMatchObject(rejected(44, "X509_REVOKED"));
    await peer.stop();
  });
});
