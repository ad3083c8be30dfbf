#!/usr/bin/env node
/**
 * The `thingwire` command: arguments in, exit code out.
 *
 * @module
 */

import { runCommand } from "./command.ts";
import { commands } from "./commands/index.ts";
import { terminalOver } from "./terminal.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const terminal = terminalOver(process.stdout, process.stderr, process.env);
runCommand(commands, process.argv.slice(2), terminal, stop.signal).then((code) => {
  process.exitCode = code;
});
