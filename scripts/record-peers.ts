/**
 * Records full and resumed handshakes with each server of the interop matrix, data and close_notify included, one pair for each way to
 * protect records, into `test/fixtures/recorded/`, for `test/property/tls/recorded-peers.test.ts`. Needs what `scripts/deep-peers.sh` installs.
 *
 * Run it again where the client's bytes change for good reason (another ClientHello, another way to draw keys), all peers or those that
 * are named: `node --import tsx scripts/record-peers.ts [NAME…]`
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import {
  secp256r1,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
} from "../src/tls/suites.ts";
import type { RecordedPeer } from "../test/fixtures/replay.ts";
import { seededRandom } from "../test/fixtures/seeded-random.ts";
import { identityOf, makeCertificates } from "../test/interop/certificates.ts";
import { converse, type Exchange } from "../test/interop/conversation.ts";
import { cells } from "../test/interop/matrix/cells.ts";
import { type MatrixPeer, matrixPeers } from "../test/interop/matrix/peers.ts";
import { reasonAgainst } from "../test/interop/matrix/run.ts";
import type { Peer } from "../test/interop/peer.ts";

const SEED = 3;
/** What is recorded with each server. */
const kinds = [
  { name: "gcm", suite: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, server: "p256", resumption: "ticket" },
  { name: "cbc", suite: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, server: "rsa", resumption: "session ID" },
  { name: "chacha20", suite: TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, server: "p256", resumption: "ticket" },
] as const;
const folder = new URL("../test/fixtures/recorded/", import.meta.url);

/** A way to a server that keeps what the server says: one text a flight, which ends where the client speaks. */
async function tapped(peer: Peer): Promise<{ readonly peer: Peer; take(): string[]; stop(): void }> {
  const flights: string[] = [];
  let isOpen = false;
  const tap = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ port: peer.port, host: "127.0.0.1", allowHalfOpen: true });
    outer.on("data", () => (isOpen = false));
    inner.on("data", (bytes) => {
      if (!isOpen) flights.push("");
      isOpen = true;
      flights.push(flights.pop()! + bytes.toString("hex"));
    });
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as const)
      from.pipe(to).on("error", () => from.destroy());
  });
  await new Promise<void>((resolve) => tap.listen(0, "127.0.0.1", resolve));
  const { port } = tap.address() as AddressInfo;
  return { peer: { ...peer, port }, take: () => flights.splice(0), stop: () => tap.close() };
}

async function record(
  matrixPeer: MatrixPeer,
  { suite, server: key, resumption }: (typeof kinds)[number],
): Promise<RecordedPeer> {
  const fits = cells.filter(
    (cell) =>
      cell.suite === suite &&
      cell.server === key &&
      cell.resumption === resumption &&
      reasonAgainst(matrixPeer, cell) === undefined,
  );
  const setting = fits.find(({ ems }) => ems) ?? fits[0]!;
  const files = makeCertificates();
  const server = await matrixPeer.start(files, { ...setting, theirRecords: 512 });
  const tap = await tapped(server);
  try {
    // The file that NSS is asked for in the matrix is too long to keep; another request it gives back.
    const exchange: Exchange =
      matrixPeer.name === "NSS"
        ? { request: "GET / HTTP/1.0\r\n\r\n", isWhole: (answer) => answer.endsWith("EOF\r\n\r\n\r\n") }
        : matrixPeer.exchange(files, { ...setting, theirRecords: 512, ourRecords: 1 }, false);
    const timeMs = Date.now();
    const options = {
      identity: identityOf(files, "client-p256"),
      suites: [suite],
      groups: [secp256r1],
      alpn: [],
      wallMs: () => timeMs,
      resumption: true,
    };
    const first = await converse(tap.peer, files, { ...options, random: seededRandom(SEED) }, exchange);
    const flights = tap.take();
    const { session, answer } = first;
    if (session !== undefined)
      await converse(tap.peer, files, { ...options, random: seededRandom(SEED), session }, exchange);
    return {
      description: `${matrixPeer.name} ${matrixPeer.version()}`,
      suite: suite.name,
      serverName: "localhost",
      timeMs,
      seed: SEED,
      alpn: [],
      trust: files.text("ca.crt"),
      certificate: files.text("client-p256.crt"),
      privateKey: files.text("client-p256.key"),
      flights,
      resumed: session === undefined ? undefined : tap.take(),
      answer,
    };
  } finally {
    tap.stop();
    await server.stop();
    files.remove();
  }
}

mkdirSync(folder, { recursive: true });
const names = process.argv.slice(2);
for (const peer of matrixPeers) {
  if (names.length > 0 && !names.includes(peer.name)) continue;
  for (const kind of kinds) {
    const text = `${JSON.stringify(await record(peer, kind), null, 2)}\n`;
    writeFileSync(new URL(`${peer.name.toLowerCase()}-${kind.name}.json`, folder), text);
  }
}
