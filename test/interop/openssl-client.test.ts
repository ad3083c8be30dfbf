/**
 * Our TLS server against clients of others: OpenSSL's `s_client`, GnuTLS's `gnutls-cli` and Node's `node:tls`, which offer far more than it takes. They are
 * given the CA of the test, so that they verify the server; the server verifies them.
 */
import { spawn } from "node:child_process";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Alert } from "../../src/tls/alerts.ts";
import type { TlsServerOptions } from "../../src/tls/events.ts";
import { presets } from "../../src/tls/presets.ts";
import * as suites from "../../src/tls/suites.ts";
import { type CertificateFiles, identityOf, makeCertificates } from "./certificates.ts";
import { type EchoServer, echoServer } from "./tls-echo.ts";

let files: CertificateFiles;
let server: EchoServer;

beforeAll(() => {
  files = makeCertificates();
});
afterAll(() => files.remove());
afterEach(() => server.stop());

const start = async (more: Partial<TlsServerOptions> = {}): Promise<EchoServer> => {
  server = await echoServer(files, more);
  return server;
};

const CLIENT = ["p256", "rsa"] as const;
const withCertificate = (type: (typeof CLIENT)[number]): string[] => [
  "-cert",
  files.file(`client-${type}.crt`),
  "-key",
  files.file(`client-${type}.key`),
];

