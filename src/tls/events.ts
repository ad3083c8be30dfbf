/**
 * What goes into a TLS client and what comes out of it: options, events, and what is known of the peer once it is verified.
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
import type { TlsError } from "./errors.ts";
import type { CipherSuite, NamedGroup, SignatureScheme } from "./suites.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { TrustAnchor } from "./x509/trust.ts";

/**
 * Signs outside of the engine: a secure element, another process. Given the digest that `scheme.hash` names; answers in the form
 * of RFC 5246 §4.7 (DER for ECDSA). A promise is awaited; the engine handles alerts and the peer's EOF meanwhile.
 */
export interface Signer {
  sign(scheme: SignatureScheme, digest: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Who we are: a chain in DER, leaf first, and the leaf's key, or something that signs with it. */
export interface Identity {
  readonly certificates: readonly Uint8Array[];
  readonly privateKey?: PrivateKey | undefined;
  readonly signer?: Signer | undefined;
}

/** Options of {@link TlsClient}. */
export interface TlsClientOptions {
  /** The host name or IP address that the server's certificate must be for; sent as SNI where it is a name. */
  readonly serverName: string;
  readonly trust: readonly TrustAnchor[];
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly wallMs: Clock["wallMs"];
  /** Milliseconds for the handshake's timeline; zeros without it. */
  readonly now?: Clock["now"] | undefined;
  readonly identity?: Identity | undefined;
  /** In order of preference; `presets.awsIot()` by default. */
  readonly suites?: readonly CipherSuite[] | undefined;
  readonly groups?: readonly NamedGroup[] | undefined;
  readonly signatureSchemes?: readonly SignatureScheme[] | undefined;
  /** Protocol names of RFC 7301, in order of preference. */
  readonly alpn?: readonly string[] | undefined;
  /** Bytes of a handshake message that are accepted at most; 65,536 by default. */
  readonly maxHandshakeBytes?: number | undefined;
  readonly log?: Logger | undefined;
  readonly keyLog?: KeyLog | undefined;
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

/** What a connection has cost so far. */
export interface TlsStatistics {
  readonly timeline: readonly HandshakeStep[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly recordsSent: number;
  readonly recordsReceived: number;
  /** Units of computation since `start()`. */
  readonly units: number;
}

/** What was negotiated with a verified peer. */
export interface TlsConnectionInfo {
  readonly suite: CipherSuite;
  readonly group: NamedGroup;
  /** The scheme of the ServerKeyExchange. */
  readonly signatureScheme: SignatureScheme;
  readonly alpn: string | undefined;
  readonly extendedMasterSecret: boolean;
  readonly resumed: boolean;
  readonly peer: {
    /** Leaf first; the last one's issuer is the anchor. */
    readonly path: readonly Certificate[];
    readonly anchor: TrustAnchor;
  };
  /** The scheme that our CertificateVerify used; `undefined` where no certificate was sent. */
  readonly clientSignatureScheme: SignatureScheme | undefined;
  readonly statistics: TlsStatistics;
}

/** What an engine tells, in order: see each `type`. */
export type TlsEvent =
  /** Bytes for the peer: valid until the next call of the engine; write them before you ask for more. */
  | { readonly type: "output"; readonly bytes: Uint8Array }
  | ({ readonly type: "secured" } & TlsConnectionInfo)
  /** Answer with `resume(id, signature | error)`. */
  | {
      readonly type: "sign";
      readonly id: number;
      readonly scheme: SignatureScheme;
      readonly input: Uint8Array;
      readonly signer: Signer;
    }
  /** Plaintext of the peer: valid until the next `feed` or `work`. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** A warning alert that does not end the connection. */
  | { readonly type: "warning"; readonly alert: number }
  /** Nothing more comes from the peer. `cleanly`: it said close_notify. */
  | { readonly type: "closed"; readonly cleanly: boolean }
  /** The connection is dead; an alert for the peer, where there is one, came before as `output`. */
  | { readonly type: "fatal"; readonly error: TlsError };

/** What `work` says: nothing to do, more to compute, or waiting for `resume`. */
export type WorkState = "idle" | "more" | "waiting";

export type { CryptoProvider, GroupName, HashName, PrivateKey, PublicKey, SignatureAlgorithm };
