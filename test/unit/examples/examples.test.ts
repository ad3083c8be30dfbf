import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startLocal } from "../../../examples/local-endpoint.ts";
import { converged, run } from "../../../examples/run.ts";
import { LEVELS, readSettings, SettingsError } from "../../../examples/settings.ts";
import { Broker } from "../../../src/mqtt/broker.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { examplePolicies } from "../../../src/simulator/index.ts";
import { startLocalEndpoint } from "../../../src/simulator/node/endpoint.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-examples-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;

async function start(args: readonly string[], certs = mkdtempSync(join(root, "certs-"))) {
  let text = "";
  const around = { certs, dir: join(root, `endpoint-${folders++}`), pauseMs: 20 };
  const code = await run(args, { write: (piece) => void (text += piece) }, around);
  return { code, text, certs };
}

describe("examples", () => {
  it("the shadow has converged only where app, shadow and device say the same of everything", () => {
    const room = { temperature: 20, windowOpen: true };
    expect(converged({ desired: { windowOpen: true }, reported: { ...room } }, room)).toBe(true);
    expect(converged({ desired: { windowOpen: false }, reported: { ...room } }, room)).toBe(false);
    expect(converged({ desired: { windowOpen: true }, reported: { ...room, windowOpen: false } }, room)).toBe(false);
    expect(converged({ desired: { windowOpen: true }, reported: { ...room, temperature: 19 } }, room)).toBe(false);
    expect(converged({ desired: {}, reported: {} }, room)).toBe(false);
  });

  it.each(["own", "native"])("both run against the local endpoint with %s TLS and converge", async (tls) => {
    const { code, text, certs } = await start(["--rounds", "4", "--tls", tls]);
    expect([code, text.includes("Failed")]).toEqual([0, false]);
    const lines = text.split("\n").map((line) => line.trim());
    for (let i = 0; i < 8; i++)
      expect(text).toContain(`MQTT_DEMO: test_topic/esp32\thello from ESP32 (QOS${i % 2}) : ${i} \n`);
    expect(lines.filter((line) => line === "MQTT_DEMO: Subscribe callback")).toHaveLength(8);
    expect(lines.indexOf("MQTT_DEMO: Subscribing...")).toBeLessThan(lines.indexOf("MQTT_DEMO: Subscribe callback"));
    expect(lines).toContain("ShadowDemo: On Device: window state false");
    expect(lines).toContain(
      'ShadowDemo: Update Shadow: {"state":{"reported":{"temperature":25.5,"windowOpen":false}}}',
    );
    expect(lines.filter((line) => line === "ShadowDemo: Update accepted")).toHaveLength(4);
    expect(lines).toContain("ShadowDemo: Delta - Window state changed to 1");
    expect(lines).toContain("desired and reported agree with the device");
    expect(text).not.toContain("\u001b");
    for (const file of ["client.crt", "client.key", "credentials.js"]) expect(existsSync(join(certs, file))).toBe(true);
    expect(text.includes("-> ClientHello")).toBe(tls === "own");
    expect(text).toMatch(/suite {4}TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256/);
    expect(text).toMatch(/chain {4}O = thingwire, CN = localhost, issued by O = thingwire, CN = thingwire local CA/);
  });

  it("run against another endpoint by options only, with our shadow service attached to a broker that has none", async () => {
    const endpoint = await startLocalEndpoint({
      ...{ dir: join(root, "other"), port: 0, thingName: "lamp" },
      policy: examplePolicies.everything,
    });
    try {
      // Without its own service it is as plain a broker as Mosquitto.
      const { cloud, folder } = endpoint;
      cloud.detachShadows();
      const { certificateFile, privateKeyFile } = folder.device;
      const files = ["--cert", certificateFile, "--key", privateKeyFile, "--ca", folder.caFile];
      const options = ["--endpoint", "localhost", "--port", String(endpoint.port), "--thing", "lamp", "--rounds", "2"];
      const { code, text } = await start([...options, ...files, "--shadow-service"]);
      expect([code, text.match(/Update accepted/g)?.length]).toEqual([0, 2]);
      expect(text).toContain("lamp-shadow-service");
    } finally {
      await endpoint.close();
    }
  });

  it.each([
    ["subscribe-publish", "MQTT_DEMO:", "ShadowDemo:"],
    ["thing-shadow", "ShadowDemo:", "MQTT_DEMO:"],
  ])("--only %s runs that one alone", async (name, tag, other) => {
    const { code, text } = await start(["--rounds", "2", "--only", name]);
    expect([code, text.includes(tag), text.includes(other)]).toEqual([0, true, false]);
    expect(text).toContain(`${name} ran in`);
  });

  it("does not overwrite a certificate that the local endpoint did not issue", async () => {
    const { certs } = await start(["--help"]);
    const foreign = readFileSync(new URL("foreign.crt.txt", import.meta.url), "utf8");
    writeFileSync(join(certs, "client.crt"), foreign);
    const { code, text } = await start([], certs);
    expect(code).toBe(1);
    expect(text).toContain("not overwritten");
    expect(readFileSync(join(certs, "client.crt"), "utf8")).toBe(foreign);
  });

  it("does not overwrite a key that waits for its certificate", async () => {
    const { certs } = await start(["--help"]);
    writeFileSync(join(certs, "client.key"), "a key");
    const { code, text } = await start([], certs);
    expect([code, text.includes("not overwritten")]).toEqual([1, true]);
    expect(readFileSync(join(certs, "client.key"), "utf8")).toBe("a key");
  });
});

