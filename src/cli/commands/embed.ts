/**
 * `thingwire embed`: a device's certificate and key into a module.
 *
 * @module
 */

import { join } from "node:path";
import { embedCredentials, findCredentials } from "../../simulator/node/embed.ts";
import { createCrypto } from "../../tls/crypto/index.ts";
import { fingerprint, oneLine } from "../../tls/x509/describe.ts";
import { CliError, type Command, stringOption } from "../command.ts";

/** Where the examples look. */
const FOLDER = join("examples", "certs");

/** Writes the module with certificate and key. */
export const embed: Command = {
  name: "embed",
  positionals: "[FOLDER]",
  arity: [0, 1],
  summary: "Write a device's certificate and key into a module of typed arrays that an app imports.",
  options: {
    cert: { type: "string", value: "FILE", help: "The certificate; otherwise it is looked for in FOLDER." },
    key: { type: "string", value: "FILE", help: "Its private key." },
    out: { type: "string", value: "FILE", help: `The module (credentials.js in FOLDER, or in ${FOLDER}).` },
  },
  async run({ values, positionals, terminal, json }) {
    const certificateFile = stringOption(values, "cert");
    const privateKeyFile = stringOption(values, "key");
    if ((certificateFile === undefined) !== (privateKeyFile === undefined))
      throw new CliError("--cert and --key are given together");
    if (certificateFile !== undefined && positionals.length > 0)
      throw new CliError("either FOLDER, or --cert and --key");
    const folder = positionals[0] ?? FOLDER;
    const sources =
      certificateFile !== undefined && privateKeyFile !== undefined
        ? { certificateFile, privateKeyFile }
        : findCredentials(folder);
    const { out, certificates } = embedCredentials(
      sources,
      stringOption(values, "out") ?? join(folder, "credentials.js"),
    );
    const sha256 = fingerprint(certificates[0]!.der, createCrypto());
    if (json) terminal.print(JSON.stringify({ out, ...sources, certificates: certificates.length, sha256 }));
    else {
      terminal.print(`${terminal.paint("green", "wrote")} ${out}`);
      terminal.print(`  ${oneLine(certificates[0]!)}`);
      terminal.print(`  SHA-256 ${sha256}`);
      terminal.print("  It holds the private key: keep it out of version control.");
    }
  },
};
