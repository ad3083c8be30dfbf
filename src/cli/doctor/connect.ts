/**
 * CONNECT, judged: accepted, refused, closed with or without an alert, or never answered; and whether it is the client id's fault.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import type { MqttErrorCode } from "../../mqtt/errors.ts";
import { AWS_MQTT_ALPN } from "../../thing/aws.ts";
import type { TlsError } from "../../tls/errors.ts";
import { chainOf, connectOnce, isUnsound, type Outcome, type Target, wireError } from "./attempt.ts";
import type { Cause } from "./causes.ts";
import { answer, wantsAlpn } from "./handshake.ts";
import { pause } from "./line.ts";
import type { Findings } from "./report.ts";

const byReturnCode: Partial<Record<MqttErrorCode, Cause>> = {
  MQTT_REFUSED_PROTOCOL_VERSION: "DOCTOR_CONNECT_REFUSED_VERSION",
  MQTT_REFUSED_IDENTIFIER: "DOCTOR_CONNECT_REFUSED_CLIENT_ID",
  MQTT_REFUSED_SERVER_UNAVAILABLE: "DOCTOR_CONNECT_REFUSED_UNAVAILABLE",
  MQTT_REFUSED_BAD_CREDENTIALS: "DOCTOR_CONNECT_REFUSED_CREDENTIALS",
  MQTT_REFUSED_NOT_AUTHORIZED: "DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED",
  MQTT_REFUSED_UNKNOWN: "DOCTOR_CONNECT_REFUSED_OTHER",
};

/** Causes that another client id may not have. */
const OF_CLIENT_ID: readonly Cause[] = [
  "DOCTOR_CONNECT_ALERT",
  "DOCTOR_CONNECT_CLOSED",
  "DOCTOR_CONNECT_REFUSED_NOT_AUTHORIZED",
  "DOCTOR_CONNECT_REFUSED_CLIENT_ID",
];

/** What a port for HTTPS does with CONNECT. */
const OF_ALPN: readonly Cause[] = [
  "DOCTOR_CONNECT_ALERT",
  "DOCTOR_CONNECT_CLOSED",
  "DOCTOR_CONNECT_HANGS",
  "DOCTOR_NOT_MQTT",
];

/** The first octet of CONNACK: whoever sends it speaks some MQTT. */
const CONNACK = 0x20;

/** Judges what followed Finished; true where CONNACK accepted. */
export async function judgeConnect(target: Target, outcome: Outcome, findings: Findings): Promise<boolean> {
  const { clientId, options, port } = target;
  if (outcome.error === undefined) {
    findings.ok("connect", `CONNACK 0 for client id ${printable(clientId)}`);
    findings.ok("client-id", clientId === options.thingName ? `${clientId}, the thing's name` : printable(clientId));
    return true;
  }
  const [cause, evidence, error] = judgeRefusal(outcome);
  if (OF_ALPN.includes(cause) && (await isForWantOfAlpn(target))) {
    findings.found(
      "alpn",
      "DOCTOR_ALPN_NEEDED",
      `port ${port}: TLS works without it, MQTT does not (${evidence})`,
      error,
    );
    findings.skip("connect", "without ALPN this is no port for MQTT");
    return false;
  }
  findings.found("connect", cause, `${evidence}; client id ${printable(clientId)}`, error);
  await judgeClientId(target, cause, findings);
  return false;
}

/** Port 443 of AWS IoT is HTTPS without ALPN; at any other port it is tried. */
async function isForWantOfAlpn(target: Target): Promise<boolean> {
  const { port, alpn } = target;
  if (alpn.includes(AWS_MQTT_ALPN)) return false;
  if (wantsAlpn(port)) return true;
  await pause(target);
  const other = await connectOnce(target, { alpn: [AWS_MQTT_ALPN] });
  await other.client?.close({ timeoutMs: 1_000 });
  return other.error === undefined;
}

function judgeRefusal(outcome: Outcome): readonly [Cause, string, unknown] {
  const { plain } = outcome;
  const error = outcome.error!;
  const wire = wireError(error);
  const codes = chainOf(error).map(({ code }) => code);
  for (const code of codes) {
    const cause = byReturnCode[code as MqttErrorCode];
    if (cause !== undefined) return [cause, error.message, error];
  }
  if (codes.some(isUnsound) && plain.first[0] === CONNACK) return ["DOCTOR_BROKER_UNSOUND", error.message, error];
  if (plain.received > 0) return ["DOCTOR_NOT_MQTT", `CONNECT is answered with ${answer(plain.first)}`, error];
  if (wire?.code === "TLS_ALERT_RECEIVED") {
    const { alert, data } = wire as TlsError;
    return [
      "DOCTOR_CONNECT_ALERT",
      `alert ${data["name"]} (${alert}) right after CONNECT: ${data["explanation"]}`,
      wire,
    ];
  }
  if (codes.includes("MQTT_CONNACK_TIMEOUT") || codes.includes("MQTT_OPERATION_TIMEOUT"))
    return ["DOCTOR_CONNECT_HANGS", error.message, error];
  const how = plain.ended ? "with close_notify" : "without an alert";
  return ["DOCTOR_CONNECT_CLOSED", `the connection was closed ${how}, before CONNACK`, wire ?? error];
}

/** Tries the thing's name, where another client id was refused. */
async function judgeClientId(target: Target, cause: Cause, findings: Findings): Promise<void> {
  const { clientId, options } = target;
  const { thingName } = options;
  if (!OF_CLIENT_ID.includes(cause)) findings.skip("client-id", "CONNECT did not come so far");
  else if (thingName === undefined)
    findings.skip("client-id", `${printable(clientId)} is not accepted; with --thing another one can be tried`);
  else if (clientId === thingName) findings.skip("client-id", `${clientId} is the thing's name`);
  else {
    await pause(target);
    const other = await connectOnce(target, { clientId: thingName });
    await other.client?.close({ timeoutMs: 1_000 });
    const tried = `${printable(clientId)} is refused, ${thingName}`;
    if (other.error === undefined) findings.found("client-id", "DOCTOR_CLIENT_ID_DENIED", `${tried} is accepted`);
    else findings.skip("client-id", `${tried} as well`);
  }
}
