import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { ThingwireError } from "../../../src/errors.ts";
import type { Logger } from "../../../src/ports.ts";
import { type ConnectThingOptions, connectThing, type Thing } from "../../../src/runtime/node.ts";
import { finish } from "../../../src/task.ts";
import type { Signer } from "../../../src/tls/events.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { memoryPair } from "../../../src/transport/memory.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { crypto, forClient, forLocalhost, type Issued, makeAuthority, random } from "../transport/pki.ts";
import { listenTls, tlsPeerOver } from "../transport/tls-server.ts";
import {
  answering,
  closingOnConnect,
  droppingAfter,
  droppingOnConnect,
  type Script,
  silentScript,
} from "./scripted-broker.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const device = authority.issue("lamp", forClient);
const stranger = makeAuthority("Another CA");

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function broker(script: Script, shown: Issued = server): Promise<number> {
  const listener = await listenTls({ authority, server: shown });
  closers.push(listener.close);
  const serve = async (): Promise<void> => {
    for (;;) {
      const socket = await listener.accept();
      script(socket);
      socket.resume();
    }
  };
  void serve();
  return listener.port;
}

/** A server that speaks no TLS: it does what `onBytes` says at the first bytes. */
async function plain(onBytes: (socket: import("node:net").Socket) => void): Promise<number> {
  const listener: Server = createServer((socket) => {
    socket.on("error", () => {});
    closers.push(() => socket.destroy());
    socket.once("data", () => onBytes(socket));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  closers.push(() => void listener.close());
  return (listener.address() as { port: number }).port;
}

function connect(port: number, more: Partial<ConnectThingOptions> = {}): Promise<Thing> {
  return connectThing({
    endpoint: "localhost",
    port,
    thingName: "lamp",
    certificate: device.certificate,
    privateKey: device.privateKey,
    trust: authority.pem,
    reconnect: false,
    ...more,
  });
}

async function failure(promise: Promise<Thing>): Promise<ThingwireError & { phase?: string; cause?: ThingwireError }> {
  try {
    const thing = await promise;
    await thing.close();
  } catch (error) {
    return error as ThingwireError & { phase?: string; cause?: ThingwireError };
  }
  throw new Error("it connected");
}

function collector(): { lines: string[]; log: Logger } {
  const lines: string[] = [];
  return {
    lines,
    log: { enabled: () => true, log: (level, tag, message) => lines.push(`${level} ${tag} ${message}`) },
  };
}

describe.each(["own", "native"] as const)("connectThing with %s TLS", (tls) => {
  it("connects, and closes in order", async () => {
    const thing = await connect(await broker(answering()), { tls });
    expect(thing.mqtt.state).toBe("connected");
    expect(thing.thingName).toBe("lamp");
    if (tls === "own") {
      expect(thing.info?.suite.name).toBe("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
      expect(thing.info?.peer.path[0]?.subject.toString()).toBe("CN = server");
    } else {
      expect(thing.info).toBeUndefined();
      expect(thing.nativeInfo).toMatchObject({ protocol: "TLSv1.2" });
    }
    await thing.close();
    await thing.close();
    expect(thing.mqtt.state).toBe("closed");
  });

  it("takes certificate, key and CA as DER", async () => {
    const thing = await connect(await broker(answering()), {
      tls,
      certificate: device.certificateDer,
      privateKey: device.privateKeyDer,
      trust: new TextEncoder().encode(authority.pem),
    });
    await thing.close();
  });

  it("an untrusted server: THING_SERVER_REJECTED, X509_NOT_TRUSTED", async () => {
    const error = await failure(connect(await broker(answering()), { tls, trust: stranger.pem }));
    expect(error).toMatchObject({ code: "THING_SERVER_REJECTED", phase: "handshake", sdk: -4, mbedtls: -0x2700 });
    expect(JSON.stringify(error)).toContain("X509_NOT_TRUSTED");
    expect(error.hint).toMatch(/CA/);
  });

  it("an expired server: X509_EXPIRED", async () => {
    const expired = authority.issue("server", forLocalhost, { from: -20, to: -10 });
    const error = await failure(connect(await broker(answering(), expired), { tls }));
    expect(error).toMatchObject({ code: "THING_SERVER_REJECTED", phase: "handshake" });
    expect(JSON.stringify(error)).toContain("X509_EXPIRED");
  });

  it("a server with another name: X509_NAME_MISMATCH", async () => {
    const other = authority.issue("server", { ...forLocalhost, dnsNames: ["example.test"], ipAddresses: [] });
    const error = await failure(connect(await broker(answering(), other), { tls }));
    expect(error).toMatchObject({ code: "THING_SERVER_REJECTED", phase: "handshake" });
    expect(JSON.stringify(error)).toContain("X509_NAME_MISMATCH");
    expect(error.message).toContain("example.test");
  });

  it("a server that accepts and then says nothing: THING_HANDSHAKE_TIMEOUT", async () => {
    const port = await plain(() => {});
    const error = await failure(connect(port, { tls, timeouts: { dialMs: 50, handshakeMs: 100 } }));
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_TIMEOUT", phase: "handshake", mbedtls: -0x6800, sdk: -6 });
  });

  it("a server that speaks something else: THING_HANDSHAKE_FAILED", async () => {
    const port = await plain((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const error = await failure(connect(port, { tls }));
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_FAILED", phase: "handshake", sdk: -4 });
    expect(error.hint).toContain("8883");
  });

  it("a server that hangs up in the handshake: THING_HANDSHAKE_FAILED", async () => {
    const error = await failure(connect(await plain((socket) => socket.end()), { tls }));
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_FAILED", phase: "handshake" });
  });

  it("a broker that finishes TLS and then says nothing: THING_CONNACK_TIMEOUT, -28", async () => {
    const port = await broker(silentScript);
    const error = await failure(connect(port, { tls, timeouts: { connackMs: 80 } }));
    expect(error).toMatchObject({ code: "THING_CONNACK_TIMEOUT", phase: "connect", sdk: -28 });
  });

  it("a broker that closes instead of CONNACK: THING_CLOSED_AFTER_HANDSHAKE, -28, the causes in order", async () => {
    const error = await failure(connect(await broker(closingOnConnect), { tls }));
    expect(error).toMatchObject({ code: "THING_CLOSED_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
    expect(error.hint).toMatch(/1\. .*ACTIVE.*2\. a policy.*3\. the thing/);
  });

  it("a broker that drops the connection instead of CONNACK: the same", async () => {
    const error = await failure(connect(await broker(droppingOnConnect), { tls }));
    expect(error).toMatchObject({ code: "THING_CLOSED_AFTER_HANDSHAKE", phase: "connect", sdk: -28 });
  });

  it("CONNACK 5: THING_CONNECT_REFUSED with the C SDK's -41", async () => {
    const error = await failure(connect(await broker(answering(5)), { tls }));
    expect(error).toMatchObject({ code: "THING_CONNECT_REFUSED", phase: "connect", sdk: -41 });
    expect(error.cause).toMatchObject({ code: "MQTT_REFUSED_NOT_AUTHORIZED" });
    expect(error.hint).toContain("iot:Connect");
  });

  it("nobody listens: THING_ENDPOINT_UNREACHABLE, -24; it is told once", async () => {
    const interrupted: ThingwireError[] = [];
    const error = await failure(connect(1, { tls, onInterrupted: (lost) => interrupted.push(lost) }));
    expect(interrupted).toEqual([]);
    expect(error).toMatchObject({ code: "THING_ENDPOINT_UNREACHABLE", phase: "tcp", sdk: -24, blame: "network" });
    expect(error.message).toContain("localhost:1");
  });

  it("an unknown host: THING_ENDPOINT_NOT_FOUND, -23", async () => {
    const error = await failure(connect(8883, { tls, endpoint: "no-such-host.invalid" }));
    expect(error).toMatchObject({ code: "THING_ENDPOINT_NOT_FOUND", phase: "dns", sdk: -23 });
  });

  it("a key of another certificate: THING_KEY_MISMATCH before anything is dialled", async () => {
    const { privateKey } = authority.issue("other", forClient);
    const error = await failure(connect(1, { tls, privateKey }));
    expect(error).toMatchObject({ code: "THING_KEY_MISMATCH", phase: "credentials", blame: "caller" });
    expect(error.cause).toMatchObject({ code: "X509_KEY_MISMATCH" });
  });

  it("a lost connection is told with its phase", async () => {
    const told = await new Promise<ThingwireError & { phase: string }>((resolve, reject) => {
      broker(droppingAfter(20))
        .then((port) => connect(port, { tls, onInterrupted: resolve }))
        .catch(reject);
    });
    expect(told).toMatchObject({ code: "THING_SESSION_LOST", phase: "session", sdk: -13 });
  });
});

describe("connectThing: bad input", () => {
  const cases: readonly [string, Partial<ConnectThingOptions>, string, string][] = [
    ["no certificate", { certificate: undefined }, "THING_CERTIFICATE_UNUSABLE", "none was given"],
    ["an empty certificate", { certificate: "" }, "THING_CERTIFICATE_UNUSABLE", ""],
    ["text that is no PEM", { certificate: "hello" }, "THING_CERTIFICATE_UNUSABLE", "hello"],
    ["the key as certificate", { certificate: device.privateKey }, "THING_CERTIFICATE_UNUSABLE", "PRIVATE KEY"],
    ["a PEM that was cut off", { certificate: device.certificate.slice(0, 200) }, "THING_CERTIFICATE_UNUSABLE", "cut"],
    ["DER that was cut off", { certificate: device.certificateDer.subarray(0, 99) }, "THING_CERTIFICATE_UNUSABLE", ""],
    ["no key", { privateKey: undefined }, "THING_KEY_UNUSABLE", "signer"],
    ["the certificate as key", { privateKey: device.certificate }, "THING_KEY_UNUSABLE", "CERTIFICATE"],
    ["a key that was cut off", { privateKey: device.privateKey.slice(0, 80) }, "THING_KEY_UNUSABLE", ""],
    ["bytes that are no key", { privateKey: new Uint8Array(40) }, "THING_KEY_UNUSABLE", ""],
    ["a CA that is none", { trust: "nothing" }, "THING_TRUST_UNUSABLE", "nothing"],
    ["no CA", { trust: [] }, "THING_TRUST_UNUSABLE", "empty"],
  ];
  it.each(cases)("%s: one clear error, phase credentials", async (_title, more, code, text) => {
    const error = await failure(connect(1, more));
    expect(error).toMatchObject({ code, phase: "credentials", blame: "caller", retry: false });
    expect(error.message).toContain(text);
    expect(error.hint.length).toBeGreaterThan(20);
    expect(error.message).not.toContain(device.privateKey.slice(40, 80));
  });

  it.each([
    [{ endpoint: "mqtts://localhost" }, "endpoint"],
    [{ endpoint: "localhost:8883" }, "endpoint"],
    [{ endpoint: "" }, "endpoint"],
    [{ thingName: "a lamp" }, "thingName"],
    [{ thingName: "" }, "thingName"],
    [{ port: 70_000 }, "port"],
    [{ tls: "native" as const, privateKey: undefined, signer: { sign: () => new Uint8Array(1) } }, "signer"],
    [{ tls: "native" as const, dial: () => memoryPair()[0] }, "dial"],
  ])("%j is a UsageError that names the argument", async (more, name) => {
    const error = await failure(connect(1, more));
    expect(error).toMatchObject({ code: "USAGE_INVALID_ARGUMENT", blame: "caller" });
    expect(error.message).toContain(name);
  });

  it("timeoutMs ends the whole call", async () => {
    const error = await failure(connect(await plain(() => {}), { timeoutMs: 60 }));
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_TIMEOUT", phase: "handshake" });
  });

  it("an AbortSignal ends it, before and meanwhile", async () => {
    expect(await failure(connect(1, { signal: AbortSignal.abort() }))).toMatchObject({ code: "USAGE_ABORTED" });
    const port = await plain(() => {});
    const error = await failure(connect(port, { signal: AbortSignal.timeout(40) }));
    expect(error).toMatchObject({ code: "USAGE_ABORTED" });
  });
});

describe("connectThing", () => {
  /** A peer behind `dial` that runs Node's TLS server over memory. */
  function dialTo(script: Script, extra = {}): () => ReturnType<typeof memoryPair>[0] {
    return () => {
      const [near, far] = memoryPair();
      void tlsPeerOver(far, { authority, server, extra }).then(script);
      return near;
    };
  }

  it("port 443 offers ALPN x-amzn-mqtt-ca, 8883 none", async () => {
    const dial = dialTo(answering(), { ALPNProtocols: ["x-amzn-mqtt-ca"] });
    const withAlpn = await connect(443, { dial });
    expect(withAlpn.info?.alpn).toBe("x-amzn-mqtt-ca");
    await withAlpn.close();
    const without = await connect(8883, { dial });
    expect(without.info?.alpn).toBeUndefined();
    await without.close();
  });

  it("an alert in the handshake: THING_HANDSHAKE_REFUSED, -0x7780, the causes in order", async () => {
    const [near, far] = memoryPair();
    far.open({
      onData: () => void far.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 42)),
      onWritable: () => {},
      onEnd: () => {},
      onError: () => {},
    });
    const error = await failure(connect(8883, { dial: () => near }));
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_REFUSED", phase: "handshake", mbedtls: -0x7780, sdk: -4 });
    expect(error.message).toContain("bad_certificate (42)");
    expect(error.hint).toMatch(/1\. private key and certificate.*2\. .*ACTIVE.*3\. the endpoint/);
  });

  it("an asynchronous signer instead of the key", async () => {
    const key = parsePrivateKey(device.privateKey);
    const asked: string[] = [];
    const signer: Signer = {
      sign: async (scheme, digest) => {
        asked.push(scheme.name);
        await new Promise((resolve) => setTimeout(resolve, 10));
        return finish(crypto.sign(scheme, key, digest, random));
      },
    };
    const thing = await connect(8883, { dial: dialTo(answering()), privateKey: undefined, signer });
    expect(asked).toEqual(["ecdsa_secp256r1_sha256"]);
    await thing.close();
  });

  it("a signer that fails: THING_KEY_UNUSABLE, and no hang", async () => {
    const signer: Signer = { sign: () => Promise.reject(new Error("the chip does not answer")) };
    const error = await failure(connect(8883, { dial: dialTo(answering()), privateKey: undefined, signer }));
    expect(error).toMatchObject({ code: "THING_KEY_UNUSABLE" });
    expect(error.message).toContain("the chip does not answer");
  });

  it("transport: above TLS, without certificate and key", async () => {
    const [near, far] = memoryPair();
    far.open({
      onData: (view) => void (view[0] === 0x10 && far.write(Uint8Array.of(0x20, 2, 0, 0))),
      onWritable: () => {},
      onEnd: () => far.shutdown(),
      onError: () => {},
    });
    const thing = await connectThing({ endpoint: "localhost", thingName: "lamp", transport: () => near });
    expect(thing.mqtt.state).toBe("connected");
    expect(thing.info).toBeUndefined();
    await thing.close();
  });

  it.each([
    [false, ["interrupted", "rejected THING_SESSION_LOST -13"]],
    [undefined, ["interrupted", "resolved, waiting"]],
  ] as const)("a close in one piece with CONNACK is a lost session, with reconnect %s", async (reconnect, expected) => {
    const told: string[] = [];
    const transport = (): Transport => {
      const [near, far] = memoryPair();
      far.open({ onData: () => {}, onWritable: () => {}, onEnd: () => {}, onError: () => {} });
      return {
        ...{ description: "one piece", pause: () => {}, resume: () => {}, shutdown: () => {}, destroy: () => {} },
        ...{ write: (bytes) => near.write(bytes), reserve: (n) => near.reserve(n), commit: (n) => near.commit(n) },
        open: (handler) =>
          near.open({
            ...handler,
            onWritable: (room) => {
              handler.onWritable(room);
              queueMicrotask(() => {
                handler.onData(Uint8Array.of(0x20, 2, 0, 0));
                handler.onEnd();
              });
            },
          }),
      };
    };
    await connectThing({
      ...{ endpoint: "localhost", thingName: "lamp", transport, reconnect },
      onInterrupted: ({ code }) => void (code === "THING_SESSION_LOST" && told.push("interrupted")),
    }).then(
      (thing) => {
        told.push(`resolved, ${thing.mqtt.state}`);
        closers.push(() => thing.close());
      },
      ({ code, sdk }: ThingwireError) => told.push(`rejected ${code} ${sdk}`),
    );
    expect(told).toEqual(expected);
  });

  it("gives one shadow client a name", async () => {
    const thing = await connect(8883, { dial: dialTo(answering()) });
    expect(thing.shadow()).toBe(thing.shadow());
    expect(thing.shadow("night-mode")).not.toBe(thing.shadow());
    // Nobody answers SUBSCRIBE here.
    await thing.close({ timeoutMs: 50 });
  });

  it("logs endpoint, certificates, what was negotiated and CONNACK at debug, and no key", async () => {
    const { lines, log } = collector();
    const thing = await connect(8883, { dial: dialTo(answering()), log });
    await thing.close();
    const text = lines.join("\n");
    expect(text).toContain("debug thing endpoint localhost:8883, thing lamp");
    expect(text).toContain("debug thing device certificate 1 of 1: CN = lamp, issued by CN = Test CA");
    expect(text).toContain("debug thing server certificate 1 of 1: CN = server, issued by CN = Test CA");
    expect(text).toContain("Not Before:");
    expect(text).toContain("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    expect(text).toContain("debug thing CONNACK: accepted, session present no");
    const key = parsePrivateKey(device.privateKey);
    const scalar = key.type === "ec" ? Buffer.from(key.scalar).toString("hex") : "";
    expect(text.toLowerCase().replaceAll(":", "")).not.toContain(scalar);
  });

  it("warns of a device certificate that has expired, and of an endpoint without -ats", async () => {
    const { lines, log } = collector();
    const old = authority.issue("lamp", forClient, { from: -20, to: -10 });
    await failure(
      connect(8883, {
        dial: () => memoryPair({ toFirst: { stallAfter: 0 } })[0],
        certificate: old.certificate,
        privateKey: old.privateKey,
        endpoint: "abc123.iot.eu-west-1.amazonaws.com",
        timeouts: { handshakeMs: 20 },
        log,
      }),
    );
    expect(lines.some((line) => line.startsWith("warn thing the device's certificate expired on"))).toBe(true);
    expect(lines.some((line) => line.startsWith("warn thing the endpoint has no -ats"))).toBe(true);
  });
});
