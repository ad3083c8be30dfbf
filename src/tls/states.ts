/**
 * The states of a TLS 1.2 client (RFC 5246 §7.3), named for the message that they expect: in a full ECDHE handshake, and in an abbreviated
 * one, which goes from the ServerHello right to NewSessionTicket or ChangeCipherSpec. Each one is built with exactly the data that exists at that point; the last one cannot be built without the three proofs of `verify.ts`.
 *
 * ```
 * state                                     message              next
 * ExpectServerHello                         ServerHello          ExpectCertificate, or (resumed) as behind our flight
 * ExpectCertificate                         Certificate          ExpectServerKeyExchange, or (may staple) ExpectCertificateStatus…
 * ExpectCertificateStatusOrServerKeyExchange
 *                                           CertificateStatus    ExpectServerKeyExchange
 *                                           ServerKeyExchange    as there
 * ExpectServerKeyExchange                   ServerKeyExchange    ExpectCertificateRequestOrServerHelloDone
 * ExpectCertificateRequestOrServerHelloDone CertificateRequest   ExpectServerHelloDone
 *                                           ServerHelloDone      (our flight: flight.ts) ExpectNewSessionTicket where it was promised,
 *                                                                else ExpectChangeCipherSpec
 * ExpectServerHelloDone                     ServerHelloDone      the same
 * ExpectNewSessionTicket                    NewSessionTicket     ExpectChangeCipherSpec
 * ExpectChangeCipherSpec                    ChangeCipherSpec     ExpectFinished
 * ExpectFinished                            Finished             ExpectTraffic            (resumed: with our ChangeCipherSpec and Finished)
 * ExpectTraffic                             ApplicationData      (stays)
 * ```
 *
 * Any other message in any state is `TLS_UNEXPECTED_MESSAGE`. HelloRequest (ignored in the handshake, refused afterwards) and alerts
 * may come at any time and are the engine's. Left out on purpose: renegotiation.
 *
 * @module
 */

import { copyOf, equal, toHex } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import { Alert } from "./alerts.ts";
import { TlsError } from "./errors.ts";
import type { TlsConnectionInfo } from "./events.ts";
import { readServerExtensions, type ServerAnswer } from "./extensions.ts";
import { sendClientFlight, sendLastMessages } from "./flight.ts";
import { Expect, type Handshake, type Incoming, type State } from "./handshake.ts";
import { keyText } from "./identity.ts";
import { logMasterSecret, type Negotiated, type TrafficKeys, trafficKeys, verifyData } from "./key-schedule.ts";
import {
  type CertificateRequest,
  decodeCertificate,
  decodeCertificateRequest,
  decodeCertificateStatus,
  decodeEmpty,
  decodeFinished,
  decodeNewSessionTicket,
  decodeServerHello,
  decodeServerKeyExchange,
  type NewSessionTicket,
} from "./messages.ts";
import { TLS_1_2 } from "./record.ts";
import type { Session } from "./session.ts";
import { forgetIfFatal, keptSession, type Resumable, type SessionOffer } from "./session-offer.ts";
import type { Settings } from "./settings.ts";
import { allSignatureSchemes, type CipherSuite, idText, type NamedGroup, type SignatureScheme } from "./suites.ts";
import { ExpectTraffic } from "./traffic.ts";
import {
  type FinishedValid,
  type PeerVerified,
  type SignatureValid,
  verifyFinished,
  verifyKeyExchange,
  verifyPeer,
} from "./verify.ts";

/** The engine as a client's states see it. */
export type ClientHandshake = Handshake<Settings, TlsConnectionInfo>;
type ClientState = Task<State<ClientHandshake>>;

/** What the hellos settled. */
export interface ClientNegotiated extends Negotiated {
  /** Whether a CertificateStatus may come (RFC 6066 §8). */
  readonly mayStaple: boolean;
  /** What a session needs; `undefined` where the app wants no resumption. */
  readonly sessionTerms:
    | {
        readonly binding: Uint8Array;
        /** The server's, empty where it gave none. */
        readonly sessionId: Uint8Array;
        readonly isTicketPromised: boolean;
      }
    | undefined;
}

/** … with the server's identity and signed ephemeral key. */
export interface KeyExchanged extends ClientNegotiated {
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
  readonly group: NamedGroup;
  /** The server's ephemeral public key. */
  readonly serverKey: Uint8Array;
}

/** … with keys: our flight is sent, or a session is resumed. */
export interface Keyed extends ClientNegotiated {
  readonly peer: PeerVerified;
  readonly signature: SignatureValid;
  readonly group: NamedGroup;
  /** 48 bytes, which the engine wipes at the end. */
  readonly master: Uint8Array;
  readonly keys: TrafficKeys;
  readonly clientSignatureScheme: SignatureScheme | undefined;
  /** In an abbreviated handshake. */
  readonly resumed: Session | undefined;
}

/** The ClientHello is sent. */
export class ExpectServerHello extends Expect<ClientHandshake> {
  readonly name = "ExpectServerHello";
  readonly expects = ["ServerHello"] as const;
  readonly #sessions: SessionOffer | undefined;

