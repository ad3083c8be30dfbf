/** The trace against the codec: they read the same fields, and whatever bytes come, the trace shows them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/bytes.ts";
import * as messages from "../../../src/tls/messages.ts";
import { annotatedAlert, annotatedMessage, annotatedRecord } from "../../../src/tls/trace.ts";
import { runs } from "../../runs.ts";

const NAMES = { suites: [], groups: [] };
const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const id = fc.nat(0xffff);
const ids = fc.array(id, { minLength: 1, maxLength: 20 });
const extensions = fc.option(fc.uniqueArray(fc.record({ type: id, data: bytes(0, 30) }), { maxLength: 5 }), {
  nil: undefined,
});
const hello = { version: id, random: bytes(32, 32), sessionId: bytes(0, 32), extensions };

/** Each message that has a layout, made by the codec. Extensions of types with a layout of their own are in the unit tests. */
const encoded = fc.oneof(
  fc
    .record({ ...hello, suites: ids, compressions: fc.array(fc.nat(255), { minLength: 1, maxLength: 4 }) })
    .map(messages.encodeClientHello),
  fc.record({ ...hello, suite: id, compression: fc.nat(255) }).map(messages.encodeServerHello),
  fc.array(bytes(1, 80), { maxLength: 4 }).map(messages.encodeCertificate),
  fc
    .record({ group: id, publicKey: bytes(1, 65), scheme: id, signature: bytes(0, 80) })
    .map(({ scheme, signature, ...parameters }) =>
      messages.encodeServerKeyExchange({ parameters: messages.encodeEcdheParameters(parameters), scheme, signature }),
    ),
  fc
    .record({
      types: fc.array(fc.nat(255), { minLength: 1, maxLength: 5 }),
      schemes: ids,
      authorities: fc.array(bytes(1, 40), { maxLength: 4 }),
    })
    .map(messages.encodeCertificateRequest),
  fc.constant(messages.encodeServerHelloDone()),
  bytes(1, 65).map(messages.encodeClientKeyExchange),
  fc.record({ scheme: id, signature: bytes(0, 80) }).map(messages.encodeCertificateVerify),
  bytes(12, 12).map(messages.encodeFinished),
);

const decoders: Readonly<Record<string, (body: Uint8Array) => unknown>> = {
  ClientHello: messages.decodeClientHello,
  ServerHello: messages.decodeServerHello,
  Certificate: messages.decodeCertificate,
  ServerKeyExchange: messages.decodeServerKeyExchange,
  CertificateRequest: messages.decodeCertificateRequest,
  CertificateVerify: messages.decodeCertificateVerify,
  ClientKeyExchange: messages.decodeClientKeyExchange,
  Finished: messages.decodeFinished,
};

function isDecoded(message: Uint8Array): boolean {
  try {
    const name = messages.handshakeName(message[0]!);
    (decoders[name] ?? ((body) => messages.decodeEmpty(body, "ServerHelloDone")))(message.subarray(4));
    return true;
  } catch {
    return false;
  }
}

/** Everything that the trace shows as digits, joined. */
function shown(text: string): string {
  return text
    .split("\n")
    .map((line) => /^ {2}[0-9a-f]{4} {2}((?:[0-9a-f]{2}(?: |$))+)/.exec(line)?.[1] ?? "")
    .join("")
    .replaceAll(" ", "");
}

describe("the trace reads what the codec reads", () => {
  it("a message that the codec made is annotated to its last byte", () => {
    fc.assert(
      fc.property(encoded, (message) => {
        const text = annotatedMessage(message, NAMES);
        // Extensions whose type has a layout carry random bytes here.
        if (!text.includes("extension_data")) expect(text).not.toContain("malformed");
        if (!text.includes("… and ")) expect(shown(text)).toBe(Buffer.from(message).toString("hex"));
      }),
      runs(150),
    );
  });

  it("what the codec accepts, cut or changed as it may be, the trace does not call malformed; nothing throws", () => {
    fc.assert(
      fc.property(
        encoded,
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
        fc.nat(5),
        (message, changes, cut) => {
          const changed = message.slice(0, Math.max(4, message.length - cut));
          for (const [at, value] of changes) if (at >= 4 && at < changed.length) changed[at] = value;
          const text = annotatedMessage(changed, NAMES);
          if (isDecoded(changed) && !text.includes("extension_data")) expect(text).not.toContain("malformed");
        },
      ),
      runs(300),
    );
  });

  it("any bytes are shown, and bounded", () => {
    fc.assert(
      fc.property(bytes(0, 400), fc.constantFrom(0, 1, 2, 4, 11, 12, 13, 14, 15, 16, 20, 22, 99), (body, type) => {
        for (const text of [
          annotatedMessage(concat([Uint8Array.of(type, 0, 0, body.length & 255), body]), NAMES),
          annotatedAlert(body, NAMES),
          annotatedRecord(body, true, NAMES),
        ])
          expect(text.split("\n").length).toBeLessThan(260);
      }),
      runs(150),
    );
  });
});