/** Runs `s_client`, types `input` once the handshake is done, and gives what it printed. It ends when `until` was printed, or by itself. */
function sClient(words: string[], input = "hello\n", until = "hello"): Promise<string> {
  const child = spawn("openssl", [
    "s_client",
    "-connect",
    `127.0.0.1:${server.port}`,
    "-CAfile",
    files.file("ca.crt"),
    "-verify_return_error",
    ...words,
  ]);
  let output = "";
  let isAnswered = false;
  const take = (bytes: Buffer): void => {
    output += bytes.toString("latin1");
    if (!isAnswered && output.includes("Verify return code")) {
      isAnswered = true;
      child.stdin.write(input);
    }
    if (isAnswered && output.slice(output.lastIndexOf("---")).includes(until)) child.kill();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.on("error", () => {});
  return new Promise((resolve) => child.once("close", () => resolve(output)));
}

describe.each(["p256", "rsa"] as const)("OpenSSL s_client and a %s server certificate", (serverType) => {
  it.each(CLIENT)("RFC 5246 §7.3: mutual handshake with a %s client, which also offers TLS 1.3", async (type) => {
    await start({ select: () => ({ identity: identityOf(files, `server-${serverType}`) }) });
    const output = await sClient([...withCertificate(type), "-servername", "localhost"]);
    expect(output).toContain("Verify return code: 0 (ok)");
    expect(output).toMatch(/Protocol\s*: TLSv1.2/);
    expect(output).toContain("Extended master secret: yes");
    expect(output).toContain("Secure Renegotiation IS supported");
    expect(server.secured[0]).toMatchObject({
      serverName: "localhost",
      extendedMasterSecret: true,
      suite: { authentication: serverType === "rsa" ? "rsa" : "ecdsa" },
      clientSignatureScheme: { key: type === "rsa" ? "rsa" : "ec" },
    });
    expect(String(server.secured[0]?.clientCertificates[0]?.subject)).toContain(`client-${type}`);
  });
});

describe("OpenSSL s_client", () => {
  it.each([
    ["x25519", suites.x25519, "X25519"],
    ["P-256", suites.secp256r1, "prime256v1"],
    ["P-384", suites.secp384r1, "secp384r1"],
    ["P-521", suites.secp521r1, "secp521r1"],
  ] as const)("RFC 8422 §5.1.1: key exchange on %s", async (_title, group, name) => {
    const { nodeCrypto } = await import("../../src/runtime/node-crypto.ts");
    const crypto = nodeCrypto();
    await start({ crypto, groups: [group] });
    const output = await sClient([...withCertificate("p256"), "-groups", "X25519:P-256:P-384:P-521"]);
    expect(output).toMatch(new RegExp(`Server Temp Key:.*${name}`));
    expect(server.secured[0]?.group).toBe(group);
  });

  /** OpenSSL's name of a suite. */
  const opensslName = ({ name, authentication }: suites.CipherSuite): string =>
    `ECDHE-${authentication.toUpperCase()}-${name
      .slice(name.indexOf("_WITH_") + 6)
      .replace(/AES_(\d+)_/, "AES$1_")
      .replace("_CBC", "")
      .replace("POLY1305_SHA256", "POLY1305")
      .replaceAll("_", "-")}`;

  it.each(presets.full())("RFC 5246 §6.2.3: $name, with RFC 7366 and without", async (suite) => {
    const identity = identityOf(files, suite.authentication === "rsa" ? "server-rsa" : "server-p256");
    await start({ suites: presets.full(), select: () => ({ identity }) });
    const cipher = [...withCertificate("p256"), "-cipher", opensslName(suite)];
    for (const words of suite.kind === "cbc" ? [[], ["-no_etm"]] : [[]]) {
      const line = "0123456789".repeat(300);
      const output = await sClient([...cipher, ...words], `${line}\nthe end\n`, "the end");
      expect(output).toContain(`Cipher is ${opensslName(suite)}`);
      expect(output).toContain(line);
    }
    expect(server.secured).toMatchObject(
      (suite.kind === "cbc" ? [true, false] : [false]).map((encryptThenMac) => ({ suite, encryptThenMac })),
    );
  });

  it.each([512, 4096])("RFC 6066 §4: max_fragment_length %s", async (maxFragmentLength) => {
    await start();
    const line = "0123456789".repeat(900);
    const output = await sClient(
      [...withCertificate("p256"), "-maxfraglen", String(maxFragmentLength)],
      `${line}\nthe end\n`,
      "the end",
    );
    expect(output).toContain(line);
    expect(server.secured[0]?.maxFragmentLength).toBe(maxFragmentLength);
  });

  it("RFC 7301 §3.2: ALPN is chosen out of what the client offers", async () => {
    const identity = identityOf(files, "server-p256");
    await start({ select: ({ alpn }) => ({ identity, alpn: alpn.find((name) => name === "x-amzn-mqtt-ca") }) });
    const output = await sClient([...withCertificate("p256"), "-alpn", "mqtt,x-amzn-mqtt-ca"]);
    expect(output).toContain("ALPN protocol: x-amzn-mqtt-ca");
  });

  it("RFC 5246 §6.2.1: data of many records both ways", async () => {
    await start();
    const line = "0123456789".repeat(9_000);
    const output = await sClient([...withCertificate("rsa")], `${line}\nthe end\n`, "the end");
    expect(output).toContain(line);
  });

  it("RFC 5246 §7.2.1: close_notify is answered", async () => {
    await start();
    expect(await sClient([...withCertificate("p256")], "Q\n", "never")).toContain("DONE");
    await expect.poll(() => server.ended).toEqual([0]);
  });

  it("RFC 5246 §7.2.2: a renegotiation is refused, with no_renegotiation", async () => {
    await start();
    // R renegotiates; OpenSSL takes no_renegotiation for an error of its own.
    const output = await sClient([...withCertificate("p256")], "R\n", "never");
    expect(output).toMatch(/no renegotiation/i);
  });

  it("RFC 5246 §7.4.6: without a certificate, where none is demanded", async () => {
    await start({ clientCertificate: "request" });
    await sClient([]);
    expect(server.secured[0]?.clientCertificates).toEqual([]);
    await sClient(withCertificate("p256"));
    expect(String(server.secured[1]?.clientCertificates[0]?.subject)).toContain("client-p256");
  });

  it("RFC 5246 §7.4.4: where none is asked for", async () => {
    await start({ clientCertificate: "none" });
    expect(await sClient(withCertificate("p256"))).toContain("No client certificate CA names sent");
    expect(server.secured[0]?.clientCertificates).toEqual([]);
  });

  it("RFC 5246 §7.4.4: the names of authorities are told", async () => {
    const { parseCertificate } = await import("../../src/tls/x509/certificate.ts");
    const { certificates } = identityOf(files, "ca");
    await start({ certificateAuthorities: [parseCertificate(certificates[0]!).subject.der] });
    expect(await sClient(withCertificate("p256"))).toMatch(/Acceptable client certificate CA names\s+O\s*=\s*interop/);
  });

  const refused: readonly (readonly [
    title: string,
    words: () => string[],
    alert: number,
    code: string,
    options?: Partial<TlsServerOptions>,
  ])[] = [
    ["RFC 5246 §7.4.6: no certificate", () => [], 40, "TLS_CLIENT_CERTIFICATE_MISSING"],
    [
      "RFC 5246 §7.2.2: a certificate of another CA",
      () => ["-cert", files.file("stranger.crt"), "-key", files.file("stranger.key")],
      48,
      "TLS_CLIENT_REFUSED",
    ],
    [
      "RFC 5246 §E.1: TLS 1.1 at most",
      () => ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
      70,
      "TLS_UNSUPPORTED_VERSION",
    ],
    ["RFC 8446 §4.2.1: TLS 1.3 at least", () => ["-tls1_3"], 70, "TLS_UNSUPPORTED_VERSION"],
    [
      "RFC 5246 §7.4.1.3: no common suite",
      () => ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
      40,
      "TLS_NOTHING_IN_COMMON",
    ],
    ["RFC 8422 §5.1: no common group", () => ["-tls1_2", "-groups", "P-521"], 40, "TLS_NOTHING_IN_COMMON"],
    [
      "RFC 5246 §7.4.1.4.1: no common signature scheme",
      () => ["-tls1_2", "-sigalgs", "rsa_pkcs1_sha256"],
      40,
      "TLS_NOTHING_IN_COMMON",
    ],
    [
      "RFC 6066 §3: a host name that is not served",
      () => ["-servername", "other.example"],
      112,
      "TLS_CLIENT_REFUSED",
      { select: () => ({ alert: Alert.unrecognized_name }) },
    ],
    [
      "RFC 7301 §3.2: no protocol that is served",
      () => ["-alpn", "h2"],
      120,
      "TLS_CLIENT_REFUSED",
      { select: () => ({ alert: Alert.no_application_protocol }) },
    ],
  ];
  const rows = refused.map(([title, words, alert, code, options]) => ({ title, words, alert, code, options }));
  it.each(rows)("$title is told by the alert", async ({ words, alert, code, options }) => {
    files.openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=stranger"],
      ...["-keyout", files.file("stranger.key"), "-out", files.file("stranger.crt")],
    );
    await start(options);
    const output = await sClient(words());
    expect(output).toContain(`SSL alert number ${alert}`);
    expect(server.secured).toEqual([]);
    expect(server.errors[0]?.code).toBe(code);
  });
});

