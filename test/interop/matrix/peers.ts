/**
 * The servers of the interop matrix as values: how each is started, what is said with it, how it tells of a handshake, and which cells
 * it cannot do, with the reason. `scripts/deep-peers.sh` installs those that CI does without.
 *
 * @module
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { CertificateFiles, KeyType } from "../certificates.ts";
import { type Exchange, lineOf } from "../conversation.ts";
import { startGnutls, startIsolatedPeer } from "../isolated.ts";
import { opensslWords, type Peer, startPeer, withoutExtendedMasterSecret } from "../peer.ts";
import type { Cell, Setting } from "./cells.ts";

/** What is said in a conversation, and the only answer that is right. */
export interface CheckedExchange extends Exchange {
  readonly isWhole: (answer: string) => boolean;
  readonly isRight: (answer: string) => boolean;
}

export interface MatrixPeer {
  readonly name: string;
  /** Whether CI has it; the others are for the deep tier. */
  readonly isInCi: boolean;
  version(): string;
  /** Why a cell cannot be done; the first reason that fits counts. */
  readonly cannot: readonly { readonly reason: string; readonly fits: (cell: Cell) => boolean }[];
  /** Whether it sends short records by a switch of its own; else we ask for them with max_fragment_length. */
  readonly hasRecordSwitch: boolean;
  start(files: CertificateFiles, setting: Setting): Promise<Peer>;
  /** What is said behind a full handshake; behind a resumed one it may be less. */
  exchange(files: CertificateFiles, cell: Cell, isResumed: boolean): CheckedExchange;
  /** What the server says in the output of one connection; `undefined` before it has said it. */
  handshakeOf(output: string): "full" | "resumed" | undefined;
}

/** Bytes of an answer that takes more than one of the server's records, whatever their size. */
const ANSWER = { 512: 1_500, 16384: 20_000 } as const;
/** Bytes of a request that takes many of ours. */
const REQUEST = { 1: 100, 512: 1_500 } as const;

const server = (name: string): string => fileURLToPath(new URL(`../servers/${name}`, import.meta.url));

/** For servers that answer a line with `answerTo`, however long it is. */
function lineAnswered(length: number, answerTo: (line: string) => string): CheckedExchange {
  const { request } = lineOf(length - 1);
  const expected = answerTo(request);
  return {
    request,
    isWhole: (answer) => answer.length >= expected.length,
    isRight: (answer) => answer === expected,
  };
}

/** For our own servers: a line comes back as often as it takes to fill an answer. */
const lineRepeated = (_: CertificateFiles, { ourRecords, theirRecords }: Cell): CheckedExchange =>
  lineAnswered(REQUEST[ourRecords], (line) => line.repeat(Math.ceil(ANSWER[theirRecords] / line.length)));

/** The same from a server that ends the connection then. */
const lineRepeatedAtTheEnd = (files: CertificateFiles, cell: Cell): CheckedExchange => ({
  ...lineRepeated(files, cell),
  isServerFirst: true,
});

const reversed = (line: string): string => `${[...line.trimEnd()].reverse().join("")}\n`;

const openssl: MatrixPeer = {
  name: "OpenSSL",
  isInCi: true,
  version: () => /^OpenSSL (\S+)/.exec(execFileSync("openssl", ["version"], { encoding: "utf8" }))![1]!,
  cannot: [],
  hasRecordSwitch: true,
  start: (files, { server: key, resumption, theirRecords, ems }) => {
    const more = ["-cipher", "ALL", "-state", "-max_send_frag", `${theirRecords}`];
    if (resumption === "session ID") more.push("-no_ticket");
    const environment = ems ? [] : [withoutExtendedMasterSecret(files)];
    return startPeer("env", (port) => [...environment, "openssl", ...opensslWords(files, key, port, more)]);
  },
  // `-rev` holds a line of 16,382 characters at most.
  exchange: (_, cell, isResumed) =>
    lineAnswered(isResumed ? REQUEST[cell.ourRecords] : Math.min(ANSWER[cell.theirRecords], 16_382), reversed),
  handshakeOf: (output) => {
    if (!output.includes("CONNECTION ESTABLISHED")) return undefined;
    return output.includes("write certificate\n") ? "full" : "resumed";
  },
};

const gnutls: MatrixPeer = {
  name: "GnuTLS",
  isInCi: true,
  version: () => /(\d+\.\d+\.\d+)/.exec(execFileSync("gnutls-serv", ["--version"], { encoding: "utf8" }))![1]!,
  cannot: [
    {
      reason: "it answers max_fragment_length, but sends tickets in longer records all the same",
      fits: ({ theirRecords, resumption }) => theirRecords === 512 && resumption === "ticket",
    },
  ],
  hasRecordSwitch: false,
  start: (files, { server: key, resumption, ems }) =>
    startGnutls(files, key, ems ? "" : ":%NO_SESSION_HASH", ...(resumption === "ticket" ? [] : ["--noticket"])),
  // Its records of data are as long as its answers, whatever was negotiated.
  exchange: (_, cell, isResumed) =>
    lineAnswered(isResumed && cell.theirRecords > 512 ? REQUEST[cell.ourRecords] : cell.theirRecords, (line) => line),
  handshakeOf: (output) => {
    if (!output.includes("- Version: TLS1.2")) return undefined;
    return output.includes("This is a resumed session") ? "resumed" : "full";
  },
};

