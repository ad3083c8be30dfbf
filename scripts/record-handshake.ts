/**
 * Records a mutual handshake with Node's TLS server into `test/fixtures/handshake.json`, for `test/fixtures/replay.ts`.
 *
 * Run it again where the client's bytes change for good reason (another ClientHello, another way to draw keys):
 * `node --import tsx scripts/record-handshake.ts`
 */

import { writeFileSync } from "node:fs";
import { concat, toHex } from "../src/bytes.ts";
import { TlsClient } from "../src/tls/client.ts";
import { createCrypto } from "../src/tls/crypto/index.ts";
import type { TlsEvent } from "../src/tls/events.ts";
import { parsePrivateKey } from "../src/tls/x509/keys.ts";
import { parseCertificateChain, trustAnchors } from "../src/tls/x509/trust.ts";
import type { Recording } from "../test/fixtures/replay.ts";
import { seededRandom } from "../test/fixtures/seeded-random.ts";
import * as fixtures from "../test/unit/tls/fixtures.ts";
import { nodeServer, tick } from "../test/unit/tls/node-peer.ts";

const SEED = 2;
const TIME_MS = Date.UTC(2027, 0, 1);
const ALPN = "x-amzn-mqtt-ca";
const DATA = "recorded";

async function record(): Promise<Recording> {
  const server = nodeServer({
    cert: fixtures.ecServerCertificate,
    key: fixtures.ecServerKey,
    ca: fixtures.caCertificate,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: [ALPN],
  });
  server.socket.on("secure", () => server.socket.write(DATA));
  const client = new TlsClient({
    serverName: "localhost",
    alpn: [ALPN],
    trust: trustAnchors(fixtures.caCertificate),
    identity: {
      certificates: parseCertificateChain(fixtures.ecClientCertificate),
      privateKey: parsePrivateKey(fixtures.ecClientKey),
    },
    crypto: createCrypto(),
    random: seededRandom(SEED),
    wallMs: () => TIME_MS,
  });
  client.start();
  const events: TlsEvent[] = [];
  const flights: string[] = [];
  for (let round = 0; round < 3; round++) {
    while (client.work(1_000_000) === "more");
    for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
      if (event.type === "output") server.wire.push(Buffer.from(event.bytes));
      else events.push(event);
    }
    for (let i = 0; i < 20; i++) await tick();
    const flight = concat(server.wire.written.splice(0));
    if (flight.length > 0) flights.push(toHex(flight));
    for (let at = 0; at < flight.length; ) {
      at += client.feed(flight.subarray(at));
      while (client.work(1_000_000) === "more");
    }
  }
  const secured = events.find((event) => event.type === "secured");
  if (secured?.type !== "secured") throw new Error(`not secured: ${JSON.stringify(events)}`);
  return {
    description: "mutual authentication with P-256 on both sides, recorded from Node's TLS server",
    serverName: "localhost",
    timeMs: TIME_MS,
    seed: SEED,
    alpn: [ALPN],
    trust: fixtures.caCertificate,
    certificate: fixtures.ecClientCertificate,
    privateKey: fixtures.ecClientKey,
    flights,
    expected: {
      suite: secured.suite.name,
      alpn: ALPN,
      clientSignatureScheme: secured.clientSignatureScheme?.name ?? "",
      data: toHex(Buffer.from(DATA)),
    },
  };
}

writeFileSync(
  new URL("../test/fixtures/handshake.json", import.meta.url),
  `${JSON.stringify(await record(), null, 2)}\n`,
);
