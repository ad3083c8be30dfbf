import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, NO_BYTES, toHex } from "../../../src/bytes.ts";
import type { LogLevel } from "../../../src/ports.ts";
import { finish } from "../../../src/task.ts";
import { ExplicitNonceProtection } from "../../../src/tls/aead-protection.ts";
import { Alert, alertExplanation, alertForCertificateFlags, alertName } from "../../../src/tls/alerts.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { logLevelOfMbedtls } from "../../../src/tls/debug.ts";
import { TlsError, tlsErrors } from "../../../src/tls/errors.ts";
import type { Signer, TlsClientOptions } from "../../../src/tls/events.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { crypto, Driver, der, ecIdentity, options, rsaIdentity, systemRandom } from "./client.ts";
import * as fixtures from "./fixtures.ts";
import { nullCrypto } from "./null-crypto.ts";
import { plain, ScriptedServer } from "./scripted-server.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const REQUEST = { types: [1, 64], schemes: suites.allSignatureSchemes.map(({ id }) => id), authorities: [] };
const { privateKey } = ecIdentity;

/** A driver that is stopped at its `sign` event, and the server that waits for it. */
function waiting(signer: Signer = { sign: () => bytes(1) }) {
  const server = new ScriptedServer({ request: REQUEST });
  const driver = new Driver({ identity: { certificates: ecIdentity.certificates, signer } });
  driver.feed(server.receive(driver.output.shift()!));
  const event = driver.events.find(({ type }) => type === "sign");
  if (event?.type !== "sign") throw new Error("no sign event");
  return { server, driver, event };
}

function relay(driver: Driver, server: ScriptedServer): void {
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
    driver.feed(server.receive(out));
}

/** Content types of whole records. */
function typesOf(records: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < records.length; at += 5 + ((records[at + 3]! << 8) | records[at + 4]!))
    types.push(records[at]!);
  return types;
}

/** Certificate and ClientKeyExchange, which wait for the signature. */
const HELD = [ContentType.handshake, ContentType.handshake];

describe("RFC 5246 §7.4.6 to §7.4.9: the client's flight leaves in one write", () => {
  const FLIGHT = [...HELD, ContentType.handshake, ContentType.change_cipher_spec, ContentType.handshake];

  for (const [budget, identity] of [
    [1, ecIdentity],
    [1000, rsaIdentity],
    [1_000_000, ecIdentity],
  ] as const)
    it(`with a budget of ${budget}`, () => {
      const server = new ScriptedServer({ request: REQUEST });
      const driver = new Driver({ identity }, () => budget);
      const { client } = driver;
      client.feed(server.receive(driver.output.shift()!));
      const outputs: Uint8Array[] = [];
      for (let isBusy = true; isBusy; ) {
        isBusy = client.work(budget) === "more";
        for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent())
          if (event.type === "output") outputs.push(event.bytes.slice());
      }
      expect(outputs.map(typesOf)).toEqual([FLIGHT]);
    });

  it("with a chain that is longer than a record", () => {
    const server = new ScriptedServer({ request: REQUEST });
    const certificates = [...ecIdentity.certificates, ...Array.from({ length: 60 }, () => ecIdentity.certificates[0]!)];
    const driver = new Driver({ identity: { ...ecIdentity, certificates } });
    driver.feed(server.receive(driver.output.shift()!));
    const records = Math.ceil(certificates.reduce((sum, { length }) => sum + length + 3, 7) / 16_384);
    expect(records).toBeGreaterThan(1);
    expect(driver.output.map(typesOf)).toEqual([
      [...Array<number>(records - 1).fill(ContentType.handshake), ...FLIGHT],
    ]);
    relay(driver, server);
    expect(driver.isSecured).toBe(true);
    expect(driver.client.room).toBeGreaterThan(0);
  });

  it("and waits for a signer outside of the engine", () => {
    const { driver, event } = waiting();
    expect(driver.output).toEqual([]);
    driver.client.resume(event.id, finish(crypto.sign(event.scheme, privateKey!, event.input, systemRandom)));
    driver.rest();
    expect(driver.output.map(typesOf)).toEqual([FLIGHT]);
  });

  it("but an alert of ours does not wait", () => {
    const { driver, event } = waiting();
    driver.client.resume(event.id, new Error("chip unplugged"));
    driver.rest();
    expect(driver.output.map(typesOf)).toEqual([[...HELD, ContentType.alert]]);
  });
});

