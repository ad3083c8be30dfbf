import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import type { AlgorithmName, CryptoProvider } from "../../../src/tls/crypto/provider.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { presets } from "../../../src/tls/presets.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import * as suites from "../../../src/tls/suites.ts";
import { crypto, Driver, options } from "./client.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { Dialog } from "./server.ts";

const ids = (list: readonly suites.CipherSuite[]) => list.map(({ id }) => id);
const exported = new Map<string, unknown>(Object.entries(suites));
const all = [...exported.values()].filter(
  (value): value is suites.CipherSuite => typeof value === "object" && value !== null && "protect" in value,
);

describe("cipher suites", () => {
  it("IANA's numbers, names, keys and hashes (RFC 5289, RFC 7905, RFC 8422)", () => {
    const shown = all.map((suite) => [
      suite.id.toString(16),
      suite.name.replace("TLS_ECDHE_", ""),
      suite.authentication,
      suite.hash,
      [suite.macKeyBytes, suite.keyBytes, suite.fixedIvBytes].join(" "),
      suite.kind === "cbc" ? `${suite.cipher} ${suite.mac}` : `${suite.aead} ${suite.kind}`,
    ]);
    const gcm = "gcm aead-explicit-nonce";
    const chacha = "chacha20-poly1305 aead-xor-nonce";
    expect(shown.sort(([a], [b]) => (a! < b! ? -1 : 1))).toEqual([
      ["c009", "ECDSA_WITH_AES_128_CBC_SHA", "ecdsa", "sha256", "20 16 0", "aes-128-cbc sha1"],
      ["c00a", "ECDSA_WITH_AES_256_CBC_SHA", "ecdsa", "sha256", "20 32 0", "aes-256-cbc sha1"],
      ["c013", "RSA_WITH_AES_128_CBC_SHA", "rsa", "sha256", "20 16 0", "aes-128-cbc sha1"],
      ["c014", "RSA_WITH_AES_256_CBC_SHA", "rsa", "sha256", "20 32 0", "aes-256-cbc sha1"],
      ["c023", "ECDSA_WITH_AES_128_CBC_SHA256", "ecdsa", "sha256", "32 16 0", "aes-128-cbc sha256"],
      ["c024", "ECDSA_WITH_AES_256_CBC_SHA384", "ecdsa", "sha384", "48 32 0", "aes-256-cbc sha384"],
      ["c027", "RSA_WITH_AES_128_CBC_SHA256", "rsa", "sha256", "32 16 0", "aes-128-cbc sha256"],
      ["c028", "RSA_WITH_AES_256_CBC_SHA384", "rsa", "sha384", "48 32 0", "aes-256-cbc sha384"],
      ["c02b", "ECDSA_WITH_AES_128_GCM_SHA256", "ecdsa", "sha256", "0 16 4", `aes-128-${gcm}`],
      ["c02c", "ECDSA_WITH_AES_256_GCM_SHA384", "ecdsa", "sha384", "0 32 4", `aes-256-${gcm}`],
      ["c02f", "RSA_WITH_AES_128_GCM_SHA256", "rsa", "sha256", "0 16 4", `aes-128-${gcm}`],
      ["c030", "RSA_WITH_AES_256_GCM_SHA384", "rsa", "sha384", "0 32 4", `aes-256-${gcm}`],
      ["cca8", "RSA_WITH_CHACHA20_POLY1305_SHA256", "rsa", "sha256", "0 32 12", chacha],
      ["cca9", "ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ecdsa", "sha256", "0 32 12", chacha],
    ]);
    for (const suite of all) {
      expect(Object.isFrozen(suite)).toBe(true);
      expect(exported.get(suite.name)).toBe(suite);
    }
  });

  it("presets: tiny, awsIot, awsIotAll with the twelve ECDHE suites of AWS and no other, full with all", () => {
    expect(ids(presets.tiny())).toEqual([0xc02b, 0xc02f]);
    expect(ids(presets.awsIot())).toEqual([0xc02b, 0xc02f, 0xc02c, 0xc030]);
    expect(ids(presets.awsIot({ arithmetic: "bigint" }))).toEqual([0xc02f, 0xc02b, 0xc030, 0xc02c]);
    expect(ids(presets.awsIotAll())).toEqual([
      ...[0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc023, 0xc027],
      ...[0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014],
    ]);
    expect(ids(presets.awsIotAll({ arithmetic: "bigint" })).sort()).toEqual(ids(presets.awsIotAll()).sort());
    expect(ids(presets.full()).sort()).toEqual(ids(all).sort());
    // RFC 9325 §4: whatever has no better than CBC comes last.
    const kinds = presets.full().map(({ kind }) => kind);
    expect(kinds.lastIndexOf("aead-explicit-nonce")).toBeLessThan(kinds.indexOf("cbc"));
    expect(kinds.lastIndexOf("aead-xor-nonce")).toBeLessThan(kinds.indexOf("cbc"));
  });
});

