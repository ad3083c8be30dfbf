/**
 * Random hierarchies whose truth is known because they are made so: a leaf, CAs of any depth above it, a root that is trusted, and what
 * a peer may send besides. All that is drawn here is right; `defects.ts` spoils one thing.
 *
 * @module
 */

import { contextTag, DerReader, tags } from "../../../src/tls/x509/der.ts";
import { element, explicit, objectIdentifier, octetString, sequence } from "../../../src/tls/x509/der-write.ts";
import { encodeExtensions, type IssueExtensions } from "../../../src/tls/x509/issue.ts";
import { parseIpAddress } from "../../../src/tls/x509/names.ts";
import { attributeNames, oids } from "../../../src/tls/x509/oids.ts";
import { type Draft, type DraftExtension, type keyPool, type Names, type PoolKey, write } from "./writer.ts";

/** Small and seeded: the same hierarchies for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to 1, without 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j]!, result[i]!];
    }
    return result;
  }
}

/** What leaves are for. */
export const HOSTS = [
  "thing.example.com",
  "a-1.iot.eu-west-1.example.org",
  "xn--bcher-kva.example.net",
  "192.0.2.7",
  "2001:db8::7",
] as const;

export const isAddress = (host: string): boolean => parseIpAddress(host) !== undefined;

export const DAY = 86_400_000;

export interface Hierarchy {
  readonly dice: Dice;
  readonly pool: ReturnType<typeof keyPool>;
  /** Leaf first; the last one is issued by the root. */
  readonly spine: Draft[];
  readonly root: Draft;
  /** What the peer sends besides, in any order, duplicates not among it. */
  readonly surplus: Draft[];
  /** CAs that are trusted besides the root. */
  trusted: Draft[];
  readonly purpose: "server" | "client";
  readonly serverName: string;
  at: number | undefined;
  maxIntermediates?: number;
  /** What `openssl verify -x509_strict` takes otherwise than we do, by name: the table of reasons is with its test. */
  readonly differences: Set<string>;
  /** Keys that nobody in the hierarchy has. */
  readonly spare: PoolKey[];
  /** A name that no other hierarchy has. */
  readonly tag: string;
}

export interface HierarchyOptions {
  /** Certificates from the leaf to below the root; 1 to 5 by default, self-issued ones besides. */
  readonly depth?: number;
  readonly purpose?: "server" | "client";
  readonly serverName?: string;
  readonly at?: number;
  /** Nothing besides that hangs together with the spine. */
  readonly linear?: boolean;
  /** Only what `openssl verify -x509_strict` demands of CAs too: key identifiers and the like. */
  readonly formal?: boolean;
}

type NameParts = readonly (readonly [type: string, value: string])[];

/** A DER name; `loud` writes the same name otherwise: capitals, spaces, another string type (RFC 5280 §7.1). */
export function nameDer(parts: NameParts, loud = false): Uint8Array {
  return sequence(
    ...parts.map(([type, value]) => {
      const oid = Object.keys(attributeNames).find((key) => attributeNames[key] === type) ?? type;
      const text = loud ? ` ${value.toUpperCase().replace(/ /g, "   ")} ` : value;
      const tag = type === oids.emailAddress ? tags.IA5_STRING : loud ? tags.PRINTABLE_STRING : tags.UTF8_STRING;
      return element(tags.SET, sequence(objectIdentifier(oid), element(tag, new TextEncoder().encode(text))));
    }),
  );
}

const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function generalNames({ dns = [], ip = [], email = [], uri = [], directory = [], raw = [] }: Names): Uint8Array[] {
  return [
    ...email.map((name) => element(contextTag(1, false), latin(name))),
    ...dns.map((name) => element(contextTag(2, false), latin(name))),
    ...directory.map((name) => explicit(4, name)),
    ...uri.map((name) => element(contextTag(6, false), latin(name))),
    ...ip.map((range) => element(contextTag(7, false), ipOctets(range))),
    ...raw,
  ];
}

/** An address, or `address/bits` for the range of a constraint. */
function ipOctets(text: string): Uint8Array {
  const [address, bits] = text.split("/");
  const octets = parseIpAddress(address!)!;
  if (bits === undefined) return octets;
  const mask = octets.map((_, i) => (0xff00 >> Math.min(Math.max(Number(bits) - 8 * i, 0), 8)) & 0xff);
  return Uint8Array.from([...octets.map((octet, i) => octet & mask[i]!), ...mask]);
}

