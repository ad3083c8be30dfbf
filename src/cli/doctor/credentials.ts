/**
 * The files of a device, checked before anything is dialled: what they hold, whether they belong together, and whether git tracks the key.
 *
 * @module
 */

import { isThingwireError } from "../../errors.ts";
import { finish } from "../../task.ts";
import type { PrivateKey } from "../../tls/crypto/provider.ts";
import { type Certificate, parseCertificate } from "../../tls/x509/certificate.ts";
import { oneLine } from "../../tls/x509/describe.ts";
import { keyBelongsTo, parsePrivateKey } from "../../tls/x509/keys.ts";
import { toPem } from "../../tls/x509/pem.ts";
import { bitLength } from "../../tls/x509/spki.ts";
import { type TrustAnchor, trustAnchors } from "../../tls/x509/trust.ts";
import type { Cause } from "./causes.ts";
import { type Contents, type Item, inspect } from "./file-contents.ts";
import type { DoctorOptions, DoctorPorts, FileContents } from "./ports.ts";
import type { CheckId, Findings } from "./report.ts";

/** What the files gave, as far as they could be read. */
export interface DeviceFiles {
  /** Leaf first. */
  readonly certificates: readonly Certificate[] | undefined;
  readonly privateKey: PrivateKey | undefined;
  /** `undefined` for Amazon's roots, empty where the CA file cannot be used. */
  readonly trust: readonly TrustAnchor[] | undefined;
}

/** Checks all files and what they say of each other. */
export function checkFiles(options: DoctorOptions, ports: DoctorPorts, findings: Findings): DeviceFiles {
  const certificateFile = openFile("certificate-file", options.certificate, ports, findings);
  const keyFile = openFile("key-file", options.privateKey, ports, findings);
  const swapped =
    holds(certificateFile, "private key") && holds(keyFile, "certificate") && !holds(keyFile, "private key");
  if (swapped) {
    findings.found("certificate-file", "DOCTOR_FILES_SWAPPED", `${options.certificate} holds a private key`);
    findings.found("key-file", "DOCTOR_FILES_SWAPPED", `${options.privateKey} holds a certificate`);
  }
  const certificates =
    swapped || certificateFile === undefined
      ? undefined
      : readCertificates(options.certificate, certificateFile, findings);
  const privateKey = swapped || keyFile === undefined ? undefined : readKey(options.privateKey, keyFile, findings);
  const trust = options.ca === undefined ? undefined : readTrust(options.ca, ports, findings);
  const ordered = checkPair(certificates, privateKey, ports, findings);
  checkTracked(options.privateKey, keyFile, ports, findings);
  return { certificates: ordered ? certificates : undefined, privateKey, trust };
}

function holds(contents: Contents | undefined, kind: Item["kind"]): boolean {
  return contents?.items.some((item) => item.kind === kind) === true;
}

/** A file that can be opened and is no ruin. */
function openFile(check: CheckId, path: string, ports: DoctorPorts, findings: Findings): Contents | undefined {
  const file = ports.readFile(path);
  if (file.bytes === undefined) {
    findings.found(check, causeOfSystem(file), `${path}: ${file.problem}`);
    return undefined;
  }
  const contents = inspect(file.bytes);
  if (contents.damage !== undefined) {
    const [cause, evidence] = contents.damage;
    findings.found(check, cause, `${path}: ${evidence}`);
    return undefined;
  }
  for (const [cause, evidence] of contents.notes) findings.found(check, cause, `${path}: ${evidence}`);
  return contents;
}

function causeOfSystem({ problem }: FileContents): Cause {
  if (problem === "ENOENT" || problem === "ENOTDIR") return "DOCTOR_FILE_MISSING";
  if (problem === "EFBIG") return "DOCTOR_FILE_FOREIGN";
  return problem === "EISDIR" ? "DOCTOR_FILE_IS_FOLDER" : "DOCTOR_FILE_UNREADABLE";
}

