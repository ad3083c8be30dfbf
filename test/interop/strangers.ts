/**
 * Clients of other projects: Debian's `mosquitto_pub` and `mosquitto_sub` (libmosquitto on OpenSSL), and MQTT.js on node:tls. None of our
 * code is in them.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";

/** Where a device connects, and the files that it has. */
export interface Device {
  readonly port: number;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** How a command ended. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. Piped, it prints when it ends, so that its progress shows at the server alone. */
export interface Running {
  readonly ended: Promise<Outcome>;
  /** Ends it without a word to its peer, as a power cut does. */
  kill(): void;
}

/** Longer than any of them has to wait. */
const COMMAND_TIMEOUT_MS = 20_000;

/** Starts `mosquitto_pub` or `mosquitto_sub` with the files of a device. `-d` makes them tell of each packet. */
export function mosquitto(command: "pub" | "sub", device: Device, ...words: readonly string[]): Running {
  const { port, ca, certificate, key } = device;
  const files = ["--cafile", ca, "--cert", certificate, "--key", key];
  const args = ["-h", "localhost", "-p", String(port), ...files, ...words];
  const child: ChildProcess = spawn(`mosquitto_${command}`, args, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout!.on("data", (bytes: Buffer) => (out += bytes.toString("utf8")));
  child.stderr!.on("data", (bytes: Buffer) => (err += bytes.toString("utf8")));
  const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_TIMEOUT_MS);
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, out, err });
    });
  });
  return { ended, kill: () => void child.kill("SIGKILL") };
}

/** Publishes by `mosquitto_pub`, which must succeed. */
export async function published(device: Device, ...words: readonly string[]): Promise<void> {
  const { code, out, err } = await mosquitto("pub", device, ...words).ended;
  if (code !== 0) throw new Error(`mosquitto_pub ${words.join(" ")} ends with ${code}:\n${out}${err}`);
}

/** A message as MQTT.js hands it out. */
export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** A client of MQTT.js, connected. */
export interface Stranger {
  readonly client: MqttClient;
  /** All that came, in order. */
  readonly received: Received[];
  /** Resolves with the first message that fits, old or new. */
  message(topic: string): Promise<Received>;
}

/** Connects MQTT.js, or rejects with its error. It does not reconnect by itself. */
export async function mqttjs(
  device: Device,
  options: IClientOptions,
  read: (file: string) => Buffer,
): Promise<Stranger> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const client = mqtt.connect({
    ...{ protocol: "mqtts", host: "localhost", servername: "localhost", port: device.port },
    ...{ ca: read(device.ca), cert: read(device.certificate), key: read(device.key) },
    ...{ protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 15_000 },
    ...options,
  });
  client.on("message", (topic, payload, { qos, retain }) => {
    received.push({ topic, payload: payload.toString("utf8"), qos, retain });
    for (const check of waiting) check();
  });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
    client.once("close", () => reject(new Error("closed before CONNACK")));
  });
  // Without a listener an error after CONNACK would end the process.
  client.on("error", () => {});
  return {
    client,
    received,
    message: (topic) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`nothing came to ${topic}: ${JSON.stringify(received)}`)),
          15_000,
        );
        const check = (): void => {
          const found = received.find((message) => message.topic === topic);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}
