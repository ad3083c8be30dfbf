/** A small PKI for tests: CAs and leaves by one call each, right by default, wrong on demand. */

import { finish } from "../../../src/task.ts";
import type { PrivateKey } from "../../../src/tls/crypto/provider.ts";
import { DerReader } from "../../../src/tls/x509/der.ts";
import { sequence } from "../../../src/tls/x509/der-write.ts";
import {
  type IssueExtensions,
  issueCertificate,
  type NameInput,
  parseCertificate,
  type TrustAnchor,
  trustAnchors,
  type VerificationResult,
  type VerifyOptions,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { ecKey, nodeDouble, publicOf, random } from "./node-double.ts";

export const crypto = nodeDouble();
export const NOW = Date.UTC(2026, 0, 15);
export const DAY = 86_400_000;

export interface Entity {
  readonly name: NameInput;
  readonly key: PrivateKey;
  readonly der: Uint8Array;
}

export interface EntityOptions {
  readonly name?: string | NameInput;
  readonly issuer?: Entity | undefined;
  readonly key?: PrivateKey;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly extensions?: IssueExtensions;
  readonly serial?: number;
}

/** Any certificate; self-signed without an issuer. */
export function entity(options: EntityOptions): Entity {
  const name: NameInput =
    typeof options.name === "string" || options.name === undefined ? [["CN", options.name ?? "leaf"]] : options.name;
  const key = options.key ?? ecKey();
  const der = finish(
    issueCertificate({
      subject: name,
      issuer: options.issuer?.name,
      subjectPublicKey: publicOf(key),
      issuerKey: options.issuer?.key ?? key,
      serialNumber: Uint8Array.of(options.serial ?? 1),
      notBefore: options.notBefore ?? NOW - DAY,
      notAfter: options.notAfter ?? NOW + DAY,
      extensions: options.extensions,
      crypto,
      random,
    }),
  );
  return { name, key, der };
}

export function ca(name: string, issuer?: Entity, more: EntityOptions = {}): Entity {
  return entity({
    name,
    issuer,
    ...more,
    extensions: { ca: true, keyUsage: ["keyCertSign", "cRLSign"], ...more.extensions },
  });
}

export function server(issuer: Entity | undefined, more: EntityOptions = {}): Entity {
  return entity({
    name: "server",
    issuer,
    ...more,
    extensions: {
      keyUsage: ["digitalSignature"],
      extendedKeyUsage: ["serverAuth"],
      dnsNames: ["thing.example.com"],
      ...more.extensions,
    },
  });
}

export function anchors(...entities: Entity[]): readonly TrustAnchor[] {
  return trustAnchors(entities.map(({ der }) => der));
}

/** Verifies as a TLS client would, unless told otherwise. */
export function check(chain: readonly Entity[], trust: readonly TrustAnchor[], more: Partial<VerifyOptions> = {}) {
  return verifyCertificate({
    purpose: "server",
    serverName: "thing.example.com",
    chain: chain.map(({ der }) => der),
    trust,
    at: NOW,
    crypto,
    ...more,
  });
}

/** The codes of all problems; empty where the chain is accepted. */
export function codes(result: VerificationResult): string[] {
  if (result.ok !== (result.problems.length === 0)) throw new Error("ok and problems disagree");
  return result.problems.map(({ code }) => code);
}

export function subjects(result: VerificationResult): string[] {
  return result.path.map((certificate) => certificate.subject.toString());
}

/** The certificate with another algorithm OID (in hexadecimal) inside and outside, its lengths corrected; not signed again. */
export function withAlgorithm(der: Uint8Array, oid: string): Uint8Array {
  const algorithm = sequence(
    Uint8Array.from(Buffer.from(`06${(oid.length / 2).toString(16).padStart(2, "0")}${oid}`, "hex")),
  );
  const outer = new DerReader(der, "certificate", "X509_MALFORMED").sequence("");
  const tbs = outer.element("tbs").contents;
  const old = outer.element("algorithm").der;
  const at = Buffer.from(tbs).indexOf(old);
  const newTbs = sequence(tbs.subarray(0, at), algorithm, tbs.subarray(at + old.length));
  return sequence(newTbs, algorithm, outer.element("signature").der);
}

export { parseCertificate };
