/**
 * The device subscribes to a topic and publishes to it, at QoS 0 and QoS 1 in turn, as the ESP32 example `subscribe_publish` does.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectThingOptions, connectThing, isThingwireError } from "thingwire/node";
import { handshakeFailed } from "../handshake-failed.ts";

const TAG = "MQTT_DEMO";
const TOPIC = "test_topic/esp32";

export interface SubscribePublishOptions {
  /** Endpoint, thing name, certificate and key: what any app passes to `connectThing`. */
  readonly device: ConnectThingOptions;
  /** Rounds of two messages each. */
  readonly rounds: number;
  /** Milliseconds between rounds; 1,000 by default. */
  readonly pauseMs?: number;
  /** Takes each log line. */
  readonly log: (line: string) => void;
}

/** Runs the example and returns how many of its own messages came back. Throws where it cannot connect or a message is lost. */
export async function subscribePublish({
  device,
  rounds,
  pauseMs = 1_000,
  log,
}: SubscribePublishOptions): Promise<number> {
  const say = (message: string): void => log(`${TAG}: ${message}`);
  say("Connecting to AWS...");
  const thing = await connectThing(device).catch((error: unknown) => {
    if (!isThingwireError(error)) throw error;
    handshakeFailed(error).forEach(log);
    say(`Error(${error.sdk ?? -1}) connecting to ${device.endpoint}:${device.port ?? 8883}...`);
    throw error;
  });

  try {
    say("Subscribing...");
    const messages = await thing.mqtt.subscribe(TOPIC, { qos: 0 });
    let received = 0;
    const listening = (async () => {
      for await (const { topic, payload } of messages) {
        say("Subscribe callback");
        say(`${topic}\t${new TextDecoder().decode(payload)}`);
        received++;
      }
    })();
    // Where the connection dies for good, the next publish says so.
    listening.catch(() => {});

    let count = 0;
    for (let round = 0; round < rounds; round++) {
      await sleep(pauseMs);
      await thing.mqtt.publish(TOPIC, `hello from ESP32 (QOS0) : ${count++} `, { qos: 0 });
      // Resolves when the broker has acknowledged it; without PUBACK the example goes on, as the original does.
      await thing.mqtt
        .publish(TOPIC, `hello from ESP32 (QOS1) : ${count++} `, { qos: 1, timeoutMs: 20_000 })
        .catch((error: unknown) => {
          if (!isThingwireError(error) || error.code !== "MQTT_OPERATION_TIMEOUT") throw error;
          say("QOS1 publish ack not received.");
        });
    }

    // The last message may still be on its way back.
    for (let waited = 0; received < count && waited < 2_000; waited += 20) await sleep(20);
    await messages.close();
    await listening;
    say(`${count} messages published, ${received} received`);
    if (received < count) throw new Error(`${count - received} of ${count} messages did not come back in two seconds`);
    return received;
  } finally {
    await thing.close();
  }
}
