/** A thing that comes back by an abbreviated handshake, where its app wants that and the server can. */
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ConnectThingOptions, connectThing, type Thing } from "../../../src/runtime/node.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { tcp } from "../../../src/transport/node/tcp.ts";
import * as fixtures from "../tls/fixtures.ts";
import { ScriptedServer } from "../tls/scripted-server.ts";
import { forClient, forLocalhost, makeAuthority } from "../transport/pki.ts";
import { listenTls } from "../transport/tls-server.ts";
import { answering, droppingAfter } from "./scripted-broker.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Connects, and resolves once the thing has connected twice. */
async function twice(options: Omit<ConnectThingOptions, "endpoint" | "thingName">): Promise<readonly boolean[]> {
  const resumed: boolean[] = [];
  let again = (): void => {};
  const secondTime = new Promise<void>((resolve) => {
    again = resolve;
  });
  const thing: Thing = await connectThing({
    endpoint: "localhost",
    thingName: "lamp",
    reconnect: { minMs: 1, maxMs: 1 },
    onSecured: (info) => {
      resumed.push(info.resumed);
      if (resumed.length === 2) again();
    },
    ...options,
  });
  closers.push(() => thing.close());
  await secondTime;
  return resumed;
}

describe("RFC 5077 §3.1 with Node's server, which drops the first connection", () => {
  const authority = makeAuthority("Test CA");
  const server = authority.issue("server", forLocalhost);
  const { certificate, privateKey } = authority.issue("lamp", forClient);

  it.each([
    ["a thing that wants resumption comes back by an abbreviated handshake", { resumption: true }, [false, true]],
    ["one that does not shakes hands in full", "own", [false, false]],
  ] as const)("%s", async (_title, tls, expected) => {
    const listener = await listenTls({ authority, server });
    closers.push(listener.close);
    const serve = async (): Promise<void> => {
      for (const script of [droppingAfter(5), answering()]) {
        const socket = await listener.accept();
        script(socket);
        socket.resume();
      }
    };
    void serve();
    expect(await twice({ port: listener.port, certificate, privateKey, trust: authority.pem, tls })).toEqual(expected);
  });
});

/**
 * A server that gives each connection a session ID of its own, answers CONNECT, and ends as told. Tells the IDs that were offered.
 * `onOffer`: what it does instead of an answer to a client that offers a session.
 */
async function idServer(
  ending: "alert" | "end",
  onOffer?: (socket: Socket) => unknown,
): Promise<{ readonly port: number; readonly offered: Uint8Array[] }> {
  const offered: Uint8Array[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const sessionId = new Uint8Array(32).fill(offered.length + 1);
    const server: ScriptedServer = new ScriptedServer({ hello: (right) => ({ ...right, sessionId }) });
    socket.on("data", (chunk: Buffer) => {
      const isHello = server.clientHello === undefined;
      const answer = server.receive(chunk);
      if (isHello) offered.push(server.clientHello!.sessionId.slice());
      if (isHello && onOffer !== undefined && server.clientHello!.sessionId.length > 0) {
        onOffer(socket);
        return;
      }
      socket.write(answer);
      if (server.data.splice(0).length === 0) return;
      socket.write(server.seal(ContentType.application_data, Uint8Array.of(0x20, 2, 0, 0)));
      if (offered.length > 1) return;
      if (ending === "alert") socket.write(server.seal(ContentType.alert, Uint8Array.of(2, 49)));
      socket.end();
      socket.removeAllListeners("data").resume();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => listener.close(() => resolve()));
  });
  return { port: (listener.address() as { port: number }).port, offered };
}

describe("the session of a connection that was lost", () => {
  const credentials = {
    certificate: fixtures.ecClientCertificate,
    privateKey: fixtures.ecClientKey,
    trust: fixtures.caCertificate,
    tls: { resumption: true },
  } as const;

  it("RFC 5246 §7.2.1 is offered again where the stream just ended", async () => {
    const { port, offered } = await idServer("end");
    await twice({ port, ...credentials });
    expect(offered).toEqual([new Uint8Array(0), new Uint8Array(32).fill(1)]);
  });

  it("RFC 5246 §7.2.2 is forgotten where it ended with a fatal alert", async () => {
    const { port, offered } = await idServer("alert");
    await twice({ port, ...credentials });
    expect(offered).toEqual([new Uint8Array(0), new Uint8Array(0)]);
  });

  it.each<[string, (socket: Socket) => unknown]>([
    ["hangs up", (socket) => socket.end()],
    ["resets the connection", (socket) => socket.resetAndDestroy()],
    ["says nothing any more", () => {}],
  ])("is forgotten where a server that is offered it %s: the next handshake is a full one", async (_title, onOffer) => {
    const { port, offered } = await idServer("end", onOffer);
    await twice({ port, ...credentials, timeouts: { handshakeMs: 1500 } });
    expect(offered).toEqual([new Uint8Array(0), new Uint8Array(32).fill(1), new Uint8Array(0)]);
  });

  it("is kept where the server could not be reached", async () => {
    const { port, offered } = await idServer("end");
    let dials = 0;
    const dial = () => tcp({ host: "localhost", port: ++dials === 2 ? 1 : port });
    await twice({ port, ...credentials, dial });
    expect(dials).toBe(3);
    expect(offered).toEqual([new Uint8Array(0), new Uint8Array(32).fill(1)]);
  });
});