describe("GnuTLS gnutls-cli", () => {
  /** Types some lines once the handshake is done, ends once they came back, and gives what was printed. */
  function gnutls(type: (typeof CLIENT)[number], ...more: string[]): Promise<string> {
    const credentials = [
      "--x509certfile",
      files.file(`client-${type}.crt`),
      "--x509keyfile",
      files.file(`client-${type}.key`),
    ];
    return new Promise<string>((resolve) => {
      const words = ["--x509cafile", files.file("ca.crt"), ...credentials, ...more];
      const child = spawn("gnutls-cli", [...words, "-p", String(server.port), "localhost"]);
      let text = "";
      child.stdout.on("data", (bytes: Buffer) => {
        text += bytes.toString();
        if (text.includes("Simple Client Mode")) child.stdin.write("some lines\n");
        if (text.includes("\nsome lines\n")) child.stdin.end();
      });
      child.once("close", () => resolve(text));
    });
  }

  it.each(CLIENT)("RFC 5246 §7.3: mutual handshake with a %s client, data, close_notify", async (type) => {
    await start();
    const output = await gnutls(type);
    expect(output).toContain("TLS1.2");
    expect(output).toContain("\nsome lines\n");
    expect(String(server.secured[0]?.clientCertificates[0]?.subject)).toContain(`client-${type}`);
    await expect.poll(() => server.ended).toEqual([0]);
  });

  /** GnuTLS's words for a suite. */
  const priority = (suite: suites.CipherSuite): string => {
    const [cipher, mac] = suite.kind === "cbc" ? [suite.cipher, suite.mac] : [suite.aead, "aead"];
    const kx = `ECDHE-${suite.authentication.toUpperCase()}`;
    return `NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+${cipher.toUpperCase()}:-MAC-ALL:+${mac.toUpperCase()}:-KX-ALL:+${kx}`;
  };

  it.each(presets.full())("RFC 5246 §6.2.3: $name, with RFC 7366 and without", async (suite) => {
    const identity = identityOf(files, suite.authentication === "rsa" ? "server-rsa" : "server-p256");
    await start({ suites: presets.full(), select: () => ({ identity }) });
    for (const etm of suite.kind === "cbc" ? ["", ":%NO_ETM"] : [""])
      expect(await gnutls("p256", "--priority", priority(suite) + etm)).toContain("\nsome lines\n");
    expect(server.secured).toMatchObject(
      (suite.kind === "cbc" ? [true, false] : [false]).map((encryptThenMac) => ({ suite, encryptThenMac })),
    );
  });
});

