/**
 * The certificates and keys of the folder in which the local endpoint lives: its CA, its server certificate, and those of things. Created
 * at the first run, used again afterwards; what has expired is made anew. Registry and shadows are beside them, in the journal.
 *
 * @module
 */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isThingwireError, UsageError } from "../../errors.ts";
import { finish } from "../../task.ts";
import { parseCertificate } from "../../tls/x509/certificate.ts";
import { encodePrivateKey, parsePrivateKey, requireKeyOf } from "../../tls/x509/keys.ts";
import { toPem } from "../../tls/x509/pem.ts";
import { parseCertificateChain } from "../../tls/x509/trust.ts";
import {
  certificateId,
  createAuthority,
  type IssuedCertificate,
  type IssuingPorts,
  issueDevice,
  issueServer,
} from "../authority.ts";
import { OWNER_ONLY, unusable, writeWhole } from "./write-file.ts";

/** A certificate and its key as the files hold them. */
export interface StoredCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly certificate: Uint8Array;
}

/** What the folder holds after it was opened. */
export interface EndpointFolder {
  readonly authority: IssuedCertificate;
  readonly caPem: string;
  readonly caFile: string;
  readonly server: StoredCertificate & { readonly issued: IssuedCertificate };
  readonly device: StoredCertificate & { readonly certificateId: string };
  /** Whether anything was made that was not there, or had expired. */
  readonly created: boolean;
}

/** Less validity than this counts as expired. */
const MARGIN_MS = 86_400_000;
const SERVER_NAMES = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"] } as const;

/**
 * Opens the folder and makes what is missing: the CA, the server's certificate for localhost, 127.0.0.1 and ::1, and an active certificate of the
 * thing. Keys are written for the owner alone.
 *
 * @throws UsageError where the folder cannot be read or written, or a file in it is damaged.
 */
export function openFolder(folder: string, thingName: string, ports: IssuingPorts): EndpointFolder {
  makeFolder(join(folder, "things", thingName));
  const now = ports.clock.wallMs() ?? 0;
  const open = (name: string, issuer: IssuedCertificate | undefined, make: () => IssuedCertificate) =>
    openCertificate(join(folder, name), issuer, make, ports, now);

  const ca = open("ca", undefined, () => createAuthority(ports));
  const server = open("server", ca.issued, () => issueServer(ca.issued, ports, SERVER_NAMES));
  const device = open(join("things", thingName, "client"), ca.issued, () => issueDevice(ca.issued, ports, thingName));
  return {
    authority: ca.issued,
    caPem: ca.stored.certificatePem,
    caFile: ca.stored.certificateFile,
    server: { ...server.stored, issued: server.issued },
    device: { ...device.stored, certificateId: certificateId(device.stored.certificate, ports.crypto) },
    created: ca.created || server.created || device.created,
  };
}

interface Opened {
  readonly issued: IssuedCertificate;
  readonly stored: StoredCertificate;
  readonly created: boolean;
}

function openCertificate(
  path: string,
  issuer: IssuedCertificate | undefined,
  make: () => IssuedCertificate,
  ports: IssuingPorts,
  now: number,
): Opened {
  const certificateFile = `${path}.crt`;
  const privateKeyFile = `${path}.key`;
  const found = readPair(certificateFile, privateKeyFile);
  if (found !== undefined) {
    const issued = checkPair(found, ports);
    if (isUsable(issued.certificate, issuer, ports, now))
      return { issued, stored: { ...found, certificate: issued.certificate }, created: false };
  }
  const issued = make();
  const certificatePem = toPem("CERTIFICATE", issued.certificate);
  const privateKeyPem = toPem("PRIVATE KEY", encodePrivateKey(issued.privateKey));
  // In this order a crash leaves a pair or no certificate, and never two files that do not belong together.
  remove(certificateFile);
  writeWhole(privateKeyFile, privateKeyPem, OWNER_ONLY);
  writeWhole(certificateFile, certificatePem, 0o644);
  const stored = { certificatePem, privateKeyPem, certificateFile, privateKeyFile, certificate: issued.certificate };
  return { issued, stored, created: true };
}

function checkPair(
  { certificatePem, privateKeyPem, certificateFile }: Omit<StoredCertificate, "certificate">,
  { crypto, random }: IssuingPorts,
): IssuedCertificate {
  try {
    const certificate = parseCertificateChain(certificatePem)[0]!;
    const privateKey = parsePrivateKey(privateKeyPem);
    finish(requireKeyOf(parseCertificate(certificate), privateKey, crypto, random));
    return { certificate, privateKey };
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `${certificateFile} and its key are damaged (${error.message}): delete the folder, and it is made anew`,
      { path: certificateFile, cause: error.code },
      error,
    );
  }
}

/** Not expired, and signed by the CA of this folder, which may have been made anew. */
function isUsable(
  der: Uint8Array,
  issuer: IssuedCertificate | undefined,
  { crypto, random }: IssuingPorts,
  now: number,
): boolean {
  const certificate = parseCertificate(der);
  if (now < certificate.notBefore || now > certificate.notAfter - MARGIN_MS) return false;
  if (issuer === undefined) return true;
  const digest = finish(crypto.digest("sha256", [certificate.tbs]));
  const key = finish(crypto.publicKey(issuer.privateKey, random));
  return finish(crypto.verify({ kind: "ecdsa", hash: "sha256" }, key, digest, certificate.signature));
}

function readPair(certificateFile: string, privateKeyFile: string): Omit<StoredCertificate, "certificate"> | undefined {
  try {
    return {
      certificatePem: readFileSync(certificateFile, "utf8"),
      privateKeyPem: readFileSync(privateKeyFile, "utf8"),
      certificateFile,
      privateKeyFile,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(`${certificateFile} or ${privateKeyFile}`, "read", error);
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw unusable(file, "removed", error);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(`the folder ${folder}`, "made", error);
  }
}
