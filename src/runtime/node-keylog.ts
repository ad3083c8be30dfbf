/**
 * `SSLKEYLOGFILE`: where the user sets it, the secrets of each session are appended to that file for Wireshark (RFC 9850).
 *
 * @module
 */

import { appendFileSync } from "node:fs";
import { type KeyLog, type Logger, silent } from "../ports.ts";

/**
 * The key log that the environment asks for, or `undefined` where `SSLKEYLOGFILE` is not set. One warning says that it is on;
 * a file that cannot be written is a warning too, and does not stop the connection.
 */
export function keyLogFromEnvironment(log: Logger = silent, environment = process.env): KeyLog | undefined {
  const { SSLKEYLOGFILE: file } = environment;
  if (file === undefined || file === "") return undefined;
  log.log(
    "warn",
    "tls",
    `SSLKEYLOGFILE is set: the keys of this session go to ${file}, and whoever reads it can decrypt it`,
  );
  let usable = true;
  return (line) => {
    if (!usable) return;
    try {
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch (error) {
      usable = false;
      log.log("warn", "tls", `SSLKEYLOGFILE cannot be written: ${(error as Error).message}`);
    }
  };
}
