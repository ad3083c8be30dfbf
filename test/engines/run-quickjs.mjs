/**
 * Runs a script on QuickJS (bellard's, or ng with `--ng`).
 * Usage: node run-quickjs.mjs SCRIPT.js [--ng] — prints what the script leaves in `globalThis.report` (a string), then the bytes of memory in use.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { loadQuickJS } from "./quickjs.mjs";

const open = await loadQuickJS({ ng: process.argv.includes("--ng") });
const engine = await open();
await engine.evaluate(readFileSync(process.argv[2], "utf8"));
const { result } = await engine.evaluate("globalThis.result = globalThis.report");
process.stdout.write(`${result}\n${engine.heapBytes()}\n`);
