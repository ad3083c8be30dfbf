/**
 * A second reading of the policies, as naive as can be: no compilation, no sharing with `src`, exponential where it likes. For the subset that
 * the properties generate: wildcards, the variables below, NotResource, and three conditions.
 */

import type { StatementDocument } from "../../../src/simulator/policy/index.ts";

export interface OracleClient {
  readonly clientId: string;
  /** The thing of that name, if the certificate is attached to it. */
  readonly thing: string | undefined;
  readonly persistent?: boolean;
}

const PREFIX = "arn:aws:iot:us-east-1:123456789012:";

export function oracle(
  statements: readonly StatementDocument[],
  action: string,
  resource: string,
  client: OracleClient,
): boolean {
  const matching = statements.filter((statement) => covers(statement, action, resource, client));
  return matching.some(({ Effect }) => Effect === "Allow") && !matching.some(({ Effect }) => Effect === "Deny");
}

function covers(statement: StatementDocument, action: string, resource: string, client: OracleClient): boolean {
  if (!many(statement.Action).some((pattern) => glob([...pattern.toLowerCase()], [...action.toLowerCase()])))
    return false;
  const patterns = many(statement.Resource ?? statement.NotResource!);
  const hit = patterns.some((pattern) => fits(pattern, resource, client));
  if (statement.Resource !== undefined && !hit) return false;
  if (statement.NotResource !== undefined) {
    if (hit) return false;
    const open = patterns.some((pattern) => pattern.includes("Thing.ThingName}")) && client.thing === undefined;
    if (open && statement.Effect === "Allow") return false;
  }
  for (const [operator, keys] of Object.entries(statement.Condition ?? {}))
    for (const [, values] of Object.entries(keys))
      if (!condition(operator, many(values).map(String), client)) return false;
  return true;
}

function condition(operator: string, values: readonly string[], client: OracleClient): boolean {
  switch (operator) {
    case "Bool":
      return values.includes(String(client.thing !== undefined));
    case "StringNotLike":
      return !values.some((value) => glob([...value], [...client.clientId]));
    case "ForAllValues:StringEquals":
      return client.persistent === true ? values.includes("PersistentConnect") : true;
    default:
      throw new Error(`the oracle does not know ${operator}`);
  }
}

function fits(pattern: string, resource: string, client: OracleClient): boolean {
  if (pattern === "*") return true;
  if (!pattern.startsWith(PREFIX)) return false;
  const symbols: (string | { any: true } | { one: true })[] = [];
  for (const piece of pattern.slice(PREFIX.length).split(/(\$\{[^}]*\})/)) {
    if (piece === "$" + "{iot:ClientId}") symbols.push(...client.clientId);
    else if (piece === "$" + "{iot:Connection.Thing.ThingName}") {
      if (client.thing === undefined) return false;
      symbols.push(...client.thing);
    } else if (/^\$\{[*?$]\}$/.test(piece)) symbols.push(piece[2]!);
    else for (const c of piece) symbols.push(c === "*" ? { any: true } : c === "?" ? { one: true } : c);
  }
  return globSymbols(symbols, [...resource]);
}

function glob(pattern: readonly string[], text: readonly string[]): boolean {
  return globSymbols(
    pattern.map((c) => (c === "*" ? { any: true } : c === "?" ? { one: true } : c)),
    text,
  );
}

function globSymbols(pattern: readonly (string | { any: true } | { one: true })[], text: readonly string[]): boolean {
  if (pattern.length === 0) return text.length === 0;
  const [first, ...rest] = pattern;
  if (typeof first === "object" && "any" in first) {
    for (let i = 0; i <= text.length; i++) if (globSymbols(rest, text.slice(i))) return true;
    return false;
  }
  if (text.length === 0) return false;
  return (typeof first === "object" || first === text[0]) && globSymbols(rest, text.slice(1));
}

/** Whether a filter matches a topic (MQTT 3.1.1 §4.7), level by level. */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const [f, t] = [filter.split("/"), topic.split("/")];
  for (let i = 0; i < f.length; i++) {
    if (f[i] === "#") return true;
    if (i >= t.length) return false;
    if (f[i] !== "+" && f[i] !== t[i]) return false;
    if (i === f.length - 1 && t.length > f.length) return false;
  }
  return t.length === f.length;
}

function many<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
