/**
 * Resumption between our client and our server: abbreviated handshakes by session ID and by ticket, what the server declines, what a
 * deviating server gets for an answer, and that chunks and budgets make no difference.
 */
import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import type { Aead, CryptoProvider } from "../../../src/tls/crypto/provider.ts";
import { alertRecord, alterFields, type Deviation } from "../../../src/tls/deviations.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import * as messages from "../../../src/tls/messages.ts";
import { presets } from "../../../src/tls/presets.ts";
import {
  decodeServerSession,
  openTicket,
  type ServerResumption,
  SessionCache,
  sealTicket,
} from "../../../src/tls/server-sessions.ts";
import * as suites from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { blobOf, crypto, Driver, ecIdentity, NOW, readBlob, rsaIdentity } from "./client.ts";
import { Dialog, ecServer, rsaServer, ServerDriver } from "./server.ts";

const HOUR = 3_600_000;
const KEY = new Uint8Array(16).fill(9);

type Kind = "id" | "ticket";
const resumptions = (kind: Kind, more: Partial<ServerResumption> = {}): ServerResumption => ({
  wallMs: () => NOW,
  ...(kind === "id" ? { cache: new SessionCache() } : { ticketKey: KEY }),
  ...more,
});

/** Handshakes, and what they left. */
function shake(
  server: Partial<TlsServerOptions>,
  client: Partial<TlsClientOptions> = {},
  budget?: () => number,
): Dialog & { readonly session: Uint8Array | undefined } {
  const dialog = new Dialog(server, { resumption: true, ...client }, budget);
  const kept = dialog.client.events.find(({ type }) => type === "session");
  return Object.assign(dialog, { session: kept?.type === "session" ? kept.session : undefined });
}

function info(dialog: Dialog) {
  const event = dialog.client.events.find(({ type }) => type === "secured");
  if (event?.type !== "secured") throw dialog.client.error ?? dialog.server.error ?? new Error("nothing happened");
  return event;
}
const steps = (dialog: Dialog) => info(dialog).statistics.timeline.map((step) => `${step.direction} ${step.message}`);

