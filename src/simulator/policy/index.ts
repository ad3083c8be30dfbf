/**
 * AWS IoT policies: read them, judge requests by them with the reason, find their mistakes. Pure.
 *
 * @module
 */

export { evaluate } from "./evaluate.ts";
export { lintPolicy, type PolicyWarning, type PolicyWarningCode } from "./lint.ts";
export { parsePolicy } from "./parse.ts";
export type {
  CertificateNames,
  Policy,
  PolicyAction,
  PolicyCertificate,
  PolicyContext,
  PolicyDecision,
  PolicyDocument,
  PolicyRequest,
  StatementDocument,
} from "./policy.ts";
export { connectFacts, policyRequests } from "./requests.ts";
export { defaultPolicy, examplePolicies } from "./samples.ts";
