/**
 * Random hierarchies with known truth: each right chain is accepted and each spoilt one refused for the very reason that it was spoilt
 * with, on the certificate that it is about, with mbedTLS's flag. `node:crypto` agrees with each path that is accepted.
 */

import { X509Certificate } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { equal } from "../../../src/bytes.ts";
import {
  type CertificateErrorRow,
  certificateErrors,
  trustAnchors,
  verifyCertificate,
} from "../../../src/tls/x509/index.ts";
import { runs } from "../../runs.ts";
import { nodeDouble } from "../../unit/x509/node-double.ts";
import { defects } from "./defects.ts";
import { isAddress } from "./hierarchy.ts";
import { type Trial, trial } from "./trial.ts";
import { keyPool } from "./writer.ts";

const crypto = nodeDouble();
const COUNT = runs(500).numRuns;
/** Seconds of work, which a machine that is busy otherwise stretches; the deep tier takes an hour then. */
const TIMEOUT_MS = process.env["THINGWIRE_DEEP"] === "1" ? 7_200_000 : 300_000;
/** Fixed in the fast suite, so that it never fails by chance; another one by `THINGWIRE_SEED`. */
const SEED = Number(process.env["THINGWIRE_SEED"] ?? 1);

const pool = keyPool();
const seen = new Map<string, number>();
let accepted = 0;
let refused = 0;

function verdict({ made, built }: Trial) {
  return verifyCertificate({
    purpose: made.purpose,
    serverName: made.purpose === "server" ? made.serverName : undefined,
    chain: built.chain,
    trust: trustAnchors(built.trust),
    at: made.at,
    crypto,
    maxIntermediates: made.maxIntermediates,
  });
}

const flagsOf = (codes: Trial["codes"]): number =>
  codes.reduce((flags, code) => flags | ((certificateErrors[code] as CertificateErrorRow).flag ?? 0), 0);

function check(one: Trial): void {
  const result = verdict(one);
  const about = `seed ${one.seed}: ${one.kind}, ${one.defect?.name}`;
  const found = [...new Set(result.problems.map(({ code }) => code))].sort();
  expect(found, about).toEqual([...one.codes].sort());
  expect(result.ok, about).toBe(one.codes.length === 0);
  expect(result.flags, about).toBe(flagsOf(one.codes));
  if (one.culprit !== undefined)
    for (const { index } of result.problems)
      expect(equal(one.built.chain[index] ?? new Uint8Array(0), one.culprit), `${about}, certificate ${index}`).toBe(
        true,
      );
  if (!result.ok) {
    refused++;
    return;
  }
  accepted++;
  const path = result.path.map(({ der }) => new X509Certificate(der));
  expect(equal(result.path[0]!.der, one.built.chain[0]!)).toBe(true);
  path.slice(1).forEach((issuer, i) => {
    expect(path[i]!.verify(issuer.publicKey), about).toBe(true);
    expect(issuer.ca, about).toBe(true);
  });
  if (one.made.purpose === "server") {
    const leaf = path[0]!;
    const { serverName } = one.made;
    expect(isAddress(serverName) ? leaf.checkIP(serverName) : leaf.checkHost(serverName), about).toBeDefined();
  }
}

describe("random hierarchies", () => {
  it(`RFC 5280 §6.1: ${COUNT} chains get the verdict that they must, for the reason that they must`, {
    timeout: TIMEOUT_MS,
  }, () => {
    for (let i = 0; i < COUNT; i++) {
      const one = trial(SEED * 1_000_000 + i, pool, {}, defects[i]);
      const name = one.kind === "defect" ? one.defect!.name : one.kind;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      check(one);
    }
    expect(accepted + refused).toBe(COUNT);
    expect(accepted).toBeGreaterThan(COUNT / 3);
    expect(refused).toBeGreaterThan(COUNT / 3);
  });

  it(`RFC 5280 §6.1: each of ${defects.length} kinds of defect came up`, () => {
    expect(defects.length).toBeGreaterThanOrEqual(40);
    expect(new Set(defects.map(({ name }) => name)).size).toBe(defects.length);
    expect(defects.filter(({ name }) => !seen.has(name)).map(({ name }) => name)).toEqual([]);
  });
});

afterAll(() => {
  if (process.env["THINGWIRE_DEEP"] !== "1") return;
  console.log(`hierarchies: ${accepted} accepted, ${refused} refused, ${defects.length} kinds of defect`);
});
