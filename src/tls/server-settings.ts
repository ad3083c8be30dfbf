/**
 * The options of a server, checked once and completed with their defaults.
 *
 * @module
 */

import type { Deviation } from "./deviations.ts";
import { TlsError } from "./errors.ts";
import type { ClientRequest, TlsServerOptions } from "./events.ts";
import { type CheckedIdentity, readLeaf } from "./identity.ts";
import { MAX_PREVIOUS_TICKET_KEYS, type ServerResumption, TICKET_KEY_BYTES } from "./server-sessions.ts";
import { type CommonSettings, checkCommonOptions, invalid } from "./settings.ts";
import type { Certificate } from "./x509/certificate.ts";

const DEFAULT_LIFETIME_SECONDS = 7200;
/** RFC 5246 §F.1.4. */
const MAX_LIFETIME_SECONDS = 86_400;

/** {@link ClientSelection}, with the identity's key read. */
type CheckedSelection =
  | {
      readonly identity: CheckedIdentity;
      readonly alpn?: string | undefined;
      readonly ocspResponse?: Uint8Array | undefined;
    }
  | { readonly alert: number };

/** Checked options of a server. */
export interface ServerSettings extends CommonSettings, Pick<TlsServerOptions, "clientCertificate"> {
  /** The caller's, with its failures as `TLS_SERVER_CALLBACK_FAILED`. */
  select(request: ClientRequest): CheckedSelection;
  admit(certificates: readonly Certificate[]): number | undefined;
  readonly certificateAuthorities: readonly Uint8Array[];
  readonly extendedMasterSecret: boolean;
  readonly resumption: (ServerResumption & { readonly lifetimeSeconds: number }) | undefined;
  readonly deviations: readonly Deviation[];
}

/** Checks the options of a server. Throws UsageError for what is missing or not usable. */
export function checkServerOptions(options: TlsServerOptions): ServerSettings {
  const { clientCertificate } = options;
  if (typeof options.select !== "function") invalid("select must be a function that chooses an identity, or an alert");
  if (!["none", "request", "require"].includes(clientCertificate))
    invalid(`clientCertificate must be "none", "request" or "require", not ${JSON.stringify(clientCertificate)}`);
  const deviations = options.deviations ?? [];
  for (const { on, fragments = [], times = 0, nth = 0 } of deviations)
    if (![...fragments, times, nth].every((count) => Number.isInteger(count) && count >= 0))
      invalid(`deviations: fragments, times and nth of ${on} must be whole numbers from 0`);
  const { resumption } = options;
  const lifetimeSeconds = resumption?.lifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
  if (!(Number.isInteger(lifetimeSeconds) && lifetimeSeconds > 0 && lifetimeSeconds <= MAX_LIFETIME_SECONDS))
    invalid("resumption.lifetimeSeconds must be a whole number from 1 to 86,400");
  checkTicketKeys(resumption);
  if (resumption?.ticketKey !== undefined && !options.crypto.supports("aes-128-gcm"))
    invalid("the crypto provider does not support aes-128-gcm, with which tickets are sealed");
  return {
    ...checkCommonOptions(options),
    role: "server",
    peerName: "a client",
    select: (request) =>
      guarded("select", () => {
        const selection = options.select(request);
        if ("alert" in selection) return selection;
        const { identity, alpn, ocspResponse } = selection;
        return { identity: { ...identity, publicKey: readLeaf(identity).publicKey }, alpn, ocspResponse };
      }),
    admit: (certificates) => guarded("admit", () => options.admit?.(certificates)),
    clientCertificate,
    certificateAuthorities: options.certificateAuthorities ?? [],
    extendedMasterSecret: options.extendedMasterSecret ?? true,
    resumption: resumption === undefined ? undefined : { ...resumption, lifetimeSeconds },
    deviations,
  };
}

function checkTicketKeys({ ticketKey, previousTicketKeys = [] }: Partial<ServerResumption> = {}): void {
  if (ticketKey !== undefined && ticketKey.length !== TICKET_KEY_BYTES)
    invalid("resumption.ticketKey must be of 16 bytes");
  if (ticketKey === undefined && previousTicketKeys.length > 0)
    invalid("resumption.previousTicketKeys needs a ticketKey, under which tickets are renewed");
  if (previousTicketKeys.length > MAX_PREVIOUS_TICKET_KEYS)
    invalid(`resumption.previousTicketKeys must be ${MAX_PREVIOUS_TICKET_KEYS} at most`);
  if (previousTicketKeys.some(({ length }) => length !== TICKET_KEY_BYTES))
    invalid("resumption.previousTicketKeys must be of 16 bytes each");
}

function guarded<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new TlsError("TLS_SERVER_CALLBACK_FAILED", `${name}: ${message}`, { cause: error });
  }
}
