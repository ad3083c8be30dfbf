/**
 * Records a mutual handshake with Node's TLS server into `test/fixtures/handshake.json`, for `test/fixtures/replay.ts`.
 *
 * Run it again where the client's bytes change for good reason (another ClientHello, another way to draw keys):
 * `node --import tsx scripts/record-handshake.ts`
 */

import { writeFileSync } from "node:fs";
import { toHex } from "../src/bytes.ts";
import { createCrypto } from "../src/tls/crypto/index.ts";
import { secp256r1 } from "../src/tls/suites.ts";
import { parsePrivateKey } from "../src/tls/x509/keys.ts";
import { parseCertificateChain, trustAnchors } from "../src/tls/x509/trust.ts";
import { recordHandshake } from "../test/fixtures/record.ts";
import type { Recording } from "../test/fixtures/replay.ts";
import { seededRandom } from "../test/fixtures/seeded-random.ts";
import * as fixtures from "../test/unit/tls/fixtures.ts";

const SEED = 2;
const TIME_MS = Date.UTC(2027, 0, 1);
const ALPN = "x-amzn-mqtt-ca";
const DATA = "recorded";

async function record(): Promise<Recording> {
  const { flights, secured } = await recordHandshake(
    {
      cert: fixtures.ecServerCertificate,
      key: fixtures.ecServerKey,
      ca: fixtures.caCertificate,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: [ALPN],
    },
    {
      serverName: "localhost",
      alpn: [ALPN],
      groups: [secp256r1],
      trust: trustAnchors(fixtures.caCertificate),
      identity: {
        certificates: parseCertificateChain(fixtures.ecClientCertificate),
        privateKey: parsePrivateKey(fixtures.ecClientKey),
      },
      crypto: createCrypto(),
      random: seededRandom(SEED),
      wallMs: () => TIME_MS,
    },
    DATA,
  );
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
