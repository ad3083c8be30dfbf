/**
 * Ready policies, for any region and account.
 *
 * @module
 */

import type { PolicyDocument } from "./policy.ts";

const CLIENT = "arn:aws:iot:*:*:client/";
const TOPIC = "arn:aws:iot:*:*:topic/";
const FILTER = "arn:aws:iot:*:*:topicfilter/";
const THING = `\${iot:Connection.Thing.ThingName}`;
const COMMON_NAME = `\${iot:Certificate.Subject.CommonName}`;

/**
 * What the two examples need and little more. The device connects under the name of its thing, uses the shadows of that thing, and the
 * topic `test_topic/esp32`. The example's app has the device's certificate and the client id of the thing with `-app` behind it; it is not the thing
 * then, so the common name of the certificate, which here is the thing's name, says which shadow is its own.
 */
export const defaultPolicy: PolicyDocument = /* @__PURE__ */ Object.freeze<PolicyDocument>({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Connect",
      Effect: "Allow",
      Action: "iot:Connect",
      Resource: [`${CLIENT}${THING}`, `${CLIENT}${COMMON_NAME}-app`],
    },
    {
      Sid: "Send",
      Effect: "Allow",
      Action: "iot:Publish",
      Resource: [
        `${TOPIC}test_topic/esp32`,
        `${TOPIC}$aws/things/${THING}/shadow/*`,
        `${TOPIC}$aws/things/${COMMON_NAME}/shadow/*`,
      ],
    },
    {
      Sid: "Subscribe",
      Effect: "Allow",
      Action: "iot:Subscribe",
      Resource: [
        `${FILTER}test_topic/esp32`,
        `${FILTER}$aws/things/${THING}/shadow/*`,
        `${FILTER}$aws/things/${COMMON_NAME}/shadow/*`,
      ],
    },
    {
      Sid: "Receive",
      Effect: "Allow",
      Action: "iot:Receive",
      Resource: [
        `${TOPIC}test_topic/esp32`,
        `${TOPIC}$aws/things/${THING}/shadow/*`,
        `${TOPIC}$aws/things/${COMMON_NAME}/shadow/*`,
      ],
    },
  ],
});

/** The topics of the shadow example of the C SDK, after `…/shadow/`. */
const SDK_REPLIES = ["update/accepted", "update/rejected", "update/delta", "delete/accepted", "delete/rejected"];

/**
 * Policies to learn from and to test against, by name.
 *
 * - `sdk-shadow`: what the shadow example of the AWS IoT Device SDK for Embedded C comes with. It lacks the answers to `get`, which that example
 *   does not ask for: `lintPolicy` says so.
 * - `own-topics`: a thing that may only use topics under its own name.
 * - `everything`: what many begin with. Any device can be any other.
 * - `plus-in-topic`: the commonest mistake, `+` in a resource.
 */
export const examplePolicies: Readonly<
  Record<"sdk-shadow" | "own-topics" | "everything" | "plus-in-topic", PolicyDocument>
> = /* @__PURE__ */ Object.freeze({
  "sdk-shadow": {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: `${CLIENT}${THING}` },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: underShadow(FILTER, SDK_REPLIES) },
      { Effect: "Allow", Action: "iot:Receive", Resource: underShadow(TOPIC, SDK_REPLIES) },
      { Effect: "Allow", Action: "iot:Publish", Resource: underShadow(TOPIC, ["update", "delete", "get"]) },
    ],
  },
  "own-topics": {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "iot:Connect",
        Resource: `${CLIENT}${THING}`,
        Condition: { Bool: { "iot:Connection.Thing.IsAttached": "true" } },
      },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: `${TOPIC}things/${THING}/*` },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: `${FILTER}things/${THING}/*` },
    ],
  },
  everything: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }] },
  "plus-in-topic": {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: "iot:Connect", Resource: `${CLIENT}${THING}` },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: `${FILTER}sensors/+` },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: `${TOPIC}sensors/+` },
    ],
  },
});

function underShadow(prefix: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `${prefix}$aws/things/${THING}/shadow/${name}`);
}
