/**
 * The tests that the pages under `docs/` name as proof; `test/arch/tls-docs.test.ts` sees that each one exists.
 *
 * @module
 */

/** A test by file and title, as they stand in its source; or a row of the table of deviations by its title. */
export type Evidence = { readonly file: string; readonly title: string } | { readonly deviation: string };

/** As it is shown in a table. */
export function evidenceText(evidence: Evidence): string {
  if ("deviation" in evidence) return `deviation “${evidence.deviation}”`;
  return `\`${evidence.file}\`: “${evidence.title}”`;
}
