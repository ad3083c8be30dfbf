/**
 * The client's identities: read and checked when the client is made, and chosen from when a server asks for a certificate (RFC 5246
 * §7.4.4, §7.4.6).
 *
 * The first one in the caller's order that the CertificateRequest allows is sent: by certificate type, by signature scheme, and by the
 * names of the authorities. None where none fits: the empty list then says so, and the server decides. Two things are left to the
 * server on purpose: dates (the device's clock may be wrong) and keyUsage, which is only warned of.
 *
 * @module
 */

import { printable } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { Random } from "../ports.ts";
import { finish } from "../task.ts";
import { asTlsError } from "./boundary.ts";
import type { CryptoProvider, PublicKey } from "./crypto/provider.ts";
import { TlsError } from "./errors.ts";
import type { Identity } from "./events.ts";
import type { Handshake } from "./handshake.ts";
import { type CertificateRequest, ClientCertificateType } from "./messages.ts";
import { allSignatureSchemes, idText, type SignatureScheme } from "./suites.ts";
import { type Certificate, parseCertificate } from "./x509/certificate.ts";
import { requireKeyOf } from "./x509/keys.ts";
import { type Name, namesMatch, parseName } from "./x509/name.ts";

/** An identity whose certificate is readable and whose key, where it is given, belongs to it. */
export interface CheckedIdentity extends Identity {
  readonly publicKey: PublicKey;
}

/** An identity that a client can show. */
export interface ClientIdentity extends CheckedIdentity {
  readonly leaf: Certificate;
  /** Who issued each certificate of the chain. */
  readonly issuers: readonly Name[];
  /** Whether keyUsage allows signatures (RFC 5280 §4.2.1.3). */
  readonly maySign: boolean;
}

/** The identity that is shown, and how it is proved. */
export interface Proof {
  readonly identity: ClientIdentity;
  readonly scheme: SignatureScheme;
}

/**
 * Reads an identity, and checks at once that its key is the certificate's: for a key on a curve that is one scalar multiplication.
 *
 * @throws UsageError, TlsError `TLS_IDENTITY_UNREADABLE`, CertificateError `X509_KEY_MISMATCH`.
 */
export function checkedIdentity(identity: Identity, crypto: CryptoProvider, random: Random): ClientIdentity {
  const { certificate: leaf, publicKey } = readLeaf(identity);
  const { certificates, privateKey } = identity;
  if (privateKey !== undefined) finish(requireKeyOf(leaf, privateKey, crypto, random));
  const above = certificates.slice(1).map((der, i) => {
    try {
      return parseCertificate(der).issuer;
    } catch (error) {
      throw new TlsError("TLS_IDENTITY_UNREADABLE", `certificate ${i + 2} of the chain: ${asTlsError(error).message}`, {
        cause: error,
      });
    }
  });
  return {
    ...identity,
    publicKey,
    leaf,
    issuers: [leaf.issuer, ...above],
    maySign: leaf.keyUsage?.includes("digitalSignature") !== false,
  };
}

/**
 * Reads the leaf of an identity. Whether the key is its own is not looked at.
 *
 * @throws UsageError, TlsError `TLS_IDENTITY_UNREADABLE`.
 */
export function readLeaf(identity: Identity): { readonly certificate: Certificate; readonly publicKey: PublicKey } {
  const { certificates, privateKey, signer } = identity;
  const leaf = certificates[0];
  if (leaf === undefined) throw unusable("identity.certificates is empty");
  if ((privateKey === undefined) === (signer === undefined))
    throw unusable("identity needs either a privateKey or a signer, and not both");
  let certificate: Certificate;
  try {
    certificate = parseCertificate(leaf);
  } catch (error) {
    throw new TlsError("TLS_IDENTITY_UNREADABLE", asTlsError(error).message, { cause: error });
  }
  const { publicKey } = certificate;
  if (publicKey === undefined)
    throw new TlsError("TLS_IDENTITY_UNREADABLE", `a key of kind ${certificate.publicKeyAlgorithm}`);
  return { certificate, publicKey };
}

