/**
 * Faults of the network between devices and the simulated cloud: connections that are cut at any byte, delay, and drops at once. They
 * act on the bytes below TLS; for connections in process above TLS, on those.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import type { Runtime } from "../ports.ts";
import type { Transport } from "../transport/transport.ts";
import { FaultyTransport } from "./faulty-transport.ts";

/** The faults of a cloud: `cloud.faults`. */
export class Faults {
  readonly #runtime: Pick<Runtime, "clock" | "timers">;
  readonly #lines: Set<FaultyTransport> = new Set();
  #cuts: { readonly after: number; readonly times: number } | undefined;
  #delayMs = 0;

  constructor(runtime: Pick<Runtime, "clock" | "timers">) {
    this.#runtime = runtime;
  }

  /**
   * Cuts the first connection on which that many more bytes have passed, both directions together: one that stands, or one that is
   * opened later. `times` connections are cut so; 1 by default. The byte that is one too many never arrives.
   */
  cut({ after, times = 1 }: { readonly after: number; readonly times?: number | undefined }): void {
    if (!Number.isInteger(after) || after < 0 || !Number.isInteger(times) || times < 1)
      throw new UsageError("USAGE_INVALID_ARGUMENT", "cut takes { after: bytes, times: connections }");
    this.#cuts = { after, times };
    for (const line of this.#lines) line.passed = 0;
  }

  /** From now on all that is sent arrives that much later, in either direction. */
  delay(ms: number): void {
    if (!(ms >= 0)) throw new UsageError("USAGE_INVALID_ARGUMENT", `a delay is 0 or more milliseconds, not ${ms}`);
    this.#delayMs = ms;
  }

  /** Cuts all connections that stand. */
  drop(): void {
    for (const line of [...this.#lines]) line.cut();
  }

  /** Ends all faults. What is under way still arrives with its delay. */
  clear(): void {
    this.#cuts = undefined;
    this.#delayMs = 0;
  }

  /** The same byte stream, with the faults. */
  over(lower: Transport): Transport {
    const line = new FaultyTransport(lower, this.#runtime, {
      left: (passed) => (this.#cuts === undefined ? Number.POSITIVE_INFINITY : this.#cuts.after - passed),
      spent: () => {
        if (this.#cuts !== undefined && this.#cuts.times > 1)
          this.#cuts = { ...this.#cuts, times: this.#cuts.times - 1 };
        else this.#cuts = undefined;
      },
      delayMs: () => this.#delayMs,
      over: () => this.#lines.delete(line),
    });
    this.#lines.add(line);
    return line;
  }
}
