import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { acceptedSocket } from "../../../src/simulator/node/accepted-socket.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import { admitByTrust } from "../../../src/tls/server.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { type MemoryPairOptions, memoryPair } from "../../../src/transport/memory.ts";
import { tcp } from "../../../src/transport/node/tcp.ts";
import { type TlsTransportOptions, tls } from "../../../src/transport/tls.ts";
import {
  type TlsServerTransport,
  type TlsServerTransportOptions,
  tlsServer,
} from "../../../src/transport/tls-server.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { pattern, Recorder, transportContract } from "./contract.ts";
import { crypto, forClient, forLocalhost, makeAuthority, random } from "./pki.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const device = authority.issue("lamp", forClient);
const { timers, clock } = nodeRuntime;
const ports = { crypto, random, timers, now: clock.now };
const clientOptions: TlsTransportOptions = {
  ...ports,
  serverName: "localhost",
  trust: authority.trust,
  identity: { certificates: [device.certificateDer], privateKey: parsePrivateKey(device.privateKey) },
  wallMs: clock.wallMs,
};
const identity = { certificates: [server.certificateDer], privateKey: parsePrivateKey(server.privateKey) };
const serverOptions: TlsServerTransportOptions = {
  ...ports,
  select: () => ({ identity }),
  clientCertificate: "require",
  admit: admitByTrust({ trust: authority.trust, crypto, wallMs: clock.wallMs }),
};

transportContract("tlsServer over memory", async () => {
  const [below, peerBelow] = memoryPair();
  return { client: tlsServer(below, serverOptions), peer: tls(peerBelow, clientOptions) };
});

transportContract("tls over memory, served by tlsServer in small pieces and slices", async () => {
  const [below, peerBelow] = memoryPair({
    capacity: 5_000,
    toFirst: { pieceBytes: 777 },
    toSecond: { pieceBytes: 555 },
  });
  return { client: tls(below, clientOptions), peer: tlsServer(peerBelow, { ...serverOptions, sliceUnits: 500 }) };
});

function started(more: Partial<TlsServerTransportOptions> = {}, pair: MemoryPairOptions = {}) {
  const [below, peerBelow] = memoryPair(pair);
  const transport: TlsServerTransport = tlsServer(peerBelow, { ...serverOptions, ...more });
  const served = new Recorder(transport).open();
  const client = new Recorder(tls(below, clientOptions)).open();
  return { transport, served, client };
}

async function connected(more: Partial<TlsServerTransportOptions> = {}) {
  const both = started(more);
  await both.client.untilLogged("writable");
  await both.served.untilLogged("writable");
  return both;
}

