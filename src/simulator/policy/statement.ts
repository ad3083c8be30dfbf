/**
 * One statement of a policy against one request: its name in explanations, and whether its action and resource cover the request.
 *
 * Where a variable has no value, fail closed: a resource with it matches nothing; under `NotResource` an Allow then does not apply, and a Deny does.
 *
 * @module
 */

import { type ArnMatch, matchArn } from "./arn.ts";
import { type Facts, variableValue } from "./keys.ts";
import { matchesPattern } from "./pattern.ts";
import type { Policy, PolicyRequest, Statement } from "./policy.ts";

/** `statement 2 of policy p`, as explanations name it. */
export function titled(policy: Policy, statement: Statement): string {
  const sid = statement.sid ? ` (${statement.sid})` : "";
  return `statement ${statement.number}${sid} of policy ${policy.name}`;
}

/** Whether a statement is about an action. */
export function coversAction(statement: Statement, action: string): boolean {
  const name = action.toLowerCase();
  return statement.actions.some(({ codes }) => matchesPattern(codes, name));
}

/** Whether a statement is about a resource. */
export function coversResource(statement: Statement, request: PolicyRequest, facts: Facts): boolean {
  const matches = resourceMatches(statement, request, facts);
  if (!statement.except) return matches.includes("yes");
  if (statement.effect === "Allow" && matches.includes("unresolved")) return false;
  return !matches.includes("yes");
}

/** How each resource of a statement compares with the request's. */
export function resourceMatches(statement: Statement, request: PolicyRequest, facts: Facts): readonly ArnMatch[] {
  const arn = { region: request.region, accountId: request.accountId, resource: request.resource };
  return statement.resources.map((pattern) => matchArn(pattern, arn, (variable) => variableValue(variable, facts)));
}