describe.each<Kind>(["id", "ticket"])("RFC 5246 §7.3 an abbreviated handshake by %s", (kind) => {
  it("has no certificates and no key exchange, and both sides know the same", () => {
    const resumption = resumptions(kind);
    const admitted: number[] = [];
    const options = { resumption, admit: (list: readonly unknown[]) => void admitted.push(list.length) };
    const first = shake(options);
    expect(info(first).resumed).toBe(false);
    expect(first.server.secured?.resumed).toBe(false);
    const second = shake(options, { session: first.session });
    expect(second.isSecured).toBe(true);
    expect(steps(second)).toEqual([
      "sent ClientHello",
      "received ServerHello",
      ...(kind === "ticket" ? ["received NewSessionTicket"] : []),
      "received ChangeCipherSpec",
      "received Finished",
      "sent ChangeCipherSpec",
      "sent Finished",
    ]);
    const { suite, group, signatureScheme, peer } = info(first);
    expect(info(second)).toMatchObject({
      suite,
      group,
      signatureScheme,
      resumed: true,
      clientSignatureScheme: undefined,
    });
    expect(info(second).peer.path.map(({ der }) => der)).toEqual(peer.path.map(({ der }) => der));
    expect(info(second).peer.anchor).toBe(peer.anchor);
    expect(second.server.secured).toMatchObject({
      resumed: true,
      clientSignatureScheme: first.server.secured?.clientSignatureScheme,
    });
    expect(second.server.secured?.clientCertificates.map(({ der }) => der)).toEqual(ecIdentity.certificates);
    // The client's certificate is asked about each time: it may be revoked meanwhile.
    expect(admitted).toEqual([1, 1]);
    expect(info(second).statistics.phases.map(({ phase }) => phase)).toEqual(["hello", "keyDerivation", "finished"]);
    const phasesOf = ({ secured }: ServerDriver) => secured?.statistics.phases.map(({ phase }) => phase);
    const full = ["hello", "certificate", "keyAgreement", "clientSignature", "finished"];
    expect(phasesOf(first.server)).toEqual(full);
    expect(phasesOf(second.server)).toEqual(["hello", "keyDerivation", "finished"]);
    second.client.client.write(Uint8Array.of(1, 2));
    second.server.server.write(Uint8Array.of(3));
    second.run();
    expect([concat(second.server.data), concat(second.client.data)]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
    expect(second.client.client.exportKeyingMaterial("x", undefined, 20)).toEqual(
      second.server.server.exportKeyingMaterial("x", undefined, 20),
    );
    expect(second.client.client.exportKeyingMaterial("x", undefined, 20)).not.toEqual(
      first.client.client.exportKeyingMaterial("x", undefined, 20),
    );
  });

  it("writes both hellos' keys to the key log", () => {
    const resumption = resumptions(kind);
    const lines: string[][] = [[], []];
    const first = shake({ resumption });
    shake(
      { resumption, keyLog: (line) => void lines[0]!.push(line) },
      { session: first.session, keyLog: (line) => void lines[1]!.push(line) },
    );
    expect(lines[0]).toEqual(lines[1]);
    const { master } = readBlob(first.session!)!;
    expect(lines[0]).toHaveLength(1);
    expect(lines[0]![0]).toMatch(new RegExp(`^CLIENT_RANDOM [0-9a-f]{64} ${toHex(master)}$`));
  });

  it("leaves a new session only with a new ticket, and that one ends with the first", () => {
    const resumption = resumptions(kind);
    const first = shake({ resumption });
    const later = NOW + HOUR / 2;
    const now = { wallMs: () => later };
    const second = shake({ resumption: { ...resumption, ...now } }, { session: first.session, ...now });
    expect(info(second).resumed).toBe(true);
    if (kind === "id") expect(second.session).toBeUndefined();
    else {
      const [old, renewed] = [readBlob(first.session!)!, readBlob(second.session!)!];
      expect(renewed.handle.value).not.toEqual(old.handle.value);
      expect([renewed.createdMs, renewed.expiresMs]).toEqual([old.createdMs, NOW + 2 * HOUR]);
      expect(renewed.master).toEqual(old.master);
      const third = shake({ resumption: { ...resumption, ...now } }, { session: second.session, ...now });
      expect(info(third).resumed).toBe(true);
    }
  });

  it.each(presets.full())("$name", (suite) => {
    const identity = suite.authentication === "rsa" ? rsaServer : ecServer;
    const options = { suites: [suite], resumption: resumptions(kind), select: () => ({ identity }) };
    const first = shake(options, { suites: [suite] });
    const second = shake(options, { suites: [suite], session: first.session });
    expect(info(second)).toMatchObject({ resumed: true, suite, encryptThenMac: suite.kind === "cbc" });
  });

  it("RFC 7366 encrypt-then-MAC and RFC 7301 §3.1 ALPN are negotiated anew", () => {
    const suite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
    const client = { suites: [suite], alpn: ["a", "b"] };
    const resumption = resumptions(kind);
    const first = shake({ suites: [suite], resumption, select: () => ({ identity: ecServer, alpn: "a" }) }, client);
    const second = shake(
      { suites: [suite], resumption, encryptThenMac: false, select: () => ({ identity: ecServer, alpn: "b" }) },
      { ...client, session: first.session },
    );
    expect(info(first)).toMatchObject({ encryptThenMac: true, alpn: "a" });
    expect(info(second)).toMatchObject({ resumed: true, encryptThenMac: false, alpn: "b" });
  });

  it("RFC 6066 §4 with short records", () => {
    const resumption = resumptions(kind);
    const first = shake({ resumption }, { maxFragmentLength: 512 });
    const second = shake({ resumption }, { maxFragmentLength: 512, session: first.session });
    expect(info(second)).toMatchObject({ resumed: true, maxFragmentLength: 512 });
  });

  it("pieces of any size and a budget of 1 make no difference", () => {
    const resumption = resumptions(kind);
    const first = shake({ resumption });
    const outputs: Uint8Array[] = [];
    for (const [size, budget] of [
      [1, 1],
      [7, 50],
      [1 << 14, 1_000_000],
    ] as const) {
      const client = new Driver(
        { session: first.session, identity: ecIdentity, random: seededRandom(3) },
        () => budget,
      );
      const server = new ServerDriver({ resumption, random: seededRandom(4) }, () => budget);
      const all: Uint8Array[] = [];
      for (let moved = true; moved; ) {
        moved = false;
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          const bytes = concat(from.output.splice(0));
          all.push(bytes);
          moved ||= bytes.length > 0;
          for (let at = 0; at < bytes.length; at += size) to.feed(bytes.subarray(at, at + size));
        }
      }
      expect(client.isSecured && server.secured?.resumed).toBe(true);
      outputs.push(concat(all));
    }
    expect(outputs[1]).toEqual(outputs[0]);
    expect(outputs[2]).toEqual(outputs[0]);
  });

  it("a client without a certificate resumes where none is demanded", () => {
    for (const clientCertificate of ["none", "request"] as const) {
      const options = { resumption: resumptions(kind), clientCertificate };
      const first = shake(options, { identity: undefined });
      const second = shake(options, { identity: undefined, session: first.session });
      expect(info(second).resumed).toBe(true);
      expect(second.server.secured?.clientCertificates).toEqual([]);
      const third = shake(
        { ...options, clientCertificate: "require" },
        { identity: undefined, session: first.session },
      );
      expect(third.server.error?.code).toBe("TLS_CLIENT_CERTIFICATE_MISSING");
    }
  });

  describe("full handshake instead", () => {
    const full = (
      before: Partial<TlsServerOptions>,
      after: Partial<TlsServerOptions>,
      client: Partial<TlsClientOptions> = {},
      later: Partial<TlsClientOptions> = {},
    ) => {
      const resumption = resumptions(kind);
      const first = shake({ resumption, ...before }, client);
      expect(first.session).toBeDefined();
      const same = shake({ resumption, ...before }, { ...client, session: first.session });
      expect(info(same).resumed).toBe(true);
      const second = shake({ resumption, ...before, ...after }, { ...client, session: first.session, ...later });
      expect(info(second).resumed).toBe(false);
      expect(second.server.secured?.resumed).toBe(false);
      return second;
    };
    it("a server without resumption", () => void full({}, { resumption: undefined }));
    it("a server that knows nothing of it", () =>
      void full({}, { resumption: resumptions(kind, kind === "id" ? {} : { ticketKey: new Uint8Array(16) }) }));
    it("a server that knows only the other kind", () =>
      void full({}, { resumption: resumptions(kind === "id" ? "ticket" : "id") }));
    it("a server without RFC 7627 makes and resumes no session (RFC 7627 §5.3)", () =>
      expect(full({}, { extendedMasterSecret: false }).session).toBeUndefined());
    it("a server that does not know the time", () =>
      expect(full({}, { resumption: resumptions(kind, { wallMs: () => undefined }) }).session).toBeUndefined());
    it("a server whose suites are others now", () => {
      const all = presets.awsIot();
      const rest = all.filter((suite) => suite !== suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
      full({ suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256] }, { suites: rest });
    });
    it("a server whose groups or schemes are others now", () => {
      full({}, { groups: [suites.x25519] });
      full({}, { signatureSchemes: [suites.ecdsa_secp384r1_sha384] });
      // The client's own scheme too.
      full({}, { signatureSchemes: [suites.ecdsa_secp256r1_sha256] }, { identity: [rsaIdentity, ecIdentity] });
    });
    it("a server that asks for no certificate now", () => void full({}, { clientCertificate: "none" }));
  });

  it("ends after its lifetime, on both sides", () => {
    const cache = new SessionCache();
    const at = (now: number, clientNow = now, session?: Uint8Array) =>
      shake(
        {
          resumption: resumptions(kind, {
            ...(kind === "id" ? { cache } : {}),
            wallMs: () => now,
            lifetimeSeconds: 60,
          }),
        },
        { session, wallMs: () => clientNow },
      );
    const { session } = at(NOW);
    expect(info(at(NOW + 59_999, NOW + 59_999, session)).resumed).toBe(true);
    expect(info(at(NOW + 60_000, NOW + 59_999, session)).resumed).toBe(false);
    expect(info(at(NOW - 1, NOW, session)).resumed).toBe(false);
    if (kind === "ticket") expect(info(at(NOW + 59_999, NOW + 60_000, session)).resumed).toBe(false);
  });

  it("RFC 6066 §3 never under another SNI, whatever the client thinks", () => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    // The same session as if it were another host's.
    const stolen = { ...readBlob(session!)! };
    const other = shake({ resumption }, { serverName: "a.iot.example.test" });
    const binding = readBlob(other.session!)!.binding;
    const dialog = shake({ resumption }, { serverName: "a.iot.example.test", session: blobOf({ ...stolen, binding }) });
    expect(info(dialog).resumed).toBe(false);
  });

  it("RFC 7627 §5.3 a client that leaves the extended master secret out is refused", () => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    const client = new Driver({ session, identity: ecIdentity });
    const [record] = client.output;
    const hello = messages.decodeClientHello(record!.subarray(9));
    const extensions = hello.extensions!.filter(({ type }) => type !== ExtensionType.extended_master_secret);
    const changed = messages.encodeClientHello({ ...hello, extensions });
    const server = new ServerDriver({ resumption });
    server.feed(concat([Uint8Array.of(22, 3, 3, changed.length >> 8, changed.length & 255), changed]));
    expect(server.error).toMatchObject({ code: "TLS_SESSION_MISMATCH", alert: 40, rfc: "RFC 7627 §5.3" });
    expect(concat(server.output).subarray(-2)).toEqual(Uint8Array.of(2, 40));
  });

  it("a client without a certificate is asked about again, where one was asked for", () => {
    const resumption = resumptions(kind);
    const asked: Partial<TlsServerOptions> = { resumption, clientCertificate: "request" };
    const { session } = shake(asked, { identity: undefined });
    const refused = shake(
      { ...asked, admit: (list) => (list.length === 0 ? 42 : undefined) },
      { identity: undefined, session },
    );
    expect(refused.server.error).toMatchObject({ code: "TLS_CLIENT_REFUSED", alert: 42 });
  });

  it("a chain that makes a session too long is none to remember", () => {
    const cache = new SessionCache();
    const resumption = resumptions(kind, kind === "id" ? { cache } : {});
    const [leaf] = ecIdentity.certificates;
    const certificates = Array.from({ length: Math.ceil(16_384 / leaf!.length) }, () => leaf!);
    const dialog = shake({ resumption, admit: () => undefined }, { identity: { ...ecIdentity, certificates } });
    expect(dialog.server.secured?.clientCertificates).toHaveLength(certificates.length);
    expect(cache.size).toBe(0);
    if (kind === "id") return;
    expect(dialog.session).toBeUndefined();
    // The server sent an empty one: header, lifetime, length.
    const { timeline } = info(dialog).statistics;
    expect(timeline.find(({ message }) => message === "NewSessionTicket")?.bytes).toBe(4 + 4 + 2);
  });

  it.each<[string, (hello: messages.ClientHello) => messages.ClientHello]>([
    [
      "RFC 5246 §7.4.1.2 without the session's suite",
      (hello) => ({ ...hello, suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384.id] }),
    ],
    [
      "RFC 6066 §4 with another max_fragment_length",
      (hello) => ({
        ...hello,
        extensions: [...hello.extensions!, { type: ExtensionType.max_fragment_length, data: Uint8Array.of(1) }],
      }),
    ],
    ["RFC 5246 §7.4.1.2 without a session ID", (hello) => ({ ...hello, sessionId: new Uint8Array(0) })],
  ])("a ClientHello %s gets a full handshake", (_title, change) => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    const sent = (alter: typeof change) => {
      const [record] = new Driver({ session, identity: ecIdentity }).output;
      const hello = messages.encodeClientHello(alter(messages.decodeClientHello(record!.subarray(9))));
      const server = new ServerDriver({ resumption });
      server.feed(concat([Uint8Array.of(22, 3, 3, hello.length >> 8, hello.length & 255), hello]));
      return server.server.stateName;
    };
    expect(sent((hello) => hello)).toBe("ExpectChangeCipherSpec");
    expect(sent(change)).toBe("ExpectCertificate");
  });

  it("a client that is not admitted any more is refused with its alert", () => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    const refused = shake({ resumption, admit: () => 44 }, { session });
    expect(refused.server.error).toMatchObject({ code: "TLS_CLIENT_REFUSED", alert: 44 });
    expect(refused.server.error?.message).toMatch(/: its certificate, told with certificate_revoked \(44\)$/);
    expect(refused.client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 44 });
  });

  it.each<[string, readonly Deviation[], string, number]>([
    [
      "another suite",
      [alterFields("ServerHello", (hello) => ({ ...hello, suite: suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384.id }))],
      "TLS_SESSION_MISMATCH",
      47,
    ],
    [
      "RFC 7627 §5.3 no extended master secret",
      [
        alterFields("ServerHello", (hello) => ({
          ...hello,
          extensions: hello.extensions!.filter(({ type }) => type !== ExtensionType.extended_master_secret),
        })),
      ],
      "TLS_SESSION_MISMATCH",
      40,
    ],
    [
      "no ChangeCipherSpec",
      [
        { on: "ChangeCipherSpec", times: 0 },
        { on: "Finished", plain: true },
      ],
      "TLS_UNEXPECTED_MESSAGE",
      10,
    ],
    [
      "close_notify instead of Finished",
      [{ on: "Finished", before: [alertRecord(1, 0)] }],
      "TLS_CLOSED_IN_HANDSHAKE",
      -1,
    ],
    [
      "another Finished",
      [alterFields("Finished", (data) => data.map((byte, i) => (i === 11 ? byte ^ 1 : byte)))],
      "TLS_BAD_FINISHED",
      51,
    ],
    [
      "a hello that was changed on the wire",
      [
        {
          ...alterFields("ServerHello", (hello) => ({
            ...hello,
            extensions: hello.extensions!.filter(({ type }) => type !== ExtensionType.renegotiation_info),
          })),
          onlyOnWire: true,
        },
      ],
      "TLS_BAD_FINISHED",
      51,
    ],
    ["Finished in the clear", [{ on: "Finished", plain: true }], "TLS_BAD_RECORD_MAC", 20],
  ])("a server that sends %s", (_title, deviations, code, alert) => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    const dialog = shake({ resumption, deviations }, { session });
    expect(dialog.client.isSecured).toBe(false);
    expect(dialog.client.error?.code).toBe(code);
    if (alert >= 0) expect(dialog.server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert });
  });

  it("secrets are gone at the end, from the client and from the server", () => {
    const resumption = resumptions(kind);
    const { session } = shake({ resumption });
    const wiped: Uint8Array[] = [];
    const prf: typeof crypto.prf = (name, secret, label, seed, length) => {
      if (label === "key expansion") wiped.push(secret);
      return crypto.prf(name, secret, label, seed, length);
    };
    const spy = new Proxy(crypto, {
      get: (target, name: keyof typeof crypto) => (name === "prf" ? prf : target[name].bind(target)),
    });
    const dialog = shake({ resumption, crypto: spy }, { session, crypto: spy });
    expect(info(dialog).resumed).toBe(true);
    expect(wiped).toHaveLength(2);
    for (const secret of wiped) expect(secret.some((byte) => byte !== 0)).toBe(true);
    dialog.client.client.close();
    dialog.run();
    for (const secret of wiped) expect(secret).toEqual(new Uint8Array(48));
    // The app's blob is the app's.
    expect(readBlob(session!)).toBeDefined();
  });
});

