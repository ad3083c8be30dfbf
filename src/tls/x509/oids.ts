/**
 * The object identifiers that certificates and keys use, by the names of their standards, and the short names that people know.
 *
 * @module
 */

/** RFC 5280, RFC 8017, RFC 5758, RFC 5480, RFC 8410, RFC 2985. Those of encrypted keys stand in `encryption-oids.ts`. */
export const oids = {
  rsaEncryption: "1.2.840.113549.1.1.1",
  "id-mgf1": "1.2.840.113549.1.1.8",
  "id-RSASSA-PSS": "1.2.840.113549.1.1.10",
  md5WithRSAEncryption: "1.2.840.113549.1.1.4",
  sha1WithRSAEncryption: "1.2.840.113549.1.1.5",
  sha256WithRSAEncryption: "1.2.840.113549.1.1.11",
  sha384WithRSAEncryption: "1.2.840.113549.1.1.12",
  sha512WithRSAEncryption: "1.2.840.113549.1.1.13",
  "id-ecPublicKey": "1.2.840.10045.2.1",
  secp256r1: "1.2.840.10045.3.1.7",
  secp384r1: "1.3.132.0.34",
  secp521r1: "1.3.132.0.35",
  "ecdsa-with-SHA1": "1.2.840.10045.4.1",
  "ecdsa-with-SHA256": "1.2.840.10045.4.3.2",
  "ecdsa-with-SHA384": "1.2.840.10045.4.3.3",
  "ecdsa-with-SHA512": "1.2.840.10045.4.3.4",
  "id-dsa": "1.2.840.10040.4.1",
  "id-Ed25519": "1.3.101.112",
  "id-Ed448": "1.3.101.113",
  "id-sha1": "1.3.14.3.2.26",
  "id-sha256": "2.16.840.1.101.3.4.2.1",
  "id-sha384": "2.16.840.1.101.3.4.2.2",
  "id-sha512": "2.16.840.1.101.3.4.2.3",

  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  issuerAltName: "2.5.29.18",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  cRLDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  policyConstraints: "2.5.29.36",
  inhibitAnyPolicy: "2.5.29.54",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
  tlsFeature: "1.3.6.1.5.5.7.1.24",
  cRLNumber: "2.5.29.20",
  cRLReasons: "2.5.29.21",
  invalidityDate: "2.5.29.24",
  deltaCRLIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  certificateIssuer: "2.5.29.29",
  freshestCRL: "2.5.29.46",
  "id-pkix-ocsp-basic": "1.3.6.1.5.5.7.48.1.1",
  "id-pkix-ocsp-nonce": "1.3.6.1.5.5.7.48.1.2",
  "id-pkix-ocsp-nocheck": "1.3.6.1.5.5.7.48.1.5",

  anyExtendedKeyUsage: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  "id-ad-ocsp": "1.3.6.1.5.5.7.48.1",
  "id-ad-caIssuers": "1.3.6.1.5.5.7.48.2",
  OCSPSigning: "1.3.6.1.5.5.7.3.9",

  commonName: "2.5.4.3",
  serialNumber: "2.5.4.5",
  countryName: "2.5.4.6",
  localityName: "2.5.4.7",
  stateOrProvinceName: "2.5.4.8",
  organizationName: "2.5.4.10",
  organizationalUnitName: "2.5.4.11",
  dnQualifier: "2.5.4.46",
  emailAddress: "1.2.840.113549.1.9.1",
  domainComponent: "0.9.2342.19200300.100.1.25",

  extensionRequest: "1.2.840.113549.1.9.14",
} as const;

/** A standard's name for an OID; the OID itself where none is known. */
export function oidName(oid: string): string {
  return names.get(oid) ?? oid;
}

const names: ReadonlyMap<string, string> = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries(oids).map(([name, oid]) => [oid, name]),
);

/** The short names of name attributes (RFC 4514 §3, and those of openssl), long names elsewhere. */
export const attributeNames: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  [oids.commonName]: "CN",
  [oids.countryName]: "C",
  [oids.localityName]: "L",
  [oids.stateOrProvinceName]: "ST",
  [oids.organizationName]: "O",
  [oids.organizationalUnitName]: "OU",
  [oids.domainComponent]: "DC",
});
