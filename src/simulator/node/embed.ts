/**
 * A device's certificate and key as a JavaScript module of typed arrays, as the ESP32 examples embed theirs into the firmware: it works
 * where there is no file system. Refused is what would publish the key: a key or a module that git tracks, or would with the next `git add`.
 *
 * @module
 */

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { readInput } from "../../runtime/node-credentials.ts";
import { requireUntracked } from "../../runtime/node-git.ts";
import { nodeRandom } from "../../runtime/node-ports.ts";
import { finish } from "../../task.ts";
import { ThingError } from "../../thing/errors.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import { type Certificate, parseCertificate } from "../../tls/x509/certificate.ts";
import { oneLine } from "../../tls/x509/describe.ts";
import { encodePrivateKey, parsePrivateKey, requireKeyOf } from "../../tls/x509/keys.ts";
import { parseCertificateChain } from "../../tls/x509/trust.ts";
import { OWNER_ONLY, writeWhole } from "./write-file.ts";

/** The two files of a device. */
export interface CredentialSources {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

/** What {@link embedCredentials} read and wrote. */
export interface EmbeddedCredentials extends CredentialSources {
  /** The module that was written. */
  readonly out: string;
  /** The device's chain, leaf first. */
  readonly certificates: readonly Certificate[];
}

const AWS_CERTIFICATE = "-certificate.pem.crt";
const AWS_KEY = "-private.pem.key";

/**
 * Finds certificate and key in a folder: `client.crt` and `client.key`, or a pair as AWS IoT names its downloads,
 * `ID-certificate.pem.crt` and `ID-private.pem.key`.
 *
 * @throws ThingError `THING_FILE_UNREADABLE` where the folder cannot be read; UsageError where it holds no pair, or several.
 */
export function findCredentials(folder: string): CredentialSources {
  const names = readNames(folder);
  const pairs: CredentialSources[] = [];
  const add = (certificate: string, key: string): void => {
    if (names.includes(certificate) && names.includes(key))
      pairs.push({ certificateFile: join(folder, certificate), privateKeyFile: join(folder, key) });
  };
  add("client.crt", "client.key");
  for (const name of names)
    if (name.endsWith(AWS_CERTIFICATE)) add(name, name.slice(0, -AWS_CERTIFICATE.length) + AWS_KEY);
  const [pair, ...others] = pairs;
  if (pair === undefined)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `${folder} has neither client.crt and client.key nor a pair *${AWS_CERTIFICATE} and *${AWS_KEY}`,
    );
  if (others.length > 0)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `${folder} has several pairs (${pairs.map(({ certificateFile }) => certificateFile).join(", ")}): delete the others, or name one with --cert and --key`,
    );
  return pair;
}

/**
 * Checks that both files can be read, that the key belongs to the certificate, and that git neither tracks the key nor is about to track
 * the module; then writes the module: `certificate` and `privateKey` as `Uint8Array` in DER, and `certificates` with the whole chain. Only
 * the owner may read it.
 *
 * @throws ThingError `THING_FILE_UNREADABLE`, `THING_KEY_TRACKED`; UsageError where the module cannot be written; CertificateError for what the files hold, `X509_KEY_MISMATCH` among others.
 */
export function embedCredentials(sources: CredentialSources, out: string): EmbeddedCredentials {
  const chain = parseCertificateChain(readInput(sources.certificateFile, "certificate"));
  const certificates = chain.map(parseCertificate);
  const key = parsePrivateKey(readInput(sources.privateKeyFile, "private key"));
  finish(requireKeyOf(certificates[0]!, key, createCrypto(), nodeRandom));
  requireOther(out, sources);
  requireUntracked(realpathSync(sources.privateKeyFile), "the key", { ignored: false });
  requireUntracked(out, "the module with the key", { ignored: true });
  writeWhole(out, credentialsModule(certificates, encodePrivateKey(key)), OWNER_ONLY);
  return { ...sources, out, certificates };
}

/** The key may be the only one there is: nothing is written over it. */
function requireOther(out: string, { certificateFile, privateKeyFile }: CredentialSources): void {
  if (!existsSync(out)) return;
  for (const source of [certificateFile, privateKeyFile])
    if (realpathSync(source) === realpathSync(out))
      throw new UsageError("USAGE_INVALID_ARGUMENT", `the module would be written over ${source}`, { path: out });
}

function credentialsModule(certificates: readonly Certificate[], privateKey: Uint8Array): string {
  const [leaf, ...issuers] = certificates;
  const names = ["certificate", ...issuers.map((_, i) => `issuer${i + 1}`)];
  return [
    "// The credentials of a device, written by `npx thingwire embed`. Who has this file is the device: it never belongs in version control.",
    `// ${oneLine(leaf!)}`,
    "",
    "/** The device's certificate in DER. */",
    `export const certificate = ${typedArray(leaf!.der)};`,
    "",
    ...issuers.flatMap(({ der }, i) => [`const ${names[i + 1]} = ${typedArray(der)};`, ""]),
    "/** The certificate and those behind it, leaf first, in DER. */",
    `export const certificates = [${names.join(", ")}];`,
    "",
    "/** Its private key in PKCS#8 DER. */",
    `export const privateKey = ${typedArray(privateKey)};`,
    "",
  ].join("\n");
}

function typedArray(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 24) lines.push(`  ${bytes.subarray(at, at + 24).join(", ")},`);
  return `new Uint8Array([\n${lines.join("\n")}\n])`;
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? `${folder} is not there` : message;
    throw new ThingError("THING_FILE_UNREADABLE", reason, { path: folder }, error);
  }
}
