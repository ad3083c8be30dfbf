/**
 * The certificates and keys of the folder in which the local endpoint lives: its CA, its server certificate, and those of things. Created
 * at the first run, used again afterwards; what has expired is made anew. Registry and shadows are beside them, in the journal.
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
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

/** The CA and the server of a folder. */
export interface AuthorityFolder {
  readonly authority: IssuedCertificate;
  readonly caPem: string;
  readonly caFile: string;
  readonly server: StoredCertificate & { readonly issued: IssuedCertificate };
  /** Whether anything was made that was not there, or had expired. */
  readonly created: boolean;
}

/** A device's certificate as the files hold it. */
export interface StoredDevice extends StoredCertificate {
  readonly certificateId: string;
}

/** What the folder of an endpoint holds after it was opened. */
export interface EndpointFolder extends AuthorityFolder {
  readonly device: StoredDevice;
}

/** Less validity than this counts as expired. */
const MARGIN_MS = 86_400_000;
const SERVER_NAMES = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1", "::1"] } as const;

/**
 * Opens the folder and makes what is missing: the CA, and the server's certificate for localhost, 127.0.0.1 and ::1. Keys are written for
 * the owner alone.
 *
 * @throws UsageError where the folder cannot be read or written, or a file in it is damaged.
 */
export function openAuthority(folder: string, ports: IssuingPorts): AuthorityFolder {
  makeFolder(folder);
  const now = ports.clock.wallMs() ?? 0;
  const ca = openCertificate(join(folder, "ca"), undefined, () => createAuthority(ports), ports, now);
  const makeServer = (): IssuedCertificate => issueServer(ca.issued, ports, SERVER_NAMES);
  const server = openCertificate(join(folder, "server"), ca.issued, makeServer, ports, now);
  return {
    authority: ca.issued,
    caPem: ca.stored.certificatePem,
    caFile: ca.stored.certificateFile,
    server: { ...server.stored, issued: server.issued },
    created: ca.created || server.created,
  };
}

/**
 * The same, with a device's certificate of a thing, `things/NAME/client.crt` and `.key`.
 *
 * @throws UsageError as {@link openAuthority}.
 */
export function openFolder(folder: string, thingName: string, ports: IssuingPorts): EndpointFolder {
  const authority = openAuthority(folder, ports);
  makeFolder(thingFolder(folder, thingName));
  const makeDevice = (): IssuedCertificate => issueDevice(authority.authority, ports, thingName);
  const path = join(thingFolder(folder, thingName), "client");
  const now = ports.clock.wallMs() ?? 0;
  const device = openCertificate(path, authority.authority, makeDevice, ports, now);
  const id = certificateId(device.stored.certificate, ports.crypto);
  return {
    ...authority,
    device: { ...device.stored, certificateId: id },
    created: authority.created || device.created,
  };
}

/**
 * Writes a device's certificate and key: as `client` where its thing has none yet, otherwise as `client-` and the first digits of its id.
 *
 * @throws UsageError where they cannot be written.
 */
export function storeDevice(
  folder: string,
  device: {
    readonly thingName: string;
    readonly certificateId: string;
    readonly certificate: Uint8Array;
    readonly privateKey: Uint8Array;
  },
): StoredDevice {
  const { thingName, certificateId: id, certificate } = device;
  const into = thingFolder(folder, thingName);
  makeFolder(into);
  const name = existsSync(join(into, "client.crt")) ? `client-${id.slice(0, 8)}` : "client";
  const stored = storePair(join(into, name), certificate, device.privateKey);
  return { ...stored, certificateId: id };
}

function thingFolder(folder: string, thingName: string): string {
  return join(folder, "things", thingName);
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
  const stored = storePair(path, issued.certificate, encodePrivateKey(issued.privateKey));
  return { issued, stored, created: true };
}

function storePair(path: string, certificate: Uint8Array, privateKey: Uint8Array): StoredCertificate {
  const certificateFile = `${path}.crt`;
  const privateKeyFile = `${path}.key`;
  const certificatePem = toPem("CERTIFICATE", certificate);
  const privateKeyPem = toPem("PRIVATE KEY", privateKey);
  // In this order a crash leaves a pair or no certificate, and never two files that do not belong together.
  remove(certificateFile);
  writeWhole(privateKeyFile, privateKeyPem, OWNER_ONLY);
  writeWhole(certificateFile, certificatePem, 0o644);
  return { certificatePem, privateKeyPem, certificateFile, privateKeyFile, certificate };
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
