/**
 * `thingwire/simulator/node`: the local AWS IoT endpoint behind a TLS port of Node, and what writes a device's credentials into a module.
 *
 * @module
 */

export * from "../index.ts";
export { type CredentialSources, type EmbeddedCredentials, embedCredentials, findCredentials } from "./embed.ts";
export { type LocalEndpoint, type LocalEndpointOptions, startLocalEndpoint } from "./endpoint.ts";
export type { EndpointFolder, StoredCertificate } from "./folder.ts";
