/**
 * The trace, mbedTLS's debug levels 0 to 4: a whole mutual handshake at each level is what stands in `trace-LEVEL.txt`; what is secret
 * never shows, whatever bytes come are shown without an exception, and nothing is made that nobody asked for.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { concat, toHex, utf8Encode } from "../../../src/bytes.ts";
import type { Logger, LogLevel } from "../../../src/ports.ts";
import { consoleLogger } from "../../../src/runtime/console-logger.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import { logLevelOfMbedtls } from "../../../src/tls/debug.ts";
import * as messages from "../../../src/tls/messages.ts";
import {
  allSignatureSchemes,
  secp256r1,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
} from "../../../src/tls/suites.ts";
import { annotatedAlert, annotatedMessage, annotatedRecord } from "../../../src/tls/trace.ts";
import { parseCertificate } from "../../../src/tls/x509/index.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { Driver, der, ecIdentity } from "./client.ts";
import { caCertificate } from "./fixtures.ts";
import { plain, ScriptedServer } from "./scripted-server.ts";

const SECRET_TEXT = "a secret of the application";
const NAMES = { suites: [], groups: [secp256r1] };
const request: messages.CertificateRequest = {
  types: [1, 64],
  schemes: allSignatureSchemes.slice(0, 3).map(({ id }) => id),
  authorities: [parseCertificate(der(caCertificate)).subject.der],
};

/** A seeded handshake with data both ways and both ends' close_notify. */
function converse(log: Logger, keyLog?: (line: string) => void): { driver: Driver; server: ScriptedServer } {
  const server = new ScriptedServer(
    {
      request,
      hello: (hello) => ({
        ...hello,
        extensions: [...hello.extensions!, { type: 16, data: concat([Uint8Array.of(0, 5, 4), utf8Encode("mqtt")]) }],
      }),
    },
    createCrypto({ arithmetic: "bigint" }),
  );
  const driver = new Driver({
    crypto: createCrypto({ arithmetic: "bigint" }),
    random: seededRandom(11),
    identity: ecIdentity,
    alpn: ["x-amzn-mqtt-ca", "mqtt"],
    suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
    groups: [secp256r1],
    log,
    keyLog,
  });
  const relay = () => {
    for (let out = driver.output.shift(); out !== undefined; out = driver.output.shift())
      driver.feed(server.receive(out));
  };
  relay();
  driver.client.write(utf8Encode(SECRET_TEXT));
  driver.rest();
  relay();
  driver.feed(server.seal(23, utf8Encode(SECRET_TEXT.toUpperCase())));
  driver.client.close();
  driver.rest();
  relay();
  driver.feed(server.seal(21, Uint8Array.of(1, 0)));
  expect(driver.events.at(-1)).toMatchObject({ type: "closed", cleanly: true });
  return { driver, server };
}

/** What is logged at a debug level of mbedTLS, as a device's console shows it. */
function traceAt(level: number): string {
  const lines: string[] = [];
  converse(
    consoleLogger({ level: logLevelOfMbedtls(level) ?? "none", write: (line) => void lines.push(line), now: () => 0 }),
  );
  return lines.map((line) => `${line}\n`).join("");
}

describe("mbedTLS's debug levels", () => {
  for (const level of [2, 3, 4])
    it(`level ${level}: a whole mutual handshake`, async () => {
      await expect(traceAt(level)).toMatchFileSnapshot(`trace-${level}.txt`);
    });

  it("levels 0 and 1 say nothing of what goes well, and level 1 tells the error with its rule", () => {
    expect(traceAt(0) + traceAt(1)).toBe("");
    const lines: string[] = [];
    const driver = new Driver({ log: consoleLogger({ level: "error", write: (line) => void lines.push(line) }) });
    driver.feed(plain(22, Uint8Array.of(14, 0, 0, 0)));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^E \(\d+\) tls: TLS_UNEXPECTED_MESSAGE: .*ServerHelloDone in ExpectServerHello \(RFC 5246 §7\.4\)$/,
    );
  });

  it("each level shows what the one below it shows", () => {
    const lines = [2, 3, 4].map((level) => traceAt(level).split("\n"));
    for (const [lower, higher] of [
      [0, 1],
      [1, 2],
    ] as const)
      expect(lines[higher]!.filter((line) => lines[lower]!.includes(line))).toEqual(lines[lower]);
  });

  it("docs/TRACE.md shows what the trace shows", () => {
    const page = readFileSync(new URL("../../../docs/TRACE.md", import.meta.url), "utf8");
    const golden = readFileSync(new URL("trace-4.txt", import.meta.url), "utf8").split("\n");
    const shown = [...page.matchAll(/```text\n([\s\S]*?)```/g)].flatMap((block) => block[1]!.trimEnd().split("\n"));
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((line) => line !== "…" && !golden.includes(line))).toEqual([]);
  });
});

