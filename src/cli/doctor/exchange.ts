/**
 * Subscribe, publish, receive: one exchange with the broker, each step by itself, and tried a second time where the connection broke,
 * so that an accident is not taken for a denial.
 *
 * @module
 */

import { printable } from "../../bytes.ts";
import { asThingwireError, type ThingwireError } from "../../errors.ts";
import type { MqttClient } from "../../mqtt/client.ts";
import type { MqttMessage } from "../../mqtt/events.ts";
import { chainOf, isUnsound } from "./attempt.ts";
import type { Line } from "./line.ts";

/** How a step ended. */
export type Step =
  | { readonly end: "ok" }
  /** The broker closed the connection, twice. */
  | { readonly end: "closed"; readonly error: ThingwireError | undefined }
  /** SUBACK 128. */
  | { readonly end: "refused"; readonly error: ThingwireError }
  /** No answer in time. */
  | { readonly end: "silent"; readonly error: ThingwireError | undefined }
  /** An earlier step failed. */
  | { readonly end: "skipped" };

/** What is asked. */
export interface Exchange {
  readonly filters: readonly string[];
  readonly topic: string;
  readonly payload: string;
  /** Whether a message is the one that is waited for. */
  readonly isAnswer: (message: MqttMessage) => boolean;
}

/** What came of it. */
export interface Exchanged {
  readonly subscribe: Step;
  readonly publish: Step;
  readonly receive: Step;
  /** The answer; its payload is a copy. */
  readonly message: MqttMessage | undefined;
  /** A step broke the connection and then worked. */
  readonly accident: string | undefined;
  /** A step broke the connection twice, and it is not the step's fault. */
  readonly trouble: Trouble | undefined;
}

/** What is wrong with the connection, whatever is asked. */
export interface Trouble {
  readonly cause: "DOCTOR_CONNECTION_DROPPED" | "DOCTOR_BROKER_UNSOUND";
  readonly evidence: string;
  readonly error: ThingwireError | undefined;
}

/** What one try came to. */
type Tried = Omit<Exchanged, "accident" | "trouble">;

const OK: Step = { end: "ok" };
const SKIPPED: Step = { end: "skipped" };

/** Runs an exchange. Never rejects but for the signal. */
export async function exchange(line: Line, asked: Exchange): Promise<Exchanged> {
  const first = await attempt(line, asked);
  if (!isBroken(first)) return { ...first, accident: undefined, trouble: undefined };
  const second = await attempt(line, asked);
  if (!isBroken(second)) return { ...second, accident: `${brokenStep(first)} ${asked.topic}`, trouble: undefined };
  return { ...second, accident: undefined, trouble: await troubleOf(second, line) };
}

/** A broker that breaks the protocol, and a rival with the same client id, break every step: the policy is not to blame. */
async function troubleOf(tried: Tried, line: Line): Promise<Trouble | undefined> {
  const unsound = [tried.subscribe, tried.publish, tried.receive]
    .flatMap((step) => ("error" in step && step.error !== undefined ? chainOf(step.error) : []))
    .find(({ code }) => isUnsound(code));
  if (unsound !== undefined) return { cause: "DOCTOR_BROKER_UNSOUND", evidence: unsound.message, error: unsound };
  const idleMs = await line.dropsIdle();
  if (idleMs === undefined) return undefined;
  return {
    cause: "DOCTOR_CONNECTION_DROPPED",
    evidence: `connected again as ${printable(line.clientId)}, and closed after ${idleMs} ms without a request`,
    error: line.lostBy,
  };
}

function isBroken({ subscribe, publish, receive }: Tried): boolean {
  return [subscribe, publish, receive].some(({ end }) => end === "closed");
}

function brokenStep({ subscribe, publish }: Tried): string {
  return subscribe.end === "closed"
    ? "SUBSCRIBE"
    : publish.end === "closed"
      ? "PUBLISH to"
      : "waiting for the answer to";
}

async function attempt(line: Line, asked: Exchange): Promise<Tried> {
  const answers = new Answers(line, asked.isAnswer);
  const subscribe = await step(line, (client) =>
    client.subscribe(asked.filters, {
      qos: 1,
      timeoutMs: line.timeoutMs,
      onMessage: (message) => answers.take(message),
    }),
  );
  const ask = (): Promise<Step> =>
    step(line, (client) => client.publish(asked.topic, asked.payload, { qos: 1, timeoutMs: line.timeoutMs }));
  const publish = await ask();
  if (subscribe.end !== "ok" || publish.end !== "ok")
    return { subscribe, publish, receive: SKIPPED, message: undefined };
  // A subscription may come into effect a while behind its SUBACK, as AWS IoT says: half-way through, it is asked again.
  const half = line.answerTimeoutMs / 2;
  let message = await answers.wait(half);
  if (message === undefined && !line.lost) {
    await ask();
    message = await answers.wait(half);
  }
  const receive: Step = message !== undefined ? OK : { end: line.lost ? "closed" : "silent", error: line.lostBy };
  return { subscribe, publish, receive, message };
}

async function step(line: Line, act: (client: MqttClient) => Promise<unknown>): Promise<Step> {
  const client = await line.client();
  if (client === undefined) return { end: "closed", error: undefined };
  try {
    await act(client);
    return OK;
  } catch (caught) {
    const error = asThingwireError(caught);
    switch (error.code) {
      case "MQTT_SUBSCRIBE_REFUSED":
        return { end: "refused", error };
      case "MQTT_OPERATION_TIMEOUT":
        return { end: "silent", error };
      case "MQTT_CONNECTION_LOST":
      case "MQTT_CLOSED":
        return { end: "closed", error };
      default:
        throw error;
    }
  }
}

/** Waits for one message, for a time. */
class Answers {
  readonly #line: Line;
  readonly #isAnswer: (message: MqttMessage) => boolean;
  #message: MqttMessage | undefined;
  #tell: (() => void) | undefined;

  constructor(line: Line, isAnswer: (message: MqttMessage) => boolean) {
    this.#line = line;
    this.#isAnswer = isAnswer;
  }

  take(message: MqttMessage): void {
    if (this.#message !== undefined || !this.#isAnswer(message)) return;
    this.#message = { ...message, payload: message.payload.slice() };
    this.#tell?.();
  }

  async wait(timeoutMs: number): Promise<MqttMessage | undefined> {
    if (this.#message !== undefined || this.#line.lost) return this.#message;
    await new Promise<void>((resolve) => {
      const cancel = this.#line.timers.set(timeoutMs, () => resolve());
      this.#tell = () => {
        cancel();
        resolve();
      };
      this.#line.onLost(() => this.#tell?.());
    });
    return this.#message;
  }
}
