/**
 * A small MQTT 3.1.1 broker, sans-I/O: sessions, QoS 0 and 1 both ways, QoS 2 received, wildcards, will, retained messages, keep-alive.
 * It is the peer of our tests and the local endpoint's heart, not a server for the Internet; it owns no socket, timer or clock.
 *
 * Left out on purpose: user names and passwords (who a client is says its certificate: `principal` and `authorize`), QoS 2
 * towards clients, storage beyond the process, bridges.
 *
 * @module
 */

import { copyOf } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { type Logger, silent } from "../ports.ts";
import type { Authorize } from "./broker-action.ts";
import type { BrokerBehaviour } from "./broker-behaviour.ts";
import { BrokerConnection, type ConnectionHost } from "./broker-connection.ts";
import { BrokerRouter, type LocalHandler } from "./broker-router.ts";
import type { BrokerSession } from "./broker-session.ts";
import { Dice } from "./dice.ts";
import { validateTopicFilter, validateTopicName } from "./topic.ts";

export type {
  Authorize,
  BrokerAction,
  ConnectAction,
  Denial,
  PublishAction,
  ReceiveAction,
  SubscribeAction,
} from "./broker-action.ts";
export { awsAtWorst, awsBehaviour, type BrokerBehaviour, type Mischief } from "./broker-behaviour.ts";
export { BrokerConnection, type CloseKind, type CloseReason, type ConnectionHost } from "./broker-connection.ts";
export type { LocalHandler } from "./broker-router.ts";
export type { Publication } from "./broker-session.ts";

/** Options of {@link Broker}: bounds, who may do what, and how it behaves where brokers differ. */
export interface BrokerOptions extends BrokerBehaviour {
  /** Milliseconds that never go back: `Clock.now`. */
  readonly now: () => number;
  /**
   * Whether a client may do what it wants to; everything is allowed by default. `deniedConnect` and `deniedSubscribe` say what a
   * denial does to those two; a denied PUBLISH closes the connection ([MQTT-3.3.5-2]); a denied "receive" drops the message silently.
   */
  readonly authorize?: Authorize | undefined;
  /** Bytes of an MQTT packet at most; 262,144 by default. A bigger one closes its connection before it is stored. */
  readonly maxPacketBytes?: number | undefined;
  /** Bytes that wait for one connection at most; 1,048,576 by default. Queued messages wait in the session instead. */
  readonly maxOutputBytes?: number | undefined;
  /** QoS 1 messages sent to a client and not acknowledged, at most; 100 by default. */
  readonly maxInFlight?: number | undefined;
  /** Messages that wait for a client, away or slow, at most; 1,000 by default. The oldest goes first. */
  readonly maxQueued?: number | undefined;
  /** Topic filters of one client at most; 100 by default. One more gets the code 0x80. */
  readonly maxSubscriptions?: number | undefined;
  /** Sessions at most; 1,000 by default. */
  readonly maxSessions?: number | undefined;
  /** Topics with a retained message at most; 1,000 by default. */
  readonly maxRetained?: number | undefined;
  /** Milliseconds between `accept` and the CONNECT packet at most; 10,000 by default. */
  readonly connectTimeoutMs?: number | undefined;
  /** Tag `broker`. */
  readonly log?: Logger | undefined;
}

/**
 * The broker engine.
 *
 * @example
 * const broker = new Broker({ now: () => performance.now() });
 * broker.subscribe("telemetry/#", ({ topic, payload }) => store(topic, payload));
 * const connection = broker.accept({ wake: () => flush() }); // flush: while ((bytes = connection.takeOutput())) socket.write(bytes)
 * connection.feed(bytesFromClient);
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #router: BrokerRouter;
  readonly #disorder: Dice;
  #assigned = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
    for (const rate of ["publishesPerSecond", "connectsPerSecond"] as const)
      if (options[rate] !== undefined) bound(rate, options[rate], 1, 1_000_000);
    for (const time of ["sessionExpiryMs", "subscribeDelayMs"] as const)
      if (options[time] !== undefined) bound(time, options[time], 0, Number.MAX_SAFE_INTEGER);
    this.#disorder = new Dice(options.disorder?.seed ?? 0);
    this.#router = new BrokerRouter(
      {
        maxInFlight: bound("maxInFlight", options.maxInFlight ?? 100, 1, 0xfffe),
        maxQueued: bound("maxQueued", options.maxQueued ?? 1_000, 1, 1_000_000),
        maxSessions: bound("maxSessions", options.maxSessions ?? 1_000, 1, 1_000_000),
        maxRetained: bound("maxRetained", options.maxRetained ?? 1_000, 0, 1_000_000),
      },
      options,
      options.now,
    );
  }

  /** Ids of the clients that are connected now. */
  get connected(): readonly string[] {
    return this.#router.connected;
  }

  /** What is kept of a client, connected or away, such as its subscriptions; `undefined` for one that is not known. */
  session(clientId: string): Pick<BrokerSession, "subscriptions" | "pending" | "dropped"> | undefined {
    return this.#router.session(clientId);
  }

  /** Starts to serve a client whose stream just opened. */
  accept(host: ConnectionHost): BrokerConnection {
    const options = this.#options;
    return new BrokerConnection(host, {
      router: this.#router,
      now: options.now,
      authorize: options.authorize ?? (() => true),
      behaviour: options,
      disorder: this.#disorder,
      maxPacketBytes: bound("maxPacketBytes", options.maxPacketBytes ?? 262_144, 64, 268_435_460),
      maxOutputBytes: bound("maxOutputBytes", options.maxOutputBytes ?? 1_048_576, 64, 1_073_741_824),
      maxSubscriptions: bound("maxSubscriptions", options.maxSubscriptions ?? 100, 1, 1_000_000),
      connectTimeoutMs: bound("connectTimeoutMs", options.connectTimeoutMs ?? 10_000, 1, 86_400_000),
      assignClientId: () => `assigned-${++this.#assigned}`,
      log: options.log ?? silent,
    });
  }

  /**
   * Publishes from inside the process, without `authorize`.
   *
   * @throws MqttError `MQTT_INVALID_TOPIC` for a topic that is not a topic name.
   */
  publish(message: {
    readonly topic: string;
    readonly payload: Uint8Array;
    readonly qos?: 0 | 1;
    readonly retain?: boolean;
  }): void {
    validateTopicName(message.topic);
    const { topic, qos = 0, retain = false } = message;
    this.#router.route({ topic, payload: copyOf(message.payload), qos, retain });
  }

  /**
   * Subscribes inside the process: the handler gets every message that matches, as it is routed. The result ends it. The `$`
   * rule [MQTT-4.7.2-1] holds here too.
   *
   * @throws MqttError `MQTT_INVALID_TOPIC` for a filter that is not a topic filter.
   */
  subscribe(filter: string, handler: LocalHandler): () => void {
    validateTopicFilter(filter);
    return this.#router.addLocal(filter, handler);
  }
}

function bound(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError("USAGE_INVALID_ARGUMENT", `${name} must be an integer from ${min} to ${max}, not ${value}`);
}
