/**
 * Where a certificate's revocation is published, and what a CRL covers: cRLDistributionPoints of certificates (RFC 5280 §4.2.1.13) and
 * issuingDistributionPoint of CRLs (§5.2.5), as far as matching one with the other needs them. Nothing is fetched.
 *
 * @module
 */

import { equal } from "../../bytes.ts";
import { contextTag, DerReader, tags } from "./der.ts";
import { element } from "./der-write.ts";
import { type Extension, insideExtension } from "./extensions.ts";
import { type Name, namesMatch, parseName, readName } from "./name.ts";
import { oids } from "./oids.ts";

/** Distribution points of a certificate, and names of one of them, at most; real certificates have one or two. */
const MAX_POINTS = 32;

/** A GeneralName: a directory name, or another kind as it stands. */
export type PointName = { readonly directory: Name } | { readonly der: Uint8Array };

/** Bit `n` stands for the n-th ReasonFlag, from keyCompromise (1) to aACompromise (8). */
export const ALL_REASONS = 0x1fe;

/** One DistributionPoint of a certificate. */
export interface DistributionPoint {
  /** `undefined` where it has no distributionPoint. */
  readonly names: readonly PointName[] | undefined;
  /** Bits as of {@link ALL_REASONS}. */
  readonly reasons: number;
  /** Who issues the CRL, where that is not the certificate's issuer. */
  readonly crlIssuer: readonly PointName[] | undefined;
}

/** What a CRL covers. */
export interface IssuingDistributionPoint {
  readonly names: readonly PointName[] | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCACerts: boolean;
  readonly onlyContainsAttributeCerts: boolean;
  /** Bits as of {@link ALL_REASONS}. */
  readonly reasons: number;
  /** It has certificates of other issuers too. */
  readonly indirectCRL: boolean;
}

/** Whether two lists have a name in common. */
export function shareName(a: readonly PointName[], b: readonly PointName[]): boolean {
  return a.some((one) => b.some((other) => sameName(one, other)));
}

function sameName(a: PointName, b: PointName): boolean {
  if ("directory" in a) return "directory" in b && namesMatch(a.directory, b.directory);
  return "der" in b && equal(a.der, b.der);
}

/**
 * The distribution points in a certificate's extensions; none where it names none.
 *
 * @throws CertificateError `X509_EXTENSION` where the extension is malformed.
 */
export function distributionPoints(extensions: readonly Extension[], issuer: Name): readonly DistributionPoint[] {
  const list = insideExtension(extensions, oids.cRLDistributionPoints, "cRLDistributionPoints");
  if (list === undefined) return [];
  const points: DistributionPoint[] = [];
  do {
    if (points.length === MAX_POINTS) list.fail("", `more than ${MAX_POINTS}`, list.offset, "X509_LIMIT");
    points.push(readPoint(list.sequence("distributionPoint"), issuer));
  } while (!list.empty);
  return points;
}

function readPoint(point: DerReader, issuer: Name): DistributionPoint {
  const at = point.offset;
  const name = point.optional("distributionPoint", 0);
  const reasons = point.peek() === contextTag(1, false) ? readReasons(point, 1) : ALL_REASONS;
  const issuers = point.optional("cRLIssuer", 2);
  point.finish();
  if (name === undefined && issuers === undefined)
    point.fail("", "neither distributionPoint nor cRLIssuer (RFC 5280 §4.2.1.13)", at);
  const crlIssuer = issuers === undefined ? undefined : readNames(issuers);
  const base = crlIssuer?.find((one) => "directory" in one)?.directory ?? issuer;
  return { names: name === undefined ? undefined : readPointName(name, base), reasons, crlIssuer };
}

/** The contents of issuingDistributionPoint. `issuer`: the CRL's. */
export function readIssuingDistributionPoint(value: DerReader, issuer: Name): IssuingDistributionPoint {
  const point = value.sequence("");
  const name = point.optional("distributionPoint", 0);
  const flag = (number: number): boolean => {
    const tag = contextTag(number, false);
    return point.peek() === tag && point.boolean("flag", tag);
  };
  const onlyContainsUserCerts = flag(1);
  const onlyContainsCACerts = flag(2);
  const reasons = point.peek() === contextTag(3, false) ? readReasons(point, 3) : ALL_REASONS;
  const indirectCRL = flag(4);
  const onlyContainsAttributeCerts = flag(5);
  point.finish();
  const names = name === undefined ? undefined : readPointName(name, issuer);
  return { names, onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts, reasons, indirectCRL };
}

/** DistributionPointName: names in full, or one relative to the CRL's issuer. */
function readPointName(choice: DerReader, issuer: Name): readonly PointName[] {
  const relative = contextTag(1, true);
  if (choice.peek() !== relative) {
    const names = readNames(choice.inside("fullName", contextTag(0, true)));
    choice.finish();
    return names;
  }
  const at = choice.offset;
  const rdn = element(tags.SET, choice.contents("nameRelativeToCRLIssuer", relative));
  choice.finish();
  const rdns = new DerReader(issuer.der, "name", choice.code).contents("", tags.SEQUENCE);
  const directory = parseName(element(tags.SEQUENCE, rdns, rdn));
  if (directory === undefined) choice.fail("nameRelativeToCRLIssuer", "is no name", at);
  return [{ directory }];
}

/** GeneralNames that are not empty. */
export function readNames(list: DerReader): readonly PointName[] {
  const names: PointName[] = [];
  do {
    if (names.length === MAX_POINTS) list.fail("", `more than ${MAX_POINTS} names`, list.offset, "X509_LIMIT");
    if (list.peek() === contextTag(4, true)) {
      const choice = list.inside("directoryName", contextTag(4, true));
      names.push({ directory: readName(choice, "") });
      choice.finish();
    } else names.push({ der: list.element("GeneralName").der });
  } while (!list.empty);
  return names;
}

function readReasons(point: DerReader, number: number): number {
  const { bytes } = point.bitString("reasons", contextTag(number, false));
  let mask = 0;
  for (let bit = 1; bit < 9; bit++) if (((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) mask |= 1 << bit;
  return mask;
}
