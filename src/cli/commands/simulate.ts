/**
 * `thingwire simulate`: the local AWS IoT endpoint, alone, until Ctrl-C.
 *
 * @module
 */

import { consoleLogger } from "../../runtime/console-logger.ts";
import { startLocalEndpoint } from "../../simulator/node/endpoint.ts";
import { type Command, integerOption, stringOption } from "../command.ts";
import { interrupted } from "../connect.ts";

export const simulate: Command = {
  name: "simulate",
  positionals: "",
  arity: [0, 0],
  summary: "Run a local AWS IoT endpoint on loopback: TLS with client certificates, MQTT broker, shadow service.",
  options: {
    dir: { type: "string", value: "FOLDER", help: "Where its certificates are kept (.thingwire)." },
    port: { type: "string", value: "N", help: "The port (8883); 0 takes any free one." },
    thing: { type: "string", value: "NAME", help: "The thing that gets a certificate (thingwire-demo)." },
    verbose: { type: "boolean", help: "Log each packet and request." },
  },
  async run({ values, terminal, json, signal }) {
    const level = values["verbose"] === true ? "verbose" : "info";
    const endpoint = await startLocalEndpoint({
      dir: stringOption(values, "dir"),
      port: integerOption(values, "port", { min: 0, max: 65_535 }),
      thingName: stringOption(values, "thing"),
      log: consoleLogger({ level: json ? "none" : level }),
    });
    const { host, port, thingName } = endpoint;
    const { caFile, device } = endpoint.folder;
    const certificate = device.certificateFile;
    const privateKey = device.privateKeyFile;
    if (json) {
      const { certificateId } = device;
      terminal.print(JSON.stringify({ host, port, thingName, certificateId, ca: caFile, certificate, privateKey }));
    } else {
      terminal.print(`${terminal.paint("bold", "Local AWS IoT endpoint")} on ${host}:${port}, thing ${thingName}`);
      terminal.print(`  --endpoint ${host} --port ${port} --thing ${thingName} \\`);
      terminal.print(`  --cert ${certificate} --key ${privateKey} --ca ${caFile}`);
      terminal.print("Ctrl-C ends it.");
    }
    await interrupted(signal);
    await endpoint.close();
  },
};
