/**
 * Records mutual handshakes with OpenSSL into `test/fixtures/handshake.json` (ECDSA) and `handshake-rsa.json`, for
 * `test/fixtures/replay.ts`.
 *
 * Run it again where the client's bytes change for good reason (another ClientHello, another way to draw keys):
 * `node --import tsx scripts/record-handshake.ts`
 */

import { writeFileSync } from "node:fs";
import { record } from "../bench/replay/record.ts";

for (const [file, name] of [
  ["handshake.json", "ecdsa-mutual"],
  ["handshake-rsa.json", "rsa-mutual"],
] as const)
  writeFileSync(
    new URL(`../test/fixtures/${file}`, import.meta.url),
    `${JSON.stringify(await record(name), null, 2)}\n`,
  );
