/**
 * `thingwire doctor`: examines a set-up and tells why it does not work. Exit code 0 where no check failed, 1 where one did.
 *
 * @module
 */

import { utf8Length } from "../../bytes.ts";
import { mbedtlsText } from "../../errors.ts";
import { MAX_FIELD_BYTES } from "../../mqtt/packets.ts";
import { topicNameProblem } from "../../mqtt/topic.ts";
import {
  CliError,
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  requiredOption,
  stringOption,
} from "../command.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { nodeDoctorPorts } from "../doctor/node-ports.ts";
import type { DoctorOptions } from "../doctor/ports.ts";
import { printReport } from "../doctor/print.ts";
import type { DoctorReport } from "../doctor/report.ts";

export const doctor: Command = {
  name: "doctor",
  positionals: "",
  arity: [0, 0],
  summary: "Tell why a thing does not connect: files, network, TLS, CONNECT, policies, shadow.",
  options: {
    endpoint: { type: "string", value: "HOST", help: "PREFIX-ats.iot.REGION.amazonaws.com, localhost, … (required)" },
    port: { type: "string", value: "N", help: "8883; 443 adds ALPN x-amzn-mqtt-ca." },
    thing: { type: "string", value: "NAME", help: "The thing's name; without it the shadow is left out." },
    "client-id": {
      type: "string",
      value: "ID",
      help: "By default the thing's name. A device connected with the same id is thrown out.",
    },
    cert: { type: "string", value: "FILE", help: "The thing's certificate (required)." },
    key: { type: "string", value: "FILE", help: "Its private key (required)." },
    ca: { type: "string", value: "FILE", help: "What to trust instead of Amazon's roots." },
    topic: {
      type: "string",
      value: "TOPIC",
      help: "A topic to publish and subscribe to; those of the shadow by default.",
    },
    policy: { type: "string", value: "FILE", help: "The policy as JSON: it is judged here, statement by statement." },
    alpn: {
      type: "string",
      value: "NAME",
      help: "The protocol name to offer, or none; what goes with the port by default.",
    },
    "read-only": {
      type: "boolean",
      help: "Do not send the empty update that tries whether the shadow can be updated.",
    },
    timeout: { type: "string", value: "SECONDS", help: "For each stage; 10 by default." },
  },
  async run(context) {
    const report = await diagnose(optionsOf(context), nodeDoctorPorts());
    if (context.json) context.terminal.print(JSON.stringify(asJson(report)));
    else printReport(report, context.terminal);
    return report.healthy ? EXIT.ok : EXIT.failure;
  },
};

function optionsOf({ values, signal }: CommandContext): DoctorOptions {
  const alpn = stringOption(values, "alpn");
  const topic = stringOption(values, "topic");
  const problem = topic === undefined ? undefined : topicNameProblem(topic)?.problem;
  if (problem !== undefined) throw new CliError(`--topic takes the name of a topic: ${problem}`);
  const clientId = stringOption(values, "client-id");
  if (clientId !== undefined && utf8Length(clientId) > MAX_FIELD_BYTES)
    throw new CliError(`--client-id takes ${MAX_FIELD_BYTES} bytes at most`);
  if (alpn !== undefined && !/^[\x21-\x7e]{1,255}$/.test(alpn))
    throw new CliError("--alpn takes a name of 1 to 255 characters, or none");
  const seconds = integerOption(values, "timeout", { min: 1, max: 600 });
  return {
    endpoint: requiredOption(values, "endpoint"),
    port: integerOption(values, "port", { min: 1, max: 65_535 }),
    certificate: requiredOption(values, "cert"),
    privateKey: requiredOption(values, "key"),
    ca: stringOption(values, "ca"),
    thingName: stringOption(values, "thing"),
    clientId,
    topic,
    policy: stringOption(values, "policy"),
    alpn: alpn === undefined ? undefined : alpn === "none" ? [] : [alpn],
    readOnly: values["read-only"] === true,
    timeoutMs: seconds === undefined ? undefined : seconds * 1000,
    signal,
  };
}

/** mbedTLS's codes as people know them. */
function asJson({ results, ...rest }: DoctorReport): unknown {
  const readable = results.map(({ mbedtls, ...result }) => ({
    ...result,
    ...(mbedtls === undefined ? {} : { mbedtls: mbedtlsText(mbedtls) }),
  }));
  return { ...rest, results: readable };
}
