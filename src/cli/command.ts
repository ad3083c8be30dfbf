/**
 * The shape of a subcommand, and the one place that turns the table of them into parsing, help and exit codes.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { asThingwireError, isThingwireError, type ThingwireError, UsageError } from "../errors.ts";
import type { Terminal } from "./terminal.ts";

/** One `--option` of a subcommand. */
export interface CommandOption {
  readonly type: "string" | "boolean";
  /** What stands for the value in the help: `FILE`, `N`. */
  readonly value?: string;
  readonly help: string;
}

/** What a subcommand gets. */
export interface CommandContext {
  /** Options by name; strings as they were typed. */
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  /** Whether `--json` was given: print one JSON value a line for machines, and nothing else. */
  readonly json: boolean;
  /** Fires at Ctrl-C, for commands that run until then. */
  readonly signal: AbortSignal;
}

/** One row of the table of subcommands. */
export interface Command {
  /** One or two words: `simulate`, `shadow get`. */
  readonly name: string;
  /** Positional arguments as the help shows them: `FILE`, `[FOLDER]`. */
  readonly positionals: string;
  /** How many positional arguments may be given: at least, at most. */
  readonly arity: readonly [number, number];
  /** One line. */
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Resolves with the exit code where success is not all that there is to tell. */
  run(context: CommandContext): Promise<void> | Promise<number>;
}

/** Exit codes of the command. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;

const COMMON: Readonly<Record<string, CommandOption>> = {
  help: { type: "boolean", help: "Show this help." },
  json: { type: "boolean", help: "Print JSON, one value a line." },
};

/**
 * Runs the subcommand that the arguments name and returns the exit code: 0 where it succeeded, 1 where it failed, 2 where the
 * command line cannot be understood. Never throws.
 */
export async function runCommand(
  commands: readonly Command[],
  args: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const command = commands.find((row) => row.name.split(" ").every((word, i) => args[i] === word));
  if (command === undefined) return withoutCommand(commands, args, terminal);
  const json = args.includes("--json");
  try {
    const rest = args.slice(command.name.split(" ").length);
    const { values, positionals } = parse(command, rest);
    if (values["help"] === true) {
      terminal.print(commandHelp(command));
      return EXIT.ok;
    }
    return (await command.run({ values, positionals, terminal, json, signal })) ?? EXIT.ok;
  } catch (caught) {
    const error = asThingwireError(caught);
    if (json) terminal.print(JSON.stringify({ error: error.toJSON() }));
    else printError(error, terminal);
    return error instanceof CliError ? EXIT.usage : EXIT.failure;
  }
}

/** The command line cannot be understood: exit code 2. */
export class CliError extends UsageError {
  constructor(detail: string) {
    super("USAGE_INVALID_ARGUMENT", detail);
    this.name = "CliError";
  }
}

/** An error as people read it: what happened, its code, and what to do. */
export function printError(error: ThingwireError, terminal: Terminal): void {
  terminal.printError(`${terminal.paint("red", "error")} ${error.code}: ${error.message}`);
  for (let cause = error.cause; isThingwireError(cause); cause = cause.cause)
    terminal.printError(`  because of ${cause.code}: ${cause.message}`);
  terminal.printError(`  ${terminal.paint("bold", "hint")} ${error.hint}`);
}

/** The value of an option that must be a whole number within bounds. */
export function integerOption(
  values: CommandContext["values"],
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const text = values[name];
  if (typeof text !== "string") return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < bounds.min || value > bounds.max)
    throw new CliError(`--${name} takes a whole number from ${bounds.min} to ${bounds.max}, not "${text}"`);
  return value;
}

/** The value of an option that is text. */
export function stringOption(values: CommandContext["values"], name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The value of an option that must be given. */
export function requiredOption(values: CommandContext["values"], name: string): string {
  const value = stringOption(values, name);
  if (value === undefined) throw new CliError(`--${name} is needed`);
  return value;
}

function parse(command: Command, args: readonly string[]): Pick<CommandContext, "values" | "positionals"> {
  const options = Object.fromEntries(
    Object.entries({ ...command.options, ...COMMON }).map(([name, { type }]) => [name, { type }]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
  const values = parsed.values as CommandContext["values"];
  const [least, most] = command.arity;
  const given = parsed.positionals.length;
  if (values["help"] !== true && (given < least || given > most))
    throw new CliError(`usage: thingwire ${usage(command)}`);
  return { values, positionals: parsed.positionals };
}

function withoutCommand(commands: readonly Command[], args: readonly string[], terminal: Terminal): number {
  const wanted = args[0];
  if (wanted === undefined || wanted === "--help" || wanted === "-h" || wanted === "help") {
    terminal.print(tableHelp(commands));
    return EXIT.ok;
  }
  const group = commands.filter(({ name }) => name.startsWith(`${wanted} `));
  if (group.length > 0 && (args[1] === "--help" || args[1] === "-h")) {
    terminal.print(tableHelp(group));
    return EXIT.ok;
  }
  const help = tableHelp(group.length > 0 ? group : commands);
  terminal.printError(`thingwire: no command "${args.slice(0, 2).join(" ")}"\n\n${help}`);
  return EXIT.usage;
}

function usage(command: Command): string {
  return `${command.name}${command.positionals === "" ? "" : ` ${command.positionals}`} [options]`;
}

function tableHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const rows = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return ["usage: thingwire COMMAND [options]", "", ...rows, "", "thingwire COMMAND --help tells more."].join("\n");
}

function commandHelp(command: Command): string {
  const rows = Object.entries({ ...command.options, ...COMMON }).map(
    ([name, option]) => [`--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
  return [`usage: thingwire ${usage(command)}`, "", command.summary, "", ...lines].join("\n");
}
