import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { encode } from "../../../src/mqtt/encode.ts";
import { PacketType } from "../../../src/mqtt/packets.ts";
import type { Logger } from "../../../src/ports.ts";
import { connectThing } from "../../../src/runtime/node.ts";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { createAuthority, issueDevice } from "../../../src/simulator/authority.ts";
import { examplePolicies } from "../../../src/simulator/index.ts";
import { acceptedSocket } from "../../../src/simulator/node/accepted-socket.ts";
import { openAccount } from "../../../src/simulator/node/account.ts";
import { type LocalEndpoint, startLocalEndpoint } from "../../../src/simulator/node/endpoint.ts";
import { openFolder } from "../../../src/simulator/node/folder.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { encodePrivateKey } from "../../../src/tls/x509/keys.ts";

const crypto = createCrypto();
const { random, clock } = nodeRuntime;
const folders: string[] = [];
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thingwire-"));
  folders.push(folder);
  return folder;
}

/** Keeps what the endpoint logs. */
function logTo(lines: string[]): Logger {
  return { enabled: () => true, log: (_level, _tag, message) => void lines.push(message) };
}

async function start(dir = newFolder(), lines: string[] = []): Promise<LocalEndpoint> {
  const endpoint = await startLocalEndpoint({
    ...{ dir, port: 0, log: logTo(lines) },
    policy: examplePolicies.everything,
  });
  open.push(endpoint);
  return endpoint;
}

function device({ host, port, folder, thingName }: LocalEndpoint) {
  return {
    endpoint: host,
    port,
    thingName,
    certificate: folder.device.certificatePem,
    privateKey: folder.device.privateKeyPem,
    trust: folder.caPem,
    reconnect: false as const,
  };
}

