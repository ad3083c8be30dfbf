/**
 * What may be wrong with a chain, one thing at a time: each defect spoils a right hierarchy and knows the codes that must come of it.
 *
 * @module
 */

import { concat } from "../../../src/bytes.ts";
import { contextTag, DerReader, tags } from "../../../src/tls/x509/der.ts";
import {
  bitString,
  booleanValue,
  element,
  explicit,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  smallInteger,
} from "../../../src/tls/x509/der-write.ts";
import type { CertificateErrorCode } from "../../../src/tls/x509/errors.ts";
import { oids } from "../../../src/tls/x509/oids.ts";
import {
  caConstraints,
  countedBelow,
  DAY,
  type Hierarchy,
  type HierarchyOptions,
  isAddress,
  isNameless,
  isSelfIssued,
  nameConstraints,
  nameDer,
  namesOf,
  setNames,
  standard,
  subjectAltName,
} from "./hierarchy.ts";
import { type Draft, type DraftExtension, extensionDer, type Names, signatureAlgorithm } from "./writer.ts";

/** One thing that is wrong. */
export interface Defect {
  readonly name: string;
  /** Which certificate it spoils; `whole` is none in particular. */
  readonly on: "leaf" | "ca" | "any" | "whole";
  /** The codes of all problems. */
  readonly codes: readonly CertificateErrorCode[];
  /** The certificate cannot even be read. */
  readonly isUnreadable?: boolean;
  /** What the hierarchy must be like. */
  readonly needs?: HierarchyOptions;
  /** Spoils it, or calls {@link unfit} where this one cannot be spoilt so. */
  readonly spoil: (draft: Draft, made: Hierarchy, depth: number) => void;
  /** The rule by which `openssl verify -x509_strict` accepts it; the certificate may differ from what it refuses. */
  readonly opensslAccepts?: string;
}

/** Says that a hierarchy cannot have a defect: another is to be drawn. */
export class Unfit extends Error {}

function unfit(): never {
  throw new Unfit();
}

const LINEAR: HierarchyOptions = { linear: true };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const second = (at: number): number => Math.floor(at / 1000) * 1000;

/** An extension with an unusable value. */
function badExtension(name: string, oid: string, value: Uint8Array, critical = false): Omit<Defect, "on"> {
  return {
    name,
    codes: ["X509_EXTENSION"],
    isUnreadable: true,
    spoil: (draft) => void (draft.extensions[oidKey(oid)] = { oid, critical, value }),
  };
}

function oidKey(oid: string): string {
  return Object.entries(oids).find(([, value]) => value === oid)?.[0] ?? oid;
}

/** A Time as text. */
function badTime(name: string, tag: number, value: string): Defect {
  return {
    name: `time: ${name}`,
    on: "any",
    codes: ["X509_DATE"],
    isUnreadable: true,
    spoil: (draft, { dice }) => void (draft[dice.chance(0.5) ? "notBefore" : "notAfter"] = element(tag, text(value))),
  };
}

/** Names of a leaf that are not those that it is verified for. */
function misnamed(name: string, names: (host: string) => Names | undefined, opensslAccepts?: string): Defect {
  return {
    name: `name: ${name}`,
    on: "leaf",
    codes: ["X509_NAME_MISMATCH"],
    needs: { purpose: "server" },
    spoil: (leaf, made) => {
      const wrong = names(made.serverName);
      if (wrong === undefined) unfit();
      setNames(leaf, wrong);
      withoutConstraints(made);
    },
    ...(opensslAccepts === undefined ? {} : { opensslAccepts }),
  };
}

/** Another rule than the one that is to fail must not fail too. */
function withoutConstraints({ spine, root }: Hierarchy): void {
  for (const draft of [...spine, root]) delete draft.extensions["nameConstraints"];
}

function withoutPathLengths({ spine, root }: Hierarchy): void {
  for (const ca of [...spine.slice(1), root]) ca.extensions["basicConstraints"] = caConstraints();
}

/** A leaf's names against the constraints of a CA of its path, or of the root. */
function constrained(name: string, more: Names, permitted: Names, excluded: Names, opensslAccepts?: string): Defect {
  return {
    name: `name constraints: ${name}`,
    on: "leaf",
    codes: ["X509_NAME_CONSTRAINTS"],
    spoil: (leaf, made) => {
      withoutConstraints(made);
      const names: Record<string, unknown> = { ...namesOf(leaf) };
      for (const [kind, list] of Object.entries(more)) names[kind] = [...((names[kind] as unknown[]) ?? []), ...list];
      setNames(leaf, names);
      const { dice, spine, root } = made;
      // Subjects of CAs are directory names too: what permits others stands where the leaf alone is below.
      const issuers = permitted["directory"] === undefined ? [...spine.slice(1), root] : [spine[1] ?? root];
      dice.pick(issuers).extensions["nameConstraints"] = nameConstraints(permitted, excluded);
    },
    ...(opensslAccepts === undefined ? {} : { opensslAccepts }),
  };
}

/** The names that a leaf needs anyhow, allowed beside what a constraint is to catch. */
const ALL_HOSTS = { dns: ["com", "org", "net"], ip: ["0.0.0.0/0", "::/0"] } as const;

function changed(octets: Uint8Array, at: number): Uint8Array {
  const copy = octets.slice();
  copy[at]! ^= 1;
  return copy;
}

/** Replaces the INTEGER of the serial number by another element. */
function serialElement(written: (serial: Uint8Array) => Uint8Array): Pick<Defect, "spoil"> {
  return {
    spoil: (draft) => {
      const right = element(tags.INTEGER, draft.serial);
      draft.beforeSigning = (tbs) => replaced(tbs, right, written(draft.serial));
    },
  };
}