describe("RFC 5077 tickets", () => {
  it("§3.3 a promised ticket must come", () => {
    const deviations: Deviation[] = [{ on: "NewSessionTicket", times: 0 }];
    const dialog = shake({ resumption: resumptions("ticket"), deviations });
    expect(dialog.client.error).toMatchObject({ code: "TLS_UNEXPECTED_MESSAGE", alert: 10 });
    expect(dialog.server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 10 });
  });

  it("§3.3 it comes once", () => {
    const deviations: Deviation[] = [{ on: "NewSessionTicket", times: 2 }];
    const dialog = shake({ resumption: resumptions("ticket"), deviations });
    expect(dialog.client.error).toMatchObject({ code: "TLS_UNEXPECTED_MESSAGE", alert: 10 });
  });

  it("§3.3 it comes before ChangeCipherSpec", () => {
    const deviations: Deviation[] = [{ on: "NewSessionTicket", postponeBehind: "Finished" }];
    const dialog = shake({ resumption: resumptions("ticket"), deviations });
    expect(dialog.client.error).toMatchObject({ code: "TLS_UNEXPECTED_MESSAGE", alert: 10 });
  });

  const altered = (lifetimeHint: number, ticket: Uint8Array): Deviation => ({
    on: "NewSessionTicket",
    alter: () => messages.encodeNewSessionTicket({ lifetimeHint, ticket }),
  });

  it("§3.3 an empty one leaves no session, and the connection stands", () => {
    const dialog = shake({ resumption: resumptions("ticket"), deviations: [altered(0, new Uint8Array(0))] });
    expect(dialog.isSecured).toBe(true);
    expect(dialog.session).toBeUndefined();
  });

  it("§3.3 an empty one in an abbreviated handshake leaves the old session as it is", () => {
    const resumption = resumptions("ticket");
    const { session } = shake({ resumption });
    const second = shake({ resumption, deviations: [altered(0, new Uint8Array(0))] }, { session });
    expect([info(second).resumed, second.session]).toEqual([true, undefined]);
    expect(info(shake({ resumption }, { session })).resumed).toBe(true);
  });

  it("§3.3 a hint of 0 is a day, and one above a day too", () => {
    for (const hint of [0, 0xffffffff]) {
      const { session } = shake({ resumption: resumptions("ticket"), deviations: [altered(hint, Uint8Array.of(1))] });
      expect(readBlob(session!)!.expiresMs).toBe(NOW + 24 * HOUR);
    }
  });

  it("one that is too long for a ClientHello is not kept", () => {
    const length = (bytes: number) =>
      shake({ resumption: resumptions("ticket"), deviations: [altered(0, new Uint8Array(bytes))] }).session;
    expect(length(16_384)).toBeDefined();
    expect(length(16_385)).toBeUndefined();
  });

  it("§3.4 the session ID beside a ticket does not count", () => {
    const deviations = [alterFields("ServerHello", (hello) => ({ ...hello, sessionId: new Uint8Array(32).fill(1) }))];
    const { session } = shake({ resumption: resumptions("ticket"), deviations });
    expect(readBlob(session!)!.handle.kind).toBe("ticket");
  });

  it("§4 they are sealed: another key, another byte, another length open nothing; two are never the same", () => {
    const ports = { crypto, random: seededRandom(1) };
    const state = () => Uint8Array.from({ length: 40 }, (_, i) => i);
    const [one, two] = [finish(sealTicket(state(), KEY, ports)), finish(sealTicket(state(), KEY, ports))];
    expect(one).not.toEqual(two);
    expect(finish(openTicket(one, KEY, crypto))).toEqual(state());
    expect(finish(openTicket(one, new Uint8Array(16), crypto))).toBeUndefined();
    for (let at = 0; at < one.length; at++) {
      const changed = one.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(finish(openTicket(changed, KEY, crypto))).toBeUndefined();
      expect(finish(openTicket(one.subarray(0, at), KEY, crypto))).toBeUndefined();
    }
  });

  it("§5.5 a key of before still opens them, and they are renewed under the present one", () => {
    const [old, older, present] = [1, 2, 3].map((value) => new Uint8Array(16).fill(value));
    const under = (ticketKey: Uint8Array | undefined, previousTicketKeys?: Uint8Array[]) => ({
      resumption: resumptions("ticket", { ticketKey, previousTicketKeys: previousTicketKeys as Uint8Array[] }),
    });
    for (const key of [old, older]) {
      const { session } = shake(under(key));
      const changed = shake(under(present, [old!, older!]), { session });
      expect([info(changed).resumed, changed.server.secured?.resumed]).toEqual([true, true]);
      expect(info(shake(under(present), { session: changed.session })).resumed).toBe(true);
      expect(info(shake(under(key), { session: changed.session })).resumed).toBe(false);
      expect(info(shake(under(present), { session })).resumed).toBe(false);
    }
  });

  it("§4 neither the master secret nor the client's certificate stands in one", () => {
    const { session } = shake({ resumption: resumptions("ticket") });
    const { handle, master } = readBlob(session!)!;
    const text = Buffer.from(handle.value).toString("latin1");
    expect(text).not.toContain(Buffer.from(master).toString("latin1"));
    expect(text).not.toContain(Buffer.from(ecIdentity.certificates[0]!.subarray(0, 32)).toString("latin1"));
  });
});

