import { type AddressInfo, createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import type { TlsConnectionInfo } from "../../../src/tls/events.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { type MemoryPairOptions, memoryPair } from "../../../src/transport/memory.ts";
import { tcp } from "../../../src/transport/node/tcp.ts";
import { type TlsTransportOptions, tls } from "../../../src/transport/tls.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { pattern, Recorder, transportContract } from "./contract.ts";
import { acceptedTransport } from "./loopback.ts";
import { crypto, forClient, forLocalhost, makeAuthority, random } from "./pki.ts";
import { tlsPeerOver } from "./tls-server.ts";

const authority = makeAuthority("Test CA");
const server = authority.issue("server", forLocalhost);
const device = authority.issue("lamp", forClient);
const options: TlsTransportOptions = {
  serverName: "localhost",
  trust: authority.trust,
  identity: { certificates: [device.certificateDer], privateKey: parsePrivateKey(device.privateKey) },
  crypto,
  random,
  timers: nodeRuntime.timers,
  wallMs: nodeRuntime.clock.wallMs,
  now: nodeRuntime.clock.now,
};

transportContract("tls over memory", async () => {
  const [below, peerBelow] = memoryPair();
  return {
    client: tls(below, options),
    peer: tlsPeerOver(peerBelow, { authority, server }).then(acceptedTransport),
  };
});

transportContract("tls over memory, in small pieces, slices and buffers", async () => {
  const [below, peerBelow] = memoryPair({
    capacity: 5_000,
    toFirst: { pieceBytes: 777 },
    toSecond: { pieceBytes: 555 },
  });
  return {
    client: tls(below, { ...options, sliceUnits: 500 }),
    peer: tlsPeerOver(peerBelow, { authority, server }).then(acceptedTransport),
  };
});

interface Connected {
  readonly client: Recorder;
  readonly socket: TLSSocket;
  readonly below: Transport;
}

async function connected(more: Partial<TlsTransportOptions> = {}, pair: MemoryPairOptions = {}): Promise<Connected> {
  const [below, peerBelow] = memoryPair(pair);
  const peer = tlsPeerOver(peerBelow, { authority, server });
  const client = new Recorder(tls(below, { ...options, ...more })).open();
  const socket = await peer;
  await client.untilLogged("writable");
  return { client, socket, below };
}

describe("tls over any transport", () => {
  it("onSecured comes once, before the first onWritable, with the timeline", async () => {
    const infos: TlsConnectionInfo[] = [];
    const { client } = await connected({ onSecured: (info) => infos.push(info) });
    expect(infos).toHaveLength(1);
    expect(client.log).toEqual(["writable"]);
    expect(infos[0]?.statistics.timeline.map(({ message }) => message)).toEqual([
      "ClientHello",
      "ServerHello",
      "Certificate",
      "ServerKeyExchange",
      "CertificateRequest",
      "ServerHelloDone",
      "Certificate",
      "ClientKeyExchange",
      "CertificateVerify",
      "ChangeCipherSpec",
      "Finished",
      "ChangeCipherSpec",
      "Finished",
    ]);
  });

  it("what is committed leaves in one write of the transport below, header and tag with it", async () => {
    const { client, socket, below } = await connected();
    const writes: number[] = [];
    const write = below.write.bind(below);
    below.write = (bytes) => {
      writes.push(bytes.length);
      return write(bytes);
    };
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    const room = client.transport.reserve(100);
    room.set(pattern(40));
    client.call(() => client.transport.commit(40));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(writes).toEqual([5 + 8 + 40 + 16]);
    expect(Buffer.concat(received)).toEqual(Buffer.from(pattern(40)));
  });

  it("RFC 5246 §7.2.1: close_notify is an orderly end", async () => {
    const { client, socket } = await connected();
    socket.end("bye");
    await client.untilLogged("end");
    expect(Buffer.from(client.received).toString()).toBe("bye");
    expect(client.error).toBeUndefined();
  });

  it("RFC 5246 §7.2.1: an end below without close_notify is TLS_CLOSED_WITHOUT_NOTIFY, behind what came before", async () => {
    const [below, peerBelow] = memoryPair();
    const peer = tlsPeerOver(peerBelow, { authority, server });
    const client = new Recorder(tls(below, options)).open();
    const socket = await peer;
    await client.untilLogged("writable");
    socket.write("half a mess");
    await client.until(() => client.received.length === 11);
    peerBelow.shutdown();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_CLOSED_WITHOUT_NOTIFY", mbedtls: -0x7280 });
    expect(client.error).toMatchObject({ state: "ExpectTraffic", phase: "traffic" });
    expect(client.count("end")).toBe(0);
  });

  it("… and says so where our side was closed before", async () => {
    const [below, peerBelow] = memoryPair();
    const peer = tlsPeerOver(peerBelow, { authority, server });
    const client = new Recorder(tls(below, options)).open();
    await peer;
    await client.untilLogged("writable");
    client.call(() => client.transport.shutdown());
    peerBelow.shutdown();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_CLOSED_WITHOUT_NOTIFY", phase: "closing" });
  });

  it("an error of the transport below comes up as it is", async () => {
    const { client } = await connected({}, { toFirst: { cutAfter: 5_000 } }).then(async (all) => {
      all.socket.write(Buffer.alloc(20_000));
      return all;
    });
    await client.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TRANSPORT_RESET", layer: "transport" });
  });

  it("shutdown says close_notify behind what was written", async () => {
    const { client, socket } = await connected();
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    const ended = new Promise((resolve) => socket.on("end", resolve));
    client.transport.write(pattern(10));
    client.transport.shutdown();
    await ended;
    expect(Buffer.concat(received)).toEqual(Buffer.from(pattern(10)));
  });

  it("destroy wipes the keys; what was written at once before still leaves, without close_notify", async () => {
    const { client, socket } = await connected();
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    const over = new Promise((resolve) => socket.on("close", resolve));
    client.transport.write(pattern(10));
    client.transport.destroy();
    await over;
    expect(Buffer.concat(received)).toEqual(Buffer.from(pattern(10)));
    expect(client.transport.write(pattern(1))).toBe(0);
  });

  it("pause feeds no more; what the app writes still leaves", async () => {
    const { client, socket, below } = await connected();
    let pausedBelow = false;
    const { pause, resume } = below;
    below.pause = () => {
      pausedBelow = true;
      pause.call(below);
    };
    below.resume = () => {
      pausedBelow = false;
      resume.call(below);
    };
    client.transport.pause();
    expect(pausedBelow).toBe(true);
    socket.write(Buffer.alloc(100_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const held = client.received.length;
    expect(held).toBeLessThan(100_000);
    const answer = new Promise<Buffer>((resolve) => socket.once("data", resolve));
    client.transport.write(pattern(3));
    expect(await answer).toEqual(Buffer.from(pattern(3)));
    client.transport.resume();
    await client.until(() => client.received.length === 100_000);
    expect(pausedBelow).toBe(false);
  });

  it("long computation lets other timers run", async () => {
    let turns = 0;
    const beat = setInterval(() => turns++, 0);
    const slices: number[] = [];
    await connected({
      sliceUnits: 200,
      timers: {
        set: (delay, fire) => {
          if (delay === 0) slices.push(delay);
          return nodeRuntime.timers.set(delay, fire);
        },
      },
    });
    clearInterval(beat);
    expect(slices.length).toBeGreaterThan(10);
    expect(turns).toBeGreaterThan(1);
  });

  it("a handshake that does not end in time is TRANSPORT_HANDSHAKE_TIMEOUT; the time starts with the connection below", async () => {
    const [below] = memoryPair();
    const client = new Recorder(tls(below, { ...options, handshakeTimeoutMs: 20 })).open();
    await client.untilLogged("error");
    expect(client.error).toMatchObject({
      code: "TRANSPORT_HANDSHAKE_TIMEOUT",
      mbedtls: -0x6800,
      data: { timeoutMs: 20 },
    });
  });

  it("the time of the handshake ends with the handshake", async () => {
    const { client } = await connected({ handshakeTimeoutMs: 400 });
    await new Promise((resolve) => setTimeout(resolve, 450));
    expect(client.log).toEqual(["writable"]);
  });

  it("on TCP, an alert reaches the peer, although the socket is destroyed right behind it and there is more to read", async () => {
    const received: Buffer[] = [];
    const listener = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes) => received.push(bytes));
      socket.once("data", () => socket.write(Buffer.concat([Buffer.of(99, 3, 3, 0, 1, 0), Buffer.alloc(200_000)])));
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const client = new Recorder(tls(tcp({ host: "127.0.0.1", port }), options)).open();
    await client.untilLogged("error");
    await expect.poll(() => [...Buffer.concat(received).subarray(-7)]).toEqual([21, 3, 3, 0, 2, 2, 10]);
    listener.close();
  });

  it("an alert that explains a failure reaches the peer before the end", async () => {
    const [below, far] = memoryPair();
    const peer = new Recorder(far).open();
    const client = new Recorder(tls(below, options)).open();
    await peer.untilLogged("data");
    // A record of no known type.
    far.write(Uint8Array.of(99, 3, 3, 0, 1, 0));
    await client.untilLogged("error");
    await peer.untilLogged("error");
    expect(client.error).toMatchObject({ code: "TLS_INVALID_RECORD", blame: "peer" });
    expect([...peer.received.slice(-7)]).toEqual([21, 3, 3, 0, 2, 2, 10]);
  });
});
