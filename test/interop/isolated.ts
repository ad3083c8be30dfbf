/**
 * Servers of other projects that listen on every interface and cannot be told otherwise (GnuTLS's and NSS's): they run in a network
 * namespace of their own, which has a loopback interface and nothing else, and are reached through a Unix socket, which does not care
 * for namespaces. Needs `unshare` and `ip`, and the right to make a namespace.
 *
 * @module
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CertificateFiles, KeyType } from "./certificates.ts";
import type { Peer } from "./peer.ts";

/** The server's port in its namespace. */
const PORT = 4433;

/** Inside: each connection to the Unix socket becomes one to the server. Where the test is gone, so is everything. */
const RELAY = `
const { connect, createServer } = require("node:net");
createServer({ allowHalfOpen: true }, (outer) => {
  const inner = connect({ port: ${PORT}, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  for (const [from, to] of [[outer, inner], [inner, outer]]) from.pipe(to).on("error", () => from.destroy());
}).listen(process.argv[1]);
process.stdin.resume().on("end", () => process.kill(0, "SIGKILL"));
`;

/** Whether this machine lets us make a network namespace. */
export function canIsolate(): boolean {
  try {
    execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** As `startPeer`, in a namespace of its own; `port` of the result is one of our loopback address. */
export async function startIsolatedPeer(command: string, words: (port: number) => string[]): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "thingwire-isolated-"));
  const path = join(folder, "relay");
  // The shell holds both, so that the namespace ends with it; the process group ends them all.
  const script = `exec 3<&0; ip link set lo up && "$0" -e "$1" "$2" <&3 & shift 2; exec "$@"`;
  const child: ChildProcess = spawn(
    "unshare",
    ["--net", "sh", "-c", script, process.execPath, RELAY, path, command, ...words(PORT)],
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  let output = "";
  let ended = false;
  const note = (bytes: Buffer): void => void (output += bytes.toString("latin1"));
  child.stdout!.on("data", note);
  child.stderr!.on("data", note);
  child.once("error", ({ message }) => {
    output += `${message}\n`;
    ended = true;
  });
  const exit = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void exit.then(() => (ended = true));
  const stop = async (): Promise<void> => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await exit;
    rmSync(folder, { recursive: true, force: true });
  };

  const sockets = new Set<Socket>();
  const front = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
    const inner = connect({ path, allowHalfOpen: true });
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(from);
      from.once("close", () => sockets.delete(from));
      from.once("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));

  for (let attempt = 0; !(await answers(path)); attempt++) {
    if (!ended && attempt <= 200) {
      await sleep(50);
      continue;
    }
    front.close();
    await stop();
    throw new Error(`${command} does not listen in its namespace:\n${output}`);
  }
  return {
    port: (front.address() as AddressInfo).port,
    output: () => output,
    stop: async () => {
      front.close();
      for (const socket of sockets) socket.destroy();
      await stop();
    },
  };
}

/** GnuTLS's `gnutls-serv` for TLS 1.2 with all its suites of ours, which demands a certificate of the CA and answers with the same bytes. */
export function startGnutls(files: CertificateFiles, server: KeyType, priority = "", ...more: string[]): Promise<Peer> {
  const identity = [
    "--x509certfile",
    files.file(`server-${server}.crt`),
    "--x509keyfile",
    files.file(`server-${server}.key`),
  ];
  const clients = ["--x509cafile", files.file("ca.crt"), "--require-client-cert", "--verify-client-cert"];
  const level = `NORMAL:-VERS-ALL:+VERS-TLS1.2:+AES-128-CBC:+AES-256-CBC:+SHA256:+SHA384${priority}`;
  return startIsolatedPeer("gnutls-serv", (port) =>
    ["--port", String(port), "--echo", "--priority", level].concat(identity, clients, more),
  );
}

/** Whether relay and server are there: a server that is not ends the connection at once. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (isThere: boolean) => (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isThere);
    };
    const timer = setTimeout(settle(true), 150);
    socket.once("error", settle(false));
    socket.once("close", settle(false));
  });
}
