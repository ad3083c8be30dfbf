/**
 * Sessions of a client: the blob, when one is offered, and what a server may answer. Long because of its tables of cases.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { finish, type Task } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { decodeSession, encodeSession, type Session, sessionBinding, sessionExpiry } from "../../../src/tls/session.ts";
import { checkOptions } from "../../../src/tls/settings.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { trustAnchors } from "../../../src/tls/x509/trust.ts";
import { runs } from "../../runs.ts";
import { blobOf, crypto, Driver, der, ecIdentity, NOW, options, readBlob, rsaIdentity, trust } from "./client.ts";
import { caCertificate, ecServerCertificate, otherCertificate } from "./fixtures.ts";
import { plain, type Script, ScriptedServer } from "./scripted-server.ts";

const HOUR = 3_600_000;
const path = [parseCertificate(der(ecServerCertificate))];
const ID = Uint8Array.from({ length: 32 }, (_, i) => i);
const TICKET = Uint8Array.from({ length: 180 }, (_, i) => i ^ 0x55);

/** A session that {@link under} would have left an hour before NOW. */
function session(more: Partial<Session> = {}, under: Partial<TlsClientOptions> = {}): Session {
  return {
    handle: { kind: "ticket", value: TICKET },
    master: new Uint8Array(48).fill(7),
    suite: suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.id,
    group: suites.secp256r1.id,
    signatureScheme: suites.ecdsa_secp256r1_sha256.id,
    maxFragmentLength: undefined,
    createdMs: NOW - HOUR,
    expiresMs: NOW + HOUR,
    binding: finish(sessionBinding(checkOptions(options(under)))),
    path,
    anchor: 0,
    evidence: [],
    ...more,
  };
}

/** The ClientHello of a client. */
function hello(more: Partial<TlsClientOptions>): { message: messages.ClientHello; ticket: Uint8Array | undefined } {
  const [record] = new Driver(more).output;
  const message = messages.decodeClientHello(record!.subarray(9));
  return { message, ticket: message.extensions?.find(({ type }) => type === ExtensionType.session_ticket)?.data };
}

const isOffered = (blob: Uint8Array, more: Partial<TlsClientOptions> = {}) =>
  hello({ session: blob, ...more }).message.sessionId.length > 0;

const soon = { kind: "crl", depth: 0, notBefore: NOW - HOUR, notAfter: NOW + HOUR } as const;
const until = (kind: "crl" | "ocsp", notAfter: number): Partial<Session> => ({
  evidence: [soon, { ...soon, kind, notAfter }],
});

