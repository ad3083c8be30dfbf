import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../src/cli/command.ts";
import { commands } from "../../../src/cli/commands/index.ts";
import { terminalOver } from "../../../src/cli/terminal.ts";
import { embedCredentials, findCredentials } from "../../../src/simulator/node/embed.ts";
import { startLocalEndpoint } from "../../../src/simulator/node/endpoint.ts";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { selfSign } from "../../../src/tls/x509/authority.ts";
import {
  createCertificateRequest,
  encodePrivateKey,
  parseCertificate,
  parseCertificateChain,
  parseCertificateRequest,
  toPem,
  trustAnchors,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, random, rsaKey } from "../x509/node-double.ts";
import { DAY, entity } from "../x509/pki.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-provision-"));
afterAll(() => rmSync(root, { recursive: true }));

const CODE = "66cdac5d0a9b4f5c8a3a6d5c0c2f3f0b7d1ac9a6f9a1d5f6d9f4a4c8e3b2a190";

function run(...words: string[]) {
  return runWords(["provision", ...words]);
}

async function runWords(words: readonly string[]) {
  let out = "";
  let err = "";
  const terminal = terminalOver({ write: (text) => void (out += text) }, { write: (text) => void (err += text) }, {});
  const code = await runCommand(commands, words, terminal, new AbortController().signal);
  return { code, out, err };
}

/** Runs a command in a folder; it must succeed. The parsed JSON. */
async function made(dir: string, ...words: string[]) {
  const { code, out, err } = await run(...words, "--dir", dir, "--json");
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as {
    files: string[];
    certificateId?: string;
    aws: string[];
    local: string[];
    warnings: string[];
  };
}

const fresh = (): string => mkdtempSync(join(root, "dir-"));
const text = (...path: string[]): string => readFileSync(join(...path), "utf8");
const mode = (...path: string[]): number => statSync(join(...path)).mode & 0o777;
const certificateIn = (...path: string[]) => parseCertificate(parseCertificateChain(text(...path))[0]!);

/** A folder with a CA. */
let dir: string;
beforeAll(async () => {
  dir = fresh();
  await made(dir, "ca", "Example CA");
});