/** Where an item stands, in a file of several. */
function place(path: string, { line }: Item): string {
  return line === undefined ? path : `${path}, line ${line}`;
}

function readCertificates(path: string, contents: Contents, findings: Findings): Certificate[] | undefined {
  const check = "certificate-file";
  const other = contents.items.find(({ kind }) => kind !== "certificate");
  if (other !== undefined) {
    findings.found(check, notACertificate(other), `${place(path, other)}: ${article(other)}`);
    return undefined;
  }
  const certificates: Certificate[] = [];
  for (const item of contents.items) {
    try {
      certificates.push(parseCertificate(item.der));
    } catch (error) {
      if (!isThingwireError(error)) throw error;
      const where = `${error.code}${error.data["field"] === undefined ? "" : ` in ${error.data["field"]}`}`;
      findings.found(check, "DOCTOR_CERTIFICATE_MALFORMED", `${place(path, item)}: ${where}`, error);
      return undefined;
    }
  }
  if (contents.isDer) findings.found(check, "DOCTOR_FILE_DER", `${path}: a certificate in DER`);
  findings.ok(check, `${path}: ${oneLine(certificates[0]!)}${more(certificates.length - 1)}`);
  return certificates;
}

function more(count: number): string {
  return count === 0 ? "" : `, and ${count} more below it`;
}

function article({ kind, name }: Item): string {
  return kind === "other" ? name : `it holds ${kind === "encrypted private key" ? "an" : "a"} ${name}`;
}

function notACertificate({ kind }: Item): Cause {
  switch (kind) {
    case "private key":
    case "encrypted private key":
      return "DOCTOR_CERTIFICATE_IS_KEY";
    case "public key":
      return "DOCTOR_CERTIFICATE_IS_PUBLIC_KEY";
    case "request":
      return "DOCTOR_CERTIFICATE_IS_REQUEST";
    default:
      return "DOCTOR_FILE_FOREIGN";
  }
}

function readKey(path: string, contents: Contents, findings: Findings): PrivateKey | undefined {
  const check = "key-file";
  const keys = contents.items.filter(({ kind }) => kind === "private key" || kind === "encrypted private key");
  const [item] = keys;
  if (item === undefined) {
    const found = contents.items.find(({ name }) => name !== "EC PARAMETERS") ?? contents.items[0]!;
    findings.found(check, notAKey(found), `${place(path, found)}: ${article(found)}`);
    return undefined;
  }
  if (keys.length > 1) {
    const lines = keys.map(({ line }) => line).join(", ");
    findings.found(check, "DOCTOR_KEY_SEVERAL", `${path}: ${keys.length} private keys, in lines ${lines}`);
    return undefined;
  }
  if (item.kind === "encrypted private key") {
    findings.found(check, "DOCTOR_KEY_ENCRYPTED", `${place(path, item)}: ${article(item)}`);
    return undefined;
  }
  if (item.label === "OPENSSH PRIVATE KEY" || item.label === "DSA PRIVATE KEY") {
    findings.found(check, "DOCTOR_KEY_UNSUPPORTED", `${place(path, item)}: ${item.label}`);
    return undefined;
  }
  try {
    // With its label, which says how it is encoded: other programs go by it, and so does a thing.
    const key = parsePrivateKey(item.label === undefined ? item.der : toPem(item.label, item.der));
    if (contents.isDer) findings.found(check, "DOCTOR_FILE_DER", `${path}: a private key in DER`);
    findings.ok(check, `${path}: ${key.type === "rsa" ? `RSA, ${bitLength(key.modulus)} bit` : `EC, ${key.curve}`}`);
    return key;
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    const cause = error.code === "X509_KEY_UNSUPPORTED" ? "DOCTOR_KEY_UNSUPPORTED" : "DOCTOR_KEY_MALFORMED";
    // The codes and fields of a key's structure, never its octets.
    findings.found(check, cause, `${place(path, item)}: ${error.code}`, error);
    return undefined;
  }
}