/** A tbsCertificate in which the first occurrence of an element is another one. */
function replaced(tbs: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const reader = new DerReader(tbs, "", "X509_MALFORMED").sequence("");
  const parts: Uint8Array[] = [];
  let isDone = false;
  while (!reader.empty) {
    const { der } = reader.element("");
    const hit: boolean = !isDone && Buffer.compare(der, from) === 0;
    parts.push(hit ? to : der);
    isDone ||= hit;
  }
  if (!isDone) throw new Error("nothing to replace");
  return sequence(...parts);
}

const UNSUPPORTED = ["X509_UNSUPPORTED_ALGORITHM"] as const;
const NAMED_FORM = "RFC 9525 §6.3: a wildcard is a whole label";

export const defects: readonly Defect[] = [
  // ——— validity ———
  {
    name: "expired",
    on: "any",
    codes: ["X509_EXPIRED"],
    spoil: (draft, { dice, at }) => {
      draft.notAfter = second(at!) - 1000 * (1 + dice.below(1000));
      draft.notBefore = draft.notAfter - dice.below(1000) * DAY;
    },
  },
  {
    name: "expired a second ago",
    on: "any",
    codes: ["X509_EXPIRED"],
    spoil: (draft, { at }) => void (draft.notAfter = second(at!) - 1000),
    needs: LINEAR,
  },
  {
    name: "not yet valid",
    on: "any",
    codes: ["X509_NOT_YET_VALID"],
    spoil: (draft, { dice, at }) => {
      draft.notBefore = second(at!) + 1000 * (1 + dice.below(1000));
      draft.notAfter = draft.notBefore + dice.below(1000) * DAY;
    },
  },
  {
    name: "dates in the wrong order",
    on: "any",
    codes: ["X509_EXPIRED"],
    spoil: (draft, { at }) => {
      draft.notBefore = second(at!) + DAY;
      draft.notAfter = second(at!) - DAY;
    },
  },
  badTime("UTCTime without seconds", tags.UTC_TIME, "2601010000Z"),
  badTime("UTCTime with a zone", tags.UTC_TIME, "260101000000+0000"),
  badTime("UTCTime without Z", tags.UTC_TIME, "260101000000"),
  badTime("GeneralizedTime with a fraction", tags.GENERALIZED_TIME, "20260101000000.5Z"),
  badTime("month 13", tags.UTC_TIME, "261301000000Z"),
  badTime("30 February", tags.UTC_TIME, "260230000000Z"),
  badTime("second 60", tags.UTC_TIME, "260101000060Z"),
  badTime("a letter", tags.UTC_TIME, "26010100000oZ"),
  badTime("no Time at all", tags.UTF8_STRING, "260101000000Z"),

  // ——— signatures ———
  {
    name: "signed with another key",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft, { spare }) => {
      const other = spare.find(({ kind }) => kind === draft.signer.kind);
      if (other === undefined) unfit();
      draft.signer = other;
    },
  },
  {
    name: "a bit of the signature is wrong",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, algorithm, signature]) => [
        tbs,
        algorithm,
        changed(signature, signature.length - 1),
      ]),
  },
  {
    name: "the serial number changed after signing",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, ...rest]) => {
        const right = element(tags.INTEGER, draft.serial);
        return [replaced(tbs, right, element(tags.INTEGER, Uint8Array.of(77, 1))), ...rest];
      }),
  },
  {
    name: "an empty signature",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) => void (draft.afterSigning = ([tbs, algorithm]) => [tbs, algorithm, bitString(new Uint8Array(0))]),
  },
  {
    name: "an octet behind the signature",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, algorithm, signature]) => {
        const bits = new DerReader(signature, "", "X509_MALFORMED").octetAligned("");
        return [tbs, algorithm, bitString(concat([bits, Uint8Array.of(0)]))];
      }),
  },
  {
    name: "the algorithm is for another kind of key",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) =>
      void (draft.innerAlgorithm = signatureAlgorithm(draft.signer.kind === "rsa" ? "ec" : "rsa", draft.hash)),
  },
  {
    name: "the algorithm names another hash",
    on: "any",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (draft) =>
      void (draft.innerAlgorithm = signatureAlgorithm(
        draft.signer.kind,
        draft.hash === "sha256" ? "sha384" : "sha256",
        draft.pss,
      )),
  },

  // ——— algorithms ———
  {
    name: "algorithms inside and outside differ",
    on: "any",
    codes: ["X509_SIGNATURE_ALGORITHM"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.outerAlgorithm = signatureAlgorithm(
        draft.signer.kind,
        draft.hash === "sha256" ? "sha384" : "sha256",
      )),
  },
  {
    name: "algorithms inside and outside differ in their parameters",
    on: "any",
    codes: ["X509_SIGNATURE_ALGORITHM"],
    isUnreadable: true,
    spoil: (draft) => {
      if (draft.signer.kind !== "rsa" || draft.pss === true) unfit();
      draft.outerAlgorithm = sequence(objectIdentifier(oids[`${draft.hash as "sha256"}WithRSAEncryption`]));
    },
  },
  {
    name: "RSA with parameters that are not NULL",
    on: "any",
    codes: ["X509_SIGNATURE_ALGORITHM"],
    isUnreadable: true,
    spoil: (draft) => {
      if (draft.signer.kind !== "rsa") unfit();
      draft.pss = false;
      draft.innerAlgorithm = sequence(
        objectIdentifier(oids[`${draft.hash as "sha256"}WithRSAEncryption`]),
        octetString(),
      );
    },
    opensslAccepts: "RFC 4055 §5: the parameters are NULL",
  },
  {
    name: "ECDSA with parameters",
    on: "any",
    codes: ["X509_SIGNATURE_ALGORITHM"],
    isUnreadable: true,
    spoil: (draft) => {
      if (draft.signer.kind !== "ec") unfit();
      const suffix = draft.hash.toUpperCase() as "SHA256";
      draft.innerAlgorithm = sequence(objectIdentifier(oids[`ecdsa-with-${suffix}`]), nullValue());
    },
    opensslAccepts: "RFC 5758 §3.2: the parameters are absent",
  },
  {
    name: "SHA-1",
    on: "any",
    codes: ["X509_WEAK_HASH"],
    spoil: (draft) => {
      draft.hash = "sha1";
      draft.pss = false;
    },
    opensslAccepts: "openssl leaves it to its security level, which `verify` does not set",
  },
  {
    name: "MD5",
    on: "any",
    codes: ["X509_WEAK_HASH"],
    spoil: (draft) => void (draft.innerAlgorithm = sequence(objectIdentifier(oids.md5WithRSAEncryption), nullValue())),
  },
  {
    name: "an unknown signature algorithm",
    on: "any",
    codes: UNSUPPORTED,
    spoil: (draft) => void (draft.innerAlgorithm = sequence(objectIdentifier("1.3.101.112"))),
  },
  {
    name: "RSA-PSS with a longer salt",
    on: "any",
    codes: UNSUPPORTED,
    spoil: (draft) => {
      const hashed = sequence(objectIdentifier(oids["id-sha256"]), nullValue());
      draft.innerAlgorithm = sequence(
        objectIdentifier(oids["id-RSASSA-PSS"]),
        sequence(
          explicit(0, hashed),
          explicit(1, sequence(objectIdentifier(oids["id-mgf1"]), hashed)),
          explicit(2, smallInteger(33)),
        ),
      );
    },
  },
  {
    name: "RSA of 1024 bits",
    on: "leaf",
    codes: ["X509_WEAK_KEY"],
    spoil: (draft, { pool }) => void (draft.key = pool.weak),
    opensslAccepts: "openssl leaves it to its security level, which `verify` does not set",
  },
  {
    name: "RSA of 1024 bits in a CA",
    on: "ca",
    codes: ["X509_WEAK_KEY"],
    needs: LINEAR,
    spoil: (draft, { pool, spine }, depth) => {
      draft.key = pool.weak;
      const below = spine[depth - 1]!;
      below.signer = pool.weak;
      below.pss = false;
      if ("subjectKeyIdentifier" in draft.extensions)
        draft.extensions["subjectKeyIdentifier"] = standard({ subjectKeyIdentifier: pool.weak.identifier });
      if ("authorityKeyIdentifier" in below.extensions)
        below.extensions["authorityKeyIdentifier"] = standard({ authorityKeyIdentifier: pool.weak.identifier });
    },
    opensslAccepts: "openssl leaves it to its security level, which `verify` does not set",
  },
  {
    name: "a key of Ed25519",
    on: "leaf",
    codes: UNSUPPORTED,
    spoil: (draft) => {
      draft.spki = sequence(sequence(objectIdentifier("1.3.101.112")), bitString(draft.key.identifier.slice(0, 20)));
    },
    opensslAccepts: "the key's kind is not supported",
  },
  {
    name: "a compressed point",
    on: "leaf",
    codes: UNSUPPORTED,
    spoil: (draft) => {
      if (draft.key.privateKey.type !== "ec") unfit();
      const { curve, point } = draft.key.privateKey;
      const half = (point!.length - 1) / 2;
      const compressed = concat([Uint8Array.of(2 + (point![2 * half]! & 1)), point!.subarray(1, 1 + half)]);
      draft.spki = sequence(
        sequence(objectIdentifier(oids["id-ecPublicKey"]), objectIdentifier(oids[curve])),
        bitString(compressed),
      );
    },
    opensslAccepts: "RFC 8422 §5.1.2: TLS has uncompressed points only",
  },
  {
    name: "a point that is too short",
    on: "any",
    codes: ["X509_PUBLIC_KEY"],
    isUnreadable: true,
    spoil: (draft) => {
      if (draft.key.privateKey.type !== "ec") unfit();
      const { curve, point } = draft.key.privateKey;
      draft.spki = sequence(
        sequence(objectIdentifier(oids["id-ecPublicKey"]), objectIdentifier(oids[curve])),
        bitString(point!.subarray(0, -1)),
      );
    },
  },
  {
    name: "an RSA key without NULL",
    on: "any",
    codes: ["X509_PUBLIC_KEY"],
    isUnreadable: true,
    spoil: (draft) => {
      if (draft.key.privateKey.type !== "rsa") unfit();
      const info = new DerReader(draft.key.spki, "", "X509_PUBLIC_KEY").sequence("");
      info.element("");
      draft.spki = sequence(sequence(objectIdentifier(oids.rsaEncryption)), info.element("").der);
    },
    opensslAccepts: "RFC 3279 §2.3.1: the parameters are NULL",
  },
  {
    name: "an even RSA modulus",
    on: "leaf",
    codes: UNSUPPORTED,
    spoil: (draft) => {
      if (draft.key.privateKey.type !== "rsa") unfit();
      const { modulus, publicExponent } = draft.key.privateKey;
      const even = changed(modulus, modulus.length - 1);
      const numbers = sequence(element(tags.INTEGER, Uint8Array.of(0), even), element(tags.INTEGER, publicExponent));
      draft.spki = sequence(sequence(objectIdentifier(oids.rsaEncryption), nullValue()), bitString(numbers));
    },
    opensslAccepts: "no RSA modulus is even: openssl does not look at a leaf's key",
  },

  // ——— links and anchors ———
  {
    name: "the issuer is another name",
    on: "any",
    codes: ["X509_NOT_TRUSTED"],
    needs: LINEAR,
    spoil: (draft, { tag }) =>
      void (draft.issuer = nameDer([
        ["O", `Things ${tag}`],
        ["CN", "Somebody else"],
      ])),
  },
  {
    name: "the issuer's name differs in a letter that looks alike",
    on: "any",
    codes: ["X509_NOT_TRUSTED"],
    needs: LINEAR,
    spoil: (draft, { tag }) =>
      void (draft.issuer = nameDer([
        ["O", `Тhings ${tag}`],
        ["CN", "Root CA"],
      ])),
  },
  {
    name: "the issuer's attributes in another order",
    on: "any",
    codes: ["X509_NOT_TRUSTED"],
    needs: LINEAR,
    spoil: (draft, { tag }) =>
      void (draft.issuer = nameDer([
        ["CN", "Root CA"],
        ["O", `Things ${tag}`],
      ])),
  },
  {
    name: "an intermediate is missing",
    on: "ca",
    codes: ["X509_NOT_TRUSTED"],
    needs: { linear: true },
    spoil: (draft, { spine }, depth) => {
      if (isSelfIssued(draft) || isSelfIssued(spine[depth - 1]!)) unfit();
      spine.splice(depth, 1);
    },
  },
  {
    name: "the root is not trusted",
    on: "whole",
    codes: ["X509_NOT_TRUSTED"],
    needs: LINEAR,
    spoil: (_, made) => {
      const other = {
        ...made.root,
        subject: nameDer([
          ["O", `Things ${made.tag}`],
          ["CN", "Another root"],
        ]),
      };
      // The real root may be among what the peer sends, which makes it no more than that.
      made.surplus.length = 0;
      Object.assign(made, { root: { ...other, issuer: other.subject } });
    },
  },
  {
    name: "a root of the same name with another key",
    on: "whole",
    codes: ["X509_BAD_SIGNATURE"],
    needs: LINEAR,
    spoil: (_, made) => {
      const key = made.spare.pop()!;
      made.surplus.length = 0;
      Object.assign(made, { root: { ...made.root, key, signer: key, extensions: { ...made.root.extensions } } });
      made.root.extensions["subjectKeyIdentifier"] = standard({ subjectKeyIdentifier: key.identifier });
      delete made.root.extensions["authorityKeyIdentifier"];
    },
  },
  {
    name: "self-signed",
    on: "whole",
    codes: ["X509_NOT_TRUSTED"],
    needs: { linear: true, depth: 1 },
    spoil: (_, { spine }) => {
      const leaf = spine[0]!;
      if (isNameless(leaf)) unfit();
      leaf.issuer = leaf.subject;
      leaf.signer = leaf.key;
      leaf.pss = false;
      delete leaf.extensions["authorityKeyIdentifier"];
    },
  },
  {
    name: "CAs that sign each other, and no anchor",
    on: "whole",
    codes: ["X509_NOT_TRUSTED"],
    needs: { linear: true, depth: 3 },
    spoil: (_, { spine }) => {
      const [top, below] = [spine.at(-1)!, spine.at(-2)!];
      if (isSelfIssued(top) || isSelfIssued(below) || below === spine[0]) unfit();
      top.issuer = below.subject;
      top.signer = below.key;
      top.pss = false;
      delete top.extensions["authorityKeyIdentifier"];
    },
  },
  {
    name: "an anchor that is no CA",
    on: "whole",
    codes: ["X509_NOT_A_CA"],
    needs: LINEAR,
    spoil: (_, made) => {
      made.root.extensions["basicConstraints"] = standard({ ca: false });
      delete made.root.extensions["keyUsage"];
      made.surplus.length = 0;
    },
  },
  {
    name: "an anchor that may not sign certificates",
    on: "whole",
    codes: ["X509_NOT_A_CA"],
    needs: LINEAR,
    spoil: (_, made) => {
      made.root.extensions["keyUsage"] = standard({ keyUsage: ["digitalSignature", "cRLSign"] });
      made.surplus.length = 0;
    },
  },
  {
    name: "an anchor with an unknown critical extension",
    on: "whole",
    codes: ["X509_UNKNOWN_CRITICAL_EXTENSION"],
    needs: LINEAR,
    spoil: (_, { root }) =>
      void (root.extensions["critical"] = { oid: "1.3.6.1.4.1.99999.2", critical: true, value: nullValue() }),
  },
  {
    name: "more certificates than a chain may have",
    on: "whole",
    codes: ["X509_LIMIT"],
    spoil: (_, { spine, surplus }) =>
      void surplus.push(...Array.from({ length: 33 }, (_, i) => ({ ...spine[0]!, serial: Uint8Array.of(1, i) }))),
    opensslAccepts: "a bound of ours",
  },
  {
    name: "the time is unknown",
    on: "whole",
    codes: ["X509_TIME_UNKNOWN"],
    spoil: (_, made) => void (made.at = undefined),
    opensslAccepts: "openssl has a clock always",
  },

  // ——— CAs ———
  {
    name: "no basicConstraints",
    on: "ca",
    codes: ["X509_NOT_A_CA"],
    spoil: (draft) => {
      delete draft.extensions["basicConstraints"];
      delete draft.extensions["keyUsage"];
    },
  },
  {
    name: "no basicConstraints, but keyCertSign",
    on: "ca",
    codes: ["X509_NOT_A_CA", "X509_KEY_USAGE"],
    spoil: (draft) => {
      delete draft.extensions["basicConstraints"];
      draft.extensions["keyUsage"] = standard({ keyUsage: ["keyCertSign"] });
    },
  },
  {
    name: "cA FALSE",
    on: "ca",
    codes: ["X509_NOT_A_CA"],
    spoil: (draft) => {
      draft.extensions["basicConstraints"] = standard({ ca: false });
      delete draft.extensions["keyUsage"];
    },
  },
  {
    name: "keyCertSign is missing",
    on: "ca",
    codes: ["X509_NOT_A_CA"],
    spoil: (draft) => void (draft.extensions["keyUsage"] = standard({ keyUsage: ["digitalSignature", "cRLSign"] })),
  },
  {
    name: "a CA of version 1",
    on: "ca",
    codes: ["X509_NOT_A_CA"],
    spoil: (draft) => {
      draft.version = 1;
      draft.extensions = {};
    },
  },
  {
    name: "a CA of version 2",
    on: "ca",
    codes: ["X509_NOT_A_CA"],
    spoil: (draft) => {
      draft.version = 2;
      draft.extensions = {};
    },
  },
  {
    name: "issued by a leaf",
    on: "whole",
    codes: ["X509_NOT_A_CA"],
    spoil: (_, made) => {
      const leaf = made.spine[0]!;
      if (isNameless(leaf)) unfit();
      withoutPathLengths(made);
      const below: Draft = { ...leaf, issuer: leaf.subject, signer: leaf.key, pss: false, serial: Uint8Array.of(5) };
      below.key = made.spare.pop()!;
      below.subject = nameDer([
        ["O", `Things ${made.tag}`],
        ["CN", "Below a leaf"],
      ]);
      below.extensions = { ...leaf.extensions };
      made.spine.unshift(below);
      setNames(below, namesOf(leaf));
      delete below.extensions["authorityKeyIdentifier"];
    },
  },
  {
    name: "pathLenConstraint exceeded",
    on: "ca",
    codes: ["X509_PATH_LENGTH"],
    spoil: (draft, { spine }, depth) => {
      const counted = countedBelow(spine, depth);
      if (counted === 0) unfit();
      draft.extensions["basicConstraints"] = caConstraints(counted - 1);
    },
  },
  {
    name: "the anchor's pathLenConstraint exceeded",
    on: "whole",
    codes: ["X509_PATH_LENGTH"],
    needs: LINEAR,
    spoil: (_, { spine, root }) => {
      const counted = countedBelow(spine, spine.length);
      if (counted === 0) unfit();
      root.extensions["basicConstraints"] = caConstraints(counted - 1);
    },
  },
  {
    name: "more intermediates than the caller allows",
    on: "whole",
    codes: ["X509_PATH_LENGTH"],
    needs: LINEAR,
    spoil: (_, made) => {
      const counted = countedBelow(made.spine, made.spine.length);
      if (counted === 0) unfit();
      made.maxIntermediates = counted - 1;
    },
    opensslAccepts: "an option of ours",
  },

  // ——— purposes ———
  {
    name: "the leaf is for the other purpose",
    on: "leaf",
    codes: ["X509_EXTENDED_KEY_USAGE"],
    spoil: (draft, { purpose }) =>
      void (draft.extensions["extKeyUsage"] = standard({
        extendedKeyUsage: [purpose === "server" ? "clientAuth" : "serverAuth", "codeSigning"],
      })),
  },
  {
    name: "the leaf is for an unknown purpose",
    on: "leaf",
    codes: ["X509_EXTENDED_KEY_USAGE"],
    spoil: (draft) => void (draft.extensions["extKeyUsage"] = standard({ extendedKeyUsage: ["1.3.6.1.4.1.99999.3"] })),
  },
  {
    name: "a CA for the other purpose",
    on: "ca",
    codes: ["X509_EXTENDED_KEY_USAGE"],
    spoil: (draft, { purpose }) =>
      void (draft.extensions["extKeyUsage"] = standard({
        extendedKeyUsage: [purpose === "server" ? "clientAuth" : "serverAuth"],
      })),
  },
  {
    name: "an anchor for the other purpose",
    on: "whole",
    codes: ["X509_EXTENDED_KEY_USAGE"],
    needs: LINEAR,
    spoil: (_, { root, purpose }) =>
      void (root.extensions["extKeyUsage"] = standard({
        extendedKeyUsage: [purpose === "server" ? "clientAuth" : "serverAuth"],
      })),
  },
  {
    name: "the leaf may not sign",
    on: "leaf",
    codes: ["X509_KEY_USAGE"],
    spoil: (draft) => void (draft.extensions["keyUsage"] = standard({ keyUsage: ["keyEncipherment", "keyAgreement"] })),
    opensslAccepts:
      "RFC 5246 §7.4.2: the ephemeral exchange needs digitalSignature, openssl takes any use that some TLS has",
  },
  {
    name: "a leaf with keyCertSign that is no CA",
    on: "leaf",
    codes: ["X509_KEY_USAGE"],
    spoil: (draft) => {
      draft.extensions["keyUsage"] = standard({ keyUsage: ["digitalSignature", "keyCertSign"] });
      delete draft.extensions["basicConstraints"];
    },
  },

  // ——— name constraints ———
  constrained("DNS name not permitted", { dns: ["www.example.edu"] }, ALL_HOSTS, {}),
  constrained("DNS name excluded", { dns: ["www.example.edu"] }, {}, { dns: ["example.edu"] }),
  constrained("DNS name excluded, capitals", { dns: ["WWW.Example.EDU"] }, {}, { dns: ["eXample.edu"] }),
  constrained(
    "DNS name that only ends like one permitted",
    { dns: ["notexample.edu"] },
    { dns: ["example.edu", ...ALL_HOSTS.dns] },
    {},
  ),
  constrained(
    "wildcard that stands for an excluded name",
    { dns: ["*.example.edu"] },
    {},
    { dns: ["www.example.edu"] },
    "RFC 5280 §4.2.1.10: a wildcard stands for the excluded name too",
  ),
  constrained("no DNS name permitted", { dns: ["www.example.edu"] }, {}, { dns: [""] }),
  constrained("IPv4 not permitted", { ip: ["203.0.113.1"] }, { ip: ["192.0.2.0/24", "198.51.100.0/24"] }, {}),
  constrained("IPv4 excluded", { ip: ["203.0.113.1"] }, {}, { ip: ["203.0.113.0/25"] }),
  constrained("IPv6 not permitted", { ip: ["2001:db8:1::1"] }, { ip: ["2001:db8::/48", "0.0.0.0/0"] }, {}),
  constrained("IPv6 excluded", { ip: ["2001:db8:1::1"] }, {}, { ip: ["2001:db8:1::/64"] }),
  constrained("IPv4 where only IPv6 is permitted", { ip: ["203.0.113.1"] }, { ip: ["::/0"] }, {}),
  constrained(
    "mailbox not permitted",
    { email: ["user@example.edu"] },
    { email: ["other@example.edu", "mail.example.com"] },
    {},
  ),
  constrained("mailbox excluded", { email: ["user@example.edu"] }, {}, { email: ["example.edu"] }),
  constrained(
    "mailbox on a host below the one permitted",
    { email: ["user@a.example.edu"] },
    { email: ["example.edu", "mail.example.com"] },
    {},
  ),
  constrained("URI not permitted", { uri: ["https://a.example.edu/"] }, { uri: [".example.com"] }, {}),
  constrained("URI excluded", { uri: ["https://u@a.example.edu:8443/x"] }, {}, { uri: [".example.edu"] }),
  constrained("URI without a host", { uri: ["urn:uuid:1"] }, { uri: [".example.com"] }, {}),
  constrained(
    "directory name not permitted",
    { directory: [nameDer([["O", "Else"]])] },
    { directory: [nameDer([["O", "Only"]])] },
    {},
  ),
  constrained(
    "directory name excluded",
    {
      directory: [
        nameDer([
          ["O", "Else"],
          ["CN", "x"],
        ]),
      ],
    },
    {},
    { directory: [nameDer([["O", " ELSE "]])] },
  ),
  constrained(
    "a form that is not understood",
    { raw: [element(contextTag(8, false), Uint8Array.of(42, 3, 4))] },
    { raw: [element(contextTag(8, false), Uint8Array.of(42, 3, 4))] },
    {},
  ),
  {
    name: "name constraints: the subject is not permitted",
    on: "whole",
    codes: ["X509_NAME_CONSTRAINTS"],
    spoil: (_, made) => {
      withoutConstraints(made);
      const { spine, root, dice } = made;
      // The lowest of the CAs, so that the leaf alone is below it.
      const issuer = spine[1] ?? root;
      if (isNameless(spine[0]!)) unfit();
      issuer.extensions["nameConstraints"] = dice.chance(0.5)
        ? nameConstraints({ directory: [nameDer([["O", "Only"]])] }, {})
        : nameConstraints({}, { directory: [spine[0]!.subject] });
    },
  },
  {
    name: "name constraints: a self-issued leaf is not permitted",
    on: "leaf",
    codes: ["X509_NAME_CONSTRAINTS"],
    needs: LINEAR,
    spoil: (leaf, made) => {
      withoutConstraints(made);
      leaf.subject = leaf.issuer;
      (made.spine[1] ?? made.root).extensions["nameConstraints"] = nameConstraints({}, { directory: [leaf.subject] });
    },
  },
  {
    name: "name constraints: a CA's subject is not permitted",
    on: "ca",
    codes: ["X509_NAME_CONSTRAINTS"],
    spoil: (draft, made) => {
      if (isSelfIssued(draft)) unfit();
      withoutConstraints(made);
      made.root.extensions["nameConstraints"] = nameConstraints({}, { directory: [draft.subject] });
    },
  },
  {
    name: "name constraints: a mailbox in the subject",
    on: "leaf",
    codes: ["X509_NAME_CONSTRAINTS"],
    spoil: (leaf, made) => {
      withoutConstraints(made);
      const { email, ...names } = namesOf(leaf);
      if (email !== undefined || made.purpose === "server") unfit();
      delete leaf.extensions["subjectAltName"];
      leaf.subject = nameDer([
        ["O", `Things ${made.tag}`],
        [oids.emailAddress, "user@example.edu"],
      ]);
      void names;
      (made.spine[1] ?? made.root).extensions["nameConstraints"] = nameConstraints({}, { email: ["example.edu"] });
    },
  },

  // ——— extensions ———
  {
    name: "an unknown critical extension",
    on: "any",
    codes: ["X509_UNKNOWN_CRITICAL_EXTENSION"],
    spoil: (draft) =>
      void (draft.extensions["critical"] = { oid: "1.3.6.1.4.1.99999.2", critical: true, value: nullValue() }),
  },
  {
    name: "an extension twice",
    on: "any",
    codes: ["X509_EXTENSION"],
    isUnreadable: true,
    opensslAccepts: "RFC 5280 §4.2: not more than one of a kind; openssl counts those that it reads",
    spoil: (draft) => {
      const one = Object.values(draft.extensions).find((extension) => !(extension instanceof Uint8Array));
      if (one === undefined) unfit();
      draft.extensions["again"] = one;
    },
  },
  {
    name: "an empty list of extensions",
    on: "any",
    codes: ["X509_EXTENSION"],
    isUnreadable: true,
    spoil: (draft) => {
      const all = explicit(
        3,
        sequence(...Object.values(draft.extensions).map((one) => extensionDer(one as DraftExtension))),
      );
      draft.beforeSigning = (tbs) => replaced(tbs, all, explicit(3, sequence()));
    },
    opensslAccepts: "RFC 5280 §4.1: SIZE (1..MAX)",
  },
  {
    name: "an octet behind the extensions",
    on: "any",
    codes: ["X509_EXTENSION"],
    isUnreadable: true,
    spoil: (draft) => {
      const list = sequence(...Object.values(draft.extensions).map((one) => extensionDer(one as DraftExtension)));
      draft.beforeSigning = (tbs) => replaced(tbs, explicit(3, list), explicit(3, list, nullValue()));
    },
  },
  {
    ...badExtension(
      "basicConstraints: cA is 01",
      oids.basicConstraints,
      sequence(element(tags.BOOLEAN, Uint8Array.of(1))),
      true,
    ),
    on: "any",
    opensslAccepts: "X.690 §11.1: TRUE is FF",
  },
  {
    ...badExtension(
      "basicConstraints: a negative length",
      oids.basicConstraints,
      sequence(booleanValue(true), element(tags.INTEGER, Uint8Array.of(0xff))),
      true,
    ),
    on: "any",
  },
  {
    ...badExtension(
      "basicConstraints: an octet too many",
      oids.basicConstraints,
      concat([sequence(booleanValue(true)), Uint8Array.of(5, 0)]),
      true,
    ),
    on: "ca",
    opensslAccepts: "X.690 §8.1.1: nothing stands behind a value",
  },
  { ...badExtension("keyUsage: no bit is set", oids.keyUsage, bitString(Uint8Array.of(0), 7), true), on: "any" },
  {
    ...badExtension(
      "keyUsage: unused bits are set",
      oids.keyUsage,
      element(tags.BIT_STRING, Uint8Array.of(7, 0xff)),
      true,
    ),
    on: "any",
    opensslAccepts: "X.690 §11.2.1: unused bits are zero",
  },
  { ...badExtension("extKeyUsage: empty", oids.extKeyUsage, sequence()), on: "any" },
  {
    ...badExtension(
      "extKeyUsage: an OID with leading zeros",
      oids.extKeyUsage,
      sequence(element(tags.OID, Uint8Array.of(0x2b, 0x80, 6))),
    ),
    on: "any",
  },
  { ...badExtension("subjectAltName: empty", oids.subjectAltName, sequence()), on: "leaf" },
  {
    ...badExtension(
      "subjectAltName: an address of five octets",
      oids.subjectAltName,
      sequence(element(contextTag(7, false), new Uint8Array(5))),
    ),
    on: "leaf",
    opensslAccepts: "RFC 5280 §4.2.1.6: four octets or sixteen",
  },
  {
    ...badExtension(
      "subjectAltName: UTF-8",
      oids.subjectAltName,
      sequence(element(contextTag(2, false), text("bücher.example.net"))),
    ),
    on: "leaf",
    opensslAccepts: "RFC 5280 §4.2.1.6: an IA5String",
  },
  {
    ...badExtension(
      "subjectAltName: an unknown kind",
      oids.subjectAltName,
      sequence(element(contextTag(9, false), text("x"))),
    ),
    on: "leaf",
  },
  {
    ...badExtension("nameConstraints: empty", oids.nameConstraints, sequence(), true),
    on: "ca",
    opensslAccepts: "RFC 5280 §4.2.1.10: not an empty sequence",
  },
  {
    ...badExtension(
      "nameConstraints: an address without its mask",
      oids.nameConstraints,
      sequence(explicit(0, sequence(element(contextTag(7, false), new Uint8Array(4))))),
      true,
    ),
    on: "ca",
    opensslAccepts: "RFC 5280 §4.2.1.10: eight octets or thirty-two; openssl looks where there are addresses below",
  },
  {
    ...badExtension(
      "nameConstraints: a minimum",
      oids.nameConstraints,
      sequence(
        explicit(
          0,
          sequence(element(contextTag(2, false), text("a")), element(contextTag(0, false), Uint8Array.of(1))),
        ),
      ),
      true,
    ),
    on: "ca",
    opensslAccepts: "RFC 5280 §4.2.1.10: the minimum is 0; openssl looks where there are names of the kind below",
  },
  {
    ...badExtension(
      "authorityKeyIdentifier: critical",
      oids.authorityKeyIdentifier,
      sequence(element(contextTag(0, false), new Uint8Array(20))),
      true,
    ),
    on: "any",
  },
  {
    ...badExtension("subjectKeyIdentifier: critical", oids.subjectKeyIdentifier, octetString(new Uint8Array(20)), true),
    on: "any",
  },

  // ——— the rest of tbsCertificate ———
  {
    name: "extensions in version 1",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) => void (draft.version = 1),
  },
  {
    name: "version 1 written out",
    on: "any",
    codes: ["X509_VERSION"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.beforeSigning = (tbs) => replaced(tbs, explicit(0, smallInteger(2)), explicit(0, smallInteger(0)))),
  },
  {
    name: "version 4",
    on: "any",
    codes: ["X509_VERSION"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.beforeSigning = (tbs) => replaced(tbs, explicit(0, smallInteger(2)), explicit(0, smallInteger(3)))),
    opensslAccepts: "RFC 5280 §4.1.2.1: there are three versions",
  },
  {
    name: "a serial number of 22 octets",
    on: "any",
    codes: ["X509_SERIAL"],
    isUnreadable: true,
    spoil: (draft) => void (draft.serial = new Uint8Array(22).fill(1)),
    opensslAccepts: "RFC 5280 §4.1.2.2: 20 octets at most",
  },
  {
    name: "a serial number not in its shortest form",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    ...serialElement(() => element(tags.INTEGER, Uint8Array.of(0, 1))),
  },
  {
    name: "an empty serial number",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    ...serialElement(() => element(tags.INTEGER)),
  },
  {
    name: "an empty issuer",
    on: "any",
    codes: ["X509_NAME"],
    isUnreadable: true,
    spoil: (draft) => void (draft.issuer = nameDer([])),
  },
  {
    name: "an empty subject without a critical subjectAltName",
    on: "leaf",
    codes: ["X509_NAME"],
    spoil: (leaf) => {
      leaf.subject = nameDer([]);
      setNames(leaf, namesOf(leaf), false);
    },
  },
  {
    name: "a name whose text is no UTF-8",
    on: "leaf",
    codes: ["X509_NAME"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.subject = sequence(
        element(
          tags.SET,
          sequence(objectIdentifier(oids.commonName), element(tags.UTF8_STRING, Uint8Array.of(0xc3, 0x28))),
        ),
      )),
  },
  {
    name: "an octet behind tbsCertificate's last field",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.beforeSigning = (tbs) => {
        const { contents } = new DerReader(tbs, "", "X509_MALFORMED").element("");
        return sequence(contents, nullValue());
      }),
  },

  // ——— DER ———
  {
    name: "an element behind the signature",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) => void (draft.afterSigning = (parts) => [...parts, nullValue()]),
  },
  {
    name: "a length not in its shortest form",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, algorithm, signature]) => {
        const { contents } = new DerReader(signature, "", "X509_MALFORMED").element("");
        const length = [0x83, 0, contents.length >> 8, contents.length & 255];
        return [tbs, algorithm, concat([Uint8Array.of(tags.BIT_STRING, ...length), contents])];
      }),
    opensslAccepts: "X.690 §10.1: DER has the shortest length",
  },
  {
    name: "an indefinite length",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, algorithm, signature]) => {
        const { contents } = new DerReader(tbs, "", "X509_MALFORMED").element("");
        return [concat([Uint8Array.of(0x30, 0x80), contents, Uint8Array.of(0, 0)]), algorithm, signature];
      }),
  },
  {
    name: "a signature with unused bits",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) =>
      void (draft.afterSigning = ([tbs, algorithm]) => [
        tbs,
        algorithm,
        element(tags.BIT_STRING, Uint8Array.of(4, 0x10)),
      ]),
  },
  {
    name: "no signature",
    on: "any",
    codes: ["X509_MALFORMED"],
    isUnreadable: true,
    spoil: (draft) => void (draft.afterSigning = ([tbs, algorithm]) => [tbs, algorithm]),
  },

  // ——— names of servers ———
  misnamed("another host", () => ({ dns: ["elsewhere.example.com"], ip: ["203.0.113.9"] })),
  misnamed("a host that only ends alike", (host) => ({ dns: [`x${host}`, `x.${host}`] })),
  misnamed("a host that only starts alike", (host) => ({ dns: [`${host}.example.edu`] })),
  misnamed("an address in a DNS name", (host) => (isAddress(host) ? { dns: [host] } : undefined)),
  misnamed("a host in another kind of name", (host) => ({ email: [`user@${host}`], uri: [`https://${host}/`] })),
  misnamed(
    "a wildcard for a part of the label",
    (host) => (isAddress(host) ? undefined : { dns: [`${host.slice(0, 2)}*${host.slice(host.indexOf("."))}`] }),
    NAMED_FORM,
  ),
  misnamed("a wildcard alone", (host) => (isAddress(host) ? undefined : { dns: ["*"] })),
  misnamed("a wildcard for two labels", (host) =>
    isAddress(host) ? undefined : { dns: [`*.${host.split(".").slice(2).join(".")}`] },
  ),
  misnamed("a wildcard for a label of the middle", (host) =>
    isAddress(host) ? undefined : { dns: [host.replace(/\.[^.]*\./, ".*.")] },
  ),
  misnamed("a wildcard twice", (host) =>
    isAddress(host) ? undefined : { dns: [host.replace(/^[^.]*\.[^.]*/, "*.*")] },
  ),
  misnamed("a wildcard for a host's own label and no more", (host) =>
    isAddress(host) ? undefined : { dns: [`*.${host}`] },
  ),
  misnamed("a wildcard in an address", (host) =>
    isAddress(host) ? { dns: [host.replace(/^[^.:]*/, "*")] } : undefined,
  ),
  misnamed("NUL behind the host", (host) => ({ dns: [`${host}\0.example.edu`] })),
  misnamed("a space behind the host", (host) => ({ dns: [`${host} `] })),
  misnamed("a dot behind the host", (host) => ({ dns: [`${host}.`] })),
  misnamed("another address", (host) => (isAddress(host) ? { ip: ["192.0.2.8", "2001:db8::8"] } : undefined)),
  misnamed("an IPv4 address mapped into IPv6", (host) =>
    host.includes(".") && isAddress(host) ? { ip: [`::ffff:${host}`] } : undefined,
  ),
  {
    name: "name: the common name only",
    on: "leaf",
    codes: ["X509_NAME_MISMATCH"],
    needs: { purpose: "server" },
    spoil: (leaf, made) => {
      withoutConstraints(made);
      leaf.subject = nameDer([
        ["O", `Things ${made.tag}`],
        ["CN", made.serverName],
      ]);
      delete leaf.extensions["subjectAltName"];
    },
    opensslAccepts: "RFC 9525 §2: the common name is no host name",
  },
  {
    name: "name: the common name beside another kind of name",
    on: "leaf",
    codes: ["X509_NAME_MISMATCH"],
    needs: { purpose: "server" },
    spoil: (leaf, made) => {
      withoutConstraints(made);
      leaf.subject = nameDer([
        ["O", `Things ${made.tag}`],
        ["CN", made.serverName],
      ]);
      leaf.extensions["subjectAltName"] = subjectAltName({ email: ["user@example.com"] });
    },
    opensslAccepts: "RFC 9525 §2: the common name is no host name",
  },
];
