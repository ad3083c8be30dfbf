/**
 * What the handshake's states and the engine know of each other: states react to messages, and act through a {@link Handshake}.
 *
 * @module
 */

import type { LogLevel } from "../ports.ts";
import type { Task } from "../task.ts";
import { TlsError } from "./errors.ts";
import type { TlsConnectionInfo } from "./events.ts";
import type { HandshakeName } from "./messages.ts";
import type { RecordProtection } from "./record.ts";
import type { Settings } from "./settings.ts";
import type { SignatureScheme } from "./suites.ts";
import type { Transcript } from "./transcript.ts";

/** A message's name; ChangeCipherSpec is a content type of its own, but states treat it as a message all the same. */
export type MessageName = HandshakeName | "ChangeCipherSpec" | "ApplicationData";

/** A message as it comes to a state; a handshake message is in the transcript by then. */
export interface Incoming {
  /** A {@link MessageName}, or `handshake type 99`. */
  readonly name: string;
  /** The body behind the handshake header; kept by whoever needs it. */
  readonly body: Uint8Array;
}

/** A point of the handshake: named for the messages that may come next, with the data that exists by then. */
export interface State {
  readonly name: string;
  readonly expects: readonly MessageName[];
  /** Reacts to a message; the task's result is the next state. Throws `TlsError`, at once or from the task. */
  handle(message: Incoming, handshake: Handshake): Task<State>;
}

/** What the engine does for a state. */
export interface Handshake {
  readonly settings: Settings;
  readonly clientRandom: Uint8Array;
  readonly transcript: Transcript;
  /** Queues a handshake message with its header and adds it to the transcript. */
  send(message: Uint8Array): Task<void>;
  /** What is sent from now on leaves in one write, after {@link releaseFlight}; an alert leaves at once, and what was held before it. */
  holdFlight(): void;
  releaseFlight(): void;
  /** Queues a ChangeCipherSpec; what is sent afterwards is protected with these keys. */
  sendChangeCipherSpec(keys: RecordProtection): void;
  /** Opens what is received from now on with these keys. */
  protectReading(keys: RecordProtection): void;
  /** From now on records must carry the version that was negotiated. */
  fixVersion(): void;
  /** Signs with our identity's key, here or outside of the engine. */
  sign(scheme: SignatureScheme, digest: Uint8Array): Task<Uint8Array>;
  /** The peer is verified: data may pass. */
  secured(info: Omit<TlsConnectionInfo, "statistics">): void;
  /** Overwrites a secret when the connection ends, however it ends. */
  wipeAtEnd(...secrets: readonly (Uint8Array | { wipe(): void })[]): void;
  log(level: LogLevel, message: () => string): void;
}

/** Checks that a message is among those that a state expects. The only place where such errors are made. */
export function expectMessage(state: Pick<State, "name" | "expects">, message: Incoming): void {
  if ((state.expects as readonly string[]).includes(message.name)) return;
  throw new TlsError("TLS_UNEXPECTED_MESSAGE", `${message.name} in ${state.name}`, {
    data: { expected: state.expects, got: message.name },
  });
}
