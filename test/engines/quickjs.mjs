/** QuickJS (Bellard's, or ng) compiled to WebAssembly, a 32-bit build. */
import process from "node:process";
import ngVariant from "@jitl/quickjs-ng-wasmfile-release-sync";
import { getQuickJS, newQuickJSWASMModuleFromVariant } from "quickjs-emscripten";

/** Compiles an engine; what comes back opens contexts of it, which are engines as `xs.mjs` has them too. */
export async function loadQuickJS({ ng = false } = {}) {
  const quickjs = ng ? await newQuickJSWASMModuleFromVariant(ngVariant) : await getQuickJS();
  return async () => openContext(quickjs);
}

function openContext(quickjs) {
  const runtime = quickjs.newRuntime();
  const context = runtime.newContext();
  let peakBytes = 0;
  const heapBytes = () => context.dump(runtime.computeMemoryUsage()).memory_used_size;
  const sample = context.newFunction("sampleHeap", () => void (peakBytes = Math.max(peakBytes, heapBytes())));
  context.setProp(context.global, "sampleHeap", sample);
  sample.dispose();
  return {
    /** Runs a script and gives what it leaves in `globalThis.result`, as text. */
    async evaluate(source) {
      const before = process.cpuUsage();
      const outcome = context.evalCode(source, "script.js");
      const { user, system } = process.cpuUsage(before);
      if (outcome.error) {
        const error = context.dump(outcome.error);
        throw new Error(`${error?.message ?? error}\n${error?.stack ?? ""}`);
      }
      runtime.executePendingJobs();
      outcome.value.dispose();
      const result = context.getString(context.getProp(context.global, "result"));
      return { result, cpuUs: user + system };
    },
    /** Bytes in use, now and at most when the script called `sampleHeap()`. */
    heapBytes,
    peakHeapBytes: () => peakBytes,
    // Ends with the process.
    async close() {},
  };
}