describe("what a ClientHello offers", () => {
  const offered = (more: Partial<TlsClientOptions>) => {
    const server = new ScriptedServer();
    const driver = new Driver(more);
    server.receive(driver.output[0]!);
    return server.clientHello!;
  };
  const typesOf = (more: Partial<TlsClientOptions>) => offered(more).extensions!.map(({ type }) => type);

  it("RFC 7366 §2 encrypt_then_mac where there is a CBC suite, and only there", () => {
    expect(typesOf({})).not.toContain(22);
    expect(typesOf({ suites: presets.awsIotAll() })).toContain(22);
    expect(typesOf({ suites: presets.awsIotAll(), encryptThenMac: false })).not.toContain(22);
  });

  it("RFC 6066 §4 max_fragment_length where it is asked for", () => {
    expect(typesOf({})).not.toContain(1);
    for (const [i, maxFragmentLength] of ([512, 1024, 2048, 4096] as const).entries()) {
      const extension = offered({ maxFragmentLength }).extensions!.find(({ type }) => type === 1);
      expect(extension?.data).toEqual(Uint8Array.of(i + 1));
    }
  });

  it("RFC 8422 §5.1.1 all groups that the provider has, the cheapest first", () => {
    const groupsOf = (without: readonly AlgorithmName[]) => {
      const provider: CryptoProvider = Object.create(crypto, {
        supports: { value: (name: AlgorithmName) => !without.includes(name) && crypto.supports(name) },
      });
      return checkOptions(options({ crypto: provider })).groups.map(({ id }) => id);
    };
    expect(groupsOf([])).toEqual([23, 29, 24, 25]);
    expect(groupsOf(["x25519", "secp521r1"])).toEqual([23, 24]);
  });

  it.each([
    ["maxFragmentLength", { maxFragmentLength: 513 as 512 }],
    ["maxSendFragment", { maxSendFragment: 0 }],
    ["maxSendFragment", { maxSendFragment: 16_385 }],
    ["maxSendFragment", { maxSendFragment: 1.5 }],
  ])("%s that is not usable is a mistake of the caller", (name, more) => {
    expect(() => checkOptions(options(more))).toThrow(name);
  });

  it("a suite whose cipher or MAC the provider has not is a mistake of the caller", () => {
    for (const missing of ["aes-256-cbc", "sha384"] as const) {
      const provider: CryptoProvider = Object.create(crypto, {
        supports: { value: (name: AlgorithmName) => name !== missing && crypto.supports(name) },
      });
      const one = { crypto: provider, suites: [suites.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384] };
      expect(() => checkOptions(options(one))).toThrow(missing);
    }
  });
});

describe("what a server chooses", () => {
  const cbc = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
  const aead = suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;

  it.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])("RFC 7366 §3: client %s, server %s, encrypt-then-MAC %s", (client, server, is) => {
    const dialog = new Dialog({ suites: [cbc], encryptThenMac: server }, { suites: [cbc], encryptThenMac: client });
    expect(dialog.isSecured).toBe(true);
    expect(dialog.server.secured?.encryptThenMac).toBe(is);
    expect(dialog.client.events).toMatchObject([{ type: "secured", encryptThenMac: is }]);
  });

  it("RFC 7366 §3: it is not answered with an AEAD suite", () => {
    const dialog = new Dialog({ suites: [aead, cbc] }, { suites: [cbc, aead] });
    expect(dialog.client.events).toMatchObject([{ type: "secured", suite: aead, encryptThenMac: false }]);
  });
});

describe("features are values", () => {
  /** An app that offers one suite, and a provider that is composed for it. */
  const bundle = async (suite: string, piece: string, file: string): Promise<string> => {
    const at = (path: string) => JSON.stringify(fileURLToPath(new URL(`../../../src/${path}`, import.meta.url)));
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { TlsClient } from ${at("tls/client.ts")};
          import { ${suite} } from ${at("tls/suites.ts")};
          import { composeCrypto } from ${at("tls/crypto/compose.ts")};
          import { ${piece.split(": [")[1]!.replace("]", "")} } from ${at(file)};
          export const connect = (options) => new TlsClient({ ...options, suites: [${suite}], crypto: composeCrypto({ ${piece} }) });
        `,
        resolveDir: ".",
      },
      bundle: true,
      write: false,
      format: "esm",
      minify: true,
      treeShaking: true,
      logLevel: "error",
    });
    return outputFiles[0]!.text;
  };

  it("a bundle that names GCM suites only has no CBC and no ChaCha20, and the other way round", async () => {
    const gcm = await bundle("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "aeads: [aes128Gcm]", "tls/crypto/aes-gcm.ts");
    const cbc = await bundle("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "cbcs: [aes128Cbc]", "tls/crypto/cbc-cipher.ts");
    // Names of suites, and the label of a CBC protection's random bytes.
    const words = ["AES_128_GCM", "AES_256_GCM", "CHACHA20", "_CBC_", "cbc_iv", "encrypt-then-mac"];
    const wordsIn = (text: string) => words.filter((word) => text.includes(word));
    // The default, awsIot, needs both of AES-GCM.
    expect(wordsIn(gcm)).toEqual(["AES_128_GCM", "AES_256_GCM"]);
    expect(wordsIn(cbc)).toEqual(["AES_128_GCM", "AES_256_GCM", "_CBC_", "cbc_iv", "encrypt-then-mac"]);
  });
});