describe("a server's cache of sessions", () => {
  it("is bounded: the oldest makes room, and is wiped", () => {
    const cache = new SessionCache(2);
    const states = [1, 2, 3].map((value) => Uint8Array.of(value));
    for (const state of states) cache.set(Uint8Array.of(state[0]!), state);
    expect(cache.size).toBe(2);
    expect(cache.get(Uint8Array.of(1))).toBeUndefined();
    expect(states[0]).toEqual(Uint8Array.of(0));
    expect(cache.get(Uint8Array.of(3))).toEqual(Uint8Array.of(3));
    cache.clear();
    expect(cache.size).toBe(0);
    expect(states[2]).toEqual(Uint8Array.of(0));
  });

  it("holds only handshakes that were finished", () => {
    const cache = new SessionCache();
    const resumption = resumptions("id", { cache });
    shake({ resumption, admit: () => 42 });
    shake({ resumption }, { identity: undefined });
    expect(cache.size).toBe(0);
    shake({ resumption });
    expect(cache.size).toBe(1);
  });

  it.each<[string, number, (dialog: Dialog) => void]>([
    ["forgets a session when its connection is refused with a fatal alert", 0, ({ server }) => server.server.abort(49)],
    [
      "forgets it when a record cannot be opened",
      0,
      ({ server }) => server.feed(Uint8Array.of(23, 3, 3, 0, 24, ...new Uint8Array(24))),
    ],
    ["keeps it when the client says close_notify", 1, ({ client }) => client.client.close()],
    ["keeps it when the stream just ends", 1, ({ server }) => server.server.end()],
    ["keeps it when the stream below breaks", 1, ({ server }) => server.server.fail(new Error("broken"))],
  ])("RFC 5246 §7.2.2 %s", (_title, left, end) => {
    for (const isResumed of [false, true]) {
      const cache = new SessionCache();
      const resumption = resumptions("id", { cache });
      const first = shake({ resumption });
      const last = isResumed ? shake({ resumption }, { session: first.session }) : first;
      expect([info(last).resumed, cache.size]).toEqual([isResumed, 1]);
      end(last);
      last.run();
      expect(cache.size).toBe(left);
    }
  });

  it("RFC 5246 §7.2.2 does not forget it for somebody who knows no more than the ID", () => {
    const cache = new SessionCache();
    const resumption = resumptions("id", { cache });
    const { session } = shake({ resumption });
    const stranger = { ...readBlob(session!)!, master: new Uint8Array(48) };
    const dialog = shake({ resumption }, { session: blobOf(stranger) });
    expect(dialog.isSecured).toBe(false);
    dialog.server.feed(Uint8Array.of(22, 3, 3, 0, 24, ...new Uint8Array(24)));
    expect(dialog.server.error).toBeDefined();
    expect(cache.size).toBe(1);
  });

  it("what is no state of a session is none", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), Uint8Array.of(1), new Uint8Array(100).fill(1)])
      expect(decodeServerSession(bytes)).toBeUndefined();
  });
});

