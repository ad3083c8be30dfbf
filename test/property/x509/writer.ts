/**
 * Certificates written without any restraint: each field as it is told, right or wrong, and signed by node:crypto with keys of a pool, so
 * that tens of thousands are made in a minute. `issueCertificate` writes only what a CA may write; here is the rest.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { concat } from "../../../src/bytes.ts";
import type { HashName, PrivateKey } from "../../../src/tls/crypto/provider.ts";
import {
  bitString,
  element,
  explicit,
  nullValue,
  objectIdentifier,
  sequence,
  smallInteger,
  time,
} from "../../../src/tls/x509/der-write.ts";
import { encodePrivateKey } from "../../../src/tls/x509/index.ts";
import { encodeExtension } from "../../../src/tls/x509/issue.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import { encodeSubjectPublicKeyInfo } from "../../../src/tls/x509/spki.ts";
import { ecKey, publicOf, rsaKey } from "../../unit/x509/node-double.ts";

/** A key pair of the pool. */
export interface PoolKey {
  readonly kind: "rsa" | "ec";
  readonly privateKey: PrivateKey;
  readonly keyObject: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** What certificates call it: 20 octets out of its bits. */
  readonly identifier: Uint8Array;
}

export function poolKey(privateKey: PrivateKey): PoolKey {
  const spki = encodeSubjectPublicKeyInfo(publicOf(privateKey));
  const keyObject = createPrivateKey({
    key: Buffer.from(encodePrivateKey(privateKey)),
    format: "der",
    type: "pkcs8",
  });
  return { kind: privateKey.type, privateKey, keyObject, spki, identifier: spki.slice(-20) };
}

/** As many keys as the widest hierarchy needs: EC mostly, for they sign fast. */
export function keyPool(): { readonly strong: readonly PoolKey[]; readonly weak: PoolKey } {
  return {
    strong: [
      ...Array.from({ length: 18 }, () => poolKey(ecKey())),
      ...Array.from({ length: 2 }, () => poolKey(ecKey("secp384r1"))),
      poolKey(ecKey("secp521r1")),
      ...Array.from({ length: 2 }, () => poolKey(rsaKey())),
    ],
    weak: poolKey(rsaKey(1024)),
  };
}

/** An extension, by its parts. */
export interface DraftExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** The DER of the value. */
  readonly value: Uint8Array;
}

/** GeneralNames by kind, as text. */
export interface Names {
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly email?: readonly string[];
  readonly uri?: readonly string[];
  readonly directory?: readonly Uint8Array[];
  /** DER of whole GeneralNames. */
  readonly raw?: readonly Uint8Array[];
}

/** A certificate to be written. */
export interface Draft {
  /** DER names. */
  subject: Uint8Array;
  issuer: Uint8Array;
  key: PoolKey;
  /** Instead of the key's own. */
  spki?: Uint8Array;
  signer: PoolKey;
  /** The INTEGER's octets as they stand. */
  serial: Uint8Array;
  version: 1 | 2 | 3;
  /** Milliseconds since 1970, or the DER of a Time. */
  notBefore: number | Uint8Array;
  notAfter: number | Uint8Array;
  hash: HashName;
  pss?: boolean;
  /** AlgorithmIdentifiers instead of the right one. */
  innerAlgorithm?: Uint8Array;
  outerAlgorithm?: Uint8Array;
  /** What its subjectAltName was made of. */
  names?: Names;
  /** By name; the DER of a whole Extension where a part of it is to be wrong. */
  extensions: Record<string, DraftExtension | Uint8Array>;
  /** Alters what is signed, before it is. */
  beforeSigning?: (tbs: Uint8Array) => Uint8Array;
  /** Alters the parts of the envelope, after. */
  afterSigning?: (parts: [tbs: Uint8Array, algorithm: Uint8Array, signature: Uint8Array]) => Uint8Array[];
}

const HASH_OIDS = { sha1: "id-sha1", sha256: "id-sha256", sha384: "id-sha384", sha512: "id-sha512" } as const;
const BYTES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** The AlgorithmIdentifier of a signature (RFC 4055, RFC 5758). */
export function signatureAlgorithm(kind: "rsa" | "ec", hash: HashName, pss = false): Uint8Array {
  const suffix = hash.toUpperCase() as Uppercase<HashName>;
  if (kind === "ec") return sequence(objectIdentifier(oids[`ecdsa-with-${suffix}`]));
  if (!pss) return sequence(objectIdentifier(oids[`${hash}WithRSAEncryption`]), nullValue());
  const hashed = sequence(objectIdentifier(oids[HASH_OIDS[hash]]), nullValue());
  return sequence(
    objectIdentifier(oids["id-RSASSA-PSS"]),
    sequence(
      explicit(0, hashed),
      explicit(1, sequence(objectIdentifier(oids["id-mgf1"]), hashed)),
      explicit(2, smallInteger(BYTES[hash])),
    ),
  );
}

export function extensionDer({ oid, critical, value }: DraftExtension): Uint8Array {
  return encodeExtension(oid, critical, value);
}

const timeDer = (at: number | Uint8Array): Uint8Array => (typeof at === "number" ? time(at) : at);

/** Writes and signs. */
export function write(draft: Draft): Uint8Array {
  const algorithm = signatureAlgorithm(draft.signer.kind, draft.hash, draft.pss);
  const inner = draft.innerAlgorithm ?? algorithm;
  const extensions = Object.values(draft.extensions).map((one) =>
    one instanceof Uint8Array ? one : extensionDer(one),
  );
  const written = sequence(
    ...(draft.version === 1 ? [] : [explicit(0, smallInteger(draft.version - 1))]),
    element(0x02, draft.serial),
    inner,
    draft.issuer,
    sequence(timeDer(draft.notBefore), timeDer(draft.notAfter)),
    draft.subject,
    draft.spki ?? draft.key.spki,
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  const tbs = draft.beforeSigning?.(written) ?? written;
  const padding = draft.pss === true ? { padding: 6, saltLength: BYTES[draft.hash] } : {};
  const signature = new Uint8Array(sign(draft.hash, tbs, { key: draft.signer.keyObject, ...padding }));
  const parts: [Uint8Array, Uint8Array, Uint8Array] = [tbs, draft.outerAlgorithm ?? inner, bitString(signature)];
  return sequence(concat(draft.afterSigning?.(parts) ?? parts));
}
