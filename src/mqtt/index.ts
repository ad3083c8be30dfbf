/**
 * `thingwire/mqtt`: MQTT 3.1.1. The codec (`encode`, `PacketParser`), topics, the sans-I/O session engine (`MqttSession`) and the
 * client over any transport (`MqttClient`).
 *
 * @module
 */

export { encode, encodeInto, packetSize } from "./encode.ts";
export { MqttError, type MqttErrorCode, mqttErrors } from "./errors.ts";
export * from "./packets.ts";
export { PacketParser, type PacketParserOptions } from "./parser.ts";
export {
  matches,
  TopicRouter,
  validateTopicFilter,
  validateTopicName,
} from "./topic.ts";
