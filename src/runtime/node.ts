/**
 * `thingwire/node`: a thing on Node. The ports' adapters, TCP and Node's own TLS as transports, logging, credentials out of files, and
 * `connectThing` bound to them.
 *
 * @module
 */

import { connectThing as connectThingOver, type Thing } from "../thing/connect.ts";
import type { ConnectThingOptions } from "../thing/options.ts";
import { createCrypto } from "../tls/crypto/create.ts";
import type { CryptoProvider } from "../tls/crypto/provider.ts";
import { tcp } from "../transport/node/tcp.ts";
import { nativeTls } from "../transport/node/tls.ts";
import { type TlsTransport, type TlsTransportOptions, tls as tlsOver } from "../transport/tls.ts";
import type { Transport } from "../transport/transport.ts";
import { keyLogFromEnvironment } from "./node-keylog.ts";
import { nodeRandom, nodeRuntime, nodeTimers } from "./node-ports.ts";

export { isThingwireError, mbedtlsText, ThingwireError, UsageError } from "../errors.ts";
export type { KeyLog, Logger, LogLevel, Runtime } from "../ports.ts";
export type { Thing } from "../thing/connect.ts";
export { ThingError, type ThingErrorCode, type ThingPhase } from "../thing/errors.ts";
export type { ConnectThingOptions, ThingTimeouts, ThingTlsOptions } from "../thing/options.ts";
export type { NativeTlsInfo, NativeTlsOptions } from "../transport/native-tls.ts";
export { type TcpOptions, tcp } from "../transport/node/tcp.ts";
export { nativeTls } from "../transport/node/tls.ts";
export { type ConsoleLoggerOptions, consoleLogger, mbedtlsDebugLevel } from "./console-logger.ts";
export { type CredentialFiles, readCredentials, readTrust } from "./node-credentials.ts";
export { nodeCrypto } from "./node-crypto.ts";
export { keyLogFromEnvironment } from "./node-keylog.ts";
export { nodeRandom, nodeRuntime, nodeTimers } from "./node-ports.ts";

// One a process, with its tables: Node never preloads this module. Made when first needed.
let crypto: CryptoProvider | undefined;

function sharedCrypto(): CryptoProvider {
  crypto ??= createCrypto();
  return crypto;
}

/**
 * Connects a thing over TCP and our own TLS, and resolves on CONNACK. `SSLKEYLOGFILE` is obeyed unless `keyLog` is given.
 *
 * Rejects with a `ThingError`: see its `phase`, `code` and `hint`.
 *
 * @example
 * const thing = await connectThing({ endpoint, thingName: "lamp", certificate, privateKey });
 * await thing.shadow().report({ powerOn: true });
 * await thing.close();
 */
export function connectThing(options: ConnectThingOptions): Promise<Thing> {
  // Without options there is an error to come, with a better text than that of reading from nothing.
  const keyLog = options?.keyLog ?? keyLogFromEnvironment(options?.log);
  return connectThingOver({ ...options, keyLog }, { runtime: nodeRuntime, crypto: sharedCrypto, tcp, nativeTls });
}

/** Options of {@link tls}: what Node brings need not be given. */
export type NodeTlsOptions = Omit<TlsTransportOptions, NodePort> & Partial<Pick<TlsTransportOptions, NodePort>>;
type NodePort = "crypto" | "random" | "timers" | "wallMs";

/**
 * Our TLS over any transport, with Node's clock and randomness, and our own crypto.
 *
 * @throws CertificateError, TlsError, UsageError for options that cannot be used.
 * @example
 * const transport = tls(tcp({ host, port: 8883 }), { serverName: host, trust, identity });
 */
export function tls(lower: Transport, options: NodeTlsOptions): TlsTransport {
  return tlsOver(lower, {
    crypto: sharedCrypto(),
    random: nodeRandom,
    timers: nodeTimers,
    wallMs: nodeRuntime.clock.wallMs,
    now: nodeRuntime.clock.now,
    ...options,
  });
}
