/**
 * What the client takes and tells: options of its calls, and its states.
 *
 * @module
 */

import type { ThingwireError } from "../errors.ts";
import type { CallOptions, Runtime } from "../ports.ts";
import type { Transport } from "../transport/transport.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { MqttMessage, MqttSessionOptions } from "./events.ts";
import type { QoS } from "./packets.ts";

/** A will as users write it. */
export interface MqttWill {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  readonly qos?: QoS | undefined;
  readonly retain?: boolean | undefined;
}

/** Options of `MqttClient.connect`: those of the session, the transport and the runtime. */
export interface MqttClientOptions extends Omit<MqttSessionOptions, "will" | "password">, CallOptions {
  /** Makes a transport that is not open yet; called again at each reconnect. */
  readonly transport: () => Transport;
  readonly runtime: Runtime;
  readonly will?: MqttWill | undefined;
  readonly password?: Uint8Array | string | undefined;
  /** How to come back after a lost connection, or false: then the client dies with it. On by default. */
  readonly reconnect?: BackoffOptions | false | undefined;
  /** A listener of `on("state")` from the start: what happens right behind CONNACK is over before `connect` has resolved. */
  readonly onState?: ((change: MqttStateChange) => void) | undefined;
}

/** Options of `MqttClient.publish`. */
export interface PublishOptions extends CallOptions {
  /** 0 by default. 2 is refused. */
  readonly qos?: QoS | undefined;
  readonly retain?: boolean | undefined;
}

/** Options of `MqttClient.subscribe`. */
export interface SubscribeOptions extends CallOptions {
  /** 0 by default. */
  readonly qos?: QoS | undefined;
  /** Messages that the iterator holds before the client stops to read; 100 by default. */
  readonly maxQueued?: number | undefined;
  /** Takes messages at once instead of the iterator. The payload is a view, valid during the call only. */
  readonly onMessage?: ((message: MqttMessage) => void) | undefined;
}

/** `waiting`: disconnected, with the next attempt due; `closed`: for good. */
export type MqttClientState = "connecting" | "connected" | "waiting" | "closing" | "closed";

/** What listeners of `on("state")` get. */
export interface MqttStateChange {
  readonly from: MqttClientState;
  readonly to: MqttClientState;
  /** Why, where it is for an error. */
  readonly error?: ThingwireError | undefined;
  /** With `connected`: whether the server had a session. */
  readonly sessionPresent?: boolean | undefined;
  /** With `waiting`: milliseconds until the next attempt. */
  readonly retryInMs?: number | undefined;
}
