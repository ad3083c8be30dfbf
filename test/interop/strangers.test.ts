/**
 * The simulator serves clients of other projects over mutual TLS, so that it is no closed circle of our own code; and refuses them as it
 * should.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { terminalOver } from "../../src/cli/terminal.ts";
import type { CreateThingOptions } from "../../src/simulator/cloud.ts";
import { type LocalEndpoint, startLocalEndpoint } from "../../src/simulator/node/index.ts";
import { parseCertificateChain, toPem } from "../../src/tls/x509/index.ts";
import { type Device, mosquitto, mqttjs, published, type Stranger } from "./strangers.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-strangers-"));
const read = (file: string): Buffer => readFileSync(file);

const ARN = "arn:aws:iot:*:*:";
const SHADOW = `$aws/things/\${iot:Connection.Thing.ThingName}/shadow/*`;
const policy = {
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Action: "iot:Connect", Resource: `${ARN}client/*` },
    {
      Effect: "Allow",
      Action: ["iot:Publish", "iot:Receive", "iot:RetainPublish"],
      Resource: [`${ARN}topic/free/*`, `${ARN}topic/${SHADOW}`],
    },
    { Effect: "Allow", Action: "iot:Publish", Resource: `${ARN}topic/deaf/*` },
    {
      Effect: "Allow",
      Action: "iot:Subscribe",
      Resource: [`${ARN}topicfilter/free/*`, `${ARN}topicfilter/deaf/*`, `${ARN}topicfilter/${SHADOW}`],
    },
  ],
};

let endpoint: LocalEndpoint;
const strangers: Stranger[] = [];
beforeAll(async () => {
  endpoint = await startLocalEndpoint({ dir: join(root, "endpoint"), port: 0, alpnPort: 0 });
});
afterEach(async () => {
  await Promise.all(strangers.splice(0).map(({ client }) => client.endAsync(true)));
});
afterAll(async () => {
  await endpoint.close();
  rmSync(root, { recursive: true });
});

/** A thing of the simulator, with its files. */
async function thing(name: string, options: CreateThingOptions = {}): Promise<Device & { readonly id: string }> {
  const made = await endpoint.cloud.createThing(name, { policy, ...options });
  const [certificate, key] = [join(root, `${name}.crt`), join(root, `${name}.key`)];
  writeFileSync(certificate, toPem("CERTIFICATE", made.certificate));
  writeFileSync(key, toPem("PRIVATE KEY", made.privateKey));
  return { port: endpoint.port, ca: endpoint.folder.caFile, certificate, key, id: made.certificateId };
}

async function js(device: Device, options: Parameters<typeof mqttjs>[1]): Promise<Stranger> {
  const stranger = await mqttjs(device, options, read);
  strangers.push(stranger);
  return stranger;
}

