/** The table of TLS errors and the explanations of alerts: complete, in whole sentences, and each code provoked by some test. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Alert, alertAdvice, alertName } from "../../../src/tls/alerts.ts";
import { alertReceived, TlsError, type TlsErrorCode, type TlsErrorRow, tlsErrors } from "../../../src/tls/errors.ts";
import {
  decodeCertificate,
  decodeCertificateRequest,
  decodeFinished,
  decodeServerHello,
  decodeServerKeyExchange,
  messageReader,
} from "../../../src/tls/messages.ts";
import { crypto, Driver } from "./client.ts";
import { plain, ScriptedServer } from "./scripted-server.ts";

const rows = Object.entries(tlsErrors) as [TlsErrorCode, TlsErrorRow][];

/** mbedTLS 3.6: those of `ssl.h`, and those of other modules that its TLS client passes on. */
const MBEDTLS = [
  ...[0x7080, 0x7100, 0x7180, 0x7200, 0x7280, 0x7300, 0x7400, 0x7480, 0x7500, 0x7580, 0x7600, 0x7680, 0x7700, 0x7780],
  ...[0x7800, 0x7880, 0x7a00, 0x7f00, 0x6e80, 0x6e00, 0x6d80, 0x6d00, 0x6c80, 0x6c00, 0x6b80, 0x6b00, 0x6a00, 0x6680],
  ...[0x6600, 0x5f00, 0x5e80, 0x5d80],
  // X509_CERT_VERIFY_FAILED, X509_INVALID_FORMAT, X509_FATAL_ERROR, ECP_VERIFY_FAILED, NET_CONN_RESET, ENTROPY_SOURCE_FAILED.
  ...[0x2700, 0x2180, 0x3000, 0x4e00, 0x0050, 0x003c],
].map((code) => -code);

function relay(driver: Driver, server: ScriptedServer): void {
  for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
    driver.feed(server.receive(out));
}

describe("the table of errors", () => {
  it.each(rows)("%s has a section of an RFC and a code of mbedTLS 3.6", (_, row) => {
    expect(row.rfc).toMatch(/^RFC \d{4} §[A-Z0-9.]+(, §[0-9.]+)*$/);
    expect(row.meaning).not.toContain("RFC");
    expect(MBEDTLS).toContain(row.mbedtls);
  });

  it("each code is provoked by a test", () => {
    const folders = ["unit/tls", "unit/transport", "unit/simulator", "property/tls", "interop"];
    const texts = folders.flatMap((folder) => {
      const at = new URL(`../../${folder}/`, import.meta.url);
      return readdirSync(at, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".test.ts") || name.startsWith("deviations"))
        .filter((name) => name.endsWith(".ts"))
        .map((name) => readFileSync(new URL(name, at), "utf8"));
    });
    const untested = rows.map(([code]) => code).filter((code) => !texts.some((text) => text.includes(`"${code}"`)));
    expect(untested).toEqual([]);
  });

  it("an error says where it arose: state and phase, with the row's section, in JSON too", () => {
    const early = new Driver();
    early.feed(plain(22, Uint8Array.of(14, 0, 0, 0)));
    expect(early.error).toMatchObject({
      code: "TLS_UNEXPECTED_MESSAGE",
      state: "ExpectServerHello",
      phase: "handshake",
      rfc: "RFC 5246 §7.4",
      data: { state: "ExpectServerHello", phase: "handshake", got: "ServerHelloDone" },
    });
    expect(early.error!.toJSON()).toMatchObject({
      rfc: "RFC 5246 §7.4",
      alert: "unexpected_message (10)",
      mbedtls: "-0x7700",
    });
    const raw = new TlsError("TLS_DECODE_ERROR");
    expect([raw.state, raw.phase, raw.rfc]).toEqual([undefined, undefined, "RFC 5246 §7.2.2"]);
  });

  it("RFC 5246 §7.2.1 an error behind our close_notify is told from one in the midst of traffic", () => {
    for (const [close, phase] of [
      [false, "traffic"],
      [true, "closing"],
    ] as const) {
      const server = new ScriptedServer();
      const driver = new Driver();
      relay(driver, server);
      if (close) driver.client.close();
      driver.rest();
      const forged = server.seal(23, new Uint8Array(10));
      forged[forged.length - 1]! ^= 1;
      driver.feed(forged);
      expect(driver.error).toMatchObject({ code: "TLS_BAD_RECORD_MAC", phase, state: "ExpectTraffic" });
    }
  });

  it("what cannot be read names the section of that message or extension", () => {
    const reading: [read: (body: Uint8Array) => unknown, rfc: string][] = [
      [decodeServerHello, "RFC 5246 §7.4.1.3"],
      [decodeCertificate, "RFC 5246 §7.4.2"],
      [decodeServerKeyExchange, "RFC 8422 §5.4"],
      [decodeCertificateRequest, "RFC 5246 §7.4.4"],
      [decodeFinished, "RFC 5246 §7.4.9"],
      [(body) => messageReader(body, "renegotiation_info").uint16(), "RFC 5746 §3.2"],
      [(body) => messageReader(body, "of no RFC").uint16(), "RFC 5246 §7.2.2"],
    ];
    for (const [read, rfc] of reading)
      expect(() => read(new Uint8Array(0))).toThrow(expect.objectContaining({ code: "TLS_DECODE_ERROR", rfc }));
    const driver = new Driver();
    driver.feed(plain(22, Uint8Array.of(2, 0, 0, 0)));
    expect(driver.error).toMatchObject({ rfc: "RFC 5246 §7.4.1.3", state: "ExpectServerHello" });
  });

  it("what nobody expected is TLS_INTERNAL_ERROR, alert 80, with its cause", () => {
    const cause = new Error("a provider that breaks its contract");
    const broken = {
      ...Object.fromEntries(
        (["supports", "hash", "hashUnits", "hmac", "prf", "aead", "keyExchange", "publicKey"] as const).map((name) => [
          name,
          (...all: unknown[]) => (crypto[name] as (...all: unknown[]) => unknown)(...all),
        ]),
      ),
      digest() {
        throw cause;
      },
      verify() {
        throw cause;
      },
    } as unknown as typeof crypto;
    const server = new ScriptedServer();
    const driver = new Driver({ crypto: broken });
    relay(driver, server);
    expect(driver.error).toMatchObject({
      code: "TLS_INTERNAL_ERROR",
      blame: "bug",
      alert: 80,
      mbedtls: -0x6c00,
      cause,
    });
    expect(server.alerts).toEqual([[2, 80]]);
  });

  it("an error that was located keeps what it knew: cause, alert, hint, mbedTLS's code, stack", () => {
    const cause = new Error("why");
    const details = { cause, alert: 42, hint: "Do this.", mbedtls: -0x4380, data: { a: 1 } };
    const error = new TlsError("TLS_BAD_SIGNATURE", "detail", details);
    const located = error.within("ExpectFinished", "handshake");
    expect(located).toMatchObject({ ...details, data: { a: 1, state: "ExpectFinished", phase: "handshake" } });
    expect(located.message).toBe(error.message);
    expect(located.stack).toBe(error.stack);
  });
});

