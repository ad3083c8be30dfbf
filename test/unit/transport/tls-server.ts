/** Node's TLS server as a peer: on loopback, or over any stream of ours. */
import { Duplex } from "node:stream";
import { createSecureContext, createServer, type TLSSocket, type TlsOptions, TLSSocket as TlsSocket } from "node:tls";
import type { Transport } from "../../../src/transport/transport.ts";
import type { Authority, Issued } from "./pki.ts";

/** A transport as Node's Duplex. */
export function duplexOf(transport: Transport): Duplex {
  let goOn: (() => void) | undefined;
  const duplex = new Duplex({
    allowHalfOpen: true,
    read: () => transport.resume(),
    write(chunk: Buffer, _encoding, callback) {
      const push = (at: number): void => {
        const taken = transport.write(chunk.subarray(at));
        if (at + taken < chunk.length) goOn = () => push(at + taken);
        else callback();
      };
      push(0);
    },
    final(callback) {
      transport.shutdown();
      callback();
    },
    destroy(error, callback) {
      transport.destroy();
      callback(error);
    },
  });
  transport.open({
    onData: (view) => {
      if (!duplex.push(Buffer.from(view))) transport.pause();
    },
    onWritable: () => {
      const next = goOn;
      goOn = undefined;
      next?.();
    },
    onEnd: () => duplex.push(null),
    onError: (error) => duplex.destroy(error),
  });
  return duplex;
}

export interface TlsPeerOptions {
  readonly authority: Authority;
  readonly server: Issued;
  /** Demand a client certificate of the authority; true by default. */
  readonly mutual?: boolean;
  readonly extra?: TlsOptions;
}

function settings({ authority, server, mutual = true, extra }: TlsPeerOptions): TlsOptions {
  return {
    key: server.privateKey,
    cert: server.certificate,
    ca: authority.pem,
    requestCert: mutual,
    rejectUnauthorized: mutual,
    maxVersion: "TLSv1.2",
    ...extra,
  };
}

/** The server side over a transport; resolves when the handshake is done. */
export function tlsPeerOver(transport: Transport, options: TlsPeerOptions): Promise<TLSSocket> {
  const all = settings(options);
  const socket = new TlsSocket(duplexOf(transport), {
    isServer: true,
    ...all,
    secureContext: createSecureContext(all),
  });
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("secure", () => resolve(socket)));
}

export interface TlsListener {
  readonly port: number;
  accept(): Promise<TLSSocket>;
  close(): Promise<void>;
}

/** A TLS server on 127.0.0.1. */
export async function listenTls(options: TlsPeerOptions): Promise<TlsListener> {
  const sockets: { destroy(): void }[] = [];
  const accepted: TLSSocket[] = [];
  const waiting: ((socket: TLSSocket) => void)[] = [];
  const server = createServer({ ...settings(options), allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    const next = waiting.shift();
    if (next === undefined) accepted.push(socket);
    else next(socket);
  });
  server.on("tlsClientError", () => {});
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as { port: number }).port,
    accept: () => {
      const socket = accepted.shift();
      return socket === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(socket);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
