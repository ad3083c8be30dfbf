/**
 * Where a command prints: text for people on a terminal, with colours only there (https://no-color.org).
 *
 * @module
 */

import { styleText } from "node:util";

/** What {@link Terminal.paint} knows. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Where a command prints. */
export interface Terminal {
  /** A line, or several, of what was asked for: standard output. */
  print(text: string): void;
  /** The same for what goes wrong: standard error. */
  printError(text: string): void;
  /** The text in a style, or unchanged where there is no colour. */
  paint(style: Style, text: string): string;
}

/** The part of a Node stream that is used. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** A terminal over the standard streams; `environment` decides with them about colours. */
export function terminalOver(
  output: Output,
  errors: Output,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const colours =
    output.isTTY === true && errors.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return {
    print: (text) => void output.write(`${text}\n`),
    printError: (text) => void errors.write(`${text}\n`),
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  };
}
