import { expect, it } from "vitest";
import {
  evaluate,
  type PolicyAction,
  type PolicyContext,
  type PolicyDecision,
  parsePolicy,
  type StatementDocument,
} from "../../../src/simulator/policy/index.ts";

export const REGION = "us-east-1";
export const ACCOUNT = "123456789012";
export const arn = (resource: string): string => `arn:aws:iot:${REGION}:${ACCOUNT}:${resource}`;

/** A client that is nobody's thing. */
export const stranger: PolicyContext = { clientId: "lamp", isAttached: false };
/** The thing `lamp`, attached to its certificate. */
export const lamp: PolicyContext = {
  clientId: "lamp",
  isAttached: true,
  sourceIp: "192.0.2.17",
  nowMs: Date.UTC(2026, 5, 15, 12),
  thing: { name: "lamp", typeName: "light", attributes: { room: "kitchen", odd: "a*b" } },
  certificate: {
    id: "ab".repeat(32),
    serialNumber: "10525622389124227206",
    subject: {
      CommonName: "lamp-cn",
      Organization: ["One", "Two", "Three"],
      Title: "a+b",
      Pseudonym: "x".repeat(1025),
    },
    issuer: { CommonName: "maker", Country: ["DE"] },
    subjectAlternativeName: { DNSName: ["a.example", "b.example"] },
  },
};

export function judge(
  statements: StatementDocument | readonly StatementDocument[],
  ask: readonly [PolicyAction, string],
  context: PolicyContext = stranger,
): PolicyDecision {
  const policy = parsePolicy("p", { Version: "2012-10-17", Statement: statements });
  return evaluate([policy], { action: ask[0], resource: ask[1], region: REGION, accountId: ACCOUNT }, context);
}

export type Case = readonly [
  title: string,
  statements: StatementDocument | readonly StatementDocument[],
  ask: readonly [PolicyAction, string],
  allowed: boolean,
  context?: PolicyContext,
];

export function check(cases: readonly Case[]): void {
  for (const [title, statements, ask, allowed, context] of cases)
    it(title, () => {
      const decision = judge(statements, ask, context);
      expect(decision.allowed, decision.explanation).toBe(allowed);
      expect(decision.explanation.startsWith(allowed ? "allowed: " : "denied: ")).toBe(true);
    });
}

export const allow = (
  action: string | readonly string[],
  resource: string | readonly string[],
  Condition?: StatementDocument["Condition"],
): StatementDocument => ({
  Effect: "Allow",
  Action: action,
  Resource: resource,
  ...(Condition === undefined ? {} : { Condition }),
});

export const deny = (
  action: string | readonly string[],
  resource: string | readonly string[],
  Condition?: StatementDocument["Condition"],
): StatementDocument => ({ ...allow(action, resource, Condition), Effect: "Deny" });
