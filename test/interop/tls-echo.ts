/**
 * Our TLS server on a TCP port, for clients of other projects: it answers every line with the same one.
 *
 * @module
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import type { ThingwireError } from "../../src/errors.ts";
import { nodeRuntime } from "../../src/runtime/node-ports.ts";
import { acceptedSocket } from "../../src/simulator/node/accepted-socket.ts";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import type { TlsServerConnectionInfo, TlsServerOptions } from "../../src/tls/events.ts";
import { admitByTrust } from "../../src/tls/server.ts";
import { trustAnchors } from "../../src/tls/x509/index.ts";
import { type TlsServerTransport, tlsServer } from "../../src/transport/tls-server.ts";
import { type CertificateFiles, identityOf } from "./certificates.ts";

export interface EchoServer {
  readonly port: number;
  /** What was told of each handshake that was done. */
  readonly secured: TlsServerConnectionInfo[];
  readonly errors: ThingwireError[];
  /** Connections that ended with close_notify. */
  readonly ended: number[];
  readonly clients: TlsServerTransport[];
  stop(): Promise<void>;
}

/** Starts it, by default with the server certificate on P-256, for clients of the CA. */
export function echoServer(files: CertificateFiles, more: Partial<TlsServerOptions> = {}): Promise<EchoServer> {
  const crypto = createCrypto();
  const { clock, random, timers } = nodeRuntime;
  const identity = identityOf(files, "server-p256");
  const secured: TlsServerConnectionInfo[] = [];
  const errors: ThingwireError[] = [];
  const ended: number[] = [];
  const clients: TlsServerTransport[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const client = tlsServer(acceptedSocket(socket, "tcp"), {
      crypto,
      random,
      timers,
      now: clock.now,
      select: () => ({ identity }),
      clientCertificate: "require",
      admit: admitByTrust({ trust: trustAnchors(files.text("ca.crt")), crypto, wallMs: clock.wallMs }),
      onSecured: (info) => secured.push(info),
      ...more,
    });
    clients.push(client);
    let waiting = new Uint8Array(0);
    const flush = (): void => {
      waiting = waiting.slice(client.write(waiting));
      if (waiting.length > 65_536) client.pause();
      else client.resume();
    };
    client.open({
      onData: (view) => {
        const joined = new Uint8Array(waiting.length + view.length);
        joined.set(waiting);
        joined.set(view, waiting.length);
        waiting = joined;
        flush();
      },
      onWritable: flush,
      onEnd: () => {
        ended.push(clients.indexOf(client));
        client.shutdown();
      },
      onError: (error) => errors.push(error),
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        secured,
        errors,
        ended,
        clients,
        stop: () =>
          new Promise((stopped) => {
            server.close(() => stopped());
            for (const socket of sockets) socket.destroy();
          }),
      }),
    );
  });
}
