/**
 * Starts a server of another project and waits until it listens.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CertificateFiles, KeyType } from "./certificates.ts";

export interface Peer {
  readonly port: number;
  /** All that the server printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** A TCP port of the loopback address that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Runs `command`; `words` gets the port. Throws with the server's output where it ends or does not listen within thirty seconds. */
export async function startPeer(command: string, words: (port: number) => string[]): Promise<Peer> {
  const port = await freePort();
  const child: ChildProcess = spawn(command, words(port), { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  let ended = false;
  child.stdout!.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
  child.stderr!.on("data", (bytes: Buffer) => (output += bytes.toString("latin1")));
  child.once("error", (error) => {
    output += `${error.message}\n`;
    ended = true;
  });
  const exit = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void exit.then(() => (ended = true));
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (ended || attempt > 600) throw new Error(`${command} does not listen on port ${port}:\n${output}`);
    await sleep(50);
  }
  return {
    port,
    output: () => output,
    stop: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/** OpenSSL's `s_server` for TLS 1.2, which demands a certificate of the CA and answers each line reversed. */
export function startOpenssl(files: CertificateFiles, server: KeyType, ...more: string[]): Promise<Peer> {
  return startPeer("openssl", (port) => opensslWords(files, server, port, more));
}

/** What {@link startOpenssl} is started with. */
export function opensslWords(files: CertificateFiles, server: KeyType, port: number, more: string[]): string[] {
  const identity = ["-cert", files.file(`server-${server}.crt`), "-key", files.file(`server-${server}.key`)];
  const clients = ["-CAfile", files.file("ca.crt"), "-Verify", "2", "-verify_return_error"];
  return ["s_server", "-accept", `127.0.0.1:${port}`, "-tls1_2", "-rev"].concat(identity, clients, more);
}

/** The variable of the environment with which OpenSSL 3.0 does not know RFC 7627: it has no switch for that. */
export function withoutExtendedMasterSecret(files: CertificateFiles): string {
  const settings = "openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nOptions=-ExtendedMasterSecret\n";
  writeFileSync(files.file("no-ems.cnf"), settings);
  return `OPENSSL_CONF=${files.file("no-ems.cnf")}`;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
