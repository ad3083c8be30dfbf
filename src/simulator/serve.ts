/**
 * Drives one connection of the broker engine over a transport: bytes both ways, back-pressure, and the broker's timeouts.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import { Alarm } from "../mqtt/alarm.ts";
import type { Broker, BrokerConnection, CloseReason } from "../mqtt/broker.ts";
import type { Runtime } from "../ports.ts";
import type { Transport } from "../transport/transport.ts";

/** Milliseconds that a client has to take its last bytes, once its connection is over. */
const LINGER_MS = 5_000;

/** Whether the transport was destroyed, or has something to say still: then it is destroyed when the client ends too, or after five seconds. */
export type Ended = "destroyed" | "lingers";

/** Options of {@link serveMqtt}. */
export interface ServeOptions {
  /** Who the client is below MQTT, for `authorize`. */
  readonly principal?: string | undefined;
  /** Ends the stream once the last bytes were written or given up; {@link endOrderly} by default. Called once. */
  readonly end?: ((transport: Transport, reason: CloseReason) => Ended) | undefined;
  /** Where those are kept that linger; calling one lets go of it at once. */
  readonly lingering?: Set<() => void> | undefined;
}

/**
 * Serves MQTT to whoever is at the other end. The transport is opened here and ended when the connection is over.
 *
 * @returns The broker's connection; `close(reason)` on it drops the client.
 */
export function serveMqtt(
  broker: Broker,
  transport: Transport,
  runtime: Pick<Runtime, "clock" | "timers">,
  { principal, end = endOrderly, lingering }: ServeOptions = {},
): BrokerConnection {
  const { clock } = runtime;
  let unsent: Uint8Array = NO_BYTES;
  let over = false;
  let closedAt: number | undefined;
  const alarm = new Alarm(runtime, (now) => {
    if (over) release();
    else if (closedAt !== undefined && now >= closedAt + LINGER_MS) finish();
    else connection.handleTimeout(now);
    arm();
  });

  const connection: BrokerConnection = broker.accept({ wake: pump, principal });
  transport.open({
    onData(view) {
      connection.feed(view);
      pump();
    },
    onWritable: pump,
    onEnd() {
      if (over) release();
      else connection.end();
    },
    onError(error) {
      connection.end(error);
      finish();
      // Nobody is there to take anything any more.
      release();
    },
  });
  arm();
  return connection;

  function pump(): void {
    while (!over) {
      if (unsent.length === 0) unsent = connection.takeOutput() ?? NO_BYTES;
      if (unsent.length === 0) break;
      unsent = unsent.subarray(transport.write(unsent));
      if (unsent.length > 0) break;
    }
    // What a dead connection does not take any more is given up with it.
    if (connection.closed !== undefined && (unsent.length === 0 || connection.closed.blame === "network")) finish();
    else arm();
  }

  function arm(): void {
    if (over) return;
    if (connection.closed !== undefined) closedAt ??= clock.now();
    alarm.set(closedAt === undefined ? connection.nextTimeout() : closedAt + LINGER_MS);
  }

  function finish(): void {
    if (over) return;
    over = true;
    alarm.cancel();
    if (end(transport, connection.closed!) === "destroyed") return;
    lingering?.add(release);
    alarm.set(clock.now() + LINGER_MS);
  }

  function release(): void {
    lingering?.delete(release);
    alarm.cancel();
    transport.destroy();
  }
}

/** Says that nothing more comes, and lets go at once: for streams that still deliver what they have taken. */
export function endOrderly(transport: Transport): Ended {
  transport.shutdown();
  transport.destroy();
  return "destroyed";
}
