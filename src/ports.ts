/**
 * The ports: everything that an engine or client needs from outside, as interfaces. The engines own no clock, timer, random
 * source, logger or store; a runtime's entry point (`thingwire/node`, …) brings the adapters, `thingwire/testing` the doubles.
 *
 * @module
 */

/** Time. Two clocks, because a device may not know the time of day, and because that clock jumps. */
export interface Clock {
  /** Milliseconds that never go back, from any start. For timers only. */
  now(): number;
  /** Milliseconds since 1970, or `undefined` while the time of day is unknown. For certificates and shadows only. */
  wallMs(): number | undefined;
}

/** One-shot timers. `set` returns what cancels it. */
export interface Timers {
  set(delayMs: number, fire: () => void): () => void;
}

/**
 * A source of randomness fit for keys. Fills the whole of `bytes` or throws. `purpose` names what the bytes are for
 * (`"client_random"`, `"ecdhe"`, `"blinding"`, …), so that a replayed handshake can answer by purpose.
 */
export interface Random {
  fill(bytes: Uint8Array, purpose: string): void;
}

/** Severities; mbedTLS's debug levels 1 to 4 are error, info, debug, verbose. */
export type LogLevel = "error" | "warn" | "info" | "debug" | "verbose";

/**
 * Where log lines go. A layer asks `enabled` before it builds a line. `data` holds values for machines; keys, passwords and
 * other secrets are never passed.
 */
export interface Logger {
  enabled(level: LogLevel, tag: string): boolean;
  log(level: LogLevel, tag: string, message: string, data?: Readonly<Record<string, unknown>>): void;
}

/** Logs nothing: the default everywhere. */
export const silent: Logger = /* @__PURE__ */ Object.freeze({ enabled: () => false, log: () => {} });

/** Receives lines of the NSS key log format (`CLIENT_RANDOM …`, RFC 9850). Only ever set by an explicit wish of the user. */
export type KeyLog = (line: string) => void;

/** The part of `AbortSignal` that is used; XS and QuickJS have none of their own. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What every asynchronous call takes. */
export interface CallOptions {
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds until the call fails; each call documents its default. */
  readonly timeoutMs?: number | undefined;
}

/** A durable map, for sessions and messages that survive a restart (flash, a file, a database). */
export interface Store {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

/** All that a client needs of its runtime. Each runtime's entry point exports one. */
export interface Runtime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}
