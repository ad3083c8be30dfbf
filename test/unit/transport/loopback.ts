/** A TCP server on loopback whose accepted sockets are transports, so that both ends can be held to the contract. */
import { createServer, type Server, type Socket } from "node:net";
import { SocketTransport } from "../../../src/transport/node/socket.ts";
import type { Transport } from "../../../src/transport/transport.ts";

export interface Loopback {
  readonly port: number;
  /** The next connection that is accepted. */
  accept(): Promise<Socket>;
  close(): Promise<void>;
}

export async function listen(): Promise<Loopback> {
  const sockets: Socket[] = [];
  const accepted: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    const next = waiting.shift();
    if (next === undefined) accepted.push(socket);
    else next(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
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

/** A socket that exists already, as a transport. */
export function acceptedTransport(socket: Socket): Transport {
  return new SocketTransport({
    description: "accepted socket",
    timeoutMs: undefined,
    bufferBytes: undefined,
    readyEvent: "connect",
    connect: (onread) => {
      socket.on("data", (chunk: Buffer) => {
        if (!onread.callback(chunk.length, chunk)) socket.pause();
      });
      process.nextTick(() => socket.emit("connect"));
      socket.resume();
      return socket;
    },
  });
}
