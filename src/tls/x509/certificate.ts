/**
 * A certificate, read: RFC 5280 §4.1 as a plain object of values and views.
 *
 * @module
 */

import type { PublicKey, SignatureAlgorithm } from "../crypto/provider.ts";

export interface NameAttribute {
  readonly oid: string;
  readonly name: string;
  readonly value: string;
}
export interface Name {
  readonly der: Uint8Array;
  readonly attributes: readonly (readonly NameAttribute[])[];
  toString(): string;
}
export type KeyUsage =
  | "digitalSignature"
  | "nonRepudiation"
  | "keyEncipherment"
  | "dataEncipherment"
  | "keyAgreement"
  | "keyCertSign"
  | "cRLSign"
  | "encipherOnly"
  | "decipherOnly";
export interface Certificate {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  readonly version: 1 | 2 | 3;
  readonly serialNumber: Uint8Array;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly publicKey: PublicKey | undefined;
  readonly publicKeyAlgorithm: string;
  readonly signatureAlgorithm: SignatureAlgorithm | undefined;
  readonly signatureAlgorithmOid: string;
  readonly signature: Uint8Array;
}
export declare function parseCertificate(der: Uint8Array): Certificate;
