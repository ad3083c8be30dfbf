import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import { MqttError } from "../../../src/mqtt/errors.ts";
import { alpnForPort, checkEndpoint, connectCauses, endpointWarning } from "../../../src/thing/aws.ts";
import { explainFailure, type Progress } from "../../../src/thing/diagnosis.ts";
import { ThingError } from "../../../src/thing/errors.ts";
import { alertReceived, TlsError } from "../../../src/tls/errors.ts";
import { TransportError } from "../../../src/transport/errors.ts";

const where = "abc-ats.iot.eu-west-1.amazonaws.com:8883";
const explain = (error: Parameters<typeof explainFailure>[0], progress: Progress) =>
  explainFailure(error, progress, where);

describe("the guide: the same alert means another thing in another phase", () => {
  it("in the handshake it is -0x7780: certificate not registered or not active", () => {
    const error = explain(alertReceived(42, "client"), "handshake");
    expect(error).toMatchObject({ code: "THING_HANDSHAKE_REFUSED", phase: "handshake", mbedtls: -0x7780, sdk: -4 });
    expect(error.message).toContain(where);
  });

  it("after CONNECT it is -28, with -0x7780 as its cause: thing or policy missing", () => {
    const error = explain(alertReceived(49, "client"), "connect");
    expect(error).toMatchObject({ code: "THING_ALERT_AFTER_HANDSHAKE", phase: "connect", sdk: -28, mbedtls: -0x7780 });
    for (const cause of connectCauses) expect(error.hint).toContain(cause);
  });

  it("after CONNACK it is a lost session", () => {
    expect(explain(alertReceived(80, "client"), "session")).toMatchObject({
      code: "THING_SESSION_LOST",
      phase: "session",
    });
  });
});

describe("explainFailure", () => {
  const cases: readonly [Parameters<typeof explainFailure>[0], Progress, string][] = [
    [new TransportError("TRANSPORT_DNS"), "handshake", "THING_ENDPOINT_NOT_FOUND"],
    [new TransportError("TRANSPORT_REFUSED"), "handshake", "THING_ENDPOINT_UNREACHABLE"],
    [new TransportError("TRANSPORT_UNREACHABLE"), "handshake", "THING_ENDPOINT_UNREACHABLE"],
    [new TransportError("TRANSPORT_TIMEOUT"), "handshake", "THING_ENDPOINT_UNREACHABLE"],
    [new TransportError("TRANSPORT_FAILED"), "handshake", "THING_ENDPOINT_UNREACHABLE"],
    [new TransportError("TRANSPORT_RESET"), "handshake", "THING_HANDSHAKE_FAILED"],
    [new TransportError("TRANSPORT_RESET"), "connect", "THING_CLOSED_AFTER_HANDSHAKE"],
    [new TransportError("TRANSPORT_RESET"), "session", "THING_SESSION_LOST"],
    [new TlsError("TLS_BAD_RECORD_MAC"), "handshake", "THING_HANDSHAKE_FAILED"],
    [new TlsError("TLS_CLOSED_WITHOUT_NOTIFY"), "connect", "THING_CLOSED_AFTER_HANDSHAKE"],
    [new TlsError("TLS_TRANSPORT_FAILED"), "connect", "THING_CLOSED_AFTER_HANDSHAKE"],
    [new TlsError("TLS_BAD_RECORD_MAC"), "connect", "THING_CONNECT_FAILED"],
    [new TlsError("TLS_UNEXPECTED_MESSAGE"), "connect", "THING_CONNECT_FAILED"],
    [new MqttError("MQTT_CONNACK_TIMEOUT"), "connect", "THING_CONNACK_TIMEOUT"],
    [new MqttError("MQTT_CONNECT_TIMEOUT"), "handshake", "THING_HANDSHAKE_TIMEOUT"],
    [new MqttError("MQTT_CLOSED_BEFORE_CONNACK"), "connect", "THING_CLOSED_AFTER_HANDSHAKE"],
    [new MqttError("MQTT_REFUSED_IDENTIFIER"), "connect", "THING_CONNECT_REFUSED"],
    [new MqttError("MQTT_MALFORMED_PACKET"), "connect", "THING_CONNECT_FAILED"],
    [new MqttError("MQTT_PINGRESP_TIMEOUT"), "session", "THING_SESSION_LOST"],
  ];
  it.each(cases.map(([error, progress, code]) => [error.code, progress, code, error] as const))(
    "%s in %s: %s",
    (_code, progress, code, error) => {
      const explained = explain(error, progress);
      expect(explained).toBeInstanceOf(ThingError);
      expect(explained.code).toBe(code);
      expect(explained.cause).toBe(error);
    },
  );

  it("bytes that were changed behind the handshake say nothing of policies", () => {
    const cause = new TlsError("TLS_BAD_RECORD_MAC");
    const error = explain(new MqttError("MQTT_CLOSED_BEFORE_CONNACK", undefined, {}, cause), "connect");
    expect(error).toMatchObject({ code: "THING_CONNECT_FAILED", hint: cause.hint });
  });

  it("passes on the caller's own mistakes, and what was explained before", () => {
    const usage = new UsageError("USAGE_ABORTED");
    expect(explain(usage, "handshake")).toBe(usage);
    const limit = new MqttError("MQTT_LIMIT_EXCEEDED");
    expect(explain(limit, "handshake")).toBe(limit);
    const told = new ThingError("THING_SESSION_LOST");
    expect(explain(told, "session")).toBe(told);
  });

  it("CONNACK's code of the C SDK comes through", () => {
    expect(explain(new MqttError("MQTT_REFUSED_SERVER_UNAVAILABLE"), "connect").sdk).toBe(-39);
  });
});

describe("AWS IoT's endpoints", () => {
  it("port 443 needs ALPN, others none", () => {
    expect(alpnForPort(443)).toEqual(["x-amzn-mqtt-ca"]);
    expect(alpnForPort(8883)).toBeUndefined();
  });

  it.each([
    ["abc123-ats.iot.eu-west-1.amazonaws.com", undefined],
    ["localhost", undefined],
    ["abc123.iot.eu-west-1.amazonaws.com", "-ats"],
    ["iot.eu-west-1.amazonaws.com", "PREFIX-ats"],
  ])("%s", (endpoint, warning) => {
    if (warning === undefined) expect(endpointWarning(endpoint)).toBeUndefined();
    else expect(endpointWarning(endpoint)).toContain(warning);
  });

  it.each(["localhost", "127.0.0.1", "::1", "fe80::1%eth0", "a-b.example.com"])("%s is an endpoint", (endpoint) => {
    expect(() => checkEndpoint(endpoint)).not.toThrow();
  });

  it.each(["", "https://x", "x:8883", "x/y", "a b", "a\nb"])("%j is none", (endpoint) => {
    expect(() => checkEndpoint(endpoint)).toThrowError(expect.objectContaining({ code: "USAGE_INVALID_ARGUMENT" }));
  });
});
