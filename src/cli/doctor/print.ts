/**
 * A report as people read it: a line for each check, and below a fault its meaning and what to do about it.
 *
 * @module
 */

import { mbedtlsText } from "../../errors.ts";
import type { Style, Terminal } from "../terminal.ts";
import type { CheckResult, DoctorReport, FactorResult, Verdict } from "./report.ts";

const styles: Readonly<Record<Verdict, Style>> = { ok: "green", warn: "yellow", fail: "red", skipped: "dim" };
const factorStyles: Readonly<Record<FactorResult["verdict"], Style>> = {
  yes: "green",
  no: "red",
  "cannot be seen from outside": "yellow",
};

/** Prints the whole report. */
export function printReport(report: DoctorReport, terminal: Terminal): void {
  terminal.print(terminal.paint("bold", `${report.endpoint}, port ${report.port}`));
  for (const result of report.results) printResult(result, terminal);
  terminal.print("");
  terminal.print(terminal.paint("bold", "What must be in place"));
  report.factors.forEach(({ factor, verdict, evidence }, index) => {
    terminal.print(`  ${index + 1}. ${factor}: ${terminal.paint(factorStyles[verdict], verdict)}`);
    terminal.print(`     ${terminal.paint("dim", evidence)}`);
  });
  terminal.print("");
  terminal.print(summary(report, terminal));
}

function printResult(result: CheckResult, terminal: Terminal): void {
  const { verdict, what, evidence, code, meaning, fix } = result;
  terminal.print(`  ${terminal.paint(styles[verdict], verdict.padEnd(7))}  ${what}`);
  terminal.print(`           ${terminal.paint("dim", evidence)}`);
  if (code === undefined) return;
  terminal.print(`           ${terminal.paint(styles[verdict], code)}${foreignCodes(result)}: ${meaning}`);
  terminal.print(`           ${terminal.paint("bold", "fix")} ${fix}`);
}

/** The codes by which other programs report the same. */
function foreignCodes({ mbedtls, sdk, because }: CheckResult): string {
  const codes = [
    ...(mbedtls === undefined ? [] : [`mbedTLS ${mbedtlsText(mbedtls)}`]),
    ...(sdk === undefined ? [] : [`C SDK ${sdk}`]),
    ...(because === undefined ? [] : [because]),
  ];
  return codes.length === 0 ? "" : ` (${codes.join(", ")})`;
}

function summary({ results, healthy }: DoctorReport, terminal: Terminal): string {
  const failed = results.filter(({ verdict }) => verdict === "fail").length;
  const warned = results.filter(({ verdict }) => verdict === "warn").length;
  const warnings = warned === 0 ? "" : `, ${warned} warning${warned === 1 ? "" : "s"}`;
  if (healthy) return terminal.paint("green", `healthy${warnings}`);
  return terminal.paint("red", `${failed} fault${failed === 1 ? "" : "s"}${warnings}`);
}