describe("the blob of a session", () => {
  it.each([
    session(),
    session({ handle: { kind: "id", value: ID } }),
    session({ handle: { kind: "id", value: Uint8Array.of(1) }, maxFragmentLength: 512 }),
    session({ maxFragmentLength: 4096, path: [path[0]!, parseCertificate(trustCertificate())], anchor: 70_000 }),
    session({ handle: { kind: "ticket", value: new Uint8Array(16_384) }, createdMs: 0, expiresMs: 2 ** 48 - 1 }),
    session({
      evidence: [
        { kind: "crl", depth: 1, notBefore: 0, notAfter: 2 ** 48 - 1 },
        { kind: "ocsp", depth: 0, notBefore: NOW, notAfter: NOW + HOUR },
      ],
    }),
  ])("comes back as it was: $handle.kind, $maxFragmentLength", (one) => {
    const decoded = readBlob(blobOf(one));
    expect({ ...decoded, path: undefined }).toEqual({ ...one, path: undefined });
    expect(decoded?.path.map(({ der }) => der)).toEqual(one.path.map(({ der }) => der));
  });

  it("nothing of the blob is kept", () => {
    const blob = blobOf(session());
    const decoded = readBlob(blob)!;
    blob.fill(0);
    expect(decoded.master).toEqual(session().master);
    expect(decoded.binding).toEqual(session().binding);
    expect(decoded.handle.value).toEqual(TICKET);
    expect(decoded.path[0]!.der).toEqual(path[0]!.der);
  });

  it("with any one byte changed, cut or longer it is no session", () => {
    const blob = blobOf(session());
    for (let at = 0; at < blob.length; at++) {
      expect(readBlob(blob.map((byte, i) => (i === at ? byte ^ (1 << (at & 7)) : byte)))).toBeUndefined();
      expect(readBlob(blob.subarray(0, at))).toBeUndefined();
    }
    expect(readBlob(concat([blob, Uint8Array.of(0)]))).toBeUndefined();
  });

  it("with a right checksum around anything it is a session or none, and no exception", () => {
    const content = blobOf(session()).slice(0, -8);
    const sealed = (bytes: Uint8Array) => concat([bytes, finish(crypto.digest("sha256", [bytes])).subarray(0, 8)]);
    expect(readBlob(sealed(content))).toBeDefined();
    const changes = fc.array(fc.tuple(fc.nat(content.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(changes, fc.nat(content.length), fc.boolean(), (changed, length, isCut) => {
        const bytes = content.slice(0, isCut ? length : content.length);
        for (const [at, value] of changed) if (at < bytes.length) bytes[at] = value;
        const decoded = readBlob(sealed(bytes));
        if (isCut && length < content.length) expect(decoded).toBeUndefined();
        // Whatever it holds then: a client goes on with it.
        if (decoded !== undefined) isOffered(sealed(bytes));
      }),
      runs(300),
    );
  });

  it("is read and written in small steps, which count", () => {
    const one = session({ handle: { kind: "ticket", value: new Uint8Array(16_384) }, path: Array(32).fill(path[0]!) });
    const bytes = 32 * path[0]!.der.length + 16_384;
    const most = (task: Task<unknown>) => {
      let [largest, isDone] = [0, false];
      while (!isDone) {
        const before = task.spent;
        isDone = task.step(1);
        largest = Math.max(largest, task.spent - before);
      }
      return { largest, spent: task.spent };
    };
    const own = createCrypto();
    const writing = most(encodeSession(one, own));
    const reading = most(decodeSession(blobOf(one), own));
    expect(writing.spent).toBeGreaterThanOrEqual(own.hashUnits("sha256", bytes));
    // A certificate is one step.
    expect(reading.spent).toBeGreaterThan(writing.spent + 32 * 10);
    expect(Math.max(writing.largest, reading.largest)).toBeLessThan(100);
  });

  it("counts in the statistics of a client that offers it", () => {
    const own = createCrypto();
    const units = (more: Partial<TlsClientOptions>) => new Driver({ crypto: own, ...more }).client.statistics.units;
    const blob = blobOf(session({ path: Array(32).fill(path[0]!) }));
    const least = own.hashUnits("sha256", 32 * path[0]!.der.length);
    expect(units({ session: blob })).toBeGreaterThan(units({ resumption: true }) + least);
  });

  it("random bytes are none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readBlob(bytes) === undefined),
      runs(100),
    );
  });

  it("RFC 5246 §F.1.4, RFC 5077 §3.3 ends after a day, or when the hint is over; 0 is no hint", () => {
    expect(sessionExpiry(0, 0, 0)).toBe(24 * HOUR);
    expect(sessionExpiry(0, 5 * HOUR, 3600)).toBe(6 * HOUR);
    expect(sessionExpiry(0, 23 * HOUR, 7200)).toBe(24 * HOUR);
    expect(sessionExpiry(0, 0, 0xffffffff)).toBe(24 * HOUR);
  });
});

function trustCertificate(): Uint8Array {
  return der(caCertificate);
}

