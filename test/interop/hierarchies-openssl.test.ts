/**
 * The random hierarchies of test/property/x509 before `openssl verify -x509_strict`: it agrees with each verdict, except where a row of
 * a table says why not. Many chains share one process: names of one hierarchy are in no other.
 */

import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { toPem, trustAnchors, verifyCertificate } from "../../src/tls/x509/index.ts";
import { defects } from "../property/x509/defects.ts";
import { HOSTS, isAddress } from "../property/x509/hierarchy.ts";
import { type Trial, trial } from "../property/x509/trial.ts";
import { keyPool } from "../property/x509/writer.ts";
import { runs } from "../runs.ts";
import { nodeDouble } from "../unit/x509/node-double.ts";

/** Why openssl refuses what we accept. */
const REASONS: Readonly<Record<string, string>> = {
  "any purpose": "RFC 5280 §4.2.1.12: anyExtendedKeyUsage is any; openssl wants the purpose by name",
  "CA without keyUsage": "RFC 5280 §4.2.1.3 obliges CAs, §6.1.4 n verifiers only where keyUsage is there",
  "no key identifiers":
    "RFC 5280 §4.2.1.1 and §4.2.1.2 oblige CAs; they help to build paths, validation does not need them",
  "dates of an anchor": "RFC 5280 §6.1.1 d: an anchor is a name and a key",
  "the last second": "RFC 5280 §4.1.2.5: notAfter itself is included",
  "several ways":
    "RFC 4158 §2: the search goes back and tries another issuer; openssl takes the first that looks right",
  "trusted below": "RFC 5280 §6.1.1: an anchor need not be self-signed; openssl wants -partial_chain for that",
};

const AT = Date.UTC(2026, 5, 15, 12);
const PER_CALL = 100;
const folder = mkdtempSync(join(tmpdir(), "thingwire-hierarchies-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const crypto = nodeDouble();
const pool = keyPool();
const file = (name: string): string => join(folder, name);
const pem = (list: readonly Uint8Array[]): string => list.map((der) => toPem("CERTIFICATE", der)).join("");

function isReadable(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
}

/** The chains that openssl accepts, and what it says of each of the others. */
function opensslVerdicts(trials: readonly Trial[], purpose: string, host: string | undefined): Map<Trial, string> {
  const verdicts = new Map<Trial, string>();
  const asked = trials.filter((one) => one.built.chain.every(isReadable) && one.built.trust.every(isReadable));
  for (const one of trials) if (!asked.includes(one)) verdicts.set(one, "unreadable");
  writeFileSync(file("trusted.pem"), pem(asked.flatMap(({ built }) => built.trust)));
  writeFileSync(file("untrusted.pem"), pem(asked.flatMap(({ built }) => built.chain.slice(1))));
  for (const { seed, built } of asked) writeFileSync(file(`${seed}.pem`), pem(built.chain.slice(0, 1)));
  const name = host === undefined ? [] : [isAddress(host) ? "-verify_ip" : "-verify_hostname", host];
  const where = ["-CAfile", file("trusted.pem"), "-untrusted", file("untrusted.pem"), "-no-CApath", "-no-CAstore"];
  const words = ["-x509_strict", "-purpose", purpose, ...name, "-attime", String(AT / 1000), ...where];
  const leaves = asked.map(({ seed }) => file(`${seed}.pem`));
  const { stdout, stderr } = spawnSync("openssl", ["verify", ...words, ...leaves], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  for (const one of asked) {
    const leaf = file(`${one.seed}.pem`);
    const said = stderr.split(`error ${leaf}:`)[0]!.split("error ").at(-1)!;
    verdicts.set(one, stdout.includes(`${leaf}: OK\n`) ? "" : said);
  }
  return verdicts;
}

const lines: string[] = [];
afterAll(() => {
  if (process.env["THINGWIRE_DEEP"] === "1") console.log(lines.join("\n"));
});

describe("openssl verify -x509_strict and random hierarchies", () => {
  // 240 in CI, 24,000 in the deep tier.
  const count = runs(40).numRuns;
  it.each([...HOSTS, undefined])("RFC 5280 §6.1: openssl agrees, for %s", { timeout: 3_600_000 }, (host) => {
    const tally = new Map<string, number>();
    const wrong: string[] = [];
    const purpose = host === undefined ? "client" : "server";
    const options = { at: AT, purpose, serverName: host ?? HOSTS[0] } as const;
    for (let first = 0; first < count; first += PER_CALL) {
      const trials = Array.from({ length: Math.min(PER_CALL, count - first) }, (_, i) =>
        trial((HOSTS.indexOf(host as never) + 2) * 10_000_000 + first + i, pool, options),
      );
      for (const [one, said] of opensslVerdicts(trials, `ssl${purpose}`, host)) {
        const { made, built, defect } = one;
        const ours = verifyCertificate({
          purpose,
          serverName: host,
          chain: built.chain,
          trust: trustAnchors(built.trust),
          at: made.at,
          crypto,
          maxIntermediates: made.maxIntermediates,
        });
        const isAllowed = ours.ok ? made.differences.size > 0 : defect?.opensslAccepts !== undefined;
        if (ours.ok === (said === "")) note(tally, ours.ok ? "both accept" : "both refuse");
        else if (!isAllowed)
          wrong.push(
            `seed ${one.seed}: ${one.kind}, ${defect?.name}: ours ${ours.problems.map(({ code }) => code)}, theirs ${said}`,
          );
        else
          note(tally, ours.ok ? `we accept: ${[...made.differences].sort().join(", ")}` : `we refuse: ${defect!.name}`);
      }
    }
    lines.push(`${host}: ${[...tally].map(([what, times]) => `${times} × ${what}`).join("; ")}`);
    expect(wrong).toEqual([]);
    expect(tally.get("both accept")).toBeGreaterThan(count / 10);
    expect(tally.get("both refuse")).toBeGreaterThan(count / 10);
  });

  it("each difference has its reason", () => {
    for (let seed = 0; seed < 200; seed++)
      for (const difference of trial(seed, pool, { at: AT }).made.differences)
        expect(REASONS).toHaveProperty([difference]);
    for (const { name, opensslAccepts } of defects)
      if (opensslAccepts !== undefined) expect(opensslAccepts, name).toMatch(/.{10}/);
  });
});

function note(tally: Map<string, number>, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}
