/**
 * The simulator's certificate authority: a CA of its own, server and device certificates under it, on P-256 unless a key is given (RFC 5280).
 *
 * @module
 */

import { toHex } from "../bytes.ts";
import { finish } from "../task.ts";
import type { CryptoProvider, PrivateKey } from "../tls/crypto/provider.ts";
import { type IssuedCertificate, type IssuingPorts, issueUnder, selfSign } from "../tls/x509/authority.ts";
import type { IssueExtensions, NameInput } from "../tls/x509/issue.ts";

export type { IssuedCertificate, IssuingPorts } from "../tls/x509/authority.ts";

const AUTHORITY_DAYS = 3650;
const DEVICE_DAYS = 3650;
/** What browsers and servers accept at most. */
const SERVER_DAYS = 397;
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
  return selfSign(privateKey, ports, { subject, days: AUTHORITY_DAYS });
}

/** Makes a server certificate for host names and IP addresses. A new P-256 key unless one is given; clients with suites for RSA alone need one of RSA. */
export function issueServer(
  authority: IssuedCertificate,
  ports: IssuingPorts,
  names: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] },
  privateKey?: PrivateKey,
): IssuedCertificate {
  const subject: NameInput = [ORGANIZATION, ["CN", names.dnsNames[0] ?? names.ipAddresses[0] ?? "server"]];
  const extensions: IssueExtensions = {
    ca: false,
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["serverAuth"],
    ...names,
  };
  return issueWithKey(authority, ports, SERVER_DAYS, subject, extensions, privateKey);
}

/** Makes a device certificate; its common name is the thing's. A new P-256 key unless one is given. */
export function issueDevice(
  authority: IssuedCertificate,
  ports: IssuingPorts,
  thingName: string,
  privateKey?: PrivateKey,
): IssuedCertificate {
  const subject: NameInput = [ORGANIZATION, ["CN", thingName]];
  const extensions: IssueExtensions = {
    ca: false,
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["clientAuth"],
  };
  return issueWithKey(authority, ports, DEVICE_DAYS, subject, extensions, privateKey);
}

function issueWithKey(
  authority: IssuedCertificate,
  ports: IssuingPorts,
  days: number,
  subject: NameInput,
  extensions: IssueExtensions,
  privateKey: PrivateKey = finish(ports.crypto.generateKey("secp256r1", ports.random)),
): IssuedCertificate {
  const publicKey = finish(ports.crypto.publicKey(privateKey, ports.random));
  return { certificate: issueUnder(authority, ports, { subject, publicKey, days, extensions }), privateKey };
}
