import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Evidence } from "../../scripts/evidence.ts";
import { combinations, matrixResults, otherProofs, tlsPage } from "../../scripts/tls-doc.ts";
import { sections } from "../../scripts/tls-sections.ts";
import { vulnerabilities, vulnerabilitiesPage } from "../../scripts/tls-vulnerabilities.ts";
import { type TlsErrorRow, tlsErrors } from "../../src/tls/errors.ts";
import { matrixPeers } from "../interop/matrix/peers.ts";
import { resultOf, type Tally } from "../interop/matrix/run.ts";
import { deviations } from "../unit/tls/deviations/all.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Whether a test is there: a row of the table, or a title in the source of the file. */
function exists(evidence: Evidence): boolean {
  if ("deviation" in evidence) return deviations.some(({ title }) => title === evidence.deviation);
  return existsSync(new URL(evidence.file, root)) && read(evidence.file).includes(evidence.title);
}

describe("docs/TLS.md and docs/TLS-VULNERABILITIES.md", () => {
  it("are what `npm run docs` writes", () => {
    expect(read("docs/TLS.md")).toBe(tlsPage());
    expect(read("docs/TLS-VULNERABILITIES.md")).toBe(vulnerabilitiesPage());
  });

  it("name tests that exist, and files", () => {
    const attacks = vulnerabilities.flatMap(({ rows }) => rows);
    const evidence = [
      ...combinations.map((one) => one.evidence),
      ...Object.values(otherProofs),
      ...attacks.flatMap(({ proof }) => proof),
    ];
    expect(evidence.filter((one) => !exists(one))).toEqual([]);
    expect(attacks.filter(({ proof }) => proof.length === 0)).toEqual([]);
    expect(sections.filter(([, , file]) => !existsSync(new URL(file, root)))).toEqual([]);
  });

  it("show each cell of the interop matrix: as passed in the last deep run, or with the reason why the peer cannot do it", () => {
    expect(matrixResults.map(({ name }) => name)).toEqual(matrixPeers.map(({ name }) => name));
    expect(matrixResults).toEqual(matrixPeers.map((peer, i) => resultOf(peer, matrixResults[i]!)));
    for (const { passed, negotiated } of matrixResults)
      for (const tally of Object.values<Tally>({ ...negotiated })) {
        const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
        expect(sum(Object.values(tally).flatMap((counts) => Object.values(counts)))).toBe(
          sum(Object.values(passed["our records"]!)),
        );
      }
  });

  it("have a proof for each alert that goes with an error", () => {
    const page = tlsPage();
    const withoutProof = Object.entries<TlsErrorRow>(tlsErrors)
      .filter(([code, { alert }]) => alert !== undefined && !page.includes(`| \`${code}\``))
      .map(([code]) => code);
    expect(withoutProof).toEqual([]);
  });
});
