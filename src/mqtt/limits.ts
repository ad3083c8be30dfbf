/**
 * Limits of a service that are better refused here than answered by a closed connection: AWS IoT Core's quotas as values.
 *
 * Left out on purpose: rates (publishes and bytes per second), which AWS answers by delay or loss and not by closing.
 *
 * @module
 */

import { printable, utf8Length } from "../bytes.ts";
import { MqttError } from "./errors.ts";
import type { SubscriptionRequest } from "./packets.ts";

/** What a service allows; a limit that is absent does not apply. */
export interface MqttLimits {
  readonly maxPayloadBytes?: number;
  /** Topic filters in one SUBSCRIBE; the client splits what it restores after a reconnect. */
  readonly maxFiltersPerSubscribe?: number;
  /** Topic filters of one connection. */
  readonly maxSubscriptions?: number;
  /** Forward slashes in a topic, not counting a Basic Ingest prefix `$aws/rules/NAME/`. */
  readonly maxTopicSlashes?: number;
  /** Bytes of a topic as UTF-8, not counting a Basic Ingest prefix. */
  readonly maxTopicBytes?: number;
  readonly maxClientIdBytes?: number;
  /** False where the service does not speak QoS 2 at all. */
  readonly qos2?: boolean;
  readonly minKeepAliveSeconds?: number;
  readonly maxKeepAliveSeconds?: number;
}

/** AWS IoT Core's quotas for one connection (AWS General Reference, "AWS IoT Core endpoints and quotas"). */
export const awsLimits: MqttLimits = /* @__PURE__ */ Object.freeze({
  maxPayloadBytes: 131_072,
  maxFiltersPerSubscribe: 8,
  maxSubscriptions: 50,
  maxTopicSlashes: 7,
  maxTopicBytes: 256,
  maxClientIdBytes: 128,
  qos2: false,
  minKeepAliveSeconds: 30,
  maxKeepAliveSeconds: 1200,
});

/** Throws `MQTT_LIMIT_EXCEEDED` where what CONNECT says is out of the limits. A keep-alive of 0 counts as too long. */
export function checkConnectLimits(limits: MqttLimits, clientId: string, keepAliveSeconds: number): void {
  checkClientIdLimit(limits, clientId);
  const most = limits.maxKeepAliveSeconds;
  if (most !== undefined) {
    checkMost(
      "maxKeepAliveSeconds",
      most,
      keepAliveSeconds === 0 ? Infinity : keepAliveSeconds,
      "seconds of keep-alive",
    );
  }
  const least = limits.minKeepAliveSeconds ?? 0;
  if (keepAliveSeconds < least) {
    throw exceeded("minKeepAliveSeconds", least, keepAliveSeconds, `${keepAliveSeconds} seconds of keep-alive`);
  }
}

/** Throws `MQTT_LIMIT_EXCEEDED` where a client identifier is too long. */
export function checkClientIdLimit(limits: MqttLimits, clientId: string): void {
  checkMost("maxClientIdBytes", limits.maxClientIdBytes, utf8Length(clientId), "bytes of client identifier");
}

/**
 * The keep-alive that a server with these limits applies: AWS IoT moves what is out of the range to its nearest end, and 0, which is
 * off, to the longest.
 */
export function nearestKeepAlive(limits: MqttLimits, seconds: number): number {
  const { minKeepAliveSeconds = 0, maxKeepAliveSeconds } = limits;
  if (maxKeepAliveSeconds !== undefined && (seconds === 0 || seconds > maxKeepAliveSeconds)) return maxKeepAliveSeconds;
  return seconds === 0 ? 0 : Math.max(seconds, minKeepAliveSeconds);
}

/** Throws `MQTT_LIMIT_EXCEEDED` or `MQTT_QOS2_UNSUPPORTED` where a PUBLISH (or will) is out of the limits. */
export function checkPublishLimits(limits: MqttLimits, topic: string, payloadBytes: number): void {
  checkTopicLimits(limits, topic);
  checkMost("maxPayloadBytes", limits.maxPayloadBytes, payloadBytes, "bytes of payload");
}

/** The same for one SUBSCRIBE. */
export function checkSubscribeLimits(limits: MqttLimits, subscriptions: readonly SubscriptionRequest[]): void {
  checkMost("maxFiltersPerSubscribe", limits.maxFiltersPerSubscribe, subscriptions.length, "filters in one SUBSCRIBE");
  for (const { filter, qos } of subscriptions) {
    checkTopicLimits(limits, filter);
    if (qos === 2 && limits.qos2 === false)
      throw new MqttError("MQTT_QOS2_UNSUPPORTED", `SUBSCRIBE ${printable(filter)}`);
  }
}

/** Throws `MQTT_TOO_MANY_SUBSCRIPTIONS` where a connection would have `count` subscriptions and may not. */
export function checkSubscriptionCount(limits: MqttLimits, count: number): void {
  const most = limits.maxSubscriptions;
  if (most !== undefined && count > most) {
    throw new MqttError("MQTT_TOO_MANY_SUBSCRIPTIONS", `${count}, limit ${most}`, { actual: count, allowed: most });
  }
}

function checkTopicLimits(limits: MqttLimits, topic: string): void {
  const counted = topic.replace(/^\$aws\/rules\/[^/]*\//, "");
  checkMost("maxTopicBytes", limits.maxTopicBytes, utf8Length(counted), "bytes of topic");
  checkMost("maxTopicSlashes", limits.maxTopicSlashes, counted.split("/").length - 1, "slashes in a topic");
}

function checkMost(limit: keyof MqttLimits, most: number | undefined, actual: number, what: string): void {
  if (most !== undefined && actual > most) throw exceeded(limit, most, actual, `${actual} ${what}`);
}

function exceeded(limit: keyof MqttLimits, allowed: number, actual: number, detail: string): MqttError {
  return new MqttError("MQTT_LIMIT_EXCEEDED", `${detail}, limit ${allowed}`, { limit, allowed, actual });
}
