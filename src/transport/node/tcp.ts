/**
 * TCP on Node's `net`, as a transport: names are resolved and both address families tried by Node, Nagle's algorithm is off,
 * each side ends for itself, and what Node buffers is bounded.
 *
 * @module
 */

import { createConnection } from "node:net";
import { UsageError } from "../../errors.ts";
import type { Transport } from "../transport.ts";
import { SocketTransport } from "./socket.ts";

/** Options of {@link tcp}. */
export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds until the connection must be made, name resolution included; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Bytes that wait in Node for the network at most; 65,536 by default. */
  readonly bufferBytes?: number | undefined;
}

/**
 * A TCP connection that is made when the transport is opened.
 *
 * Errors: `TRANSPORT_DNS`, `TRANSPORT_REFUSED`, `TRANSPORT_UNREACHABLE`, `TRANSPORT_TIMEOUT` before it stands,
 * `TRANSPORT_RESET` and `TRANSPORT_FAILED` afterwards.
 *
 * @throws UsageError for an empty host or a port outside of 1 to 65535.
 * @example
 * const transport = tcp({ host: "localhost", port: 1883 });
 */
export function tcp(options: TcpOptions): Transport {
  const { host, port } = options;
  checkAddress(host, port);
  return new SocketTransport({
    description: `tcp ${host}:${port}`,
    timeoutMs: options.timeoutMs,
    bufferBytes: options.bufferBytes,
    readyEvent: "connect",
    connect: (onread) => createConnection({ host, port, noDelay: true, allowHalfOpen: true, onread }),
  });
}

/** @throws UsageError */
export function checkAddress(host: string, port: number): void {
  if (typeof host !== "string" || host === "" || /[\s/]/.test(host))
    throw new UsageError("USAGE_INVALID_ARGUMENT", `host must be a host name or an IP address, not "${host}"`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError("USAGE_INVALID_ARGUMENT", `port must be an integer from 1 to 65535, not ${port}`);
}
