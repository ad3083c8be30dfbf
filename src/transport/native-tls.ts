/**
 * TLS of the runtime itself, the alternative to ours: what it is asked for and what it tells. One adapter a runtime
 * (`nativeTls` in `thingwire/node`).
 *
 * @module
 */

import type { TrustAnchor } from "../tls/x509/trust.ts";

/** What a runtime says of a TLS connection that it made. */
export interface NativeTlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite's name as IANA has it. */
  readonly suite: string;
  readonly alpn: string | undefined;
  /** The chain that the server sent, leaf first, in DER. */
  readonly certificates: readonly Uint8Array[];
}

/** Options of a runtime's own TLS. */
export interface NativeTlsOptions {
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate must be for; `host` by default. */
  readonly serverName?: string | undefined;
  /** CA certificates in PEM. Without them, the certificates of `trust`. */
  readonly ca?: string | readonly string[] | undefined;
  /** Anchors whose certificates are among those that the runtime brings, such as `amazonTrust`. */
  readonly trust?: readonly TrustAnchor[] | undefined;
  /** The device's chain, leaf first: PEM, or DER a certificate. */
  readonly certificate?: string | Uint8Array | readonly Uint8Array[] | undefined;
  /** The leaf's key: PEM, or DER in PKCS#8, PKCS#1 or SEC1. */
  readonly privateKey?: string | Uint8Array | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** TLS 1.2 by default, as our own client; "TLSv1.3" lets it choose that where the server has it. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3" | undefined;
  /** Milliseconds until the connection must be made, handshake included; 20,000 by default. */
  readonly timeoutMs?: number | undefined;
  readonly bufferBytes?: number | undefined;
  /** Called once, before the first `onWritable`. */
  readonly onSecured?: ((info: NativeTlsInfo) => void) | undefined;
}
