/**
 * Finds what is wrong with a policy that AWS IoT stores without a word: what can never match, what lets more through than it seems, and
 * what a device will miss.
 *
 * One policy is looked at by itself; what another one adds is not known.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { matches } from "../../mqtt/topic.ts";
import type { ArnPattern } from "./arn.ts";
import { evaluate } from "./evaluate.ts";
import { isKnownKey } from "./keys.ts";
import { compilePattern, isVariable, matchesPattern, type Template } from "./pattern.ts";
import type { Policy, PolicyAction, Statement } from "./policy.ts";
import { coversAction } from "./statement.ts";

/** Kinds of {@link PolicyWarning}. */
export type PolicyWarningCode =
  | "everything-allowed"
  | "allow-not-resource"
  | "mqtt-wildcard-in-topic"
  | "wrong-resource-type"
  | "client-id-in-topicfilter"
  | "deny-subscribe-only"
  | "shadow-action-is-http"
  | "missing-connect"
  | "missing-receive"
  | "missing-subscribe"
  | "missing-shadow-answer"
  | "unknown-action"
  | "unknown-variable"
  | "variable-without-version"
  | "variable-not-closed"
  | "unknown-key"
  | "arn-condition-without-arn";

/** One finding. */
export interface PolicyWarning {
  readonly code: PolicyWarningCode;
  /** The statement, counted from 1; absent where it is about the whole policy. */
  readonly statement?: number;
  /** One line: what is wrong, and what to write instead. */
  readonly message: string;
}

/** The resource type of each action that a device has over MQTT. */
const RESOURCE_TYPES: Readonly<Record<string, "client" | "topic" | "topicfilter">> = /* @__PURE__ */ Object.freeze({
  "iot:connect": "client",
  "iot:publish": "topic",
  "iot:retainpublish": "topic",
  "iot:receive": "topic",
  "iot:subscribe": "topicfilter",
});

const SHADOW_ACTIONS = [
  "iot:getthingshadow",
  "iot:updatethingshadow",
  "iot:deletethingshadow",
  "iot:listnamedshadowsforthing",
];

/** Other actions that AWS IoT documents for devices. */
const OTHER_ACTIONS = [
  "iot:getretainedmessage",
  "iot:listretainedmessages",
  "iot:describejobexecution",
  "iot:getpendingjobexecutions",
  "iot:startnextpendingjobexecution",
  "iot:updatejobexecution",
  "iot:assumerolewithcertificate",
  "greengrass:discover",
];

/**
 * The mistakes of a policy, statement by statement, then those of the whole.
 *
 * @example
 * lintPolicy(parsePolicy("p", { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }))[0].code;
 * // "everything-allowed"
 */
export function lintPolicy(policy: Policy): readonly PolicyWarning[] {
  const variables = policy.document.Version === "2012-10-17";
  return [
    ...policy.statements.flatMap((statement) =>
      [
        ...breadthWarnings(statement),
        ...actionWarnings(policy, statement),
        ...resourceWarnings(policy, statement),
        ...textWarnings(statement, variables),
        ...keyWarnings(statement),
      ].map((warning) => ({ ...warning, statement: statement.number })),
    ),
    ...gapWarnings(policy),
    ...shadowWarnings(policy),
  ];
}

function breadthWarnings(statement: Statement): PolicyWarning[] {
  if (statement.effect === "Deny") return [];
  if (statement.except)
    return [
      {
        code: "allow-not-resource",
        message:
          "Allow with NotResource allows everything else, future topics too: allow what is needed, or deny with Resource.",
      },
    ];
  const anyAction = statement.actions.some(({ source }) => source === "*" || source.toLowerCase() === "iot:*");
  const anyResource = statement.resources.some((pattern) => plainSource(pattern) === "*");
  return anyAction && anyResource && statement.conditions.length === 0
    ? [
        {
          code: "everything-allowed",
          message: `every action on every resource is allowed, so that this device can be any other and read all: name actions and resources, with \${iot:Connection.Thing.ThingName} in them.`,
        },
      ]
    : [];
}

