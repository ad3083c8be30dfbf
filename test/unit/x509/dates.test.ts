/** Dates under each kind of clock: one function judges certificates, CRLs and OCSP responses. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DateRule, dateRule, isValidAt, judgeDates, type UnknownTime } from "../../../src/tls/x509/dates.ts";
import { certificateLists, revocationChecks } from "../../../src/tls/x509/index.ts";

import { runs } from "../../runs.ts";
import * as pki from "./pki.ts";
import { crl, ocsp } from "./revocation-writer.ts";

const DAY = 86_400_000;
const NOW = pki.NOW;
const [before, after] = [NOW - DAY, NOW + DAY];
const root = pki.ca("root", undefined, { notBefore: NOW - 9 * DAY, notAfter: NOW + 9 * DAY });

/** First moment and last, by where the time stands. */
const orders: readonly (readonly [title: string, notBefore: number, notAfter: number])[] = [
  ["valid", before, after],
  ["valid in this second only", NOW, NOW],
  ["over", NOW - 2 * DAY, before],
  ["not begun", after, NOW + 2 * DAY],
  ["empty, both past", before, NOW - 2 * DAY],
  ["empty, the time between its ends", after, before],
  ["empty, both to come", NOW + 2 * DAY, after],
];
const clocks: readonly (readonly [title: string, at: number | undefined, unknownTime: UnknownTime])[] = [
  ["the time", NOW, "reject"],
  ["a time before the floor", 0, { floor: NOW }],
  ["a floor", undefined, { floor: NOW }],
  ["no time, accepted", undefined, "acceptUntilKnown"],
];
/** What is found, in the order of `orders`: late, early or fine. */
const verdicts: Readonly<Record<string, string>> = {
  "the time": "..LELLE",
  "a time before the floor": "..L.LLL",
  "a floor": "..L.LLL",
  "no time, accepted": "....LLL",
};
const cases = clocks.flatMap(([clock, at, unknownTime]) =>
  orders.map(([order, notBefore, notAfter], i) => {
    const letter = verdicts[clock]![i]!;
    return { clock, order, policy: { at, unknownTime }, notBefore, notAfter, letter };
  }),
);

describe("RFC 5280 §4.1.2.5 each kind of clock, each order of dates", () => {
  it.each(cases)("$clock: $order", ({ policy, notBefore, notAfter, letter }) => {
    const leaf = pki.server(root, { notBefore, notAfter });
    const code = { L: "X509_EXPIRED", E: "X509_NOT_YET_VALID" }[letter];
    const result = pki.check([leaf], pki.anchors(root), policy);
    expect(pki.codes(result)).toEqual(code === undefined ? [] : [code]);
    expect(result.ok).toBe(code === undefined);
  });

  it.each(cases)("RFC 5280 §5.1.2.5 a CRL, $clock: $order", ({ policy, notBefore, notAfter, letter }) => {
    const lists = certificateLists(crl({ issuer: root, thisUpdate: notBefore, nextUpdate: notAfter }));
    const revocation = revocationChecks({ crls: lists });
    const code = { L: "X509_CRL_EXPIRED", E: "X509_CRL_NOT_YET_VALID" }[letter];
    const result = pki.check([pki.server(root)], pki.anchors(root), { ...policy, revocation });
    expect(pki.codes(result)).toEqual(code === undefined ? [] : [code]);
  });

  it.each(cases)("RFC 6960 §4.2.2.1 an OCSP response, $clock: $order", (one) => {
    const { policy, notBefore, notAfter, letter } = one;
    const leaf = pki.server(root);
    const ocspResponse = ocsp({ issuer: root, subject: leaf, thisUpdate: notBefore, nextUpdate: notAfter });
    const revocation = revocationChecks({ ocsp: "require" });
    const result = pki.check([leaf], pki.anchors(root), { ...policy, revocation, ocspResponse });
    expect(pki.codes(result)).toEqual(letter === "." ? [] : ["X509_OCSP_EXPIRED"]);
  });

  it("without a time and without leave nothing is accepted, whatever the dates are", () => {
    for (const [, notBefore, notAfter] of orders)
      expect(pki.check([pki.server(root, { notBefore, notAfter })], pki.anchors(root), { at: undefined }).ok).toBe(
        false,
      );
  });

  it("the message has the date, and the other one where it ends before it begins", () => {
    const message = (notBefore: number, notAfter: number, policy: object): string =>
      pki.check([pki.server(root, { notBefore, notAfter })], pki.anchors(root), policy).problems[0]!.message;
    expect(message(after, before, { at: NOW })).toContain(
      "notAfter is 2026-01-14T00:00:00Z, the beginning 2026-01-16T00:00:00Z, now is 2026-01-15T00:00:00Z (",
    );
    expect(message(before, before, { at: undefined, unknownTime: { floor: NOW } })).toContain(
      "notAfter is 2026-01-14T00:00:00Z, it is later than 2026-01-15T00:00:00Z (",
    );
    expect(message(after, before, { at: undefined, unknownTime: "acceptUntilKnown" })).toContain(
      "notAfter is 2026-01-14T00:00:00Z, the beginning 2026-01-16T00:00:00Z (",
    );
    expect(message(after, after, { at: NOW })).toContain("notBefore is 2026-01-16T00:00:00Z, now is");
  });
});

describe("RFC 5280 §4.1.2.5 what is accepted without the time is right at some time that it may be", () => {
  const second = fc.integer({ min: -5, max: 5 }).map((n) => n * 1000);
  const rule = fc.oneof(
    second.map((at): DateRule => dateRule(at)),
    second.map((floor): DateRule => dateRule(undefined, { floor })),
    fc.constant(dateRule(undefined, "acceptUntilKnown")),
  );
  const times = Array.from({ length: 41 }, (_, i) => (i - 20) * 1000);

  it("and what is refused is right at none", () => {
    fc.assert(
      fc.property(rule, second, second, (dates, notBefore, notAfter) => {
        const mayBe = times.filter((time) =>
          dates.kind === "checked" ? time === dates.at : time >= (dates.at ?? Number.NEGATIVE_INFINITY),
        );
        const isRight = mayBe.some((time) => notBefore <= time && time <= notAfter);
        expect(judgeDates(dates, { notBefore, notAfter }) === undefined).toBe(isRight);
      }),
      runs(300),
    );
  });

  it("fractions of a second do not count, and a time or date that is no number is never right", () => {
    expect(isValidAt({ notBefore: before, notAfter: NOW }, NOW + 999)).toBe(true);
    expect(isValidAt({ notBefore: before, notAfter: NOW }, NOW + 1000)).toBe(false);
    expect(isValidAt({ notBefore: NOW, notAfter: after }, NOW - 1)).toBe(false);
    expect(isValidAt({ notBefore: before, notAfter: after }, Number.NaN)).toBe(false);
    expect(judgeDates(dateRule(NOW), { notBefore: before, notAfter: Number.NaN })).toBe("late");
  });
});
