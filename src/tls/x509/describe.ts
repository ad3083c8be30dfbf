/**
 * A certificate as people know it from `openssl x509 -text`: the same order and words, where openssl has words for it.
 *
 * All text of the certificate is escaped. Left out on purpose: the octets of public key and signature beyond the first few, which nobody
 * reads; extensions that are not understood are named and shown in hexadecimal.
 *
 * @module
 */

import { printable, toHex } from "../../bytes.ts";
import { finish } from "../../task.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Certificate } from "./certificate.ts";
import { CertificateError } from "./errors.ts";
import type { Extension, GeneralNames, KeyUsage } from "./extensions.ts";
import { authorityInfoAccess, certificatePolicies, crlLocations } from "./locations.ts";
import { ipAddressText } from "./names.ts";
import { oidName, oids } from "./oids.ts";
import { bitLength } from "./spki.ts";

/** Octets of a key, signature or unknown extension that are shown. */
const SHOWN_OCTETS = 32;
/** Names or purposes that are shown of one extension. */
const SHOWN_ITEMS = 100;

/**
 * A certificate in one line for logs: subject, issuer, validity, key.
 *
 * @example
 * oneLine(certificate); // "CN = localhost, issued by CN = Local CA, 2026-01-01 to 2027-01-01, id-ecPublicKey (secp256r1)"
 */
export function oneLine(certificate: Certificate): string {
  const { subject, issuer, notBefore, notAfter, publicKeyAlgorithm } = certificate;
  const name = subject.toString() || "(no subject)";
  return `${name}, issued by ${issuer.toString()}, ${dayText(notBefore)} to ${dayText(notAfter)}, ${publicKeyAlgorithm}`;
}

/**
 * A certificate as text of several lines.
 *
 * @param crypto for the SHA-256 fingerprint, which is left out without it.
 */
export function describe(certificate: Certificate, crypto?: CryptoProvider): string {
  const lines = [
    "Certificate:",
    "    Data:",
    `        Version: ${certificate.version} (0x${certificate.version - 1})`,
    "        Serial Number:",
    `            ${serialText(certificate.serialNumber)}`,
    `        Signature Algorithm: ${certificate.signatureAlgorithmName}`,
    `        Issuer: ${certificate.issuer.toString()}`,
    "        Validity",
    `            Not Before: ${timeText(certificate.notBefore)}`,
    `            Not After : ${timeText(certificate.notAfter)}`,
    `        Subject: ${certificate.subject.toString()}`,
    "        Subject Public Key Info:",
    ...keyLines(certificate).map((line) => `            ${line}`),
  ];
  if (certificate.extensions.length > 0) lines.push("        X509v3 extensions:");
  for (const extension of certificate.extensions) {
    const title = extensionTitles[extension.oid] ?? oidName(extension.oid);
    lines.push(`            ${title}:${extension.critical ? " critical" : ""}`);
    for (const line of extensionLines(certificate, extension)) lines.push(`                ${line}`);
  }
  lines.push(`    Signature Algorithm: ${certificate.signatureAlgorithmName}`);
  lines.push(`    Signature Value: ${certificate.signature.length} bytes, ${octets(certificate.signature)}`);
  if (crypto !== undefined) lines.push(`    SHA-256 Fingerprint: ${fingerprint(certificate.der, crypto)}`);
  return `${lines.join("\n")}\n`;
}

/** The SHA-256 of a certificate's DER as openssl prints it: `1B:A5:…`. Computed at once. */
export function fingerprint(der: Uint8Array, crypto: CryptoProvider): string {
  return colons(finish(crypto.digest("sha256", [der])));
}

/** What openssl calls the extensions that are read. */
const extensionTitles: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  [oids.basicConstraints]: "X509v3 Basic Constraints",
  [oids.keyUsage]: "X509v3 Key Usage",
  [oids.extKeyUsage]: "X509v3 Extended Key Usage",
  [oids.subjectAltName]: "X509v3 Subject Alternative Name",
  [oids.nameConstraints]: "X509v3 Name Constraints",
  [oids.subjectKeyIdentifier]: "X509v3 Subject Key Identifier",
  [oids.authorityKeyIdentifier]: "X509v3 Authority Key Identifier",
  [oids.certificatePolicies]: "X509v3 Certificate Policies",
  [oids.cRLDistributionPoints]: "X509v3 CRL Distribution Points",
  [oids.authorityInfoAccess]: "Authority Information Access",
});

const keyUsageTitles: Readonly<Record<KeyUsage, string>> = /* @__PURE__ */ Object.freeze({
  digitalSignature: "Digital Signature",
  nonRepudiation: "Non Repudiation",
  keyEncipherment: "Key Encipherment",
  dataEncipherment: "Data Encipherment",
  keyAgreement: "Key Agreement",
  keyCertSign: "Certificate Sign",
  cRLSign: "CRL Sign",
  encipherOnly: "Encipher Only",
  decipherOnly: "Decipher Only",
});

const purposeTitles: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  [oids.serverAuth]: "TLS Web Server Authentication",
  [oids.clientAuth]: "TLS Web Client Authentication",
  [oids.codeSigning]: "Code Signing",
  [oids.emailProtection]: "E-mail Protection",
  [oids.OCSPSigning]: "OCSP Signing",
  [oids.anyExtendedKeyUsage]: "Any Extended Key Usage",
});

const accessTitles: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({
  [oids["id-ad-ocsp"]]: "OCSP",
  [oids["id-ad-caIssuers"]]: "CA Issuers",
});

