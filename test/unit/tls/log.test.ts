/**
 * What clients and servers log at the levels that someone who runs them reads, and that a peer's text shows escaped there.
 */
import { describe, expect, it } from "vitest";
import { concat, utf8Encode } from "../../../src/bytes.ts";
import type { Logger, LogLevel } from "../../../src/ports.ts";
import type { TlsClientOptions, TlsServerOptions } from "../../../src/tls/events.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import { ContentType } from "../../../src/tls/record.ts";
import { type ServerResumption, SessionCache } from "../../../src/tls/server-sessions.ts";
import * as suites from "../../../src/tls/suites.ts";
import { Driver, NOW } from "./client.ts";
import { plain, type Script, ScriptedServer } from "./scripted-server.ts";
import { Dialog, ecServer, ServerDriver } from "./server.ts";

const common = {
  suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
  groups: [suites.secp256r1],
  signatureSchemes: [suites.ecdsa_secp256r1_sha256],
};

/** A logger, and its lines up to the level `debug`. */
function journal(): { lines: string[]; log: Logger } {
  const lines: string[] = [];
  const shown: LogLevel[] = ["error", "warn", "info", "debug"];
  const log: Logger = {
    enabled: (level) => shown.includes(level),
    log: (level, tag, message) => void lines.push(`${level} ${tag}: ${message}`),
  };
  return { lines, log };
}

function logged(
  server: Partial<TlsServerOptions>,
  client: Partial<TlsClientOptions>,
): { dialog: Dialog; lines: string[] } {
  const { lines, log } = journal();
  return { dialog: new Dialog({ ...common, ...server, log }, { ...common, ...client }), lines };
}

describe("the log of a client", () => {
  it("RFC 5246 §7.4.1.1 says that a renegotiation is refused, and by which alert", () => {
    const { lines, log } = journal();
    const server = new ScriptedServer();
    const driver = new Driver({ log });
    for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
      driver.feed(server.receive(out));
    lines.length = 0;
    driver.feed(server.seal(ContentType.handshake, new Uint8Array(4)));
    expect(lines).toEqual([
      "info tls: HelloRequest: renegotiation is not supported",
      "info tls: alert sent: no_renegotiation (100)",
    ]);
  });

  it("RFC 5246 §7.2.2 says what an alert of the server means, where the stream was cut, and the error", () => {
    const alerted = journal();
    const refused = new Driver({ log: alerted.log });
    alerted.lines.length = 0;
    refused.feed(plain(ContentType.alert, Uint8Array.of(2, 48)));
    expect(alerted.lines).toEqual([
      expect.stringMatching(/^info tls: alert received: unknown_ca \(48\): ./),
      expect.stringMatching(/^error tls: TLS_ALERT_RECEIVED: .+ \(RFC 5246 §7\.2\)$/),
    ]);
    const cut = journal();
    const server = new ScriptedServer();
    const driver = new Driver({ log: cut.log });
    for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
      driver.feed(server.receive(out));
    cut.lines.length = 0;
    driver.client.end();
    driver.rest();
    expect(cut.lines).toEqual(["info tls: closed without close_notify of the peer"]);
  });
});

/** A session that is left by a server with this resumption, the log of a client that offers it, and what becomes of it. */
function offering(resumption: ServerResumption, later: Partial<TlsClientOptions> = {}, damage = 0) {
  const first = new Dialog({ ...common, resumption }, { ...common, resumption: true });
  const kept = first.client.events.find(({ type }) => type === "session");
  if (kept?.type !== "session" || kept.session === undefined) throw new Error("no session");
  const session = kept.session.map((byte, i) => (i === 20 ? byte ^ damage : byte));
  const { lines, log } = journal();
  const again = new Dialog({ ...common, resumption }, { ...common, session, log, ...later });
  expect(again.isSecured).toBe(true);
  return lines.filter((line) => line.includes("session"));
}

describe("what a client logs of sessions", () => {
  const wallMs = () => NOW;
  const negotiated = expect.stringMatching(/^debug tls: negotiated TLS 1\.2, .*, session resumed$/);

  it("RFC 5246 §7.4.1.2 that one is offered by its ID, and resumed", () => {
    const cache = new SessionCache();
    expect(offering({ wallMs, cache })).toEqual(["debug tls: a session is offered by its id", negotiated]);
  });

  it("RFC 5077 §3.4 that one is offered by its ticket, and resumed", () => {
    const ticketKey = new Uint8Array(16);
    expect(offering({ wallMs, ticketKey })).toEqual(["debug tls: a session is offered by its ticket", negotiated]);
  });

  it("that one is damaged, or over, and so not offered", () => {
    const cache = new SessionCache();
    expect(offering({ wallMs, cache }, {}, 1)).toEqual([
      "warn tls: the session is damaged or of another version: full handshake",
    ]);
    expect(offering({ wallMs, cache }, { wallMs: () => NOW + 90_000_000 })).toEqual([
      "info tls: the session is over or was made under other options: full handshake",
    ]);
  });
});

