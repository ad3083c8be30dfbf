import { describe, expect, it } from "vitest";
import { concat, toHex } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { finish } from "../../../src/task.ts";
import { Alert } from "../../../src/tls/alerts.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import type { ClientRequest, TlsServerOptions } from "../../../src/tls/events.ts";
import { admitByTrust, TlsServer } from "../../../src/tls/server.ts";
import * as suites from "../../../src/tls/suites.ts";
import { parseCertificate } from "../../../src/tls/x509/certificate.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { crypto, Driver, ecIdentity, NOW, rsaIdentity, systemRandom, trust } from "./client.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { plain } from "./scripted-server.ts";
import { Dialog, ecServer, rsaServer, ServerDriver, serverOptions } from "./server.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

describe("RFC 5246 §7.3: a mutual handshake of our client and our server", () => {
  for (const [serverName, identity] of [
    ["P-256", ecServer],
    ["RSA", rsaServer],
  ] as const)
    for (const [clientName, client] of [
      ["P-256", ecIdentity],
      ["RSA", rsaIdentity],
    ] as const)
      it(`${serverName} server, ${clientName} client: both are secured alike, and data pass both ways`, () => {
        const dialog = new Dialog({ select: () => ({ identity, alpn: "mqtt" }) }, { identity: client, alpn: ["mqtt"] });
        expect(dialog.client.error ?? dialog.server.error).toBeUndefined();
        const { secured } = dialog.server;
        const told = dialog.client.events.find(({ type }) => type === "secured");
        expect(told).toMatchObject({
          alpn: "mqtt",
          suite: secured?.suite,
          group: secured?.group,
          signatureScheme: secured?.signatureScheme,
          clientSignatureScheme: secured?.clientSignatureScheme,
          extendedMasterSecret: true,
        });
        expect(secured).toMatchObject({ alpn: "mqtt", serverName: "localhost" });
        expect(secured?.clientCertificates[0]?.der).toEqual(client.certificates[0]);
        expect(secured?.statistics.timeline.map(({ direction, message }) => `${direction} ${message}`)).toEqual([
          "received ClientHello",
          "sent ServerHello",
          "sent Certificate",
          "sent ServerKeyExchange",
          "sent CertificateRequest",
          "sent ServerHelloDone",
          "received Certificate",
          "received ClientKeyExchange",
          "received CertificateVerify",
          "received ChangeCipherSpec",
          "received Finished",
          "sent ChangeCipherSpec",
          "sent Finished",
        ]);
        dialog.client.client.write(bytes(1, 2, 3));
        dialog.server.server.write(bytes(4, 5));
        dialog.run();
        expect(dialog.server.data).toEqual([bytes(1, 2, 3)]);
        expect(dialog.client.data).toEqual([bytes(4, 5)]);
      });

  it.each([suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384])(
    "with $name",
    (suite) => {
      expect(new Dialog({ suites: [suite] }).server.secured?.suite).toBe(suite);
    },
  );

  it("RFC 5246 §7.4.1.3 the server's order of suites, groups and schemes counts", () => {
    const own = [suites.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
    const { secured } = new Dialog(
      {
        suites: own,
        groups: [suites.secp384r1, suites.secp256r1],
        signatureSchemes: [suites.ecdsa_secp384r1_sha384, suites.ecdsa_secp256r1_sha256],
      },
      { groups: [suites.secp256r1, suites.secp384r1] },
    ).server;
    expect(secured).toMatchObject({
      suite: own[0],
      group: suites.secp384r1,
      signatureScheme: suites.ecdsa_secp384r1_sha384,
    });
  });

  it("with our own arithmetic, in steps of one unit", () => {
    const own = createCrypto();
    let calls = 0;
    const budget = () => {
      calls++;
      return 1;
    };
    const admit = admitByTrust({ trust, crypto: own, wallMs: () => NOW });
    const dialog = new Dialog({ crypto: own, admit }, { crypto: own }, budget);
    expect(dialog.isSecured).toBe(true);
    expect(calls).toBeGreaterThan(1000);
  });

  it("the flights leave in one write each, however small the budget", () => {
    const client = new Driver({ identity: ecIdentity });
    // Our own arithmetic seals in steps.
    const { server } = new ServerDriver({ crypto: createCrypto() });
    /** What the server writes for it, piece by piece. */
    const answers = (flight: Uint8Array): Uint8Array[] => {
      const outputs: Uint8Array[] = [];
      server.feed(flight);
      for (let isBusy = true; isBusy; ) {
        isBusy = server.work(1) === "more";
        for (let event = server.nextEvent(); event !== undefined; event = server.nextEvent())
          if (event.type === "output") outputs.push(event.bytes.slice());
      }
      return outputs;
    };
    const first = answers(client.output.splice(0)[0]!);
    expect(first).toHaveLength(1);
    client.feed(first[0]!);
    expect(answers(client.output.splice(0)[0]!)).toHaveLength(1);
  });

  it("RFC 5705 §4 both export the same keys; the key log has the same secret", () => {
    const lines: string[] = [];
    const keyLog = (line: string) => void lines.push(line);
    const { client, server } = new Dialog({ keyLog }, { keyLog });
    const exported = (engine: Pick<TlsServer, "exportKeyingMaterial">) =>
      toHex(engine.exportKeyingMaterial("EXPERIMENTAL test", undefined, 20));
    expect(exported(server.server)).toBe(exported(client.client));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(lines[1]);
    for (const length of [0, -1, 1.5, Number.NaN, 65_536])
      expect(() => client.client.exportKeyingMaterial("x", undefined, length)).toThrow(
        expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
      );
    expect(() => client.client.exportKeyingMaterial("x", new Uint8Array(65_536), 1)).toThrow(
      expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }),
    );
  });

  it("RFC 5246 §7.4.4 the names of authorities are sent", () => {
    const { issuer } = parseCertificate(ecIdentity.certificates[0]!);
    const debug: string[] = [];
    const log = { enabled: () => true, log: (_level: string, _tag: string, text: string) => void debug.push(text) };
    new Dialog({ certificateAuthorities: [issuer.der] }, { log });
    expect(debug.join("\n")).toContain(`authorities ${issuer}`);
  });
});

