import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectThing, type Thing } from "../../src/runtime/node.ts";

/** More of them in the deep tier. */
const ROUNDS = process.env["THINGWIRE_DEEP"] === "1" ? 200 : 8;

const root = mkdtempSync(join(tmpdir(), "thingwire-kill-"));
const command = join(root, "thingwire.mjs");
const dir = join(root, "account");
beforeAll(async () => {
  // One file, so that each of the many starts takes a moment only.
  await build({
    entryPoints: [fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url))],
    ...{ outfile: command, bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "error" },
  });
});
const children: ChildProcess[] = [];
afterAll(() => {
  // Those that a failed test has left.
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true });
});

interface Simulator {
  readonly facts: { port: number; thingName: string; ca: string; certificate: string; privateKey: string };
  /** Types a line, and gives the answer. */
  say(line: string): Promise<Record<string, unknown>>;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

/** @param fileBlocks What no file of it may exceed, in the 512 bytes of `ulimit -f`: as a disk that is full, in the middle of a line. */
async function startSimulator(fileBlocks?: number): Promise<Simulator> {
  const words = [process.execPath, command, "simulate", "--dir", dir, "--port", "0", "--json"];
  const limit = fileBlocks === undefined ? "" : `ulimit -f ${fileBlocks}; `;
  const child: ChildProcess = spawn("sh", ["-c", `${limit}exec "$@"`, "sh", ...words]);
  children.push(child);
  const waiting: ((line: string) => void)[] = [];
  let text = "";
  let errors = "";
  child.stderr!.on("data", (bytes: Buffer) => (errors += bytes.toString()));
  child.stdout!.on("data", (bytes: Buffer) => {
    text += bytes.toString();
    for (let end: number; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1))
      waiting.shift()?.(text.slice(0, end));
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const line = (): Promise<Record<string, unknown>> =>
    Promise.race([
      new Promise<string>((resolve) => waiting.push(resolve)).then((json) => JSON.parse(json)),
      ended.then((code) => Promise.reject(new Error(`the simulator ended with ${code}: ${errors}`))),
    ]);
  const told = await line();
  if (told["error"] !== undefined) throw new Error(JSON.stringify(told["error"]));
  const facts = told as unknown as Simulator["facts"];
  return {
    facts,
    say(words) {
      const answer = line();
      child.stdin!.write(`${words}\n`);
      return answer;
    },
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

function connect({ facts }: Simulator): Promise<Thing> {
  return connectThing({
    ...{ endpoint: "localhost", port: facts.port, thingName: facts.thingName, reconnect: false },
    certificate: readFileSync(facts.certificate),
    privateKey: readFileSync(facts.privateKey),
    trust: readFileSync(facts.ca),
  });
}

/** Updates four shadows until the simulator is killed; what was accepted is noted in `accepted`: shadow → version and value. */
async function updateUntilKilled(
  simulator: Simulator,
  thing: Thing,
  accepted: Map<string, { version: number; value: number }>,
  killAfter: number,
): Promise<void> {
  const prefix = `$aws/things/${simulator.facts.thingName}/shadow`;
  const names = ["", "/name/a", "/name/b", "/name/c"];
  const answers = await thing.mqtt.subscribe(
    names.map((name) => `${prefix}${name}/update/accepted`),
    { qos: 1 },
  );
  let sent = accepted.size === 0 ? 0 : Math.max(...[...accepted.values()].map(({ value }) => value));
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      const value = ++sent;
      const payload = JSON.stringify({ state: { reported: { value } } });
      await thing.mqtt.publish(`${prefix}${names[value % 4]}/update`, payload, { qos: 0 });
      if (value % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })().catch(() => {});
  let count = 0;
  try {
    for await (const { topic, payload } of answers) {
      const { state, version } = JSON.parse(new TextDecoder().decode(payload));
      accepted.set(topic, { version, value: state.reported.value });
      if (++count === killAfter) void simulator.kill("SIGKILL");
    }
  } catch {
    // The connection is gone with the simulator.
  }
  isOver = true;
  await sending;
  expect(count).toBeGreaterThanOrEqual(killAfter);
}

describe("issue 3: the simulator killed with SIGKILL in the middle of updates", () => {
  it(
    "loses no acknowledged shadow update, and keeps things, certificates and policies",
    async () => {
      const accepted = new Map<string, { version: number; value: number }>();
      let registered: unknown;
      for (let round = 0; round < ROUNDS; round++) {
        const simulator = await startSimulator();
        const thing = await connect(simulator);
        for (const [topic, { version, value }] of accepted) {
          const name = /\/name\/(\w)\//.exec(topic)?.[1];
          const document = await thing.shadow<{ value: number }>(name).get();
          // At least what was acknowledged: an answer may have been under way.
          expect(document?.version).toBeGreaterThanOrEqual(version);
          expect(document?.state.reported?.value).toBeGreaterThanOrEqual(value);
        }
        if (round === 0) await simulator.say(`create thing second p256 none`);
        const list = await simulator.say("list");
        registered ??= list;
        expect(list).toEqual(registered);
        await updateUntilKilled(simulator, thing, accepted, 20 + ((round * 37) % 200));
        await simulator.kill("SIGKILL");
        await thing.close();
      }
      expect(accepted.size).toBe(4);
    },
    ROUNDS * 20_000,
  );

  it("a full disk: what cannot be kept is rejected, what was accepted is there afterwards, and nothing is damaged", async () => {
    const simulator = await startSimulator(64);
    const thing = await connect(simulator);
    const prefix = `$aws/things/${simulator.facts.thingName}/shadow/name/full`;
    const answers = await thing.mqtt.subscribe([`${prefix}/update/accepted`, `${prefix}/update/rejected`], { qos: 1 });
    let accepted = { version: 0, value: 0 };
    let rejected: unknown;
    for (let value = 1; value <= 20 && rejected === undefined; value++) {
      const state = { reported: { value, padding: "x".repeat(7_000) } };
      await thing.mqtt.publish(`${prefix}/update`, JSON.stringify({ state }), { qos: 0 });
      const { topic, payload } = (await answers.next()).value!;
      const answer = JSON.parse(new TextDecoder().decode(payload));
      if (topic.endsWith("/rejected")) rejected = answer.code;
      else accepted = { version: answer.version, value };
    }
    expect([rejected, accepted.value > 1]).toEqual([500, true]);
    // What was written of the long line was taken back: a short one has its place.
    await thing.shadow("short").report({ on: true });
    await simulator.kill("SIGKILL");
    await thing.close();

    const next = await startSimulator();
    const again = await connect(next);
    const document = await again.shadow<{ value: number }>("full").get();
    expect({ version: document?.version, value: document?.state.reported?.value }).toEqual(accepted);
    expect((await again.shadow("short").get())?.state.reported).toEqual({ on: true });
    await again.close();
    await next.kill("SIGTERM");
  });

  it("an orderly end lets go of the folder, and two do not share one", async () => {
    const first = await startSimulator();
    await expect(startSimulator()).rejects.toThrow(/is in use by the simulator with the process number \d+/);
    expect(await first.kill("SIGTERM")).toBe(0);
    const next = await startSimulator();
    expect(await next.kill("SIGTERM")).toBe(0);
  });
});
