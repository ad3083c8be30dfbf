/**
 * Mosquitto with mutual TLS on loopback, as issue and guide demand it: `require_certificate true`, `tls_version tlsv1.2`.
 *
 * @module
 */

import { existsSync, writeFileSync } from "node:fs";
import type { CertificateFiles, KeyType } from "./certificates.ts";
import { type Peer, startPeer } from "./peer.ts";

export function startMosquitto(files: CertificateFiles, server: KeyType, more: readonly string[] = []): Promise<Peer> {
  // Debian installs it outside of the PATH of ordinary users.
  const command = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  return startPeer(command, (port) => {
    const lines = [
      `listener ${port} 127.0.0.1`,
      `cafile ${files.file("ca.crt")}`,
      `certfile ${files.file(`server-${server}.crt`)}`,
      `keyfile ${files.file(`server-${server}.key`)}`,
      "require_certificate true",
      "tls_version tlsv1.2",
      "allow_anonymous true",
      "log_type all",
      // Started as root it would drop its rights and then could not read the keys.
      "user root",
      ...more,
    ];
    writeFileSync(files.file("mosquitto.conf"), `${lines.join("\n")}\n`);
    return ["-c", files.file("mosquitto.conf")];
  });
}