/** Connects with node:tls; resolves with what it reads up to the end, or with the error. */
function nodeClient(more: ConnectionOptions, act: (socket: TLSSocket) => unknown): Promise<string | Error> {
  return new Promise((resolve) => {
    let read = "";
    const socket = connect({
      port: server.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: files.text("ca.crt"),
      cert: files.text("client-p256.crt"),
      key: files.text("client-p256.key"),
      ...more,
    });
    socket.once("secureConnect", () => act(socket));
    socket.on("data", (bytes: Buffer) => {
      read += bytes.toString();
      socket.end();
    });
    socket.once("error", resolve);
    socket.once("end", () => resolve(read));
  });
}

describe("node:tls", () => {
  it.each(CLIENT)("RFC 5246 §7.3: mutual handshake with a %s client, data, close_notify", async (type) => {
    await start();
    const credentials = { cert: files.text(`client-${type}.crt`), key: files.text(`client-${type}.key`) };
    const read = await nodeClient({ ...credentials, ALPNProtocols: ["mqtt"] }, (socket) => {
      expect(socket.authorized).toBe(true);
      expect(socket.getProtocol()).toBe("TLSv1.2");
      socket.write("some lines");
    });
    expect(read).toBe("some lines");
  });

  it("a client that does not verify, without SNI", async () => {
    await start();
    expect(await nodeClient({ servername: "", rejectUnauthorized: false }, (socket) => socket.write("x"))).toBe("x");
    expect(server.secured[0]?.serverName).toBeUndefined();
  });

  it.each(Object.entries(Alert).filter(([, alert]) => [40, 42, 43, 44, 45, 46, 48, 49].includes(alert)))(
    "RFC 5246 §7.2.2: abort(%s) after the handshake reaches the client",
    async (_name, alert) => {
      await start({ clientCertificate: "require" });
      const failure = await nodeClient({}, () => server.clients[0]?.abort(alert));
      expect(failure).toMatchObject({ code: expect.stringMatching(/^ERR_SSL_.*ALERT/) });
      expect(String(failure)).toContain(`SSL alert number ${alert}`);
    },
  );

  it("RFC 5246 §7.2.2: a certificate that is refused reaches the client as an alert", async () => {
    await start({ admit: () => Alert.certificate_unknown });
    const failure = await nodeClient({}, () => {});
    expect(String(failure)).toContain("SSL alert number 46");
    expect(server.errors[0]).toMatchObject({ code: "TLS_CLIENT_REFUSED", alert: 46 });
  });
});
