/**
 * Credentials out of files, with errors that name the file and say what is wrong with it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { ThingError } from "../thing/errors.ts";

/** Paths of the files of a device. */
export interface CredentialFiles {
  /** The device's certificate or chain: `…-certificate.pem.crt`, `client.crt`. */
  readonly certificate: string;
  /** Its private key: `…-private.pem.key`, `client.key`. */
  readonly privateKey: string;
  /** CA certificates to trust instead of Amazon's roots. */
  readonly ca?: string | undefined;
}

/** What the files hold, as `connectThing` takes it: PEM or DER, unchanged. */
export interface Credentials {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
  /** Only where `ca` was named. */
  readonly trust?: Uint8Array;
}

/**
 * Reads the files of a device. Their contents are looked at by `connectThing`.
 *
 * @throws ThingError `THING_FILE_UNREADABLE` with the path and the system's reason.
 * @example
 * const thing = await connectThing({ endpoint, thingName, ...readCredentials({ certificate: "client.crt", privateKey: "client.key" }) });
 */
export function readCredentials(files: CredentialFiles): Credentials {
  return {
    certificate: readInput(files.certificate, "certificate"),
    privateKey: readInput(files.privateKey, "private key"),
    ...(files.ca === undefined ? {} : { trust: readTrust(files.ca) }),
  };
}

/**
 * Reads CA certificates, for the option `trust` of `connectThing`.
 *
 * @throws ThingError `THING_FILE_UNREADABLE`
 */
export function readTrust(ca: string): Uint8Array {
  return readInput(ca, "CA certificates");
}

/**
 * Reads a file that a user named.
 *
 * @param what it should hold, for the error: `certificate`.
 * @throws ThingError `THING_FILE_UNREADABLE` with the path and the system's reason.
 */
export function readInput(path: string, what: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ThingError(
      "THING_FILE_UNREADABLE",
      `${what}, ${path}: ${reason(code) ?? message}`,
      { path, code },
      error,
    );
  }
}

function reason(code: string | undefined): string | undefined {
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "this user may not read it";
    case "EISDIR":
      return "it is a folder";
    default:
      return undefined;
  }
}
