/**
 * `thingwire simulate`: the local AWS IoT endpoint, alone, until Ctrl-C. Lines on its standard input change its registry; see
 * `thingwire registry`.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { utf8Decode } from "../../bytes.ts";
import { asThingwireError } from "../../errors.ts";
import { type ConsoleLoggerOptions, consoleLogger } from "../../runtime/console-logger.ts";
import { readInput } from "../../runtime/node-credentials.ts";
import { type LocalEndpoint, startLocalEndpoint } from "../../simulator/node/endpoint.ts";
import { type Command, type CommandContext, integerOption, printError, stringOption } from "../command.ts";
import { interrupted } from "../connect.ts";
import { runRegistry } from "../registry.ts";

/** A topic of the default policy. */
const TOPIC = "test_topic/esp32";

export const simulate: Command = {
  name: "simulate",
  positionals: "",
  arity: [0, 0],
  summary:
    "Run a local AWS IoT on loopback: TLS with client certificates, registry, policies, MQTT broker, shadow service.",
  options: {
    dir: { type: "string", value: "FOLDER", help: "Where it lives: certificates, registry, shadows (.thingwire)." },
    port: { type: "string", value: "N", help: "The port (8883); 0 takes any free one." },
    "alpn-port": { type: "string", value: "N", help: "Opens a port that wants ALPN x-amzn-mqtt-ca too, as AWS's 443." },
    thing: { type: "string", value: "NAME", help: "The thing that gets a certificate (thingwire-demo)." },
    policy: { type: "string", value: "FILE", help: "Its policy, instead of one that allows what the examples do." },
    "allow-no-sni": { type: "boolean", help: "Serve clients that name no server, such as openssl s_client." },
    verbose: { type: "boolean", help: "Log each packet and request." },
  },
  async run(context) {
    const { values, terminal, json, signal } = context;
    const policyFile = stringOption(values, "policy");
    const endpoint = await startLocalEndpoint({
      dir: stringOption(values, "dir"),
      port: integerOption(values, "port", { min: 0, max: 65_535 }),
      alpnPort: integerOption(values, "alpn-port", { min: 0, max: 65_535 }),
      thingName: stringOption(values, "thing"),
      // What is no text is told as a policy that is malformed.
      policy: policyFile === undefined ? undefined : (utf8Decode(readInput(policyFile, "policy")) ?? ""),
      treatment: values["allow-no-sni"] === true ? { noServerName: "admit" } : {},
      log: consoleLogger(logging(json, values["verbose"] === true)),
    });
    terminal.print(json ? JSON.stringify(facts(endpoint)) : introduction(endpoint, terminal.paint).join("\n"));
    const stopReading = readCommands(endpoint, context);
    await interrupted(signal);
    stopReading();
    await endpoint.close();
  },
};

/** Why a handshake failed is told by the simulator itself; its steps only where they are asked for. */
function logging(json: boolean, verbose: boolean): ConsoleLoggerOptions {
  if (json) return { level: "none" };
  return verbose ? { level: "verbose" } : { level: "info", tags: { tls: "none" } };
}

function facts({ host, port, alpnPort, thingName, folder }: LocalEndpoint) {
  const { certificateId, certificateFile: certificate, privateKeyFile: privateKey } = folder.device;
  return { host, port, alpnPort, thingName, certificateId, ca: folder.caFile, certificate, privateKey };
}

/** What a device needs, and ready command lines. */
function introduction(endpoint: LocalEndpoint, paint: CommandContext["terminal"]["paint"]): string[] {
  const { host, port, alpnPort, thingName, certificateId, ...paths } = facts(endpoint);
  const [ca, certificate, privateKey] = [paths.ca, paths.certificate, paths.privateKey].map(shellWord) as [
    string,
    string,
    string,
  ];
  const connection = `--endpoint ${host} --port ${port} --thing ${thingName}`;
  const files = `--cert ${certificate} --key ${privateKey} --ca ${ca}`;
  const mosquitto = `-h ${host} -p ${port} --cafile ${ca} --cert ${certificate} --key ${privateKey} -i ${thingName}`;
  return [
    `${paint("bold", "Local AWS IoT endpoint")} on ${host}:${port}, thing ${thingName}`,
    ...(alpnPort === undefined ? [] : [`  ALPN port    ${alpnPort}, with ALPN x-amzn-mqtt-ca`]),
    `  certificate  ${certificate}`,
    `               ${certificateId}`,
    `  private key  ${privateKey}`,
    `  CA to trust  ${ca}`,
    paint("bold", "Try it"),
    `  npx thingwire doctor ${connection} ${files}`,
    `  npx thingwire sub ${TOPIC} ${connection} --client-id ${thingName} ${files}`,
    `  npx thingwire shadow get ${connection} --client-id ${thingName} ${files}`,
    `  npm start -- ${connection} ${files}`,
    `  mosquitto_pub ${mosquitto} -t ${TOPIC} -q 1 -m hello`,
    `Type "list", "deactivate certificate ${certificateId.slice(0, 8)}", "explain" or "help". Ctrl-C ends it.`,
  ];
}

/** A path as one word of a shell. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replace(/'/g, "'\\''")}'`;
}

/** Runs what stands on standard input, a command a line, one after the other. The result ends it. */
function readCommands(endpoint: LocalEndpoint, { terminal, json }: CommandContext): () => void {
  if (!mayRead()) return () => {};
  const lines = createInterface({ input: process.stdin, terminal: false });
  let last = Promise.resolve();
  lines.on("line", (line) => {
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.length === 0) return;
    last = last
      .then(() => runRegistry(endpoint.account, words))
      .then(
        (answer) => terminal.print(json ? JSON.stringify(answer.json) : answer.lines.join("\n")),
        (caught: unknown) => {
          const error = asThingwireError(caught);
          if (json) terminal.print(JSON.stringify({ error: error.toJSON() }));
          else printError(error, terminal);
        },
      );
  });
  return () => {
    lines.close();
    // An open terminal would keep the process.
    process.stdin.unref?.();
  };
}

/**
 * Whether the terminal may be read: a job in the background that reads it is stopped by the system. Linux tells by fields 5 and 8 of
 * `/proc/self/stat`, the process's group and that in the foreground (proc(5)).
 */
function mayRead(): boolean {
  if (!process.stdin.isTTY) return true;
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[2] === fields[5];
  } catch {
    return true;
  }
}