const nss: MatrixPeer = {
  name: "NSS",
  isInCi: false,
  version: () => packageVersion("libnss3-tools"),
  cannot: [
    {
      reason: "it does not know max_fragment_length, and has no switch for short records",
      fits: ({ theirRecords }) => theirRecords === 512,
    },
    { reason: "it has no switch that turns the extended master secret off", fits: ({ ems }) => !ems },
    { reason: "it does not have the suite", fits: ({ suite }) => suite.name.endsWith("AES_256_CBC_SHA384") },
    { reason: "it does not know encrypt-then-MAC (RFC 7366)", fits: ({ suite, etm }) => suite.kind === "cbc" && etm },
  ],
  hasRecordSwitch: false,
  start: (files, { server: key, resumption }) => {
    const database = nssDatabase(files, key);
    const words = ["-d", database, key === "rsa" ? "-n" : "-e", "server", "-V", "tls1.2:tls1.2", "-r", "-r", "-v"];
    if (resumption === "ticket") words.push("-u");
    return startIsolatedPeer("selfserv", (port) => ["-p", `${port}`, ...words]);
  },
  // It answers a request for a file with that file; only in a long one some of its records are of full length.
  exchange: (files, { ourRecords }) => {
    const { request: content } = lineOf(100_000);
    writeFileSync(files.file("long.txt"), content);
    const padding = "x".repeat(REQUEST[ourRecords]);
    return {
      request: `GET ${files.file("long.txt")} HTTP/1.0\r\nX-Padding: ${padding}\r\n\r\n`,
      isWhole: (answer) => answer.length > content.length && answer.endsWith(content.slice(-20)),
      isRight: (answer) => answer.startsWith("HTTP/1.0 200 OK\r\n") && answer.endsWith(`\r\n\r\n${content}`),
    };
  },
  handshakeOf: (output) => {
    if (!output.includes("SSL version 3.3")) return undefined;
    return output.includes("Certificate Validated") ? "full" : "resumed";
  },
};

const jsse: MatrixPeer = {
  name: "JSSE",
  isInCi: false,
  version: () => /"(.*?)"/.exec(spawnSync("java", ["-version"], { encoding: "utf8" }).stderr)![1]!,
  cannot: [
    { reason: "it does not know encrypt-then-MAC (RFC 7366)", fits: ({ suite, etm }) => suite.kind === "cbc" && etm },
  ],
  hasRecordSwitch: false,
  start: (files, { server: key, resumption, theirRecords, ems }) => {
    const store = javaStore(files, key);
    const classes = files.file("java");
    if (!existsSync(classes)) execFileSync("javac", ["-d", classes, server("EchoServer.java")]);
    const switches = {
      "jdk.tls.useExtendedMasterSecret": ems,
      "jdk.tls.server.enableSessionTicketExtension": resumption === "ticket",
      "jsse.enableMFLNExtension": true,
    };
    const words = Object.entries(switches).map(([name, value]) => `-D${name}=${value}`);
    return startPeer("java", (port) => [
      ...words,
      "-cp",
      classes,
      "EchoServer",
      `${port}`,
      store,
      `${ANSWER[theirRecords]}`,
    ]);
  },
  exchange: lineRepeated,
  handshakeOf: (output) => /^(full|resumed)$/m.exec(output)?.[1] as "full" | "resumed" | undefined,
};

const erlang: MatrixPeer = {
  name: "Erlang",
  isInCi: false,
  version: () => packageVersion("erlang-ssl"),
  cannot: [
    { reason: "it does not know the extended master secret (RFC 7627)", fits: ({ ems }) => ems },
    {
      reason: "it takes a message of whose header only three bytes have come for a malformed one",
      fits: ({ ourRecords }) => ourRecords === 1,
    },
    { reason: "it does not know encrypt-then-MAC (RFC 7366)", fits: ({ suite, etm }) => suite.kind === "cbc" && etm },
  ],
  hasRecordSwitch: false,
  start: (files, { server: key, theirRecords }) => {
    const identity = [files.file(`server-${key}.crt`), files.file(`server-${key}.key`), files.file("ca.crt")];
    return startPeer("escript", (port) => [
      server("echo_server.escript"),
      `${port}`,
      ...identity,
      `${ANSWER[theirRecords]}`,
    ]);
  },
  exchange: lineRepeatedAtTheEnd,
  handshakeOf: (output) => {
    const is = /session_resumption,(true|false)/.exec(output)?.[1];
    return is === undefined ? undefined : is === "true" ? "resumed" : "full";
  },
};

