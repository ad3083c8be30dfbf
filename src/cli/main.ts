#!/usr/bin/env node
/**
 * The `thingwire` command: arguments in, exit code out. Where nobody reads its output any more (`thingwire sub … | head`), it ends as
 * at Ctrl-C.
 *
 * @module
 */

import { EXIT, runCommand } from "./command.ts";
import { commands } from "./commands/index.ts";
import { terminalOver } from "./terminal.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") {
    process.stderr.write(`error: the output cannot be written: ${error.message}\n`);
    process.exitCode = EXIT.failure;
  }
  stop.abort();
});
// There is nobody left to tell.
process.stderr.on("error", () => {});

const terminal = terminalOver(process.stdout, process.stderr, process.env);
runCommand(commands, process.argv.slice(2), terminal, stop.signal).then((code) => {
  process.exitCode ||= code;
});
