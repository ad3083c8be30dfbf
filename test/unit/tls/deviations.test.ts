/**
 * A server that deviates in one thing, and the error and the alert that it must get; and what a server may do without being refused.
 * The rows of the table stand in `deviations/`.
 *
 * @module
 */

import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import { Alert, AlertLevel } from "../../../src/tls/alerts.ts";
import { createCrypto } from "../../../src/tls/crypto/create.ts";
import type { CryptoProvider } from "../../../src/tls/crypto/provider.ts";
import { tlsErrors } from "../../../src/tls/errors.ts";
import type { TlsClientOptions } from "../../../src/tls/events.ts";
import { ContentType } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { crypto, Driver, ecIdentity, rsaIdentity } from "./client.ts";
import { deviations } from "./deviations/all.ts";
import { CbcForger } from "./deviations/cbc-forger.ts";
import { bytes, type Deviation, extend, lastBefore, NONE, REQUEST, rsaServer } from "./deviations/deviation.ts";
import { orderDeviations } from "./deviations/order.ts";
import { inPieces, plain, type Script, ScriptedServer } from "./scripted-server.ts";

const { handshake, alert, application_data } = ContentType;

/** Client and server talk until nothing is left to say. */
function talk(driver: Driver, server: ScriptedServer): void {
  for (let bytes = driver.output.shift(); bytes !== undefined; bytes = driver.output.shift())
    driver.feed(server.receive(bytes));
}

describe("the table of deviations", () => {
  it("has 150 that were thought of one by one, besides every message in every wrong state, and no title twice", () => {
    expect(deviations.length - orderDeviations.length).toBeGreaterThanOrEqual(150);
    expect(orderDeviations.length).toBeGreaterThanOrEqual(100);
    expect(new Set(deviations.map(({ title }) => title)).size).toBe(deviations.length);
    for (const { title } of deviations)
      expect(title).toMatch(/^(RFC \d+ §\d|RFC \d+ §E\.1|RFC 6520 |CVE-\d+-\d+ |FIPS 186-5 §\d|NPN)/);
  });

  it("has a row for every error that the bytes of a server can cause", () => {
    const proven = new Set(deviations.map(({ code }) => code as string));
    // What a client does to a server; what no peer does alone; resumption, which has its own tests.
    const others = [
      "TLS_CLIENT_",
      "TLS_NOTHING_IN_COMMON",
      "TLS_NO_NULL_COMPRESSION",
      "TLS_SEQUENCE_EXHAUSTED",
      "TLS_SESSION_",
    ];
    const missing = Object.entries(tlsErrors)
      .filter(([code, { blame }]) => blame === "peer" && !others.some((start) => code.startsWith(start)))
      .map(([code]) => code)
      .filter((code) => !proven.has(code));
    expect(missing).toEqual([]);
  });
});

/** The client, computing with `clientCrypto`, refuses it as the row says. */
function refuses(deviation: Deviation, clientCrypto: CryptoProvider): void {
  const forger = new CbcForger(crypto);
  const server = new ScriptedServer(deviation.script, forger.crypto);
  const driver = new Driver({ identity: ecIdentity, ...deviation.options, crypto: clientCrypto });
  talk(driver, server);
  if (deviation.traffic !== undefined) {
    expect(driver.error).toBeUndefined();
    expect(driver.isSecured).toBe(true);
    driver.feed(deviation.traffic(server, { driver, forger }));
  }
  if (deviation.end === true) {
    driver.client.end();
    driver.rest();
  }
  const { error } = driver;
  expect(error).toMatchObject({
    code: deviation.code,
    blame: expect.stringMatching(/peer|network/),
    data: {
      state: deviation.state ?? expect.stringMatching(/^Expect/),
      phase: deviation.traffic === undefined ? "handshake" : "traffic",
      ...(deviation.problem === undefined ? {} : { problems: expect.arrayContaining([deviation.problem]) }),
    },
    ...(deviation.mbedtls === undefined ? {} : { mbedtls: deviation.mbedtls }),
  });
  if (deviation.detail !== undefined) expect(error?.message).toContain(deviation.detail);
  talk(driver, server);
  const fatal = server.alerts.filter(([level]) => level === AlertLevel.fatal).map(([, description]) => description);
  expect(fatal).toEqual(deviation.alert === undefined ? [] : [deviation.alert]);
  expect(server.received.at(-1)).toBe(lastBefore(deviation));
  expect(driver.isSecured).toBe(deviation.traffic !== undefined);
  expect(driver.client.stateName).toBe("Dead");
  expect(() => driver.client.feed(bytes(0))).toThrow(error);
  expect(driver.client.nextEvent()).toBeUndefined();
}

