/**
 * The states of a TLS 1.2 server (RFC 5246 §7.3), named for the message that they expect: in a full ECDHE handshake, and in an abbreviated
 * one, which goes from the ClientHello right to ChangeCipherSpec. Each one is built with exactly the data that exists at that point; the last one cannot be built without the proofs of `verify.ts`.
 *
 * ```
 * state                    message            next
 * ExpectClientHello        ClientHello        ExpectCertificate, ExpectClientKeyExchange, or (resumed) ExpectChangeCipherSpec   (our flight: server-flight.ts)
 * ExpectCertificate        Certificate        ExpectClientKeyExchange
 * ExpectClientKeyExchange  ClientKeyExchange  ExpectCertificateVerify, or ExpectChangeCipherSpec
 * ExpectCertificateVerify  CertificateVerify  ExpectChangeCipherSpec
 * ExpectChangeCipherSpec   ChangeCipherSpec   ExpectFinished
 * ExpectFinished           Finished           ExpectTraffic   (after a full handshake with the end of our flight)
 * ExpectTraffic            ApplicationData    (stays)
 * ```
 *
 * Any other message in any state is `TLS_UNEXPECTED_MESSAGE`. A second ClientHello (refused) and alerts are the engine's. Left out on
 * purpose, as in the client: renegotiation, stapled OCSP; and TLS 1.3, so that no downgrade needs a sentinel.
 *
 * @module
 */

import { wipe } from "../bytes.ts";
import { chain, done, map, type Task } from "../task.ts";
import { Alert } from "./alerts.ts";
import type { KeyExchange } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import type { TlsServerConnectionInfo } from "./events.ts";
import { Expect, type Handshake, type Incoming, type State } from "./handshake.ts";
import { agreedMasterSecret, type Negotiated, type TrafficKeys, trafficKeys, verifyData } from "./key-schedule.ts";
import {
  decodeCertificate,
  decodeCertificateVerify,
  decodeClientHello,
  decodeClientKeyExchange,
  decodeFinished,
} from "./messages.ts";
import { Parsing } from "./parsing.ts";
import { sendLastMessages, sendServerFlight } from "./server-flight.ts";
import { cacheSession, type ServerSession } from "./server-sessions.ts";
import type { ServerSettings } from "./server-settings.ts";
import { allSignatureSchemes, idText, type NamedGroup, type SignatureScheme } from "./suites.ts";
import { ExpectTraffic } from "./traffic.ts";
import { admitWithoutCertificate, type ClientAdmitted, verifyClient, verifyFinished } from "./verify.ts";
import type { Certificate } from "./x509/certificate.ts";

/** The engine as a server's states see it. */
export type ServerHandshake = Handshake<ServerSettings, TlsServerConnectionInfo>;
type ServerState = Task<State<ServerHandshake>>;

/** What the hellos settled. */
export interface ServerNegotiated extends Negotiated {
  readonly serverName: string | undefined;
  readonly group: NamedGroup;
  readonly signatureScheme: SignatureScheme;
  readonly secureRenegotiation: boolean;
  /** Ours; empty where the session is not cached. */
  readonly sessionId: Uint8Array;
  readonly isTicketPromised: boolean;
  /** Stapled; `undefined` where there is none, or it was not asked for. */
  readonly ocspResponse: Uint8Array | undefined;
}

/** … with the ephemeral key that we signed. */
export interface Offered extends ServerNegotiated {
  readonly ours: KeyExchange;
}

/** … with the client's certificates, or that it may go without. */
type Shown = { readonly certificates: readonly Certificate[] } | { readonly admitted: ClientAdmitted };

/** … with keys. */
export interface ServerKeyed extends ServerNegotiated {
  /** 48 bytes, which the engine wipes at the end. */
  readonly master: Uint8Array;
  readonly keys: TrafficKeys;
  /** In an abbreviated handshake. */
  readonly resumed: ServerSession | undefined;
}

/** A resumed session: our flight is sent to its end. */
export interface Resumed {
  readonly keyed: ServerKeyed;
  readonly admitted: ClientAdmitted;
}

/** Nothing came yet. */
export class ExpectClientHello extends Expect<ServerHandshake> {
  readonly name = "ExpectClientHello";
  readonly expects = ["ClientHello"] as const;

  protected react({ body }: Incoming, handshake: ServerHandshake): ServerState {
    const { settings } = handshake;
    return map(sendServerFlight(decodeClientHello(body), handshake), (sent) => {
      if ("keyed" in sent) return new ExpectChangeCipherSpec(sent.keyed, sent.admitted);
      return settings.clientCertificate === "none"
        ? new ExpectClientKeyExchange(sent, { admitted: admitWithoutCertificate(settings, false) })
        : new ExpectCertificate(sent);
    });
  }
}

/** Our flight is sent, and asks for a certificate. */
class ExpectCertificate extends Expect<ServerHandshake> {
  readonly name = "ExpectCertificate";
  readonly expects = ["Certificate"] as const;
  readonly #offered: Offered;

  constructor(offered: Offered) {
    super();
    this.#offered = offered;
  }

