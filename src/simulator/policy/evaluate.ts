/**
 * Judges a request by policies: denied unless a statement allows it and none denies it.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { holds } from "./conditions.ts";
import { nearestMiss } from "./explain.ts";
import type { Facts } from "./keys.ts";
import type { Policy, PolicyContext, PolicyDecision, PolicyRequest, Statement } from "./policy.ts";
import { coversAction, coversResource, titled } from "./statement.ts";

/**
 * Whether policies allow a request, and why. All policies count as one: a Deny in any of them wins.
 *
 * Takes at most as many steps as the characters of the policies times those of the resource.
 *
 * @example
 * evaluate([policy], { action: "iot:Publish", resource: "topic/a" }, { clientId: "lamp", isAttached: false }).explanation;
 * // "denied: no statement allows iot:Publish on topic/a"
 */
export function evaluate(policies: readonly Policy[], request: PolicyRequest, context: PolicyContext): PolicyDecision {
  const facts: Facts = { context, region: request.region, accountId: request.accountId };
  let allowed: PolicyDecision | undefined;
  for (const policy of policies)
    for (const statement of policy.statements) {
      if (statement.effect === "Allow" && allowed !== undefined) continue;
      if (!applies(statement, request, facts)) continue;
      const by = { policy: policy.name, statement: statement.number };
      const what = `${request.action} on ${printable(request.resource)}`;
      if (statement.effect === "Deny")
        return { allowed: false, explanation: `denied: ${titled(policy, statement)} denies ${what} explicitly`, by };
      allowed = { allowed: true, explanation: `allowed: ${titled(policy, statement)} allows ${what}`, by };
    }
  return allowed ?? { allowed: false, explanation: `denied: ${nearestMiss(policies, request, facts)}` };
}

function applies(statement: Statement, request: PolicyRequest, facts: Facts): boolean {
  return (
    coversAction(statement, request.action) &&
    coversResource(statement, request, facts) &&
    statement.conditions.every((condition) => holds(condition, facts, statement.effect))
  );
}
