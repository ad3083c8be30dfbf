/**
 * TLS as a transport over any transport: our TLS 1.2 client, pumped.
 *
 * `onWritable` comes first when the peer is verified. `onEnd` comes only for a close_notify of the peer; a stream that stops
 * without one is `TLS_CLOSED_WITHOUT_NOTIFY`. What is written between two turns of the event loop leaves in as few records, and
 * through `reserve` and `commit` it is encoded where it is sealed.
 *
 * @module
 */

import { TlsClient } from "../tls/client.ts";
import type { TlsClientOptions, TlsConnectionInfo } from "../tls/events.ts";
import { TlsStream, type TlsStreamOptions } from "./tls-stream.ts";
import type { Transport } from "./transport.ts";

/** Options of {@link tls}: those of the engine, and of the pump. */
export interface TlsTransportOptions extends TlsClientOptions, TlsStreamOptions<TlsConnectionInfo> {
  /**
   * What the option `session` of a later connection should be, in place of all before it; only with the option `resumption`. It holds secrets.
   * `undefined`, before `onError`: none, because a fatal alert ended this connection (RFC 5246 §7.2.2).
   */
  readonly onSession?: ((session: Uint8Array | undefined) => void) | undefined;
}

/** A transport that is secured with TLS. */
export interface TlsTransport extends Transport {
  /** What was negotiated, once the peer is verified. */
  readonly info: TlsConnectionInfo | undefined;
}

/**
 * TLS over `lower`, which this transport opens and owns from then on.
 *
 * Errors: those of `tlsErrors`, those of the transport below as they are, and `TRANSPORT_HANDSHAKE_TIMEOUT`.
 *
 * @throws TlsError, UsageError for options that cannot be used (`TLS_IDENTITY_UNREADABLE`, …), and CertificateError `X509_KEY_MISMATCH`.
 * @example
 * const transport = tls(tcp({ host, port: 8883 }), { serverName: host, trust: amazonTrust, identity, crypto, ...ports });
 */
export function tls(lower: Transport, options: TlsTransportOptions): TlsTransport {
  const engine = new TlsClient(options);
  return new TlsStream(lower, options, engine, {
    description: `tls over ${lower.description}`,
    onConnected: () => engine.start(),
    onSession: options.onSession,
  });
}
