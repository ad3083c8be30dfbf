import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TlsError } from "../../../src/tls/errors.ts";
import * as messages from "../../../src/tls/messages.ts";
import { runs } from "../../runs.ts";

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const id = fc.integer({ min: 0, max: 0xffff });
const extensions = fc.option(fc.array(fc.record({ type: id, data: bytes(0, 20) }), { maxLength: 5 }), {
  nil: undefined,
});
const common = { version: id, random: bytes(32, 32), sessionId: bytes(0, 32), extensions };
const body = (message: Uint8Array) => message.subarray(4);

/** Encoder, decoder and values of each message that has contents. */
const pairs: Record<
  string,
  { encode: (value: never) => Uint8Array; decode: (body: Uint8Array) => unknown; values: fc.Arbitrary<unknown> }
> = {
  ClientHello: {
    encode: messages.encodeClientHello,
    decode: messages.decodeClientHello,
    values: fc.record({
      ...common,
      suites: fc.array(id, { minLength: 1, maxLength: 9 }),
      compressions: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  ServerHello: {
    encode: messages.encodeServerHello,
    decode: messages.decodeServerHello,
    values: fc.record({ ...common, suite: id, compression: fc.nat({ max: 255 }) }),
  },
  Certificate: {
    encode: messages.encodeCertificate,
    decode: messages.decodeCertificate,
    values: fc.array(bytes(1, 300), { maxLength: 4 }),
  },
  CertificateRequest: {
    encode: messages.encodeCertificateRequest,
    decode: messages.decodeCertificateRequest,
    values: fc.record({
      types: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 4 }),
      schemes: fc.array(id, { minLength: 1, maxLength: 9 }),
      authorities: fc.array(bytes(1, 60), { maxLength: 4 }),
    }),
  },
  ClientKeyExchange: {
    encode: messages.encodeClientKeyExchange,
    decode: messages.decodeClientKeyExchange,
    values: bytes(1, 255),
  },
  CertificateVerify: {
    encode: messages.encodeCertificateVerify,
    decode: messages.decodeCertificateVerify,
    values: fc.record({ scheme: id, signature: bytes(0, 300) }),
  },
  Finished: { encode: messages.encodeFinished, decode: messages.decodeFinished, values: bytes(12, 12) },
};

describe("RFC 5246 §7.4 messages", () => {
  for (const [name, { encode, decode, values }] of Object.entries(pairs)) {
    it(`${name}: what is decoded is what was encoded`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const message = encode(value as never);
          expect(messages.handshakeName(message[0]!)).toBe(name);
          expect((message[1]! << 16) | (message[2]! << 8) | message[3]!).toBe(message.length - 4);
          expect(decode(body(message))).toEqual(value);
        }),
        runs(60),
      );
    });

    it(`${name}: cut short or made longer it is TLS_DECODE_ERROR`, () => {
      fc.assert(
        fc.property(values, fc.nat(), (value, cut) => {
          const whole = body(encode(value as never));
          const longer = new Uint8Array(whole.length + 1);
          longer.set(whole);
          for (const broken of [whole.subarray(0, cut % whole.length), longer]) {
            let result: unknown;
            try {
              result = decode(broken);
            } catch (error) {
              expect(error).toBeInstanceOf(TlsError);
              expect((error as TlsError).code).toBe("TLS_DECODE_ERROR");
              continue;
            }
            // A hello without its block of extensions is whole.
            expect(result).toMatchObject({ extensions: undefined });
          }
        }),
        runs(60),
      );
    });
  }

  it("ServerKeyExchange: the parameters are the signed bytes", () => {
    fc.assert(
      fc.property(id, bytes(1, 255), id, bytes(0, 300), (group, publicKey, scheme, signature) => {
        const parameters = messages.encodeEcdheParameters({ group, publicKey });
        const message = messages.encodeServerKeyExchange({ parameters, scheme, signature });
        expect(messages.decodeServerKeyExchange(body(message))).toEqual({
          group,
          publicKey,
          parameters,
          scheme,
          signature,
        });
      }),
      runs(60),
    );
  });
});
