/**
 * Certificates out of DER as a task: a chain can be long.
 *
 * @module
 */

import type { Task } from "../task.ts";
import { type Certificate, parseCertificate } from "./x509/certificate.ts";
import { CertificateError } from "./x509/errors.ts";

/** Rough cost of reading a certificate, in units. */
const PARSE_UNITS = 64;

/** Reads a chain, one certificate a step. Throws `CertificateError` from the task where one is unreadable. */
export class Parsing implements Task<readonly Certificate[]> {
  readonly #chain: readonly Uint8Array[];
  readonly result: Certificate[] = [];
  spent = 0;

  constructor(chainInDer: readonly Uint8Array[]) {
    this.#chain = chainInDer;
  }

  step(units: number): boolean {
    const until = this.spent + units;
    while (this.result.length < this.#chain.length) {
      this.spent += PARSE_UNITS;
      this.result.push(parseCertificate(this.#chain[this.result.length]!));
      if (this.spent >= until) break;
    }
    return this.result.length === this.#chain.length;
  }
}

/** The same for a chain that we kept ourselves: `undefined` where one of it is unreadable. */
export class ParsingOfKept implements Task<readonly Certificate[] | undefined> {
  readonly #parsing: Parsing;
  #isUnreadable = false;

  constructor(chainInDer: readonly Uint8Array[]) {
    this.#parsing = new Parsing(chainInDer);
  }

  get spent(): number {
    return this.#parsing.spent;
  }

  get result(): readonly Certificate[] | undefined {
    return this.#isUnreadable ? undefined : this.#parsing.result;
  }

  step(units: number): boolean {
    try {
      return this.#parsing.step(units);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      this.#isUnreadable = true;
      return true;
    }
  }
}
