/**
 * When to send PINGREQ and when to give a silent peer up (MQTT 3.1.1 §3.1.2.10, [MQTT-3.1.2-23], [MQTT-3.12.4-1]).
 *
 * Only what was written as a whole postpones PINGREQ, never what was received: the server counts what it receives. The wait for
 * PINGRESP is a timer of its own. While we do not read, because a subscriber is full, no answer can be seen: then that wait
 * stands still, and PINGREQ goes on.
 *
 * @module
 */

/** What is due. */
export type KeepAliveDue = "ping" | "dead" | undefined;

/** Says when PINGREQ is due, and when the peer is dead. All times are of one monotonic clock, in ms. */
export class KeepAlive {
  readonly #intervalMs: number;
  readonly #pingIntervalMs: number;
  readonly #pingTimeoutMs: number;
  #running = false;
  #reading = true;
  #lastSent = 0;
  /** A PINGREQ waits to be written: the time until which it must have been. */
  #writeDeadline: number | undefined;
  /** A PINGREQ was written and not answered. */
  #awaiting = false;
  /** The time until which the answer must have come; none while we do not read. */
  #answerDeadline: number | undefined;

  /**
   * @param keepAliveSeconds as in CONNECT; 0 is off. PINGREQ is due a tenth of it earlier, a second at most, so that a late timer
   *   does not exceed the interval.
   * @param pingTimeoutMs the wait for PINGRESP; half the interval by default, 30 s at most.
   */
  constructor(keepAliveSeconds: number, pingTimeoutMs?: number) {
    this.#intervalMs = keepAliveSeconds * 1000;
    this.#pingIntervalMs = this.#intervalMs - Math.min(1000, this.#intervalMs / 10);
    this.#pingTimeoutMs = pingTimeoutMs ?? Math.min(30_000, this.#intervalMs / 2);
  }

  /** A connection begins: counts from now. */
  start(now: number): void {
    this.#running = this.#intervalMs > 0;
    this.#reading = true;
    this.#lastSent = now;
    this.#writeDeadline = undefined;
    this.pingrespReceived();
  }

  stop(): void {
    this.#running = false;
  }

  /** A packet was written to its last byte. */
  packetSent(now: number): void {
    this.#lastSent = now;
  }

  /** That packet was the PINGREQ that was due. */
  pingreqSent(now: number): void {
    this.#writeDeadline = undefined;
    if (this.#awaiting) return;
    this.#awaiting = true;
    if (this.#reading) this.#answerDeadline = now + this.#pingTimeoutMs;
  }

  pingrespReceived(): void {
    this.#awaiting = false;
    this.#answerDeadline = undefined;
  }

  /** Whether we take bytes from the peer at the moment. */
  setReading(reading: boolean, now: number): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#answerDeadline = reading && this.#awaiting ? now + this.#pingTimeoutMs : undefined;
  }

  /** When {@link handleTimeout} is to be called, on the monotonic clock. */
  nextTimeout(): number | undefined {
    if (!this.#running) return undefined;
    const next = this.#writeDeadline ?? this.#lastSent + this.#pingIntervalMs;
    return this.#answerDeadline === undefined ? next : Math.min(next, this.#answerDeadline);
  }

  /** What is due: queue a PINGREQ, give the peer up, or nothing. */
  handleTimeout(now: number): KeepAliveDue {
    if (!this.#running) return undefined;
    if (this.#answerDeadline !== undefined && now >= this.#answerDeadline) return "dead";
    if (this.#writeDeadline !== undefined) return now >= this.#writeDeadline ? "dead" : undefined;
    if (now < this.#lastSent + this.#pingIntervalMs) return undefined;
    // A PINGREQ that cannot even be written for a whole interval: the peer does not read any more.
    this.#writeDeadline = now + this.#intervalMs;
    return "ping";
  }
}
