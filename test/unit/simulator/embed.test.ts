import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { createAuthority, issueDevice } from "../../../src/simulator/authority.ts";
import { embedCredentials, findCredentials } from "../../../src/simulator/node/embed.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { encodePrivateKey, parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { toPem } from "../../../src/tls/x509/pem.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-embed-"));
afterAll(() => rmSync(root, { recursive: true }));

const ports = { crypto: createCrypto(), random: nodeRuntime.random, clock: nodeRuntime.clock };
let ca: Uint8Array;
let certificate: Uint8Array;
let key: Uint8Array;
let otherKey: Uint8Array;
beforeAll(() => {
  const authority = createAuthority(ports);
  const lamp = issueDevice(authority, ports, "lamp");
  ca = authority.certificate;
  certificate = lamp.certificate;
  key = encodePrivateKey(lamp.privateKey);
  otherKey = encodePrivateKey(authority.privateKey);
});

function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, contents] of Object.entries(files)) writeFileSync(join(path, file), contents);
  return path;
}

async function load(file: string): Promise<{
  certificate: Uint8Array;
  certificates: Uint8Array[];
  privateKey: Uint8Array;
}> {
  return await import(/* @vite-ignore */ pathToFileURL(file).href);
}

const pem = () => ({ crt: toPem("CERTIFICATE", certificate), key: toPem("PRIVATE KEY", key) });