describe("tlsServer over any transport", () => {
  it("onSecured comes once, before the first onWritable, and says who the client is", async () => {
    const order: string[] = [];
    const { transport, served } = started({
      onSecured: ({ clientCertificates }) => order.push(`${clientCertificates[0]?.subject}, ${served.log.length}`),
    });
    await served.untilLogged("writable");
    expect(order).toEqual([expect.stringMatching(/lamp.*, 0$/)]);
    expect(transport.info?.clientCertificates[0]?.der).toEqual(device.certificateDer);
  });

  it("RFC 5246 §7.2.2: abort sends the alert behind what was written before, and no callback follows", async () => {
    const { transport, served, client } = await connected();
    transport.write(pattern(500));
    transport.abort(Alert.certificate_unknown);
    await client.untilLogged("error");
    expect(client.received).toEqual(pattern(500));
    expect(client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 46, mbedtls: -0x7780 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(served.log).toEqual(["writable"]);
    transport.abort(Alert.access_denied);
    expect(transport.write(pattern(1))).toBe(0);
  });

  it("RFC 5246 §7.2.2: a client that is refused gets the alert, and the owner the error", async () => {
    const { served, client } = started({ admit: () => Alert.unknown_ca });
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 48 });
    await served.untilLogged("error");
    expect(served.error).toMatchObject({ code: "TLS_CLIENT_REFUSED", alert: 48 });
    expect(served.log).toEqual(["error"]);
  });

  it("RFC 5246 §7.2.1: who drops it ends the stream without close_notify, and the client sees a truncation", async () => {
    const { transport, client } = await connected();
    transport.destroy();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_CLOSED_WITHOUT_NOTIFY" });
  });

  it("RFC 5246 §7.2.1: shutdown says close_notify", async () => {
    const { transport, client } = await connected();
    transport.write(pattern(10));
    transport.shutdown();
    await client.untilLogged("end");
    expect(client.received).toEqual(pattern(10));
  });

  it("a client that does not start its handshake in time is TRANSPORT_HANDSHAKE_TIMEOUT", async () => {
    const [, below] = memoryPair();
    const served = new Recorder(tlsServer(below, { ...serverOptions, handshakeTimeoutMs: 20 })).open();
    await served.untilLogged("error");
    expect(served.error?.code).toBe("TRANSPORT_HANDSHAKE_TIMEOUT");
  });

  it("a signer outside of the engine signs the key exchange", async () => {
    const { privateKey } = identity;
    const { finish } = await import("../../../src/task.ts");
    const signer = {
      sign: async (scheme: Parameters<typeof crypto.sign>[0], digest: Uint8Array) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return finish(crypto.sign(scheme, privateKey, digest, random));
      },
    };
    await connected({ select: () => ({ identity: { certificates: identity.certificates, signer } }) });
  });

  it("a script delays by the timers, and by the client", async () => {
    const { served, client } = started({
      deviations: [
        { on: "ServerKeyExchange", delayMs: 60 },
        { on: "ApplicationData", untilClientSpeaks: true },
      ],
    });
    const before = performance.now();
    await client.untilLogged("writable");
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
    await served.untilLogged("writable");
    served.transport.write(pattern(7));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(client.received).toHaveLength(0);
    client.transport.write(pattern(3));
    await client.untilLogged("data");
    expect(client.received).toEqual(pattern(7));
  });

  it("a script delays the last word too: an alert, and close_notify", async () => {
    const deviations = [{ on: "Alert", delayMs: 60 }] as const;
    const before = performance.now();
    const refused = started({ deviations, admit: () => Alert.unknown_ca });
    await refused.served.untilLogged("error");
    await refused.client.untilLogged("error");
    expect(refused.client.error).toMatchObject({ alert: 48 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(55);
    const aborted = await connected({ deviations });
    aborted.transport.abort(Alert.access_denied);
    await aborted.client.untilLogged("error");
    expect(aborted.client.error).toMatchObject({ alert: 49 });
    const ended = await connected({ deviations });
    ended.transport.shutdown();
    await ended.client.untilLogged("end");
    const gone = await connected({ deviations });
    gone.transport.abort(Alert.access_denied);
    gone.client.transport.destroy();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(gone.served.log).toEqual(["writable"]);
  });

  it("a script ends the stream in the middle of a record: the client sees the end below", async () => {
    const { served, client } = started({ deviations: [{ on: "Certificate", endAfter: 20 }] });
    await client.untilLogged("error");
    expect(client.error?.code).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
    await served.untilLogged("error");
  });

  it.each([false, true])(
    "lets go of the stream below once the client has read the alert (paused: %s)",
    async (paused) => {
      const [below, peerBelow] = memoryPair();
      const calls: string[] = [];
      const watched: Transport = new Proxy(peerBelow, {
        get(target, property) {
          const value = Reflect.get(target, property);
          if (typeof value !== "function") return value;
          if (property === "shutdown" || property === "destroy") calls.push(property);
          return value.bind(target);
        },
      });
      const transport = tlsServer(watched, serverOptions);
      const served = new Recorder(transport).open();
      const client = new Recorder(tls(below, clientOptions)).open();
      await client.untilLogged("writable");
      await served.untilLogged("writable");
      if (paused) transport.pause();
      client.transport.write(pattern(100));
      transport.abort(Alert.access_denied);
      expect(calls).toEqual(["shutdown"]);
      await client.untilLogged("error");
      await expect.poll(() => calls, { timeout: 1_000 }).toEqual(["shutdown", "destroy"]);
    },
  );

  it("no timer of it is left once it is dropped", async () => {
    let running = 0;
    const counted = {
      set(ms: number, action: () => void) {
        let isRunning = true;
        running++;
        const end = (): void => {
          if (isRunning) running--;
          isRunning = false;
        };
        const cancel = timers.set(ms, () => {
          end();
          action();
        });
        return () => {
          end();
          cancel();
        };
      },
    };
    const { transport, client } = started({
      timers: counted,
      deviations: [{ on: "ServerKeyExchange", delayMs: 60_000 }],
    });
    await expect.poll(() => running).toBe(2);
    transport.destroy();
    await client.untilLogged("error");
    await expect.poll(() => running).toBe(0);
  });

  it("on TCP the alert reaches a client that is still sending", async () => {
    const all = new Set<Transport>();
    const listener = createServer({ allowHalfOpen: true }, (socket) => {
      const transport = tlsServer(acceptedSocket(socket, "tcp"), serverOptions);
      all.add(transport);
      transport.open({
        onData: () => transport.abort(Alert.access_denied),
        onWritable: () => {},
        onEnd: () => {},
        onError: () => {},
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    for (let i = 0; i < 10; i++) {
      const client = new Recorder(tls(tcp({ host: "127.0.0.1", port }), clientOptions)).open();
      await client.untilLogged("writable");
      for (let taken = 1; taken > 0; ) taken = client.transport.write(pattern(5_000));
      await client.untilLogged("error");
      expect(client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 49 });
    }
    listener.close();
  });
});
