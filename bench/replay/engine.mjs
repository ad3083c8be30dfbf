/**
 * Measures one script on one engine, in a process of its own.
 * Usage: node engine.mjs ENGINE SCRIPT.js LATER NAME,… — prints one JSON value, of which `replay.ts` knows the type.
 *
 * An engine reads all of a script before it runs any of it, so that both can be measured: the script is the body of a function, which
 * is called later. Cold is a fresh context, from that call to the end of the first handshake. The WebAssembly of QuickJS is compiled before
 * all that, by a context that is thrown away.
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const [engine, script, later, names] = process.argv.slice(2);
const source = readFileSync(script, "utf8");

/** This process itself, as an engine. */
async function openNode() {
  return {
    async evaluate(text) {
      const before = process.cpuUsage();
      // biome-ignore lint/security/noGlobalEval: that is what an engine does
      globalThis.eval(text);
      const { user, system } = process.cpuUsage(before);
      return { result: String(globalThis.result), cpuUs: user + system };
    },
    heapBytes: () => undefined,
    close: async () => {},
  };
}

async function opener() {
  if (engine === "xs") return (await import("../../test/engines/xs.mjs")).openXS;
  if (engine === "node" || engine === "node-jitless") return openNode;
  const { loadQuickJS } = await import("../../test/engines/quickjs.mjs");
  return loadQuickJS({ ng: engine === "quickjs-ng" });
}

const open = await opener();
const call = (name, what = "handshake") => `globalThis.result = ${what}(${JSON.stringify(name)})`;

/** A fresh context in which the script has run. */
async function load() {
  const machine = await open();
  const read = await machine.evaluate(`globalThis.load = function () {${source}\n}`);
  const loaded = await machine.evaluate("load()");
  return { machine, read, loaded };
}

/** What the script counts of a first handshake, and what that takes of the heap. */
async function count(name) {
  const { machine } = await load();
  const loaded = machine.heapBytes();
  const { result } = await machine.evaluate(
    `globalThis.result = typeof count === "function" ? count("${name}") : "{}"`,
  );
  const peak = machine.peakHeapBytes?.();
  await machine.close();
  return result === "{}" ? {} : { counts: JSON.parse(result), heap: peak && { loaded, peak } };
}

const found = {};
for (const name of names.split(",")) {
  if (engine.startsWith("quickjs")) {
    const { machine } = await load();
    for (let i = 0; i < 3; i++) await machine.evaluate(call(name));
  }
  const { machine, read, loaded } = await load();
  const first = await machine.evaluate(call(name));
  const warm = [];
  for (let i = 0; i < Number(later); i++) warm.push(await machine.evaluate(call(name)));
  await machine.close();
  found[name] = {
    result: first.result,
    readUs: read.cpuUs,
    coldUs: loaded.cpuUs + first.cpuUs,
    warmUs: warm.map(({ cpuUs }) => cpuUs),
    computrons: first.computrons && {
      cold: loaded.computrons + first.computrons,
      warm: warm.at(-1).computrons,
    },
    ...(await count(name)),
  };
}
process.stdout.write(`${JSON.stringify(found)}\n`);