describe("select", () => {
  const asked = (hello: Partial<ConstructorParameters<typeof Driver>[0]>): ClientRequest[] => {
    const requests: ClientRequest[] = [];
    const select: TlsServerOptions["select"] = (request) => {
      requests.push(request);
      return { identity: ecServer };
    };
    new Dialog({ select }, hello);
    return requests;
  };

  it("RFC 6066 §3, RFC 7301 §3.1 sees host name and protocols, once", () => {
    expect(asked({ serverName: "a.iot.example.test", alpn: ["h2", "mqtt"] })).toEqual([
      { serverName: "a.iot.example.test", alpn: ["h2", "mqtt"] },
    ]);
    expect(asked({ serverName: "127.0.0.1" })).toEqual([{ serverName: undefined, alpn: [] }]);
  });

  it("chooses the identity", () => {
    const select: TlsServerOptions["select"] = ({ serverName }) => ({
      identity: serverName === "localhost" ? rsaServer : ecServer,
    });
    expect(new Dialog({ select }).server.secured?.suite.authentication).toBe("rsa");
    expect(new Dialog({ select }, { serverName: "127.0.0.1" }).server.secured?.suite.authentication).toBe("ecdsa");
  });

  it("a client that is refused by the alert says so", () => {
    const { client, server } = new Dialog({ select: () => ({ alert: Alert.no_application_protocol }) });
    expect(client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 120, mbedtls: -0x7780 });
    expect(server.error).toMatchObject({
      code: "TLS_CLIENT_REFUSED",
      alert: 120,
      data: { state: "ExpectClientHello" },
    });
  });

  it("text of the client is shown escaped", () => {
    const { server } = new Dialog({ select: () => ({ alert: 112 }) }, { alpn: ["a\u0007\u001b[31m"] });
    expect(server.error?.message).toMatch(/^[\x20-\x7e§]*$/);
    expect(server.error?.message).toContain("localhost");
  });
});

describe("RFC 5246 §7.2.2: abort", () => {
  it.each([Alert.bad_certificate, Alert.certificate_unknown, Alert.access_denied])("%i in traffic", (alert) => {
    const dialog = new Dialog();
    dialog.server.server.abort(alert);
    dialog.run();
    expect(dialog.client.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert, data: { phase: "traffic" } });
    expect(dialog.server.server.stateName).toBe("Closed");
    expect(dialog.server.events.map(({ type }) => type)).toEqual(["secured"]);
  });

  it("in the handshake, and what was written before goes first", () => {
    const server = new ServerDriver();
    server.server.abort(80);
    server.rest();
    expect(server.output).toEqual([plain(21, bytes(2, 80))]);
    const dialog = new Dialog();
    dialog.server.server.write(bytes(7));
    dialog.server.server.abort(80);
    dialog.run();
    expect(dialog.client.data).toEqual([bytes(7)]);
    expect(dialog.client.error?.alert).toBe(80);
  });

  it("does nothing after the end", () => {
    const dialog = new Dialog();
    dialog.server.server.destroy();
    dialog.server.server.abort(80);
    dialog.server.rest();
    expect(dialog.server.output).toEqual([]);
  });
});

