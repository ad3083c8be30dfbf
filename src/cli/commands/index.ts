/**
 * The table of subcommands: what is in it works.
 *
 * @module
 */

import type { Command } from "../command.ts";
import { cert } from "./cert.ts";
import { doctor } from "./doctor.ts";
import { embed } from "./embed.ts";
import { pub, sub } from "./messages.ts";
import { provisionCa, provisionCsr, provisionDevice, provisionKey, provisionVerification } from "./provision.ts";
import { registry } from "./registry.ts";
import { shadowDelete, shadowGet, shadowUpdate, shadowWatch } from "./shadow.ts";
import { simulate } from "./simulate.ts";

/** All of them, in the order in which the help lists them. */
export const commands: readonly Command[] = [
  simulate,
  registry,
  doctor,
  provisionKey,
  provisionCsr,
  provisionCa,
  provisionVerification,
  provisionDevice,
  embed,
  cert,
  pub,
  sub,
  shadowGet,
  shadowUpdate,
  shadowDelete,
  shadowWatch,
];
