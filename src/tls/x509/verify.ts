/**
 * Chain verification: from a leaf over a bag of certificates to a trust anchor, RFC 5280 §6 with the path building of RFC 4158.
 *
 * The search goes depth first and tries anchors before the peer's certificates, so that it ends at the first CA that is trusted and
 * surplus or cross-signed certificates do not matter. A link counts when the names match and the signature is right; a path that
 * reaches an anchor is then validated as a whole (`validate.ts`). Where a path has a problem, the search goes on for a better one;
 * the best is reported. Everything is bounded: certificates, links tried, signatures checked (each pair once).
 *
 * The result is mbedTLS's in its flags. Stricter than mbedTLS: no common name, extendedKeyUsage in intermediates, strict DER, a
 * trusted leaf must be signed with its own key. A time that is unknown is a problem (`X509_TIME_UNKNOWN`, flag OTHER), never a pass,
 * unless `unknownTime` says otherwise. Algorithms are held to a profile; the app may pin keys, and is asked about each certificate
 * (`policy.ts`).
 *
 * Longer than 500 lines, because the search is one thing: its steps share what was read, tried and spent.
 *
 * @module
 */

import { equal, toHex } from "../../bytes.ts";
import { UsageError } from "../../errors.ts";
import { chain, finish, map, type Task } from "../../task.ts";
import type { CryptoProvider, PublicKey } from "../crypto/provider.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { dateRule, isValidAt } from "./dates.ts";
import { DerReader } from "./der.ts";
import { CertificateError } from "./errors.ts";
import { fileError } from "./file-errors.ts";
import { type Name, namesMatch, readName } from "./name.ts";
import { publicKeyPin, readPins } from "./pins.ts";
import { checkPolicy, type VerificationPolicy, withOpinions } from "./policy.ts";
import {
  certificatesOf,
  flagsOf,
  type PathCertificate,
  type Placed,
  problemOf,
  problemOfError,
  type VerificationProblem,
} from "./problem.ts";
import { secureProfile } from "./profile.ts";
import type { RevocationChecks, RevocationEvidence, RevocationFindings } from "./revocation-context.ts";
import { acceptedAlgorithm } from "./signed.ts";
import { parseSubjectPublicKeyInfo } from "./spki.ts";
import type { TrustAnchor } from "./trust.ts";
import { type PathRules, pathComparisons, validatePath } from "./validate.ts";

/** What a chain is verified for, and against. */
export interface VerifyOptions extends VerificationPolicy {
  /** What the leaf is used for. `any` checks neither extendedKeyUsage nor the leaf's keyUsage. */
  readonly purpose: "server" | "client" | "any";
  /** DER, leaf first; the rest in any order, surplus and duplicates allowed. */
  readonly chain: readonly Uint8Array[];
  readonly trust: readonly TrustAnchor[];
  /** The DNS name or IP address that the leaf must be for. Needed for the purpose `server`. */
  readonly serverName?: string | undefined;
  /** Milliseconds since 1970; `undefined` where the time is unknown: see `unknownTime`. */
  readonly at: number | undefined;
  readonly crypto: CryptoProvider;
  /** An OCSP response for the leaf in DER, for `revocation` with `ocsp`. */
  readonly ocspResponse?: Uint8Array | undefined;
}

/** The verdict, with every reason against the chain. */
export interface VerificationResult {
  readonly ok: boolean;
  /** Leaf first; the last one's issuer is the anchor. Where `ok` is false: the best path found, as far as it goes. */
  readonly path: readonly Certificate[];
  readonly anchor: TrustAnchor | undefined;
  /** Bits of `verificationFlags`, of all problems together; 0 where `ok`. */
  readonly flags: number;
  /** Empty where `ok`. */
  readonly problems: readonly VerificationProblem[];
  /** The same by certificate, leaf first, the anchor last. */
  readonly certificates: readonly PathCertificate[];
  /** Whether dates were held against the time, against the floor of `unknownTime` only, or not at all. */
  readonly validity: "checked" | "floor" | "unchecked";
  /** The CRLs and the stapled OCSP response that the verdict rests on; empty where `revocation` was not asked for, or found nothing. */
  readonly evidence: readonly RevocationEvidence[];
}

