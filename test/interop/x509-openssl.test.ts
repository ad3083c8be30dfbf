/**
 * Our verdict on chains against that of `openssl verify -x509_strict`, on certificates that openssl made. Where the two differ, the row says
 * by which rule; whatever is not marked must agree.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCrypto } from "../../src/tls/crypto/index.ts";
import {
  describe as describeCertificate,
  parseCertificate,
  parseCertificateChain,
  parsePrivateKey,
  trustAnchors,
  verifyCertificate,
} from "../../src/tls/x509/index.ts";
import { ca as ourCa, server as ourServer } from "../unit/x509/pki.ts";

const folder = mkdtempSync(join(tmpdir(), "thingwire-x509-"));
const file = (name: string): string => join(folder, name);
const pem = (name: string): string => readFileSync(file(`${name}.crt`), "utf8");
const openssl = (...words: string[]): string =>
  execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const HOST = "thing.example.com";
const DAY = 86_400;
const now = Math.floor(Date.now() / 1000);
const crypto = createCrypto();

interface Making {
  /** Name of the issuer's files; self-signed without one. */
  readonly by?: string;
  /** The subject's CN where it is not the name; `*` for one that several share. */
  readonly cn?: string;
  /** A key made before. */
  readonly key?: string;
  readonly ext?: readonly string[];
  readonly days?: number;
  readonly sign?: readonly string[];
}

const CA = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
const IDENTIFIERS = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"];
const SERVER = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth"];
const SAN = `subjectAltName=DNS:${HOST}`;
let serial = 1;

