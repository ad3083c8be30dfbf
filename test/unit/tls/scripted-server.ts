/**
 * A small TLS 1.2 server for tests that does as it is told: a right handshake by default, and a {@link Script} that alters any part of
 * it. Built on the encoders of the library, so that a deviation is one line. Synchronous and deterministic; it trusts every client.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { finish } from "../../../src/task.ts";
import type { CryptoProvider, KeyExchange, PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { ExtensionType } from "../../../src/tls/extensions.ts";
import { extendedMasterSecret, masterSecret, trafficKeys, verifyData } from "../../../src/tls/key-schedule.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType, HEADER_BYTES, type RecordProtection } from "../../../src/tls/record.ts";
import {
  type CipherSuite,
  ecdsa_secp256r1_sha256,
  rsa_pss_rsae_sha256,
  type SignatureScheme,
  secp256r1,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
} from "../../../src/tls/suites.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { der, crypto as nodeCrypto } from "./client.ts";
import { ecServerCertificate, ecServerKey } from "./fixtures.ts";

/** What the server does otherwise than it should. */
export interface Script {
  readonly suite?: CipherSuite;
  readonly certificates?: readonly Uint8Array[];
  readonly key?: PrivateKey;
  readonly scheme?: SignatureScheme;
  /** Alters the ServerHello. */
  readonly hello?: (hello: messages.ServerHello) => messages.ServerHello;
  /** Alters curve and point before they are signed. */
  readonly parameters?: (parameters: messages.EcdheParameters) => messages.EcdheParameters;
  /** Alters the signed ServerKeyExchange. */
  readonly keyExchange?: (
    message: Parameters<typeof messages.encodeServerKeyExchange>[0],
  ) => Parameters<typeof messages.encodeServerKeyExchange>[0];
  readonly request?: messages.CertificateRequest;
  /** Alters the messages of the first flight, each with its header. */
  readonly flight?: (messages: Uint8Array[]) => Uint8Array[];
  /** How messages become bytes; one record a message by default. */
  readonly framing?: (flight: Uint8Array[]) => Uint8Array;
  /** What is sent right behind the first flight. */
  readonly behindFlight?: (server: ScriptedServer) => Uint8Array;
  /** What is sent instead of ChangeCipherSpec and Finished; `right` are those two records. */
  readonly last?: (server: ScriptedServer, right: Uint8Array[]) => Uint8Array;
  /** The same where the first record that is sealed must be another one: the right Finished is not made. */
  readonly instead?: (server: ScriptedServer) => Uint8Array;
  readonly verifyData?: (data: Uint8Array) => Uint8Array;
}

/** A record that is not protected. */
export function plain(type: number, body: Uint8Array, version = 0x0303): Uint8Array {
  return concat([Uint8Array.of(type, version >> 8, version & 255, body.length >> 8, body.length & 255), body]);
}

/** A record under a key. */
export function sealed(protection: RecordProtection, type: number, body: Uint8Array): Uint8Array {
  const length = protection.protectedBytes(body.length);
  const record = new Uint8Array(HEADER_BYTES + length);
  record.set([type, 3, 3, length >> 8, length & 255]);
  record.set(body, HEADER_BYTES + protection.prefixBytes);
  finish(protection.seal(record, 0, body.length));
  return record;
}

/** All messages joined and cut into records of `size` bytes. */
export function inPieces(size: number): (flight: Uint8Array[]) => Uint8Array {
  return (flight) => {
    const all = concat(flight);
    const records: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += size)
      records.push(plain(ContentType.handshake, all.subarray(at, at + size)));
    return concat(records);
  };
}

export class ScriptedServer {
  readonly #script: Script;
  readonly #crypto: CryptoProvider;
  readonly #random: Random;
  readonly #suite: CipherSuite;
  #input: Uint8Array = new Uint8Array(0);
  readonly #transcript: Uint8Array[] = [];
  #clientRandom = new Uint8Array(32);
  #serverRandom = new Uint8Array(32);
  #exchange: KeyExchange | undefined;
  #peerKey: Uint8Array | undefined;
  #isExtended = true;
  #encryptThenMac = false;
  #sealing: RecordProtection | undefined;
  #opening: RecordProtection | undefined;
  #isProtected = false;
  #master: Uint8Array | undefined;
  #keys: { client: RecordProtection; server: RecordProtection } | undefined;
  clientHello: messages.ClientHello | undefined;
  /** Names of the handshake messages that came in. */
  readonly received: string[] = [];
  /** Alerts that came in: level and description. */
  readonly alerts: [level: number, alert: number][] = [];
  readonly data: Uint8Array[] = [];
  certificateVerify: messages.CertificateVerify | undefined;

  constructor(script: Script = {}, crypto: CryptoProvider = nodeCrypto) {
    this.#script = script;
    this.#crypto = crypto;
    this.#random = seededRandom(7);
    this.#suite = script.suite ?? TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
  }

