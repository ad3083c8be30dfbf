/**
 * Reads policy documents, and refuses what AWS IoT refuses with `MalformedPolicyException`, naming the place.
 *
 * `NotAction`, `Principal` and `NotPrincipal` are elements of IAM that AWS IoT policies do not have.
 *
 * @module
 */

import { printable, utf8Encode } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { decodeJson, encodeJson, isArray, isObject, type Json, type JsonObject, member } from "../../shadow/json.ts";
import { type ArnPattern, compileArn } from "./arn.ts";
import { type Condition, compileCondition } from "./conditions.ts";
import { type Codes, compilePattern } from "./pattern.ts";
import type { Policy, PolicyDocument, Statement } from "./policy.ts";

/** Characters of a document, white space not counted (AWS General Reference, quotas of AWS IoT Core). */
const MAX_CHARACTERS = 2048;

/**
 * Reads a policy: JSON text, or the document as an object.
 *
 * Errors: `USAGE_INVALID_ARGUMENT` with the place and reason, and `data.exception` as AWS calls it.
 *
 * @example
 * const policy = parsePolicy("lamp", { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "iot:Connect", Resource: "*" } });
 */
export function parsePolicy(name: string, document: unknown): Policy {
  if (!/^[\w+=,.@-]{1,128}$/.test(name))
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `the policy name ${printable(name)} is not 1 to 128 of A-Z a-z 0-9 _+=,.@-`,
    );
  const json = readDocument(name, document);
  const fail = (place: string, reason: string) => malformed(name, place, reason);
  if (!isObject(json)) throw fail("document", "is not a JSON object");
  onlyMembers(json, ["Version", "Id", "Statement"], "document", fail);
  const version = member(json, "Version");
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17")
    throw fail("Version", 'is neither "2012-10-17" nor "2008-10-17"');
  const id = member(json, "Id");
  if (id !== undefined && typeof id !== "string") throw fail("Id", "is not a text");
  const characters = JSON.stringify(json).replace(/\s/g, "").length;
  if (characters > MAX_CHARACTERS)
    throw fail("document", `has ${characters} characters besides white space; AWS IoT stores ${MAX_CHARACTERS}`);
  const statements = member(json, "Statement");
  if (statements === undefined) throw fail("Statement", "is missing");
  const list = isArray(statements) ? statements : [statements];
  if (list.length === 0) throw fail("Statement", "is empty");
  const sids = new Set<string>();
  return {
    name,
    document: json as unknown as PolicyDocument,
    statements: list.map((statement, i) => {
      const place = isArray(statements) ? `Statement[${i}]` : "Statement";
      return readStatement(statement, i + 1, version === "2012-10-17", sids, place, fail);
    }),
  };
}

type Fail = (place: string, reason: string) => UsageError;

function readStatement(
  json: Json,
  number: number,
  variables: boolean,
  sids: Set<string>,
  place: string,
  fail: Fail,
): Statement {
  if (!isObject(json)) throw fail(place, "is not a JSON object");
  for (const name of ["NotAction", "Principal", "NotPrincipal"])
    if (member(json, name) !== undefined) throw fail(`${place}.${name}`, "is not an element of AWS IoT policies");
  onlyMembers(json, ["Sid", "Effect", "Action", "Resource", "NotResource", "Condition"], place, fail);
  const sid = member(json, "Sid");
  if (sid !== undefined && (typeof sid !== "string" || !/^[A-Za-z0-9]*$/.test(sid)))
    throw fail(`${place}.Sid`, "is not a text of letters and digits");
  if (typeof sid === "string" && sids.size === sids.add(sid).size)
    throw fail(`${place}.Sid`, "is that of another statement");
  const effect = member(json, "Effect");
  if (effect !== "Allow" && effect !== "Deny") throw fail(`${place}.Effect`, 'is neither "Allow" nor "Deny"');
  const included = member(json, "Resource");
  const excluded = member(json, "NotResource");
  if ((included === undefined) === (excluded === undefined))
    throw fail(
      place,
      included === undefined ? "has no Resource and no NotResource" : "has both Resource and NotResource",
    );
  const resourcePlace = `${place}.${included === undefined ? "NotResource" : "Resource"}`;
  return {
    number,
    sid,
    effect,
    actions: texts(member(json, "Action"), `${place}.Action`, fail).map((item) => readAction(item, fail)),
    resources: texts(included ?? excluded, resourcePlace, fail).map((item) => readResource(item, variables, fail)),
    except: included === undefined,
    conditions: readConditions(member(json, "Condition"), variables, `${place}.Condition`, fail),
  };
}

