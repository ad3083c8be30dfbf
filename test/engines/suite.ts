/**
 * What each engine must be able to do with the published bundles, and nothing but the language: no `TextEncoder`, no timers, no
 * `crypto`. Leaves its findings in `globalThis.report` as JSON; `engines.test.ts` bundles it, runs it and judges.
 */

import { encode, PacketParser, PacketType } from "thingwire/mqtt";
import { delta, merge } from "thingwire/shadow";
import {
  createBigIntCrypto,
  createCrypto,
  createSmallCrypto,
  type PublicKey,
  type SignatureAlgorithm,
} from "thingwire/tls/crypto";
import { parsePrivateKey } from "thingwire/tls/x509";
import { fromHex, toHex, utf8Encode } from "../../src/bytes.ts";
import { finish } from "../../src/task.ts";
import { type Recording, replay } from "../fixtures/replay.ts";
import { seededRandom } from "../fixtures/seeded-random.ts";
import { bigIntOperations, gcmRecords, languageOperations } from "./arithmetic.ts";

/** A signature that `node:crypto` made, in hexadecimal. */
export interface SignatureCase {
  readonly algorithm: SignatureAlgorithm;
  readonly key: { readonly point?: string; readonly modulus?: string; readonly exponent?: string };
  readonly message: string;
  readonly signature: string;
}

export interface Input {
  readonly ecdsa: SignatureCase;
  readonly rsa: SignatureCase;
  /** PKCS #8, in hexadecimal. */
  readonly rsaPrivateKey: string;
  readonly recording: Recording;
}

export interface Report {
  readonly globals: readonly string[];
  readonly ecdsa: readonly [right: boolean, wrong: boolean];
  readonly rsa: readonly [right: boolean, wrong: boolean];
  readonly language: string;
  readonly bigInt: readonly string[];
  /** Of the provider for engines that interpret, and of that with small tables. */
  readonly records: readonly (readonly string[])[];
  readonly handshakes: readonly {
    readonly budget: number;
    readonly suite?: string | undefined;
    readonly data: string;
    readonly calls: number;
    readonly error?: string | undefined;
  }[];
  /** The code of the error of a handshake whose server's first flight came out wrong. */
  readonly refused: string | undefined;
  readonly topic: string;
  readonly payload: string;
  readonly delta: string;
  readonly closed: boolean;
}

declare const input: Input;

const globals = globalThis as unknown as { report: string } & Record<string, unknown>;

const crypto = createCrypto({ arithmetic: "bigint" });

function verify({ algorithm, key, message, signature }: SignatureCase): [boolean, boolean] {
  const publicKey: PublicKey =
    key.point === undefined
      ? { type: "rsa", modulus: fromHex(key.modulus!), exponent: fromHex(key.exponent!) }
      : { type: "ec", curve: "secp256r1", point: fromHex(key.point) };
  const digest = finish(crypto.digest(algorithm.hash, [utf8Encode(message)]));
  const right = finish(crypto.verify(algorithm, publicKey, digest, fromHex(signature)));
  digest[0]! ^= 1;
  return [right, finish(crypto.verify(algorithm, publicKey, digest, fromHex(signature)))];
}

function handshake(budget: number): Report["handshakes"][number] {
  const { secured, error, data, calls } = replay(input.recording, crypto, { budget: () => budget });
  return { budget, suite: secured?.suite.name, data: data.map(toHex).join(""), calls, error: error?.message };
}

function refusedHandshake(): string | undefined {
  const cut = (flight: Uint8Array): Uint8Array[] => [flight.map((byte, at) => (at === 200 ? byte ^ 1 : byte))];
  return replay(input.recording, crypto, { cut }).error?.code;
}

function publishRoundTrip(): { topic: string; payload: string } {
  const packet = {
    type: PacketType.PUBLISH,
    topic: "lämpchen/💡/state",
    payload: utf8Encode("an"),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 7,
  } as const;
  const parser = new PacketParser({ role: "client" });
  for (const byte of encode(packet)) parser.feed(new Uint8Array([byte]));
  const parsed = parser.next();
  if (parsed?.type !== PacketType.PUBLISH) return { topic: "", payload: "" };
  return { topic: parsed.topic, payload: toHex(parsed.payload) };
}

const desired = { powerOn: true, color: { r: 1, g: 2 }, schedule: [1, 2] };
const reported = { powerOn: false, color: { r: 1, g: 9 }, lux: 3 };
const difference = delta(desired, reported);

const report: Report = {
  globals: ["TextEncoder", "TextDecoder", "setTimeout", "crypto", "process", "Buffer"].filter(
    (name) => globals[name] !== undefined,
  ),
  ecdsa: verify(input.ecdsa),
  rsa: verify(input.rsa),
  language: languageOperations(),
  bigInt: bigIntOperations(crypto, seededRandom(1), parsePrivateKey(fromHex(input.rsaPrivateKey))),
  records: [createBigIntCrypto(), createSmallCrypto()].map(gcmRecords),
  handshakes: [handshake(Number.MAX_SAFE_INTEGER), handshake(500)],
  refused: refusedHandshake(),
  ...publishRoundTrip(),
  delta: JSON.stringify(difference),
  closed: delta(desired, merge(reported, difference)) === undefined,
};
globals.report = JSON.stringify(report);