/** Waits until a client of the broker has its subscription. */
async function subscribed(clientId: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (endpoint.cloud.broker.session(clientId)?.subscriptions.size === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${clientId} does not subscribe: ${explained()}`);
}

/** What `mosquitto_pub` prints where the handshake is refused. It ends with 1 or 8: as OpenSSL's alert comes within `connect` or behind it. */
async function refusal(device: Device, ...words: readonly string[]): Promise<string> {
  const { code, out, err } = await mosquitto("pub", device, "-t", "free/a", "-m", "x", "-d", ...words).ended;
  expect([1, 8]).toContain(code);
  return out + err;
}

const explained = (): string => endpoint.cloud.explain().at(-1)?.explanation ?? "";

describe.each(["p256", "rsa"] as const)("mutual TLS with a device's key of type %s", (keyType) => {
  let lamp: Device;
  beforeAll(async () => {
    lamp = await thing(`lamp-${keyType}`, { keyType });
  });

  it.each([0, 1])("mosquitto_pub to mosquitto_sub, QoS %i", async (qos) => {
    const words = ["-t", "free/+/in", "-q", String(qos), "-C", "2", "-F", "%t %p %q", "-d", "-i", "listener"];
    const sub = mosquitto("sub", lamp, ...words);
    await subscribed("listener");
    await published(lamp, "-t", "free/a/in", "-m", "one", "-q", String(qos), "-i", "speaker");
    await published(lamp, "-t", "free/b/in", "-m", "zw\u00f6i", "-q", String(qos), "-i", "speaker");
    const { code, out } = await sub.ended;
    expect(code).toBe(0);
    expect(out).toContain(`free/a/in one ${qos}\n`);
    expect(out).toContain(`free/b/in zw\u00f6i ${qos}\n`);
  });

  it.each([0, 1] as const)("MQTT.js to MQTT.js, QoS %i", async (qos) => {
    const listener = await js(lamp, { clientId: "js-listener" });
    const granted = await listener.client.subscribeAsync("free/#", { qos });
    expect(granted.map((grant) => grant.qos)).toEqual([qos]);
    const speaker = await js(lamp, { clientId: "js-speaker" });
    await speaker.client.publishAsync("free/x", "hello", { qos });
    expect(await listener.message("free/x")).toEqual({ topic: "free/x", payload: "hello", qos, retain: false });
  });

  it("either way between the two, 20,000 bytes too", async () => {
    const listener = await js(lamp, { clientId: "js-listener" });
    await listener.client.subscribeAsync("free/long", { qos: 1 });
    const long = join(root, "long.txt");
    writeFileSync(long, "x".repeat(20_000));
    await published(lamp, "-t", "free/long", "-f", long, "-q", "1");
    expect((await listener.message("free/long")).payload).toBe("x".repeat(20_000));
    const sub = mosquitto("sub", lamp, "-t", "free/back", "-C", "1", "-i", "back", "-F", "%l bytes");
    await subscribed("back");
    await listener.client.publishAsync("free/back", "y".repeat(20_000), { qos: 1 });
    expect((await sub.ended).out).toContain("20000 bytes\n");
  });

  it("port 443: with ALPN x-amzn-mqtt-ca, and not with another", async () => {
    const alpn = { ...lamp, port: endpoint.alpnPort! };
    await published(alpn, "-t", "free/alpn", "-m", "x", "-q", "1", "--tls-alpn", "x-amzn-mqtt-ca");
    const { client } = await js(alpn, { clientId: "js-alpn", ALPNProtocols: ["x-amzn-mqtt-ca"] });
    await client.publishAsync("free/alpn", "y", { qos: 1 });
    expect(await refusal(alpn, "--tls-alpn", "h2")).toContain("no application protocol");
    await expect(js(alpn, { clientId: "js-h2", ALPNProtocols: ["h2"] })).rejects.toThrow(
      /alert no application protocol/,
    );
  });
});

describe("sessions and messages of strangers", () => {
  let lamp: Device;
  beforeAll(async () => {
    lamp = await thing("lamp");
  });

  it("[MQTT-3.3.1-6] what mosquitto_pub retains, MQTT.js gets with RETAIN; the empty message removes it", async () => {
    await published(lamp, "-t", "free/kept", "-m", "kept", "-r", "-q", "1");
    const first = await js(lamp, { clientId: "js-1" });
    await first.client.subscribeAsync("free/kept", { qos: 1 });
    expect(await first.message("free/kept")).toEqual({ topic: "free/kept", payload: "kept", qos: 1, retain: true });
    await published(lamp, "-t", "free/kept", "-n", "-r", "-q", "1");
    const second = await js(lamp, { clientId: "js-2" });
    await second.client.subscribeAsync("free/kept", { qos: 1 });
    await second.client.publishAsync("free/kept", "new", { qos: 1 });
    expect((await second.message("free/kept")).payload).toBe("new");
  });

  it("[MQTT-3.1.2-8] the will of a mosquitto_sub that is killed; none where it says goodbye", async () => {
    const watcher = await js(lamp, { clientId: "js-watcher" });
    await watcher.client.subscribeAsync("free/will/+", { qos: 1 });
    const will = (name: string) => ["--will-topic", `free/will/${name}`, "--will-payload", "gone", "--will-qos", "1"];
    const polite = mosquitto("sub", lamp, "-t", "free/x", "-d", "-W", "1", ...will("polite"));
    expect((await polite.ended).out).toContain("sending DISCONNECT");
    const dying = mosquitto("sub", lamp, "-t", "free/x", "-i", "dying", ...will("dying"));
    await subscribed("dying");
    dying.kill();
    expect(await watcher.message("free/will/dying")).toMatchObject({ payload: "gone", qos: 1 });
    expect(watcher.received).toHaveLength(1);
  });

  it("[MQTT-4.1.0-1] a persistent session of MQTT.js keeps what mosquitto_pub sends meanwhile", async () => {
    const options = { clientId: "js-away", clean: false } as const;
    const before = await js(lamp, options);
    await before.client.subscribeAsync("free/away", { qos: 1 });
    await before.client.endAsync();
    await published(lamp, "-t", "free/away", "-m", "missed you", "-q", "1");
    const after = await js(lamp, options);
    expect(await after.message("free/away")).toMatchObject({ payload: "missed you", qos: 1 });
  });

  it("[MQTT-3.1.4-2] the second client of an id throws the first out", async () => {
    const first = await js(lamp, { clientId: "same" });
    const closed = new Promise<void>((resolve) => first.client.once("close", () => resolve()));
    await js(lamp, { clientId: "same" });
    await closed;
  });

  it("keep-alive: an idle MQTT.js is answered, and stays", async () => {
    const { client } = await js(lamp, { clientId: "js-idle", keepalive: 1 });
    const pings: string[] = [];
    client.on("packetreceive", ({ cmd }) => pings.push(cmd));
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect(client.connected).toBe(true);
    expect(pings.filter((cmd) => cmd === "pingresp").length).toBeGreaterThanOrEqual(2);
  });
});

describe("the Device Shadow with strangers", () => {
  it("mosquitto_sub gets the delta, mosquitto_pub reports, MQTT.js gets and updates, and is told of a version conflict", async () => {
    const lamp = await thing("shady");
    const at = (operation: string): string => `$aws/things/shady/shadow/${operation}`;
    // The thing's variable in the policy is known by the client id, which a second client of the device cannot share.
    const words = ["-t", at("update/delta"), "-C", "1", "-q", "1", "-d", "-i", "shady", "-F", "%p"];
    const delta = mosquitto("sub", lamp, ...words);
    await subscribed("shady");
    await endpoint.cloud.shadow("shady").desire({ powerOn: true, color: { r: 1 } });
    const { code, out } = await delta.ended;
    expect(code).toBe(0);
    const [line] = out.split("\n").filter((text) => text.startsWith("{"));
    expect(JSON.parse(line!)).toMatchObject({ state: { powerOn: true, color: { r: 1 } }, version: 1 });

    await published(
      lamp,
      "-t",
      at("update"),
      "-m",
      '{"state":{"reported":{"powerOn":true}}}',
      "-q",
      "1",
      "-i",
      "shady",
    );
    const app = await js(lamp, { clientId: "shady" });
    await app.client.subscribeAsync([at("get/accepted"), at("update/accepted"), at("update/rejected")], { qos: 1 });
    await app.client.publishAsync(at("get"), '{"clientToken":"t-1"}', { qos: 1 });
    const got = JSON.parse((await app.message(at("get/accepted"))).payload);
    expect(got).toMatchObject({
      clientToken: "t-1",
      version: 2,
      state: { desired: { powerOn: true }, reported: { powerOn: true }, delta: { color: { r: 1 } } },
    });
    await app.client.publishAsync(at("update"), '{"state":{"desired":{"powerOn":false}},"version":2}', { qos: 1 });
    expect(JSON.parse((await app.message(at("update/accepted"))).payload)).toMatchObject({ version: 3 });
    await app.client.publishAsync(at("update"), '{"state":{"desired":{}},"version":1}', { qos: 1 });
    expect(JSON.parse((await app.message(at("update/rejected"))).payload)).toMatchObject({ code: 409 });
  });
});

describe("what strangers see of a refusal", () => {
  it("a topic that the policy denies: the connection is closed, and the cloud explains it", async () => {
    const lamp = await thing("denied");
    const { code, err } = await mosquitto("pub", lamp, "-t", "secret/a", "-m", "x", "-q", "1").ended;
    expect([code, err]).toEqual([7, "Error: The connection was lost.\n"]);
    expect(explained()).toBe("denied: no statement allows iot:Publish on topic/secret/a");
    const sub = await mosquitto("sub", lamp, "-t", "secret/a", "-W", "10").ended;
    expect([sub.code, sub.err]).toEqual([7, "Error: The connection was lost.\n"]);
    expect(explained()).toBe("denied: no statement allows iot:Subscribe on topicfilter/secret/a");
    const { client } = await js(lamp, { clientId: "js-denied" });
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    client.publish("secret/b", "x", { qos: 1 });
    await closed;
    expect(explained()).toContain("topic/secret/b");
  });

  it("a topic without iot:Receive: subscribed, and nothing comes", async () => {
    const lamp = await thing("deaf");
    const listener = await js(lamp, { clientId: "js-deaf" });
    await listener.client.subscribeAsync(["deaf/#", "free/mark"], { qos: 1 });
    await published(lamp, "-t", "deaf/a", "-m", "x", "-q", "1");
    await published(lamp, "-t", "free/mark", "-m", "x", "-q", "1");
    await listener.message("free/mark");
    expect(listener.received.map(({ topic }) => topic)).toEqual(["free/mark"]);
  });

  it.each([
    ["INACTIVE", "certificate unknown"],
    ["PENDING_ACTIVATION", "certificate unknown"],
    ["REVOKED", "certificate revoked"],
  ] as const)("a certificate that is %s: a fatal alert in the handshake", async (status, alert) => {
    const lamp = await thing(`dead-${status.toLowerCase()}`, { status });
    expect(await refusal(lamp)).toContain(`alert ${alert}`);
    await expect(js(lamp, { clientId: "x" })).rejects.toThrow(new RegExp(`alert ${alert}`));
    expect(explained()).toContain(status);
  });

  it("a certificate without a policy: the handshake succeeds, CONNECT ends with an alert", async () => {
    const lamp = await thing("bare", { policy: false });
    const { code, out } = await mosquitto("pub", lamp, "-t", "free/a", "-m", "x", "-d").ended;
    expect([code, out]).toEqual([expect.toSatisfy((value) => value !== 0), expect.stringContaining("sending CONNECT")]);
    expect(out).not.toContain("CONNACK");
    await expect(js(lamp, { clientId: "x" })).rejects.toThrow(/alert access denied|closed before CONNACK/);
  });

  it("a certificate that is deactivated while it is used: the connection ends", async () => {
    const lamp = await thing("doomed");
    const { client } = await js(lamp, { clientId: "js-doomed" });
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    endpoint.cloud.certificates.deactivate(lamp.id);
    await closed;
  });

  it("no certificate at all", async () => {
    const { ca } = await thing("naked");
    const anonymous = { clientId: "x", cert: undefined, key: undefined } as never;
    await expect(js({ port: endpoint.port, ca, certificate: ca, key: ca }, anonymous)).rejects.toThrow(/alert/);
  });
});

describe("devices of one's own CA, made by `thingwire provision`", () => {
  async function provision(command: string, ...words: string[]): Promise<void> {
    let said = "";
    const output = { write: (line: string) => void (said += line) };
    const args = ["provision", command, ...words];
    const code = await runCommand(commands, args, terminalOver(output, output, {}), new AbortController().signal);
    if (code !== 0) throw new Error(said);
  }

  it.each(["p256", "rsa"])(
    "type %s: refused, served once the CA is registered and the certificate too",
    async (type) => {
      const dir = join(root, `factory-${type}`);
      const { cloud } = endpoint;
      const name = `made-${type}`;
      await provision("ca", `factory ${type}`, "--type", type, "--dir", dir);
      await provision("device", name, "--type", type, "--dir", dir);
      const certificate = join(dir, `${name}-certificate.pem.crt`);
      const device = {
        port: endpoint.port,
        ca: endpoint.folder.caFile,
        certificate,
        key: join(dir, `${name}-private.pem.key`),
      };
      expect(await refusal(device)).toContain("alert unknown ca");

      await provision("verification", cloud.authorities.registrationCode, "--dir", dir);
      cloud.authorities.register({
        certificate: readFileSync(join(dir, "ca.crt"), "utf8"),
        verificationCertificate: readFileSync(join(dir, "verification.crt"), "utf8"),
      });
      expect(await refusal(device)).toContain("alert certificate unknown");

      const [der] = parseCertificateChain(readFileSync(certificate, "utf8"));
      cloud.policies.put("strangers", policy);
      cloud.adopt(der!, { thingName: name, policyName: "strangers" });
      const listener = await js(device, { clientId: name });
      await listener.client.subscribeAsync(["free/own", `$aws/things/${name}/shadow/get/+`], { qos: 1 });
      await published(device, "-t", "free/own", "-m", "hello", "-q", "1");
      expect((await listener.message("free/own")).payload).toBe("hello");
      await listener.client.publishAsync(`$aws/things/${name}/shadow/get`, "", { qos: 1 });
      expect(JSON.parse((await listener.message(`$aws/things/${name}/shadow/get/rejected`)).payload).code).toBe(404);
    },
  );

  it("a certificate that another CA of the same name signed is refused", async () => {
    const dir = join(root, "forger");
    await provision("ca", "factory p256", "--dir", dir);
    await provision("device", "forged", "--dir", dir);
    const [certificate, key] = ["forged-certificate.pem.crt", "forged-private.pem.key"].map((name) => join(dir, name));
    const device = { port: endpoint.port, ca: endpoint.folder.caFile, certificate: certificate!, key: key! };
    expect(await refusal(device)).toMatch(/alert (bad certificate|unknown ca)/);
  });

  it("just-in-time registration: the first connection registers it, PENDING_ACTIVATION; activated, it is served", async () => {
    const dir = join(root, "jit");
    const { cloud } = endpoint;
    await provision("ca", "jit factory", "--dir", dir);
    await provision("device", "jit", "--dir", dir, "--chain");
    await provision("verification", cloud.authorities.registrationCode, "--dir", dir);
    cloud.authorities.register({
      certificate: readFileSync(join(dir, "ca.crt"), "utf8"),
      verificationCertificate: readFileSync(join(dir, "verification.crt"), "utf8"),
      autoRegistration: true,
    });
    const [certificate, key] = ["jit-certificate.pem.crt", "jit-private.pem.key"].map((name) => join(dir, name));
    const device = { port: endpoint.port, ca: endpoint.folder.caFile, certificate: certificate!, key: key! };
    const first = await mosquitto("pub", device, "-t", "free/a", "-m", "x", "-q", "1").ended;
    expect(first.code).not.toBe(0);
    const pending = cloud.certificates.list.filter(
      ({ status, things }) => status === "PENDING_ACTIVATION" && things.length === 0,
    );
    expect(pending).toHaveLength(1);
    const { certificateId } = pending[0]!;
    cloud.policies.put("strangers", policy);
    cloud.registry.attachPolicy("strangers", certificateId);
    cloud.certificates.activate(certificateId);
    await published(device, "-t", "free/a", "-m", "x", "-q", "1");
  });
});
