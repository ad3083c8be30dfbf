/**
 * The client and both examples against Mosquitto with mutual TLS. Mosquitto has no shadow service: the examples attach ours, as one more
 * client.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex, utf8Decode } from "../../src/bytes.ts";
import { connectThing } from "../../src/runtime/node.ts";
import type { Thing } from "../../src/thing/index.ts";
import { trustAnchors } from "../../src/tls/x509/index.ts";
import { type CertificateFiles, makeCertificates } from "./certificates.ts";
import { startMosquitto } from "./mosquitto.ts";
import type { Peer } from "./peer.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
let files: CertificateFiles;

beforeAll(() => {
  files = makeCertificates();
});
afterAll(() => files.remove());

describe.each(["rsa", "p256"] as const)("Mosquitto with a %s certificate", (server) => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startMosquitto(files, server);
  });
  afterAll(() => peer.stop());

  function connect(client: "rsa" | "p256", clientId: string): Promise<Thing> {
    return connectThing({
      endpoint: "localhost",
      port: peer.port,
      thingName: clientId,
      certificate: files.text(`client-${client}.crt`),
      privateKey: files.text(`client-${client}.key`),
      trust: trustAnchors(files.text("ca.crt")),
      reconnect: false,
    });
  }

  it.each(["rsa", "p256"] as const)(
    "[MQTT-4.3.2-2] QoS 1 both ways, binary and large payloads, with a client key of type %s",
    async (client) => {
      const thing = await connect(client, `thing-${client}`);
      const messages = await thing.mqtt.subscribe("interop/+/data", { qos: 1 });
      const payloads = [new Uint8Array(0), new Uint8Array([0, 255, 128]), new Uint8Array(100_000).map((_, i) => i * 7)];
      for (const payload of payloads) await thing.mqtt.publish("interop/x/data", payload, { qos: 1 });
      for (const payload of payloads) {
        const value = (await messages.next()).value!;
        expect(value.topic).toBe("interop/x/data");
        expect(value.qos).toBe(1);
        expect(toHex(value.payload)).toBe(toHex(payload));
      }
      await thing.close();
      await expect.poll(() => peer.output()).toContain(`Received DISCONNECT from thing-${client}`);
    },
  );

  it("[MQTT-3.3.1-8] a retained message, and [MQTT-3.10.4-1] no more after UNSUBACK", async () => {
    const thing = await connect("p256", "retainer");
    await thing.mqtt.publish("interop/retained", "kept", { qos: 1, retain: true });
    const messages = await thing.mqtt.subscribe("interop/retained", { qos: 1 });
    const value = (await messages.next()).value!;
    expect([value.retain, utf8Decode(value.payload)]).toEqual([true, "kept"]);
    await messages.unsubscribe();
    await thing.mqtt.publish("interop/retained", "", { qos: 1, retain: true });
    await thing.close();
  });

  it.each([
    ["own", "p256"],
    ["own", "rsa"],
    ["native", "p256"],
  ])("both examples, TLS %s, client key %s", async (tls, client) => {
    const credentials = [
      "--cert",
      files.file(`client-${client}.crt`),
      "--key",
      files.file(`client-${client}.key`),
      "--ca",
      files.file("ca.crt"),
    ];
    const words = [
      "--import",
      "tsx",
      "examples/start.ts",
      "--endpoint",
      "localhost",
      "--port",
      String(peer.port),
      "--thing",
      `lamp-${tls}-${client}`,
    ];
    const { stdout } = await run(
      process.execPath,
      [...words, ...credentials, "--shadow-service", "--tls", tls, "--rounds", "3"],
      { cwd: root },
    );
    expect(stdout).toContain("Subscribe callback");
    expect(stdout).toContain("hello from ESP32 (QOS1) : 1 ");
    expect(stdout).toContain("Delta - Window state changed to 1");
    expect(stdout).toContain("desired and reported agree with the device");
    expect(peer.output()).toContain(`$aws/things/lamp-${tls}-${client}/shadow/update`);
  });
});

describe("Mosquitto refuses", () => {
  it("a certificate of another CA: the alert is told, phase handshake", async () => {
    const peer = await startMosquitto(files, "p256");
    files.openssl(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      files.file("stranger.key"),
      "-subj",
      "/CN=stranger",
      "-days",
      "3",
      "-out",
      files.file("stranger.crt"),
    );
    try {
      const error = await connectThing({
        endpoint: "localhost",
        port: peer.port,
        thingName: "stranger",
        certificate: files.text("stranger.crt"),
        privateKey: files.text("stranger.key"),
        trust: trustAnchors(files.text("ca.crt")),
      }).then(
        () => expect.fail("connected"),
        (reason) => reason,
      );
      expect(error.mbedtls).toBe(-0x7780);
      expect(error.data.phase).toBe("handshake");
    } finally {
      await peer.stop();
    }
  });
});
