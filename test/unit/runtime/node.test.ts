import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Logger } from "../../../src/ports.ts";
import { consoleLogger, mbedtlsDebugLevel } from "../../../src/runtime/console-logger.ts";
import { readCredentials } from "../../../src/runtime/node-credentials.ts";
import { keyLogFromEnvironment } from "../../../src/runtime/node-keylog.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";

const folder = mkdtempSync(join(tmpdir(), "thingwire-runtime-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("nodeRuntime", () => {
  it("has a clock that does not go back, and the time of day", () => {
    const first = nodeRuntime.clock.now();
    expect(nodeRuntime.clock.now()).toBeGreaterThanOrEqual(first);
    expect(Math.abs(nodeRuntime.clock.wallMs()! - Date.now())).toBeLessThan(1_000);
  });

  it("fills with randomness, the whole array and only the view", () => {
    const bytes = new Uint8Array(64);
    nodeRuntime.random.fill(bytes.subarray(16, 48), "test");
    expect(bytes.subarray(0, 16)).toEqual(new Uint8Array(16));
    expect(bytes.subarray(48)).toEqual(new Uint8Array(16));
    expect(bytes.subarray(16, 48)).not.toEqual(new Uint8Array(32));
  });

  it("timers fire later, can be cancelled, and do not fire at once for a delay above 2^31", async () => {
    const fired: string[] = [];
    nodeRuntime.timers.set(0, () => fired.push("zero"));
    nodeRuntime.timers.set(5, () => fired.push("five"));
    nodeRuntime.timers.set(0, () => fired.push("cancelled zero"))();
    nodeRuntime.timers.set(1, () => fired.push("cancelled one"))();
    const cancelFar = nodeRuntime.timers.set(2 ** 40, () => fired.push("far"));
    expect(fired).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    cancelFar();
    expect(fired).toEqual(["zero", "five"]);
  });
});

describe("consoleLogger", () => {
  const collect = (options: Parameters<typeof consoleLogger>[0] = {}): { lines: string[]; log: Logger } => {
    const lines: string[] = [];
    return { lines, log: consoleLogger({ write: (line) => lines.push(line), now: () => 1234.4, ...options }) };
  };

  it("writes lines as ESP-IDF does", () => {
    const { lines, log } = collect({ level: "verbose" });
    for (const level of ["error", "warn", "info", "debug", "verbose"] as const) log.log(level, "mqtt", "hello");
    expect(lines).toEqual(["E", "W", "I", "D", "V"].map((letter) => `${letter} (1234) mqtt: hello`));
  });

  it("keeps to the level, info by default, and to the levels of tags", () => {
    const { lines, log } = collect({ tags: { tls: "debug", mqtt: "none" } });
    log.log("debug", "thing", "no");
    log.log("info", "thing", "yes");
    log.log("debug", "tls", "yes");
    log.log("error", "mqtt", "no");
    expect(lines).toEqual(["I (1234) thing: yes", "D (1234) tls: yes"]);
    expect(log.enabled("debug", "thing")).toBe(false);
    expect(log.enabled("debug", "tls")).toBe(true);
  });

  it("colours only where that is asked for, or on a terminal", () => {
    expect(collect().lines).toEqual([]);
    const plain = collect();
    plain.log.log("error", "t", "m");
    expect(plain.lines).toEqual(["E (1234) t: m"]);
    const coloured = collect({ colour: true });
    coloured.log.log("error", "t", "m");
    expect(coloured.lines).toEqual(["\u001b[31mE (1234) t: m\u001b[0m"]);
  });

  it("refuses a level that does not exist", () => {
    expect(() => consoleLogger({ level: "loud" as "info" })).toThrowError(
      expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
    );
  });

  it("mbedTLS's debug levels 0 to 4", () => {
    expect([0, 1, 2, 3, 4].map(mbedtlsDebugLevel)).toEqual(["none", "error", "info", "debug", "verbose"]);
    expect(() => mbedtlsDebugLevel(5)).toThrow();
  });
});

describe("RFC 9850: SSLKEYLOGFILE", () => {
  const collect = (): { lines: string[]; log: Logger } => {
    const lines: string[] = [];
    return {
      lines,
      log: { enabled: () => true, log: (level, _tag, message) => lines.push(`${level} ${message}`) },
    };
  };

  it("is off without the variable, and says nothing", () => {
    const { lines, log } = collect();
    expect(keyLogFromEnvironment(log, {})).toBeUndefined();
    expect(keyLogFromEnvironment(log, { SSLKEYLOGFILE: "" })).toBeUndefined();
    expect(lines).toEqual([]);
  });

  it("appends lines to a file that only its owner reads, and warns once", () => {
    const file = join(folder, "keys.log");
    const { lines, log } = collect();
    const keyLog = keyLogFromEnvironment(log, { SSLKEYLOGFILE: file })!;
    keyLog("CLIENT_RANDOM 00 11");
    keyLog("CLIENT_RANDOM 22 33");
    expect(readFileSync(file, "utf8")).toBe("CLIENT_RANDOM 00 11\nCLIENT_RANDOM 22 33\n");
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("warn SSLKEYLOGFILE is set");
  });

  it("a file that cannot be written is a warning, once, and no exception", () => {
    const { lines, log } = collect();
    const keyLog = keyLogFromEnvironment(log, { SSLKEYLOGFILE: join(folder, "none", "keys.log") })!;
    keyLog("a");
    keyLog("b");
    expect(lines).toHaveLength(2);
    expect(existsSync(join(folder, "none"))).toBe(false);
  });
});

describe("readCredentials", () => {
  it("reads the files as they are", () => {
    const certificate = join(folder, "client.crt");
    const privateKey = join(folder, "client.key");
    writeFileSync(certificate, "one");
    writeFileSync(privateKey, "two");
    const files = readCredentials({ certificate, privateKey, ca: certificate });
    expect(new TextDecoder().decode(files.certificate)).toBe("one");
    expect(new TextDecoder().decode(files.privateKey)).toBe("two");
    expect(new TextDecoder().decode(files.trust)).toBe("one");
    expect(readCredentials({ certificate, privateKey })).not.toHaveProperty("trust");
  });

  it("a missing file and a folder: THING_FILE_UNREADABLE with the path", () => {
    const missing = join(folder, "gone.crt");
    expect(() => readCredentials({ certificate: missing, privateKey: missing })).toThrowError(
      expect.objectContaining({ code: "THING_FILE_UNREADABLE", phase: "credentials", blame: "caller" }),
    );
    expect(() => readCredentials({ certificate: missing, privateKey: missing })).toThrow(missing);
    expect(() => readCredentials({ certificate: folder, privateKey: missing })).toThrow(/folder/);
  });
});