function readAction({ text, place }: Item, fail: Fail): { source: string; codes: Codes } {
  if (text !== "*" && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(text))
    throw fail(place, `${printable(text)} is not an action: write iot:Publish, iot:* or *`);
  return { source: text, codes: compilePattern(text.toLowerCase()) };
}

function readResource({ text, place }: Item, variables: boolean, fail: Fail): ArnPattern {
  const arn = compileArn(text, variables);
  if (arn === undefined)
    throw fail(place, `${printable(text)} is neither * nor an ARN such as arn:aws:iot:eu-west-1:123456789012:topic/a`);
  return arn;
}

function readConditions(json: Json | undefined, variables: boolean, place: string, fail: Fail): Condition[] {
  const conditions: Condition[] = [];
  if (json === undefined) return conditions;
  if (!isObject(json)) throw fail(place, "is not a JSON object");
  for (const operator of Object.keys(json)) {
    const keys = json[operator]!;
    if (!isObject(keys)) throw fail(`${place}.${printable(operator)}`, "is not a JSON object of keys and values");
    for (const key of Object.keys(keys)) {
      const here = `${place}.${printable(operator)}.${printable(key)}`;
      const values = texts(keys[key], here, fail, true).map(({ text }) => text);
      const condition = compileCondition(operator, key, values, variables);
      if (condition === undefined) throw fail(`${place}.${printable(operator)}`, "is not an operator of policies");
      conditions.push(condition);
    }
  }
  return conditions;
}

interface Item {
  readonly text: string;
  readonly place: string;
}

// One text or a list of them. Conditions may also have numbers and booleans, and nothing at all, which no value equals.
function texts(json: Json | undefined, place: string, fail: Fail, isCondition = false): readonly Item[] {
  if (json === undefined) throw fail(place, "is missing");
  const items = isArray(json) ? json : [json];
  if (items.length === 0 && !isCondition) throw fail(place, "is empty");
  return items.map((item, i) => {
    const here = isArray(json) ? `${place}[${i}]` : place;
    const isText = typeof item === "string" || (isCondition && (typeof item === "number" || typeof item === "boolean"));
    if (!isText) throw fail(here, "is not a text");
    return { text: String(item), place: here };
  });
}

function onlyMembers(json: JsonObject, names: readonly string[], place: string, fail: Fail): void {
  for (const key of Object.keys(json)) {
    if (names.includes(key)) continue;
    const meant = names.find((name) => name.toLowerCase() === key.toLowerCase());
    throw fail(
      place,
      `has the unknown member ${printable(key)}${meant === undefined ? "" : `; it is written ${meant}`}`,
    );
  }
}

function readDocument(name: string, document: unknown): Json {
  let bytes: Uint8Array;
  try {
    bytes = typeof document === "string" ? utf8Encode(document) : encodeJson(document as Json);
  } catch {
    throw malformed(name, "document", "is not JSON");
  }
  const decoded = decodeJson(bytes);
  if (decoded.problem !== undefined)
    throw malformed(name, "document", decoded.problem === "nesting" ? "is nested too deep" : "is not JSON");
  return decoded.value;
}

function malformed(policy: string, place: string, reason: string): UsageError {
  return new UsageError("USAGE_INVALID_ARGUMENT", `policy ${policy} is malformed: ${place} ${reason}`, {
    exception: "MalformedPolicyException",
    place,
  });
}
