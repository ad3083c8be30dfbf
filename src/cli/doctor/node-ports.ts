/**
 * The doctor's ports on Node.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { gitStatus } from "../../runtime/node-git.ts";
import { nodeRuntime } from "../../runtime/node-ports.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import { tcp } from "../../transport/node/tcp.ts";
import type { DoctorPorts } from "./ports.ts";

/** A key and a chain have a few kB; Amazon's roots, or a system's whole store, less than this. */
const MAX_FILE_BYTES = 4_194_304;

/** Files, git, DNS and TCP as Node has them. */
export function nodeDoctorPorts(): DoctorPorts {
  return {
    runtime: nodeRuntime,
    crypto: createCrypto(),
    readFile(path) {
      try {
        if (statSync(path).size > MAX_FILE_BYTES) return { problem: "EFBIG" };
        return { bytes: new Uint8Array(readFileSync(path)) };
      } catch (error) {
        return { problem: systemCode(error) };
      }
    },
    // What git makes of the key itself, not of a link to it. The file was read before, so it is there.
    gitState: (path) => gitStatus(realpathSync(path)).state,
    async lookup(host) {
      try {
        return { addresses: (await lookup(host, { all: true })).map(({ address }) => address) };
      } catch (error) {
        return { problem: systemCode(error) };
      }
    },
    tcp,
  };
}

function systemCode(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
