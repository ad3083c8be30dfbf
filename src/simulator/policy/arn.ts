/**
 * Amazon Resource Names of AWS IoT, `arn:aws:iot:REGION:ACCOUNT:TYPE/NAME`, as patterns in policies and as what they are held against.
 *
 * A wildcard does not reach over a colon of the first five; in the last part it matches all characters, `/` and `:` too.
 *
 * @module
 */

import {
  type Codes,
  compilePattern,
  compileTemplate,
  instantiate,
  type Lookup,
  matchesPattern,
  type Template,
} from "./pattern.ts";

/** A resource. A region or account that is absent is not looked at. */
export interface Arn {
  readonly region: string | undefined;
  readonly accountId: string | undefined;
  /** `topic/a/b` */
  readonly resource: string;
}

/** A resource as a policy names it. */
export interface ArnPattern {
  /** As it was written. */
  readonly source: string;
  readonly region: Codes;
  readonly accountId: Codes;
  readonly resource: Template;
}

/** Reads `*` or an ARN of AWS IoT; `undefined` for any other text. */
export function compileArn(source: string, variables: boolean): ArnPattern | undefined {
  const parts = source === "*" ? ["arn", "aws", "iot", "*", "*", "*"] : arnParts(source);
  if (parts === undefined || parts[0] !== "arn" || !/^(aws(-[a-z-]+)?|\*)$/.test(parts[1]!)) return undefined;
  if (parts[2] !== "iot" && parts[2] !== "*") return undefined;
  return {
    source,
    region: compilePattern(parts[3]!),
    accountId: compilePattern(parts[4]!),
    resource: compileTemplate(parts[5]!, variables),
  };
}

/** Reads an ARN without wildcards; an empty region or account is not looked at. */
export function readArn(text: string): Arn | undefined {
  const parts = arnParts(text);
  if (parts === undefined || parts[0] !== "arn") return undefined;
  return { region: parts[3] || undefined, accountId: parts[4] || undefined, resource: parts[5]! };
}

/** An ARN as text, with nothing where region or account are not known. */
export function arnText(arn: Arn): string {
  return `arn:aws:iot:${arn.region ?? ""}:${arn.accountId ?? ""}:${arn.resource}`;
}

/** The result of {@link matchArn}: `unresolved` where a variable has no value. */
export type ArnMatch = "yes" | "no" | "region" | "account" | "unresolved";

/** Whether a pattern covers a resource, and if not, what differs. The resource itself is looked at first. */
export function matchArn(pattern: ArnPattern, arn: Arn, lookup: Lookup): ArnMatch {
  const codes = instantiate(pattern.resource, lookup);
  if (codes === undefined) return "unresolved";
  if (!matchesPattern(codes, arn.resource)) return "no";
  if (arn.region !== undefined && !matchesPattern(pattern.region, arn.region)) return "region";
  if (arn.accountId !== undefined && !matchesPattern(pattern.accountId, arn.accountId)) return "account";
  return "yes";
}

// A `*` in the place of the last part that is there stands for all that is missing: `arn:aws:iot:*`.
function arnParts(text: string): string[] | undefined {
  const parts: string[] = [];
  let from = 0;
  while (parts.length < 5) {
    const colon = text.indexOf(":", from);
    if (colon < 0) break;
    parts.push(text.slice(from, colon));
    from = colon + 1;
  }
  parts.push(text.slice(from));
  if (parts.length < 6 && parts[parts.length - 1] !== "*") return undefined;
  while (parts.length < 6) parts.push("*");
  return parts;
}
