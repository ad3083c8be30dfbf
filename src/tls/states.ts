/**
 * The states of a TLS 1.2 client in a full ECDHE handshake (RFC 5246 §7.3), named for the message that they expect. Each one is built
 * with exactly the data that exists at that point; the last one cannot be built without the three proofs of `verify.ts`.
 *
 * ```
 * state                                     message              next
 * ExpectServerHello                         ServerHello          ExpectCertificate
 * ExpectCertificate                         Certificate          ExpectServerKeyExchange
 * ExpectServerKeyExchange                   ServerKeyExchange    ExpectCertificateRequestOrServerHelloDone
 * ExpectCertificateRequestOrServerHelloDone CertificateRequest   ExpectServerHelloDone
 *                                           ServerHelloDone      ExpectChangeCipherSpec   (our flight: flight.ts)
 * ExpectServerHelloDone                     ServerHelloDone      ExpectChangeCipherSpec   (our flight: flight.ts)
 * ExpectChangeCipherSpec                    ChangeCipherSpec     ExpectFinished
 * ExpectFinished                            Finished             ExpectTraffic
 * ExpectTraffic                             ApplicationData      (stays)
 * ```
 *
 * Any other message in any state is `TLS_UNEXPECTED_MESSAGE`. HelloRequest (ignored in the handshake, refused afterwards) and alerts
 * may come at any time and are the engine's. Left out on purpose: resumption, tickets, renegotiation, stapled OCSP.
 *
 * @module
 */

import { copyOf, toHex } from "../bytes.ts";
import { done, map, type Task } from "../task.ts";
import { TlsError } from "./errors.ts";
import type { TlsConnectionInfo } from "./events.ts";
import { readServerExtensions } from "./extensions.ts";
import { sendClientFlight } from "./flight.ts";
import { Expect, type Handshake, type Incoming, type State } from "./handshake.ts";
import { keyText } from "./identity.ts";
import { type Negotiated, type TrafficKeys, verifyData } from "./key-schedule.ts";
import {
  type CertificateRequest,
  decodeCertificate,
  decodeCertificateRequest,
  decodeEmpty,
  decodeFinished,
  decodeServerHello,
  decodeServerKeyExchange,
} from "./messages.ts";
import { TLS_1_2 } from "./record.ts";
import type { Settings } from "./settings.ts";
import { allSignatureSchemes, idText, type NamedGroup, type SignatureScheme } from "./suites.ts";
import { ExpectTraffic } from "./traffic.ts";
import { type PeerVerified, type SignatureValid, verifyFinished, verifyKeyExchange, verifyPeer } from "./verify.ts";

/** The engine as a client's states see it. */
export type ClientHandshake = Handshake<Settings, TlsConnectionInfo>;
type ClientState = Task<State<ClientHandshake>>;

/** … with the server's identity and signed ephemeral key. */
export interface KeyExchanged extends Negotiated {
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
  readonly group: NamedGroup;
  /** The server's ephemeral public key. */
  readonly serverKey: Uint8Array;
}

/** … with keys: our flight is sent. */
export interface Keyed extends KeyExchanged {
  /** 48 bytes, which the engine wipes at the end. */
  readonly master: Uint8Array;
  readonly keys: TrafficKeys;
  /** The digest of all handshake messages up to our Finished. */
  readonly digest: Uint8Array;
  readonly clientSignatureScheme: SignatureScheme | undefined;
}

/** The ClientHello is sent. */
export class ExpectServerHello extends Expect<ClientHandshake> {
  readonly name = "ExpectServerHello";
  readonly expects = ["ServerHello"] as const;

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    const { settings, transcript, clientRandom } = handshake;
    const hello = decodeServerHello(body);
    if (hello.version !== TLS_1_2) {
      const version = idText(hello.version);
      throw new TlsError("TLS_UNSUPPORTED_VERSION", `the server chose ${version}`, { data: { version } });
    }
    handshake.fixVersion();
    const suite = settings.suites.find((offered) => offered.id === hello.suite);
    if (suite === undefined)
      throw new TlsError("TLS_UNOFFERED_SUITE", idText(hello.suite), { data: { chosen: idText(hello.suite) } });
    if (hello.compression !== 0) throw new TlsError("TLS_UNOFFERED_COMPRESSION", `method ${hello.compression}`);
    const answer = readServerExtensions(hello.extensions ?? [], settings, suite);
    if (answer.maxFragmentLength !== undefined) handshake.limitFragments(answer.maxFragmentLength);
    handshake.log(
      "debug",
      () =>
        `negotiated TLS 1.2, ${suite.name}, ALPN ${answer.alpn ?? "none"}, ` +
        `extended master secret ${yesNo(answer.extendedMasterSecret)}, ` +
        `secure renegotiation ${yesNo(answer.secureRenegotiation)}, ` +
        `max fragment length ${answer.maxFragmentLength ?? "none"}, ` +
        `encrypt-then-MAC ${yesNo(answer.encryptThenMac)}`,
    );
    const negotiated: Negotiated = {
      suite,
      randoms: { client: clientRandom, server: copyOf(hello.random) },
      alpn: answer.alpn,
      extendedMasterSecret: answer.extendedMasterSecret,
      encryptThenMac: answer.encryptThenMac,
      maxFragmentLength: answer.maxFragmentLength,
    };
    return map(transcript.start(suite.hash), () => new ExpectCertificate(negotiated));
  }
}

/** The ServerHello is accepted. */
export class ExpectCertificate extends Expect<ClientHandshake> {
  readonly name = "ExpectCertificate";
  readonly expects = ["Certificate"] as const;
  readonly #negotiated: Negotiated;

