import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { gitStatus, requireUntracked } from "../../../src/runtime/node-git.ts";

const root = mkdtempSync(join(tmpdir(), "thingwire-git-"));
const repository = join(root, "repository");
const file = (name: string): string => join(repository, name);
const git = (...words: string[]): string => execFileSync("git", words, { cwd: repository, encoding: "utf8" });

beforeAll(() => {
  mkdirSync(join(repository, "certs"), { recursive: true });
  for (const name of ["staged.key", "a[1].key", ":top.key", "certs/other.key", "ignored.key", "new.key"])
    writeFileSync(file(name), "");
  writeFileSync(file(".gitignore"), "ignored.key\nbuild/\n");
  git("init", "--quiet");
  git("--literal-pathspecs", "add", "staged.key", "a[1].key", ":top.key", "certs/other.key");
  symlinkSync(join(repository, "certs"), join(root, "link"));
});
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe("what git makes of a file", () => {
  it.each([
    ["staged.key", "tracked"],
    ["a[1].key", "tracked"],
    [":top.key", "tracked"],
    ["certs/other.key", "tracked"],
    ["ignored.key", "ignored"],
    ["build/not/there/yet.key", "ignored"],
    ["new.key", "untracked"],
    ["a*", "untracked"],
    ["certs/not-there.key", "untracked"],
    ["no/such/folder/a.key", "untracked"],
  ])("%s: %s", (name, state) => {
    expect(gitStatus(file(name))).toMatchObject({ state, repository, path: name });
  });

  it("is outside of any repository", () => {
    expect(gitStatus(join(root, "a.key"))).toEqual({
      state: "outside",
      repository: undefined,
      path: undefined,
      reason: undefined,
    });
  });

  it("a file that was ignored after it was added stays tracked", () => {
    writeFileSync(file(".gitignore"), "ignored.key\nbuild/\nstaged.key\n");
    expect(gitStatus(file("staged.key")).state).toBe("tracked");
  });

  it("follows links in the folders above the file", () => {
    expect(gitStatus(join(root, "link", "other.key"))).toMatchObject({ state: "tracked", path: "certs/other.key" });
  });

  it("asks the repository of the file, whatever a hook's environment says", () => {
    vi.stubEnv("GIT_DIR", join(root, "nowhere"));
    vi.stubEnv("GIT_INDEX_FILE", join(root, "nowhere"));
    expect(gitStatus(file("staged.key")).state).toBe("tracked");
  });

  it("sees the repository of a worktree, whose .git is a file", () => {
    git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "keys");
    git("worktree", "add", "--quiet", join(root, "worktree"));
    expect(gitStatus(join(root, "worktree", "staged.key")).state).toBe("tracked");
  });

  it("is unknown, with the reason, where git is missing or the repository is broken", () => {
    const broken = join(root, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, ".git"), "gitdir: /nowhere\n");
    const status = gitStatus(join(broken, "a.key"));
    expect(status).toMatchObject({ state: "unknown", repository: broken });
    expect(status.reason).toContain("not a git repository");
    vi.stubEnv("PATH", root);
    expect(gitStatus(file("new.key"))).toMatchObject({ state: "unknown", reason: expect.stringContaining("ENOENT") });
  });
});

describe("THING_KEY_TRACKED", () => {
  const tracked = (hint: string) =>
    expect.objectContaining({ code: "THING_KEY_TRACKED", blame: "caller", hint: expect.stringContaining(hint) });

  it("refuses what is tracked, and says how to take it out", () => {
    const act = () => requireUntracked(file("certs/other.key"), "the key", { ignored: false });
    expect(act).toThrow(tracked(`git -C ${repository} rm --cached certs/other.key`));
    expect(act).toThrow(tracked("/certs/other.key"));
    expect(act).toThrow(tracked("stays in the history"));
  });

  it("refuses what is not ignored only where it must be", () => {
    requireUntracked(file("new.key"), "the key", { ignored: false });
    requireUntracked(file("ignored.key"), "the key", { ignored: true });
    requireUntracked(join(root, "outside.key"), "the key", { ignored: true });
    expect(() => requireUntracked(file("new.key"), "the key", { ignored: true })).toThrow(tracked("`/new.key`"));
  });

  it("refuses where git cannot say", () => {
    vi.stubEnv("PATH", root);
    expect(() => requireUntracked(file("new.key"), "the key", { ignored: false })).toThrow(tracked("status"));
  });
});
