import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** Each part of `src/` and the parts that its files may import besides their own. Lower parts come first. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  ground: [],
  "tls/crypto": ["ground"],
  "tls/x509": ["ground", "tls/crypto"],
  tls: ["ground", "tls/crypto", "tls/x509"],
  mqtt: ["ground"],
  shadow: ["ground", "mqtt"],
  transport: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt"],
  thing: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt", "shadow", "transport"],
  "transport/node": ["ground", "tls", "tls/crypto", "tls/x509", "transport"],
  index: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt", "shadow", "transport", "thing"],
  runtime: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt", "shadow", "transport", "transport/node", "thing"],
  simulator: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt", "shadow", "transport", "thing"],
  testing: ["ground", "tls", "tls/crypto", "tls/x509", "mqtt", "shadow", "transport", "thing", "simulator"],
  "simulator/node": [
    "ground",
    "tls/crypto",
    "tls/x509",
    "mqtt",
    "shadow",
    "transport",
    "transport/node",
    "thing",
    "runtime",
    "simulator",
  ],
  cli: [
    "ground",
    "tls",
    "tls/crypto",
    "tls/x509",
    "mqtt",
    "shadow",
    "transport",
    "transport/node",
    "thing",
    "runtime",
    "simulator",
    "simulator/node",
  ],
};

/** Where `node:` modules may be imported. */
const RUNTIME_PARTS = ["runtime", "transport/node", "simulator/node", "cli"];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

function partOf(file: string): string {
  // The contract between byte streams and those who use them is a port.
  if (file === "transport/transport.ts") return "ground";
  const folder = dirname(file);
  if (folder === ".") return file === "index.ts" ? "index" : "ground";
  const known = Object.keys(MAY_IMPORT).filter((part) => folder === part || folder.startsWith(`${part}/`));
  const part = known.sort((a, b) => b.length - a.length)[0];
  if (part === undefined) throw new Error(`src/${file} lies in a folder that this test does not know`);
  return part;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  return [...text.matchAll(/^(?:(?:import|export)\b[^;]*?from |import )"([^"]+)";|\bimport\("([^"]+)"\)/gm)].map(
    (m) => (m[1] ?? m[2])!,
  );
}

describe("DESIGN §3: imports go down only", () => {
  it("finds the sources", () => expect(files.length).toBeGreaterThan(40));

  it("each file imports only its own part and those below it", () => {
    const wrong: string[] = [];
    for (const file of files) {
      const part = partOf(file);
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith(".")) continue;
        const target = partOf(relative(SRC, join(SRC, dirname(file), specifier)));
        if (target !== part && !MAY_IMPORT[part]!.includes(target))
          wrong.push(`src/${file} (${part}) imports ${specifier} (${target})`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("x509 knows crypto only through the provider interface", () => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => partOf(name) === "tls/x509")) {
      for (const specifier of importsOf(file)) {
        if (specifier.includes("/crypto/") && !specifier.endsWith("/crypto/provider.ts"))
          wrong.push(`src/${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("only the runtime adapters import a runtime's modules, and nothing imports a package at run time", () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        if (specifier.startsWith(".")) continue;
        const allowed = specifier.startsWith("node:")
          ? RUNTIME_PARTS.includes(partOf(file))
          : partOf(file) === "testing" && specifier === "fast-check";
        if (!allowed) wrong.push(`src/${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("DESIGN §1: nothing at module level but constants", () => {
  it("no core file has a top-level let or var, or a map or set that grows", () => {
    const wrong: string[] = [];
    for (const file of files.filter((name) => !RUNTIME_PARTS.includes(partOf(name)))) {
      const text = readFileSync(join(SRC, file), "utf8");
      for (const found of text.matchAll(
        /^(?:export )?(?:let|var) .*$|^(?:export )?const \w+(?:: [^=]+)? = (?:\/\*.*?\*\/ )?new (?:Weak)?(?:Map|Set)\(\).*$/gm,
      )) {
        wrong.push(`src/${file}: ${found[0]}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("Math.random stands nowhere", () => {
    const wrong = files.filter((file) => readFileSync(join(SRC, file), "utf8").includes("Math.random("));
    expect(wrong).toEqual([]);
  });

  it("BigInt.asUintN and BigInt.asIntN stand nowhere: Bellard's QuickJS and JerryScript give wrong numbers", () => {
    const wrong = files.filter((file) =>
      /\bBigInt\s*\.\s*as(?:Uint|Int)N\b/.test(readFileSync(join(SRC, file), "utf8")),
    );
    expect(wrong).toEqual([]);
  });

  it("no file is longer than 500 lines without a reason at its head", () => {
    const wrong = files.filter((file) => {
      const lines = readFileSync(join(SRC, file), "utf8").split("\n");
      return lines.length > 500 && !lines.slice(0, 30).some((line) => line.includes("Longer than 500 lines"));
    });
    expect(wrong).toEqual([]);
  });
});
