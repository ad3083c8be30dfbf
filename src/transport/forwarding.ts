/**
 * What transports around another one share: every order goes through, so that each writes down only how it listens.
 *
 * @module
 */

import type { Transport, TransportHandler } from "./transport.ts";

/** A transport that gives orders on to a lower one; `open` is left to who extends it. */
export abstract class ForwardingTransport implements Transport {
  readonly description: string;
  protected readonly lower: Transport;

  constructor(lower: Transport) {
    this.lower = lower;
    this.description = lower.description;
  }

  abstract open(handler: TransportHandler): void;

  write(bytes: Uint8Array): number {
    return this.lower.write(bytes);
  }

  reserve(length: number): Uint8Array {
    return this.lower.reserve(length);
  }

  commit(length: number): void {
    this.lower.commit(length);
  }

  pause(): void {
    this.lower.pause();
  }

  resume(): void {
    this.lower.resume();
  }

  shutdown(): void {
    this.lower.shutdown();
  }

  destroy(): void {
    this.lower.destroy();
  }
}