const titleOf = ({ title, code, alert }: Deviation): string => `${title}: ${code}, alert ${alert ?? "none"}`;

describe("a server that deviates", () => {
  for (const row of deviations) it(titleOf(row), () => refuses(row, crypto));
});

describe("a server that deviates in what arithmetic finds out, with the crypto of thingwire itself", () => {
  const codes: readonly string[] = [
    "TLS_INVALID_KEY_SHARE",
    "TLS_BAD_SIGNATURE",
    "TLS_BAD_RECORD_MAC",
    "TLS_BAD_FINISHED",
  ];
  const own = createCrypto();
  for (const row of deviations.filter(({ code }) => codes.includes(code))) it(titleOf(row), () => refuses(row, own));
});

describe("a server that does nothing wrong", () => {
  const right: [title: string, script: Script, options?: Partial<TlsClientOptions>][] = [
    ["ECDSA", {}],
    ["RSA", { ...rsaServer, suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 }],
    [
      "RSA with PKCS #1",
      { ...rsaServer, suite: suites.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, scheme: suites.rsa_pkcs1_sha256 },
    ],
    ["SHA-384 in the signature", { scheme: suites.ecdsa_secp384r1_sha384 }],
    [
      "no extensions at all, and so no extended master secret",
      { hello: (hello) => ({ ...hello, extensions: undefined }) },
    ],
    ["an echo of supported_groups is tolerated", { hello: extend(10, bytes(0, 2, 0, 23)) }],
    ["an empty server_name answer", { hello: extend(0, NONE) }],
    ["a session_id that will not be used", { hello: (hello) => ({ ...hello, sessionId: new Uint8Array(32).fill(5) }) }],
    [
      "a warning of unrecognized_name (RFC 6066 §3)",
      {
        framing: (flight) =>
          concat([plain(alert, bytes(1, 112)), ...flight.map((message) => plain(handshake, message))]),
      },
    ],
    [
      "a HelloRequest in the handshake is ignored",
      {
        framing: (flight) =>
          concat([plain(handshake, bytes(0, 0, 0, 0)), ...flight.map((message) => plain(handshake, message))]),
      },
    ],
    ["all messages in one record", { framing: (flight) => plain(handshake, concat(flight)) }],
    ["one byte a record", { framing: inPieces(1) }],
    ["three bytes a record", { framing: inPieces(3) }],
    [
      "a record of TLS 1.0 around the ServerHello",
      {
        framing: ([hello, ...rest]) =>
          concat([plain(handshake, hello!, 0x0301), ...rest.map((message) => plain(handshake, message))]),
      },
    ],
    ["a request for a certificate", { request: REQUEST }, { identity: ecIdentity }],
    ["a request for RSA only: an empty list", { request: { ...REQUEST, types: [1] } }, { identity: ecIdentity }],
    [
      "a request with schemes that we do not have: an empty list",
      { request: { ...REQUEST, schemes: [0x0201, 0x0203, 0x0809, 0x1234] } },
      { identity: ecIdentity },
    ],
    [
      "an RSA key and a request with SHA-1 and ECDSA only: an empty list",
      { request: { ...REQUEST, schemes: [0x0201, 0x0403] } },
      { identity: rsaIdentity },
    ],
    ["a request with SHA-512 only", { request: { ...REQUEST, schemes: [0x0603] } }, { identity: ecIdentity }],
  ];
  for (const [title, script, options] of right)
    it(title, () => {
      const server = new ScriptedServer(script);
      const driver = new Driver(options);
      talk(driver, server);
      expect(driver.error).toBeUndefined();
      expect(driver.isSecured).toBe(true);
      driver.client.write(bytes(1, 2, 3));
      driver.rest();
      server.receive(driver.output.at(-1)!);
      expect(concat(server.data)).toEqual(bytes(1, 2, 3));
      driver.feed(server.seal(application_data, bytes(4, 5)));
      expect(concat(driver.data)).toEqual(bytes(4, 5));
      const asked = script.request;
      const signed = asked?.types.includes(64) === true && !title.endsWith("an empty list");
      expect(server.certificateVerify?.scheme).toBe(
        signed ? (asked?.schemes.length === 1 ? 0x0603 : 0x0403) : undefined,
      );
      expect(server.received.filter((name) => name === "Certificate")).toHaveLength(asked === undefined ? 0 : 1);
    });

  it("RFC 5246 §7.2.1 close_notify is answered and ends the connection cleanly", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.feed(server.seal(alert, bytes(1, 0)));
    server.receive(driver.output.at(-1)!);
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
    expect(driver.client.write(bytes(1))).toBe(0);
  });

  it("RFC 5246 §7.2.1 close_notify is answered in the handshake too", () => {
    const server = new ScriptedServer({ framing: () => plain(alert, bytes(1, 0)) });
    const driver = new Driver();
    talk(driver, server);
    talk(driver, server);
    expect(driver.error?.code).toBe("TLS_CLOSED_IN_HANDSHAKE");
    expect(server.alerts).toEqual([[AlertLevel.warning, Alert.close_notify]]);
  });

  it("RFC 5246 §7.2.1 close_notify that crosses ours is not answered again, and neither is a HelloRequest", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.client.close();
    driver.rest();
    driver.feed(server.seal(application_data, bytes(1)));
    driver.feed(server.seal(handshake, bytes(0, 0, 0, 0)));
    driver.feed(server.seal(alert, bytes(1, 0)));
    talk(driver, server);
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
    expect(concat(driver.data)).toEqual(bytes(1));
    expect(driver.events.at(-1)).toEqual({ type: "closed", cleanly: true });
  });

  it("RFC 5246 §6.2.1 empty data records count in a row only", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    for (let i = 0; i < 3; i++) {
      for (let k = 0; k < 32; k++) driver.feed(server.seal(application_data, NONE));
      driver.feed(server.seal(application_data, bytes(i)));
    }
    expect(driver.error).toBeUndefined();
    expect(concat(driver.data)).toEqual(bytes(0, 1, 2));
  });

  it("RFC 5246 §7.2 four warnings, and RFC 5246 §7.4.1.1 four HelloRequests, are put up with", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    for (let i = 0; i < 4; i++) {
      driver.feed(server.seal(alert, bytes(1, 90)));
      driver.feed(server.seal(handshake, bytes(0, 0, 0, 0)));
    }
    driver.feed(server.seal(application_data, bytes(7)));
    expect(driver.error).toBeUndefined();
    expect(driver.events.filter(({ type }) => type === "warning")).toHaveLength(4);
    talk(driver, server);
    expect(server.alerts).toEqual(Array(4).fill([1, Alert.no_renegotiation]));
    expect(concat(driver.data)).toEqual(bytes(7));
  });

  it("RFC 5246 §7.4.1.1 a HelloRequest in the handshake gets no answer", () => {
    const server = new ScriptedServer({
      framing: (flight) => plain(handshake, concat([bytes(0, 0, 0, 0), ...flight, bytes(0, 0, 0, 0)])),
    });
    const driver = new Driver();
    talk(driver, server);
    expect(driver.isSecured).toBe(true);
    expect(server.alerts).toEqual([]);
  });

  it("RFC 5246 §7.2.2 a HelloRequest in traffic gets the warning no_renegotiation", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.feed(server.seal(handshake, bytes(0, 0, 0, 0)));
    server.receive(driver.output.at(-1)!);
    expect(server.alerts).toEqual([[1, Alert.no_renegotiation]]);
    expect(driver.error).toBeUndefined();
  });

  it("RFC 5246 §7.2.1 close() in the handshake says close_notify and gives up", () => {
    const driver = new Driver();
    driver.client.close();
    driver.rest();
    expect(driver.output.at(-1)).toEqual(plain(alert, bytes(1, 0)));
    expect(driver.events).toEqual([{ type: "closed", cleanly: false }]);
    expect(driver.client.stateName).toBe("Closed");
  });

  it("what was written before close() still leaves, and what comes after it is refused", () => {
    const server = new ScriptedServer();
    const driver = new Driver();
    talk(driver, server);
    driver.client.write(bytes(9));
    driver.client.close();
    expect(() => driver.client.write(bytes(1))).toThrow(/after close/);
    driver.rest();
    server.receive(driver.output.at(-1)!);
    expect(concat(server.data)).toEqual(bytes(9));
    expect(server.alerts).toEqual([[1, Alert.close_notify]]);
  });
});