describe("embed", () => {
  it.each([
    ["client.crt", "client.key"],
    ["7a1f-certificate.pem.crt", "7a1f-private.pem.key"],
  ])("finds %s and %s and writes what they hold as typed arrays", async (crt, keyName) => {
    const dir = folder(`names-${crt}`, { [crt]: pem().crt, [keyName]: pem().key, "AmazonRootCA1.pem": "x" });
    const out = join(dir, "out", "credentials.js");
    const { certificates } = embedCredentials(findCredentials(dir), out);
    expect(certificates).toHaveLength(1);
    const module = await load(out);
    expect(module.certificate).toEqual(certificate);
    expect(module.certificates).toEqual([certificate]);
    expect(module.privateKey).toEqual(key);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(out, "utf8")).toContain("never belongs in version control");
    expect(readFileSync(out, "utf8")).toContain("CN = lamp");
  });

  it("keeps a whole chain, leaf first", async () => {
    const dir = folder("chain", { "client.crt": pem().crt + toPem("CERTIFICATE", ca), "client.key": pem().key });
    const out = join(dir, "credentials.js");
    embedCredentials(findCredentials(dir), out);
    expect((await load(out)).certificates).toEqual([certificate, ca]);
  });

  it("takes DER, and the SEC1 form of openssl", async () => {
    const dir = folder("der", { "a.der": certificate, "k.pem": pem().key });
    const sec1 = join(dir, "sec1.pem");
    execFileSync("openssl", ["ec", "-in", join(dir, "k.pem"), "-out", sec1], { stdio: "ignore" });
    expect(readFileSync(sec1, "utf8")).toContain("BEGIN EC PRIVATE KEY");
    const out = join(dir, "credentials.js");
    embedCredentials({ certificateFile: join(dir, "a.der"), privateKeyFile: sec1 }, out);
    const { privateKey } = await load(out);
    expect(parsePrivateKey(privateKey)).toEqual(parsePrivateKey(key));
  });

  it("the module works without a file system or any import", () => {
    const dir = folder("plain", { "client.crt": pem().crt, "client.key": pem().key });
    const out = join(dir, "credentials.js");
    embedCredentials(findCredentials(dir), out);
    expect(readFileSync(out, "utf8")).not.toMatch(/import|require|Buffer|process/);
  });

  it("a module that others could read is theirs no longer; one that cannot be written is no bug of ours", () => {
    const dir = folder("write", { "client.crt": pem().crt, "client.key": pem().key, "credentials.js": "old" });
    const out = join(dir, "credentials.js");
    chmodSync(out, 0o644);
    embedCredentials(findCredentials(dir), out);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const usage = expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" });
    expect(() => embedCredentials(findCredentials(dir), dir)).toThrow(usage);
    expect(() => embedCredentials(findCredentials(dir), join(out, "below.js"))).toThrow(usage);
  });

  it("never writes over the key or the certificate, nor puts a file in the place of a pipe, a link or a folder", () => {
    const dir = folder("over", { "client.crt": pem().crt, "client.key": pem().key });
    const at = (name: string): string => join(dir, name);
    symlinkSync("client.key", at("link.js"));
    symlinkSync("nowhere", at("dangling.js"));
    mkdirSync(at("folder"));
    execFileSync("mkfifo", [at("pipe")]);
    for (const out of ["client.key", "./client.crt", "link.js", "dangling.js", "folder", "pipe"])
      expect(() => embedCredentials(findCredentials(dir), at(out)), out).toThrow(
        expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
      );
    expect(readFileSync(at("client.key"), "utf8")).toBe(pem().key);
    expect(readFileSync(at("client.crt"), "utf8")).toBe(pem().crt);
    expect(readlinkSync(at("link.js"))).toBe("client.key");
    expect(statSync(at("pipe")).isFIFO()).toBe(true);
    expect(readdirSync(dir).filter((name) => name.includes("part"))).toEqual([]);
  });

  it("takes what Windows and openssl make of PEM: CRLF, a byte order mark, text around it, EC PARAMETERS", async () => {
    const crt = `\ufeffBag Attributes\r\n${pem().crt.replaceAll("\n", "\r\n")}trailing`;
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const dir = folder("odd", { "client.crt": crt, "client.key": parameters + pem().key.trimEnd() });
    const out = join(dir, "credentials.js");
    embedCredentials(findCredentials(dir), out);
    expect((await load(out)).certificate).toEqual(certificate);
  });

  it("X509_KEY_MISMATCH: writes nothing where the key is that of another certificate", () => {
    const dir = folder("mismatch", { "client.crt": pem().crt, "client.key": toPem("PRIVATE KEY", otherKey) });
    const out = join(dir, "credentials.js");
    expect(() => embedCredentials(findCredentials(dir), out)).toThrow(
      expect.objectContaining({ code: "X509_KEY_MISMATCH" }),
    );
    expect(() => statSync(out)).toThrow("ENOENT");
  });

  it.each([
    ["the files swapped", () => ({ "client.crt": pem().key, "client.key": pem().crt }), "X509_WRONG_CONTENT"],
    ["a cut certificate", () => ({ "client.crt": pem().crt.slice(0, 200), "client.key": pem().key }), "X509_PEM"],
    ["an empty key", () => ({ "client.crt": pem().crt, "client.key": "" }), "X509_WRONG_CONTENT"],
  ])("one clear error for %s", (name, files, code) => {
    const dir = folder(name.replaceAll(" ", "-"), files());
    expect(() => embedCredentials(findCredentials(dir), join(dir, "o.js"))).toThrow(expect.objectContaining({ code }));
  });

  describe("THING_KEY_TRACKED: what git would publish is refused, and nothing is written", () => {
    const repository = (name: string, tracked: readonly string[]): string => {
      const dir = folder(name, { "client.crt": pem().crt, "client.key": pem().key, ".gitignore": "out/\n" });
      const git = (...words: string[]) => execFileSync("git", words, { cwd: dir });
      git("init", "--quiet");
      git("add", "-f", ...tracked);
      return dir;
    };
    const refused = expect.objectContaining({ code: "THING_KEY_TRACKED" });

    it("a key that git tracks, also behind a link", () => {
      const dir = repository("tracked-key", ["client.key", "client.crt"]);
      const out = join(dir, "out", "credentials.js");
      expect(() => embedCredentials(findCredentials(dir), out)).toThrow(refused);
      const outside = folder("link-to-key", { "client.crt": pem().crt });
      symlinkSync(join(dir, "client.key"), join(outside, "client.key"));
      expect(() => embedCredentials(findCredentials(outside), join(outside, "o.js"))).toThrow(refused);
      expect([existsSync(out), existsSync(join(outside, "o.js"))]).toEqual([false, false]);
    });

    it("a module that git tracks, or does not ignore", () => {
      const dir = repository("tracked-module", [".gitignore"]);
      const open = join(dir, "credentials.js");
      expect(() => embedCredentials(findCredentials(dir), open)).toThrow(refused);
      expect(existsSync(open)).toBe(false);
      const out = join(dir, "out", "credentials.js");
      embedCredentials(findCredentials(dir), out);
      execFileSync("git", ["add", "-f", out], { cwd: dir });
      expect(() => embedCredentials(findCredentials(dir), out)).toThrow(refused);
    });

    it("a certificate may be tracked: it is public", () => {
      const dir = repository("tracked-certificate", ["client.crt"]);
      embedCredentials(findCredentials(dir), join(dir, "out", "credentials.js"));
    });
  });

  it("says so where a folder has no pair, several, or is not there", () => {
    expect(() => findCredentials(folder("none", { "client.crt": "x" }))).toThrow("neither client.crt and client.key");
    const files = { "client.crt": "", "client.key": "", "1-certificate.pem.crt": "", "1-private.pem.key": "" };
    expect(() => findCredentials(folder("several", files))).toThrow("several pairs");
    expect(() => findCredentials(join(root, "missing"))).toThrow(
      expect.objectContaining({ code: "THING_FILE_UNREADABLE" }),
    );
  });
});
