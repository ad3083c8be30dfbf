/**
 * The simulator's certificate authority: a CA of its own, server and device certificates under it, all on P-256 (RFC 5280).
 *
 * @module
 */

import { toHex } from "../bytes.ts";
import { UsageError } from "../errors.ts";
import type { Clock, Random } from "../ports.ts";
import { finish } from "../task.ts";
import type { CryptoProvider, PrivateKey, PublicKey } from "../tls/crypto/provider.ts";
import { parseCertificate } from "../tls/x509/certificate.ts";
import { type IssueExtensions, issueCertificate, type NameInput } from "../tls/x509/issue.ts";

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

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const DEVICE_DAYS = 3650;
/** What browsers and servers accept at most. */
const SERVER_DAYS = 397;
/** Clocks of devices go wrong. */
const BACKDATED_MS = 3_600_000;
const ORGANIZATION = ["O", "thingwire"] as const;

/**
 * The id that AWS IoT gives a certificate: the SHA-256 of its DER, in 64 lower-case hexadecimal digits.
 */
export function certificateId(certificate: Uint8Array, crypto: CryptoProvider): string {
  return toHex(finish(crypto.digest("sha256", [certificate])));
}

/** Makes a CA that signs its own certificate. */
export function createAuthority(ports: IssuingPorts): IssuedCertificate {
  const privateKey = finish(ports.crypto.generateKey("secp256r1", ports.random));
  const subject: NameInput = [ORGANIZATION, ["CN", "thingwire local CA"]];
  const publicKey = publicHalf(privateKey, ports);
  const certificate = issue(ports, AUTHORITY_DAYS, {
    subject,
    subjectPublicKey: publicKey,
    issuerKey: privateKey,
    extensions: {
      ca: true,
      pathLength: 0,
      keyUsage: ["keyCertSign", "cRLSign"],
      subjectKeyIdentifier: keyIdentifier(publicKey, ports),
    },
  });
  return { certificate, privateKey };
}

/** Makes a server certificate for host names and IP addresses. */
export function issueServer(
  authority: IssuedCertificate,
  ports: IssuingPorts,
  names: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] },
): IssuedCertificate {
  const subject: NameInput = [ORGANIZATION, ["CN", names.dnsNames[0] ?? names.ipAddresses[0] ?? "server"]];
  return issueUnder(authority, ports, SERVER_DAYS, subject, {
    ca: false,
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["serverAuth"],
    ...names,
  });
}

/** Makes a device certificate; its common name is the thing's. */
export function issueDevice(authority: IssuedCertificate, ports: IssuingPorts, thingName: string): IssuedCertificate {
  return issueUnder(authority, ports, DEVICE_DAYS, [ORGANIZATION, ["CN", thingName]], {
    ca: false,
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["clientAuth"],
  });
}

function issueUnder(
  authority: IssuedCertificate,
  ports: IssuingPorts,
  days: number,
  subject: NameInput,
  extensions: IssueExtensions,
): IssuedCertificate {
  const privateKey = finish(ports.crypto.generateKey("secp256r1", ports.random));
  const publicKey = publicHalf(privateKey, ports);
  const certificate = issue(ports, days, {
    subject,
    issuer: parseCertificate(authority.certificate).subject.der,
    subjectPublicKey: publicKey,
    issuerKey: authority.privateKey,
    extensions: {
      ...extensions,
      subjectKeyIdentifier: keyIdentifier(publicKey, ports),
      authorityKeyIdentifier: keyIdentifier(publicHalf(authority.privateKey, ports), ports),
    },
  });
  return { certificate, privateKey };
}

function issue(
  { crypto, random, clock }: IssuingPorts,
  days: number,
  options: Pick<
    Parameters<typeof issueCertificate>[0],
    "subject" | "issuer" | "subjectPublicKey" | "issuerKey" | "extensions"
  >,
): Uint8Array {
  const now = clock.wallMs();
  if (now === undefined)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      "the simulator issues certificates and needs the time of day: wallMs",
    );
  const serialNumber = new Uint8Array(16);
  random.fill(serialNumber, "serial number");
  // Positive and never zero (RFC 5280 §4.1.2.2).
  serialNumber[0] = (serialNumber[0]! & 0x7f) | 0x40;
  return finish(
    issueCertificate({
      ...options,
      serialNumber,
      notBefore: now - BACKDATED_MS,
      notAfter: now + days * DAY_MS,
      crypto,
      random,
    }),
  );
}

function publicHalf(key: PrivateKey, { crypto, random }: IssuingPorts): PublicKey {
  return finish(crypto.publicKey(key, random));
}

/** RFC 7093 §2, method 1: the first 160 bits of the SHA-256 of the public key's bits. */
function keyIdentifier(key: PublicKey, { crypto }: IssuingPorts): Uint8Array {
  const bits = key.type === "ec" ? key.point : key.modulus;
  return finish(crypto.digest("sha256", [bits])).slice(0, 20);
}
