/**
 * What each phase of a connection costs: bytes, records, time and units of computation between the points where it starts and ends.
 *
 * Units are exact wherever a phase ends in the middle of a step, so that they do not depend on the budget; time includes waiting for
 * the peer and for whoever calls `work`. A phase that is entered again (keys are derived twice) goes on.
 *
 * @module
 */

import type { PhaseStatistics, StatisticsPhase } from "./events.ts";

/** What was counted up to some moment. */
export type Counts = Omit<PhaseStatistics, "phase">;

/** The phase that starts when a state is entered; other states belong to the phase before, or start theirs themselves (`flight.ts`). */
const phaseOfState: Readonly<Record<string, StatisticsPhase>> = /* @__PURE__ */ Object.freeze({
  ExpectCertificate: "certificate",
  ExpectServerKeyExchange: "keyExchange",
  ExpectClientKeyExchange: "keyAgreement",
  ExpectCertificateVerify: "clientSignature",
  ExpectNewSessionTicket: "finished",
  ExpectChangeCipherSpec: "finished",
  ExpectTraffic: "traffic",
});

/** Divides what a connection counts among its phases. */
export class PhaseMeter {
  readonly #ended = new Map<StatisticsPhase, Counts>();
  #phase: StatisticsPhase = "hello";
  #since: Counts = { ms: 0, units: 0, bytesSent: 0, bytesReceived: 0, recordsSent: 0, recordsReceived: 0 };

  enter(phase: StatisticsPhase, now: Counts): void {
    this.#ended.set(this.#phase, this.#present(now));
    this.#phase = phase;
    this.#since = now;
  }

  /** The phase of a state, where it starts one. */
  enterState(state: string, now: () => Counts): void {
    const phase = phaseOfState[state];
    if (phase !== undefined) this.enter(phase, now());
  }

  /** All phases so far, in the order in which they were entered first. */
  statistics(now: Counts): readonly PhaseStatistics[] {
    const all = new Map(this.#ended).set(this.#phase, this.#present(now));
    return [...all].map(([phase, counts]) => ({ phase, ...counts }));
  }

  /** The present phase: what it had before, and what came since it was entered. */
  #present(now: Counts): Counts {
    const before = this.#ended.get(this.#phase);
    const since = this.#since;
    const count = (name: keyof Counts): number => (before?.[name] ?? 0) + now[name] - since[name];
    return {
      ms: count("ms"),
      units: count("units"),
      bytesSent: count("bytesSent"),
      bytesReceived: count("bytesReceived"),
      recordsSent: count("recordsSent"),
      recordsReceived: count("recordsReceived"),
    };
  }
}
