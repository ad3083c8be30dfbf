/**
 * Runs a script on XS, the engine of Moddable, in a process of its own (`@endo/init` changes the globals of whoever imports it).
 * Usage: node run-xs.mjs SCRIPT.js — prints what the script leaves in `globalThis.report` (a string), then the computrons on a line of its own.
 */
import "@endo/init";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import process from "node:process";
import { xsnap } from "@agoric/xsnap";

const source = fs.readFileSync(process.argv[2], "utf8");
let report = "";
const worker = await xsnap({
  os: os.type(),
  spawn,
  // Names of snapshots, which are not made here.
  fs: { ...fs, ...fs.promises, tmpName: () => Promise.reject(new Error("no snapshots")) },
  meteringLimit: 0,
  stdout: "inherit",
  stderr: "inherit",
  handleCommand: async (request) => {
    report = Buffer.from(request).toString("utf8");
    return new Uint8Array();
  },
});
// A Moddable app has neither, so the script must not see them.
await worker.evaluate("var HostEncoder = TextEncoder; delete globalThis.TextEncoder; delete globalThis.TextDecoder;");
const { meterUsage } = await worker.evaluate(source);
await worker.evaluate("issueCommand(new HostEncoder().encode(globalThis.report).buffer)");
await worker.close();
process.stdout.write(`${report}\n${meterUsage.compute}\n`);
