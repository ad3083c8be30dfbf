/** The options of `npm start`, checked. */

import { parseArgs } from "node:util";

export interface Settings {
  /** The host to connect to; without one, the local endpoint is started. */
  readonly endpoint: string | undefined;
  readonly port: number;
  readonly thing: string;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
  readonly shadowService: boolean;
  readonly tls: "own" | "native";
  readonly rounds: number;
  /** One of the two examples; both by default. */
  readonly only: Example | undefined;
  /** A level's name, or mbedTLS's number for one. */
  readonly debug: string | undefined;
}

export type Example = "subscribe-publish" | "thing-shadow";

/** The command line cannot be understood. */
export class SettingsError extends Error {}

export const LEVELS: readonly string[] = ["error", "warn", "info", "debug", "verbose", "0", "1", "2", "3", "4"];

const OPTIONS = {
  endpoint: { type: "string" },
  port: { type: "string" },
  thing: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  ca: { type: "string" },
  "shadow-service": { type: "boolean" },
  tls: { type: "string" },
  rounds: { type: "string" },
  only: { type: "string" },
  debug: { type: "string" },
  help: { type: "boolean" },
} as const;

export const HELP = `npm start -- [options]

Without --endpoint: starts the local AWS IoT endpoint on loopback, makes the device's credentials, and runs both examples.

  --endpoint HOST    run against AWS IoT Core, Mosquitto or any broker that checks client certificates
  --port N           8883; 443 adds ALPN x-amzn-mqtt-ca
  --thing NAME       the thing's name, which is also the client id
  --cert FILE        its certificate, PEM or DER; without it, examples/certs/credentials.js is used
  --key FILE         its private key
  --ca FILE          what to trust instead of Amazon's roots, PEM
  --shadow-service   the broker has no shadow service: attach ours to it as one more client
  --tls own|native   our own TLS (default) or Node's
  --rounds N         how long each example runs; 5
  --only NAME        only subscribe-publish, or only thing-shadow
  --debug LEVEL      error, warn, info, debug, verbose, or mbedTLS's 0 to 4`;

/** Reads the arguments; `undefined` where help was asked for. Throws SettingsError. */
export function readSettings(args: readonly string[]): Settings | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  const { endpoint, thing, cert, key, ca, debug, only, tls = "own" } = values;
  if (tls !== "own" && tls !== "native") throw new SettingsError(`--tls takes own or native, not "${tls}"`);
  if (only !== undefined && only !== "subscribe-publish" && only !== "thing-shadow")
    throw new SettingsError(`--only takes subscribe-publish or thing-shadow, not "${only}"`);
  if (debug !== undefined && !LEVELS.includes(debug))
    throw new SettingsError(`--debug takes one of ${LEVELS.join(", ")}`);
  if ((cert === undefined) !== (key === undefined)) throw new SettingsError("--cert and --key are given together");
  if (endpoint !== undefined && thing === undefined) throw new SettingsError("--endpoint needs --thing NAME");
  if (endpoint === undefined)
    for (const name of ["port", "cert", "ca", "shadow-service"] as const)
      if (values[name] !== undefined)
        throw new SettingsError(`--${name} is for another endpoint: it needs --endpoint HOST`);
  return {
    endpoint,
    port: number("port", values.port ?? "8883", 1, 65_535),
    thing: thing ?? "thingwire-demo",
    cert,
    key,
    ca,
    shadowService: values["shadow-service"] === true,
    tls,
    rounds: number("rounds", values.rounds ?? "5", 1, 1_000_000),
    only,
    debug,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new SettingsError(error instanceof Error ? error.message : String(error));
  }
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new SettingsError(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
}