  constructor(negotiated: Negotiated) {
    super();
    this.#negotiated = negotiated;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    return map(verifyPeer(handshake.settings, this.#negotiated.suite, decodeCertificate(body)), (peer) => {
      for (const certificate of peer.path)
        handshake.log("debug", () => {
          const { subject, issuer, notBefore, notAfter, publicKey, serialNumber } = certificate;
          const key = publicKey === undefined ? "unknown" : keyText(publicKey);
          return (
            `certificate: subject ${subject}, issuer ${issuer}, serial ${toHex(serialNumber)}, ` +
            `valid ${dateText(notBefore)} to ${dateText(notAfter)}, key ${key}`
          );
        });
      handshake.log("debug", () => `trust anchor: ${peer.anchor.label}`);
      return new ExpectServerKeyExchange(this.#negotiated, peer);
    });
  }
}

/** The server's chain is verified. */
export class ExpectServerKeyExchange extends Expect<ClientHandshake> {
  readonly name = "ExpectServerKeyExchange";
  readonly expects = ["ServerKeyExchange"] as const;
  readonly #negotiated: Negotiated;
  readonly #peer: PeerVerified;

  constructor(negotiated: Negotiated, peer: PeerVerified) {
    super();
    this.#negotiated = negotiated;
    this.#peer = peer;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    const { settings } = handshake;
    const message = decodeServerKeyExchange(body);
    const group = settings.groups.find((offered) => offered.id === message.group);
    if (group === undefined) throw new TlsError("TLS_UNOFFERED_GROUP", idText(message.group));
    const scheme = settings.signatureSchemes.find((offered) => offered.id === message.scheme);
    if (scheme === undefined)
      throw new TlsError("TLS_UNOFFERED_SIGNATURE_SCHEME", idText(message.scheme, allSignatureSchemes));
    handshake.log("debug", () => `key exchange on ${group.name}, signed with ${scheme.name}`);
    const verification = verifyKeyExchange(settings, this.#peer, scheme, this.#negotiated.randoms, message);
    return map(
      verification,
      (signature) =>
        new ExpectCertificateRequestOrServerHelloDone({
          ...this.#negotiated,
          peer: this.#peer,
          signature,
          group,
          serverKey: message.publicKey,
        }),
    );
  }
}

/** The server's ephemeral key is signed by the key of its certificate. */
export class ExpectCertificateRequestOrServerHelloDone extends Expect<ClientHandshake> {
  readonly name = "ExpectCertificateRequestOrServerHelloDone";
  readonly expects = ["CertificateRequest", "ServerHelloDone"] as const;
  readonly #exchanged: KeyExchanged;

  constructor(exchanged: KeyExchanged) {
    super();
    this.#exchanged = exchanged;
  }

  protected react({ name, body }: Incoming, handshake: ClientHandshake): ClientState {
    if (name === "CertificateRequest")
      return done(new ExpectServerHelloDone(this.#exchanged, decodeCertificateRequest(body)));
    return helloDone(body, this.#exchanged, undefined, handshake);
  }
}

/** The server asked for a client certificate. */
export class ExpectServerHelloDone extends Expect<ClientHandshake> {
  readonly name = "ExpectServerHelloDone";
  readonly expects = ["ServerHelloDone"] as const;
  readonly #exchanged: KeyExchanged;
  readonly #request: CertificateRequest;

  constructor(exchanged: KeyExchanged, request: CertificateRequest) {
    super();
    this.#exchanged = exchanged;
    this.#request = request;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    return helloDone(body, this.#exchanged, this.#request, handshake);
  }
}

function helloDone(
  body: Uint8Array,
  exchanged: KeyExchanged,
  request: CertificateRequest | undefined,
  handshake: ClientHandshake,
): ClientState {
  decodeEmpty(body, "ServerHelloDone");
  return map(sendClientFlight(exchanged, request, handshake), (keyed) => new ExpectChangeCipherSpec(keyed));
}

/** Our flight is sent, the last message of it under the new keys. */
export class ExpectChangeCipherSpec extends Expect<ClientHandshake> {
  readonly name = "ExpectChangeCipherSpec";
  readonly expects = ["ChangeCipherSpec"] as const;
  readonly #keyed: Keyed;

  constructor(keyed: Keyed) {
    super();
    this.#keyed = keyed;
  }

  protected react(_: Incoming, handshake: ClientHandshake): ClientState {
    handshake.protectReading(this.#keyed.keys.server);
    return done(new ExpectFinished(this.#keyed));
  }
}

/** The server sends under the new keys. */
export class ExpectFinished extends Expect<ClientHandshake> {
  readonly name = "ExpectFinished";
  readonly expects = ["Finished"] as const;
  readonly #keyed: Keyed;

  constructor(keyed: Keyed) {
    super();
    this.#keyed = keyed;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    const keyed = this.#keyed;
    const received = decodeFinished(body);
    const expected = verifyData(handshake.settings.crypto, keyed.suite, keyed.master, "server", keyed.digest);
    return map(expected, (value) => {
      const finished = verifyFinished(value, received);
      const traffic = new ExpectTraffic<ClientHandshake>(keyed, {
        peer: keyed.peer,
        signature: keyed.signature,
        finished,
      });
      handshake.transcript.wipe();
      handshake.secured({
        suite: keyed.suite,
        group: keyed.group,
        signatureScheme: keyed.signature.scheme,
        alpn: keyed.alpn,
        extendedMasterSecret: keyed.extendedMasterSecret,
        encryptThenMac: keyed.encryptThenMac,
        maxFragmentLength: keyed.maxFragmentLength,
        resumed: false,
        peer: { path: keyed.peer.path, anchor: keyed.peer.anchor },
        clientSignatureScheme: keyed.clientSignatureScheme,
      });
      return traffic;
    });
  }
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
