/**
 * Runs a script on XS.
 * Usage: node run-xs.mjs SCRIPT.js — prints what the script leaves in `globalThis.report` (a string), then the computrons on a line of its own.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { openXS } from "./xs.mjs";

const engine = await openXS();
const { computrons } = await engine.evaluate(readFileSync(process.argv[2], "utf8"));
const { result } = await engine.evaluate("globalThis.result = globalThis.report");
await engine.close();
process.stdout.write(`${result}\n${computrons}\n`);
