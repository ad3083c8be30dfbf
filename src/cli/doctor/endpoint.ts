/**
 * The endpoint as it is written, before anyone is asked: is it a host name, and one that AWS IoT can have?
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { isThingName } from "../../shadow/topics.ts";
import type { Certificate } from "../../tls/x509/certificate.ts";
import { parseServerName } from "../../tls/x509/names.ts";
import type { Cause } from "./causes.ts";
import { commonName } from "./device-certificate.ts";
import type { Findings } from "./report.ts";

/** `eu-west-1`, `us-gov-west-1`, `cn-north-1`. */
const REGION = /^[a-z]{2}(-[a-z]+)+-\d{1,2}$/;

/** Checks the endpoint's text; what fails here cannot be dialled. */
export function checkEndpointName(endpoint: string, findings: Findings): void {
  const shown = printable(endpoint);
  const [cause, evidence] = problemOf(endpoint) ?? [];
  if (cause === undefined) findings.ok("endpoint", shown);
  else findings.found("endpoint", cause, `${shown}${evidence === undefined ? "" : `: ${evidence}`}`);
}

function problemOf(endpoint: string): readonly [Cause, string?] | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint) || /^[^/]+\//.test(endpoint)) return ["DOCTOR_ENDPOINT_URL"];
  if (/^[^:]+:\d+$/.test(endpoint) || /^\[.*\]:\d+$/.test(endpoint)) return ["DOCTOR_ENDPOINT_PORT"];
  if (/^\[.*\]$/.test(endpoint)) return ["DOCTOR_ENDPOINT_INVALID", "an IPv6 address stands without brackets"];
  if (parseServerName(endpoint) === undefined) return ["DOCTOR_ENDPOINT_INVALID"];
  return /\.amazonaws\.com(\.cn)?\.?$/i.test(endpoint) ? problemOfAws(endpoint.toLowerCase()) : undefined;
}

function problemOfAws(endpoint: string): readonly [Cause, string?] | undefined {
  const labels = endpoint.split(".");
  const iot = labels.indexOf("iot");
  const region = labels[iot + 1] ?? "";
  if (iot !== 1) {
    const kind = iot > 1 ? `it is the endpoint of ${labels.slice(1, iot).join(".")}` : "it has no .iot. in it";
    return ["DOCTOR_ENDPOINT_NOT_IOT", kind];
  }
  if (!REGION.test(region)) return ["DOCTOR_ENDPOINT_REGION", `"${printable(region)}"`];
  return labels[0]!.endsWith("-ats") ? undefined : ["DOCTOR_ENDPOINT_OLD"];
}

/** Checks the thing's name as it is written: what the registry takes, and the case that the certificate has it in. */
export function checkThing(thingName: string, certificate: Certificate | undefined, findings: Findings): void {
  const check = "thing-name";
  const common = certificate === undefined ? undefined : commonName(certificate);
  if (!isThingName(thingName)) findings.found(check, "DOCTOR_THING_NAME_INVALID", printable(thingName));
  else if (common !== undefined && common !== thingName && common.toLowerCase() === thingName.toLowerCase())
    findings.found(check, "DOCTOR_THING_NAME_CASE", `${thingName}, the certificate's common name is ${common}`);
  else findings.ok(check, thingName);
}