/** A mistake of the caller. */
const misused = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe("a signer outside of the engine", () => {
  it("RFC 5246 §7.4.8 gets scheme and digest, and its answer goes into CertificateVerify", () => {
    const { server, driver, event } = waiting();
    expect(event.scheme).toBe(suites.ecdsa_secp256r1_sha256);
    expect(event.input).toHaveLength(32);
    expect(driver.client.work(1000)).toBe("waiting");
    const signature = finish(crypto.sign(event.scheme, privateKey!, event.input, systemRandom));
    driver.client.resume(event.id, signature);
    driver.rest();
    relay(driver, server);
    expect(driver.isSecured).toBe(true);
    expect(server.certificateVerify).toEqual({ scheme: 0x0403, signature });
  });

  it("an answer must have a question: none that was never asked, none that was answered, none of another number", () => {
    const answer = (driver: Driver, id: number) => () => driver.client.resume(id, bytes(1));
    const unasked = (id: number) => misused("USAGE_INVALID_ARGUMENT", `resume(${id}): no such question is open`);
    expect(answer(new Driver(), 1)).toThrow(unasked(1));
    const { driver, event } = waiting();
    expect(answer(driver, event.id + 1)).toThrow(unasked(event.id + 1));
    driver.client.resume(event.id, bytes(1));
    expect(answer(driver, event.id)).toThrow(unasked(event.id));
  });

  it("an alert that comes meanwhile ends the handshake", () => {
    const { driver, event } = waiting();
    driver.feed(plain(ContentType.alert, bytes(2, 80)));
    expect(driver.error).toMatchObject({ code: "TLS_ALERT_RECEIVED", alert: 80 });
    driver.client.resume(event.id, bytes(1));
  });

  it("a warning that comes meanwhile does not", () => {
    const { driver } = waiting();
    driver.feed(plain(ContentType.alert, bytes(1, 90)));
    expect(driver.events.at(-1)).toEqual({ type: "warning", alert: 90 });
    expect(driver.client.work(1000)).toBe("waiting");
  });

  it("the end of the stream that comes meanwhile ends the handshake", () => {
    const { driver } = waiting();
    driver.client.end();
    driver.rest();
    expect(driver.error?.code).toBe("TLS_CLOSED_WITHOUT_NOTIFY");
  });

  it("close() meanwhile says close_notify", () => {
    const { driver } = waiting();
    driver.client.close();
    driver.rest();
    expect(typesOf(driver.output.at(-1)!)).toEqual([...HELD, ContentType.alert]);
    expect(driver.output.at(-1)!.subarray(-7)).toEqual(plain(ContentType.alert, bytes(1, 0)));
  });

  it("what else comes meanwhile waits for its turn, and is then out of order", () => {
    const { server, driver, event } = waiting();
    driver.feed(plain(ContentType.handshake, bytes(11, 0, 0, 3, 0, 0, 0)));
    expect(driver.error).toBeUndefined();
    driver.client.resume(event.id, finish(crypto.sign(event.scheme, privateKey!, event.input, systemRandom)));
    driver.rest();
    relay(driver, server);
    expect(driver.error?.code).toBe("TLS_UNEXPECTED_MESSAGE");
  });

  it("an error of the signer is TLS_SIGNER_FAILED with its cause, alert 80", () => {
    const { server, driver, event } = waiting();
    const cause = new Error("chip unplugged");
    driver.client.resume(event.id, cause);
    driver.rest();
    expect(driver.error).toMatchObject({ code: "TLS_SIGNER_FAILED", blame: "caller", alert: 80, cause });
    relay(driver, server);
    expect(server.alerts).toEqual([[2, 80]]);
  });

  it.each([
    ["text", "signature", "no signature"],
    ["nothing", undefined, "no signature"],
    ["no bytes", bytes(), "no signature"],
    ["65,536 bytes, which RFC 5246 §4.7 has no length for", new Uint8Array(65_536), "no signature"],
    ["65,535 bytes", new Uint8Array(65_535), "does not verify"],
  ])("an answer of %s is TLS_SIGNER_FAILED", (_title, answer, detail) => {
    const { driver, event } = waiting();
    driver.client.resume(event.id, answer);
    driver.rest();
    expect(driver.error).toMatchObject({ code: "TLS_SIGNER_FAILED", data: { scheme: "ecdsa_secp256r1_sha256" } });
    expect(driver.error?.message).toContain(detail);
  });

  it.each([
    ["with something of its own: TLS_SIGNER_FAILED", new Error("no entropy"), "TLS_SIGNER_FAILED"],
    ["with an error of ours, which stays as it is", new TlsError("TLS_RANDOM_FAILED"), "TLS_RANDOM_FAILED"],
  ] as const)("a key inside of the engine, where the provider fails %s", (_title, cause, code) => {
    const failing: typeof crypto = new Proxy(crypto, {
      get(target, property) {
        if (property === "sign") throw cause;
        const value = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const server = new ScriptedServer({ request: REQUEST });
    const driver = new Driver({ identity: ecIdentity, crypto: failing });
    relay(driver, server);
    expect(driver.error).toMatchObject({ code });
    if (code !== "TLS_SIGNER_FAILED") return;
    expect(driver.error).toMatchObject({ cause, data: { scheme: "ecdsa_secp256r1_sha256" } });
    expect(driver.error?.message).toContain("no entropy");
  });
});

describe("options", () => {
  const wrong: [title: string, options: Partial<TlsClientOptions>, code: string][] = [
    ["no random", { random: undefined as never }, "USAGE_NO_RANDOM"],
    ["no clock", { wallMs: undefined as never }, "USAGE_INVALID_ARGUMENT"],
    ["an empty trust store", { trust: [] }, "USAGE_INVALID_ARGUMENT"],
    ["an empty server name", { serverName: "" }, "USAGE_INVALID_ARGUMENT"],
    ["a server name that is not ASCII", { serverName: "größe.example" }, "USAGE_INVALID_ARGUMENT"],
    ["no suites", { suites: [] }, "USAGE_INVALID_ARGUMENT"],
    [
      "a group that the provider lacks",
      { groups: [{ ...suites.x25519, name: "x448" as never }] },
      "USAGE_INVALID_ARGUMENT",
    ],
    ["an ALPN name that is empty", { alpn: [""] }, "USAGE_INVALID_ARGUMENT"],
    ["an ALPN name of 256 bytes", { alpn: ["x".repeat(256)] }, "USAGE_INVALID_ARGUMENT"],
    ["a limit that is too low", { maxHandshakeBytes: 10 }, "USAGE_INVALID_ARGUMENT"],
    ["an identity without a key", { identity: { certificates: ecIdentity.certificates } }, "USAGE_INVALID_ARGUMENT"],
    ["an identity without a certificate", { identity: { ...ecIdentity, certificates: [] } }, "USAGE_INVALID_ARGUMENT"],
    [
      "a certificate that is none",
      { identity: { ...ecIdentity, certificates: [bytes(1)] } },
      "TLS_IDENTITY_UNREADABLE",
    ],
    [
      "a key of another certificate",
      { identity: { ...ecIdentity, certificates: [der(fixtures.ecServerCertificate)] } },
      "X509_KEY_MISMATCH",
    ],
    [
      "a key of another type",
      { identity: { ...rsaIdentity, certificates: ecIdentity.certificates } },
      "X509_KEY_MISMATCH",
    ],
  ];
  for (const [title, more, code] of wrong)
    it(`${title} is ${code} before anything is sent`, () => {
      expect(() => new TlsClient(options(more))).toThrow(expect.objectContaining({ code, blame: "caller" }));
    });

  it("RFC 6066 §3 the ClientHello has no SNI for addresses, and no dot at the end of a name", () => {
    const sni = (serverName: string) => {
      const server = new ScriptedServer();
      server.receive(new Driver({ serverName }).output[0]!);
      return server.clientHello?.extensions?.find(({ type }) => type === 0)?.data;
    };
    expect(sni("127.0.0.1")).toBeUndefined();
    expect(sni("::1")).toBeUndefined();
    expect(sni("localhost.")).toEqual(concat([bytes(0, 12, 0, 0, 9), Buffer.from("localhost")]));
  });
});

describe("the engine's calls", () => {
  it.each([
    ["knows the extended master secret, and it is demanded", true, true],
    ["knows it, and it is not demanded", false, true],
    ["does not know it, and it is not demanded", undefined, false],
  ])("RFC 7627 §5.2 a server that %s is taken", (_title, requireExtendedMasterSecret, isKnown) => {
    const isRight = ({ type }: messages.Extension): boolean => isKnown || type !== 23;
    const server = new ScriptedServer({
      hello: (hello) => ({ ...hello, extensions: hello.extensions?.filter(isRight) }),
    });
    const driver = new Driver({ requireExtendedMasterSecret });
    relay(driver, server);
    const secured = driver.events.find(({ type }) => type === "secured");
    expect(secured).toMatchObject({ extendedMasterSecret: isKnown });
  });

  it("a source of randomness that fails is TLS_RANDOM_FAILED, with nothing sent", () => {
    const cause = new Error("no entropy");
    const driver = new Driver({
      random: {
        fill() {
          throw cause;
        },
      },
    });
    expect(driver.error).toMatchObject({ code: "TLS_RANDOM_FAILED", cause, mbedtls: -0x3c });
    expect(driver.error).toMatchObject({
      message: expect.stringMatching(/: for \w+$/),
      data: { purpose: "client_random" },
    });
    expect(driver.output).toEqual([]);
  });

  it("a source of randomness that fails in the handshake is TLS_RANDOM_FAILED, alert 80", () => {
    const cause = new Error("no entropy any more");
    const server = new ScriptedServer();
    const driver = new Driver({
      crypto: createCrypto(),
      random: {
        fill(into, purpose) {
          if (purpose === "ecdhe") throw cause;
          systemRandom.fill(into, purpose);
        },
      },
    });
    relay(driver, server);
    expect(driver.error).toMatchObject({ code: "TLS_RANDOM_FAILED", cause, alert: 80, data: { purpose: "ecdhe" } });
    expect(server.alerts).toEqual([[2, 80]]);
  });

  it("a source of randomness that does nothing is TLS_RANDOM_FAILED, with nothing sent: X25519 would take zeros for a key", () => {
    const driver = new Driver({ random: { fill: () => {} }, groups: [suites.x25519], crypto: createCrypto() });
    expect(driver.error).toMatchObject({ code: "TLS_RANDOM_FAILED", data: { purpose: "client_random" } });
    expect(driver.error?.message).toMatch(/only zeros$/);
    expect(driver.output).toEqual([]);
  });

  it("RFC 5246 §6.2.3.2 a source of randomness that fails once for a vector: the alert that says so can be read", () => {
    const suite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256;
    let fails = false;
    const server = new ScriptedServer({ suite });
    const driver = new Driver({
      suites: [suite],
      random: {
        fill(into, purpose) {
          if (fails && purpose === "cbc_iv") {
            fails = false;
            throw new Error("busy");
          }
          systemRandom.fill(into, purpose);
        },
      },
    });
    relay(driver, server);
    fails = true;
    driver.client.write(bytes(1));
    driver.rest();
    relay(driver, server);
    expect(driver.error).toMatchObject({ code: "TLS_RANDOM_FAILED", data: { purpose: "cbc_iv", phase: "traffic" } });
    expect(server.alerts).toEqual([[2, 80]]);
    expect(server.data).toEqual([]);
  });

  it("RFC 5246 §6.1 a key that is used up: no data leaves any more, but the alert that says so", () => {
    const suite: suites.CipherSuite = {
      ...suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
      protect: (keys, context) => {
        const right = suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.protect(keys, context);
        return {
          prefixBytes: right.prefixBytes,
          leastBytes: right.leastBytes,
          protectedBytes: (length) => right.protectedBytes(length),
          open: (buffer, start, length) => right.open(buffer, start, length),
          wipe: () => right.wipe(),
          seal(buffer, start, length) {
            if (length === 3) throw new TlsError("TLS_SEQUENCE_EXHAUSTED");
            return right.seal(buffer, start, length);
          },
        };
      },
    };
    for (const budget of [1, 1_000_000]) {
      const server = new ScriptedServer();
      const driver = new Driver({ suites: [suite] }, () => budget);
      relay(driver, server);
      driver.client.write(bytes(7, 7));
      driver.client.write(bytes(8, 8, 8));
      driver.client.write(bytes(9, 9, 9, 9));
      driver.rest();
      relay(driver, server);
      expect(driver.error).toMatchObject({ code: "TLS_SEQUENCE_EXHAUSTED", alert: 80, mbedtls: -0x6b80 });
      expect(server.data).toEqual([bytes(7, 7)]);
      expect(server.alerts).toEqual([[2, 80]]);
    }
  });

  it("RFC 5705 §4 a label of TLS itself exports nothing", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    relay(driver, server);
    for (const label of [
      "client finished",
      "server finished",
      "master secret",
      "extended master secret",
      "key expansion",
    ])
      expect(() => driver.client.exportKeyingMaterial(label, undefined, 32)).toThrow(/is a label of TLS itself/);
    expect(driver.client.exportKeyingMaterial("EXPORTER-test", undefined, 32)).toHaveLength(32);
  });

  it("RFC 5705 §4 there are no keys to export before the connection is secured, nor after its end", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    const exported = () => driver.client.exportKeyingMaterial("EXPORTER-test", undefined, 32);
    expect(exported).toThrow(misused("USAGE_WRONG_STATE", "no keys to export in ExpectServerHello"));
    relay(driver, server);
    expect(exported()).toHaveLength(32);
    driver.client.destroy();
    expect(exported).toThrow(misused("USAGE_WRONG_STATE", "no keys to export in Closed"));
  });

  it("RFC 5246 §7.4.9 a Finished that cannot be computed ends the handshake, whatever the server sends (CVE-2025-27810)", () => {
    const cause = new Error("out of memory");
    const prf: typeof crypto.prf = (hash, secret, label, seed, length) => {
      if (label === "server finished") throw cause;
      return crypto.prf(hash, secret, label, seed, length);
    };
    const failing = new Proxy(crypto, {
      get: (target, name) => {
        const value: unknown = name === "prf" ? prf : Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    for (const verifyData of [undefined, () => new Uint8Array(12)]) {
      const server = new ScriptedServer(verifyData === undefined ? {} : { verifyData });
      const driver = new Driver({ crypto: failing });
      relay(driver, server);
      expect(driver.error).toMatchObject({ code: "TLS_INTERNAL_ERROR", cause, state: "ExpectFinished" });
      expect(driver.isSecured).toBe(false);
      expect(server.alerts).toEqual([[2, 80]]);
    }
  });

  it("a broken transport is TLS_TRANSPORT_FAILED, never an end", () => {
    const driver = new Driver();
    const cause = new Error("reset");
    driver.client.fail(cause);
    driver.rest();
    expect(driver.error).toMatchObject({ code: "TLS_TRANSPORT_FAILED", blame: "network", cause });
  });

  it("calls in the wrong state say so", () => {
    const idle = new TlsClient(options());
    expect(() => idle.feed(bytes(1))).toThrow(/before start/);
    expect(idle.stateName).toBe("Idle");
    expect(idle.room).toBe(0);
    idle.start();
    expect(() => idle.start()).toThrow(/already/);
    expect(idle.write(bytes(1))).toBe(0);
    expect(() => idle.commit(1)).toThrow(/more than was reserved/);
    expect(idle.stateName).toBe("ExpectServerHello");
  });

  it("what comes after the end is taken, and neither kept nor counted", () => {
    const driver = new Driver();
    driver.client.close();
    driver.rest();
    const { bufferBytes } = driver.client;
    expect(driver.client.feed(new Uint8Array(100_000).fill(22))).toBe(100_000);
    driver.rest();
    expect(driver.client.bufferBytes).toBe(bufferBytes);
    expect(driver.client.statistics.bytesReceived).toBe(0);
  });

  it("times count from the start, whatever the clock shows then", () => {
    let time = 5000;
    const driver = new Driver({ now: () => time });
    time += 7;
    driver.feed(new ScriptedServer().receive(driver.output[0]!));
    const { timeline } = driver.client.statistics;
    expect(timeline.map(({ atMs }) => atMs)).toEqual([0, ...Array(timeline.length - 1).fill(7)]);
  });

  it("what an engine takes in is bounded, and data that is not taken is not overwritten", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    relay(driver, server);
    const text = Uint8Array.from({ length: 300 }, (_, i) => i);
    const record = server.seal(ContentType.application_data, text);
    expect(driver.client.feed(record)).toBe(record.length);
    while (driver.client.work(100) === "more");
    let taken = 0;
    for (let i = 0; i < 100; i++) taken += driver.client.feed(new Uint8Array(1000).fill(23));
    expect(taken).toBeLessThan(20_000);
    expect(driver.client.nextEvent()).toEqual({ type: "data", bytes: text });
    expect(driver.client.nextEvent()).toBeUndefined();
  });

  it("bytes that come while a record is being opened or read do not disturb it", () => {
    for (const step of [1, 40, 400]) {
      const random = seededRandom(3);
      const server = new ScriptedServer({
        framing: ([hello, ...rest]) => concat([hello!, concat(rest)].map((part) => plain(ContentType.handshake, part))),
      });
      const driver = new Driver({ crypto: createCrypto(), random });
      const answer = server.receive(concat(driver.output.splice(0)));
      // A few units of work between two pieces, so that each comes in the middle of something.
      let calls = 0;
      const trickle = (all: Uint8Array) => {
        for (let at = 0; at < all.length; ) {
          at += driver.client.feed(all.subarray(at, at + step));
          driver.client.work(1 + (calls++ % 7));
          for (let event = driver.client.nextEvent(); event !== undefined; event = driver.client.nextEvent())
            if (event.type === "output") driver.output.push(event.bytes.slice());
            else if (event.type === "data") driver.data.push(event.bytes.slice());
            else driver.events.push(event);
        }
        driver.rest();
      };
      trickle(answer);
      trickle(server.receive(concat(driver.output.splice(0))));
      expect(driver.isSecured).toBe(true);
      const texts = Array.from({ length: 20 }, (_, i) => new Uint8Array(100 + i).fill(i));
      trickle(concat(texts.map((text) => server.seal(ContentType.application_data, text))));
      expect(driver.error).toBeUndefined();
      expect(concat(driver.data)).toEqual(concat(texts));
    }
  });

  it("what was reserved cannot be committed once the peer ended, or something else was sent", () => {
    const ends: ((driver: Driver, server: ScriptedServer) => void)[] = [
      ({ client }) => client.end(),
      (driver, server) => driver.feed(server.seal(ContentType.alert, bytes(1, 0))),
      (driver, server) => driver.feed(server.seal(ContentType.handshake, bytes(0, 0, 0, 0))),
      ({ client }) => client.close(),
    ];
    for (const end of ends) {
      const server = new ScriptedServer();
      const driver = new Driver();
      relay(driver, server);
      driver.client.reserve(16).fill(0x41);
      end(driver, server);
      driver.rest();
      expect(() => driver.client.commit(16)).toThrow(/more than was reserved/);
      driver.rest();
      for (const out of driver.output) server.receive(out);
      expect(server.data).toEqual([]);
    }
  });

  it("who ended before start() cannot start, and sends nothing", () => {
    for (const end of ["close", "destroy"] as const) {
      const client = new TlsClient(options());
      client[end]();
      expect(() => client.start()).toThrow(expect.objectContaining({ code: "USAGE_WRONG_STATE" }));
      expect(client.work(100)).toBe("idle");
      expect(client.nextEvent()).toBeUndefined();
    }
  });

  it("a budget that is not a number is the smallest one", () => {
    const client = new TlsClient(options({ crypto: createCrypto() }));
    client.start();
    let calls = 0;
    while (client.work(Number.NaN) === "more") expect(++calls).toBeLessThan(1000);
    expect(client.nextEvent()?.type).toBe("output");
  });

  it("reserve and commit seal in place: the bytes that were written leave in one record", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    relay(driver, server);
    const room = driver.client.reserve(20_000);
    expect(room).toHaveLength(16_384);
    room.set([5, 6, 7]);
    driver.client.commit(3);
    driver.client.write(bytes(8));
    driver.rest();
    expect(driver.output).toHaveLength(1);
    server.receive(driver.output[0]!);
    expect(server.data).toEqual([bytes(5, 6, 7), bytes(8)]);
  });

  it("RFC 5288 §3 nonces are the sequence numbers, and RFC 5246 §6.1 they never wrap", () => {
    const keys = { macKey: NO_BYTES, key: new Uint8Array(16), fixedIv: new Uint8Array(4) };
    const context = { crypto: nullCrypto(), random: systemRandom, encryptThenMac: false };
    const make = (sequence: number) => new ExplicitNonceProtection("aes-128-gcm", keys, context, sequence);
    const record = new Uint8Array(5 + 8 + 1 + 16);
    finish(make(0).seal(record, 0, 1));
    expect(toHex(record.subarray(5, 13))).toBe("0000000000000000");
    finish(make(0x1_2345_6789_ab).seal(record, 0, 1));
    expect(toHex(record.subarray(5, 13))).toBe("00000123456789ab");
    expect(() => make(2 ** 48).seal(record, 0, 1)).toThrow(expect.objectContaining({ code: "TLS_SEQUENCE_EXHAUSTED" }));
  });

  it("logs states, parameters, certificates and messages, and never a secret", () => {
    const lines: [LogLevel, string][] = [];
    const keys: string[] = [];
    const server = new ScriptedServer({ request: REQUEST });
    const driver = new Driver({
      identity: ecIdentity,
      log: { enabled: () => true, log: (level, _tag, message) => void lines.push([level, message]) },
      keyLog: (line) => keys.push(line),
    });
    relay(driver, server);
    const at = (level: LogLevel) => lines.filter(([one]) => one === level).map(([, message]) => message);
    expect(at("debug").join("\n")).toMatch(/negotiated TLS 1\.2, TLS_ECDHE_ECDSA/);
    expect(at("debug").join("\n")).toMatch(/certificate: subject CN = localhost, issuer CN = thingwire test CA/);
    expect(at("verbose").some((line) => line.startsWith("received ServerHello, "))).toBe(true);
    expect(at("info").some((line) => line.includes("ExpectFinished to ExpectTraffic"))).toBe(true);
    const secret = keys[0]!.split(" ")[2]!;
    const all = lines.map(([, message]) => message).join("\n");
    expect(all).not.toContain(secret);
    expect(all).not.toContain(toHex((privateKey as { scalar: Uint8Array }).scalar));
  });

  it("RFC 5246 §7.3 each state refuses every message that it does not expect", () => {
    const types = [1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 22, 99];
    const nothing = nullCrypto();
    const expected: Record<number, string[]> = {
      0: ["ServerHello"],
      1: ["Certificate"],
      2: ["ServerKeyExchange"],
      3: ["CertificateRequest", "ServerHelloDone"],
      4: ["ServerHelloDone"],
      5: [],
    };
    for (const [stage, allowed] of Object.entries(expected))
      for (const type of types) {
        const name = messages.handshakeName(type);
        if (allowed.includes(name)) continue;
        const server = new ScriptedServer(
          {
            request: REQUEST,
            framing: (flight) =>
              concat([...flight.slice(0, Number(stage)), bytes(type, 0, 0, 0)].map((message) => plain(22, message))),
          },
          nothing,
        );
        const driver = new Driver({ crypto: nothing });
        relay(driver, server);
        expect(driver.error, `${name} at ${stage}`).toMatchObject({
          code: "TLS_UNEXPECTED_MESSAGE",
          data: { got: name },
        });
      }
  });
});

describe("tables", () => {
  it("RFC 5246 §7.2.2 every alert has a name and an explanation", () => {
    for (const [name, value] of Object.entries(Alert)) {
      expect(alertName(value)).toBe(name);
      expect(alertExplanation(value).length).toBeGreaterThan(10);
    }
    expect(alertName(200)).toBe("unknown_alert");
    expect(alertExplanation(200)).toMatch(/no specification/);
  });

  it("certificate flags have mbedTLS's alerts, by its priority", () => {
    const pairs: [number, number][] = [
      [0x100 | 4, 49],
      [4 | 0x800, 42],
      [0x800 | 1, 43],
      [0x1000, 43],
      [0x8000, 43],
      [0x10000, 43],
      [1 | 2, 45],
      [2 | 8, 44],
      [8 | 0x200, 48],
      [0x200, 46],
      [0x4000, 46],
    ];
    for (const [flags, alert] of pairs) expect(alertForCertificateFlags(flags)).toBe(alert);
  });

  it("every error of a peer has an alert, but those that end with the peer's last word", () => {
    const silent = ["TLS_ALERT_RECEIVED", "TLS_CLOSED_IN_HANDSHAKE"];
    for (const [code, row] of Object.entries(tlsErrors))
      if (row.blame === "peer") expect("alert" in row, code).toBe(!silent.includes(code));
  });

  it("mbedTLS's debug levels", () => {
    expect([0, 1, 2, 3, 4, 5, Number.NaN].map(logLevelOfMbedtls)).toEqual([
      undefined,
      "error",
      "info",
      "debug",
      "verbose",
      "verbose",
      undefined,
    ]);
  });
});

describe("nodeCrypto", () => {
  const { privateKey: rsa, publicKey: rsaPublic } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = rsaPublic.export({ format: "jwk" });
  const key = {
    type: "rsa",
    modulus: new Uint8Array(Buffer.from(jwk.n!, "base64url")),
    exponent: new Uint8Array(Buffer.from(jwk.e!, "base64url")),
  } as const;

  it("RFC 8017 §8.2.2 verifies what Node signs, and nothing else", () => {
    for (const hash of ["sha256", "sha384", "sha512"] as const) {
      const signature = new Uint8Array(createSign(hash).update("text").sign(rsa));
      const digest = finish(crypto.digest(hash, [Buffer.from("text")]));
      const algorithm = { kind: "rsa-pkcs1", hash } as const;
      expect(finish(crypto.verify(algorithm, key, digest, signature))).toBe(true);
      expect(finish(createCrypto().verify(algorithm, key, digest, signature))).toBe(true);
      expect(
        finish(
          crypto.verify(
            algorithm,
            key,
            digest.map((byte) => byte ^ 1),
            signature,
          ),
        ),
      ).toBe(false);
      expect(
        finish(
          crypto.verify(
            algorithm,
            key,
            digest,
            signature.map((byte) => byte ^ 1),
          ),
        ),
      ).toBe(false);
      expect(finish(crypto.verify(algorithm, key, digest, signature.subarray(1)))).toBe(false);
    }
  });

  it("PRF, HMAC, digests and AES-GCM are those of createCrypto()", () => {
    const own = createCrypto();
    const text = Buffer.from("abc");
    for (const name of ["sha256", "sha384", "sha512"] as const) {
      expect(crypto.hmac(name, text, [text])).toEqual(own.hmac(name, text, [text]));
      expect(finish(crypto.prf(name, text, "label", text, 100))).toEqual(
        finish(own.prf(name, text, "label", text, 100)),
      );
      const hash = crypto.hash(name);
      hash.update(text);
      expect(hash.digest()).toEqual(finish(own.digest(name, [text])));
      hash.clone().update(text);
      expect(hash.digest()).toEqual(finish(own.digest(name, [text])));
    }
    for (const name of ["aes-128-gcm", "aes-256-gcm"] as const) {
      const secret = new Uint8Array(name === "aes-128-gcm" ? 16 : 32).fill(3);
      const buffer = new Uint8Array(40).fill(9);
      finish(crypto.aead(name, secret).seal(buffer, 2, 20, new Uint8Array(12), text));
      expect(finish(own.aead(name, secret).open(buffer, 2, 20, new Uint8Array(12), text))).toBe(true);
      expect(buffer.subarray(0, 20)).toEqual(new Uint8Array(20).fill(9));
      expect(finish(crypto.aead(name, secret).open(buffer, 2, 20, new Uint8Array(12), text))).toBe(false);
      expect(buffer.subarray(2, 20)).toEqual(new Uint8Array(18));
    }
  });

  for (const group of ["secp256r1", "secp384r1", "secp521r1", "x25519"] as const)
    it(`RFC 8422 §5.10, §5.11 ${group}: both sides agree; values that are no keys are refused`, () => {
      const a = finish(crypto.keyExchange(group, systemRandom));
      const b = finish(crypto.keyExchange(group, systemRandom));
      expect(finish(a.shared(b.publicKey))).toEqual(finish(b.shared(a.publicKey)));
      expect(finish(a.shared(b.publicKey.subarray(1)))).toBeUndefined();
      expect(finish(a.shared(new Uint8Array(b.publicKey.length)))).toBeUndefined();
    });
});
