/**
 * What a server remembers of a session: each field comes back as it was, and a client without SNI or without knowledge of tickets resumes
 * as any other.
 */
import { describe, expect, it } from "vitest";
import { equal, NO_BYTES } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import { decodeServerHello, type ServerHello } from "../../../src/tls/messages.ts";
import {
  decodeServerSession,
  encodeServerSession,
  remainingSeconds,
  type ServerResumption,
  type ServerSession,
  SessionCache,
} from "../../../src/tls/server-sessions.ts";
import { checkServerOptions } from "../../../src/tls/server-settings.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { ecIdentity, NOW, readBlob, systemRandom } from "./client.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { Dialog, ServerDriver, serverOptions } from "./server.ts";

const KEY = new Uint8Array(16).fill(9);
const session: ServerSession = {
  master: new Uint8Array(48).fill(7),
  suite: 0xc02b,
  group: 23,
  signatureScheme: 0x0403,
  clientScheme: 0x0804,
  maxFragmentLength: undefined,
  createdMs: NOW,
  serverName: "localhost",
  certificates: [],
};

/** The session that the client kept. */
function kept({ client }: Dialog): Uint8Array {
  const event = client.events.find(({ type }) => type === "session");
  if (event?.type !== "session" || event.session === undefined) throw new Error("no session");
  return event.session;
}
/** What the server answered first. */
function serverHello({ output: [first] }: ServerDriver): ServerHello {
  return decodeServerHello(first!.subarray(5 + 4, 5 + ((first![3]! << 8) | first![4]!)));
}
const isTicketPromised = ({ extensions = [] }: ServerHello): boolean =>
  extensions.some(({ type }) => type === ExtensionType.session_ticket);
const isResumed = ({ client }: Dialog): boolean | undefined =>
  client.events.find((event) => event.type === "secured")?.resumed;

describe("the state of a session, as a cache or a ticket holds it", () => {
  it.each<[string, Partial<ServerSession>]>([
    ["as it is", {}],
    ...([512, 1024, 2048, 4096] as const).map((maxFragmentLength): [string, Partial<ServerSession>] => [
      `RFC 6066 §4 max_fragment_length ${maxFragmentLength}`,
      { maxFragmentLength },
    ]),
    ["RFC 6066 §3 without a host name", { serverName: undefined }],
    ["without a client's certificate", { clientScheme: 0 }],
    [
      "RFC 5246 §7.4.6 with a client's chain",
      { certificates: [1, 2].map(() => parseCertificate(ecIdentity.certificates[0]!)) },
    ],
    ["of long ago, and of late", { createdMs: 2 ** 40 + 5 }],
  ])("comes back: %s", (_title, more) => {
    const one = { ...session, ...more };
    const certificates = one.certificates.map(({ der }) => der);
    expect(decodeServerSession(encodeServerSession(one))).toEqual({ ...one, certificates });
  });
});

describe("a server resumes", () => {
  it.each(["id", "ticket"])("RFC 6066 §3 the session of a client without SNI, by %s", (kind) => {
    const resumption = {
      wallMs: () => NOW,
      ...(kind === "id" ? { cache: new SessionCache() } : { ticketKey: KEY }),
    };
    // An address is no name for SNI; the test certificate is for this one too.
    const first = new Dialog({ resumption }, { serverName: "127.0.0.1", resumption: true });
    expect(first.server.secured).toMatchObject({ serverName: undefined, resumed: false });
    const again = new Dialog({ resumption }, { serverName: "127.0.0.1", session: kept(first) });
    expect(again.server.secured).toMatchObject({ serverName: undefined, resumed: true });
    expect(isResumed(again)).toBe(true);
  });

  it("RFC 5246 §7.4.1.2 by the ID of a client that knows no tickets, and goes through a full handshake where the ID is unknown", () => {
    const resumption = { wallMs: () => NOW, cache: new SessionCache() };
    const { handle } = readBlob(kept(new Dialog({ resumption }, { resumption: true })))!;
    for (const [sessionId, isKnown] of [
      [handle.value, true],
      [new Uint8Array(32), false],
    ] as const) {
      const driver = new ServerDriver({ resumption });
      const client = new ScriptedClient({ hello: (hello) => ({ ...hello, sessionId }) });
      driver.feed(client.start());
      expect(driver.error).toBeUndefined();
      const hello = serverHello(driver);
      expect(equal(hello.sessionId, sessionId)).toBe(isKnown);
      expect(isTicketPromised(hello)).toBe(false);
      expect(driver.server.stateName).toBe(isKnown ? "ExpectChangeCipherSpec" : "ExpectCertificate");
    }
  });
});

describe("RFC 6066 §3 the server says that it used the name of SNI", () => {
  it.each([
    ["where the client gave one", true],
    ["and says nothing to a client that gave none", false],
  ])("%s", (_title, isNamed) => {
    const named = (list: ServerHello["extensions"]) => list!.filter(({ type }) => type === ExtensionType.server_name);
    const driver = new ServerDriver();
    const client = new ScriptedClient({
      hello: ({ extensions, ...hello }) => ({
        ...hello,
        extensions: isNamed ? extensions : extensions!.filter(({ type }) => type !== ExtensionType.server_name),
      }),
    });
    driver.feed(client.start());
    expect(named(serverHello(driver).extensions)).toEqual(
      isNamed ? [{ type: ExtensionType.server_name, data: NO_BYTES }] : [],
    );
  });
});

