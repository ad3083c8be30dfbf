/**
 * What git makes of a file: a private key that git tracks is no longer private.
 *
 * Left out on purpose: repositories whose folder lies elsewhere (GIT_DIR), and whether a file stands somewhere in the history.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ThingError } from "../thing/errors.ts";

/**
 * `outside` of any repository; `tracked`: committed or staged; `ignored`; `untracked`: the next `git add .` takes it; `unknown`: there is
 * a repository, and git cannot be asked.
 */
export type GitState = "outside" | "tracked" | "ignored" | "untracked" | "unknown";

/** What git says of one file. */
export interface GitStatus {
  readonly state: GitState;
  /** The folder of the repository; `undefined` outside of any. */
  readonly repository: string | undefined;
  /** The file as seen from there, with slashes. */
  readonly path: string | undefined;
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
  const resolved = withoutLinks(resolve(file));
  const repository = repositoryOf(dirname(resolved));
  if (repository === undefined) return { state: "outside", repository, path: undefined, reason: undefined };
  const path = relative(repository, resolved).split(sep).join("/");
  const status = (state: GitState, reason?: string): GitStatus => ({ state, repository, path, reason });
  const tracked = runGit(repository, ["ls-files", "--error-unmatch"], path, true);
  if (tracked.status === 0) return status("tracked");
  // check-ignore takes paths, never patterns, and refuses to be told so.
  const ignored = tracked.status === 1 ? runGit(repository, ["check-ignore", "--quiet"], path, false) : tracked;
  if (ignored.status === 0) return status("ignored");
  if (ignored.status === 1) return status("untracked");
  return status("unknown", ignored.reason);
}

/**
 * Refuses a file with a private key that git tracks, or may track for all that is known.
 *
 * @param what for the error: `the key`.
 * @param options.ignored the file is about to be made, so it must also be ignored: otherwise the next `git add .` takes it.
 * @throws ThingError `THING_KEY_TRACKED`
 */
export function requireUntracked(file: string, what: string, options: { readonly ignored: boolean }): void {
  const { state, repository, path, reason } = gitStatus(file);
  const refuse = (problem: string, hint: string): never => {
    throw new ThingError("THING_KEY_TRACKED", `${what}, ${file}: ${problem}`, { path: file, state }, undefined, hint);
  };
  const ignore = `add the line \`/${path}\` to ${repository}/.gitignore`;
  if (state === "tracked")
    refuse(
      "git tracks it",
      `\`git -C ${repository} rm --cached ${path}\`, and ${ignore}. Once it was committed it stays in the history: deactivate its certificate and make a new one.`,
    );
  if (state === "untracked" && options.ignored)
    refuse("git does not ignore it, so that the next `git add` takes it", `First ${ignore}.`);
  if (state === "unknown")
    refuse(
      `git cannot say whether it tracks it: ${reason}`,
      `Make \`git -C ${repository} status\` work, or move the file out of that repository.`,
    );
}

function runGit(repository: string, words: readonly string[], path: string, literal: boolean) {
  // In a hook, git's own variables name another repository or index.
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const { status, stderr, error } = spawnSync("git", [...words, "--", `./${path}`], {
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
