/**
 * Resumption with Node's TLS server, by ticket and by session ID: what a server that is not ours makes of our abbreviated handshakes.
 */
import { constants } from "node:crypto";
import tls from "node:tls";
import { describe, expect, it } from "vitest";
import { TlsClient } from "../../../src/tls/client.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { TlsClientOptions, TlsConnectionInfo, TlsEvent } from "../../../src/tls/events.ts";
import { presets } from "../../../src/tls/presets.ts";
import { ecIdentity, options } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { type NodeServer, nodePeer, pump, tick } from "./node-peer.ts";

/** A server with a memory of its own for sessions by ID. */
function server(more: tls.TlsOptions = {}): tls.Server {
  const created = tls.createServer({
    cert: fixtures.ecServerCertificate,
    key: fixtures.ecServerKey,
    ca: fixtures.caCertificate,
    requestCert: true,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ...more,
  });
  const sessions = new Map<string, Buffer>();
  created.on("newSession", (id: Buffer, data: Buffer, done: () => void) => {
    sessions.set(id.toString("hex"), data);
    done();
  });
  created.on("resumeSession", (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) =>
    done(null, sessions.get(id.toString("hex")) ?? null),
  );
  return created;
}

interface Connection {
  readonly info: TlsConnectionInfo;
  readonly session: Uint8Array | undefined;
  readonly peer: NodeServer;
  readonly client: TlsClient;
}

async function connect(to: tls.Server, more: Partial<TlsClientOptions>): Promise<Connection> {
  const peer = nodePeer(to);
  const client = new TlsClient(options({ identity: ecIdentity, resumption: true, ...more }));
  client.start();
  let isOpen = false;
  const events = await pump(client, peer, (all: readonly TlsEvent[]) => {
    const isSecured = all.some(({ type }) => type === "secured");
    if (isSecured && !isOpen) client.write(Uint8Array.of(1, 2, 3));
    isOpen ||= isSecured;
    return all.some(({ type }) => type === "fatal") || peer.received.length > 0;
  });
  const info = events.find((event) => event.type === "secured");
  const session = events.find((event) => event.type === "session");
  if (info === undefined) {
    const fatal = events.find((event) => event.type === "fatal");
    throw fatal?.type === "fatal" ? fatal.error : new Error("nothing happened");
  }
  expect(Buffer.concat(peer.received)).toEqual(Buffer.from([1, 2, 3]));
  client.close();
  await pump(client, peer, () => false);
  await tick();
  return { info, session: session?.session, peer, client };
}

const handles = [
  ["a ticket (RFC 5077)", {}],
  ["a session ID (RFC 5246 §7.4.1.3)", { secureOptions: constants.SSL_OP_NO_TICKET }],
] as const;

describe.each(handles)("resumption with Node's server by %s", (_title, more) => {
  it("is abbreviated, with the same server, and again with the same session", async () => {
    const to = server(more);
    const first = await connect(to, {});
    expect(first.info.resumed).toBe(false);
    expect(first.session).toBeDefined();
    for (let again = 0; again < 2; again++) {
      const { info, peer, session } = await connect(to, { session: first.session });
      expect(info.resumed).toBe(true);
      expect(peer.socket.isSessionReused()).toBe(true);
      expect(session).toBeUndefined();
      expect(info.peer.path.map(({ der }) => der)).toEqual(first.info.peer.path.map(({ der }) => der));
      expect(info.peer.anchor).toBe(first.info.peer.anchor);
      expect([info.suite, info.group, info.signatureScheme]).toEqual([
        first.info.suite,
        first.info.group,
        first.info.signatureScheme,
      ]);
      expect(info.statistics.timeline.map(({ direction, message }) => `${direction} ${message}`)).toEqual([
        "sent ClientHello",
        "received ServerHello",
        "received ChangeCipherSpec",
        "received Finished",
        "sent ChangeCipherSpec",
        "sent Finished",
      ]);
    }
  });

  it("costs less than a seventh of a full handshake's computation", async () => {
    const to = server(more);
    const crypto = createCrypto();
    const first = await connect(to, { crypto });
    const { info } = await connect(to, { crypto, session: first.session });
    expect(info.resumed).toBe(true);
    expect(info.statistics.units).toBeLessThan(first.info.statistics.units / 7);
  });

  it("a server that has forgotten the session gets a full handshake, which leaves a new one", async () => {
    const first = await connect(server(more), {});
    const { info, session } = await connect(server(more), { session: first.session });
    expect(info.resumed).toBe(false);
    expect(session).toBeDefined();
    expect(session).not.toEqual(first.session);
  });

  it.each(presets.full().filter(({ authentication }) => authentication === "ecdsa"))("$name", async (suite) => {
    const to = server({ ...more, ciphers: "ALL:@SECLEVEL=0" });
    const first = await connect(to, { suites: [suite] });
    const { info } = await connect(to, { suites: [suite], session: first.session });
    expect([info.resumed, info.suite, info.encryptThenMac]).toEqual([true, suite, suite.kind === "cbc"]);
  });

  it("RFC 7301 §3.1 the protocol is negotiated anew", async () => {
    const to = server({ ...more, ALPNProtocols: ["b"] });
    const first = await connect(to, { alpn: ["a", "b"] });
    const { info } = await connect(to, { alpn: ["a", "b"], session: first.session });
    expect([info.resumed, info.alpn]).toEqual([true, "b"]);
  });

  it("exporters agree (RFC 5705)", async () => {
    const to = server(more);
    const { session } = await connect(to, {});
    const peer = nodePeer(to);
    const client = new TlsClient(options({ identity: ecIdentity, session }));
    client.start();
    const events = await pump(client, peer, (all) => all.some(({ type }) => type === "secured"));
    await pump(client, peer, () => false, events);
    expect(peer.socket.isSessionReused()).toBe(true);
    expect(Buffer.from(client.exportKeyingMaterial("EXPERIMENTAL-x", undefined, 32))).toEqual(
      peer.socket.exportKeyingMaterial(32, "EXPERIMENTAL-x", undefined as unknown as Buffer),
    );
  });
});

describe("who wants no resumption", () => {
  it("asks for no ticket and gets no session", async () => {
    const { session, info } = await connect(server(), { resumption: false });
    expect(session).toBeUndefined();
    expect(info.resumed).toBe(false);
  });
});
