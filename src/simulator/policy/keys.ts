/**
 * What is known of a request under the names that policies use: as `${variables}` in resources and values, and as keys of conditions.
 *
 * Names have no case, except what stands in `Attributes[…]`. Sources: AWS IoT Developer Guide, "Basic policy variables", "Thing policy
 * variables", "X.509 Certificate policy variables" and its limitations, "Using connectAttributes".
 *
 * Left out on purpose: `iot:Certificate.AvailableKeys`, the keys of domains and VPCs, tags, everything about the caller of an HTTP API; and the
 * backslashes that AWS wants before `,` `"` `=` `<` `>` `;` of a certificate's value: values are compared as they are.
 *
 * @module
 */

import { type Arn, arnText } from "./arn.ts";
import type { CertificateNames, OneOrMany, PolicyContext } from "./policy.ts";

/** Values of one name of a certificate that are looked at; AWS ignores more. */
const MAX_CERTIFICATE_VALUES = 5;
/** Longer values of a certificate are not substituted. */
const MAX_CERTIFICATE_VALUE_CHARACTERS = 1024;

/** A context with the region and account that are asked, which the ARN of a will's topic needs. */
export interface Facts {
  readonly context: PolicyContext;
  readonly region: string | undefined;
  readonly accountId: string | undefined;
}

const BASIC: readonly string[] = [
  "aws:sourceip",
  "aws:currenttime",
  "aws:epochtime",
  "iot:clientid",
  "iot:certificateid",
  "iot:connectattributes",
  "iot:lastwilltopic",
  "iot:connection.thing.thingname",
  "iot:connection.thing.thingtypename",
  "iot:connection.thing.isattached",
  "iot:certificate.serialnumber",
];

const CERTIFICATE_NAME =
  /^iot:certificate\.(?:(subject|issuer)\.(distinguishednamequalifier|country|organization|organizationalunit|state|commonname|serialnumber|title|surname|givenname|initials|pseudonym|generationqualifier)|(subject|issuer)\.alternativename\.(rfc822name|dnsname|directoryname|uniformresourceidentifier|ipaddress))(\.list|\.\d)?$/;

const ATTRIBUTE = /^iot:connection\.thing\.attributes\[(.+)\]$/i;

/** Whether AWS IoT documents a key of this name for devices. */
export function isKnownKey(key: string): boolean {
  const name = key.toLowerCase();
  return BASIC.includes(name) || CERTIFICATE_NAME.test(name) || ATTRIBUTE.test(key);
}

/** Whether a key is one of a thing, so that it has values only where the certificate is attached to the thing. */
export function isThingKey(key: string): boolean {
  return /^iot:connection\.thing\.(?!isattached)/i.test(key);
}

/** The values of a condition key. None where it is not part of the request. */
export function valuesOf(key: string, facts: Facts): readonly string[] {
  const { context } = facts;
  const { thing, certificate, connect, nowMs } = context;
  const name = key.toLowerCase();
  switch (name) {
    case "iot:clientid":
      return [context.clientId];
    case "aws:sourceip":
      return list(context.sourceIp);
    case "aws:currenttime":
      return nowMs === undefined ? [] : [new Date(nowMs).toISOString()];
    case "aws:epochtime":
      return nowMs === undefined ? [] : [String(Math.floor(nowMs / 1000))];
    case "iot:connection.thing.isattached":
      return [String(context.isAttached)];
    case "iot:connection.thing.thingname":
      return list(thing?.name);
    case "iot:connection.thing.thingtypename":
      return list(thing?.typeName);
    case "iot:connectattributes":
      if (connect === undefined) return [];
      return [
        ...(connect.persistent ? ["PersistentConnect"] : []),
        ...(connect.willTopic === undefined ? [] : ["LastWill"]),
      ];
    case "iot:lastwilltopic":
      return connect?.willTopic === undefined ? [] : [willArn(facts, connect.willTopic)];
    case "iot:certificateid":
      return list(certificate?.id);
    case "iot:certificate.serialnumber":
      return usable(list(certificate?.serialNumber));
  }
  const attribute = ATTRIBUTE.exec(key);
  if (attribute !== null) return list(own(thing?.attributes, attribute[1]!));
  return certificateValues(name, context);
}

/** What a variable stands for: the first value of its key. `undefined` where there is none. */
export function variableValue(variable: string, facts: Facts): string | undefined {
  return valuesOf(variable, facts)[0];
}

function certificateValues(name: string, context: PolicyContext): readonly string[] {
  const match = CERTIFICATE_NAME.exec(name);
  const certificate = context.certificate;
  if (match === null || certificate === undefined) return [];
  const [, holder, attribute, altHolder, altAttribute, selector] = match;
  const names = holder === undefined ? alternativeNames(certificate, altHolder!) : certificate[holder as "subject"];
  const values = list(caseless(names, attribute ?? altAttribute!)).slice(0, MAX_CERTIFICATE_VALUES);
  if (selector === ".list") return usable(values);
  // `.1` is the second value, as AWS counts.
  const index = selector === undefined ? 0 : Number(selector.slice(1));
  return usable(values.slice(index, index + 1));
}

function alternativeNames(certificate: NonNullable<PolicyContext["certificate"]>, holder: string) {
  return holder === "subject" ? certificate.subjectAlternativeName : certificate.issuerAlternativeName;
}

// A value with a wildcard in it would match more than its certificate says, so AWS does not put it in.
function usable(values: readonly string[]): readonly string[] {
  return values.filter((value) => value.length <= MAX_CERTIFICATE_VALUE_CHARACTERS && !/[*$+?#]/.test(value));
}

function willArn(facts: Facts, topic: string): string {
  const arn: Arn = { region: facts.region, accountId: facts.accountId, resource: `topic/${topic}` };
  return arnText(arn);
}

function list(value: OneOrMany<string> | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

function caseless(names: CertificateNames | undefined, lowerCase: string): OneOrMany<string> | undefined {
  if (names === undefined) return undefined;
  for (const key of Object.keys(names)) if (key.toLowerCase() === lowerCase) return names[key];
  return undefined;
}
