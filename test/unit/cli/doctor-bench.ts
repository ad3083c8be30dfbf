/** A patient for the doctor's tests: files in memory, a network that is as the test says, a clock that can be wrong. */
import type { DoctorOptions, DoctorPorts, FileContents } from "../../../src/cli/doctor/ports.ts";
import type { DoctorReport } from "../../../src/cli/doctor/report.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { tcp } from "../../../src/transport/node/tcp.ts";

/** Contents by path; a string that starts with E is the system's code instead. */
export type Files = Readonly<Record<string, string | Uint8Array | undefined>>;

export interface Patient {
  readonly files: Files;
  readonly options?: Partial<DoctorOptions>;
  readonly ports?: Partial<DoctorPorts>;
}

const crypto = nodeCrypto();

export function portsOf({ files, ports }: Patient): DoctorPorts {
  return {
    runtime: nodeRuntime,
    crypto,
    readFile: (path) => contentsOf(files[path]),
    gitState: () => "outside",
    lookup: async () => ({ addresses: ["127.0.0.1"] }),
    tcp,
    ...ports,
  };
}

export function optionsOf({ options }: Patient): DoctorOptions {
  return {
    endpoint: "localhost",
    certificate: "client.crt",
    privateKey: "client.key",
    timeoutMs: 2_000,
    pauseMs: 5,
    ...options,
  };
}

function contentsOf(file: string | Uint8Array | undefined): FileContents {
  if (file === undefined) return { problem: "ENOENT" };
  if (typeof file !== "string") return { bytes: file.slice() };
  return /^E[A-Z]+$/.test(file) ? { problem: file } : { bytes: new Uint8Array(Buffer.from(file)) };
}

/** What a report accuses: `check CODE`, warnings with a question mark. */
export function accusations({ results }: DoctorReport): string[] {
  return results
    .filter(({ verdict }) => verdict === "fail" || verdict === "warn")
    .map(({ check, code, verdict }) => `${check} ${code}${verdict === "warn" ? "?" : ""}`);
}

/** Pieces of the private keys in files, which no output may contain. */
export function secretsOf(files: Files): string[] {
  const secrets: string[] = [];
  for (const file of Object.values(files)) {
    if (typeof file !== "string" || !file.includes("PRIVATE KEY")) continue;
    for (const line of file.split(/[\r\n]+|\\n/)) {
      if (line.length < 20 || line.includes("-----") || line.includes(":")) continue;
      for (let at = 8; at + 12 <= line.length; at += 12) secrets.push(line.slice(at, at + 12));
    }
  }
  return secrets;
}
