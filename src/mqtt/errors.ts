/**
 * What can go wrong in MQTT: one class, one table. `sdk` is the code of the AWS IoT C SDK v3 (`IoT_Error_t`) for the same
 * thing, so that people find what they know. Where a numbered statement of MQTT 3.1.1 was broken, `data.statement` names it.
 *
 * @module
 */

import { type ErrorData, type ErrorRow, ThingwireError } from "../errors.ts";

/** All codes of MQTT errors. */
export const mqttErrors = {
  MQTT_MALFORMED_PACKET: {
    meaning: "the peer sent a malformed packet",
    blame: "peer",
    retry: true,
    hint: "The broker breaks MQTT 3.1.1, or what answers is no MQTT broker. See data.statement; check the port and the protocol.",
    sdk: -1,
  },
  MQTT_INVALID_REMAINING_LENGTH: {
    meaning: "the peer sent an invalid remaining length",
    blame: "peer",
    retry: true,
    hint: "The stream is out of step, or what answers is no MQTT broker. Check the port and the protocol.",
    sdk: -35,
  },
  MQTT_PACKET_TOO_LARGE: {
    meaning: "the peer sent a packet above the size limit",
    blame: "peer",
    retry: true,
    hint: "Raise maxPacketBytes, or publish smaller messages to what this client subscribes to.",
    sdk: -32,
  },
  MQTT_UNEXPECTED_PACKET: {
    meaning: "the peer sent a packet that it may not send now",
    blame: "peer",
    retry: true,
    hint: "The broker breaks MQTT 3.1.1. A DISCONNECT from AWS IoT means that an operator ended the connection.",
    sdk: -31,
  },
  MQTT_PROTOCOL_VIOLATION: {
    meaning: "the peer broke the protocol",
    blame: "peer",
    retry: true,
    hint: "The broker breaks the statement of MQTT 3.1.1 that data.statement names; report it to its makers.",
    sdk: -1,
  },
  MQTT_UNSUPPORTED_PROTOCOL_LEVEL: {
    meaning: "the client speaks another version of MQTT",
    blame: "peer",
    retry: false,
    hint: "This server speaks MQTT 3.1.1, protocol level 4; set the client to it.",
    sdk: -37,
  },
  MQTT_INVALID_TOPIC: {
    meaning: "a topic name or filter is not valid",
    blame: "caller",
    retry: false,
    hint: "Names have no + or #; in filters # stands last and alone in its level, + alone in its level; 1 to 65,535 bytes.",
    sdk: -2,
  },
  MQTT_INVALID_PACKET: {
    meaning: "a packet cannot carry these values",
    blame: "caller",
    retry: false,
    hint: "See the message for the field; data.statement names the statement of MQTT 3.1.1.",
    sdk: -2,
  },
  MQTT_PACKET_OVER_LIMIT: {
    meaning: "a packet to send is too large",
    blame: "caller",
    retry: false,
    hint: "Send a smaller payload. AWS IoT takes 128 KB.",
    sdk: -33,
  },
  MQTT_LIMIT_EXCEEDED: {
    meaning: "a limit of the service would be exceeded",
    blame: "caller",
    retry: false,
    hint: "AWS IoT would close the connection without a word. data names the limit; pass other `limits` for another broker.",
    sdk: -51,
  },
  MQTT_TOO_MANY_SUBSCRIPTIONS: {
    meaning: "the connection has as many subscriptions as the service allows",
    blame: "caller",
    retry: false,
    hint: "Use wildcards, close subscriptions, or pass other `limits` for another broker.",
    sdk: -34,
  },
  MQTT_QOS2_UNSUPPORTED: {
    meaning: "QoS 2 is not supported for sending",
    blame: "caller",
    retry: false,
    hint: "Use QoS 1. AWS IoT does not answer QoS 2 at all.",
    sdk: -2,
  },
  MQTT_QUEUE_FULL: {
    meaning: "the queue of operations is full",
    blame: "network",
    retry: true,
    hint: "The connection is down or slower than the app publishes. Await each publish, or raise maxQueued and maxQueuedBytes.",
    sdk: -51,
  },
  MQTT_CONNECT_TIMEOUT: {
    meaning: "the transport was not connected in time",
    blame: "network",
    retry: true,
    hint: "Nothing answers at that address, or TLS is stuck. Check endpoint, port and firewall, or raise connectTimeoutMs.",
    sdk: -6,
  },
  MQTT_CONNACK_TIMEOUT: {
    meaning: "the broker did not answer CONNECT in time",
    blame: "network",
    retry: true,
    hint: "The broker accepted the connection and then said nothing. Check endpoint and port; AWS IoT is silent where it is no MQTT port.",
    sdk: -28,
  },
  MQTT_CLOSED_BEFORE_CONNACK: {
    meaning: "the broker closed the connection instead of answering CONNECT",
    blame: "network",
    retry: true,
    hint: "AWS IoT does so where the policy does not allow iot:Connect for this client id, or the certificate has no policy.",
    sdk: -28,
  },
  MQTT_REFUSED_PROTOCOL_VERSION: {
    meaning: "the broker refuses the protocol version (CONNACK 1)",
    blame: "peer",
    retry: false,
    hint: "The broker does not speak MQTT 3.1.1.",
    sdk: -37,
  },
  MQTT_REFUSED_IDENTIFIER: {
    meaning: "the broker refuses the client identifier (CONNACK 2)",
    blame: "caller",
    retry: false,
    hint: "Choose another clientId: 1 to 23 letters and digits work everywhere; an empty one needs cleanSession.",
    sdk: -38,
  },
  MQTT_REFUSED_SERVER_UNAVAILABLE: {
    meaning: "the broker is unavailable (CONNACK 3)",
    blame: "network",
    retry: true,
    hint: "Try again later.",
    sdk: -39,
  },
  MQTT_REFUSED_BAD_CREDENTIALS: {
    meaning: "the broker refuses the user name or password (CONNACK 4)",
    blame: "caller",
    retry: false,
    hint: "Check username and password.",
    sdk: -40,
  },
  MQTT_REFUSED_NOT_AUTHORIZED: {
    meaning: "the broker does not authorise this client (CONNACK 5)",
    blame: "caller",
    retry: false,
    hint: "Check that the certificate is active and that its policy allows iot:Connect for this client id.",
    sdk: -41,
  },
  MQTT_REFUSED_UNKNOWN: {
    meaning: "the broker refuses the connection with an unknown code",
    blame: "peer",
    retry: true,
    hint: "The code, which MQTT 3.1.1 reserves, stands in data.returnCode; see the broker's documentation.",
    sdk: -36,
  },
  MQTT_PINGRESP_TIMEOUT: {
    meaning: "the broker did not answer PINGREQ in time",
    blame: "network",
    retry: true,
    hint: "The network is gone or very slow. The client reconnects by itself unless `reconnect` is false.",
    sdk: -13,
  },
  MQTT_CONNECTION_LOST: {
    meaning: "the connection was lost",
    blame: "network",
    retry: true,
    hint: "Where it happens soon after connecting: another client uses the same clientId, or the policy forbids a topic.",
    sdk: -13,
  },
  MQTT_OPERATION_TIMEOUT: {
    meaning: "the operation was not done in time",
    blame: "network",
    retry: true,
    hint: "The message says where there was no connection. With one, no acknowledgement came: AWS IoT gives none where the policy forbids the topic; otherwise the network is slow: raise timeoutMs.",
    sdk: -28,
  },
  MQTT_SUBSCRIBE_REFUSED: {
    meaning: "the broker refused a subscription (SUBACK 128)",
    blame: "caller",
    retry: false,
    hint: "Check that the policy allows iot:Subscribe for the filters that data.filters names.",
    sdk: -1,
  },
  MQTT_CLOSED: {
    meaning: "the client was closed",
    blame: "caller",
    retry: false,
    hint: "Connect a new client; await what is under way before close().",
    sdk: -13,
  },
} as const satisfies Record<string, ErrorRow>;

/** A key of {@link mqttErrors}. */
export type MqttErrorCode = keyof typeof mqttErrors;

/** An error of the MQTT layer. `data.statement`, where there is one, is the broken statement: `MQTT-2.2.2-2`. */
export class MqttError extends ThingwireError<MqttErrorCode> {
  constructor(code: MqttErrorCode, detail?: string, data?: ErrorData, cause?: unknown) {
    super("mqtt", code, mqttErrors[code], detail, data, cause);
    this.name = "MqttError";
  }
}
