/**
 * What a certificate says of where to look further, for people and tools: authority information access (RFC 5280 §4.2.2.1), the places of CRLs
 * (§4.2.1.13) and policies (§4.2.1.4). Read when asked for, because no verification needs it. Nothing is fetched.
 *
 * @module
 */

import { printableBytes } from "../../bytes.ts";
import type { Certificate } from "./certificate.ts";
import { DerReader } from "./der.ts";
import { distributionPoints } from "./distribution-points.ts";
import { type GeneralNames, insideExtension, readGeneralNames } from "./extensions.ts";
import { oids } from "./oids.ts";

/** One AccessDescription. */
export interface AccessDescription {
  /** The OID of `id-ad-ocsp` (1.3.6.1.5.5.7.48.1), `id-ad-caIssuers` (1.3.6.1.5.5.7.48.2), or another. */
  readonly method: string;
  /** One name, nearly always a URI. */
  readonly location: GeneralNames;
}

/** More than this are refused; real certificates have two. */
const MAX_DESCRIPTIONS = 32;

/**
 * Authority information access: where OCSP responders and certificates of issuers are. Empty where there is none.
 *
 * @throws CertificateError `X509_EXTENSION` where the extension is malformed, `X509_LIMIT` where it is too long.
 */
export function authorityInfoAccess(certificate: Pick<Certificate, "extensions">): readonly AccessDescription[] {
  const list = insideExtension(certificate.extensions, oids.authorityInfoAccess, "authorityInfoAccess");
  if (list?.empty) list.fail("", "an empty list"); // SIZE (1..MAX)
  const descriptions: AccessDescription[] = [];
  while (list !== undefined && !list.empty) {
    if (descriptions.length === MAX_DESCRIPTIONS)
      list.fail("", `more than ${MAX_DESCRIPTIONS}`, list.offset, "X509_LIMIT");
    const description = list.sequence("accessDescription");
    const method = description.oid("accessMethod");
    const at = description.offset;
    const location = readGeneralNames(description, false);
    if (Object.values(location).reduce((sum, names) => sum + names.length, 0) !== 1)
      description.fail("accessLocation", "more than one name (RFC 5280 §4.2.2.1)", at);
    descriptions.push({ method, location });
  }
  return descriptions;
}

/** The OIDs of certificatePolicies, which were found well formed when the certificate was read. Empty where there are none. */
export function certificatePolicies(certificate: Pick<Certificate, "extensions">): readonly string[] {
  const list = insideExtension(certificate.extensions, oids.certificatePolicies, "certificatePolicies");
  const policies: string[] = [];
  while (list !== undefined && !list.empty) policies.push(list.sequence("").oid("policyIdentifier"));
  return policies;
}

/**
 * The URIs of a certificate's CRL distribution points, escaped for display.
 *
 * @throws CertificateError `X509_EXTENSION` where the extension is malformed.
 */
export function crlLocations({ extensions, issuer }: Pick<Certificate, "extensions" | "issuer">): readonly string[] {
  return distributionPoints(extensions, issuer)
    .flatMap(({ names }) => names ?? [])
    .flatMap((name) => ("der" in name && name.der[0] === URI_TAG ? [uriText(name.der)] : []));
}

/** uniformResourceIdentifier of a GeneralName. */
const URI_TAG = 0x86;

function uriText(der: Uint8Array): string {
  return printableBytes(new DerReader(der, "uniformResourceIdentifier", "X509_EXTENSION").contents("", URI_TAG), 256);
}