function newKey(name: string, ...words: string[]): void {
  openssl("genpkey", "-quiet", ...words, "-out", file(`${name}.key`));
  const publicKey = createPublicKey(readFileSync(file(`${name}.key`)));
  writeFileSync(file(`${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
}
const ec = (curve = "P-256") => ["-algorithm", "EC", "-pkeyopt", `ec_paramgen_curve:${curve}`];
const rsa = (bits = 2048) => ["-algorithm", "RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];

function make(name: string, { by, cn = name, key, ext, days = 3000, sign = ["-sha256"] }: Making): void {
  const own = key ?? name;
  if (key === undefined) newKey(name, ...ec());
  const signer =
    by === undefined ? ["-key", file(`${own}.key`)] : ["-CA", file(`${by}.crt`), "-CAkey", file(`${by}.key`)];
  if (key !== undefined) writeFileSync(file(`${name}.key`), readFileSync(file(`${key}.key`)));
  const extensions = ext === undefined ? [] : ["-extfile", file(`${name}.ext`)];
  if (ext !== undefined) writeFileSync(file(`${name}.ext`), `${ext.join("\n")}\n`);
  const subject = ["-subj", `/O=Thing Co/CN=${cn}`, "-set_serial", String(serial++), "-days", String(days)];
  openssl(
    "x509",
    "-new",
    "-force_pubkey",
    file(`${own}.pub`),
    ...subject,
    ...signer,
    ...extensions,
    ...sign,
    "-out",
    file(`${name}.crt`),
  );
}

const ca = (name: string, by?: string, more: Making = {}) =>
  make(name, { ...(by === undefined ? {} : { by }), ext: [...CA, ...IDENTIFIERS], ...more });
const leaf = (name: string, by: string, more: Making = {}) =>
  make(name, {
    by,
    key: "leafkey",
    cn: "leaf",
    ext: ["basicConstraints=CA:FALSE", ...SERVER, SAN, ...IDENTIFIERS],
    ...more,
  });
const leafWith = (name: string, ...ext: string[]) => leaf(name, "int", { ext: [...ext, ...IDENTIFIERS] });
const caWith = (name: string, by: string, ...ext: string[]) => ca(name, by, { ext: [...ext, ...IDENTIFIERS] });

beforeAll(() => {
  newKey("leafkey", ...ec());
  newKey("leafrsa", ...rsa());
  newKey("weak", ...rsa(1024));
  newKey("rsakey", ...rsa());
  newKey("p384key", ...ec("P-384"));
  newKey("p521key", ...ec("P-521"));
  newKey("edkey", "-algorithm", "ED25519");
  newKey("psskey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048");

  // A plain hierarchy.
  ca("root");
  ca("int", "root");
  ca("int2", "int");
  ca("int3", "int2");
  ca("int4", "int3");
  for (const [name, by] of [
    ["l0", "root"],
    ["l1", "int"],
    ["l2", "int2"],
    ["l3", "int3"],
    ["l4", "int4"],
  ] as const)
    leaf(name, by);
  ca("stranger");
  ca("impostor", undefined, { cn: "root" });
  ca("fakeint", "impostor", { cn: "int" });

  // Keys and signatures.
  ca("rsaroot", undefined, { key: "rsakey" });
  leaf("lrsa", "rsaroot", { key: "leafrsa" });
  leaf("lrsa384", "rsaroot", { sign: ["-sha384"] });
  leaf("lrsa512", "rsaroot", { sign: ["-sha512"] });
  leaf("lsha1", "rsaroot", { sign: ["-sha1"] });
  leaf("lsha224", "rsaroot", { sign: ["-sha224"] });
  const pss = (length: string) => [
    "-sha256",
    "-sigopt",
    "rsa_padding_mode:pss",
    "-sigopt",
    `rsa_pss_saltlen:${length}`,
  ];
  leaf("lpss", "rsaroot", { sign: pss("32") });
  leaf("lpssmax", "rsaroot", { sign: pss("-2") });
  ca("pssroot", undefined, { key: "psskey", sign: pss("32") });
  leaf("lpsskey", "pssroot", { sign: pss("32") });
  ca("p384root", undefined, { key: "p384key", sign: ["-sha384"] });
  leaf("lp384", "p384root", { sign: ["-sha384"] });
  leaf("lp384s512", "p384root", { sign: ["-sha512"] });
  leaf("lp384s256", "p384root", { sign: ["-sha256"] });
  ca("p521root", undefined, { key: "p521key", sign: ["-sha512"] });
  leaf("lp521", "p521root", { sign: ["-sha512"] });
  leaf("lweak", "int", { key: "weak" });
  leaf("led", "int", { key: "edkey" });
  ca("edroot", undefined, { key: "edkey", sign: [] });
  leaf("lbyed", "edroot", { sign: [] });

  // Amazon's shape: a root that an older one signs too, under the same name and key.
  ca("starfield");
  ca("ca1");
  ca("ca1cross", "starfield", { cn: "ca1", key: "ca1" });
  ca("issuing", "ca1");
  leaf("lamazon", "issuing");
  // Two roots that sign each other.
  ca("loopA");
  ca("loopB");
  ca("loopAB", "loopA", { cn: "loopB", key: "loopB" });
  ca("loopBA", "loopB", { cn: "loopA", key: "loopA" });
  leaf("lloop", "loopA");

  // Dates: what is short ends before what is long.
  leaf("lshort", "int", { days: 1 });
  ca("intshort", "root", { days: 1, cn: "int", key: "int" });
  ca("rootshort", undefined, { days: 1, cn: "root", key: "root" });
  leaf("lfar", "int", { days: 40_000 });

  // basicConstraints, keyUsage, path length.
  caWith("nobc", "root", "keyUsage=critical,keyCertSign");
  leaf("lnobc", "nobc");
  caWith("nobcku", "root", "keyUsage=critical,digitalSignature");
  leaf("lnobcku", "nobcku");
  caWith("bcfalse", "root", "basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature");
  leaf("lbcfalse", "bcfalse");
  caWith("nosign", "root", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign");
  leaf("lnosign", "nosign");
  caWith("noku", "root", "basicConstraints=critical,CA:TRUE");
  leaf("lnoku", "noku");
  caWith("path0", "root", "basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign");
  leaf("lpath0", "path0");
  ca("belowpath0", "path0");
  leaf("lbelowpath0", "belowpath0");
  ca("path0self", "path0", { cn: "path0", key: "stranger" });
  leaf("lpath0self", "path0self");
  ca("rootpath0", undefined, { ext: ["basicConstraints=critical,CA:TRUE,pathlen:0", CA[1]!, ...IDENTIFIERS] });
  ca("introot0", "rootpath0");
  leaf("lroot0", "rootpath0");
  leaf("lintroot0", "introot0");
  leaf("lbyleaf", "l1", { cn: "victim" });

  // Purposes and names.
  const basic = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature"];
  leafWith("lclient", ...basic, "extendedKeyUsage=clientAuth", SAN);
  leafWith("lany", ...basic, "extendedKeyUsage=anyExtendedKeyUsage", SAN);
  leafWith("lnoeku", ...basic, SAN);
  leafWith("lkeyenc", basic[0]!, "keyUsage=critical,keyEncipherment", "extendedKeyUsage=serverAuth", SAN);
  leafWith("lsignku", basic[0]!, "keyUsage=critical,keyCertSign", "extendedKeyUsage=serverAuth", SAN);
  leafWith("lbare", SAN);
  caWith("intclient", "root", ...CA, "extendedKeyUsage=clientAuth");
  leaf("lintclient", "intclient");
  ca("rootclient", undefined, { ext: [...CA, "extendedKeyUsage=clientAuth", ...IDENTIFIERS] });
  leaf("lrootclient", "rootclient");
  for (const [name, names] of [
    ["nwild", "DNS:*.example.com"],
    ["nwildtop", "DNS:*.com"],
    ["nwildmid", "DNS:thing.*.com"],
    ["nwildpart", "DNS:th*.example.com"],
    ["nupper", "DNS:THING.Example.COM"],
    ["ndot", "DNS:thing.example.com."],
    ["nip", "IP:192.0.2.1,IP:2001:db8::1"],
    ["nipdns", "DNS:192.0.2.1"],
    ["nother", "DNS:other.example.com"],
  ] as const)
    leafWith(name, ...basic, "extendedKeyUsage=serverAuth", `subjectAltName=${names}`);
  leaf("ncn", "int", { cn: HOST, ext: [...basic, "extendedKeyUsage=serverAuth", ...IDENTIFIERS] });
  caWith(
    "constrained",
    "root",
    ...CA,
    "nameConstraints=critical,permitted;DNS:example.com,excluded;DNS:bad.example.com",
  );
  leaf("lconstrained", "constrained");
  leaf("lexcluded", "constrained", { ext: [...basic, "subjectAltName=DNS:bad.example.com", ...IDENTIFIERS] });
  leaf("loutside", "constrained", { ext: [...basic, "subjectAltName=DNS:thing.example.org", ...IDENTIFIERS] });

  // Extensions and versions.
  leafWith("lcritical", ...basic, SAN, "1.2.3.4=critical,DER:0500");
  leafWith("lunknown", ...basic, SAN, "1.2.3.4=DER:0500");
  make("v1root", {});
  leaf("lv1root", "v1root", { ext: [...basic, SAN, "subjectKeyIdentifier=hash"] });
  make("v1int", { by: "root" });
  leaf("lv1int", "v1int", { ext: [...basic, SAN, "subjectKeyIdentifier=hash"] });
  make("self", { ext: [...basic, "extendedKeyUsage=serverAuth", SAN, "subjectKeyIdentifier=hash"] });
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  readonly title: string;
  /** Leaf first. */
  readonly chain: string;
  readonly trust: string;
  readonly host?: string;
  /** Days from now. */
  readonly at?: number;
  /** The code of our first problem; empty where the chain is accepted. */
  readonly code?: string;
  /** Why openssl says the opposite. */
  readonly differs?: string;
}

const ANCHOR = "RFC 5280 §6.1.1 d: an anchor is a name and a key, its dates and version do not count";
const ECDHE = "RFC 5246 §7.4.2: the ephemeral exchange needs digitalSignature, openssl takes any use that some TLS has";
const WEAK = "openssl leaves it to its security level, which `verify` does not set";

const cases: readonly Case[] = [
  ...[0, 1, 2, 3, 4].map((n) => ({
    title: `${n} intermediates`,
    chain: ["l0", "l1 int", "l2 int2 int", "l3 int3 int2 int", "l4 int4 int3 int2 int"][n]!,
    trust: "root",
  })),
  { title: "out of order", chain: "l4 int int2 int3 int4", trust: "root" },
  { title: "surplus and duplicates", chain: "l2 stranger int int int2 root int2 l2 rsaroot", trust: "root" },
  { title: "an intermediate is missing", chain: "l2 int2", trust: "root", code: "X509_NOT_TRUSTED" },
  { title: "another root", chain: "l1 int", trust: "stranger", code: "X509_NOT_TRUSTED" },
  { title: "a root of the same name", chain: "l1 int", trust: "impostor", code: "X509_BAD_SIGNATURE" },
  { title: "roots of the same name, one right", chain: "l1 int", trust: "impostor root" },
  {
    title: "an intermediate of the same name",
    chain: "l1 fakeint",
    trust: "root impostor",
    code: "X509_BAD_SIGNATURE",
  },
  { title: "intermediates of the same name, one right", chain: "l1 fakeint int", trust: "root" },
  {
    title: "only an intermediate is trusted",
    chain: "l1",
    trust: "int",
    differs: "an anchor need not be self-signed (RFC 5280 §6.1.1); openssl does so with -partial_chain",
  },
  { title: "self-signed", chain: "self", trust: "root", code: "X509_NOT_TRUSTED" },
  { title: "self-signed, trusted", chain: "self", trust: "self" },
  { title: "a leaf as a CA", chain: "lbyleaf l1 int", trust: "root", code: "X509_NOT_A_CA" },

  { title: "RSA", chain: "lrsa", trust: "rsaroot" },
  { title: "RSA, SHA-384", chain: "lrsa384", trust: "rsaroot" },
  { title: "RSA, SHA-512", chain: "lrsa512", trust: "rsaroot" },
  { title: "RSA, SHA-1", chain: "lsha1", trust: "rsaroot", code: "X509_WEAK_HASH", differs: WEAK },
  {
    title: "RSA, SHA-224",
    chain: "lsha224",
    trust: "rsaroot",
    code: "X509_UNSUPPORTED_ALGORITHM",
    differs: "not in TLS 1.2's offer",
  },
  { title: "RSA-PSS, salt of the hash's length", chain: "lpss", trust: "rsaroot" },
  {
    title: "RSA-PSS, longest salt",
    chain: "lpssmax",
    trust: "rsaroot",
    code: "X509_UNSUPPORTED_ALGORITHM",
    differs: "RFC 8446 §4.2.3: the salt is as long as the hash",
  },
  {
    title: "a key for RSA-PSS only",
    chain: "lpsskey",
    trust: "pssroot",
    code: "X509_UNSUPPORTED_ALGORITHM",
    differs: "keys of the type id-RSASSA-PSS are not supported",
  },
  { title: "P-384, SHA-384", chain: "lp384", trust: "p384root" },
  { title: "P-384, SHA-512", chain: "lp384s512", trust: "p384root" },
  { title: "P-384, SHA-256", chain: "lp384s256", trust: "p384root" },
  { title: "P-521, SHA-512", chain: "lp521", trust: "p521root" },
  { title: "RSA-1024 leaf", chain: "lweak int", trust: "root", code: "X509_WEAK_KEY", differs: WEAK },
  {
    title: "Ed25519 leaf",
    chain: "led int",
    trust: "root",
    code: "X509_UNSUPPORTED_ALGORITHM",
    differs: "Ed25519 is not supported",
  },
  {
    title: "Ed25519 root",
    chain: "lbyed",
    trust: "edroot",
    code: "X509_UNSUPPORTED_ALGORITHM",
    differs: "Ed25519 is not supported",
  },

  { title: "Amazon's shape, new root trusted", chain: "lamazon issuing ca1cross starfield", trust: "ca1" },
  { title: "Amazon's shape, old root trusted", chain: "lamazon issuing ca1cross", trust: "starfield" },
  { title: "Amazon's shape, both trusted", chain: "lamazon issuing ca1cross", trust: "starfield ca1" },
  {
    title: "Amazon's shape, the cross-signed one is missing",
    chain: "lamazon issuing ca1",
    trust: "starfield",
    code: "X509_NOT_TRUSTED",
  },
  { title: "a loop of CAs", chain: "lloop loopAB loopBA", trust: "root", code: "X509_NOT_TRUSTED" },
  { title: "a loop with a way out", chain: "lloop loopAB loopBA", trust: "loopB" },

  { title: "expired leaf", chain: "lshort int", trust: "root", at: 5, code: "X509_EXPIRED" },
  { title: "expired intermediate", chain: "l1 intshort", trust: "root", at: 5, code: "X509_EXPIRED" },
  { title: "expired intermediate beside a valid one", chain: "l1 intshort int", trust: "root", at: 5 },
  { title: "expired root", chain: "l1 int", trust: "rootshort", at: 5, differs: ANCHOR },
  { title: "not yet valid", chain: "l1 int", trust: "root", at: -5, code: "X509_NOT_YET_VALID" },
  { title: "dates after 2050", chain: "lfar int", trust: "root", at: 2000 },

  { title: "intermediate without basicConstraints", chain: "lnobc nobc", trust: "root", code: "X509_KEY_USAGE" },
  {
    title: "intermediate without basicConstraints and keyCertSign",
    chain: "lnobcku nobcku",
    trust: "root",
    code: "X509_NOT_A_CA",
  },
  { title: "intermediate with cA FALSE", chain: "lbcfalse bcfalse", trust: "root", code: "X509_NOT_A_CA" },
  { title: "intermediate without keyCertSign", chain: "lnosign nosign", trust: "root", code: "X509_NOT_A_CA" },
  {
    title: "intermediate without keyUsage",
    chain: "lnoku noku",
    trust: "root",
    differs: "RFC 5280 §4.2.1.3 obliges CAs to have keyUsage, §6.1.4 n verifiers only where it is there",
  },
  { title: "path length 0, a leaf below", chain: "lpath0 path0", trust: "root" },
  {
    title: "path length 0, a CA below",
    chain: "lbelowpath0 belowpath0 path0",
    trust: "root",
    code: "X509_PATH_LENGTH",
  },
  { title: "path length 0, a self-issued CA below", chain: "lpath0self path0self path0", trust: "root" },
  { title: "root with path length 0, a leaf below", chain: "lroot0", trust: "rootpath0" },
  {
    title: "root with path length 0, a CA below",
    chain: "lintroot0 introot0",
    trust: "rootpath0",
    code: "X509_PATH_LENGTH",
  },

  { title: "a client's certificate", chain: "lclient int", trust: "root", code: "X509_EXTENDED_KEY_USAGE" },
  {
    title: "any purpose",
    chain: "lany int",
    trust: "root",
    differs: "RFC 5280 §4.2.1.12: anyExtendedKeyUsage is any; openssl wants serverAuth by name",
  },
  { title: "no extendedKeyUsage", chain: "lnoeku int", trust: "root" },
  { title: "keyEncipherment only", chain: "lkeyenc int", trust: "root", code: "X509_KEY_USAGE", differs: ECDHE },
  { title: "keyCertSign without cA", chain: "lsignku int", trust: "root", code: "X509_KEY_USAGE" },
  { title: "subjectAltName only", chain: "lbare int", trust: "root" },
  {
    title: "an intermediate for clients",
    chain: "lintclient intclient",
    trust: "root",
    code: "X509_EXTENDED_KEY_USAGE",
  },
  { title: "a root for clients", chain: "lrootclient", trust: "rootclient", code: "X509_EXTENDED_KEY_USAGE" },

  { title: "wildcard", chain: "nwild int", trust: "root" },
  {
    title: "wildcard for two labels",
    chain: "nwild int",
    trust: "root",
    host: "a.thing.example.com",
    code: "X509_NAME_MISMATCH",
  },
  {
    title: "wildcard for the bare domain",
    chain: "nwild int",
    trust: "root",
    host: "example.com",
    code: "X509_NAME_MISMATCH",
  },
  {
    title: "wildcard for a top level",
    chain: "nwildtop int",
    trust: "root",
    host: "example.com",
    code: "X509_NAME_MISMATCH",
  },
  { title: "wildcard in the middle", chain: "nwildmid int", trust: "root", code: "X509_NAME_MISMATCH" },
  {
    title: "wildcard for a part",
    chain: "nwildpart int",
    trust: "root",
    code: "X509_NAME_MISMATCH",
    differs: "RFC 9525 §6.3: the wildcard is the whole label",
  },
  { title: "case of the certificate", chain: "nupper int", trust: "root" },
  { title: "case of the host", chain: "l1 int", trust: "root", host: "Thing.EXAMPLE.com" },
  {
    title: "the root's dot in the host",
    chain: "l1 int",
    trust: "root",
    host: `${HOST}.`,
    differs: "RFC 9525 §6.2: an absolute name is the same name",
  },
  { title: "the root's dot in the certificate", chain: "ndot int", trust: "root", code: "X509_NAME_MISMATCH" },
  { title: "IPv4", chain: "nip int", trust: "root", host: "192.0.2.1" },
  { title: "IPv6", chain: "nip int", trust: "root", host: "2001:db8:0:0::1" },
  { title: "another address", chain: "nip int", trust: "root", host: "192.0.2.2", code: "X509_NAME_MISMATCH" },
  {
    title: "an address as a DNS name",
    chain: "nipdns int",
    trust: "root",
    host: "192.0.2.1",
    code: "X509_NAME_MISMATCH",
  },
  { title: "another name", chain: "nother int", trust: "root", code: "X509_NAME_MISMATCH" },
  {
    title: "the common name only",
    chain: "ncn int",
    trust: "root",
    code: "X509_NAME_MISMATCH",
    differs: "RFC 9525 §2: the common name is no host name",
  },
  { title: "constraints kept", chain: "lconstrained constrained", trust: "root" },
  {
    title: "a name that is excluded",
    chain: "lexcluded constrained",
    trust: "root",
    host: "bad.example.com",
    code: "X509_NAME_CONSTRAINTS",
  },
  {
    title: "a name that is not permitted",
    chain: "loutside constrained",
    trust: "root",
    host: "thing.example.org",
    code: "X509_NAME_CONSTRAINTS",
  },

  {
    title: "an unknown critical extension",
    chain: "lcritical int",
    trust: "root",
    code: "X509_UNKNOWN_CRITICAL_EXTENSION",
  },
  { title: "an unknown extension", chain: "lunknown int", trust: "root" },
  { title: "a root of version 1", chain: "lv1root", trust: "v1root", differs: ANCHOR },
  { title: "an intermediate of version 1", chain: "lv1int v1int", trust: "root", code: "X509_NOT_A_CA" },
];

/** Whether openssl accepts, and what it says. */
function opensslVerdict(
  leafPem: string,
  chainPem: string,
  trustPem: string,
  host: string,
  at: number,
): [boolean, string] {
  for (const [name, text] of [
    ["leaf", leafPem],
    ["untrusted", chainPem],
    ["trusted", trustPem],
  ] as const)
    writeFileSync(file(`${name}.pem`), text);
  const named = /^[0-9.]+$|:/.test(host) ? "-verify_ip" : "-verify_hostname";
  const files = ["-CAfile", file("trusted.pem"), ...(chainPem === "" ? [] : ["-untrusted", file("untrusted.pem")])];
  const options = [
    "-x509_strict",
    "-purpose",
    "sslserver",
    named,
    host,
    "-attime",
    String(at),
    "-no-CApath",
    "-no-CAstore",
  ];
  const { status, stderr } = spawnSync("openssl", ["verify", ...options, ...files, file("leaf.pem")], {
    encoding: "utf8",
  });
  return [status === 0, stderr];
}

describe("openssl verify -x509_strict as an oracle", () => {
  it.each(cases)("RFC 5280 §6.1 $title: $chain", ({ chain, trust, host = HOST, at = 0, code = "", differs }) => {
    const names = chain.split(" ");
    const time = now + at * DAY + 60;
    const ours = verifyCertificate({
      purpose: "server",
      serverName: host,
      chain: names.flatMap((name) => parseCertificateChain(pem(name))),
      trust: trustAnchors(trust.split(" ").map(pem)),
      at: time * 1000,
      crypto,
    });
    expect(ours.problems[0]?.code ?? "", JSON.stringify(ours.problems)).toBe(code);
    const [accepted, said] = opensslVerdict(
      pem(names[0]!),
      names.slice(1).map(pem).join(""),
      trust.split(" ").map(pem).join(""),
      host,
      time,
    );
    expect(accepted, `openssl: ${said}`).toBe(differs === undefined ? ours.ok : !ours.ok);
  });

  it("RFC 5280 §4.1 what issueCertificate writes, openssl accepts", () => {
    const root = ourCa("Ours, Inc.", undefined, { extensions: { subjectKeyIdentifier: Uint8Array.of(1) } });
    const key = { subjectKeyIdentifier: Uint8Array.of(2), authorityKeyIdentifier: Uint8Array.of(1) };
    const host = ourServer(root, { extensions: { ...key, ipAddresses: ["::1"] }, notAfter: Date.UTC(2050, 0, 1) });
    const text = ({ der }: { der: Uint8Array }) =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
    for (const name of [HOST, "::1"])
      expect(opensslVerdict(text(host), "", text(root), name, Date.UTC(2026, 0, 15) / 1000)).toEqual([true, ""]);
  });
});

it("RFC 5280 §4.1 describe() says what openssl x509 -text says", () => {
  for (const name of [
    "root",
    "l1",
    "nwild",
    "lpath0",
    "path0",
    "constrained",
    "lany",
    "lrsa384",
    "lp384",
    "lfar",
    "v1root",
  ]) {
    const theirs = openssl("x509", "-in", file(`${name}.crt`), "-noout", "-text")
      .split("\n")
      .map((line) => line.trim());
    const ours = describeCertificate(parseCertificate(parseCertificateChain(pem(name))[0]!));
    // Octets are cut short, and the curve's, serial number's and names' layout is ours; so are IPv6 addresses (RFC 5952), which none of these has.
    for (const line of ours.split("\n").map((one) => one.trim().replace(/^(Not After )/, "$1")))
      if (line !== "" && !/…|^Signature Value|^pub:|^Modulus:|^Permitted|^Excluded|^Serial|^[0-9]+ \(0x/.test(line))
        expect(theirs, `${name}: ${line}`).toContain(line);
  }
});

describe("private keys as openssl writes them", () => {
  const shapes = [
    ["PKCS#8", ["pkey"]],
    ["PKCS#8 DER", ["pkey", "-outform", "DER"]],
    ["traditional", ["pkey", "-traditional"]],
    ["traditional DER", ["pkey", "-traditional", "-outform", "DER"]],
  ] as const;
  for (const key of ["leafrsa", "leafkey", "p384key", "p521key"])
    it.each(shapes)(`RFC 5958, RFC 8017, RFC 5915: ${key}, %s`, (_, words) => {
      const bytes = execFileSync("openssl", [...words, "-in", file(`${key}.key`)]);
      const plain = parsePrivateKey(readFileSync(file(`${key}.key`), "utf8"));
      expect(parsePrivateKey(new Uint8Array(bytes))).toEqual(plain);
      if (words.includes("DER" as never)) return;
      const text = bytes.toString();
      const variants = [
        `\uFEFF${text}`,
        text.replaceAll("\n", "\r\n"),
        `Bag Attributes\n    friendlyName: a:b\n${text}`,
      ];
      for (const variant of variants) expect(parsePrivateKey(variant)).toEqual(plain);
    });

  it("RFC 5915: EC PARAMETERS before the key are skipped", () => {
    const text = openssl("ecparam", "-name", "prime256v1", "-genkey");
    expect(text).toContain("EC PARAMETERS");
    expect(parsePrivateKey(text)).toMatchObject({ type: "ec", curve: "secp256r1" });
  });

  it.each([
    ["PKCS#8", ["pkcs8", "-topk8"], "PEM"],
    ["PKCS#8 DER", ["pkcs8", "-topk8"], "DER"],
    ["traditional", ["pkey", "-traditional"], "PEM"],
  ] as const)("an encrypted key is named as such: %s", (_, words, form) => {
    for (const key of ["leafrsa", "leafkey"]) {
      const encrypt = words[0] === "pkey" ? ["-aes128"] : ["-v2", "aes128"];
      const password = ["-passout", "pass:secret", "-outform", form];
      const bytes = execFileSync("openssl", [...words, "-in", file(`${key}.key`), ...encrypt, ...password]);
      expect(() => parsePrivateKey(new Uint8Array(bytes))).toThrow(
        expect.objectContaining({ name: "CertificateError", code: "X509_KEY_ENCRYPTED" }),
      );
    }
  });
});