function actionWarnings(policy: Policy, statement: Statement): PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  for (const { source } of statement.actions) {
    const name = source.toLowerCase();
    const type = RESOURCE_TYPES[name];
    if (type !== undefined && !statement.except && !statement.resources.some((pattern) => canBe(pattern, type)))
      warnings.push({
        code: "wrong-resource-type",
        message: `${source} is asked for ${type}/…, which no resource of the statement can be: it has ${statement.resources
          .map(plainSource)
          .map((text) => printable(text))
          .join(", ")}.`,
      });
    if (SHADOW_ACTIONS.includes(name) && statement.effect === "Allow" && !allowsShadowTopics(policy))
      warnings.push({
        code: "shadow-action-is-http",
        message: `${source} is for HTTP only; over MQTT a device needs iot:Publish, iot:Subscribe and iot:Receive on $aws/things/NAME/shadow/….`,
      });
    if (type === undefined && !/[*?]/.test(name) && !SHADOW_ACTIONS.includes(name) && !OTHER_ACTIONS.includes(name))
      warnings.push({
        code: "unknown-action",
        message: `${printable(source)} is no action that a device has: look at its spelling.`,
      });
  }
  return warnings;
}

function resourceWarnings(policy: Policy, statement: Statement): PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  for (const pattern of statement.resources) {
    const text = plainSource(pattern);
    const topic = /^topic\/(.*)$/s.exec(text);
    if (topic !== null && /[+#]/.test(topic[1]!.replace(/\$\{[^}]*\}/g, "")))
      warnings.push({
        code: "mqtt-wildcard-in-topic",
        message: `\`+\` and \`#\` are literals in a resource, and no topic has them, so ${printable(text)} matches nothing: write * instead.`,
      });
    if (
      statement.effect === "Allow" &&
      /^topicfilter\/.*\$\{iot:clientid\}/is.test(text) &&
      coversAction(statement, "iot:Subscribe") &&
      mayConnectAsPlus(policy)
    )
      warnings.push({
        code: "client-id-in-topicfilter",
        message: `with the client id + the filter of ${printable(text)} reads everybody's topics: use \${iot:Connection.Thing.ThingName}, or do not let + connect.`,
      });
  }
  if (
    statement.effect === "Deny" &&
    coversAction(statement, "iot:Subscribe") &&
    statement.resources.some((pattern) => plainSource(pattern).startsWith("topicfilter/")) &&
    !policy.statements.some((other) => other.effect === "Deny" && coversAction(other, "iot:Receive"))
  )
    warnings.push({
      code: "deny-subscribe-only",
      message:
        "filters are compared as text, so that a wider filter such as a/# goes around a denied a/b/*: deny iot:Receive on the topics too.",
    });
  return warnings;
}

/** Variables that will not be replaced. */
function textWarnings(statement: Statement, variables: boolean): PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  const templates = [
    ...statement.resources.map((pattern) => pattern.resource),
    ...statement.conditions.flatMap((condition) => condition.values.map((value) => value.template)),
  ];
  for (const { source, parts } of templates) {
    if (!variables && source.includes("${")) {
      warnings.push({
        code: "variable-without-version",
        message: `${printable(source)} is taken literally: variables need "Version": "2012-10-17".`,
      });
      continue;
    }
    if (source.lastIndexOf("${") > source.lastIndexOf("}"))
      warnings.push({
        code: "variable-not-closed",
        message: `${printable(source)} opens a variable and does not close it.`,
      });
    for (const part of parts)
      if (isVariable(part) && !isKnownKey(part.variable))
        warnings.push({
          code: "unknown-variable",
          message: `\${${printable(part.variable)}} is no variable of AWS IoT, so that the text with it matches nothing.`,
        });
  }
  return warnings;
}

function keyWarnings(statement: Statement): PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  for (const { operator, key, values } of statement.conditions) {
    if (!isKnownKey(key))
      warnings.push({ code: "unknown-key", message: `no request of a device has the key ${printable(key)}.` });
    if (/arn/i.test(operator) && values.some(({ arn }) => arn === undefined))
      warnings.push({
        code: "arn-condition-without-arn",
        message: `${operator} on ${printable(key)} needs an ARN such as arn:aws:iot:eu-west-1:123456789012:topic/a.`,
      });
  }
  return warnings;
}