describe("which session is offered", () => {
  it("RFC 5077 §3.4 a ticket goes with a random session ID", () => {
    const blob = blobOf(session());
    const [first, second] = [hello({ session: blob }), hello({ session: blob })];
    for (const { message, ticket } of [first, second]) {
      expect(message.sessionId).toHaveLength(32);
      expect(ticket).toEqual(TICKET);
    }
    expect(first.message.sessionId).not.toEqual(second.message.sessionId);
  });

  it("RFC 5246 §7.4.1.2 an ID goes as it is, and a ticket is asked for", () => {
    const { message, ticket } = hello({ session: blobOf(session({ handle: { kind: "id", value: ID } })) });
    expect(message.sessionId).toEqual(ID);
    expect(ticket).toHaveLength(0);
  });

  it("without a session a ticket is asked for only where the app wants resumption", () => {
    expect(hello({ resumption: true }).ticket).toHaveLength(0);
    expect(hello({ resumption: true }).message.sessionId).toHaveLength(0);
    expect(hello({}).ticket).toBeUndefined();
    expect(hello({ resumption: false, session: blobOf(session()) })).toMatchObject({
      ticket: undefined,
      message: { sessionId: new Uint8Array(0) },
    });
  });

  it("a session that is none is a full handshake; what is no blob is the caller's mistake", () => {
    expect(isOffered(Uint8Array.of(1, 2, 3))).toBe(false);
    expect(() => new Driver({ session: "blob" as unknown as Uint8Array })).toThrow(/session must be/);
  });

  const good = blobOf(session());
  const alpn = ["x-amzn-mqtt-ca"];
  it.each<[string, Partial<TlsClientOptions>, Partial<TlsClientOptions>]>([
    ["host name", {}, { serverName: "a.iot.example.test" }],
    ["host name that begins alike", { serverName: "localhos" }, { serverName: "localhost" }],
    ["ALPN offer: some", {}, { alpn }],
    ["ALPN offer: none", { alpn }, {}],
    ["ALPN offer: more", { alpn }, { alpn: [...alpn, "mqtt"] }],
    ["ALPN offer: another order", { alpn: ["a", "b"] }, { alpn: ["b", "a"] }],
    ["ALPN offer: other seams", { alpn: ["ab", "c"] }, { alpn: ["a", "bc"] }],
    ["trust: another anchor", {}, { trust: trustAnchors(otherCertificate) }],
    ["trust: one more", {}, { trust: trustAnchors([caCertificate, otherCertificate]) }],
    ["trust: one less", { trust: trustAnchors([caCertificate, otherCertificate]) }, {}],
    ["trust: narrower", {}, { trust: [{ ...trust[0]!, pathLength: 0 }] }],
    [
      "trust: another key",
      {},
      { trust: [{ ...trust[0]!, subjectPublicKeyInfo: trustAnchors(otherCertificate)[0]!.subjectPublicKeyInfo }] },
    ],
    ["client certificate: some", {}, { identity: ecIdentity }],
    ["client certificate: another", { identity: ecIdentity }, { identity: rsaIdentity }],
    ["max_fragment_length", {}, { maxFragmentLength: 512 }],
  ])("never under another %s", (_title, before, now) => {
    const blob = blobOf(session({}, before));
    expect(isOffered(blob, before)).toBe(true);
    expect(isOffered(blob, now)).toBe(false);
  });

  it.each<[string, Partial<TlsClientOptions>]>([
    ["suite", { suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384] }],
    ["group", { groups: [suites.x25519] }],
    ["signature scheme", { signatureSchemes: [suites.rsa_pss_rsae_sha256] }],
  ])("nor with a %s that is not offered", (_title, now) => {
    expect(isOffered(good)).toBe(true);
    expect(isOffered(good, now)).toBe(false);
  });

  it("RFC 8422 §5.3 nor with a certificate whose curve is not offered", () => {
    const blob = blobOf(session({ group: suites.x25519.id }));
    expect(isOffered(blob, { groups: [suites.x25519, suites.secp256r1] })).toBe(true);
    expect(isOffered(blob, { groups: [suites.x25519] })).toBe(false);
  });

  it.each<[string, Partial<Session>, number | undefined, boolean]>([
    ["in time", {}, NOW, true],
    ["in its last millisecond", {}, NOW + HOUR - 1, true],
    ["when it is over", {}, NOW + HOUR, false],
    ["before it was made, by a clock that went back", {}, NOW - HOUR - 1, false],
    ["where the time is not known", {}, undefined, false],
    ["after the certificate", { expiresMs: path[0]!.notAfter + HOUR }, path[0]!.notAfter + 1000, false],
    ["with the certificate's last moment", { expiresMs: path[0]!.notAfter + HOUR }, path[0]!.notAfter, true],
    ["before the certificate", { createdMs: 0 }, path[0]!.notBefore - 1, false],
    ["with an anchor that is not there", { anchor: 1 }, NOW, false],
    ["RFC 5280 §5.1.2.5 in the last second of a CRL", until("crl", NOW), NOW, true],
    ["RFC 5280 §5.1.2.5 after a CRL that cleared the path", until("crl", NOW - 1000), NOW, false],
    ["RFC 6960 §4.2.2.1 after an OCSP response", until("ocsp", NOW - 1000), NOW, false],
    ["before a CRL, by a clock that went back", { evidence: [{ ...soon, notBefore: NOW + 1000 }] }, NOW, false],
  ])("%s", (_title, more, now, isRight) => {
    expect(isOffered(blobOf(session(more)), { wallMs: () => now })).toBe(isRight);
  });
});