export function subjectAltName(names: Names, critical = false): DraftExtension {
  return { oid: oids.subjectAltName, critical, value: sequence(...generalNames(names)) };
}

export function nameConstraints(permitted: Names, excluded: Names): DraftExtension {
  const subtrees = (number: number, names: Names): Uint8Array[] => {
    const list = generalNames(names).map((base) => sequence(base));
    return list.length === 0 ? [] : [explicit(number, ...list)];
  };
  const value = sequence(...subtrees(0, permitted), ...subtrees(1, excluded));
  return { oid: oids.nameConstraints, critical: true, value };
}

/** One extension as `issueCertificate` writes it. */
export function standard(extensions: IssueExtensions): DraftExtension {
  const list = new DerReader(encodeExtensions(extensions, false)!, "", "X509_EXTENSION").sequence("");
  const extension = list.sequence("");
  const oid = extension.oid("");
  const critical = extension.peek() === tags.BOOLEAN && extension.boolean("");
  return { oid, critical, value: extension.octetString("") };
}

export const caConstraints = (pathLength?: number): DraftExtension => standard({ ca: true, pathLength });

/** The names that {@link setNames} gave a leaf. */
export function namesOf(leaf: Draft): Names {
  return leaf.names ?? {};
}

/** Whether a leaf has no subject, which makes its subjectAltName critical (RFC 5280 §4.2.1.6). */
export const isNameless = (leaf: Draft): boolean => leaf.subject.length === 2;

/** Sets a leaf's names. */
export function setNames(leaf: Draft, names: Names, critical = isNameless(leaf)): void {
  leaf.names = names;
  leaf.extensions["subjectAltName"] = subjectAltName(names, critical);
}

export const isSelfIssued = (draft: Draft): boolean => Buffer.compare(draft.subject, draft.issuer) === 0;

/** CAs among the certificates of a spine below `depth` that path lengths count. */
export function countedBelow(spine: readonly Draft[], depth: number): number {
  return spine.slice(1, depth).filter((draft) => !isSelfIssued(draft)).length;
}

