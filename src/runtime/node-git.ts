/**
 * What git makes of a file: a private key that git tracks is no longer private.
 *
 * Left out on purpose: repositories whose folder lies elsewhere (GIT_DIR), and whether a file stands somewhere in the history.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/**
 * `outside` of any repository; `tracked`: committed or staged; `ignored`; `untracked`: the next `git add .` takes it; `unknown`: there is
 * a repository, and git cannot be asked.
 */
export type GitState = "outside" | "tracked" | "ignored" | "untracked" | "unknown";

export interface GitStatus {
  readonly state: GitState;
  /** The folder of the repository; `undefined` outside of any. */
  readonly repository: string | undefined;
  /** Why git cannot be asked. */
  readonly reason: string | undefined;
}

/** git answers such questions in milliseconds; on a disk over a network in seconds. */
const TIMEOUT_MS = 20_000;

/**
 * Asks git about a file, which need not exist yet. Links in the folders above it are followed, a link in its own place is not: for the file behind one, pass
 * its `realpath`.
 */
export function gitStatus(file: string): GitStatus {
  const path = withoutLinks(resolve(file));
  const repository = repositoryOf(dirname(path));
  if (repository === undefined) return { state: "outside", repository, reason: undefined };
  const ask = (words: readonly string[], literal: boolean) => runGit(repository, [...words, "--", path], literal);
  const tracked = ask(["ls-files", "--error-unmatch"], true);
  if (tracked.status === 0) return { state: "tracked", repository, reason: undefined };
  // check-ignore takes paths, never patterns, and refuses to be told so.
  const ignored = tracked.status === 1 ? ask(["check-ignore", "--quiet"], false) : tracked;
  if (ignored.status === 0) return { state: "ignored", repository, reason: undefined };
  if (ignored.status === 1) return { state: "untracked", repository, reason: undefined };
  return { state: "unknown", repository, reason: ignored.reason };
}

function runGit(repository: string, words: readonly string[], literal: boolean) {
  // In a hook, git's own variables name another repository or index.
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const { status, stderr, error } = spawnSync("git", words, {
    cwd: repository,
    env: { ...Object.fromEntries(environment), ...(literal ? { GIT_LITERAL_PATHSPECS: "1" } : {}) },
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { status, reason: error?.message ?? stderr.trim().split("\n")[0]! };
}

/** The path with real folders; those that are not there yet stay as they are. */
function withoutLinks(path: string): string {
  const folder = dirname(path);
  if (folder === path) return path;
  return join(existsSync(folder) ? realpathSync(folder) : withoutLinks(folder), basename(path));
}

/** The folder that holds `.git`, which is a file in worktrees and submodules. */
function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  const above = dirname(folder);
  return above === folder ? undefined : repositoryOf(above);
}