/** Certificates that a peer may send; more are refused unread. */
const MAX_CHAIN = 32;
/** Links between a certificate and a possible issuer that are tried. */
const MAX_LINKS = 512;
/** Signatures that are checked. */
const MAX_SIGNATURES = 64;
/** Comparisons of names with name constraints, on all paths together. */
const MAX_COMPARISONS = 65_536;

/** Paths to an anchor whose revocation is looked up. */
const MAX_REVOCATIONS = 4;

/** Rough costs in units (one field multiplication each) of what is not a task of the provider's. */
const UNITS = { link: 1, parseBytes: 64, validate: 32, comparisons: 8 } as const;

/**
 * Verifies a chain in steps.
 *
 * @throws UsageError where purpose `server` has no `serverName`, or the policy is not usable. CertificateError `X509_TRUST`, from `step`,
 *   where a trust anchor cannot be read. A bad chain is no exception but a result with problems.
 */
export function certificateVerification(options: VerifyOptions): Task<VerificationResult> {
  return new Verification(options);
}

/**
 * Verifies a chain at once.
 *
 * @throws UsageError and CertificateError as {@link certificateVerification}.
 * @example
 * const result = verifyCertificate({ purpose: "server", chain, trust, serverName: "localhost", at: Date.now(), crypto });
 * if (!result.ok) for (const { message, hint } of result.problems) console.error(message, hint);
 */
export function verifyCertificate(options: VerifyOptions): VerificationResult {
  return finish(certificateVerification(options));
}

/** A trust anchor, read. */
interface ReadAnchor {
  readonly anchor: TrustAnchor;
  readonly name: Name;
  readonly key: PublicKey | undefined;
  readonly algorithm: string;
}

/** A certificate of the peer's. Names and keys are numbered once, so that the search compares numbers and not long names. */
interface Known extends Placed {
  readonly subject: number;
  readonly issuer: number;
  readonly key: number;
}

/** Somebody who may have issued a certificate: an anchor, or a certificate of the peer's. */
type Issuer = { readonly anchor: ReadAnchor } | { readonly placed: Known };

/** A certificate of the present path, and whom to try as its issuer. */
interface Node {
  readonly placed: Known;
  readonly issuers: readonly Issuer[];
  next: number;
  /** Why the link from this one to the next of the path could not be checked. */
  unchecked: VerificationProblem | undefined;
}

/** A link whose signature is being checked. */
interface Pending {
  readonly task: Task<boolean>;
  readonly link: string;
  readonly node: Node;
  readonly issuer: Issuer;
}

/** A path that is right, but for what is known of revocation. */
interface Unrevoked {
  readonly task: Task<RevocationFindings>;
  readonly found: Candidate;
}

interface Candidate {
  readonly path: readonly Placed[];
  readonly anchor: TrustAnchor | undefined;
  readonly problems: readonly VerificationProblem[];
  readonly evidence?: readonly RevocationEvidence[];
}

class Verification implements Task<VerificationResult> {
  readonly #options: VerifyOptions;
  readonly #rules: PathRules;
  readonly #pins: readonly string[] | undefined;
  /** Whether keys are among the pins. */
  readonly #pinned = new Map<Uint8Array, boolean>();
  readonly #anchors: ReadAnchor[] = [];
  readonly #certificates: Known[] = [];
  readonly #names: Name[] = [];
  readonly #keys: Uint8Array[] = [];
  readonly #path: Node[] = [];
  /** Signatures checked, by `child:issuer`. */
  readonly #checked = new Map<string, boolean>();
  #unreadAnchors = 0;
  #unreadCertificates = 0;
  #links = 0;
  #comparisons = 0;
  #started = false;
  #pending: Pending | undefined;
  #revocation: Unrevoked | undefined;
  #revocations = 0;
  /** Whether this verifies who signed a CRL of another verification. */
  readonly #isNested: boolean;
  #best: Candidate | undefined;
  #result: VerificationResult | undefined;
  #spent = 0;

