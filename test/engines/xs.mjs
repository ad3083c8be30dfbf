/**
 * XS, the engine of Moddable, in a worker of its own. To be imported by a process of its own, since `@endo/init` changes its globals.
 */
import "@endo/init";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { xsnap } from "@agoric/xsnap";

/** An engine as `quickjs.mjs` has it too; what it computes is metered, in computrons. (A second `eval` around the script would double its costs.) */
export async function openXS() {
  let result = "";
  let pid;
  const worker = await xsnap({
    os: os.type(),
    spawn(...words) {
      const child = spawn(...words);
      pid = child.pid;
      return child;
    },
    // Names of snapshots, which are not made here.
    fs: { ...fs, ...fs.promises, tmpName: () => Promise.reject(new Error("no snapshots")) },
    meteringLimit: 0,
    stdout: "inherit",
    stderr: "inherit",
    handleCommand: async (request) => {
      result = Buffer.from(request).toString("utf8");
      return new Uint8Array();
    },
  });
  // A Moddable app has neither, so the script must not see them.
  await worker.evaluate("var HostEncoder = TextEncoder; delete globalThis.TextEncoder; delete globalThis.TextDecoder;");
  // Nanoseconds that the worker has run.
  const ran = () => Number(fs.readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
  return {
    async evaluate(source) {
      const before = ran();
      const { meterUsage } = await worker.evaluate(source);
      const cpuUs = (ran() - before) / 1000;
      await worker.evaluate("issueCommand(new HostEncoder().encode(String(globalThis.result)).buffer)");
      return { result, cpuUs, computrons: meterUsage.compute };
    },
    // It tells only what it has taken from the system, 40 MiB at the start.
    heapBytes: () => undefined,
    close: () => worker.close(),
  };
}
