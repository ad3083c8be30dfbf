/**
 * What AWS IoT asks the policies when a client acts: from the broker's question to requests of policies.
 *
 * @module
 */

import type { BrokerAction } from "../../mqtt/broker-action.ts";
import type { PolicyContext, PolicyRequest } from "./policy.ts";

/**
 * The requests of a broker's action; it is allowed where all of them are. A filter is compared as text, and a retained message needs
 * `iot:RetainPublish` besides `iot:Publish`.
 */
export function policyRequests(action: BrokerAction): readonly PolicyRequest[] {
  switch (action.type) {
    case "connect":
      return [{ action: "iot:Connect", resource: `client/${action.clientId}` }];
    case "publish": {
      const resource = `topic/${action.topic}`;
      const publish: PolicyRequest = { action: "iot:Publish", resource };
      return action.retain ? [publish, { action: "iot:RetainPublish", resource }] : [publish];
    }
    case "subscribe":
      return [{ action: "iot:Subscribe", resource: `topicfilter/${action.filter}` }];
    case "receive":
      return [{ action: "iot:Receive", resource: `topic/${action.topic}` }];
  }
}

/** What conditions see of a CONNECT; `undefined` for all other actions. */
export function connectFacts(action: BrokerAction): PolicyContext["connect"] {
  if (action.type !== "connect") return undefined;
  return { persistent: !action.cleanSession, willTopic: action.willTopic };
}