const nginx: MatrixPeer = {
  name: "nginx",
  isInCi: false,
  version: () => /nginx\/(\S+)/.exec(spawnSync("nginx", ["-v"], { encoding: "utf8" }).stderr)![1]!,
  cannot: [],
  hasRecordSwitch: false,
  start: startNginx,
  exchange: lineRepeatedAtTheEnd,
  handshakeOf: (output) => {
    const is = /^handshake (\S)/m.exec(output)?.[1];
    return is === undefined ? undefined : is === "r" ? "resumed" : "full";
  },
};

export const matrixPeers: readonly MatrixPeer[] = [openssl, gnutls, nss, jsse, erlang, nginx];

/**
 * nginx takes the TLS off, and passes what is inside on to a server of ours that repeats a line and ends: nginx never answers a close_notify,
 * so it has to be the first that sends one.
 */
async function startNginx(files: CertificateFiles, setting: Setting): Promise<Peer> {
  const { server: key, resumption, theirRecords, ems } = setting;
  const backend = createServer((socket) => {
    let line = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      line += bytes.toString("latin1");
      if (!line.endsWith("\n")) return;
      socket.end(line.repeat(Math.ceil(ANSWER[theirRecords] / line.length)));
    });
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  // A server that does not start must not keep the test waiting for this one.
  backend.unref();
  const { port: inner } = backend.address() as AddressInfo;
  const conf = files.file("nginx.conf");
  const log = files.file("nginx.log");
  writeFileSync(log, "");
  const peer = await startPeer("nginx", (port) => {
    const lines = [
      "load_module /usr/lib/nginx/modules/ngx_stream_module.so;",
      "daemon off; master_process off; error_log stderr crit; events {}",
      `pid ${files.file("nginx.pid")};`,
      "stream {",
      "log_format handshake 'handshake $ssl_session_reused';",
      `access_log ${log} handshake;`,
      `server { listen 127.0.0.1:${port} ssl; proxy_pass 127.0.0.1:${inner};`,
      `ssl_certificate ${files.file(`server-${key}.crt`)}; ssl_certificate_key ${files.file(`server-${key}.key`)};`,
      `ssl_client_certificate ${files.file("ca.crt")}; ssl_verify_client on;`,
      "ssl_protocols TLSv1.2; ssl_ciphers ALL; ssl_ecdh_curve X25519:prime256v1:secp384r1:secp521r1;",
      resumption === "ticket"
        ? "ssl_session_cache off; ssl_session_tickets on;"
        : "ssl_session_cache shared:sessions:1m; ssl_session_tickets off;",
      ems ? "" : "ssl_conf_command Options -ExtendedMasterSecret;",
      "} }",
    ];
    writeFileSync(conf, `${lines.join("\n")}\n`);
    return ["-c", conf, "-e", "stderr"];
  });
  return {
    ...peer,
    output: () => readFileSync(log, "latin1"),
    stop: async () => {
      await peer.stop();
      await new Promise((resolve) => backend.close(resolve));
    },
  };
}

/** A database with the server's key, and the CA as one of clients. */
function nssDatabase(files: CertificateFiles, key: KeyType): string {
  const folder = files.file(`nss-${key}`);
  const database = `sql:${folder}`;
  if (existsSync(folder)) return database;
  mkdirSync(folder);
  execFileSync("certutil", ["-N", "-d", database, "--empty-password"]);
  execFileSync("certutil", ["-A", "-n", "ca", "-t", "TC,C,C", "-i", files.file("ca.crt"), "-d", database, "-a"]);
  execFileSync("pk12util", ["-i", pkcs12(files, key), "-d", database, "-W", "x", "-K", ""], { stdio: "ignore" });
  return database;
}

/** A key store with the server's key, and the CA as one to trust. */
function javaStore(files: CertificateFiles, key: KeyType): string {
  const store = files.file(`java-${key}.p12`);
  if (existsSync(store)) return store;
  renameSync(pkcs12(files, key), store);
  const words = ["-importcert", "-noprompt", "-alias", "ca", "-file", files.file("ca.crt")];
  execFileSync("keytool", [...words, "-keystore", store, "-storepass", "x"], { stdio: "ignore" });
  return store;
}

/** The server's key and certificate, named `server`, under the password `x`. */
function pkcs12(files: CertificateFiles, key: KeyType): string {
  const [certificate, keyFile] = [files.file(`server-${key}.crt`), files.file(`server-${key}.key`)];
  const out = files.file(`server-${key}.p12`);
  const words = ["-export", "-in", certificate, "-inkey", keyFile, "-name", "server", "-passout", "pass:x"];
  files.openssl("pkcs12", ...words, "-out", out);
  return out;
}

function packageVersion(name: string): string {
  return execFileSync("dpkg-query", ["-W", "-f", `\${Version}`, name], { encoding: "utf8" });
}