function notAKey({ kind }: Item): Cause {
  switch (kind) {
    case "certificate":
      return "DOCTOR_KEY_IS_CERTIFICATE";
    case "public key":
      return "DOCTOR_KEY_IS_PUBLIC";
    case "request":
      return "DOCTOR_KEY_IS_REQUEST";
    default:
      return "DOCTOR_FILE_FOREIGN";
  }
}

function readTrust(path: string, ports: DoctorPorts, findings: Findings): readonly TrustAnchor[] {
  const check = "ca-file";
  const contents = openFile(check, path, ports, findings);
  if (contents === undefined) return [];
  const other = contents.items.find(({ kind }) => kind !== "certificate");
  if (other !== undefined) {
    findings.found(check, "DOCTOR_CA_UNUSABLE", `${place(path, other)}: ${article(other)}`);
    return [];
  }
  try {
    const anchors = trustAnchors(contents.items.map(({ der }) => der));
    findings.ok(check, `${path}: ${anchors.map(({ label }) => label).join("; ")}`);
    return anchors;
  } catch (error) {
    if (!isThingwireError(error)) throw error;
    findings.found(check, "DOCTOR_CA_UNUSABLE", `${path}: ${error.code}`, error);
    return [];
  }
}

/** Key and certificates together; false where the certificate is not one to go on with. */
function checkPair(
  certificates: readonly Certificate[] | undefined,
  key: PrivateKey | undefined,
  ports: DoctorPorts,
  findings: Findings,
): boolean {
  const [leaf] = certificates ?? [];
  if (certificates === undefined || leaf === undefined) {
    findings.skip("key-match", "there is no certificate");
    return false;
  }
  const owner = key === undefined ? undefined : certificates.findIndex((one) => belongs(one, key, ports));
  if (owner !== undefined && owner < 0 && leaf.basicConstraints?.ca === true) {
    findings.found("certificate-role", "DOCTOR_CERTIFICATE_IS_CA", oneLine(leaf));
    findings.skip("key-match", "the certificate is a CA's");
    return false;
  }
  if (owner === undefined) findings.skip("key-match", "there is no private key");
  else if (owner < 0) {
    const kind = key!.type === "rsa" ? `RSA, ${bitLength(key!.modulus)} bit` : `EC, ${key!.curve}`;
    findings.found(
      "key-match",
      "DOCTOR_KEY_MISMATCH",
      `the key is ${kind}, the certificate has another ${leaf.publicKeyAlgorithm}`,
    );
  } else if (owner > 0) {
    findings.found(
      "certificate-role",
      "DOCTOR_CHAIN_ORDER",
      `the key belongs to certificate ${owner + 1} of ${certificates.length}`,
    );
  } else findings.ok("key-match", leaf.publicKeyAlgorithm);
  return owner === undefined || owner <= 0;
}

function belongs(certificate: Certificate, key: PrivateKey, { crypto, runtime }: DoctorPorts): boolean {
  return finish(keyBelongsTo(certificate, key, crypto, runtime.random));
}

function checkTracked(path: string, contents: Contents | undefined, ports: DoctorPorts, findings: Findings): void {
  const check = "key-tracked";
  if (!holds(contents, "private key") && !holds(contents, "encrypted private key")) {
    findings.skip(check, "there is no private key");
    return;
  }
  const state = ports.gitState(path);
  if (state === "tracked") findings.found(check, "DOCTOR_KEY_TRACKED", `git ls-files names ${path}`);
  else if (state === "untracked") findings.found(check, "DOCTOR_KEY_UNTRACKED", path);
  else if (state === "unknown") findings.skip(check, "there is a repository, and git cannot be asked");
  else findings.ok(check, state === "ignored" ? "git ignores it" : "no git repository around it");
}
