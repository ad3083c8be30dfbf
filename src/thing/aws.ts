/**
 * What is particular to AWS IoT Core: ports, ALPN, names, and what must all be in place for a thing to connect.
 *
 * The quotas of the message broker are `awsLimits` in `thingwire/mqtt`, the roots `amazonTrust` in `thingwire/tls/x509`.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import { isThingName } from "../shadow/topics.ts";

/** MQTT with client certificates: 8883 as it is, and 443, where ALPN tells it from HTTPS. */
export const awsPorts = { mqtt: 8883, mqttWithAlpn: 443 } as const;

/** The protocol name that port 443 wants (AWS IoT Developer Guide, "Device communication protocols"). */
export const AWS_MQTT_ALPN = "x-amzn-mqtt-ca";

/** The ALPN names that go with a port; none but on 443. */
export function alpnForPort(port: number): readonly string[] | undefined {
  return port === awsPorts.mqttWithAlpn ? [AWS_MQTT_ALPN] : undefined;
}

/** The five things that must be true for a connection to AWS IoT, in the order in which they are best checked. */
export const connectionFactors: readonly string[] = /* @__PURE__ */ Object.freeze([
  "the endpoint is the host name of your own AWS account and region",
  "the certificate and its private key are the ones attached to this thing",
  "the certificate is ACTIVE",
  "a policy is attached to the certificate",
  "the policy allows iot:Connect for this client id, and the topics that are used",
]);

/** Why AWS IoT ends a handshake with an alert, in the order in which the guide has them checked. */
export const handshakeCauses: readonly string[] = /* @__PURE__ */ Object.freeze([
  "private key and certificate are those of a certificate that is registered in AWS IoT",
  "that certificate is ACTIVE",
  "the endpoint is the host name of your own AWS account and region",
]);

/** Why AWS IoT recognises the certificate and yet ends the connection at CONNECT, in the guide's order. */
export const connectCauses: readonly string[] = /* @__PURE__ */ Object.freeze([
  "the certificate is ACTIVE",
  "a policy is attached to it, and allows iot:Connect for this client id",
  "the thing is attached to it",
]);

/** What to check, as one text: `1. …; 2. …`. */
export function numbered(list: readonly string[]): string {
  return list.map((item, index) => `${index + 1}. ${item}`).join("; ");
}

/** What looks wrong about a host name without asking anyone; `undefined` where nothing does. */
export function endpointWarning(endpoint: string): string | undefined {
  if (!/\.amazonaws\.com(\.cn)?$/i.test(endpoint)) return undefined;
  if (/^[a-z0-9]+\.iot\./i.test(endpoint))
    return "the endpoint has no -ats in its name: it belongs to the old VeriSign chain, which Amazon's roots do not verify";
  if (!/-ats\.iot\./i.test(endpoint)) return "the endpoint does not look like PREFIX-ats.iot.REGION.amazonaws.com";
  return undefined;
}

/** @throws UsageError for what is a URL, carries a port, or is no host name at all. */
export function checkEndpoint(endpoint: string): void {
  if (typeof endpoint !== "string" || !/^[A-Za-z0-9._:%[\]-]+$/.test(endpoint) || /^[^:]+:\d+$/.test(endpoint))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `endpoint must be a host name or an IP address, without scheme, port or path, not "${printable(String(endpoint))}"`,
    );
}

/** @throws UsageError for a name that the registry does not take: 1 to 128 letters, digits, `:`, `_` and `-`. */
export function checkThingName(thingName: string): void {
  if (typeof thingName !== "string" || !isThingName(thingName))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `thingName must be 1 to 128 letters, digits, ":", "_" or "-", not "${printable(String(thingName))}"`,
    );
}
