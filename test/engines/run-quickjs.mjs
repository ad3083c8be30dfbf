/**
 * Runs a script on QuickJS (bellard's, or ng with `--ng`) compiled to WebAssembly, a 32-bit build.
 * Usage: node run-quickjs.mjs SCRIPT.js [--ng] — prints what the script leaves in `globalThis.report` (a string), then the bytes of memory in use.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import ngVariant from "@jitl/quickjs-ng-wasmfile-release-sync";
import { getQuickJS, newQuickJSWASMModuleFromVariant } from "quickjs-emscripten";

const quickjs = process.argv.includes("--ng") ? await newQuickJSWASMModuleFromVariant(ngVariant) : await getQuickJS();
const runtime = quickjs.newRuntime();
const context = runtime.newContext();
const outcome = context.evalCode(readFileSync(process.argv[2], "utf8"), "suite.js");
if (outcome.error) {
  const error = context.dump(outcome.error);
  process.stderr.write(`${error?.message ?? error}\n${error?.stack ?? ""}\n`);
  process.exit(1);
}
runtime.executePendingJobs();
const report = context.getProp(context.global, "report");
const usage = context.dump(runtime.computeMemoryUsage());
process.stdout.write(`${context.getString(report)}\n${usage.memory_used_size}\n`);
