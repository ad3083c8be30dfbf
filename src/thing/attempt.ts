/**
 * One attempt to connect, as a transport around the real one: it sees how far the attempt came, and gives CONNACK a time limit of its
 * own, which starts when TLS is done and not when the first packet leaves for the network.
 *
 * @module
 */

import { MqttError } from "../mqtt/errors.ts";
import type { Timers } from "../ports.ts";
import { ForwardingTransport } from "../transport/forwarding.ts";
import type { Transport, TransportHandler } from "../transport/transport.ts";
import type { Progress } from "./diagnosis.ts";

/** The transport of one attempt, which notes its progress. */
export class Attempt extends ForwardingTransport {
  readonly #timers: Timers;
  readonly #connackMs: number;
  #progress: Progress = "handshake";
  #cancelTimer: (() => void) | undefined;

  constructor(transport: Transport, timers: Timers, connackMs: number) {
    super(transport);
    this.#timers = timers;
    this.#connackMs = connackMs;
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** CONNACK came and accepted. */
  accepted(): void {
    this.#progress = "session";
    this.#cancelTimer?.();
  }

  open(handler: TransportHandler): void {
    this.lower.open({
      onData: (view) => handler.onData(view),
      onWritable: (room) => {
        if (this.#progress === "handshake") this.#secured(handler);
        handler.onWritable(room);
      },
      onEnd: () => {
        this.#cancelTimer?.();
        handler.onEnd();
      },
      onError: (error) => {
        this.#cancelTimer?.();
        handler.onError(error);
      },
    });
  }

  override destroy(): void {
    this.#cancelTimer?.();
    super.destroy();
  }

  #secured(handler: TransportHandler): void {
    this.#progress = "connect";
    this.#cancelTimer = this.#timers.set(this.#connackMs, () => {
      this.lower.destroy();
      handler.onError(new MqttError("MQTT_CONNACK_TIMEOUT", `${this.#connackMs} ms`));
    });
  }
}
