/**
 * The policy, where the user has it as a file: judged here by the rules of AWS IoT, so that a denial gets the reason that the service never
 * tells. What is asked of it is what the doctor does later over the network.
 *
 * @module
 */

import { printable, utf8Decode } from "../../bytes.ts";
import { isThingwireError } from "../../errors.ts";
import { shadowTopics } from "../../shadow/topics.ts";
import { certificateId } from "../../simulator/authority.ts";
import { certificateFacts } from "../../simulator/certificate-facts.ts";
import {
  evaluate,
  lintPolicy,
  type Policy,
  type PolicyContext,
  type PolicyRequest,
  parsePolicy,
} from "../../simulator/policy/index.ts";
import type { Certificate } from "../../tls/x509/certificate.ts";
import type { Target } from "./attempt.ts";
import type { Findings } from "./report.ts";

const CHECK = "policy";

/** Judges the policy in a file. */
export function checkPolicy(target: Target, path: string, findings: Findings): void {
  const policy = readPolicy(target, path, findings);
  if (policy === undefined) return;
  const requests = requestsOf(target);
  const context = contextOf(target);
  const denied = requests.map((request) => evaluate([policy], request, context)).filter(({ allowed }) => !allowed);
  for (const { explanation } of denied) findings.found(CHECK, "DOCTOR_POLICY_DENIES", printable(explanation, 500));
  for (const { message } of lintPolicy(policy)) findings.found(CHECK, "DOCTOR_POLICY_SUSPECT", printable(message, 500));
  if (denied.length === 0) findings.ok(CHECK, `${path} allows all ${requests.length} actions that were tried on it`);
}

function readPolicy({ ports }: Target, path: string, findings: Findings): Policy | undefined {
  const { bytes, problem } = ports.readFile(path);
  const text = bytes === undefined ? undefined : utf8Decode(bytes);
  if (text === undefined) {
    findings.found(CHECK, "DOCTOR_POLICY_UNREADABLE", `${path}: ${problem ?? "not UTF-8"}`);
    return undefined;
  }
  try {
    return parsePolicy(nameOf(path), text);
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    findings.found(CHECK, "DOCTOR_POLICY_UNREADABLE", `${path}: ${error.message}`, error);
    return undefined;
  }
}

/** A name for the explanations: that of the file. */
function nameOf(path: string): string {
  const file = path.split(/[\\/]/).at(-1) ?? "";
  return (
    file
      .replace(/\.json$/, "")
      .replace(/[^\w+=,.@-]/g, "_")
      .slice(0, 128) || "policy"
  );
}

/** What a policy may know of this device; that the certificate is attached to the thing is taken for granted. */
function contextOf({ options, ports, files, clientId }: Target): PolicyContext {
  const { thingName } = options;
  const isAttached = clientId === thingName;
  const [leaf] = files.certificates ?? [];
  return {
    clientId,
    isAttached,
    ...(isAttached ? { thing: { name: clientId } } : {}),
    ...(leaf === undefined ? {} : { certificate: factsOf(leaf, ports) }),
    connect: { persistent: false },
    nowMs: ports.runtime.clock.wallMs(),
  };
}

function factsOf(leaf: Certificate, { crypto }: Target["ports"]): PolicyContext["certificate"] {
  return certificateFacts(leaf, certificateId(leaf.der, crypto));
}

/** All that the doctor asks of the broker, in order. */
function requestsOf({ options, clientId }: Target): readonly PolicyRequest[] {
  const { endpoint, topic, thingName, readOnly } = options;
  const region = /\.iot\.([^.]+)\.amazonaws\.com/i.exec(endpoint)?.[1]?.toLowerCase();
  const requests: PolicyRequest[] = [];
  const ask = (action: PolicyRequest["action"], resource: string): void => {
    requests.push({ action, resource, region });
  };
  const exchange = (filters: readonly string[], to: string): void => {
    for (const filter of filters) ask("iot:Subscribe", `topicfilter/${filter}`);
    ask("iot:Publish", `topic/${to}`);
    for (const filter of filters) ask("iot:Receive", `topic/${filter}`);
  };
  ask("iot:Connect", `client/${clientId}`);
  if (topic !== undefined) exchange([topic], topic);
  if (thingName !== undefined) {
    const topics = shadowTopics({ thingName });
    exchange([topics.getAccepted, topics.getRejected], topics.get);
    if (readOnly !== true) exchange([topics.updateAccepted, topics.updateRejected], topics.update);
  }
  return requests;
}