describe("examples: failures", () => {
  async function withServer(server: Server, use: (port: number) => Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await use((server.address() as { port: number }).port);
    } finally {
      server.close();
    }
  }

  it("the guide's line, the code, the reason and a hint where the port is closed", async () => {
    const endpoint = await startLocalEndpoint({ dir: join(root, "closed"), port: 0, thingName: "lamp" });
    await endpoint.close();
    const { certificateFile, privateKeyFile } = endpoint.folder.device;
    const { code, text } = await start([
      ...["--endpoint", "localhost", "--port", String(endpoint.port), "--thing", "lamp"],
      ...["--cert", certificateFile, "--key", privateKeyFile, "--ca", endpoint.folder.caFile],
    ]);
    expect(code).toBe(1);
    expect(text).toContain(`MQTT_DEMO: Error(-24) connecting to localhost:${endpoint.port}...`);
    expect(text).toMatch(/Failed: THING_ENDPOINT_UNREACHABLE: .*\n {2}hint: /);
  });

  it("MQTT_REQUEST_TIMEOUT_ERROR: -28 in the words of the guide where the certificate has no thing or policy", async () => {
    const endpoint = await startLocalEndpoint({ dir: join(root, "denied"), port: 0, thingName: "lamp" });
    try {
      const { certificateId } = endpoint.folder.device;
      const { cloud } = endpoint;
      for (const name of cloud.certificates.get(certificateId).policies)
        cloud.registry.detachPolicy(name, certificateId);
      const { certificateFile, privateKeyFile } = endpoint.folder.device;
      const { code, text } = await start([
        ...["--endpoint", "localhost", "--port", String(endpoint.port), "--thing", "lamp"],
        ...["--cert", certificateFile, "--key", privateKeyFile, "--ca", endpoint.folder.caFile],
      ]);
      expect(code).toBe(1);
      expect(text).toContain(`MQTT_DEMO: Error(-28) connecting to localhost:${endpoint.port}...`);
      expect(text).toContain("Failed: THING_ALERT_AFTER_HANDSHAKE");
    } finally {
      await endpoint.close();
    }
  });

  it("ShadowDemo says it in the words of the guide, too", async () => {
    const { thingShadow } = await import("../../../examples/thing-shadow/thing-shadow.ts");
    const lines: string[] = [];
    const broker = new Broker({ now: () => 0, deniedConnect: "close", authorize: () => ({ denied: "no policy" }) });
    const { serveMqtt } = await import("../../../src/simulator/serve.ts");
    const { memoryPair } = await import("../../../src/transport/memory.ts");
    const transport = () => {
      const [client, server] = memoryPair();
      serveMqtt(broker, server, nodeRuntime);
      return client;
    };
    await expect(
      thingShadow({
        device: { endpoint: "localhost", thingName: "lamp", certificate: "", transport },
        rounds: 1,
        log: (line) => void lines.push(line),
        askForWindow: async () => {},
      }),
    ).rejects.toMatchObject({ code: "THING_CLOSED_AFTER_HANDSHAKE" });
    expect(lines.at(-1)).toBe("ShadowDemo: aws_iot_shadow_connect returned error -28, aborting...");
  });

  it("a server that speaks no TLS is one clear error", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.end("SSH-2.0-OpenSSH_9.2\r\n");
    });
    await withServer(server, async (port) => {
      const certs = mkdtempSync(join(root, "certs-"));
      await (await startLocal({ dir: join(root, "no-tls"), certs, thing: "lamp" })).close();
      const options = ["--endpoint", "localhost", "--port", String(port), "--thing", "lamp"];
      const { code, text } = await start(options, certs);
      expect(code).toBe(1);
      expect(text).toMatch(/MQTT_DEMO: Error\(-?\d+\) connecting to localhost/);
      expect(text).toContain("hint: ");
    });
  });

  it("no embedded credentials: says how to make them", async () => {
    const { code, text } = await start(["--endpoint", "localhost", "--thing", "lamp"]);
    expect(code).toBe(1);
    expect(text).toContain("npx thingwire embed");
  });
});

describe("examples: options", () => {
  it.each([
    [["--port", "1"], "needs --endpoint"],
    [["--endpoint", "h"], "needs --thing"],
    [["--endpoint", "h", "--thing", "t", "--cert", "c"], "given together"],
    [["--tls", "openssl"], "own or native"],
    [["--rounds", "0"], "--rounds takes"],
    [["--debug", "5"], "--debug takes"],
    [["--only", "both"], "--only takes"],
    [["--nonsense"], "nonsense"],
  ])("%j is refused", (args, message) => {
    expect(() => readSettings(args)).toThrow(SettingsError);
    expect(() => readSettings(args)).toThrow(message);
  });

  it("exit code 2 with the help where the options make no sense", async () => {
    const { code, text } = await start(["--nonsense"]);
    expect([code, text.includes("npm start -- [options]")]).toEqual([2, true]);
  });

  it.each(LEVELS)("--debug %s is taken", (level) => {
    expect(readSettings(["--debug", level])?.debug).toBe(level);
  });
});