describe("the end of a connection", () => {
  it("RFC 5246 §7.2.1 close() of either side is answered by the other", () => {
    for (const side of ["client", "server"] as const) {
      const dialog = new Dialog();
      if (side === "client") dialog.client.client.close();
      else dialog.server.server.close();
      dialog.run();
      expect(dialog.client.events.at(-1)).toEqual({ type: "closed", cleanly: true });
      expect(dialog.server.events.at(-1)).toEqual({ type: "closed", cleanly: true });
    }
  });

  it("RFC 5246 §7.2.1 the end of the stream without close_notify shows", () => {
    const dialog = new Dialog();
    dialog.server.server.end();
    dialog.server.rest();
    expect(dialog.server.events.at(-1)).toEqual({ type: "closed", cleanly: false });
    const early = new ServerDriver();
    early.server.end();
    early.rest();
    expect(early.error?.code).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
    expect(early.output).toEqual([]);
  });

  it("a source of randomness that fails is TLS_RANDOM_FAILED, alert 80", () => {
    const random: Random = {
      fill() {
        throw new Error("no entropy");
      },
    };
    const { client, server } = new Dialog({ random });
    expect(server.error).toMatchObject({ code: "TLS_RANDOM_FAILED", blame: "caller" });
    expect(client.error).toMatchObject({ alert: 80 });
  });
});

describe("a signer outside of the engine", () => {
  const signer = { sign: () => bytes(1) };

  function waiting() {
    const client = new ScriptedClient();
    const server = new ServerDriver({ select: () => ({ identity: { certificates: ecServer.certificates, signer } }) });
    server.feed(client.start());
    const event = server.events.at(-1);
    if (event?.type !== "sign") throw new Error("no sign event");
    return { client, server, event };
  }

  it("RFC 5246 §7.4.3 signs the key exchange", () => {
    const { client, server, event } = waiting();
    expect(server.server.work(100)).toBe("waiting");
    server.server.resume(event.id, finish(crypto.sign(event.scheme, ecServer.privateKey!, event.input, systemRandom)));
    server.rest();
    server.feed(client.receive(concat(server.output.splice(0))));
    expect(server.secured?.signatureScheme).toBe(event.scheme);
  });

  it("that fails is TLS_SIGNER_FAILED, alert 80; an alert of the client that comes meanwhile ends it", () => {
    const failed = waiting();
    failed.server.server.resume(failed.event.id, new Error("chip unplugged"));
    failed.server.rest();
    expect(failed.server.error).toMatchObject({ code: "TLS_SIGNER_FAILED", alert: 80 });
    const { server } = waiting();
    server.feed(plain(21, bytes(2, 90)));
    expect(server.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 90 });
  });
});

describe("options of the server", () => {
  const wrong: [title: string, options: Partial<TlsServerOptions>, code: string][] = [
    ["no random", { random: undefined as never }, "USAGE_NO_RANDOM"],
    ["no select", { select: undefined as never }, "USAGE_INVALID_ARGUMENT"],
    ["an unknown clientCertificate", { clientCertificate: "maybe" as never }, "USAGE_INVALID_ARGUMENT"],
    ["no suites", { suites: [] }, "USAGE_INVALID_ARGUMENT"],
    ["a limit that is too low", { maxHandshakeBytes: 10 }, "USAGE_INVALID_ARGUMENT"],
  ];
  it.each(wrong)("%s is %s", (_title, more, code) => {
    expect(() => new TlsServer(serverOptions(more))).toThrow(expect.objectContaining({ code }));
  });

  const broken: [title: string, options: Partial<TlsServerOptions>, detail: string][] = [
    [
      "an identity that is no certificate",
      { select: () => ({ identity: { certificates: [bytes(1)], privateKey: ecServer.privateKey } }) },
      "select",
    ],
    ["an identity of no certificates", { select: () => ({ identity: { ...ecServer, certificates: [] } }) }, "empty"],
    [
      "a select that throws",
      {
        select() {
          throw new Error("out of order");
        },
      },
      "select: out of order",
    ],
    [
      "an admit that throws",
      {
        admit() {
          throw new Error("out of order");
        },
      },
      "admit: out of order",
    ],
  ];
  it.each(broken)("%s ends the connection with internal_error, and the caller is to blame", (_title, more, detail) => {
    const { client, server } = new Dialog(more);
    expect(server.error).toMatchObject({ code: "TLS_SERVER_CALLBACK_FAILED", blame: "caller" });
    expect(server.error?.message).toContain(detail);
    expect(client.error).toMatchObject({ alert: 80 });
  });

  it("admitByTrust leaves who has no certificate to clientCertificate", () => {
    const admit = admitByTrust({ trust, crypto, wallMs: () => NOW });
    expect(admit([])).toBeUndefined();
    expect(new Dialog({ clientCertificate: "request" }, { identity: undefined }).isSecured).toBe(true);
    expect(new Dialog({ clientCertificate: "require" }, { identity: undefined }).client.error).toMatchObject({
      alert: Alert.handshake_failure,
    });
  });

  it("the same seed gives the same bytes", () => {
    const first = () => {
      const client = new Driver({ identity: ecIdentity, random: seededRandom(1) });
      const server = new ServerDriver({ random: seededRandom(2), crypto: createCrypto() });
      server.feed(client.output.splice(0)[0]!);
      return toHex(concat(server.output));
    };
    expect(first()).toBe(first());
  });
});
