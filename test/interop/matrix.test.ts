/**
 * Our TLS client against the servers of others: suites, keys of both sides, kinds of resumption, lengths of records, extended master secret
 * and encrypt-then-MAC. In CI a choice of cells with OpenSSL and GnuTLS in which each two values meet; in the deep tier every cell with
 * every peer. `THINGWIRE_RECORD=matrix` with the deep tier writes `matrix-results.json`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CertificateFiles, makeCertificates } from "./certificates.ts";
import { canIsolate } from "./isolated.ts";
import { cells, covering, settings, titleOf, valuesOf } from "./matrix/cells.ts";
import { matrixPeers } from "./matrix/peers.ts";
import { count, type MatrixResult, nothingYet, reasonAgainst, resultOf, runCell } from "./matrix/run.ts";

const isDeep = process.env["THINGWIRE_DEEP"] === "1";
const isRecording = isDeep && process.env["THINGWIRE_RECORD"] === "matrix";
const RESULTS = new URL("matrix-results.json", import.meta.url);
const isolated = ["GnuTLS", "NSS"];

let files: CertificateFiles;
beforeAll(() => {
  files = makeCertificates();
});
afterAll(() => files.remove());

describe.each(matrixPeers.filter(({ isInCi }) => isInCi || isDeep))("$name", (peer) => {
  const able = cells.filter((cell) => reasonAgainst(peer, cell) === undefined);
  const chosen = isDeep ? able : covering(able);
  const negotiated = nothingYet();
  let passed = 0;

  const isRunnable = !isolated.includes(peer.name) || canIsolate();
  for (const setting of settings) {
    const { server, resumption, theirRecords, ems } = setting;
    const here = chosen.filter(
      (cell) =>
        cell.server === server &&
        cell.resumption === resumption &&
        cell.theirRecords === theirRecords &&
        cell.ems === ems,
    );
    const title = `server's key ${server}, ${resumption}, their records ${theirRecords}, EMS ${ems ? "on" : "off"}`;
    if (here.length === 0) continue;
    it.skipIf(!isRunnable)(`RFC 5246 §7.3 ${title}: ${here.length} cells`, { timeout: 900_000 }, async () => {
      const running = await peer.start(files, setting);
      const problems: string[] = [];
      try {
        for (const cell of here)
          await runCell(peer, running, files, cell).then(
            (info) => count(negotiated, cell, info),
            (error: Error) => problems.push(`${titleOf(cell)}: ${error.message}`),
          );
      } finally {
        await running.stop();
      }
      passed += here.length - problems.length;
      expect(problems).toEqual([]);
    });
  }

  it.runIf(isRecording)("the results are written down", () => {
    expect(passed).toBe(able.length);
    const before = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as MatrixResult[]) : [];
    const all = new Map(before.map((result) => [result.name, result]));
    const date = new Date().toISOString().slice(0, 10);
    all.set(peer.name, resultOf(peer, { version: peer.version(), date, negotiated }));
    const inOrder = matrixPeers.flatMap(({ name }) => all.get(name) ?? []);
    writeFileSync(RESULTS, `${JSON.stringify(inOrder, null, 2)}\n`);
  });
});

describe("the choice of cells for CI", () => {
  it("has each two values of different factors that meet in any cell", () => {
    const pairs = (of: typeof cells): Set<string> => {
      const ofOne = (values: ReturnType<typeof valuesOf>): string[] =>
        values.flatMap((one) => values.filter(([factor]) => factor > one[0]).map((other) => `${one}, ${other}`));
      return new Set(of.flatMap((cell) => ofOne(valuesOf(cell))));
    };
    const chosen = covering(cells);
    expect(pairs(chosen)).toEqual(pairs(cells));
    expect(chosen.length).toBeLessThan(100);
  });
});
