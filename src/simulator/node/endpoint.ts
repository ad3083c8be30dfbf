/**
 * The local AWS IoT endpoint on Node: TCP ports on loopback with our TLS server behind them, for a cloud that is kept in a folder.
 *
 * @module
 */

import { silent } from "../../ports.ts";
import { checkNames } from "../../shadow/topics.ts";
import type { Cloud, CreateThingOptions } from "../cloud.ts";
import { type Account, type AccountOptions, openAccount } from "./account.ts";
import type { EndpointFolder } from "./folder.ts";
import { openPort, type Port } from "./port.ts";

/** Options of {@link startLocalEndpoint}: those of the account, and where it listens. */
export interface LocalEndpointOptions extends AccountOptions {
  /** Plays AWS IoT's port 8883, and is it by default; 0 takes any free port. */
  readonly port?: number | undefined;
  /** Plays AWS IoT's port 443, which wants ALPN; 0 takes any free port. Not opened by default. */
  readonly alpnPort?: number | undefined;
  /** The thing that gets a certificate; `thingwire-demo` by default. */
  readonly thingName?: string | undefined;
  /** The policy of that thing where it is registered for the first time; `defaultPolicy` by default. */
  readonly policy?: CreateThingOptions["policy"];
}

/** A running endpoint. */
export interface LocalEndpoint {
  /** `localhost`. */
  readonly host: string;
  readonly port: number;
  readonly alpnPort: number | undefined;
  readonly thingName: string;
  /** The CA, the server's and the device's certificate, and where their files are. */
  readonly folder: EndpointFolder;
  readonly cloud: Cloud;
  /** Makes more things, with their files in the folder. */
  readonly account: Account;
  /** Drops all connections, closes the ports, and lets go of the folder. */
  close(): Promise<void>;
}

/**
 * Starts the endpoint. Resolves when the ports are open.
 *
 * Errors: `USAGE_INVALID_ARGUMENT` where a port is taken or not allowed, the folder cannot be written or belongs to another endpoint that
 * runs, or a file in it is damaged.
 *
 * @example
 * const endpoint = await startLocalEndpoint({ port: 0 });
 * endpoint.port; endpoint.folder.caPem; endpoint.folder.device.certificatePem;
 */
export async function startLocalEndpoint(options: LocalEndpointOptions = {}): Promise<LocalEndpoint> {
  const { port = 8883, alpnPort, thingName = "thingwire-demo", policy, log = silent } = options;
  checkNames({ thingName });
  const account = await openAccount(options);
  const { cloud, dir } = account;
  const ports: Port[] = [];
  const close = async (): Promise<void> => {
    const closed = Promise.all(ports.map((one) => one.close()));
    await account.close();
    await closed;
    // The ports are closed: nobody takes any last bytes.
    await cloud.close();
  };
  try {
    const device = account.ensureThing(thingName, policy);
    ports.push(await openPort(cloud, port, 8883));
    if (alpnPort !== undefined) ports.push(await openPort(cloud, alpnPort, 443));
    const [main, alpn] = ports as [Port, Port | undefined];
    const where = ports.map(({ number }) => `localhost:${number}`).join(" and ");
    log.log("info", "simulator", `listening on ${where}, everything is kept in ${dir}`);
    return {
      host: "localhost",
      port: main.number,
      alpnPort: alpn?.number,
      ...{ thingName, cloud, account, close },
      folder: { ...account.folder, device },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
