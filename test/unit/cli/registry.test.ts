import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliError, runCommand } from "../../../src/cli/command.ts";
import { commands } from "../../../src/cli/commands/index.ts";
import { runRegistry } from "../../../src/cli/registry.ts";
import { terminalOver } from "../../../src/cli/terminal.ts";
import { type Account, openAccount } from "../../../src/simulator/node/account.ts";
import { examplePolicies } from "../../../src/simulator/policy/index.ts";
import { toPem } from "../../../src/tls/x509/pem.ts";
import { issue, newAuthority } from "../simulator/account.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-registry-"));
const dir = join(root, "account");
let account: Account;
beforeAll(async () => {
  account = await openAccount({ dir });
});
afterAll(async () => {
  await account.close();
  rmSync(root, { recursive: true });
});

const say = async (line: string) => await runRegistry(account, line.split(" "));
const file = (name: string, contents: string): string => {
  const path = join(root, name);
  writeFileSync(path, contents);
  return path;
};

describe("the words of the registry", () => {
  it("the default policy can be attached before a thing was created, as `thingwire provision` says", async () => {
    const empty = await openAccount({ dir: join(root, "empty") });
    const words = async (line: string) => await runRegistry(empty, line.split(" "));
    const authority = newAuthority("elsewhere");
    const { certificate } = issue(authority, { name: "lamp" });
    const id = empty.cloud.certificates.register(certificate).certificateId;
    expect((await words(`attach policy thingwire-default ${id}`)).lines).toEqual([
      `certificate ${id} ACTIVE, no thing, thingwire-default`,
    ]);
    await empty.close();
  });

  it("the beginning of an id is enough, as long as no other begins so", async () => {
    const ids: string[] = [];
    // Of seventeen ids two begin with the same digit.
    for (let i = 0; i < 17; i++) {
      const path = file("one.crt", toPem("CERTIFICATE", issue(newAuthority()).certificate));
      ids.push(((await say(`register certificate ${path}`)).json as { certificateId: string }).certificateId);
    }
    const digit = ids.map((id) => id[0]!).find((first, i, all) => all.indexOf(first) < i)!;
    await expect(say(`revoke certificate ${digit}`)).rejects.toThrow(/there are \d+/);
    expect((await say(`revoke certificate ${ids[0]!.slice(0, 12).toUpperCase()}`)).json).toMatchObject({
      certificateId: ids[0],
      status: "REVOKED",
    });
    for (const id of ids) {
      await say(`deactivate certificate ${id}`);
      await say(`delete certificate ${id}`);
    }
    await expect(say("create thing lamp p256 nothing")).rejects.toThrow("there is no policy nothing");
  });

  it("things, certificates and policies: from creation to deletion", async () => {
    const created = (await say("create thing lamp rsa none")).json as Record<string, string>;
    const id = created["certificateId"]!;
    expect(readFileSync(created["certificate"]!, "utf8")).toContain("BEGIN CERTIFICATE");
    expect(readFileSync(created["privateKey"]!, "utf8").length).toBeGreaterThan(1_600);
    const second = (await say("create thing lamp")).json as Record<string, string>;
    expect(second["certificate"]).toMatch(/things\/lamp\/client-[0-9a-f]{8}\.crt$/);
    expect((await say("put thing lamp Bulb room=hall size=a=b")).lines).toEqual(["thing lamp Bulb room=hall size=a=b"]);
    const policy = file("policy.json", JSON.stringify(examplePolicies.everything));
    await say(`put policy all ${policy}`);
    expect((await say("show policy all")).json).toEqual(examplePolicies.everything);
    expect((await say(`attach policy all ${id.slice(0, 12)}`)).lines).toEqual([`certificate ${id} ACTIVE, lamp, all`]);
    for (const [word, status] of [
      ["deactivate", "INACTIVE"],
      ["activate", "ACTIVE"],
      ["revoke", "REVOKED"],
    ])
      expect((await say(`${word} certificate ${id}`)).json).toMatchObject({ status });
    expect((await say("list")).json).toMatchObject({
      things: [{ thingName: "lamp", typeName: "Bulb", attributes: { room: "hall", size: "a=b" } }],
      certificates: [{ certificateId: id, status: "REVOKED" }, { certificateId: second["certificateId"] }],
      policies: [{ policyName: "thingwire-default" }, { policyName: "all" }],
      cas: [],
    });
    await expect(say("delete thing lamp")).rejects.toThrow("detach");
    await say(`detach thing lamp ${id}`);
    await say(`detach policy all ${id}`);
    await say(`delete certificate ${id}`);
    await say("delete policy all");
    await say(`detach thing lamp ${second["certificateId"]}`);
    await say("delete thing lamp");
    await say("create thing other");
    await say(`attach thing other ${second["certificateId"]!.slice(0, 16).toUpperCase()}`);
    expect((await say("list certificates")).lines).toHaveLength(2);
    expect((await say("list things")).lines).toEqual(["thing other"]);
  });

  it("a CA with its proof, and a certificate of it", async () => {
    const { registrationCode } = (await say("registration-code")).json as { registrationCode: string };
    const authority = newAuthority();
    const ca = file("ca.pem", toPem("CERTIFICATE", authority.certificate));
    const proof = file("proof.pem", toPem("CERTIFICATE", issue(authority, { name: registrationCode }).certificate));
    const wrong = file("wrong.pem", toPem("CERTIFICATE", issue(authority).certificate));
    await expect(say(`register ca ${ca} ${wrong}`)).rejects.toThrow("registration code");
    const { caCertificateId } = (await say(`register ca ${ca} ${proof} auto`)).json as { caCertificateId: string };
    await say(`deactivate ca ${caCertificateId.slice(0, 8)}`);
    expect((await say("list cas")).lines).toEqual([`ca ${caCertificateId} INACTIVE auto`]);
    await say(`activate ca ${caCertificateId}`);
    const device = file("device.pem", toPem("CERTIFICATE", issue(authority).certificate));
    expect((await say(`register certificate ${device} INACTIVE`)).json).toMatchObject({
      status: "INACTIVE",
      things: [],
    });
    await say(`delete ca ${caCertificateId}`);
    expect((await say("list cas")).lines).toEqual([]);
  });

  it("explain tells why the latest were refused", async () => {
    expect((await say("explain")).lines).toEqual(["nothing was refused"]);
    account.cloud.transport("00");
    expect((await say("explain 5")).lines).toEqual([
      expect.stringMatching(/^\d{4}-.*Z handshake: the certificate is not registered$/),
    ]);
  });

  it.each([
    ["nonsense", 'no command "nonsense"'],
    ["create", 'no command "create"'],
    ["delete thing", "usage: delete thing NAME"],
    ["create thing a b c d", "usage: create thing"],
    ["list planets", "list takes things, certificates, policies, cas"],
    ["register certificate x SLEEPING", "a status is one of ACTIVE"],
    ["register ca a b manual", '"auto" or nothing'],
    ["explain many", "explain takes a number"],
    ["put thing a b c", "one type"],
  ])("%s is a mistake of the command line", async (line, message) => {
    const error = await say(line).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CliError);
    expect((error as Error).message).toContain(message);
  });

  it.each([
    ["create thing a/b", "USAGE_INVALID_ARGUMENT"],
    ["create thing a nosuchpolicy", "USAGE_INVALID_ARGUMENT"],
    ["activate certificate zz", "USAGE_INVALID_ARGUMENT"],
    ["put policy p /nowhere/policy.json", "THING_FILE_UNREADABLE"],
    ["register certificate /nowhere/device.pem", "THING_FILE_UNREADABLE"],
  ])("%s cannot be done: %s", async (line, code) => {
    await expect(say(line)).rejects.toMatchObject({ code });
  });
});

describe("thingwire registry", () => {
  async function run(...args: string[]) {
    const texts = { out: "", err: "" };
    const terminal = terminalOver(
      { write: (text) => void (texts.out += text) },
      { write: (text) => void (texts.err += text) },
      {},
    );
    const code = await runCommand(commands, ["registry", ...args], terminal, new AbortController().signal);
    return { code, ...texts };
  }

  it("works on a folder that nobody uses, and tells who uses it otherwise", async () => {
    const other = join(root, "offline");
    expect((await run("create", "thing", "lamp", "--dir", other)).code).toBe(0);
    const { out } = await run("list", "things", "--dir", other, "--json");
    expect(JSON.parse(out)).toEqual([{ thingName: "lamp", attributes: {} }]);
    const { code, err } = await run("list", "--dir", dir);
    expect([code, err.includes(`process number ${process.pid}`)]).toEqual([1, true]);
    expect(await run("help")).toMatchObject({ code: 0, out: expect.stringContaining("registration-code") });
    expect((await run("nonsense", "--dir", other)).code).toBe(2);
  });
});
