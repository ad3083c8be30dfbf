/**
 * The `Condition` block of a statement: operators of IAM over the keys of `keys.ts`.
 *
 * An absent key fails a condition, except a negated one, `…IfExists`, `ForAllValues:` and `Null`. A key of several values meets an operator without
 * `ForAllValues:` or `ForAnyValue:` if one of them does; a negated one, if all of them do.
 *
 * A value with a variable that has none equals nothing; where that alone would make an Allow hold (a negated operator), it does not.
 *
 * Left out on purpose: `BinaryEquals`, since no key of AWS IoT is binary.
 *
 * @module
 */

import { parseIpAddress } from "../../tls/x509/names.ts";
import { type ArnPattern, compileArn, matchArn, readArn } from "./arn.ts";
import { type Facts, valuesOf, variableValue } from "./keys.ts";
import { compileTemplate, instantiate, type Lookup, matchesPattern, plainText, type Template } from "./pattern.ts";

/** One operator on one key. */
export interface Condition {
  /** As it was written: `ForAllValues:StringEquals`. */
  readonly operator: string;
  readonly key: string;
  readonly quantifier: "all" | "any" | undefined;
  readonly ifExists: boolean;
  readonly negated: boolean;
  readonly compare: Compare;
  readonly values: readonly ConditionValue[];
}

/** A value of the policy, and the same as an ARN where it is one. */
export interface ConditionValue {
  readonly template: Template;
  readonly arn: ArnPattern | undefined;
}

/** Whether a value of the request equals one of the policy; `undefined` where a variable has no value. */
type Compare = (actual: string, value: ConditionValue, lookup: Lookup) => boolean | undefined;

const sameText = textual((actual, wanted) => actual === wanted);
const sameLetters = textual((actual, wanted) => actual.toLowerCase() === wanted.toLowerCase());
const sameAddress = textual(isWithinRange);

const like: Compare = (actual, value, lookup) => {
  const codes = instantiate(value.template, lookup);
  return codes === undefined ? undefined : matchesPattern(codes, actual);
};

const likeArn: Compare = (actual, value, lookup) => {
  const arn = readArn(actual);
  if (arn === undefined || value.arn === undefined) return false;
  const match = matchArn(value.arn, arn, lookup);
  return match === "unresolved" ? undefined : match === "yes";
};

/** Operators without prefix and suffix, in lower case: IAM does not look at their case. */
const OPERATORS: ReadonlyMap<string, { readonly compare: Compare; readonly negated: boolean }> = new Map([
  ["stringequals", { compare: sameText, negated: false }],
  ["stringnotequals", { compare: sameText, negated: true }],
  ["stringequalsignorecase", { compare: sameLetters, negated: false }],
  ["stringnotequalsignorecase", { compare: sameLetters, negated: true }],
  ["stringlike", { compare: like, negated: false }],
  ["stringnotlike", { compare: like, negated: true }],
  ["arnequals", { compare: likeArn, negated: false }],
  ["arnlike", { compare: likeArn, negated: false }],
  ["arnnotequals", { compare: likeArn, negated: true }],
  ["arnnotlike", { compare: likeArn, negated: true }],
  ["bool", { compare: sameLetters, negated: false }],
  ["ipaddress", { compare: sameAddress, negated: false }],
  ["notipaddress", { compare: sameAddress, negated: true }],
  ["numericequals", { compare: ordered(readNumber, (a, b) => a === b), negated: false }],
  ["numericnotequals", { compare: ordered(readNumber, (a, b) => a === b), negated: true }],
  ["numericlessthan", { compare: ordered(readNumber, (a, b) => a < b), negated: false }],
  ["numericlessthanequals", { compare: ordered(readNumber, (a, b) => a <= b), negated: false }],
  ["numericgreaterthan", { compare: ordered(readNumber, (a, b) => a > b), negated: false }],
  ["numericgreaterthanequals", { compare: ordered(readNumber, (a, b) => a >= b), negated: false }],
  ["dateequals", { compare: ordered(readDate, (a, b) => a === b), negated: false }],
  ["datenotequals", { compare: ordered(readDate, (a, b) => a === b), negated: true }],
  ["datelessthan", { compare: ordered(readDate, (a, b) => a < b), negated: false }],
  ["datelessthanequals", { compare: ordered(readDate, (a, b) => a <= b), negated: false }],
  ["dategreaterthan", { compare: ordered(readDate, (a, b) => a > b), negated: false }],
  ["dategreaterthanequals", { compare: ordered(readDate, (a, b) => a >= b), negated: false }],
  ["null", { compare: sameText, negated: false }],
]);

const OPERATOR = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** Reads one operator with one key; `undefined` for an operator that IAM does not have. */
export function compileCondition(
  operator: string,
  key: string,
  values: readonly string[],
  variables: boolean,
): Condition | undefined {
  const match = OPERATOR.exec(operator.toLowerCase());
  const row = match === null ? undefined : OPERATORS.get(match[2]!);
  if (match === null || row === undefined) return undefined;
  const ifExists = match[3] !== undefined;
  if (match[2] === "null" && (ifExists || match[1] !== undefined)) return undefined;
  return {
    operator,
    key,
    quantifier: match[1] === undefined ? undefined : match[1] === "forallvalues" ? "all" : "any",
    ifExists,
    ...row,
    values: values.map((value) => ({
      template: compileTemplate(value, variables),
      arn: compileArn(value, variables),
    })),
  };
}

/** Whether a condition holds for a statement of this effect. */
export function holds(condition: Condition, facts: Facts, effect: "Allow" | "Deny"): boolean {
  const { quantifier, negated } = condition;
  const actual = valuesOf(condition.key, facts);
  if (condition.operator.toLowerCase() === "null")
    return equalsOne(condition, String(actual.length === 0), facts, effect);
  if (actual.length === 0) return condition.ifExists || quantifier === "all" || (quantifier === undefined && negated);
  const meets = (value: string): boolean => equalsOne(condition, value, facts, effect) !== negated;
  const all = quantifier === "all" || (quantifier === undefined && negated);
  return all ? actual.every(meets) : actual.some(meets);
}

function equalsOne(condition: Condition, actual: string, facts: Facts, effect: "Allow" | "Deny"): boolean {
  const lookup: Lookup = (variable) => variableValue(variable, facts);
  return condition.values.some(
    (value) => condition.compare(actual, value, lookup) ?? (effect === "Allow" && condition.negated),
  );
}

function textual(equal: (actual: string, wanted: string) => boolean): Compare {
  return (actual, value, lookup) => {
    const codes = instantiate(value.template, lookup);
    return codes === undefined ? undefined : equal(actual, plainText(codes));
  };
}

function ordered(read: (text: string) => number, compare: (actual: number, wanted: number) => boolean): Compare {
  return textual((actual, wanted) => compare(read(actual), read(wanted)));
}

// NaN for what is not a number: every comparison with it is false.
function readNumber(text: string): number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

// Seconds since 1970, or ISO 8601.
function readDate(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function isWithinRange(actual: string, range: string): boolean {
  const [base, length, ...rest] = range.split("/");
  const address = parseIpAddress(actual);
  const network = parseIpAddress(base!);
  if (address === undefined || network === undefined || address.length !== network.length || rest.length > 0)
    return false;
  const bits = length === undefined ? network.length * 8 : readNumber(length);
  if (!(Number.isInteger(bits) && bits >= 0 && bits <= network.length * 8)) return false;
  for (let i = 0; i < bits; i++) {
    const mask = 0x80 >> (i & 7);
    if (((address[i >> 3]! ^ network[i >> 3]!) & mask) !== 0) return false;
  }
  return true;
}
