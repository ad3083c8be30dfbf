/**
 * Our TLS client against OpenSSL's `s_server`: each kind of server certificate with each kind of client key, data both ways,
 * and what OpenSSL can be asked to do differently. `-rev` makes the server answer each line reversed.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ThingwireError } from "../../src/errors.ts";
import { nodeRuntime } from "../../src/runtime/node-ports.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import type { TlsClientOptions, TlsConnectionInfo } from "../../src/tls/events.ts";
import { presets } from "../../src/tls/presets.ts";
import { allGroups, secp256r1 } from "../../src/tls/suites.ts";
import { trustAnchors } from "../../src/tls/x509/index.ts";
import { type CertificateFiles, identityOf, type KeyType, makeCertificates } from "./certificates.ts";
import { converse, lineOf } from "./conversation.ts";
import { type Peer, startOpenssl } from "./peer.ts";

const crypto = createCrypto();
let files: CertificateFiles;

beforeAll(() => {
  files = makeCertificates();
  const { file, openssl } = files;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-nodes", "-keyout", file("client-p521.key")];
  openssl("req", "-new", ...key, "-subj", "/O=interop/CN=client-p521", "-out", file("client-p521.csr"));
  const ca = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "30", "-sha256"];
  openssl("x509", "-req", "-in", file("client-p521.csr"), ...ca, "-out", file("client-p521.crt"));
});
afterAll(() => files.remove());

const serve = (type: KeyType, ...more: string[]): Promise<Peer> => startOpenssl(files, type, ...more);

/** Sends one line of `length` characters, sees it come back reversed, closes in order. */
async function reverse(peer: Peer, options: Partial<TlsClientOptions>, length = 20): Promise<TlsConnectionInfo> {
  const exchange = lineOf(length);
  const { answer, info } = await converse(peer, files, options, exchange);
  expect(answer).toBe(`${[...exchange.request.trimEnd()].reverse().join("")}\n`);
  return info;
}

describe.each(["rsa", "p256"] as const)("OpenSSL s_server with a %s certificate", (server) => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await serve(server);
  });
  afterAll(() => peer.stop());

  it.each([
    ["an RSA-2048 key (PKCS#8)", "client-rsa", "client-rsa"],
    ["an RSA-2048 key (PKCS#1)", "client-rsa", "client-rsa.pkcs1"],
    ["a P-256 key (PKCS#8)", "client-p256", "client-p256"],
    ["a P-256 key (SEC1)", "client-p256", "client-p256.sec1"],
    ["a P-384 key", "client-p384", "client-p384"],
    ["a P-521 key", "client-p521", "client-p521"],
  ])("RFC 5246 §7.4.8: authenticates with %s and exchanges data", async (_title, certificate, key) => {
    const info = await reverse(peer, { identity: identityOf(files, certificate, key) });
    expect(info.suite.authentication).toBe(server === "rsa" ? "rsa" : "ecdsa");
    expect(info.extendedMasterSecret).toBe(true);
    expect(info.clientSignatureScheme?.key).toBe(certificate === "client-rsa" ? "rsa" : "ec");
    expect(info.peer.path[0]!.subject.toString()).toContain(`server-${server}`);
  });

  it("RFC 5246 §6.2.1: data of many records both ways", async () => {
    await reverse(peer, { identity: identityOf(files, "client-p256") }, 14_000);
  });

  it("a signer that answers later", async () => {
    const { certificates, privateKey } = identityOf(files, "client-p256");
    const { createPrivateKey, sign } = await import("node:crypto");
    const key = createPrivateKey(files.text("client-p256.key"));
    expect(privateKey.type).toBe("ec");
    const signer = {
      sign: async (_scheme: unknown, digest: Uint8Array) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        // Node cannot sign a digest as it is; what stands behind the port here is our own primitive, in another turn of the event loop.
        expect(sign("sha256", digest, key).length).toBeGreaterThan(60);
        const { finish } = await import("../../src/task.ts");
        return finish(crypto.sign({ kind: "ecdsa", hash: "sha256" }, privateKey, digest, nodeRuntime.random));
      },
    };
    await reverse(peer, { identity: { certificates, signer } });
  });

  it("RFC 5246 §7.4.6: without a certificate the server's alert is told", async () => {
    const error: ThingwireError = await reverse(peer, {}).then(
      () => expect.fail("connected"),
      (reason) => reason,
    );
    expect(error.code).toBe("TLS_ALERT_RECEIVED");
    expect(error.mbedtls).toBe(-0x7780);
  });
});

