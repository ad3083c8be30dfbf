/**
 * A certificate authority in small: what a CA, and what it issues, have in common (RFC 5280 §4.1.2.2, §4.2.1). For the local endpoint
 * and for `thingwire provision`.
 *
 * Everything is computed at once. Left out on purpose: sub-CAs, CRLs, and profiles of servers and devices, which their users know.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import type { Clock, Random } from "../../ports.ts";
import { finish } from "../../task.ts";
import type { CryptoProvider, PrivateKey, PublicKey } from "../crypto/provider.ts";
import { parseCertificate } from "./certificate.ts";
import { type IssueExtensions, issueCertificate, type NameInput } from "./issue.ts";
import { encodeSubjectPublicKeyInfo, publicKeyBits } from "./spki.ts";

/** What issuing needs. */
export interface IssuingPorts {
  readonly crypto: CryptoProvider;
  readonly random: Random;
  readonly clock: Clock;
}

/** A certificate in DER and its key. Whoever holds the key wipes it. */
export interface IssuedCertificate {
  readonly certificate: Uint8Array;
  readonly privateKey: PrivateKey;
}

/** What a CA is asked to certify. */
export interface Certified {
  readonly subject: NameInput;
  readonly publicKey: PublicKey;
  /** Days from now; never longer than the CA's own certificate. */
  readonly days: number;
  /** The key identifiers are added. */
  readonly extensions: IssueExtensions;
}

const DAY_MS = 86_400_000;
/** Clocks of devices go wrong. */
const BACKDATED_MS = 3_600_000;

/**
 * Makes a CA of a key: it signs its own certificate, and may sign certificates of servers and devices, but no other CA's.
 *
 * @throws UsageError where the clock does not know the time of day, or a name cannot be written.
 */
export function selfSign(
  privateKey: PrivateKey,
  ports: IssuingPorts,
  { subject, days }: Pick<Certified, "subject" | "days">,
): IssuedCertificate {
  const publicKey = finish(ports.crypto.publicKey(privateKey, ports.random));
  const now = timeOfDay(ports);
  const certificate = issue(ports, {
    subject,
    subjectPublicKey: publicKey,
    issuerKey: privateKey,
    notBefore: now - BACKDATED_MS,
    notAfter: now + days * DAY_MS,
    extensions: {
      ca: true,
      pathLength: 0,
      keyUsage: ["keyCertSign", "cRLSign"],
      subjectKeyIdentifier: keyIdentifier(publicKey, ports),
    },
  });
  return { certificate, privateKey };
}

/**
 * Issues a certificate under a CA; the result is its DER.
 *
 * @throws UsageError as {@link selfSign}; CertificateError where the CA's certificate cannot be read.
 */
export function issueUnder(authority: IssuedCertificate, ports: IssuingPorts, certified: Certified): Uint8Array {
  const issuer = parseCertificate(authority.certificate);
  const issuerPublicKey = finish(ports.crypto.publicKey(authority.privateKey, ports.random));
  const now = timeOfDay(ports);
  return issue(ports, {
    subject: certified.subject,
    issuer: issuer.subject.der,
    subjectPublicKey: certified.publicKey,
    issuerKey: authority.privateKey,
    notBefore: Math.max(now - BACKDATED_MS, issuer.notBefore),
    notAfter: Math.min(now + certified.days * DAY_MS, issuer.notAfter),
    extensions: {
      ...certified.extensions,
      subjectKeyIdentifier: keyIdentifier(certified.publicKey, ports),
      // What the CA calls its own key, whichever way that was made.
      authorityKeyIdentifier: issuer.subjectKeyIdentifier ?? keyIdentifier(issuerPublicKey, ports),
    },
  });
}

function issue(
  { crypto, random }: IssuingPorts,
  options: Omit<Parameters<typeof issueCertificate>[0], "serialNumber" | "crypto" | "random">,
): Uint8Array {
  const serialNumber = new Uint8Array(16);
  random.fill(serialNumber, "serial number");
  // Positive and never zero (RFC 5280 §4.1.2.2).
  serialNumber[0] = (serialNumber[0]! & 0x7f) | 0x40;
  return finish(issueCertificate({ ...options, serialNumber, crypto, random }));
}

function timeOfDay({ clock }: IssuingPorts): number {
  const now = clock.wallMs();
  if (now === undefined)
    throw new UsageError("USAGE_INVALID_ARGUMENT", "issuing certificates needs the time of day: wallMs");
  return now;
}

/** RFC 7093 §2, method 1: the first 160 bits of the SHA-256 of the public key's bits. */
function keyIdentifier(key: PublicKey, { crypto }: IssuingPorts): Uint8Array {
  return finish(crypto.digest("sha256", [publicKeyBits(encodeSubjectPublicKeyInfo(key))])).slice(0, 20);
}