describe("RFC 5246 §7.4.1.3 what a server may answer to a session that was offered", () => {
  const blob = blobOf(session());

  /** A scripted server that echoes the ID, and what the client makes of it. */
  function answer(
    change: (hello: messages.ServerHello) => messages.ServerHello,
    more: Partial<TlsClientOptions> = {},
    script: Script = {},
  ): { client: Driver; server: ScriptedServer } {
    const server: ScriptedServer = new ScriptedServer({
      hello: (right) => change({ ...right, sessionId: server.clientHello!.sessionId.slice() }),
      flight: ([first]) => [first!],
      ...script,
    });
    const client = new Driver({ session: blob, ...more });
    client.feed(server.receive(concat(client.output.splice(0))));
    server.receive(concat(client.output.splice(0)));
    return { client, server };
  }
  const withoutExtension = (removed: number) => (right: messages.ServerHello) => ({
    ...right,
    extensions: right.extensions!.filter(({ type }) => type !== removed),
  });

  it("the ID comes back: the session is resumed", () => {
    expect(answer((right) => right).client.client.stateName).toBe("ExpectChangeCipherSpec");
  });

  it("RFC 5077 §3.3 a ticket that was promised comes before ChangeCipherSpec", () => {
    const promise = { type: ExtensionType.session_ticket, data: new Uint8Array(0) };
    const { client } = answer((right) => ({ ...right, extensions: [...right.extensions!, promise] }));
    expect(client.client.stateName).toBe("ExpectNewSessionTicket");
  });

  it("another ID is a new session: full handshake", () => {
    for (const sessionId of [new Uint8Array(0), new Uint8Array(32), Uint8Array.of(1)])
      expect(answer((right) => ({ ...right, sessionId })).client.client.stateName).toBe("ExpectCertificate");
  });

  it("an ID that was not offered resumes nothing", () => {
    const { client } = answer((right) => ({ ...right, sessionId: ID }), { session: undefined, resumption: true });
    expect(client.client.stateName).toBe("ExpectCertificate");
  });

  it.each([
    [
      "RFC 5246 §7.4.1.3 another suite than the session's",
      (right: messages.ServerHello) => ({ ...right, suite: suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384.id }),
      "TLS_SESSION_MISMATCH",
      47,
      "RFC 5246 §7.4.1.3",
    ],
    [
      "RFC 7627 §5.3 without the extended master secret of the session",
      withoutExtension(ExtensionType.extended_master_secret),
      "TLS_SESSION_MISMATCH",
      40,
      "RFC 7627 §5.3",
    ],
    [
      "RFC 5246 §7.4.1.3 another version",
      (right: messages.ServerHello) => ({ ...right, version: 0x0302 }),
      "TLS_UNSUPPORTED_VERSION",
      70,
      "RFC 5246 §E.1",
    ],
    [
      "RFC 5077 §3.2 a session_ticket extension that is not empty",
      (right: messages.ServerHello) => ({
        ...right,
        extensions: [...right.extensions!, { type: ExtensionType.session_ticket, data: Uint8Array.of(0) }],
      }),
      "TLS_EXTENSION_NOT_EMPTY",
      47,
      "RFC 5077 §3.2",
    ],
  ])("%s", (_title, change, code, alert, rfc) => {
    const { client, server } = answer(change);
    expect(client.error).toMatchObject({ code, alert, rfc });
    expect(server.alerts).toEqual([[2, alert]]);
  });

  it("RFC 5077 §3.2 a session_ticket extension that nobody asked for", () => {
    const promise = { type: ExtensionType.session_ticket, data: new Uint8Array(0) };
    const { client, server } = answer((right) => ({ ...right, extensions: [...right.extensions!, promise] }), {
      session: undefined,
    });
    expect(client.error).toMatchObject({ code: "TLS_UNSOLICITED_EXTENSION", alert: 110 });
    expect(server.alerts).toEqual([[2, 110]]);
  });

  const ticketMessage = messages.encodeNewSessionTicket({ lifetimeHint: 0, ticket: TICKET });
  it.each([
    ["a Certificate in an abbreviated handshake", messages.encodeCertificate([]), "TLS_UNEXPECTED_MESSAGE", 10],
    ["RFC 5077 §3.3 a NewSessionTicket that was not promised", ticketMessage, "TLS_UNEXPECTED_MESSAGE", 10],
  ])("%s", (_title, message, code, alert) => {
    const { client, server } = answer((right) => right);
    client.feed(plain(ContentType.handshake, message));
    server.receive(concat(client.output.splice(0)));
    expect(client.error).toMatchObject({ code, alert });
    expect(server.alerts).toEqual([[2, alert]]);
  });

  it.each([
    ["cut", ticketMessage.subarray(4, -1)],
    ["with a byte more", concat([ticketMessage.subarray(4), Uint8Array.of(0)])],
    ["without a ticket's length", new Uint8Array(4)],
  ])("RFC 5077 §3.3 a NewSessionTicket %s", (_title, body) => {
    const promise = { type: ExtensionType.session_ticket, data: new Uint8Array(0) };
    const { client } = answer((right) => ({ ...right, extensions: [...right.extensions!, promise] }));
    client.feed(plain(ContentType.handshake, concat([Uint8Array.of(4, 0, 0, body.length), body])));
    expect(client.error).toMatchObject({ code: "TLS_DECODE_ERROR", alert: 50, rfc: "RFC 5077 §3.3" });
  });

  it("RFC 6066 §4 the session's max_fragment_length applies where the server is silent", () => {
    const short = { maxFragmentLength: 512 } as const;
    const { client } = answer((right) => right, { ...short, session: blobOf(session(short, short)) });
    expect(client.client.stateName).toBe("ExpectChangeCipherSpec");
    client.feed(plain(ContentType.handshake, new Uint8Array(513)));
    expect(client.error).toMatchObject({ code: "TLS_RECORD_OVERFLOW", alert: 22 });
  });

  it("a server that knows the ID but not the secret: its Finished cannot be opened", () => {
    const { client, server } = answer((right) => right);
    client.feed(plain(ContentType.change_cipher_spec, Uint8Array.of(1)));
    client.feed(plain(ContentType.handshake, new Uint8Array(40)));
    server.receive(concat(client.output.splice(0)));
    expect(client.isSecured).toBe(false);
    expect(client.error).toMatchObject({ code: "TLS_BAD_RECORD_MAC", alert: 20 });
    expect(server.alerts).toEqual([[2, 20]]);
  });
});