export function hierarchy(dice: Dice, pool: Hierarchy["pool"], tag: string, options: HierarchyOptions = {}): Hierarchy {
  const { formal = dice.chance(0.5), linear = false } = options;
  const purpose = options.purpose ?? (dice.chance(0.8) ? "server" : "client");
  const serverName = options.serverName ?? dice.pick(HOSTS);
  const at = options.at ?? Date.UTC(1971 + dice.below(160), dice.below(12), 1 + dice.below(28)) + dice.below(DAY);
  const differences = new Set<string>();
  const keys = dice.shuffled(pool.strong);
  const fresh = (): Draft => ({
    subject: nameDer([]),
    issuer: nameDer([]),
    key: keys[0]!,
    signer: keys[0]!,
    serial: Uint8Array.from({ length: 1 + dice.below(20) }, (_, i) =>
      i === 0 ? 1 + dice.below(127) : dice.below(256),
    ),
    version: 3,
    notBefore: at - dice.below(5000) * DAY,
    notAfter: at + (1 + dice.below(5000)) * DAY,
    hash: dice.pick(["sha256", "sha256", "sha256", "sha384", "sha512"] as const),
    extensions: {},
  });
  const parts = (name: string): NameParts => [
    ["O", `Things ${tag}`],
    ...(dice.chance(0.2) ? ([["OU", "Unit 1"]] as const) : []),
    ["CN", name],
  ];

  // Top down: a root, CAs, now and then one that renews itself, a leaf.
  const depth = options.depth ?? 1 + dice.below(5);
  const root = fresh();
  const rootParts = parts("Root CA");
  root.subject = root.issuer = nameDer(rootParts);
  root.key = root.signer = keys.pop()!;
  const chain: Draft[] = [root];
  const partsOf = new Map<Draft, NameParts>([[root, rootParts]]);
  const below = (parent: Draft, subject: NameParts): Draft => {
    const draft = fresh();
    draft.subject = nameDer(subject);
    draft.key = keys.pop()!;
    draft.signer = parent.key;
    const loud = dice.chance(0.08) && !Buffer.from(nameDer(subject)).equals(parent.subject);
    draft.issuer = loud ? nameDer(partsOf.get(parent)!, true) : parent.subject;
    draft.pss = parent.key.kind === "rsa" && dice.chance(0.3);
    partsOf.set(draft, subject);
    chain.push(draft);
    return draft;
  };
  for (let level = 1; level < depth; level++) {
    const draft = below(chain.at(-1)!, parts(`CA ${level}`));
    if (dice.chance(0.2)) below(draft, partsOf.get(draft)!);
  }
  const leaf = below(chain.at(-1)!, parts("A thing"));
  const spine = chain.slice(1).reverse();
  const cas = [...spine.slice(1), root];

  // The leaf.
  const wanted = purpose === "server" ? "serverAuth" : "clientAuth";
  const address = isAddress(serverName);
  const any = formal ? [] : [["anyExtendedKeyUsage"]];
  const parent = serverName.slice(serverName.indexOf(".") + 1);
  const exact = [serverName, serverName, serverName.toUpperCase(), `*.${parent}`, `*.${parent.toUpperCase()}`];
  setNames(
    leaf,
    {
      dns: [
        ...(dice.chance(0.2) ? ["other.example.com"] : []),
        ...(address ? [] : [dice.pick(exact)]),
        ...(dice.chance(0.2) ? ["*.more.example.com", "under_score.example.com"] : []),
      ],
      ip: [...(dice.chance(0.2) ? ["198.51.100.1"] : []), ...(address ? [serverName] : [])],
      ...(dice.chance(0.1) ? { email: ["user@mail.example.com"] } : {}),
      ...(dice.chance(0.1) ? { uri: ["https://www.example.com/x"] } : {}),
    },
    dice.chance(0.1),
  );
  if (dice.chance(0.8))
    leaf.extensions["keyUsage"] = standard({
      keyUsage: dice.pick([["digitalSignature"], ["digitalSignature", "keyEncipherment", "keyAgreement"]] as const),
    });
  const leafPurposes = dice.pick([[], [wanted], [wanted], ["serverAuth", "clientAuth"], ...any]);
  if (leafPurposes.length > 0) leaf.extensions["extKeyUsage"] = standard({ extendedKeyUsage: leafPurposes });
  if (leafPurposes[0] === "anyExtendedKeyUsage") differences.add("any purpose");
  if (dice.chance(0.6))
    leaf.extensions["basicConstraints"] = { ...standard({ ca: false }), critical: dice.chance(0.5) };
  if (dice.chance(0.05) && !isAddress(serverName)) {
    leaf.subject = nameDer([]);
    setNames(leaf, namesOf(leaf), true);
  }

  // CAs, the root among them.
  cas.forEach((ca, i) => {
    const counted = countedBelow(spine, i + 1);
    const limit = dice.chance(0.4) ? counted + dice.below(3) : undefined;
    ca.extensions["basicConstraints"] = caConstraints(limit);
    if (formal || dice.chance(0.8))
      ca.extensions["keyUsage"] = standard({
        keyUsage: dice.pick([
          ["keyCertSign"],
          ["keyCertSign", "cRLSign"],
          ["digitalSignature", "keyCertSign"],
        ] as const),
      });
    else differences.add("CA without keyUsage");
    if (dice.chance(0.25)) {
      const purposes = dice.pick([[wanted], ["serverAuth", "clientAuth"], ...any]);
      ca.extensions["extKeyUsage"] = standard({ extendedKeyUsage: purposes });
      if (purposes[0] === "anyExtendedKeyUsage") differences.add("any purpose");
    }
    if (dice.chance(0.2)) ca.extensions["nameConstraints"] = constraintsThatHold(dice, namesOf(leaf), tag);
    // Its own renewal, right below it, is not held to what it says; the leaf has another name.
    else if (i > 0 && isSelfIssued(cas[i - 1]!) && dice.chance(0.5))
      ca.extensions["nameConstraints"] = nameConstraints({}, { directory: [ca.subject] });
  });

  // All.
  chain.forEach((draft, i) => {
    const issuer = chain[Math.max(i - 1, 0)]!;
    if (formal || dice.chance(0.7))
      draft.extensions["subjectKeyIdentifier"] = standard({ subjectKeyIdentifier: draft.key.identifier });
    else if (i < chain.length - 1) differences.add("no key identifiers");
    if (formal || dice.chance(0.7))
      draft.extensions["authorityKeyIdentifier"] = standard({ authorityKeyIdentifier: issuer.key.identifier });
    else if (i > 0) differences.add("no key identifiers");
    if (dice.chance(0.1))
      draft.extensions["unknown"] = { oid: "1.3.6.1.4.1.99999.1", critical: false, value: octetString() };
    if (dice.chance(0.2)) {
      const policies = sequence(sequence(objectIdentifier("2.23.140.1.2.1")));
      draft.extensions["certificatePolicies"] = { oid: oids.certificatePolicies, critical: false, value: policies };
    }
    if (dice.chance(0.2)) {
      const uri = element(contextTag(6, false), latin("http://crl.example.com/1.crl"));
      draft.extensions["cRLDistributionPoints"] = {
        oid: oids.cRLDistributionPoints,
        critical: false,
        value: sequence(sequence(explicit(0, explicit(0, uri)))),
      };
      draft.extensions["authorityInfoAccess"] = {
        oid: oids.authorityInfoAccess,
        critical: false,
        value: sequence(sequence(objectIdentifier("1.3.6.1.5.5.7.48.2"), uri)),
      };
    }
    const edge = dice.below(30);
    if (edge === 0) draft.notBefore = Math.floor(at / 1000) * 1000;
    else if (edge === 1 && !formal) {
      draft.notAfter = Math.floor(at / 1000) * 1000;
      differences.add("the last second");
    }
    if (dice.chance(0.5)) draft.extensions = Object.fromEntries(dice.shuffled(Object.entries(draft.extensions)));
  });
  if (!formal && dice.chance(0.2)) {
    root.notAfter = at - DAY;
    root.notBefore = at - 2 * DAY;
    differences.add("dates of an anchor");
  }

  const made: Hierarchy = {
    ...{ dice, pool, spine, root, surplus: [], trusted: [], purpose, serverName, at, differences, tag },
    spare: keys,
  };
  addSurplus(made, linear);
  return made;
}

