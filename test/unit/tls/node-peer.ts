/**
 * Our client against Node's TLS server in one process, without a socket: both ends of a pair of buffers, and a pump that can cut the
 * stream anywhere and give the engine any budget.
 *
 * @module
 */

import { Duplex } from "node:stream";
import tls from "node:tls";
import type { TlsClient } from "../../../src/tls/client.ts";
import type { TlsEvent } from "../../../src/tls/events.ts";

/** A duplex whose written bytes are collected, and into which bytes are pushed. */
class Wire extends Duplex {
  readonly written: Uint8Array[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(new Uint8Array(chunk));
    done();
  }
}

export interface NodeServer {
  readonly wire: Wire;
  readonly socket: tls.TLSSocket;
  readonly received: Uint8Array[];
  readonly errors: Error[];
}

/** Node's TLS 1.2 server over a wire. */
export function nodeServer(options: tls.TLSSocketOptions): NodeServer {
  const wire = new Wire();
  const socket = new tls.TLSSocket(wire, {
    isServer: true,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
    ...options,
  } as tls.TLSSocketOptions);
  const received: Uint8Array[] = [];
  const errors: Error[] = [];
  socket.on("data", (data: Buffer) => received.push(new Uint8Array(data)));
  socket.on("error", (error) => errors.push(error));
  return { wire, socket, received, errors };
}

/** A connection of one `tls.Server`, which knows sessions: its socket is there once the handshake is over. */
export function nodePeer(server: tls.Server): NodeServer {
  const wire = new Wire();
  const received: Uint8Array[] = [];
  const errors: Error[] = [];
  let socket: tls.TLSSocket | undefined;
  server.once("secureConnection", (secured: tls.TLSSocket) => {
    socket = secured;
    secured.on("data", (data: Buffer) => received.push(new Uint8Array(data)));
    secured.on("error", (error) => errors.push(error));
  });
  server.emit("connection", wire);
  return {
    wire,
    received,
    errors,
    get socket(): tls.TLSSocket {
      if (socket === undefined) throw new Error("the handshake is not over");
      return socket;
    },
  };
}

/** Lets everything that is queued in node's loop happen. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Moves bytes both ways until `until` is true or nothing moves any more; returns the client's events but `output`. */
export async function pump(
  client: TlsClient,
  server: NodeServer,
  until: (events: readonly TlsEvent[]) => boolean,
  events: TlsEvent[] = [],
): Promise<TlsEvent[]> {
  let idle = 0;
  while (!until(events) && idle < 50) {
    idle++;
    for (const chunk of server.wire.written.splice(0)) {
      idle = 0;
      for (let at = 0; at < chunk.length; ) {
        at += client.feed(chunk.subarray(at));
        drain(client, server, events);
        if (client.stateName === "Dead") break;
      }
    }
    if (drain(client, server, events)) idle = 0;
    await tick();
  }
  return events;
}

function drain(client: TlsClient, server: NodeServer, events: TlsEvent[]): boolean {
  let moved = false;
  if (client.stateName !== "Dead") while (client.work(1000) === "more") moved = true;
  for (let event = client.nextEvent(); event !== undefined; event = client.nextEvent()) {
    moved = true;
    if (event.type === "output") server.wire.push(Buffer.from(event.bytes));
    else if (event.type === "data") events.push({ type: "data", bytes: event.bytes.slice() });
    else events.push(event);
  }
  return moved;
}