describe("RFC 5077 §3.2 a ticket is promised", () => {
  const asking = { type: ExtensionType.session_ticket, data: NO_BYTES };

  it.each([
    ["to a client that asks for one", [asking], undefined, NOW, true],
    ["to none that does not", [], undefined, NOW, false],
    ["to none without RFC 7627", [asking], ExtensionType.extended_master_secret, NOW, false],
    ["by no server that does not know the time", [asking], undefined, undefined, false],
  ] as const)("%s", (_title, more, leftOut, time, isPromised) => {
    const driver = new ServerDriver({ resumption: { wallMs: () => time, ticketKey: KEY } });
    const client = new ScriptedClient({
      hello: (hello) => ({
        ...hello,
        extensions: [...hello.extensions!.filter(({ type }) => type !== leftOut), ...more],
      }),
    });
    driver.feed(client.start());
    const hello = serverHello(driver);
    expect(isTicketPromised(hello)).toBe(isPromised);
    // Without a cache there is nothing that an ID could stand for (RFC 5246 §7.4.1.3).
    expect(hello.sessionId).toHaveLength(0);
  });
});

describe("the seconds for which a session may still be resumed", () => {
  it.each<[string, Partial<ServerResumption> | undefined, number | undefined]>([
    ["a whole lifetime at its birth", {}, 100],
    ["one more until the second is over", { wallMs: () => NOW + 99_001 }, 1],
    ["none at the end", { wallMs: () => NOW + 100_000 }, undefined],
    ["none of a session of the future: the clock went back", { wallMs: () => NOW - 1 }, undefined],
    ["none where the time is not known", { wallMs: () => undefined }, undefined],
    ["none without resumption", undefined, undefined],
  ])("%s", (_title, more, seconds) => {
    const resumption = more && { wallMs: () => NOW, ticketKey: KEY, lifetimeSeconds: 100, ...more };
    const settings = checkServerOptions(serverOptions(resumption === undefined ? {} : { resumption }));
    expect(remainingSeconds(NOW, settings)).toBe(seconds);
  });
});

describe("the clock of a server that resumes", () => {
  /** A clock that shows `times` one after the other, and the last one from then on. */
  const clock = (...times: (number | undefined)[]) => {
    let at = 0;
    return () => times[Math.min(at++, times.length - 1)];
  };
  const kinds = { id: () => ({ cache: new SessionCache() }), ticket: () => ({ ticketKey: KEY }) };

  it.each([
    ["id", "before 1970", [-1]],
    ["ticket", "before 1970", [-1]],
    ["id", "lost while the handshake goes on", [NOW, undefined]],
    ["ticket", "lost while the handshake goes on", [NOW, undefined]],
    ["id", "that went back before 1970 while the handshake goes on", [NOW, -1]],
    ["ticket", "that went back before 1970 while the handshake goes on", [NOW, -1]],
  ] as const)("by %s: a time %s leaves no session, and the handshake goes on", (kind, _title, times) => {
    const resumption = { wallMs: clock(...times), ...kinds[kind]() };
    const dialog = new Dialog({ resumption }, { resumption: true });
    expect(dialog.isSecured).toBe(true);
    expect(dialog.client.events.some((event) => event.type === "session" && event.session !== undefined)).toBe(
      // An ID was given, under which nothing is kept: that costs a full handshake later.
      kind === "id",
    );
    if ("cache" in resumption) expect((resumption.cache as SessionCache).size).toBe(0);
  });

  it.each(["id", "ticket"] as const)("by %s: the first moment of 1970 is a time as any other", (kind) => {
    const resumption = { wallMs: () => 0, ...kinds[kind]() };
    const session = kept(new Dialog({ resumption }, { resumption: true }));
    expect(isResumed(new Dialog({ resumption }, { session }))).toBe(true);
  });
});

describe("randomness", () => {
  it("is asked for with its purpose, by which a test or a generator of its own can tell draws apart", () => {
    const purposes: string[] = [];
    const random = (role: string): Random => ({
      fill(bytes, purpose) {
        purposes.push(`${role} ${purpose} ${bytes.length}`);
        systemRandom.fill(bytes, purpose);
      },
    });
    const drawn = (
      server: ConstructorParameters<typeof Dialog>[0],
      client: ConstructorParameters<typeof Dialog>[1],
    ) => {
      purposes.length = 0;
      const dialog = new Dialog({ random: random("server"), ...server }, { random: random("client"), ...client });
      expect(dialog.isSecured).toBe(true);
      return { dialog, list: purposes.filter((one) => /_random|session_id|ticket/.test(one)) };
    };
    const wallMs = () => NOW;
    const hellos = ["client client_random 32", "server server_random 32"];
    const ticketed = drawn({ resumption: { wallMs, ticketKey: KEY } }, { resumption: true });
    expect(ticketed.list).toEqual([...hellos, "server ticket_nonce 12"]);
    const cache = new SessionCache();
    expect(drawn({ resumption: { wallMs, cache } }, { resumption: true }).list).toEqual([
      ...hellos,
      "server session_id 32",
    ]);
    const again = drawn({ resumption: { wallMs, ticketKey: KEY } }, { session: kept(ticketed.dialog) });
    expect([...again.list].sort()).toEqual([...hellos, "client session_id 32", "server ticket_nonce 12"].sort());
  });
});
