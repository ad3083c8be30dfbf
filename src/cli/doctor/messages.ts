/**
 * What the policies allow once connected: subscribe, publish and receive apart, and the shadow's get and update.
 *
 * A policy that is in order may allow few topics, so nothing is tried that the thing does not need: with `--topic` that topic, otherwise those
 * of the shadow's get, whose answer is the message that must come back. Without either, the verdict can only be that all is well.
 *
 * @module
 */

import { printable, printableBytes, utf8Decode } from "../../bytes.ts";
import type { ThingwireError } from "../../errors.ts";
import { decodeJson, isObject, type JsonObject, member } from "../../shadow/json.ts";
import { shadowTopics } from "../../shadow/topics.ts";
import type { Target } from "./attempt.ts";
import type { Cause } from "./causes.ts";
import { type Exchange, type Exchanged, exchange, type Step } from "./exchange.ts";
import { identifyBroker } from "./identify-broker.ts";
import type { Line } from "./line.ts";
import type { CheckId, Findings } from "./report.ts";

const MESSAGE_CHECKS = ["subscribe", "publish", "receive"] as const;

/** Checks messages and, where there is a thing's name, its shadow. */
export async function checkMessages(target: Target, line: Line, findings: Findings): Promise<void> {
  const { topic, thingName } = target.options;
  if (topic !== undefined) judgeSteps(echoOf(topic), await echo(line, topic), findings);
  if (findings.failed("session")) return;
  if (thingName !== undefined && !findings.failed("thing-name")) await checkShadow(target, line, thingName, findings);
  else {
    if (topic === undefined) await tryAnyTopic(target, line, findings);
    findings.skip("shadow-get", "without --thing there is no shadow");
    findings.skip("shadow-update", "without --thing there is no shadow");
  }
}

// ---- messages on a topic ----

function echoOf(topic: string): Exchange {
  const payload = `{"doctor":"thingwire"}`;
  const isAnswer: Exchange["isAnswer"] = (message) =>
    message.topic === topic && utf8Decode(message.payload) === payload;
  return { filters: [topic], topic, payload, isAnswer };
}

function echo(line: Line, topic: string): Promise<Exchanged> {
  return exchange(line, echoOf(topic));
}

/** A topic that nobody else uses; a client id may hold what a topic may not. */
function anyTopic(clientId: string): string {
  return `thingwire-doctor/${clientId.replace(/[^\w-]/g, "_").slice(0, 128)}`;
}

/** Without a topic that the policy must allow, only success says something. */
async function tryAnyTopic({ clientId }: Target, line: Line, findings: Findings): Promise<void> {
  const topic = anyTopic(clientId);
  const result = await echo(line, topic);
  const names = `SUBSCRIBE and PUBLISH on ${printable(topic)}`;
  if (result.receive.end === "ok" || result.trouble !== undefined) judgeSteps(echoOf(topic), result, findings);
  else
    for (const check of MESSAGE_CHECKS)
      findings.skip(check, `which topics are allowed is not known (${names} did not work): pass --thing or --topic`);
}

/** One finding for each step. */
function judgeSteps(asked: Exchange, exchanged: Exchanged, findings: Findings): void {
  const { subscribe, publish, receive, accident, trouble } = exchanged;
  if (trouble !== undefined) {
    findings.found("session", trouble.cause, trouble.evidence, trouble.error);
    return;
  }
  const filters = printable(asked.filters.join(" and "));
  judgeStep("subscribe", subscribe, `iot:Subscribe on ${filters.replace(/(^| and )/g, "$1topicfilter/")}`, findings);
  judgeStep("publish", publish, `iot:Publish on topic/${printable(asked.topic)}`, findings);
  judgeStep("receive", receive, `iot:Receive on topic/${filters.replace(/ and /g, " or topic/")}`, findings);
  if (accident !== undefined) findings.found("session", "DOCTOR_CONNECTION_UNSTABLE", `at ${printable(accident)}`);
}

const byEnd: Readonly<
  Record<(typeof MESSAGE_CHECKS)[number], Readonly<Record<"closed" | "refused" | "silent", Cause>>>
> = {
  subscribe: {
    closed: "DOCTOR_SUBSCRIBE_CLOSED",
    refused: "DOCTOR_SUBSCRIBE_REFUSED",
    silent: "DOCTOR_SUBSCRIBE_SILENT",
  },
  publish: { closed: "DOCTOR_PUBLISH_CLOSED", refused: "DOCTOR_PUBLISH_CLOSED", silent: "DOCTOR_PUBLISH_SILENT" },
  receive: { closed: "DOCTOR_RECEIVE_CLOSED", refused: "DOCTOR_RECEIVE_CLOSED", silent: "DOCTOR_RECEIVE_SILENT" },
};

function judgeStep(
  step: (typeof MESSAGE_CHECKS)[number],
  result: Step,
  action: string,
  findings: Findings,
  check: CheckId = step,
): void {
  if (result.end === "ok") findings.ok(check, action);
  else if (result.end === "skipped") findings.skip(check, "an earlier step failed");
  else findings.found(check, byEnd[step][result.end], `${action}${because(result.error)}`, result.error);
}