  /** `sessions`: what the ClientHello says of sessions, where the app wants resumption. */
  constructor(sessions: SessionOffer | undefined) {
    super();
    this.#sessions = sessions;
  }

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
    if (settings.requireExtendedMasterSecret && !answer.extendedMasterSecret)
      throw new TlsError("TLS_EXTENDED_MASTER_SECRET");
    const sessions = this.#sessions;
    // A session that was offered is resumed where its ID comes back (RFC 5246 §7.4.1.3, RFC 5077 §3.4); any other ID is a new one.
    const resumed =
      sessions !== undefined && equal(hello.sessionId, sessions.sessionId) ? sessions.resumable : undefined;
    if (resumed !== undefined) checkResumption(resumed, suite, answer);
    const maxFragmentLength = answer.maxFragmentLength ?? resumed?.session.maxFragmentLength;
    if (maxFragmentLength !== undefined) handshake.limitFragments(maxFragmentLength);
    handshake.log(
      "debug",
      () =>
        `negotiated TLS 1.2, ${suite.name}, ALPN ${answer.alpn ?? "none"}, ` +
        `extended master secret ${yesNo(answer.extendedMasterSecret)}, ` +
        `secure renegotiation ${yesNo(answer.secureRenegotiation)}, ` +
        `max fragment length ${maxFragmentLength ?? "none"}, ` +
        `encrypt-then-MAC ${yesNo(answer.encryptThenMac)}` +
        (resumed === undefined ? "" : ", session resumed"),
    );
    const negotiated: ClientNegotiated = {
      suite,
      randoms: { client: clientRandom, server: copyOf(hello.random) },
      alpn: answer.alpn,
      extendedMasterSecret: answer.extendedMasterSecret,
      encryptThenMac: answer.encryptThenMac,
      mayStaple: answer.mayStaple,
      maxFragmentLength,
      sessionTerms:
        sessions === undefined
          ? undefined
          : {
              binding: sessions.binding,
              sessionId: copyOf(hello.sessionId),
              isTicketPromised: answer.isTicketPromised,
            },
    };
    const hashing = transcript.start(suite.hash);
    if (resumed === undefined) return map(hashing, () => new ExpectCertificate(negotiated));
    return chain(hashing, () => resumedState(negotiated, resumed, handshake));
  }
}

/** RFC 5246 §7.4.1.3: the suite is the session's. RFC 7627 §5.3: so is the extended master secret, which every session of ours has. */
function checkResumption({ session }: Resumable, suite: CipherSuite, answer: ServerAnswer): void {
  if (suite.id !== session.suite)
    throw new TlsError("TLS_SESSION_MISMATCH", `${suite.name} is not the suite of the session`);
  if (!answer.extendedMasterSecret)
    throw new TlsError("TLS_SESSION_MISMATCH", "without the extended master secret of the session", {
      alert: Alert.handshake_failure,
      rfc: "RFC 7627 §5.3",
    });
}

/** An abbreviated handshake (RFC 5246 §7.3): the keys follow from the session's master secret. */
function resumedState(
  negotiated: ClientNegotiated,
  { session, group, proofs }: Resumable,
  handshake: ClientHandshake,
): ClientState {
  const { settings, transcript, clientRandom } = handshake;
  const { master } = session;
  transcript.release();
  handshake.enterPhase("keyDerivation");
  logMasterSecret(settings, clientRandom, master);
  return map(trafficKeys(settings, negotiated, master), (keys) => {
    handshake.wipeAtEnd(keys.client, keys.server);
    return lastStates({
      ...negotiated,
      ...proofs,
      group,
      master,
      keys,
      clientSignatureScheme: undefined,
      resumed: session,
    });
  });
}

/** What comes before the server's Finished. */
function lastStates(keyed: Keyed): State<ClientHandshake> {
  return keyed.sessionTerms?.isTicketPromised === true
    ? new ExpectNewSessionTicket(keyed)
    : new ExpectChangeCipherSpec(keyed, undefined);
}

/** The ServerHello is accepted. */
export class ExpectCertificate extends Expect<ClientHandshake> {
  readonly name = "ExpectCertificate";
  readonly expects = ["Certificate"] as const;
  readonly #negotiated: ClientNegotiated;

