/**
 * What an app says about its thing, and what a runtime brings to connect it.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import type { BackoffOptions } from "../mqtt/backoff.ts";
import type { MqttWill } from "../mqtt/client-options.ts";
import type { MqttLimits } from "../mqtt/limits.ts";
import type { CallOptions, KeyLog, Logger, Runtime } from "../ports.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import type { TlsConnectionInfo } from "../tls/events.ts";
import type { NativeTlsInfo, NativeTlsOptions } from "../transport/native-tls.ts";
import type { TlsTransportOptions } from "../transport/tls.ts";
import type { Transport } from "../transport/transport.ts";
import type { CredentialOptions } from "./credentials.ts";
import type { ThingError } from "./errors.ts";

/** Time limits of one attempt, a phase each, in ms. */
export interface ThingTimeouts {
  /** Finding the host and reaching it; 10,000 by default. */
  readonly dialMs?: number | undefined;
  /** From there to Finished; 20,000 by default. Node's TLS does not tell the two apart: there their sum holds for both. */
  readonly handshakeMs?: number | undefined;
  /** From there to CONNACK; 20,000 by default, as in the C SDK's examples. */
  readonly connackMs?: number | undefined;
}

/**
 * What can be set of our TLS; the rest follows from the thing. With `resumption` a connection that was lost comes back by an abbreviated
 * handshake where the server can do that: brokers on OpenSSL can, AWS IoT Core cannot. The session is kept in memory, and no longer than the thing.
 */
export type ThingTlsOptions = Partial<
  Pick<
    TlsTransportOptions,
    | "alpn"
    | "groups"
    | "maxHandshakeBytes"
    | "requireExtendedMasterSecret"
    | "resumption"
    | "serverName"
    | "signatureSchemes"
    | "sliceUnits"
    | "suites"
    | "verification"
  >
>;

/** Options of `connectThing`. `timeoutMs` is for the whole call; without it the limits of the phases hold. */
export interface ConnectThingOptions extends CredentialOptions, CallOptions {
  /** The host name: `PREFIX-ats.iot.REGION.amazonaws.com`. */
  readonly endpoint: string;
  /** 8883 by default; 443 adds ALPN `x-amzn-mqtt-ca`. */
  readonly port?: number | undefined;
  /** The thing's name in the registry, in its exact case. */
  readonly thingName: string;
  /** The thing's name by default. */
  readonly clientId?: string | undefined;
  /** Our own TLS by default, with options where wanted; or that of the runtime. */
  readonly tls?: "own" | "native" | ThingTlsOptions | undefined;
  /** Makes the byte stream below our TLS, instead of TCP to the endpoint; called at each attempt. */
  readonly dial?: (() => Transport) | undefined;
  /** Makes a transport that is secured already, instead of all the above; called at each attempt. Certificate and key are then not needed. */
  readonly transport?: (() => Transport) | undefined;
  /** Start anew at each connection; true by default. */
  readonly cleanSession?: boolean | undefined;
  /** 60 by default. */
  readonly keepAliveSeconds?: number | undefined;
  readonly will?: MqttWill | undefined;
  readonly username?: string | undefined;
  readonly password?: Uint8Array | string | undefined;
  /** How to come back after a lost connection, or false. On by default. */
  readonly reconnect?: BackoffOptions | false | undefined;
  /** The quotas to keep: `awsLimits` by default, `{}` for none. */
  readonly limits?: MqttLimits | undefined;
  readonly timeouts?: ThingTimeouts | undefined;
  readonly log?: Logger | undefined;
  readonly keyLog?: KeyLog | undefined;
  /** TLS is done, at each connection; with the handshake's timeline where the TLS is ours. */
  readonly onSecured?: ((info: TlsConnectionInfo) => void) | undefined;
  /** The same for the runtime's TLS. */
  readonly onNativeSecured?: ((info: NativeTlsInfo) => void) | undefined;
  /** The connection was lost, or an attempt to come back failed. Where it is lost right behind CONNACK this comes before `connectThing` settles. */
  readonly onInterrupted?: ((error: ThingError) => void) | undefined;
}

/** What a runtime brings. */
export interface ThingPorts {
  readonly runtime: Runtime;
  /** Called once a thing; a runtime may give the same to all. */
  crypto(): CryptoProvider;
  tcp(options: { readonly host: string; readonly port: number; readonly timeoutMs: number }): Transport;
  /** Where the runtime has TLS of its own. */
  readonly nativeTls?: ((options: NativeTlsOptions) => Transport) | undefined;
}

/**
 * What the types say, for those who have none.
 *
 * @throws UsageError
 */
export function checkThingOptions(options: ConnectThingOptions): void {
  if (typeof options !== "object" || options === null)
    throw new UsageError(
      "USAGE_INVALID_ARGUMENT",
      "connectThing takes an object: { endpoint, thingName, certificate, privateKey }",
    );
  const { tls } = options;
  if (tls !== undefined && tls !== "own" && tls !== "native" && (typeof tls !== "object" || tls === null))
    throw new UsageError("USAGE_INVALID_ARGUMENT", 'tls must be "own", "native" or an object with options of our TLS');
}
