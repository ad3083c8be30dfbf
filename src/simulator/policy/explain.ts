/**
 * Says why nothing allows a request: which Allow statement comes nearest, and what it lacks.
 *
 * A miss is only called near where repairing one thing, the one that is named, would let the statement cover the resource.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { matches } from "../../mqtt/topic.ts";
import type { ArnPattern } from "./arn.ts";
import { type Condition, holds } from "./conditions.ts";
import { type Facts, isThingKey, valuesOf, variableValue } from "./keys.ts";
import { ANY, type Codes, instantiate, isVariable, matchesPattern, ONE, plainText } from "./pattern.ts";
import type { Policy, PolicyRequest, Statement } from "./policy.ts";
import { coversAction, coversResource, resourceMatches, titled } from "./statement.ts";

/** What a statement lacks. The smaller the distance, the more likely it is what its author meant. */
interface Miss {
  readonly distance: number;
  readonly reason: string;
}

/** `no statement allows iot:Publish on topic/a`, and the nearest miss behind it where there is one. */
export function nearestMiss(policies: readonly Policy[], request: PolicyRequest, facts: Facts): string {
  if (policies.length === 0) return "no policy is attached to the certificate";
  let nearest: Miss | undefined;
  for (const policy of policies)
    for (const statement of policy.statements) {
      if (statement.effect === "Deny") continue;
      const miss = missOf(statement, request, facts);
      if (miss === undefined || (nearest !== undefined && nearest.distance <= miss.distance)) continue;
      nearest = { distance: miss.distance, reason: `${titled(policy, statement)} would, but ${miss.reason}` };
    }
  const all = `no statement allows ${request.action} on ${printable(request.resource)}`;
  return nearest === undefined ? all : `${all}; ${nearest.reason}`;
}

function missOf(statement: Statement, request: PolicyRequest, facts: Facts): Miss | undefined {
  const failed = statement.conditions.find((condition) => !holds(condition, facts, "Allow"));
  const unmet = failed === undefined ? "" : conditionReason(failed, facts);
  const andUnmet = failed === undefined ? "" : `, and ${unmet}`;
  if (!coversAction(statement, request.action)) {
    if (!coversResource(statement, request, facts)) return undefined;
    const actions = statement.actions.map(({ source }) => source).join(", ");
    return { distance: 9, reason: `it is about ${printable(actions)}, not ${request.action}${andUnmet}` };
  }
  if (coversResource(statement, request, facts)) return { distance: 0, reason: unmet };
  const miss = statement.except ? exceptionMiss(statement, request, facts) : resourceMiss(statement, request, facts);
  return miss && { ...miss, reason: miss.reason + andUnmet };
}

function exceptionMiss(statement: Statement, request: PolicyRequest, facts: Facts): Miss {
  const found = resourceMatches(statement, request, facts);
  const yes = found.indexOf("yes");
  if (yes >= 0) return { distance: 1, reason: `its NotResource excepts ${shown(statement.resources[yes]!)}` };
  return { distance: 5, reason: unresolvedReason(statement.resources[found.indexOf("unresolved")]!, facts) };
}

function resourceMiss(statement: Statement, request: PolicyRequest, facts: Facts): Miss | undefined {
  let nearest: Miss | undefined;
  for (const [i, found] of resourceMatches(statement, request, facts).entries()) {
    const pattern = statement.resources[i]!;
    const miss =
      found === "region" || found === "account"
        ? placeMiss(pattern, request, found)
        : patternMiss(pattern, request, facts);
    if (miss !== undefined && (nearest === undefined || miss.distance < nearest.distance)) nearest = miss;
  }
  return nearest;
}

function placeMiss(pattern: ArnPattern, request: PolicyRequest, found: "region" | "account"): Miss {
  const wanted = found === "region" ? request.region : request.accountId;
  const named = plainText(found === "region" ? pattern.region : pattern.accountId);
  return {
    distance: 1,
    reason: `its resource is in the ${found} ${printable(named)}, and this is ${printable(wanted ?? "")}`,
  };
}

