import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { entry } from "../../tsup.config.ts";

const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  exports: Record<
    string,
    | string
    | { moddable?: string; import: { default: string; types: string }; require: { default: string; types: string } }
  >;
};

describe("the public surface", () => {
  it("each subpath of package.json is a bundle of tsup.config.ts, and the other way round", () => {
    const built = Object.values(exports).flatMap((target) => {
      if (typeof target === "string") return [];
      const name = /^\.\/dist\/(.+)\.js$/.exec(target.import.default)![1]!;
      expect(target.import).toEqual({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
      expect(target.require).toEqual({ types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` });
      return [name];
    });
    expect(built.sort()).toEqual(
      Object.keys(entry)
        .filter((name) => name !== "cli")
        .sort(),
    );
  });

  it("what each entry point exports is what stands in exports.txt: a change is a decision", async () => {
    const lines: string[] = [];
    for (const [name, file] of Object.entries(entry)) {
      if (name === "cli") continue;
      const names = Object.keys((await import(new URL(`../../${file}`, import.meta.url).href)) as object).sort();
      lines.push(`${file}`, ...names.map((exported) => `  ${exported}`));
    }
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("exports.txt");
  });
});
