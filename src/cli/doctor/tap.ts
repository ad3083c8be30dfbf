/**
 * A transport around another one that remembers what came out of it: whether it connected, how many bytes, and the first of them.
 *
 * @module
 */

import { ForwardingTransport } from "../../transport/forwarding.ts";
import type { TransportHandler } from "../../transport/transport.ts";

const KEPT_BYTES = 256;

export class Tap extends ForwardingTransport {
  readonly #first = new Uint8Array(KEPT_BYTES);
  /** It was ready to take bytes. */
  connected = false;
  /** Bytes that came. */
  received = 0;
  /** The other side ended in order. */
  ended = false;

  /** The first bytes that came, 256 at most. */
  get first(): Uint8Array {
    return this.#first.subarray(0, this.received);
  }

  open(handler: TransportHandler): void {
    this.lower.open({
      onData: (view) => {
        if (this.received < KEPT_BYTES) this.#first.set(view.subarray(0, KEPT_BYTES - this.received), this.received);
        this.received += view.length;
        handler.onData(view);
      },
      onWritable: (room) => {
        this.connected = true;
        handler.onWritable(room);
      },
      onEnd: () => {
        this.ended = true;
        handler.onEnd();
      },
      onError: (error) => handler.onError(error),
    });
  }
}
