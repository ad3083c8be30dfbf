/** A CA of our own with P-256 certificates, made anew in a few milliseconds, for TLS servers on loopback and in memory. */
import { nodeRuntime } from "../../../src/runtime/node-ports.ts";
import { finish } from "../../../src/task.ts";
import { createCrypto } from "../../../src/tls/crypto/index.ts";
import {
  encodePrivateKey,
  type IssueExtensions,
  issueCertificate,
  type TrustAnchor,
  toPem,
  trustAnchors,
} from "../../../src/tls/x509/index.ts";

export const crypto = createCrypto();
export const { random } = nodeRuntime;
const DAY_MS = 86_400_000;

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly certificateDer: Uint8Array;
  readonly privateKeyDer: Uint8Array;
}

export interface Authority {
  readonly pem: string;
  readonly trust: readonly TrustAnchor[];
  /** Days from today; a year ahead and a day back by default. */
  issue(name: string, extensions: IssueExtensions, days?: { from: number; to: number }): Issued;
}

export function makeAuthority(name: string): Authority {
  const issuerKey = finish(crypto.generateKey("secp256r1", random));
  const issuer = [["CN", name]] as const;
  let serial = 1;
  function issue(
    subject: readonly (readonly [string, string])[],
    key: typeof issuerKey,
    extensions: IssueExtensions,
    { from, to }: { from: number; to: number },
  ): Uint8Array {
    return finish(
      issueCertificate({
        subject,
        issuer,
        subjectPublicKey: finish(crypto.publicKey(key, random)),
        issuerKey,
        serialNumber: Uint8Array.of(1, serial++),
        notBefore: Date.now() + from * DAY_MS,
        notAfter: Date.now() + to * DAY_MS,
        extensions,
        crypto,
        random,
      }),
    );
  }
  const pem = toPem(
    "CERTIFICATE",
    issue(issuer, issuerKey, { ca: true, keyUsage: ["keyCertSign"] }, { from: -1, to: 365 }),
  );
  return {
    pem,
    trust: trustAnchors(pem),
    issue(subject, extensions, days = { from: -1, to: 365 }) {
      const key = finish(crypto.generateKey("secp256r1", random));
      const certificateDer = issue([["CN", subject]], key, extensions, days);
      const privateKeyDer = encodePrivateKey(key);
      return {
        certificate: toPem("CERTIFICATE", certificateDer),
        privateKey: toPem("PRIVATE KEY", privateKeyDer),
        certificateDer,
        privateKeyDer,
      };
    },
  };
}

/** What a server of these tests shows: localhost and 127.0.0.1. */
export const forLocalhost: IssueExtensions = {
  keyUsage: ["digitalSignature"],
  extendedKeyUsage: ["serverAuth"],
  dnsNames: ["localhost"],
  ipAddresses: ["127.0.0.1"],
};

export const forClient: IssueExtensions = { keyUsage: ["digitalSignature"], extendedKeyUsage: ["clientAuth"] };
