/**
 * The object identifiers of encrypted private keys: apart from the others, so that who only verifies does not carry them.
 *
 * @module
 */

import { oidName } from "./oids.ts";

/** RFC 8018, RFC 7914, and the old schemes of PKCS#5 and PKCS#12, which are only named. */
export const encryptionOids = {
  "id-PBES2": "1.2.840.113549.1.5.13",
  "id-PBKDF2": "1.2.840.113549.1.5.12",
  "id-scrypt": "1.3.6.1.4.1.11591.4.11",
  hmacWithSHA1: "1.2.840.113549.2.7",
  hmacWithSHA224: "1.2.840.113549.2.8",
  hmacWithSHA256: "1.2.840.113549.2.9",
  hmacWithSHA384: "1.2.840.113549.2.10",
  hmacWithSHA512: "1.2.840.113549.2.11",
  "aes128-CBC-PAD": "2.16.840.1.101.3.4.1.2",
  "aes192-CBC-PAD": "2.16.840.1.101.3.4.1.22",
  "aes256-CBC-PAD": "2.16.840.1.101.3.4.1.42",
  "des-EDE3-CBC-Pad": "1.2.840.113549.3.7",
  "pbeWithMD5AndDES-CBC": "1.2.840.113549.1.5.3",
  "pbeWithSHA1AndDES-CBC": "1.2.840.113549.1.5.10",
  "pbeWithSHAAnd3-KeyTripleDES-CBC": "1.2.840.113549.1.12.1.3",
  "pbeWithSHAAnd40BitRC2-CBC": "1.2.840.113549.1.12.1.6",
} as const;

/** A standard's name for an OID of an encrypted key; the OID itself where none is known. */
export function encryptionName(oid: string): string {
  return Object.entries(encryptionOids).find(([, known]) => known === oid)?.[0] ?? oidName(oid);
}
