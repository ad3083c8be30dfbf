/**
 * The published bundles on the engines of small devices: Bellard's QuickJS, quickjs-ng, and XS. Each runs in a process of its own, from
 * one script that esbuild makes of `suite.ts` and `dist/`.
 */
import { execFile } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import { parsePrivateKey } from "../../src/tls/x509/keys.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";
import { bigIntOperations, gcmRecords, languageOperations } from "./arithmetic.ts";
import type { Input, Report, SignatureCase } from "./suite.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "thingwire-engines-"));
const script = join(folder, "suite.js");
const recording = JSON.parse(readFileSync(here("../fixtures/handshake.json"), "utf8")) as Input["recording"];

const root = here("../../");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, { moddable?: string }>;
};
const published = Object.fromEntries(
  Object.entries(exports).flatMap(([subpath, { moddable }]) =>
    moddable === undefined || subpath === "." ? [] : [[`thingwire${subpath.slice(1)}`, join(root, moddable)]],
  ),
);

const rsaPrivateKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  format: "der",
  type: "pkcs8",
});

let inputs: string[] = [];

const hex = (text: string): string => Buffer.from(text, "base64url").toString("hex");

function signatureCase(type: "ec" | "rsa"): SignatureCase {
  const { privateKey } =
    type === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  const message = "signed by node:crypto";
  return {
    algorithm: { kind: type === "ec" ? "ecdsa" : "rsa-pkcs1", hash: "sha256" },
    key: type === "ec" ? { point: `04${hex(jwk.x!)}${hex(jwk.y!)}` } : { modulus: hex(jwk.n!), exponent: hex(jwk.e!) },
    message,
    signature: sign("sha256", Buffer.from(message), privateKey).toString("hex"),
  };
}

beforeAll(async () => {
  const input: Input = {
    ecdsa: signatureCase("ec"),
    rsa: signatureCase("rsa"),
    rsaPrivateKey: rsaPrivateKey.toString("hex"),
    recording,
  };
  const { metafile } = await build({
    metafile: true,
    entryPoints: [here("suite.ts")],
    outfile: script,
    bundle: true,
    format: "iife",
    target: "es2022",
    platform: "neutral",
    // Without the paths of tsconfig.json: `thingwire/…` is what the package exports to Moddable.
    tsconfigRaw: {},
    alias: published,
    define: { input: JSON.stringify(input) },
    absWorkingDir: root,
    logLevel: "error",
  });
  inputs = Object.keys(metafile.inputs);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the script is made of the published bundles", () => {
  expect(inputs).toContain("dist/tls.js");
  expect(inputs.filter((name) => name.startsWith("src/") && !["src/bytes.ts", "src/task.ts"].includes(name))).toEqual(
    [],
  );
});

describe.each([
  ["QuickJS", "run-quickjs.mjs", [], "bytes of memory in use"],
  ["quickjs-ng", "run-quickjs.mjs", ["--ng"], "bytes of memory in use"],
  ["XS", "run-xs.mjs", [], "computrons"],
])("%s", (engine, runner, words, unit) => {
  let report: Report;
  beforeAll(async () => {
    const { stdout } = await run(process.execPath, [here(runner), script, ...words], { maxBuffer: 1 << 24 });
    const [json, figure] = stdout.trim().split("\n");
    report = JSON.parse(json!) as Report;
    console.log(`${engine}: ${figure} ${unit}, ${report.handshakes[1]!.calls} slices of 500 units a handshake`);
  });

  it("has nothing but the language", () => expect(report.globals).toEqual([]));
  it("verifies an ECDSA signature, and refuses a wrong one", () => expect(report.ecdsa).toEqual([true, false]));
  it("verifies an RSA signature, and refuses a wrong one", () => expect(report.rsa).toEqual([true, false]));
  it("computes with big integers as V8 does: the language's operations, all groups and signatures", () => {
    expect(report.language).toBe(languageOperations());
    const limbs = createCrypto({ arithmetic: "limbs" });
    expect(report.bigInt).toEqual(bigIntOperations(limbs, seededRandom(1), parsePrivateKey(rsaPrivateKey)));
    expect(report.bigInt.filter((text) => text.endsWith("true"))).toHaveLength(5);
  });
  it("seals and opens records as V8 does, by large tables, in the wide form, and by small tables", () => {
    const expected = gcmRecords(createCrypto());
    expect(report.records).toEqual([expected, expected]);
    expect(expected.every((text) => text.includes(" true "))).toBe(true);
  });
  it("replays a recorded mutual handshake to Finished, at once and in slices", () => {
    for (const { suite, data, error } of report.handshakes) {
      expect(error).toBeUndefined();
      expect(suite).toBe(recording.expected.suite);
      expect(data).toBe(recording.expected.data);
    }
    expect(report.handshakes[1]!.calls).toBeGreaterThan(report.handshakes[0]!.calls);
  });
  it("refuses a handshake with a wrong byte, by an error of the engine's", () => {
    expect(report.refused).toBe("TLS_CERTIFICATE_REJECTED");
  });
  it("round-trips an MQTT packet", () => expect([report.topic, report.payload]).toEqual(["lämpchen/💡/state", "616e"]));
  it("closes a shadow delta", () => {
    expect(report.delta).toBe('{"powerOn":true,"color":{"g":2},"schedule":[1,2]}');
    expect(report.closed).toBe(true);
  });
});