/** Whether an identity can sign in such a way: by the kind of its key, and by what its signer knows. */
export function signsWith({ publicKey, signer }: CheckedIdentity, scheme: SignatureScheme): boolean {
  return publicKey.type === scheme.key && (signer?.schemes?.some(({ id }) => id === scheme.id) ?? true);
}

/** A public key for people: `RSA 2048 bit`, `secp256r1`. */
export function keyText(key: PublicKey): string {
  return key.type === "rsa" ? `RSA ${8 * key.modulus.length} bit` : key.curve;
}

function unusable(problem: string): UsageError {
  return new UsageError("USAGE_INVALID_ARGUMENT", problem);
}

/** What answers a CertificateRequest; `undefined` where nothing does. The log says why each identity was not chosen. */
export function chooseProof(
  request: CertificateRequest,
  identities: readonly ClientIdentity[],
  schemes: readonly SignatureScheme[],
  log: Handshake["log"],
): Proof | undefined {
  log("debug", () => requestText(request));
  if (identities.length === 0) {
    log("warn", () => "the server asks for a client certificate and there is none: sending an empty list");
    return undefined;
  }
  // One certificate alone is sent whoever issued it, as mbedTLS does: RFC 5246 §7.4.6 only advises, and a service that registers single
  // certificates knows more of them than of their issuers.
  const authorities = identities.length > 1 ? request.authorities.map(parseName) : [];
  const reasons: string[] = [];
  for (const identity of identities) {
    const fit = fitOf(identity, request, authorities, schemes);
    if (typeof fit !== "string") {
      log("debug", () => `client certificate sent: ${labelOf(identity)}, signing with ${fit.name}`);
      if (!identity.maySign)
        log(
          "warn",
          () => `keyUsage of ${labelOf(identity)} lacks digitalSignature: the server may refuse it (RFC 5246 §7.4.6)`,
        );
      return { identity, scheme: fit };
    }
    log("debug", () => `client certificate not chosen: ${labelOf(identity)}: ${fit}`);
    reasons.push(fit);
  }
  log(
    "warn",
    () => `no client certificate fits what the server asks for (${reasons.join("; ")}): sending an empty list`,
  );
  return undefined;
}

function labelOf({ leaf, publicKey }: ClientIdentity): string {
  return `${leaf.subject} (${keyText(publicKey)})`;
}

/** The scheme by which an identity answers a request, or why it cannot. */
function fitOf(
  identity: ClientIdentity,
  { types, schemes: theirs }: CertificateRequest,
  authorities: readonly (Name | undefined)[],
  ours: readonly SignatureScheme[],
): SignatureScheme | string {
  const { publicKey, issuers } = identity;
  const type = publicKey.type === "rsa" ? "rsa_sign" : "ecdsa_sign";
  if (!types.includes(ClientCertificateType[type])) return `the server takes no ${type}`;
  // In TLS 1.2 an ECDSA scheme names a hash, and any curve goes with it (RFC 5246 §7.4.1.4.1, RFC 8422 §5.1.3).
  const scheme = ours.find((one) => theirs.includes(one.id) && signsWith(identity, one));
  if (scheme === undefined) return `no signature scheme in common for ${keyText(publicKey)}`;
  const isIssued = issuers.some((issuer) => authorities.some((name) => name !== undefined && namesMatch(issuer, name)));
  if (authorities.length > 0 && !isIssued) return `issued by none of the server's ${authorities.length} authorities`;
  return scheme;
}

function requestText({ types, schemes, authorities }: CertificateRequest): string {
  const kinds = types.map((type) => certificateTypeName(type) ?? type).join(", ");
  const ways = schemes.map((id) => idText(id, allSignatureSchemes)).join(", ");
  const names = authorities.map((der) => parseName(der)?.toString() ?? "(malformed)");
  const issuers = names.length === 0 ? "any" : printable(names.join(" | "), 400);
  return `the server asks for a certificate: types ${kinds}; schemes ${ways}; authorities ${issuers}`;
}

function certificateTypeName(type: number): string | undefined {
  return Object.entries(ClientCertificateType).find(([, value]) => value === type)?.[0];
}