/** What belongs together and is not there. */
function gapWarnings(policy: Policy): PolicyWarning[] {
  const has = (action: PolicyAction): boolean => allowing(policy, action).length > 0;
  const warnings: PolicyWarning[] = [];
  const connect = has("iot:Connect");
  const subscribe = has("iot:Subscribe");
  const receive = has("iot:Receive");
  if (!connect && (subscribe || receive || has("iot:Publish")))
    warnings.push({
      code: "missing-connect",
      message:
        "nothing allows iot:Connect: without another policy that does, the connection is closed right after CONNECT.",
    });
  if (subscribe && !receive)
    warnings.push({
      code: "missing-receive",
      message: "iot:Subscribe is allowed and iot:Receive is not: SUBACK says yes, and no message ever comes.",
    });
  if (receive && !subscribe)
    warnings.push({
      code: "missing-subscribe",
      message: "iot:Receive is allowed and iot:Subscribe is not: the connection is closed at the first SUBSCRIBE.",
    });
  return warnings;
}

/** Requests to the shadow service whose answers cannot come. Variables are compared as they are written. */
function shadowWarnings(policy: Policy): PolicyWarning[] {
  const warnings: PolicyWarning[] = [];
  for (const { resources } of allowing(policy, "iot:Publish"))
    for (const pattern of resources) {
      const request = /^topic\/(\$aws\/things\/[^/]+\/shadow\/(?:name\/[^/]+\/)?(?:get|update|delete))$/.exec(
        plainSource(pattern),
      );
      if (request === null) continue;
      for (const answer of ["accepted", "rejected"]) {
        const topic = `${request[1]}/${answer}`;
        const lacking = [
          ...(coversText(policy, "iot:Subscribe", "topicfilter", topic)
            ? []
            : [`iot:Subscribe on topicfilter/${topic}`]),
          ...(coversText(policy, "iot:Receive", "topic", topic) ? [] : [`iot:Receive on topic/${topic}`]),
        ];
        if (lacking.length > 0)
          warnings.push({
            code: "missing-shadow-answer",
            message: `the request ${printable(request[1]!)} is allowed, but not its answer: allow ${printable(lacking.join(" and "), 400)}.`,
          });
      }
    }
  return warnings;
}

function allowing(policy: Policy, action: PolicyAction): readonly Statement[] {
  return policy.statements.filter((statement) => statement.effect === "Allow" && coversAction(statement, action));
}

function coversText(policy: Policy, action: PolicyAction, type: "topic" | "topicfilter", topic: string): boolean {
  return allowing(policy, action).some(
    ({ resources, except }) =>
      except ||
      resources.some((pattern) => {
        const text = plainSource(pattern);
        if (matchesPattern(compilePattern(text), `${type}/${topic}`)) return true;
        return type === "topicfilter" && text.startsWith("topicfilter/") && matches(text.slice(12), topic);
      }),
  );
}

function allowsShadowTopics(policy: Policy): boolean {
  return allowing(policy, "iot:Publish").some(({ resources }) =>
    resources.some((pattern) => {
      const text = plainSource(pattern);
      return text.includes("/shadow") || matchesPattern(compilePattern(text), "topic/$aws/things/x/shadow/update");
    }),
  );
}

/** Whether a client can have the id `+` as far as this policy goes. Without a word on iot:Connect, another policy may allow it. */
function mayConnectAsPlus(policy: Policy): boolean {
  if (allowing(policy, "iot:Connect").length === 0) return true;
  return evaluate([policy], { action: "iot:Connect", resource: "client/+" }, { clientId: "+", isAttached: false })
    .allowed;
}

/** Whether a resource can be one of a type: `topic/a`, `*`, `t*`. */
function canBe(pattern: ArnPattern, type: string): boolean {
  const text = plainSource(pattern);
  const wildcard = text.search(/[*?]|\$\{/);
  const fixed = wildcard < 0 ? text : text.slice(0, wildcard);
  return fixed.startsWith(`${type}/`) || (wildcard >= 0 && `${type}/`.startsWith(fixed));
}

function plainSource(pattern: { readonly resource: Template }): string {
  return pattern.resource.source;
}
