/**
 * Who the thing is and whom it trusts, read and checked before anything is dialled.
 *
 * @module
 */

import { isThingwireError } from "../errors.ts";
import { type Logger, type Random, silent } from "../ports.ts";
import { finish } from "../task.ts";
import type { CryptoProvider, PrivateKey } from "../tls/crypto/provider.ts";
import type { Identity, Signer } from "../tls/events.ts";
import { amazonTrust } from "../tls/x509/amazon.ts";
import { type Certificate, parseCertificate } from "../tls/x509/certificate.ts";
import { parsePrivateKey, requireKeyOf } from "../tls/x509/keys.ts";
import { parseCertificateChain, type TrustAnchor, trustAnchors } from "../tls/x509/trust.ts";
import { ThingError, type ThingErrorCode } from "./errors.ts";

/** The credentials of a thing as an app holds them. */
export interface CredentialOptions {
  /** The device's certificate: PEM (as text or bytes, a chain allowed, leaf first), or DER, or a list of DER. */
  readonly certificate?: string | Uint8Array | readonly Uint8Array[] | undefined;
  /** Its private key: PEM or DER, in PKCS#8, PKCS#1 or SEC1. Either this or `signer`. */
  readonly privateKey?: string | Uint8Array | undefined;
  /** Signs instead, where the key cannot be read: a secure element. */
  readonly signer?: Signer | undefined;
  /** The CAs to trust, in PEM or DER or as anchors; Amazon's roots by default. */
  readonly trust?: string | Uint8Array | readonly TrustAnchor[] | undefined;
}

/** The same, read. */
export interface Credentials {
  readonly identity: Identity;
  /** The device's chain, leaf first. */
  readonly certificates: readonly Certificate[];
  readonly trust: readonly TrustAnchor[];
}

interface CredentialPorts {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly wallMs: () => number | undefined;
  readonly log?: Logger | undefined;
}

/**
 * Reads certificate, key and trust, and sees that the key belongs to the certificate. A certificate that has expired or is not valid
 * yet is a warning: it is the server that decides, and the device's clock may be wrong.
 *
 * @throws ThingError `THING_CERTIFICATE_UNUSABLE`, `THING_KEY_UNUSABLE`, `THING_KEY_MISMATCH`, `THING_TRUST_UNUSABLE`.
 */
export function readThingCredentials(options: CredentialOptions, ports: CredentialPorts): Credentials {
  const { log = silent } = ports;
  const certificates = attempt("THING_CERTIFICATE_UNUSABLE", "certificate", () => readChain(options.certificate));
  const leaf = certificates[0]!;
  const trust = attempt("THING_TRUST_UNUSABLE", "trust", () => readTrust(options.trust));
  warnOfDates(leaf, ports.wallMs(), log);
  const chain = certificates.map(({ der }) => der);
  if (options.signer !== undefined && options.privateKey === undefined)
    return { identity: { certificates: chain, signer: options.signer }, certificates, trust };
  const key = attempt("THING_KEY_UNUSABLE", "privateKey", () => readKey(options));
  attempt("THING_KEY_MISMATCH", "privateKey", () => finish(requireKeyOf(leaf, key, ports.crypto, ports.random)));
  return { identity: { certificates: chain, privateKey: withPoint(key, leaf) }, certificates, trust };
}

function readChain(certificate: CredentialOptions["certificate"]): Certificate[] {
  const inputs = typeof certificate === "string" || certificate instanceof Uint8Array ? [certificate] : certificate;
  if (!inputs || inputs.length === 0) throw new ThingError("THING_CERTIFICATE_UNUSABLE", "none was given");
  return inputs.flatMap((input) => parseCertificateChain(input).map(parseCertificate));
}

function readKey({ privateKey, signer }: CredentialOptions): PrivateKey {
  if (!privateKey) throw new ThingError("THING_KEY_UNUSABLE", "neither privateKey nor signer was given");
  if (signer !== undefined) throw new ThingError("THING_KEY_UNUSABLE", "privateKey and signer were both given");
  return parsePrivateKey(privateKey);
}

function readTrust(trust: CredentialOptions["trust"]): readonly TrustAnchor[] {
  const anchors =
    trust === undefined
      ? amazonTrust
      : typeof trust === "string" || trust instanceof Uint8Array
        ? trustAnchors(trust)
        : trust;
  if (anchors.length === 0) throw new ThingError("THING_TRUST_UNUSABLE", "the list is empty");
  return anchors;
}

/** The public half, known from the certificate by now, so that no connection has to compute it again. */
function withPoint(key: PrivateKey, { publicKey }: Certificate): PrivateKey {
  return key.type === "ec" && publicKey?.type === "ec" ? { ...key, point: publicKey.point } : key;
}

function warnOfDates(certificate: Certificate, at: number | undefined, log: Logger): void {
  if (at === undefined) {
    log.log("warn", "thing", "the time of day is unknown: the server's certificate cannot be checked without it");
    return;
  }
  const now = new Date(at).toISOString();
  if (at > certificate.notAfter)
    log.log(
      "warn",
      "thing",
      `the device's certificate expired on ${new Date(certificate.notAfter).toISOString()}, now is ${now}`,
    );
  if (at < certificate.notBefore)
    log.log(
      "warn",
      "thing",
      `the device's certificate is valid from ${new Date(certificate.notBefore).toISOString()} only, now is ${now}: is the clock set?`,
    );
}

function attempt<T>(code: ThingErrorCode, option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isThingwireError(error) || error.layer === "thing" || error.layer === "usage") throw error;
    // The reader's hint is about a device's own files.
    const hint = code === "THING_TRUST_UNUSABLE" ? undefined : error.hint;
    throw new ThingError(code, error.message, { option, cause: error.code }, error, hint);
  }
}
