/** The lines that the guide quotes, to the letter, and the exit codes. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../../examples/run.ts";
import type { Cloud } from "../../../src/simulator/cloud.ts";
import { startLocalEndpoint } from "../../../src/simulator/node/endpoint.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import { alertingServer, type Ending, type Moment } from "../thing/alerting-server.ts";
import { caCertificate } from "../tls/fixtures.ts";
import { forClient, makeAuthority } from "../transport/pki.ts";

const folder = mkdtempSync(join(tmpdir(), "thingwire-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));
const root = fileURLToPath(new URL("../../../", import.meta.url));
const device = makeAuthority("Device CA").issue("lamp", forClient);
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const files = [
  ...["--cert", file("client.crt", device.certificate), "--key", file("client.key", device.privateKey)],
  ...["--ca", file("ca.pem", caCertificate)],
];

interface Outcome {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
  readonly port: number;
}

type Start = (args: readonly string[]) => Promise<Omit<Outcome, "port">>;

/** As `npm start` does, but from the sources. */
const asProcess: Start = async (args) => {
  const child = spawn(process.execPath, ["--import", "tsx", "examples/start.ts", ...args], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: "", NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => void (text += String(chunk)));
  const exitCode = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { exitCode, lines: text.split("\n") };
};

const inProcess: Start = async (args) => {
  let text = "";
  const around = { certs: folder, dir: join(folder, "endpoint"), pauseMs: 10 };
  const exitCode = await run(args, { write: (piece) => void (text += piece) }, around);
  return { exitCode, lines: text.split("\n") };
};

async function example(only: string, moment: Moment, ending: Ending, tls: string, start: Start): Promise<Outcome> {
  const server = await alertingServer(moment, ending);
  const where = ["--endpoint", "localhost", "--port", String(server.port), "--thing", "lamp"];
  const outcome = await start([...where, ...files, "--only", only, "--tls", tls]);
  await server.close();
  return { ...outcome, port: server.port };
}

const alert = { alert: Alert.certificate_unknown };

const refused = "failed! mbedtls_ssl_handshake returned -0x7780";

/** The lines behind the one with which each example starts to connect, with `(endpoint)` for host and port. */
const failures: readonly [
  what: string,
  moment: Moment,
  ending: Ending,
  demo: string[],
  shadow: string[],
  code: string,
][] = [
  [
    "a fatal alert in the handshake",
    "handshake",
    alert,
    [refused, "MQTT_DEMO: Error(-4) connecting to (endpoint)..."],
    [refused, "ShadowDemo: aws_iot_shadow_connect returned error -4, aborting..."],
    "THING_HANDSHAKE_REFUSED",
  ],
  [
    "an alert right after CONNECT",
    "connect",
    alert,
    ["MQTT_DEMO: Error(-28) connecting to (endpoint)..."],
    ["ShadowDemo: aws_iot_shadow_connect returned error -28, aborting..."],
    "THING_ALERT_AFTER_HANDSHAKE",
  ],
  [
    "a close right after CONNECT",
    "connect",
    "end",
    ["MQTT_DEMO: Error(-28) connecting to (endpoint)..."],
    ["ShadowDemo: aws_iot_shadow_connect returned error -28, aborting..."],
    "THING_CLOSED_AFTER_HANDSHAKE",
  ],
];

function check({ exitCode, lines, port }: Outcome, start: string, expected: readonly string[], code: string): void {
  const from = lines.indexOf(start) + 1;
  // Where the handshake came to its end, its report stands in between.
  const printed = lines.slice(from).filter((line) => /^(failed!|MQTT_DEMO:|ShadowDemo:)/.test(line));
  expect(from).toBeGreaterThan(0);
  expect(printed).toEqual(expected.map((line) => line.replace("(endpoint)", `localhost:${port}`)));
  expect(lines.find((line) => line.startsWith("Failed: "))).toContain(`Failed: ${code}: `);
  expect(exitCode).toBe(1);
}

describe.each(["own", "native"])("the guide's lines, to the letter, with %s TLS", (tls) => {
  it.each(failures)("%s", async (_what, moment, ending, demo, shadow, code) => {
    const first = await example("subscribe-publish", moment, ending, tls, inProcess);
    check(first, "MQTT_DEMO: Connecting to AWS...", demo, code);
    check(await example("thing-shadow", moment, ending, tls, inProcess), "ShadowDemo: Shadow Connect", shadow, code);
  });
});

describe("the guide's lines, printed by a process", () => {
  const [handshake, connect] = failures;
  it("subscribe-publish: the handshake fails", async () => {
    const [, moment, ending, demo, , code] = handshake!;
    check(
      await example("subscribe-publish", moment, ending, "own", asProcess),
      "MQTT_DEMO: Connecting to AWS...",
      demo,
      code,
    );
  });

  it("thing-shadow: the connection closes immediately", async () => {
    const [, moment, ending, , shadow, code] = connect!;
    check(await example("thing-shadow", moment, ending, "own", asProcess), "ShadowDemo: Shadow Connect", shadow, code);
  });
});

describe("the guide's lines, against the local AWS IoT", () => {
  /** Breaks what the guide has people check, one thing at a time. */
  const breakages: Readonly<Record<string, (cloud: Cloud, id: string) => void>> = {
    "the certificate is INACTIVE": ({ certificates }, id) => void certificates.deactivate(id),
    "the certificate is REVOKED": ({ certificates }, id) => void certificates.revoke(id),
    "no policy is attached": ({ certificates, registry }, id) => {
      for (const name of certificates.get(id).policies) registry.detachPolicy(name, id);
    },
    "the policy allows another client id": ({ certificates, registry, policies }, id) => {
      for (const name of certificates.get(id).policies) registry.detachPolicy(name, id);
      const statement = { Effect: "Allow", Action: "iot:Connect", Resource: "arn:aws:iot:*:*:client/other" };
      registry.attachPolicy(policies.put("other", { Version: "2012-10-17", Statement: [statement] }).name, id);
    },
  };
  it.each([
    ["the certificate is INACTIVE", 0],
    ["the certificate is REVOKED", 0],
    ["no policy is attached", 1],
    ["the policy allows another client id", 2],
  ])("%s", async (what, row) => {
    const endpoint = await startLocalEndpoint({
      dir: join(folder, `cloud-${what.length}`),
      port: 0,
      thingName: "lamp",
    });
    try {
      const { device: own, caFile } = endpoint.folder;
      breakages[what]!(endpoint.cloud, own.certificateId);
      const [, , , demo, shadow, code] = failures[row]!;
      const { port } = endpoint;
      const args = [
        ...["--endpoint", "localhost", "--port", String(port), "--thing", "lamp"],
        ...["--cert", own.certificateFile, "--key", own.privateKeyFile, "--ca", caFile],
      ];
      const first = await inProcess([...args, "--only", "subscribe-publish"]);
      check({ ...first, port }, "MQTT_DEMO: Connecting to AWS...", demo, code);
      const second = await inProcess([...args, "--only", "thing-shadow"]);
      check({ ...second, port }, "ShadowDemo: Shadow Connect", shadow, code);
    } finally {
      await endpoint.close();
    }
  });
});
