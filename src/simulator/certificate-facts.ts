/**
 * What policies may know of a client certificate, under AWS's names (AWS IoT Developer Guide, "X.509 Certificate policy variables").
 *
 * Left out on purpose: names of the issuer in issuerAltName, which the X.509 layer does not read.
 *
 * @module
 */

import type { Certificate } from "../tls/x509/certificate.ts";
import type { Name } from "../tls/x509/name.ts";
import { ipAddressText } from "../tls/x509/names.ts";
import type { CertificateNames, PolicyCertificate } from "./policy/index.ts";

/** OIDs of the attributes of a name (RFC 5280 §4.1.2.4), as AWS calls them. */
const awsNames: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  "2.5.4.3": "CommonName",
  "2.5.4.4": "Surname",
  "2.5.4.5": "SerialNumber",
  "2.5.4.6": "Country",
  "2.5.4.8": "State",
  "2.5.4.10": "Organization",
  "2.5.4.11": "OrganizationalUnit",
  "2.5.4.12": "Title",
  "2.5.4.42": "GivenName",
  "2.5.4.43": "Initials",
  "2.5.4.44": "GenerationQualifier",
  "2.5.4.46": "DistinguishedNameQualifier",
  "2.5.4.65": "Pseudonym",
});

/** The facts of a certificate; `id` is the one that AWS IoT gives it. */
export function certificateFacts(certificate: Certificate, id: string): PolicyCertificate {
  const { subject, issuer, serialNumber, subjectAltName } = certificate;
  const facts = { id, subject: namesOf(subject), issuer: namesOf(issuer), serialNumber: decimal(serialNumber) };
  if (subjectAltName === undefined) return facts;
  const { dns, ip, email, uri, directory } = subjectAltName;
  return {
    ...facts,
    subjectAlternativeName: {
      DNSName: dns,
      IPAddress: ip.map(ipAddressText),
      RFC822Name: email,
      UniformResourceIdentifier: uri,
      DirectoryName: directory.map(directoryName),
    },
  };
}

/** AWS IoT has the serial number as a whole number in decimal. */
function decimal(integer: Uint8Array): string {
  // Two's complement: the first bit says that it is negative.
  let value = (integer[0] ?? 0) < 0x80 ? 0n : -1n;
  for (const octet of integer) value = (value << 8n) | BigInt(octet);
  return value.toString();
}

/** `cn=LightBulbCert,ou=SmartHome,o=IoT,c=US`: the last one first, as AWS IoT has it. */
function directoryName({ attributes }: Name): string {
  const rdns = attributes.map((rdn) => rdn.map(({ name, value }) => `${name.toLowerCase()}=${value}`).join("+"));
  return rdns.reverse().join(",");
}

function namesOf(name: Name): CertificateNames {
  const names: Record<string, string[]> = {};
  for (const { oid, value } of name.attributes.flat()) {
    const awsName = awsNames[oid];
    if (awsName === undefined) continue;
    names[awsName] ??= [];
    names[awsName].push(value);
  }
  return names;
}
