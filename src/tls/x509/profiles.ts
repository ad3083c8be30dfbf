/**
 * Profiles by name. `strict` adds to the default what RFC 5280 §4 demands of CAs and no verifier needs for its safety: what x509-limbo and
 * the CA/Browser Forum test, for who wants to know that a CA works by the book.
 *
 * Left out on purpose: what a parsed certificate does not tell any more (whether a date before 2050 is a UTCTime), and rules of the CA/Browser
 * Forum that change from year to year (lifetimes, entropy of serial numbers).
 *
 * @module
 */

import type { Certificate } from "./certificate.ts";
import type { Extension } from "./extensions.ts";
import { oids } from "./oids.ts";
import { type PathPlace, type Profile, type RuleBreach, secureProfile } from "./profile.ts";
import { isSelfIssued } from "./validate.ts";

/** Extensions that must be critical wherever they are (RFC 5280 §4.2.1.10, §4.2.1.11, §4.2.1.14). */
const alwaysCritical: readonly (readonly [oid: string, name: string, rule: string])[] = /* @__PURE__ */ Object.freeze([
  [oids.nameConstraints, "nameConstraints", "§4.2.1.10"],
  [oids.policyConstraints, "policyConstraints", "§4.2.1.11"],
  [oids.inhibitAnyPolicy, "inhibitAnyPolicy", "§4.2.1.14"],
] as const);

/** What CAs must keep when they issue (RFC 5280 §4). */
function issuingRules(certificate: Certificate, place: PathPlace): readonly RuleBreach[] {
  const { version, serialNumber, subjectAltName, authorityKeyIdentifier, notBefore, notAfter } = certificate;
  const breaches: RuleBreach[] = [];
  const demand = (isKept: boolean, field: string, rule: string, detail: string): void => {
    if (!isKept) breaches.push({ field: `tbsCertificate.${field}`, rule: `RFC 5280 ${rule}`, detail });
  };
  const critical = (oid: string): boolean => extensionOf(certificate, oid)?.critical !== false;
  demand(version === 3, "version", "§4.1.2.1", `version ${version}, not 3`);
  demand(
    // Roots of the public web have the number zero, and nothing is looked up by it.
    place === "anchor" || (serialNumber[0]! < 0x80 && serialNumber.some((octet) => octet !== 0)),
    "serialNumber",
    "§4.1.2.2",
    "a serial number that is not above zero",
  );
  demand(notBefore <= notAfter, "validity", "§4.1.2.5", "it ends before it begins");
  demand(
    isSelfIssued(certificate) || authorityKeyIdentifier?.keyIdentifier !== undefined,
    "extensions.authorityKeyIdentifier",
    "§4.2.1.1",
    "there is no keyIdentifier of the issuer",
  );
  for (const name of subjectAltName?.dns ?? [])
    demand(
      name.length <= 255 && /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name),
      "extensions.subjectAltName",
      "§4.2.1.6",
      "a dNSName that is not of letters, digits and hyphens",
    );
  for (const [oid, name, rule] of alwaysCritical)
    demand(critical(oid), `extensions.${name}`, rule, "it is not critical");
  const { basicConstraints, keyUsage } = certificate;
  demand(
    basicConstraints?.pathLength === undefined || (basicConstraints.ca && keyUsage?.includes("keyCertSign") !== false),
    "extensions.basicConstraints",
    "§4.2.1.9",
    "a pathLenConstraint of one that signs no certificates",
  );
  if (basicConstraints?.ca === true) {
    demand(critical(oids.basicConstraints), "extensions.basicConstraints", "§4.2.1.9", "it is not critical");
    demand(keyUsage !== undefined, "extensions.keyUsage", "§4.2.1.3", "a CA without it");
    demand(
      certificate.subjectKeyIdentifier !== undefined,
      "extensions.subjectKeyIdentifier",
      "§4.2.1.2",
      "a CA without it",
    );
  }
  return breaches;
}

function extensionOf({ extensions }: Certificate, oid: string): Extension | undefined {
  return extensions.find((extension) => extension.oid === oid);
}

/** The profiles by name. `secure` is the default of a verification, `strict` wants certificates and trust anchors by the book. */
export const profiles: { readonly secure: Profile; readonly strict: Profile } = /* @__PURE__ */ Object.freeze({
  secure: secureProfile,
  strict: /* @__PURE__ */ Object.freeze({ ...secureProfile, rules: issuingRules, anchors: true }),
});