/** Constraints that a leaf, and CAs whose names start with the organization, keep. */
function constraintsThatHold(
  dice: Dice,
  { dns = [], ip = [], email = [], uri = [] }: Names,
  tag: string,
): DraftExtension {
  const permitted: { -readonly [Key in keyof Names]: Names[Key] } = {};
  const excluded: typeof permitted = {};
  if (dice.chance(0.5))
    permitted.dns = dice.pick([dns.map((name) => name.slice(name.indexOf(".") + 1)), ["com", "ORG", "net"], [""]]);
  if (dice.chance(0.3)) excluded.dns = ["bad.example.invalid", "host"];
  if (dice.chance(0.4) && ip.length > 0)
    permitted.ip = dice.pick([
      ip.map((one) => `${one}/${one.includes(":") ? 128 : 32}`),
      ["0.0.0.0/0", "2001:db8::/32"],
    ]);
  if (dice.chance(0.3)) excluded.ip = ["10.0.0.0/8", "2001:db9::/32"];
  if (dice.chance(0.3)) permitted.directory = [nameDer([["O", `things ${tag}`]])];
  if (dice.chance(0.3))
    excluded.directory = [
      nameDer([["O", "Somebody"]]),
      nameDer([
        ["O", `Things ${tag}`],
        ["CN", "No"],
      ]),
    ];
  if (dice.chance(0.3) && email.length > 0)
    permitted.email = dice.pick([[".example.com"], ["mail.example.com"], email]);
  if (dice.chance(0.2)) excluded.email = ["mail.example.org"];
  if (dice.chance(0.3) && uri.length > 0) permitted.uri = dice.pick([[".example.com"], ["www.example.com"]]);
  if (Object.values(permitted).concat(Object.values(excluded)).flat().length === 0) excluded.dns = ["nowhere"];
  return nameConstraints(permitted, excluded);
}