  constructor(options: VerifyOptions, isNested = false) {
    this.#isNested = isNested;
    if (options.purpose === "server" && options.serverName === undefined)
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        "a server's certificate is verified for a serverName: none was given",
      );
    checkPolicy(options);
    if (options.ocspResponse !== undefined && (options.revocation?.ocsp ?? "off") === "off")
      throw new UsageError(
        "USAGE_INVALID_ARGUMENT",
        "an ocspResponse is looked at by revocationChecks with ocsp: none are given",
      );
    this.#options = options;
    this.#pins = options.pins === undefined ? undefined : readPins(options.pins);
    this.#rules = {
      purpose: options.purpose,
      serverName: options.serverName,
      dates: dateRule(options.at, options.unknownTime),
      maxIntermediates: options.maxIntermediates ?? 8,
      profile: options.profile ?? secureProfile,
    };
    if (options.chain.length === 0) this.#reject("X509_NO_CERTIFICATE", "the chain is empty");
    else if (options.chain.length > MAX_CHAIN)
      this.#reject("X509_LIMIT", `${options.chain.length} certificates in the chain, ${MAX_CHAIN} at most`);
  }

  get spent(): number {
    return this.#spent + (this.#pending?.task.spent ?? 0) + (this.#revocation?.task.spent ?? 0);
  }

  get result(): VerificationResult {
    return this.#result!;
  }

  step(units: number): boolean {
    const until = this.spent + units;
    do {
      if (this.#result !== undefined) return true;
      this.#advance(Math.max(until - this.spent, 1));
    } while (this.spent < until);
    return this.#result !== undefined;
  }

  /** One indivisible piece: a step of a signature, one certificate or anchor read, one link. */
  #advance(units: number): void {
    if (this.#pending !== undefined) this.#checkSignature(this.#pending, units);
    else if (this.#revocation !== undefined) this.#checkRevocation(this.#revocation, units);
    else if (this.#unreadAnchors < this.#options.trust.length) this.#readAnchor();
    else if (this.#unreadCertificates < this.#options.chain.length) this.#readCertificate();
    else if (!this.#started) {
      this.#started = true;
      this.#enter(this.#certificates[0]!);
    } else this.#tryNextIssuer();
  }

  #readAnchor(): void {
    const anchor = this.#options.trust[this.#unreadAnchors++]!;
    this.#spent += UNITS.link + Math.ceil(anchor.subjectPublicKeyInfo.length / UNITS.parseBytes);
    try {
      const reader = new DerReader(anchor.subject, "subject", "X509_NAME");
      const name = readName(reader, "");
      reader.finish();
      const { publicKey, algorithm } = parseSubjectPublicKeyInfo(anchor.subjectPublicKeyInfo);
      this.#anchors.push({ anchor, name, key: publicKey, algorithm });
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      throw fileError("X509_TRUST", error.message, error.data, error);
    }
  }

  #readCertificate(): void {
    const index = this.#unreadCertificates++;
    const der = this.#options.chain[index]!;
    this.#spent += UNITS.link + Math.ceil(der.length / UNITS.parseBytes);
    if (this.#certificates.some(({ certificate }) => equal(certificate.der, der))) return;
    try {
      const certificate = parseCertificate(der);
      this.#certificates.push({
        certificate,
        index,
        subject: numberOf(this.#names, certificate.subject, namesMatch),
        issuer: numberOf(this.#names, certificate.issuer, namesMatch),
        key: numberOf(this.#keys, certificate.subjectPublicKeyInfo, equal),
      });
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      this.#conclude({ path: [], anchor: undefined, problems: [problemOfError(error, index)] });
    }
  }

  /** Makes a certificate the end of the path, with its possible issuers: anchors first, then the likeliest. */
  #enter(placed: Known): void {
    const { certificate } = placed;
    const anchors = this.#anchors
      .filter(({ anchor, name }) => namesMatch(name, certificate.issuer) && mayIssue(anchor, certificate))
      .map((anchor) => ({ anchor }));
    const others = this.#certificates
      .filter((other) => other.subject === placed.issuer && !this.#isOnPath(other, placed))
      .map((other) => ({ placed: other, rank: rank(other.certificate, certificate, this.#rules.dates.at) }))
      .sort((a, b) => a.rank - b.rank);
    this.#path.push({ placed, issuers: [...anchors, ...others], next: 0, unchecked: undefined });
  }

  /** The same name and key twice on a path would be a loop, whoever signed them. */
  #isOnPath(other: Known, last: Known): boolean {
    const isSame = ({ subject, key }: Known): boolean => subject === other.subject && key === other.key;
    return isSame(last) || this.#path.some(({ placed }) => isSame(placed));
  }

  #tryNextIssuer(): void {
    this.#spent += UNITS.link;
    const node = this.#path[this.#path.length - 1];
    if (node === undefined) {
      this.#conclude(this.#best!);
      return;
    }
    const issuer = node.issuers[node.next++];
    if (issuer === undefined) {
      node.unchecked = undefined;
      this.#leave(node);
      return;
    }
    if (++this.#links > MAX_LINKS) {
      this.#giveUp(`${MAX_LINKS} links between certificates tried`);
      return;
    }
    node.unchecked = this.#uncheckable(node.placed, issuer);
    const link = `${node.placed.index}:${this.#nameOf(issuer)}`;
    const known = node.unchecked === undefined ? this.#checked.get(link) : true;
    if (known === true) this.#follow(issuer);
    else if (known === undefined) this.#startSignature(node, issuer, link);
  }

  #nameOf(issuer: Issuer): string {
    return "anchor" in issuer ? `anchor ${this.#anchors.indexOf(issuer.anchor)}` : String(issuer.placed.index);
  }

  /** Why a signature cannot or must not be checked; the link is followed for the report's sake, and the problem stays with it. */
  #uncheckable(placed: Placed, issuer: Issuer): VerificationProblem | undefined {
    const { crypto } = this.#options;
    const { signatureAlgorithm: algorithm, signatureAlgorithmName, weakSignature, subject } = placed.certificate;
    const field = "signatureAlgorithm";
    const detail = `${subject.toString()} is signed with ${signatureAlgorithmName}`;
    const depth = this.#path.length - 1;
    const accepted = acceptedAlgorithm({ algorithm, weak: weakSignature }, this.#rules.profile, crypto);
    if (accepted === "weak") return problemOf(placed, depth, "X509_WEAK_HASH", field, "RFC 9155", detail);
    const key = keyOf(issuer);
    if (accepted !== "unsupported" && key !== undefined && (key.type === "rsa" || crypto.supports(key.curve)))
      return undefined;
    const by = `${detail} by a key of ${keyTextOf(issuer)}`;
    return problemOf(placed, depth, "X509_UNSUPPORTED_ALGORITHM", field, "RFC 5280 §4.1.1.2", by);
  }

  #startSignature(node: Node, issuer: Issuer, link: string): void {
    if (this.#checked.size >= MAX_SIGNATURES) {
      this.#giveUp(`${MAX_SIGNATURES} signatures checked`);
      return;
    }
    const { crypto, provenSignatures } = this.#options;
    const { der, tbs, signature, signatureAlgorithm } = node.placed.certificate;
    const algorithm = signatureAlgorithm!;
    const key = keyOf(issuer)!;
    if ((algorithm.kind === "ecdsa") !== (key.type === "ec")) {
      this.#checked.set(link, false);
      return;
    }
    const verify = () =>
      chain(crypto.digest(algorithm.hash, [tbs]), (digest) => crypto.verify(algorithm, key, digest, signature));
    const task = provenSignatures === undefined ? verify() : provenSignatures.check(der, keyBytesOf(issuer), verify);
    this.#pending = { task, link, node, issuer };
  }

  #checkSignature({ task, link, issuer }: Pending, units: number): void {
    if (!task.step(units)) return;
    this.#spent += task.spent;
    this.#pending = undefined;
    this.#checked.set(link, task.result);
    if (task.result) this.#follow(issuer);
  }

  /** Goes from the end of the path to an issuer whose signature is right: to an anchor, which ends the path, or one CA further. */
  #follow(issuer: Issuer): void {
    if ("placed" in issuer) {
      this.#enter(issuer.placed);
      return;
    }
    const { anchor } = issuer.anchor;
    const comparisons = pathComparisons(
      this.#path.map(({ placed }) => placed),
      anchor,
    );
    this.#spent += UNITS.validate * this.#path.length + Math.ceil(comparisons / UNITS.comparisons);
    this.#comparisons += comparisons;
    if (this.#comparisons > MAX_COMPARISONS) {
      this.#giveUp(`more than ${MAX_COMPARISONS} comparisons of names with name constraints`);
      return;
    }
    const found = this.#candidate(anchor, []);
    const { revocation } = this.#options;
    // Where the app may forgive the problems, revocation must be known too.
    const isDone = found.problems.length > 0 && this.#options.mayForgive !== true;
    if (isDone || revocation === undefined) this.#consider(found);
    else if (++this.#revocations > MAX_REVOCATIONS) this.#giveUp(`${MAX_REVOCATIONS} paths with revoked certificates`);
    else this.#revocation = { task: this.#revocationOf(revocation, found.path, anchor), found };
  }

  #consider(found: Candidate): void {
    const best = this.#best;
    if (best?.anchor === undefined || found.problems.length < best.problems.length) this.#best = found;
    if (found.problems.length === 0) this.#conclude(found);
  }

  #checkRevocation({ task, found }: Unrevoked, units: number): void {
    if (!task.step(units)) return;
    this.#spent += task.spent;
    this.#revocation = undefined;
    const { problems, evidence } = task.result;
    this.#consider({ ...found, problems: [...found.problems, ...problems], evidence });
  }

  #revocationOf(checks: RevocationChecks, path: readonly Placed[], anchor: TrustAnchor): Task<RevocationFindings> {
    const { crypto, at, unknownTime, maxIntermediates, ocspResponse } = this.#options;
    const { dates, profile } = this.#rules;
    const certificates = this.#certificates.map(({ certificate }) => certificate);
    const verifySigner = (signer: Certificate, revocation: RevocationChecks): Task<boolean> => {
      const chain = [signer, ...certificates.filter((one) => one !== signer)].map(({ der }) => der);
      const policy = { profile, unknownTime, maxIntermediates, revocation };
      const verification = new Verification({ purpose: "any", chain, trust: [anchor], at, crypto, ...policy }, true);
      return map(verification, ({ ok }) => ok);
    };
    return checks.findings(
      { path, anchor, certificates, dates, profile, crypto, verifySigner: this.#isNested ? undefined : verifySigner },
      ocspResponse,
    );
  }

  /** Backtracks. A certificate that nobody is known to have issued is reported, unless a path to an anchor or a longer one was found. */
  #leave(node: Node): void {
    const best = this.#best;
    if (best === undefined || (best.anchor === undefined && this.#path.length > best.path.length)) {
      this.#spent += UNITS.validate * this.#path.length;
      this.#best = this.#candidate(undefined, [this.#deadEnd(node)]);
    }
    this.#path.pop();
    const before = this.#path[this.#path.length - 1];
    if (before !== undefined) before.unchecked = undefined;
  }

  #deadEnd({ placed, issuers }: Node): VerificationProblem {
    const depth = this.#path.length - 1;
    const { subject, issuer } = placed.certificate;
    if (this.#anchors.some(({ anchor, name }) => anchor.endEntity === true && namesMatch(name, issuer)))
      return problemOf(
        placed,
        depth,
        "X509_NOT_A_CA",
        "tbsCertificate.issuer",
        "RFC 5280 §6.1.4 k",
        `${subject.toString()} was issued by ${issuer.toString()}, which is trusted, but not as a CA`,
      );
    if (
      issuers.length > 0 &&
      issuers.every((one) => this.#checked.get(`${placed.index}:${this.#nameOf(one)}`) === false)
    )
      return problemOf(
        placed,
        depth,
        "X509_BAD_SIGNATURE",
        "signatureValue",
        "RFC 5280 §6.1.3 a 1",
        `${subject.toString()} names ${issuer.toString()}, whose key did not sign it`,
      );
    return problemOf(
      placed,
      depth,
      "X509_NOT_TRUSTED",
      "tbsCertificate.issuer",
      "RFC 5280 §6.1",
      `the issuer of ${subject.toString()}, ${issuer.toString()}, is none of the ${this.#anchors.length} trust anchor(s)`,
    );
  }

  #candidate(anchor: TrustAnchor | undefined, more: readonly VerificationProblem[]): Candidate {
    const path = this.#path.map(({ placed }) => placed);
    const unchecked = this.#path.flatMap((node) => (node.unchecked === undefined ? [] : [node.unchecked]));
    const problems = [...more, ...unchecked, ...validatePath(path, anchor, this.#rules)];
    if (anchor !== undefined && !this.#isPinned([...path.map(({ certificate }) => certificate), anchor])) {
      const detail = `neither that of the anchor ${anchor.label} nor one of ${path.length} certificate(s)`;
      problems.push(
        problemOf(undefined, -1, "X509_PIN", "tbsCertificate.subjectPublicKeyInfo", "RFC 7469 §2.6", detail),
      );
    }
    return { path, anchor, problems };
  }

  /** Whether one of the keys is pinned; true where nothing is. Each is hashed once. */
  #isPinned(owners: readonly { readonly subjectPublicKeyInfo: Uint8Array }[]): boolean {
    const { crypto } = this.#options;
    const pins = this.#pins;
    if (pins === undefined) return true;
    return owners.some((owner) => {
      const { subjectPublicKeyInfo: key } = owner;
      let found = this.#pinned.get(key);
      if (found === undefined) {
        this.#spent += Math.ceil(crypto.hashUnits("sha256", key.length));
        found = pins.includes(toHex(publicKeyPin(owner, crypto)));
        this.#pinned.set(key, found);
      }
      return found;
    });
  }

  #giveUp(reason: string): void {
    const problem = problemOf(this.#certificates[0], 0, "X509_LIMIT", "chain", "RFC 4158 §3.2", reason);
    const best = this.#best ?? this.#candidate(undefined, []);
    this.#conclude({ ...best, problems: [problem, ...best.problems] });
  }

  #reject(code: "X509_NO_CERTIFICATE" | "X509_LIMIT", detail: string): void {
    const problem = problemOf(undefined, -1, code, "chain", "RFC 5246 §7.4.2", detail);
    this.#conclude({ path: [], anchor: undefined, problems: [problem] });
  }

  #conclude({ path, anchor, problems: found, evidence = [] }: Candidate): void {
    const problems = withOpinions(path, anchor, found, this.#options);
    const { kind } = this.#rules.dates;
    this.#result = {
      ok: anchor !== undefined && problems.length === 0,
      path: path.map(({ certificate }) => certificate),
      anchor,
      flags: flagsOf(problems),
      problems,
      certificates: certificatesOf(path, anchor, problems),
      validity: kind === "unknown" ? "unchecked" : kind,
      evidence,
    };
    for (const list of [this.#anchors, this.#certificates, this.#names, this.#keys, this.#path]) list.length = 0;
  }
}

/** The number of the value that is the same; a new one where there is none yet. */
function numberOf<T>(values: T[], value: T, same: (a: T, b: T) => boolean): number {
  const number = values.findIndex((one) => same(one, value));
  return number >= 0 ? number : values.push(value) - 1;
}

function keyOf(issuer: Issuer): PublicKey | undefined {
  return "anchor" in issuer ? issuer.anchor.key : issuer.placed.certificate.publicKey;
}

/** The DER `SubjectPublicKeyInfo`. */
function keyBytesOf(issuer: Issuer): Uint8Array {
  return "anchor" in issuer
    ? issuer.anchor.anchor.subjectPublicKeyInfo
    : issuer.placed.certificate.subjectPublicKeyInfo;
}

function keyTextOf(issuer: Issuer): string {
  return "anchor" in issuer ? issuer.anchor.algorithm : issuer.placed.certificate.publicKeyAlgorithm;
}

/** An anchor made of a certificate that is no CA vouches for that one only: whoever has its key could give it other names, or make it a CA. */
function mayIssue({ endEntity, certificate: trusted }: TrustAnchor, certificate: Certificate): boolean {
  return endEntity !== true || (trusted !== undefined && equal(trusted, certificate.der));
}

/** Small for a likely issuer: valid now, a CA, and with the key that the certificate names (RFC 4158 §3.5). */
function rank(issuer: Certificate, certificate: Certificate, at: number | undefined): number {
  const wanted = certificate.authorityKeyIdentifier?.keyIdentifier;
  const found = issuer.subjectKeyIdentifier;
  const otherKey = wanted !== undefined && found !== undefined && !equal(wanted, found);
  return (
    (at !== undefined && !isValidAt(issuer, at) ? 4 : 0) +
    (issuer.basicConstraints?.ca === true ? 0 : 2) +
    (otherKey ? 1 : 0)
  );
}
