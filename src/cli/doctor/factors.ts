/**
 * The guide's five factors, each with one verdict: what must be in place for a thing to connect, and what of it can be seen from here.
 *
 * @module
 */

import { connectionFactors } from "../../thing/aws.ts";
import { type CauseRow, causes, type Factor } from "./causes.ts";
import type { CheckResult, FactorResult } from "./report.ts";

const UNSEEN = "cannot be seen from outside";

/** What shows that a factor is in place: the first of these checks that passed. */
const proofs: Readonly<Record<Factor, readonly CheckResult["check"][]>> = {
  1: ["client-certificate"],
  2: ["connect"],
  3: ["client-certificate"],
  4: ["connect"],
  5: ["shadow-update", "shadow-get", "receive"],
};

/** The verdicts, in the guide's order. */
export function judgeFactors(results: readonly CheckResult[]): readonly FactorResult[] {
  return connectionFactors.map((factor, index) => ({ factor, ...judge(results, (index + 1) as Factor) }));
}

function judge(results: readonly CheckResult[], factor: Factor): Omit<FactorResult, "factor"> {
  const against = results.find(
    ({ code, verdict }) => verdict === "fail" && code !== undefined && (causes[code] as CauseRow).factor === factor,
  );
  if (against !== undefined) return { verdict: "no", evidence: `${against.code}: ${against.meaning}` };
  const isClientId = results.some(({ code }) => code === "DOCTOR_CLIENT_ID_DENIED");
  if (factor === 4 && isClientId)
    return { verdict: "yes", evidence: "CONNECT was accepted with the thing's name as client id" };
  const proof = proofs[factor].find((check) => results.some((one) => one.check === check && one.verdict === "ok"));
  const failedAfterwards = factor === 5 && results.some(({ verdict }) => verdict === "fail");
  if (proof !== undefined && !failedAfterwards) return { verdict: "yes", evidence: evidenceOf(factor) };
  return { verdict: UNSEEN, evidence: whyUnseen(factor, results) };
}

function evidenceOf(factor: Factor): string {
  switch (factor) {
    case 1:
      return "the name is found, the server proves it, and it takes the device's certificate";
    case 2:
      return "the key belongs to the certificate, and CONNECT was accepted with it";
    case 3:
      return "the server took the certificate in the handshake";
    case 4:
      return "CONNECT was accepted, which AWS IoT does for no certificate without a policy";
    case 5:
      return "connecting, publishing, subscribing and receiving were allowed where they were tried";
  }
}

function whyUnseen(factor: Factor, results: readonly CheckResult[]): string {
  if (factor === 4 && results.some(({ check, verdict }) => check === "connect" && verdict === "fail"))
    return "a certificate without a policy and one whose policy does not suffice are answered alike";
  const first = results.find(({ verdict }) => verdict === "fail");
  if (first !== undefined) return `it did not come so far: ${first.code}`;
  return "nothing that was tried depends on it";
}