/** What does not matter: strangers, the root itself; where it may hang together with the spine, cross-signed, looping and dead ways too. */
function addSurplus(made: Hierarchy, linear: boolean): void {
  const { dice, spine, root, surplus, spare, tag, differences } = made;
  const stranger = (name: string, key: PoolKey): Draft => ({
    ...root,
    subject: nameDer([
      ["O", `Strangers ${tag}`],
      ["CN", name],
    ]),
    issuer: nameDer([
      ["O", `Strangers ${tag}`],
      ["CN", name],
    ]),
    key,
    signer: key,
    notBefore: made.at! - DAY,
    notAfter: made.at! + DAY,
    extensions: {
      basicConstraints: caConstraints(),
      keyUsage: standard({ keyUsage: ["keyCertSign"] }),
      subjectKeyIdentifier: standard({ subjectKeyIdentifier: key.identifier }),
      authorityKeyIdentifier: standard({ authorityKeyIdentifier: key.identifier }),
    },
  });
  if (dice.chance(0.2)) surplus.push(stranger("Nobody", spare.pop()!));
  if (dice.chance(0.2)) made.trusted.push(stranger("Trusted as well", spare.pop()!));
  if (dice.chance(0.2)) surplus.push(root);
  if (linear) return;
  const cas = spine.slice(1);
  if (dice.chance(0.15)) {
    // Amazon's shape: an older CA, unknown here, vouches for a CA of the path, or for the root.
    const elder = stranger("Elder", spare.pop()!);
    const one = dice.pick([...cas, root]);
    const cross = { ...one, issuer: elder.subject, signer: elder.key, pss: false, serial: Uint8Array.of(9) };
    cross.extensions = {
      ...one.extensions,
      authorityKeyIdentifier: standard({ authorityKeyIdentifier: elder.key.identifier }),
    };
    surplus.push(cross);
    if (dice.chance(0.5)) surplus.push(elder);
    if (dice.chance(0.5)) {
      // And a CA of the path for the elder one: a loop.
      const back = { ...elder, issuer: one.subject, signer: one.key, pss: false };
      back.extensions = {
        ...elder.extensions,
        authorityKeyIdentifier: standard({ authorityKeyIdentifier: one.key.identifier }),
      };
      surplus.push(back);
    }
    if (one !== root) differences.add("several ways");
  }
  if (cas.length > 0 && dice.chance(0.15)) {
    // The same CA, run out.
    const one = dice.pick(cas);
    surplus.push({ ...one, notBefore: made.at! - 9 * DAY, notAfter: made.at! - DAY, serial: Uint8Array.of(8) });
  }
  if (dice.chance(0.15)) {
    // A CA of the same name with another key: it did not sign.
    const one = dice.pick([...cas, root]);
    const key = spare.pop()!;
    const decoy = { ...one, key, serial: Uint8Array.of(7) };
    decoy.extensions = { ...one.extensions };
    if ("subjectKeyIdentifier" in decoy.extensions)
      decoy.extensions["subjectKeyIdentifier"] = standard({ subjectKeyIdentifier: key.identifier });
    if (one === root) {
      decoy.signer = key;
      decoy.pss = false;
      if ("authorityKeyIdentifier" in decoy.extensions)
        decoy.extensions["authorityKeyIdentifier"] = standard({ authorityKeyIdentifier: key.identifier });
      made.trusted.push(decoy);
    } else surplus.push(decoy);
  }
}

/** A hierarchy in DER. */
export interface Built {
  /** As the peer sends it: the leaf, and the rest in any order. */
  readonly chain: Uint8Array[];
  /** CA certificates that are trusted, the root among them. */
  readonly trust: Uint8Array[];
  readonly spine: Uint8Array[];
  readonly root: Uint8Array;
}

/** Writes a hierarchy, unordered and with duplicates. */
export function build({ dice, spine, root, surplus, trusted }: Hierarchy): Built {
  const written = spine.map(write);
  const rootDer = write(root);
  const rest = [...written.slice(1), ...surplus.map((draft) => (draft === root ? rootDer : write(draft)))];
  const more = dice.chance(0.2) ? [dice.pick([...rest, written[0]!])] : [];
  return {
    chain: [written[0]!, ...dice.shuffled([...rest, ...more])],
    trust: dice.shuffled([rootDer, ...trusted.map(write)]),
    spine: written,
    root: rootDer,
  };
}
