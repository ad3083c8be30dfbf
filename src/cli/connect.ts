/**
 * The options by which `pub`, `sub` and `shadow …` connect, and the connection.
 *
 * @module
 */

import { consoleLogger } from "../runtime/console-logger.ts";
import { connectThing } from "../runtime/node.ts";
import { readCredentials } from "../runtime/node-credentials.ts";
import type { Thing } from "../thing/connect.ts";
import {
  CliError,
  type CommandContext,
  type CommandOption,
  integerOption,
  requiredOption,
  stringOption,
} from "./command.ts";

/** The options that {@link withThing} reads. */
export const connectOptions: Readonly<Record<string, CommandOption>> = {
  endpoint: { type: "string", value: "HOST", help: "PREFIX-ats.iot.REGION.amazonaws.com, localhost, … (required)" },
  port: { type: "string", value: "N", help: "8883; 443 adds ALPN x-amzn-mqtt-ca." },
  thing: { type: "string", value: "NAME", help: "The thing's name (required)." },
  "client-id": { type: "string", value: "ID", help: "The client id; by default the thing's name, -cli- and a number." },
  cert: { type: "string", value: "FILE", help: "The thing's certificate, PEM or DER (required)." },
  key: { type: "string", value: "FILE", help: "Its private key (required)." },
  ca: { type: "string", value: "FILE", help: "What to trust instead of Amazon's roots." },
  tls: { type: "string", value: "own|native", help: "Our own TLS (default) or Node's." },
  verbose: { type: "boolean", help: "Log each TLS message and MQTT packet." },
};

/** Connects as the options say, does something, and closes again, whatever happens. */
export async function withThing(context: CommandContext, use: (thing: Thing) => Promise<void>): Promise<void> {
  const { values } = context;
  const tls = stringOption(values, "tls") ?? "own";
  if (tls !== "own" && tls !== "native") throw new CliError(`--tls takes own or native, not "${tls}"`);
  const thingName = requiredOption(values, "thing");
  const files = { certificate: requiredOption(values, "cert"), privateKey: requiredOption(values, "key") };
  const thing = await connectThing({
    endpoint: requiredOption(values, "endpoint"),
    port: integerOption(values, "port", { min: 1, max: 65_535 }),
    thingName,
    // One for each run: with the same id, `pub` would throw out the `sub` that waits beside it.
    clientId: stringOption(values, "client-id") ?? `${thingName}-cli-${process.pid}`,
    ...readCredentials({ ...files, ca: stringOption(values, "ca") }),
    tls,
    signal: context.signal,
    // A lost connection is told, with its hint; what fails at once comes as the error.
    log: consoleLogger(values["verbose"] === true ? { level: "verbose" } : { level: "none", tags: { thing: "warn" } }),
  });
  try {
    await use(thing);
  } finally {
    await thing.close();
  }
}

/** Resolves at Ctrl-C; rejects where the thing's connection is lost for good, because then nothing more comes. */
export function interrupted(signal: AbortSignal, thing?: Thing): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
    thing?.mqtt.on("state", ({ to, error }) => {
      if (to === "closed" && error !== undefined) reject(error);
    });
  });
}
