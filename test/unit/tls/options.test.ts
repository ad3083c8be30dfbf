/** Options at their limits: the last value that is taken, the first that is not, and what stands for one that is not given. */
import { describe, expect, it } from "vitest";
import type { AlgorithmName, CryptoProvider } from "../../../src/tls/crypto/provider.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../src/tls/events.ts";
import { checkServerOptions } from "../../../src/tls/server-settings.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import * as suites from "../../../src/tls/suites.ts";
import { crypto, NOW, options } from "./client.ts";
import { ecServer, serverOptions } from "./server.ts";

const client = (more: object) => checkOptions(options(more as Partial<TlsClientOptions>));
const server = (more: object) => checkServerOptions(serverOptions(more as Partial<TlsServerOptions>));
const misused = (text: string | RegExp) =>
  expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT", message: expect.stringMatching(text) });

/** A provider that lacks one algorithm. */
const lacking = (missing: AlgorithmName): CryptoProvider =>
  Object.create(crypto, { supports: { value: (name: AlgorithmName) => name !== missing && crypto.supports(name) } });

const resumption = (more: object) => ({ resumption: { wallMs: () => NOW, ...more } });

describe("options that are refused", () => {
  it.each<[string, object, string]>([
    ["wallMs", { wallMs: 5 }, "wallMs must be a function"],
    ["serverName of 256 bytes", { serverName: "x".repeat(256) }, "serverName must be"],
    ["serverName with a space", { serverName: "a b" }, "serverName must be"],
    ["serverName that is no text", { serverName: 7 }, "serverName must be"],
    ["serverName with DEL at its end", { serverName: "a\u007f" }, "serverName must be"],
    ["trust", { trust: [] }, "trust is empty"],
    ["trust that is not there", { trust: undefined }, "trust must be a list"],
    ["trust that is PEM", { trust: "-----BEGIN CERTIFICATE-----" }, "trust must be a list"],
    ["alpn that is one name", { alpn: "mqtt" }, "alpn must be a list"],
    ["alpn of 32,769 bytes", { alpn: [...Array(128).fill("x".repeat(255)), "y"] }, "alpn: all protocol names together"],
    ["RFC 7301 §3.1 alpn of 256 bytes in 128 letters", { alpn: ["ö".repeat(128)] }, "alpn: protocol names"],
    ["RFC 7301 §3.1 alpn with half a surrogate pair", { alpn: ["\ud800"] }, "alpn: protocol names"],
    ["RFC 7301 §3.1 alpn with an empty name behind a right one", { alpn: ["a", ""] }, "alpn: protocol names"],
    ["session that is text", { session: "blob" }, "session must be the bytes"],
    ["RFC 6066 §4 maxFragmentLength", { maxFragmentLength: 8192 }, "maxFragmentLength must be 512, 1024, 2048 or 4096"],
    ["suites", { suites: [] }, "suites is empty"],
    ["groups", { groups: [] }, "groups is empty"],
    ["signatureSchemes", { signatureSchemes: [] }, "signatureSchemes is empty"],
    ["maxHandshakeBytes of 1,023", { maxHandshakeBytes: 1023 }, "maxHandshakeBytes must be from 1,024 to 16,777,215"],
    ["maxHandshakeBytes of 2^24", { maxHandshakeBytes: 2 ** 24 }, "maxHandshakeBytes must be"],
    ["maxHandshakeBytes that is no number", { maxHandshakeBytes: Number.NaN }, "maxHandshakeBytes must be"],
    ["maxSendFragment of 0", { maxSendFragment: 0 }, "maxSendFragment must be a whole number from 1 to 16,384"],
  ])("of a client: %s", (_title, more, text) => {
    expect(() => client(more)).toThrow(misused(text));
  });

  it.each<[string, object, string]>([
    ["select", { select: ecServer }, "select must be a function"],
    ["clientCertificate", { clientCertificate: "always" }, 'must be "none", "request" or "require", not "always"'],
    ["deviations: fragments", { deviations: [{ on: "Finished", fragments: [1, -1] }] }, "of Finished must be whole"],
    ["deviations: times", { deviations: [{ on: "Finished", times: 1.5 }] }, "fragments, times and nth of Finished"],
    ["deviations: nth", { deviations: [{ on: "Alert", nth: -1 }] }, "of Alert must be whole numbers from 0"],
    ["RFC 5077 §4 a ticket key of 15 bytes", resumption({ ticketKey: new Uint8Array(15) }), "ticketKey must be"],
    ["RFC 5077 §4 a ticket key of 17 bytes", resumption({ ticketKey: new Uint8Array(17) }), "ticketKey must be"],
    [
      "RFC 5077 §4 a ticket key without AES-128-GCM",
      {
        ...resumption({ ticketKey: new Uint8Array(16) }),
        crypto: lacking("aes-128-gcm"),
        suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256],
      },
      "aes-128-gcm, with which tickets are sealed",
    ],
    ["a lifetime of 0", resumption({ lifetimeSeconds: 0 }), "lifetimeSeconds must be a whole number from 1 to 86,400"],
    ["RFC 5246 §F.1.4 a lifetime beyond a day", resumption({ lifetimeSeconds: 86_401 }), "lifetimeSeconds must be"],
  ])("of a server: %s", (_title, more, text) => {
    expect(() => server(more)).toThrow(misused(text));
  });

  it.each<AlgorithmName>(["aes-128-gcm", "sha256", "secp256r1", "ecdsa", "rsa-pss"])(
    "for what the provider lacks: %s",
    (missing) => {
      const asked = {
        crypto: lacking(missing),
        suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
        groups: [suites.secp256r1],
        signatureSchemes: [suites.ecdsa_secp256r1_sha256, suites.rsa_pss_rsae_sha256],
      };
      expect(() => client(asked)).toThrow(misused(`the crypto provider does not support ${missing}`));
    },
  );

  it.each<[AlgorithmName, suites.CipherSuite]>([
    ["aes-128-cbc", suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA],
    ["sha1", suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA],
    ["sha384", suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
    ["chacha20-poly1305", suites.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256],
  ])("for a suite whose %s the provider lacks", (missing, suite) => {
    const asked = { crypto: lacking(missing), suites: [suite], signatureSchemes: [suites.ecdsa_secp256r1_sha256] };
    expect(() => client(asked)).toThrow(misused(`does not support ${missing}`));
  });
});