describe("secrets", () => {
  it("no key, no secret and no data of the application is shown at any level", () => {
    const lines: string[] = [];
    const keys: string[] = [];
    const log = { enabled: () => true, log: (_l: LogLevel, _t: string, line: string) => void lines.push(line) };
    converse(log, (line) => keys.push(line));
    // As digits without spaces and offsets, so that no cut into rows hides anything.
    const digits = lines
      .join("\n")
      .split("\n")
      .map((line) => /^ {2}[0-9a-f]{4} {2}((?:[0-9a-f]{2} )+)/.exec(line)?.[1] ?? line)
      .join("")
      .replaceAll(" ", "");
    const master = keys[0]!.split(" ")[2]!;
    const scalar = toHex((ecIdentity.privateKey as { scalar: Uint8Array }).scalar);
    for (const secret of [master, scalar, toHex(utf8Encode(SECRET_TEXT)), toHex(utf8Encode(SECRET_TEXT.toUpperCase()))])
      for (let at = 0; at + 16 <= secret.length; at += 16) expect(digits).not.toContain(secret.slice(at, at + 16));
    expect(lines.join("\n").toLowerCase()).not.toContain(SECRET_TEXT);
    // The check sees what is there.
    expect(digits).toContain(toHex(ecIdentity.certificates[0]!.subarray(0, 16)));
  });

  it("what is off costs nothing: no line is made that is not asked for", () => {
    const asked: string[] = [];
    converse({
      enabled: (level) => {
        asked.push(level);
        return false;
      },
      log: () => expect.fail("logged"),
    });
    expect(asked).toContain("verbose");
  });
});

describe("annotations", () => {
  it("text of a peer is escaped", () => {
    const hello = messages.encodeServerHello({
      version: 0x0303,
      random: new Uint8Array(32),
      sessionId: new Uint8Array(0),
      suite: 0xc02b,
      compression: 0,
      extensions: [{ type: 16, data: concat([Uint8Array.of(0, 6, 5), utf8Encode("\u001b[2J\n")]) }],
    });
    const text = annotatedMessage(hello, NAMES);
    expect(text).toContain('"\\u{1b}[2J\\u{a}"');
    expect(text).not.toContain("\u001b");
  });

  it("values by name, and numbers where there is no name", () => {
    expect(annotatedAlert(Uint8Array.of(2, 42), NAMES)).toMatch(
      /level: fatal \(2\)\n.*description: bad_certificate \(42\)/,
    );
    expect(annotatedAlert(Uint8Array.of(7, 200), NAMES)).toMatch(/level: 7\n.*description: 200/);
    expect(annotatedRecord(plain(21, Uint8Array.of(2, 42), 0x0301), false, NAMES)).toMatch(
      /type: alert \(21\)\n.*version: TLS 1\.0 \(0x0301\)\n.*length: 2\n {2}0005 {2}02 2a .*fragment: 2 bytes$/,
    );
  });

  it("what is cut short, too long or unknown is shown with what is wrong", () => {
    const done = Uint8Array.of(14, 0, 0, 2, 0xaa, 0xbb);
    expect(annotatedMessage(done, NAMES)).toMatch(/aa bb .*malformed, 2 byte\(s\) too many: 2 bytes$/);
    expect(annotatedMessage(Uint8Array.of(99, 0, 0, 1, 5), NAMES)).toMatch(/msg_type: 99\n[\s\S]*body: 1 byte$/);
    expect(annotatedMessage(Uint8Array.of(4, 0, 0, 2, 1, 2), NAMES)).toMatch(/malformed, 4 byte\(s\) wanted, 2 there/);
    expect(annotatedMessage(Uint8Array.of(4, 0, 0, 0), NAMES)).toMatch(/malformed, 4 byte\(s\) wanted, 0 there$/);
    expect(annotatedMessage(new Uint8Array(0), NAMES)).toMatch(/malformed/);
    // An extension whose contents are too long for it.
    const body = [3, 3, ...new Array<number>(32).fill(0), 0, 0xc0, 0x2b, 0, 0, 7, 0, 11, 0, 3, 1, 0, 9];
    expect(annotatedMessage(Uint8Array.of(2, 0, 0, body.length, ...body), NAMES)).toMatch(
      /ECPointFormat: uncompressed \(0\)\n.* 09 .*malformed, 1 byte\(s\) too many/,
    );
  });

  it("is bounded: a message of 64 KiB has at most some 250 lines and 20,000 characters", () => {
    const many = messages.encodeCertificateRequest({
      types: new Array<number>(255).fill(64),
      schemes: new Array<number>(30_000).fill(0x0403),
      authorities: [],
    });
    const long = messages.encodeCertificate([new Uint8Array(65_000)]);
    const empty = messages.encodeCertificate(new Array<Uint8Array>(20_000).fill(new Uint8Array(0)));
    for (const message of [many, long, empty]) {
      const text = annotatedMessage(message, NAMES);
      expect(text.split("\n").length).toBeLessThan(260);
      expect(text.length).toBeLessThan(25_000);
      expect(text).toMatch(/… and \d+ bytes more/);
    }
  });
});
