/**
 * Drives one connection of the broker engine over a transport: bytes both ways, back-pressure, and the broker's timeouts.
 *
 * @module
 */

import { NO_BYTES } from "../bytes.ts";
import type { Broker, BrokerConnection } from "../mqtt/broker.ts";
import type { Runtime } from "../ports.ts";
import type { Transport } from "../transport/transport.ts";

/**
 * Serves MQTT to whoever is at the other end. The transport is opened here and destroyed when the connection is over.
 *
 * @param principal Who the client is below MQTT, such as the id of its certificate.
 * @returns The broker's connection; `close(reason)` on it drops the client.
 */
export function serveMqtt(
  broker: Broker,
  transport: Transport,
  runtime: Pick<Runtime, "clock" | "timers">,
  principal?: string,
): BrokerConnection {
  const { clock, timers } = runtime;
  let unsent: Uint8Array = NO_BYTES;
  let over = false;
  let timer: { readonly due: number; readonly cancel: () => void } | undefined;

  const connection: BrokerConnection = broker.accept({ wake: pump, principal });
  transport.open({
    onData(view) {
      connection.feed(view);
      pump();
    },
    onWritable: pump,
    onEnd: () => connection.end(),
    onError: (error) => connection.end(error),
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

  /** A keep-alive that moves on with every packet does not move the timer: it is set again when it fires too early. */
  function arm(): void {
    const due = connection.nextTimeout();
    if (over || due === undefined || (timer !== undefined && timer.due <= due)) return;
    timer?.cancel();
    const cancel = timers.set(Math.max(0, due - clock.now()), () => {
      timer = undefined;
      connection.handleTimeout(clock.now());
      arm();
    });
    timer = { due, cancel };
  }

  function finish(): void {
    if (over) return;
    over = true;
    timer?.cancel();
    transport.shutdown();
    transport.destroy();
  }
}
