/**
 * What `thingwire doctor` is asked, and what it needs from outside: files, git, names, connections, time. All are injected, so that each
 * cause can be tested without a network.
 *
 * @module
 */

import type { AbortSignalLike, Logger, Runtime } from "../../ports.ts";
import type { GitState } from "../../runtime/node-git.ts";
import type { CryptoProvider } from "../../tls/crypto/provider.ts";
import type { Transport } from "../../transport/transport.ts";

/** A file's contents, or the system's code for why there are none: `ENOENT`, `EACCES`, `EISDIR`, `EFBIG`, … */
export type FileContents =
  | { readonly bytes: Uint8Array; readonly problem?: undefined }
  | { readonly problem: string; readonly bytes?: undefined };

/** Addresses of a name, or the system's code for why there are none: `ENOTFOUND`, `EAI_AGAIN`, … */
export type Addresses =
  | { readonly addresses: readonly string[]; readonly problem?: undefined }
  | { readonly problem: string; readonly addresses?: undefined };

/** The outside. */
export interface DoctorPorts {
  readonly runtime: Runtime;
  readonly crypto: CryptoProvider;
  readFile(path: string): FileContents;
  /** What git makes of a file that is there; a link is followed. */
  gitState(path: string): GitState;
  lookup(host: string): Promise<Addresses>;
  tcp(options: { readonly host: string; readonly port: number; readonly timeoutMs: number }): Transport;
}

/** The questions. */
export interface DoctorOptions {
  readonly endpoint: string;
  /** 8883 by default. */
  readonly port?: number | undefined;
  /** Path of the device's certificate. */
  readonly certificate: string;
  /** Path of its private key. */
  readonly privateKey: string;
  /** Path of the CA certificates to trust instead of Amazon's roots. */
  readonly ca?: string | undefined;
  /** Without it the shadow is left out. */
  readonly thingName?: string | undefined;
  /** The thing's name by default. */
  readonly clientId?: string | undefined;
  /** A topic to publish and subscribe to; by default those of the shadow's get. */
  readonly topic?: string | undefined;
  /** Path of the policy that is attached to the certificate: it is judged here, statement by statement. */
  readonly policy?: string | undefined;
  /** The protocol names to offer; by default what goes with the port. An empty list offers none. */
  readonly alpn?: readonly string[] | undefined;
  /** Leave the shadow as it is: no empty update. */
  readonly readOnly?: boolean | undefined;
  /** Milliseconds for each stage; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds for a message to come back; those of a stage by default. */
  readonly answerTimeoutMs?: number | undefined;
  /** Milliseconds between two connections; 1,100 by default, because AWS IoT takes one CONNECT a second and client id. */
  readonly pauseMs?: number | undefined;
  readonly signal?: AbortSignalLike | undefined;
  readonly log?: Logger | undefined;
}