  /** Takes bytes of the client and returns what the server answers. */
  receive(bytes: Uint8Array): Uint8Array {
    this.#input = concat([this.#input, bytes]);
    const answers: Uint8Array[] = [];
    for (;;) {
      const input = this.#input;
      if (input.length < HEADER_BYTES) break;
      const length = (input[3]! << 8) | input[4]!;
      if (input.length < HEADER_BYTES + length) break;
      const record = input.slice(0, HEADER_BYTES + length);
      this.#input = input.slice(record.length);
      answers.push(this.#record(record));
    }
    return concat(answers);
  }

  /** A record under the server's keys. */
  seal(type: number, body: Uint8Array): Uint8Array {
    return sealed(this.#sealing!, type, body);
  }

  #record(record: Uint8Array): Uint8Array {
    let body = record.subarray(HEADER_BYTES);
    if (this.#isProtected) {
      const length = finish(this.#opening!.open(record, 0, body.length));
      if (length === undefined) throw new Error("the client's record has a wrong tag");
      body = body.subarray(this.#opening!.prefixBytes).subarray(0, length);
    }
    if (record[0] === ContentType.alert) this.alerts.push([body[0]!, body[1]!]);
    else if (record[0] === ContentType.application_data) this.data.push(body.slice());
    else if (record[0] === ContentType.change_cipher_spec) this.#changeCipherSpec();
    else return this.#message(body.slice());
    return new Uint8Array(0);
  }

  #message(message: Uint8Array): Uint8Array {
    const name = messages.handshakeName(message[0]!);
    const body = message.subarray(4);
    this.received.push(name);
    if (name === "Finished") return this.#finished(message);
    this.#transcript.push(message);
    if (name === "ClientHello") return this.#firstFlight(messages.decodeClientHello(body));
    if (name === "ClientKeyExchange") this.#deriveMaster(messages.decodeClientKeyExchange(body));
    if (name === "CertificateVerify") this.certificateVerify = messages.decodeCertificateVerify(body);
    return new Uint8Array(0);
  }

  #firstFlight(hello: messages.ClientHello): Uint8Array {
    const script = this.#script;
    this.clientHello = hello;
    this.#clientRandom = hello.random.slice();
    this.#random.fill(this.#serverRandom, "server_random");
    this.#exchange = finish(this.#crypto.keyExchange("secp256r1", this.#random));
    const right: messages.ServerHello = {
      version: 0x0303,
      random: this.#serverRandom,
      sessionId: new Uint8Array(0),
      suite: this.#suite.id,
      compression: 0,
      extensions: [
        { type: ExtensionType.renegotiation_info, data: Uint8Array.of(0) },
        { type: ExtensionType.ec_point_formats, data: Uint8Array.of(1, 0) },
        { type: ExtensionType.extended_master_secret, data: new Uint8Array(0) },
      ],
    };
    const answer = script.hello?.(right) ?? right;
    this.#isExtended = answer.extensions?.some(({ type }) => type === ExtensionType.extended_master_secret) ?? false;
    this.#encryptThenMac = answer.extensions?.some(({ type }) => type === ExtensionType.encrypt_then_mac) ?? false;
    const exchanged = { group: secp256r1.id, publicKey: this.#exchange.publicKey };
    const parameters = messages.encodeEcdheParameters(script.parameters?.(exchanged) ?? exchanged);
    const scheme =
      script.scheme ?? (this.#suite.authentication === "rsa" ? rsa_pss_rsae_sha256 : ecdsa_secp256r1_sha256);
    const digest = finish(this.#crypto.digest(scheme.hash, [this.#clientRandom, this.#serverRandom, parameters]));
    const key = script.key ?? parsePrivateKey(ecServerKey);
    const signature = finish(this.#crypto.sign(scheme, key, digest, this.#random));
    const signed = { parameters, scheme: scheme.id, signature };
    let flight = [
      messages.encodeServerHello(answer),
      messages.encodeCertificate(script.certificates ?? [der(ecServerCertificate)]),
      messages.encodeServerKeyExchange(script.keyExchange?.(signed) ?? signed),
      ...(script.request === undefined ? [] : [messages.encodeCertificateRequest(script.request)]),
      messages.encodeServerHelloDone(),
    ];
    if (script.flight !== undefined) flight = script.flight(flight);
    this.#transcript.push(...flight);
    const framed = script.framing?.(flight) ?? concat(flight.map((message) => plain(ContentType.handshake, message)));
    return concat([framed, script.behindFlight?.(this) ?? new Uint8Array(0)]);
  }

  #hash(): Uint8Array {
    return finish(this.#crypto.digest(this.#suite.hash, this.#transcript));
  }

  #deriveMaster(peerKey: Uint8Array): void {
    this.#peerKey = peerKey;
    const randoms = { client: this.#clientRandom, server: this.#serverRandom };
    const premaster = finish(this.#exchange!.shared(this.#peerKey))!;
    this.#master = finish(
      this.#isExtended
        ? extendedMasterSecret(this.#crypto, this.#suite, premaster, this.#hash())
        : masterSecret(this.#crypto, this.#suite, premaster, randoms),
    );
    this.#keys = finish(
      trafficKeys(
        { crypto: this.#crypto, random: this.#random },
        { suite: this.#suite, randoms, encryptThenMac: this.#encryptThenMac },
        this.#master,
      ),
    );
  }

  #changeCipherSpec(): void {
    this.#opening = this.#keys!.client;
    this.#sealing = this.#keys!.server;
    this.#isProtected = true;
  }

  #finished(message: Uint8Array): Uint8Array {
    const expected = finish(verifyData(this.#crypto, this.#suite, this.#master!, "client", this.#hash()));
    if (!message.subarray(4).every((byte, i) => byte === expected[i]))
      throw new Error("the client's Finished is wrong");
    this.#transcript.push(message);
    if (this.#script.instead !== undefined) return this.#script.instead(this);
    const ours = finish(verifyData(this.#crypto, this.#suite, this.#master!, "server", this.#hash()));
    const finished = messages.encodeFinished(this.#script.verifyData?.(ours) ?? ours);
    if (this.#script.last !== undefined) {
      // Sealed only where it is asked for: the sequence number counts.
      const { seal } = this;
      const right = [plain(ContentType.change_cipher_spec, Uint8Array.of(1)), finished];
      return this.#script.last(this, [right[0]!, seal.call(this, ContentType.handshake, right[1]!)]);
    }
    return concat([
      plain(ContentType.change_cipher_spec, Uint8Array.of(1)),
      this.seal(ContentType.handshake, finished),
    ]);
  }
}
