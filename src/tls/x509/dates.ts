/**
 * Whether dates are right: those of certificates (RFC 5280 §4.1.2.5), CRLs (§5.1.2.4, §5.1.2.5) and OCSP responses (RFC 6960 §4.2.2.1), with a
 * time of day or without one. One function judges them all.
 *
 * @module
 */

/**
 * What to do without the time of day. `reject`: no chain is accepted. `floor`: with a moment that is surely past (that of the build;
 * milliseconds since 1970), certificates that had expired by then are refused; an `at` before it counts as unknown. `acceptUntilKnown`:
 * dates are not looked at, but what ends before it begins is refused. After the last two call `recheckValidity` as soon as the time is
 * known; a TLS client does.
 */
export type UnknownTime = "reject" | "acceptUntilKnown" | { readonly floor: number };

/** How dates are judged: with the time of day; with a moment that is surely past; not at all yet; or not without the time, which fails. */
export type DateRule =
  | { readonly kind: "checked" | "floor"; readonly at: number }
  | { readonly kind: "unchecked" | "unknown"; readonly at: undefined };

/** How dates are judged at a time that is known, or is not. */
export function dateRule(at: number | undefined, unknownTime: UnknownTime = "reject"): DateRule {
  const floor = typeof unknownTime === "object" ? unknownTime.floor : undefined;
  if (at !== undefined && !(floor !== undefined && at < floor)) return { kind: "checked", at };
  if (floor !== undefined) return { kind: "floor", at: floor };
  return { kind: unknownTime === "acceptUntilKnown" ? "unchecked" : "unknown", at: undefined };
}

/** What has dates: in milliseconds since 1970, first and last moment included. */
export interface Dated {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Whether something is over (`late`) or has not begun (`early`) by a rule. Fractions of a second do not count (RFC 5280 §4.1.2.5). A moment that
 * is past says nothing of what has not begun; what ends before it begins is never right, whatever the time is.
 */
export function judgeDates({ kind, at }: DateRule, { notBefore, notAfter }: Dated): "late" | "early" | undefined {
  const second = at === undefined ? Number.NEGATIVE_INFINITY : Math.floor(at / 1000) * 1000;
  // So written that a time or a date that is no number is late.
  if (!(second <= notAfter)) return "late";
  if (kind === "checked") return second < notBefore ? "early" : undefined;
  return notAfter < notBefore ? "late" : undefined;
}

/** Whether a time, in milliseconds since 1970, lies in a certificate's validity, both ends included. */
export function isValidAt(dated: Dated, at: number): boolean {
  return judgeDates({ kind: "checked", at }, dated) === undefined;
}

/** What {@link judgeDates} found, for people. `name` is that of the date which is not right. */
export function datesText(
  { kind, at }: DateRule,
  { notBefore, notAfter }: Dated,
  verdict: "late" | "early",
  name: string,
): string {
  const empty = notAfter < notBefore ? `, the beginning ${timeText(notBefore)}` : "";
  const date = verdict === "early" ? timeText(notBefore) : timeText(notAfter) + empty;
  const now = at === undefined ? "" : `, ${kind === "floor" ? "it is later than" : "now is"} ${timeText(at)}`;
  return `${name} is ${date}${now}`;
}

/** A time for people; what `Date` cannot hold as a number. */
export function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(".000Z", "Z") : String(ms);
}