describe("the options of a server", () => {
  it.each([
    { ticketKey: new Uint8Array(15) },
    { previousTicketKeys: [new Uint8Array(16), new Uint8Array(17)] },
    { previousTicketKeys: Array(4).fill(new Uint8Array(16)) },
    { ticketKey: undefined, previousTicketKeys: [new Uint8Array(16)] },
    { lifetimeSeconds: 0 },
    { lifetimeSeconds: 86_401 },
    { lifetimeSeconds: 1.5 },
  ])("%o is refused", (more) => {
    expect(() => new ServerDriver({ resumption: resumptions("ticket", more) })).toThrow(/resumption\./);
  });

  it("three ticket keys of before are not too many", () => {
    const previousTicketKeys = [1, 2, 3].map((byte) => new Uint8Array(16).fill(byte));
    expect(new ServerDriver({ resumption: resumptions("ticket", { previousTicketKeys }) }).error).toBeUndefined();
  });
});

describe("the secrets of a session that is resumed", () => {
  it("are overwritten when the connection ends: the master secret, and the keys of both directions", () => {
    const secrets: Uint8Array[] = [];
    const alive = new Set<Aead>();
    const watching: CryptoProvider = new Proxy(crypto, {
      get: (target, property) => {
        const value = Reflect.get(target, property);
        if (property === "aead")
          return (...words: Parameters<CryptoProvider["aead"]>) => {
            const cipher = target.aead(...words);
            const { wipe } = cipher;
            alive.add(cipher);
            cipher.wipe = () => {
              alive.delete(cipher);
              wipe.call(cipher);
            };
            return cipher;
          };
        if (property !== "prf") return typeof value === "function" ? value.bind(target) : value;
        return (...words: Parameters<CryptoProvider["prf"]>) => {
          secrets.push(words[1]);
          return target.prf(...words);
        };
      },
    });
    const resumption = resumptions("ticket");
    const { session } = shake({ resumption });
    const kept = session!.slice();
    const dialog = shake({ resumption, crypto: watching }, { session, crypto: watching });
    expect(info(dialog).resumed).toBe(true);
    expect(secrets.filter((secret) => secret.some((byte) => byte !== 0)).length).toBeGreaterThanOrEqual(6);
    expect(alive.size).toBe(4);
    dialog.client.client.close();
    dialog.run();
    expect(alive.size).toBe(0);
    expect(secrets.filter((secret) => secret.some((byte) => byte !== 0))).toEqual([]);
    // The blob is the app's.
    expect(session).toEqual(kept);
  });
});
