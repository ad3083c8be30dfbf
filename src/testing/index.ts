/**
 * `thingwire/testing`: what our own tests and users' tests share. `fast-check` is an optional peer dependency.
 *
 * @module
 */

import { mqttArbitraries } from "./mqtt.ts";
import { shadowArbitraries } from "./shadow.ts";

export { chunked } from "./chunked.ts";

/** fast-check arbitraries, by layer. */
export const arbitraries = { mqtt: mqttArbitraries, shadow: shadowArbitraries } as const;