describe("local endpoint on Node", () => {
  it.each(["own", "native"] as const)("serves a thing over TLS (%s): messages and shadow", async (tls) => {
    const endpoint = await start();
    const thing = await connectThing({ ...device(endpoint), tls });
    open.push(thing);
    const messages = await thing.mqtt.subscribe("a/+", { qos: 1 });
    await thing.mqtt.publish("a/b", "hello", { qos: 1 });
    expect((await messages.next()).value?.topic).toBe("a/b");
    await thing.shadow().report({ on: true });
    expect(endpoint.cloud.shadow(endpoint.thingName).get()?.state).toEqual({ reported: { on: true } });
  });

  it("large messages pass both ways", async () => {
    const endpoint = await start();
    const thing = await connectThing({ ...device(endpoint), tls: "native" });
    open.push(thing);
    const messages = await thing.mqtt.subscribe("big", { qos: 1 });
    const payload = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    for (let i = 0; i < 3; i++) await thing.mqtt.publish("big", payload, { qos: 1 });
    for (let i = 0; i < 3; i++) expect(Buffer.compare((await messages.next()).value!.payload, payload)).toBe(0);
  });

  it("refuses a certificate of another CA, an inactive one and none at all with the alert of each, and logs why", async () => {
    const lines: string[] = [];
    const endpoint = await start(newFolder(), lines);
    const ports = { crypto, random, clock };
    const stranger = issueDevice(createAuthority(ports), ports, endpoint.thingName);
    const refused = { code: "THING_HANDSHAKE_REFUSED", mbedtls: -0x7780 };
    await expect(
      connectThing({
        ...device(endpoint),
        certificate: stranger.certificate,
        privateKey: encodePrivateKey(stranger.privateKey),
      }),
    ).rejects.toMatchObject({ ...refused, cause: { data: { alert: 42 } } });
    expect(lines.join("\n")).toContain("whose key did not sign it");
    endpoint.cloud.certificates.deactivate(endpoint.folder.device.certificateId);
    await expect(connectThing(device(endpoint))).rejects.toMatchObject({ ...refused, cause: { data: { alert: 46 } } });
    expect(lines.join("\n")).toMatch(/refused: its certificate .* is INACTIVE/);
    const anonymous = tlsConnect({
      port: endpoint.port,
      host: "127.0.0.1",
      ca: endpoint.folder.caPem,
      servername: "localhost",
    });
    const { code } = await new Promise<{ code?: string }>((resolve) => anonymous.on("error", resolve));
    expect(code).toBe("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE");
    expect(lines.join("\n")).toContain("refused: it sent no certificate");
  });

  it("close() leaves no timer of a client that ended without DISCONNECT and says no more", async () => {
    const timers = new Set<() => void>();
    const runtime = {
      ...nodeRuntime,
      timers: {
        set(delayMs: number, fire: () => void) {
          const cancel = nodeRuntime.timers.set(delayMs, () => {
            timers.delete(over);
            fire();
          });
          const over = () => {
            timers.delete(over);
            cancel();
          };
          timers.add(over);
          return over;
        },
      },
    };
    const endpoint = await startLocalEndpoint({ dir: newFolder(), port: 0, runtime });
    const { device: own, caPem } = endpoint.folder;
    const socket = tlsConnect({
      ...{ host: "localhost", servername: "localhost", port: endpoint.port, ca: caPem },
      ...{ key: own.privateKeyPem, cert: own.certificatePem },
    });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    expect(timers.size).toBeGreaterThan(0);
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
    await endpoint.close();
    expect(timers.size).toBe(0);
  });

  it("of what a client does not read, 64 KiB wait in the process and no more", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = tcpConnect((server.address() as AddressInfo).port, "127.0.0.1");
    const socket = await new Promise<Socket>((resolve) => server.once("connection", resolve));
    const transport = acceptedSocket(socket, "a socket");
    let room = 0;
    const handler = { onData() {}, onEnd() {}, onError() {} };
    transport.open({
      ...handler,
      onWritable(bytes) {
        room = bytes;
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    let sent = 0;
    for (let quiet = 0; quiet < 5; ) {
      const accepted = transport.write(new Uint8Array(1_000_000));
      sent += accepted;
      expect(socket.writableLength).toBeLessThanOrEqual(65_536);
      quiet = accepted === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    let received = 0;
    room = 0;
    client.on("data", (bytes) => {
      received += bytes.length;
    });
    await expect.poll(() => received).toBe(sent);
    expect(room).toBe(65_536);
    transport.destroy();
    client.destroy();
    server.close();
  });

  it("a client that never reads does not hold up close()", async () => {
    const endpoint = await start();
    const { device, caPem } = endpoint.folder;
    const socket = tlsConnect({
      ...{ host: "localhost", servername: "localhost", port: endpoint.port, ca: caPem },
      ...{ key: device.privateKeyPem, cert: device.certificatePem },
    });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.on("error", () => {});
    const connect = { type: PacketType.CONNECT, clientId: "deaf", cleanSession: true, keepAliveSeconds: 0 } as const;
    socket.write(encode({ ...connect, will: undefined, username: undefined, password: undefined }));
    socket.write(encode({ type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ filter: "t", qos: 0 }] }));
    const { broker } = endpoint.cloud;
    for (let i = 0; i < 200 && broker.session("deaf")?.subscriptions.size !== 1; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    socket.pause();
    for (let i = 0; i < 100; i++) broker.publish({ topic: "t", payload: new Uint8Array(100_000) });
    const started = performance.now();
    await endpoint.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    socket.destroy();
  });

  it("survives clients that are no TLS, and close() ends in spite of one that says nothing", async () => {
    const lines: string[] = [];
    const endpoint = await start(newFolder(), lines);
    const socket = tcpConnect(endpoint.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write("GET / HTTP/1.1\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));
    expect(lines.join("\n")).toContain("a TLS handshake or connection failed");
    const silent = tcpConnect(endpoint.port, "127.0.0.1");
    silent.on("error", () => {});
    await new Promise((resolve) => silent.on("connect", resolve));
    await endpoint.close();
  });

  it("USAGE_INVALID_ARGUMENT where the port is taken", async () => {
    const { port } = await start();
    await expect(startLocalEndpoint({ dir: newFolder(), port })).rejects.toMatchObject({
      code: "USAGE_INVALID_ARGUMENT",
      message: expect.stringContaining("listens there already"),
    });
  });
});

describe("the endpoint's folder", () => {
  const ports = { crypto, random, clock };
  const later = (days: number) => ({
    ...ports,
    clock: { now: () => 0, wallMs: () => Date.now() + days * 86_400_000 },
  });

  it("is created at the first run and used again; keys are the owner's alone", () => {
    const dir = newFolder();
    const first = openFolder(dir, "lamp", ports);
    const second = openFolder(dir, "lamp", ports);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second).toEqual({ ...first, created: false });
    for (const file of [first.server.privateKeyFile, first.device.privateKeyFile, join(dir, "ca.key")])
      expect(statSync(file).mode & 0o777).toBe(0o600);
    const server = new X509Certificate(first.server.certificatePem);
    expect(server.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(openFolder(dir, "other", ports).server).toEqual(first.server);
  });

  it("makes anew what has expired, and with the CA all that it signed", () => {
    const dir = newFolder();
    const first = openFolder(dir, "lamp", ports);
    const nextYear = openFolder(dir, "lamp", later(400));
    expect(nextYear.created).toBe(true);
    expect(nextYear.caPem).toBe(first.caPem);
    expect(nextYear.device).toEqual(first.device);
    expect(nextYear.server.certificatePem).not.toBe(first.server.certificatePem);
    // A day before it expires it counts as expired.
    const validDays = 397;
    expect(openFolder(dir, "lamp", later(400 + validDays - 1.1)).created).toBe(false);
    expect(openFolder(dir, "lamp", later(400 + validDays - 0.9)).created).toBe(true);
    const muchLater = openFolder(dir, "lamp", later(3660));
    expect(muchLater.caPem).not.toBe(first.caPem);
    expect(muchLater.device.certificatePem).not.toBe(first.device.certificatePem);
    rmSync(join(dir, "ca.key"));
    const otherCa = openFolder(dir, "lamp", later(3660));
    const ca = new X509Certificate(otherCa.caPem);
    expect(otherCa.caPem).not.toBe(muchLater.caPem);
    for (const { certificatePem } of [otherCa.server, otherCa.device])
      expect(new X509Certificate(certificatePem).verify(ca.publicKey)).toBe(true);
  });

  it("a key that cannot be written leaves no certificate, which would be another key's", () => {
    const dir = newFolder();
    const { certificateFile, privateKeyFile } = openFolder(dir, "lamp", ports).device;
    mkdirSync(join(`${privateKeyFile}.part.key`, "in the way"), { recursive: true });
    expect(() => openFolder(dir, "lamp", later(3660))).toThrow("client.key cannot be written");
    expect(existsSync(certificateFile)).toBe(false);
    rmSync(`${privateKeyFile}.part.key`, { recursive: true });
    expect(openFolder(dir, "lamp", later(3660)).created).toBe(true);
  });

  it("close() lets go of the folder, in this process too", async () => {
    const dir = newFolder();
    const account = await openAccount({ dir });
    await expect(openAccount({ dir })).rejects.toThrow("in use");
    await account.close();
    await (await openAccount({ dir })).close();
  });

  it("a crash while it is written costs nothing: what is incomplete is made anew, and old permissions do not stay", () => {
    const dir = newFolder();
    const first = openFolder(dir, "lamp", ports);
    const { certificateFile, privateKeyFile } = first.device;
    // The key was written, its certificate was not; and halves of both lie about.
    rmSync(certificateFile);
    chmodSync(privateKeyFile, 0o644);
    writeFileSync(`${privateKeyFile}.part.key`, "half");
    const second = openFolder(dir, "lamp", ports);
    expect(second.device.certificatePem).not.toBe(first.device.certificatePem);
    expect(statSync(privateKeyFile).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(dir, "things", "lamp")).sort()).toEqual(["client.crt", "client.key"]);
    expect(openFolder(dir, "lamp", ports)).toEqual({ ...second, created: false });
  });

  it("a pair that is renewed is never half old and half new", () => {
    const dir = newFolder();
    const { device } = openFolder(dir, "lamp", ports);
    // Where the new key would go, nothing can be written.
    mkdirSync(join(dir, "server.key.part.key", "in the way"), { recursive: true });
    expect(() => openFolder(dir, "lamp", later(400))).toThrow(/server\.key cannot be written/);
    rmSync(join(dir, "server.key.part.key"), { recursive: true });
    const again = openFolder(dir, "lamp", later(400));
    expect([again.created, again.device]).toEqual([true, device]);
  });

  it("USAGE_INVALID_ARGUMENT, and no bug, where something else than a file is in the way", () => {
    const dir = newFolder();
    mkdirSync(join(dir, "ca.crt"));
    expect(() => openFolder(dir, "lamp", ports)).toThrow(
      expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT", message: expect.stringContaining("ca.crt") }),
    );
    writeFileSync(join(dir, "file"), "");
    expect(() => openFolder(join(dir, "file"), "lamp", ports)).toThrow(/the folder .* cannot be made/);
  });

  it("says what to do where a file is damaged or belongs to another", () => {
    const dir = newFolder();
    const { device: first } = openFolder(dir, "lamp", ports);
    const { device: other } = openFolder(dir, "other", ports);
    writeFileSync(first.privateKeyFile, readFileSync(other.privateKeyFile));
    expect(() => openFolder(dir, "lamp", ports)).toThrow("delete the folder");
    writeFileSync(other.certificateFile, "nonsense");
    expect(() => openFolder(dir, "other", ports)).toThrow("delete the folder");
  });
});