function extensionLines(certificate: Certificate, extension: Extension): string[] {
  switch (extension.oid) {
    case oids.basicConstraints: {
      const { ca, pathLength } = certificate.basicConstraints!;
      return [`CA:${ca ? "TRUE" : "FALSE"}${pathLength === undefined ? "" : `, pathlen:${pathLength}`}`];
    }
    case oids.keyUsage:
      return [certificate.keyUsage!.map((usage) => keyUsageTitles[usage]).join(", ")];
    case oids.extKeyUsage:
      return [shown(certificate.extendedKeyUsage!.map((oid) => purposeTitles[oid] ?? oidName(oid))).join(", ")];
    case oids.subjectAltName:
      return [generalNames(certificate.subjectAltName!).join(", ")];
    case oids.nameConstraints: {
      const { permitted, excluded } = certificate.nameConstraints!;
      return [
        ...subtreeLines("Permitted:", generalNames(permitted)),
        ...subtreeLines("Excluded:", generalNames(excluded)),
      ];
    }
    case oids.subjectKeyIdentifier:
      return [colons(certificate.subjectKeyIdentifier!)];
    case oids.authorityKeyIdentifier: {
      const identifier = certificate.authorityKeyIdentifier!.keyIdentifier;
      return identifier === undefined ? [] : [colons(identifier)];
    }
    case oids.certificatePolicies:
      return certificatePolicies(certificate).map((policy) => `Policy: ${oidName(policy)}`);
    case oids.cRLDistributionPoints:
      return readable(extension, () => shown(crlLocations(certificate)).map((uri) => `URI:${uri}`));
    case oids.authorityInfoAccess:
      return readable(extension, () =>
        authorityInfoAccess(certificate).map(
          ({ method, location }) => `${accessTitles[method] ?? oidName(method)} - ${generalNames(location).join("")}`,
        ),
      );
    default:
      return [octets(extension.value)];
  }
}

/** Lines of an extension that reading the certificate left alone: as octets where it turns out to be malformed, or to say nothing. */
function readable({ value }: Extension, lines: () => readonly string[]): string[] {
  try {
    const read = lines();
    if (read.length > 0) return [...read];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
  }
  return [octets(value)];
}

function subtreeLines(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [title, ...names.map((name) => `  ${name}`)];
}

function generalNames(names: GeneralNames): readonly string[] {
  return shown([
    ...names.dns.map((name) => `DNS:${printable(name)}`),
    ...names.ip.map((address) => `IP Address:${rangeText(address)}`),
    ...names.email.map((name) => `email:${printable(name)}`),
    ...names.uri.map((name) => `URI:${printable(name)}`),
    ...names.directory.map((name) => `DirName:${name.toString()}`),
    ...names.other.map((kind) => `[${kind}]:<unsupported>`),
  ]);
}

function shown(all: readonly string[]): readonly string[] {
  return all.length <= SHOWN_ITEMS ? all : [...all.slice(0, SHOWN_ITEMS), `and ${all.length - SHOWN_ITEMS} more`];
}

/** An address, or address and mask of a constraint. */
function rangeText(octets: Uint8Array): string {
  if (octets.length === 4 || octets.length === 16) return ipAddressText(octets);
  const half = octets.length / 2;
  return `${ipAddressText(octets.subarray(0, half))}/${ipAddressText(octets.subarray(half))}`;
}

function keyLines({ publicKey, publicKeyAlgorithm }: Certificate): string[] {
  if (publicKey === undefined) return [`Public Key Algorithm: ${publicKeyAlgorithm}`];
  if (publicKey.type === "rsa") {
    let exponent = 0;
    for (const octet of publicKey.exponent) exponent = exponent * 256 + octet;
    return [
      "Public Key Algorithm: rsaEncryption",
      `    Public-Key: (${bitLength(publicKey.modulus)} bit)`,
      `    Modulus: ${octets(publicKey.modulus)}`,
      `    Exponent: ${exponent} (0x${exponent.toString(16)})`,
    ];
  }
  return [
    "Public Key Algorithm: id-ecPublicKey",
    `    pub: ${octets(publicKey.point)}`,
    `    NIST CURVE: P-${publicKey.curve.slice(4, 7)}`,
  ];
}

/** As openssl: a small number in decimal too, a large one as octets; negative ones with a sign. */
function serialText(octets: Uint8Array): string {
  const negative = octets[0]! >= 0x80;
  let value = 0n;
  for (const octet of octets) value = (value << 8n) | BigInt(octet);
  if (negative) value = (1n << BigInt(8 * octets.length)) - value;
  const sign = negative ? "-" : "";
  if (value < 1n << 63n) return `${sign}${value} (${sign}0x${value.toString(16)})`;
  const hex = value.toString(16);
  const pairs = (hex.length % 2 === 0 ? hex : `0${hex}`).match(/../g) ?? [];
  return `${negative ? "(Negative)" : ""}${pairs.join(":")}`;
}

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** `Jan 17 00:00:00 2038 GMT` */
function timeText(ms: number): string {
  const date = new Date(ms);
  const month = MONTHS.slice(3 * date.getUTCMonth(), 3 * date.getUTCMonth() + 3);
  const day = String(date.getUTCDate()).padStart(2, " ");
  return `${month} ${day} ${date.toISOString().slice(11, 19)} ${date.getUTCFullYear()} GMT`;
}

function dayText(ms: number): string {
  return new Date(ms).toISOString().replace(/T.*$/, "");
}

function octets(bytes: Uint8Array): string {
  return bytes.length <= SHOWN_OCTETS ? colons(bytes) : `${colons(bytes.subarray(0, SHOWN_OCTETS))}:…`;
}

function colons(bytes: Uint8Array): string {
  return (toHex(bytes).toUpperCase().match(/../g) ?? []).join(":");
}
