/**
 * `thingwire/simulator/node`: the local AWS IoT endpoint behind TCP ports of Node, kept in a folder, and what writes a device's credentials into a module.
 *
 * @module
 */

import { nodeRuntime } from "../../runtime/node-ports.ts";
import { generateRsaKey } from "../../runtime/node-rsa.ts";
import { createCrypto } from "../../tls/crypto/create.ts";
import { type Cloud, type SimulateOptions, simulate as simulateOver } from "../cloud.ts";
import { openPort } from "./port.ts";

export * from "../index.ts";
export { type Account, type AccountOptions, openAccount } from "./account.ts";
export { type CredentialSources, type EmbeddedCredentials, embedCredentials, findCredentials } from "./embed.ts";
export { type LocalEndpoint, type LocalEndpointOptions, startLocalEndpoint } from "./endpoint.ts";
export type { AuthorityFolder, EndpointFolder, StoredCertificate, StoredDevice } from "./folder.ts";
export { type Journal, openJournal } from "./journal.ts";

/** Options of {@link simulate} on Node. */
export interface NodeSimulateOptions extends Partial<SimulateOptions> {
  /** Opens TCP ports on loopback: `port` plays AWS IoT's 8883, `alpnPort` its 443; 0 takes any free port. */
  readonly listen?: { readonly port: number; readonly alpnPort?: number | undefined } | undefined;
}

/**
 * A cloud in this process, with Node's clock and randomness and our own crypto; with `listen` behind TCP ports too.
 *
 * @example
 * const cloud = await simulate();
 * const thing = await connectThing(await cloud.createThing("lamp"));
 * await cloud.shadow("lamp").desire({ powerOn: false });
 */
export async function simulate(options: NodeSimulateOptions = {}): Promise<Cloud> {
  const cloud = await simulateOver({ runtime: nodeRuntime, crypto: createCrypto(), generateRsaKey, ...options });
  const { listen } = options;
  if (listen === undefined) return cloud;
  const port = await openPort(cloud, listen.port, 8883);
  const ports = [port];
  cloud.listenAt({
    port: port.number,
    close: async () => {
      await Promise.all(ports.map((one) => one.close()));
    },
  });
  try {
    if (listen.alpnPort !== undefined) ports.push(await openPort(cloud, listen.alpnPort, 443));
  } catch (error) {
    await cloud.close();
    throw error;
  }
  return cloud;
}
