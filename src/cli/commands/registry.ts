/**
 * `thingwire registry`: looks at and changes the account of a folder that no simulator uses at the moment.
 *
 * @module
 */

import { openAccount } from "../../simulator/node/account.ts";
import { type Command, stringOption } from "../command.ts";
import { registryHelp, runRegistry } from "../registry.ts";

export const registry: Command = {
  name: "registry",
  positionals: "WORDS...",
  arity: [0, 60],
  summary:
    "List or change things, certificates, policies and CAs of the local endpoint; type the same words into one that runs.",
  options: {
    dir: { type: "string", value: "FOLDER", help: "Where the local endpoint lives (.thingwire)." },
  },
  async run({ values, positionals, terminal, json }) {
    if (positionals.length === 0 || positionals[0] === "help") {
      terminal.print(registryHelp.join("\n"));
      return;
    }
    const account = await openAccount({ dir: stringOption(values, "dir") });
    try {
      const answer = await runRegistry(account, positionals);
      terminal.print(json ? JSON.stringify(answer.json) : answer.lines.join("\n"));
    } finally {
      await account.close();
    }
  },
};
