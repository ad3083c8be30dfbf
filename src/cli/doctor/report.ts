/**
 * What `thingwire doctor` finds, as values: a result for each check in the order in which things fail in life, and a verdict on each of
 * the guide's five factors.
 *
 * @module
 */

import { isThingwireError } from "../../errors.ts";
import { type Cause, type CauseRow, causes } from "./causes.ts";

/** All checks in order, with what each one asks. */
export const checks = {
  clock: "the clock is set",
  "certificate-file": "the certificate file can be read and holds a certificate",
  "key-file": "the key file can be read and holds a private key",
  "ca-file": "the CA file can be read and holds CA certificates",
  "key-match": "the private key belongs to the certificate",
  "certificate-dates": "the certificate is valid now",
  "certificate-algorithms": "AWS IoT takes the certificate's key and signature",
  "certificate-role": "the certificate is a device's, and its chain is in order",
  "key-tracked": "the private key is not in version control",
  endpoint: "the endpoint is a host name",
  "thing-name": "the thing's name is spelled as in the registry",
  policy: "the policy file allows what the thing does",
  dns: "the endpoint's name is found",
  tcp: "the port takes connections",
  alpn: "the protocol name fits the port",
  handshake: "the server speaks TLS",
  "server-certificate": "the server's certificate leads to a trusted root",
  "host-name": "the server's certificate is for the endpoint",
  "client-certificate": "the server takes the device's certificate",
  connect: "the server accepts CONNECT",
  "client-id": "the client id is allowed",
  session: "the connection lasts",
  subscribe: "subscribing is allowed",
  publish: "publishing is allowed",
  receive: "messages come back",
  "shadow-get": "the shadow can be read",
  "shadow-update": "the shadow can be updated",
} as const;

/** A key of {@link checks}. */
export type CheckId = keyof typeof checks;

export type Verdict = "ok" | "warn" | "fail" | "skipped";

/** What one check found. A check that found several things has several results. */
export interface CheckResult {
  readonly check: CheckId;
  readonly what: string;
  readonly verdict: Verdict;
  /** What was seen; for `skipped` why. Never a secret; text of files and peers escaped. */
  readonly evidence: string;
  /** The rest only with `warn` and `fail`. */
  readonly code?: Cause;
  readonly meaning?: string;
  readonly fix?: string;
  /** mbedTLS's and the C SDK's code in this case, negative. */
  readonly mbedtls?: number;
  readonly sdk?: number;
  /** The code of the layer's own error. */
  readonly because?: string;
}

/** One of the guide's five factors. */
export interface FactorResult {
  readonly factor: string;
  readonly verdict: "yes" | "no" | "cannot be seen from outside";
  readonly evidence: string;
}

/** The whole answer. */
export interface DoctorReport {
  /** No check failed. */
  readonly healthy: boolean;
  readonly endpoint: string;
  readonly port: number;
  readonly results: readonly CheckResult[];
  readonly factors: readonly FactorResult[];
}

/** Collects results, each check's in the order in which they come. */
export class Findings {
  readonly #results: CheckResult[] = [];

  get results(): readonly CheckResult[] {
    return this.#results;
  }

  ok(check: CheckId, evidence: string): void {
    this.#add({ check, what: checks[check], verdict: "ok", evidence });
  }

  skip(check: CheckId, why: string): void {
    this.#add({ check, what: checks[check], verdict: "skipped", evidence: why });
  }

  /** @param error the layer's error, which lends its codes where the cause has none. */
  found(check: CheckId, code: Cause, evidence: string, error?: unknown): void {
    const row: CauseRow = causes[code];
    const own = isThingwireError(error) ? error : undefined;
    const mbedtls = row.mbedtls ?? own?.mbedtls;
    this.#add({
      check,
      what: checks[check],
      verdict: row.verdict,
      evidence,
      code,
      meaning: row.meaning,
      fix: row.fix,
      ...(mbedtls === undefined ? {} : { mbedtls }),
      ...(row.sdk === undefined ? {} : { sdk: row.sdk }),
      ...(own === undefined ? {} : { because: own.code }),
    });
  }

  /** Whether a check, or any where none is named, found a fault. */
  failed(...of: readonly CheckId[]): boolean {
    return this.#results.some(({ check, verdict }) => verdict === "fail" && (of.length === 0 || of.includes(check)));
  }

  /** Whether a check has a result. */
  has(check: CheckId): boolean {
    return this.#results.some((result) => result.check === check);
  }

  #add(result: CheckResult): void {
    this.#results.push(result);
  }
}
