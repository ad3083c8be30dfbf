import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = readFileSync(`${root}README.md`, "utf8");
const snippets = [...text.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);

describe("README", () => {
  it("its code compiles", { timeout: 60_000 }, () => {
    expect(snippets.length).toBeGreaterThanOrEqual(4);
    const config = ts.getParsedCommandLineOfConfigFile(
      `${root}tsconfig.json`,
      {},
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
    )!;
    const names = snippets.map((_, i) => `${root}examples/readme-${i}.ts`);
    const host = ts.createCompilerHost(config.options);
    const { fileExists, getSourceFile, readFile } = host;
    const source = (name: string): string | undefined =>
      names.includes(name) ? `${snippets[names.indexOf(name)]}\nexport {};\n` : undefined;
    host.fileExists = (name) => source(name) !== undefined || fileExists(name);
    host.readFile = (name) => source(name) ?? readFile(name);
    host.getSourceFile = (name, target, ...rest) => {
      const snippet = source(name);
      return snippet === undefined ? getSourceFile(name, target, ...rest) : ts.createSourceFile(name, snippet, target);
    };
    const program = ts.createProgram(names, config.options, host);
    const problems = names
      .flatMap((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name)))
      .map((d) => `${d.file?.fileName.split("/").pop()}: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`);
    expect(problems).toEqual([]);
  });

  it("its quick start is two command lines, and each script that it names exists", () => {
    const quickStart = /## Quick start.*?```\n(.*?)```/s.exec(text)![1]!.trim().split("\n");
    expect(quickStart).toEqual(["npm ci && npm start", "npm test"]);
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };
    for (const [, name] of `${text}${readFileSync(`${root}CONTRIBUTING.md`, "utf8")}`.matchAll(/npm run ([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(name);
  });

  it("the links inside the project lead somewhere", () => {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)\)/g))
      expect(readFileSync(`${root}${target}`, "utf8").length).toBeGreaterThan(0);
  });
});