/** Tries the common mistakes one after the other on the part of the resource behind region and account. */
function patternMiss(pattern: ArnPattern, request: PolicyRequest, facts: Facts): Miss | undefined {
  const { action, resource } = request;
  const codes = instantiate(pattern.resource, (variable) => variableValue(variable, facts));
  if (codes === undefined) {
    return matchesPattern(withAny(pattern, facts), resource)
      ? { distance: 5, reason: unresolvedReason(pattern, facts) }
      : undefined;
  }
  const literal = literalWildcard(codes, resource);
  if (literal !== undefined) return { distance: 2, reason: `\`${literal}\` is a literal in a resource` };
  const lower = codes.map((code) => (code < 0 ? code : String.fromCharCode(code).toLowerCase().charCodeAt(0)));
  if (matchesPattern(lower, resource.toLowerCase()))
    return { distance: 3, reason: `upper and lower case differ: it names ${shown(pattern)}` };
  const type = typeOf(plainText(codes));
  const asked = typeOf(resource);
  if (type !== asked && type !== "*" && matchesPattern(codes.slice(type.length), resource.slice(asked.length)))
    return { distance: 6, reason: `it names ${type}/…, and ${action} is asked for ${asked}/…` };
  if (matchesPattern([...codes, SLASH, ANY], resource))
    return { distance: 7, reason: `it names ${shown(pattern)} only; what is below needs /* at the end` };
  return undefined;
}

const SLASH = 0x2f;

/** The MQTT wildcard that would make a pattern cover a resource, if it were one. */
function literalWildcard(codes: Codes, resource: string): "+" | "#" | undefined {
  const text = plainText(codes);
  const plus = text.includes("+");
  if (!plus && !text.includes("#")) return undefined;
  // With wildcards of policies in it, the pattern is no filter: then what MQTT's would match is taken a little too wide.
  const covers =
    codes.includes(ANY) || codes.includes(ONE)
      ? matchesPattern(
          codes.map((code) => (code === 0x2b || code === 0x23 ? ANY : code)),
          resource,
        )
      : matches(text, resource, false);
  return covers ? (plus ? "+" : "#") : undefined;
}

/** A pattern in which the variables without a value match anything. */
function withAny(pattern: ArnPattern, facts: Facts): Codes {
  const codes: number[] = [];
  for (const part of pattern.resource.parts) {
    const value = isVariable(part) ? variableValue(part.variable, facts) : part;
    if (value === undefined) codes.push(ANY);
    else if (typeof value === "string") for (let i = 0; i < value.length; i++) codes.push(value.charCodeAt(i));
    else for (const code of value) codes.push(code);
  }
  return codes;
}

function unresolvedReason(pattern: ArnPattern, facts: Facts): string {
  for (const part of pattern.resource.parts)
    if (isVariable(part) && variableValue(part.variable, facts) === undefined) {
      const name = `\${${printable(part.variable)}} has no value`;
      return isThingKey(part.variable) ? `${name}${notAttached(facts)}` : name;
    }
  return "a variable has no value";
}

function notAttached({ context }: Facts): string {
  return context.thing === undefined
    ? `: the certificate is not attached to a thing of the name ${printable(context.clientId)}, which is the client id`
    : ` for the thing ${printable(context.thing.name)}`;
}

function conditionReason(condition: Condition, facts: Facts): string {
  const wanted = condition.values.map(({ template }) => template.source).join(", ") || "(no value)";
  const values = valuesOf(condition.key, facts);
  const actual =
    values.length > 0 ? `it is ${values.map((value) => printable(value)).join(", ")}` : "the request has none";
  const why = values.length === 0 && isThingKey(condition.key) ? notAttached(facts) : "";
  return `its condition ${condition.operator} ${printable(condition.key)} ${printable(wanted)} does not hold: ${actual}${why}`;
}

function typeOf(resource: string): string {
  const slash = resource.indexOf("/");
  return slash < 0 ? resource : resource.slice(0, slash);
}

function shown(pattern: ArnPattern): string {
  return printable(pattern.resource.source);
}
