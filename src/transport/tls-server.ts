/**
 * The server's end of TLS as a transport over any transport: our small TLS 1.2 server, pumped. For tests and for the simulator.
 *
 * `onWritable` comes first when the handshake is done and the client admitted. `onEnd` comes only for a close_notify of the client. Who
 * drops it ends the stream below in order, without close_notify: the client sees a truncated stream, as from AWS IoT.
 *
 * @module
 */

import type { TlsServerConnectionInfo, TlsServerOptions } from "../tls/events.ts";
import { TlsServer } from "../tls/server.ts";
import { TlsStream, type TlsStreamOptions } from "./tls-stream.ts";
import type { Transport } from "./transport.ts";

/** Options of {@link tlsServer}: those of the engine, and of the pump. */
export interface TlsServerTransportOptions extends TlsServerOptions, TlsStreamOptions<TlsServerConnectionInfo> {}

/** A client that is served over TLS. */
export interface TlsServerTransport extends Transport {
  /** What was negotiated, once the client is admitted. */
  readonly info: TlsServerConnectionInfo | undefined;
  /** Sends a fatal alert now, after what was written before, and drops the client: what AWS IoT does after CONNECT. No callback comes afterwards. */
  abort(alert: number): void;
}

/** Milliseconds that a client has to read an alert or the end. */
const LINGER_MS = 2_000;

/**
 * Serves TLS over `lower`, which this transport opens and owns from then on. A client that is refused, or does something wrong, gets its
 * alert, and the owner `onError`.
 *
 * Errors: those of `tlsErrors`, those of the transport below as they are, and `TRANSPORT_HANDSHAKE_TIMEOUT`.
 *
 * @throws UsageError for options that cannot be used.
 * @example
 * const client = tlsServer(accepted, {
 *   ...ports, crypto, select: () => ({ identity }), clientCertificate: "require", admit: admitByTrust({ trust, crypto, wallMs }),
 *   onSecured: ({ clientCertificates }) => console.log(String(clientCertificates[0]?.subject)),
 * });
 * client.open({ onData, onWritable, onEnd, onError });
 */
export function tlsServer(lower: Transport, options: TlsServerTransportOptions): TlsServerTransport {
  return new ServedClient(lower, options, new TlsServer(options));
}

class ServedClient extends TlsStream<TlsServerConnectionInfo> implements TlsServerTransport {
  readonly #engine: TlsServer;

  constructor(lower: Transport, options: TlsServerTransportOptions, engine: TlsServer) {
    super(lower, options, engine, {
      description: `tls server over ${lower.description}`,
      endDelay: () => engine.endDelay(),
      lingerMs: LINGER_MS,
    });
    this.#engine = engine;
  }

  abort(alert: number): void {
    this.#engine.abort(alert);
    this.destroy();
  }
}
