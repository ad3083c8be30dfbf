import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliError, type Command, integerOption, runCommand } from "../../../src/cli/command.ts";
import { commands } from "../../../src/cli/commands/index.ts";
import { terminalOver } from "../../../src/cli/terminal.ts";
import { examplePolicies } from "../../../src/simulator/index.ts";
import { type LocalEndpoint, startLocalEndpoint } from "../../../src/simulator/node/endpoint.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-cli-"));
let endpoint: LocalEndpoint;
beforeAll(async () => {
  endpoint = await startLocalEndpoint({
    ...{ dir: join(root, "endpoint"), port: 0, thingName: "lamp" },
    policy: examplePolicies.everything,
  });
});
afterAll(async () => {
  await endpoint.close();
  rmSync(root, { recursive: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], table: readonly Command[] = commands) {
  const texts = { out: "", err: "" };
  const stop = new AbortController();
  const terminal = terminalOver(
    { write: (text) => void (texts.out += text) },
    { write: (text) => void (texts.err += text) },
    {},
  );
  const ended: Promise<Outcome> = runCommand(table, args, terminal, stop.signal).then((code) => ({ code, ...texts }));
  return { texts, stop: () => stop.abort(), ended };
}

function run(...args: string[]): Promise<Outcome> {
  return start(args).ended;
}

/** Waits until a condition holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!holds()) throw new Error("it never came to be");
}

function connection(thing = "lamp"): string[] {
  const { folder, host, port } = endpoint;
  const { certificateFile, privateKeyFile } = folder.device;
  const files = ["--cert", certificateFile, "--key", privateKeyFile, "--ca", folder.caFile];
  return ["--endpoint", host, "--port", String(port), "--thing", thing, ...files];
}

describe("thingwire: the command line", () => {
  it.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j lists every command, exit code 0", async (args) => {
    const { code, out } = await run(...args);
    expect(code).toBe(0);
    for (const { name, summary } of commands)
      expect(out).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, "m"));
  });

  it.each([
    ["--topic", "a/#"],
    ["--topic", ""],
    ["--topic", "x".repeat(65_536)],
    ["--client-id", "x".repeat(65_536)],
    ["--alpn", ""],
    ["--alpn", "x".repeat(256)],
    ["--timeout", "0"],
  ])("doctor %s %.9s: what MQTT and TLS cannot carry is not dialled, exit code 2", async (option, value) => {
    const { code, out, err } = await run("doctor", ...connection(), option, value);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(`${option} takes`);
  });

  it.each(commands.map(({ name }) => name))("%s --help comes from the table", async (name) => {
    const { code, out } = await run(...name.split(" "), "--help");
    const { options, summary } = commands.find((row) => row.name === name)!;
    expect([code, out.includes(summary)]).toEqual([0, true]);
    for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
  });

  it.each([
    [["nonsense"], 'no command "nonsense"'],
    [["shadow"], 'no command "shadow"'],
    [["cert"], "usage: thingwire cert FILE"],
    [["cert", "a", "b"], "usage: thingwire cert FILE"],
    [["cert", "a", "--colour"], "--colour"],
    [["simulate", "--port", "x"], "--port takes a whole number"],
    [["embed", "--cert", "x"], "given together"],
    [["pub", "a", "b"], "--thing is needed"],
    [["shadow", "update", "[1]", "--thing", "x"], "not a JSON object"],
  ])("%j: exit code 2 and what is wrong", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  it("a failure: exit code 1 with code, message and hint; --json makes it one JSON value", async () => {
    const { code, err } = await run("cert", join(root, "missing.crt"));
    expect(code).toBe(1);
    expect(err).toMatch(/error THING_FILE_UNREADABLE: .*missing\.crt/);
    expect(err).toContain("hint ");
    const json = await run("cert", join(root, "missing.crt"), "--json");
    expect(JSON.parse(json.out).error).toMatchObject({ code: "THING_FILE_UNREADABLE", blame: "caller" });
  });

  it("an error of ours is a bug, and never a stack for the user", async () => {
    const broken: Command = {
      name: "broken",
      positionals: "",
      arity: [0, 0],
      summary: "",
      options: {},
      run: (): Promise<void> => Promise.reject(new TypeError("x is not a function")),
    };
    const { code, err } = await start(["broken"], [broken]).ended;
    expect(code).toBe(1);
    expect(err).toContain("INTERNAL_BUG");
    expect(err).not.toContain("    at ");
  });

  it("colours only on a terminal, and not where NO_COLOR is set", () => {
    const paint = (isTTY: boolean, environment: Record<string, string>) =>
      terminalOver({ isTTY, write: () => {} }, { isTTY, write: () => {} }, environment).paint("red", "x");
    expect([paint(false, {}), paint(true, { NO_COLOR: "1" }), paint(true, { TERM: "dumb" })]).toEqual(["x", "x", "x"]);
    expect(paint(true, {})).toBe("\u001b[31mx\u001b[39m");
  });

  it("integerOption keeps to its bounds", () => {
    const bounds = { min: 1, max: 9 };
    expect([integerOption({ n: "9" }, "n", bounds), integerOption({}, "n", bounds)]).toEqual([9, undefined]);
    for (const n of ["0", "10", "1.5", "-1", "", "0x1"])
      expect(() => integerOption({ n }, "n", bounds)).toThrow(CliError);
  });
});

describe("thingwire: cert and embed", () => {
  it("cert describes a certificate", async () => {
    const { code, out } = await run("cert", endpoint.folder.device.certificateFile);
    expect(code).toBe(0);
    expect(out).toContain("CN = lamp");
    const json = JSON.parse((await run("cert", endpoint.folder.caFile, "--json")).out);
    expect(json.issuer).toContain("thingwire local CA");
  });

  it("embed finds the files of a folder and writes the module", async () => {
    const { certificatePem, privateKeyPem } = endpoint.folder.device;
    writeFileSync(join(root, "1-certificate.pem.crt"), certificatePem);
    writeFileSync(join(root, "1-private.pem.key"), privateKeyPem);
    const { code, out } = await run("embed", root);
    expect(code).toBe(0);
    expect(out).toContain("credentials.js");
    expect(readFileSync(join(root, "credentials.js"), "utf8")).toContain("export const privateKey = new Uint8Array([");
    const files = ["--cert", join(root, "1-certificate.pem.crt"), "--key", join(root, "1-private.pem.key")];
    const json = await run("embed", ...files, "--out", join(root, "other.js"), "--json");
    expect(JSON.parse(json.out)).toMatchObject({ out: join(root, "other.js"), certificates: 1 });
  });
});

describe("thingwire: against the local endpoint", () => {
  it("sub prints what pub publishes, and ends at Ctrl-C", async () => {
    const listener = start(["sub", "a/+", ...connection(), "--client-id", "listener", "--json"]);
    await until(() => endpoint.cloud.broker.connected.includes("listener"));
    await until(() => endpoint.cloud.broker.session("listener")?.subscriptions.size === 1);
    expect((await run("pub", "a/b", "hello", ...connection())).code).toBe(0);
    await until(() => listener.texts.out !== "");
    listener.stop();
    const { code, out } = await listener.ended;
    expect([code, JSON.parse(out)]).toEqual([0, { topic: "a/b", payload: "hello", qos: 1, retain: false }]);
  });

  it("sub --count ends by itself, on Node's TLS too", async () => {
    expect((await run("pub", "kept", "1", "--retain", ...connection(), "--tls", "native")).code).toBe(0);
    const { code, out } = await run("sub", "kept", "--count", "1", ...connection(), "--tls", "native");
    expect([code, out]).toEqual([0, "kept 1\n"]);
  });

  it("shadow update, get, watch and delete", async () => {
    const missing = await run("shadow", "get", ...connection());
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("SHADOW_REJECTED_NOT_FOUND");
    const watcher = start(["shadow", "watch", "--json", ...connection(), "--client-id", "watcher"]);
    await until(() => watcher.texts.out !== "");
    const update = await run("shadow", "update", '{"on":true}', "--json", ...connection());
    expect(JSON.parse(update.out)).toMatchObject({ state: { desired: { on: true } }, version: 1 });
    await run("shadow", "update", '{"on":true}', "--reported", ...connection());
    await until(() => watcher.texts.out.includes('"version":2'));
    watcher.stop();
    expect((await watcher.ended).code).toBe(0);
    expect((await run("shadow", "get", ...connection())).out).toContain('"version": 2');
    expect((await run("shadow", "delete", ...connection())).out).toBe("deleted\n");
    expect((await run("shadow", "delete", ...connection())).out).toBe("there was none\n");
  });

  it("a wrong host name is one clear error", async () => {
    const wrong = connection();
    wrong[1] = "127.0.0.2";
    const { code, err } = await run("pub", "a", "b", ...wrong);
    expect(code).toBe(1);
    expect(err).toMatch(/THING_(SERVER_REJECTED|ENDPOINT_UNREACHABLE)/);
  });

  it("two commands of one thing do not throw each other out: a client id for each run", async () => {
    const listener = start(["sub", "a/+", ...connection(), "--count", "1"]);
    await until(() => endpoint.cloud.broker.connected.some((id) => id.startsWith("lamp-cli-")));
    const [id] = endpoint.cloud.broker.connected;
    expect(id).toBe(`lamp-cli-${process.pid}`);
    listener.stop();
    expect((await listener.ended).code).toBe(0);
  });

  it("Ctrl-C ends sub and shadow watch with exit code 0 where the endpoint is gone, too", async () => {
    const other = await startLocalEndpoint({
      ...{ dir: join(root, "gone"), port: 0, thingName: "lamp" },
      policy: examplePolicies.everything,
    });
    const { certificateFile, privateKeyFile } = other.folder.device;
    const files = ["--cert", certificateFile, "--key", privateKeyFile, "--ca", other.folder.caFile];
    const options = ["--endpoint", "localhost", "--port", String(other.port), "--thing", "lamp", ...files];
    const sub = start(["sub", "a/+", ...options, "--client-id", "sub"]);
    const watch = start(["shadow", "watch", ...options, "--client-id", "watch"]);
    await until(() => other.cloud.broker.session("sub")?.subscriptions.size === 1);
    await until(() => watch.texts.out !== "");
    await other.close();
    for (const { stop, ended } of [sub, watch]) {
      stop();
      expect((await ended).code).toBe(0);
    }
  });

  it.each([
    ["nobody reads its output any more: exit code 0, no stack", "| true", 0, ""],
    ["its output cannot be written: exit code 1", "> /dev/full", 1, "cannot be written"],
  ])("%s", (_, redirection, code, message) => {
    const main = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
    const script = `"${process.execPath}" --import tsx "${main}" cert "${endpoint.folder.caFile}" ${redirection}`;
    const { status, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${script}`], { encoding: "utf8" });
    expect([status, stderr.includes("    at ")]).toEqual([code, false]);
    expect(stderr).toContain(message);
  });

  it("simulate tells where it listens and ends at Ctrl-C", async () => {
    const simulate = start(["simulate", "--dir", join(root, "alone"), "--port", "0", "--json"]);
    await until(() => simulate.texts.out !== "");
    const told = JSON.parse(simulate.texts.out);
    expect(told).toMatchObject({ host: "localhost", thingName: "thingwire-demo" });
    expect(readFileSync(told.certificate, "utf8")).toContain("BEGIN CERTIFICATE");
    simulate.stop();
    expect((await simulate.ended).code).toBe(0);
  });
});