function because(error: ThingwireError | undefined): string {
  return error === undefined ? "" : `: ${error.message}`;
}

// ---- the shadow ----

async function checkShadow(target: Target, line: Line, thingName: string, findings: Findings): Promise<void> {
  const topics = shadowTopics({ thingName });
  const token = `doctor-${randomToken(target)}`;
  const get = shadowRequest(topics.get, topics.getAccepted, topics.getRejected, token, {});
  const got = await exchange(line, get);
  const silent = got.receive.end === "silent";
  const broker = silent ? await identifyBroker(line) : undefined;
  if (broker !== undefined) {
    await judgePlainBroker(target, line, broker, findings);
    return;
  }
  const isTopicOfSteps = target.options.topic === undefined;
  if (isTopicOfSteps || got.trouble !== undefined) judgeSteps(get, got, findings);
  if (findings.failed("session")) return;
  if (isTopicOfSteps && got.receive.end !== "ok")
    findings.skip("shadow-get", "its messages do not get through: see above");
  else judgeShadow("shadow-get", get, got, findings);
  await checkUpdate(target, line, topics, token, findings);
}

async function checkUpdate(
  { options }: Target,
  line: Line,
  topics: ReturnType<typeof shadowTopics>,
  token: string,
  findings: Findings,
): Promise<void> {
  if (options.readOnly === true) {
    findings.skip("shadow-update", "--read-only was given");
    return;
  }
  // An empty update changes nothing but the version.
  const update = shadowRequest(topics.update, topics.updateAccepted, topics.updateRejected, token, { state: {} });
  const updated = await exchange(line, update);
  if (updated.trouble !== undefined) judgeSteps(update, updated, findings);
  else judgeShadow("shadow-update", update, updated, findings);
}

/** An ordinary broker: messages work on any topic, and there is no shadow to be had. */
async function judgePlainBroker(
  { clientId, options }: Target,
  line: Line,
  broker: string,
  findings: Findings,
): Promise<void> {
  const topic = anyTopic(clientId);
  if (options.topic === undefined) judgeSteps(echoOf(topic), await echo(line, topic), findings);
  findings.found("shadow-get", "DOCTOR_NO_SHADOW_SERVICE", `the broker is ${broker}`);
  findings.skip("shadow-update", "there is no shadow service");
}

function shadowRequest(topic: string, accepted: string, rejected: string, token: string, body: JsonObject): Exchange {
  return {
    filters: [accepted, rejected],
    topic,
    payload: JSON.stringify({ ...body, clientToken: token }),
    // An answer without a token, or that is no JSON, is one that cannot be told from ours.
    isAnswer: ({ payload }) => {
      const theirs = answerOf(payload)?.["clientToken"];
      return theirs === undefined || theirs === token;
    },
  };
}

function judgeShadow(
  check: "shadow-get" | "shadow-update",
  asked: Exchange,
  result: Exchanged,
  findings: Findings,
): void {
  const { message } = result;
  const [step, failed] = (
    [
      ["subscribe", result.subscribe],
      ["publish", result.publish],
      ["receive", result.receive],
    ] as const
  ).find(([, { end }]) => end !== "ok") ?? ["receive", undefined];
  if (failed !== undefined) {
    const action = `${step === "subscribe" ? "iot:Subscribe on topicfilter" : step === "publish" ? "iot:Publish on topic" : "iot:Receive on topic"}/`;
    const topics = step === "publish" ? asked.topic : asked.filters.join(" and ");
    judgeStep(step, failed, `${action}${printable(topics)}`, findings, check);
    return;
  }
  judgeAnswer(check, message!.topic === asked.filters[0], message!.payload, findings);
}

function judgeAnswer(
  check: "shadow-get" | "shadow-update",
  accepted: boolean,
  payload: Uint8Array,
  findings: Findings,
): void {
  const answer = answerOf(payload);
  if (answer === undefined) {
    findings.found(check, "DOCTOR_SHADOW_UNREADABLE", printableBytes(payload, 80));
    return;
  }
  if (accepted) {
    findings.ok(check, `accepted, version ${printable(String(member(answer, "version")))}`);
    return;
  }
  const code = member(answer, "code");
  const text = `${printable(String(code))} ${printable(String(member(answer, "message")))}`;
  if (check === "shadow-get" && code === 404)
    findings.ok(check, `${text}: there is none yet, which is no fault where the thing's name is spelled right`);
  else findings.found(check, "DOCTOR_SHADOW_REFUSED", text);
}

function answerOf(payload: Uint8Array): JsonObject | undefined {
  const { value } = decodeJson(payload);
  return isObject(value) ? value : undefined;
}

/** Tells our requests from those of the thing itself; AWS IoT takes 64 bytes. */
function randomToken({ ports }: Target): string {
  const bytes = new Uint8Array(8);
  ports.runtime.random.fill(bytes, "client token");
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