describe.each(["rsa", "p256"] as const)(
  "OpenSSL s_server with a %s certificate: every suite, group and fragment",
  (server) => {
    const ours = presets.full().filter(({ authentication }) => (authentication === "rsa") === (server === "rsa"));
    const peers = new Map<string, Peer>();
    beforeAll(async () => {
      const any = ["-cipher", "ALL", "-groups", "X25519:P-256:P-384:P-521"];
      peers.set("etm", await serve(server, ...any));
      peers.set("no_etm", await serve(server, ...any, "-no_etm"));
    });
    afterAll(async () => {
      for (const peer of peers.values()) await peer.stop();
    });
    const connect = (options: Partial<TlsClientOptions>, length?: number, words: "etm" | "no_etm" = "etm") =>
      reverse(peers.get(words)!, { identity: identityOf(files, "client-p256"), ...options }, length);

    it.each(ours)("RFC 5246 §6.2.3 $name, data both ways", async (suite) => {
      const info = await connect({ suites: [suite] }, 3_000);
      expect(info).toMatchObject({ suite, encryptThenMac: suite.kind === "cbc" });
    });

    it.each(ours.filter(({ kind }) => kind === "cbc"))(
      "RFC 7366 $name, MAC then encrypt, where the server or the client does not know better",
      async (suite) => {
        for (const info of [
          await connect({ suites: [suite] }, 3_000, "no_etm"),
          await connect({ suites: [suite], encryptThenMac: false }, 3_000),
        ])
          expect(info).toMatchObject({ suite, encryptThenMac: false });
      },
    );

    it.each(allGroups)("RFC 8422 §5.1.1 key exchange on $name", async (group) => {
      // The group of an ECDSA certificate must be offered too.
      const info = await connect({ groups: group === secp256r1 ? [group] : [group, secp256r1] });
      expect(info.group).toBe(group);
    });

    it.each([512, 1024, 2048, 4096] as const)("RFC 6066 §4 max_fragment_length %s", async (maxFragmentLength) => {
      for (const suites of [presets.tiny(), presets.full().filter(({ kind }) => kind === "cbc")]) {
        const info = await connect({ suites, maxFragmentLength }, 9_000);
        expect(info.maxFragmentLength).toBe(maxFragmentLength);
      }
    });

    it.each([1, 512])("RFC 5246 §6.2.1 our handshake and data in records of %s bytes", async (maxSendFragment) => {
      await connect({ maxSendFragment }, maxSendFragment === 1 ? 100 : 9_000);
    });
  },
);

describe("OpenSSL s_server asked to behave differently", () => {
  const variants: readonly (readonly [
    string,
    KeyType,
    string[],
    Partial<TlsClientOptions>,
    (info: TlsConnectionInfo) => void,
  ])[] = [
    ["RFC 5246 §6.2.1: records of 512 bytes at most", "rsa", ["-max_send_frag", "512"], {}, () => {}],
    [
      "RFC 7301 §3.2: ALPN x-amzn-mqtt-ca",
      "p256",
      ["-alpn", "x-amzn-mqtt-ca"],
      { alpn: ["x-amzn-mqtt-ca"] },
      (info) => expect(info.alpn).toBe("x-amzn-mqtt-ca"),
    ],
    [
      "RFC 5289: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "p256",
      ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
      {},
      (info) => expect(info.suite.id).toBe(0xc02b),
    ],
    [
      "RFC 5289: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      "rsa",
      ["-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
      {},
      (info) => expect(info.suite.id).toBe(0xc02f),
    ],
    [
      "RFC 5289: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      "p256",
      ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
      {},
      (info) => expect(info.suite.id).toBe(0xc02c),
    ],
    [
      "RFC 5289: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
      "rsa",
      ["-cipher", "ECDHE-RSA-AES256-GCM-SHA384"],
      {},
      (info) => expect(info.suite.id).toBe(0xc030),
    ],
    ["the preset tiny", "rsa", [], { suites: presets.tiny() }, (info) => expect(info.suite.id).toBe(0xc02f)],
    [
      "RFC 4055: only RSA-PSS asked of the client",
      "rsa",
      ["-client_sigalgs", "rsa_pss_rsae_sha256"],
      { identity: undefined },
      (info) => expect(info.clientSignatureScheme?.kind).toBe("rsa-pss"),
    ],
    [
      "RFC 5246 §7.4.4: only RSA PKCS#1 with SHA-384 asked of the client",
      "rsa",
      ["-client_sigalgs", "RSA+SHA384"],
      { identity: undefined },
      (info) => expect(info.clientSignatureScheme?.hash).toBe("sha384"),
    ],
    ["an IP address as the name", "p256", [], { serverName: "127.0.0.1" }, () => {}],
  ];
  it.each(variants)("%s", async (title, server, words, options, check) => {
    const peer = await serve(server, ...words);
    try {
      const identity = identityOf(
        files,
        title.includes("RSA-PSS") || title.includes("PKCS#1") ? "client-rsa" : "client-p256",
      );
      const info = await reverse(peer, { ...options, identity }, 3_000);
      check(info);
    } finally {
      await peer.stop();
    }
  });

  it.each([
    ["RFC 9525 §6: another name", { serverName: "other.example" }, "TLS_CERTIFICATE_REJECTED", "bad certificate"],
    ["RFC 5280 §6: no trust anchor fits", { trust: undefined }, "TLS_CERTIFICATE_REJECTED", "unknown ca"],
    [
      "RFC 5280 §4.1.2.5: expired",
      { wallMs: () => Date.now() + 100 * 86_400_000 },
      "TLS_CERTIFICATE_REJECTED",
      "certificate expired",
    ],
  ])("%s: refused, and OpenSSL sees the alert", async (_title, options, code, alert) => {
    const peer = await serve("p256");
    files.openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      files.file("other.key"),
      "-subj",
      "/CN=other CA",
      "-days",
      "3",
      "-out",
      files.file("other.crt"),
    );
    try {
      const trust = "trust" in options ? { trust: trustAnchors(files.text("other.crt")) } : {};
      const error: ThingwireError = await reverse(peer, {
        ...options,
        ...trust,
        identity: identityOf(files, "client-p256"),
      } as Partial<TlsClientOptions>).then(
        () => expect.fail("connected"),
        (reason) => reason,
      );
      expect(error.code).toBe(code);
      expect(error.mbedtls).toBe(-0x2700);
      await expect.poll(() => peer.output()).toContain(alert);
    } finally {
      await peer.stop();
    }
  });
});
