/**
 * `thingwire/mqtt`: MQTT 3.1.1. The codec (`encode`, `PacketParser`), topics, the sans-I/O session engine (`MqttSession`) and the
 * client over any transport (`MqttClient`).
 *
 * @module
 */

export { Backoff, type BackoffOptions } from "./backoff.ts";
export {
  MqttClient,
  type MqttClientOptions,
  type MqttClientState,
  type MqttStateChange,
  type MqttWill,
  type PublishOptions,
  type SubscribeOptions,
} from "./client.ts";
export { encode, encodeInto, packetSize } from "./encode.ts";
export { MqttError, type MqttErrorCode, mqttErrors } from "./errors.ts";
export type {
  MqttMessage,
  MqttPublication,
  MqttSessionEvent,
  MqttSessionOptions,
  MqttSessionState,
} from "./events.ts";
export { awsLimits, type MqttLimits } from "./limits.ts";
export * from "./packets.ts";
export { PacketParser, type PacketParserOptions } from "./parser.ts";
export { MqttSession } from "./session.ts";
export type { Subscription } from "./subscription.ts";
export {
  matches,
  TopicRouter,
  validateTopicFilter,
  validateTopicName,
} from "./topic.ts";