  protected react({ body }: Incoming, { settings, log }: ServerHandshake): ServerState {
    const chainInDer = decodeCertificate(body);
    if (chainInDer.length === 0) {
      const admitted = admitWithoutCertificate(settings, true);
      return done(new ExpectClientKeyExchange(this.#offered, { admitted }));
    }
    return map(new Parsing(chainInDer), (certificates) => {
      const leaf = certificates[0]!;
      log("debug", () => `client certificate: subject ${leaf.subject}, issuer ${leaf.issuer}`);
      const { publicKey } = leaf;
      if (publicKey === undefined || (publicKey.type === "ec" && !settings.crypto.supports(publicKey.curve)))
        throw new TlsError("TLS_CERTIFICATE_KEY_TYPE", `${leaf.publicKeyAlgorithm} is not supported`, {
          alert: Alert.unsupported_certificate,
        });
      return new ExpectClientKeyExchange(this.#offered, { certificates });
    });
  }
}

/** It is known who the client says it is. */
class ExpectClientKeyExchange extends Expect<ServerHandshake> {
  readonly name = "ExpectClientKeyExchange";
  readonly expects = ["ClientKeyExchange"] as const;
  readonly #offered: Offered;
  readonly #shown: Shown;

  constructor(offered: Offered, shown: Shown) {
    super();
    this.#offered = offered;
    this.#shown = shown;
  }

  protected react({ body }: Incoming, handshake: ServerHandshake): ServerState {
    const offered = this.#offered;
    const shown = this.#shown;
    const premasterSecret = offered.ours.shared(decodeClientKeyExchange(body));
    const masterSecret = chain(premasterSecret, (premaster) => {
      if (premaster === undefined) throw new TlsError("TLS_INVALID_KEY_SHARE", offered.group.name);
      handshake.wipeAtEnd(premaster);
      return map(agreedMasterSecret(offered, premaster, handshake), (master) => {
        offered.ours.wipe();
        wipe(premaster);
        handshake.wipeAtEnd(master);
        return master;
      });
    });
    return chain(masterSecret, (master) =>
      map(trafficKeys(handshake.settings, offered, master), (keys) => {
        handshake.wipeAtEnd(keys.client, keys.server);
        const keyed: ServerKeyed = { ...offered, master, keys, resumed: undefined };
        if ("certificates" in shown) return new ExpectCertificateVerify(keyed, shown.certificates);
        return new ExpectChangeCipherSpec(keyed, shown.admitted);
      }),
    );
  }
}

/** The client must prove that it holds the key of its certificate. */
class ExpectCertificateVerify extends Expect<ServerHandshake> {
  readonly name = "ExpectCertificateVerify";
  readonly expects = ["CertificateVerify"] as const;
  readonly #keyed: ServerKeyed;
  readonly #certificates: readonly Certificate[];

  constructor(keyed: ServerKeyed, certificates: readonly Certificate[]) {
    super();
    this.#keyed = keyed;
    this.#certificates = certificates;
  }

  protected react({ body }: Incoming, { settings, transcript }: ServerHandshake): ServerState {
    const message = decodeCertificateVerify(body);
    const scheme = settings.signatureSchemes.find((ours) => ours.id === message.scheme);
    if (scheme === undefined)
      throw new TlsError("TLS_UNOFFERED_SIGNATURE_SCHEME", idText(message.scheme, allSignatureSchemes));
    const verification = chain(transcript.digestBeforeLast(scheme.hash), (digest) =>
      verifyClient(settings, this.#certificates, scheme, digest, message.signature),
    );
    return map(verification, (admitted) => new ExpectChangeCipherSpec(this.#keyed, admitted));
  }
}

/** The client is admitted. */
class ExpectChangeCipherSpec extends Expect<ServerHandshake> {
  readonly name = "ExpectChangeCipherSpec";
  readonly expects = ["ChangeCipherSpec"] as const;
  readonly #keyed: ServerKeyed;
  readonly #admitted: ClientAdmitted;

  constructor(keyed: ServerKeyed, admitted: ClientAdmitted) {
    super();
    this.#keyed = keyed;
    this.#admitted = admitted;
  }

  protected react(_: Incoming, handshake: ServerHandshake): ServerState {
    const { suite, keys } = this.#keyed;
    handshake.protectReading(keys.client);
    return done(new ExpectFinished(this.#keyed, this.#admitted, handshake.transcript.digest(suite.hash)));
  }
}

/** The client sends under the new keys. */
class ExpectFinished extends Expect<ServerHandshake> {
  readonly name = "ExpectFinished";
  readonly expects = ["Finished"] as const;
  readonly #keyed: ServerKeyed;
  readonly #admitted: ClientAdmitted;
  /** Of all handshake messages before the client's Finished. */
  readonly #digest: Uint8Array;

  constructor(keyed: ServerKeyed, admitted: ClientAdmitted, digest: Uint8Array) {
    super();
    this.#keyed = keyed;
    this.#admitted = admitted;
    this.#digest = digest;
  }

  protected react({ body }: Incoming, handshake: ServerHandshake): ServerState {
    const keyed = this.#keyed;
    const client = this.#admitted;
    const { suite, master } = keyed;
    const { settings, transcript } = handshake;
    const received = decodeFinished(body);
    return chain(verifyData(settings.crypto, suite, master, "client", this.#digest), (expected) => {
      const finished = verifyFinished(expected, received);
      const sent = keyed.resumed === undefined ? sendLastMessages(keyed, client, handshake) : done(undefined);
      return map(sent, () => {
        transcript.wipe();
        if (keyed.resumed === undefined) cacheSession(keyed, client, settings);
        // RFC 5246 §7.2.2. Not before this point, or whoever saw the ID could have the session forgotten.
        handshake.ifFatal(() => settings.resumption?.cache?.delete(keyed.sessionId));
        handshake.secured({
          suite,
          group: keyed.group,
          signatureScheme: keyed.signatureScheme,
          serverName: keyed.serverName,
          alpn: keyed.alpn,
          extendedMasterSecret: keyed.extendedMasterSecret,
          encryptThenMac: keyed.encryptThenMac,
          maxFragmentLength: keyed.maxFragmentLength,
          resumed: keyed.resumed !== undefined,
          clientCertificates: client.certificates,
          clientSignatureScheme: client.scheme,
        });
        return new ExpectTraffic<ServerHandshake>(keyed, { client, finished });
      });
    });
  }
}