describe("options that are taken", () => {
  it.each<[string, object, object]>([
    ["serverName of 255 bytes", { serverName: "x".repeat(255) }, { sni: "x".repeat(255) }],
    ["RFC 7301 §3.1 alpn of 255 bytes", { alpn: [`x${"ö".repeat(127)}`] }, {}],
    ["alpn of 32,768 bytes", { alpn: Array(128).fill("x".repeat(255)) }, {}],
    ["maxHandshakeBytes of 1,024", { maxHandshakeBytes: 1024 }, { maxHandshakeBytes: 1024 }],
    ["maxHandshakeBytes of 2^24 - 1", { maxHandshakeBytes: 2 ** 24 - 1 }, { maxHandshakeBytes: 2 ** 24 - 1 }],
    ["maxSendFragment of 1", { maxSendFragment: 1 }, { maxSendFragment: 1 }],
    ["maxSendFragment of 2^14", { maxSendFragment: 16_384 }, { maxSendFragment: 16_384 }],
    ["RFC 6066 §4 maxFragmentLength is for what is sent too", { maxFragmentLength: 1024 }, { maxSendFragment: 1024 }],
    [
      "… where maxSendFragment is not less",
      { maxFragmentLength: 1024, maxSendFragment: 100 },
      { maxSendFragment: 100 },
    ],
    ["RFC 6066 §3 an IPv4 address, which is no SNI", { serverName: "10.0.0.1" }, { sni: undefined }],
    ["RFC 6066 §3 an IPv6 address, which is no SNI", { serverName: "fe80::1" }, { sni: undefined }],
    ["RFC 6066 §3 a name with digits and dots", { serverName: "10.0.0.a" }, { sni: "10.0.0.a" }],
    ["RFC 6066 §3 a dot at the end", { serverName: "a.b." }, { sni: "a.b" }],
    ["a session, which wants the next one too", { session: new Uint8Array(1) }, { resumption: true }],
    ["a session, and none to follow", { session: new Uint8Array(1), resumption: false }, { resumption: false }],
    [
      "RFC 7366 §2 encrypt-then-MAC only with a suite of CBC",
      { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] },
      { encryptThenMac: false },
    ],
    [
      "RFC 7366 §2 encrypt-then-MAC with one of two suites",
      { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256] },
      { encryptThenMac: true },
    ],
    [
      "RFC 7366 §2 no encrypt-then-MAC",
      { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256], encryptThenMac: false },
      { encryptThenMac: false },
    ],
  ])("of a client: %s", (_title, more, settings) => {
    expect(client(more)).toMatchObject(settings);
  });

  it("of a client, where nothing is said", () => {
    const { now, ...settings } = client({});
    expect(settings).toMatchObject({
      role: "client",
      peerName: "localhost",
      maxHandshakeBytes: 65_536,
      maxSendFragment: 16_384,
      maxFragmentLength: undefined,
      requireExtendedMasterSecret: false,
      resumption: false,
      ocsp: expect.anything(),
      session: undefined,
      identities: [],
      alpn: [],
      keyLog: undefined,
    });
    expect(now()).toBe(0);
  });

  it("of a server, where nothing is said, and at their limits", () => {
    expect(server({ clientCertificate: "none" })).toMatchObject({
      role: "server",
      peerName: "a client",
      clientCertificate: "none",
      certificateAuthorities: [],
      extendedMasterSecret: true,
      resumption: undefined,
      deviations: [],
      encryptThenMac: true,
    });
    expect(server(resumption({})).resumption).toMatchObject({ lifetimeSeconds: 7200 });
    for (const lifetimeSeconds of [1, 86_400])
      expect(server(resumption({ lifetimeSeconds })).resumption).toMatchObject({ lifetimeSeconds });
    expect(server(resumption({ ticketKey: new Uint8Array(16) })).resumption).toBeDefined();
    expect(server({ deviations: [{ on: "Finished", fragments: [0, 5], times: 0, nth: 0 }] }).deviations).toHaveLength(
      1,
    );
    expect(server({ extendedMasterSecret: false }).extendedMasterSecret).toBe(false);
  });

  it("16 bytes of zeros come from no source of randomness; 15 may", () => {
    const { random } = client({ random: { fill: () => {} } });
    expect(() => random.fill(new Uint8Array(16), "a test")).toThrow(/for a test: it gave only zeros/);
    random.fill(new Uint8Array(15), "a test");
  });

  it("defaults follow the provider: schemes whose hash or kind it lacks are not offered", () => {
    const offered = (missing: AlgorithmName) =>
      client({ crypto: lacking(missing), suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] });
    expect(offered("sha512").signatureSchemes.some(({ hash }) => hash === "sha512")).toBe(false);
    expect(offered("rsa-pss").signatureSchemes.some(({ kind }) => kind === "rsa-pss")).toBe(false);
    expect(offered("rsa-pss").signatureSchemes.some(({ kind }) => kind === "rsa-pkcs1")).toBe(true);
    expect(offered("x25519").groups.map(({ name }) => name)).toEqual(["secp256r1", "secp384r1", "secp521r1"]);
  });

  it("a callback of a server that throws text says which one, and what", () => {
    const wrong = server({
      select: () => {
        throw "no such host";
      },
    });
    expect(() => wrong.select({ serverName: undefined, alpn: [] })).toThrow(
      expect.objectContaining({
        code: "TLS_SERVER_CALLBACK_FAILED",
        cause: "no such host",
        message: expect.stringMatching(/: select: no such host$/),
      }),
    );
  });
});
