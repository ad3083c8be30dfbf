/**
 * `thingwire/simulator/node`: the local AWS IoT endpoint behind TCP ports of Node, kept in a folder, and what writes a device's credentials into a module.
 *
 * @module
 */

import { nodeRuntime } from "../../runtime/node-ports.ts";
import { generateRsaKey } from "../../runtime/node-rsa.ts";
import { createCrypto } from "../../tls/crypto/create.ts";
import { type Cloud, type SimulateOptions, simulate as simulateOver } from "../cloud.ts";

export * from "../index.ts";
export { type Account, type AccountOptions, openAccount } from "./account.ts";
export { type CredentialSources, type EmbeddedCredentials, embedCredentials, findCredentials } from "./embed.ts";
export { type LocalEndpoint, type LocalEndpointOptions, startLocalEndpoint } from "./endpoint.ts";
export type { AuthorityFolder, EndpointFolder, StoredCertificate, StoredDevice } from "./folder.ts";
export { type Journal, openJournal } from "./journal.ts";

/**
 * A cloud in this process, with Node's clock and randomness and our own crypto.
 *
 * @example
 * const cloud = await simulate();
 * const thing = await connectThing(await cloud.createThing("lamp"));
 * await cloud.shadow("lamp").desire({ powerOn: false });
 */
export function simulate(options: Partial<SimulateOptions> = {}): Promise<Cloud> {
  return simulateOver({ runtime: nodeRuntime, crypto: createCrypto(), generateRsaKey, ...options });
}
