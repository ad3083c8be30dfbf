/**
 * Trust anchors: whom a chain must lead to. An anchor is a name and a key (RFC 5280 §6.1.1 d); the certificate around them, its
 * dates and its signature do not count, so that a root re-issued or cross-signed for the same key stays the same anchor. What limits
 * it can be written by hand (RFC 5937 §3.2); {@link trustAnchors} takes it from the certificate.
 *
 * @module
 */

import { printable, printableBytes } from "../../bytes.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { CertificateError } from "./errors.ts";
import { type GeneralNames, type NameConstraints, noNames } from "./extensions.ts";
import { fileError } from "./file-errors.ts";
import { type PemBlock, pemBlocks } from "./pem.ts";

/**
 * A CA that is trusted, as name and key.
 *
 * @example
 * // Only for the hosts of one domain, whatever the CA's certificate says, and no longer than 2030.
 * const [root] = trustAnchors(pem);
 * const trust = [{ ...root, nameConstraints: { permitted: { dns: ["example.com"] } }, notAfter: Date.UTC(2030, 0) }];
 */
export interface TrustAnchor {
  /** The CA's name as a DER `Name` (RFC 5280 §4.1.2.6). */
  readonly subject: Uint8Array;
  /** The CA's key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7). */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** For people: the name in one line. */
  readonly label: string;
  /** Made of a certificate that is no CA: `certificate` is trusted as itself, no other is, whatever its name and key. */
  readonly endEntity?: boolean;
  /** The names that it may vouch for. */
  readonly nameConstraints?: AnchorConstraints;
  /** CA certificates that may follow below, self-issued ones not counted. */
  readonly pathLength?: number;
  /** OIDs of the purposes that it may vouch for. */
  readonly extendedKeyUsage?: readonly string[];
  /** OIDs of critical extensions of the CA's certificate that are not understood: a chain to it fails. */
  readonly unknownCritical?: readonly string[];
  /** Milliseconds since 1970, first and last moment included: when it is trusted. Those of the certificate are not taken over. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** The certificate that it was made of, for profiles with `anchors`. */
  readonly certificate?: Uint8Array;
}

/** Name constraints of an anchor (RFC 5280 §4.2.1.10): the kinds of names that are left out are not limited. */
export interface AnchorConstraints {
  readonly permitted?: Partial<GeneralNames>;
  readonly excluded?: Partial<GeneralNames>;
}

/** The constraints of an anchor in full; `undefined` where it has none. */
export function anchorConstraints({ nameConstraints }: TrustAnchor): NameConstraints | undefined {
  if (nameConstraints === undefined) return undefined;
  const { permitted, excluded } = nameConstraints;
  return { permitted: { ...noNames, ...permitted }, excluded: { ...noNames, ...excluded } };
}

/**
 * Trust anchors out of CA certificates: PEM with one or several, or DER with one, or a list of these.
 *
 * @throws CertificateError `X509_WRONG_CONTENT` for a key or an empty text, `X509_PEM`, `X509_TRUST` (its cause says more).
 * @example
 * const trust = trustAnchors(await readFile("AmazonRootCA1.pem", "utf8"));
 */
export function trustAnchors(input: string | Uint8Array | readonly (string | Uint8Array)[]): readonly TrustAnchor[] {
  const inputs = typeof input === "string" || input instanceof Uint8Array ? [input] : input;
  return inputs.flatMap((one) => parseCertificateChain(one).map(anchorOf));
}

function anchorOf(der: Uint8Array): TrustAnchor {
  try {
    const certificate = parseCertificate(der);
    const { subject, subjectPublicKeyInfo, nameConstraints, extendedKeyUsage, unknownCritical } = certificate;
    const pathLength = certificate.basicConstraints?.pathLength;
    const label = subject.toString();
    if (subject.isEmpty) throw new CertificateError("X509_NAME", "a CA without a name");
    return {
      subject: subject.der,
      subjectPublicKeyInfo,
      label,
      certificate: der,
      ...(isCa(certificate) ? {} : { endEntity: true }),
      ...(nameConstraints === undefined ? {} : { nameConstraints }),
      ...(pathLength === undefined ? {} : { pathLength }),
      ...(extendedKeyUsage === undefined ? {} : { extendedKeyUsage }),
      ...(unknownCritical.length === 0 ? {} : { unknownCritical }),
    };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw fileError("X509_TRUST", error.message, error.data, error);
  }
}

/** Roots of version 1 could not say that they are CAs. */
function isCa({ version, basicConstraints, keyUsage }: Certificate): boolean {
  return (version === 1 || basicConstraints?.ca === true) && keyUsage?.includes("keyCertSign") !== false;
}

/**
 * The certificates of a PEM text or of one DER file, in order, each as DER. Their insides are not looked at.
 *
 * @throws CertificateError `X509_WRONG_CONTENT` where there is none, or something else beside them; `X509_PEM`.
 */
export function parseCertificateChain(input: string | Uint8Array): Uint8Array[] {
  const blocks = pemBlocks(input);
  if (blocks === undefined && input[0] === 0x30) return [input as Uint8Array];
  if (blocks === undefined || blocks.length === 0) throw nothingFound("certificate", input);
  return blocks.map((block) => {
    if (block.label !== "CERTIFICATE" && block.label !== "X509 CERTIFICATE") throw wrongLabel("certificate", block);
    return block.der;
  });
}

/** The error for a text or file without any BEGIN line that is no DER either. */
export function nothingFound(wanted: string, input: string | Uint8Array): CertificateError {
  const start = typeof input === "string" ? printable(input, 24) : printableBytes(input.subarray(0, 24), 24);
  return fileError(
    "X509_WRONG_CONTENT",
    input.length === 0
      ? `a ${wanted} is wanted, the input is empty`
      : `a ${wanted} is wanted, neither PEM (no BEGIN line) nor DER was found; it starts with ${start}`,
  );
}

/** The error for a PEM block of another kind. */
export function wrongLabel(wanted: string, block: PemBlock): CertificateError {
  return fileError(
    "X509_WRONG_CONTENT",
    `a ${wanted} is wanted, line ${block.line} begins a ${printable(block.label)}`,
    { line: block.line, found: printable(block.label) },
  );
}