describe("thingwire provision", () => {
  it.each([
    ["p256", "ec"],
    ["rsa", "rsa"],
  ])("key --type %s: a pair, the private half for its owner alone", async (type, kind) => {
    const folder = fresh();
    const { files } = await made(folder, "key", "lamp", "--type", type);
    const names = ["lamp-private.pem.key", "lamp-public.pem.key"];
    expect(files).toEqual(names.map((name) => join(folder, name)));
    expect([mode(files[0]!), mode(files[1]!)]).toEqual([0o600, 0o644]);
    const key = createPrivateKey(text(files[0]!));
    expect(key.asymmetricKeyType).toBe(kind);
    expect(key.asymmetricKeyDetails).toMatchObject(
      kind === "rsa" ? { modulusLength: 2048, publicExponent: 65537n } : { namedCurve: "prime256v1" },
    );
    expect(createPublicKey(key).export({ format: "pem", type: "spki" })).toBe(text(files[1]!));
  });

  it("csr: a request with a new key, or with one that is there, and what to tell AWS", async () => {
    const folder = fresh();
    const { files, aws } = await made(folder, "csr", "lamp");
    expect(files.map((path) => path.slice(folder.length + 1))).toEqual([
      "lamp-private.pem.key",
      "lamp-public.pem.key",
      "lamp.csr",
    ]);
    expect(parseCertificateRequest(text(folder, "lamp.csr")).subject.toString()).toBe("CN = lamp");
    expect(aws[0]).toBe(
      `aws iot create-certificate-from-csr --certificate-signing-request file://${folder}/lamp.csr --set-as-active --certificate-pem-outfile ${folder}/lamp-certificate.pem.crt`,
    );
    const again = await made(fresh(), "csr", "lamp", "--key", join(folder, "lamp-private.pem.key"));
    expect(again.files).toHaveLength(1);
    expect(parseCertificateRequest(text(again.files[0]!)).publicKey).toEqual(
      parseCertificateRequest(text(folder, "lamp.csr")).publicKey,
    );
  });

  it("ca: signs itself and no other CA", () => {
    const ca = certificateIn(dir, "ca.crt");
    expect([ca.subject.toString(), ca.issuer.toString()]).toEqual(["CN = Example CA", "CN = Example CA"]);
    expect(ca.basicConstraints).toEqual({ ca: true, pathLength: 0 });
    expect(ca.keyUsage).toEqual(["keyCertSign", "cRLSign"]);
    expect([mode(dir, "ca.key"), mode(dir, "ca.crt")]).toEqual([0o600, 0o644]);
    expect(new X509Certificate(text(dir, "ca.crt")).checkPrivateKey(createPrivateKey(text(dir, "ca.key")))).toBe(true);
  });

  it("verification: CN is the registration code, signed by the CA, and no key is left", async () => {
    const { files, aws } = await made(dir, "verification", CODE);
    expect(files).toEqual([join(dir, "verification.crt")]);
    const proof = new X509Certificate(text(dir, "verification.crt"));
    expect(proof.subject).toBe(`CN=${CODE}`);
    expect(proof.verify(new X509Certificate(text(dir, "ca.crt")).publicKey)).toBe(true);
    expect(aws).toEqual([
      `aws iot register-ca-certificate --ca-certificate file://${dir}/ca.crt --verification-cert file://${dir}/verification.crt --set-as-active`,
    ]);
  });

  it.each(["p256", "rsa"])("device --type %s: a certificate that a server with that CA accepts", async (type) => {
    const name = `lamp-${type}`;
    const { certificateId } = await made(dir, "device", name, "--type", type);
    const chain = parseCertificateChain(text(dir, `${name}-certificate.pem.crt`));
    const result = verifyCertificate({
      chain,
      trust: trustAnchors(text(dir, "ca.crt")),
      purpose: "client",
      at: Date.now(),
      crypto: createCrypto(),
    });
    expect(result.problems).toEqual([]);
    const certificate = new X509Certificate(text(dir, `${name}-certificate.pem.crt`));
    expect(certificateId).toBe(certificate.fingerprint256.replaceAll(":", "").toLowerCase());
    expect(certificate.checkPrivateKey(createPrivateKey(text(dir, `${name}-private.pem.key`)))).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it("device: `thingwire embed` finds what it wrote", async () => {
    const folder = fresh();
    const ca = ["--ca", join(dir, "ca.crt"), "--ca-key", join(dir, "ca.key")];
    await made(folder, "device", "lamp", ...ca, "--chain");
    const { certificates } = embedCredentials(findCredentials(folder), join(folder, "credentials.js"));
    expect(certificates.map(({ subject }) => subject.toString())).toEqual(["CN = lamp", "CN = Example CA"]);
  });

  it("device --csr: for the key of a request, whose name must be the device's", async () => {
    const folder = fresh();
    await made(folder, "csr", "hair", "--type", "rsa");
    const csr = ["--csr", join(folder, "hair.csr")];
    const { files } = await made(dir, "device", "hair", ...csr);
    expect(files).toEqual([join(dir, "hair-certificate.pem.crt")]);
    const certificate = new X509Certificate(text(files[0]!));
    expect(certificate.checkPrivateKey(createPrivateKey(text(folder, "hair-private.pem.key")))).toBe(true);
    const other = await run("device", "lamp", ...csr, "--dir", dir);
    expect([other.code, existsSync(join(dir, "lamp-certificate.pem.crt"))]).toEqual([2, false]);
    expect(other.err).toContain('for CN = "hair", not for lamp');
  });

  it("device: never outlives its CA", async () => {
    const folder = fresh();
    await made(folder, "ca", "--days", "10");
    await made(folder, "device", "lamp", "--days", "3650");
    expect(certificateIn(folder, "lamp-certificate.pem.crt").notAfter).toBe(certificateIn(folder, "ca.crt").notAfter);
    await made(folder, "device", "hair", "--days", "5");
    const { notAfter } = certificateIn(folder, "hair-certificate.pem.crt");
    expect(Math.abs(notAfter - Date.now() - 5 * 86_400_000)).toBeLessThan(60_000);
  });

  it("writes nothing over, and nothing at all where one file is there; --force does", async () => {
    const folder = fresh();
    writeFileSync(join(folder, "lamp-public.pem.key"), "mine");
    const refused = await run("key", "lamp", "--dir", folder);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("lamp-public.pem.key is there already");
    expect(readdirSync(folder)).toEqual(["lamp-public.pem.key"]);
    await made(folder, "key", "lamp", "--force");
    expect(text(folder, "lamp-public.pem.key")).toContain("BEGIN PUBLIC KEY");
  });

  it("--force writes all or nothing: a folder where the certificate goes leaves the key as it was", async () => {
    const folder = fresh();
    await made(folder, "key", "lamp");
    const before = text(folder, "lamp-private.pem.key");
    mkdirSync(join(folder, "lamp-certificate.pem.crt"));
    const ca = ["--ca", join(dir, "ca.crt"), "--ca-key", join(dir, "ca.key")];
    const { code, err } = await run("device", "lamp", ...ca, "--dir", folder, "--force");
    expect([code, err]).toEqual([1, expect.stringContaining("no regular file")]);
    expect(text(folder, "lamp-private.pem.key")).toBe(before);
  });

  it("people read what was written, what it is, and what comes next; no octet of a key", async () => {
    const folder = fresh();
    const { code, out } = await run("csr", "lamp", "--dir", folder);
    expect(code).toBe(0);
    expect(out).toContain(`wrote ${folder}/lamp-private.pem.key  (private key: keep it secret)`);
    expect(out).toContain("  aws iot create-certificate-from-csr ");
    for (const line of text(folder, "lamp-private.pem.key").split("\n").slice(1, 3)) expect(out).not.toContain(line);
  });

  it("names with blanks and quotes are quoted for the shell", async () => {
    const folder = join(fresh(), "it's mine");
    const { aws } = await made(folder, "csr", "lamp");
    const words = execFileSync("bash", ["-c", `printf '%s\\n' ${aws[0]}`], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(words[4]).toBe(`file://${folder}/lamp.csr`);
  });

  it("the command lines for the local endpoint do what they say: CA, proof, device, thing and policy", async () => {
    const [folder, account] = [fresh(), join(fresh(), "account")];
    const registry = async (line: string): Promise<string> => {
      const words = line.split(" ").slice(1);
      const { code, out, err } = await runWords([...words, "--dir", account]);
      expect([code, err]).toEqual([0, ""]);
      return out.trim();
    };
    await (await startLocalEndpoint({ dir: account, port: 0 })).close();
    const ca = await made(folder, "ca");
    const [code, verification, register] = ca.local;
    const words = verification!
      .replace("CODE", await registry(code!))
      .split(" ")
      .slice(1);
    expect((await runWords(words)).code).toBe(0);
    expect(await registry(register!)).toContain("ACTIVE");
    const { local, certificateId } = await made(folder, "device", "lamp");
    for (const line of local) await registry(line);
    const shown = await registry("thingwire registry list certificates");
    expect(shown.split("\n").find((line) => line.includes(certificateId!))).toMatch(/ACTIVE.*lamp.*thingwire-default/);
  });

  it("warns of a key that git does not ignore, and refuses to write over one that it tracks", async () => {
    const folder = fresh();
    const git = (...words: string[]) => execFileSync("git", words, { cwd: folder });
    git("init", "--quiet");
    const { warnings } = await made(folder, "key", "lamp");
    expect(warnings).toEqual([expect.stringContaining("does not ignore")]);
    git("add", "lamp-private.pem.key");
    const before = text(folder, "lamp-private.pem.key");
    const { code, err } = await run("key", "lamp", "--dir", folder, "--force");
    expect([code, text(folder, "lamp-private.pem.key")]).toEqual([1, before]);
    expect(err).toContain("THING_KEY_TRACKED");
  });
});

/** A CA of one day that began so many days from now. */
function authorityOf(folder: string, days: number): string[] {
  const clock = { now: () => 0, wallMs: () => Date.now() + days * 86_400_000 };
  const ports = { crypto: nodeDouble(), random, clock };
  const { certificate, privateKey } = selfSign(ecKey(), ports, { subject: [["CN", "old"]], days: 1 });
  return written(folder, certificate, privateKey);
}

/** Writes a CA's files, and tells the options that name them. */
function written(folder: string, certificate: Uint8Array, privateKey: PrivateKey): string[] {
  const [crt, key] = [join(folder, "old.crt"), join(folder, "old.key")];
  writeFileSync(crt, toPem("CERTIFICATE", certificate));
  writeFileSync(key, toPem("PRIVATE KEY", encodePrivateKey(privateKey)));
  return ["--ca", crt, "--ca-key", key];
}

/** A request that says that it is signed with another algorithm of PKCS#1: 5 is SHA-1 with RSA. */
async function withAlgorithm(folder: string, last: number): Promise<string[]> {
  const file = join(folder, "lamp.csr");
  await made(folder, "csr", "lamp", "--type", "rsa");
  const { der, signatureAlgorithmName } = parseCertificateRequest(text(file));
  expect(signatureAlgorithmName).toBe("sha256WithRSAEncryption");
  der[Buffer.from(der).indexOf("2a864886f70d01010b", 0, "hex") + 8] = last;
  writeFileSync(file, toPem("CERTIFICATE REQUEST", der));
  return ["device", "lamp", "--csr", file];
}

describe("thingwire provision refuses", () => {
  it.each([
    [["key", "a/b"], "the name of a thing"],
    [["key", ".."], "the name of a thing"],
    [["key", "x".repeat(65)], "1 to 64"],
    [["key", "lamp", "--type", "dsa"], "--type takes p256 or rsa"],
    [["csr", "lamp", "--type", "rsa", "--key", "lamp.key"], "--type is for a new key"],
    [["device", "lamp", "--type", "rsa", "--csr", "lamp.csr"], "--type is for a new key"],
    [["ca", "x".repeat(65)], "1 to 64 characters"],
    [["ca", "--days", "0"], "--days takes a whole number"],
    [["verification", "not a code"], "64 hexadecimal digits"],
    [["verification"], "usage: thingwire provision verification CODE"],
    [[], "provision device"],
  ])("%j: exit code 2", async (words, message) => {
    const { code, err } = await run(...words);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it("--help shows the commands of the group", async () => {
    const { code, out } = await run("--help");
    expect([code, out.includes("provision verification"), out.includes("simulate")]).toEqual([0, true, false]);
  });

  it.each<[code: string, what: string, files: (folder: string) => Promise<readonly string[]>]>([
    ["THING_FILE_UNREADABLE", "no CA", async () => ["device", "lamp"]],
    [
      "X509_KEY_MISMATCH",
      "a CA with another's key",
      async (folder) => {
        await made(folder, "key", "other");
        return ["device", "lamp", "--ca", join(dir, "ca.crt"), "--ca-key", join(folder, "other-private.pem.key")];
      },
    ],
    [
      "X509_NOT_A_CA",
      "a CA that may sign lists only",
      async (folder) => {
        const dates = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
        const { der, key } = entity({ name: "lists", ...dates, extensions: { ca: true, keyUsage: ["cRLSign"] } });
        return ["device", "lamp", ...written(folder, der, key)];
      },
    ],
    [
      "X509_NOT_A_CA",
      "a device's certificate as CA",
      async (folder) => {
        await made(folder, "device", "a", "--ca", join(dir, "ca.crt"), "--ca-key", join(dir, "ca.key"));
        const [certificate, key] = ["a-certificate.pem.crt", "a-private.pem.key"].map((name) => join(folder, name));
        return ["verification", CODE, "--ca", certificate!, "--ca-key", key!];
      },
    ],
    ["X509_EXPIRED", "a CA that has expired", async (folder) => ["device", "lamp", ...authorityOf(folder, -2)]],
    ["X509_NOT_YET_VALID", "a CA of the future", async (folder) => ["device", "lamp", ...authorityOf(folder, 2)]],
    ["X509_WEAK_HASH", "a request signed with SHA-1", (folder) => withAlgorithm(folder, 5)],
    [
      "X509_UNSUPPORTED_ALGORITHM",
      "a request signed in a way that nobody knows",
      (folder) => withAlgorithm(folder, 99),
    ],
    ["X509_WRONG_CONTENT", "a certificate as request", async () => ["device", "lamp", "--csr", join(dir, "ca.crt")]],
    [
      "X509_REQUEST_SIGNATURE",
      "a request that was changed",
      async (folder) => {
        await made(folder, "csr", "lamp");
        const { der } = parseCertificateRequest(text(folder, "lamp.csr"));
        der[der.length - 1]! ^= 1;
        writeFileSync(join(folder, "lamp.csr"), toPem("CERTIFICATE REQUEST", der));
        return ["device", "lamp", "--csr", join(folder, "lamp.csr")];
      },
    ],
    [
      "X509_WEAK_KEY",
      "a request with 1024 bits",
      async (folder) => {
        const options = { subject: [["CN", "lamp"]], privateKey: rsaKey(1024), crypto: nodeDouble(), random } as const;
        writeFileSync(join(folder, "k.csr"), toPem("CERTIFICATE REQUEST", finish(createCertificateRequest(options))));
        return ["device", "lamp", "--csr", join(folder, "k.csr")];
      },
    ],
  ])("%s: %s, and writes nothing", async (code, _, files) => {
    const folder = fresh();
    const words = await files(folder);
    const before = readdirSync(folder);
    const ca =
      words.includes("--ca") || code === "THING_FILE_UNREADABLE"
        ? []
        : ["--ca", join(dir, "ca.crt"), "--ca-key", join(dir, "ca.key")];
    const result = await run(...words, ...ca, "--dir", folder, "--json");
    expect([result.code, JSON.parse(result.out).error.code]).toEqual([1, code]);
    expect(readdirSync(folder)).toEqual(before);
  });
});
