/**
 * TCP ports of Node in front of a cloud.
 *
 * @module
 */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { UsageError } from "../../errors.ts";
import type { EndpointPort } from "../admission.ts";
import type { Cloud } from "../cloud.ts";
import { acceptedSocket } from "./accepted-socket.ts";

const CLOSE_GRACE_MS = 250;

/** An open port. */
export interface Port {
  readonly number: number;
  /** Ends it; connections that do not end by then are cut a moment later. */
  close(): Promise<void>;
}

/**
 * Opens a TCP port on loopback in front of a cloud, which plays one of AWS IoT's two.
 *
 * Errors: `USAGE_INVALID_ARGUMENT` where it is taken or not allowed.
 */
export async function openPort(cloud: Cloud, port: number, plays: EndpointPort): Promise<Port> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    const { remoteAddress, remotePort } = socket;
    const peer = `${remoteAddress ?? "?"}:${remotePort ?? "?"}`;
    // An IPv4 client of a socket that serves IPv6 too: policies know it by its IPv4 address.
    const sourceIp = remoteAddress?.replace(/^::ffff:/, "");
    cloud.accept(acceptedSocket(socket, `tcp ${peer}`), { port: plays, sourceIp, peer });
  });
  const { port: number } = await listen(server, port);
  return {
    number,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // What waits in a handshake, or does not take its last bytes, gets no more time than this.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function listen(server: Server, port: number): Promise<AddressInfo> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1" }, resolve);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "something listens there already" : message;
    throw new UsageError("USAGE_INVALID_ARGUMENT", `port ${port} cannot be opened: ${reason}`);
  }
  return server.address() as AddressInfo;
}
