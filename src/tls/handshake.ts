/**
 * What the handshake's states and the engine know of each other: states react to messages, and act through a {@link Handshake}.
 *
 * @module
 */

import type { LogLevel } from "../ports.ts";
import type { Task } from "../task.ts";
import { TlsError } from "./errors.ts";
import type { StatisticsPhase } from "./events.ts";
import type { CheckedIdentity } from "./identity.ts";
import type { HandshakeName } from "./messages.ts";
import type { RecordProtection } from "./record.ts";
import type { CommonSettings } from "./settings.ts";
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

/** A point of the handshake: named for the messages that may come next, with the data that exists by then. `H` is its role's {@link Handshake}. */
export interface State<H> {
  readonly name: string;
  readonly expects: readonly MessageName[];
  /** Reacts to a message; the task's result is the next state. Throws `TlsError`, at once or from the task. */
  handle(message: Incoming, handshake: H): Task<State<H>>;
}

/** A state that checks what it gets. */
export abstract class Expect<H> implements State<H> {
  abstract readonly name: string;
  abstract readonly expects: readonly MessageName[];

  handle(message: Incoming, handshake: H): Task<State<H>> {
    expectMessage(this, message);
    return this.react(message, handshake);
  }

  protected abstract react(message: Incoming, handshake: H): Task<State<H>>;
}

/** What the engine does for a state. `S` is what the role knows of its options, `I` what it tells at the end. */
export interface Handshake<S extends CommonSettings = CommonSettings, I = never> {
  readonly settings: S;
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
  /** From now on records in both directions hold at most so many bytes of plaintext (RFC 6066 §4). */
  limitFragments(bytes: number): void;
  /** Signs with an identity's key, here or outside of the engine. */
  sign(identity: CheckedIdentity, scheme: SignatureScheme, digest: Uint8Array): Task<Uint8Array>;
  /** From here on what is computed counts for this phase of the statistics. */
  enterPhase(phase: StatisticsPhase): void;
  /** The handshake is done: data may pass. */
  secured(info: Omit<I, "statistics">): void;
  /** What is done where the connection ends with a fatal alert, sent or received; the last action that was given counts. */
  ifFatal(action: () => void): void;
  /** There is a new session to resume, in its blob; or none any more. One that was not taken yet is dropped. */
  keepSession(session: Uint8Array | undefined): void;
  /** Overwrites a secret when the connection ends, however it ends. */
  wipeAtEnd(...secrets: readonly (Uint8Array | { wipe(): void })[]): void;
  log(level: LogLevel, message: () => string): void;
}

/** Checks that a message is among those that a state expects. The only place where such errors are made. */
export function expectMessage(state: Pick<State<never>, "name" | "expects">, message: Incoming): void {
  if ((state.expects as readonly string[]).includes(message.name)) return;
  throw new TlsError("TLS_UNEXPECTED_MESSAGE", `${message.name} in ${state.name}`, {
    data: { expected: state.expects, got: message.name },
  });
}
