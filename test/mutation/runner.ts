/**
 * A test runner for Stryker that is made for `scripts/mutate.ts`: it bundles the tests of the TLS protocol and loads them once, and runs
 * those that reach a mutant again for each one, in the same process, up to the first that fails. (Stryker's own runner for vitest
 * loads all modules anew for each mutant, which takes ten times as long as the tests do.)
 *
 * That is sound because no module of thingwire keeps state. Tests could keep some, so a failed test must pass once more without the
 * mutant; where it does not, everything is loaded anew and the mutant is tried again.
 *
 * Left out are the tests that take seconds or a socket and prove the same as the rest, on other suites or against other peers.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { Collector, type Test } from "./warm.ts";

const LEFT_OUT = ["suite-matrix", "handshake-cost", "node-server", "resumption-node", "suites"];

/** The mutants' side of the instrumented code, as Stryker defines it. */
interface Namespace {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: object;
}

interface MutantRun {
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
  readonly activeMutant: { readonly id: string };
}

function testFiles(): string[] {
  const names = readdirSync("test/unit/tls").filter(
    (name) => name.endsWith(".test.ts") && !LEFT_OUT.includes(name.slice(0, -".test.ts".length)),
  );
  return [...names.map((name) => `test/unit/tls/${name}`), "test/property/tls/messages.test.ts"];
}

/** Tests get the collector's `vitest`, and the `import.meta.url` of their own file. */
const forTests = (root: string): Plugin => ({
  name: "tests",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: join(root, "test/mutation/warm.ts") }));
    onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      return { loader: "ts", contents: text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)) };
    });
  },
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

class WarmRunner {
  readonly #namespace: Namespace;
  #bundles = 0;
  #tests: Test[] = [];
  /** By a test's ID: how long it took last, and how many mutants it killed. What is cheap and kills much runs first. */
  readonly #records = new Map<string, { milliseconds: number; kills: number }>();

  constructor() {
    const global = globalThis as unknown as { __stryker__?: Namespace };
    this.#namespace = global.__stryker__ ??= {};
  }

  capabilities() {
    // So that Stryker starts no process for a mutant that loading reaches too: it is active in tests alone.
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    const root = process.cwd();
    await build({
      stdin: {
        contents: testFiles()
          .map((file) => `globalThis.thingwireCollector.file = ${JSON.stringify(file)};\nawait import("./${file}");`)
          .join("\n"),
        resolveDir: root,
      },
      outfile: join(root, "tests-bundle.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      packages: "external",
      plugins: [forTests(root)],
    });
    await this.#load();
  }

  async dryRun() {
    const tests = [];
    for (const test of this.#tests) {
      this.#namespace.currentTestId = test.id;
      const error = await this.#failure(test);
      const result = { id: test.id, name: test.id, timeSpentMs: this.#records.get(test.id)!.milliseconds };
      tests.push(error === undefined ? { ...result, status: 0 } : { ...result, status: 1, failureMessage: error });
    }
    this.#namespace.currentTestId = undefined;
    return { status: "complete", tests, mutantCoverage: this.#namespace.mutantCoverage };
  }

  async mutantRun(run: MutantRun): Promise<object> {
    const wanted = run.testFilter && new Set(run.testFilter);
    const tests = wanted ? this.#tests.filter(({ id }) => wanted.has(id)) : [...this.#tests];
    tests.sort((a, b) => this.#cost(a) - this.#cost(b));
    Object.assign(this.#namespace, { activeMutant: run.activeMutant.id, hitCount: 0, hitLimit: run.hitLimit });
    let nrOfTests = 0;
    for (const test of tests) {
      const failureMessage = await this.#failure(test);
      nrOfTests++;
      if (run.hitLimit !== undefined && this.#namespace.hitCount! > run.hitLimit) {
        this.#deactivate();
        return { status: "timeout", reason: "runs over and over" };
      }
      if (failureMessage === undefined) continue;
      this.#deactivate();
      if ((await this.#failure(test)) !== undefined) {
        await this.#load();
        return this.mutantRun(run);
      }
      this.#records.get(test.id)!.kills++;
      return { status: "killed", killedBy: [test.id], failureMessage, nrOfTests };
    }
    this.#deactivate();
    return { status: "survived", nrOfTests };
  }

  #deactivate(): void {
    Object.assign(this.#namespace, { activeMutant: undefined, hitCount: undefined, hitLimit: undefined });
  }

  #cost({ id }: Test): number {
    const record = this.#records.get(id);
    return record ? record.milliseconds / (1 + record.kills) : 0;
  }

  async #failure(test: Test): Promise<string | undefined> {
    const begin = performance.now();
    try {
      await test.run();
      return undefined;
    } catch (error) {
      return messageOf(error);
    } finally {
      this.#records.set(test.id, {
        milliseconds: performance.now() - begin,
        kills: this.#records.get(test.id)?.kills ?? 0,
      });
    }
  }

  async #load(): Promise<void> {
    const collector = new Collector();
    Object.assign(globalThis, { thingwireCollector: collector });
    await import(`${pathToFileURL(resolve("tests-bundle.mjs")).href}?${this.#bundles++}`);
    this.#tests = collector.tests;
  }
}

const factory = Object.assign(() => new WarmRunner(), { inject: [] });

/** What Stryker looks for in a plugin. */
export const strykerPlugins = [{ kind: "TestRunner", name: "warm", factory }];
