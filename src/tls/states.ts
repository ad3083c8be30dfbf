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

import { toHex } from "../bytes.ts";
import { done, map, type Task } from "../task.ts";
import { TlsError } from "./errors.ts";
import { readServerExtensions } from "./extensions.ts";
import { sendClientFlight } from "./flight.ts";
import { expectMessage, type Handshake, type Incoming, type MessageName, type State } from "./handshake.ts";
import { type Randoms, type TrafficKeys, verifyData } from "./key-schedule.ts";
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
import { keyText } from "./settings.ts";
import { allSignatureSchemes, type CipherSuite, idText, type NamedGroup, type SignatureScheme } from "./suites.ts";
import {
  type FinishedValid,
  type PeerVerified,
  type SignatureValid,
  verifyFinished,
  verifyKeyExchange,
  verifyPeer,
} from "./verify.ts";

/** What the hellos settled. */
export interface Negotiated {
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
}

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

abstract class Expect implements State {
  abstract readonly name: string;
  abstract readonly expects: readonly MessageName[];

  handle(message: Incoming, handshake: Handshake): Task<State> {
    expectMessage(this, message);
    return this.react(message, handshake);
  }

  protected abstract react(message: Incoming, handshake: Handshake): Task<State>;
}

/** The ClientHello is sent. */
export class ExpectServerHello extends Expect {
  readonly name = "ExpectServerHello";
  readonly expects = ["ServerHello"] as const;

  protected react({ body }: Incoming, handshake: Handshake): Task<State> {
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
    const answer = readServerExtensions(hello.extensions ?? [], settings);
    handshake.log(
      "debug",
      () =>
        `negotiated TLS 1.2, ${suite.name}, ALPN ${answer.alpn ?? "none"}, ` +
        `extended master secret ${yesNo(answer.extendedMasterSecret)}, ` +
        `secure renegotiation ${yesNo(answer.secureRenegotiation)}`,
    );
    const negotiated: Negotiated = {
      suite,
      randoms: { client: clientRandom, server: hello.random.slice() },
      alpn: answer.alpn,
      extendedMasterSecret: answer.extendedMasterSecret,
    };
    return map(transcript.start(suite.hash), () => new ExpectCertificate(negotiated));
  }
}

/** The ServerHello is accepted. */
export class ExpectCertificate extends Expect {
  readonly name = "ExpectCertificate";
  readonly expects = ["Certificate"] as const;
  readonly #negotiated: Negotiated;

  constructor(negotiated: Negotiated) {
    super();
    this.#negotiated = negotiated;
  }

  protected react({ body }: Incoming, handshake: Handshake): Task<State> {
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
export class ExpectServerKeyExchange extends Expect {
  readonly name = "ExpectServerKeyExchange";
  readonly expects = ["ServerKeyExchange"] as const;
  readonly #negotiated: Negotiated;
  readonly #peer: PeerVerified;

  constructor(negotiated: Negotiated, peer: PeerVerified) {
    super();
    this.#negotiated = negotiated;
    this.#peer = peer;
  }

  protected react({ body }: Incoming, handshake: Handshake): Task<State> {
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
export class ExpectCertificateRequestOrServerHelloDone extends Expect {
  readonly name = "ExpectCertificateRequestOrServerHelloDone";
  readonly expects = ["CertificateRequest", "ServerHelloDone"] as const;
  readonly #exchanged: KeyExchanged;

  constructor(exchanged: KeyExchanged) {
    super();
    this.#exchanged = exchanged;
  }

  protected react({ name, body }: Incoming, handshake: Handshake): Task<State> {
    if (name === "CertificateRequest")
      return done(new ExpectServerHelloDone(this.#exchanged, decodeCertificateRequest(body)));
    return helloDone(body, this.#exchanged, undefined, handshake);
  }
}

/** The server asked for a client certificate. */
export class ExpectServerHelloDone extends Expect {
  readonly name = "ExpectServerHelloDone";
  readonly expects = ["ServerHelloDone"] as const;
  readonly #exchanged: KeyExchanged;
  readonly #request: CertificateRequest;

  constructor(exchanged: KeyExchanged, request: CertificateRequest) {
    super();
    this.#exchanged = exchanged;
    this.#request = request;
  }

  protected react({ body }: Incoming, handshake: Handshake): Task<State> {
    return helloDone(body, this.#exchanged, this.#request, handshake);
  }
}

function helloDone(
  body: Uint8Array,
  exchanged: KeyExchanged,
  request: CertificateRequest | undefined,
  handshake: Handshake,
): Task<State> {
  decodeEmpty(body, "ServerHelloDone");
  return map(sendClientFlight(exchanged, request, handshake), (keyed) => new ExpectChangeCipherSpec(keyed));
}

/** Our flight is sent, the last message of it under the new keys. */
export class ExpectChangeCipherSpec extends Expect {
  readonly name = "ExpectChangeCipherSpec";
  readonly expects = ["ChangeCipherSpec"] as const;
  readonly #keyed: Keyed;

  constructor(keyed: Keyed) {
    super();
    this.#keyed = keyed;
  }

  protected react(_: Incoming, handshake: Handshake): Task<State> {
    handshake.protectReading(this.#keyed.keys.server);
    return done(new ExpectFinished(this.#keyed));
  }
}

/** The server sends under the new keys. */
export class ExpectFinished extends Expect {
  readonly name = "ExpectFinished";
  readonly expects = ["Finished"] as const;
  readonly #keyed: Keyed;

  constructor(keyed: Keyed) {
    super();
    this.#keyed = keyed;
  }

  protected react({ body }: Incoming, handshake: Handshake): Task<State> {
    const keyed = this.#keyed;
    const received = decodeFinished(body);
    const expected = verifyData(handshake.settings.crypto, keyed.suite, keyed.master, "server", keyed.digest);
    return map(expected, (value) => {
      const traffic = new ExpectTraffic(keyed, keyed.peer, keyed.signature, verifyFinished(value, received));
      handshake.transcript.wipe();
      handshake.secured({
        suite: keyed.suite,
        group: keyed.group,
        signatureScheme: traffic.signature.scheme,
        alpn: keyed.alpn,
        extendedMasterSecret: keyed.extendedMasterSecret,
        resumed: false,
        peer: { path: traffic.peer.path, anchor: traffic.peer.anchor },
        clientSignatureScheme: keyed.clientSignatureScheme,
      });
      return traffic;
    });
  }
}

/** Application data passes. Needs the proofs that nothing was skipped. */
export class ExpectTraffic extends Expect {
  readonly name = "ExpectTraffic";
  readonly expects = ["ApplicationData"] as const;
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
  readonly finished: FinishedValid;
  readonly suite: CipherSuite;
  readonly randoms: Randoms;
  /** For exporters (RFC 5705). */
  readonly master: Uint8Array;

  constructor(
    keyed: Pick<Keyed, "suite" | "randoms" | "master">,
    peer: PeerVerified,
    signature: SignatureValid,
    finished: FinishedValid,
  ) {
    super();
    this.peer = peer;
    this.signature = signature;
    this.finished = finished;
    this.suite = keyed.suite;
    this.randoms = keyed.randoms;
    this.master = keyed.master;
  }

  protected react(): Task<State> {
    return done(this);
  }
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