  constructor(negotiated: ClientNegotiated) {
    super();
    this.#negotiated = negotiated;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    const certificates = decodeCertificate(body);
    // A server that may staple need not (RFC 6066 §8): the next message tells.
    if (this.#negotiated.mayStaple)
      return done(new ExpectCertificateStatusOrServerKeyExchange(this.#negotiated, certificates));
    return map(
      verifiedPeer(this.#negotiated, certificates, undefined, handshake),
      (peer) => new ExpectServerKeyExchange(this.#negotiated, peer),
    );
  }
}

/** The server's chain waits for an OCSP response, to be verified with it. */
export class ExpectCertificateStatusOrServerKeyExchange extends Expect<ClientHandshake> {
  readonly name = "ExpectCertificateStatusOrServerKeyExchange";
  readonly expects = ["CertificateStatus", "ServerKeyExchange"] as const;
  readonly #negotiated: ClientNegotiated;
  readonly #chain: readonly Uint8Array[];

  constructor(negotiated: ClientNegotiated, chain: readonly Uint8Array[]) {
    super();
    this.#negotiated = negotiated;
    this.#chain = chain;
  }

  protected react(message: Incoming, handshake: ClientHandshake): ClientState {
    const isStatus = message.name === "CertificateStatus";
    const response = isStatus ? decodeCertificateStatus(message.body) : undefined;
    return chain(verifiedPeer(this.#negotiated, this.#chain, response, handshake), (peer): ClientState => {
      const next = new ExpectServerKeyExchange(this.#negotiated, peer);
      if (isStatus) return done(next);
      handshake.enterPhase("keyExchange");
      return next.handle(message, handshake);
    });
  }
}

/** The server, with its chain verified and told to the log. */
function verifiedPeer(
  { suite }: ClientNegotiated,
  chain: readonly Uint8Array[],
  ocspResponse: Uint8Array | undefined,
  handshake: ClientHandshake,
): Task<PeerVerified> {
  if (ocspResponse !== undefined)
    handshake.log("debug", () => `stapled: an OCSP response of ${ocspResponse.length} bytes`);
  return map(verifyPeer(handshake.settings, suite, chain, ocspResponse), (peer) => {
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
    return peer;
  });
}

/** The server's chain is verified. */
export class ExpectServerKeyExchange extends Expect<ClientHandshake> {
  readonly name = "ExpectServerKeyExchange";
  readonly expects = ["ServerKeyExchange"] as const;
  readonly #negotiated: ClientNegotiated;
  readonly #peer: PeerVerified;

  constructor(negotiated: ClientNegotiated, peer: PeerVerified) {
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
  return map(sendClientFlight(exchanged, request, handshake), lastStates);
}

/** The server promised a ticket, and it must come (RFC 5077 §3.3), be it empty. */
export class ExpectNewSessionTicket extends Expect<ClientHandshake> {
  readonly name = "ExpectNewSessionTicket";
  readonly expects = ["NewSessionTicket"] as const;
  readonly #keyed: Keyed;

  constructor(keyed: Keyed) {
    super();
    this.#keyed = keyed;
  }

  protected react({ body }: Incoming): ClientState {
    return done(new ExpectChangeCipherSpec(this.#keyed, decodeNewSessionTicket(body)));
  }
}

/** Our flight is sent, the last message of it under the new keys; or a session is resumed. */
export class ExpectChangeCipherSpec extends Expect<ClientHandshake> {
  readonly name = "ExpectChangeCipherSpec";
  readonly expects = ["ChangeCipherSpec"] as const;
  readonly #keyed: Keyed;
  readonly #ticket: NewSessionTicket | undefined;

  constructor(keyed: Keyed, ticket: NewSessionTicket | undefined) {
    super();
    this.#keyed = keyed;
    this.#ticket = ticket;
  }

  protected react(_: Incoming, handshake: ClientHandshake): ClientState {
    const { suite, keys } = this.#keyed;
    handshake.protectReading(keys.server);
    return done(new ExpectFinished(this.#keyed, this.#ticket, handshake.transcript.digest(suite.hash)));
  }
}

/** The server sends under the new keys. */
export class ExpectFinished extends Expect<ClientHandshake> {
  readonly name = "ExpectFinished";
  readonly expects = ["Finished"] as const;
  readonly #keyed: Keyed;
  readonly #ticket: NewSessionTicket | undefined;
  /** Of all handshake messages before the server's Finished. */
  readonly #digest: Uint8Array;

  constructor(keyed: Keyed, ticket: NewSessionTicket | undefined, digest: Uint8Array) {
    super();
    this.#keyed = keyed;
    this.#ticket = ticket;
    this.#digest = digest;
  }

  protected react({ body }: Incoming, handshake: ClientHandshake): ClientState {
    const keyed = this.#keyed;
    const received = decodeFinished(body);
    const expected = verifyData(handshake.settings.crypto, keyed.suite, keyed.master, "server", this.#digest);
    return chain(expected, (value) => {
      const finished = verifyFinished(value, received);
      // In an abbreviated handshake the client has the last word (RFC 5246 §7.3).
      const sent =
        keyed.resumed === undefined
          ? done(undefined)
          : sendLastMessages(keyed.suite, keyed.master, keyed.keys, handshake);
      const kept = chain(sent, () => keptSession(keyed, this.#ticket, handshake.settings));
      return map(kept, (session) => this.#secured(finished, session, handshake));
    });
  }

  #secured(
    finished: FinishedValid,
    session: Uint8Array | undefined,
    handshake: ClientHandshake,
  ): State<ClientHandshake> {
    const keyed = this.#keyed;
    const { path, anchor, validity, evidence } = keyed.peer;
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
      resumed: keyed.resumed !== undefined,
      peer: { path, anchor, validity, evidence },
      clientSignatureScheme: keyed.clientSignatureScheme,
    });
    if (session !== undefined) {
      forgetIfFatal(handshake);
      handshake.keepSession(session);
    }
    return traffic;
  }
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
