/**
 * `thingwire doctor`, the command as users run it, against Mosquitto and `openssl s_server`, with files that openssl made: each broken
 * set-up is named by check and code, by nothing else, and no healthy one is accused.
 */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { terminalOver } from "../../src/cli/terminal.ts";
import { type LocalEndpoint, startLocalEndpoint } from "../../src/simulator/node/endpoint.ts";
import { type CertificateFiles, makeCertificates } from "./certificates.ts";
import { startMosquitto } from "./mosquitto.ts";
import { freePort, type Peer, startPeer } from "./peer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** The user id of `nobody` in Debian. */
const NOBODY = 65_534;
let files: CertificateFiles;
/** Mutual TLS as the guide has it; the same with a server key of RSA; with an ACL; plain MQTT; a user name is demanded. */
let mosquitto: Record<"p256" | "rsa" | "acl" | "plain" | "password", Peer>;
const openssl: Record<string, Peer> = {};
const sockets: Server[] = [];

beforeAll(async () => {
  files = makeCertificates();
  makeBrokenFiles();
  writeFileSync(files.file("acl"), "topic readwrite allowed/#\ntopic write sendonly/#\ntopic read $SYS/#\n");
  writeFileSync(files.file("passwords"), "lamp:$7$101$0123456789abcdef$x\n");
  mosquitto = {
    p256: await startMosquitto(files, "p256"),
    rsa: await startMosquitto(files, "rsa"),
    acl: await startMosquitto(files, "p256", [`acl_file ${files.file("acl")}`]),
    password: await startMosquitto(files, "p256", ["allow_anonymous false"]),
    plain: await startPlain(),
  };
  const server = ["-cert", files.file("server-p256.crt"), "-key", files.file("server-p256.key")];
  const mutual = ["-Verify", "1", "-CAfile", files.file("ca.crt"), "-verify_return_error"];
  for (const [name, words] of Object.entries({
    silent: ["-quiet", ...server, ...mutual],
    web: ["-www", ...server],
    tls13: ["-quiet", "-tls1_3", ...server],
    cbc: ["-quiet", ...server, "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
    expired: ["-quiet", "-cert", files.file("server-expired.crt"), "-key", files.file("server-expired.key")],
    elsewhere: ["-quiet", "-cert", files.file("server-elsewhere.crt"), "-key", files.file("server-elsewhere.key")],
    foreign: ["-quiet", "-cert", files.file("stranger.crt"), "-key", files.file("stranger.key")],
    alpn: ["-quiet", ...server, "-alpn", "http/1.1"],
  }))
    openssl[name] = await startPeer("openssl", (port) => ["s_server", "-accept", `127.0.0.1:${port}`, ...words]);
}, 120_000);

afterAll(async () => {
  for (const peer of [...Object.values(mosquitto ?? {}), ...Object.values(openssl)]) await peer.stop();
  for (const socket of sockets) socket.close();
  files.remove();
});

function startPlain(): Promise<Peer> {
  return startPeer("/usr/sbin/mosquitto", (port) => {
    writeFileSync(files.file("plain.conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\nuser root\n`);
    return ["-c", files.file("plain.conf")];
  });
}

/** Files as they go wrong in life. */
function makeBrokenFiles(): void {
  const { file, text, openssl: run, issue } = files;
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const lamp = file("client-p256.key");
  run(
    "req",
    "-x509",
    ...ec,
    "-keyout",
    file("stranger.key"),
    "-subj",
    "/CN=stranger",
    "-days",
    "3",
    "-out",
    file("stranger.crt"),
  );
  run("pkey", "-in", lamp, "-pubout", "-out", file("public.key"));
  run("pkcs8", "-topk8", "-in", lamp, "-passout", "pass:secret", "-out", file("encrypted.key"));
  run(
    "rsa",
    "-in",
    file("client-rsa.key"),
    "-traditional",
    "-aes128",
    "-passout",
    "pass:secret",
    "-out",
    file("legacy.key"),
  );
  run("x509", "-in", file("client-p256.crt"), "-outform", "DER", "-out", file("client.der"));
  run("crl2pkcs7", "-nocrl", "-certfile", file("client-p256.crt"), "-out", file("client.p7b"));
  run(
    "pkcs12",
    "-export",
    "-in",
    file("client-p256.crt"),
    "-inkey",
    lamp,
    "-passout",
    "pass:x",
    "-out",
    file("client.p12"),
  );
  run("genpkey", "-algorithm", "ED25519", "-out", file("ed25519.key"));
  run("req", "-x509", "-key", file("ed25519.key"), "-subj", "/CN=lamp", "-days", "3", "-out", file("ed25519.crt"));
  run(
    "req",
    "-x509",
    "-newkey",
    "rsa:1024",
    "-nodes",
    "-keyout",
    file("short.key"),
    "-subj",
    "/CN=lamp",
    "-days",
    "3",
    "-out",
    file("short.crt"),
  );
  run(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-sha1",
    "-nodes",
    "-keyout",
    file("sha1.key"),
    "-subj",
    "/CN=lamp",
    "-days",
    "3",
    "-out",
    file("sha1.crt"),
  );
  writeFileSync(file("twokeys.key"), text("client-p256.key") + text("stranger.key"));
  writeFileSync(file("cut.key"), text("client-p256.key").slice(0, 120));
  writeFileSync(file("crlf.crt"), text("client-p256.crt").replaceAll("\n", "\r\n"));
  writeFileSync(file("crlf.key"), text("client-p256.key").replaceAll("\n", "\r\n"));
  writeFileSync(file("chain.crt"), text("client-p256.crt") + text("ca.crt"));
  writeFileSync(file("upside-down.crt"), text("ca.crt") + text("client-p256.crt"));
  writeFileSync(file("empty.key"), "");
  writeFileSync(file("bom.crt"), `\uFEFF${text("client-p256.crt")}`);
  issue("server-elsewhere", "p256", "subjectAltName=DNS:example.com\n");
  issue("server-expired", "p256", "subjectAltName=DNS:localhost\n");
  reissue("server-expired", "20200101000000Z", "20210101000000Z", "subjectAltName=DNS:localhost\n");
  issue("client-expired", "p256", "basicConstraints=CA:FALSE\n");
  reissue("client-expired", "20200101000000Z", "20210101000000Z", "basicConstraints=CA:FALSE\n");
  issue("client-future", "p256", "basicConstraints=CA:FALSE\n");
  reissue("client-future", "20400101000000Z", "20410101000000Z", "basicConstraints=CA:FALSE\n");
  trackedKey();
}

/** The same request, signed for other dates. */
function reissue(name: string, from: string, to: string, extensions: string): void {
  const { file, openssl: run } = files;
  writeFileSync(
    file("ca.cnf"),
    [
      "[ca]",
      "default_ca=own",
      "[own]",
      `database=${file("index.txt")}`,
      `new_certs_dir=${files.folder}`,
      "default_md=sha256",
      "policy=any",
      "rand_serial=yes",
      "unique_subject=no",
      "[any]",
      "organizationName=optional",
      "commonName=supplied",
      "[ext]",
      extensions,
    ].join("\n"),
  );
  writeFileSync(file("index.txt"), "");
  const dates = ["-startdate", from, "-enddate", to];
  const by = ["-cert", file("ca.crt"), "-keyfile", file("ca.key")];
  run(
    "ca",
    "-batch",
    "-config",
    file("ca.cnf"),
    ...by,
    ...dates,
    "-extensions",
    "ext",
    "-in",
    file(`${name}.csr`),
    "-out",
    file(`${name}.crt`),
    "-notext",
  );
}

/** A repository that has the key. */
function trackedKey(): void {
  const folder = files.file("repository");
  mkdirSync(folder);
  writeFileSync(join(folder, "client.key"), files.text("client-p256.key"));
  const git = (...words: string[]) => execFileSync("git", ["-C", folder, ...words], { stdio: "ignore" });
  git("init", "-q");
  git("add", "client.key");
}

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command in a process of its own. */
function spawned(words: readonly string[]): Promise<Answer> {
  const command = ["--import", "tsx", join(root, "src/cli/main.ts"), "doctor", ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: root }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** The same command here, which is a second faster. */
async function run(words: readonly string[]): Promise<Answer> {
  const texts = { out: "", err: "" };
  const terminal = terminalOver(
    { write: (text) => void (texts.out += text) },
    { write: (text) => void (texts.err += text) },
    {},
  );
  const code = await runCommand(commands, ["doctor", ...words], terminal, new AbortController().signal);
  return { code, ...texts };
}

interface Setup {
  readonly port: number;
  readonly endpoint?: string;
  readonly cert?: string;
  readonly key?: string;
  /** A name in the folder; nothing for Amazon's roots. */
  readonly ca?: string | undefined;
  readonly more?: readonly string[];
}

function wordsOf({
  port,
  endpoint = "localhost",
  cert = "client-p256.crt",
  key = "client-p256.key",
  more = [],
  ...rest
}: Setup): string[] {
  const ca = "ca" in rest ? rest.ca : "ca.crt";
  const trust = ca === undefined ? [] : ["--ca", files.file(ca)];
  const credentials = ["--cert", files.file(cert), "--key", files.file(key), ...trust];
  return ["--endpoint", endpoint, "--port", String(port), "--timeout", "3", ...credentials, ...more];
}

interface Found {
  readonly accused: readonly string[];
  readonly answer: Answer;
}

async function examine(setup: Setup): Promise<Found> {
  const answer = await run([...wordsOf(setup), "--json"]);
  noSecretIn(answer, setup.key ?? "client-p256.key");
  const { results } = JSON.parse(answer.out) as { results: { check: string; verdict: string; code?: string }[] };
  const accused = results
    .filter(({ verdict }) => verdict === "fail" || verdict === "warn")
    .map(({ check, code, verdict }) => `${check} ${code}${verdict === "warn" ? "?" : ""}`);
  return { accused, answer };
}

/** Any twelve characters in a row of a key. */
function noSecretIn({ out, err }: Answer, key: string): void {
  let body: string;
  try {
    body = readFileSync(files.file(key), "latin1");
  } catch {
    return;
  }
  if (!body.includes("PRIVATE KEY")) return;
  for (const line of body.split(/\s+/).filter((one) => one.length >= 24 && !one.includes("-")))
    for (let at = 8; at + 12 <= line.length; at += 4) expect(out + err).not.toContain(line.slice(at, at + 12));
}

const own = (): number => mosquitto.p256.port;

/** A server of a few lines on loopback. */
function listen(serve: (socket: import("node:net").Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  sockets.push(server);
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
  );
}

type Row = readonly [name: string, setup: () => Setup | Promise<Setup>, expected: readonly string[]];

const broken: readonly Row[] = [
  ["no certificate file", () => ({ port: own(), cert: "none.crt" }), ["certificate-file DOCTOR_FILE_MISSING"]],
  ["a folder as the key", () => ({ port: own(), key: "repository" }), ["key-file DOCTOR_FILE_IS_FOLDER"]],
  ["an empty key", () => ({ port: own(), key: "empty.key" }), ["key-file DOCTOR_FILE_EMPTY"]],
  [
    "swapped files",
    () => ({ port: own(), cert: "client-p256.key", key: "client-p256.crt" }),
    ["certificate-file DOCTOR_FILES_SWAPPED", "key-file DOCTOR_FILES_SWAPPED"],
  ],
  ["the public key for the private", () => ({ port: own(), key: "public.key" }), ["key-file DOCTOR_KEY_IS_PUBLIC"]],
  [
    "a CSR for the certificate",
    () => ({ port: own(), cert: "client-p256.csr" }),
    ["certificate-file DOCTOR_CERTIFICATE_IS_REQUEST"],
  ],
  ["DER for PEM", () => ({ port: own(), cert: "client.der" }), ["certificate-file DOCTOR_FILE_DER?"]],
  ["a byte order mark", () => ({ port: own(), cert: "bom.crt" }), ["certificate-file DOCTOR_FILE_BOM?"]],
  ["PKCS #7", () => ({ port: own(), cert: "client.p7b" }), ["certificate-file DOCTOR_FILE_FOREIGN"]],
  ["PKCS #12", () => ({ port: own(), cert: "client.p12" }), ["certificate-file DOCTOR_FILE_FOREIGN"]],
  ["an encrypted key, PKCS #8", () => ({ port: own(), key: "encrypted.key" }), ["key-file DOCTOR_KEY_ENCRYPTED"]],
  ["an encrypted key, old form", () => ({ port: own(), key: "legacy.key" }), ["key-file DOCTOR_KEY_ENCRYPTED"]],
  ["two keys", () => ({ port: own(), key: "twokeys.key" }), ["key-file DOCTOR_KEY_SEVERAL"]],
  ["a key that is cut off", () => ({ port: own(), key: "cut.key" }), ["key-file DOCTOR_PEM_DAMAGED"]],
  [
    "an Ed25519 key and its certificate",
    () => ({ port: own(), key: "ed25519.key", cert: "ed25519.crt" }),
    ["key-file DOCTOR_KEY_UNSUPPORTED", "certificate-algorithms DOCTOR_CERTIFICATE_KEY_UNSUPPORTED"],
  ],
  [
    "RSA of 1024 bits",
    () => ({ port: 1, key: "short.key", cert: "short.crt" }),
    ["certificate-algorithms DOCTOR_CERTIFICATE_WEAK_KEY", "tcp DOCTOR_TCP_REFUSED"],
  ],
  [
    "SHA-1",
    () => ({ port: 1, key: "sha1.key", cert: "sha1.crt" }),
    ["certificate-algorithms DOCTOR_CERTIFICATE_WEAK_HASH", "tcp DOCTOR_TCP_REFUSED"],
  ],
  ["another certificate's key", () => ({ port: own(), key: "stranger.key" }), ["key-match DOCTOR_KEY_MISMATCH"]],
  [
    "the CA's certificate for the device's",
    () => ({ port: own(), cert: "ca.crt" }),
    ["certificate-role DOCTOR_CERTIFICATE_IS_CA"],
  ],
  ["a chain upside down", () => ({ port: own(), cert: "upside-down.crt" }), ["certificate-role DOCTOR_CHAIN_ORDER"]],
  ["a key that git tracks", () => ({ port: own(), key: "repository/client.key" }), ["key-tracked DOCTOR_KEY_TRACKED"]],
  [
    "an expired certificate",
    () => ({ port: own(), cert: "client-expired.crt", key: "client-expired.key" }),
    ["certificate-dates DOCTOR_CERTIFICATE_EXPIRED", "client-certificate DOCTOR_CERTIFICATE_REFUSED_EXPIRED"],
  ],
  [
    "a certificate of the future",
    () => ({ port: own(), cert: "client-future.crt", key: "client-future.key" }),
    ["certificate-dates DOCTOR_CERTIFICATE_NOT_YET_VALID", "client-certificate DOCTOR_CERTIFICATE_REFUSED"],
  ],
  ["a URL", () => ({ port: own(), endpoint: "mqtts://localhost" }), ["endpoint DOCTOR_ENDPOINT_URL"]],
  ["a name that nobody has", () => ({ port: own(), endpoint: "nobody.invalid" }), ["dns DOCTOR_DNS_NOT_FOUND"]],
  ["a port that nobody has", async () => ({ port: await freePort() }), ["tcp DOCTOR_TCP_REFUSED"]],
  ["Mosquitto without TLS", () => ({ port: mosquitto.plain.port }), ["handshake DOCTOR_NOT_TLS"]],
  ["a port that says nothing", async () => ({ port: await listen(() => {}) }), ["handshake DOCTOR_HANDSHAKE_HANGS"]],
  [
    "HTTP",
    async () => ({
      port: await listen((socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))),
    }),
    ["handshake DOCTOR_NOT_TLS"],
  ],
  [
    "SSH",
    async () => ({ port: await listen((socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n")) }),
    ["handshake DOCTOR_NOT_TLS"],
  ],
  [
    "a port that hangs up",
    async () => ({ port: await listen((socket) => socket.destroy()) }),
    ["handshake DOCTOR_HANDSHAKE_CLOSED"],
  ],
  ["TLS 1.3 alone", () => ({ port: openssl["tls13"]!.port }), ["handshake DOCTOR_TLS_VERSION"]],
  ["no common suite", () => ({ port: openssl["cbc"]!.port }), ["handshake DOCTOR_NO_COMMON_SUITE"]],
  [
    "a wrong ALPN name",
    () => ({ port: openssl["alpn"]!.port, more: ["--alpn", "x-amzn-mqtt-ca"] }),
    ["alpn DOCTOR_ALPN_REFUSED"],
  ],
  [
    "Amazon's roots for a local server",
    () => ({ port: own(), ca: undefined }),
    ["server-certificate DOCTOR_SERVER_NOT_TRUSTED"],
  ],
  ["another CA", () => ({ port: own(), ca: "stranger.crt" }), ["server-certificate DOCTOR_SERVER_NOT_TRUSTED"]],
  [
    "a self-signed server",
    () => ({ port: openssl["foreign"]!.port }),
    ["server-certificate DOCTOR_SERVER_NOT_TRUSTED", "host-name DOCTOR_HOST_NAME_MISMATCH"],
  ],
  ["an expired server", () => ({ port: openssl["expired"]!.port }), ["server-certificate DOCTOR_SERVER_EXPIRED"]],
  ["a server for another name", () => ({ port: openssl["elsewhere"]!.port }), ["host-name DOCTOR_HOST_NAME_MISMATCH"]],
  [
    "a self-signed device certificate at Mosquitto",
    () => ({ port: own(), cert: "stranger.crt", key: "stranger.key" }),
    ["client-certificate DOCTOR_SELF_SIGNED_REFUSED"],
  ],
  [
    "the same at s_server",
    () => ({ port: openssl["silent"]!.port, cert: "stranger.crt", key: "stranger.key" }),
    ["client-certificate DOCTOR_SELF_SIGNED_REFUSED"],
  ],
  [
    "a TLS server that is silent after the handshake",
    () => ({ port: openssl["silent"]!.port }),
    ["connect DOCTOR_CONNECT_HANGS"],
  ],
  ["HTTPS", () => ({ port: openssl["web"]!.port }), ["connect DOCTOR_CONNECT_HANGS"]],
  [
    "CONNACK 5: Mosquitto wants a user name",
    () => ({ port: mosquitto.password.port }),
    ["connect DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED"],
  ],
  [
    "a topic that may not be read at Mosquitto",
    () => ({ port: mosquitto.acl.port, more: ["--topic", "sendonly/a"] }),
    ["receive DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "a topic that nobody allows at Mosquitto",
    () => ({ port: mosquitto.acl.port, more: ["--topic", "forbidden/a"] }),
    ["receive DOCTOR_RECEIVE_SILENT"],
  ],
  [
    "no shadow service at Mosquitto",
    () => ({ port: own(), more: ["--thing", "lamp"] }),
    ["shadow-get DOCTOR_NO_SHADOW_SERVICE?"],
  ],
];

const healthy: readonly (readonly [name: string, setup: () => Setup])[] = [
  ["P-256 at a P-256 server", () => ({ port: own() })],
  ["RSA at a P-256 server", () => ({ port: own(), cert: "client-rsa.crt", key: "client-rsa.key" })],
  ["P-256 at an RSA server", () => ({ port: mosquitto.rsa.port })],
  ["PKCS #1", () => ({ port: own(), cert: "client-rsa.crt", key: "client-rsa.pkcs1.key" })],
  ["SEC1", () => ({ port: own(), key: "client-p256.sec1.key" })],
  ["CRLF", () => ({ port: own(), cert: "crlf.crt", key: "crlf.key" })],
  ["a chain", () => ({ port: own(), cert: "chain.crt" })],
  ["a topic that the ACL allows", () => ({ port: mosquitto.acl.port, more: ["--topic", "allowed/a"] })],
  ["an ACL that forbids all that is tried", () => ({ port: mosquitto.acl.port })],
  ["an address", () => ({ port: own(), endpoint: "127.0.0.1" })],
  ["a client id of its own", () => ({ port: own(), more: ["--client-id", "phone"] })],
];

describe("doctor against Mosquitto and s_server: each cause by name, and nothing else", () => {
  it.each(broken)("%s", async (_, setup, expected) => {
    const { accused, answer } = await examine(await setup());
    expect(accused).toEqual(expected);
    expect(answer.code).toBe(expected.every((one) => one.endsWith("?")) ? 0 : 1);
  });

  it.each(healthy)("healthy: %s", async (_, setup) => {
    const { accused, answer } = await examine(setup());
    expect(accused).toEqual([]);
    expect(answer.code).toBe(0);
  });
});

describe("doctor against the local endpoint over TCP", () => {
  let endpoint: LocalEndpoint;
  beforeAll(async () => {
    endpoint = await startLocalEndpoint({ dir: files.file("endpoint"), port: 0, alpnPort: 0, thingName: "lamp" });
  });
  afterAll(() => endpoint.close());

  const examined = async (port: number, more: readonly string[] = []) => {
    const { folder, host } = endpoint;
    const { certificateFile, privateKeyFile } = folder.device;
    const words = ["--endpoint", host, "--port", String(port), "--thing", "lamp", "--timeout", "5", "--json"];
    const credentials = ["--cert", certificateFile, "--key", privateKeyFile, "--ca", folder.caFile];
    return await run([...words, ...credentials, ...more]);
  };

  it("healthy, on both ports", async () => {
    expect((await examined(endpoint.port)).code).toBe(0);
    expect((await examined(endpoint.alpnPort!, ["--alpn", "x-amzn-mqtt-ca"])).code).toBe(0);
  });

  it("the ALPN port without ALPN", async () => {
    const { out, code } = await examined(endpoint.alpnPort!);
    expect([code, out.includes("DOCTOR_ALPN_NEEDED")]).toEqual([1, true]);
  });

  it("the guide's failures: INACTIVE is -0x7780 in the handshake, no policy is -28 at CONNECT", async () => {
    const { cloud, folder } = endpoint;
    const { certificateId } = folder.device;
    const fault = async (): Promise<unknown> => {
      const { out } = await examined(endpoint.port);
      const { results } = JSON.parse(out) as { results: { check: string; verdict: string }[] };
      return results.filter(({ verdict }) => verdict === "fail");
    };
    const alert = { because: "TLS_ALERT_RECEIVED", mbedtls: "-0x7780" };
    cloud.certificates.deactivate(certificateId);
    expect(await fault()).toMatchObject([
      { check: "client-certificate", code: "DOCTOR_CERTIFICATE_REFUSED", sdk: -4, ...alert },
    ]);
    cloud.certificates.activate(certificateId);
    for (const name of cloud.certificates.get(certificateId).policies) cloud.registry.detachPolicy(name, certificateId);
    expect(await fault()).toMatchObject([{ check: "connect", code: "DOCTOR_CONNECT_ALERT", sdk: -28, ...alert }]);
  });
});

describe("doctor as people use it", () => {
  it("text: what, evidence, code, fix and the five factors; no colours into a pipe", async () => {
    const { code, out, err } = await spawned(wordsOf({ port: own(), cert: "stranger.crt", key: "stranger.key" }));
    expect([code, err]).toEqual([1, ""]);
    expect(out).toContain("DOCTOR_SELF_SIGNED_REFUSED (mbedTLS -0x7780, C SDK -4, TLS_ALERT_RECEIVED)");
    expect(out).toMatch(/3\. the certificate is ACTIVE.*: no/);
    expect(out).toMatch(/4\. .*: cannot be seen from outside/);
    expect(out).not.toContain("\u001b[");
  });

  it("exit code 2 for a command line that cannot be understood", async () => {
    expect((await spawned(["--endpoint", "localhost"])).code).toBe(2);
    expect((await run([...wordsOf({ port: 1 }), "--nonsense"])).code).toBe(2);
  });

  it("a key without permission to read it", async () => {
    writeFileSync(files.file("locked.key"), files.text("client-p256.key"));
    chmodSync(files.file("locked.key"), 0);
    chmodSync(files.folder, 0o755);
    // Root may read everything, and is somebody else for this test.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      const { accused } = await examine({ port: own(), key: "locked.key" });
      expect(accused).toEqual(["key-file DOCTOR_FILE_UNREADABLE"]);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
