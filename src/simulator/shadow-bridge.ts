/**
 * The shadow service on a broker: beside our own broker in one process, or as one more client of any broker.
 *
 * @module
 */

import type { Broker } from "../mqtt/broker.ts";
import type { MqttClient } from "../mqtt/client.ts";
import { type Logger, silent } from "../ports.ts";
import { encodeJson } from "../shadow/json.ts";
import type { ShadowPublication, ShadowService } from "../shadow/service.ts";

const TAG = "shadow-service";

/** The requests of classic and named shadows: six filters, within the eight that one SUBSCRIBE may have at AWS IoT. */
const REQUEST_FILTERS: readonly string[] = /* @__PURE__ */ Object.freeze(
  ["", "/name/+"].flatMap((name) =>
    ["get", "update", "delete"].map((operation) => `$aws/things/+/shadow${name}/${operation}`),
  ),
);

/**
 * Answers the shadow requests that clients publish at our broker. The result detaches the service.
 *
 * @example
 * serveShadows(broker, new ShadowService({ now: () => Date.now() / 1000 }));
 */
export function serveShadows(broker: Broker, service: ShadowService, log: Logger = silent): () => void {
  const ends = REQUEST_FILTERS.map((filter) =>
    broker.subscribe(filter, ({ topic, payload }) => {
      for (const answer of handle(service, topic, payload, log)) {
        if (log.enabled("debug", TAG)) log.log("debug", TAG, `${topic} -> ${answer.topic}`);
        broker.publish({ ...answer, qos: 1 });
      }
    }),
  );
  return () => {
    for (const end of ends) end();
  };
}

/** The answers to a request; where the service could not keep the change, there was none, and the device is told of a failure. */
function handle(service: ShadowService, topic: string, payload: Uint8Array, log: Logger): readonly ShadowPublication[] {
  try {
    return service.handle(topic, payload) ?? [];
  } catch (error) {
    log.log("error", TAG, `${topic} cannot be answered: ${error instanceof Error ? error.message : String(error)}`);
    return [{ topic: `${topic}/rejected`, payload: encodeJson({ code: 500, message: "Internal service failure" }) }];
  }
}

/** A shadow service that is attached to a broker as a client. */
export interface AttachedShadowService {
  /** Unsubscribes; the client stays open. */
  close(): Promise<void>;
  /** Settles when the service stopped: never rejected by `close`, rejected where the client failed. */
  readonly stopped: Promise<void>;
}

/**
 * Attaches the shadow service to any broker as one more client, for brokers that have none of their own (Mosquitto, …). Its
 * client id must be its own, and the broker must let it subscribe to `$aws/things/+/shadow/…` and publish there. Resolves when
 * the subscriptions stand.
 *
 * Errors: those of `MqttClient.subscribe`.
 *
 * @example
 * const attached = await attachShadowService(client, new ShadowService({ now: () => Date.now() / 1000 }));
 */
export async function attachShadowService(
  client: MqttClient,
  service: ShadowService,
  log: Logger = silent,
): Promise<AttachedShadowService> {
  const requests = await client.subscribe(REQUEST_FILTERS, { qos: 1 });
  const stopped = (async () => {
    for await (const { topic, payload } of requests)
      for (const answer of service.handle(topic, payload) ?? []) {
        if (log.enabled("debug", TAG)) log.log("debug", TAG, `${topic} -> ${answer.topic}`);
        await client.publish(answer.topic, answer.payload, { qos: 1 });
      }
  })();
  // Whoever wants to know awaits `stopped`; nobody has to.
  stopped.catch(() => {});
  return {
    stopped,
    close: () => requests.close(),
  };
}
