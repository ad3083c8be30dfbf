/**
 * The options of a server, checked once and completed with their defaults.
 *
 * @module
 */

import type { Deviation } from "./deviations.ts";
import type { TlsServerOptions } from "./events.ts";
import { type CommonSettings, checkCommonOptions, invalid } from "./settings.ts";

/** Checked options of a server. */
export interface ServerSettings extends CommonSettings, Pick<TlsServerOptions, "select" | "clientCertificate"> {
  readonly admit: TlsServerOptions["admit"] | undefined;
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly extendedMasterSecret: boolean;
  readonly deviations: readonly Deviation[];
}

/** Checks the options of a server. Throws UsageError for what is missing or not usable. */
export function checkServerOptions(options: TlsServerOptions): ServerSettings {
  const { select, admit, clientCertificate } = options;
  if (typeof select !== "function") invalid("select must be a function that chooses an identity, or an alert");
  if (!["none", "request", "require"].includes(clientCertificate))
    invalid(`clientCertificate must be "none", "request" or "require", not ${JSON.stringify(clientCertificate)}`);
  return {
    ...checkCommonOptions(options),
    role: "server",
    peerName: "a client",
    // Called as methods of the options, whatever they are.
    select: (request) => select.call(options, request),
    admit: admit && ((certificates) => admit.call(options, certificates)),
    clientCertificate,
    certificateAuthorities: options.certificateAuthorities ?? [],
    extendedMasterSecret: options.extendedMasterSecret ?? true,
    deviations: options.deviations ?? [],
  };
}
