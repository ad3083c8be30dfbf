/**
 * Whether what listens at a port speaks MQTT without TLS: the port 1883 of ordinary brokers, mistaken for 8883.
 *
 * @module
 */

import { encode } from "../../mqtt/encode.ts";
import { PacketType } from "../../mqtt/packets.ts";
import type { Target } from "./attempt.ts";

const CONNACK = 0x20;

/** Sends CONNECT as it is, with an empty client id so that nobody is thrown out, and sees whether CONNACK comes. No credentials are sent. */
export function speaksPlainMqtt({ ports, options, port, timeoutMs }: Target): Promise<boolean> {
  const transport = ports.tcp({ host: options.endpoint, port, timeoutMs });
  return new Promise((resolve) => {
    const end = (found: boolean): void => {
      cancel();
      transport.destroy();
      resolve(found);
    };
    const cancel = ports.runtime.timers.set(timeoutMs, () => end(false));
    let sent = false;
    transport.open({
      onWritable: () => {
        if (sent) return;
        sent = true;
        transport.write(
          encode({
            type: PacketType.CONNECT,
            clientId: "",
            cleanSession: true,
            keepAliveSeconds: 0,
            will: undefined,
            username: undefined,
            password: undefined,
          }),
        );
      },
      onData: (view) => end(view[0] === CONNACK),
      onEnd: () => end(false),
      onError: () => end(false),
    });
  });
}
