/**
 * `thingwire shadow get|update|delete|watch`: the shadow of the thing that `--thing` names.
 *
 * @module
 */

import { isObject, type JsonObject } from "../../shadow/json.ts";
import { CliError, type Command, type CommandContext, type CommandOption, stringOption } from "../command.ts";
import { connectOptions, interrupted, withThing } from "../connect.ts";

const options: Readonly<Record<string, CommandOption>> = {
  ...connectOptions,
  name: { type: "string", value: "SHADOW", help: "A named shadow; the classic one by default." },
};

/** Prints the shadow's document. */
export const shadowGet: Command = {
  name: "shadow get",
  positionals: "",
  arity: [0, 0],
  summary: "Print the shadow document.",
  options,
  async run(context) {
    await withThing(context, async (thing) => {
      const document = await thing.shadow(shadowName(context)).get({ signal: context.signal });
      print(context, document);
    });
  },
};

/** Changes the desired or the reported state. */
export const shadowUpdate: Command = {
  name: "shadow update",
  positionals: "JSON",
  arity: [1, 1],
  summary: "Merge an object into desired, or with --reported into reported; null removes a key.",
  options: {
    ...options,
    reported: { type: "boolean", help: "What the device reports, instead of what an app desires." },
  },
  async run(context) {
    const change = parseObject(context.positionals[0]!);
    await withThing(context, async (thing) => {
      const shadow = thing.shadow(shadowName(context));
      const call = { signal: context.signal, full: true };
      if (context.values["reported"] === true) await shadow.report(change, call);
      else await shadow.desire(change, call);
      print(context, await shadow.get({ signal: context.signal }));
    });
  },
};

/** Deletes the shadow. */
export const shadowDelete: Command = {
  name: "shadow delete",
  positionals: "",
  arity: [0, 0],
  summary: "Delete the shadow.",
  options,
  async run(context) {
    await withThing(context, async (thing) => {
      const deleted = await thing.shadow(shadowName(context)).delete({ signal: context.signal });
      if (context.json) context.terminal.print(JSON.stringify({ deleted }));
      else context.terminal.print(deleted ? "deleted" : "there was none");
    });
  },
};

/** Prints every change, until Ctrl-C. */
export const shadowWatch: Command = {
  name: "shadow watch",
  positionals: "",
  arity: [0, 0],
  summary: "Print the shadow document at every change until Ctrl-C.",
  options,
  async run(context) {
    await withThing(context, async (thing) => {
      const shadow = thing.shadow(shadowName(context));
      shadow.on("document", (document) => print(context, document ?? null));
      await shadow.get({ signal: context.signal }).catch((error: { code?: string }) => {
        if (error.code === "SHADOW_REJECTED_NOT_FOUND") print(context, null);
        else if (error.code !== "USAGE_ABORTED") throw error;
      });
      await interrupted(context.signal, thing);
    });
  },
};

function shadowName(context: CommandContext): string | undefined {
  return stringOption(context.values, "name");
}

function print({ terminal, json }: CommandContext, value: unknown): void {
  terminal.print(json ? JSON.stringify(value) : JSON.stringify(value, undefined, 2));
}

function parseObject(text: string): JsonObject {
  try {
    const value = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The same answer as for JSON that is no object.
  }
  throw new CliError(`not a JSON object: ${text}`);
}
