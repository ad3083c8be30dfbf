/**
 * Records mutual handshakes with OpenSSL's `s_server`: what `test/fixtures/replay.ts` replays without a server, on any engine.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { concat, toHex } from "../../src/bytes.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import type { TlsConnectionInfo } from "../../src/tls/events.ts";
import { prepare, type Recording } from "../../test/fixtures/replay.ts";
import { seededRandom } from "../../test/fixtures/seeded-random.ts";
import { freePort } from "../../test/interop/peer.ts";
import * as fixtures from "../../test/unit/tls/fixtures.ts";

const SEED = 2;
const TIME_MS = Date.UTC(2027, 0, 1);
const ALPN = "x-amzn-mqtt-ca";
const DATA = "recorded";

const KINDS = {
  "ecdsa-mutual": {
    cipher: "ECDHE-ECDSA-AES128-GCM-SHA256",
    server: { "server.crt": fixtures.ecServerCertificate, "server.key": fixtures.ecServerKey },
    certificate: fixtures.ecClientCertificate,
    privateKey: fixtures.ecClientKey,
  },
  "rsa-mutual": {
    cipher: "ECDHE-RSA-AES128-GCM-SHA256",
    server: { "server.crt": fixtures.rsaServerCertificate, "server.key": fixtures.rsaServerKey },
    certificate: fixtures.rsaClientCertificate,
    privateKey: fixtures.rsaClientKey,
  },
} as const;

/** The handshakes that are recorded: P-256 key exchange, and certificates of one kind on both sides. */
export type RecordingName = keyof typeof KINDS;
export const recordingNames = Object.keys(KINDS) as RecordingName[];

/** Records one against a fresh server, whose keys of the key exchange and random are new ones. */
export async function record(name: RecordingName): Promise<Recording> {
  const { cipher, server, certificate, privateKey } = KINDS[name];
  const folder = mkdtempSync(join(tmpdir(), "thingwire-record-"));
  const file = (of: string): string => join(folder, of);
  for (const [of, text] of Object.entries({ ...server, "ca.crt": fixtures.caCertificate }))
    writeFileSync(file(of), text);
  const port = await freePort();
  const words = ["s_server", "-accept", `127.0.0.1:${port}`, "-tls1_2", "-cipher", cipher, "-alpn", ALPN];
  words.push("-named_curve", "prime256v1", "-CAfile", file("ca.crt"), "-Verify", "1", "-verify_return_error");
  words.push("-cert", file("server.crt"), "-key", file("server.key"));
  const child = spawn("openssl", words, { stdio: ["pipe", "pipe", "ignore"] });
  try {
    await accepts(child.stdout);
    const recording = {
      description: `${name}, recorded from OpenSSL's s_server`,
      serverName: "localhost",
      timeMs: TIME_MS,
      seed: SEED,
      alpn: [ALPN],
      trust: fixtures.caCertificate,
      certificate,
      privateKey,
      flights: [],
      expected: { suite: "", alpn: ALPN, clientSignatureScheme: "", data: toHex(Buffer.from(DATA)) },
    };
    const socket = connect({ host: "127.0.0.1", port });
    const { flights, secured } = await shakeHands(socket, recording, () => child.stdin.write(DATA));
    socket.destroy();
    const { suite, clientSignatureScheme } = secured;
    const expected = {
      ...recording.expected,
      suite: suite.name,
      clientSignatureScheme: clientSignatureScheme?.name ?? "",
    };
    return { ...recording, flights, expected };
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `s_server` says when it listens. */
async function accepts(output: NodeJS.ReadableStream): Promise<void> {
  for (let text = ""; !text.includes("ACCEPT"); ) {
    const [bytes] = (await once(output, "data", { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    text += bytes.toString();
  }
  output.resume();
}

async function shakeHands(
  socket: Socket,
  recording: Recording,
  whenSecured: () => void,
): Promise<{ flights: string[]; secured: TlsConnectionInfo }> {
  const { settings, seed } = prepare(recording);
  const client = new TlsClient({ ...settings, crypto: createCrypto(), random: seededRandom(seed) });
  const chunks: Uint8Array[] = [];
  const flights: string[] = [];
  const found: { secured?: TlsConnectionInfo; isOver?: boolean } = {};
  const endFlight = (): void => {
    if (chunks.length > 0) flights.push(toHex(concat(chunks.splice(0))));
  };
  const rest = (): void => {
    while (client.work(1_000_000) === "more");
    for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
      if (event.type === "output") {
        endFlight();
        socket.write(event.bytes.slice());
      } else if (event.type === "secured") {
        found.secured = event;
        whenSecured();
      } else if (event.type === "data") found.isOver = true;
      else if (event.type === "fatal") throw event.error;
    }
  };
  socket.on("data", (bytes) => {
    chunks.push(new Uint8Array(bytes));
    for (let at = 0; at < bytes.length; ) {
      at += client.feed(bytes.subarray(at));
      rest();
    }
  });
  await once(socket, "connect");
  client.start();
  rest();
  for (let i = 0; found.isOver !== true; i++) {
    if (i > 1000) throw new Error("OpenSSL did not end the handshake");
    await sleep(10);
  }
  endFlight();
  return { flights, secured: found.secured! };
}
