/**
 * `thingwire/transport`: the transport contract, TLS over any transport, and a pair in memory for tests and simulators.
 *
 * @module
 */

export { TransportError, type TransportErrorCode, transportErrors } from "./errors.ts";
export { type MemoryFaults, type MemoryPairOptions, memoryPair } from "./memory.ts";
export type { NativeTlsInfo, NativeTlsOptions } from "./native-tls.ts";
export { Pump, type PumpedEngine, type PumpOptions } from "./pump.ts";
export { type TlsTransport, type TlsTransportOptions, tls } from "./tls.ts";
export { type TlsServerTransport, type TlsServerTransportOptions, tlsServer } from "./tls-server.ts";
export type { TlsStreamOptions } from "./tls-stream.ts";
export type { Transport, TransportHandler } from "./transport.ts";
