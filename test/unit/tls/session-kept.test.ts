/** Which session a client keeps of a handshake, and that making a blob or a ticket leaves no copy of the master secret behind. */
import { afterEach, describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import type { TlsEvent } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { decodeServerSession, encodeServerSession } from "../../../src/tls/server-sessions.ts";
import type { Session } from "../../../src/tls/session.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { blobOf, Driver, der, ecIdentity, NOW, options, readBlob } from "./client.ts";
import { ecServerCertificate } from "./fixtures.ts";
import { ScriptedServer } from "./scripted-server.ts";
import { Dialog, ServerDriver } from "./server.ts";

const ID = new Uint8Array(32).fill(5);

/** A full handshake with a server that gives a session ID. */
function full(change: (hello: messages.ServerHello) => messages.ServerHello) {
  const server = new ScriptedServer({ hello: (right) => change({ ...right, sessionId: ID }) });
  const client = new Driver({ resumption: true });
  while (client.output.length > 0) client.feed(server.receive(concat(client.output.splice(0))));
  return { client, server };
}
const kept = ({ client }: { readonly client: Driver }) => client.events.filter(({ type }) => type === "session");

describe("what a client keeps", () => {
  it("a session with the extended master secret", () => {
    const dialog = full((right) => right);
    expect(dialog.client.isSecured).toBe(true);
    expect(kept(dialog)).toHaveLength(1);
  });

  it("RFC 7627 §5.3 none without it, though the server gave an ID", () => {
    const dialog = full((right) => ({
      ...right,
      extensions: right.extensions!.filter(({ type }) => type !== ExtensionType.extended_master_secret),
    }));
    expect(dialog.client.isSecured).toBe(true);
    expect(kept(dialog)).toEqual([]);
  });

  it("RFC 5077 §3.3 no ticket after the handshake: that is no message there", () => {
    const { client, server } = full((right) => right);
    const ticket = messages.encodeNewSessionTicket({ lifetimeHint: 0, ticket: Uint8Array.of(1) });
    client.feed(server.seal(ContentType.handshake, ticket));
    expect(client.error).toMatchObject({ code: "TLS_UNEXPECTED_MESSAGE", alert: 10 });
    expect(kept({ client })).toHaveLength(2);
  });
});

describe("RFC 5246 §7.2.2 a session whose connection ends with a fatal alert", () => {
  const fatal = (code: number) => Uint8Array.of(2, code);
  const sessions = (client: Driver) => client.events.filter(({ type }) => type === "session" || type === "fatal");

  it("is told to be forgotten, where the alert is the server's", () => {
    const { client, server } = full((right) => right);
    client.feed(server.seal(ContentType.alert, fatal(80)));
    expect(sessions(client)).toMatchObject([
      { type: "session", session: expect.any(Uint8Array) },
      { type: "session", session: undefined },
      { type: "fatal", error: { code: "TLS_ALERT_RECEIVED" } },
    ]);
  });

  it("… where it is ours", () => {
    const { client, server } = full((right) => right);
    client.feed(server.seal(ContentType.alert, Uint8Array.of(3, 80)));
    expect(sessions(client).slice(1)).toMatchObject([
      { type: "session", session: undefined },
      { type: "fatal", error: { code: "TLS_ILLEGAL_ALERT" } },
    ]);
  });

  it("… where it was only offered", () => {
    const { client } = full((right) => right);
    const [event] = kept({ client });
    if (event?.type !== "session") throw new Error("no session");
    const second = new Driver({ session: event.session });
    second.feed(Uint8Array.of(ContentType.alert, 3, 3, 0, 2, ...fatal(40)));
    expect(sessions(second)).toMatchObject([{ type: "session", session: undefined }, { type: "fatal" }]);
  });

  it("is not, where nothing was offered and none came", () => {
    const client = new Driver({ resumption: true });
    client.feed(Uint8Array.of(ContentType.alert, 3, 3, 0, 2, ...fatal(40)));
    expect(sessions(client)).toMatchObject([{ type: "fatal" }]);
  });

  it("is not, where the stream below breaks or ends, or the server closes", () => {
    const close: ((dialog: ReturnType<typeof full>) => void)[] = [
      ({ client }) => client.client.fail(new Error("reset")),
      ({ client }) => client.client.end(),
      ({ client, server }) => client.feed(server.seal(ContentType.alert, Uint8Array.of(1, 0))),
    ];
    for (const end of close) {
      const dialog = full((right) => right);
      end(dialog);
      dialog.client.rest();
      expect(dialog.client.client.stateName).not.toBe("ExpectTraffic");
      expect(kept(dialog)).toHaveLength(1);
    }
  });
});

describe("the master secret", () => {
  const master = Uint8Array.from({ length: 48 }, (_, i) => i ^ 0xa5);
  const leaf = parseCertificate(der(ecServerCertificate));
  const { Uint8Array: real } = globalThis;
  const { slice } = real.prototype;
  afterEach(() => {
    globalThis.Uint8Array = real;
    real.prototype.slice = slice;
  });

  /** All byte arrays that `action` makes. */
  function arraysOf(action: () => unknown): Uint8Array[] {
    const made: Uint8Array[] = [];
    const note = (array: Uint8Array) => {
      made.push(array);
      return array;
    };
    globalThis.Uint8Array = new Proxy(real, {
      construct: (target, args, newTarget) => note(Reflect.construct(target, args, newTarget)),
    });
    real.prototype.slice = function (this: Uint8Array, from?: number, to?: number) {
      return note(slice.call(this, from, to)) as ReturnType<typeof slice>;
    };
    action();
    globalThis.Uint8Array = real;
    real.prototype.slice = slice;
    return made;
  }
  const holding = (arrays: readonly Uint8Array[]) =>
    new Set(
      arrays.filter((array) => Buffer.from(array.buffer).includes(Buffer.from(master))).map(({ buffer }) => buffer),
    );

  // Short, and so long that what it is written into must grow.
  it.each([1, 12])("stands in the blob alone, with a path of %i", (length) => {
    const session: Session = {
      handle: { kind: "id", value: ID },
      master,
      ...{ suite: 0xc02b, group: 23, signatureScheme: 0x0403, maxFragmentLength: undefined },
      ...{ createdMs: NOW, expiresMs: NOW + 1, binding: new Uint8Array(32), anchor: 0, evidence: [] },
      path: Array.from({ length }, () => leaf),
    };
    let blob = new Uint8Array(0);
    const arrays = arraysOf(() => {
      blob = blobOf(session) as typeof blob;
    });
    expect(readBlob(blob)?.master).toEqual(master);
    expect(arrays.length).toBeGreaterThan(2);
    expect(holding(arrays)).toEqual(new Set([blob.buffer]));
  });

  it.each([1, 12])("stands in a server's state alone, with %i certificates", (length) => {
    let state = new Uint8Array(0);
    const arrays = arraysOf(() => {
      state = encodeServerSession({
        master,
        ...{ suite: 0xc02b, group: 23, signatureScheme: 0x0403, clientScheme: 0x0403, maxFragmentLength: undefined },
        ...{ createdMs: NOW, serverName: "a.test", certificates: Array.from({ length }, () => leaf) },
      }) as typeof state;
    });
    const decoded = decodeServerSession(state);
    expect([decoded?.master, decoded?.certificates.length]).toEqual([master, length]);
    expect(holding(arrays)).toEqual(new Set([state.buffer]));
  });

  // Whoever takes no events after `secured` never sees the session.
  it.each<[string, (client: TlsClient) => void, TlsEvent["type"][]]>([
    ["the owner drops the connection", (client) => client.destroy(), []],
    ["RFC 5246 §7.2.2 a fatal alert ends it", (client) => client.feed(Uint8Array.of(99)), ["session", "fatal"]],
  ])("is gone with a session event that nobody took, where %s", (_, end, left) => {
    let keys = "";
    const resumption = { ticketKey: new Uint8Array(16).fill(9), wallMs: () => NOW };
    const arrays = arraysOf(() => {
      const client = new TlsClient(
        options({ identity: ecIdentity, resumption: true, keyLog: (line) => (keys = line) }),
      );
      const server = new ServerDriver({ resumption });
      const takeUntilSecured = () => {
        while (client.work(1_000_000) === "more");
        for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
          if (event.type === "secured") return true;
          if (event.type === "output") server.feed(event.bytes);
        }
        client.feed(concat(server.output.splice(0)));
        return false;
      };
      client.start();
      while (!takeUntilSecured());
      end(client);
      if (client.stateName !== "Closed") client.work(1);
      const types = [];
      for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent())
        if (event.type !== "output") types.push(event.type);
      expect(types).toEqual(left);
      server.server.destroy();
    });
    master.set(Buffer.from(keys.split(" ")[2]!, "hex"));
    expect(arrays.length).toBeGreaterThan(100);
    expect(holding(arrays)).toEqual(new Set());
  });

  it("RFC 5077 §4 of a ticket is gone from what was opened, at the end", () => {
    const resumption = { ticketKey: new Uint8Array(16).fill(9), wallMs: () => NOW };
    const first = new Dialog({ resumption }, { resumption: true });
    const event = first.client.events.find(({ type }) => type === "session");
    if (event?.type !== "session" || event.session === undefined) throw new Error("no session");
    master.set(readBlob(event.session)!.master);
    const arrays = arraysOf(() => {
      const client = new Driver({ session: event.session, identity: ecIdentity });
      const server = new ServerDriver({ resumption });
      while (client.output.length > 0) {
        server.feed(concat(client.output.splice(0)));
        client.feed(concat(server.output.splice(0)));
      }
      expect(server.secured?.resumed).toBe(true);
      client.client.destroy();
      server.server.destroy();
    });
    const blobs = arrays.filter(({ buffer }) => holding(arrays).has(buffer)).map(({ buffer }) => buffer);
    const events = new Set(blobs.filter((buffer) => readBlob(new Uint8Array(buffer)) !== undefined));
    // The renewed session of the `session` event is the app's.
    expect(new Set(blobs)).toEqual(events);
  });
});
