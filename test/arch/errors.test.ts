import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorsPage, tables } from "../../scripts/errors-doc.ts";

const SRC = new URL("../../src/", import.meta.url);
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => ({ name, text: readFileSync(new URL(name, SRC), "utf8") }));

describe("DESIGN §2: errors", () => {
  it("docs/ERRORS.md is what `npm run docs` writes", () => {
    expect(readFileSync(new URL("../../docs/ERRORS.md", import.meta.url), "utf8")).toBe(errorsPage());
  });

  it("each code stands in one table only, and is thrown or reported somewhere outside of it", () => {
    const codes = tables.flatMap(({ rows }) => Object.keys(rows));
    expect(new Set(codes).size).toBe(codes.length);
    // In a table a code is a bare key; whoever uses it quotes it.
    const unused = codes.filter((code) => !sources.some(({ text }) => text.includes(`"${code}"`)));
    expect(unused).toEqual([]);
  });

  it("each row says what to do, in whole sentences", () => {
    for (const { rows } of tables) {
      for (const [code, row] of Object.entries(rows)) {
        expect(row.hint, code).toMatch(/^[A-Z`].*[.!?)]$/s);
        expect(row.meaning, code).not.toMatch(/\.$/);
      }
    }
  });

  it("nothing is thrown but the classes of the layers, RangeErrors of the ground floor, and what is passed on", () => {
    const wrong: string[] = [];
    for (const { name, text } of sources) {
      for (const found of text.matchAll(/throw new (\w+)/g)) {
        const allowed =
          /^(Tls|Certificate|Mqtt|Shadow|Transport|Thing|Usage|Cli)Error$/.test(found[1]!) ||
          (name === "bytes.ts" && found[1] === "RangeError");
        if (!allowed) wrong.push(`src/${name}: ${found[0]}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