describe("RFC 5246 §7.2.2 each alert that a server can send is explained", () => {
  const known = Object.values(Alert) as readonly number[];

  it("every number from 0 to 255: what it means, whose fault it is, what to do, in whole sentences", () => {
    for (let alert = 0; alert < 256; alert++) {
      const { meaning, fault, remedy } = alertAdvice(alert);
      expect(meaning, `${alert}`).toMatch(/^[a-z].{14,}[^.]$/);
      expect(["device", "server", "network", "library", "none"]).toContain(fault);
      expect(remedy, `${alert}`).toMatch(/^[A-Z].{14,}[.]$/);
      expect(fault === "none").toBe(alert === Alert.close_notify);
      if (!known.includes(alert)) expect(meaning).toMatch(/no specification/);
    }
    const meanings = known.map((alert) => alertAdvice(alert).meaning);
    expect(new Set(meanings).size).toBe(known.length);
  });

  it("every number from 1 to 255, received in a handshake: the error carries the number, the explanation and the fault", () => {
    for (let alert = 1; alert < 256; alert++) {
      const driver = new Driver();
      driver.feed(plain(21, Uint8Array.of(2, alert)));
      const { meaning, fault, remedy } = alertAdvice(alert);
      expect(driver.error).toMatchObject({
        code: "TLS_ALERT_RECEIVED",
        alert,
        mbedtls: -0x7780,
        hint: remedy,
        state: "ExpectServerHello",
        phase: "handshake",
        data: { alert, name: alertName(alert), explanation: meaning, fault },
      });
      expect(driver.error!.message).toContain(`${alertName(alert)} (${alert}): ${meaning}`);
      // The peer's alert is the last word: nothing is sent back.
      expect(driver.output).toHaveLength(1);
    }
  });

  it("a server is told the alert alone: explanations are for who runs a device", () => {
    expect(alertReceived(42, "server").data).toEqual({ alert: 42, name: "bad_certificate" });
  });

  it.each([
    [40, "device"],
    [42, "device"],
    [48, "device"],
    [51, "device"],
    [112, "device"],
    [120, "device"],
    [10, "network"],
    [20, "network"],
    [70, "server"],
    [80, "server"],
    [50, "library"],
  ])("alert %i is the fault of: %s", (alert, fault) => {
    expect(alertAdvice(alert).fault).toBe(fault);
  });
});