describe("what a client logs of the ServerHello", () => {
  it.each<[string, Script["hello"], Partial<TlsClientOptions>, string]>([
    [
      "RFC 5246 §7.4.1.4 without extensions",
      (hello) => ({ ...hello, extensions: undefined }),
      {},
      "ALPN none, extended master secret no, secure renegotiation no, max fragment length none, encrypt-then-MAC no",
    ],
    [
      "RFC 5246 §7.4.1.4 with all of them",
      (hello) => ({
        ...hello,
        extensions: [
          ...hello.extensions!,
          { type: ExtensionType.application_layer_protocol_negotiation, data: Uint8Array.of(0, 2, 1, 97) },
          { type: ExtensionType.max_fragment_length, data: Uint8Array.of(1) },
          { type: ExtensionType.encrypt_then_mac, data: new Uint8Array(0) },
        ],
      }),
      { alpn: ["a"], maxFragmentLength: 512 },
      "ALPN a, extended master secret yes, secure renegotiation yes, max fragment length 512, encrypt-then-MAC yes",
    ],
  ])("%s", (_title, hello, more, said) => {
    const { lines, log } = journal();
    const suite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
    const server = new ScriptedServer({ suite, ...(hello === undefined ? {} : { hello }) });
    const driver = new Driver({ log, suites: [suite], ...more });
    driver.feed(server.receive(driver.output.shift()!).subarray(0, 200));
    expect(driver.error).toBeUndefined();
    expect(lines).toContain(`debug tls: negotiated TLS 1.2, ${suite.name}, ${said}`);
  });
});

describe("the log of a server", () => {
  it("RFC 5246 §7.4.1.3 says what was chosen, who the client is, and each state", () => {
    const { dialog, lines } = logged({ select: () => ({ identity: ecServer, alpn: "mqtt" }) }, { alpn: ["mqtt"] });
    expect(dialog.isSecured).toBe(true);
    expect(lines).toEqual([
      "debug tls: chosen: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, secp256r1, signed with ecdsa_secp256r1_sha256, ALPN mqtt, SNI localhost",
      "info tls: state ExpectClientHello to ExpectCertificate",
      "debug tls: client certificate: subject CN = ec device, issuer CN = thingwire test CA",
      "info tls: state ExpectCertificate to ExpectClientKeyExchange",
      "info tls: state ExpectClientKeyExchange to ExpectCertificateVerify",
      "info tls: state ExpectCertificateVerify to ExpectChangeCipherSpec",
      "info tls: state ExpectChangeCipherSpec to ExpectFinished",
      "info tls: secured with a client: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
      "info tls: state ExpectFinished to ExpectTraffic",
    ]);
  });

  it("says where there is neither SNI nor ALPN", () => {
    const { lines } = logged({ clientCertificate: "none" }, { serverName: "127.0.0.1" });
    expect(lines[0]).toMatch(/, ALPN none, SNI none$/);
  });

  it("says whether a session that was asked for is resumed", () => {
    const resumption = { wallMs: () => NOW, cache: new SessionCache() };
    const first = logged({ resumption }, { resumption: true });
    const asked = /session is (not )?resumed/;
    expect(first.lines.filter((line) => asked.test(line))).toEqual([]);
    const kept = first.dialog.client.events.find(({ type }) => type === "session");
    const session = kept?.type === "session" ? kept.session : undefined;
    const again = logged({ resumption }, { session });
    expect(again.lines.filter((line) => asked.test(line))).toEqual(["debug tls: a session is resumed"]);
    const late = logged({ resumption: { ...resumption, wallMs: () => NOW + 86_400_000 } }, { session });
    expect(late.lines.filter((line) => asked.test(line))).toEqual(["debug tls: the session is not resumed"]);
    expect(late.dialog.isSecured).toBe(true);
  });

  it("RFC 5246 §7.2.1 says which alerts came and went, and how it ended", () => {
    const { dialog, lines } = logged({ clientCertificate: "none" }, {});
    lines.length = 0;
    dialog.client.client.close();
    dialog.run();
    expect(lines).toEqual([
      "info tls: alert received: close_notify (0)",
      "info tls: alert sent: close_notify (0)",
      "info tls: closed",
    ]);
  });

  it("shows a host name of the client's escaped", () => {
    const { lines, log } = journal();
    const server = new ServerDriver({ log, clientCertificate: "none" });
    const name = utf8Encode("a\u001b[2Jb\nc");
    const sni = concat([Uint8Array.of(0, name.length + 3, 0, 0, name.length), name]);
    const extensions = concat(
      [
        [ExtensionType.server_name, sni] as const,
        [ExtensionType.supported_groups, Uint8Array.of(0, 2, 0, 23)] as const,
        [ExtensionType.signature_algorithms, Uint8Array.of(0, 2, 4, 3)] as const,
      ].map(([type, data]) => concat([Uint8Array.of(0, type, 0, data.length), data])),
    );
    const body = concat([
      Uint8Array.of(3, 3),
      new Uint8Array(32),
      Uint8Array.of(0, 0, 2, 0xc0, 0x2b, 1, 0, 0, extensions.length),
      extensions,
    ]);
    server.feed(plain(ContentType.handshake, concat([Uint8Array.of(1, 0, 0, body.length), body])));
    expect(server.error).toBeUndefined();
    const chosen = lines.find((line) => line.includes("chosen: "));
    expect(chosen).toMatch(/SNI a.*2Jb.*c$/);
    for (const raw of ["\u001b", "\n"]) expect(chosen).not.toContain(raw);
  });
});
