/**
 * A logger that writes lines as ESP-IDF does, `I (1234) tag: message`: a letter for the level, milliseconds since the start.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import type { Logger, LogLevel } from "../ports.ts";

/** Options of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** The least severe level that is written; "info" by default. */
  readonly level?: LogLevel | "none" | undefined;
  /** Levels of their own for some tags: `{ mqtt: "verbose", tls: "error" }`. */
  readonly tags?: Readonly<Record<string, LogLevel | "none">> | undefined;
  /** By default on a terminal, where NO_COLOR is not set. */
  readonly colour?: boolean | undefined;
  /** Takes each line, without its end; standard error by default. */
  readonly write?: ((line: string) => void) | undefined;
  /** Milliseconds since the start, for the parentheses. */
  readonly now?: (() => number) | undefined;
}

const SEVERITY = { none: 0, error: 1, warn: 2, info: 3, debug: 4, verbose: 5 } as const;
const LETTER = { error: "E", warn: "W", info: "I", debug: "D", verbose: "V" } as const;
/** Red, yellow, green; the rest as it is. */
const COLOUR = { error: "\u001b[31m", warn: "\u001b[33m", info: "\u001b[32m", debug: "", verbose: "" } as const;
const PLAIN = "\u001b[0m";

/**
 * Logs to standard error, or to what `write` says.
 *
 * @throws UsageError for a level that does not exist.
 * @example
 * consoleLogger({ level: "debug" }).log("info", "mqtt", "connected"); // I (12) mqtt: connected
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const level = severity(options.level ?? "info");
  const tags = new Map(Object.entries(options.tags ?? {}).map(([tag, own]) => [tag, severity(own)]));
  const { NO_COLOR } = process.env;
  const colour = options.colour ?? (options.write === undefined && process.stderr.isTTY && !NO_COLOR);
  const write = options.write ?? ((line) => void process.stderr.write(`${line}\n`));
  const start = performance.now();
  const now = options.now ?? (() => performance.now() - start);
  const enabled = (of: LogLevel, tag: string): boolean => SEVERITY[of] <= (tags.get(tag) ?? level);
  return {
    enabled,
    log(of, tag, message) {
      if (!enabled(of, tag)) return;
      const line = `${LETTER[of]} (${Math.round(now())}) ${tag}: ${message}`;
      write(colour && COLOUR[of] !== "" ? `${COLOUR[of]}${line}${PLAIN}` : line);
    },
  };
}

/** The level that shows what mbedTLS's debug level 0 to 4 shows: none, error, info, debug, verbose. */
export function mbedtlsDebugLevel(level: number): LogLevel | "none" {
  const levels = ["none", "error", "info", "debug", "verbose"] as const;
  const name = levels[level];
  if (name === undefined) throw new UsageError("USAGE_INVALID_ARGUMENT", `a debug level is 0 to 4, not ${level}`);
  return name;
}

function severity(level: LogLevel | "none"): number {
  const rank: number | undefined = SEVERITY[level];
  if (rank === undefined)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      `level must be one of ${Object.keys(SEVERITY).join(", ")}, not ${level}`,
    );
  return rank;
}
