/**
 * `thingwire pub` and `thingwire sub`: messages from and to the command line.
 *
 * @module
 */

import { printableBytes, utf8Decode } from "../../bytes.ts";
import { type Command, integerOption } from "../command.ts";
import { connectOptions, interrupted, withThing } from "../connect.ts";

/** Publishes one message. */
export const pub: Command = {
  name: "pub",
  positionals: "TOPIC MESSAGE",
  arity: [2, 2],
  summary: "Publish one message.",
  options: {
    ...connectOptions,
    qos: { type: "string", value: "0|1", help: "1 by default: it ends when the broker has acknowledged." },
    retain: { type: "boolean", help: "The broker keeps it for later subscribers." },
  },
  async run(context) {
    const [topic, message] = context.positionals as [string, string];
    const qos = integerOption(context.values, "qos", { min: 0, max: 1 }) === 0 ? 0 : 1;
    await withThing(context, async ({ mqtt }) => {
      await mqtt.publish(topic, message, { qos, retain: context.values["retain"] === true, signal: context.signal });
      if (context.json) context.terminal.print(JSON.stringify({ topic, qos }));
    });
  },
};

/** Prints messages as they come, until Ctrl-C or `--count`. */
export const sub: Command = {
  name: "sub",
  positionals: "FILTER...",
  arity: [1, 8],
  summary: "Print the messages of topic filters until Ctrl-C.",
  options: {
    ...connectOptions,
    qos: { type: "string", value: "0|1", help: "1 by default." },
    count: { type: "string", value: "N", help: "End after so many messages." },
  },
  async run(context) {
    const { positionals, terminal, json, signal, values } = context;
    const qos = integerOption(values, "qos", { min: 0, max: 1 }) === 0 ? 0 : 1;
    let left = integerOption(values, "count", { min: 1, max: Number.MAX_SAFE_INTEGER }) ?? Number.POSITIVE_INFINITY;
    await withThing(context, async ({ mqtt }) => {
      const messages = await mqtt.subscribe(positionals, { qos, signal }).catch((error: unknown) => {
        // Ctrl-C ends this command in order at any moment, also before SUBACK.
        if (signal.aborted) return undefined;
        throw error;
      });
      if (messages === undefined) return;
      // Without a connection it is not acknowledged; the loop ends all the same.
      interrupted(signal).then(() => messages.close().catch(() => {}));
      for await (const message of messages) {
        const { topic, payload, retain } = message;
        const text = utf8Decode(payload);
        if (json) terminal.print(JSON.stringify({ topic, payload: text ?? [...payload], qos: message.qos, retain }));
        else terminal.print(`${terminal.paint("cyan", topic)} ${printableBytes(payload, 4096)}`);
        if (--left === 0) break;
      }
    });
  },
};
