/**
 * What goes into a TLS engine and what comes out of it: options, events, and what is known of the peer once it is verified.
 *
 * @module
 */

import type { Clock, KeyLog, Logger, Random } from "../ports.ts";
import type {
  CryptoProvider,
  GroupName,
  HashName,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from "./crypto/provider.ts";
import type { Deviation } from "./deviations.ts";
import type { TlsError } from "./errors.ts";
import type { MaxFragmentLength } from "./extensions.ts";
import type { ServerResumption } from "./server-sessions.ts";
import type { CipherSuite, NamedGroup, SignatureScheme } from "./suites.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { VerificationPolicy } from "./x509/policy.ts";
import type { TrustAnchor } from "./x509/trust.ts";
import type { VerificationResult } from "./x509/verify.ts";

/**
 * Signs outside of the engine: a secure element, another process. Given the digest that `scheme.hash` names; answers in the form
 * of RFC 5246 §4.7 (DER for ECDSA). A promise is awaited; the engine handles alerts and the peer's EOF meanwhile.
 */
export interface Signer {
  sign(scheme: SignatureScheme, digest: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Whether a signature is verified with the certificate's key before it leaves; true by default. It tells a wrong key slot from a server
   * that refuses, and keeps a faulty RSA signature, which can give the key away, off the wire. A device for which one more
   * verification is too slow says false.
   */
  readonly verified?: boolean | undefined;
  /** What it can do, where that is less than `signatureSchemes`: a token without RSA-PSS, a chip that knows SHA-256 alone. All of them by default. */
  readonly schemes?: readonly SignatureScheme[] | undefined;
}

/** Who we are: a chain in DER, leaf first, and the leaf's key, or something that signs with it. */
export interface Identity {
  readonly certificates: readonly Uint8Array[];
  readonly privateKey?: PrivateKey | undefined;
  readonly signer?: Signer | undefined;
}

/** Options of both roles. */
export interface CommonTlsOptions {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  /** Milliseconds for the handshake's timeline; zeros without it. */
  readonly now?: Clock["now"] | undefined;
  /** In order of preference; `presets.awsIot()` by default. */
  readonly suites?: readonly CipherSuite[] | undefined;
  /** In order of preference; by default P-256, X25519, P-384 and P-521, as far as the crypto provider can do them: the cheapest first. */
  readonly groups?: readonly NamedGroup[] | undefined;
  /** In order of preference; all that the crypto provider can do by default. */
  readonly signatureSchemes?: readonly SignatureScheme[] | undefined;
  /** Bytes of a handshake message that are accepted at most; 65,536 by default. */
  readonly maxHandshakeBytes?: number | undefined;
  /** Bytes of plaintext in a record that is sent at most, 1 to 16,384, which is the default. An alert always stands in one record. */
  readonly maxSendFragment?: number | undefined;
  /**
   * Whether encrypt-then-MAC (RFC 7366) is offered and answered; true by default. It only matters with CBC suites, which should not be used
   * without it (RFC 9325 §4).
   */
  readonly encryptThenMac?: boolean | undefined;
  readonly log?: Logger | undefined;
  readonly keyLog?: KeyLog | undefined;
}

/** Options of {@link TlsClient}. */
export interface TlsClientOptions extends CommonTlsOptions {
  /** The host name or IP address that the server's certificate must be for; sent as SNI where it is a name. */
  readonly serverName: string;
  readonly trust: readonly TrustAnchor[];
  readonly wallMs: Clock["wallMs"];
  /**
   * How the server's chain is verified: algorithms, pins, revocation, the app's own say, and what happens without the time of day. Where a
   * chain was accepted without it, its dates are looked at as soon as `wallMs` knows the time; where they are not right the connection ends with
   * `TLS_CERTIFICATE_REJECTED`.
   */
  readonly verification?: VerificationPolicy | undefined;
  /**
   * Who we are, or several such in order of preference: the first one that the server's CertificateRequest allows is sent, by its types and
   * signature schemes, and, where there are several, by its authorities; none where none fits.
   */
  readonly identity?: Identity | readonly Identity[] | undefined;
  /** Protocol names of RFC 7301, in order of preference. */
  readonly alpn?: readonly string[] | undefined;
  /**
   * Asks the server for records of at most so many bytes of plaintext, and sends none that are longer (RFC 6066 §4). A server that does not
   * know this goes on with records of up to 16,384 bytes, which are accepted; see `maxFragmentLength` of the `secured` event.
   */
  readonly maxFragmentLength?: MaxFragmentLength | undefined;
  /**
   * Whether a server that does not know the extended master secret (RFC 7627) is refused; false by default. Without it the secret is not bound
   * to the handshake: exported keys can then be those of another connection too (RFC 7627 §5.4), and there is no session.
   */
  readonly requireExtendedMasterSecret?: boolean | undefined;
  /**
   * Whether the connection may be resumed later: then session tickets are asked for (RFC 5077), and a `session` event brings what to keep. True
   * where a `session` is given, else false. Needs the extended master secret (RFC 7627 §5.3) and a clock: who does not know the
   * time has no sessions.
   */
  readonly resumption?: boolean | undefined;
  /**
   * The session of an earlier connection, as its `session` event gave it. It is offered where everything still fits: host name, ALPN offer, trust,
   * client certificates, `maxFragmentLength`, suite, dates; else, and where it is damaged, there is a full handshake.
   */
  readonly session?: Uint8Array | undefined;
}

/** What a client asks for, to choose by. Text of the peer: not to be shown without `printable`. */
export interface ClientRequest {
  /** The host name of SNI (RFC 6066 §3), as it was sent. */
  readonly serverName: string | undefined;
  /** Protocol names of RFC 7301, in the client's order; empty where it sent none. */
  readonly alpn: readonly string[];
}

/** How a client is served: the identity that it is shown and the protocol that is answered, or the alert that refuses it. */
export type ClientSelection =
  | {
      readonly identity: Identity;
      readonly alpn?: string | undefined;
      /** An OCSP response in DER, stapled where the client asks for one (RFC 6066 §8). Nothing of it is checked. */
      readonly ocspResponse?: Uint8Array | undefined;
    }
  | { readonly alert: number };

/** Options of {@link TlsServer}. */
export interface TlsServerOptions extends CommonTlsOptions {
  /**
   * Chooses by SNI and ALPN. Whether the identity's key belongs to its certificate is not looked at for each client. What it throws
   * ends the connection with `TLS_SERVER_CALLBACK_FAILED`.
   */
  select(request: ClientRequest): ClientSelection;
  /** Whether a certificate is asked for, and whether a client without one is refused. */
  readonly clientCertificate: "none" | "request" | "require";
  /** DER `Name`s of the authorities that CertificateRequest names; none by default, which means any. */
  readonly certificateAuthorities?: readonly Uint8Array[] | undefined;
  /**
   * Asked about a client once its CertificateVerify has proved that it holds the leaf's key, before our Finished: `undefined` admits it, a
   * number is the alert to refuse it with. The list is empty where the client sent none, which only `"request"` lets happen. Nothing but
   * that proof was checked: names, dates and signatures of the chain are the caller's business; see `admitByTrust`. Without `admit` everyone
   * who holds the key of any certificate is admitted.
   */
  admit?(certificates: readonly Certificate[]): number | undefined;
  /** Whether the extended master secret (RFC 7627) is answered; true by default. */
  readonly extendedMasterSecret?: boolean | undefined;
  /** Whether and how sessions are resumed; not at all by default. A resumed client is asked for no certificate, but `select` and `admit` are asked again. */
  readonly resumption?: ServerResumption | undefined;
  /** What is done wrong on purpose, for tests of clients. */
  readonly deviations?: readonly Deviation[] | undefined;
}

/** One handshake message, as the timeline shows it. */
export interface HandshakeStep {
  readonly direction: "sent" | "received";
  /** The message's name in RFC 5246: `ClientHello`, `ChangeCipherSpec`, … */
  readonly message: string;
  /** Bytes of the message with its 4-byte header, without the record's. */
  readonly bytes: number;
  /** Milliseconds since `start()`. */
  readonly atMs: number;
}

/**
 * A part of a connection's life. `hello`: up to the ServerHello. `certificate`: the server's chain comes and is validated. `keyExchange`: its
 * ephemeral key comes and the signature is verified. `keyAgreement`: ours is made, and the shared secret. `clientSignature`: the
 * CertificateVerify. `keyDerivation`: the PRF, for the master secret and the keys. `finished`: both Finished. `traffic`: all that follows.
 * A server's are the same as far as it has them; its own flight belongs to `hello`.
 */
export type StatisticsPhase =
  | "hello"
  | "certificate"
  | "keyExchange"
  | "keyAgreement"
  | "clientSignature"
  | "keyDerivation"
  | "finished"
  | "traffic";

/** What a phase has cost. */
export interface PhaseStatistics {
  readonly phase: StatisticsPhase;
  /** Milliseconds by the option `now`, waiting included. */
  readonly ms: number;
  /** Units of computation (one is about a P-256 field multiplication). */
  readonly units: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly recordsSent: number;
  readonly recordsReceived: number;
}

/** What a connection has cost so far. */
export interface TlsStatistics {
  readonly timeline: readonly HandshakeStep[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly recordsSent: number;
  readonly recordsReceived: number;
  /** Units of computation since `start()`. */
  readonly units: number;
  /** The same, phase by phase, in the order in which they began; their sums are the figures above. */
  readonly phases: readonly PhaseStatistics[];
}

/** What was negotiated with a verified peer. */
export interface TlsConnectionInfo {
  readonly suite: CipherSuite;
  /** Of the full handshake, where this one was resumed; the scheme too. */
  readonly group: NamedGroup;
  /** The scheme of the ServerKeyExchange. */
  readonly signatureScheme: SignatureScheme;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  /** Whether the MAC is over the ciphertext (RFC 7366); false with AEAD suites. */
  readonly encryptThenMac: boolean;
  /** Bytes of plaintext in a record at most (RFC 6066 §4); `undefined` where that was not negotiated. */
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** Whether it was an abbreviated handshake: `peer` was verified when the session was made, and proved that it knows its secret. */
  readonly resumed: boolean;
  readonly peer: {
    /** Leaf first; the last one's issuer is the anchor. */
    readonly path: readonly Certificate[];
    readonly anchor: TrustAnchor;
    /** Whether the certificates' dates were held against the time; where not, they will be: see the option `verification`. */
    readonly validity: VerificationResult["validity"];
    /** What said that certificates of the path are not revoked: CRLs, and an OCSP response where one was stapled and is good; empty where nothing did. */
    readonly evidence: VerificationResult["evidence"];
  };
  /** The scheme that our CertificateVerify used; `undefined` where no certificate was sent, as when a session was resumed. */
  readonly clientSignatureScheme: SignatureScheme | undefined;
  readonly statistics: TlsStatistics;
}

/** What was negotiated with a client that was admitted. */
export interface TlsServerConnectionInfo {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  /** The scheme of our ServerKeyExchange. */
  readonly signatureScheme: SignatureScheme;
  /** The host name of SNI, and the protocol that was answered. */
  readonly serverName: string | undefined;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly maxFragmentLength: MaxFragmentLength | undefined;
  /** Whether it was an abbreviated handshake: group, schemes and the client's certificates are then those of the full one. */
  readonly resumed: boolean;
  /** Leaf first, as the client sent them; empty where it sent none. */
  readonly clientCertificates: readonly Certificate[];
  /** The scheme of the client's CertificateVerify. */
  readonly clientSignatureScheme: SignatureScheme | undefined;
  readonly statistics: TlsStatistics;
}

/** A signature that somebody else makes. */
export interface SignRequest {
  /** For `resume`. */
  readonly id: number;
  readonly scheme: SignatureScheme;
  /** The digest that `scheme.hash` names. */
  readonly input: Uint8Array;
  readonly signer: Signer;
}

/** What an engine tells, in order: see each `type`. `I` is what it tells of a handshake that is done. */
export type TlsEvent<I = TlsConnectionInfo> =
  /** Bytes for the peer: valid until the next call of the engine; write them before you ask for more. */
  | { readonly type: "output"; readonly bytes: Uint8Array }
  | ({ readonly type: "secured" } & I)
  /**
   * What the option `session` of a later connection should be, in place of all before it; only with the option `resumption`. It holds secrets:
   * keep it where private keys are kept, and wipe what it replaces. Nothing in it proves whose it is: who can write there can pass for the
   * server. `undefined`, before `fatal`: the session that was offered, or that came on this connection, must not be resumed any more, because a
   * fatal alert was sent or received (RFC 5246 §7.2.2).
   */
  | { readonly type: "session"; readonly session: Uint8Array | undefined }
  /** Answer with `resume(id, signature | error)`. */
  | ({ readonly type: "sign" } & SignRequest)
  /** Plaintext of the peer: valid until the next `feed` or `work`. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** A server's script of deviations: what follows waits so long; then call `endDelay`. */
  | { readonly type: "delay"; readonly ms: number }
  /** A warning alert that does not end the connection. */
  | { readonly type: "warning"; readonly alert: number }
  /** Nothing more comes from the peer. `cleanly`: it said close_notify. */
  | { readonly type: "closed"; readonly cleanly: boolean }
  /** The connection is dead; an alert for the peer, where there is one, came before as `output`. */
  | { readonly type: "fatal"; readonly error: TlsError };

/** What `work` says: nothing to do, more to compute, or waiting for `resume`. */
export type WorkState = "idle" | "more" | "waiting";

export type { CryptoProvider, GroupName, HashName, PrivateKey, PublicKey, SignatureAlgorithm };
