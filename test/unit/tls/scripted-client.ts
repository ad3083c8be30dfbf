/**
 * A small TLS 1.2 client for tests that does as it is told: a right mutual handshake by default, and a {@link ClientScript} that alters
 * any part of it. Built on the encoders of the library, so that a deviation is one line. It verifies nothing.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import { finish } from "../../../src/task.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { encodeClientExtensions } from "../../../src/tls/extensions.ts";
import { extendedMasterSecret, masterSecret, trafficKeys, verifyData } from "../../../src/tls/key-schedule.ts";
import * as messages from "../../../src/tls/messages.ts";
import { ContentType, HEADER_BYTES, type RecordProtection } from "../../../src/tls/record.ts";
import * as suites from "../../../src/tls/suites.ts";
import { seededRandom } from "../../fixtures/seeded-random.ts";
import { ecIdentity, crypto as nodeCrypto } from "./client.ts";
import { plain, sealed } from "./scripted-server.ts";

const { handshake, change_cipher_spec } = ContentType;

/** What the client does otherwise than it should. */
export interface ClientScript {
  readonly hello?: (hello: messages.ClientHello) => messages.ClientHello;
  /** What is sent for the ClientHello, which is given with its header. */
  readonly first?: (hello: Uint8Array) => Uint8Array;
  readonly certificates?: readonly Uint8Array[];
  readonly key?: PrivateKey;
  readonly scheme?: suites.SignatureScheme;
  readonly publicKey?: (point: Uint8Array) => Uint8Array;
  readonly certificateVerify?: (message: messages.CertificateVerify) => messages.CertificateVerify;
  /** Alters the messages before ChangeCipherSpec: Certificate, ClientKeyExchange, CertificateVerify. */
  readonly flight?: (messages: Uint8Array[]) => Uint8Array[];
  readonly verifyData?: (data: Uint8Array) => Uint8Array;
  /** The records of the whole flight; the last two are ChangeCipherSpec and the sealed Finished. */
  readonly records?: (records: Uint8Array[], client: ScriptedClient) => Uint8Array[];
}

export class ScriptedClient {
  readonly #script: ClientScript;
  readonly #random = seededRandom(11);
  readonly #transcript: Uint8Array[] = [];
  readonly #clientRandom = new Uint8Array(32).fill(3);
  #sealing: RecordProtection | undefined;
  #opening: RecordProtection | undefined;
  #isProtected = false;
  serverHello: messages.ServerHello | undefined;
  /** Names of the handshake messages that came in. */
  readonly received: string[] = [];
  readonly alerts: [level: number, alert: number][] = [];
  readonly data: Uint8Array[] = [];
  readonly #crypto = nodeCrypto;

  constructor(script: ClientScript = {}) {
    this.#script = script;
  }

  start(): Uint8Array {
    const { first, hello: change = (right) => right } = this.#script;
    const right: messages.ClientHello = {
      version: 0x0303,
      random: this.#clientRandom,
      sessionId: new Uint8Array(0),
      suites: [suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.id],
      compressions: [0],
      extensions: encodeClientExtensions({
        sni: "localhost",
        groups: [suites.secp256r1],
        signatureSchemes: suites.allSignatureSchemes,
        alpn: [],
        maxFragmentLength: undefined,
        encryptThenMac: false,
        ocsp: "off",
        resumption: false,
      }),
    };
    const hello = messages.encodeClientHello(change(right));
    this.#transcript.push(hello);
    return first?.(hello) ?? plain(handshake, hello);
  }

  /** Takes the server's whole records and returns what the client answers. */
  receive(bytes: Uint8Array): Uint8Array {
    const answers: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + HEADER_BYTES + ((bytes[at + 3]! << 8) | bytes[at + 4]!);
      answers.push(this.#record(bytes.slice(at, end)));
      at = end;
    }
    return concat(answers);
  }

  /** A record under the client's keys. */
  seal(type: number, body: Uint8Array): Uint8Array {
    return sealed(this.#sealing!, type, body);
  }

  #record(record: Uint8Array): Uint8Array {
    let body = record.subarray(HEADER_BYTES);
    if (this.#isProtected) {
      const length = finish(this.#opening!.open(record, 0, body.length));
      if (length === undefined) throw new Error("the server's record has a wrong tag");
      body = body.subarray(this.#opening!.prefixBytes).subarray(0, length);
    }
    const none = new Uint8Array(0);
    if (record[0] === ContentType.alert) this.alerts.push([body[0]!, body[1]!]);
    else if (record[0] === ContentType.application_data) this.data.push(body.slice());
    else if (record[0] === change_cipher_spec) this.#isProtected = true;
    else return this.#message(body.slice());
    return none;
  }

  #serverKey: Uint8Array | undefined;
  #isAsked = false;

  #message(message: Uint8Array): Uint8Array {
    const name = messages.handshakeName(message[0]!);
    const body = message.subarray(4);
    this.received.push(name);
    this.#transcript.push(message);
    if (name === "ServerHello") this.serverHello = messages.decodeServerHello(body);
    if (name === "ServerKeyExchange") this.#serverKey = messages.decodeServerKeyExchange(body).publicKey;
    if (name === "CertificateRequest") this.#isAsked = true;
    return name === "ServerHelloDone" ? this.#flight() : new Uint8Array(0);
  }

  #flight(): Uint8Array {
    const script = this.#script;
    const crypto = this.#crypto;
    const suite = suites.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    const ours = finish(crypto.keyExchange("secp256r1", this.#random));
    const premaster = finish(ours.shared(this.#serverKey!))!;
    const sent = script.publicKey?.(ours.publicKey) ?? ours.publicKey;
    const certificates = script.certificates ?? ecIdentity.certificates;
    const flight = [messages.encodeClientKeyExchange(sent)];
    if (this.#isAsked) flight.unshift(messages.encodeCertificate(certificates));
    const hash = (name: "sha256" | "sha384" | "sha512") => finish(crypto.digest(name, this.#transcript));
    const before = this.#transcript.length;
    this.#transcript.push(...flight);
    const randoms = { client: this.#clientRandom, server: this.serverHello!.random };
    const isExtended = this.serverHello!.extensions?.some(({ type }) => type === 23) ?? false;
    const master = finish(
      isExtended
        ? extendedMasterSecret(crypto, suite, premaster, hash("sha256"))
        : masterSecret(crypto, suite, premaster, randoms),
    );
    if (this.#isAsked && certificates.length > 0) {
      const scheme = script.scheme ?? suites.ecdsa_secp256r1_sha256;
      const key = script.key ?? ecIdentity.privateKey!;
      const signature = finish(crypto.sign(scheme, key, hash(scheme.hash as "sha256"), this.#random));
      const right = { scheme: scheme.id, signature };
      flight.push(messages.encodeCertificateVerify(script.certificateVerify?.(right) ?? right));
    }
    const altered = script.flight?.(flight) ?? flight;
    this.#transcript.splice(before, flight.length, ...altered);
    const keys = finish(
      trafficKeys({ crypto, random: this.#random }, { suite, randoms, encryptThenMac: false }, master),
    );
    this.#sealing = keys.client;
    this.#opening = keys.server;
    const right = finish(verifyData(crypto, suite, master, "client", hash("sha256")));
    const finished = messages.encodeFinished(script.verifyData?.(right) ?? right);
    const records = [
      ...altered.map((message) => plain(handshake, message)),
      plain(change_cipher_spec, Uint8Array.of(1)),
      this.seal(handshake, finished),
    ];
    return concat(script.records?.(records, this) ?? records);
  }
}
