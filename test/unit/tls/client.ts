/**
 * What the TLS tests share: options for the test certificates, seeded randomness, and a driver that runs an engine to rest.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import { concat } from "../../../src/bytes.ts";
import type { Random } from "../../../src/ports.ts";
import { nodeCrypto } from "../../../src/runtime/node-crypto.ts";
import { finish } from "../../../src/task.ts";
import { TlsClient } from "../../../src/tls/client.ts";
import type { TlsError } from "../../../src/tls/errors.ts";
import type { Identity, TlsClientOptions, TlsEvent } from "../../../src/tls/events.ts";
import { decodeSession, encodeSession, type Session } from "../../../src/tls/session.ts";
import { parsePrivateKey } from "../../../src/tls/x509/keys.ts";
import { parsePem } from "../../../src/tls/x509/pem.ts";
import { trustAnchors } from "../../../src/tls/x509/trust.ts";
import { caCertificate, ecClientCertificate, ecClientKey, rsaClientCertificate, rsaClientKey } from "./fixtures.ts";

/** A moment at which the test certificates are valid. */
export const NOW = Date.UTC(2027, 0, 1);

export const crypto = nodeCrypto();
export const trust = trustAnchors(caCertificate);
export const systemRandom: Random = { fill: (bytes) => void randomFillSync(bytes) };

export function der(pem: string): Uint8Array {
  return parsePem(pem)[0]!.der;
}

export const rsaIdentity: Identity = {
  certificates: [der(rsaClientCertificate)],
  privateKey: parsePrivateKey(rsaClientKey),
};
export const ecIdentity: Identity = {
  certificates: [der(ecClientCertificate)],
  privateKey: parsePrivateKey(ecClientKey),
};

/** Options that work with the test servers. */
export function options(more: Partial<TlsClientOptions> = {}): TlsClientOptions {
  return { serverName: "localhost", trust, crypto, random: systemRandom, wallMs: () => NOW, ...more };
}

/** A session out of its blob, and the other way, at once. */
export const readBlob = (blob: Uint8Array): Session | undefined => finish(decodeSession(blob, crypto));
export const blobOf = (session: Session): Uint8Array => finish(encodeSession(session, crypto));

/** What an engine did. */
export interface Outcome {
  /** All bytes for the peer, joined. */
  readonly output: Uint8Array;
  /** All plaintext, joined. */
  readonly data: Uint8Array;
  /** Events but `output` and `data`. */
  readonly events: readonly TlsEvent[];
  readonly error: TlsError | undefined;
}

/** Runs an engine until it is at rest, with a budget for each step, and collects what comes out. */
export class Driver {
  readonly client: TlsClient;
  readonly output: Uint8Array[] = [];
  readonly data: Uint8Array[] = [];
  readonly events: TlsEvent[] = [];
  readonly #budget: () => number;

  constructor(more: Partial<TlsClientOptions> = {}, budget: () => number = () => 1_000_000) {
    this.client = new TlsClient(options(more));
    this.#budget = budget;
    this.client.start();
    this.rest();
  }

  /** Works until there is nothing to do, and takes all events. */
  rest(): void {
    if (this.client.stateName !== "Dead") while (this.client.work(this.#budget()) === "more");
    for (let event = this.client.nextEvent(); event !== undefined; event = this.client.nextEvent()) {
      if (event.type === "output") this.output.push(event.bytes.slice());
      else if (event.type === "data") this.data.push(event.bytes.slice());
      else this.events.push(event);
    }
  }

  /** Feeds bytes as far as the engine lives. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.error === undefined; ) {
      at += this.client.feed(bytes.subarray(at));
      this.rest();
    }
  }

  get error(): TlsError | undefined {
    const fatal = this.events.find((event) => event.type === "fatal");
    return fatal?.type === "fatal" ? fatal.error : undefined;
  }

  get isSecured(): boolean {
    return this.events.some((event) => event.type === "secured");
  }

  outcome(): Outcome {
    return { output: concat(this.output), data: concat(this.data), events: this.events, error: this.error };
  }
}
